/* mse.c: mean squared error and its backward op. Knows nothing of backends. */
#include "ops/op_kit.h"

static void mse_ref(const hd_ref *r) {
    double loss = 0;
    for (int64_t i = 0; i < r->in[0].count; i++) {
        const double d = hd_get(&r->in[0], i) - hd_get(&r->in[1], i);
        loss += d * d;
    }
    hd_set(&r->out[0], 0, loss / (double)r->in[0].count);
}

static void mse_rule(hd_grad *c) {
    const hd_val dx = hd_mse_grad(c->in[0], c->in[1], c->dout[0]);
    if (c->needs[0]) c->din[0] = dx;
    if (c->needs[1]) c->din[1] = hd_neg(dx);
}

static void mse_grad_ref(const hd_ref *r) {
    const double scale = 2 * hd_get(&r->in[2], 0) / (double)r->in[0].count;
    for (int64_t i = 0; i < r->in[0].count; i++)
        hd_set(&r->out[0], i, (hd_get(&r->in[0], i) - hd_get(&r->in[1], i)) * scale);
}

/* Linear in x − target and in dy: the same op with what arrives in the place of x − target. */
static void mse_grad_rule(hd_grad *c) {
    const hd_val x = c->in[0], t = c->in[1], dy = c->in[2], g = c->dout[0];
    if (c->needs[0] || c->needs[1]) {
        const hd_val dx = hd_mse_grad(g, hd_fill_like(g), dy);
        if (c->needs[0]) c->din[0] = dx;
        if (c->needs[1]) c->din[1] = hd_neg(dx);
    }
    if (c->needs[2]) c->din[2] = hd_sum(hd_mul(g, hd_mse_grad(x, t, hd_fill_like(dy, .value = 1))));
}

static hd_cost mse_cost(const hd_infer *c) {
    return hd_cost_of(c, 3 * hd_cost_elements(&c->in[0]));
}

const hd_op hd_op_mse = {
    .name = "mse",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "target"),
    .out_names = HD_NAMES("loss"),
    .args_size = sizeof(hd_loss_args),
    .infer = hd_infer_loss,
    .grad = mse_rule,
    .ref = mse_ref,
    .cost = mse_cost,
    .formula = "loss = mean((x − target)²)",
    .source = "as torch.nn.MSELoss",
    .doc = "Mean squared error, the loss of regression: the mean over all elements; target has the shape of x.",
    .samples = (const hd_sample[]){{"f32[2,2]={1 2 3 4}, f32[2,2]={1 0 3 0}", "{5}"},
                                   {"f32[4,5], f32[4,5]", NULL},
                                   {"f32[7], f32[7]", NULL},
                                   {"f32[], f32[]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,1], f32[6]", "target [6] must have the same shape"}, {0}},
};

const hd_op hd_op_mse_grad = {
    .name = "mse_grad",
    .n_in = 3,
    .n_out = 1,
    .in_names = HD_NAMES("x", "target", "dy"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_loss_grad_args),
    .infer = hd_infer_loss_grad,
    .grad = mse_grad_rule,
    .ref = mse_grad_ref,
    .cost = mse_cost,
    .formula = "dx = 2 (x − target) dy/n",
    .source = "derivative of mse",
    .doc = "Back-propagation through mse.",
    .samples = (const hd_sample[]){{"f32[2,2]={1 2 3 4}, f32[2,2]={1 0 3 0}, f32[]={1}", "{0 1 0 2}"},
                                   {"f32[4,5], f32[4,5], f32[]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6], f32[6], f32[1]", "dy must be a scalar"}, {0}},
};

HD_BUILDER(mse, hd_loss_args)
HD_BUILDER(mse_grad, hd_loss_grad_args)
