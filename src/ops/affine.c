/* affine.c: y = scale·x + shift with constant numbers. Knows nothing of backends. */
#include "ops/op_kit.h"

static void affine_ref(const hd_ref *r) {
    const hd_affine_args *a = r->attr;
    for (int64_t i = 0; i < r->out[0].count; i++) hd_set(&r->out[0], i, a->scale * hd_get(&r->in[0], i) + a->shift);
}

static void affine_grad(hd_grad *c) {
    const hd_affine_args *a = c->attr;
    c->din[0] = hd_affine(c->dout[0], .scale = hd_explicit(a->scale));
}

static hd_cost affine_cost(const hd_infer *c) {
    return hd_cost_of(c, 2 * hd_cost_elements(&c->out[0]));
}

const hd_op hd_op_affine = {
    .name = "affine",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_affine_args),
    .options =
        (const hd_option[]){HD_OPTION(FLOAT, hd_affine_args, scale, .def = 1, .help = "factor"),
                            HD_OPTION(FLOAT, hd_affine_args, shift, .help = "added to the product"), HD_OPTION_END},
    .flags = HD_OP_ELEMENTWISE | HD_OP_INPLACE,
    .infer = hd_infer_unary_float,
    .grad = affine_grad,
    .ref = affine_ref,
    .cost = affine_cost,
    .formula = "y = scale·x + shift",
    .source = "as x * scale + shift in NumPy",
    .doc = "Scales and shifts every element by constants of the graph.",
    .samples = (const hd_sample[]){{"f32[3]={1 2 -3} | scale=2 shift=-1", "{1 3 -7}"},
                                   {"f32[2]={5 -7}", "{5 -7}"},
                                   {"f32[2,3,5] | scale=-0.5", NULL},
                                   {"f32[] | scale=3 shift=0.25", NULL},
                                   {"f32[0] | scale=3", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"i64[3]={1 2 3} | scale=2", "f32 or f64"}, {0}},
};

HD_BUILDER(affine, hd_affine_args)
