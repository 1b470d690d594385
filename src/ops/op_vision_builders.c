/* op_vision_builders.c: pictures of another size, pooling the other way, powers, pairs and distances, put together from
 * other ops. What they make is printed, differentiated and run as those ops. */
#include "base/alloc.h"
#include "ops/shape_kit.h"
#include "ops/window_kit.h"

static hd_val failed(hd_val x) {
    return (hd_val){x.graph, -1};
}

/* x [n, c, …] with one to three axes behind the channels, all of them numbers above 0: how many, or 0 and a refusal. */
static int places_of(hd_loc at, hd_val x, const char *name) {
    char text[192];
    if (!hd_build_ready(x)) return 0;
    const hd_dims d = hd_val_dims(x);
    bool fits = d.rank >= 3 && d.rank <= 5 && d.dim[1] >= 0;
    for (int i = 2; i < d.rank && fits; i++) fits = d.dim[i] > 0 && d.dim[i] < HD_MAX_WINDOW;
    if (!fits)
        (void)hd_build_refuse(x, at, name, "x must be [n, c, …] with one to three axes, it is %s",
                              hd_dims_text(text, &d));
    return fits ? d.rank - 2 : 0;
}

/* ---- interpolate ---- */

static const struct {
    const char *name;
    int64_t mode;
    int axes; /* 0: any */
    bool corners;
} ways[] = {[HD_INTERPOLATE_NEAREST] = {"nearest", HD_RESAMPLE_NEAREST, 0, false},
            [HD_INTERPOLATE_LINEAR] = {"linear", HD_RESAMPLE_LINEAR, 1, true},
            [HD_INTERPOLATE_BILINEAR] = {"bilinear", HD_RESAMPLE_LINEAR, 2, true},
            [HD_INTERPOLATE_BICUBIC] = {"bicubic", HD_RESAMPLE_CUBIC, 2, true},
            [HD_INTERPOLATE_TRILINEAR] = {"trilinear", HD_RESAMPLE_LINEAR, 3, true},
            [HD_INTERPOLATE_AREA] = {"area", HD_RESAMPLE_AREA, 0, false},
            [HD_INTERPOLATE_NEAREST_EXACT] = {"nearest-exact", HD_RESAMPLE_NEAREST_EXACT, 0, false}};

/* Size and step of axis i of n; a size of 0: it is not said. */
static int64_t size_of(const hd_interpolate_args *a, int i, int64_t in, double *scale) {
    const double given = a->scale_factor[i] > 0 ? a->scale_factor[i] : a->scale_factor[0];
    *scale = 0;
    if (a->size.rank) return a->size.dim[a->size.rank == 1 ? 0 : i];
    if (!(given > 0) || (double)in * given >= HD_MAX_WINDOW) return 0;
    const int64_t out = (int64_t)floor((double)in * given);
    if (!a->recompute_scale_factor) *scale = 1 / given;
    return out;
}

hd_val hd_interpolate_at(hd_loc at, const hd_interpolate_args *a) {
    static const char *const name = "interpolate";
    const int n = places_of(at, a->x, name);
    if (!n) return failed(a->x);
    if (a->mode < 0 || a->mode >= (int64_t)(sizeof ways / sizeof *ways))
        return hd_build_refuse(a->x, at, name, "there is no such mode");
    if (ways[a->mode].axes && ways[a->mode].axes != n)
        return hd_build_refuse(a->x, at, name, "%s is for %d axes, x has %d", ways[a->mode].name, ways[a->mode].axes,
                               n);
    if (a->align_corners && !ways[a->mode].corners)
        return hd_build_refuse(a->x, at, name, "align_corners is for linear, bilinear, bicubic and trilinear");
    if (a->size.rank > 1 && a->size.rank != n)
        return hd_build_refuse(a->x, at, name, "size has %d numbers for %d axes", a->size.rank, n);
    hd_val y = a->x;
    for (int i = n - 1; i >= 0; i--) {
        hd_resample_args axis = {.x = y, .axis = HD_AXIS(2 + i), .mode = ways[a->mode].mode};
        const int64_t in = hd_val_dims(a->x).dim[2 + i];
        axis.align_corners = a->align_corners;
        axis.size = size_of(a, i, in, &axis.scale);
        if (axis.size < 1)
            return hd_build_refuse(a->x, at, name, "give size or scale_factor, so that something is left");
        if (axis.size == in && (axis.scale == 0 || axis.scale == 1)) continue;
        y = hd_resample_at(at, &axis);
    }
    return y;
}

