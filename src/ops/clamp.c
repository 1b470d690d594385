/* clamp.c: y = x held between two numbers. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

/* min > max gives max, as in PyTorch; NaN stays. */
static double held(const hd_clamp_args *o, double x) {
    const double y = x < o->min ? o->min : x;
    return y > o->max ? o->max : y;
}

static void clamp_ref(const hd_ref *r) {
    const hd_clamp_args *o = r->attr;
    const hd_tensor *x = &r->in[0], *y = &r->out[0];
    const size_t size = hd_dtype_size(y->dtype);
    for (int64_t i = 0; i < y->count; i++) {
        const double was = hd_get(x, i), is = held(o, was);
        if (is == was) /* the very bits: a double does not hold every i64 */
            memmove((char *)y->data + (size_t)i * size, (const char *)x->data + (size_t)i * size, size);
        else
            hd_set(y, i, is);
    }
}

/* Inside and at the bounds. */
static void clamp_grad(hd_grad *c) {
    const hd_clamp_args *o = c->attr;
    c->din[0] =
        hd_band_grad(c->in[0], c->dout[0], .low = hd_explicit(o->min), .high = hd_explicit(o->max), .closed = true);
}

const hd_op hd_op_clamp = {
    .name = "clamp",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_clamp_args),
    .options =
        (const hd_option[]){
            HD_OPTION(FLOAT, hd_clamp_args, min, .def = -INFINITY, .help = "the smallest result; none: −∞"),
            HD_OPTION(FLOAT, hd_clamp_args, max, .def = INFINITY, .help = "the largest result; none: ∞"),
            HD_OPTION_END},
    .flags = HD_OP_ELEMENTWISE | HD_OP_INPLACE | HD_OP_KINK,
    .infer = hd_infer_unary_number,
    .grad = clamp_grad,
    .ref = clamp_ref,
    .formula = "y = min(max(x, min), max)",
    .source = "as torch.clamp",
    .doc = "Holds every element between two numbers, of which one may be left out. The gradient passes inside and at "
           "the bounds.",
    .onnx = "Clip",
    .samples =
        HD_UNARY_SAMPLES_WITH(":away", "min=-0.05 max=0.7", {"f32[4]={-2 0.5 3 nan} | min=-1 max=1", "{-1 0.5 1 nan}"},
                              {"f32[2]={-2 3} | min=0", "{0 3}"}, {"f32[2]={-2 3} | max=0", "{-2 0}"},
                              {"u8[3]={1 5 9} | min=2.5 max=300", "{2 5 9}"}),
    .bad = hd_bad_unary_number,
};

HD_BUILDER(clamp, hd_clamp_args)
