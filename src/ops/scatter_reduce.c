/* scatter_reduce.c: elements combined by index along an axis. Knows nothing of backends. */
#include "ops/index_kit.h"

enum { SUM, PROD, MEAN, AMAX, AMIN };
static const char *const choices[] = {"sum", "prod", "mean", "amax", "amin", NULL};

static double neutral(int64_t how) {
    if (how == AMAX) return (double)-INFINITY;
    if (how == AMIN) return (double)INFINITY;
    return how == PROD;
}

/* One more element v. `count`: how many made y what it is; of extremes only the equal best. */
static void combine(int64_t how, double *y, double *count, double v) {
    if (how == AMAX || how == AMIN) {
        const bool better = how == AMAX ? v > *y : v < *y, lost = isnan(v) && !isnan(*y);
        *count = better || lost ? 1 : *count + (v == *y);
        if (better || lost) *y = v;
        return;
    }
    *y = how == PROD ? *y * v : *y + v;
    *count += 1;
}

/* Calls `each` for the places of index: in y, and of src. False: one lay outside. */
static bool scatter_each(const hd_ref *r, void (*each)(const hd_ref *r, int64_t at, int64_t from)) {
    const hd_scatter_reduce_args *a = r->attr;
    const hd_dims *x = &r->in[0].dims;
    const int axis = hd_axis_resolve(a->axis, x->rank);
    hd_walk w;
    const int64_t along = hd_walk_lines(&w, &r->in[1].dims, x, axis, &r->in[2].dims);
    bool inside = true;
    for (int64_t i = 0; i < r->in[1].count; i++, hd_walk_next(&w)) {
        const int64_t k = hd_index_at(((const int64_t *)r->in[1].data)[i], x->dim[axis], a->wrap);
        inside &= k >= 0;
        if (k >= 0) each(r, w.at[0] + k * along, w.at[1]);
    }
    return inside;
}

static void clear_one(const hd_ref *r, int64_t at, int64_t from) {
    const hd_scatter_reduce_args *a = r->attr;
    (void)from;
    hd_set(&r->out[0], at, neutral(a->reduce));
    hd_set(&r->out[1], at, 0);
}

static void put_one(const hd_ref *r, int64_t at, int64_t from) {
    const hd_scatter_reduce_args *a = r->attr;
    double y = hd_get(&r->out[0], at), count = hd_get(&r->out[1], at);
    combine(a->reduce, &y, &count, hd_get(&r->in[2], from));
    hd_set(&r->out[0], at, y);
    hd_set(&r->out[1], at, count);
}

static void scatter_reduce_ref(const hd_ref *r) {
    const hd_scatter_reduce_args *a = r->attr;
    const hd_tensor *y = &r->out[0];
    for (int64_t i = 0; i < y->count; i++) {
        hd_set(y, i, hd_get(&r->in[0], i));
        hd_set(&r->out[1], i, 1);
    }
    if (a->exclude_self) (void)scatter_each(r, clear_one);
    const bool inside = scatter_each(r, put_one);
    for (int64_t i = 0; i < y->count && a->reduce == MEAN; i++) hd_set(y, i, hd_get(y, i) / hd_get(&r->out[1], i));
    if (!inside) hd_spoil(y);
}

static hd_status scatter_reduce_infer(hd_infer *c) {
    const hd_scatter_reduce_args *a = c->attr;
    c->out[1] = c->in[0];
    return hd_need_float(c, 0) ? HD_E_MODEL : hd_infer_put_lines(c, a->axis);
}

/* ---- gradient ---- */

/* The part of src that index names; and a gradient of that part as one of src. */
static hd_val part_of(hd_val src, hd_val index) {
    const hd_dims want = hd_val_dims(index);
    for (int i = 0; i < want.rank; i++)
        if (hd_val_dims(src).dim[i] != want.dim[i]) src = hd_slice(src, .axis = HD_AXIS(i), .stop = want.dim[i]);
    return src;
}

static hd_val combined(const hd_grad *c, hd_val x, hd_val src, bool exclude_self) {
    hd_scatter_reduce_args args = *(const hd_scatter_reduce_args *)c->attr;
    args.x = x;
    args.index = c->in[1];
    args.src = src;
    args.exclude_self = exclude_self;
    return hd_scatter_reduce_at(HD_HERE, &args);
}

/* dy at the places that were read. */
static hd_val picked(const hd_grad *c, hd_val v) {
    const hd_scatter_reduce_args *a = c->attr;
    return hd_gather(v, c->in[1], .axis = a->axis, .wrap = a->wrap);
}

/* The product of all others: y/src, and where src is the only 0 of its place the product with 1 instead of it. */
static hd_val prod_of_others(const hd_grad *c, hd_val src) {
    const hd_scatter_reduce_args *a = c->attr;
    const hd_val dy = c->dout[0], zero = hd_eq(src, hd_fill_like(src));
    const hd_val zeros =
        hd_scatter_add(hd_fill_like(c->in[0]), c->in[1], hd_cast(zero, .dtype = HD_DTYPE(hd_val_dtype(src))),
                       .axis = a->axis, .wrap = a->wrap);
    const hd_val single = hd_logical_and(zero, hd_eq(picked(c, zeros), hd_fill_like(src, .value = 1)));
    const hd_val without = combined(c, c->in[0], hd_masked_fill(src, single, .value = 1), a->exclude_self);
    const hd_val usual = hd_div_no_nan(picked(c, hd_mul(dy, c->out[0])), src);
    return hd_where(single, picked(c, hd_mul(dy, without)), usual);
}

