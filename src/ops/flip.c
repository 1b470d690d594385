/* flip.c: axes in reverse. Knows nothing of backends. */
#include "ops/shape_kit.h"

static void flip_ref(const hd_ref *r) {
    const hd_flip_args *a = r->attr;
    const hd_dims *x = &r->in[0].dims;
    const unsigned axes = hd_axes_bits(&a->axes, x->rank);
    int64_t first = 0;
    hd_walk w;
    hd_walk_init(&w, x, x, NULL);
    hd_strides(w.stride[0], x);
    for (int i = 0; i < x->rank; i++) {
        if (!(axes >> i & 1)) continue;
        first += (x->dim[i] - 1) * w.stride[0][i];
        w.stride[0][i] = -w.stride[0][i];
    }
    hd_take_along(r, &w, first);
}

static hd_status flip_infer(hd_infer *c) {
    const hd_flip_args *a = c->attr;
    unsigned bits;
    c->out[0] = c->in[0];
    return hd_infer_axes(c, &a->axes, c->in[0].dims.rank, &bits);
}

static void flip_grad(hd_grad *c) {
    c->din[0] = hd_flip(c->dout[0], .axes = ((const hd_flip_args *)c->attr)->axes);
}

const hd_op hd_op_flip = {
    .name = "flip",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_flip_args),
    .options = (const hd_option[]){HD_OPTION(DIMS, hd_flip_args, axes,
                                             .help = "axes to reverse, negative from the end; none: all"),
                                   HD_OPTION_END},
    .infer = flip_infer,
    .grad = flip_grad,
    .ref = flip_ref,
    .cost = hd_cost_copy,
    .formula = "y[…, i, …] = x[…, size − 1 − i, …] on the axes",
    .source = "as torch.flip; without axes as numpy.flip",
    .doc = "The elements in reverse order along some axes.",
    .samples = (const hd_sample[]){{"f32[3]={1 2 3}", "{3 2 1}"},
                                   {"i64[2,2]={1 2 3 4} | axes=[1]", "{2 1 4 3}"},
                                   {"u8[2,2]={1 2 3 4} | axes=[-2]", "{3 4 1 2}"},
                                   {"f32[]={3}", "{3}"},
                                   {"f32[2,3,4,5] | axes=[0,-1]", NULL},
                                   {"f32[3,70,33] | axes=[1]", NULL},
                                   {"f32[3,4,5]", NULL},
                                   {"f32[0,3] | axes=[0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | axes=[2]", "axis 2 is out of range"},
                                   {"f32[2,3] | axes=[0,-2]", "named twice"},
                                   {0}},
};

HD_BUILDER(flip, hd_flip_args)
