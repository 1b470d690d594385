/* op_windows.c: shape rules of convolution and pooling, and where their windows lie. Knows nothing of backends. */
#include "ops/window_kit.h"

const char *const hd_padding_words[] = {"valid", "same", NULL};

/* One axis: sizes of the picture and the window, and what lies around. */
typedef struct window_axis {
    const char *name;
    int64_t size, kernel, stride, padding, extra, dilation;
    bool ceil_mode;
} window_axis;

/* Number of places of a window on an axis; *out ≥ 1, or a message. */
static hd_status places_of(hd_infer *c, const window_axis *w, int64_t *out) {
    if (w->size < 0) return hd_infer_fail(c, "the %s of x must be a number, it is the batch", w->name);
    if (w->size == 0) return hd_infer_fail(c, "the %s of x is 0: there is no picture", w->name);
    if (w->size > INT64_MAX / 4) return hd_infer_fail(c, "the %s of x is too large", w->name);
    if (w->kernel > HD_MAX_WINDOW || w->dilation > HD_MAX_WINDOW)
        return hd_infer_fail(c, "the kernel's %s is too large", w->name);
    const int64_t reach = w->dilation * (w->kernel - 1) + 1, padded = w->size + 2 * w->padding + w->extra;
    if (reach > padded)
        return hd_infer_fail(c, "kernel of %s %lld (with dilation) on a picture of %s %lld (with padding)", w->name,
                             (long long)reach, w->name, (long long)padded);
    *out = (padded - reach) / w->stride + 1;
    /* one more window where the last does not reach the edge, unless it would begin in the padding behind */
    if (w->ceil_mode && (padded - reach) % w->stride && *out * w->stride < w->size + w->padding) ++*out;
    return HD_OK;
}

static const char *const axis_names[] = {"height", "width"};

/* ---- convolution ---- */

hd_conv2d_sizes hd_conv2d_sizes_of(const hd_dims *x, const hd_dims *w, const hd_dims *y) {
    hd_conv2d_sizes z = {.n = x->dim[0], .c = x->dim[1], .h = x->dim[2], .w = x->dim[3]};
    z.k = w->dim[0], z.cg = w->dim[1], z.r = w->dim[2], z.s = w->dim[3];
    z.oh = y->dim[2], z.ow = y->dim[3];
    z.kg = z.k / (z.c / z.cg);
    return z;
}

/* HD_SAME as numbers: PyTorch's and ONNX's SAME_UPPER, the odd one behind. */
static hd_status settle_same(hd_infer *c, hd_conv2d_window v, int i, int64_t kernel) {
    if (v.padding[i] != HD_SAME) return HD_OK;
    if (v.stride[i] != 1)
        return hd_infer_fail(c, "padding same is for stride 1, the stride is %lld", (long long)v.stride[i]);
    const int64_t around = v.dilation[i] * (kernel - 1);
    v.padding[i] = around / 2;
    v.padding_extra[i] += around % 2;
    return HD_OK;
}

hd_status hd_infer_conv2d(hd_infer *c, int ix, int iw, hd_conv2d_window v, hd_dims *y) {
    const hd_dims *x = &c->in[ix].dims, *w = &c->in[iw].dims;
    char tx[192], tw[192];
    if (hd_need_float(c, ix) || hd_need_rank(c, ix, 4) || hd_need_rank(c, iw, 4)) return HD_E_MODEL;
    for (int i = 0; i < 4; i++)
        if (w->dim[i] < 1 || w->dim[i] > HD_MAX_WINDOW)
            return hd_infer_fail(c, "weight %s must have sizes from 1 to 2^30", hd_dims_text(tw, w));
    if (w->dim[0] % v.groups != 0)
        return hd_infer_fail(c, "weight %s has %lld output channels, they must divide into %lld groups",
                             hd_dims_text(tw, w), (long long)w->dim[0], (long long)v.groups);
    if (x->dim[1] != w->dim[1] * v.groups)
        return hd_infer_fail(c, "weight %s expects %lld input channels, input x %s has %lld", hd_dims_text(tw, w),
                             (long long)(w->dim[1] * v.groups), hd_dims_text(tx, x), (long long)x->dim[1]);
    if (hd_need_dtype(c, iw, c->in[ix].dtype)) return HD_E_MODEL;
    *y = (hd_dims){.rank = 4, .dim = {x->dim[0], w->dim[0]}};
    for (int i = 0; i < 2; i++) {
        if (settle_same(c, v, i, w->dim[2 + i])) return HD_E_MODEL;
        const window_axis axis = {.name = axis_names[i],
                                  .size = x->dim[2 + i],
                                  .kernel = w->dim[2 + i],
                                  .stride = v.stride[i],
                                  .padding = v.padding[i],
                                  .extra = v.padding_extra[i],
                                  .dilation = v.dilation[i]};
        if (places_of(c, &axis, &y->dim[2 + i])) return HD_E_MODEL;
    }
    return HD_OK;
}

double hd_conv2d_flops(const hd_dims *w, const hd_dims *y) {
    double flops = 2;
    for (int i = 0; i < 4; i++) flops *= (double)y->dim[i];
    for (int i = 1; i < 4; i++) flops *= (double)w->dim[i];
    return flops;
}

/* ---- pooling ---- */

