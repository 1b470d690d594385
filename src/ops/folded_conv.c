/* folded_conv.c: what inference makes of a layer and its surroundings: weights with a normalisation worked in, and a
 * convolution that adds to what is there. Made by the pass `fold`. Knows nothing of backends. */
#include "graph/graph.h"
#include "ops/fused.h"
#include "ops/window_kit.h"

static const char folded_reason[] = "made for inference, from ops that have gradients";

static hd_status fold_norm_infer(hd_infer *c) {
    char a[192], b[192];
    if (hd_need_float(c, 0)) return HD_E_MODEL;
    const hd_dims *w = &c->in[0].dims;
    if (w->rank < 1) return hd_infer_fail(c, "weight must have an axis of output channels");
    const hd_dims channels = {.rank = 1, .dim = {w->dim[0]}};
    for (int i = 1; i < c->n_in; i++) {
        if (hd_absent(c, i)) continue;
        if (hd_need_dtype(c, i, c->in[0].dtype)) return HD_E_MODEL;
        if (!hd_dims_equal(&c->in[i].dims, &channels))
            return hd_infer_fail(c, "%s is %s, weight %s has %lld output channels", hd_op_in_name(c->op, i),
                                 hd_dims_text(a, &c->in[i].dims), hd_dims_text(b, w), (long long)w->dim[0]);
    }
    c->out[0] = c->in[0];
    c->out[1] = (hd_type){c->in[0].dtype, channels};
    return HD_OK;
}

static void fold_norm_ref(const hd_ref *r) {
    const hd_fold_norm_args *a = r->attr;
    const int64_t k = r->out[1].count, row = k ? r->out[0].count / k : 0;
    const bool bias = r->n_in > 5 && r->in[5].data;
    for (int64_t c = 0; c < k; c++) {
        const double s = hd_get(&r->in[1], c) / sqrt(hd_get(&r->in[4], c) + a->eps);
        const double b = bias ? hd_get(&r->in[5], c) : 0;
        hd_set(&r->out[1], c, (b - hd_get(&r->in[3], c)) * s + hd_get(&r->in[2], c));
        for (int64_t i = 0; i < row; i++) hd_set(&r->out[0], c * row + i, hd_get(&r->in[0], c * row + i) * s);
    }
}

