/* optim_rprop.h: Rprop: the sign of the gradient alone counts; steps grow while it stays and shrink when it turns. */
#ifdef HD_OPTIM_RULES
HD_INLINE R rprop_rule(const RULE *f, R p, R d, R *s) {
    const R turn = f->first ? r_splat(0) : d * s[0], width = f->first ? f->c[0] : s[1];
    s[1] = r_positive(turn, width * f->c[2], r_positive(-turn, width * f->c[1], width));
    s[1] = r_min(r_max(s[1], f->c[3]), f->c[4]);
    s[0] = r_positive(-turn, r_splat(0), d);
    return p - r_sign(s[0]) * s[1];
}
#endif

#ifdef HD_OPTIM_ABOUT
static void rprop_step(const hd_optimizer *o, hd_optim_step *s) {
    s->c[0] = s->lr;
    s->c[1] = o->eta_minus;
    s->c[2] = o->eta_plus;
    s->c[3] = o->step_min;
    s->c[4] = o->step_max;
}

static const hd_optim hd_optim_rprop = {
    .name = "rprop",
    .op = &hd_op_rprop_update,
    .lr = 0.01,
    .slot = {"prev", "step_size"},
    .step = rprop_step,
};

HD_UPDATE(
    rprop,
    .options =
        (const hd_option[]){HD_SETTING(FLOAT, eta_minus, .def = 0.5, .min = 0, .max = 1,
                                       .help = "factor of a step when the sign has turned"),
                            HD_SETTING(FLOAT, eta_plus, .def = 1.2, .min = 1, .max = 1e3,
                                       .help = "factor of a step while the sign stays"),
                            HD_SETTING(FLOAT, step_min, .def = 1e-6, .min = 0, .max = 1e30, .help = "smallest step"),
                            HD_SETTING(FLOAT, step_max, .def = 50, .min = 0, .max = 1e30, .help = "largest step"),
                            HD_SETTINGS_END},
    .formula = "g·g₋ > 0: η ← min(η₊·η, step_max); g·g₋ < 0: η ← max(η₋·η, step_min), g ← 0; p ← p − η·sign g; g₋ ← g",
    .source = "Riedmiller, Braun 1993; as torch.optim.Rprop",
    .doc = "One step of Rprop, for whole batches. s0 is the last gradient, s1 the step; at step 1 it starts as lr.",
    .samples =
        (const hd_sample[]){
            {"f32[4]={1 1 1 1}, f32[4]={2 -2 2 0}, f64[5]={0.25 2 0 1 1}, -, f32[4]={1 1 0 1}, f32[4]={0.5 0.5 0.5 "
             "0.5}",
             "{0.4 1 0.5 1} {2 0 2 0} {0.6 0.25 0.5 0.5} {} {}"},
            {"f32[2]={1 1}, f32[2]={2 -2}, f64[5]={0.25 1 0 1 1}, -, f32[2]={1 1}, f32[2]={7 7}",
             "{0.75 1.25} {2 -2} {0.25 0.25} {} {}"},
            {"f32[3,5], f32[3,5], f64[5]={0.01 7 0.01 1 1}, f32[]={0.7}, f32[3,5], f32[3,5]:pos", NULL},
            {"f32[300], f32[300], f64[5]={0.1 3 0 1 1}, -, f32[300], f32[300]:pos | eta_minus=0.4", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[3], f32[4], f64[5]={0.1 1 0 1 1}", "same shape"},
                                   {"f32[3], f32[3], f64[2]={0.1 1}", "hyper must be f64 [5]"},
                                   {0}})
#endif

HD_OPTIMIZER(rprop)
