/* batch_norm_grad.c: the backward op of batch_norm. Knows nothing of backends. */
#include "ops/op_kit.h"

static hd_status batch_norm_grad_infer(hd_infer *c) {
    const hd_batch_norm_grad_args *a = c->attr;
    if (hd_need_by_channel(c, 3) || hd_need_same(c, 0, 4)) return HD_E_MODEL;
    if (a->act != HD_ACT_NONE && a->act != HD_ACT_RELU) return hd_infer_fail(c, "act must be none or relu");
    if (a->act == HD_ACT_RELU && hd_absent(c, 5)) return hd_infer_fail(c, "act relu needs y");
    if (a->act == HD_ACT_RELU && hd_need_same(c, 0, 5)) return HD_E_MODEL;
    c->out[0] = c->in[0];
    c->out[1] = c->out[2] = c->in[1];
    return HD_OK;
}

/* With x̂ = (x − mean)·invstd and m values a channel: db = Σ dy, dw = Σ dy x̂, dx = w·invstd (dy − db/m − x̂ dw/m). */
static void batch_norm_grad_ref(const hd_ref *r) {
    const hd_batch_norm_grad_args *a = r->attr;
    const hd_axis_split z = hd_split_at(&r->in[0].dims, 1);
    const double m = (double)z.outer * (double)z.inner;
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; const T *dys = r->in[4].data; T *dx = r->out[0].data;
        const T *y = a->act == HD_ACT_RELU ? r->in[5].data : NULL; for (int64_t c = 0; c < z.n; c++) {
            const double w = (double)((const T *)r->in[1].data)[c], mean = (double)((const T *)r->in[2].data)[c];
            const double invstd = (double)((const T *)r->in[3].data)[c];
            double dw = 0, db = 0;
            for (int64_t n = 0; n < z.outer; n++)
                for (int64_t i = 0; i < z.inner; i++) {
                    const int64_t at = (n * z.n + c) * z.inner + i;
                    const double dy = y && !(y[at] > 0) ? 0 : (double)dys[at];
                    db += dy;
                    dw += dy * ((double)x[at] - mean) * invstd;
                }
            for (int64_t n = 0; n < z.outer; n++)
                for (int64_t i = 0; i < z.inner; i++) {
                    const int64_t at = (n * z.n + c) * z.inner + i;
                    const double dy = y && !(y[at] > 0) ? 0 : (double)dys[at];
                    dx[at] = (T)(w * invstd * (dy - db / m - ((double)x[at] - mean) * invstd * dw / m));
                }
            ((T *)r->out[1].data)[c] = (T)dw;
            ((T *)r->out[2].data)[c] = (T)db;
        })
}

/* What the three inputs of the rule below share. */
typedef struct second {
    hd_val x, w, invstd, dy;
    hd_val xc, xh;       /* x − mean, x̂ */
    hd_val ddy, dxh, dk; /* into dy, into x̂, into k = w·invstd: none until something arrives */
} second;

/* From dx = k (dy − mean(dy) − x̂ mean(dy x̂)) and what arrives at it, g. */
static void second_of_dx(second *s, hd_val g, hd_val mean) {
    const hd_val x = s->x;
    const hd_val m1 = hd_channel_mean(s->dy), m2 = hd_channel_mean(hd_mul(s->dy, s->xh));
    const hd_val g2 = hd_channel_mean(hd_mul(g, s->xh));
    const hd_val k = hd_per_channel(hd_mul(s->w, s->invstd), x);
    s->ddy = hd_batch_norm_grad(x, s->w, mean, s->invstd, g); /* symmetric in dy and g */
    const hd_val inner = hd_sub(hd_sub(s->dy, hd_per_channel(m1, x)), hd_mul(s->xh, hd_per_channel(m2, x)));
    s->dk = hd_channel_sum(hd_mul(g, inner));
    s->dxh = hd_neg(hd_mul(k, hd_add(hd_mul(g, hd_per_channel(m2, x)), hd_mul(s->dy, hd_per_channel(g2, x)))));
}

