/* vec_attention_body.h: attention and its gradient, tile by tile: scores by the products of gemm_body.h, softmax along
 * the rows that goes on from tile to tile (Milakov, Gimelshein 2018). Included once for each instruction set, after the
 * products. */
#include "backends/cpu/vec_attention.h"

/* A tile of scores: rows row … row + rows of the matrix b, columns column … column + columns, at s, rows ld apart. */
typedef struct attention_tile {
    const hd_vec_attention *state;
    const void *mask; /* of the matrix, or NULL */
    float *s;
    int64_t ld, row, rows, column, columns;
} attention_tile;

/* C[m, n] (+)= A B. Rows of a tile are shared out evenly. */
HD_INLINE void attention_product(hd_gemm_block g) {
    const int64_t count = (g.m + TILE_ROWS - 1) / TILE_ROWS;
    g.mr = (g.m + count - 1) / count;
    g.tiles = count;
    g.kc = g.k > 0 ? g.k : 1;
    g.nc = g.n;
    panels(&g, 0, g.n, 0, g.k);
}

/* Scores of a tile: q kᵀ with k packed in panels, or, for few rows, by dot products. */
static void attention_scores(const attention_tile *t, const float *q, const float *k, const float *pack) {
    const int64_t width = t->state->z.width;
    hd_gemm_block g = {.m = t->rows,
                       .n = t->columns,
                       .k = width,
                       .a = q,
                       .ra = width,
                       .ca = 1,
                       .b = k,
                       .ldb = width,
                       .bt = true,
                       .c = t->s,
                       .ldc = t->ld};
    if (!pack) {
        dots(&g);
        return;
    }
    g.pack = (float *)(uintptr_t)pack;
    attention_product(g);
}

/* The mask's n numbers from element `at` on put into the scores x: numbers are added, false hides. */
static void attention_mask(const attention_tile *t, float *x, int64_t at, int64_t n) {
    const int64_t step = t->state->z.mask_column;
    if (t->state->mask_of_bool) {
        const uint8_t *m = (const uint8_t *)t->mask + at;
        for (int64_t j = 0; j < n; j++) x[j] = m[j * step] ? x[j] : -INFINITY;
    } else {
        const float *m = (const float *)t->mask + at;
        for (int64_t j = 0; j < n; j++) x[j] += m[j * step];
    }
}

/* Scales row i of the tile, hides what it may not see (the columns from the result on, and by the mask). */
static int64_t attention_row(const attention_tile *t, int64_t i) {
    const hd_attention *z = &t->state->z;
    float *x = t->s + i * t->ld;
    const int64_t seen = hd_attention_seen(z, t->row + i) - t->column, n = hd_vec_min(seen, t->columns);
    if (n <= 0) return 0;
    const vf scale = vf_splat((float)z->scale);
    for (int64_t j = 0; j < n; j += HD_VL) {
        const bool whole = j + HD_VL <= n;
        const vm m = vm_first(n - j);
        vf_store_if(x + j, vf_load_if(x + j, whole, m) * scale, whole, m);
    }
    if (t->mask) attention_mask(t, x, (t->row + i) * z->mask_row + t->column * z->mask_column, n);
    return n;
}

static void attention_zero(float *x, int64_t n) {
    if (n > 0) memset(x, 0, (size_t)n * sizeof *x);
}

static void attention_times(float *x, int64_t n, float factor) {
    for (int64_t j = 0; j < n; j += HD_VL) {
        const bool whole = j + HD_VL <= n;
        const vm m = vm_first(n - j);
        vf_store_if(x + j, vf_load_if(x + j, whole, m) * factor, whole, m);
    }
}

static bool attention_has_nan(const float *x, int64_t n) {
    for (int64_t j = 0; j < n; j++)
        if (x[j] != x[j]) return true;
    return false;
}

