/* batch_norm.c: batch normalisation with the statistics of the batch (training). Knows nothing of backends. */
#include "ops/norm_kit.h"

static hd_status batch_norm_check(hd_infer *c) {
    const hd_batch_norm_args *a = c->attr;
    if (hd_need_by_channel(c, 4)) return HD_E_MODEL;
    if (a->act != HD_ACT_NONE && a->act != HD_ACT_RELU) return hd_infer_fail(c, "act must be none or relu");
    return HD_OK;
}

static hd_status batch_norm_infer(hd_infer *c) {
    if (batch_norm_check(c)) return HD_E_MODEL;
    c->out[0] = c->in[0];
    for (int i = 1; i < 5; i++) c->out[i] = c->in[1];
    return HD_OK;
}

/* Two passes for the variance; the running one is unbiased (a single value a channel counts as two). */
static void batch_norm_ref(const hd_ref *r) {
    const hd_batch_norm_args *a = r->attr;
    const hd_axis_split z = hd_split_at(&r->in[0].dims, 1);
    const double m = (double)z.outer * (double)z.inner, unbias = m > 1 ? m / (m - 1) : 1;
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; T *y = r->out[0].data; for (int64_t c = 0; c < z.n; c++) {
            double mean = 0, var = 0;
            for (int64_t n = 0; n < z.outer; n++)
                for (int64_t i = 0; i < z.inner; i++) mean += (double)x[(n * z.n + c) * z.inner + i];
            mean /= m;
            for (int64_t n = 0; n < z.outer; n++)
                for (int64_t i = 0; i < z.inner; i++) {
                    const double d = (double)x[(n * z.n + c) * z.inner + i] - mean;
                    var += d * d;
                }
            var /= m;
            const double invstd = 1 / sqrt(var + a->eps);
            const double w = (double)((const T *)r->in[1].data)[c], b = (double)((const T *)r->in[2].data)[c];
            const double running_mean = (double)((const T *)r->in[3].data)[c];
            const double running_var = (double)((const T *)r->in[4].data)[c];
            for (int64_t n = 0; n < z.outer; n++)
                for (int64_t i = 0; i < z.inner; i++) {
                    const int64_t at = (n * z.n + c) * z.inner + i;
                    y[at] = (T)hd_act_apply(a->act, ((double)x[at] - mean) * invstd * w + b);
                }
            ((T *)r->out[1].data)[c] = (T)mean;
            ((T *)r->out[2].data)[c] = (T)invstd;
            ((T *)r->out[3].data)[c] = (T)((1 - a->momentum) * running_mean + a->momentum * mean);
            ((T *)r->out[4].data)[c] = (T)((1 - a->momentum) * running_var + a->momentum * var * unbias);
        })
}

/* What reaches y goes through batch_norm_grad. What reaches mean and invstd (from a second derivative): mean is Σ x /
 * m, ∂invstd/∂x = −invstd³ (x − mean) / m. The running statistics are a record, no gradient flows into them. */
static void batch_norm_rule(hd_grad *c) {
    const hd_batch_norm_args *a = c->attr;
    const hd_val x = c->in[0], mean = c->out[1], invstd = c->out[2];
    if (!hd_val_is_none(c->dout[0])) {
        hd_batch_norm_grad_args args = {x, c->in[1], mean, invstd, c->dout[0], {0}, a->act, 0};
        if (a->act == HD_ACT_RELU) args.y = c->out[0];
        const hd_val grad = hd_batch_norm_grad_at(HD_HERE, &args);
        for (int i = 0; i < 3; i++)
            if (c->needs[i]) c->din[i] = hd_output(grad, i);
    }
    if (!c->needs[0]) return;
    if (!hd_val_is_none(c->dout[1]))
        c->din[0] = hd_plus(c->din[0], hd_broadcast_like(hd_per_channel(c->dout[1], x), x, .average = true));
    if (!hd_val_is_none(c->dout[2])) {
        const hd_val d = hd_neg(hd_mul(c->dout[2], hd_mul(invstd, hd_mul(invstd, invstd))));
        const hd_val each = hd_broadcast_like(hd_per_channel(d, x), x, .average = true);
        c->din[0] = hd_plus(c->din[0], hd_mul(each, hd_sub(x, hd_per_channel(mean, x))));
    }
}

static hd_cost batch_norm_cost(const hd_infer *c) {
    return hd_cost_of(c, 7 * hd_cost_elements(&c->in[0]));
}