static void scatter_reduce_rule(hd_grad *c) {
    const hd_scatter_reduce_args *a = c->attr;
    const hd_val x = c->in[0], y = c->out[0], src = part_of(c->in[2], c->in[1]);
    const bool extreme = a->reduce == AMAX || a->reduce == AMIN;
    if (hd_val_is_none(c->dout[0])) return;
    const hd_val d = a->reduce == MEAN || extreme ? hd_div(c->dout[0], c->out[1]) : c->dout[0];
    if (c->needs[0]) {
        hd_val dx = extreme ? hd_masked_fill(d, hd_ne(x, y)) : d;
        if (a->reduce == PROD && !a->exclude_self) dx = hd_mul(d, combined(c, hd_fill_like(x, .value = 1), src, false));
        if (a->exclude_self) dx = hd_scatter(dx, c->in[1], .axis = a->axis, .wrap = a->wrap);
        c->din[0] = dx;
    }
    if (c->needs[2]) {
        hd_val ds = a->reduce == PROD ? prod_of_others(c, src) : picked(c, d);
        if (extreme) ds = hd_masked_fill(ds, hd_ne(src, picked(c, y)));
        c->din[2] = hd_pad_to(ds, c->in[2]);
    }
}

const hd_op hd_op_scatter_reduce = {
    HD_INDEX_HEAD(scatter_reduce, 3, 2,
                  HD_OPTION(ENUM, hd_scatter_reduce_args, reduce, .choices = choices, .help = "how they are combined"),
                  HD_OPTION(BOOL, hd_scatter_reduce_args, exclude_self,
                            .help = "the element of x itself counts only where nothing is put"),
                  HD_OPTION_END),
    .in_names = HD_NAMES("x", "index", "src"),
    .out_names = HD_NAMES("y", "count"),
    .flags = HD_OP_KINK,
    .infer = scatter_reduce_infer,
    .grad = scatter_reduce_rule,
    .ref = scatter_reduce_ref,
    .formula = "y[index[i][j]][j] = reduce of x there and of all src[i][j] for axis 0, and so on",
    .source = "as torch.scatter_reduce",
    .doc =
        "Combines the elements of src with x at the places that index names along an axis: their sum, product, mean, "
        "largest or smallest. The second result tells how many made each element (of extremes: how many are equal "
        "to it, among which the gradient is shared). An index outside makes the result NaN. The gradient of a product "
        "is right at zeros; its own gradient only where a place gets at most one.",
    .samples =
        (const hd_sample[]){
            {"f32[2]={1 2}, i64[3]={0 0 1}, f32[3]={5 6 7}", "{12 9} {3 2}"},
            {"f32[2]={1 2}, i64[3]={0 0 0}, f32[3]={5 6 7} | reduce=mean exclude_self=true", "{6 2} {3 1}"},
            {"f32[2]={8 2}, i64[3]={0 0 1}, f32[3]={8 6 -7} | reduce=amax", "{8 2} {2 1}"},
            {"f32[2]={8 2}, i64[3]={0 0 -1}, f32[3]={8 6 -7} | reduce=amin exclude_self=true wrap=true",
             "{6 -7} {1 1}"},
            {"f32[2,2]={1 2 3 4}, i64[1,2]={1 0}, f32[2,2]={5 6 7 8} | reduce=prod", "{1 12 15 4} {1 2 2 1}"},
            {"f32[2]={1 2}, i64[1]={5}, f32[1]={5}", "{nan nan} {1 1}"},
            {"f32[4,2], i64[5,2]:below(4), f32[5,2]", NULL},
            {"f32[4,2], i64[5,2]:below(4), f32[6,2] | reduce=mean", NULL},
            {"f32[2,4], i64[2,5]:below(4), f32[2,5] | reduce=mean axis=1 exclude_self=true", NULL},
            {"f32[4,2]:distinct, i64[5,2]:below(4), f32[5,2]:distinct | reduce=amax", NULL},
            {"f32[4,2], i64[5,2]:below(4), f32[5,3]:distinct | reduce=amin exclude_self=true", NULL},
            {"f32[4,2], i64[5,2]:below(4), f32[5,2] | reduce=prod", NULL},
            {"f32[2], i64[5]={0 0 1 1 1}, f32[5]={0 3 0 0 2} | reduce=prod exclude_self=true", NULL},
            {"f32[2], i64[5]={0 0 1 1 1}, f32[5]={0 3 0 0 2} | reduce=prod", NULL},
            {"f32[2], i64[5]={0 0 1 1 1}, f32[5]={0 3 4 0 2} | reduce=prod", NULL},
            {"f32[0,2], i64[0,2], f32[0,2]", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"i64[2], i64[2], i64[2]", "f32 or f64"},
                                   {"f32[2], i64[2], f32[1]", "must have the rank of src [1]"},
                                   {"f32[2], i64[2], f32[2] | reduce=min", "one of sum, prod, mean, amax, amin"},
                                   {0}},
};

HD_BUILDER(scatter_reduce, hd_scatter_reduce_args)
