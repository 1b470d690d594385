/* optim_muon.h: Muon: momentum whose matrix is brought near an orthogonal one. What has fewer than two dimensions is
 * left to AdamW. */
#ifdef HD_OPTIM_RULES
HD_INLINE R muon_rule(const RULE *f, R p, R d, R *s) {
    (void)s;
    return p - f->c[0] * d;
}
#endif

#ifdef HD_OPTIM_ABOUT
static void muon_step(const hd_optimizer *o, hd_optim_step *s) {
    (void)o;
    s->c[0] = s->lr;
}

static const char *muon_leaves(const hd_dims *dims) {
    return dims->rank < 2 ? "adamw" : NULL;
}

/* Newton and Schulz's iteration on x [r, c], r ≤ c: its singular values come near 1. Coefficients by Jordan. */
static hd_val muon_orthogonal(hd_val x, int64_t steps) {
    x = hd_div(x, hd_affine(hd_sqrt(hd_sum(hd_square(x))), .shift = 1e-7));
    for (int64_t i = 0; i < steps; i++) {
        const hd_val a = hd_matmul(x, x, .trans_b = true);
        const hd_val b = hd_add(hd_affine(a, .scale = -4.7750), hd_affine(hd_matmul(a, a), .scale = 2.0315));
        x = hd_add(hd_affine(x, .scale = 3.4445), hd_matmul(b, x));
    }
    return x;
}

/* Steps get the size of AdamW's (Liu et al. 2025), so that one learning rate serves both. */
static hd_val muon_direction(hd_val p, const hd_update_args *a, hd_val live) {
    char name[512];
    hd_optimizer o = a->o;
    const hd_dims dims = hd_val_dims(p);
    const int64_t rows = dims.dim[0], columns = rows ? hd_dims_count(&dims) / rows : 0;
    (void)snprintf(name, sizeof name, "%s@momentum", hd_val_name(p));
    const hd_val kept = hd_state(p.graph, name, hd_val_dtype(p), dims, HD_ZEROS);
    const hd_val change = hd_affine(hd_sub(a->g, kept), .scale = 1 - o.momentum);
    const hd_val mean = hd_where(live, hd_add(kept, change), kept); /* not times 0: it may be no number */
    (void)hd_assign(kept, mean);
    hd_val x = hd_add(a->g, hd_affine(hd_sub(mean, a->g), .scale = o.momentum));
    x = hd_reshape(x, .dims = HD_DIMS(rows, columns));
    if (rows > columns) x = hd_transpose(x);
    x = muon_orthogonal(x, (int64_t)o.ns_steps);
    if (rows > columns) x = hd_transpose(x);
    x = hd_affine(x, .scale = 0.2 * sqrt((double)(rows > columns ? rows : columns)));
    return hd_reshape(x, .dims = dims);
}

static const hd_optim hd_optim_muon = {
    .name = "muon",
    .op = &hd_op_muon_update,
    .lr = 0.001,
    .weight_decay = 0.01,
    .decoupled = true,
    .scale_free = true,
    .step = muon_step,
    .direction = muon_direction,
    .leaves = muon_leaves,
};

HD_UPDATE(
    muon,
    .options = (const hd_option[]){HD_SETTING_MOMENTUM(0.95), HD_SETTING_BETAS(0.9, 0.999), HD_SETTING_EPS(1e-8),
                                   HD_SETTING(FLOAT, ns_steps, .def = 5, .min = 1, .max = 100,
                                              .help = "steps of Newton and Schulz's iteration"),
                                   HD_SETTINGS_END},
    .formula = "p ← (1 − lr·wd)·p − lr·g, g = 0.2·√max(r, c)·orthogonal(momentum of the gradient as [r, c])",
    .source = "Jordan et al.: Muon, 2024; Liu et al., arXiv:2502.16982; as torch.optim.Muon "
              "with adjust_lr_fn match_rms_adamw",
    .doc = "One step of Muon, whose direction g comes ready: training steps make it out of the gradient with nodes "
           "of their own. Parameters with fewer than two dimensions get AdamW.",
    .samples = (const hd_sample[]){{"f32[2]={1 2}, f32[2]={10 -10}, f64[5]={0.1 1 1 1 1}, f32[]={0.5}",
                                    "{-0.1 2.8} {} {} {} {}"},
                                   {"f32[33], f32[33], f64[5]={0.1 1 0.01 1 1}, -, -, -, -, f32[33] | ema=0.9", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3], f32[4], f64[5]={0.1 1 0 1 1}", "same shape"}, {0}})
#endif

HD_OPTIMIZER(muon)
