/* vec_attention_half_body.h: attention and its gradient with operands of bf16: products of pairs, everything between
 * them in f32, weights rounded to bf16 before they multiply v and dy. Compiled by isa_bf16.c, with its tiles. */
#include "backends/cpu/tile_body.h"
#include "backends/cpu/vec_attention_tile_body.h"

/* A number of bf16 as the word that it begins. */
HD_INLINE const float *half_words(const uint16_t *p) {
    return (const float *)(const void *)p;
}

/* C [m, n] (+)= A B. A in words, A(i, p) = a[i·ra + p·ca], ra or ca 1; B's panels `panel` words apart. */
typedef struct half_matrix {
    int64_t m, n, k, ra, ca;
    const float *a, *b;
    int64_t panel;
    float *c;
    int64_t ldc;
    bool add;
} half_matrix;

/* As far as the tile's rows see; k counts pairs, which begin at even rows and columns of the tile. */
static void half_product(const attention_tile *of, attention_cut cut, const half_matrix *g) {
    const int64_t count = (g->m + TILE_ROWS - 1) / TILE_ROWS, mr = (g->m + count - 1) / count;
    tile_args t = {.ra = g->ra, .ca = g->ca, .ldb = TILE_COLUMNS, .ldc = g->ldc, .far = g->add, .late = g->add};
    for (int64_t i = 0; i < g->m; i += mr) {
        const int64_t rows = hd_vec_min(mr, g->m - i);
        const int64_t since = cut == ATTENTION_ROWS ? attention_since(of, i) / 2 : 0;
        const int64_t reach = cut == ATTENTION_ROWS ? 0 : attention_reach(of, i + rows - 1);
        const int64_t n = cut == ATTENTION_COLUMNS ? hd_vec_min((reach + HD_VL - 1) / HD_VL * HD_VL, g->n) : g->n;
        t.k = cut == ATTENTION_STEPS ? (reach + 1) / 2 : g->k - since;
        if (t.k <= 0) continue;
        for (int64_t j = 0; j < n; j += TILE_COLUMNS) {
            const int64_t columns = hd_vec_min(n - j, TILE_COLUMNS);
            t.a = g->a + i * g->ra + since * g->ca;
            t.b = g->b + j / TILE_COLUMNS * g->panel + since * TILE_COLUMNS;
            t.c = g->c + i * g->ldc + j;
            t.last = columns > HD_VL ? columns - HD_VL : columns;
            tile_for(rows, columns, g->ra == 1)(&t);
        }
    }
}

/* Panels of B, `pairs` words of 32 columns each, from `rows` ≤ 2 · pairs rows of n numbers; what a panel has beyond
 * them is left alone. */
static void half_panels(float *to, const uint16_t *b, int64_t ldb, int64_t rows, int64_t n, int64_t pairs) {
    for (int64_t i = 0; i < rows; i += 2, b += 2 * ldb, to += TILE_COLUMNS)
        pair_panel_rows(to, b, i + 1 < rows ? b + ldb : NULL, n, pairs);
}

HD_INLINE const uint16_t *half_input(const hd_exec *e, int input, int64_t at) {
    return (const uint16_t *)e->in[input] + at;
}

/* c [rows of the tile, columns] = a bᵀ, a [rows, n] in memory, b in panels. */
static void half_scores(const attention_tile *t, const uint16_t *a, int64_t lda, int64_t n, const float *b, float *c) {
    half_product(t, ATTENTION_COLUMNS,
                 &(half_matrix){.m = t->rows,
                                .n = t->columns,
                                .k = n / 2,
                                .ra = lda / 2,
                                .ca = 1,
                                .a = half_words(a),
                                .b = b,
                                .panel = n / 2 * TILE_COLUMNS,
                                .c = c,
                                .ldc = t->ld});
}

/* A row of f32, times a factor, rounded into memory. */
static void half_store(uint16_t *y, const float *x, int64_t n, float factor) {
    for (int64_t j = 0; j < n; j += HD_VL) {
        const vm m = vm_first(n - j);
        _mm256_mask_storeu_epi16(y + j, m, HD_TO_HALF(vf_load_m(x + j, m) * factor));
    }
}

/* ---- forward ---- */

/* The tile's weights rounded where they are: row i begins at s + i · ld, an odd last one has a zero beside it. */
static void half_weights(const attention_tile *t) {
    for (int64_t i = 0; i < t->rows; i++) {
        float *x = t->s + i * t->ld;
        uint16_t *y = (uint16_t *)(void *)x;
        for (int64_t j = 0; j < t->columns; j += HD_VL)
            _mm256_storeu_si256((void *)(y + j), HD_TO_HALF(vf_load_m(x + j, vm_first(t->columns - j))));
    }
}

