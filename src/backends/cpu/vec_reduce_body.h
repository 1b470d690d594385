/* vec_reduce_body.h: sums and largest values over axes; once for each instruction set. Long runs are summed in blocks,
 * so that the error does not grow with the length. */
#include "backends/cpu/vec_reduce.h"

static float lanes_max(vf v) {
    float lane[HD_VL], best;
    vf_store(lane, v);
    best = lane[0];
    for (int i = 1; i < HD_VL; i++) best = lane[i] > best || lane[i] != lane[i] ? lane[i] : best;
    return best;
}

static float lanes_min(vf v) {
    return -lanes_max(-v);
}
static float lanes_prod(vf v) {
    double product = 1;
    for (int i = 0; i < HD_VL; i++) product *= (double)v[i];
    return (float)product;
}
HD_INLINE vf join_min(vf a, vf b) {
    return vf_blend(vk_nan(a), a, vf_min(a, b));
}
HD_INLINE vf join_prod(vf a, vf b) {
    return a * b;
}

/* name, value that changes nothing, join of vectors, join of lanes */
#define REDUCE(name, NEUTRAL, join, lanes)                                                                             \
    static float reduce_run_##name(const float *x, int64_t n) {                                                        \
        float total = NEUTRAL;                                                                                         \
        for (int64_t block = 0; block < n; block += 4096) {                                                            \
            const int64_t end = hd_vec_min(block + 4096, n);                                                           \
            vf a = vf_splat(NEUTRAL), b = a;                                                                           \
            int64_t i = block;                                                                                         \
            for (; i + 2 * HD_VL <= end; i += 2 * HD_VL) {                                                             \
                a = join(a, vf_load(x + i));                                                                           \
                b = join(b, vf_load(x + i + HD_VL));                                                                   \
            }                                                                                                          \
            if (i + HD_VL <= end) a = join(a, vf_load(x + i)), i += HD_VL;                                             \
            if (i < end) {                                                                                             \
                const vi inside = vi_lanes() < vi_splat((int32_t)(end - i));                                           \
                b = join(b, vf_select(inside, vf_load_m(x + i, vm_first(end - i)), vf_splat(NEUTRAL)));                \
            }                                                                                                          \
            const float part = lanes(join(a, b));                                                                      \
            total = join(vf_splat(total), vf_splat(part))[0];                                                          \
        }                                                                                                              \
        return total;                                                                                                  \
    }                                                                                                                  \
    /* y[j] joined with x[0][j], x[1][j], … of `rows` rows, `stride` apart; n columns */                             \
    static void reduce_columns_##name(float *y, const float *x, int64_t rows, int64_t stride, int64_t n) {             \
        for (; rows >= 4; rows -= 4, x += 4 * stride)                                                                  \
            for (int64_t j = 0; j < n; j += HD_VL) {                                                                   \
                const bool whole = j + HD_VL <= n;                                                                     \
                const vm m = vm_first(n - j);                                                                          \
                const float *p = x + j;                                                                                \
                const vf a = join(vf_load_if(p, whole, m), vf_load_if(p + stride, whole, m));                          \
                const vf b = join(vf_load_if(p + 2 * stride, whole, m), vf_load_if(p + 3 * stride, whole, m));         \
                vf_store_if(y + j, join(vf_load_if(y + j, whole, m), join(a, b)), whole, m);                           \
            }                                                                                                          \
        for (; rows > 0; rows--, x += stride)                                                                          \
            for (int64_t j = 0; j < n; j += HD_VL) {                                                                   \
                const bool whole = j + HD_VL <= n;                                                                     \
                const vm m = vm_first(n - j);                                                                          \
                const vf a = join(vf_load_if(y + j, whole, m), vf_load_if(x + j, whole, m));                           \
                vf_store_if(y + j, a, whole, m);                                                                       \
            }                                                                                                          \
    }                                                                                                                  \
    static void reduce_##name(void *exec, int64_t task) {                                                              \
        const hd_exec *e = exec;                                                                                       \
        const hd_vec_reduce *s = e->state;                                                                             \
        int64_t from[4] = {0}, to[4];                                                                                  \
        memcpy(to, s->size, sizeof to);                                                                                \
        from[s->axis] = task * s->split.chunk;                                                                         \
        to[s->axis] = hd_vec_min(from[s->axis] + s->split.chunk, s->split.n);                                          \
        const int64_t fold = s->size[HD_VEC_FOLD], keep = s->size[HD_VEC_KEEP], run = s->size[HD_VEC_RUN];             \
        float *y = s->partial ? (float *)e->scratch + task * keep : (float *)e->out[0];                                \
        const float factor = s->partial ? 1 : s->factor;                                                               \
        for (int64_t o = from[0]; o < to[0]; o++) {                                                                    \
            float *row = y + o * keep;                                                                                 \
            const float *x = (const float *)e->in[0] + o * fold * keep * run;                                          \
            for (int64_t k = from[2]; k < to[2]; k++) row[k] = NEUTRAL;                                                \
            if (run == 1) {                                                                                            \
                reduce_columns_##name(row + from[2], x + from[1] * keep + from[2], to[1] - from[1], keep,              \
                                      to[2] - from[2]);                                                                \
            } else {                                                                                                   \
                for (int64_t f = from[1]; f < to[1]; f++)                                                              \
                    for (int64_t k = from[2]; k < to[2]; k++) {                                                        \
                        const float part = reduce_run_##name(x + (f * keep + k) * run + from[3], to[3] - from[3]);     \
                        row[k] = join(vf_splat(row[k]), vf_splat(part))[0];                                            \
                    }                                                                                                  \
            }                                                                                                          \
            if (factor != 1)                                                                                           \
                for (int64_t k = from[2]; k < to[2]; k++) row[k] *= factor;                                            \
        }                                                                                                              \
    }                                                                                                                  \
    static void reduce_join_##name(void *exec, int64_t task) {                                                         \
        const hd_exec *e = exec;                                                                                       \
        const hd_vec_reduce *s = e->state;                                                                             \
        const int64_t keep = s->size[HD_VEC_KEEP];                                                                     \
        float *y = e->out[0];                                                                                          \
        (void)task;                                                                                                    \
        for (int64_t k = 0; k < keep; k++) y[k] = NEUTRAL;                                                             \
        reduce_columns_##name(y, (const float *)e->scratch, s->split.tasks, keep, keep);                               \
        for (int64_t k = 0; k < keep; k++) y[k] *= s->factor;                                                          \
    }
REDUCE(sum, 0, join_sum, vf_sum)
REDUCE(max, -INFINITY, join_max, lanes_max)
REDUCE(min, INFINITY, join_min, lanes_min)
REDUCE(prod, 1, join_prod, lanes_prod)
#undef REDUCE
