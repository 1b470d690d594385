/* optim_adamax.h: Adamax: Adam with the largest gradient in the place of the mean square. */
#ifdef HD_OPTIM_RULES
HD_INLINE R adamax_rule(const RULE *f, R p, R d, R *s) {
    s[0] = s[0] + f->c[1] * (d - s[0]);
    s[1] = r_max(f->c[2] * s[1], r_abs(d) + f->c[3]);
    return p - f->c[0] * s[0] / s[1];
}
#endif

#ifdef HD_OPTIM_ABOUT
static void adamax_step(const hd_optimizer *o, hd_optim_step *s) {
    s->c[0] = s->lr / (1 - pow(o->beta1, s->t));
    s->c[1] = 1 - o->beta1;
    s->c[2] = o->beta2;
    s->c[3] = o->eps;
}

static const hd_optim hd_optim_adamax = {
    .name = "adamax",
    .op = &hd_op_adamax_update,
    .lr = 0.002,
    .slot = {"exp_avg", "exp_inf"},
    .step = adamax_step,
};

HD_UPDATE(adamax, .options = (const hd_option[]){HD_SETTING_BETAS(0.9, 0.999), HD_SETTING_EPS(1e-8), HD_SETTINGS_END},
          .formula = "g ← scale·g + wd·p; m ← β₁m + (1−β₁)g; u ← max(β₂u, |g| + eps); p ← p − lr/(1−β₁ᵗ) · m/u",
          .source = "Kingma, Ba: Adam, ICLR 2015, section 7; as torch.optim.Adamax",
          .doc = "One step of Adamax. s0 is the mean of gradients, s1 the largest, which fades.",
          .samples =
              (const hd_sample[]){
                  {"f32[1]={1}, f32[1]={2}, f64[5]={0.5 1 0 1 1}, -, f32[1]={0}, f32[1]={8} | beta1=0.5 beta2=0.5",
                   "{0.75} {1} {4} {} {}"},
                  {"f32[3,5], f32[3,5], f64[5]={0.01 7 0.01 1 1}, f32[]={0.7}, f32[3,5], f32[3,5]:pos", NULL},
                  {"f32[300], f32[300], f64[5]={0.1 3 0.01 1 1}, -, f32[300], f32[300]:pos", NULL},
                  {0}},
          .bad = (const hd_bad_sample[]){{"f32[3], f32[4], f64[5]={0.1 1 0 1 1}", "same shape"},
                                         {"f32[3], f32[3], f64[2]={0.1 1}", "hyper must be f64 [5]"},
                                         {0}})
#endif

HD_OPTIMIZER(adamax)
