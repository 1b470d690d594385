/* var.c: variance of x over axes, and its backward op. Knows nothing of backends. */
#include "ops/reduce_kit.h"

/* Welford 1962: one pass, no cancellation. s: elements, mean, Σ(x−mean)². */
#define WELFORD(s, v)                                                                                                  \
    do {                                                                                                               \
        const double off = (v) - (s)[1];                                                                               \
        (s)[0] += 1;                                                                                                   \
        (s)[1] += off / (s)[0];                                                                                        \
        (s)[2] += off * ((v) - (s)[1]);                                                                                \
    } while (0)

/* As torch: a divisor below 0 counts as 0. */
static double degrees(double n, double correction) {
    return n > correction ? n - correction : 0;
}

HD_REDUCE_REF(var_ref, hd_var_args, double s[3] = {0}, WELFORD(s, (double)v), s[2] / degrees(s[0], a->correction))
HD_REDUCE_REF(std_ref, hd_var_args, double s[3] = {0}, WELFORD(s, (double)v), sqrt(s[2] / degrees(s[0], a->correction)))

static hd_status var_infer(hd_infer *c) {
    const hd_var_args *a = c->attr;
    return hd_need_float(c, 0) ? HD_E_MODEL : hd_infer_reduced(c, &a->axes, a->keepdim);
}

static hd_val var_back(hd_val x, hd_val dy, const hd_var_args *a) {
    return hd_var_grad(x, dy, .axes = a->axes, .keepdim = a->keepdim, .correction = hd_explicit(a->correction));
}

static void var_rule(hd_grad *c) {
    c->din[0] = var_back(c->in[0], c->dout[0], c->attr);
}

/* d√v = dv / 2√v; where all elements are equal, 0 as torch. */
static void std_rule(hd_grad *c) {
    const hd_val half = hd_div_no_nan(c->dout[0], hd_affine(c->out[0], .scale = 2));
    c->din[0] = var_back(c->in[0], half, c->attr);
}

static void var_grad_ref(const hd_ref *r) {
    const hd_var_grad_args *a = r->attr;
    hd_groups g;
    hd_groups_init(&g, &r->in[0].dims, &a->axes);
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; const T *dy = r->in[1].data; T *dx = r->out[0].data;
        for (int64_t i = 0; i < g.n; i++, hd_walk_next(&g.kept)) {
            double sum = 0;
            for (int64_t j = 0; j < g.m; j++) sum += (double)x[hd_group_at(&g, j)];
            const double mean = sum / (double)g.m, scale = 2 * (double)dy[i] / degrees((double)g.m, a->correction);
            for (int64_t j = 0; j < g.m; j++) {
                const int64_t at = hd_group_at(&g, j);
                dx[at] = (T)(scale * ((double)x[at] - mean));
            }
        })
}

static hd_status var_grad_infer(hd_infer *c) {
    const hd_var_grad_args *a = c->attr;
    char want[192], got[192];
    if (hd_need_float(c, 0) || hd_infer_reduced(c, &a->axes, a->keepdim)) return HD_E_MODEL;
    if (!hd_dims_equal(&c->out[0].dims, &c->in[1].dims))
        return hd_infer_fail(c, "dy is %s, the variances are %s", hd_dims_text(got, &c->in[1].dims),
                             hd_dims_text(want, &c->out[0].dims));
    c->out[0] = c->in[0];
    return hd_need_dtype(c, 1, c->in[0].dtype);
}

/* dx = dy·L(x) with the linear L(x) = 2(x − mean)/(n − correction), which is its own transpose. */
static void var_grad_rule(hd_grad *c) {
    const hd_var_grad_args *a = c->attr;
    const hd_var_args like = {.axes = a->axes, .keepdim = a->keepdim, .correction = a->correction};
    const hd_val one = hd_fill_like(c->in[1], .value = 1), dy = hd_keep_axes(c->in[1], c->in[0], &a->axes, a->keepdim);
    if (c->needs[0]) c->din[0] = var_back(hd_mul(c->dout[0], dy), one, &like);
    if (c->needs[1])
        c->din[1] = hd_sum(hd_mul(c->dout[0], var_back(c->in[0], one, &like)), .axes = a->axes, .keepdim = a->keepdim);
}

