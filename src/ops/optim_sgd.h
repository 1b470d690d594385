/* optim_sgd.h: stochastic gradient descent with momentum. */
#ifdef HD_OPTIM_RULES
HD_INLINE R sgd_rule(const RULE *f, R p, R d, R *v) {
    if (f->flag[0]) {
        v[0] = f->first ? d : f->c[1] * v[0] + f->c[2] * d;
        d = f->flag[1] ? d + f->c[1] * v[0] : v[0];
    }
    return p - f->c[0] * d;
}
#endif

#ifdef HD_OPTIM_ABOUT
static unsigned sgd_keeps(const hd_optimizer *o) {
    return o->momentum != 0;
}

static void sgd_step(const hd_optimizer *o, hd_optim_step *s) {
    s->c[0] = s->lr;
    s->c[1] = o->momentum;
    s->c[2] = 1 - o->dampening;
    s->flag[0] = o->momentum != 0;
    s->flag[1] = o->nesterov;
}

static const hd_optim hd_optim_sgd = {
    .name = "sgd",
    .op = &hd_op_sgd_update,
    .lr = 0.01,
    .slot = {"momentum"},
    .keeps = sgd_keeps,
    .step = sgd_step,
};

HD_UPDATE(
    sgd,
    .options = (const hd_option[]){HD_SETTING_MOMENTUM(0),
                                   HD_SETTING(FLOAT, dampening, .min = 0, .max = 1,
                                              .help = "share of the gradient that the velocity leaves out"),
                                   HD_SETTING(BOOL, nesterov, .help = "look ahead along the velocity"),
                                   HD_SETTINGS_END},
    .formula = "g ← scale·g + wd·p; v ← momentum·v + (1−dampening)·g; p ← p − lr·(nesterov ? g + momentum·v : v)",
    .source = "Robbins, Monro 1951; Sutskever et al. 2013; as torch.optim.SGD",
    .doc =
        "One step of stochastic gradient descent. s0 is the velocity, none without momentum; at step 1 it starts as g.",
    .samples =
        (const hd_sample[]){
            {"f32[2]={1 2}, f32[2]={10 -10}, f64[5]={0.1 1 0 1 1}", "{0 3} {} {} {} {}"},
            {"f32[1]={1}, f32[1]={2}, f64[5]={0.5 2 0 1 1}, -, f32[1]={4} | momentum=0.5", "{-1} {4} {} {} {}"},
            {"f32[1]={1}, f32[1]={2}, f64[5]={0.5 2 0 1 1}, -, f32[1]={4} | momentum=0.5 nesterov=true",
             "{-1} {4} {} {} {}"},
            {"f32[1]={1}, f32[1]={2}, f64[5]={0.5 2 0 1 1}, -, f32[1]={4} | momentum=0.5 dampening=0.5",
             "{-0.5} {3} {} {} {}"},
            {"f32[1]={1}, f32[1]={2}, f64[5]={0.5 1 2 1 1}, f32[]={0.5}, f32[1]={4} | momentum=0.5",
             "{-0.5} {3} {} {} {}"},
            {"f32[1]={1}, f32[1]={2}, f64[5]={0.5 1 0 1 1} | maximize=true", "{2} {} {} {} {}"},
            {"f32[1]={1}, f32[1]={2}, f64[5]={0.5 3 0 1 1}, -, -, -, -, f32[1]={4} | ema=0.75 lr_scale=0.5",
             "{0.5} {} {} {} {3.125}"},
            {"f32[1]={1}, f32[1]={2}, f64[5]={0.5 1 1 1 1}, -, -, -, -, f32[1]={4} | ema=0.75 decay=3",
             "{-1.5} {} {} {} {-1.5}"},
            {"f32[1]={1}, f32[1]={2}, f64[5]={0.5 2 0 1 0}, -, f32[1]={4} | momentum=0.5", "{1} {4} {} {} {}"},
            {"f32[1]={1}, f32[1]={2}, f64[5]={0.5 2 0 1 1}, f32[]={-1}, f32[1]={4} | momentum=0.5", "{1} {4} {} {} {}"},
            {"f32[2,3]={0 0 0 0 0 0}, f32[2]={1 2}, f64[5]={1 2 0 1 1}, -, -, -, -, -, f32[1,3]={1 -1 3}",
             "{-1 1 -3 -2 2 -6} {} {} {} {}"},
            {"f32[2,3]={0 0 0 0 0 0}, f32[2,2]={1 2 3 4}, f64[5]={1 2 0 1 1}, -, -, -, -, -, f32[2,3]={1 0 0 0 1 0}",
             "{-1 -3 0 -2 -4 0} {} {} {} {}"},
            {"f32[70,300], f32[9,70], f64[5]={0.1 3 0.01 1 1}, f32[]={0.5}, f32[70,300], -, -, -, f32[9,300] | "
             "momentum=0.9",
             NULL},
            {"f32[7,35], f32[1,7], f64[5]={0.1 3 0.01 1 1}, -, f32[7,35], -, -, -, f32[1,35] | momentum=0.9", NULL},
            {"f32[300,500], f32[300], f64[5]={0.1 3 0.01 1 1}, f32[]={0.5}, -, -, -, f32[300,500], f32[500] | ema=0.9",
             NULL},
            {"f32[3,5], f32[3,5], f64[5]={0.01 7 0.01 1 1}, f32[]={0.7}, f32[3,5] | momentum=0.9 nesterov=true", NULL},
            {"f32[1000], f32[1000], f64[5]={0.1 3 0.01 1 1}, -, f32[1000] | momentum=0.9", NULL},
            {"f32[33], f32[33], f64[5]={0.1 1 0.01 1 1}, -, -, -, -, f32[33] | ema=0.9", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){
        {"f32[3], f32[4], f64[5]={0.1 1 0 1 1}", "same shape"},
        {"f32[3,2], f32[2], f64[5]={0.1 1 0 1 1}, -, -, -, -, -, f32[3]", "do not make the gradient"},
        {"f32[6], f32[2], f64[5]={0.1 1 0 1 1}, -, -, -, -, -, f32[3]", "do not make the gradient"},
        {"f32[3,2], f32[2,3], f64[5]={0.1 1 0 1 1}, -, -, -, -, -, f32[3,2]", "do not make the gradient"},
        {"f32[3], f32[3], f64[2]={0.1 1}", "hyper must be f64 [5]"},
        {"f32[3], f32[3], f64[5]={0.1 1 0 1 1}, f32[1]", "scale must be a float scalar"},
        {"f32[3], f32[3], f64[5]={0.1 1 0 1 1} | momentum=0.9", "s0 is missing: it keeps the momentum"},
        {"f32[3], f32[3], f64[5]={0.1 1 0 1 1} | ema=0.9", "ema is missing"},
        {0}})
#endif

HD_OPTIMIZER(sgd)
