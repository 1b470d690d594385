/* adam_update.c: one step of Adam or AdamW, in place. Knows nothing of backends. */
#include "ops/op_kit.h"

static hd_status adam_update_infer(hd_infer *c) {
    if (hd_need_float(c, 0)) return HD_E_MODEL;
    for (int i = 1; i < 4; i++)
        if (hd_need_same(c, 0, i)) return HD_E_MODEL;
    for (int i = 0; i < 3; i++) c->out[i] = c->in[0];
    return hd_need_hyper(c, 4, 5);
}

/* PyTorch's order of operations: decay, moments, then p −= lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + eps). */
static void adam_update_ref(const hd_ref *r) {
    const hd_adam_update_args *a = r->attr;
    const double *hyper = r->in[4].data, lr = hyper[0], t = hyper[1], decay = hyper[2];
    const double scale = r->n_in > 5 && r->in[5].data ? hd_get(&r->in[5], 0) : 1;
    const double step = lr / (1 - pow(a->beta1, t)), correction = sqrt(1 - pow(a->beta2, t));
    HD_FLOATS(
        r->out[0].dtype, const T *p = r->in[0].data; const T *g = r->in[1].data; const T *m = r->in[2].data;
        const T *v = r->in[3].data; T *p_new = r->out[0].data; T *m_new = r->out[1].data; T *v_new = r->out[2].data;
        for (int64_t i = 0; i < r->out[0].count; i++) {
            double w = (double)p[i], d = (double)g[i] * scale;
            if (a->decoupled)
                w *= 1 - lr * decay;
            else
                d += decay * w;
            const double m1 = (double)m[i] + (d - (double)m[i]) * (1 - a->beta1);
            const double v1 = (double)v[i] * a->beta2 + (1 - a->beta2) * d * d;
            m_new[i] = (T)m1;
            v_new[i] = (T)v1;
            p_new[i] = (T)(w - step * m1 / (sqrt(v1) / correction + a->eps));
        })
}

static hd_cost adam_update_cost(const hd_infer *c) {
    return hd_cost_of(c, 14 * hd_cost_elements(&c->in[0]));
}

const hd_op hd_op_adam_update = {
    .name = "adam_update",
    .n_in = 5,
    .n_optional = 1,
    .n_out = 3,
    .in_names = HD_NAMES("p", "g", "m", "v", "hyper", "scale"),
    .out_names = HD_NAMES("p", "m", "v"),
    .args_size = sizeof(hd_adam_update_args),
    .options =
        (const hd_option[]){
            HD_OPTION(FLOAT, hd_adam_update_args, beta1, .def = 0.9, .min = 0, .max = 0.9999999,
                      .help = "memory of the mean"),
            HD_OPTION(FLOAT, hd_adam_update_args, beta2, .def = 0.999, .min = 0, .max = 0.9999999,
                      .help = "memory of the square"),
            HD_OPTION(FLOAT, hd_adam_update_args, eps, .def = 1e-8, .min = 0, .max = 1e30, .help = "added to the root"),
            HD_OPTION(BOOL, hd_adam_update_args, decoupled, .help = "weight decay apart from the gradient (AdamW)"),
            HD_OPTION_END},
    .flags = HD_OP_EFFECT,
    .infer = adam_update_infer,
    .no_grad_reason = "it acts after the step that is differentiated",
    .ref = adam_update_ref,
    .cost = adam_update_cost,
    .alias = {1, 3, 4},
    .formula = "m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; p ← p − lr · m̂ / (√v̂ + eps), m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ)",
    .source =
        "Kingma, Ba: Adam, ICLR 2015; Loshchilov, Hutter: Decoupled weight decay, ICLR 2019; as torch.optim.Adam(W)",
    .doc =
        "One step of Adam: hyper is f64 [4] (learning rate, step number from 1, weight decay, 0), scale a factor of "
        "the "
        "gradient (clipping). Weight decay is added to the gradient, or with decoupled (AdamW) taken off the weights.",
    .samples =
        (const hd_sample[]){
            {"f32[2]={1 2}, f32[2]={10 -10}, f32[2]={0 0}, f32[2]={0 0}, f64[4]={0.1 1 0 0}",
             "{0.9 2.1} {1 -1} {0.1 0.1}"},
            {"f32[1]={2}, f32[1]={1}, f32[1]={0}, f32[1]={0}, f64[4]={0.1 1 0.5 0} | decoupled=true",
             "{1.8} {0.1} {0.001}"},
            {"f32[1]={2}, f32[1]={1}, f32[1]={0}, f32[1]={0}, f64[4]={0.1 1 0.5 0}, f32[]={3}", "{1.9} {0.4} {0.016}"},
            {"f32[1]={2}, f32[1]={1}, f32[1]={0}, f32[1]={0}, f64[4]={0.1 1 0 0} | eps=1", "{1.95} {0.1} {0.001}"},
            {"f32[3,5], f32[3,5], f32[3,5], f32[3,5]:pos, f64[4]={0.01 7 0.01 0}, f32[]={0.7}", NULL},
            {"f32[1000], f32[1000], f32[1000], f32[1000]:pos, f64[4]={0.01 7 0.01 0} | decoupled=true "
             "beta1=0.8 beta2=0.99 eps=1e-6",
             NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[3], f32[3], f32[3], f32[4], f64[4]={0.1 1 0 0}", "same shape"},
                                   {"f32[3], f32[3], f32[3], f32[3], f32[4]={0.1 1 0 0}", "hyper must be f64 [4]"},
                                   {"f32[3], f32[3], f32[3], f32[3], f64[4]={0.1 1 0 0} | beta1=1", "beta1 is 1"},
                                   {0}},
};

HD_BUILDER(adam_update, hd_adam_update_args)
