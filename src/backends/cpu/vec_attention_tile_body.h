/* vec_attention_tile_body.h: a tile of scores, what may not be seen hidden, whatever made it and reads it. Compiled
 * once per instruction set. */
#ifndef HD_CPU_VEC_ATTENTION_TILE_BODY_H
#define HD_CPU_VEC_ATTENTION_TILE_BODY_H
#include "backends/cpu/lanes.h"
#include "backends/cpu/vec_attention.h"
#include "backends/cpu/vmath_body.h"

/* A tile of scores: rows row … row + rows of the matrix b, columns column … column + columns, at s, rows ld apart. */
typedef struct attention_tile {
    const hd_vec_attention *state;
    const void *mask; /* of the matrix, or NULL */
    float *s;
    int64_t ld, row, rows, column, columns;
} attention_tile;

/* Rows first … last of the matrix b: what a task of the forward pass makes. */
typedef struct attention_span {
    int64_t b, first, last;
} attention_span;
HD_INLINE attention_span attention_span_of(const hd_vec_attention *s, int64_t task) {
    const int64_t part = task % s->parts, blocks = (s->z.rows + HD_ATTENTION_ROWS - 1) / HD_ATTENTION_ROWS;
    return (attention_span){.b = task / s->parts,
                            .first = part * blocks / s->parts * HD_ATTENTION_ROWS,
                            .last = hd_vec_min((part + 1) * blocks / s->parts * HD_ATTENTION_ROWS, s->z.rows)};
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

/* For the gradient: the first block of rows that sees a block of columns, … */
HD_INLINE int64_t attention_first_row(const attention_tile *t) {
    return t->state->z.causal ? t->column / HD_ATTENTION_ROWS * HD_ATTENTION_ROWS : 0;
}
/* … and the tile of the rows from `row` on with those of the block's columns that any of them sees. */
HD_INLINE void attention_place(attention_tile *t, int64_t row, int64_t columns) {
    t->row = row;
    t->rows = hd_vec_min(HD_ATTENTION_ROWS, t->state->z.rows - row);
    t->columns = hd_vec_min(columns, hd_attention_seen(&t->state->z, row + t->rows - 1) - t->column);
}

/* Columns of the tile that its rows up to `last` see. */
HD_INLINE int64_t attention_reach(const attention_tile *t, int64_t last) {
    const int64_t n = hd_vec_min(hd_attention_seen(&t->state->z, t->row + last) - t->column, t->columns);
    return n > 0 ? n : 0;
}

/* The first row of the tile that sees its column j. */
HD_INLINE int64_t attention_since(const attention_tile *t, int64_t j) {
    const int64_t i = t->state->z.causal ? t->column + j - t->row : 0;
    return i > 0 ? i : 0;
}

/* What of a product's k and columns is not hidden from all rows of a tile of registers; the rest is left out. */
typedef enum attention_cut {
    ATTENTION_COLUMNS, /* columns of C are those of scores, … */
    ATTENTION_STEPS,   /* … or k is, … */
    ATTENTION_ROWS     /* … or rows of C are, and k is the rows of the scores */
} attention_cut;

/* Readies row i of the tile: what must be hidden by the mask; the result is the columns that it may see, which are
 * still to be multiplied by *scale. */
HD_INLINE int64_t attention_row(const attention_tile *t, int64_t i, float *scale) {
    const hd_attention *z = &t->state->z;
    const int64_t n = attention_reach(t, i);
    *scale = (float)z->scale;
    if (!t->mask) return n;
    float *x = t->s + i * t->ld;
    for (int64_t j = 0; j < n; j += HD_VL) {
        const bool whole = j + HD_VL <= n;
        const vm m = vm_first(n - j);
        vf_store_if(x + j, vf_load_if(x + j, whole, m) * *scale, whole, m);
    }
    attention_mask(t, x, (t->row + i) * z->mask_row + t->column * z->mask_column, n);
    *scale = 1;
    return n;
}

/* A call of memset costs as much as all of a short row. */
HD_INLINE void attention_zero(float *x, int64_t n) {
    int64_t j = 0;
    for (; j + HD_VL <= n; j += HD_VL) vf_store(x + j, (vf){0});
    if (j < n) vf_store_m(x + j, (vf){0}, vm_first(n - j));
}

HD_UNUSED void attention_zero_rows(float *x, int64_t rows, int64_t n, int64_t apart) {
    for (int64_t i = 0; i < rows; i++) attention_zero(x + i * apart, n);
}

HD_UNUSED void attention_times(float *x, int64_t n, float factor) {
    for (int64_t j = 0; j < n; j += HD_VL) {
        const bool whole = j + HD_VL <= n;
        const vm m = vm_first(n - j);
        vf_store_if(x + j, vf_load_if(x + j, whole, m) * factor, whole, m);
    }
}

static bool attention_has_nan(const float *x, int64_t n, float scale) {
    for (int64_t j = 0; j < n; j++)
        if (x[j] * scale != x[j] * scale) return true;
    return false;
}

/* Scores become weights e^(x − max), the largest so far and the sum so far go on; y is scaled to the new largest.
 * Rows of y are ldy apart. */
HD_UNUSED void attention_softmax(const attention_tile *t, float *max, float *sum, float *y, int64_t ldy) {
    for (int64_t i = 0; i < t->rows; i++) {
        float *x = t->s + i * t->ld;
        float scale;
        const int64_t n = attention_row(t, i, &scale);
        vf most = vf_splat(-INFINITY), total = {0};
        for (int64_t j = 0; j < n; j += HD_VL) {
            const bool whole = j + HD_VL <= n;
            const vm m = vm_first(n - j);
            const vf v = vf_load_if(x + j, whole, m) * scale;
            most = vf_max(most, whole ? v : vf_select(vi_first(n - j), v, most));
        }
        const float before = max[i], now = fmaxf(before, vf_largest(most));
        attention_zero(x + n, t->columns - n);
        if (now == -INFINITY &&
            !attention_has_nan(x, n, scale)) { /* hidden; nan is lost in the largest, but must stay */
            attention_zero(x, n);
            continue;
        }
        for (int64_t j = 0; j < n; j += HD_VL) {
            const bool whole = j + HD_VL <= n;
            const vm m = vm_first(n - j);
            vf e = v_exp(vf_load_if(x + j, whole, m) * scale - now);
            vf_store_if(x + j, e, whole, m);
            total += whole ? e : vf_where(vi_first(n - j), e);
        }
        const float keep = before == -INFINITY ? 0 : expf(before - now);
        max[i] = now;
        sum[i] = sum[i] * keep + vf_sum(total);
        if (keep != 1) attention_times(y + i * ldy, t->state->z.depth, keep);
    }
}

/* lse = max + log(sum), of the tile's rows. */
HD_UNUSED void attention_logs(const attention_tile *t, const float *max, const float *sum, float *lse) {
    for (int64_t i = 0; i < t->rows; i += HD_VL) {
        const vm m = vm_first(t->rows - i);
        vf_store_m(lse + i, vf_load_m(max + i, m) + v_log(vf_load_m(sum + i, m)), m);
    }
}

static const void *attention_mask_of(const hd_exec *e, const hd_vec_attention *s, int64_t b) {
    if (!s->z.masked) return NULL;
    const int64_t at = hd_attention_mask_at(&s->z, b);
    return (const char *)e->in[s->mask] + at * (s->mask_of_bool ? 1 : (int64_t)sizeof(float));
}
#endif
