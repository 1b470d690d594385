/* op_distances.c: rows of two tensors side by side, their cosine and distance, and the gradients of these. Knows no op
 * by name. */
#include "graph/graph.h"
#include "ops/distance_kit.h"

/* ---- definitions ---- */

/* The walk of `both` over the axes that `kept` names by bits, with the strides of a and b there. */
static int64_t walk_over(hd_walk *out, const hd_walk *all, unsigned kept) {
    int64_t n = 1;
    memset(out, 0, sizeof *out);
    for (int i = 0; i < all->rank; i++) {
        if (!(kept >> i & 1)) continue;
        out->dim[out->rank] = all->dim[i];
        for (int k = 0; k < 2; k++) out->stride[k][out->rank] = all->stride[k][i];
        out->rank++;
        n *= all->dim[i];
    }
    return n;
}

void hd_row_pair_init(hd_row_pair *p, const hd_tensor *a, const hd_tensor *b, int axis) {
    hd_walk all;
    *p = (hd_row_pair){.a = a, .b = b};
    if (!hd_dims_broadcast(&p->both, &a->dims, &b->dims)) return;
    hd_walk_init(&all, &p->both, &a->dims, &b->dims);
    p->n = walk_over(&p->rows, &all, ~(1u << axis));
    p->d = walk_over(&p->along, &all, 1u << axis);
}

static void next_pair(hd_row_pair *p, double *a, double *b) {
    *a = hd_get(p->a, p->rows.at[0] + p->along.at[0]);
    *b = hd_get(p->b, p->rows.at[1] + p->along.at[1]);
    hd_walk_next(&p->along);
}

double hd_row_cosine(hd_row_pair *p, double eps) {
    double dot = 0, aa = 0, bb = 0, a, b;
    for (int64_t i = 0; i < p->d; i++) {
        next_pair(p, &a, &b);
        dot += a * b;
        aa += a * a;
        bb += b * b;
    }
    return dot / (fmax(sqrt(aa), eps) * fmax(sqrt(bb), eps));
}

double hd_row_distance(hd_row_pair *p, double order, double eps) {
    double sum = 0, most = 0, least = INFINITY, a, b;
    for (int64_t i = 0; i < p->d; i++) {
        next_pair(p, &a, &b);
        const double d = fabs(a - b + eps);
        most = isnan(d) ? d : fmax(most, d);
        least = isnan(d) ? d : fmin(least, d);
        sum += order == 2 ? d * d : order == 1 ? d : order == 0 ? d != 0 : pow(d, order);
    }
    if (isinf(order)) return order > 0 ? most : least;
    return order == 2 ? sqrt(sum) : order == 1 || order == 0 ? sum : pow(sum, 1 / order);
}

/* ---- shapes ---- */

hd_status hd_infer_pair(hd_infer *c, hd_dims *both) {
    char a[192], b[192];
    if (hd_need_float(c, 0) || hd_need_dtype(c, 1, c->in[0].dtype)) return HD_E_MODEL;
    if (!hd_dims_broadcast(both, &c->in[0].dims, &c->in[1].dims))
        return hd_infer_fail(c,
                             "%s %s and %s %s do not go together: from the last dimension on they must be equal or 1",
                             hd_op_in_name(c->op, 0), hd_dims_text(a, &c->in[0].dims), hd_op_in_name(c->op, 1),
                             hd_dims_text(b, &c->in[1].dims));
    if (both->rank > 0) return HD_OK;
    return hd_infer_fail(c, "%s must have at least one dimension, it is []", hd_op_in_name(c->op, 0));
}

hd_status hd_infer_rows(hd_infer *c, int i, int j, hd_dims *rows) {
    if (hd_need_float(c, i) || hd_need_same(c, i, j)) return HD_E_MODEL;
    *rows = c->in[i].dims;
    if (rows->rank-- > 0) return HD_OK;
    return hd_infer_fail(c, "%s must have at least one dimension, it is []", hd_op_in_name(c->op, i));
}

void hd_infer_row_loss(hd_infer *c, const hd_dims *rows) {
    c->out[0] = hd_scalar_type(c->in[0].dtype);
    if (hd_reduction_of(c->op, c->attr) == HD_REDUCE_NONE) c->out[0].dims = *rows;
}

/* ---- gradients ---- */

static hd_val row_sum(hd_val x, int64_t axis) {
    return hd_sum(x, .axes = HD_DIMS(axis), .keepdim = true);
}

/* With lengths |a|, |b| ≥ eps: da = (b/|b| − cos a/|a|)/|a|; where |a| < eps the length does not move. */
hd_val hd_cosine_slope(hd_val a, hd_val b, int64_t axis, double eps, hd_val dy) {
    const hd_val length = hd_sqrt(row_sum(hd_mul(a, a), axis)), la = hd_at_least(length, eps);
    const hd_val lb = hd_at_least(hd_sqrt(row_sum(hd_mul(b, b), axis)), eps);
    const hd_val unit_a = hd_div(a, la), unit_b = hd_div(b, lb);
    const hd_val cosine = hd_relu_grad(hd_affine(length, .shift = -eps), row_sum(hd_mul(unit_a, unit_b), axis));
    return hd_mul(hd_sub(unit_b, hd_mul(unit_a, cosine)), hd_div(dy, la));
}

/* da = sign(d) (|d|/y)^(p−1) dy; 0 where y = 0. Of the largest or smallest: shared evenly among equal ones. */
hd_val hd_distance_slope(hd_val a, hd_val b, double order, double eps, hd_val y, hd_val dy) {
    const hd_val d = hd_affine(hd_sub(a, b), .shift = hd_explicit(eps)), size = hd_abs(d);
    if (order == 1) return hd_mul(hd_sign(d), dy);
    if (order == 0) return hd_mul(hd_fill_like(d), dy);
    const hd_val some = hd_broadcast_like(y, d);
    if (order == 2) return hd_relu_grad(some, hd_mul(hd_div(d, y), dy));
    if (isinf(order)) {
        const hd_val all = hd_affine(size, .scale = order > 0 ? 1 : -1);
        const hd_val down = hd_max_grad(all, dy, .axes = HD_DIMS(-1), .keepdim = true);
        return hd_mul(hd_sign(d), down);
    }
    const hd_val share = hd_exp(hd_affine(hd_log(hd_div(size, y)), .scale = hd_explicit(order - 1)));
    return hd_relu_grad(some, hd_mul(hd_mul(hd_sign(d), share), dy));
}
