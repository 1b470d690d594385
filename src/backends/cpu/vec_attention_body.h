/* vec_attention_body.h: attention and its gradient, tile by tile: scores by the products of gemm_body.h, softmax along
 * the rows that goes on from tile to tile (Milakov, Gimelshein 2018). Included once for each instruction set, after the
 * products. */
#include "backends/cpu/vec_attention_tile_body.h"

/* C[m, n] (+)= A B, as far as the tile's rows see. Rows of a tile of registers are shared out evenly. */
HD_INLINE void attention_product(const attention_tile *t, attention_cut cut, const hd_gemm_block *whole) {
    const int64_t count = (whole->m + TILE_ROWS - 1) / TILE_ROWS;
    hd_gemm_block g = *whole;
    g.mr = (whole->m + count - 1) / count;
    for (int64_t i = 0; i < whole->m; i += g.mr) {
        g.m = hd_vec_min(g.mr, whole->m - i);
        g.a = whole->a + i * g.ra;
        g.c = whole->c + i * g.ldc;
        if (cut == ATTENTION_ROWS) {
            const int64_t since = attention_since(t, i);
            g.a += since * g.ca;
            g.b = whole->b + since * g.ldb;
            g.k = whole->k - since;
        } else {
            const int64_t reach = attention_reach(t, i + g.m - 1);
            if (cut == ATTENTION_STEPS) g.k = reach;
            if (cut == ATTENTION_COLUMNS) g.n = hd_vec_min((reach + HD_VL - 1) / HD_VL * HD_VL, whole->n);
        }
        if (g.k > 0) panels(&g, 0, g.n, 0, g.k);
    }
}

/* Scores of a tile: q kᵀ with k packed in panels, or, for few rows, by dot products. */
static void attention_scores(const attention_tile *t, const float *q, const float *k, const float *pack) {
    const int64_t width = t->state->z.width;
    hd_gemm_block g = {.m = t->rows,
                       .n = t->columns,
                       .k = width,
                       .a = q,
                       .ra = t->state->z.q.row,
                       .ca = 1,
                       .b = k,
                       .ldb = t->state->z.k.row,
                       .bt = true,
                       .c = t->s,
                       .ldc = t->ld};
    if (!pack) {
        dots(&g);
        return;
    }
    g.pack = (float *)(uintptr_t)pack;
    attention_product(t, ATTENTION_COLUMNS, &g);
}

/* Rows row … row + rows of matrix b. pack: k in panels of all columns, or NULL. */
static void attention_rows(const hd_exec *e, attention_tile *t, int64_t b, const float *pack, float *max, float *sum) {
    const hd_attention *z = &t->state->z;
    const float *q = (const float *)e->in[0] + hd_attention_at(z, &z->q, b) + t->row * z->q.row;
    const float *k = (const float *)e->in[t->state->k] + hd_attention_at(z, &z->k, b / z->group);
    const float *v = (const float *)e->in[t->state->v] + hd_attention_at(z, &z->v, b / z->group);
    float *y = (float *)e->out[0] + hd_attention_at(z, &z->y, b) + t->row * z->y.row,
          *lse = (float *)e->out[1] + b * z->rows + t->row;
    const int64_t seen = hd_attention_seen(z, t->row + t->rows - 1);
    attention_zero_rows(y, t->rows, z->depth, z->y.row);
    attention_zero(sum, t->rows);
    for (int64_t i = 0; i < t->rows; i++) max[i] = -INFINITY;
    for (t->column = 0; t->column < seen; t->column += HD_ATTENTION_COLUMNS) {
        t->columns = hd_vec_min(HD_ATTENTION_COLUMNS, seen - t->column);
        attention_scores(t, q, k + t->column * z->k.row, pack ? pack + t->column * z->width : NULL);
        attention_softmax(t, max, sum, y, z->y.row);
        const hd_gemm_block g = {.m = t->rows,
                                 .n = z->depth,
                                 .k = t->columns,
                                 .a = t->s,
                                 .ra = t->ld,
                                 .ca = 1,
                                 .b = v + t->column * z->v.row,
                                 .ldb = z->v.row,
                                 .c = y,
                                 .ldc = z->y.row,
                                 .add = true};
        attention_product(t, ATTENTION_STEPS, &g);
    }
    for (int64_t i = 0; i < t->rows; i++)
        if (sum[i] != 0) attention_times(y + i * z->y.row, z->depth, 1 / sum[i]);
    attention_logs(t, max, sum, lse);
}

