/* tile_body.h: the tile, R rows by NV vectors of C in registers while k runs, in one copy per R, NV and way to read A
 * and B. Knows nothing of blocks and packing. Compiled once per instruction set. */
#ifndef HD_CPU_TILE_BODY_H
#define HD_CPU_TILE_BODY_H
#include "backends/cpu/isa.h"
#include "backends/cpu/tile_size.h"

/* A number of A for all lanes, and its product with a vector of B added up; isa_bf16.c has pairs of bf16 for both. */
#ifndef HD_TILE_SPLAT
#define HD_TILE_SPLAT(p)      vf_splat(*(p))
#define HD_TILE_MADD(s, a, b) ((s) + (a) * (b))
#endif

typedef struct tile_args {
    int64_t k;
    const float *a;
    int64_t ra, ca;
    const float *b;
    int64_t ldb;
    float *c;
    int64_t ldc;
    const float *start; /* what C begins from, rows `ld_start` apart; NULL: zero */
    int64_t ld_start;
    bool start_rows; /* start holds one number a row */
    bool relu;       /* at the end x > 0 ? x : 0 */
    bool far;        /* C comes from far away: ask for it before k runs, and … */
    bool late;       /* … add what is there after it; start is NULL */
    int64_t last;    /* columns in the last vector, 1 … HD_VL */
} tile_args;

/* The last vector of a row may be cut; whole ones take the plain form, which later loads can be forwarded from. */
HD_INLINE vf tile_load(const float *p, bool cut, vm m) {
    return cut ? vf_load_m(p, m) : vf_load(p);
}

HD_INLINE void tile_store(const int R, const int NV, const tile_args *t, vf acc[TILE_ROWS][2]) {
    float *c = t->c + (NV - 1) * HD_VL;
    if (t->last == HD_VL) {
        HD_UNROLL for (int i = 0; i < R; i++) {
            if (NV == 2) vf_store(t->c + i * t->ldc, acc[i][0]);
            vf_store(c + i * t->ldc, acc[i][NV - 1]);
        }
    } else {
        const vm m = vm_first(t->last);
        HD_UNROLL for (int i = 0; i < R; i++) {
            if (NV == 2) vf_store(t->c + i * t->ldc, acc[i][0]);
            vf_store_m(c + i * t->ldc, acc[i][NV - 1], m);
        }
    }
}

HD_INLINE void tile_ask(const int R, const int NV, const tile_args *t) {
    HD_UNROLL for (int i = 0; i < R; i++) HD_UNROLL for (int v = 0; v < NV; v++)
        __builtin_prefetch(t->c + i * t->ldc + v * HD_VL, 1, 3);
}

/* UNIT: rows of A are neighbours (ra 1). Few rows: two sums each, over even and odd p, to hide the latency of adding.
 */
HD_INLINE void tile(const int R, const int NV, const bool UNIT, const bool CUT, const tile_args *t) {
    const int64_t ra = UNIT ? 1 : t->ra, ca = t->ca, ldb = t->ldb;
    const vm m = vm_first(CUT ? t->last : HD_VL);
    const float *a = t->a, *b = t->b;
    const bool SPLIT = R * NV < 8;
    if (t->far) tile_ask(R, NV, t);
    vf acc[TILE_ROWS][2], odd[TILE_ROWS][2];
    HD_UNROLL for (int i = 0; i < R; i++) HD_UNROLL for (int v = 0; v < NV; v++) {
        acc[i][v] = odd[i][v] = (vf){0};
        if (t->start && t->start_rows)
            acc[i][v] = vf_splat(t->start[i]);
        else if (t->start)
            acc[i][v] = tile_load(t->start + i * t->ld_start + v * HD_VL, CUT && v == NV - 1, m);
    }
    int64_t k = t->k;
    if (SPLIT)
        for (; k > 1; k -= 2) {
            vf b0[2], b1[2];
            HD_UNROLL for (int v = 0; v < NV; v++) {
                b0[v] = tile_load(b + v * HD_VL, CUT && v == NV - 1, m);
                b1[v] = tile_load(b + ldb + v * HD_VL, CUT && v == NV - 1, m);
            }
            HD_UNROLL for (int i = 0; i < R; i++) {
                const vf a0 = HD_TILE_SPLAT(a + i * ra), a1 = HD_TILE_SPLAT(a + i * ra + ca);
                HD_UNROLL for (int v = 0; v < NV; v++) {
                    acc[i][v] = HD_TILE_MADD(acc[i][v], a0, b0[v]);
                    odd[i][v] = HD_TILE_MADD(odd[i][v], a1, b1[v]);
                }
            }
            a += 2 * ca;
            b += 2 * ldb;
        }
    /* More rows of A than there are registers for: five from each of a few pointers, which two can tell apart. */
    const bool MANY = !UNIT && R > 6;
    const float *group[(TILE_ROWS + 4) / 5];
    HD_UNROLL for (int i = 0; i < (R + 4) / 5; i++) group[i] = a + 5 * i * ra;
    int64_t once = ra, thrice = 3 * ra;
    for (; k > 0; k--) {
        vf b0[2];
        HD_UNROLL for (int v = 0; v < NV; v++) b0[v] = tile_load(b + v * HD_VL, CUT && v == NV - 1, m);
        if (MANY) __asm__("" : "+r"(once), "+r"(thrice)); /* else each row gets one all the same, on the stack */
        HD_UNROLL for (int i = 0; i < R; i++) {
            const vf a0 = HD_TILE_SPLAT(MANY ? group[i / 5] + (i % 5 == 3 ? thrice : i % 5 * once) : a + i * ra);
            HD_UNROLL for (int v = 0; v < NV; v++) acc[i][v] = HD_TILE_MADD(acc[i][v], a0, b0[v]);
        }
        a += ca;
        HD_UNROLL for (int i = 0; i < (R + 4) / 5; i++) group[i] += ca;
        b += ldb;
    }
    if (SPLIT) HD_UNROLL for (int i = 0; i < R; i++) HD_UNROLL for (int v = 0; v < NV; v++) acc[i][v] += odd[i][v];
    if (t->late)
        HD_UNROLL for (int i = 0; i < R; i++) HD_UNROLL for (int v = 0; v < NV; v++) acc[i][v] +=
            tile_load(t->c + i * t->ldc + v * HD_VL, CUT && v == NV - 1, m);
    if (t->relu) /* the second operand is what nan gives */
        HD_UNROLL for (int i = 0; i < R; i++) HD_UNROLL for (int v = 0; v < NV; v++) acc[i][v] =
            vf_max(acc[i][v], (vf){0});
    tile_store(R, NV, t, acc);
}

