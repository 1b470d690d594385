/* median.c: an element of given rank along an axis: the k-th smallest, the middle one, the most frequent one. Knows
 * nothing of backends. */
#include "ops/order_kit.h"

static hd_order order_of(const hd_ref *r, const hd_rows *z, int64_t row) {
    return (hd_order){.x = &r->in[0], .first = hd_row_at(z, row, 0), .stride = z->stride};
}

static void kthvalue_ref(const hd_ref *r) {
    const hd_kthvalue_args *a = r->attr;
    const hd_rows z = hd_pick_rows(&r->in[0].dims, a->axis);
    for (int64_t row = 0; row < z.count; row++) {
        const hd_order o = order_of(r, &z, row);
        hd_pick(r, &z, row, hd_order_kth(&o, z.n, a->k, HD_KEY_NAN), row);
    }
}

/* The lower one of two in the middle. A NaN is the median, unless they are to be left out. */
static void median_ref(const hd_ref *r) {
    const hd_median_args *a = r->attr;
    const hd_rows z = hd_pick_rows(&r->in[0].dims, a->axis);
    for (int64_t row = 0; row < z.count; row++) {
        const hd_order o = order_of(r, &z, row);
        int64_t nans = 0, nan = 0;
        for (int64_t i = z.n - 1; i >= 0; i--)
            if (hd_order_key(o.x, o.first + i * o.stride) == HD_KEY_NAN) nans++, nan = i;
        const int64_t n = z.n - nans;
        const bool lost = nans > 0 && (!a->ignore_nan || n == 0);
        hd_pick(r, &z, row, lost ? nan : hd_order_kth(&o, z.n, (n - 1) / 2 + 1, HD_KEY_NAN - 1), row);
    }
}

/* Most frequent, then smallest, then last. */
static int64_t mode_of(const hd_order *o, int64_t n) {
    int64_t best = 0, most = 0;
    uint64_t best_key = 0;
    for (int64_t i = 0; i < n; i++) {
        const uint64_t key = hd_order_key(o->x, o->first + i * o->stride);
        int64_t count = 0;
        for (int64_t j = 0; j < n; j++) count += hd_order_key(o->x, o->first + j * o->stride) == key;
        if (count > most || (count == most && key <= best_key)) best = i, most = count, best_key = key;
    }
    return best;
}

static void mode_ref(const hd_ref *r) {
    const hd_mode_args *a = r->attr;
    const hd_rows z = hd_pick_rows(&r->in[0].dims, a->axis);
    for (int64_t row = 0; row < z.count; row++) {
        const hd_order o = order_of(r, &z, row);
        hd_pick(r, &z, row, mode_of(&o, z.n), row);
    }
}

static hd_status kthvalue_infer(hd_infer *c) {
    const hd_kthvalue_args *a = c->attr;
    char text[192];
    int axis;
    if (hd_infer_axis(c, a->axis, &axis) || hd_infer_pick(c, a->axis, a->keepdim)) return HD_E_MODEL;
    const int64_t n = c->in[0].dims.dim[axis];
    if (n < 0 || a->k <= n) return HD_OK;
    return hd_infer_fail(c, "k is %lld, axis %d of x %s has %lld elements", (long long)a->k, axis,
                         hd_dims_text(text, &c->in[0].dims), (long long)n);
}
static hd_status median_infer(hd_infer *c) {
    const hd_median_args *a = c->attr;
    return hd_infer_pick(c, a->axis, a->keepdim);
}
static hd_status mode_infer(hd_infer *c) {
    const hd_mode_args *a = c->attr;
    return hd_infer_pick(c, a->axis, a->keepdim);
}

static void kthvalue_rule(hd_grad *c) {
    const hd_kthvalue_args *a = c->attr;
    hd_pick_rule(c, a->axis);
}
static void median_rule(hd_grad *c) {
    const hd_median_args *a = c->attr;
    hd_pick_rule(c, a->axis);
}
static void mode_rule(hd_grad *c) {
    const hd_mode_args *a = c->attr;
    hd_pick_rule(c, a->axis);
}

