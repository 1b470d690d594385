/* op_window_builders.c: convolution and pooling of signals and volumes, and adaptive pooling, put together from the ops
 * for pictures. What they make is printed, differentiated and run as those ops. */
#include "ops/shape_kit.h"
#include "ops/window_kit.h"

static hd_val failed(hd_val x) {
    return (hd_val){x.graph, -1};
}

/* x [n, c, l]: true, or a refusal. */
static bool has_rank(hd_loc at, hd_val x, int rank, const char *name) {
    char text[192];
    if (!hd_build_ready(x)) return false;
    const hd_dims dims = hd_val_dims(x);
    if (dims.rank == rank) return true;
    (void)hd_build_refuse(x, at, name, "x must have %d dimensions, it is %s", rank, hd_dims_text(text, &dims));
    return false;
}

/* [a, b, l] as [a, b, 1, l], and back. */
static hd_val as_picture(hd_loc at, hd_val x) {
    const hd_dims d = hd_val_dims(x);
    return hd_reshape_to(at, x, HD_DIMS(d.dim[0], d.dim[1], 1, d.dim[2]));
}
static hd_val as_signal(hd_loc at, hd_val y) {
    const hd_dims d = hd_val_dims(y);
    return hd_build_ready(y) ? hd_reshape_to(at, y, HD_DIMS(d.dim[0], d.dim[1], d.dim[3])) : y;
}

/* ---- signals ---- */

hd_val hd_conv1d_at(hd_loc at, const hd_conv1d_args *a) {
    if (!has_rank(at, a->x, 3, "conv1d") || !has_rank(at, a->w, 3, "conv1d")) return failed(a->x);
    const hd_conv2d_args args = {.x = as_picture(at, a->x),
                                 .w = as_picture(at, a->w),
                                 .b = a->b,
                                 .stride = {1, a->stride},
                                 .padding = {0, a->padding},
                                 .dilation = {1, a->dilation},
                                 .padding_extra = {0, a->padding_extra},
                                 .groups = a->groups};
    return as_signal(at, hd_conv2d_at(at, &args));
}

static hd_val pool1d(hd_loc at, const hd_pool1d_args *a, const char *name,
                     hd_val (*pool)(hd_loc at, const hd_pool2d_args *args)) {
    if (!has_rank(at, a->x, 3, name)) return failed(a->x);
    const bool adaptive = a->output_size != 0;
    const hd_pool2d_args args = {.x = as_picture(at, a->x),
                                 .kernel_size = {adaptive ? 0 : 1, a->kernel_size},
                                 .stride = {adaptive ? 0 : 1, a->stride},
                                 .padding = {0, a->padding},
                                 .dilation = {1, a->dilation},
                                 .output_size = {adaptive ? 1 : 0, a->output_size},
                                 .ceil_mode = a->ceil_mode,
                                 .exclude_pad = a->exclude_pad};
    return as_signal(at, pool(at, &args));
}

hd_val hd_max_pool1d_at(hd_loc at, const hd_pool1d_args *a) {
    return pool1d(at, a, "max_pool1d", hd_max_pool2d_at);
}
hd_val hd_avg_pool1d_at(hd_loc at, const hd_pool1d_args *a) {
    return pool1d(at, a, "avg_pool1d", hd_avg_pool2d_at);
}
hd_val hd_max_pool1d_index_at(hd_loc at, const hd_pool1d_args *a) {
    return pool1d(at, a, "max_pool1d_index", hd_max_pool2d_index_at);
}

/* ---- volumes: a window is a product of one over height and width and one over depth ---- */