static hd_status adaptive_dims(hd_infer *c, hd_pool2d_window *v, hd_dims *y) {
    for (int i = 0; i < 2; i++) {
        if (v->kernel_size[i] || v->stride[i] || v->padding[i] || v->dilation[i] > 1 || v->ceil_mode)
            return hd_infer_fail(c, "output_size settles the windows: no kernel_size, stride, padding, dilation");
        if (y->dim[2 + i] < 1) return hd_infer_fail(c, "the %s of x must be a number above 0", axis_names[i]);
        if (v->output_size[i] == 0) v->output_size[i] = y->dim[2 + i];
        y->dim[2 + i] = v->output_size[i];
    }
    return HD_OK;
}

static hd_status window_dims(hd_infer *c, hd_pool2d_window *v, hd_dims *y) {
    for (int i = 0; i < 2; i++) {
        const int64_t k = v->kernel_size[i], size = y->dim[2 + i];
        if (k == 0) return hd_infer_fail(c, "kernel_size must be given");
        if (v->stride[i] == 0) v->stride[i] = k;
        if (v->dilation[i] == 0) v->dilation[i] = 1;
        if (v->padding[i] > k / 2)
            return hd_infer_fail(c, "padding %lld is more than half of kernel_size %lld: a window could lie outside",
                                 (long long)v->padding[i], (long long)k);
        const window_axis axis = {.name = axis_names[i],
                                  .size = size,
                                  .kernel = k,
                                  .stride = v->stride[i],
                                  .padding = v->padding[i],
                                  .dilation = v->dilation[i],
                                  .ceil_mode = v->ceil_mode};
        if (places_of(c, &axis, &y->dim[2 + i])) return HD_E_MODEL;
        if (v->dilation[i] > 1 && v->padding[i] && size < v->dilation[i])
            return hd_infer_fail(c, "dilation %lld is more than the %s of x: a window could lie outside",
                                 (long long)v->dilation[i], axis_names[i]);
    }
    return HD_OK;
}

static hd_status pool2d_dims(hd_infer *c, hd_pool2d_window *v, hd_dims *y) {
    if (hd_need_float(c, 0) || hd_need_rank(c, 0, 4)) return HD_E_MODEL;
    *y = c->in[0].dims;
    return v->output_size[0] || v->output_size[1] ? adaptive_dims(c, v, y) : window_dims(c, v, y);
}

hd_status hd_infer_pool2d(hd_infer *c, hd_dims *y) {
    hd_pool2d_args *a = c->attr;
    hd_pool2d_window v;
    HD_POOL2D_COPY(v, *a);
    if (pool2d_dims(c, &v, y)) return HD_E_MODEL;
    HD_POOL2D_COPY(*a, v);
    return HD_OK;
}

static hd_status grad_dims(hd_infer *c, hd_dims *y) {
    hd_pool2d_grad_args *a = c->attr;
    hd_pool2d_window v;
    HD_POOL2D_COPY(v, *a);
    if (pool2d_dims(c, &v, y)) return HD_E_MODEL;
    HD_POOL2D_COPY(*a, v);
    return HD_OK;
}

hd_status hd_infer_pool2d_grad(hd_infer *c) {
    char got[192], want[192];
    hd_dims dy;
    if (grad_dims(c, &dy)) return HD_E_MODEL;
    c->out[0] = c->in[0];
    if (!hd_dims_equal(&dy, &c->in[1].dims))
        return hd_infer_fail(c, "dy is %s, the pooling gives %s", hd_dims_text(got, &c->in[1].dims),
                             hd_dims_text(want, &dy));
    return hd_need_dtype(c, 1, c->in[0].dtype);
}

hd_status hd_infer_pool2d_pick(hd_infer *c) {
    c->out[0].dtype = c->in[0].dtype;
    if (grad_dims(c, &c->out[0].dims)) return HD_E_MODEL;
    return hd_need_same(c, 0, 1);
}

/* A FLOP for each element of each window; adaptive ones cover the picture about once. */
hd_cost hd_cost_pool2d(const hd_infer *c) {
    const hd_pool2d_args *forward = c->attr;
    const hd_pool2d_grad_args *backward = c->attr;
    const int64_t *k = c->n_in == 1 ? forward->kernel_size : backward->kernel_size;
    if (k[0] == 0) return hd_cost_input(c);
    return hd_cost_of(c, hd_cost_elements(&c->out[0]) * (double)k[0] * (double)k[1]);
}

hd_pool_span hd_pool_span_of(const hd_pool2d_window *v, int axis, int64_t o, int64_t n) {
    const int64_t out = v->output_size[axis];
    if (out) { /* ⌊o·n/out⌋ … ⌈(o+1)·n/out⌉ without o·n, which may not fit */
        const int64_t whole = n / out, rest = n % out;
        const int64_t from = o * whole + o * rest / out, to = (o + 1) * whole + ((o + 1) * rest + out - 1) / out;
        return (hd_pool_span){from, to, 1, to - from};
    }
    const int64_t d = v->dilation[axis] ? v->dilation[axis] : 1, p = v->padding[axis], k = v->kernel_size[axis];
    const int64_t start = o * v->stride[axis] - p, end = start + d * (k - 1) + 1;
    hd_pool_span s = {.from = start < 0 ? start + (-start + d - 1) / d * d : start,
                      .to = end < n ? end : n,
                      .step = d,
                      .counted = (end < n + p ? end : n + p) - start};
    if (v->exclude_pad) s.counted = s.to - s.from;
    return s;
}