const hd_op hd_op_batch_norm = {
    HD_NORM_RUNNING_HEAD(batch_norm),
    .infer = batch_norm_infer,
    .grad = batch_norm_rule,
    .ref = batch_norm_ref,
    .cost = batch_norm_cost,
    .formula = "y = act((x − mean) / √(var + eps) · w + b), statistics of the batch, a channel each",
    .source = "Ioffe, Szegedy: Batch normalization, ICML 2015; as torch.nn.BatchNorm2d in training",
    .doc = "Brings every channel of a batch to mean 0 and deviation 1, then scales and shifts it: x [n, c, …]; weight, "
           "bias and "
           "running statistics [c]. The running mean and (unbiased) variance move by `momentum` towards the batch's, "
           "for use "
           "outside training.",
    .onnx = "BatchNormalization",
    .samples =
        (const hd_sample[]){
            {"f32[2,1]={1 3}, f32[1]={2}, f32[1]={1}, f32[1]={10}, f32[1]={5} | eps=0", "{-1 3} {2} {1} {9.2} {4.7}"},
            {"f32[1,2,2]={1 3 4 4}, f32[2]={1 1}, f32[2]={0 7}, f32[2]={0 0}, f32[2]={1 1} | "
             "eps=1 momentum=1",
             "{-0.7071067812 0.7071067812 7 7} {2 4} {0.7071067812 1} {2 4} {2 0}"},
            {"f32[4,3,5,5], f32[3]:pos, f32[3], f32[3], f32[3]:pos", NULL},
            {"f32[8,16,4,4], f32[16]:pos, f32[16], f32[16], f32[16]:pos | momentum=0.3 eps=0.001", NULL},
            {"f32[6,4], f32[4], f32[4], f32[4], f32[4]:pos | act=relu", NULL},
            {"f32[3,2,7], f32[2], f32[2], f32[2], f32[2]:pos", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[4,3,5,5], f32[4], f32[3], f32[3], f32[3]",
                                    "weight is [4], x [4,3,5,5] has 3 channels"},
                                   {"f32[4], f32[4], f32[4], f32[4], f32[4]", "must be [n, c, …]"},
                                   {"f32[4,3], f32[3], f32[3], f32[3], f32[3] | act=tanh", "none or relu"},
                                   {0}},
};

static hd_status batch_norm_infer_infer(hd_infer *c) {
    c->out[0] = c->in[0];
    return batch_norm_check(c);
}

static void batch_norm_infer_ref(const hd_ref *r) {
    const hd_batch_norm_args *a = r->attr;
    const hd_axis_split z = hd_split_at(&r->in[0].dims, 1);
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; T *y = r->out[0].data;
        for (int64_t nc = 0; nc < z.outer * z.n; nc++) {
            const int64_t c = nc % z.n;
            const double w = (double)((const T *)r->in[1].data)[c], b = (double)((const T *)r->in[2].data)[c];
            const double mean = (double)((const T *)r->in[3].data)[c];
            const double invstd = 1 / sqrt((double)((const T *)r->in[4].data)[c] + a->eps);
            for (int64_t i = 0; i < z.inner; i++)
                *y++ = (T)hd_act_apply(a->act, ((double)*x++ - mean) * invstd * w + b);
        })
}

/* y = (x − mean)·s·w + b with s = 1/√(var + eps), all of it elementwise over the channels. */
static void batch_norm_infer_rule(hd_grad *c) {
    const hd_batch_norm_args *a = c->attr;
    const hd_val x = c->in[0], w = c->in[1], dy = hd_act_grad(a->act, c->out[0], c->dout[0]);
    const hd_val s = hd_exp(hd_affine(hd_log(hd_affine(c->in[4], .shift = hd_explicit(a->eps))), .scale = -0.5));
    const hd_val ws = hd_mul(w, s);
    if (c->needs[0]) c->din[0] = hd_mul(dy, hd_per_channel(ws, x));
    if (!c->needs[1] && !c->needs[2] && !c->needs[3] && !c->needs[4]) return;
    const hd_val db = hd_channel_sum(dy);
    const hd_val dw = hd_mul(hd_channel_sum(hd_mul(dy, hd_sub(x, hd_per_channel(c->in[3], x)))), s);
    if (c->needs[1]) c->din[1] = dw;
    if (c->needs[2]) c->din[2] = db;
    if (c->needs[3]) c->din[3] = hd_neg(hd_mul(db, ws));
    if (c->needs[4]) c->din[4] = hd_affine(hd_mul(hd_mul(dw, w), hd_mul(s, s)), .scale = -0.5);
}

static hd_cost batch_norm_infer_cost(const hd_infer *c) {
    return hd_cost_of(c, 2 * hd_cost_elements(&c->in[0]));
}

const hd_op hd_op_batch_norm_infer = {
    .name = "batch_norm_infer",
    .n_in = 5,
    .n_out = 1,
    .in_names = HD_NAMES("x", "weight", "bias", "running_mean", "running_var"),
    .args_size = sizeof(hd_batch_norm_args),
    .options = (const hd_option[]){HD_BATCH_NORM_OPTIONS, HD_OPTION_END},
    .flags = HD_OP_INPLACE,
    .infer = batch_norm_infer_infer,
    .grad = batch_norm_infer_rule,
    .ref = batch_norm_infer_ref,
    .cost = batch_norm_infer_cost,
    .formula = "y = act((x − running_mean) / √(running_var + eps) · w + b)",
    .source = "Ioffe, Szegedy: Batch normalization, ICML 2015; as torch.nn.BatchNorm2d in evaluation",
    .doc =
        "Batch normalisation outside training: by the running statistics, so that a sample's result does not depend on "
        "the others. Takes the place of batch_norm when a program without training is compiled.",
    .onnx = "BatchNormalization",
    .samples = (const hd_sample[]){{"f32[2,1]={1 3}, f32[1]={2}, f32[1]={1}, f32[1]={2}, f32[1]={4} | eps=0", "{0 2}"},
                                   {"f32[4,3,5,5], f32[3]:pos, f32[3], f32[3], f32[3]:pos", NULL},
                                   {"f32[6,4], f32[4], f32[4], f32[4], f32[4]:pos | eps=0.1 act=relu", NULL},
                                   {"f32[3,2,7], f32[2], f32[2], f32[2], f32[2]:pos", NULL},
                                   {"f32[0,2,3], f32[2], f32[2], f32[2], f32[2]:pos", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[4,3], f32[3], f32[3], f32[3], f32[2]", "running_var is [2]"}, {0}},
};

HD_BUILDER(batch_norm, hd_batch_norm_args)
HD_BUILDER(batch_norm_infer, hd_batch_norm_args)