/* ---- pooling ---- */

hd_val hd_max_unpool_at(hd_loc at, const hd_max_unpool_args *a) {
    static const char *const name = "max_unpool";
    if (!hd_build_ready(a->x) || !hd_build_ready(a->index)) return failed(a->x);
    const hd_dims d = hd_val_dims(a->x), di = hd_val_dims(a->index);
    const int axes = a->axes ? (int)a->axes : 2, lead = d.rank - axes;
    if (axes < 1 || axes > 3 || lead < 1 || lead > 2 || !hd_dims_equal(&d, &di))
        return hd_build_refuse(a->x, at, name, "x must be [n, c, …] with %d axes, index of the same shape", axes);
    hd_dims y = d;
    int64_t in = 1, out = 1;
    for (int i = 0; i < axes; i++) {
        const int64_t stride = a->stride[i] ? a->stride[i] : a->kernel_size[i], size = d.dim[lead + i];
        int64_t *to = &y.dim[lead + i];
        if (size < 1 || size >= HD_MAX_WINDOW || a->kernel_size[i] < 1 || a->kernel_size[i] >= HD_MAX_WINDOW ||
            stride < 1 || stride >= HD_MAX_WINDOW || a->padding[i] < 0 || a->padding[i] >= HD_MAX_WINDOW)
            return hd_build_refuse(a->x, at, name, "kernel_size and stride must be 1 or more, padding 0 or more");
        *to = a->output_size[i] ? a->output_size[i] : (size - 1) * stride - 2 * a->padding[i] + a->kernel_size[i];
        if (*to < 1 || *to > INT64_MAX / HD_MAX_WINDOW / out || size > INT64_MAX / HD_MAX_WINDOW / in)
            return hd_build_refuse(a->x, at, name, "an axis of the result would be %lld", (long long)*to);
        in *= size;
        out *= *to;
    }
    const hd_val flat = hd_reshape_to(at, a->x, HD_DIMS(0, in)), place = hd_reshape_to(at, a->index, HD_DIMS(0, in));
    const hd_val zero = hd_fill_like_at(at, &(hd_fill_like_args){.x = flat});
    const hd_val zeros =
        hd_pad_at(at, &(hd_pad_args){.x = zero, .before = HD_DIMS(0, 0), .after = HD_DIMS(0, out - in)});
    return hd_reshape_to(
        at, hd_scatter_at(at, &(hd_scatter_args){.x = zeros, .index = place, .src = flat, .axis = HD_AXIS(1)}), y);
}

hd_val hd_lp_pool_at(hd_loc at, const hd_lp_pool_args *a) {
    const int n = places_of(at, a->x, "lp_pool");
    if (!n) return failed(a->x);
    const double p = a->p == 0 ? 2 : a->p;
    hd_pool3d_args v = {.ceil_mode = a->ceil_mode};
    double count = 1;
    for (int i = 0; i < n; i++) {
        v.kernel_size[i] = a->kernel_size[i];
        v.stride[i] = a->stride[i];
        count *= (double)a->kernel_size[i];
    }
    v.x = hd_pow_at(at, &(hd_pow_args){.a = a->x, .exponent = p});
    hd_val mean = {0};
    if (n == 1)
        mean = hd_avg_pool1d_at(
            at, &(hd_pool1d_args){
                    .x = v.x, .kernel_size = v.kernel_size[0], .stride = v.stride[0], .ceil_mode = v.ceil_mode});
    else if (n == 2)
        mean = hd_avg_pool2d_at(at, &(hd_pool2d_args){.x = v.x,
                                                      .kernel_size = {v.kernel_size[0], v.kernel_size[1]},
                                                      .stride = {v.stride[0], v.stride[1]},
                                                      .ceil_mode = v.ceil_mode});
    else
        mean = hd_avg_pool3d_at(at, &v);
    /* the slope of a root at 0 is taken as 0; without a root sums may be negative */
    const hd_val kept = p == 1 ? mean : hd_relu_at(at, &(hd_unary_args){.x = mean});
    const hd_val sum = hd_affine_at(at, &(hd_affine_args){.x = kept, .scale = count});
    return hd_pow_at(at, &(hd_pow_args){.a = sum, .exponent = 1 / p});
}

