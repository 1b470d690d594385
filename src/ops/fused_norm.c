/* fused_norm.c: batch normalisation with what follows it, an addition and a clipping activation, and the gradients of
 * that. Made by the pass `fuse`. Where nothing is added the gradient asks for the bias and works out by itself what the
 * activation let through, so that y is not read. Knows nothing of backends. */
#include "ops/fused.h"
#include "ops/op_kit.h"

static const char fused_reason[] = "made after differentiation, from batch_norm, which has a gradient";
static const char *const clip_choices[] = {"none", "relu", "relu6", NULL};

void hd_clip_edges(int64_t clip, double *low, double *high) {
    *low = clip == HD_CLIP_NONE ? -INFINITY : 0;
    *high = clip == HD_CLIP_RELU6 ? 6 : INFINITY;
}

static double clipped(int64_t clip, double v) {
    double low, high;
    hd_clip_edges(clip, &low, &high);
    return v < low ? low : v > high ? high : v;
}

/* Of a value before it was clipped, or after: the edges are outside. */
static bool lets_through(int64_t clip, double v) {
    double low, high;
    hd_clip_edges(clip, &low, &high);
    return clip == HD_CLIP_NONE || (v > low && v < high);
}

static double number(const hd_ref *r, int input, int64_t i) {
    return input < r->n_in && r->in[input].data ? hd_get(&r->in[input], i) : 0;
}

/* Element i of channel c. */
static int64_t place(const hd_axis_split *z, int64_t c, int64_t i) {
    return (i / z->inner * z->n + c) * z->inner + i % z->inner;
}

/* ---- forward ---- */

static hd_status batch_norm_act_infer(hd_infer *c) {
    if (hd_need_by_channel(c, 4) || (!hd_absent(c, 5) && hd_need_same(c, 0, 5))) return HD_E_MODEL;
    c->out[0] = c->in[0];
    for (int i = 1; i < 5; i++) c->out[i] = c->in[1];
    return HD_OK;
}

static void batch_norm_act_ref(const hd_ref *r) {
    const hd_batch_norm_act_args *a = r->attr;
    const hd_axis_split z = hd_split_at(&r->in[0].dims, 1);
    const int64_t m = z.outer * z.inner;
    for (int64_t c = 0; c < z.n; c++) {
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < m; i++) sum += number(r, 0, place(&z, c, i));
        const double mean = sum / (double)m;
        for (int64_t i = 0; i < m; i++) squares += pow(number(r, 0, place(&z, c, i)) - mean, 2);
        const double invstd = 1 / sqrt(squares / (double)m + a->eps), w = number(r, 1, c), b = number(r, 2, c);
        for (int64_t i = 0; i < m; i++) {
            const int64_t at = place(&z, c, i);
            const double v = (number(r, 0, at) - mean) * invstd * w + b + number(r, 5, at);
            hd_set(&r->out[0], at, clipped(a->clip, v));
        }
        const double unbiased = squares / (double)(m > 1 ? m - 1 : 1);
        hd_set(&r->out[1], c, mean);
        hd_set(&r->out[2], c, invstd);
        hd_set(&r->out[3], c, (1 - a->momentum) * number(r, 3, c) + a->momentum * mean);
        hd_set(&r->out[4], c, (1 - a->momentum) * number(r, 4, c) + a->momentum * unbiased);
    }
}

static hd_cost batch_norm_act_cost(const hd_infer *c) {
    return hd_cost_of(c, 8 * hd_cost_elements(&c->in[0]));
}