typedef struct half_forward {
    attention_tile t;
    const float *pack_k, *pack_v;
    float *y, *max, *sum; /* of the tile's rows */
} half_forward;

static void half_rows(const hd_exec *e, half_forward *f, int64_t b) {
    attention_tile *t = &f->t;
    const hd_attention *z = &t->state->z;
    const int64_t seen = hd_attention_seen(z, t->row + t->rows - 1), pairs = (z->columns + 1) / 2;
    const uint16_t *q = half_input(e, 0, hd_attention_at(z, &z->q, b) + t->row * z->q.row);
    attention_zero(f->y, t->rows * z->depth);
    attention_zero(f->sum, t->rows);
    for (int64_t i = 0; i < t->rows; i++) f->max[i] = -INFINITY;
    for (t->column = 0; t->column < seen; t->column += HD_ATTENTION_COLUMNS) {
        t->columns = hd_vec_min(HD_ATTENTION_COLUMNS, seen - t->column);
        half_scores(t, q, z->q.row, z->width, f->pack_k + t->column * (z->width / 2), t->s);
        attention_softmax(t, f->max, f->sum, f->y, z->depth);
        half_weights(t);
        half_product(t, ATTENTION_STEPS,
                     &(half_matrix){.m = t->rows,
                                    .n = z->depth,
                                    .k = (t->columns + 1) / 2,
                                    .ra = t->ld,
                                    .ca = 1,
                                    .a = t->s,
                                    .b = f->pack_v + t->column / 2 * TILE_COLUMNS,
                                    .panel = pairs * TILE_COLUMNS,
                                    .c = f->y,
                                    .ldc = z->depth,
                                    .add = true});
    }
    uint16_t *y = (uint16_t *)e->out[0] + hd_attention_at(z, &z->y, b) + t->row * z->y.row;
    float *lse = (float *)e->out[1] + b * z->rows + t->row;
    for (int64_t i = 0; i < t->rows; i++)
        half_store(y + i * z->y.row, f->y + i * z->depth, z->depth, f->sum[i] != 0 ? 1 / f->sum[i] : 1);
    attention_logs(t, f->max, f->sum, lse);
}

static void half_attention(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_attention *s = e->state;
    const hd_attention *z = &s->z;
    const attention_span p = attention_span_of(s, task);
    float *tile = hd_thread_scratch(e), *max = tile + HD_ATTENTION_ROWS * HD_ATTENTION_COLUMNS,
          *y = max + 2 * HD_ATTENTION_ROWS, *pack_k = y + HD_ATTENTION_ROWS * z->depth, *pack_v = pack_k + s->packed;
    const int64_t seen = hd_attention_seen(z, p.last - 1), pairs = (z->columns + 1) / 2;
    half_forward f = {.t = {.state = s, .mask = attention_mask_of(e, s, p.b), .s = tile, .ld = HD_ATTENTION_COLUMNS},
                      .pack_k = pack_k,
                      .pack_v = pack_v,
                      .y = y,
                      .max = max,
                      .sum = max + HD_ATTENTION_ROWS};
    pack_b(pack_k, half_words(half_input(e, s->k, hd_attention_at(z, &z->k, p.b / z->group))), z->k.row / 2, true,
           z->width / 2, seen);
    half_panels(pack_v, half_input(e, s->v, hd_attention_at(z, &z->v, p.b / z->group)), z->v.row, seen, z->depth,
                pairs);
    for (f.t.row = p.first; f.t.row < p.last; f.t.row += HD_ATTENTION_ROWS) {
        f.t.rows = hd_vec_min(HD_ATTENTION_ROWS, p.last - f.t.row);
        half_rows(e, &f, p.b);
    }
}

/* ---- the gradient ---- */

typedef struct half_back {
    attention_tile t;
    float *slope;                     /* the second tile */
    float *flat;                      /* the slopes rounded, row by row: words [rows, HD_ATTENTION_COLUMNS / 2] */
    float *pack_k, *pack_v;           /* kᵀ, vᵀ of the columns */
    float *rows_k, *rows_q, *rows_dy; /* k of the columns, q and dy of all rows, as right sides */
    float *dk, *dv, *dq;              /* of the columns, and of all rows */
    const uint16_t *q, *k, *v, *dy;
    const float *lse;
    float *away;
} half_back;

