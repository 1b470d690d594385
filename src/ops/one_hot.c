/* one_hot.c: class numbers as rows of 0 and 1. Knows nothing of backends. */
#include "ops/index_kit.h"

static void one_hot_ref(const hd_ref *r) {
    const hd_one_hot_args *a = r->attr;
    const int64_t *index = r->in[0].data;
    for (int64_t i = 0; i < r->in[0].count; i++) {
        const int64_t k = hd_index_at(index[i], a->num_classes, false);
        for (int64_t j = 0; j < a->num_classes; j++)
            hd_set(&r->out[0], i * a->num_classes + j, k < 0 ? (double)NAN : j == k);
    }
}

static hd_status one_hot_infer(hd_infer *c) {
    const hd_one_hot_args *a = c->attr;
    if (hd_need_dtype(c, 0, HD_I64)) return HD_E_MODEL;
    if (a->num_classes < 1) return hd_infer_fail(c, "num_classes must be given, 1 or more");
    if (a->dtype < 1 || a->dtype > HD_DTYPE_COUNT) return hd_infer_fail(c, "dtype is none of f32 … bool");
    if (c->in[0].dims.rank == HD_MAX_DIMS) return hd_infer_fail(c, "index has %d dimensions already", HD_MAX_DIMS);
    c->out[0] = (hd_type){(hd_dtype)(a->dtype - 1), c->in[0].dims};
    c->out[0].dims.dim[c->out[0].dims.rank++] = a->num_classes;
    return HD_OK;
}

const hd_op hd_op_one_hot = {
    .name = "one_hot",
    .n_in = 1,
    .n_out = 1,
    .in_names = HD_NAMES("index"),
    .args_size = sizeof(hd_one_hot_args),
    .options =
        (const hd_option[]){HD_OPTION(INT, hd_one_hot_args, num_classes, .help = "length of a row"),
                            HD_OPTION(DTYPE, hd_one_hot_args, dtype, .def = HD_DTYPE(HD_I64), .help = "of the result"),
                            HD_OPTION_END},
    .infer = one_hot_infer,
    .no_grad_reason = "its input is whole numbers",
    .ref = one_hot_ref,
    .cost = hd_cost_copy,
    .formula = "y[i][j] = 1 if j = index[i], else 0",
    .source = "as torch.nn.functional.one_hot",
    .doc =
        "For each class number of index [...] a row of num_classes elements, 1 at its place and 0 elsewhere. A number "
        "outside gives a row of NaN (0 of whole numbers).",
    .onnx = "OneHot",
    .samples = (const hd_sample[]){{"i64[3]={1 0 2} | num_classes=3", "{0 1 0 1 0 0 0 0 1}"},
                                   {"i64[2]={1 2} | num_classes=2 dtype=f64", "{0 1 nan nan}"},
                                   {"i64[]={-1} | num_classes=2 dtype=u8", "{0 0}"},
                                   {"i64[2,3]:below(4) | num_classes=4", NULL},
                                   {"i64[0] | num_classes=4", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"i64[3]", "num_classes must be given"}, {"f32[3] | num_classes=2", "i64"}, {0}},
};

HD_BUILDER(one_hot, hd_one_hot_args)
