/* vec_pool_plain_body.h: pooling over windows and its gradients in plain order: rows are joined first, then columns,
 * and gradients take HD_VL windows of a row at once. Included once for each instruction set, after vec_pool_body.h. */

/* ---- windows of 2 × 2 that lie apart: HD_VL of them at once ---- */

HD_INLINE bool pool_is_2x2(const hd_vec_pool *s) {
    return s->apart && s->kernel[0] == 2 && s->kernel[1] == 2;
}

/* Their elements, row by row, where `left` windows of the row are left; the masks of the two vectors of a row. */
typedef struct pool_square {
    vf at[4];
    vm low, high;
    bool whole;
} pool_square;
HD_INLINE pool_square pool_square_of(const float *p, int64_t line, int64_t left) {
    const bool whole = left >= HD_VL;
    const vm low = vm_first(2 * left), high = vm_first(2 * left > HD_VL ? 2 * left - HD_VL : 0);
    const vf a = vf_load_if(p, whole, low), b = vf_load_if(p + HD_VL, whole, high);
    const vf c = vf_load_if(p + line, whole, low), d = vf_load_if(p + line + HD_VL, whole, high);
    return (pool_square){{vf_even(a, b), vf_odd(a, b), vf_even(c, d), vf_odd(c, d)}, low, high, whole};
}
HD_INLINE void pool_square_put(float *p, vf even, vf odd, const pool_square *x) {
    vf_store_if(p, vf_zip_low(even, odd), x->whole, x->low);
    vf_store_if(p + HD_VL, vf_zip_high(even, odd), x->whole, x->high);
}

/* Zeroes what no window covers. */
static void pool_clear_rest(const pool_place *q) {
    const hd_vec_pool *s = q->s;
    for (int64_t h = 0; h < 2 * s->oh; h++)
        for (int64_t l = 2 * s->ow; l < s->w; l++) q->y[h * s->w + l] = 0;
    for (int64_t at = 2 * s->oh * s->w; at < s->h * s->w; at++) q->y[at] = 0;
}

/* ---- forward ---- */

#define POOL(name, NEUTRAL, join, FACTOR)                                                                              \
    /* one output row from the joined input row in b (padding included) */                                             \
    static void pool_columns_##name(const hd_vec_pool *s, const float *b, float *y) {                                  \
        const int64_t kw = s->kernel[1], sw = s->stride[1];                                                            \
        for (int64_t o = 0; o < s->ow; o += HD_VL) {                                                                   \
            vf best = vf_splat(NEUTRAL);                                                                               \
            for (int64_t j = 0; j < kw; j++) {                                                                         \
                const float *p = b + o * sw + j;                                                                       \
                if (sw == 1)                                                                                           \
                    best = join(best, vf_load(p));                                                                     \
                else if (sw == 2)                                                                                      \
                    best = join(best, vf_even(vf_load(p), vf_load(p + HD_VL)));                                        \
                else {                                                                                                 \
                    float lane[HD_VL];                                                                                 \
                    for (int l = 0; l < HD_VL; l++) lane[l] = p[l * sw];                                               \
                    best = join(best, vf_load(lane));                                                                  \
                }                                                                                                      \
            }                                                                                                          \
            vf_store_if(y + o, best * FACTOR, o + HD_VL <= s->ow, vm_first(s->ow - o));                                \
        }                                                                                                              \
    }                                                                                                                  \
    /* windows of 2 × 2 that lie apart */                                                                             \
    static void pool_plain_##name##_2x2(const pool_place *q) {                                                         \
        const hd_vec_pool *s = q->s;                                                                                   \
        for (int64_t oh = 0; oh < s->oh; oh++)                                                                         \
            for (int64_t o = 0; o < s->ow; o += HD_VL) {                                                               \
                const pool_square x = pool_square_of(q->x + 2 * (oh * s->w + o), s->w, s->ow - o);                     \
                const vf best = join(join(x.at[0], x.at[1]), join(x.at[2], x.at[3]));                                  \
                vf_store_if(q->y + oh * s->ow + o, best * FACTOR, x.whole, vm_first(s->ow - o));                       \
            }                                                                                                          \
    }                                                                                                                  \
    static void pool_plain_##name##_one(const hd_exec *e, const pool_place *q) {                                       \
        const hd_vec_pool *s = q->s;                                                                                   \
        if (pool_is_2x2(s)) {                                                                                          \
            pool_plain_##name##_2x2(q);                                                                                \
            return;                                                                                                    \
        }                                                                                                              \
        float *b = hd_thread_scratch(e), *row = b + s->padding[1];                                                     \
        for (int64_t oh = 0; oh < s->oh; oh++) {                                                                       \
            const pool_window v = pool_window_of(s, 0, oh, s->h);                                                      \
            const float *x = q->x + v.at * s->w;                                                                       \
            for (int64_t l = 0; l < s->w; l += HD_VL) {                                                                \
                const bool whole = l + HD_VL <= s->w;                                                                  \
                const vm m = vm_first(s->w - l);                                                                       \
                vf best = vf_load_if(x + v.lo * s->w + l, whole, m);                                                   \
                for (int64_t i = v.lo + 1; i < v.hi; i++) best = join(best, vf_load_if(x + i * s->w + l, whole, m));   \
                vf_store_if(row + l, best, whole, m);                                                                  \
            }                                                                                                          \
            pool_columns_##name(s, b, q->y + oh * s->ow);                                                              \
        }                                                                                                              \
    }                                                                                                                  \
    static void pool_plain_##name(void *exec, int64_t task) {                                                          \
        const hd_vec_pool *state = ((const hd_exec *)exec)->state;                                                     \
        float *b = hd_thread_scratch((const hd_exec *)exec);                                                           \
        for (int64_t i = 0; i < state->buffer; i++) b[i] = NEUTRAL;                                                    \
        POOL_EACH(pool_plain_##name##_one, POOL_X, NULL, POOL_Y);                                                      \
    }
