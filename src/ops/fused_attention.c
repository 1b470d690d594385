/* fused_attention.c: attention of q, k and v as one projection writes them, side by side in rows, and its gradient.
 * Made by the pass `fuse`, so that nothing is cut and transposed. Knows nothing of backends. */
#include "ops/attention_kit.h"
#include "ops/fused.h"
#include "ops/op_kit.h"

static const char fused_reason[] =
    "made after differentiation, from scaled_dot_product_attention, which has a gradient";

static hd_status packed_infer(hd_infer *c) {
    const hd_packed_attention_args *a = c->attr;
    const hd_dims *x = &c->in[0].dims;
    char text[192];
    if (hd_need_float(c, 0)) return HD_E_MODEL;
    if (x->rank != 3 || a->heads < 1 || x->dim[2] % (3 * a->heads))
        return hd_infer_fail(c, "x %s must be [samples, positions, 3 · width], width a multiple of %lld heads",
                             hd_dims_text(text, x), (long long)a->heads);
    c->out[0] = c->out[1] = c->in[0];
    c->out[0].dims.dim[2] = x->dim[2] / 3;
    c->out[1].dims.dim[1] = a->heads;
    c->out[1].dims.dim[2] = x->dim[1];
    return HD_OK;
}

static hd_status packed_grad_infer(hd_infer *c) {
    char want[192];
    if (packed_infer(c)) return HD_E_MODEL;
    for (int i = 1; i < 4; i++) {
        const hd_dims *dims = &c->out[i == 2].dims;
        if (hd_need_dtype(c, i, c->in[0].dtype)) return HD_E_MODEL;
        if (!hd_dims_equal(&c->in[i].dims, dims))
            return hd_infer_fail(c, "%s must be %s", c->op->in_names[i], hd_dims_text(want, dims));
    }
    c->out[0] = c->in[0];
    return HD_OK;
}

static hd_attention packed_of(const void *attr, const hd_dims *x) {
    const hd_packed_attention_args *a = attr;
    return hd_attention_packed(x, a->heads, a->scale, a->is_causal);
}

static void packed_attention_ref(const hd_ref *r) {
    const hd_attention z = packed_of(r->attr, &r->in[0].dims);
    const hd_tensor none = {.dims = {.rank = -1}}, in[4] = {r->in[0], r->in[0], r->in[0], none};
    hd_attention_define(&z, &(hd_ref){.attr = r->attr, .n_in = 4, .n_out = 2, .in = in, .out = r->out});
}

static void packed_attention_grad_ref(const hd_ref *r) {
    const hd_attention z = packed_of(r->attr, &r->in[0].dims);
    const hd_tensor none = {.dims = {.rank = -1}}, out[3] = {r->out[0], r->out[0], r->out[0]},
                    in[8] = {r->in[0], r->in[0], r->in[0], r->in[1], r->in[2], r->in[3], none, none};
    hd_attention_grad_define(&z, &(hd_ref){.attr = r->attr, .n_in = 8, .n_out = 3, .in = in, .out = out});
}

static hd_cost packed_cost(const hd_infer *c, double each, double more) {
    const hd_attention z = packed_of(c->attr, &c->in[0].dims);
    const double seen = (double)z.rows * (double)z.columns * (z.causal ? 0.5 : 1);
    return hd_cost_of(c, (double)z.n * seen * (each * (double)z.width + more));
}
static hd_cost packed_attention_cost(const hd_infer *c) {
    return packed_cost(c, 4, 4);
}
static hd_cost packed_attention_grad_cost(const hd_infer *c) {
    return packed_cost(c, 10, 6);
}

/* What the two ops say alike. */
#define PACKED(name_)                                                                                                  \
    .name = #name_, .args_size = sizeof(hd_packed_attention_args),                                                     \
    .options = (const hd_option[]){HD_OPTION(INT, hd_packed_attention_args, heads, .def = 1, .min = 1, .max = 1 << 20, \
                                             .help = "heads; a divisor of the width"),                                 \
                                   HD_OPTION(FLOAT, hd_packed_attention_args, scale, .min = -1e30, .max = 1e30,        \
                                             .help = "of the scores; 1/√E if not said"),                               \
                                   HD_OPTION(BOOL, hd_packed_attention_args, is_causal,                                \
                                             .help = "row i sees columns 0 … i only"),                                 \
                                   HD_OPTION_END},                                                                     \
    .flags = HD_OP_INTERNAL, .no_grad_reason = fused_reason, .ref = name_##_ref, .cost = name_##_cost

const hd_op hd_op_packed_attention = {
    PACKED(packed_attention),
    .n_in = 1,
    .n_out = 2,
    .in_names = HD_NAMES("x"),
    .out_names = HD_NAMES("y", "lse"),
    .infer = packed_infer,
    .formula = "q, k, v = the thirds of x's rows; y = softmax(scale · q kᵀ) v in each head",
    .source = "Vaswani et al.: Attention is all you need, NeurIPS 2017, section 3.2",
    .doc = "Attention of q, k and v side by side in rows.",
    .samples = (const hd_sample[]){{"f32[1,1,3]={2 3 5}", "{5} {6}"},
                                   {"f32[2,5,24] | heads=2", NULL},
                                   {"f32[2,70,72]:unit | heads=3 is_causal=true", NULL},
                                   {"f32[1,150,96]:unit | heads=2 scale=0.3 is_causal=true", NULL},
                                   {"f32[1,201,96]:unit | heads=1", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,5,24] | heads=3", "must be [samples, positions, 3"}, {0}},
};

const hd_op hd_op_packed_attention_grad = {
    PACKED(packed_attention_grad),
    .n_in = 4,
    .n_out = 1,
    .in_names = HD_NAMES("x", "y", "lse", "dy"),
    .out_names = HD_NAMES("dx"),
    .infer = packed_grad_infer,
    .formula = "dq, dk and dv of scaled_dot_product_attention_grad side by side",
    .source = "derivative of packed_attention",
    .doc = "Back-propagation through packed_attention.",
    .samples = (const hd_sample[]){{"f32[1,1,3]={2 3 5}, f32[1,1,1]={5}, f32[1,1,1]={6}, f32[1,1,1]={7}", "{0 0 7}"},
                                   {"f32[2,5,24], f32[2,5,8], f32[2,2,5]:pos, f32[2,5,8] | heads=2", NULL},
                                   {"f32[2,70,72]:unit, f32[2,70,24], f32[2,3,70]:pos, f32[2,70,24] | "
                                    "heads=3 is_causal=true",
                                    NULL},
                                   {"f32[1,150,96]:unit, f32[1,150,32], f32[1,2,150]:pos, f32[1,150,32] | heads=2 "
                                    "scale=0.3 is_causal=true",
                                    NULL},
                                   {"f32[1,201,96]:unit, f32[1,201,32], f32[1,1,201]:pos, f32[1,201,32]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,5,24], f32[2,5,7], f32[2,2,5], f32[2,5,8] | heads=2", "y must be [2,5,8]"},
                                   {0}},
};
