/* fused_conv.c: gradients of a convolution's weight and bias in one node. Made by the pass `fuse`. Knows nothing of
 * backends. */
#include "ops/fused.h"
#include "ops/window_kit.h"

extern const hd_op hd_op_conv2d_grad_weight;

static hd_status conv2d_grad_params_infer(hd_infer *c) {
    if (hd_op_conv2d_grad_weight.infer(c)) return HD_E_MODEL;
    c->out[1] = (hd_type){c->in[0].dtype, {.rank = 1, .dim = {c->in[1].dims.dim[1]}}};
    return HD_OK;
}

static void conv2d_grad_params_ref(const hd_ref *r) {
    const hd_dims *dy = &r->in[1].dims;
    const int64_t n = dy->dim[0], k = dy->dim[1], hw = dy->dim[2] * dy->dim[3];
    hd_op_conv2d_grad_weight.ref(r);
    for (int64_t j = 0; j < k; j++) {
        double sum = 0;
        for (int64_t s = 0; s < n; s++)
            for (int64_t i = 0; i < hw; i++) sum += hd_get(&r->in[1], (s * k + j) * hw + i);
        hd_set(&r->out[1], j, sum);
    }
}

static hd_cost conv2d_grad_params_cost(const hd_infer *c) {
    return hd_op_conv2d_grad_weight.cost(c);
}

const hd_op hd_op_conv2d_grad_params = {
    .name = "conv2d_grad_params",
    .n_in = 3,
    .n_out = 2,
    .in_names = HD_NAMES("x", "dy", "like"),
    .out_names = HD_NAMES("dw", "db"),
    .args_size = sizeof(hd_conv2d_grad_args),
    .options = (const hd_option[]){HD_CONV2D_OPTIONS(hd_conv2d_grad_args), HD_OPTION_END},
    .flags = HD_OP_INTERNAL,
    .infer = conv2d_grad_params_infer,
    .no_grad_reason = "made after differentiation, from conv2d_grad_weight and sum, which have gradients",
    .ref = conv2d_grad_params_ref,
    .cost = conv2d_grad_params_cost,
    .formula = "dw as conv2d_grad_weight, db[k] = Σ dy[n,k,i,j]",
    .source = "derivative of conv2d",
    .doc = "Back-propagation through conv2d to its weight and bias together. Of `like` (the weight) only the shape is "
           "read.",
    .samples =
        (const hd_sample[]){{"f32[1,1,2,2]={1 2 3 4}, f32[1,1,1,1]={2}, f32[1,1,2,2]", "{2 4 6 8} {2}"},
                            {"f32[2,1,1,2]={1 2 3 4}, f32[2,2,1,2]={1 2 3 4 5 6 7 8}, f32[2,1,1,1]", "{44 64} {14 22}"},
                            {"f32[2,3,5,6], f32[2,4,5,6], f32[4,3,3,3] | padding=1", NULL},
                            {"f32[3,1,8,8], f32[3,16,8,8], f32[16,1,3,3] | padding=1", NULL},
                            {0}},
    .bad =
        (const hd_bad_sample[]){{"f32[1,1,4,4], f32[1,1,2,2], f32[1,1,2,2]", "the convolution gives [1,1,3,3]"}, {0}},
};
