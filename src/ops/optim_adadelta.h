/* optim_adadelta.h: Adadelta: Adagrad with a memory that fades, and units that fit. */
#ifdef HD_OPTIM_RULES
HD_INLINE R adadelta_rule(const RULE *f, R p, R d, R *s) {
    s[0] = f->c[1] * s[0] + f->c[2] * d * d;
    d = r_sqrt(s[1] + f->c[3]) / r_sqrt(s[0] + f->c[3]) * d;
    s[1] = f->c[1] * s[1] + f->c[2] * d * d;
    return p - f->c[0] * d;
}
#endif

#ifdef HD_OPTIM_ABOUT
static void adadelta_step(const hd_optimizer *o, hd_optim_step *s) {
    s->c[0] = s->lr;
    s->c[1] = o->rho;
    s->c[2] = 1 - o->rho;
    s->c[3] = o->eps;
}

static const hd_optim hd_optim_adadelta = {
    .name = "adadelta",
    .op = &hd_op_adadelta_update,
    .lr = 1,
    .slot = {"square_avg", "acc_delta"},
    .step = adadelta_step,
};

HD_UPDATE(
    adadelta,
    .options = (const hd_option[]){HD_SETTING(FLOAT, rho, .def = 0.9, .min = 0, .max = 1, .help = "memory of squares"),
                                   HD_SETTING_EPS(1e-6), HD_SETTINGS_END},
    .formula = "g ← scale·g + wd·p; v ← ρv + (1−ρ)g²; δ = √(u + eps)/√(v + eps) · g; u ← ρu + (1−ρ)δ²; p ← p − lr·δ",
    .source = "Zeiler: ADADELTA, 2012; as torch.optim.Adadelta",
    .doc = "One step of Adadelta. s0 is the mean of squared gradients, s1 that of squared steps.",
    .samples =
        (const hd_sample[]){
            {"f32[1]={1}, f32[1]={2}, f64[5]={0.5 1 0 1 1}, -, f32[1]={0}, f32[1]={1} | rho=0.5 eps=1",
             "{0.1835034} {2} {1.833333} {} {}"},
            {"f32[3,5], f32[3,5], f64[5]={0.01 7 0.01 1 1}, f32[]={0.7}, f32[3,5]:pos, f32[3,5]:pos", NULL},
            {"f32[300], f32[300], f64[5]={1 3 0.01 1 1}, -, f32[300]:pos, f32[300]:pos | rho=0.8", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[3], f32[4], f64[5]={0.1 1 0 1 1}", "same shape"},
                                   {"f32[3], f32[3], f64[2]={0.1 1}", "hyper must be f64 [5]"},
                                   {0}})
#endif

HD_OPTIMIZER(adadelta)
