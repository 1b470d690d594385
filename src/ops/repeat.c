/* repeat.c: x laid behind itself along its axes. Knows nothing of backends. */
#include "ops/shape_kit.h"

static void repeat_ref(const hd_ref *r) {
    const hd_dims *x = &r->in[0].dims, *y = &r->out[0].dims;
    const size_t size = hd_dtype_size(r->out[0].dtype);
    const int more = y->rank - x->rank;
    int64_t stride[HD_MAX_DIMS];
    hd_walk w;
    hd_strides(stride, x);
    hd_walk_init(&w, y, y, NULL);
    for (int64_t i = 0; i < r->out[0].count; i++, hd_walk_next(&w)) {
        int64_t at = 0;
        for (int d = 0; d < x->rank; d++) at += w.index[more + d] % x->dim[d] * stride[d];
        memcpy((char *)r->out[0].data + (size_t)i * size, (const char *)r->in[0].data + (size_t)at * size, size);
    }
}

static hd_status repeat_infer(hd_infer *c) {
    const hd_repeat_args *a = c->attr;
    const hd_dims *x = &c->in[0].dims;
    const int more = a->repeats.rank - x->rank;
    char text[192], repeats[192];
    c->out[0] = (hd_type){c->in[0].dtype, a->repeats};
    if (more < 0)
        return hd_infer_fail(c, "repeats %s must have a number for each axis of x %s",
                             hd_dims_text(repeats, &a->repeats), hd_dims_text(text, x));
    for (int i = 0; i < a->repeats.rank; i++) {
        const int64_t n = i < more ? 1 : x->dim[i - more], times = a->repeats.dim[i];
        if (times < 0 || times > HD_MAX_WINDOW)
            return hd_infer_fail(c, "%lld repeats are not possible", (long long)times);
        if (n < 0 && times != 1)
            return hd_infer_fail(c, "the batch of x %s can not be repeated", hd_dims_text(text, x));
        if (n > INT64_MAX / HD_MAX_WINDOW) return hd_infer_fail(c, "x %s is too large", hd_dims_text(text, x));
        c->out[0].dims.dim[i] = n * times;
    }
    return HD_OK;
}

/* The copies added up, axis by axis: each time x is [outer, copies, rest]. */
static void repeat_grad(hd_grad *c) {
    const hd_repeat_args *a = c->attr;
    const hd_val x = c->in[0];
    hd_dims left = hd_val_dims(c->out[0]); /* of d: axes that were added up are as in x */
    hd_val d = c->dout[0];
    for (int i = 0; i < left.rank; i++) {
        if (left.dim[i] == 0) return; /* nothing arrives */
        if (a->repeats.dim[i] == 1) continue;
        hd_dims outer = {.rank = i}, rest = {.rank = left.rank - i};
        bool batch[2];
        memcpy(outer.dim, left.dim, (size_t)i * sizeof *left.dim);
        memcpy(rest.dim, left.dim + i, (size_t)rest.rank * sizeof *left.dim);
        left.dim[i] /= a->repeats.dim[i];
        rest.dim[0] = left.dim[i];
        const int64_t before = hd_count_without_batch(&outer, &batch[0]),
                      after = hd_count_without_batch(&rest, &batch[1]);
        d = hd_reshape(d,
                       .dims = HD_DIMS(batch[0] ? HD_BATCH : before, a->repeats.dim[i], batch[1] ? HD_BATCH : after));
        d = hd_sum(d, .axes = HD_DIMS(1));
    }
    c->din[0] = hd_reshape_like(d, x);
}

const hd_op hd_op_repeat = {
    .name = "repeat",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_repeat_args),
    .options = (const hd_option[]){HD_OPTION(DIMS, hd_repeat_args, repeats, .help = "how often, one number an axis"),
                                   HD_OPTION_END},
    .infer = repeat_infer,
    .grad = repeat_grad,
    .ref = repeat_ref,
    .cost = hd_cost_copy,
    .formula = "y[…, i, …] = x[…, i mod size, …]",
    .source = "as torch.Tensor.repeat and numpy.tile",
    .doc = "x laid behind itself repeats.dim[i] times along axis i; more numbers than x has axes add axes in front.",
    .onnx = "Tile",
    .samples = (const hd_sample[]){{"f32[2]={1 2} | repeats=[3]", "{1 2 1 2 1 2}"},
                                   {"i64[2,1]={1 2} | repeats=[1,2]", "{1 1 2 2}"},
                                   {"bool[2]={1 0} | repeats=[2,1]", "{1 0 1 0}"},
                                   {"f32[]={5} | repeats=[2]", "{5 5}"},
                                   {"f32[2,3,4] | repeats=[2,1,3]", NULL},
                                   {"f32[3,4] | repeats=[2,3,2,1]", NULL},
                                   {"f32[3,50] | repeats=[20,2]", NULL},
                                   {"f32[2,3] | repeats=[0,2]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | repeats=[2]", "a number for each axis"},
                                   {"f32[2] | repeats=[-1]", "-1 repeats"},
                                   {0}},
};

HD_BUILDER(repeat, hd_repeat_args)
