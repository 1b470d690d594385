/* optim_rmsprop.h: RMSprop: the gradient divided by the root of its mean square. */
#ifdef HD_OPTIM_RULES
HD_INLINE R rmsprop_rule(const RULE *f, R p, R d, R *s) {
    s[0] = f->c[1] * s[0] + f->c[2] * d * d;
    R square = s[0];
    if (f->flag[0]) {
        s[1] = f->c[1] * s[1] + f->c[2] * d;
        square = square - s[1] * s[1];
    }
    d = d / (r_sqrt(square) + f->c[3]);
    if (f->flag[1]) d = s[2] = f->c[4] * s[2] + d;
    return p - f->c[0] * d;
}
#endif

#ifdef HD_OPTIM_ABOUT
static unsigned rmsprop_keeps(const hd_optimizer *o) {
    return 1u | (o->centered ? 2u : 0u) | (o->momentum != 0 ? 4u : 0u);
}

static void rmsprop_step(const hd_optimizer *o, hd_optim_step *s) {
    s->c[0] = s->lr;
    s->c[1] = o->alpha;
    s->c[2] = 1 - o->alpha;
    s->c[3] = o->eps;
    s->c[4] = o->momentum;
    s->flag[0] = o->centered;
    s->flag[1] = o->momentum != 0;
}

static const hd_optim hd_optim_rmsprop = {
    .name = "rmsprop",
    .op = &hd_op_rmsprop_update,
    .lr = 0.01,
    .slot = {"square_avg", "grad_avg", "momentum"},
    .keeps = rmsprop_keeps,
    .step = rmsprop_step,
};

HD_UPDATE(
    rmsprop,
    .options = (const hd_option[]){HD_SETTING(FLOAT, alpha, .def = 0.99, .min = 0, .max = 1,
                                              .help = "memory of the square"),
                                   HD_SETTING_EPS(1e-8), HD_SETTING_MOMENTUM(0),
                                   HD_SETTING(BOOL, centered,
                                              .help = "divide by the deviation: the square of the mean is taken off"),
                                   HD_SETTINGS_END},
    .formula = "g ← scale·g + wd·p; v ← αv + (1−α)g²; d = g/(√v + eps), centered: √(v − m²), m ← αm + (1−α)g; b ← "
               "momentum·b + d; p ← p − lr·b",
    .source = "Tieleman, Hinton: Neural networks for machine learning, lecture 6.5, 2012; Graves 2013 (centered); as "
              "torch.optim.RMSprop",
    .doc =
        "One step of RMSprop. s0 is the mean of squares, s1 that of gradients (centered), s2 the velocity (momentum).",
    .samples =
        (const hd_sample[]){
            {"f32[1]={1}, f32[1]={3}, f64[5]={0.5 1 0 1 1}, -, f32[1]={1} | alpha=0.5 eps=1",
             "{0.5364745} {5} {} {} {}"},
            {"f32[1]={1}, f32[1]={2}, f64[5]={0.5 1 0 1 1}, -, f32[1]={6}, f32[1]={0} | alpha=0.5 centered=true",
             "{0.5} {5} {1} {} {}"},
            {"f32[1]={1}, f32[1]={2}, f64[5]={0.5 1 0 1 1}, -, f32[1]={4}, -, f32[1]={3} | alpha=0.5 momentum=0.5",
             "{-0.25} {4} {} {2.5} {}"},
            {"f32[3,5], f32[3,5], f64[5]={0.01 7 0.01 1 1}, f32[]={0.7}, f32[3,5]:pos", NULL},
            {"f32[300], f32[300], f64[5]={0.1 3 0.01 1 1}, -, f32[300]:pos, f32[300]:unit, f32[300] | centered=true "
             "momentum=0.9",
             NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[3], f32[4], f64[5]={0.1 1 0 1 1}", "same shape"},
                                   {"f32[3], f32[3], f64[2]={0.1 1}", "hyper must be f64 [5]"},
                                   {0}})
#endif

HD_OPTIMIZER(rmsprop)
