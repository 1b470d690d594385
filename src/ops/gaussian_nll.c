/* gaussian_nll.c: negative log-likelihood of a normal distribution. Knows nothing of backends. */
#include "graph/graph.h"
#include "ops/loss_kit.h"

static const double two_pi = 6.28318530717958647692;

/* Strides over x of a variance that broadcasts, or that lacks x's last axis. */
static hd_dims variance_dims(const hd_dims *x, const hd_dims *var) {
    hd_dims out = *var;
    if (var->rank + 1 != x->rank || memcmp(var->dim, x->dim, (size_t)var->rank * sizeof *x->dim) != 0) return out;
    out.dim[out.rank++] = 1;
    return out;
}

static void gaussian_nll_ref(const hd_ref *r) {
    const hd_gaussian_nll_args *a = r->attr;
    const hd_tensor *x = &r->in[0];
    const hd_dims var = variance_dims(&x->dims, &r->in[2].dims);
    const double constant = a->full ? 0.5 * log(two_pi) : 0;
    hd_loss_sum s = {&r->out[0], a->reduction, 0};
    hd_walk w;
    hd_walk_init(&w, &x->dims, &var, NULL);
    for (int64_t i = 0; i < x->count; i++, hd_walk_next(&w)) {
        const double d = hd_get(x, i) - hd_get(&r->in[1], i), v = hd_loss_least(hd_get(&r->in[2], w.at[0]), a->eps);
        hd_loss_put(&s, i, 0.5 * (log(v) + d * d / v) + constant);
    }
    hd_loss_end(&s, (double)x->count);
}

static hd_status gaussian_nll_infer(hd_infer *c) {
    char a[192], b[192];
    hd_dims y;
    if (hd_infer_loss(c)) return HD_E_MODEL;
    const hd_dims *x = &c->in[0].dims, var = variance_dims(x, &c->in[2].dims);
    if (!hd_dims_broadcast(&y, x, &var) || !hd_dims_equal(&y, x))
        return hd_infer_fail(c, "var %s can not be repeated over x %s", hd_dims_text(a, &c->in[2].dims),
                             hd_dims_text(b, x));
    return hd_need_dtype(c, 2, c->in[0].dtype);
}

/* With d = x − target: dx = d/v, dv = ½ (1/v − d²/v²), which passes the least variance as PyTorch lets it. */
static void gaussian_nll_rule(hd_grad *c) {
    const hd_gaussian_nll_args *a = c->attr;
    const hd_dims x = hd_val_dims(c->in[0]), own = hd_val_dims(c->in[2]), dims = variance_dims(&x, &own);
    const hd_val var = hd_dims_equal(&own, &dims) ? c->in[2] : hd_reshape(c->in[2], .dims = dims);
    const hd_val v = hd_at_least(var, a->eps), d = hd_sub(c->in[0], c->in[1]), each = hd_loss_each(c);
    const hd_val part = hd_div(d, v);
    hd_loss_opposite(c, hd_mul(part, each));
    if (!c->needs[2]) return;
    const hd_val dv = hd_affine(hd_sub(hd_div(each, v), hd_mul(hd_mul(part, part), each)), .scale = 0.5);
    const hd_val down = hd_unbroadcast(dv, var);
    c->din[2] = hd_dims_equal(&own, &dims) ? down : hd_reshape_like(down, c->in[2]);
}

HD_LOSS_COST(gaussian_nll_cost, 6)

const hd_op hd_op_gaussian_nll = {
    HD_LOSS3_HEAD(gaussian_nll, hd_gaussian_nll_args, "x", "target", "var"),
    .options = (const hd_option[]){HD_EPS(hd_gaussian_nll_args, 1e-6, "least variance"),
                                   HD_OPTION(BOOL, hd_gaussian_nll_args, full, .help = "add the constant ½ ln 2π"),
                                   HD_REDUCTION(hd_gaussian_nll_args), HD_OPTION_END},
    HD_LOSS_RULES(gaussian_nll),
    .formula = "loss = ½ mean(ln v + (x − target)²/v), v = max(var, eps)",
    .source = "as torch.nn.GaussianNLLLoss; Nix, Weigend 1994",
    .doc = "The loss of regression where the network also says how sure it is: x is the mean, var the variance of a "
           "normal distribution, of x's shape, with 1 for its last axis, or without it.",
    .samples = (const hd_sample[]){{"f32[2]={1 2}, f32[2]={0 0}, f32[2]={1 4} | reduction=none", "{0.5 1.193147181}"},
                                   {"f32[2]={1 2}, f32[2]={0 0}, f32[1]={0} | eps=1", "{1.25}"},
                                   {"f32[1]={1}, f32[1]={0}, f32[1]={nan}", "{nan}"},
                                   {"f32[2]={0 0}, f32[2]={0 0}, f32[]={1} | full=true reduction=sum", "{1.837877066}"},
                                   {"f32[4,5], f32[4,5], f32[4,5]:pos", NULL},
                                   {"f32[4,5], f32[4,5], f32[4,1]:pos | full=true reduction=none", NULL},
                                   {"f32[4,5], f32[4,5], f32[4]:pos | reduction=sum", NULL},
                                   {"f32[5], f32[5], f32[1]:pos", NULL},
                                   {"f32[], f32[], f32[]:pos", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,1], f32[6], f32[6]", "target [6] must have the same shape"},
                                   {"f32[6,2], f32[6,2], f32[3]", "var [3] can not be repeated over x [6,2]"},
                                   {0}},
};

HD_BUILDER(gaussian_nll, hd_gaussian_nll_args)
