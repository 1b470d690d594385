/* op_index.c: what ops that pick or put by index share: shapes and places. Knows no op by name. */
#include "ops/index_kit.h"

static hd_status need_axis(hd_infer *c, int64_t axis, int *out) {
    char text[192];
    *out = hd_axis_resolve(axis, c->in[0].dims.rank);
    if (*out >= 0) return HD_OK;
    return hd_infer_fail(c, "%s %s does not have the axis", hd_op_in_name(c->op, 0),
                         hd_dims_text(text, &c->in[0].dims));
}

/* in[i] fits into in[j] on every axis but `but`. The batch is equal only to itself. */
static hd_status need_within(hd_infer *c, int i, int j, int but) {
    char a[192], b[192];
    const hd_dims *x = &c->in[i].dims, *y = &c->in[j].dims;
    bool fits = x->rank == y->rank;
    for (int k = 0; fits && k < x->rank; k++)
        fits = k == but || x->dim[k] == y->dim[k] || (x->dim[k] >= 0 && x->dim[k] < y->dim[k]);
    if (fits) return HD_OK;
    return hd_infer_fail(c, "%s %s must have the rank of %s %s and be nowhere larger%s", hd_op_in_name(c->op, i),
                         hd_dims_text(a, x), hd_op_in_name(c->op, j), hd_dims_text(b, y),
                         but < 0 ? "" : " but along the axis");
}

hd_status hd_infer_lines(hd_infer *c, int64_t axis) {
    int k;
    if (hd_need_dtype(c, 1, HD_I64) || need_axis(c, axis, &k)) return HD_E_MODEL;
    c->out[0] = (hd_type){c->in[0].dtype, c->in[1].dims};
    return need_within(c, 1, 0, k);
}

hd_status hd_infer_put_lines(hd_infer *c, int64_t axis) {
    if (hd_infer_lines(c, axis)) return HD_E_MODEL;
    c->out[0] = c->in[0];
    if (hd_absent(c, 2)) return HD_OK;
    return hd_need_dtype(c, 2, c->in[0].dtype) ? HD_E_MODEL : need_within(c, 1, 2, -1);
}

hd_status hd_infer_slices(hd_infer *c, int64_t axis, int *out) {
    if (hd_need_dtype(c, 1, HD_I64) || hd_need_rank(c, 1, 1) || need_axis(c, axis, out)) return HD_E_MODEL;
    c->out[0] = c->in[0];
    return HD_OK;
}

hd_status hd_infer_put_slices(hd_infer *c, int64_t axis) {
    char want[192], got[192];
    int k;
    if (hd_infer_slices(c, axis, &k)) return HD_E_MODEL;
    if (hd_absent(c, 2)) return HD_OK;
    hd_dims src = c->in[0].dims;
    src.dim[k] = c->in[1].dims.dim[0];
    if (!hd_dims_equal(&src, &c->in[2].dims))
        return hd_infer_fail(c, "%s is %s, it must be %s: like %s, with one slice an index", hd_op_in_name(c->op, 2),
                             hd_dims_text(got, &c->in[2].dims), hd_dims_text(want, &src), hd_op_in_name(c->op, 0));
    return hd_need_dtype(c, 2, c->in[0].dtype);
}

int64_t hd_walk_lines(hd_walk *w, const hd_dims *index, const hd_dims *x, int axis, const hd_dims *src) {
    memset(w, 0, sizeof *w);
    w->rank = index->rank;
    memcpy(w->dim, index->dim, sizeof w->dim);
    hd_strides(w->stride[0], x);
    if (src) hd_strides(w->stride[1], src);
    const int64_t along = w->stride[0][axis];
    w->stride[0][axis] = 0;
    return along;
}

void hd_spoil(const hd_tensor *y) {
    for (int64_t i = 0; i < y->count && hd_is_float(y->dtype); i++) hd_set(y, i, (double)NAN);
}

hd_status hd_infer_padding(hd_infer *c, int64_t padding_idx, int64_t n) {
    if (!padding_idx || hd_index_at(hd_row_of(padding_idx, n), n, false) >= 0) return HD_OK;
    return hd_infer_fail(c, "padding_idx lies outside the %lld rows of weight", (long long)n);
}

hd_val hd_pad_to(hd_val d, hd_val like) {
    const hd_dims got = hd_val_dims(d), want = hd_val_dims(like);
    hd_pad_args pad = {.x = d, .before = {.rank = got.rank}, .after = {.rank = got.rank}};
    for (int i = 0; i < got.rank; i++) pad.after.dim[i] = want.dim[i] - got.dim[i];
    return hd_dims_equal(&got, &want) ? d : hd_pad_at(HD_HERE, &pad);
}
