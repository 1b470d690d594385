/* fused_linear.c: the two products of a linear layer's back-propagation, each with what is done to its result. Made by
 * the pass `fuse` from matmul, sum and an activation's gradient. Knows nothing of backends. */
#include "ops/fused.h"
#include "ops/op_kit.h"

static const char fused_reason[] = "made after differentiation, from matmul and sum, which have gradients";

static hd_status linear_grad_weight_infer(hd_infer *c) {
    char a[192], b[192];
    if (hd_need_float(c, 0) || hd_need_rank(c, 0, 2) || hd_need_rank(c, 1, 2)) return HD_E_MODEL;
    const hd_dims *x = &c->in[0].dims, *dz = &c->in[1].dims;
    if (x->dim[0] != dz->dim[0] || c->in[0].dtype != c->in[1].dtype)
        return hd_infer_fail(c, "x %s and dz %s have different numbers of samples", hd_dims_text(a, x),
                             hd_dims_text(b, dz));
    c->out[0] = (hd_type){c->in[0].dtype, {.rank = 2, .dim = {dz->dim[1], x->dim[1]}}};
    c->out[1] = (hd_type){c->in[0].dtype, {.rank = 1, .dim = {dz->dim[1]}}};
    return HD_OK;
}

static void linear_grad_weight_ref(const hd_ref *r) {
    const int64_t n = r->in[0].dims.dim[0], in = r->in[0].dims.dim[1], k = r->in[1].dims.dim[1];
    for (int64_t j = 0; j < k; j++) {
        double db = 0;
        for (int64_t s = 0; s < n; s++) db += hd_get(&r->in[1], s * k + j);
        hd_set(&r->out[1], j, db);
        for (int64_t i = 0; i < in; i++) {
            double sum = 0;
            for (int64_t s = 0; s < n; s++) sum += hd_get(&r->in[1], s * k + j) * hd_get(&r->in[0], s * in + i);
            hd_set(&r->out[0], j * in + i, sum);
        }
    }
}

static hd_cost linear_grad_weight_cost(const hd_infer *c) {
    return hd_cost_of(c, 2 * hd_cost_elements(&c->in[0]) * (double)c->in[1].dims.dim[1]);
}

const hd_op hd_op_linear_grad_weight = {
    .name = "linear_grad_weight",
    .n_in = 2,
    .n_out = 2,
    .in_names = (const char *const[]){"x", "dz", NULL},
    .out_names = (const char *const[]){"dw", "db", NULL},
    .args_size = sizeof(hd_linear_grad_weight_args),
    .flags = HD_OP_INTERNAL,
    .infer = linear_grad_weight_infer,
    .no_grad_reason = fused_reason,
    .ref = linear_grad_weight_ref,
    .cost = linear_grad_weight_cost,
    .formula = "dw = dzᵀ x, db = Σₙ dz",
    .source = "derivative of linear",
    .doc = "Gradients of a linear layer's weight and bias from its input and the gradient of its result.",
    .samples = (const hd_sample[]){{"f32[2,2]={1 2 3 4}, f32[2,1]={1 10}", "{31 42} {11}"},
                                   {"f32[2,1]={1 2}, f32[2,2]={1 10 2 20}", "{5 50} {3 30}"},
                                   {"f32[1,3], f32[1,5]", NULL},
                                   {"f32[17,9], f32[17,33]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[3,3]", "different numbers of samples"}, {0}},
};

static hd_status linear_grad_input_infer(hd_infer *c) {
    char a[192], b[192];
    if (hd_need_float(c, 0) || hd_need_rank(c, 0, 2) || hd_need_rank(c, 1, 2)) return HD_E_MODEL;
    const hd_dims *dz = &c->in[0].dims, *w = &c->in[1].dims;
    if (dz->dim[1] != w->dim[0] || c->in[0].dtype != c->in[1].dtype)
        return hd_infer_fail(c, "dz %s does not fit the weight %s", hd_dims_text(a, dz), hd_dims_text(b, w));
    c->out[0] = (hd_type){c->in[0].dtype, {.rank = 2, .dim = {dz->dim[0], w->dim[1]}}};
    const hd_linear_grad_input_args *args = c->attr;
    if (hd_absent(c, 2)) {
        if (args->act != HD_ACT_NONE) return hd_infer_fail(c, "an activation's gradient needs y");
    } else if (!hd_dims_equal(&c->in[2].dims, &c->out[0].dims) || c->in[2].dtype != c->in[0].dtype)
        return hd_infer_fail(c, "y is %s, the result is %s", hd_dims_text(a, &c->in[2].dims),
                             hd_dims_text(b, &c->out[0].dims));
    return HD_OK;
}

static double act_slope(int64_t act, double y) {
    if (act == HD_ACT_RELU) return y > 0 ? 1 : 0;
    if (act == HD_ACT_SIGMOID) return y * (1 - y);
    if (act == HD_ACT_TANH) return 1 - y * y;
    return 1;
}

static void linear_grad_input_ref(const hd_ref *r) {
    const hd_linear_grad_input_args *args = r->attr;
    const int64_t n = r->in[0].dims.dim[0], k = r->in[0].dims.dim[1], in = r->in[1].dims.dim[1];
    for (int64_t s = 0; s < n; s++)
        for (int64_t i = 0; i < in; i++) {
            double sum = 0;
            for (int64_t j = 0; j < k; j++) sum += hd_get(&r->in[0], s * k + j) * hd_get(&r->in[1], j * in + i);
            if (args->act) sum *= act_slope(args->act, hd_get(&r->in[2], s * in + i));
            hd_set(&r->out[0], s * in + i, sum);
        }
}

static hd_cost linear_grad_input_cost(const hd_infer *c) {
    return hd_cost_of(c, 2 * hd_cost_elements(&c->in[0]) * (double)c->in[1].dims.dim[1]);
}

const hd_op hd_op_linear_grad_input = {
    .name = "linear_grad_input",
    .n_in = 2,
    .n_optional = 1,
    .n_out = 1,
    .in_names = (const char *const[]){"dz", "weight", "y", NULL},
    .out_names = (const char *const[]){"dx", NULL},
    .args_size = sizeof(hd_linear_grad_input_args),
    .options = (const hd_option[]){HD_OPTION(ENUM, hd_linear_grad_input_args, act, .choices = hd_act_choices,
                                             .help = "activation whose result y is"),
                                   HD_OPTION_END},
    .flags = HD_OP_INTERNAL,
    .infer = linear_grad_input_infer,
    .no_grad_reason = fused_reason,
    .ref = linear_grad_input_ref,
    .cost = linear_grad_input_cost,
    .formula = "dx = act′(y) · (dz w)",
    .source = "derivative of linear",
    .doc = "Gradient of a linear layer's input, carried on through the activation that made that input.",
    .samples = (const hd_sample[]){{"f32[1,2]={1 10}, f32[2,2]={1 2 3 4}, f32[1,2]={1 0} | act=relu", "{31 0}"},
                                   {"f32[3,4], f32[4,5]", NULL},
                                   {"f32[7,19], f32[19,33], f32[7,33] | act=tanh", NULL},
                                   {"f32[1,16], f32[16,16], f32[1,16] | act=sigmoid", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[4,3]", "does not fit"},
                                   {"f32[2,3], f32[3,4] | act=relu", "needs y"},
                                   {0}},
};