POOL(max, -INFINITY, join_max, 1.0f)
POOL(avg, 0, join_sum, s->factor)
#undef POOL

/* ---- gradient of max_pool2d ---- */

static void pool_plain_max_grad_2x2(const pool_place *q) {
    const hd_vec_pool *s = q->s;
    for (int64_t oh = 0; oh < s->oh; oh++)
        for (int64_t o = 0; o < s->ow; o += HD_VL) {
            const int64_t at = 2 * (oh * s->w + o);
            const pool_square x = pool_square_of(q->x + at, s->w, s->ow - o);
            const vf best = join_max(join_max(x.at[0], x.at[1]), join_max(x.at[2], x.at[3]));
            const vf g = vf_load_if(q->dy + oh * s->ow + o, x.whole, vm_first(s->ow - o));
            vk taken = vk_none();
            vf share[4];
            HD_UNROLL for (int i = 0; i < 4; i++) share[i] = vf_keep(pool_first(x.at[i], best, &taken), g);
            pool_square_put(q->y + at, share[0], share[1], &x);
            pool_square_put(q->y + at + s->w, share[2], share[3], &x);
        }
    pool_clear_rest(q);
}

/* One window: offset in the plane of its first largest element. */
static int64_t pool_largest(const pool_place *q, int64_t at, int64_t rows, int64_t columns) {
    float best = q->x[at];
    int64_t first = at;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            const int64_t p = at + i * q->s->w + j;
            const float x = q->x[p];
            const bool more = x > best || (x != x && best == best);
            best = more ? x : best;
            first = more ? p : first;
        }
    return first;
}

/* Every `stride`-th of n elements. */
HD_INLINE vf pool_strided(const float *p, int64_t stride, int64_t n) {
    if (stride == 1) return vf_load_m(p, vm_first(n));
    if (stride == 2) {
        const int64_t m = 2 * n - 1;
        return vf_even(vf_load_m(p, vm_first(m)), vf_load_m(p + HD_VL, vm_first(m > HD_VL ? m - HD_VL : 0)));
    }
    float lane[HD_VL] = {0};
    for (int64_t l = 0; l < n; l++) lane[l] = p[l * stride];
    return vf_load(lane);
}

/* n ≤ HD_VL neighbouring windows without edges: finds the places in vectors, adds one by one. */
static void pool_spread_row(const pool_place *q, int64_t at, const float *dy, int64_t rows, int64_t n) {
    const hd_vec_pool *s = q->s;
    vf best = pool_strided(q->x + at, s->stride[1], n);
    vi place = vi_splat(0);
    int32_t lane[HD_VL];
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < s->kernel[1]; j++) {
            const vf x = pool_strided(q->x + at + i * s->w + j, s->stride[1], n);
            const vk more = vk_or(vk_more(x, best), vk_and_not(vk_nan(x), vk_nan(best)));
            best = vf_blend(more, x, best);
            place = (vi)vf_blend(more, (vf)vi_splat((int32_t)(i * s->w + j)), (vf)place);
        }
    vi_store(lane, place);
    for (int64_t l = 0; l < n; l++) q->y[at + l * s->stride[1] + lane[l]] += dy[l];
}

