/* optim_adam.h: Adam: steps of about the learning rate, whatever the gradient's size. The order of operations is
 * PyTorch's. */
#ifdef HD_OPTIM_RULES
HD_INLINE R adam_rule(const RULE *f, R p, R d, R *s) {
    s[0] = s[0] + f->c[1] * (d - s[0]);
    s[1] = f->c[2] * s[1] + f->c[3] * d * d;
    if (f->flag[0]) s[2] = r_max(s[2], s[1]);
    return p - f->c[0] * s[0] / (r_sqrt(f->flag[0] ? s[2] : s[1]) * f->c[4] + f->c[5]);
}
#endif

#ifdef HD_OPTIM_ABOUT
static unsigned adam_keeps(const hd_optimizer *o) {
    return o->amsgrad ? 7 : 3;
}

static void adam_step(const hd_optimizer *o, hd_optim_step *s) {
    s->c[0] = s->lr / (1 - pow(o->beta1, s->t));
    s->c[1] = 1 - o->beta1;
    s->c[2] = o->beta2;
    s->c[3] = 1 - o->beta2;
    s->c[4] = 1 / sqrt(1 - pow(o->beta2, s->t));
    s->c[5] = o->eps;
    s->flag[0] = o->amsgrad;
}

#define ADAM_SLOTS                                                                                                     \
    { "exp_avg", "exp_avg_sq", "max_exp_avg_sq" }
#define ADAM_SETTINGS                                                                                                  \
    HD_SETTING_BETAS(0.9, 0.999), HD_SETTING_EPS(1e-8),                                                                \
        HD_SETTING(BOOL, amsgrad, .help = "divide by the largest square so far"), HD_SETTINGS_END
#define ADAM_BAD                                                                                                       \
    {"f32[3], f32[3], f64[5]={0.1 1 0 1 1}, -, f32[3], f32[4]", "same shape"},                                         \
        {"f32[3], f32[3], f64[5]={0.1 1 0 1 1}, -, f32[3], f32[3] | beta1=1", "beta1 is 1"}, {                         \
        0                                                                                                              \
    }

static const hd_optim hd_optim_adam = {
    .name = "adam",
    .op = &hd_op_adam_update,
    .lr = 0.001,
    .slot = ADAM_SLOTS,
    .keeps = adam_keeps,
    .step = adam_step,
};

HD_UPDATE(
    adam, .options = (const hd_option[]){ADAM_SETTINGS},
    .formula = "m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; p ← p − lr · m̂ / (√v̂ + eps), m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ)",
    .source = "Kingma, Ba: Adam, ICLR 2015; Reddi et al.: On the convergence of Adam and beyond, ICLR 2018 (amsgrad); "
              "as torch.optim.Adam",
    .doc = "One step of Adam. s0 is the mean of gradients, s1 that of their squares, s2 the largest of these "
           "(amsgrad). Weight decay is added to the gradient.",
    .samples =
        (const hd_sample[]){
            {"f32[2]={1 2}, f32[2]={10 -10}, f64[5]={0.1 1 0 1 1}, -, f32[2]={0 0}, f32[2]={0 0}",
             "{0.9 2.1} {1 -1} {0.1 0.1} {} {}"},
            {"f32[1]={2}, f32[1]={1}, f64[5]={0.1 1 0.5 1 1}, f32[]={3}, f32[1]={0}, f32[1]={0}",
             "{1.9} {0.4} {0.016} {} {}"},
            {"f32[1]={2}, f32[1]={1}, f64[5]={0.1 1 0 1 1}, -, f32[1]={0}, f32[1]={0} | eps=1",
             "{1.95} {0.1} {0.001} {} {}"},
            {"f32[1]={2}, f32[1]={1}, f64[5]={0.1 1 0 1 1}, -, f32[1]={0}, f32[1]={0}, f32[1]={4e-3} | amsgrad=true",
             "{1.95} {0.1} {0.001} {0.004} {}"},
            {"f32[3,5], f32[3,5], f64[5]={0.01 7 0.01 1 1}, f32[]={0.7}, f32[3,5], f32[3,5]:pos", NULL},
            {"f32[1000], f32[1000], f64[5]={0.01 7 0.01 1 1}, -, f32[1000], f32[1000]:pos, f32[1000]:pos | "
             "amsgrad=true beta1=0.8 beta2=0.99 eps=1e-6",
             NULL},
            {0}},
    .bad = (const hd_bad_sample[]){ADAM_BAD})
#endif

HD_OPTIMIZER(adam)
