/* pairwise_distance.c: distance of rows. Knows nothing of backends. */
#include "ops/distance_kit.h"

static hd_status pairwise_distance_infer(hd_infer *c) {
    const hd_pairwise_distance_args *a = c->attr;
    hd_dims y;
    if (hd_infer_pair(c, &y)) return HD_E_MODEL;
    if (a->keepdim)
        y.dim[y.rank - 1] = 1;
    else
        y.rank--;
    c->out[0] = (hd_type){c->in[0].dtype, y};
    return HD_OK;
}

static void pairwise_distance_ref(const hd_ref *r) {
    const hd_pairwise_distance_args *a = r->attr;
    hd_row_pair p;
    hd_row_pair_init(&p, &r->in[0], &r->in[1], r->out[0].dims.rank - a->keepdim);
    for (int64_t i = 0; i < r->out[0].count; i++, hd_walk_next(&p.rows))
        hd_set(&r->out[0], i, hd_row_distance(&p, a->p, a->eps));
}

static void pairwise_distance_rule(hd_grad *c) {
    const hd_pairwise_distance_args *a = c->attr;
    const hd_val y = a->keepdim ? c->out[0] : hd_column(c->out[0]);
    const hd_val dy = a->keepdim ? c->dout[0] : hd_column(c->dout[0]);
    const hd_val d = hd_distance_slope(c->in[0], c->in[1], a->p, a->eps, y, dy);
    if (c->needs[0]) c->din[0] = hd_unbroadcast(d, c->in[0]);
    if (c->needs[1]) c->din[1] = hd_unbroadcast(hd_neg(d), c->in[1]);
}

HD_LOSS_COST(pairwise_distance_cost, 4)

const hd_op hd_op_pairwise_distance = {
    .name = "pairwise_distance",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x1", "x2"),
    .args_size = sizeof(hd_pairwise_distance_args),
    .options =
        (const hd_option[]){
            HD_ORDER(hd_pairwise_distance_args), HD_EPS(hd_pairwise_distance_args, 1e-6, "added to each difference"),
            HD_OPTION(BOOL, hd_pairwise_distance_args, keepdim, .help = "keep the last axis as 1"), HD_OPTION_END},
    .flags = HD_OP_REDUCE,
    .infer = pairwise_distance_infer,
    HD_LOSS_RULES(pairwise_distance),
    .formula = "y = (Σ |x1 − x2 + eps|^p)^(1/p) over the last axis",
    .source = "as torch.nn.PairwiseDistance",
    .doc =
        "The distance of each row of x1 from the row of x2 beside it; x1 and x2 broadcast. p = 0 counts the elements "
        "that differ, inf is the largest difference.",
    .samples = (const hd_sample[]){{"f32[2,2]={1 1 3 4}, f32[2,2]={1 2 0 0} | eps=0", "{1 5}"},
                                   {"f32[2]={3 4}, f32[2]={0 0} | eps=0 p=1 keepdim=true", "{7}"},
                                   {"f32[3]={3 4 1}, f32[3]={0 0 1} | eps=0 p=0", "{2}"},
                                   {"f32[3]={3 -4 1}, f32[3]={0 0 1} | eps=0 p=inf", "{4}"},
                                   {"f32[3,4], f32[3,4]", NULL},
                                   {"f32[2,1,3], f32[3,3] | p=1 keepdim=true", NULL},
                                   {"f32[3,4], f32[3,4] | p=3 eps=0.5", NULL},
                                   {"f32[4], f32[4] | p=-1", NULL},
                                   {"f32[4,3]:distinct, f32[4,3]:unit | p=inf", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3,4], f32[3,5]", "do not go together"},
                                   {"f32[], f32[]", "at least one dimension"},
                                   {0}},
};

HD_BUILDER(pairwise_distance, hd_pairwise_distance_args)