static void batch_norm_grad_rule(hd_grad *c) {
    const hd_batch_norm_grad_args *a = c->attr;
    second s = {.x = c->in[0], .w = c->in[1], .invstd = c->in[3], .dy = c->in[4]};
    const hd_val mean = c->in[2], gw = c->dout[1], gb = c->dout[2];
    if (a->act == HD_ACT_RELU) s.dy = hd_relu_grad(c->in[5], s.dy);
    s.xc = hd_sub(s.x, hd_per_channel(mean, s.x));
    s.xh = hd_mul(s.xc, hd_per_channel(s.invstd, s.x));
    if (!hd_val_is_none(c->dout[0])) second_of_dx(&s, c->dout[0], mean);
    if (!hd_val_is_none(gw)) { /* dw = Σ dy x̂ */
        s.ddy = hd_plus(s.ddy, hd_mul(s.xh, hd_per_channel(gw, s.x)));
        s.dxh = hd_plus(s.dxh, hd_mul(s.dy, hd_per_channel(gw, s.x)));
    }
    if (!hd_val_is_none(gb)) s.ddy = hd_plus(s.ddy, hd_broadcast_like(hd_per_channel(gb, s.x), s.x)); /* db = Σ dy */
    if (c->needs[4] && a->act == HD_ACT_RELU) s.ddy = hd_relu_grad(c->in[5], s.ddy);
    if (c->needs[4]) c->din[4] = s.ddy;
    if (!hd_val_is_none(s.dk)) {
        if (c->needs[1]) c->din[1] = hd_mul(s.dk, s.invstd);
        if (c->needs[3]) c->din[3] = hd_mul(s.dk, s.w);
    }
    if (hd_val_is_none(s.dxh)) return;
    if (c->needs[0]) c->din[0] = hd_mul(s.dxh, hd_per_channel(s.invstd, s.x));
    if (c->needs[2]) c->din[2] = hd_neg(hd_mul(hd_channel_sum(s.dxh), s.invstd));
    if (c->needs[3]) c->din[3] = hd_plus(c->din[3], hd_channel_sum(hd_mul(s.dxh, s.xc)));
}

static hd_cost batch_norm_grad_cost(const hd_infer *c) {
    return hd_cost_of(c, 10 * hd_cost_elements(&c->in[0]));
}

const hd_op hd_op_batch_norm_grad = {
    .name = "batch_norm_grad",
    .n_in = 5,
    .n_optional = 1,
    .n_out = 3,
    .in_names = HD_NAMES("x", "weight", "mean", "invstd", "dy", "y"),
    .out_names = HD_NAMES("dx", "dw", "db"),
    .args_size = sizeof(hd_batch_norm_grad_args),
    .options = (const hd_option[]){HD_OPTION(ENUM, hd_batch_norm_grad_args, act, .choices = hd_act_choices,
                                             .help = "none or relu: dy counts where y > 0"),
                                   HD_OPTION_END},
    .infer = batch_norm_grad_infer,
    .grad = batch_norm_grad_rule,
    .ref = batch_norm_grad_ref,
    .cost = batch_norm_grad_cost,
    .formula = "db = Σ dy, dw = Σ dy x̂, dx = w·invstd (dy − db/m − x̂ dw/m), x̂ = (x − mean)·invstd",
    .source = "Ioffe, Szegedy: Batch normalization, ICML 2015, section 3",
    .doc = "Back-propagation through batch_norm from the mean and 1/deviation that it saved; m values a channel. With "
           "act relu "
           "dy counts only where y is positive.",
    .samples =
        (const hd_sample[]){
            {"f32[2,1]={1 3}, f32[1]={2}, f32[1]={2}, f32[1]={1}, f32[2,1]={5 1}", "{0 0} {-4} {6}"},
            {"f32[3,1]={1 2 3}, f32[1]={2}, f32[1]={2}, f32[1]={1}, f32[3,1]={1 0 0}, f32[3,1]={0 1 2} | "
             "act=relu",
             "{0 0 0} {0} {0}"},
            {"f32[4,3,5,5], f32[3]:pos, f32[3], f32[3]:pos, f32[4,3,5,5]", NULL},
            {"f32[6,4], f32[4], f32[4], f32[4]:pos, f32[6,4]", NULL},
            {"f32[3,2,7], f32[2], f32[2], f32[2]:pos, f32[3,2,7], f32[3,2,7]:away | act=relu", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[4,3], f32[3], f32[3], f32[3], f32[4,2]", "dy [4,2] must have the same shape"},
                                   {"f32[4,3], f32[3], f32[3], f32[3], f32[4,3] | act=relu", "needs y"},
                                   {0}},
};

HD_BUILDER(batch_norm_grad, hd_batch_norm_grad_args)
