/* gemm.h: matrix products on the CPU. The routines that every instruction set fills (gemm_body.h), and the plan of a
 * product (gemm_plan.c): how it is cut into tasks and blocks, a function of its shape and the instruction set alone.
 *
 * C[m, n] = act(A[m, k] · B[k, n] + bias). A product is made of tiles: `mr` rows by two vectors of columns, held in
 * registers while k runs; A gives one number to all lanes, B a vector. */
#ifndef HD_CPU_GEMM_H
#define HD_CPU_GEMM_H
#include "base/context.h"

/* One of two: what happens to a result at the end. */
typedef enum hd_gemm_end {
    HD_END_NONE,
    HD_END_RELU,
    HD_END_SIGMOID,
    HD_END_TANH,
    HD_END_RELU_GRAD, /* times act'(y), y the output of the activation */
    HD_END_SIGMOID_GRAD,
    HD_END_TANH_GRAD
} hd_gemm_end;

/* A block of C that one thread computes. */
typedef struct hd_gemm_block {
    int64_t m, n, k;
    const float *a; /* A(i, p) = a[i·ra + p·ca], one of the two is 1 */
    int64_t ra, ca;
    const float *b; /* B(p, j) = b[p·ldb + j], or b[j·ldb + p] when bt */
    int64_t ldb;
    bool bt;
    float *c; /* C(i, j) = c[i·ldc + j] */
    int64_t ldc;
    bool add;          /* C += instead of C = */
    const float *bias; /* [n]; one number when bias_one; [m] when bias_rows (tiles only); NULL; not used when add */
    bool bias_one, bias_rows;
    hd_gemm_end end;
    const float *y; /* [m, n] for …_GRAD, rows ldy apart */
    int64_t ldy;
    int64_t mr, kc, nc; /* rows of a tile; k and n of the piece of B that is packed at a time */
    int64_t tiles;      /* first tile … of A packed by pack_a, all of A's tiles: a_packed is set */
    const float *a_packed;
    int64_t tile0;
    /* kc × nc (whole panels) floats when B is packed. For A in `blocks` mc × kc and a vector more, NULL: in place. */
    float *pack;
    /* `blocks` alone: all of B, packed by pack_b, and the first of its columns that are computed; rows of A packed at a
     * time; if there, Σ over k of each row of A. */
    float *b_packed;
    int64_t width, column, mc; /* width: columns of all panels */
    float *a_sums;
    bool ask; /* A is read in place, and is large: ask for the next of its tiles */
    bool odd; /* of pairs alone: the last one is half there; only where sides lie in rows along the other side */
} hd_gemm_block;

/* The windows of a convolution over pictures x [c, h, w]: output pixel j = oh · ow' + ow, point = (c · r + i) · s + l
 * of the window lies at x(c, oh·stride − padding + i·dilation, ow·… + l·…), zero outside. */
typedef struct hd_windows {
    int64_t h, w, r, s, oh, ow;
    int64_t stride[2], padding[2], dilation[2];
} hd_windows;

typedef struct hd_gemm_isa {
    int lanes;  /* floats in a vector; a panel of B is 2 vectors wide */
    int rows;   /* most rows of a tile */
    int64_t kc; /* k that fits the first cache */
    /* Computes a block; B is read in place when pack is NULL. */
    void (*tiles)(const hd_gemm_block *g);
    /* C(i, j) as dot products along k: rows of A and columns of B are contiguous (ca 1, bt). No packing, no bias_rows.
     */
    void (*dots)(const hd_gemm_block *g);
    /* Tiles t0 … t1 of A as the tiles read it: for each kc of k, for each tile, k × mr. */
    void (*pack_a)(float *packed, const hd_gemm_block *g, int64_t t0, int64_t t1);
    /* Computes a block of a large product out of all of B, packed. */
    void (*blocks)(const hd_gemm_block *g);
    /* Panels j0 … j1 of all of B to g->b_packed: for each kc of k, for each panel, k × its columns. */
    void (*pack_b)(const hd_gemm_block *g, int64_t j0, int64_t j1);
    /* y[j] = Σ_i x[i·ld + j] */
    void (*column_sums)(float *y, const float *x, int64_t rows, int64_t columns, int64_t ld);
    /* y[i] (+)= Σ_j x[i·ld + j] */
    void (*row_sums)(float *y, const float *x, int64_t rows, int64_t columns, int64_t ld, bool add);
    /* to[q·ld + j - j0] = what x holds under point (row0 + q) of the window at output pixel j, j0 ≤ j < j1: see
     * hd_windows. Writes up to `lanes` floats past the end of each row. */
    void (*im2col)(float *to, int64_t ld, const hd_windows *g, const float *x, int64_t row0, int64_t rows, int64_t j0,
                   int64_t j1);
    /* The reverse: adds from[q·ld + j - j0] to x there. */
    void (*col2im)(float *x, const hd_windows *g, const float *from, int64_t ld, int64_t row0, int64_t rows, int64_t j0,
                   int64_t j1);
    /* y = f(x) for n floats */
    void (*exp)(float *y, const float *x, int64_t n);
    void (*log)(float *y, const float *x, int64_t n);
    void (*tanh)(float *y, const float *x, int64_t n);
    void (*sigmoid)(float *y, const float *x, int64_t n);
    const struct hd_few_isa *few; /* of convolutions with few channels: conv_few.h */
    /* Of pairs alone: to[j] = the pair row[j], next[j], j < n; zeros beside them where next is NULL. */
    void (*pair_rows)(float *to, const uint16_t *row, const uint16_t *next, int64_t n);
} hd_gemm_isa;

extern const hd_gemm_isa hd_gemm_bf16, hd_gemm_avx512, hd_gemm_avx2, hd_gemm_generic;
/* The table of an instruction set. */
const hd_gemm_isa *hd_gemm_of(hd_isa isa);
/* Products of bf16 with sums in f32: where a float of A and B stands in a block there is a pair of neighbours along k,
 * and k counts pairs; ra and ldb too where these lie side by side (ca 1, bt). Else the side lies in rows of bf16, ca or
 * ldb of them apart, of which `blocks` takes two at a time. Without dots. NULL where the processor or the compiler
 * lacks them. */
const hd_gemm_isa *hd_gemm_pairs_of(hd_isa isa);
#endif