#define CORRECTION(args_)                                                                                              \
    HD_OPTION(FLOAT, args_, correction, .def = 1, .min = 0, .max = 1e18,                                               \
              .help = "taken from the number of elements before dividing; 1: unbiased, 0: of the whole population")

const hd_op hd_op_var = {
    HD_REDUCE_HEAD(var, hd_var_args, CORRECTION(hd_var_args), HD_OPTION_END),
    .flags = HD_OP_REDUCE,
    .infer = var_infer,
    .grad = var_rule,
    .ref = var_ref,
    .formula = "y = Σ (x − mean)² / (n − correction) over the axes",
    .source = "as torch.var; Welford 1962 for one pass without cancellation",
    .doc = "Variance over some axes, or over all; unbiased unless correction=0. Of one element with correction 1 it is "
           "NaN.",
    .samples = (const hd_sample[]){{"f32[4]={1 2 3 4}", "{1.6666666667}"},
                                   {"f32[4]={1 2 3 4} | correction=0", "{1.25}"},
                                   {"f32[2,2]={1 3 5 5} | axes=[1] keepdim=true", "{2 0}"},
                                   {"f32[1]={1}", "{nan}"},
                                   {"f32[3]={10000001 10000002 10000003}", "{1}"},
                                   {"f32[2,3,4]", NULL},
                                   {"f32[2,3,4] | axes=[2,0] keepdim=true", NULL},
                                   {"f32[2,3,4] | axes=[-2] correction=0", NULL},
                                   {"f32[]={5}", "{nan}"},
                                   {"f32[2,3,1,4] | axes=[3,1]", NULL},
                                   {"f32[3,0] | axes=[1]", "{nan nan nan}"},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | axes=[2]", "axis 2 is out of range"},
                                   {"i64[2]={1 2}", "f32 or f64"},
                                   {"f32[2] | correction=-1", "correction is -1"},
                                   {0}},
};

const hd_op hd_op_std = {
    HD_REDUCE_HEAD(std, hd_var_args, CORRECTION(hd_var_args), HD_OPTION_END),
    .flags = HD_OP_REDUCE | HD_OP_KINK,
    .infer = var_infer,
    .grad = std_rule,
    .ref = std_ref,
    .formula = "y = √(Σ (x − mean)² / (n − correction)) over the axes",
    .source = "as torch.std",
    .doc = "Standard deviation over some axes, or over all: the root of var. Where all elements are equal its gradient "
           "is taken as 0.",
    .samples = (const hd_sample[]){{"f32[4]={1 2 3 4} | correction=0", "{1.1180339887}"},
                                   {"f32[2,2]={1 3 5 5} | axes=[1]", "{1.4142135624 0}"},
                                   {"f32[]={2} | correction=0", "{0}"},
                                   {"f32[2,3,4]", NULL},
                                   {"f32[2,3,4] | axes=[-1,-3] keepdim=true", NULL},
                                   {"f32[0,3] | axes=[1]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | axes=[-1,1]", "named twice"}, {"u8[2]={1 2}", "f32 or f64"}, {0}},
};

const hd_op hd_op_var_grad = {
    .name = "var_grad",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "dy"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_var_grad_args),
    .options = (const hd_option[]){HD_REDUCE_OPTIONS(hd_var_grad_args), CORRECTION(hd_var_grad_args), HD_OPTION_END},
    .infer = var_grad_infer,
    .grad = var_grad_rule,
    .ref = var_grad_ref,
    .cost = hd_cost_input,
    .formula = "dx = 2 dy (x − mean) / (n − correction)",
    .source = "derivative of var",
    .doc = "Back-propagation through var.",
    .samples =
        (const hd_sample[]){{"f32[2]={1 3}, f32[]={5}", "{-10 10}"},
                            {"f32[2,2]={1 3 5 5}, f32[1,2]={1 2} | axes=[0] keepdim=true correction=0", "{-2 -2 2 2}"},
                            {"f32[2,3,4], f32[3] | axes=[2,0]", NULL},
                            {"f32[2,3], f32[1,1] | keepdim=true correction=0", NULL},
                            {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[3] | axes=[1]", "dy is [3], the variances are [2]"}, {0}},
};

HD_BUILDER(var, hd_var_args)
HD_BUILDER(std, hd_var_args)
HD_BUILDER(var_grad, hd_var_grad_args)