static hd_val pool3d(hd_loc at, const hd_pool3d_args *a, const char *name,
                     hd_val (*pool)(hd_loc at, const hd_pool2d_args *args)) {
    if (!has_rank(at, a->x, 5, name)) return failed(a->x);
    const hd_dims x = hd_val_dims(a->x);
    if (x.dim[1] < 0 || x.dim[2] < 1 || x.dim[1] > INT64_MAX / x.dim[2])
        return hd_build_refuse(a->x, at, name, "channels and depth of x must be numbers");
    const bool adaptive = a->output_size[0] || a->output_size[1] || a->output_size[2];
    hd_pool2d_args flat = {.x = hd_reshape_to(at, a->x, HD_DIMS(x.dim[0], x.dim[1] * x.dim[2], x.dim[3], x.dim[4])),
                           .divisor_override = a->divisor_override,
                           .ceil_mode = a->ceil_mode,
                           .exclude_pad = a->exclude_pad};
    for (int i = 0; i < 2; i++) {
        flat.kernel_size[i] = a->kernel_size[1 + i];
        flat.stride[i] = a->stride[1 + i];
        flat.padding[i] = a->padding[1 + i];
        flat.dilation[i] = a->dilation[1 + i];
        flat.output_size[i] = adaptive && !a->output_size[1 + i] ? x.dim[3 + i] : a->output_size[1 + i];
    }
    const hd_val planes = pool(at, &flat);
    const hd_dims p = hd_val_dims(planes);
    if (!hd_build_ready(planes)) return planes;
    if (p.dim[3] > 0 && p.dim[2] > INT64_MAX / p.dim[3]) return hd_build_refuse(a->x, at, name, "x is too large");
    const int64_t area = p.dim[2] * p.dim[3], depth = adaptive && !a->output_size[0] ? x.dim[2] : a->output_size[0];
    const hd_pool2d_args deep = {.x = hd_reshape_to(at, planes, HD_DIMS(x.dim[0], x.dim[1], x.dim[2], area)),
                                 .kernel_size = {a->kernel_size[0], adaptive ? 0 : 1},
                                 .stride = {a->stride[0], adaptive ? 0 : 1},
                                 .padding = {a->padding[0], 0},
                                 .dilation = {a->dilation[0], 1},
                                 .output_size = {depth, adaptive ? area : 0},
                                 .divisor_override = a->divisor_override ? 1 : 0,
                                 .ceil_mode = a->ceil_mode,
                                 .exclude_pad = a->exclude_pad};
    const hd_val y = pool(at, &deep);
    if (!hd_build_ready(y)) return y;
    return hd_reshape_to(at, y, HD_DIMS(x.dim[0], x.dim[1], hd_val_dims(y).dim[2], p.dim[2], p.dim[3]));
}

hd_val hd_max_pool3d_at(hd_loc at, const hd_pool3d_args *a) {
    return pool3d(at, a, "max_pool3d", hd_max_pool2d_at);
}
hd_val hd_avg_pool3d_at(hd_loc at, const hd_pool3d_args *a) {
    return pool3d(at, a, "avg_pool3d", hd_avg_pool2d_at);
}

/* ---- adaptive ---- */

/* Windows that are all alike and side by side are those of plain pooling, which has fast kernels. */
static hd_pool2d_args adaptive_windows(const hd_adaptive_pool2d_args *a, const hd_dims *x) {
    hd_pool2d_args plain = {.x = a->x}, other = {.x = a->x};
    bool alike = true;
    for (int i = 0; i < 2; i++) {
        const int64_t size = x->dim[2 + i], out = a->output_size[i] ? a->output_size[i] : size;
        other.output_size[i] = out;
        alike = alike && size > 0 && out > 0 && size % out == 0;
        plain.kernel_size[i] = alike ? size / out : 1;
    }
    return alike ? plain : other;
}

hd_val hd_adaptive_avg_pool2d_at(hd_loc at, const hd_adaptive_pool2d_args *a) {
    if (!has_rank(at, a->x, 4, "adaptive_avg_pool2d")) return failed(a->x);
    const hd_dims x = hd_val_dims(a->x);
    if (a->output_size[0] == 1 && a->output_size[1] == 1) return hd_global_avg_pool_at(at, &(hd_unary_args){.x = a->x});
    const hd_pool2d_args args = adaptive_windows(a, &x);
    return hd_avg_pool2d_at(at, &args);
}

hd_val hd_adaptive_max_pool2d_at(hd_loc at, const hd_adaptive_pool2d_args *a) {
    if (!has_rank(at, a->x, 4, "adaptive_max_pool2d")) return failed(a->x);
    const hd_dims x = hd_val_dims(a->x);
    const hd_pool2d_args args = adaptive_windows(a, &x);
    return hd_max_pool2d_at(at, &args);
}
