/* pad.c: a rim of one value around x. Knows nothing of backends. */
#include "ops/op_kit.h"

static int64_t rim(const hd_dims *side, int axis) {
    return side->rank ? side->dim[axis] : 0;
}

static hd_status pad_infer(hd_infer *c) {
    const hd_pad_args *a = c->attr;
    const hd_dims *x = &c->in[0].dims;
    char text[192], side[192];
    c->out[0] = c->in[0];
    for (int k = 0; k < 2; k++) {
        const hd_dims *s = k ? &a->after : &a->before;
        if (s->rank && s->rank != x->rank)
            return hd_infer_fail(c, "%s %s must have a number for each axis of x %s", k ? "after" : "before",
                                 hd_dims_text(side, s), hd_dims_text(text, x));
        for (int i = 0; i < s->rank; i++) {
            if (s->dim[i] < 0 || s->dim[i] > HD_MAX_WINDOW)
                return hd_infer_fail(c, "a rim of %lld is not possible", (long long)s->dim[i]);
            if (s->dim[i] && x->dim[i] < 0)
                return hd_infer_fail(c, "the batch of x %s can not be padded", hd_dims_text(text, x));
            if (x->dim[i] > INT64_MAX / 2) return hd_infer_fail(c, "x %s is too large", hd_dims_text(text, x));
            c->out[0].dims.dim[i] += s->dim[i];
        }
    }
    return HD_OK;
}

static void pad_ref(const hd_ref *r) {
    const hd_pad_args *a = r->attr;
    const size_t size = hd_dtype_size(r->out[0].dtype);
    for (int64_t i = 0; i < r->out[0].count; i++) hd_set(&r->out[0], i, a->value);
    hd_walk w;
    hd_walk_init(&w, &r->in[0].dims, &r->in[0].dims, NULL);
    hd_strides(w.stride[1], &r->out[0].dims);
    int64_t first = 0;
    for (int i = 0; i < w.rank; i++) first += w.stride[1][i] * rim(&a->before, i);
    for (int64_t i = 0; i < r->in[0].count; i++, hd_walk_next(&w))
        memcpy((char *)r->out[0].data + (size_t)(first + w.at[1]) * size,
               (const char *)r->in[0].data + (size_t)i * size, size);
}

/* The inner part of dy, axis by axis. Where x has no elements nothing arrives. */
static void pad_grad(hd_grad *c) {
    const hd_pad_args *a = c->attr;
    const hd_dims x = hd_val_dims(c->in[0]);
    hd_val d = c->dout[0];
    for (int i = 0; i < x.rank; i++) {
        if (x.dim[i] == 0) return;
        const int64_t start = rim(&a->before, i);
        if (start || rim(&a->after, i)) d = hd_slice(d, .axis = HD_AXIS(i), .start = start, .stop = start + x.dim[i]);
    }
    c->din[0] = d;
}

const hd_op hd_op_pad = {
    .name = "pad",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_pad_args),
    .options =
        (const hd_option[]){HD_OPTION(DIMS, hd_pad_args, before, .help = "elements before x, one number an axis"),
                            HD_OPTION(DIMS, hd_pad_args, after, .help = "elements after x, one number an axis"),
                            HD_OPTION(FLOAT, hd_pad_args, value, .help = "the value of the rim"), HD_OPTION_END},
    .infer = pad_infer,
    .grad = pad_grad,
    .ref = pad_ref,
    .cost = hd_cost_copy,
    .formula = "y = value; y[before : before + size] = x",
    .source = "as torch.nn.functional.pad (axes first to last)",
    .doc = "A rim of one value around x: before.dim[i] elements before and after.dim[i] elements after it on axis i.",
    .onnx = "Pad",
    .samples = (const hd_sample[]){{"f32[2]={1 2} | before=[1] after=[2] value=9", "{9 1 2 9 9}"},
                                   {"i64[1,2]={1 2} | before=[1,0] value=-3", "{-3 -3 1 2}"},
                                   {"u8[1,1]={5} | after=[1,1]", "{5 0 0 0}"},
                                   {"f32[2,3,4,5] | before=[0,0,1,2] after=[0,0,2,0]", NULL},
                                   {"f32[2,3] | before=[1,1] after=[1,1] value=-0.5", NULL},
                                   {"f32[2,3]", NULL},
                                   {"f32[0,3] | before=[1,0]", NULL},
                                   {"f32[] | value=3", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | before=[1]", "must have a number for each axis"},
                                   {"f32[2] | after=[-1]", "a rim of -1"},
                                   {0}},
};

HD_BUILDER(pad, hd_pad_args)
