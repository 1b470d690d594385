/* pad.c: a rim around x, of one value or of elements of x, and the backward op of the latter. Knows nothing of
 * backends. */
#include "ops/shape_kit.h"

static const char *const pad_modes[] = {"constant", "reflect", "replicate", "circular", NULL};

static hd_status pad_side(hd_infer *c, const hd_dims *x, const hd_dims *s, const char *side, hd_dims *y) {
    char text[192], got[192];
    if (s->rank && s->rank != x->rank)
        return hd_infer_fail(c, "%s %s must have a number for each axis of x %s", side, hd_dims_text(got, s),
                             hd_dims_text(text, x));
    for (int i = 0; i < s->rank; i++) {
        if (s->dim[i] < -HD_MAX_WINDOW || s->dim[i] > HD_MAX_WINDOW)
            return hd_infer_fail(c, "a rim of %lld is not possible", (long long)s->dim[i]);
        if (s->dim[i] && x->dim[i] < 0)
            return hd_infer_fail(c, "the batch of x %s can not be padded", hd_dims_text(text, x));
        if (x->dim[i] > INT64_MAX / 4) return hd_infer_fail(c, "x %s is too large", hd_dims_text(text, x));
        y->dim[i] += s->dim[i];
    }
    return HD_OK;
}

/* Shape of the padded x; a rim made of x must find its elements there. */
static hd_status pad_dims(hd_infer *c, const hd_dims *x, const hd_dims *before, const hd_dims *after, int64_t mode,
                          hd_dims *y) {
    char text[192];
    *y = *x;
    if (pad_side(c, x, before, "before", y) || pad_side(c, x, after, "after", y)) return HD_E_MODEL;
    for (int i = 0; i < x->rank; i++) {
        const int64_t b = hd_axis_number(before, i), a = hd_axis_number(after, i), wide = a > b ? a : b;
        if ((b || a) && (y->dim[i] < 0 || b < -x->dim[i] || a < -x->dim[i]))
            return hd_infer_fail(c, "x %s has fewer elements than are cut off", hd_dims_text(text, x));
        const int64_t left = x->dim[i] + (b < 0 ? b : 0) + (a < 0 ? a : 0); /* what is not cut off */
        const int64_t most = mode == HD_PAD_REFLECT ? x->dim[i] - 1 : mode == HD_PAD_CIRCULAR ? left : INT64_MAX;
        if (mode != HD_PAD_CONSTANT && wide > 0 && (wide > most || x->dim[i] == 0))
            return hd_infer_fail(c, "a rim of %lld is too wide for axis %d of x %s with mode %s", (long long)wide, i,
                                 hd_dims_text(text, x), pad_modes[mode]);
    }
    return HD_OK;
}

static hd_status pad_infer(hd_infer *c) {
    const hd_pad_args *a = c->attr;
    c->out[0].dtype = c->in[0].dtype;
    return pad_dims(c, &c->in[0].dims, &a->before, &a->after, a->mode, &c->out[0].dims);
}

int64_t hd_pad_source(int64_t mode, int64_t i, int64_t n, int64_t before, int64_t after) {
    if (i >= 0 && i < n) return i;
    switch (mode) {
    case HD_PAD_REFLECT: return i < 0 ? -i : 2 * (n - 1) - i;
    case HD_PAD_REPLICATE: return i < 0 ? 0 : n - 1;
    case HD_PAD_CIRCULAR: return i < 0 ? i + n + (after < 0 ? after : 0) : i - n - (before < 0 ? before : 0);
    default: return -1;
    }
}

/* Offset in x of the element that the walk over y stands at, or -1. */
static int64_t pad_at(const hd_walk *w, const int64_t stride[], const hd_dims *x, const hd_dims *before,
                      const hd_dims *after, int64_t mode) {
    int64_t at = 0;
    for (int d = 0; d < w->rank; d++) {
        const int64_t b = hd_axis_number(before, d), a = hd_axis_number(after, d);
        const int64_t i = hd_pad_source(mode, w->index[d] - b, x->dim[d], b, a);
        if (i < 0) return -1;
        at += i * stride[d];
    }
    return at;
}

