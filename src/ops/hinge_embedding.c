/* hinge_embedding.c: distances that shall be small, or larger than a margin. Knows nothing of backends. */
#include "ops/loss_kit.h"

/* Both terms where the target is neither 1 nor −1, as in PyTorch. */
HD_PAIR_LOSS_REF(hinge_embedding_ref, hd_hinge_embedding_args,
                 (t != 1 ? hd_loss_least(a->margin - x, 0) : 0) + (t != -1 ? x : 0))
HD_LOSS_COST(hinge_embedding_cost, 4)

static void hinge_embedding_rule(hd_grad *c) {
    const hd_hinge_embedding_args *a = c->attr;
    const hd_val x = c->in[0], t = c->in[1];
    const hd_val inside = hd_positive(hd_affine(x, .scale = -1, .shift = a->margin));
    const hd_val far = hd_relu_grad(hd_abs(hd_affine(t, .shift = -1)), inside);
    const hd_val near = hd_positive(hd_abs(hd_affine(t, .shift = 1)));
    if (c->needs[0]) c->din[0] = hd_mul(hd_sub(near, far), hd_loss_each(c));
}

const hd_op hd_op_hinge_embedding = {
    HD_LOSS_HEAD(hinge_embedding, hd_hinge_embedding_args),
    .options = (const hd_option[]){HD_MARGIN(hd_hinge_embedding_args, 1, "distance that is far enough"),
                                   HD_REDUCTION(hd_hinge_embedding_args), HD_OPTION_END},
    .flags = HD_OP_KINK,
    HD_LOSS_RULES(hinge_embedding),
    .formula = "loss = mean(x where target = 1, max(0, margin − x) where target = −1)",
    .source = "as torch.nn.HingeEmbeddingLoss; Hadsell, Chopra, LeCun 2006",
    .doc =
        "x are distances of pairs: of a pair that belongs together (target 1) the distance is the loss, of any other "
        "(target −1) what it lacks of the margin.",
    .samples = (const hd_sample[]){{"f32[3]={0.5 0.25 3}, f32[3]={1 -1 -1} | reduction=none", "{0.5 0.75 0}"},
                                   {"f32[2]={0.5 0.25}, f32[2]={1 -1} | margin=2", "{1.125}"},
                                   {"f32[2]={0.5 nan}, f32[2]={1 -1}", "{nan}"},
                                   {"f32[]={-5}, f32[]={2.5}", "{1}"},
                                   {"f32[6], f32[6]={0.5 -2 0.25 2 3 -0.5}", NULL},
                                   {"f32[2,3], f32[2,3] | margin=0.5 reduction=sum", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,1], f32[6]", "target [6] must have the same shape"}, {0}},
};

HD_BUILDER(hinge_embedding, hd_hinge_embedding_args)