/* Scores become weights e^(x − max), the largest so far and the sum so far go on; y is scaled to the new largest. */
static void attention_softmax(const attention_tile *t, float *max, float *sum, float *y) {
    for (int64_t i = 0; i < t->rows; i++) {
        float *x = t->s + i * t->ld;
        const int64_t n = attention_row(t, i);
        vf most = vf_splat(-INFINITY), total = {0};
        for (int64_t j = 0; j < n; j += HD_VL) {
            const bool whole = j + HD_VL <= n;
            const vm m = vm_first(n - j);
            const vf v = vf_load_if(x + j, whole, m);
            most = vf_max(most, whole ? v : vf_select(vi_first(n - j), v, most));
        }
        const float before = max[i], now = fmaxf(before, vf_largest(most));
        attention_zero(x + n, t->columns - n);
        if (now == -INFINITY && !attention_has_nan(x, n)) { /* hidden; nan is lost in the largest, but must stay */
            attention_zero(x, n);
            continue;
        }
        for (int64_t j = 0; j < n; j += HD_VL) {
            const bool whole = j + HD_VL <= n;
            const vm m = vm_first(n - j);
            vf e = v_exp(vf_load_if(x + j, whole, m) - now);
            vf_store_if(x + j, e, whole, m);
            total += whole ? e : vf_where(vi_first(n - j), e);
        }
        const float keep = before == -INFINITY ? 0 : expf(before - now);
        max[i] = now;
        sum[i] = sum[i] * keep + vf_sum(total);
        if (keep != 1) attention_times(y + i * t->state->z.depth, t->state->z.depth, keep);
    }
}

/* Rows row … row + rows of matrix b. pack: k in panels of all columns, or NULL. */
static void attention_rows(const hd_exec *e, attention_tile *t, int64_t b, const float *pack, float *max, float *sum) {
    const hd_attention *z = &t->state->z;
    const float *q = (const float *)e->in[0] + (b * z->rows + t->row) * z->width;
    const float *k = (const float *)e->in[1] + b / z->group * z->columns * z->width;
    const float *v = (const float *)e->in[2] + b / z->group * z->columns * z->depth;
    float *y = (float *)e->out[0] + (b * z->rows + t->row) * z->depth, *lse = (float *)e->out[1] + b * z->rows + t->row;
    const int64_t seen = hd_attention_seen(z, t->row + t->rows - 1);
    attention_zero(y, t->rows * z->depth);
    attention_zero(sum, t->rows);
    for (int64_t i = 0; i < t->rows; i++) max[i] = -INFINITY;
    for (t->column = 0; t->column < seen; t->column += HD_ATTENTION_COLUMNS) {
        t->columns = hd_vec_min(HD_ATTENTION_COLUMNS, seen - t->column);
        attention_scores(t, q, k + t->column * z->width, pack ? pack + t->column * z->width : NULL);
        attention_softmax(t, max, sum, y);
        attention_product((hd_gemm_block){.m = t->rows,
                                          .n = z->depth,
                                          .k = t->columns,
                                          .a = t->s,
                                          .ra = t->ld,
                                          .ca = 1,
                                          .b = v + t->column * z->depth,
                                          .ldb = z->depth,
                                          .c = y,
                                          .ldc = z->depth,
                                          .add = true});
    }
    for (int64_t i = 0; i < t->rows; i++) {
        if (sum[i] != 0) attention_times(y + i * z->depth, z->depth, 1 / sum[i]);
        lse[i] = max[i] + logf(sum[i]);
    }
}

static const void *attention_mask_of(const hd_exec *e, const hd_vec_attention *s, int64_t b) {
    if (!s->z.masked) return NULL;
    const int64_t at = hd_attention_mask_at(&s->z, b);
    return (const char *)e->in[s->mask] + at * (s->mask_of_bool ? 1 : (int64_t)sizeof(float));
}

