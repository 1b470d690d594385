/* sort.c: elements along an axis in order, and the first k of them. Knows nothing of backends. */
#include "ops/order_kit.h"

/* The order of each row, then the elements it names. */
static void order(const hd_ref *r, int64_t axis, bool largest) {
    const hd_tensor *x = &r->in[0], *y = &r->out[0];
    const int k = hd_axis_resolve(axis, x->dims.rank);
    const hd_rows from = hd_rows_of(&x->dims, k, false), to = hd_rows_of(&y->dims, k, false);
    for (int64_t row = 0; row < to.count; row++) {
        const int64_t first = hd_row_at(&to, row, 0);
        const hd_order o = {.x = x,
                            .first = hd_row_at(&from, row, 0),
                            .stride = from.stride,
                            .place = (int64_t *)r->out[1].data + first,
                            .step = to.stride,
                            .largest = largest};
        hd_order_row(&o, from.n, to.n);
        for (int64_t i = 0; i < to.n; i++) {
            const int64_t at = first + i * to.stride;
            hd_pick(r, &from, row, ((const int64_t *)r->out[1].data)[at], at);
        }
    }
}

static void sort_ref(const hd_ref *r) {
    const hd_sort_args *a = r->attr;
    order(r, a->axis, a->descending);
}
static void topk_ref(const hd_ref *r) {
    const hd_topk_args *a = r->attr;
    order(r, a->axis, !a->smallest);
}

static hd_status sort_infer(hd_infer *c) {
    const hd_sort_args *a = c->attr;
    int axis;
    c->out[0] = c->in[0];
    c->out[1] = (hd_type){HD_I64, c->in[0].dims};
    return hd_infer_axis(c, a->axis, &axis);
}

static hd_status topk_infer(hd_infer *c) {
    const hd_topk_args *a = c->attr;
    char text[192];
    int axis;
    c->out[0] = c->in[0];
    if (hd_infer_axis(c, a->axis, &axis)) return HD_E_MODEL;
    const int64_t n = c->in[0].dims.dim[axis];
    if (n >= 0 && a->k > n)
        return hd_infer_fail(c, "k is %lld, axis %d of x %s has %lld elements", (long long)a->k, axis,
                             hd_dims_text(text, &c->in[0].dims), (long long)n);
    c->out[0].dims.dim[axis] = a->k;
    c->out[1] = (hd_type){HD_I64, c->out[0].dims};
    return HD_OK;
}

static void order_rule(hd_grad *c, int64_t axis) {
    if (!hd_val_is_none(c->dout[0]))
        c->din[0] = hd_scatter_add(hd_fill_like(c->in[0]), c->out[1], c->dout[0], .axis = axis);
}
static void sort_rule(hd_grad *c) {
    const hd_sort_args *a = c->attr;
    order_rule(c, a->axis);
}
static void topk_rule(hd_grad *c) {
    const hd_topk_args *a = c->attr;
    order_rule(c, a->axis);
}

const hd_op hd_op_sort = {
    HD_PICK_HEAD(sort, hd_sort_args, HD_PICK_AXIS(hd_sort_args, -1, "axis to sort along"),
                 HD_OPTION(BOOL, hd_sort_args, descending, .help = "the largest first")),
    .infer = sort_infer,
    .grad = sort_rule,
    .ref = sort_ref,
    .formula = "values[0] ≤ values[1] ≤ …, values[i] = x[indices[i]] along the axis",
    .source = "as torch.sort with stable=True; Williams 1964",
    .doc = "The elements along an axis (the last, if not said) in order, and where they stood (i64). Equal ones keep "
           "their order; NaN counts as larger than everything.",
    .samples = (const hd_sample[]){{"f32[4]={3 1 2 1}", "{1 1 2 3} {1 3 2 0}"},
                                   {"f32[4]={3 nan 2 3} | descending=true", "{nan 3 3 2} {1 0 3 2}"},
                                   {"i64[2,2]={4 -3 2 9} | axis=0", "{2 -3 4 9} {1 0 0 1}"},
                                   {"bool[3]={1 0 1}", "{0 1 1} {1 0 2}"},
                                   {"f32[2,7]:distinct", NULL},
                                   {"f32[2,5,3]:distinct | axis=1 descending=true", NULL},
                                   {"f32[0,3]", NULL},
                                   {"f32[40,500]:distinct", NULL},
                                   {"f32[3,0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | axis=2", "does not have the axis"}, {"f32[]", "have the axis"}, {0}},
};

const hd_op hd_op_topk = {
    HD_PICK_HEAD(topk, hd_topk_args,
                 HD_OPTION(INT, hd_topk_args, k, .def = 1, .min = 1, .max = 0x1p62, .help = "how many"),
                 HD_PICK_AXIS(hd_topk_args, -1, "axis to search"),
                 HD_OPTION(BOOL, hd_topk_args, smallest, .help = "the smallest instead")),
    .infer = topk_infer,
    .grad = topk_rule,
    .ref = topk_ref,
    .formula = "values = the k largest x along the axis, the largest first; values[i] = x[indices[i]]",
    .source = "as torch.topk",
    .doc = "The k largest (or smallest) elements along an axis (the last, if not said), in order, and where they stand "
           "(i64). Of equal ones the first; NaN counts as larger than everything.",
    .onnx = "TopK",
    .samples = (const hd_sample[]){{"f32[5]={3 1 4 1 5} | k=2", "{5 4} {4 2}"},
                                   {"f32[5]={3 1 4 1 5} | k=3 smallest=true", "{1 1 3} {1 3 0}"},
                                   {"i32[2,3]={1 7 3 4 5 6} | axis=0", "{4 7 6} {1 0 1}"},
                                   {"f32[6]={1 nan 3 nan 3 -0} | k=4", "{nan nan 3 3} {1 3 2 4}"},
                                   {"f32[5]={nan 2 nan 1 nan} | k=4 smallest=true", "{1 2 nan nan} {3 1 0 2}"},
                                   {"f32[2,7]:distinct | k=7", NULL},
                                   {"f32[3,200]:distinct | k=9", NULL},
                                   {"f32[2,5,3]:distinct | k=2 axis=-2", NULL},
                                   {"f32[0,3] | k=2", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | k=4", "k is 4, axis 1 of x [2,3] has 3 elements"},
                                   {"f32[2,3] | k=-1", "k is -1"},
                                   {"f32[2,3] | axis=-3", "does not have the axis"},
                                   {0}},
};

HD_BUILDER(sort, hd_sort_args)
HD_BUILDER(topk, hd_topk_args)

hd_val hd_argsort_at(hd_loc at, const hd_sort_args *args) {
    return hd_output(hd_sort_at(at, args), 1);
}