/* A masked load costs nothing with AVX-512: there is no other copy. */
#define TILE_EACH_CUT(X, R) X(R, 1, true) X(R, 2, true)
#if HD_VL != 16
#undef TILE_EACH_CUT
#define TILE_EACH_CUT(X, R) X(R, 1, true) X(R, 2, true) X(R, 1, false) X(R, 2, false)
#endif
#if HD_VL == 16
#define TILE_EACH(X)                                                                                                   \
    TILE_EACH_CUT(X, 1)                                                                                                \
    TILE_EACH_CUT(X, 2)                                                                                                \
    TILE_EACH_CUT(X, 3)                                                                                                \
    TILE_EACH_CUT(X, 4)                                                                                                \
    TILE_EACH_CUT(X, 5)                                                                                                \
    TILE_EACH_CUT(X, 6)                                                                                                \
    TILE_EACH_CUT(X, 7)                                                                                                \
    TILE_EACH_CUT(X, 8)                                                                                                \
    TILE_EACH_CUT(X, 9)                                                                                                \
    TILE_EACH_CUT(X, 10)                                                                                               \
    TILE_EACH_CUT(X, 11) TILE_EACH_CUT(X, 12) TILE_EACH_CUT(X, 13) TILE_EACH_CUT(X, 14)
#else
#define TILE_EACH(X)                                                                                                   \
    TILE_EACH_CUT(X, 1)                                                                                                \
    TILE_EACH_CUT(X, 2) TILE_EACH_CUT(X, 3) TILE_EACH_CUT(X, 4) TILE_EACH_CUT(X, 5) TILE_EACH_CUT(X, 6)
#endif

#define TILE_FUNCTION(R, NV, CUT)                                                                                      \
    static void tile_unit_##R##_##NV##_##CUT(const tile_args *t) {                                                     \
        tile(R, NV, true, CUT, t);                                                                                     \
    }                                                                                                                  \
    static void tile_rows_##R##_##NV##_##CUT(const tile_args *t) {                                                     \
        tile(R, NV, false, CUT, t);                                                                                    \
    }
TILE_EACH(TILE_FUNCTION)

/* [unit][cut][vectors - 1][rows] */
typedef void (*tile_fn)(const tile_args *t);
static const tile_fn tile_table[2][2][2][TILE_ROWS + 1] = {
#define TILE_ENTRY(R, NV, CUT) [0][CUT][NV - 1][R] = tile_rows_##R##_##NV##_##CUT,
    TILE_EACH(TILE_ENTRY)
#undef TILE_ENTRY
#define TILE_ENTRY(R, NV, CUT) [1][CUT][NV - 1][R] = tile_unit_##R##_##NV##_##CUT,
        TILE_EACH(TILE_ENTRY)
#undef TILE_ENTRY
};

/* The copy for so many rows and columns of a panel, ra and ca. */
HD_INLINE tile_fn tile_for(int64_t rows, int64_t columns, bool unit) {
    const bool cut = HD_VL == 16 || columns % HD_VL != 0;
    return tile_table[unit][cut][columns > HD_VL][rows];
}
#endif