static void attention_run(void *exec, int64_t task) {
    enum { FEW = 4 };
    const hd_exec *e = exec;
    const hd_vec_attention *s = e->state;
    const hd_attention *z = &s->z;
    const int64_t b = task / s->parts, part = task % s->parts;
    const int64_t blocks = (z->rows + HD_ATTENTION_ROWS - 1) / HD_ATTENTION_ROWS;
    const int64_t first = part * blocks / s->parts * HD_ATTENTION_ROWS;
    const int64_t last = hd_vec_min((part + 1) * blocks / s->parts * HD_ATTENTION_ROWS, z->rows);
    float *pack = hd_thread_scratch(e), *tile = pack + s->packed,
          *max = tile + HD_ATTENTION_ROWS * HD_ATTENTION_COLUMNS;
    attention_tile t = {.state = s, .mask = attention_mask_of(e, s, b), .s = tile, .ld = HD_ATTENTION_COLUMNS};
    const bool packs = last - first > FEW;
    const float *k = (const float *)e->in[1] + b / z->group * z->columns * z->width;
    if (packs) pack_b(pack, k, z->width, true, z->width, hd_attention_seen(z, last - 1));
    for (t.row = first; t.row < last; t.row += HD_ATTENTION_ROWS) {
        t.rows = hd_vec_min(HD_ATTENTION_ROWS, last - t.row);
        attention_rows(e, &t, b, packs ? pack : NULL, max, max + HD_ATTENTION_ROWS);
    }
}

/* ---- the gradient ---- */

/* What a block of columns of one matrix needs besides the tile. */
typedef struct attention_back {
    attention_tile t;
    float *slope;                 /* the second tile: dy vᵀ, then the slope of the scores */
    const float *pack_k, *pack_v; /* kᵀ and vᵀ in panels */
    const float *q, *k, *v, *dy, *lse, *away;
    float *dq, *dk, *dv;
} attention_back;

/* Weights e^(x − lse), and slope = scale · weights · (slope − away). */
static void attention_slopes(const attention_back *a) {
    const attention_tile *t = &a->t;
    const float scale = (float)t->state->z.scale;
    for (int64_t i = 0; i < t->rows; i++) {
        float *x = t->s + i * t->ld, *d = a->slope + i * t->ld;
        int64_t n = attention_row(t, i);
        const float lse = a->lse[t->row + i], away = a->away[t->row + i];
        if (lse == -INFINITY) n = 0;
        for (int64_t j = 0; j < n; j += HD_VL) {
            const bool whole = j + HD_VL <= n;
            const vm m = vm_first(n - j);
            const vf p = v_exp(vf_load_if(x + j, whole, m) - lse);
            vf_store_if(x + j, p, whole, m);
            vf_store_if(d + j, p * (vf_load_if(d + j, whole, m) - away) * scale, whole, m);
        }
        attention_zero(x + n, t->columns - n);
        attention_zero(d + n, t->columns - n);
    }
}

/* c [rows of the tile, n] += a b, or, turned, c [columns of the tile, n] += aᵀ b. */
HD_INLINE void attention_add(const attention_tile *t, const float *a, bool turned, const float *b, float *c,
                             int64_t n) {
    attention_product((hd_gemm_block){.m = turned ? t->columns : t->rows,
                                      .n = n,
                                      .k = turned ? t->rows : t->columns,
                                      .a = a,
                                      .ra = turned ? 1 : t->ld,
                                      .ca = turned ? t->ld : 1,
                                      .b = b,
                                      .ldb = n,
                                      .c = c,
                                      .ldc = n,
                                      .add = true});
}

static void attention_back_tile(attention_back *a) {
    const attention_tile *t = &a->t;
    const int64_t w = t->state->z.width, d = t->state->z.depth;
    attention_scores(t, a->q + t->row * w, a->k + t->column * w, a->pack_k);
    attention_product((hd_gemm_block){.m = t->rows,
                                      .n = t->columns,
                                      .k = d,
                                      .a = a->dy + t->row * d,
                                      .ra = d,
                                      .ca = 1,
                                      .b = a->v + t->column * d,
                                      .ldb = d,
                                      .bt = true,
                                      .pack = (float *)(uintptr_t)a->pack_v,
                                      .c = a->slope,
                                      .ldc = t->ld});
    attention_slopes(a);
    attention_add(t, t->s, true, a->dy + t->row * d, a->dv + t->column * d, d);
    attention_add(t, a->slope, true, a->q + t->row * w, a->dk + t->column * w, w);
    attention_add(t, a->slope, false, a->k + t->column * w, a->dq + t->row * w, w);
}

