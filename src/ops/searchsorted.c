/* searchsorted.c: where numbers belong in a sorted row. Knows nothing of backends. */
#include "ops/index_kit.h"
#include "ops/order_kit.h"

/* Key of element i of a sorted row; what a sorter names outside counts as largest. */
static uint64_t sorted_key(const hd_ref *r, int64_t first, int64_t n, int64_t i) {
    const int64_t *sorter = r->in[2].data;
    if (sorter) i = hd_index_at(sorter[first + i], n, false);
    return i < 0 ? HD_KEY_NAN : hd_order_key(&r->in[0], first + i);
}

static void searchsorted_ref(const hd_ref *r) {
    const hd_searchsorted_args *a = r->attr;
    const hd_dims *s = &r->in[0].dims, *v = &r->in[1].dims;
    const int64_t n = s->dim[s->rank - 1], m = s->rank > 1 ? v->dim[v->rank - 1] : r->in[1].count;
    for (int64_t i = 0; i < r->in[1].count; i++) {
        const uint64_t key = hd_order_key(&r->in[1], i);
        const int64_t first = i / m * n;
        int64_t low = 0, high = n;
        while (low < high) {
            const int64_t middle = low + (high - low) / 2;
            const uint64_t here = sorted_key(r, first, n, middle);
            if (here < key || (a->right && here == key))
                low = middle + 1;
            else
                high = middle;
        }
        ((int64_t *)r->out[0].data)[i] = low;
    }
}

static hd_status searchsorted_infer(hd_infer *c) {
    const hd_dims *s = &c->in[0].dims, *v = &c->in[1].dims;
    char a[192], b[192];
    c->out[0] = (hd_type){HD_I64, *v};
    if (s->rank < 1) return hd_infer_fail(c, "sorted must have an axis, it is a scalar");
    if (hd_need_dtype(c, 1, c->in[0].dtype)) return HD_E_MODEL;
    hd_dims lead = *v;
    if (s->rank > 1 && v->rank == s->rank) lead.dim[v->rank - 1] = s->dim[s->rank - 1];
    if (s->rank > 1 && !hd_dims_equal(&lead, s))
        return hd_infer_fail(c, "values %s and sorted %s must be equal but for the last axis", hd_dims_text(a, v),
                             hd_dims_text(b, s));
    if (hd_absent(c, 2)) return HD_OK;
    if (!hd_dims_equal(&c->in[2].dims, s)) return hd_infer_fail(c, "sorter must have the shape of sorted");
    return hd_need_dtype(c, 2, HD_I64);
}

const hd_op hd_op_searchsorted = {
    .name = "searchsorted",
    .n_in = 2,
    .n_optional = 1,
    .n_out = 1,
    .in_names = HD_NAMES("sorted", "values", "sorter"),
    .args_size = sizeof(hd_searchsorted_args),
    .options =
        (const hd_option[]){HD_OPTION(BOOL, hd_searchsorted_args, right, .help = "behind equal ones"), HD_OPTION_END},
    .infer = searchsorted_infer,
    .no_grad_reason = "a place is a whole number: it does not change with small changes",
    .ref = searchsorted_ref,
    .formula = "sorted[y−1] < v ≤ sorted[y] (right: sorted[y−1] ≤ v < sorted[y])",
    .source = "as torch.searchsorted, torch.bucketize",
    .doc = "For each value the place in the sorted last axis where it belongs, i64: before equal ones, or behind them. "
           "sorted is one row for all values [n], or has a row for each of theirs [..., n]; `sorter` is the order that "
           "would sort it.",
    .samples = (const hd_sample[]){{"f32[3]={1 3 5}, f32[2,2]={0 1 4 9}", "{0 0 2 3}"},
                                   {"f32[3]={1 3 5}, f32[2]={1 nan} | right=true", "{1 3}"},
                                   {"i64[2,2]={1 3 0 9}, i64[2,1]={2 9}", "{1 1}"},
                                   {"f32[3]={5 1 3}, f32[]={4}, i64[3]={1 2 0}", "{2}"},
                                   {"f32[2]={1 2}, f32[0]", "{}"},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[3]", "must be equal but for the last axis"},
                                   {"f32[3], f64[3]", "values must be f32"},
                                   {"f32[3], f32[3], i64[2]", "shape of sorted"},
                                   {"f32[], f32[3]", "must have an axis"},
                                   {0}},
};

HD_BUILDER(searchsorted, hd_searchsorted_args)

hd_val hd_bucketize_at(hd_loc at, const hd_bucketize_args *a) {
    return hd_searchsorted_at(at,
                              &(hd_searchsorted_args){.sorted = a->boundaries, .values = a->values, .right = a->right});
}