/* Whole numbers 0, step, 2·step … as a constant of these dimensions. */
static hd_val multiples(hd_loc at, hd_val x, hd_dims dims, int64_t step) {
    hd_context *ctx = hd_graph_context(x.graph);
    const int64_t n = hd_dims_count(&dims);
    int64_t *v = hd_alloc_n(ctx, (size_t)n + 1, sizeof *v);
    if (!v) {
        hd_graph_fail(x.graph, HD_E_MEMORY, "max_pool3d_index|no memory for a constant|");
        return failed(x);
    }
    for (int64_t i = 0; i < n; i++) v[i] = i * step;
    const hd_val y = hd_const_at(at, x.graph, HD_I64, dims, v);
    hd_free(ctx, v);
    return y;
}

/* In their planes first, then which plane of those it is. */
hd_val hd_max_pool3d_index_at(hd_loc at, const hd_pool3d_args *a) {
    if (places_of(at, a->x, "max_pool3d_index") != 3) return failed(a->x);
    const hd_dims x = hd_val_dims(a->x);
    const int64_t size = a->output_size[0];
    const hd_pool2d_args planes = {
        .x = hd_reshape_to(at, a->x, HD_DIMS(x.dim[0], x.dim[1] * x.dim[2], x.dim[3], x.dim[4])),
        .kernel_size = {a->kernel_size[1], a->kernel_size[2]},
        .stride = {a->stride[1], a->stride[2]},
        .padding = {a->padding[1], a->padding[2]},
        .dilation = {a->dilation[1], a->dilation[2]},
        .output_size = {a->output_size[1], a->output_size[2]},
        .ceil_mode = a->ceil_mode};
    const hd_val largest = hd_max_pool2d_at(at, &planes), place = hd_max_pool2d_index_at(at, &planes);
    if (!hd_build_ready(largest) || !hd_build_ready(place)) return failed(a->x);
    const hd_dims y = hd_val_dims(largest);
    const int64_t area = y.dim[2] * y.dim[3];
    const hd_dims columns = HD_DIMS(x.dim[0], x.dim[1], x.dim[2], area);
    const hd_pool2d_args deep = {.x = hd_reshape_to(at, largest, columns),
                                 .kernel_size = {a->kernel_size[0], size ? 0 : 1},
                                 .stride = {a->stride[0], size ? 0 : 1},
                                 .padding = {a->padding[0], 0},
                                 .dilation = {a->dilation[0], 1},
                                 .output_size = {size, size ? area : 0},
                                 .ceil_mode = a->ceil_mode};
    const hd_val which = hd_max_pool2d_index_at(at, &deep);
    if (!hd_build_ready(which)) return failed(a->x);
    const hd_val plane = multiples(at, a->x, HD_DIMS(x.dim[2], 1), x.dim[3] * x.dim[4]);
    const hd_val all = hd_add_at(at, &(hd_binary_args){.a = hd_reshape_to(at, place, columns), .b = plane});
    const int64_t out = hd_val_dims(which).dim[2];
    const hd_val picked =
        hd_gather_at(at, &(hd_gather_args){.x = hd_reshape_to(at, all, HD_DIMS(x.dim[0], x.dim[1], x.dim[2] * area)),
                                           .index = hd_reshape_to(at, which, HD_DIMS(x.dim[0], x.dim[1], out * area)),
                                           .axis = -1});
    return hd_reshape_to(at, picked, HD_DIMS(x.dim[0], x.dim[1], out, y.dim[2], y.dim[3]));
}

/* ---- products, norms, distances ---- */

hd_val hd_bilinear_at(hd_loc at, const hd_bilinear_args *a) {
    if (!hd_build_ready(a->a) || !hd_build_ready(a->b) || !hd_build_ready(a->w)) return failed(a->a);
    const hd_dims p = hd_val_dims(a->a), q = hd_val_dims(a->b), w = hd_val_dims(a->w);
    bool fits = p.rank >= 1 && q.rank == p.rank && w.rank == 3;
    for (int i = 0; i + 1 < p.rank && fits; i++) fits = p.dim[i] == q.dim[i];
    for (int i = 0; i < 3 && fits; i++) fits = w.dim[i] > 0 && w.dim[i] < HD_MAX_WINDOW;
    if (!fits || p.dim[p.rank - 1] != w.dim[1] || q.dim[q.rank - 1] != w.dim[2])
        return hd_build_refuse(a->a, at, "bilinear", "a [..., i], b [..., j] and weight [o, i, j] do not go together");
    const int64_t o = w.dim[0], i = w.dim[1], j = w.dim[2];
    const hd_val turned = hd_transpose_at(at, &(hd_transpose_args){.x = a->w, .axes = HD_DIMS(1, 0, 2)});
    const hd_val product = hd_matmul_at(at, &(hd_matmul_args){.a = hd_reshape_to(at, a->a, HD_DIMS(0, i)),
                                                              .b = hd_reshape_to(at, turned, HD_DIMS(i, o * j))});
    const hd_val t = hd_reshape_to(at, product, HD_DIMS(0, o, j));
    const hd_val each = hd_mul_at(at, &(hd_binary_args){.a = t, .b = hd_reshape_to(at, a->b, HD_DIMS(0, 1, j))});
    hd_val y = hd_sum_at(at, &(hd_reduce_args){.x = each, .axes = HD_DIMS(2)});
    if (!hd_val_is_none(a->bias)) y = hd_add_at(at, &(hd_binary_args){.a = y, .b = a->bias});
    hd_dims to = p;
    to.dim[p.rank - 1] = o;
    return hd_reshape_to(at, y, to);
}

