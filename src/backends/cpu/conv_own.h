/* conv_own.h: sizes of a convolution as the own kernels see them, and how they cut it. Shared by conv_own.c (forward,
 * gradient of the input) and conv_own_weight.c. */
#ifndef HD_CPU_CONV_OWN_H
#define HD_CPU_CONV_OWN_H
#include "backends/cpu/gemm.h"
#include "compile/kernel.h"
#include "ops/fused.h"

enum {
    HD_CONV_PIXELS = 256,    /* output pixels unrolled at a time */
    HD_CONV_FLOATS = 1 << 16 /* of an unrolled piece: a part of the second cache */
};

typedef struct hd_conv {
    const hd_gemm_isa *isa;
    hd_windows win;
    int64_t n, c, k, groups, cg, kg; /* images, channels in and out, of which in a group */
    int64_t points, depth;           /* r·s; cg·r·s */
    int64_t pixels;                  /* oh·ow */
    int64_t x_image, y_image;        /* elements */
    int64_t chunk, chunks;           /* pixels unrolled at a time */
    int64_t ld;                      /* floats from row to row of what is unrolled */
} hd_conv;

/* x, w, y: the operands whatever their roles; stride … from the attributes of conv2d or of its gradients. */
void hd_conv_of(hd_conv *v, hd_isa isa, const hd_dims *x, const hd_dims *w, const hd_dims *y, const int64_t *stride,
                const int64_t *padding, const int64_t *dilation, int64_t groups);
static inline int64_t hd_conv_least(int64_t a, int64_t b) {
    return a < b ? a : b;
}
static inline int64_t hd_conv_ceil(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}
#endif
