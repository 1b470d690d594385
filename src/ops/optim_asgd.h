/* optim_asgd.h: averaged stochastic gradient descent. The average is kept beside the weights, as PyTorch does. */
#ifdef HD_OPTIM_RULES
HD_INLINE R asgd_rule(const RULE *f, R p, R d, R *s) {
    p = p * f->c[1] - f->c[0] * d;
    s[0] = f->flag[0] ? p : s[0] + (p - s[0]) * f->c[2];
    return p;
}
#endif

#ifdef HD_OPTIM_ABOUT
/* PyTorch works η and μ out behind each step, for the next, and keeps them in f32. */
static void asgd_step(const hd_optimizer *o, hd_optim_step *s) {
    const double before = s->t - 1, mu = 1 / fmax(1, before - o->t0);
    s->c[0] = (double)(float)(before < 1 ? s->lr : s->lr / pow(1 + o->lambd * s->lr * before, o->alpha));
    s->c[1] = 1 - o->lambd * s->c[0];
    s->c[2] = (double)(float)mu;
    s->flag[0] = before < 1 || mu == 1;
}

static const hd_optim hd_optim_asgd = {
    .name = "asgd",
    .op = &hd_op_asgd_update,
    .lr = 0.01,
    .slot = {"ax"},
    .step = asgd_step,
};

HD_UPDATE(
    asgd,
    .options =
        (const hd_option[]){
            HD_SETTING(FLOAT, lambd, .def = 1e-4, .min = 0, .max = 1e30,
                       .help = "pull of weights towards 0, and how fast the learning rate falls"),
            HD_SETTING(FLOAT, alpha, .def = 0.75, .min = 0, .max = 1e3,
                       .help = "power with which the learning rate falls"),
            HD_SETTING(FLOAT, t0, .def = 1e6, .min = 0, .max = 1e300, .help = "step from which averages are taken"),
            HD_SETTINGS_END},
    .formula = "g ← scale·g + wd·p; η = lr/(1 + lambd·lr·(t−1))^alpha; p ← (1 − lambd·η)·p − η·g; a ← a + (p − "
               "a)/max(1, t−1−t0)",
    .source = "Polyak, Juditsky 1992; as torch.optim.ASGD",
    .doc = "One step of averaged stochastic gradient descent. s0 is the average.",
    .samples = (const hd_sample[]){{"f32[1]={1}, f32[1]={2}, f64[5]={0.25 1 0 1 1}, -, f32[1]={9} | lambd=0.4",
                                    "{0.4} {0.4} {} {} {}"},
                                   {"f32[1]={1}, f32[1]={2}, f64[5]={0.25 4 0 1 1}, -, f32[1]={9} | lambd=1e-300 t0=1",
                                    "{0.5} {4.75} {} {} {}"},
                                   {"f32[3,5], f32[3,5], f64[5]={0.01 7 0.01 1 1}, f32[]={0.7}, f32[3,5]", NULL},
                                   {"f32[300], f32[300], f64[5]={0.1 30 0.01 1 1}, -, f32[300] | t0=20", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3], f32[4], f64[5]={0.1 1 0 1 1}", "same shape"},
                                   {"f32[3], f32[3], f64[2]={0.1 1}", "hyper must be f64 [5]"},
                                   {0}})
#endif

HD_OPTIMIZER(asgd)