/* away[i] = Σ dy y − dlse of one matrix. */
static void attention_away(const float *y, const float *dy, const float *dlse, int64_t rows, int64_t depth,
                           float *away) {
    for (int64_t i = 0; i < rows; i++, y += depth, dy += depth) {
        vf sum = {0};
        for (int64_t j = 0; j < depth; j += HD_VL) {
            const bool whole = j + HD_VL <= depth;
            const vm m = vm_first(depth - j);
            sum += vf_load_if(y + j, whole, m) * vf_load_if(dy + j, whole, m);
        }
        away[i] = vf_sum(sum) - (dlse ? dlse[i] : 0);
    }
}

/* One matrix of q against a block of columns. */
static void attention_back_rows(attention_back *a) {
    const hd_attention *z = &a->t.state->z;
    const int64_t from = z->causal ? a->t.column / HD_ATTENTION_ROWS * HD_ATTENTION_ROWS : 0;
    for (a->t.row = from; a->t.row < z->rows; a->t.row += HD_ATTENTION_ROWS) {
        a->t.rows = hd_vec_min(HD_ATTENTION_ROWS, z->rows - a->t.row);
        attention_back_tile(a);
    }
}

/* One matrix of k and v, with the matrices of q that it serves. */
static void attention_grad_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_attention *s = e->state;
    const hd_attention *z = &s->z;
    float *pack_k = hd_thread_scratch(e), *pack_v = pack_k + s->packed, *tile = pack_v + s->packed;
    float *slope = tile + HD_ATTENTION_ROWS * HD_ATTENTION_COLUMNS,
          *away = slope + HD_ATTENTION_ROWS * HD_ATTENTION_COLUMNS;
    const int64_t w = z->width, d = z->depth, b0 = task * z->group;
    const float *const *in = (const float *const *)(const void *)e->in;
    float *const *out = (float *const *)(void *)e->out;
    attention_back a = {.t = {.state = s, .s = tile, .ld = HD_ATTENTION_COLUMNS},
                        .slope = slope,
                        .pack_k = pack_k,
                        .pack_v = pack_v,
                        .k = in[1] + task * z->columns * w,
                        .v = in[2] + task * z->columns * d,
                        .dk = out[1] + task * z->columns * w,
                        .dv = out[2] + task * z->columns * d};
    attention_zero(out[0] + b0 * z->rows * w, z->group * z->rows * w);
    attention_zero(a.dk, z->columns * w);
    attention_zero(a.dv, z->columns * d);
    attention_away(in[3] + b0 * z->rows * d, in[5] + b0 * z->rows * d, in[7] ? in[7] + b0 * z->rows : NULL,
                   z->group * z->rows, d, away);
    for (a.t.column = 0; a.t.column < z->columns; a.t.column += HD_ATTENTION_COLUMNS) {
        a.t.columns = hd_vec_min(HD_ATTENTION_COLUMNS, z->columns - a.t.column);
        pack_b(pack_k, a.k + a.t.column * w, w, true, w, a.t.columns);
        pack_b(pack_v, a.v + a.t.column * d, d, true, d, a.t.columns);
        for (int64_t g = 0; g < z->group; g++) {
            const int64_t row = (b0 + g) * z->rows;
            a.t.mask = attention_mask_of(e, s, b0 + g);
            a.q = in[0] + row * w;
            a.dy = in[5] + row * d;
            a.lse = in[4] + row;
            a.away = away + g * z->rows;
            a.dq = out[0] + row * w;
            attention_back_rows(&a);
        }
    }
}
