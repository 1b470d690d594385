/* optim_adagrad.h: Adagrad: each weight has a learning rate of its own, which only falls. */
#ifdef HD_OPTIM_RULES
HD_INLINE R adagrad_rule(const RULE *f, R p, R d, R *s) {
    if (f->first) s[0] = f->c[2];
    s[0] = s[0] + d * d;
    return p - f->c[0] * d / (r_sqrt(s[0]) + f->c[1]);
}
#endif

#ifdef HD_OPTIM_ABOUT
static void adagrad_step(const hd_optimizer *o, hd_optim_step *s) {
    s->c[0] = s->lr / (1 + (s->t - 1) * o->lr_decay);
    s->c[1] = o->eps;
    s->c[2] = o->initial_accumulator_value;
}

static const hd_optim hd_optim_adagrad = {
    .name = "adagrad",
    .op = &hd_op_adagrad_update,
    .lr = 0.01,
    .slot = {"sum"},
    .step = adagrad_step,
};

HD_UPDATE(adagrad,
          .options = (const hd_option[]){HD_SETTING(FLOAT, lr_decay, .min = 0, .max = 1e30,
                                                    .help = "how the learning rate falls: lr / (1 + (t−1)·lr_decay)"),
                                         HD_SETTING(FLOAT, initial_accumulator_value, .min = 0, .max = 1e30,
                                                    .help = "what the sum of squares starts with"),
                                         HD_SETTING_EPS(1e-10), HD_SETTINGS_END},
          .formula = "g ← scale·g + wd·p; s ← s + g²; p ← p − lr/(1 + (t−1)·lr_decay) · g / (√s + eps)",
          .source = "Duchi, Hazan, Singer 2011; as torch.optim.Adagrad",
          .doc = "One step of Adagrad. s0 is the sum of squared gradients.",
          .samples =
              (const hd_sample[]){
                  {"f32[1]={1}, f32[1]={2}, f64[5]={0.5 1 0 1 1}, -, f32[1]={7}", "{0.5} {4} {} {} {}"},
                  {"f32[1]={1}, f32[1]={4}, f64[5]={0.5 2 0 1 1}, -, f32[1]={9} | lr_decay=1", "{0.8} {25} {} {} {}"},
                  {"f32[1]={1}, f32[1]={4}, f64[5]={0.5 1 0 1 1}, -, f32[1]={7} | initial_accumulator_value=9",
                   "{0.6} {25} {} {} {}"},
                  {"f32[3,5], f32[3,5], f64[5]={0.01 7 0.01 1 1}, f32[]={0.7}, f32[3,5]:pos", NULL},
                  {"f32[300], f32[300], f64[5]={0.1 3 0.01 1 1}, -, f32[300]:pos | lr_decay=0.1", NULL},
                  {0}},
          .bad = (const hd_bad_sample[]){{"f32[3], f32[4], f64[5]={0.1 1 0 1 1}", "same shape"},
                                         {"f32[3], f32[3], f64[2]={0.1 1}", "hyper must be f64 [5]"},
                                         {0}})
#endif

HD_OPTIMIZER(adagrad)
