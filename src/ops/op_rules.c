/* op_rules.c: shape rules that several ops share, and their messages. Treats HD_BATCH as a size that is equal only to
 * itself. Knows no op by name. */
#include "graph/graph.h"
#include "ops/op_kit.h"
#include "ops/optim_kit.h"

hd_status hd_need_float(hd_infer *c, int i) {
    if (hd_is_float(c->in[i].dtype)) return HD_OK;
    return hd_infer_fail(c, "%s must be f32 or f64 (or bf16), it is %s; cast it first", hd_op_in_name(c->op, i),
                         hd_dtype_name(c->in[i].dtype));
}

hd_status hd_need_dtype(hd_infer *c, int i, hd_dtype dtype) {
    if (c->in[i].dtype == dtype) return HD_OK;
    return hd_infer_fail(c, "%s must be %s, it is %s; cast it first", hd_op_in_name(c->op, i), hd_dtype_name(dtype),
                         hd_dtype_name(c->in[i].dtype));
}

hd_status hd_need_rank(hd_infer *c, int i, int rank) {
    char a[192];
    if (c->in[i].dims.rank == rank) return HD_OK;
    return hd_infer_fail(c, "%s must have %d dimensions, it is %s", hd_op_in_name(c->op, i), rank,
                         hd_dims_text(a, &c->in[i].dims));
}

hd_status hd_need_same(hd_infer *c, int i, int j) {
    char a[192], b[192];
    const char *x = hd_op_in_name(c->op, i), *y = hd_op_in_name(c->op, j);
    if (!hd_dims_equal(&c->in[i].dims, &c->in[j].dims))
        return hd_infer_fail(c, "%s %s and %s %s must have the same shape", x, hd_dims_text(a, &c->in[i].dims), y,
                             hd_dims_text(b, &c->in[j].dims));
    if (c->in[i].dtype != c->in[j].dtype)
        return hd_infer_fail(c, "%s is %s, %s is %s; cast one of them", x, hd_dtype_name(c->in[i].dtype), y,
                             hd_dtype_name(c->in[j].dtype));
    return HD_OK;
}

hd_status hd_need_scalar(hd_infer *c, int i, hd_dtype dtype) {
    char a[192];
    if (c->in[i].dims.rank != 0)
        return hd_infer_fail(c, "%s must be a scalar, it is %s", hd_op_in_name(c->op, i),
                             hd_dims_text(a, &c->in[i].dims));
    return hd_need_dtype(c, i, dtype);
}

hd_status hd_need_hyper(hd_infer *c, int hyper, int scale) {
    const hd_type *h = &c->in[hyper];
    if (h->dtype != HD_F64 || h->dims.rank != 1 || h->dims.dim[0] != HD_HYPER_COUNT)
        return hd_infer_fail(c, "hyper must be f64 [5]: learning rate, step, weight decay, weight, share");
    if (hd_absent(c, scale) || (c->in[scale].dims.rank == 0 && hd_is_float(c->in[scale].dtype))) return HD_OK;
    return hd_infer_fail(c, "scale must be a float scalar");
}

hd_status hd_need_channels(hd_infer *c, int i, int x) {
    char a[192], b[192];
    if (c->in[i].dims.rank != 1 || c->in[i].dims.dim[0] != c->in[x].dims.dim[1])
        return hd_infer_fail(c, "%s is %s, %s %s has %lld channels", hd_op_in_name(c->op, i),
                             hd_dims_text(a, &c->in[i].dims), hd_op_in_name(c->op, x), hd_dims_text(b, &c->in[x].dims),
                             (long long)c->in[x].dims.dim[1]);
    return hd_need_dtype(c, i, c->in[x].dtype);
}

hd_status hd_need_by_channel(hd_infer *c, int weights) {
    char text[192];
    if (hd_need_float(c, 0)) return HD_E_MODEL;
    if (c->in[0].dims.rank < 2 || c->in[0].dims.dim[1] < 0)
        return hd_infer_fail(c, "%s %s must be [n, c, …]: its axis 1 are the channels", hd_op_in_name(c->op, 0),
                             hd_dims_text(text, &c->in[0].dims));
    for (int i = 1; i <= weights; i++)
        if (hd_need_channels(c, i, 0)) return HD_E_MODEL;
    return HD_OK;
}

hd_status hd_infer_unary_float(hd_infer *c) {
    c->out[0] = c->in[0];
    return hd_need_float(c, 0);
}

hd_status hd_infer_unary_number(hd_infer *c) {
    c->out[0] = c->in[0];
    if (c->in[0].dtype != HD_BOOL) return HD_OK;
    return hd_infer_fail(c, "%s must be a number, it is bool; cast it first", hd_op_in_name(c->op, 0));
}

hd_status hd_infer_binary(hd_infer *c) {
    char a[192], b[192];
    const hd_type *x = &c->in[0], *y = &c->in[1];
    if (x->dtype != y->dtype)
        return hd_infer_fail(c, "a is %s, b is %s; cast one of them", hd_dtype_name(x->dtype), hd_dtype_name(y->dtype));
    if (hd_infer_unary_number(c)) return HD_E_MODEL;
    if (hd_dims_broadcast(&c->out[0].dims, &x->dims, &y->dims)) return HD_OK;
    return hd_infer_fail(c, "a %s and b %s do not go together: from the last dimension on they must be equal or 1",
                         hd_dims_text(a, &x->dims), hd_dims_text(b, &y->dims));
}

hd_status hd_infer_act_grad(hd_infer *c) {
    c->out[0] = c->in[0];
    if (hd_need_float(c, 0)) return HD_E_MODEL;
    return hd_need_same(c, 0, 1);
}

int64_t hd_count_without_batch(const hd_dims *dims, bool *has_batch) {
    hd_dims known = *dims;
    *has_batch = false;
    for (int i = 0; i < known.rank; i++) {
        if (known.dim[i] != HD_BATCH) continue;
        known.dim[i] = 1;
        *has_batch = true;
    }
    return hd_dims_count(&known);
}
