/* expand.c: x repeated to given dimensions. Knows nothing of backends. */
#include "ops/shape_kit.h"

static void expand_ref(const hd_ref *r) {
    hd_walk w;
    hd_walk_init(&w, &r->out[0].dims, &r->in[0].dims, NULL);
    hd_take_along(r, &w, 0);
}

static hd_status expand_infer(hd_infer *c) {
    const hd_expand_args *a = c->attr;
    const hd_dims *x = &c->in[0].dims;
    char text[192], want[192];
    c->out[0] = (hd_type){c->in[0].dtype, a->dims};
    hd_dims *y = &c->out[0].dims;
    const int more = y->rank - x->rank;
    for (int i = 0; i < y->rank; i++) {
        const int64_t have = i < more ? 1 : x->dim[i - more];
        if (y->dim[i] == -1 && i >= more) y->dim[i] = have;
        if (more < 0 || (y->dim[i] < 0 && (i < more || y->dim[i] != have)) || (have != 1 && have != y->dim[i]))
            return hd_infer_fail(c,
                                 "x %s can not be repeated to %s: from the last dimension on, sizes must be equal, "
                                 "1 in x, or -1 (as x has it)",
                                 hd_dims_text(text, x), hd_dims_text(want, &a->dims));
    }
    if (more >= 0) return HD_OK;
    return hd_infer_fail(c, "x %s has more dimensions than %s", hd_dims_text(text, x), hd_dims_text(want, &a->dims));
}

static void expand_grad(hd_grad *c) {
    c->din[0] = hd_sum_like(c->dout[0], c->in[0]);
}

const hd_op hd_op_expand = {
    .name = "expand",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_expand_args),
    .options = (const hd_option[]){HD_OPTION(DIMS, hd_expand_args, dims, .help = "sizes of y; -1 (B): as x has it"),
                                   HD_OPTION_END},
    .infer = expand_infer,
    .grad = expand_grad,
    .ref = expand_ref,
    .cost = hd_cost_copy,
    .formula = "y[…, i] = x[…, i or 0 where x has one element]",
    .source = "NumPy's broadcasting rule; as torch.Tensor.expand, but a copy",
    .doc = "Repeats x to the given dimensions: axes of size 1 and new axes in front are repeated.",
    .onnx = "Expand",
    .samples = (const hd_sample[]){{"f32[2,1]={1 2} | dims=[2,3]", "{1 1 1 2 2 2}"},
                                   {"i64[2]={1 2} | dims=[2,-1]", "{1 2 1 2}"},
                                   {"bool[]={1} | dims=[3]", "{1 1 1}"},
                                   {"f32[]={5}", "{5}"},
                                   {"f32[3,1,1] | dims=[2,-1,4,5]", NULL},
                                   {"f32[2,1,3,1] | dims=[2,4,3,5]", NULL},
                                   {"f32[7,1] | dims=[7,300]", NULL},
                                   {"f32[1,3] | dims=[0,3]", NULL},
                                   {"f32[2,3] | dims=[-1,-1]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | dims=[2,4]", "can not be repeated to [2,4]"},
                                   {"f32[3] | dims=[-1,3]", "can not be repeated"},
                                   {"f32[2,3] | dims=[3]", "x [2,3]"},
                                   {0}},
};

HD_BUILDER(expand, hd_expand_args)
