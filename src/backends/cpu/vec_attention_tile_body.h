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

static bool attention_has_nan(const float *x, int64_t n) {
    for (int64_t j = 0; j < n; j++)
        if (x[j] != x[j]) return true;
    return false;
}

/* Scores become weights e^(x − max), the largest so far and the sum so far go on; y is scaled to the new largest.
 * Rows of y are ldy apart. */
HD_UNUSED void attention_softmax(const attention_tile *t, float *max, float *sum, float *y, int64_t ldy) {
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
        if (keep != 1) attention_times(y + i * ldy, t->state->z.depth, keep);
    }
}

static const void *attention_mask_of(const hd_exec *e, const hd_vec_attention *s, int64_t b) {
    if (!s->z.masked) return NULL;
    const int64_t at = hd_attention_mask_at(&s->z, b);
    return (const char *)e->in[s->mask] + at * (s->mask_of_bool ? 1 : (int64_t)sizeof(float));
}
#endif