hd_val hd_normalize_at(hd_loc at, const hd_normalize_args *a) {
    if (!hd_build_ready(a->x)) return a->x;
    const int axis = hd_build_axis(a->x, at, "normalize", a->axis ? a->axis : HD_AXIS(1), 0);
    if (axis < 0) return failed(a->x);
    const double eps = a->eps == 0 && !signbit(a->eps) ? 1e-12 : a->eps;
    const hd_val length = hd_norm_at(at, &(hd_norm_args){.x = a->x, .axes = HD_DIMS(axis), .keepdim = true, .p = a->p});
    const hd_val least = hd_clamp_at(at, &(hd_clamp_args){.x = length, .min = eps});
    return hd_div_at(at, &(hd_binary_args){.a = a->x, .b = least});
}

enum { PDIST_MOST = 4096 }; /* rows: the pairs lie in the graph as constants */

hd_val hd_pdist_at(hd_loc at, const hd_pdist_args *a) {
    if (!hd_build_ready(a->x)) return a->x;
    const hd_dims d = hd_val_dims(a->x);
    if (d.rank != 2 || d.dim[0] < 0 || d.dim[0] > PDIST_MOST)
        return hd_build_refuse(a->x, at, "pdist", "x must be [n, m], n a number up to %d", PDIST_MOST);
    hd_context *ctx = hd_graph_context(a->x.graph);
    const int64_t n = d.dim[0], pairs = n * (n - 1) / 2;
    int64_t *index = hd_alloc_n(ctx, (size_t)pairs + 1, 2 * sizeof *index), k = 0;
    if (!index) {
        hd_graph_fail(a->x.graph, HD_E_MEMORY, "pdist|no memory for the pairs|");
        return failed(a->x);
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++, k++) index[k] = i, index[pairs + k] = j;
    hd_val side[2];
    for (int i = 0; i < 2; i++) {
        const hd_val rows = hd_const_at(at, a->x.graph, HD_I64, HD_DIMS(pairs), index + i * pairs);
        side[i] = hd_index_select_at(at, &(hd_index_select_args){.x = a->x, .index = rows});
    }
    hd_free(ctx, index);
    return hd_pairwise_distance_at(
        at, &(hd_pairwise_distance_args){.x1 = side[0], .x2 = side[1], .p = a->p, .eps = HD_ZERO});
}

hd_val hd_channel_shuffle_at(hd_loc at, const hd_channel_shuffle_args *a) {
    if (!hd_build_ready(a->x)) return a->x;
    const hd_dims d = hd_val_dims(a->x);
    const int64_t groups = a->groups ? a->groups : 1;
    char text[192];
    hd_dims rest = d;
    if (d.rank >= 2)
        for (int i = 0; i < 2; i++) rest.dim[i] = 1;
    bool batch = true;
    const int64_t inner = hd_count_without_batch(&rest, &batch);
    if (d.rank < 2 || batch || inner < 1 || d.dim[1] < 0 || groups < 1 || d.dim[1] % groups)
        return hd_build_refuse(a->x, at, "channel_shuffle", "the channels of x %s can not be divided into %lld groups",
                               hd_dims_text(text, &d), (long long)groups);
    const hd_val apart = hd_reshape_to(at, a->x, HD_DIMS(d.dim[0], groups, d.dim[1] / groups, inner));
    return hd_reshape_to(at, hd_transpose_at(at, &(hd_transpose_args){.x = apart, .axes = HD_DIMS(0, 2, 1, 3)}), d);
}
