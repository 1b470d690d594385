/* resample_axis.c: an axis with more or fewer elements, each a weighted sum of its neighbours in x, and its backward
 * op. Knows nothing of backends. */
#include "ops/resample_kit.h"

/* ---- weights ---- */

hd_resampling hd_resampling_of(const hd_resample_args *a, int64_t in) {
    hd_resampling r = {.in = in, .out = a->size, .mode = a->mode, .corners = a->align_corners};
    r.scale = a->scale > 0 ? a->scale : (double)in / (double)a->size;
    if (a->align_corners) r.scale = a->size > 1 ? (double)(in - 1) / (double)(a->size - 1) : 0;
    return r;
}

/* Keys 1981 with a = −0.75. */
static double cubic(double d) {
    const double a = -0.75;
    d = fabs(d);
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

hd_taps hd_taps_of(const hd_resampling *r, int64_t i) {
    const double centre = r->corners ? r->scale * (double)i : r->scale * ((double)i + 0.5) - 0.5;
    hd_taps p = {.n = 1, .weight = {1}};
    switch (r->mode) {
    case HD_RESAMPLE_NEAREST: p.from = (int64_t)floor((double)i * r->scale); break;
    case HD_RESAMPLE_NEAREST_EXACT: p.from = (int64_t)floor(((double)i + 0.5) * r->scale); break;
    case HD_RESAMPLE_LINEAR: {
        const double at = fmin(fmax(centre, 0), (double)(r->in - 1)), low = floor(at);
        p = (hd_taps){.from = (int64_t)low, .n = 2, .weight = {1 - (at - low), at - low}};
        break;
    }
    case HD_RESAMPLE_CUBIC: {
        const double low = floor(centre);
        p = (hd_taps){.from = (int64_t)low - 1, .n = 4};
        for (int k = 0; k < 4; k++) p.weight[k] = cubic(centre - low + 1 - k);
        break;
    }
    default: {
        p.from = i * r->in / r->out;
        p.n = ((i + 1) * r->in + r->out - 1) / r->out - p.from;
        p.even = true;
    }
    }
    return p;
}

/* ---- definitions ---- */

static hd_status resample_dims(hd_infer *c, const hd_resample_args *a, int64_t *size) {
    const int axis = hd_axis_resolve(a->axis, c->in[0].dims.rank);
    char text[192];
    if (hd_need_float(c, 0)) return HD_E_MODEL;
    if (axis < 0) return hd_infer_fail(c, "x %s does not have the axis", hd_dims_text(text, &c->in[0].dims));
    const int64_t have = c->in[0].dims.dim[axis];
    if (have < 1 || have > HD_MAX_WINDOW)
        return hd_infer_fail(c, "axis %d of x %s must have from 1 to 2^30 elements", axis,
                             hd_dims_text(text, &c->in[0].dims));
    if (*size < 1) return hd_infer_fail(c, "size must be given: the elements of the axis afterwards");
    if (a->align_corners && a->mode != HD_RESAMPLE_LINEAR && a->mode != HD_RESAMPLE_CUBIC)
        return hd_infer_fail(c, "align_corners is for linear and cubic");
    c->out[0] = c->in[0];
    c->out[0].dims.dim[axis] = *size;
    return HD_OK;
}

static hd_status resample_infer(hd_infer *c) {
    hd_resample_args *a = c->attr;
    return resample_dims(c, a, &a->size);
}

static void resample_ref(const hd_ref *r) {
    const hd_resample_args *a = r->attr;
    const hd_axis_split z = hd_split_at(&r->in[0].dims, hd_axis_resolve(a->axis, r->in[0].dims.rank));
    const hd_resampling s = hd_resampling_of(a, z.n);
    HD_FLOATS(
        r->out[0].dtype, for (int64_t o = 0; o < z.outer; o++) for (int64_t i = 0; i < s.out; i++) {
            const T *x = (const T *)r->in[0].data + o * z.n * z.inner;
            T *y = (T *)r->out[0].data + (o * s.out + i) * z.inner;
            const hd_taps p = hd_taps_of(&s, i);
            for (int64_t k = 0; k < z.inner; k++) {
                double sum = 0;
                for (int64_t t = 0; t < p.n; t++)
                    sum += hd_tap_weight(&p, t) * (double)x[hd_tap_place(&s, &p, t) * z.inner + k];
                y[k] = (T)sum;
            }
        })
}

/* The options as they are for x, of the gradient's node: `in` elements before. */
static hd_resample_args forward_of(const hd_resample_grad_args *g, int64_t out) {
    return (hd_resample_args){
        .axis = g->axis, .size = out, .scale = g->scale, .mode = g->mode, .align_corners = g->align_corners};
}

static hd_status resample_grad_infer(hd_infer *c) {
    hd_resample_grad_args *g = c->attr;
    const hd_resample_args a = forward_of(g, 1);
    return resample_dims(c, &a, &g->size);
}

static void resample_grad_ref(const hd_ref *r) {
    const hd_resample_grad_args *g = r->attr;
    const hd_axis_split z = hd_split_at(&r->in[0].dims, hd_axis_resolve(g->axis, r->in[0].dims.rank));
    const hd_resample_args a = forward_of(g, z.n);
    const hd_resampling s = hd_resampling_of(&a, g->size);
    HD_FLOATS(
        r->out[0].dtype, for (int64_t i = 0; i < r->out[0].count; i++)((T *)r->out[0].data)[i] = 0;
        for (int64_t o = 0; o < z.outer; o++) for (int64_t i = 0; i < z.n; i++) {
            const T *dy = (const T *)r->in[0].data + (o * z.n + i) * z.inner;
            T *dx = (T *)r->out[0].data + o * g->size * z.inner;
            const hd_taps p = hd_taps_of(&s, i);
            for (int64_t t = 0; t < p.n; t++) {
                T *to = dx + hd_tap_place(&s, &p, t) * z.inner;
                for (int64_t k = 0; k < z.inner; k++) to[k] += (T)(hd_tap_weight(&p, t) * (double)dy[k]);
            }
        })
}

/* Linear, so that each is the other's gradient. */
static void resample_rule(hd_grad *c) {
    const hd_resample_args *a = c->attr;
    const int axis = hd_axis_resolve(a->axis, hd_val_dims(c->in[0]).rank);
    c->din[0] = hd_resample_grad(c->dout[0], .axis = a->axis, .size = hd_val_dims(c->in[0]).dim[axis],
                                 .scale = a->scale, .mode = a->mode, .align_corners = a->align_corners);
}
static void resample_grad_rule(hd_grad *c) {
    const hd_resample_grad_args *g = c->attr;
    const int axis = hd_axis_resolve(g->axis, hd_val_dims(c->in[0]).rank);
    hd_resample_args a = forward_of(g, hd_val_dims(c->in[0]).dim[axis]);
    a.x = c->dout[0];
    c->din[0] = hd_resample_at(HD_HERE, &a);
}

static hd_cost resample_cost(const hd_infer *c) {
    return hd_cost_of(c, 4 * fmax(hd_cost_elements(&c->in[0]), hd_cost_elements(&c->out[0])));
}

static const char *const resample_modes[] = {"nearest", "nearest-exact", "linear", "cubic", "area", NULL};
#define RESAMPLE_OPTIONS(args_, size_help)                                                                             \
    (const hd_option[]) {                                                                                              \
        HD_OPTION(AXIS, args_, axis, .def = -1, .help = "axis that is resampled"),                                     \
            HD_OPTION(INT, args_, size, .min = 0, .max = HD_MAX_WINDOW, .help = size_help),                            \
            HD_OPTION(FLOAT, args_, scale, .min = 0, .max = 1e9,                                                       \
                      .help = "elements of x for a step of y; 0: by the sizes"),                                       \
            HD_OPTION(ENUM, args_, mode, .choices = resample_modes,                                                    \
                      .help = "the neighbour below, the nearest, lines, cubics, means"),                               \
            HD_OPTION(BOOL, args_, align_corners, .help = "the first and the last elements lie on each other"),        \
            HD_OPTION_END                                                                                              \
    }

const hd_op hd_op_resample = {
    .name = "resample",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_resample_args),
    .options = RESAMPLE_OPTIONS(hd_resample_args, "elements of the axis afterwards"),
    .infer = resample_infer,
    .grad = resample_rule,
    .ref = resample_ref,
    .cost = resample_cost,
    .formula = "y[…, i, …] = Σ w[i, t] x[…, t, …], weights of the neighbours of (i + ½)·scale − ½",
    .source =
        "Keys: Cubic convolution interpolation, 1981 (a = −0.75); as torch.nn.functional.interpolate along one axis",
    .doc = "An axis of another size: nearest, linear, cubic, or means of windows (area). Pictures and volumes are "
           "resampled axis by axis (interpolate).",
    .onnx = "Resize",
    .samples =
        (const hd_sample[]){{"f32[2]={1 2} | size=4", "{1 1 2 2}"},
                            {"f32[5]={1 2 3 4 5} | size=3 mode=nearest-exact", "{1 3 5}"},
                            {"f32[2]={0 4} | size=4 mode=linear", "{0 1 3 4}"},
                            {"f32[2,2]={0 2 4 6} | axis=0 size=3 mode=linear align_corners=true", "{0 2 2 4 4 6}"},
                            {"f32[2]={0 1} | size=4 mode=cubic", "{-0.10546875 0.2265625 0.7734375 1.10546875}"},
                            {"f32[5]={1 2 3 4 5} | size=2 mode=area", "{2 4}"},
                            {"f32[5]={nan 2 4 1 1} | size=3 mode=area", "{nan 2.3333333333 1}"},
                            {"f32[3,7,19] | axis=1 size=11 mode=linear", NULL},
                            {"f32[2,5,4] | axis=1 size=3 mode=area", NULL},
                            {"f32[4,9] | size=23 mode=cubic align_corners=true", NULL},
                            {"f32[3,6,2] | axis=1 size=9 mode=nearest scale=0.6", NULL},
                            {"f32[2,33] | size=66 mode=linear scale=0.5", NULL},
                            {"f32[0,3] | size=6", NULL},
                            {0}},
    .bad = (const hd_bad_sample[]){{"f32[3]", "size must be given"},
                                   {"f32[3] | size=2 axis=1", "does not have the axis"},
                                   {"f32[3] | size=2 align_corners=true", "for linear and cubic"},
                                   {"f32[3,0] | size=2", "must have from 1"},
                                   {0}},
};

