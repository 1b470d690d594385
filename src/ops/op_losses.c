/* op_losses.c: what losses share: shapes, the gradient that arrives at each element. Knows no op by name. */
#include "graph/graph.h"
#include "ops/loss_kit.h"

const char *const hd_reductions[] = {"mean", "sum", "none", NULL};

int64_t hd_reduction_of(const hd_op *op, const void *attr) {
    const hd_option *o = hd_option_find(op->options, "reduction");
    int64_t value = HD_REDUCE_MEAN;
    if (o) memcpy(&value, (const char *)attr + o->offset, sizeof value);
    return value;
}

hd_status hd_infer_loss(hd_infer *c) {
    const bool none = hd_reduction_of(c->op, c->attr) == HD_REDUCE_NONE;
    c->out[0] = none ? c->in[0] : hd_scalar_type(c->in[0].dtype);
    if (hd_need_float(c, 0)) return HD_E_MODEL;
    return hd_need_same(c, 0, 1);
}

hd_status hd_infer_loss_grad(hd_infer *c) {
    if (hd_infer_loss(c)) return HD_E_MODEL;
    c->out[0] = c->in[0];
    return hd_need_scalar(c, 2, c->in[0].dtype);
}

hd_status hd_infer_class_loss(hd_infer *c) {
    char a[192], b[192];
    c->out[0] = hd_scalar_type(c->in[0].dtype);
    if (hd_need_float(c, 0) || hd_need_rank(c, 0, 2)) return HD_E_MODEL;
    if (c->in[1].dims.rank != 1 || c->in[1].dims.dim[0] != c->in[0].dims.dim[0])
        return hd_infer_fail(c, "target %s must have one class number for each row of x %s",
                             hd_dims_text(a, &c->in[1].dims), hd_dims_text(b, &c->in[0].dims));
    return hd_need_dtype(c, 1, HD_I64);
}

hd_status hd_need_weight(hd_infer *c, int i) {
    char a[192], b[192];
    hd_dims y;
    if (hd_absent(c, i)) return HD_OK;
    const hd_dims *x = &c->in[0].dims, *w = &c->in[i].dims;
    if (!hd_dims_broadcast(&y, x, w) || !hd_dims_equal(&y, x))
        return hd_infer_fail(c, "%s %s can not be repeated over x %s", hd_op_in_name(c->op, i), hd_dims_text(a, w),
                             hd_dims_text(b, x));
    return hd_need_dtype(c, i, c->in[0].dtype);
}

hd_val hd_loss_spread(const hd_grad *c, hd_val like) {
    const hd_val dy = c->dout[0];
    const int64_t reduction = hd_reduction_of(c->op, c->attr);
    if (reduction == HD_REDUCE_NONE) return dy;
    if (reduction == HD_REDUCE_SUM) return hd_broadcast_like(dy, like);
    const hd_val each = hd_broadcast_like(dy, like, .average = true);
    if (reduction == HD_REDUCE_MEAN) return each;
    double per_sample = 1; /* batchmean: the batch's size may not be known yet, that of a sample is */
    const hd_dims dims = hd_val_dims(like);
    for (int i = 1; i < dims.rank; i++) per_sample *= (double)dims.dim[i];
    return hd_affine(each, .scale = per_sample);
}

hd_val hd_loss_each(const hd_grad *c) {
    return hd_loss_spread(c, c->in[0]);
}

hd_val hd_column(hd_val v) {
    hd_dims dims = hd_val_dims(v);
    dims.dim[dims.rank++] = 1;
    return hd_reshape(v, .dims = dims);
}

hd_val hd_loss_column(const hd_grad *c, hd_val like) {
    const bool none = hd_reduction_of(c->op, c->attr) == HD_REDUCE_NONE;
    return none ? hd_column(c->dout[0]) : hd_loss_spread(c, like);
}

hd_val hd_loss_weigh(const hd_grad *c, hd_val each) {
    const hd_val weight = hd_grad_in(c, 2);
    return hd_val_is_none(weight) ? each : hd_mul(each, weight);
}

void hd_loss_slopes(hd_grad *c, hd_val dx, hd_val dt) {
    const hd_val each = hd_loss_each(c);
    if (c->needs[0]) c->din[0] = hd_mul(dx, each);
    if (c->needs[1]) c->din[1] = hd_mul(dt, each);
}

void hd_loss_opposite(hd_grad *c, hd_val dx) {
    if (c->needs[0]) c->din[0] = dx;
    if (c->needs[1]) c->din[1] = hd_neg(dx);
}

hd_val hd_softplus_minus(hd_val x) {
    return hd_bce_with_logits(x, hd_fill_like(x, .value = 1), .reduction = HD_REDUCE_NONE);
}

hd_val hd_positive(hd_val x) {
    return hd_relu_grad(x, hd_fill_like(x, .value = 1));
}

hd_val hd_at_least(hd_val x, double least) {
    const hd_val over = hd_affine(x, .shift = -least);
    const hd_val rest = hd_affine(hd_positive(over), .scale = hd_explicit(-least), .shift = least);
    return hd_add(hd_relu_grad(over, x), rest);
}

hd_val hd_within(hd_val x, double most) {
    const hd_val left = hd_affine(hd_abs(x), .scale = -1, .shift = most);
    const hd_val outside = hd_affine(hd_positive(left), .scale = -most, .shift = most);
    return hd_add(hd_relu_grad(left, x), hd_mul(outside, hd_sign(x)));
}
