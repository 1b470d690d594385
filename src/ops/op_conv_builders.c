/* op_conv_builders.c: convolution of volumes and transposed convolution, put together from conv2d and its gradient by
 * the input. A filter of a volume is as many filters of pictures as it is deep: these lie side by side as channels, so
 * that one convolution of pictures adds them up. */
#include "ops/shape_kit.h"
#include "ops/window_kit.h"

static hd_val failed(hd_val x) {
    return (hd_val){x.graph, -1};
}
static int64_t or_one(int64_t v) {
    return v == 0 ? 1 : v;
}

/* x and w have this rank, their sizes but the first are numbers: true, or a refusal. */
static bool conv_ready(hd_loc at, const char *name, hd_val x, hd_val w, int rank) {
    char a[192], b[192];
    if (!hd_build_ready(x) || !hd_build_ready(w)) return false;
    const hd_dims dx = hd_val_dims(x), dw = hd_val_dims(w);
    bool fits = dx.rank == rank && dw.rank == rank;
    for (int i = 0; i < rank && fits; i++)
        fits = (dx.dim[i] > 0 || i == 0) && dx.dim[i] < HD_MAX_WINDOW && dw.dim[i] > 0 && dw.dim[i] < HD_MAX_WINDOW;
    if (!fits)
        (void)hd_build_refuse(x, at, name, "x must be [n, c, …] and weight too, of rank %d; they are %s and %s", rank,
                              hd_dims_text(a, &dx), hd_dims_text(b, &dw));
    return fits;
}

/* Settings of an axis lie in their range: true, or a refusal. */
static bool setting_ok(hd_loc at, const char *name, hd_val x, const char *what, int64_t v, int64_t low) {
    if (v >= low && v < HD_MAX_WINDOW) return true;
    (void)hd_build_refuse(x, at, name, "%s is %lld, it must be %lld or more", what, (long long)v, (long long)low);
    return false;
}

static hd_val with_bias(hd_loc at, hd_val y, hd_val b) {
    if (hd_val_is_none(b) || !hd_build_ready(y)) return y;
    return hd_add_at(at, &(hd_binary_args){.a = y, .b = hd_per_channel(b, y)});
}

static hd_val permuted(hd_loc at, hd_val x, hd_dims axes) {
    return hd_transpose_at(at, &(hd_transpose_args){.x = x, .axes = axes});
}

static hd_val padded(hd_loc at, hd_val x, int axis, int64_t before, int64_t after) {
    hd_pad_args a = {.x = x, .before = {.rank = hd_val_dims(x).rank}, .after = {.rank = hd_val_dims(x).rank}};
    if ((before == 0 && after == 0) || !hd_build_ready(x)) return x;
    a.before.dim[axis] = before;
    a.after.dim[axis] = after;
    return hd_pad_at(at, &a);
}

/* [n, a, b, h, w] → [n, b, a, h, w] */
static hd_val planes_first(hd_loc at, hd_val x) {
    return permuted(at, x, HD_DIMS(0, 2, 1, 3, 4));
}

/* The filters of pictures in one of volumes, side by side: [k, c, q, r, s] → [k, q·c, r, s]. */
static hd_val flat_filters(hd_loc at, hd_val w) {
    const hd_dims d = hd_val_dims(w);
    if (d.dim[2] > 1) w = permuted(at, w, HD_DIMS(0, 2, 1, 3, 4));
    return hd_reshape_to(at, w, HD_DIMS(d.dim[0], d.dim[2] * d.dim[1], d.dim[3], d.dim[4]));
}

/* ---- volumes ---- */

enum { DEEPEST = 64 }; /* planes of a filter */

typedef struct depth {
    int64_t in, out, taps, stride, padding, dilation;
} depth;

static depth depth_of(const hd_dims *x, const hd_dims *w, const int64_t *stride, const int64_t *padding,
                      const int64_t *dilation) {
    return (depth){.in = x->dim[2],
                   .taps = w->dim[2],
                   .stride = or_one(stride[0]),
                   .padding = padding[0],
                   .dilation = or_one(dilation[0])};
}

/* Each plane of a filter is some nodes of the graph. */
static bool depth_ok(hd_loc at, const char *name, hd_val x, const depth *z) {
    if (z->taps <= DEEPEST) return true;
    (void)hd_build_refuse(x, at, name, "filters may be at most %d planes deep", DEEPEST);
    return false;
}

/* For every plane of the result the planes of x under the filter, as channels: x [n, d, c, h, w] →
 * [n·d', groups·taps·c/groups, h, w]. */
