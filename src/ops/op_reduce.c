/* op_reduce.c: what reductions, scans and order share: axes and shapes, groups of elements, the order of numbers, the
 * gradient of what picks elements. Knows no op by name but those of its gradients. */
#include "ops/scan_kit.h"

/* ---- shapes ---- */

hd_status hd_infer_axes(hd_infer *c, const hd_dims *axes, int rank, unsigned *bits) {
    char a[192];
    *bits = axes->rank ? 0 : (1u << rank) - 1;
    for (int i = 0; i < axes->rank; i++) {
        const int64_t k = axes->dim[i] < 0 ? axes->dim[i] + rank : axes->dim[i];
        if (k < 0 || k >= rank)
            return hd_infer_fail(c, "axis %lld is out of range: x %s has %d dimensions", (long long)axes->dim[i],
                                 hd_dims_text(a, &c->in[0].dims), rank);
        if (*bits >> k & 1) return hd_infer_fail(c, "axis %lld is named twice", (long long)axes->dim[i]);
        *bits |= 1u << k;
    }
    return HD_OK;
}

unsigned hd_axes_bits(const hd_dims *axes, int rank) {
    unsigned bits = axes->rank ? 0 : (1u << rank) - 1;
    for (int i = 0; i < axes->rank; i++) bits |= 1u << (axes->dim[i] < 0 ? axes->dim[i] + rank : axes->dim[i]);
    return bits;
}

hd_status hd_infer_reduced(hd_infer *c, const hd_dims *axes, bool keepdim) {
    const hd_dims *x = &c->in[0].dims;
    unsigned bits;
    if (hd_infer_axes(c, axes, x->rank, &bits)) return HD_E_MODEL;
    hd_dims y = {0};
    for (int i = 0; i < x->rank; i++) {
        if (!(bits >> i & 1))
            y.dim[y.rank++] = x->dim[i];
        else if (keepdim)
            y.dim[y.rank++] = 1;
    }
    c->out[0] = (hd_type){c->in[0].dtype, y};
    return HD_OK;
}

hd_status hd_infer_reduce(hd_infer *c) {
    const hd_reduce_args *a = c->attr;
    return hd_infer_reduced(c, &a->axes, a->keepdim);
}

hd_status hd_infer_reduce_float(hd_infer *c) {
    return hd_need_float(c, 0) ? HD_E_MODEL : hd_infer_reduce(c);
}

hd_status hd_infer_reduce_number(hd_infer *c) {
    return hd_infer_unary_number(c) ? HD_E_MODEL : hd_infer_reduce(c);
}

hd_status hd_need_some(hd_infer *c, unsigned bits, const char *what) {
    char text[192];
    for (int i = 0; i < c->in[0].dims.rank; i++)
        if ((bits >> i & 1) && c->in[0].dims.dim[i] == 0)
            return hd_infer_fail(c, "there is no %s of nothing: axis %d of x %s is 0", what, i,
                                 hd_dims_text(text, &c->in[0].dims));
    return HD_OK;
}

hd_status hd_infer_axis(hd_infer *c, int64_t axis, int *out) {
    char text[192];
    *out = hd_axis_resolve(axis, c->in[0].dims.rank);
    if (*out >= 0) return HD_OK;
    return hd_infer_fail(c, "%s %s does not have the axis", hd_op_in_name(c->op, 0),
                         hd_dims_text(text, &c->in[0].dims));
}

/* ---- groups ---- */

void hd_groups_init(hd_groups *g, const hd_dims *x, const hd_dims *axes) {
    const unsigned bits = hd_axes_bits(axes, x->rank);
    g->n = hd_walk_kept(&g->kept, x, bits);
    g->m = hd_walk_inner(&g->inner, x, bits);
    g->stride = 1;
    for (int i = g->inner.rank - 1; i >= 0; i--) { /* axes side by side are one */
        const int64_t *stride = g->inner.stride[0],
                      next = i + 1 < g->inner.rank ? stride[i + 1] * g->inner.dim[i + 1] : 0;
        if (i + 1 < g->inner.rank && stride[i] != next) g->stride = 0;
        if (i + 1 == g->inner.rank) g->stride = stride[i];
    }
}

hd_rows hd_rows_of(const hd_dims *dims, int axis, bool reverse) {
    const hd_axis_split z = hd_split_at(dims, axis);
    return (hd_rows){z.outer * z.inner, z.n, z.inner, reverse};
}

/* ---- scans ---- */

hd_status hd_infer_scan_number(hd_infer *c) {
    const hd_scan_args *a = c->attr;
    int axis;
    return hd_infer_unary_number(c) ? HD_E_MODEL : hd_infer_axis(c, a->axis, &axis);
}

hd_status hd_infer_scan_float(hd_infer *c) {
    return hd_need_float(c, 0) ? HD_E_MODEL : hd_infer_scan_number(c);
}

/* ---- softmax ---- */

hd_status hd_infer_softmax(hd_infer *c) {
    const hd_softmax_args *a = c->attr;
    int axis;
    c->out[0] = c->in[0];
    return hd_need_float(c, 0) ? HD_E_MODEL : hd_infer_axis(c, a->axis, &axis);
}

hd_status hd_infer_softmax_grad(hd_infer *c) {
    const hd_softmax_grad_args *a = c->attr;
    int axis;
    return hd_infer_act_grad(c) ? HD_E_MODEL : hd_infer_axis(c, a->axis, &axis);
}

hd_cost hd_cost_softmax(const hd_infer *c) {
    return hd_cost_of(c, 4 * hd_cost_elements(&c->out[0]));
}
