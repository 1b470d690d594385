/* half_squared_error.c: ½(x−t)² summed over a sample, the mean over the batch, and its backward op. Knows nothing of
 * backends. */
#include "ops/op_kit.h"

static double batch_of(const hd_dims *x) {
    return x->rank ? (double)x->dim[0] : 1;
}

static void half_ref(const hd_ref *r) {
    double loss = 0;
    for (int64_t i = 0; i < r->in[0].count; i++) {
        const double d = hd_get(&r->in[0], i) - hd_get(&r->in[1], i);
        loss += d * d / 2;
    }
    hd_set(&r->out[0], 0, loss / batch_of(&r->in[0].dims));
}

static void half_rule(hd_grad *c) {
    const hd_val dx = hd_half_squared_error_grad(c->in[0], c->in[1], c->dout[0]);
    if (c->needs[0]) c->din[0] = dx;
    if (c->needs[1]) c->din[1] = hd_neg(dx);
}

static void half_grad_ref(const hd_ref *r) {
    const double scale = hd_get(&r->in[2], 0) / batch_of(&r->in[0].dims);
    for (int64_t i = 0; i < r->in[0].count; i++)
        hd_set(&r->out[0], i, (hd_get(&r->in[0], i) - hd_get(&r->in[1], i)) * scale);
}

/* Linear in x − target and in dy: the same op with what arrives in the place of x − target. */
static void half_grad_rule(hd_grad *c) {
    const hd_val x = c->in[0], t = c->in[1], dy = c->in[2], g = c->dout[0];
    if (c->needs[0] || c->needs[1]) {
        const hd_val dx = hd_half_squared_error_grad(g, hd_fill_like(g), dy);
        if (c->needs[0]) c->din[0] = dx;
        if (c->needs[1]) c->din[1] = hd_neg(dx);
    }
    if (c->needs[2]) c->din[2] = hd_sum(hd_mul(g, hd_half_squared_error_grad(x, t, hd_fill_like(dy, .value = 1))));
}

static hd_cost half_cost(const hd_infer *c) {
    return hd_cost_of(c, 3 * hd_cost_elements(&c->in[0]));
}

const hd_op hd_op_half_squared_error = {
    .name = "half_squared_error",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "target"),
    .out_names = HD_NAMES("loss"),
    .args_size = sizeof(hd_loss_args),
    .infer = hd_infer_loss,
    .grad = half_rule,
    .ref = half_ref,
    .cost = half_cost,
    .formula = "loss = (1/n) Σᵢ ½ (xᵢ − targetᵢ)²",
    .source = "Rumelhart, Hinton, Williams 1986",
    .doc = "Half the squared error, the loss of lectures: summed over the values of a sample, the mean over the batch "
           "(axis "
           "0), so that the gradient is the plain difference.",
    .samples = (const hd_sample[]){{"f32[1,2]={1 2}, f32[1,2]={0 0}", "{2.5}"},
                                   {"f32[2,2]={1 2 3 4}, f32[2,2]={1 0 3 0}", "{5}"},
                                   {"f32[4,5], f32[4,5]", NULL},
                                   {"f32[3], f32[3]", NULL},
                                   {"f32[], f32[]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,1], f32[6]", "target [6] must have the same shape"}, {0}},
};

const hd_op hd_op_half_squared_error_grad = {
    .name = "half_squared_error_grad",
    .n_in = 3,
    .n_out = 1,
    .in_names = HD_NAMES("x", "target", "dy"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_loss_grad_args),
    .infer = hd_infer_loss_grad,
    .grad = half_grad_rule,
    .ref = half_grad_ref,
    .cost = half_cost,
    .formula = "dx = (x − target) dy/n",
    .source = "derivative of half_squared_error",
    .doc = "Back-propagation through half_squared_error.",
    .samples = (const hd_sample[]){{"f32[2,2]={1 2 3 4}, f32[2,2]={1 0 3 0}, f32[]={1}", "{0 1 0 2}"},
                                   {"f32[4,5], f32[4,5], f32[]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6], f32[6], f32[1]", "dy must be a scalar"}, {0}},
};

HD_BUILDER(half_squared_error, hd_loss_args)
HD_BUILDER(half_squared_error_grad, hd_loss_grad_args)
