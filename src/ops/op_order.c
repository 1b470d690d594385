/* op_order.c: how elements of any dtype are compared and put in order; what ops share that pick elements. Knows no op
 * by name but those of its gradients. */
#include "ops/order_kit.h"

#define SIGN (UINT64_C(1) << 63)

/* The bits of a float order as its values do, once negative ones are turned round and the others put above them. */
static uint64_t float_key(double v) {
    uint64_t bits;
    if (isnan(v)) return HD_KEY_NAN;
    if (v == 0) v = 0; /* −0 is 0 */
    memcpy(&bits, &v, sizeof bits);
    return bits & SIGN ? ~bits : bits | SIGN;
}

/* i64 has no room for the key of NaN: its two largest numbers share one. */
uint64_t hd_order_key(const hd_tensor *t, int64_t i) {
    if (t->dtype != HD_I64) return float_key(hd_get(t, i));
    const uint64_t key = (uint64_t)((const int64_t *)t->data)[i] ^ SIGN;
    return key < HD_KEY_NAN ? key : HD_KEY_NAN - 1;
}

/* ---- order of a row ---- */

static uint64_t key_of(const hd_order *o, int64_t place) {
    return hd_order_key(o->x, o->first + place * o->stride);
}

/* Whether a comes before b. The place decides among equal ones: any sorting is stable. */
static bool before(const hd_order *o, int64_t a, int64_t b) {
    const uint64_t x = key_of(o, a), y = key_of(o, b);
    return x != y ? (x < y) != o->largest : a < b;
}

/* Lets element i of a heap of n sink until no child comes after it. */
static void sink(const hd_order *o, int64_t i, int64_t n) {
    int64_t *p = o->place;
    for (int64_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && before(o, p[child * o->step], p[(child + 1) * o->step])) child++;
        if (!before(o, p[i * o->step], p[child * o->step])) return;
        const int64_t kept = p[i * o->step];
        p[i * o->step] = p[child * o->step];
        p[child * o->step] = kept;
    }
}

/* A heap of the k first so far, the last of them on top (Williams 1964). */
void hd_order_row(const hd_order *o, int64_t n, int64_t k) {
    int64_t *p = o->place;
    for (int64_t i = 0; i < k; i++) p[i * o->step] = i;
    for (int64_t i = k / 2 - 1; i >= 0; i--) sink(o, i, k);
    for (int64_t i = k; i < n && k > 0; i++) {
        if (!before(o, i, p[0])) continue;
        p[0] = i;
        sink(o, 0, k);
    }
    for (int64_t end = k - 1; end > 0; end--) {
        const int64_t last = p[0];
        p[0] = p[end * o->step];
        p[end * o->step] = last;
        sink(o, 0, end);
    }
}

/* Bisection over the 64 bits of the key: the least key with k elements not above it. */
int64_t hd_order_kth(const hd_order *o, int64_t n, int64_t k, uint64_t most) {
    uint64_t low = 0, high = most;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        int64_t count = 0;
        for (int64_t i = 0; i < n; i++) count += key_of(o, i) <= middle;
        if (count >= k)
            high = middle;
        else
            low = middle + 1;
    }
    for (int64_t i = 0; i < n; i++)
        if (key_of(o, i) == low) return i;
    return 0;
}

/* ---- picking ---- */

hd_status hd_infer_pick(hd_infer *c, int64_t axis, bool keepdim) {
    int k = -1;
    if (axis && hd_infer_axis(c, axis, &k)) return HD_E_MODEL;
    const hd_dims axes = {.rank = k >= 0, .dim = {k}};
    if (hd_infer_reduced(c, &axes, keepdim)) return HD_E_MODEL;
    c->out[1] = (hd_type){HD_I64, c->out[0].dims};
    return hd_need_some(c, hd_axes_bits(&axes, c->in[0].dims.rank), "element");
}

hd_rows hd_pick_rows(const hd_dims *x, int64_t axis) {
    const int k = hd_axis_resolve(axis, x->rank);
    return k >= 0 ? hd_rows_of(x, k, false) : (hd_rows){1, hd_dims_count(x), 1, false};
}

void hd_pick(const hd_ref *r, const hd_rows *z, int64_t row, int64_t place, int64_t i) {
    const size_t size = hd_dtype_size(r->out[0].dtype);
    memcpy((char *)r->out[0].data + (size_t)i * size,
           (const char *)r->in[0].data + (size_t)hd_row_at(z, row, place) * size, size);
    ((int64_t *)r->out[1].data)[i] = place;
}

/* Without an axis x is one row; a value without its axis gets it back as 1. */
void hd_pick_rule(hd_grad *c, int64_t axis) {
    const hd_val x = c->in[0];
    const int k = hd_axis_resolve(axis, hd_val_dims(x).rank);
    if (hd_val_is_none(c->dout[0])) return;
    const hd_val zero = hd_fill_like(k < 0 ? hd_reshape(x, .dims = HD_DIMS(0)) : x);
    hd_dims dims = k < 0 ? HD_DIMS(1) : hd_val_dims(x);
    if (k >= 0) dims.dim[k] = 1;
    const hd_dims have = hd_val_dims(c->out[1]);
    const bool whole = k >= 0 && have.rank == dims.rank;
    const hd_val index = whole ? c->out[1] : hd_reshape(c->out[1], .dims = dims);
    const hd_val dy = whole ? c->dout[0] : hd_reshape(c->dout[0], .dims = dims);
    const hd_val d = hd_scatter_add(zero, index, dy, .axis = HD_AXIS(k < 0 ? 0 : k));
    c->din[0] = k < 0 ? hd_reshape_like(d, x) : d;
}
