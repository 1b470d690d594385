/* optim_nadam.h: NAdam: Adam with Nesterov's look ahead. */
#ifdef HD_OPTIM_RULES
HD_INLINE R nadam_rule(const RULE *f, R p, R d, R *s) {
    s[0] = s[0] + f->c[2] * (d - s[0]);
    s[1] = f->c[3] * s[1] + f->c[6] * d * d;
    return p - (f->c[0] * d + f->c[1] * s[0]) / (r_sqrt(s[1]) * f->c[4] + f->c[5]);
}
#endif

#ifdef HD_OPTIM_ABOUT
static double nadam_mu(const hd_optimizer *o, double t) {
    return o->beta1 * (1 - 0.5 * pow(0.96, t * o->momentum_decay));
}

/* Π μ over all steps is gone on with from the step before; a run that begins elsewhere makes it anew. Below 1e-30 it
 * changes no digit of 1 − Π. The second divisor counts μₜ twice, and products are rounded to f32, as PyTorch 1.13
 * does. */
static void nadam_step(const hd_optimizer *o, hd_optim_step *s) {
    if (s->product_at > s->t || s->product_at < 1) s->product = 1, s->product_at = 0;
    while (s->product_at < s->t && s->product > 1e-30)
        s->product = (double)((float)s->product * (float)nadam_mu(o, ++s->product_at));
    s->product_at = s->t;
    const double mu = nadam_mu(o, s->t), next = nadam_mu(o, s->t + 1);
    s->c[0] = s->lr * (1 - mu) / (1 - s->product);
    s->c[1] = s->lr * next / (1 - (double)((float)s->product * (float)mu * (float)next));
    s->c[2] = 1 - o->beta1;
    s->c[3] = o->beta2;
    s->c[4] = 1 / sqrt(1 - pow(o->beta2, s->t));
    s->c[5] = o->eps;
    s->c[6] = 1 - o->beta2;
}

static const hd_optim hd_optim_nadam = {
    .name = "nadam",
    .op = &hd_op_nadam_update,
    .lr = 0.002,
    .slot = {"exp_avg", "exp_avg_sq"},
    .step = nadam_step,
};

HD_UPDATE(
    nadam,
    .options = (const hd_option[]){HD_SETTING_BETAS(0.9, 0.999), HD_SETTING_EPS(1e-8),
                                   HD_SETTING(FLOAT, momentum_decay, .def = 4e-3, .min = 0, .max = 1e30,
                                              .help = "how fast the momentum grows to beta1"),
                                   HD_SETTINGS_END},
    .formula = "m, v as adam; μₜ = β₁(1 − ½·0.96^(t·momentum_decay)); p ← p − lr·((1−μₜ)/(1−Πμ)·g + "
               "μₜ₊₁/(1−Πμ·μₜ·μₜ₊₁)·m) / (√v̂ + eps)",
    .source = "Dozat: Incorporating Nesterov momentum into Adam, 2016; as torch.optim.NAdam",
    .doc = "One step of NAdam. s0 is the mean of gradients, s1 that of their squares.",
    .samples = (const hd_sample[]){{"f32[1]={1}, f32[1]={2}, f64[5]={0.5 1 0 1 1}, -, f32[1]={0}, f32[1]={0} | "
                                    "beta1=0.5 beta2=0.5 momentum_decay=1e9",
                                    "{0.3571429} {1} {2} {} {}"},
                                   {"f32[3,5], f32[3,5], f64[5]={0.01 7 0.01 1 1}, f32[]={0.7}, f32[3,5], f32[3,5]:pos",
                                    NULL},
                                   {"f32[300], f32[300], f64[5]={0.1 300 0.01 1 1}, -, f32[300], f32[300]:pos", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3], f32[4], f64[5]={0.1 1 0 1 1}", "same shape"},
                                   {"f32[3], f32[3], f64[2]={0.1 1}", "hyper must be f64 [5]"},
                                   {0}})
#endif

HD_OPTIMIZER(nadam)
