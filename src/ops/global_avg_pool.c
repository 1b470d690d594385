/* global_avg_pool.c: mean of each channel of a picture. Knows nothing of backends. */
#include "ops/op_kit.h"

static hd_status global_avg_pool_infer(hd_infer *c) {
    if (hd_need_float(c, 0) || hd_need_rank(c, 0, 4)) return HD_E_MODEL;
    c->out[0] = c->in[0];
    c->out[0].dims.dim[2] = c->out[0].dims.dim[3] = 1;
    return HD_OK;
}

static void global_avg_pool_ref(const hd_ref *r) {
    const int64_t plane = r->in[0].dims.dim[2] * r->in[0].dims.dim[3];
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; T *y = r->out[0].data;
        for (int64_t i = 0; i < r->out[0].count; i++) {
            double sum = 0;
            for (int64_t j = 0; j < plane; j++) sum += (double)*x++;
            y[i] = (T)(sum / (double)plane);
        })
}

static void global_avg_pool_grad(hd_grad *c) {
    c->din[0] = hd_broadcast_like(c->dout[0], c->in[0], .average = true);
}

const hd_op hd_op_global_avg_pool = {
    .name = "global_avg_pool",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_unary_args),
    .flags = HD_OP_REDUCE,
    .infer = global_avg_pool_infer,
    .grad = global_avg_pool_grad,
    .ref = global_avg_pool_ref,
    .cost = hd_cost_input,
    .formula = "y[n,c] = mean x[n, c, :, :]",
    .source = "Lin, Chen, Yan: Network in network, 2013; as torch.nn.AdaptiveAvgPool2d(1)",
    .doc = "The mean over height and width, x [n, c, h, w] → [n, c, 1, 1].",
    .onnx = "GlobalAveragePool",
    .samples = (const hd_sample[]){{"f32[1,2,2,2]={1 2 3 4 5 6 7 10}", "{2.5 7}"},
                                   {"f32[2,3,4,5]", NULL},
                                   {"f32[2,3,1,1]", NULL},
                                   {"f32[0,3,2,2]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3,4]", "x must have 4 dimensions"}, {0}},
};

HD_BUILDER(global_avg_pool, hd_unary_args)