const hd_op hd_op_kthvalue = {
    HD_PICK_HEAD(kthvalue, hd_kthvalue_args,
                 HD_OPTION(INT, hd_kthvalue_args, k, .def = 1, .min = 1, .max = 0x1p62, .help = "1: the smallest"),
                 HD_PICK_AXIS(hd_kthvalue_args, -1, "axis to search"), HD_PICK_KEEPDIM(hd_kthvalue_args)),
    .infer = kthvalue_infer,
    .grad = kthvalue_rule,
    .ref = kthvalue_ref,
    .formula = "values = the k-th smallest x along the axis = x[indices]",
    .source = "as torch.kthvalue",
    .doc = "The k-th smallest element along an axis (the last, if not said), and where it stands (i64). Of equal ones "
           "the first; NaN counts as larger than everything.",
    .samples = (const hd_sample[]){{"f32[5]={3 1 4 1 5} | k=3", "{3} {0}"},
                                   {"f32[2,3]={3 nan 4 0 -0 -1} | k=2 keepdim=true", "{4 0} {2 0}"},
                                   {"i64[2,2]={-4 3 -5 9} | axis=0", "{-5 3} {1 0}"},
                                   {"f32[2,7]:distinct | k=7", NULL},
                                   {"f32[3,70]:distinct | k=35", NULL},
                                   {"f32[2,5,3]:distinct | k=2 axis=-2 keepdim=true", NULL},
                                   {"f32[4]:distinct | k=2", NULL},
                                   {"f32[0,3] | k=2", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | k=4", "k is 4, axis 1 of x [2,3] has 3 elements"},
                                   {"f32[]", "does not have the axis"},
                                   {"f32[2,0]", "no element of nothing"},
                                   {0}},
};

const hd_op hd_op_median = {
    HD_PICK_HEAD(median, hd_median_args, HD_PICK_AXIS(hd_median_args, 0, "axis to search; none: all elements"),
                 HD_PICK_KEEPDIM(hd_median_args),
                 HD_OPTION(BOOL, hd_median_args, ignore_nan, .help = "leave NaN out instead of giving it back")),
    .infer = median_infer,
    .grad = median_rule,
    .ref = median_ref,
    .formula = "values = the middle one of x in order, the lower of two = x[indices]",
    .source = "as torch.median, torch.nanmedian",
    .doc = "The element in the middle along an axis, or of all, and where it stands (i64). Of two in the middle the "
           "lower one, of equal ones the first. NaN if there is one, unless ignore_nan.",
    .samples =
        (const hd_sample[]){{"f32[5]={3 1 4 1 5}", "{3} {0}"},
                            {"f32[2,4]={4 3 2 1 1 nan 0 5} | axis=1", "{2 nan} {2 1}"},
                            {"f32[2,3]={nan 3 2 nan nan nan} | axis=-1 keepdim=true ignore_nan=true", "{2 nan} {2 0}"},
                            {"u8[]={7}", "{7} {0}"},
                            {"f32[2,3]:distinct", NULL},
                            {"f32[2,3]:distinct | keepdim=true", NULL},
                            {"f32[2,71]:distinct | axis=1", NULL},
                            {"f32[2,4,3]:distinct | axis=1", NULL},
                            {"f32[0,3] | axis=1", NULL},
                            {0}},
    .bad = (const hd_bad_sample[]){{"f32[0]", "no element of nothing"}, {"f32[2] | axis=1", "have the axis"}, {0}},
};

const hd_op hd_op_mode = {
    HD_PICK_HEAD(mode, hd_mode_args, HD_PICK_AXIS(hd_mode_args, -1, "axis to search"), HD_PICK_KEEPDIM(hd_mode_args)),
    .infer = mode_infer,
    .grad = mode_rule,
    .ref = mode_ref,
    .formula = "values = the most frequent x along the axis = x[indices]",
    .source = "as torch.mode",
    .doc =
        "The most frequent element along an axis (the last, if not said), the smallest of equally frequent ones, and "
        "its last place (i64).",
    .samples = (const hd_sample[]){{"f32[5]={3 1 4 1 5}", "{1} {3}"},
                                   {"i32[2,3]={7 5 7 2 1 2} | axis=0", "{2 1 2} {1 1 1}"},
                                   {"f32[2,2]={3 2 nan nan} | axis=-1 keepdim=true", "{2 nan} {1 1}"},
                                   {"f32[2,7]:distinct", NULL},
                                   {"f32[2,5,3]:distinct | axis=-2 keepdim=true", NULL},
                                   {"f32[0,3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3,0]", "no element of nothing"}, {"f32[3] | axis=1", "have the axis"}, {0}},
};

HD_BUILDER(kthvalue, hd_kthvalue_args)
HD_BUILDER(median, hd_median_args)
HD_BUILDER(mode, hd_mode_args)