const hd_op hd_op_resample_grad = {
    .name = "resample_grad",
    .n_in = 1,
    .n_out = 1,
    .in_names = HD_NAMES("dy"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_resample_grad_args),
    .options = RESAMPLE_OPTIONS(hd_resample_grad_args, "elements of the axis of x"),
    .infer = resample_grad_infer,
    .grad = resample_grad_rule,
    .ref = resample_grad_ref,
    .cost = resample_cost,
    .formula = "dx[…, t, …] = Σ w[i, t] dy[…, i, …]",
    .source = "the transpose of resample",
    .doc = "Back-propagation through resample.",
    .samples = (const hd_sample[]){{"f32[4]={1 2 3 4} | size=2", "{3 7}"},
                                   {"f32[4]={0 4 0 0} | size=2 mode=linear", "{3 1}"},
                                   {"f32[3,11,19] | axis=1 size=7 mode=linear", NULL},
                                   {"f32[2,3,4] | axis=1 size=5 mode=area", NULL},
                                   {"f32[4,23] | size=9 mode=cubic align_corners=true", NULL},
                                   {"f32[2,66] | size=33 mode=linear scale=0.5", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3]", "size must be given"}, {0}},
};

HD_BUILDER(resample, hd_resample_args)
HD_BUILDER(resample_grad, hd_resample_grad_args)
