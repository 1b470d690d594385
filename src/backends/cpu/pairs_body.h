/* pairs_body.h: the routines of pairs.h. Words are packed as if they were floats. Compiled once, by isa_pairs.c. */
#include "backends/cpu/lanes.h"
#include "backends/cpu/pack_body.h"
#include "backends/cpu/pairs.h"

/* ---- packing ---- */

/* Numbers of two rows side by side; no second row: zeros. */
HD_INLINE vf pair_rows(const uint16_t *low, const uint16_t *high, vm m) {
    const __m512i a = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(m, low));
    if (!high) return (vf)a;
    return (vf)_mm512_or_si512(a, _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(m, high)), 16));
}

/* Panels of B, k × 32 words each, from `rows` ≤ 2k rows of n numbers; what a panel has beyond them is left alone. */
static void pair_panels(float *to, const uint16_t *b, int64_t ldb, int64_t rows, int64_t n, int64_t k) {
    for (int64_t p = 0; 2 * p < rows; p++, b += 2 * ldb) {
        const uint16_t *next = 2 * p + 1 < rows ? b + ldb : NULL;
        for (int64_t j = 0; j < n; j += HD_VL)
            vf_store(to + j / TILE_COLUMNS * TILE_COLUMNS * k + p * TILE_COLUMNS + j % TILE_COLUMNS,
                     pair_rows(b + j, next ? next + j : NULL, vm_first(n - j)));
    }
}

/* A number of bf16 as the word that it begins. */
HD_INLINE const float *pair_words(const uint16_t *p) {
    return (const float *)(const void *)p;
}

/* ---- tiles ---- */

typedef struct pair_args {
    int64_t k;
    const float *a; /* words: A(i, p) = a[i·ra + p·ca] */
    int64_t ra, ca;
    const float *b; /* of a panel */
    void *c;
    int64_t ldc, columns;
    bool half;
    const float *add; /* rows ld_add apart, added at the end; NULL: nothing */
    int64_t ld_add;
    bool relu;
} pair_args;

HD_INLINE vf pair_dot(vf sum, vf a, vf b) {
    return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
}
HD_INLINE __m256i pair_round(vf v) {
    return (__m256i)_mm512_cvtneps_pbh((__m512)v);
}

HD_INLINE void pair_tile(const int R, const bool UNIT, const pair_args *t) {
    const int64_t ra = UNIT ? 1 : t->ra, ca = UNIT ? t->ca : 1;
    const vm m[2] = {vm_first(t->columns), vm_first(t->columns - HD_VL)};
    const float *a = t->a, *b = t->b;
    vf acc[TILE_ROWS][2];
    HD_UNROLL for (int i = 0; i < R; i++) acc[i][0] = acc[i][1] = (vf){0};
    if (t->add) HD_UNROLL for (int i = 0; i < R; i++) __builtin_prefetch(t->add + i * t->ld_add, 0, 3);
    for (int64_t k = t->k; k > 0; k--, a += ca, b += TILE_COLUMNS) {
        const vf b0 = vf_load(b), b1 = vf_load(b + HD_VL);
        HD_UNROLL for (int i = 0; i < R; i++) {
            int32_t bits; /* a move, never an operation on a float */
            memcpy(&bits, a + i * ra, sizeof bits);
            const vf word = (vf)vi_splat(bits);
            acc[i][0] = pair_dot(acc[i][0], word, b0);
            acc[i][1] = pair_dot(acc[i][1], word, b1);
        }
    }
    if (t->add)
        HD_UNROLL for (int i = 0; i < R; i++) HD_UNROLL for (int v = 0; v < 2; v++) acc[i][v] +=
            vf_load_m(t->add + i * t->ld_add + v * HD_VL, m[v]);
    if (t->relu)
        HD_UNROLL for (int i = 0; i < R; i++) HD_UNROLL for (int v = 0; v < 2; v++) acc[i][v] =
            vf_max(acc[i][v], (vf){0});
    HD_UNROLL for (int i = 0; i < R; i++) HD_UNROLL for (int v = 0; v < 2; v++) {
        const int64_t at = i * t->ldc + v * HD_VL;
        if (t->half)
            _mm256_mask_storeu_epi16((uint16_t *)t->c + at, m[v], pair_round(acc[i][v]));
        else
            vf_store_m((float *)t->c + at, acc[i][v], m[v]);
    }
}

#define PAIR_EACH(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#define PAIR_FUNCTION(R)                                                                                               \
    static void pair_unit_##R(const pair_args *t) {                                                                    \
        pair_tile(R, true, t);                                                                                         \
    }                                                                                                                  \
    static void pair_rows_##R(const pair_args *t) {                                                                    \
        pair_tile(R, false, t);                                                                                        \
    }
PAIR_EACH(PAIR_FUNCTION)
typedef void (*pair_fn)(const pair_args *t);
static const pair_fn pair_table[2][TILE_ROWS + 1] = {
#define PAIR_ENTRY(R) [R] = pair_rows_##R,
    {PAIR_EACH(PAIR_ENTRY)},
#undef PAIR_ENTRY
#define PAIR_ENTRY(R) [R] = pair_unit_##R,
    {PAIR_EACH(PAIR_ENTRY)},
#undef PAIR_ENTRY
};
