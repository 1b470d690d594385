/* conv_few.h: convolutions with few channels, directly and in plain order. A picture is laid out once so that what any
 * point of the windows sees lies in one run: rows and columns are parted by their place within the stride, the rim is
 * zero, and the output is computed at all positions of that layout, also at the few between its rows that nobody wants.
 * So nothing is unrolled, and a vector may reach over several short rows.
 *
 * The routines that every instruction set fills (conv_few_body.h); shared by conv_few.c (forward, gradient of the
 * input) and conv_few_weight.c. */
#ifndef HD_CPU_CONV_FEW_H
#define HD_CPU_CONV_FEW_H
#include "backends/cpu/conv_own.h"

/* C(i, j) = bias(i) + Σ_p a[i·ra + a_at[p]] · b[b_at[p] + j] for i < rows, j < n. Whole vectors are read and written.
 */
typedef struct hd_few_tiles {
    int64_t rows, n, depth;
    const float *a;
    int64_t ra;
    const int32_t *a_at;
    const float *b;
    const int32_t *b_at;
    float *c;
    int64_t ldc;
    const float *bias; /* NULL: zero */
    bool relu;
} hd_few_tiles;

/* C(i, p) (+)= Σ over images m and t < n of a[m·a_image + i·lda + t] · b[m·b_image + b_at[p] + t]. A is zero up to the
 * end of the last vector. */
typedef struct hd_few_dots {
    int64_t rows, depth, n, images;
    const float *a;
    int64_t lda, a_image;
    const float *b;
    const int32_t *b_at;
    int64_t b_image;
    float *c;
    int64_t ldc;
    bool add;
} hd_few_dots;

typedef struct hd_few_isa {
    void (*tiles)(const hd_few_tiles *g);
    void (*dots)(const hd_few_dots *g);
    /* y[i] (+)= Σ_j x[i·ld + j] */
    void (*row_sums)(float *y, const float *x, int64_t rows, int64_t columns, int64_t ld, bool add);
    /* Lines of n floats from one distance to another. */
    void (*lines)(float *to, int64_t ld_to, const float *from, int64_t ld_from, int64_t lines, int64_t n);
    /* Every second float of a line to `even`, the others to `odd`; and back. */
    void (*part)(float *even, float *odd, int64_t ld_to, const float *from, int64_t ld_from, int64_t lines,
                 int64_t evens, int64_t odds);
    void (*merge)(float *to, int64_t ld_to, const float *even, const float *odd, int64_t ld_from, int64_t lines,
                  int64_t n);
    void (*end)(hd_gemm_end end, float *y, int64_t n);
} hd_few_isa;

enum { HD_FEW_ROOM = 64 }; /* floats behind a layout that whole vectors may touch */

/* How the pictures of a convolution are laid out: [c][row place][column place][hq][wq]. */
typedef struct hd_few_layout {
    const hd_few_isa *isa;
    hd_conv v;
    int64_t hq, wq;  /* rows and columns of a place */
    int64_t channel; /* floats of a channel; of a picture: c of them */
    int64_t n;       /* positions from the first output to the last */
    int32_t *at;     /* [depth]: where what a point of the window sees begins, within a group's channels */
} hd_few_layout;

/* HD_E_MEMORY when there is none. */
hd_status hd_few_layout_of(hd_few_layout *f, hd_kctx *k, const hd_conv *v);
/* Lays out `planes` channels; what lies around them is zero already, and stays so. */
void hd_few_lay(const hd_few_layout *f, float *to, const float *x, int64_t planes);
/* NULL: it pays; else why not. x, w, y: the operands whatever their roles. */
const char *hd_few_refuses(const hd_kctx *k, const hd_dims *x, const hd_dims *w, const hd_dims *y);
/* Tasks: groups of images. */
int64_t hd_few_tasks(const hd_conv *v);
#endif
