/* cosine_similarity.c: cosine of the angle between rows. Knows nothing of backends. */
#include "ops/distance_kit.h"

static hd_status cosine_similarity_infer(hd_infer *c) {
    const hd_cosine_similarity_args *a = c->attr;
    hd_dims both;
    if (hd_infer_pair(c, &both)) return HD_E_MODEL;
    const int axis = hd_axis_resolve(a->axis, both.rank);
    if (axis < 0)
        return hd_infer_fail(c, "axis %lld is out of range: x1 and x2 have %d dimensions",
                             (long long)(a->axis > 0 ? a->axis - 1 : a->axis), both.rank);
    c->out[0] = hd_scalar_type(c->in[0].dtype);
    for (int i = 0; i < both.rank; i++)
        if (i != axis) c->out[0].dims.dim[c->out[0].dims.rank++] = both.dim[i];
    return HD_OK;
}

static void cosine_similarity_ref(const hd_ref *r) {
    const hd_cosine_similarity_args *a = r->attr;
    hd_row_pair p;
    hd_row_pair_init(&p, &r->in[0], &r->in[1], hd_axis_resolve(a->axis, r->out[0].dims.rank + 1));
    for (int64_t i = 0; i < r->out[0].count; i++, hd_walk_next(&p.rows))
        hd_set(&r->out[0], i, hd_row_cosine(&p, a->eps));
}

static void cosine_similarity_rule(hd_grad *c) {
    const hd_cosine_similarity_args *a = c->attr;
    const hd_val both = hd_add(c->in[0], c->in[1]);
    hd_dims dims = hd_val_dims(both);
    const int axis = hd_axis_resolve(a->axis, dims.rank);
    dims.dim[axis] = 1;
    const hd_val dy = hd_reshape(c->dout[0], .dims = dims);
    hd_val x[2];
    for (int i = 0; i < 2; i++) x[i] = hd_broadcast_like(c->in[i], both);
    for (int i = 0; i < 2; i++)
        if (c->needs[i]) c->din[i] = hd_unbroadcast(hd_cosine_slope(x[i], x[1 - i], axis, a->eps, dy), c->in[i]);
}

HD_LOSS_COST(cosine_similarity_cost, 6)

const hd_op hd_op_cosine_similarity = {
    .name = "cosine_similarity",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x1", "x2"),
    .args_size = sizeof(hd_cosine_similarity_args),
    .options = (const hd_option[]){HD_OPTION(AXIS, hd_cosine_similarity_args, axis, .def = HD_AXIS(1),
                                             .help = "along which the rows lie"),
                                   HD_EPS(hd_cosine_similarity_args, 1e-8, "least length"), HD_OPTION_END},
    .flags = HD_OP_REDUCE,
    .infer = cosine_similarity_infer,
    HD_LOSS_RULES(cosine_similarity),
    .formula = "y = x1·x2 / (max(|x1|, eps) max(|x2|, eps))",
    .source = "as torch.nn.CosineSimilarity",
    .doc = "How much two vectors point the same way: 1 the same, 0 at right angles, −1 opposite. Vectors lie along "
           "axis; x1 and x2 broadcast.",
    .samples = (const hd_sample[]){{"f32[2,2]={1 0 3 4}, f32[2,2]={0 2 6 8}", "{0 1}"},
                                   {"f32[2]={1 1}, f32[2]={-2 -2} | axis=0", "{-1}"},
                                   {"f32[2]={0.1 0}, f32[2]={1 0} | axis=0 eps=0.5", "{0.2}"},
                                   {"f32[3,4], f32[3,4]", NULL},
                                   {"f32[1,2,3], f32[2,1,3] | axis=-1", NULL},
                                   {"f32[2,3,4], f32[4] | axis=-2", NULL},
                                   {"f32[5]:unit, f32[5] | axis=0 eps=3", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3], f32[3]", "axis 1 is out of range"},
                                   {"f32[3,4], f32[3,5]", "do not go together"},
                                   {0}},
};

HD_BUILDER(cosine_similarity, hd_cosine_similarity_args)