const hd_op hd_op_batch_norm_act = {
    .name = "batch_norm_act",
    .n_in = 5,
    .n_optional = 1,
    .n_out = 5,
    .in_names = HD_NAMES("x", "weight", "bias", "running_mean", "running_var", "residual"),
    .out_names = HD_NAMES("y", "mean", "invstd", "running_mean", "running_var"),
    .args_size = sizeof(hd_batch_norm_act_args),
    .options = (const hd_option[]){HD_OPTION(FLOAT, hd_batch_norm_act_args, eps, .def = 1e-5, .min = 0, .max = 1e30,
                                             .help = "added to the variance"),
                                   HD_OPTION(FLOAT, hd_batch_norm_act_args, momentum, .def = 0.1, .min = 0, .max = 1,
                                             .help = "share of the batch in the new running statistics"),
                                   HD_OPTION(ENUM, hd_batch_norm_act_args, clip, .choices = clip_choices,
                                             .help = "none, relu or relu6"),
                                   HD_OPTION_END},
    .flags = HD_OP_EFFECT | HD_OP_INTERNAL,
    .alias = {0, 0, 0, 4, 5},
    .infer = batch_norm_act_infer,
    .no_grad_reason = fused_reason,
    .ref = batch_norm_act_ref,
    .cost = batch_norm_act_cost,
    .formula = "y = clip((x − mean) / √(var + eps) · w + b + residual), statistics of the batch, a channel each",
    .source = "as batch_norm, add and relu or relu6",
    .doc = "Batch normalisation in training, with a residual added and the activation applied in the same pass.",
    .samples = (const hd_sample[]){{"f32[2,1]={1 3}, f32[1]={2}, f32[1]={1}, f32[1]={10}, f32[1]={5}, f32[2,1]={0.5 1} "
                                    "| eps=0 clip=relu",
                                    "{0 4} {2} {1} {9.2} {4.7}"},
                                   {"f32[2,1]={1 3}, f32[1]={7}, f32[1]={1}, f32[1]={10}, f32[1]={5} "
                                    "| eps=0 clip=relu6",
                                    "{0 6} {2} {1} {9.2} {4.7}"},
                                   {"f32[4,3,5,5], f32[3]:pos, f32[3], f32[3], f32[3]:pos, f32[4,3,5,5]", NULL},
                                   {"f32[6,4], f32[4], f32[4], f32[4], f32[4]:pos | clip=relu", NULL},
                                   {"f32[8,16,4,4], f32[16]:pos, f32[16], f32[16], f32[16]:pos | clip=relu6", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[4,3], f32[3], f32[3], f32[3], f32[3], f32[4,2]", "must have the same shape"},
                                   {"f32[4,3], f32[3], f32[3], f32[3], f32[2]", "running_var is [2]"},
                                   {0}},
};

/* ---- gradients ---- */

/* What arrives at the normalised value: the sum of two gradients where y is not clipped. */
static double through(const hd_ref *r, bool add, int64_t c, int64_t at) {
    const hd_batch_norm_act_grad_args *a = r->attr;
    const double xc = add ? 0 : number(r, 0, at) - number(r, 3, c);
    const double v = add ? number(r, 4, at) : xc * number(r, 4, c) * number(r, 1, c) + number(r, 2, c);
    return lets_through(a->clip, v) ? number(r, 5, at) + number(r, 6, at) : 0;
}

/* add: inputs x w mean invstd y dy dy2, else x w b mean invstd dy. */
static void back_ref(const hd_ref *r, bool add) {
    const hd_axis_split z = hd_split_at(&r->in[0].dims, 1);
    const int64_t m = z.outer * z.inner;
    for (int64_t c = 0; c < z.n; c++) {
        const double w = number(r, 1, c), mean = number(r, add ? 2 : 3, c), invstd = number(r, add ? 3 : 4, c);
        double db = 0, dw = 0;
        for (int64_t i = 0; i < m; i++) {
            const int64_t at = place(&z, c, i);
            const double d = through(r, add, c, at);
            db += d;
            dw += d * (number(r, 0, at) - mean) * invstd;
        }
        for (int64_t i = 0; i < m; i++) {
            const int64_t at = place(&z, c, i);
            const double d = through(r, add, c, at), xh = (number(r, 0, at) - mean) * invstd;
            hd_set(&r->out[0], at, w * invstd * (d - db / (double)m - xh * dw / (double)m));
            if (add) hd_set(&r->out[3], at, d);
        }
        hd_set(&r->out[1], c, dw);
        hd_set(&r->out[2], c, db);
    }
}
static void batch_norm_act_grad_ref(const hd_ref *r) {
    back_ref(r, false);
}
static void batch_norm_add_grad_ref(const hd_ref *r) {
    back_ref(r, true);
}

static hd_status batch_norm_act_grad_infer(hd_infer *c) {
    if (hd_need_by_channel(c, 4) || hd_need_same(c, 0, 5)) return HD_E_MODEL;
    c->out[0] = c->in[0];
    c->out[1] = c->out[2] = c->in[1];
    return HD_OK;
}

static hd_status batch_norm_add_grad_infer(hd_infer *c) {
    if (hd_need_by_channel(c, 3) || hd_need_same(c, 0, 4) || hd_need_same(c, 0, 5)) return HD_E_MODEL;
    if (!hd_absent(c, 6) && hd_need_same(c, 0, 6)) return HD_E_MODEL;
    c->out[0] = c->out[3] = c->in[0];
    c->out[1] = c->out[2] = c->in[1];
    return HD_OK;
}

static hd_cost back_cost(const hd_infer *c) {
    return hd_cost_of(c, 10 * hd_cost_elements(&c->in[0]));
}

/* What the two ops say alike. */
#define NORM_BACK(name_)                                                                                               \
    .name = #name_, .args_size = sizeof(hd_batch_norm_act_grad_args),                                                  \
    .options = (const hd_option[]){HD_OPTION(ENUM, hd_batch_norm_act_grad_args, clip, .choices = clip_choices,         \
                                             .help = "none, relu or relu6: dy counts where it let through"),           \
                                   HD_OPTION_END},                                                                     \
    .flags = HD_OP_INTERNAL, .infer = name_##_infer, .no_grad_reason = fused_reason, .ref = name_##_ref,               \
    .cost = back_cost, .source = "Ioffe, Szegedy: Batch normalization, ICML 2015, section 3"

const hd_op hd_op_batch_norm_act_grad = {
    NORM_BACK(batch_norm_act_grad),
    .n_in = 6,
    .n_out = 3,
    .in_names = HD_NAMES("x", "weight", "bias", "mean", "invstd", "dy"),
    .out_names = HD_NAMES("dx", "dw", "db"),
    .formula = "d = dy where clip lets x̂ w + b through, db = Σ d, dw = Σ d x̂, dx = w·invstd (d − db/m − x̂ dw/m)",
    .doc = "Back-propagation through batch_norm_act without a residual.",
    .samples = (const hd_sample[]){{"f32[3,1]={1 2 3}, f32[1]={2}, f32[1]={0}, f32[1]={2}, f32[1]={1}, "
                                    "f32[3,1]={1 1 3} | clip=relu",
                                    "{0 -2 2} {3} {3}"},
                                   {"f32[3,1]={1 2 3}, f32[1]={7}, f32[1]={0}, f32[1]={2}, f32[1]={1}, "
                                    "f32[3,1]={1 1 3} | clip=relu6",
                                    "{0 0 0} {0} {0}"},
                                   {"f32[4,3,5,5], f32[3]:pos, f32[3], f32[3], f32[3]:pos, f32[4,3,5,5]", NULL},
                                   {"f32[6,4], f32[4], f32[4], f32[4], f32[4]:pos, f32[6,4] | clip=relu", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[4,3], f32[3], f32[3], f32[3], f32[3], f32[4,2]", "must have the same shape"},
                                   {0}},
};

const hd_op hd_op_batch_norm_add_grad = {
    NORM_BACK(batch_norm_add_grad),
    .n_in = 6,
    .n_optional = 1,
    .n_out = 4,
    .in_names = HD_NAMES("x", "weight", "mean", "invstd", "y", "dy", "dy2"),
    .out_names = HD_NAMES("dx", "dw", "db", "dresidual"),
    .formula = "d = dy + dy2 where clip let y through, db = Σ d, dw = Σ d x̂, dx = w·invstd (d − db/m − x̂ dw/m), "
               "dresidual = d",
    .doc = "Back-propagation through batch_norm_act with a residual.",
    .samples =
        (const hd_sample[]){
            {"f32[3,1]={1 2 3}, f32[1]={2}, f32[1]={2}, f32[1]={1}, f32[3,1]={0 0 9}, f32[3,1]={1 1 2}, "
             "f32[3,1]={1 1 1} | clip=relu",
             "{0 -2 2} {3} {3} {0 0 3}"},
            {"f32[4,3,5,5], f32[3]:pos, f32[3], f32[3]:pos, f32[4,3,5,5]:away, f32[4,3,5,5] | clip=relu6", NULL},
            {"f32[6,4], f32[4], f32[4], f32[4]:pos, f32[6,4]:away, f32[6,4], f32[6,4] | clip=relu", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[4,3], f32[3], f32[3], f32[3], f32[4,3], f32[4,2]", "must have the same shape"},
                                   {0}},
};