const hd_op hd_op_fold_norm = {
    .name = "fold_norm",
    .n_in = 5,
    .n_optional = 1,
    .n_out = 2,
    .in_names = HD_NAMES("weight", "scale", "shift", "mean", "var", "bias"),
    .out_names = HD_NAMES("weight", "bias"),
    .args_size = sizeof(hd_fold_norm_args),
    .options = (const hd_option[]){HD_OPTION(FLOAT, hd_fold_norm_args, eps, .def = 1e-5, .min = 0, .max = 1e300,
                                             .help = "added to the variance"),
                                   HD_OPTION_END},
    .flags = HD_OP_INTERNAL,
    .infer = fold_norm_infer,
    .no_grad_reason = folded_reason,
    .ref = fold_norm_ref,
    .formula = "w' = w·s, b' = (b − mean)·s + shift, s = scale / √(var + eps), by output channel",
    .source = "Ioffe, Szegedy: Batch normalization, ICML 2015, section 3.1: at inference a linear transform",
    .doc = "The weight and bias of a layer that does what it and the batch normalisation behind it did.",
    .samples =
        (const hd_sample[]){
            {"f32[2,2]={1 2 3 4}, f32[2]={2 1}, f32[2]={0 7}, f32[2]={1 0}, f32[2]={4 1} | eps=0", "{1 2 3 4} {-1 7}"},
            {"f32[1,1]={3}, f32[1]={1}, f32[1]={0}, f32[1]={1}, f32[1]={1}, f32[1]={5} | eps=0", "{3} {4}"},
            {"f32[5,3,3,3], f32[5]:pos, f32[5], f32[5], f32[5]:pos, f32[5]", NULL},
            {"f32[32,40], f32[32], f32[32], f32[32], f32[32]:pos | eps=0.1", NULL},
            {"f32[0,3], f32[0], f32[0], f32[0], f32[0]", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[2], f32[2], f32[3], f32[2]", "mean is [3], weight [2,3] has 2"},
                                   {"f32[2,3], f32[2], f64[2], f32[2], f32[2]", "shift"},
                                   {0}},
};

/* ---- convolution and sum ---- */

extern const hd_op hd_op_conv2d;

hd_conv2d_args hd_conv2d_args_of(const hd_op *op, const void *attr) {
    const hd_conv2d_add_args *a = attr;
    if (op != &hd_op_conv2d_add) return *(const hd_conv2d_args *)attr;
    hd_conv2d_args conv = {.groups = a->groups, .act = a->act};
    HD_CONV2D_COPY(conv, *a);
    return conv;
}

hd_conv2d_add_args hd_conv2d_add_args_of(const hd_conv2d_args *conv) {
    hd_conv2d_add_args a = {.groups = conv->groups, .act = conv->act};
    HD_CONV2D_COPY(a, *conv);
    return a;
}

static hd_status conv2d_add_infer(hd_infer *c) {
    char a[192], b[192];
    hd_conv2d_add_args *args = c->attr;
    const hd_conv2d_window window = {args->stride, args->padding, args->dilation, args->padding_extra, args->groups};
    const hd_dims channels = {.rank = 1, .dim = {c->in[1].dims.rank > 0 ? c->in[1].dims.dim[0] : 0}};
    c->out[0].dtype = c->in[0].dtype;
    if (hd_infer_conv2d(c, 0, 1, window, &c->out[0].dims)) return HD_E_MODEL;
    if (!hd_dims_equal(&c->in[2].dims, &channels))
        return hd_infer_fail(c, "bias is %s, weight has %lld output channels", hd_dims_text(a, &c->in[2].dims),
                             (long long)channels.dim[0]);
    if (hd_need_dtype(c, 2, c->in[0].dtype)) return HD_E_MODEL;
    if (!hd_dims_equal(&c->in[3].dims, &c->out[0].dims))
        return hd_infer_fail(c, "z is %s, the convolution gives %s", hd_dims_text(a, &c->in[3].dims),
                             hd_dims_text(b, &c->out[0].dims));
    return hd_need_dtype(c, 3, c->in[0].dtype);
}

/* The activation comes after the sum. */
static void conv2d_add_ref(const hd_ref *r) {
    hd_conv2d_args a = hd_conv2d_args_of(&hd_op_conv2d_add, r->attr);
    const int64_t act = a.act;
    a.act = HD_ACT_NONE;
    const hd_ref conv = {.attr = &a, .n_in = 3, .n_out = 1, .in = r->in, .out = r->out};
    hd_op_conv2d.ref(&conv);
    for (int64_t i = 0; i < r->out[0].count; i++)
        hd_set(&r->out[0], i, hd_act_apply(act, hd_get(&r->out[0], i) + hd_get(&r->in[3], i)));
}

static hd_cost conv2d_add_cost(const hd_infer *c) {
    return hd_cost_of(c, hd_conv2d_flops(&c->in[1].dims, &c->out[0].dims));
}

const hd_op hd_op_conv2d_add = {
    .name = "conv2d_add",
    .n_in = 4,
    .n_out = 1,
    .in_names = HD_NAMES("x", "weight", "bias", "z"),
    .args_size = sizeof(hd_conv2d_add_args),
    .options = (const hd_option[]){HD_CONV2D_OPTIONS(hd_conv2d_add_args),
                                   HD_OPTION(ENUM, hd_conv2d_add_args, act, .choices = hd_act_choices,
                                             .help = "activation applied to the sum"),
                                   HD_OPTION_END},
    .flags = HD_OP_INTERNAL,
    .infer = conv2d_add_infer,
    .no_grad_reason = folded_reason,
    .ref = conv2d_add_ref,
    .cost = conv2d_add_cost,
    .formula = "y = act(conv2d(x, w, b) + z)",
    .source = "He et al.: Deep residual learning, CVPR 2016: the sum at the end of a block",
    .doc = "A convolution whose result is added to a value of the same shape, as at the end of a residual block.",
    .samples =
        (const hd_sample[]){
            {"f32[1,1,2,2]={1 2 3 4}, f32[1,1,1,1]={2}, f32[1]={1}, f32[1,1,2,2]={1 1 -9 0}", "{4 6 -2 9}"},
            {"f32[1,1,1,2]={1 2}, f32[1,1,1,1]={2}, f32[1]={1}, f32[1,1,1,2]={1 -9} | act=relu", "{4 0}"},
            {"f32[2,3,5,6], f32[4,3,3,3], f32[4], f32[2,4,5,6] | padding=1", NULL},
            {"f32[2,16,7,7], f32[32,16,3,3], f32[32], f32[2,32,7,7] | padding=1 act=relu", NULL},
            {"f32[1,32,8,8], f32[64,32,1,1], f32[64], f32[1,64,8,8] | act=relu", NULL},
            {"f32[3,32,16,16], f32[32,32,3,3], f32[32], f32[3,32,16,16] | padding=1", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[1,1,4,4], f32[1,1,2,2], f32[1], f32[1,1,4,4]",
                                    "z is [1,1,4,4], the convolution gives [1,1,3,3]"},
                                   {0}},
};
