/* optim_lion.h: Lion: the sign of a mean of gradients, and weight decay apart from it. */
#ifdef HD_OPTIM_RULES
HD_INLINE R lion_rule(const RULE *f, R p, R d, R *s) {
    const R way = s[0] + f->c[1] * (d - s[0]);
    s[0] = s[0] + f->c[2] * (d - s[0]);
    return p - f->c[0] * r_sign(way);
}
#endif

#ifdef HD_OPTIM_ABOUT
static void lion_step(const hd_optimizer *o, hd_optim_step *s) {
    s->c[0] = s->lr;
    s->c[1] = 1 - o->beta1;
    s->c[2] = 1 - o->beta2;
}

static const hd_optim hd_optim_lion = {
    .name = "lion",
    .op = &hd_op_lion_update,
    .lr = 0.0001,
    .decoupled = true,
    .slot = {"exp_avg"},
    .step = lion_step,
};

HD_UPDATE(lion, .options = (const hd_option[]){HD_SETTING_BETAS(0.9, 0.99), HD_SETTINGS_END},
          .formula = "p ← (1 − lr·wd)·p; p ← p − lr·sign(β₁m + (1−β₁)g); m ← β₂m + (1−β₂)g",
          .source = "Chen et al.: Symbolic discovery of optimization algorithms, NeurIPS 2023",
          .doc = "One step of Lion. s0 is the mean of gradients. Its learning rate is about a tenth of that of AdamW, "
                 "its weight decay ten times as large.",
          .samples =
              (const hd_sample[]){
                  {"f32[3]={1 1 1}, f32[3]={2 -2 0}, f64[5]={0.25 1 2 1 1}, -, f32[3]={-2 0 0} | beta1=0.25 beta2=0.5",
                   "{0.25 0.75 0.5} {0 -1 0} {} {} {}"},
                  {"f32[3,5], f32[3,5], f64[5]={0.01 7 0.01 1 1}, f32[]={0.7}, f32[3,5]", NULL},
                  {"f32[300], f32[300], f64[5]={0.1 3 0.01 1 1}, -, f32[300]", NULL},
                  {0}},
          .bad = (const hd_bad_sample[]){{"f32[3], f32[4], f64[5]={0.1 1 0 1 1}", "same shape"},
                                         {"f32[3], f32[3], f64[2]={0.1 1}", "hyper must be f64 [5]"},
                                         {0}})
#endif

HD_OPTIMIZER(lion)
