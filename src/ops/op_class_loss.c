/* op_class_loss.c: what nll and cross_entropy share. Knows nothing of backends. */
#include "graph/graph.h"
#include "ops/class_loss.h"

/* ---- definitions ---- */

hd_class_view hd_class_view_of(const hd_tensor *x, const hd_tensor *target, const hd_tensor *weight,
                               int64_t ignore_index, double label_smoothing) {
    return (hd_class_view){.x = x,
                           .target = target,
                           .weight = weight,
                           .s = hd_split_at(&x->dims, x->dims.rank > 1),
                           .soft = target->dtype != HD_I64,
                           .ignore = ignore_index > 0 ? ignore_index - 1 : ignore_index,
                           .smooth = label_smoothing};
}

static int64_t class_of(const hd_class_view *v, int64_t place) {
    return ((const int64_t *)v->target->data)[place];
}

double hd_class_share(const hd_class_view *v, int64_t place, int64_t j) {
    const double classes = (double)v->s.n, w = hd_class_weight(v, j);
    if (v->soft) {
        const double t = hd_get(v->target, hd_class_at(v, place) + j * v->s.inner);
        return w * (t * (1 - v->smooth) + v->smooth / classes);
    }
    const int64_t k = class_of(v, place);
    if (k == v->ignore) return 0;
    if (k < 0 || k >= v->s.n) return (double)NAN;
    return w * ((k == j) * (1 - v->smooth) + v->smooth / classes);
}

double hd_class_total(const hd_class_view *v) {
    const int64_t places = hd_class_places(v);
    double total = 0;
    if (v->soft) return (double)places;
    for (int64_t i = 0; i < places; i++) {
        const int64_t k = class_of(v, i);
        if (k != v->ignore) total += k < 0 || k >= v->s.n ? (double)NAN : hd_class_weight(v, k);
    }
    return total;
}

/* ln Σ e^x over the classes of a place, without overflow. */
static double log_sum_exp(const hd_class_view *v, int64_t first) {
    double max = -INFINITY, sum = 0;
    for (int64_t j = 0; j < v->s.n; j++) max = fmax(max, hd_get(v->x, first + j * v->s.inner));
    for (int64_t j = 0; j < v->s.n; j++) sum += exp(hd_get(v->x, first + j * v->s.inner) - max);
    return max + log(sum);
}

void hd_class_loss_ref(const hd_ref *r, bool logits) {
    const hd_class_loss_args *a = r->attr;
    const hd_class_view v =
        hd_class_view_of(&r->in[0], &r->in[1], hd_ref_in(r, 2), a->ignore_index, a->label_smoothing);
    hd_loss_sum s = {&r->out[0], a->reduction, 0};
    for (int64_t i = 0; i < hd_class_places(&v); i++) {
        const int64_t first = hd_class_at(&v, i);
        const double top = logits ? log_sum_exp(&v, first) : 0;
        double loss = 0;
        for (int64_t j = 0; j < v.s.n; j++) {
            const double share = hd_class_share(&v, i, j);
            if (share != 0) loss += share * (top - hd_get(v.x, first + j * v.s.inner)); /* 0 · ∞ counts as 0 */
        }
        hd_loss_put(&s, i, loss);
    }
    hd_loss_end(&s, hd_class_total(&v));
}

/* ---- shapes ---- */

hd_status hd_infer_class_view(hd_infer *c, int weight, bool ignoring, hd_dims *y) {
    char a[192], b[192], d[192];
    const hd_dims *x = &c->in[0].dims, *target = &c->in[1].dims;
    if (hd_need_float(c, 0)) return HD_E_MODEL;
    if (x->rank == 0) return hd_infer_fail(c, "x must have the classes on axis 1, or be [c], it is []");
    const int axis = x->rank > 1;
    *y = (hd_dims){0};
    for (int i = 0; i < x->rank; i++)
        if (i != axis) y->dim[y->rank++] = x->dim[i];
    const bool soft = hd_is_float(c->in[1].dtype);
    if (!hd_dims_equal(target, soft ? x : y))
        return hd_infer_fail(c,
                             "target %s must have one class number for each row of x %s, i64 %s; or probabilities "
                             "of x's shape",
                             hd_dims_text(a, target), hd_dims_text(b, x), hd_dims_text(d, y));
    if (soft && ignoring) return hd_infer_fail(c, "ignore_index is for class numbers, target has probabilities");
    if (hd_need_dtype(c, 1, soft ? c->in[0].dtype : HD_I64)) return HD_E_MODEL;
    if (hd_absent(c, weight)) return HD_OK;
    if (c->in[weight].dims.rank != 1 || c->in[weight].dims.dim[0] != x->dim[axis])
        return hd_infer_fail(c, "weight %s must have a number for each of the %lld classes of x %s",
                             hd_dims_text(a, &c->in[weight].dims), (long long)x->dim[axis], hd_dims_text(b, x));
    return hd_need_dtype(c, weight, c->in[0].dtype);
}

hd_status hd_class_loss_infer(hd_infer *c) {
    const hd_class_loss_args *a = c->attr;
    c->out[0] = hd_scalar_type(c->in[0].dtype);
    hd_dims places;
    if (hd_infer_class_view(c, 2, a->ignore_index != HD_IGNORE_INDEX, &places)) return HD_E_MODEL;
    if (a->reduction == HD_REDUCE_NONE) c->out[0].dims = places;
    return HD_OK;
}

/* ---- gradients ---- */

static hd_val adjoint(hd_val x, hd_class_terms t, hd_val dy) {
    return hd_nll_grad(x, t.target, dy, t.weight, t.reduction, t.ignore_index, hd_explicit(t.label_smoothing));
}

/* nll is linear in ln p and in the probabilities, and symmetric but for the smoothing: x takes the target's place. */
hd_val hd_class_dtarget(hd_val x, hd_class_terms t, hd_val dy) {
    const double share = 1 - t.label_smoothing;
    t.target = x;
    t.label_smoothing = 0;
    return hd_affine(adjoint(x, t, dy), .scale = hd_explicit(share));
}

static hd_val over_classes(hd_val each) {
    return hd_val_dims(each).rank > 1 ? hd_channel_sum(each) : each;
}

/* With w = 1 the adjoint gives −share dy of each class: Σ x of it over the places is dw. A mean over class numbers
 * divides by W = Σ w[target], which moves too: −loss/W for each time that the class is a target. */
hd_val hd_class_dweight(hd_val x, hd_class_terms t, hd_val dy) {
    const hd_val weight = t.weight;
    hd_class_terms plain = t;
    plain.weight = (hd_val){0};
    if (t.reduction != HD_REDUCE_MEAN || hd_val_dtype(t.target) != HD_I64)
        return over_classes(hd_mul(adjoint(x, plain, dy), x));
    const hd_val ones = hd_fill_like(x, .value = -1);
    const hd_val total = hd_nll(ones, t.target, weight, .reduction = HD_REDUCE_SUM, .ignore_index = t.ignore_index);
    const hd_val loss =
        hd_nll(x, t.target, weight, .ignore_index = t.ignore_index, .label_smoothing = hd_explicit(t.label_smoothing));
    const hd_val part = hd_div(dy, total);
    plain.reduction = HD_REDUCE_SUM;
    const hd_val moved = over_classes(hd_mul(adjoint(x, plain, part), x));
    plain.label_smoothing = 0;
    return hd_add(moved, over_classes(adjoint(x, plain, hd_mul(part, loss))));
}
