/* cast.c: elements in another dtype. Knows nothing of backends. */
#include "ops/op_kit.h"

static int64_t whole(const hd_tensor *t, int64_t i) {
    return t->dtype == HD_I64 ? ((const int64_t *)t->data)[i] : (int64_t)hd_get(t, i);
}

/* i64 is the one dtype whose numbers a double does not hold. */
static void cast_ref(const hd_ref *r) {
    const bool exact = r->out[0].dtype == HD_I64 && !hd_is_float(r->in[0].dtype);
    for (int64_t i = 0; i < r->out[0].count; i++) {
        if (exact)
            ((int64_t *)r->out[0].data)[i] = whole(&r->in[0], i);
        else
            hd_set(&r->out[0], i, hd_get(&r->in[0], i));
    }
}

static hd_status cast_infer(hd_infer *c) {
    const hd_cast_args *a = c->attr;
    if (a->dtype < 1 || a->dtype > HD_DTYPE_COUNT) return hd_infer_fail(c, "dtype must be given: one of f32 … bf16");
    c->out[0] = (hd_type){(hd_dtype)(a->dtype - 1), c->in[0].dims};
    return HD_OK;
}

/* Into integers it is a staircase: the derivative is 0, so nothing flows. */
static void cast_grad(hd_grad *c) {
    const hd_dtype from = hd_val_dtype(c->in[0]);
    if (hd_is_float(from) && hd_is_float(hd_val_dtype(c->out[0])))
        c->din[0] = hd_cast(c->dout[0], .dtype = HD_DTYPE(from));
}

const hd_op hd_op_cast = {
    .name = "cast",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_cast_args),
    .options = (const hd_option[]){HD_OPTION(DTYPE, hd_cast_args, dtype, .help = "f32 f64 i32 i64 u8 bool bf16"),
                                   HD_OPTION_END},
    .flags = HD_OP_ELEMENTWISE | HD_OP_OWN_BF16,
    .infer = cast_infer,
    .grad = cast_grad,
    .ref = cast_ref,
    .cost = hd_cost_copy,
    .formula = "y = x in another dtype",
    .source = "ISO C conversions, made total",
    .doc = "Elements in another dtype. Into integers towards zero; what does not fit becomes the nearest number that "
           "does, "
           "NaN becomes 0. Into bool: x ≠ 0.",
    .onnx = "Cast",
    .samples =
        (const hd_sample[]){{"f32[5]={1.9 -1.9 300 -5 0} | dtype=u8", "{1 0 255 0 0}"},
                            {"f32[3]={1.9 -1.9 0.5} | dtype=i32", "{1 -1 0}"},
                            {"f32[3]={0 0.5 -2} | dtype=bool", "{0 1 1}"},
                            {"i64[2]={9007199254740993 -1} | dtype=i64", "{9007199254740993 -1}"},
                            {"i64[2]={70000000000 -3} | dtype=i32", "{2147483647 -3}"},
                            {"bool[2]={0 1} | dtype=f32", "{0 1}"},
                            {"u8[2]={0 255} | dtype=i64", "{0 255}"},
                            {"f32[2,3] | dtype=f64", NULL},
                            {"f32[4]={1 1.00390625 1.01171875 3.39e38} | dtype=bf16", "{1 1 1.015625 3.3895314e38}"},
                            {"bf16[2,3] | dtype=f32", NULL},
                            {"f32[0] | dtype=i64", NULL},
                            {0}},
    .bad = (const hd_bad_sample[]){{"f32[2]", "dtype must be given"}, {0}},
};

HD_BUILDER(cast, hd_cast_args)