static void pool_plain_max_grad_one(const hd_exec *e, const pool_place *q) {
    const hd_vec_pool *s = q->s;
    (void)e;
    if (pool_is_2x2(s)) {
        pool_plain_max_grad_2x2(q);
        return;
    }
    memset(q->y, 0, (size_t)(s->h * s->w) * sizeof *q->y);
    for (int64_t oh = 0; oh < s->oh; oh++) {
        const pool_window v = pool_window_of(s, 0, oh, s->h);
        const int64_t line = (v.at + v.lo) * s->w, rows = v.hi - v.lo;
        const float *dy = q->dy + oh * s->ow;
        int64_t ow = 0;
#define EDGE_ADD                                                                                                       \
    do {                                                                                                               \
        const pool_window u = pool_window_of(s, 1, ow, s->w);                                                          \
        q->y[pool_largest(q, line + u.at + u.lo, rows, u.hi - u.lo)] += dy[ow];                                        \
    } while (0)
        for (; ow < s->inner.from; ow++) EDGE_ADD;
        for (; ow < s->inner.to; ow += HD_VL)
            pool_spread_row(q, line + ow * s->stride[1] - s->padding[1], dy + ow, rows,
                            hd_vec_min(HD_VL, s->inner.to - ow));
        for (ow = s->inner.to; ow < s->ow; ow++) EDGE_ADD;
#undef EDGE_ADD
    }
}
static void pool_plain_max_grad(void *exec, int64_t task) {
    POOL_EACH(pool_plain_max_grad_one, POOL_X, POOL_DY, POOL_DX);
}

/* ---- gradient of avg_pool2d ---- */

/* Spreads the sums b of the windows of each column over a row of dx. */
static void pool_spread_sums(const hd_vec_pool *s, const float *b, float *dx) {
    if (!s->apart) {
        for (int64_t l = 0; l < s->w; l++) {
            float sum = 0;
            for (int32_t ow = s->columns[l].from; ow < s->columns[l].to; ow++) sum += b[ow];
            dx[l] = sum;
        }
        return;
    }
    const int64_t kw = s->kernel[1];
    for (int64_t l = s->ow * kw; l < s->w; l++) dx[l] = 0;
    for (int64_t o = 0; o < s->ow; o++)
        for (int64_t j = 0; j < kw; j++) dx[o * kw + j] = b[o];
}

static void pool_plain_avg_grad_2x2(const pool_place *q) {
    const hd_vec_pool *s = q->s;
    for (int64_t oh = 0; oh < s->oh; oh++)
        for (int64_t o = 0; o < s->ow; o += HD_VL) {
            const int64_t left = s->ow - o;
            const pool_square x = {.low = vm_first(2 * left),
                                   .high = vm_first(2 * left > HD_VL ? 2 * left - HD_VL : 0),
                                   .whole = left >= HD_VL};
            const vf g = vf_load_if(q->dy + oh * s->ow + o, x.whole, vm_first(left)) * s->factor;
            pool_square_put(q->y + 2 * (oh * s->w + o), g, g, &x);
            pool_square_put(q->y + 2 * (oh * s->w + o) + s->w, g, g, &x);
        }
    pool_clear_rest(q);
}

static void pool_plain_avg_grad_one(const hd_exec *e, const pool_place *q) {
    const hd_vec_pool *s = q->s;
    if (pool_is_2x2(s)) {
        pool_plain_avg_grad_2x2(q);
        return;
    }
    float *b = hd_thread_scratch(e);
    hd_vec_cover before = {-1, -1};
    for (int64_t h = 0; h < s->h; h++) {
        const hd_vec_cover r = s->rows[h];
        if (r.from >= r.to) {
            memset(q->y + h * s->w, 0, (size_t)s->w * sizeof *q->y);
            continue;
        }
        for (int64_t o = 0; (r.from != before.from || r.to != before.to) && o < s->ow; o += HD_VL) {
            const bool whole = o + HD_VL <= s->ow;
            const vm m = vm_first(s->ow - o);
            vf sum = vf_splat(0);
            for (int32_t oh = r.from; oh < r.to; oh++) sum += vf_load_if(q->dy + oh * s->ow + o, whole, m);
            vf_store_if(b + o, sum * s->factor, whole, m);
        }
        before = r;
        pool_spread_sums(s, b, q->y + h * s->w);
    }
}
static void pool_plain_avg_grad(void *exec, int64_t task) {
    POOL_EACH(pool_plain_avg_grad_one, NULL, POOL_DY, POOL_DX);
}

/* ---- global_avg_pool ---- */

static void pool_plain_global_one(const hd_exec *e, const pool_place *q) {
    (void)e;
    *q->y = reduce_run_sum(q->x, q->s->x.places) * q->s->factor;
}
static void pool_plain_global(void *exec, int64_t task) {
    POOL_EACH(pool_plain_global_one, POOL_X, NULL, (float *)e->out[0] + n * s->x.c + g);
}
#undef POOL_EACH
#undef POOL_X
#undef POOL_Y
#undef POOL_DY
#undef POOL_DX