static void pad_ref(const hd_ref *r) {
    const hd_pad_args *a = r->attr;
    const hd_dims *x = &r->in[0].dims, *y = &r->out[0].dims;
    const size_t size = hd_dtype_size(r->out[0].dtype);
    int64_t stride[HD_MAX_DIMS];
    hd_walk w;
    hd_strides(stride, x);
    hd_walk_init(&w, y, y, NULL);
    for (int64_t i = 0; i < r->out[0].count; i++, hd_walk_next(&w)) {
        const int64_t at = pad_at(&w, stride, x, &a->before, &a->after, a->mode);
        if (at < 0)
            hd_set(&r->out[0], i, a->value);
        else
            memcpy((char *)r->out[0].data + (size_t)i * size, (const char *)r->in[0].data + (size_t)at * size, size);
    }
}

static hd_dims negated(const hd_dims *side) {
    hd_dims n = *side;
    for (int i = 0; i < n.rank; i++) n.dim[i] = -n.dim[i];
    return n;
}

/* A constant rim is cut off again (and what was cut off gets zeros); any other rim is added to where it came from. */
static void pad_rule(hd_grad *c) {
    const hd_pad_args *a = c->attr;
    const hd_val d = c->dout[0];
    if (a->mode == HD_PAD_CONSTANT)
        c->din[0] = hd_pad(d, .before = negated(&a->before), .after = negated(&a->after));
    else
        c->din[0] = hd_pad_grad(d, c->in[0], .before = a->before, .after = a->after, .mode = a->mode);
}

static hd_status pad_grad_infer(hd_infer *c) {
    const hd_pad_grad_args *a = c->attr;
    char got[192], want[192];
    hd_dims dy;
    if (hd_need_float(c, 0)) return HD_E_MODEL;
    c->out[0] = (hd_type){c->in[0].dtype, c->in[1].dims};
    if (pad_dims(c, &c->in[1].dims, &a->before, &a->after, a->mode, &dy)) return HD_E_MODEL;
    if (hd_dims_equal(&dy, &c->in[0].dims)) return HD_OK;
    return hd_infer_fail(c, "dy is %s, the padded value is %s", hd_dims_text(got, &c->in[0].dims),
                         hd_dims_text(want, &dy));
}

static void pad_grad_ref(const hd_ref *r) {
    const hd_pad_grad_args *a = r->attr;
    const hd_dims *x = &r->out[0].dims, *y = &r->in[0].dims;
    int64_t stride[HD_MAX_DIMS];
    hd_walk w;
    hd_strides(stride, x);
    hd_walk_init(&w, y, y, NULL);
    HD_FLOATS(
        r->out[0].dtype, const T *dy = r->in[0].data; T *dx = r->out[0].data;
        for (int64_t i = 0; i < r->out[0].count; i++) dx[i] = 0;
        for (int64_t i = 0; i < r->in[0].count; i++, hd_walk_next(&w)) {
            const int64_t at = pad_at(&w, stride, x, &a->before, &a->after, a->mode);
            if (at >= 0) dx[at] += dy[i];
        })
}

static void pad_grad_rule(hd_grad *c) {
    const hd_pad_grad_args *a = c->attr;
    if (c->needs[0]) c->din[0] = hd_pad(c->dout[0], .before = a->before, .after = a->after, .mode = a->mode);
}

#define PAD_OPTIONS(args)                                                                                              \
    HD_OPTION(DIMS, args, before, .help = "elements before x, one number an axis; negative: cut off"),                 \
        HD_OPTION(DIMS, args, after, .help = "elements after x, one number an axis; negative: cut off"),               \
        HD_OPTION(ENUM, args, mode, .choices = pad_modes, .help = "what the rim is made of")