/* One row: weights to x, slopes to d; n: columns that it sees. */
HD_INLINE void half_slope(const half_back *a, int64_t i, float *x, float *d) {
    const attention_tile *t = &a->t;
    const float lse = a->lse[t->row + i], away = a->away[t->row + i], scale = (float)t->state->z.scale;
    float factor;
    int64_t n = attention_row(t, i, &factor);
    if (lse == -INFINITY) n = 0;
    for (int64_t j = 0; j < n; j += HD_VL) {
        const vm m = vm_first(n - j);
        const vf p = v_exp(vf_load_m(x + j, m) * factor - lse);
        vf_store_m(x + j, p, m);
        vf_store_m(d + j, p * (vf_load_m(d + j, m) - away) * scale, m);
    }
    attention_zero(x + n, t->columns - n);
    attention_zero(d + n, t->columns - n);
}

/* Two rows of f32 as pairs of rows where the first was. */
HD_INLINE void half_turn(float *x, const float *next, int64_t n) {
    for (int64_t j = 0; j < n; j += HD_VL) {
        const vm m = vm_first(n - j);
        const __m512i low = _mm512_cvtepu16_epi32(HD_TO_HALF(vf_load_m(x + j, m)));
        const __m512i high = _mm512_cvtepu16_epi32(HD_TO_HALF(vf_load_m(next + j, m)));
        vf_store_m(x + j, (vf)_mm512_or_si512(low, _mm512_slli_epi32(high, 16)), m);
    }
}

/* Both tiles as words that multiply from the left: turned (pairs of rows, 2 ld apart), the slopes row by row too. */
static void half_slopes(const half_back *a) {
    const attention_tile *t = &a->t;
    uint16_t *flat = (uint16_t *)(void *)a->flat;
    const int64_t even = t->columns + (t->columns & 1);
    for (int64_t i = 0; i < t->rows; i += 2) {
        float *x = t->s + i * t->ld, *d = a->slope + i * t->ld;
        for (int64_t r = 0; r < 2; r++) {
            float *xr = x + r * t->ld, *dr = d + r * t->ld;
            if (i + r < t->rows) {
                half_slope(a, i + r, xr, dr);
                if (even > t->columns) dr[t->columns] = 0;
                half_store(flat + (i + r) * HD_ATTENTION_COLUMNS, dr, even, 1);
            } else {
                attention_zero(xr, t->columns);
                attention_zero(dr, t->columns);
            }
        }
        half_turn(x, x + t->ld, t->columns);
        half_turn(d, d + t->ld, t->columns);
    }
}

/* c [columns of the tile, n] += aᵀ b, a one of the tiles, b in panels of all rows. */
static void half_add_turned(const attention_tile *t, const float *a, const float *b, float *c, int64_t n) {
    half_product(t, ATTENTION_ROWS,
                 &(half_matrix){.m = t->columns,
                                .n = n,
                                .k = (t->rows + 1) / 2,
                                .ra = 1,
                                .ca = 2 * t->ld,
                                .a = a,
                                .b = b + t->row / 2 * TILE_COLUMNS,
                                .panel = (t->state->z.rows + 1) / 2 * TILE_COLUMNS,
                                .c = c,
                                .ldc = n,
                                .add = true});
}

static void half_back_tile(const half_back *a) {
    const attention_tile *t = &a->t;
    const hd_attention *z = &t->state->z;
    half_scores(t, a->q + t->row * z->q.row, z->q.row, z->width, a->pack_k, t->s);
    half_scores(t, a->dy + t->row * z->y.row, z->y.row, z->depth, a->pack_v, a->slope);
    half_slopes(a);
    half_add_turned(t, t->s, a->rows_dy, a->dv, z->depth);
    half_add_turned(t, a->slope, a->rows_q, a->dk, z->width);
    half_product(t, ATTENTION_STEPS,
                 &(half_matrix){.m = t->rows,
                                .n = z->width,
                                .k = (t->columns + 1) / 2,
                                .ra = HD_ATTENTION_COLUMNS / 2,
                                .ca = 1,
                                .a = a->flat,
                                .b = a->rows_k,
                                .panel = HD_ATTENTION_COLUMNS / 2 * TILE_COLUMNS,
                                .c = a->dq + t->row * z->width,
                                .ldc = z->width,
                                .add = true});
}

static void half_away(const half_back *a, const uint16_t *y, const float *dlse) {
    const hd_attention *z = &a->t.state->z;
    for (int64_t i = 0; i < z->rows; i++) {
        vf sum = {0};
        for (int64_t j = 0; j < z->depth; j += HD_VL) {
            const vm m = vm_first(z->depth - j);
            sum += vf_load_half_m(y + i * z->y.row + j, m) * vf_load_half_m(a->dy + i * z->y.row + j, m);
        }
        a->away[i] = vf_sum(sum) - (dlse ? dlse[i] : 0);
    }
}

