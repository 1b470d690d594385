/* lerp.c: y = a + w (b − a): the way from a to b. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

/* From the nearer end, so that both are met exactly. */
static double between(double a, double b, double w) {
    return fabs(w) < 0.5 ? a + w * (b - a) : b - (b - a) * (1 - w);
}

static void lerp_ref(const hd_ref *r) {
    hd_walk w, v;
    const hd_lerp_args *o = r->attr;
    const hd_tensor *y = &r->out[0], *weights = &r->in[2];
    const hd_dims none = {0};
    hd_walk_init(&w, &y->dims, &r->in[0].dims, &r->in[1].dims);
    hd_walk_init(&v, &y->dims, weights->data ? &weights->dims : &none, NULL);
    for (int64_t i = 0; i < y->count; i++, hd_walk_next(&w), hd_walk_next(&v)) {
        const double weight = weights->data ? hd_get(weights, v.at[0]) : o->at;
        hd_set(y, i, between(hd_get(&r->in[0], w.at[0]), hd_get(&r->in[1], w.at[1]), weight));
    }
}

static hd_status lerp_infer(hd_infer *c) {
    char a[192], b[192];
    if (hd_infer_binary_float(c)) return HD_E_MODEL;
    if (hd_absent(c, 2)) return HD_OK;
    const hd_dims ends = c->out[0].dims;
    if (hd_need_dtype(c, 2, c->in[0].dtype)) return HD_E_MODEL;
    if (hd_dims_broadcast(&c->out[0].dims, &ends, &c->in[2].dims)) return HD_OK;
    return hd_infer_fail(c, "w %s does not go with a and b, which give %s", hd_dims_text(a, &c->in[2].dims),
                         hd_dims_text(b, &ends));
}

static void lerp_grad(hd_grad *c) {
    const hd_lerp_args *o = c->attr;
    const hd_val a = c->in[0], b = c->in[1], w = c->in[2], dy = c->dout[0];
    const bool fixed = hd_val_is_none(w);
    const hd_val far = fixed ? hd_affine(dy, .scale = hd_explicit(o->at)) : hd_mul(dy, w);
    if (c->needs[0]) c->din[0] = hd_unbroadcast(hd_sub(dy, far), a);
    if (c->needs[1]) c->din[1] = hd_unbroadcast(far, b);
    if (!fixed && c->needs[2]) c->din[2] = hd_unbroadcast(hd_mul(dy, hd_sub(b, a)), w);
}

const hd_op hd_op_lerp = {
    .name = "lerp",
    .n_in = 2,
    .n_optional = 1,
    .n_out = 1,
    .in_names = HD_NAMES("a", "b", "w"),
    .args_size = sizeof(hd_lerp_args),
    .options =
        (const hd_option[]){HD_OPTION(FLOAT, hd_lerp_args, at, .def = 0.5, .help = "the weight where w is not given"),
                            HD_OPTION_END},
    .flags = HD_OP_ELEMENTWISE | HD_OP_BROADCAST | HD_OP_INPLACE,
    .infer = lerp_infer,
    .grad = lerp_grad,
    .ref = lerp_ref,
    .formula = "y = a + w (b − a)",
    .source = "as torch.lerp; NumPy's broadcasting",
    .doc = "Linear interpolation: a at w = 0, b at w = 1, a straight line through both elsewhere.",
    .samples = (const hd_sample[]){{"f32[3]={1 2 3}, f32[3]={3 2 -1}", "{2 2 1}"},
                                   {"f32[3]={1 2 3}, f32[3]={3 2 -1}, f32[3]={0 2 0.25}", "{1 2 2}"},
                                   {"f32[2]={1 2}, f32[1]={3} | at=0.75", "{2.5 2.75}"},
                                   {"f32[2,3,5], f32[2,3,5] | at=0.2", NULL},
                                   {"f32[2,3,5], f32[3,1], f32[5]", NULL},
                                   {"f32[], f32[2,2], f32[]", NULL},
                                   {"f32[3], f32[3], f32[2,1,3]", NULL},
                                   {"f32[0,3], f32[3]", NULL},
                                   {"f32[2,3], f32[2,3], f32[2,3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[2]", "do not go together"},
                                   {"i64[2]={1 2}, i64[2]={1 2}", "cast it first"},
                                   {"f32[2], f32[2], f64[2]", "w must be f32"},
                                   {"f32[2], f32[2], f32[3]", "w [3] does not go"},
                                   {0}},
};

HD_BUILDER(lerp, hd_lerp_args)