static void attention_run(void *exec, int64_t task) {
    enum { FEW = 4 };
    const hd_exec *e = exec;
    const hd_vec_attention *s = e->state;
    const hd_attention *z = &s->z;
    const attention_span p = attention_span_of(s, task);
    float *pack = hd_thread_scratch(e), *tile = pack + s->packed,
          *max = tile + HD_ATTENTION_ROWS * HD_ATTENTION_COLUMNS;
    attention_tile t = {.state = s, .mask = attention_mask_of(e, s, p.b), .s = tile, .ld = HD_ATTENTION_COLUMNS};
    const bool packs = p.last - p.first > FEW;
    const float *k = (const float *)e->in[s->k] + hd_attention_at(z, &z->k, p.b / z->group);
    if (packs) pack_b(pack, k, z->k.row, true, z->width, hd_attention_seen(z, p.last - 1));
    for (t.row = p.first; t.row < p.last; t.row += HD_ATTENTION_ROWS) {
        t.rows = hd_vec_min(HD_ATTENTION_ROWS, p.last - t.row);
        attention_rows(e, &t, p.b, packs ? pack : NULL, max, max + HD_ATTENTION_ROWS);
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
        float factor;
        int64_t n = attention_row(t, i, &factor);
        const float lse = a->lse[t->row + i], away = a->away[t->row + i];
        if (lse == -INFINITY) n = 0;
        for (int64_t j = 0; j < n; j += HD_VL) {
            const bool whole = j + HD_VL <= n;
            const vm m = vm_first(n - j);
            const vf p = v_exp(vf_load_if(x + j, whole, m) * factor - lse);
            vf_store_if(x + j, p, whole, m);
            vf_store_if(d + j, p * (vf_load_if(d + j, whole, m) - away) * scale, whole, m);
        }
        attention_zero(x + n, t->columns - n);
        attention_zero(d + n, t->columns - n);
    }
}

/* c [rows of the tile, n] += a b, or, turned, c [columns of the tile, n] += aᵀ b. */
HD_INLINE void attention_add(const attention_tile *t, const float *a, bool turned, const float *b, int64_t ldb,
                             float *c, int64_t ldc, int64_t n) {
    const hd_gemm_block g = {.m = turned ? t->columns : t->rows,
                             .n = n,
                             .k = turned ? t->rows : t->columns,
                             .a = a,
                             .ra = turned ? 1 : t->ld,
                             .ca = turned ? t->ld : 1,
                             .b = b,
                             .ldb = ldb,
                             .c = c,
                             .ldc = ldc,
                             .add = true};
    attention_product(t, turned ? ATTENTION_ROWS : ATTENTION_STEPS, &g);
}

static void attention_back_tile(attention_back *a) {
    const attention_tile *t = &a->t;
    const hd_attention *z = &t->state->z;
    const float *q = a->q + t->row * z->q.row, *k = a->k + t->column * z->k.row, *dy = a->dy + t->row * z->y.row;
    attention_scores(t, q, k, a->pack_k);
    const hd_gemm_block g = {.m = t->rows,
                             .n = t->columns,
                             .k = z->depth,
                             .a = dy,
                             .ra = z->y.row,
                             .ca = 1,
                             .b = a->v + t->column * z->v.row,
                             .ldb = z->v.row,
                             .bt = true,
                             .pack = (float *)(uintptr_t)a->pack_v,
                             .c = a->slope,
                             .ldc = t->ld};
    attention_product(t, ATTENTION_COLUMNS, &g);
    attention_slopes(a);
    attention_add(t, t->s, true, dy, z->y.row, a->dv + t->column * z->v.row, z->v.row, z->depth);
    attention_add(t, a->slope, true, q, z->q.row, a->dk + t->column * z->k.row, z->k.row, z->width);
    attention_add(t, a->slope, false, k, z->k.row, a->dq + t->row * z->q.row, z->q.row, z->width);
}

