/* op_kit.c: what the definitions share: walks over broadcast and reduced shapes, elements as doubles, small gradients.
 * The shape rules stand in op_rules.c. Knows nothing of backends. */
#include "ops/op_kit.h"
#include "base/bf16.h"

const char *const hd_act_choices[] = {"none", "relu", "sigmoid", "tanh", NULL};

double hd_act_apply(int64_t act, double x) {
    switch (act) {
    case HD_ACT_RELU: return x > 0 ? x : 0;
    case HD_ACT_SIGMOID: return 1 / (1 + exp(-x));
    case HD_ACT_TANH: return tanh(x);
    default: return x;
    }
}

/* ---- elements ---- */

double hd_get(const hd_tensor *t, int64_t i) {
    switch (t->dtype) {
    case HD_F32: return (double)((const float *)t->data)[i];
    case HD_F64: return ((const double *)t->data)[i];
    case HD_I32: return (double)((const int32_t *)t->data)[i];
    case HD_I64: return (double)((const int64_t *)t->data)[i];
    case HD_U8: return (double)((const uint8_t *)t->data)[i];
    case HD_BOOL: return ((const uint8_t *)t->data)[i] != 0;
    case HD_BF16: return (double)hd_bf16_to_f32(((const uint16_t *)t->data)[i]);
    default: return 0;
    }
}

/* The limits are exact doubles; INT64_MAX is not, hence the open end. */
static int64_t to_integer(double v, double low, double high, int64_t highest) {
    if (isnan(v)) return 0;
    if (v <= low) return (int64_t)low;
    return v >= high ? highest : (int64_t)v;
}

void hd_set(const hd_tensor *t, int64_t i, double v) {
    switch (t->dtype) {
    case HD_F32: ((float *)t->data)[i] = (float)v; break;
    case HD_F64: ((double *)t->data)[i] = v; break;
    case HD_I32: ((int32_t *)t->data)[i] = (int32_t)to_integer(v, INT32_MIN, INT32_MAX, INT32_MAX); break;
    case HD_I64: ((int64_t *)t->data)[i] = to_integer(v, -0x1p63, 0x1p63, INT64_MAX); break;
    case HD_U8: ((uint8_t *)t->data)[i] = (uint8_t)to_integer(v, 0, UINT8_MAX, UINT8_MAX); break;
    case HD_BOOL: ((uint8_t *)t->data)[i] = v != 0; break;
    case HD_BF16: ((uint16_t *)t->data)[i] = hd_bf16_from_f64(v); break;
    default: break;
    }
}

/* ---- walks ---- */

void hd_strides(int64_t stride[HD_MAX_DIMS], const hd_dims *dims) {
    int64_t s = 1;
    for (int i = dims->rank - 1; i >= 0; i--) {
        stride[i] = s;
        s *= dims->dim[i];
    }
}

static void operand_strides(int64_t stride[HD_MAX_DIMS], const hd_dims *out, const hd_dims *operand) {
    int64_t own[HD_MAX_DIMS];
    hd_strides(own, operand);
    for (int i = 0; i < out->rank; i++) {
        const int k = i - (out->rank - operand->rank);
        stride[i] = k < 0 || operand->dim[k] == 1 ? 0 : own[k];
    }
}

void hd_walk_init(hd_walk *w, const hd_dims *out, const hd_dims *a, const hd_dims *b) {
    memset(w, 0, sizeof *w);
    w->rank = out->rank;
    memcpy(w->dim, out->dim, sizeof w->dim);
    operand_strides(w->stride[0], out, a);
    if (b) operand_strides(w->stride[1], out, b);
}

void hd_walk_next(hd_walk *w) {
    for (int i = w->rank - 1; i >= 0; i--) {
        w->at[0] += w->stride[0][i];
        w->at[1] += w->stride[1][i];
        if (++w->index[i] < w->dim[i]) return;
        w->at[0] -= w->stride[0][i] * w->dim[i];
        w->at[1] -= w->stride[1][i] * w->dim[i];
        w->index[i] = 0;
    }
}

