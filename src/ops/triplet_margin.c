/* triplet_margin.c: nearer to the positive than to the negative. Knows nothing of backends. */
#include "ops/distance_kit.h"

static hd_status triplet_margin_infer(hd_infer *c) {
    hd_dims rows;
    if (hd_infer_rows(c, 0, 1, &rows) || hd_need_same(c, 0, 2)) return HD_E_MODEL;
    hd_infer_row_loss(c, &rows);
    return HD_OK;
}

static void triplet_margin_ref(const hd_ref *r) {
    const hd_triplet_margin_args *a = r->attr;
    static const int pairs[3][2] = {{0, 1}, {0, 2}, {1, 2}};
    hd_loss_sum s = {&r->out[0], a->reduction, 0};
    hd_row_pair p[3];
    for (int k = 0; k < 3; k++)
        hd_row_pair_init(&p[k], &r->in[pairs[k][0]], &r->in[pairs[k][1]], r->in[0].dims.rank - 1);
    for (int64_t i = 0; i < p[0].n; i++) {
        double d[3];
        for (int k = 0; k < 3; k++, hd_walk_next(&p[k - 1].rows)) d[k] = hd_row_distance(&p[k], a->p, a->eps);
        hd_loss_put(&s, i, hd_loss_least(a->margin + d[0] - (a->swap ? fmin(d[1], d[2]) : d[1]), 0));
    }
    hd_loss_end(&s, (double)p[0].n);
}

static hd_val distance(const hd_grad *c, int i, int j) {
    const hd_triplet_margin_args *a = c->attr;
    return hd_pairwise_distance(c->in[i], c->in[j], hd_explicit(a->p), hd_explicit(a->eps), .keepdim = true);
}

/* Adds the gradient of the distance of inputs i and j, of which dy arrives. */
static void add_distance(hd_grad *c, int i, int j, hd_val y, hd_val dy) {
    const hd_triplet_margin_args *a = c->attr;
    const hd_val d = hd_distance_slope(c->in[i], c->in[j], a->p, a->eps, y, dy);
    if (c->needs[i]) c->din[i] = hd_plus(c->din[i], d);
    if (c->needs[j]) c->din[j] = hd_plus(c->din[j], hd_neg(d));
}

static void triplet_margin_rule(hd_grad *c) {
    const hd_triplet_margin_args *a = c->attr;
    const hd_val near = distance(c, 0, 1), far = distance(c, 0, 2), other = distance(c, 1, 2);
    const hd_val swapped = a->swap ? hd_positive(hd_sub(far, other)) : hd_fill_like(far);
    const hd_val least = a->swap ? hd_sub(far, hd_relu(hd_sub(far, other))) : far;
    const hd_val lack = hd_affine(hd_sub(near, least), .shift = hd_explicit(a->margin));
    const hd_val dy = hd_relu_grad(lack, hd_loss_column(c, near));
    add_distance(c, 0, 1, near, dy);
    add_distance(c, 0, 2, far, hd_mul(hd_affine(swapped, .shift = -1), dy));
    if (a->swap) add_distance(c, 1, 2, other, hd_neg(hd_mul(swapped, dy)));
}

HD_LOSS_COST(triplet_margin_cost, 8)

const hd_op hd_op_triplet_margin = {
    HD_LOSS3_HEAD(triplet_margin, hd_triplet_margin_args, "anchor", "positive", "negative"),
    .options =
        (const hd_option[]){
            HD_MARGIN(hd_triplet_margin_args, 1, "lead that is enough"), HD_ORDER(hd_triplet_margin_args),
            HD_EPS(hd_triplet_margin_args, 1e-6, "added to each difference"),
            HD_OPTION(BOOL, hd_triplet_margin_args, swap, .help = "the negative may be far from the positive instead"),
            HD_REDUCTION(hd_triplet_margin_args), HD_OPTION_END},
    .flags = HD_OP_KINK,
    HD_LOSS_RULES(triplet_margin),
    .formula = "loss = mean(max(0, margin + |anchor − positive|_p − |anchor − negative|_p))",
    .source = "Balntas et al. 2016; Schroff et al. 2015; as torch.nn.TripletMarginLoss",
    .doc = "The anchor shall be nearer to the positive than to the negative, by the margin; rows lie along the last "
           "axis. swap takes the distance of positive and negative where that is the smaller one.",
    .samples = (const hd_sample[]){{"f32[2]={0 0}, f32[2]={3 4}, f32[2]={0 2} | eps=0", "{4}"},
                                   {"f32[2,1]={0 0}, f32[2,1]={1 1}, f32[2,1]={3 1} | eps=0 reduction=none", "{0 1}"},
                                   {"f32[1,1]={0}, f32[1,1]={2}, f32[1,1]={3} | eps=0 swap=true reduction=sum", "{2}"},
                                   {"f32[1]={nan}, f32[1]={2}, f32[1]={3}", "{nan}"},
                                   {"f32[4,3], f32[4,3], f32[4,3] | margin=2", NULL},
                                   {"f32[4,3], f32[4,3], f32[4,3] | swap=true p=1 reduction=none", NULL},
                                   {"f32[2,2,3], f32[2,2,3], f32[2,2,3] | p=3 margin=5 reduction=sum", NULL},
                                   {"f32[3], f32[3], f32[3] | swap=true margin=4", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3,4], f32[3,4], f32[3,5]", "must have the same shape"},
                                   {"f32[], f32[], f32[]", "at least one dimension"},
                                   {0}},
};

HD_BUILDER(triplet_margin, hd_triplet_margin_args)
