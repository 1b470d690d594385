/* attention_kit.h: attention in numbers: what its definitions, rules and kernels read from the shapes. Knows nothing of
 * backends. */
#ifndef HD_OPS_ATTENTION_KIT_H
#define HD_OPS_ATTENTION_KIT_H
#include "hadal/ops.h"
#include <math.h>

/* Where the rows of matrix b are: from first + b / heads · sample + b % heads · head on, `row` apart. */
typedef struct hd_attention_place {
    int64_t first, sample, head, row;
} hd_attention_place;

/* q [n, rows, width], k [n / group, columns, width], v [n / group, columns, depth], y [n, rows, depth]; gradients lie
 * as what they belong to. */
typedef struct hd_attention {
    int64_t n, group, rows, columns, width, depth;
    double scale;
    bool causal, masked;
    hd_dims lead;                   /* leading dimensions of q */
    int64_t mask_lead[HD_MAX_DIMS]; /* strides of the mask, 0 where it is repeated */
    int64_t mask_row, mask_column;
    int64_t heads; /* of a sample, as places count; 1 where matrices lie one behind the other */
    hd_attention_place q, k, v, y;
} hd_attention;

static inline int64_t hd_attention_at(const hd_attention *z, const hd_attention_place *p, int64_t b) {
    return p->first + b / z->heads * p->sample + b % z->heads * p->head;
}

/* Of shapes that infer has accepted. mask: NULL or rank −1: none. */
static inline hd_attention hd_attention_of(const hd_dims *q, const hd_dims *k, const hd_dims *v, const hd_dims *mask,
                                           double scale, bool causal) {
    const int lead = q->rank - 2;
    hd_attention z = {.n = 1,
                      .group = 1,
                      .rows = q->dim[lead],
                      .columns = k->dim[lead],
                      .width = q->dim[lead + 1],
                      .depth = v->dim[lead + 1],
                      .causal = causal,
                      .masked = mask && mask->rank >= 0,
                      .lead = *q};
    z.lead.rank = lead;
    for (int i = 0; i < lead; i++) z.n *= q->dim[i];
    if (lead > 0 && k->dim[lead - 1] > 0) z.group = q->dim[lead - 1] / k->dim[lead - 1];
    z.heads = 1;
    z.q = (hd_attention_place){0, z.rows * z.width, 0, z.width};
    z.k = (hd_attention_place){0, z.columns * z.width, 0, z.width};
    z.v = (hd_attention_place){0, z.columns * z.depth, 0, z.depth};
    z.y = (hd_attention_place){0, z.rows * z.depth, 0, z.depth};
    z.scale = scale != 0 ? scale : 1 / sqrt((double)(z.width > 0 ? z.width : 1));
    int64_t stride = 1;
    for (int i = 0; z.masked && i < mask->rank; i++) { /* from the last axis on */
        const int64_t size = mask->dim[mask->rank - 1 - i], at = size == 1 ? 0 : stride;
        if (i == 0) z.mask_column = at;
        if (i == 1) z.mask_row = at;
        if (i > 1) z.mask_lead[q->rank - 1 - i] = at;
        stride *= size;
    }
    return z;
}

/* Of q, k and v side by side in the rows of x [samples, rows, 3 · heads · width]. */
static inline hd_attention hd_attention_packed(const hd_dims *x, int64_t heads, double scale, bool causal) {
    const int64_t e = x->dim[2] / 3;
    const hd_dims q = {.rank = 4, .dim = {x->dim[0], heads, x->dim[1], e / heads}};
    hd_attention z = hd_attention_of(&q, &q, &q, NULL, scale, causal);
    z.heads = heads;
    z.q = (hd_attention_place){0, z.rows * 3 * e, z.width, 3 * e};
    z.k = z.v = z.q;
    z.k.first = e;
    z.v.first = 2 * e;
    z.y = (hd_attention_place){0, z.rows * e, z.width, e};
    return z;
}

/* Where the mask of matrix b begins. */
static inline int64_t hd_attention_mask_at(const hd_attention *z, int64_t b) {
    int64_t at = 0;
    for (int i = z->lead.rank - 1; i >= 0; b /= z->lead.dim[i--]) at += b % z->lead.dim[i] * z->mask_lead[i];
    return at;
}

/* Columns that row i sees. */
static inline int64_t hd_attention_seen(const hd_attention *z, int64_t row) {
    return z->causal && row + 1 < z->columns ? row + 1 : z->columns;
}

#define HD_ATTENTION_OPTIONS(args_)                                                                                    \
    HD_OPTION(FLOAT, args_, scale, .min = -1e30, .max = 1e30, .help = "of the scores; 1/√E if not said"),              \
        HD_OPTION(BOOL, args_, is_causal, .help = "row i sees columns 0 … i only"),                                    \
        HD_OPTION(BOOL, args_, enable_gqa, .help = "k and v have fewer heads (axis −3), each for several of q")

/* Shapes of q, k, v (inputs 0, 1, 2) and a mask at input `mask`. */
hd_status hd_infer_attention(hd_infer *c, int mask, bool gqa);

/* The definitions: inputs and outputs as those of the ops, of which the places say where they lie. */
void hd_attention_define(const hd_attention *z, const hd_ref *r);
void hd_attention_grad_define(const hd_attention *z, const hd_ref *r);

/* The matrices that the tiles of a kernel stand for, made of other ops: for what needs them whole. */
typedef struct hd_attention_unrolled {
    hd_val k, v;    /* with as many heads as q */
    hd_val weights; /* e^(scores − lse) */
    hd_val centred; /* dy vᵀ − Σ dy y + dlse */
    hd_val slope;   /* of the scores: weights · centred */
} hd_attention_unrolled;
hd_attention_unrolled hd_attention_unroll(const hd_scaled_dot_product_attention_grad_args *a);
/* scale · q kᵀ with mask and is_causal put in; what may not be seen is `never`. */
hd_val hd_attention_scores(const hd_scaled_dot_product_attention_grad_args *a, hd_val k, double never);
/* k or v with as many heads as q, and a gradient of that summed over the heads that it served. */
hd_val hd_attention_spread(hd_val k, hd_val q);
hd_val hd_attention_gather(hd_val d, hd_val k);
#endif
