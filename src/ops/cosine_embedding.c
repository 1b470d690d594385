/* cosine_embedding.c: pairs that shall point the same way, or not. Knows nothing of backends. */
#include "graph/graph.h"
#include "ops/distance_kit.h"

static const double eps = 1e-8;

static hd_status cosine_embedding_infer(hd_infer *c) {
    char a[192], b[192];
    hd_dims rows;
    if (hd_infer_rows(c, 0, 1, &rows)) return HD_E_MODEL;
    if (!hd_dims_equal(&c->in[2].dims, &rows))
        return hd_infer_fail(c, "target %s must have 1 or -1 for each row of x1 %s", hd_dims_text(a, &c->in[2].dims),
                             hd_dims_text(b, &c->in[0].dims));
    hd_infer_row_loss(c, &rows);
    return hd_need_dtype(c, 2, c->in[0].dtype);
}

static void cosine_embedding_ref(const hd_ref *r) {
    const hd_cosine_embedding_args *a = r->attr;
    hd_loss_sum s = {&r->out[0], a->reduction, 0};
    hd_row_pair p;
    hd_row_pair_init(&p, &r->in[0], &r->in[1], r->in[0].dims.rank - 1);
    for (int64_t i = 0; i < p.n; i++, hd_walk_next(&p.rows)) {
        const double cosine = hd_row_cosine(&p, eps), t = hd_get(&r->in[2], i);
        hd_loss_put(&s, i, t > 0 ? 1 - cosine : t < 0 ? hd_loss_least(cosine - a->margin, 0) : 0);
    }
    hd_loss_end(&s, (double)p.n);
}

/* dcos = −1 where target is 1; where it is −1, 1 if cos is above the margin. */
static void cosine_embedding_rule(hd_grad *c) {
    const hd_cosine_embedding_args *a = c->attr;
    const hd_val x1 = c->in[0], x2 = c->in[1], t = c->in[2];
    const hd_val cosine = hd_cosine_similarity(x1, x2, .axis = -1, .eps = eps);
    const hd_val above = hd_positive(hd_affine(cosine, .shift = -a->margin));
    const hd_val apart = hd_relu_grad(hd_neg(t), above), slope = hd_sub(apart, hd_positive(t));
    const hd_val dy = hd_column(hd_mul(slope, hd_loss_spread(c, t)));
    if (c->needs[0]) c->din[0] = hd_cosine_slope(x1, x2, -1, eps, dy);
    if (c->needs[1]) c->din[1] = hd_cosine_slope(x2, x1, -1, eps, dy);
}

HD_LOSS_COST(cosine_embedding_cost, 6)

const hd_op hd_op_cosine_embedding = {
    HD_LOSS3_HEAD(cosine_embedding, hd_cosine_embedding_args, "x1", "x2", "target"),
    .options = (const hd_option[]){HD_MARGIN(hd_cosine_embedding_args, 0, "cosine up to which pairs are far apart"),
                                   HD_REDUCTION(hd_cosine_embedding_args), HD_OPTION_END},
    .flags = HD_OP_KINK,
    HD_LOSS_RULES(cosine_embedding),
    .formula = "loss = mean(1 − cos where target = 1, max(0, cos − margin) where target = −1)",
    .source = "as torch.nn.CosineEmbeddingLoss",
    .doc = "Rows of x1 and x2 that belong together (target 1) shall point the same way, others (target −1) shall have "
           "a cosine of at most the margin.",
    .samples = (const hd_sample[]){{"f32[3,2]={1 0 3 4 1 0}, f32[3,2]={0 2 6 8 1 0}, f32[3]={1 -1 -1} | reduction=none",
                                    "{1 1 1}"},
                                   {"f32[2]={1 0}, f32[2]={3 4}, f32[]={-1} | margin=0.5", "{0.1}"},
                                   {"f32[2]={1 nan}, f32[2]={3 4}, f32[]={-1}", "{nan}"},
                                   {"f32[3,4], f32[3,4], f32[3]={1 -1 1}", NULL},
                                   {"f32[4,3], f32[4,3], f32[4]={-1 -1 1 -1} | margin=-0.5 reduction=none", NULL},
                                   {"f32[3], f32[3], f32[]={1} | reduction=sum", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3,4], f32[3,4], f32[4]", "for each row of x1 [3,4]"},
                                   {"f32[3,4], f32[3], f32[3]", "must have the same shape"},
                                   {0}},
};

HD_BUILDER(cosine_embedding, hd_cosine_embedding_args)