static hd_val gathered_planes(hd_loc at, hd_val x, const depth *z, int64_t groups) {
    const hd_dims d = hd_val_dims(x);
    hd_val part[DEEPEST];
    for (int64_t t = 0; t < z->taps; t++) {
        const int64_t start = t * z->dilation, stop = start + (z->out - 1) * z->stride + 1;
        part[t] = hd_slice_at(
            at, &(hd_slice_args){.x = x, .axis = HD_AXIS(1), .start = start, .stop = stop, .step = z->stride});
        part[t] = hd_reshape_to(at, part[t], HD_DIMS(0, groups, 1, d.dim[2] / groups * d.dim[3] * d.dim[4]));
    }
    const hd_val all =
        z->taps == 1 ? part[0] : hd_concat_at(at, &(hd_concat_args){.x = part, .n = z->taps, .axis = HD_AXIS(2)});
    return hd_reshape_to(at, all, HD_DIMS(0, z->taps * d.dim[2], d.dim[3], d.dim[4]));
}

hd_val hd_conv3d_at(hd_loc at, const hd_conv3d_args *a) {
    if (!conv_ready(at, "conv3d", a->x, a->w, 5)) return failed(a->x);
    const hd_dims x = hd_val_dims(a->x), w = hd_val_dims(a->w);
    const int64_t groups = or_one(a->groups);
    depth z = depth_of(&x, &w, a->stride, a->padding, a->dilation);
    if (!setting_ok(at, "conv3d", a->x, "groups", groups, 1) ||
        !setting_ok(at, "conv3d", a->x, "stride", z.stride, 1) ||
        !setting_ok(at, "conv3d", a->x, "padding", z.padding, HD_SAME) ||
        !setting_ok(at, "conv3d", a->x, "dilation", z.dilation, 1))
        return failed(a->x);
    if (!depth_ok(at, "conv3d", a->x, &z)) return failed(a->x);
    if (w.dim[1] * groups != x.dim[1])
        return hd_build_refuse(a->x, at, "conv3d", "weight expects %lld input channels, x has %lld",
                               (long long)(w.dim[1] * groups), (long long)x.dim[1]);
    const int64_t reach = z.dilation * (z.taps - 1);
    const bool same = z.padding == HD_SAME;
    if (same && z.stride != 1) return hd_build_refuse(a->x, at, "conv3d", "padding same is for stride 1");
    const int64_t before = same ? reach / 2 : z.padding, behind = same ? reach - reach / 2 : z.padding;
    if (reach + 1 > z.in + before + behind)
        return hd_build_refuse(a->x, at, "conv3d", "a kernel of depth %lld on a volume of depth %lld (with padding)",
                               (long long)(reach + 1), (long long)(z.in + before + behind));
    z.out = (z.in + before + behind - reach - 1) / z.stride + 1;
    const hd_val deep = padded(at, planes_first(at, a->x), 1, before, behind);
    const hd_conv2d_args flat = {.x = gathered_planes(at, deep, &z, groups),
                                 .w = flat_filters(at, a->w),
                                 .b = a->b,
                                 .stride = {a->stride[1], a->stride[2]},
                                 .padding = {a->padding[1], a->padding[2]},
                                 .dilation = {a->dilation[1], a->dilation[2]},
                                 .groups = groups};
    const hd_val y = hd_conv2d_at(at, &flat);
    if (!hd_build_ready(y)) return y;
    const hd_dims p = hd_val_dims(y);
    return planes_first(at, hd_reshape_to(at, y, HD_DIMS(x.dim[0], z.out, p.dim[1], p.dim[2], p.dim[3])));
}

/* ---- transposed: what the gradient of a convolution does to its output ---- */