const hd_op hd_op_pad = {
    .name = "pad",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_pad_args),
    .options =
        (const hd_option[]){PAD_OPTIONS(hd_pad_args),
                            HD_OPTION(FLOAT, hd_pad_args, value, .help = "the value of a constant rim"), HD_OPTION_END},
    .infer = pad_infer,
    .grad = pad_rule,
    .ref = pad_ref,
    .cost = hd_cost_copy,
    .formula = "y[before : before + size] = x; outside: value, or x mirrored, its edge, or x again",
    .source = "as torch.nn.functional.pad (axes first to last)",
    .doc = "A rim around x: before.dim[i] elements before and after.dim[i] elements after it on axis i. mode says of "
           "what: one value (constant), x mirrored at its edge element (reflect), the edge element (replicate), the "
           "other end of x (circular). Negative numbers cut off, before the circle is closed.",
    .onnx = "Pad",
    .samples = (const hd_sample[]){{"f32[2]={1 2} | before=[1] after=[2] value=9", "{9 1 2 9 9}"},
                                   {"i64[1,2]={1 2} | before=[1,0] value=-3", "{-3 -3 1 2}"},
                                   {"u8[1,1]={5} | after=[1,1]", "{5 0 0 0}"},
                                   {"f32[3]={1 2 3} | before=[2] after=[1] mode=reflect", "{3 2 1 2 3 2}"},
                                   {"f32[3]={1 2 3} | before=[2] after=[4] mode=replicate", "{1 1 1 2 3 3 3 3 3}"},
                                   {"f32[3]={1 2 3} | before=[2] after=[1] mode=circular", "{2 3 1 2 3 1}"},
                                   {"f32[4]={1 2 3 4} | before=[-1] after=[1] value=7", "{2 3 4 7}"},
                                   {"f32[4]={1 2 3 4} | before=[-2] after=[1] mode=reflect", "{3 4 3}"},
                                   {"f32[4]={1 2 3 4} | before=[-1] after=[2] mode=circular", "{2 3 4 2 3}"},
                                   {"f32[4]={1 2 3 4} | before=[1] after=[-1] mode=circular", "{3 1 2 3}"},
                                   {"f32[2,3,4,5] | before=[0,0,1,2] after=[0,0,2,0]", NULL},
                                   {"f32[2,3,4,5] | before=[0,0,1,-2] after=[0,0,-2,3]", NULL},
                                   {"f32[2,3] | before=[1,1] after=[1,1] value=-0.5", NULL},
                                   {"f32[2,3,4,5] | before=[0,0,1,2] after=[0,0,2,0] mode=reflect", NULL},
                                   {"f32[2,4,5] | before=[0,3,1] after=[0,0,2] mode=replicate", NULL},
                                   {"f32[3,4,5] | before=[1,4,0] after=[0,2,5] mode=circular", NULL},
                                   {"f32[3,4] | before=[1,-1] after=[-1,2] mode=circular", NULL},
                                   {"f32[2,3]", NULL},
                                   {"f32[0,3] | before=[1,0]", NULL},
                                   {"f32[] | value=3", NULL},
                                   {0}},
    .bad =
        (const hd_bad_sample[]){{"f32[2,3] | before=[1]", "must have a number for each axis"},
                                {"f32[2] | after=[-3]", "fewer elements than are cut off"},
                                {"f32[2] | before=[2000000000]", "a rim of 2000000000"},
                                {"f32[3] | after=[3] mode=reflect", "too wide for axis 0 of x [3] with mode reflect"},
                                {"f32[2,3] | before=[3,0] mode=circular", "too wide"},
                                {"f32[0] | before=[1] mode=replicate", "too wide"},
                                {0}},
};

const hd_op hd_op_pad_grad = {
    .name = "pad_grad",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("dy", "like"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_pad_grad_args),
    .options = (const hd_option[]){PAD_OPTIONS(hd_pad_grad_args), HD_OPTION_END},
    .infer = pad_grad_infer,
    .grad = pad_grad_rule,
    .ref = pad_grad_ref,
    .cost = hd_cost_copy,
    .formula = "dx[i] = Σ dy[j] over the places j that x[i] stands at",
    .source = "the transpose of pad",
    .doc = "Back-propagation through pad with a rim made of x: each dy is added to where its element came from. Of "
           "`like` only the shape is read.",
    .samples = (const hd_sample[]){{"f32[6]={1 2 3 4 5 6}, f32[3] | before=[2] after=[1] mode=reflect", "{3 12 6}"},
                                   {"f32[5]={1 2 3 4 5}, f32[3] | before=[1] after=[1] mode=replicate", "{3 3 9}"},
                                   {"f32[3]={1 2 3}, f32[2] | after=[1] mode=circular", "{4 2}"},
                                   {"f32[2,6,7], f32[2,4,5] | before=[0,1,2] after=[0,1,0] mode=reflect", NULL},
                                   {"f32[2,3,7], f32[2,4,5] | before=[0,-1,2] mode=circular", NULL},
                                   {"f32[2,4], f32[2,3] | before=[0,1]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[4], f32[4] | before=[1] mode=reflect", "dy is [4], the padded value is [5]"},
                                   {0}},
};

HD_BUILDER(pad, hd_pad_args)
HD_BUILDER(pad_grad, hd_pad_grad_args)
