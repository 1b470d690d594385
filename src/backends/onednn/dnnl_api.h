/* dnnl_api.h: oneDNN in Hadal's words: describe a convolution or product, ask which layouts it likes, make it, run it.
 * What differs between versions of oneDNN stays behind this header. Knows no op and no threads: whoever calls runs one
 * thread (hd_fp_enter, or a task of the pool). */
#ifndef HD_BACKENDS_DNNL_API_H
#define HD_BACKENDS_DNNL_API_H
#include "compile/kernel.h"

/* How the activations of a convolution lie: as the library likes best, channels last, plain. */
enum hd_dnnl_format { HD_DNNL_BEST, HD_DNNL_NHWC, HD_DNNL_NCHW, HD_DNNL_FORMATS };
enum hd_dnnl_direction { HD_DNNL_FORWARD, HD_DNNL_GRAD_INPUT, HD_DNNL_GRAD_WEIGHT };
/* Operands of a convolution, whatever the direction: x or dx, w or dw, b or db, y or dy. */
enum { HD_DNNL_X, HD_DNNL_W, HD_DNNL_B, HD_DNNL_Y, HD_DNNL_OPERANDS };

/* x [n, c, h, w], w [k, c/groups, r, s], b [k], y [n, k, oh, ow]. */
typedef struct hd_dnnl_conv {
    int direction;
    int64_t n, c, h, w, k, r, s, oh, ow, groups;
    int64_t stride[2], padding[2], dilation[2];
    bool uneven; /* more padding on one side than on the other */
    int64_t act; /* HD_ACT_…, forward only */
    bool bias, winograd;
    bool add;                         /* forward: to what y holds; the activation comes after */
    int format;                       /* of x and y: HD_DNNL_… */
    const hd_layout *w_layout;        /* of w or dw; NULL: as the library likes best */
    hd_isa isa;                       /* not above this */
    hd_dtype dtype[HD_DNNL_OPERANDS]; /* f32 or bf16; what is not set is f32 */
} hd_dnnl_conv;

/* y [m, n] = act(op(a) op(b) + bias [n]), `batch` of them. ld: elements from row to row as stored; step: from one
 * product of the batch to the next (0 in b: the same for all). */
typedef struct hd_dnnl_product {
    int64_t batch, m, n, k;
    bool trans_a, trans_b, bias;
    int64_t lda, ldb, ldy, step_a, step_b, step_y;
    int64_t act;
    hd_isa isa;
    hd_dtype dtype[HD_DNNL_OPERANDS]; /* of a, b, bias, y: as in hd_dnnl_conv */
} hd_dnnl_product;

/* What the library says about a description. */
typedef struct hd_dnnl_answer {
    hd_layout layout[HD_DNNL_OPERANDS];
    size_t scratch; /* bytes a run needs */
    char impl[64];  /* "jit:avx512_core" */
} hd_dnnl_answer;

/* NULL, or the reason why the library does not do it, or only slowly. The same answer for the same description. */
const char *hd_dnnl_ask_conv(const hd_dnnl_conv *conv, hd_dnnl_answer *answer);
const char *hd_dnnl_ask_product(const hd_dnnl_product *product, hd_dnnl_answer *answer);

/* A primitive with `sets` sets of arguments; different sets may run at the same time. */
typedef struct hd_dnnl_prim hd_dnnl_prim;
HD_CHECKED hd_status hd_dnnl_conv_new(hd_dnnl_prim **out, hd_context *ctx, const hd_dnnl_conv *conv, int64_t sets);
HD_CHECKED hd_status hd_dnnl_product_new(hd_dnnl_prim **out, hd_context *ctx, const hd_dnnl_product *product,
                                         int64_t sets);
void hd_dnnl_free(hd_dnnl_prim *prim, hd_context *ctx);
size_t hd_dnnl_scratch(const hd_dnnl_prim *prim);
/* operand: x w b y of a convolution, a b bias y of a product; unused ones are NULL. When the library fails (it may be
 * short of memory) the result is filled with NaN. */
void hd_dnnl_run(hd_dnnl_prim *prim, int64_t set, void *const operand[HD_DNNL_OPERANDS], void *scratch);

/* "2.6.3", or NULL in builds without it. */
const char *hd_dnnl_version_text(char buffer[32]);
#define HD_DNNL_NO_BF16 "no instructions for bf16 (AVX-512 BF16, AMX)"
#define HD_DNNL_ABSENT  "built without oneDNN: install libdnnl-dev"
#endif
