/* optim_radam.h: RAdam: Adam that waits with its division until the mean square can be relied on. */
#ifdef HD_OPTIM_RULES
HD_INLINE R radam_rule(const RULE *f, R p, R d, R *s) {
    s[0] = s[0] + f->c[1] * (d - s[0]);
    s[1] = f->c[2] * s[1] + f->c[3] * d * d;
    return p - (f->flag[0] ? f->c[0] * s[0] / (r_sqrt(s[1]) + f->c[4]) : f->c[0] * s[0]);
}
#endif

#ifdef HD_OPTIM_ABOUT
static void radam_step(const hd_optimizer *o, hd_optim_step *s) {
    const double power = pow(o->beta2, s->t), most = 2 / (1 - o->beta2) - 1;
    const double rho = most - 2 * s->t * power / (1 - power);
    s->c[0] = s->lr / (1 - pow(o->beta1, s->t));
    s->c[1] = 1 - o->beta1;
    s->c[2] = o->beta2;
    s->c[3] = 1 - o->beta2;
    s->c[4] = o->eps;
    s->flag[0] = rho > 5;
    if (rho > 5) s->c[0] *= sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho)) * sqrt(1 - power);
}

static const hd_optim hd_optim_radam = {
    .name = "radam",
    .op = &hd_op_radam_update,
    .lr = 0.001,
    .slot = {"exp_avg", "exp_avg_sq"},
    .step = radam_step,
};

HD_UPDATE(
    radam, .options = (const hd_option[]){HD_SETTING_BETAS(0.9, 0.999), HD_SETTING_EPS(1e-8), HD_SETTINGS_END},
    .formula = "m, v as adam; ρₜ = ρ∞ − 2tβ₂ᵗ/(1−β₂ᵗ), ρ∞ = 2/(1−β₂) − 1; ρₜ > 5: p ← p − lr·m̂·√(1−β₂ᵗ)/(√v + eps) · "
               "√((ρₜ−4)(ρₜ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρₜ)), else p ← p − lr·m̂",
    .source = "Liu et al.: On the variance of the adaptive learning rate and beyond, ICLR 2020; as torch.optim.RAdam",
    .doc = "One step of RAdam. s0 is the mean of gradients, s1 that of their squares.",
    .samples = (const hd_sample[]){{"f32[1]={1}, f32[1]={2}, f64[5]={0.25 1 0 1 1}, -, f32[1]={0}, f32[1]={0}",
                                    "{0.5} {0.2} {0.004} {} {}"},
                                   {"f32[3,5], f32[3,5], f64[5]={0.01 7 0.01 1 1}, f32[]={0.7}, f32[3,5], f32[3,5]:pos",
                                    NULL},
                                   {"f32[300], f32[300], f64[5]={0.1 3 0.01 1 1}, -, f32[300], f32[300]:pos", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3], f32[4], f64[5]={0.1 1 0 1 1}", "same shape"},
                                   {"f32[3], f32[3], f64[2]={0.1 1}", "hyper must be f64 [5]"},
                                   {0}})
#endif

HD_OPTIMIZER(radam)
