/* glu.c: the first half of an axis, gated by the sigmoid of the second. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

static void glu_ref(const hd_ref *r) {
    const hd_glu_args *o = r->attr;
    const hd_tensor *x = &r->in[0], *y = &r->out[0];
    const hd_axis_split s = hd_split_at(&y->dims, hd_axis_resolve(o->axis, y->dims.rank));
    const int64_t half = s.n * s.inner;
    for (int64_t i = 0; i < y->count; i++) {
        const int64_t at = i / half * 2 * half + i % half;
        hd_set(y, i, hd_get(x, at) / (1 + exp(-hd_get(x, at + half))));
    }
}

static hd_status glu_infer(hd_infer *c) {
    char a[192];
    const hd_glu_args *o = c->attr;
    const int axis = hd_axis_resolve(o->axis, c->in[0].dims.rank);
    c->out[0] = c->in[0];
    if (hd_need_float(c, 0)) return HD_E_MODEL;
    if (axis < 0)
        return hd_infer_fail(c, "axis is out of range: x %s has %d dimensions", hd_dims_text(a, &c->in[0].dims),
                             c->in[0].dims.rank);
    const int64_t n = c->in[0].dims.dim[axis];
    if (n < 0 || n % 2)
        return hd_infer_fail(c, "axis %d of x %s must be an even number", axis, hd_dims_text(a, &c->in[0].dims));
    c->out[0].dims.dim[axis] = n / 2;
    return HD_OK;
}

/* a σ(b): da = dy σ(b), db = dy a σ(b) (1 − σ(b)). */
static void glu_grad(hd_grad *c) {
    const hd_glu_args *o = c->attr;
    const hd_dims dims = hd_val_dims(c->in[0]);
    const int axis = hd_axis_resolve(o->axis, dims.rank);
    if (axis < 0) return;
    const int64_t half = dims.dim[axis] / 2;
    const hd_val dy = c->dout[0];
    const hd_val a = hd_slice(c->in[0], .axis = o->axis, .stop = half);
    const hd_val gate = hd_sigmoid(hd_slice(c->in[0], .axis = o->axis, .start = half, .stop = 2 * half));
    const hd_val parts[2] = {hd_mul(dy, gate), hd_sigmoid_grad(gate, hd_mul(dy, a))};
    c->din[0] = hd_concat(parts, 2, .axis = o->axis);
}

static hd_cost glu_cost(const hd_infer *c) {
    return hd_cost_of(c, 2 * hd_cost_elements(&c->out[0]));
}

const hd_op hd_op_glu = {
    .name = "glu",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_glu_args),
    .options = (const hd_option[]){HD_OPTION(AXIS, hd_glu_args, axis, .def = -1, .help = "the axis that is halved"),
                                   HD_OPTION_END},
    .infer = glu_infer,
    .grad = glu_grad,
    .ref = glu_ref,
    .cost = glu_cost,
    .formula = "y = a σ(b), x = [a, b]",
    .source = "Dauphin, Fan, Auli, Grangier: Language modeling with gated convolutional networks, arXiv:1612.08083",
    .doc = "Gated linear unit: the first half of an axis, each number let through as far as the sigmoid of its partner "
           "in the second half says.",
    .samples = (const hd_sample[]){{"f32[4]={1 2 0 1000}", "{0.5 2}"},
                                   {"f32[2,2]={1 3 0 0} | axis=0", "{0.5 1.5}"},
                                   {"f32[2,0,3] | axis=1", NULL},
                                   {"f32[2,3,6]", NULL},
                                   {"f32[2,4,3] | axis=1", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3]", "must be an even number"},
                                   {"f32[2,4] | axis=2", "out of range"},
                                   {"i64[2]={1 2}", "cast it first"},
                                   {0}},
};

HD_BUILDER(glu, hd_glu_args)
