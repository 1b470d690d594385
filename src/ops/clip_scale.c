/* clip_scale.c: the factor that brings a gradient down to a norm. Knows nothing of backends. */
#include "ops/op_kit.h"

static hd_status clip_scale_infer(hd_infer *c) {
    const hd_clip_scale_args *a = c->attr;
    c->out[0] = hd_scalar_type(HD_F32);
    c->out[1] = hd_scalar_type(HD_F64);
    for (int i = 0; i < c->n_in; i++) {
        if (hd_need_float(c, i)) return HD_E_MODEL;
        if (c->in[i].dtype == HD_F64) c->out[0].dtype = HD_F64;
    }
    return a->max_norm > 0 ? HD_OK : hd_infer_fail(c, "max_norm must be greater than 0");
}

static void clip_scale_ref(const hd_ref *r) {
    const hd_clip_scale_args *a = r->attr;
    double sum = 0;
    for (int k = 0; k < r->n_in; k++)
        for (int64_t i = 0; i < r->in[k].count; i++) sum += hd_get(&r->in[k], i) * hd_get(&r->in[k], i);
    const double scale = a->max_norm / (sqrt(sum) + 1e-6);
    hd_set(&r->out[0], 0, scale > 1 ? 1 : scale);
    hd_set(&r->out[1], 0, sqrt(sum));
}

static hd_cost clip_scale_cost(const hd_infer *c) {
    double n = 0;
    for (int i = 0; i < c->n_in; i++) n += hd_cost_elements(&c->in[i]);
    return hd_cost_of(c, 2 * n);
}

const hd_op hd_op_clip_scale = {
    .name = "clip_scale",
    .n_in = 1,
    .n_out = 2,
    .in_names = HD_NAMES("x"),
    .out_names = HD_NAMES("scale", "norm"),
    .args_size = sizeof(hd_clip_scale_args),
    .options =
        (const hd_option[]){HD_OPTION(FLOAT, hd_clip_scale_args, max_norm, .help = "largest norm"), HD_OPTION_END},
    .flags = HD_OP_REDUCE | HD_OP_VARIADIC,
    .infer = clip_scale_infer,
    .no_grad_reason = "it acts after the step that is differentiated: a constant, as in torch.nn.utils.clip_grad_norm_",
    .ref = clip_scale_ref,
    .cost = clip_scale_cost,
    .formula = "norm = ‖x₁, x₂, …‖₂; scale = min(1, max_norm / (norm + 1e-6))",
    .source = "Pascanu, Mikolov, Bengio 2013; as torch.nn.utils.clip_grad_norm_",
    .doc = "The factor that brings several tensors, taken as one long vector, down to a norm of at most max_norm, and "
           "that norm.",
    .samples = (const hd_sample[]){{"f32[2]={3 0}, f32[1,1]={4} | max_norm=2.5", "{0.4999999} {5}"},
                                   {"f32[2]={3 4} | max_norm=10", "{1} {5}"},
                                   {"f32[3]={0 0 0} | max_norm=1", "{1} {0}"},
                                   {"f32[100], f32[7,9], f32[] | max_norm=0.5", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2]", "max_norm must be greater than 0"},
                                   {"f32[2], i64[2]={1 2} | max_norm=1", "f32 or f64"},
                                   {0}},
};

HD_BUILDER(clip_scale, hd_clip_scale_args)