/* away[i] = Σ dy y − dlse of one matrix. */
static void attention_away(const attention_back *a, const float *y, const float *dlse, float *away) {
    const hd_attention *z = &a->t.state->z;
    for (int64_t i = 0; i < z->rows; i++) {
        const float *yi = y + i * z->y.row, *dyi = a->dy + i * z->y.row;
        vf sum = {0};
        for (int64_t j = 0; j < z->depth; j += HD_VL) {
            const bool whole = j + HD_VL <= z->depth;
            const vm m = vm_first(z->depth - j);
            sum += vf_load_if(yi + j, whole, m) * vf_load_if(dyi + j, whole, m);
        }
        away[i] = vf_sum(sum) - (dlse ? dlse[i] : 0);
    }
}

/* One matrix of q against a block of columns. */
static void attention_back_rows(attention_back *a) {
    const int64_t rows = a->t.state->z.rows, columns = a->t.columns;
    for (int64_t row = attention_first_row(&a->t); row < rows; row += HD_ATTENTION_ROWS) {
        attention_place(&a->t, row, columns);
        attention_back_tile(a);
    }
}

static const float *attention_input(const hd_exec *e, int input, int64_t at) {
    return input < 0 || !e->in[input] ? NULL : (const float *)e->in[input] + at;
}

/* One matrix of k and v, with the matrices of q that it serves. */
static void attention_grad_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_attention *s = e->state;
    const hd_attention *z = &s->z;
    float *pack_k = hd_thread_scratch(e), *pack_v = pack_k + s->packed, *tile = pack_v + s->packed;
    float *slope = tile + HD_ATTENTION_ROWS * HD_ATTENTION_COLUMNS,
          *away = slope + HD_ATTENTION_ROWS * HD_ATTENTION_COLUMNS;
    const int64_t kat = hd_attention_at(z, &z->k, task), vat = hd_attention_at(z, &z->v, task);
    attention_back a = {.t = {.state = s, .s = tile, .ld = HD_ATTENTION_COLUMNS},
                        .slope = slope,
                        .pack_k = pack_k,
                        .pack_v = pack_v,
                        .k = attention_input(e, s->k, kat),
                        .v = attention_input(e, s->v, vat),
                        .dk = (float *)e->out[s->dk] + kat,
                        .dv = (float *)e->out[s->dv] + vat};
    attention_zero_rows(a.dk, z->columns, z->width, z->k.row);
    attention_zero_rows(a.dv, z->columns, z->depth, z->v.row);
    for (a.t.column = 0; a.t.column < z->columns; a.t.column += HD_ATTENTION_COLUMNS) {
        const int64_t columns = hd_vec_min(HD_ATTENTION_COLUMNS, z->columns - a.t.column);
        pack_b(pack_k, a.k + a.t.column * z->k.row, z->k.row, true, z->width, columns);
        pack_b(pack_v, a.v + a.t.column * z->v.row, z->v.row, true, z->depth, columns);
        for (int64_t b = task * z->group; b < (task + 1) * z->group; b++) {
            const int64_t q = hd_attention_at(z, &z->q, b), y = hd_attention_at(z, &z->y, b);
            a.t.mask = attention_mask_of(e, s, b);
            a.t.columns = columns;
            a.q = attention_input(e, 0, q);
            a.dy = attention_input(e, s->dy, y);
            a.lse = attention_input(e, s->lse, b * z->rows);
            a.away = away + b % z->group * z->rows;
            a.dq = (float *)e->out[0] + q;
            if (a.t.column == 0) {
                attention_zero_rows(a.dq, z->rows, z->width, z->q.row);
                attention_away(&a, attention_input(e, s->y, y), attention_input(e, s->dlse, b * z->rows),
                               away + b % z->group * z->rows);
            }
            attention_back_rows(&a);
        }
    }
}
