/* linear.c: y = act(x wᵀ + b), the layer of neurons as a matrix product. Knows nothing of backends. */
#include "ops/op_kit.h"

static hd_status linear_infer(hd_infer *c) {
    const hd_dims *x = &c->in[0].dims, *w = &c->in[1].dims;
    char a[192], b[192];
    if (hd_need_float(c, 0) || hd_need_rank(c, 1, 2)) return HD_E_MODEL;
    if (x->rank < 1 || x->dim[x->rank - 1] != w->dim[1])
        return hd_infer_fail(c, "weight %s expects %lld input features, input x is %s", hd_dims_text(b, w),
                             (long long)w->dim[1], hd_dims_text(a, x));
    if (c->in[1].dtype != c->in[0].dtype) return hd_infer_fail(c, "x and weight have different dtypes");
    if (!hd_absent(c, 2)) {
        const hd_dims *bias = &c->in[2].dims;
        if (bias->rank != 1 || bias->dim[0] != w->dim[0])
            return hd_infer_fail(c, "bias is %s, weight has %lld output features", hd_dims_text(a, bias),
                                 (long long)w->dim[0]);
    }
    c->out[0] = c->in[0];
    c->out[0].dims.dim[x->rank - 1] = w->dim[0];
    return HD_OK;
}

/* x wᵀ + b → matmul, matmul, sum. The activation was set by fusion after autodiff, or its own gradient comes first. */
static void linear_grad(hd_grad *c) {
    const hd_linear_args *a = c->attr;
    hd_val dz = c->dout[0];
    if (a->act == HD_ACT_RELU) dz = hd_relu_grad(c->out[0], dz);
    if (a->act == HD_ACT_SIGMOID) dz = hd_sigmoid_grad(c->out[0], dz);
    if (a->act == HD_ACT_TANH) dz = hd_tanh_grad(c->out[0], dz);
    hd_val x = c->in[0], w = c->in[1];
    const int rank = hd_val_dims(x).rank;
    if (rank == 1) { /* a single sample: as a batch of one */
        x = hd_reshape(x, .dims = HD_DIMS(1, hd_val_dims(x).dim[0]));
        dz = hd_reshape(dz, .dims = HD_DIMS(1, hd_val_dims(dz).dim[0]));
    }
    if (c->needs[0]) c->din[0] = hd_matmul(dz, w);
    if (c->needs[0] && rank == 1) c->din[0] = hd_reshape_like(c->din[0], c->in[0]);
    if (rank > 2) {
        x = hd_flatten(x, .start_axis = HD_AXIS(0), .end_axis = -2);
        dz = hd_flatten(dz, .start_axis = HD_AXIS(0), .end_axis = -2);
    }
    if (c->needs[1]) c->din[1] = hd_matmul(dz, x, .trans_a = true);
    if (c->n_in > 2 && c->needs[2]) c->din[2] = hd_sum(dz, .axes = HD_DIMS(0));
}

static void linear_ref(const hd_ref *r) {
    const hd_linear_args *a = r->attr;
    const int64_t k = r->in[1].dims.dim[0], in = r->in[1].dims.dim[1]; /* outputs, inputs of a unit */
    const int64_t n = k ? r->out[0].count / k : 0;
    const void *bias = r->n_in > 2 ? r->in[2].data : NULL;
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; const T *w = r->in[1].data; const T *b = bias;
        T *y = r->out[0].data; for (int64_t i = 0; i < n; i++) for (int64_t j = 0; j < k; j++) {
            double sum = b ? (double)b[j] : 0;
            for (int64_t l = 0; l < in; l++) sum += (double)x[i * in + l] * (double)w[j * in + l];
            y[i * k + j] = (T)hd_act_apply(a->act, sum);
        })
}

static hd_cost linear_cost(const hd_infer *c) {
    const double k = (double)c->in[1].dims.dim[0], in = (double)c->in[1].dims.dim[1];
    const double n = k > 0 ? (double)hd_dims_count(&c->out[0].dims) / k : 0;
    return (hd_cost){.flops = 2 * n * k * in, .bytes = 4 * (n * k + n * in + k * in)};
}

const hd_op hd_op_linear = {
    .name = "linear",
    .n_in = 2,
    .n_optional = 1,
    .n_out = 1,
    .in_names = (const char *const[]){"x", "weight", "bias", NULL},
    .args_size = sizeof(hd_linear_args),
    .options = (const hd_option[]){{.name = "act",
                                    .type = HD_OPT_ENUM,
                                    .offset = offsetof(hd_linear_args, act),
                                    .count = 1,
                                    .choices = hd_act_choices,
                                    .help = "activation applied to the result"},
                                   HD_OPTION_END},
    .infer = linear_infer,
    .grad = linear_grad,
    .ref = linear_ref,
    .cost = linear_cost,
    .formula = "y = act(x wᵀ + b)",
    .source = "Rosenblatt 1958; as torch.nn.Linear",
    .doc = "A layer of neurons: every output is a weighted sum of all inputs plus a bias. The weight is [out, in].",
    .onnx = "Gemm",
    .samples = (const hd_sample[]){{"f32[1,2]={1 -1}, f32[2,2]={1 -2 -1 1}, f32[2]={1 0}", "{4 -2}"},
                                   {"f32[3,4], f32[5,4], f32[5]", NULL},
                                   {"f32[3,4], f32[5,4]", NULL},
                                   {"f32[2,3,4], f32[5,4], f32[5]", NULL},
                                   {"f32[4], f32[3,4], f32[3]", NULL},
                                   {"f32[3,4], f32[5,4], f32[5] | act=tanh", NULL},
                                   {"f32[17,33], f32[19,33], f32[19] | act=sigmoid", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3,4], f32[5,3]", "expects 3 input features"},
                                   {"f32[3,4], f32[5,4], f32[4]", "bias is [4]"},
                                   {0}},
};

HD_BUILDER(linear, hd_linear_args)