/* One matrix of q against a block of columns. */
static void half_back_rows(half_back *a) {
    const int64_t rows = a->t.state->z.rows, columns = a->t.columns;
    for (int64_t row = attention_first_row(&a->t); row < rows; row += HD_ATTENTION_ROWS) {
        attention_place(&a->t, row, columns);
        half_back_tile(a);
    }
    a->t.columns = columns;
}

static void half_store_rows(uint16_t *y, int64_t ldy, const float *x, int64_t rows, int64_t n) {
    for (int64_t i = 0; i < rows; i++) half_store(y + i * ldy, x + i * n, n, 1);
}

/* Matrix b against the block of columns; dq and what belongs to b alone are made at the first, stored at the last. */
static void half_back_matrix(const hd_exec *e, half_back *a, int64_t b) {
    const hd_vec_attention *s = a->t.state;
    const hd_attention *z = &s->z;
    const int64_t q = hd_attention_at(z, &z->q, b), y = hd_attention_at(z, &z->y, b);
    a->t.mask = attention_mask_of(e, s, b);
    a->q = half_input(e, 0, q);
    a->dy = half_input(e, s->dy, y);
    a->lse = (const float *)e->in[s->lse] + b * z->rows;
    if (a->t.column == 0 || z->group > 1) {
        half_panels(a->rows_q, a->q, z->q.row, z->rows, z->width, (z->rows + 1) / 2);
        half_panels(a->rows_dy, a->dy, z->y.row, z->rows, z->depth, (z->rows + 1) / 2);
    }
    if (a->t.column == 0) {
        const float *dlse = s->dlse < 0 ? NULL : e->in[s->dlse];
        half_away(a, half_input(e, s->y, y), dlse ? dlse + b * z->rows : NULL);
        attention_zero(a->dq, z->rows * z->width);
    }
    half_back_rows(a);
    if (a->t.column + a->t.columns == z->columns)
        half_store_rows((uint16_t *)e->out[0] + q, z->q.row, a->dq, z->rows, z->width);
}

static int64_t half_columns(int64_t n) {
    return (n + TILE_COLUMNS - 1) / TILE_COLUMNS * TILE_COLUMNS;
}

static void half_attention_grad(void *exec, int64_t task) {
    enum { COLUMNS = HD_ATTENTION_COLUMNS, TILE = HD_ATTENTION_ROWS * HD_ATTENTION_COLUMNS };
    const hd_exec *e = exec;
    const hd_vec_attention *s = e->state;
    const hd_attention *z = &s->z;
    const int64_t w = half_columns(z->width), d = half_columns(z->depth), pairs = (z->rows + 1) / 2;
    float *at = hd_thread_scratch(e);
    half_back a = {.t = {.state = s, .s = at, .ld = COLUMNS}};
    a.slope = at += TILE;
    a.flat = at += TILE;
    a.pack_k = at += TILE / 2;
    a.pack_v = at += COLUMNS / 2 * z->width;
    a.rows_k = at += COLUMNS / 2 * z->depth;
    a.rows_q = at += COLUMNS / 2 * w;
    a.rows_dy = at += pairs * w;
    a.dk = at += pairs * d;
    a.dv = at += COLUMNS * z->width;
    float *const away = at + COLUMNS * z->depth, *const dq = away + z->group * z->rows;
    const int64_t kat = hd_attention_at(z, &z->k, task), vat = hd_attention_at(z, &z->v, task);
    a.k = half_input(e, s->k, kat);
    a.v = half_input(e, s->v, vat);
    for (a.t.column = 0; a.t.column < z->columns; a.t.column += COLUMNS) {
        const uint16_t *k = a.k + a.t.column * z->k.row;
        a.t.columns = hd_vec_min(COLUMNS, z->columns - a.t.column);
        pack_b(a.pack_k, half_words(k), z->k.row / 2, true, z->width / 2, a.t.columns);
        pack_b(a.pack_v, half_words(a.v + a.t.column * z->v.row), z->v.row / 2, true, z->depth / 2, a.t.columns);
        half_panels(a.rows_k, k, z->k.row, a.t.columns, z->width, COLUMNS / 2);
        attention_zero(a.dk, a.t.columns * z->width);
        attention_zero(a.dv, a.t.columns * z->depth);
        for (int64_t g = 0; g < z->group; g++) {
            a.away = away + g * z->rows;
            a.dq = dq + g * z->rows * z->width;
            half_back_matrix(e, &a, task * z->group + g);
        }
        half_store_rows((uint16_t *)e->out[s->dk] + kat + a.t.column * z->k.row, z->k.row, a.dk, a.t.columns, z->width);
        half_store_rows((uint16_t *)e->out[s->dv] + vat + a.t.column * z->v.row, z->v.row, a.dv, a.t.columns, z->depth);
    }
}
