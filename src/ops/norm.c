/* norm.c: p-norm of x over axes. Knows nothing of backends. */
#include "ops/reduce_kit.h"

static double norm_start(double p) {
    return p < 0 && isinf(p) ? (double)INFINITY : 0;
}
static double norm_add(double s, double v, double p) {
    const double x = fabs(v);
    if (isnan(s) || isnan(x)) return (double)NAN;
    if (isinf(p)) return p > 0 ? fmax(s, x) : fmin(s, x);
    if (p == 0) return s + (x != 0);
    return s + (p == 1 ? x : p == 2 ? x * x : pow(x, p));
}
static double norm_end(double s, double p) {
    if (isinf(p) || p == 0 || p == 1) return s;
    return p == 2 ? sqrt(s) : pow(s, 1 / p);
}

HD_REDUCE_REF(norm_ref, hd_norm_args, double s = norm_start(a->p), s = norm_add(s, (double)v, a->p), norm_end(s, a->p))

static hd_status norm_infer(hd_infer *c) {
    const hd_norm_args *a = c->attr;
    return hd_need_float(c, 0) ? HD_E_MODEL : hd_infer_reduced(c, &a->axes, a->keepdim);
}

/* ∂y/∂x = sign(x) |x|^(p−1) / y^(p−1), 0 where x or y is 0; p = 0 counts and has none. */
static void norm_rule(hd_grad *c) {
    const hd_norm_args *a = c->attr;
    const hd_val x = c->in[0];
    const hd_val y = hd_keep_axes(c->out[0], x, &a->axes, a->keepdim);
    const hd_val dy = hd_keep_axes(c->dout[0], x, &a->axes, a->keepdim);
    const double e = a->p - 1;
    if (a->p == 0) return;
    if (isinf(a->p)) { /* shared evenly among the largest (smallest) */
        const hd_val size = a->p > 0 ? hd_abs(x) : hd_neg(hd_abs(x));
        const hd_val d = hd_max_grad(size, c->dout[0], .axes = a->axes, .keepdim = a->keepdim);
        c->din[0] = hd_mul(hd_sign(x), d);
    } else if (a->p == 1) {
        c->din[0] = hd_mul(hd_sign(x), dy);
    } else if (a->p == 2) {
        c->din[0] = hd_mul(x, hd_div_no_nan(dy, y));
    } else {
        const hd_val steep = hd_mul(hd_sign(x), hd_pow(hd_abs(x), .exponent = e));
        if (e < 0)
            c->din[0] = hd_mul(hd_masked_fill(steep, hd_eq(x, hd_fill_like(x))), hd_mul(dy, hd_pow(y, .exponent = -e)));
        else
            c->din[0] = hd_mul(steep, hd_div_no_nan(dy, hd_pow(y, .exponent = e)));
    }
}

const hd_op hd_op_norm = {
    HD_REDUCE_HEAD(
        norm, hd_norm_args,
        HD_OPTION(FLOAT, hd_norm_args, p, .def = 2, .help = "the power; 0 counts what is not 0, inf: the largest"),
        HD_OPTION_END),
    .flags = HD_OP_REDUCE | HD_OP_KINK,
    .infer = norm_infer,
    .grad = norm_rule,
    .ref = norm_ref,
    .formula = "y = (Σ |x|^p)^(1/p) over the axes",
    .source = "as torch.linalg.vector_norm",
    .doc = "The p-norm over some axes, or over all. p=inf and p=-inf give the largest and the smallest size, p=0 the "
           "number of elements that are not 0. Where the norm is 0 its gradient is taken as 0.",
    .samples = (const hd_sample[]){{"f32[2]={3 -4}", "{5}"},
                                   {"f32[2,2]={3 -4 0 0} | axes=[1]", "{5 0}"},
                                   {"f32[3]={1 -2 3} | p=1", "{6}"},
                                   {"f32[3]={0 -2 3} | p=0", "{2}"},
                                   {"f32[3]={1 -7 nan} | p=inf", "{nan}"},
                                   {"f32[2,2]={1 -7 5 -3} | p=-inf axes=[0] keepdim=true", "{1 3}"},
                                   {"f32[2]={1 -2} | p=3", "{2.0800838231}"},
                                   {"f32[]={-3} | p=3", "{3}"},
                                   {"f32[0,2] | axes=[0]", "{0 0}"},
                                   {"f32[2,3,4] | axes=[1]", NULL},
                                   {"f32[3,2,21] | axes=[0,2]", NULL},
                                   {"f32[2,3,4]:away | p=1 axes=[2,0] keepdim=true", NULL},
                                   {"f32[2,3,4]:away | p=3", NULL},
                                   {"f32[2,3,4]:away | p=1.5 axes=[-1]", NULL},
                                   {"f32[2,3]:away | p=0.5 axes=[-1]", NULL},
                                   {"f32[2,3]:away | p=-2", NULL},
                                   {"f32[2,5]:distinct | p=inf axes=[-1]", NULL},
                                   {"f32[2,4]:pos | p=-inf", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | axes=[2]", "axis 2 is out of range"},
                                   {"i64[2]={1 2}", "f32 or f64"},
                                   {"f32[2] | p=nan", "p expects a number"},
                                   {0}},
};

HD_BUILDER(norm, hd_norm_args)