/* An axis of the result; −1: there is none, or a setting is wrong (and refused). */
static int64_t transposed_size(hd_loc at, const char *name, hd_val x, int64_t size, int64_t kernel, int64_t stride,
                               int64_t padding, int64_t more, int64_t dilation) {
    if (!setting_ok(at, name, x, "stride", stride, 1) || !setting_ok(at, name, x, "padding", padding, 0) ||
        !setting_ok(at, name, x, "output_padding", more, 0) || !setting_ok(at, name, x, "dilation", dilation, 1))
        return -1;
    if (more >= stride && more >= dilation) {
        (void)hd_build_refuse(x, at, name, "output_padding %lld must be less than stride or dilation", (long long)more);
        return -1;
    }
    const int64_t out = (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + more + 1;
    if (out >= 1) return out;
    (void)hd_build_refuse(x, at, name, "nothing is left of the result: an axis of it would be %lld", (long long)out);
    return -1;
}

static hd_val transpose2d(hd_loc at, const char *name, const hd_conv_transpose2d_args *a) {
    if (!conv_ready(at, name, a->x, a->w, 4)) return failed(a->x);
    const hd_dims x = hd_val_dims(a->x), w = hd_val_dims(a->w);
    hd_conv2d_grad_args args = {.a = a->x, .b = a->w, .groups = or_one(a->groups)};
    for (int i = 0; i < 2; i++) {
        args.stride[i] = or_one(a->stride[i]);
        args.dilation[i] = or_one(a->dilation[i]);
        args.padding[i] = a->padding[i];
        args.output_size[i] = transposed_size(at, name, a->x, x.dim[2 + i], w.dim[2 + i], args.stride[i], a->padding[i],
                                              a->output_padding[i], args.dilation[i]);
        if (args.output_size[i] < 1) return failed(a->x);
        if (a->output_padding[i] >= args.stride[i]) args.padding_extra[i] = -a->output_padding[i];
    }
    if (x.dim[1] != w.dim[0])
        return hd_build_refuse(a->x, at, name, "weight is for %lld input channels, x has %lld", (long long)w.dim[0],
                               (long long)x.dim[1]);
    return with_bias(at, hd_conv2d_grad_input_at(at, &args), a->b);
}

hd_val hd_conv_transpose2d_at(hd_loc at, const hd_conv_transpose2d_args *a) {
    return transpose2d(at, "conv_transpose2d", a);
}

/* [a, b, l] → [a, b, 1, l] */
static hd_val one_row(hd_loc at, hd_val v) {
    const hd_dims d = hd_val_dims(v);
    return hd_reshape_to(at, v, HD_DIMS(d.dim[0], d.dim[1], 1, d.dim[2]));
}

hd_val hd_conv_transpose1d_at(hd_loc at, const hd_conv_transpose1d_args *a) {
    if (!conv_ready(at, "conv_transpose1d", a->x, a->w, 3)) return failed(a->x);
    const hd_conv_transpose2d_args args = {.x = one_row(at, a->x),
                                           .w = one_row(at, a->w),
                                           .b = a->b,
                                           .stride = {1, a->stride},
                                           .padding = {0, a->padding},
                                           .output_padding = {0, a->output_padding},
                                           .groups = a->groups,
                                           .dilation = {1, a->dilation}};
    const hd_val y = transpose2d(at, "conv_transpose1d", &args);
    if (!hd_build_ready(y)) return y;
    const hd_dims d = hd_val_dims(y);
    return hd_reshape_to(at, y, HD_DIMS(d.dim[0], d.dim[1], d.dim[3]));
}

/* A plane of the result for every plane of x and every plane of the filter, added up where they belong: v
 * [n·d, groups·taps·k/groups, h, w] → [n, out, k, h, w]. */
static hd_val scattered_planes(hd_loc at, hd_val v, const depth *z, int64_t groups, int64_t batch) {
    const hd_dims d = hd_val_dims(v);
    const int64_t each = d.dim[1] / groups / z->taps * d.dim[2] * d.dim[3], all = groups * each;
    const hd_val parts = hd_reshape_to(at, v, HD_DIMS(0, groups, z->taps, each));
    hd_val sum = {0};
    for (int64_t t = 0; t < z->taps; t++) {
        hd_val part =
            hd_slice_at(at, &(hd_slice_args){.x = parts, .axis = HD_AXIS(2), .start = t, .stop = t + 1, .step = 1});
        part = hd_reshape_to(at, part, HD_DIMS(batch, z->in, 1, all));
        part = hd_reshape_to(at, padded(at, part, 2, 0, z->stride - 1), HD_DIMS(batch, z->in * z->stride, all));
        const int64_t first = t * z->dilation - z->padding;
        part = padded(at, part, 1, first, z->out - first - z->in * z->stride);
        sum = t ? hd_add_at(at, &(hd_binary_args){.a = sum, .b = part}) : part;
    }
    return hd_reshape_to(at, sum, HD_DIMS(batch, z->out, d.dim[1] / z->taps, d.dim[2], d.dim[3]));
}

hd_val hd_conv_transpose3d_at(hd_loc at, const hd_conv_transpose3d_args *a) {
    static const char *const name = "conv_transpose3d";
    if (!conv_ready(at, name, a->x, a->w, 5)) return failed(a->x);
    const hd_dims x = hd_val_dims(a->x), w = hd_val_dims(a->w);
    const int64_t groups = or_one(a->groups);
    depth z = depth_of(&x, &w, a->stride, a->padding, a->dilation);
    if (!depth_ok(at, name, a->x, &z)) return failed(a->x);
    z.out = transposed_size(at, name, a->x, z.in, z.taps, z.stride, z.padding, a->output_padding[0], z.dilation);
    if (z.out < 1) return failed(a->x);
    const hd_conv_transpose2d_args flat = {
        .x = hd_reshape_to(at, planes_first(at, a->x), HD_DIMS(0, x.dim[1], x.dim[3], x.dim[4])),
        .w = flat_filters(at, a->w),
        .stride = {a->stride[1], a->stride[2]},
        .padding = {a->padding[1], a->padding[2]},
        .output_padding = {a->output_padding[1], a->output_padding[2]},
        .groups = groups,
        .dilation = {a->dilation[1], a->dilation[2]}};
    const hd_val y = transpose2d(at, name, &flat);
    if (!hd_build_ready(y)) return y;
    return with_bias(at, planes_first(at, scattered_planes(at, y, &z, groups, x.dim[0])), a->b);
}
