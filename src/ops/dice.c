/* dice.c: overlap of two regions. Knows nothing of backends. */
#include "ops/loss_kit.h"

/* A sample is a row of axis 0; [d] is one sample. */
static hd_status dice_infer(hd_infer *c) {
    const hd_dims *x = &c->in[0].dims;
    if (hd_infer_loss(c)) return HD_E_MODEL;
    if (x->rank == 0) return hd_infer_fail(c, "x must have at least one dimension, it is []");
    if (hd_reduction_of(c->op, c->attr) == HD_REDUCE_NONE)
        c->out[0].dims = x->rank > 1 ? HD_DIMS(x->dim[0]) : (hd_dims){0};
    return HD_OK;
}

static void dice_ref(const hd_ref *r) {
    const hd_dice_args *a = r->attr;
    const hd_tensor *x = &r->in[0], *t = &r->in[1];
    const int64_t n = x->dims.rank > 1 ? x->dims.dim[0] : 1, d = n ? x->count / n : 0;
    hd_loss_sum s = {&r->out[0], a->reduction, 0};
    for (int64_t i = 0; i < n; i++) {
        double both = 0, all = 0;
        for (int64_t j = i * d; j < (i + 1) * d; j++) {
            both += hd_get(x, j) * hd_get(t, j);
            all += hd_get(x, j) + hd_get(t, j);
        }
        hd_loss_put(&s, i, 1 - (2 * both + a->smooth) / (all + a->smooth));
    }
    hd_loss_end(&s, (double)n);
}

/* With I = Σ x t, U = Σ x + Σ t, q = (2 I + s)/(U + s): dx = (q − 2t)/(U + s), and dt alike. */
static void dice_rule(hd_grad *c) {
    const hd_dice_args *a = c->attr;
    const hd_val x = c->in[0], t = c->in[1];
    hd_dims axes = {.rank = 0};
    const int rank = hd_val_dims(x).rank;
    for (int i = rank > 1; i < rank; i++) axes.dim[axes.rank++] = i;
    const hd_val both = hd_sum(hd_mul(x, t), .axes = axes, .keepdim = true);
    const hd_val all = hd_affine(hd_sum(hd_add(x, t), .axes = axes, .keepdim = true), .shift = hd_explicit(a->smooth));
    const hd_val q = hd_div(hd_affine(both, .scale = 2, .shift = hd_explicit(a->smooth)), all);
    const bool none = a->reduction == HD_REDUCE_NONE;
    const hd_val dy = none ? hd_reshape_like(c->dout[0], all) : hd_loss_spread(c, all), part = hd_div(dy, all);
    if (c->needs[0]) c->din[0] = hd_mul(hd_sub(q, hd_affine(t, .scale = 2)), part);
    if (c->needs[1]) c->din[1] = hd_mul(hd_sub(q, hd_affine(x, .scale = 2)), part);
}

HD_LOSS_COST(dice_cost, 4)

const hd_op hd_op_dice = {
    .name = "dice",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "target"),
    .out_names = HD_NAMES("loss"),
    .args_size = sizeof(hd_dice_args),
    .options = (const hd_option[]){HD_OPTION(FLOAT, hd_dice_args, smooth, .def = 1, .min = 0, .max = 1e30,
                                             .help = "added above and below: two empty regions are alike"),
                                   HD_REDUCTION(hd_dice_args), HD_OPTION_END},
    .infer = dice_infer,
    HD_LOSS_RULES(dice),
    .formula = "loss = mean over samples of 1 − (2 Σ x t + smooth)/(Σ x + Σ t + smooth)",
    .source = "Milletari, Navab, Ahmadi: V-Net, 2016, section 3, with plain sums below as in Sudre et al. 2017",
    .doc = "One less the overlap (Dice 1945) of two regions: x are probabilities, 0 … 1, target 0 or 1, of the same "
           "shape [n, …]; sums are over a sample. For regions that are small beside the picture.",
    .samples = (const hd_sample[]){{"f32[2,2]={1 0 0 1}, f32[2,2]={1 0 1 0} | reduction=none", "{0 0.6666666667}"},
                                   {"f32[2]={0.5 0.5}, f32[2]={1 0} | smooth=0", "{0.5}"},
                                   {"f32[1,2]={0 0}, f32[1,2]={0 0} | reduction=sum", "{0}"},
                                   {"f32[3,4]:pos, f32[3,4]:pos", NULL},
                                   {"f32[2,3,2]:pos, f32[2,3,2]:pos | smooth=0.5 reduction=none", NULL},
                                   {"f32[5]:pos, f32[5]:pos | reduction=sum", NULL},
                                   {"f32[5]:pos, f32[5]:pos | reduction=none smooth=0", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,1], f32[6]", "target [6] must have the same shape"},
                                   {"f32[], f32[]", "at least one dimension"},
                                   {0}},
};

HD_BUILDER(dice, hd_dice_args)