static int64_t walk_axes(hd_walk *w, const hd_dims *x, unsigned axes) {
    int64_t stride[HD_MAX_DIMS], n = 1;
    hd_strides(stride, x);
    memset(w, 0, sizeof *w);
    for (int i = 0; i < x->rank; i++) {
        if (!(axes >> i & 1)) continue;
        w->dim[w->rank] = x->dim[i];
        w->stride[0][w->rank++] = stride[i];
        n *= x->dim[i];
    }
    return n;
}

int64_t hd_walk_kept(hd_walk *w, const hd_dims *x, unsigned reduced) {
    return walk_axes(w, x, ~reduced);
}

int64_t hd_walk_inner(hd_walk *w, const hd_dims *x, unsigned reduced) {
    return walk_axes(w, x, reduced);
}

hd_axis_split hd_split_at(const hd_dims *dims, int axis) {
    hd_axis_split s = {1, dims->dim[axis], 1};
    for (int i = 0; i < axis; i++) s.outer *= dims->dim[i];
    for (int i = axis + 1; i < dims->rank; i++) s.inner *= dims->dim[i];
    return s;
}

/* ---- costs ---- */

double hd_cost_elements(const hd_type *type) {
    double n = 1;
    if (type->dims.rank < 0) return 0;
    for (int i = 0; i < type->dims.rank; i++) n *= (double)type->dims.dim[i];
    return n;
}

hd_cost hd_cost_of(const hd_infer *c, double flops) {
    double bytes = 0;
    for (int i = 0; i < c->n_in; i++) bytes += hd_cost_elements(&c->in[i]) * (double)hd_dtype_size(c->in[i].dtype);
    for (int i = 0; i < c->n_out; i++) bytes += hd_cost_elements(&c->out[i]) * (double)hd_dtype_size(c->out[i].dtype);
    return (hd_cost){.flops = flops, .bytes = bytes};
}

hd_cost hd_cost_input(const hd_infer *c) {
    return hd_cost_of(c, hd_cost_elements(&c->in[0]));
}

hd_cost hd_cost_copy(const hd_infer *c) {
    return hd_cost_of(c, 0);
}

hd_cost hd_cost_none(const hd_infer *c) {
    (void)c;
    return (hd_cost){0};
}

/* ---- gradients ---- */

void hd_grad_zero(hd_grad *c) {
    (void)c;
}

hd_val hd_unbroadcast(hd_val d, hd_val operand) {
    const hd_dims have = hd_val_dims(d), want = hd_val_dims(operand);
    return hd_dims_equal(&have, &want) ? d : hd_sum_like(d, operand);
}

hd_val hd_keep_axes(hd_val d, hd_val x, const hd_dims *axes, bool keepdim) {
    hd_dims dims = hd_val_dims(x);
    if (keepdim || hd_val_dims(d).rank == 0) return d;
    const unsigned bits = hd_axes_bits(axes, dims.rank);
    for (int i = 0; i < dims.rank; i++)
        if (bits >> i & 1) dims.dim[i] = 1;
    return hd_reshape(d, .dims = dims);
}

hd_val hd_act_grad(int64_t act, hd_val y, hd_val dy) {
    switch (act) {
    case HD_ACT_RELU: return hd_relu_grad(y, dy);
    case HD_ACT_SIGMOID: return hd_sigmoid_grad(y, dy);
    case HD_ACT_TANH: return hd_tanh_grad(y, dy);
    default: return dy;
    }
}

hd_val hd_per_channel(hd_val v, hd_val x) {
    const int rank = hd_val_dims(x).rank;
    hd_dims dims = {.rank = rank > 2 ? rank - 1 : 1};
    for (int i = 0; i < dims.rank; i++) dims.dim[i] = 1;
    dims.dim[0] = hd_val_dims(v).dim[0];
    return rank > 2 ? hd_reshape(v, .dims = dims) : v;
}

static hd_dims channel_axes(hd_val x) {
    hd_dims axes = {.rank = 1};
    for (int i = 2; i < hd_val_dims(x).rank; i++) axes.dim[axes.rank++] = i;
    return axes;
}

hd_val hd_channel_sum(hd_val x) {
    return hd_sum(x, .axes = channel_axes(x));
}

hd_val hd_channel_mean(hd_val x) {
    return hd_mean(x, .axes = channel_axes(x));
}

hd_val hd_plus(hd_val a, hd_val b) {
    if (hd_val_is_none(a)) return b;
    return hd_val_is_none(b) ? a : hd_add(a, b);
}
