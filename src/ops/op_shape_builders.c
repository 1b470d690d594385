/* op_shape_builders.c: builders that are other ops put together: axes added, taken out, moved; parts and joins; small
 * products. What they make is printed, differentiated and run as those ops. */
#include "ops/shape_kit.h"

/* Axes in builders default to the first. */
static int64_t or_first(int64_t coded) {
    return coded == 0 ? HD_AXIS(0) : coded;
}

/* ---- axes of size 1 ---- */

static hd_dims with_axis(const hd_dims *x, int axis) {
    hd_dims y = {.rank = x->rank + 1};
    for (int i = 0, k = 0; i < y.rank; i++) y.dim[i] = i == axis ? 1 : x->dim[k++];
    return y;
}

hd_val hd_unsqueeze_at(hd_loc at, const hd_axis_args *a) {
    char text[192];
    const hd_dims dims = hd_val_dims(a->x);
    if (!hd_build_ready(a->x)) return a->x;
    if (dims.rank == HD_MAX_DIMS)
        return hd_build_refuse(a->x, at, "unsqueeze", "x %s has no room for one more axis", hd_dims_text(text, &dims));
    const int axis = hd_build_axis(a->x, at, "unsqueeze", or_first(a->axis), 1);
    return axis < 0 ? (hd_val){a->x.graph, -1} : hd_reshape_to(at, a->x, with_axis(&dims, axis));
}

hd_val hd_squeeze_at(hd_loc at, const hd_squeeze_args *a) {
    const hd_dims x = hd_val_dims(a->x);
    unsigned named = a->axes.rank ? 0 : (1u << HD_MAX_DIMS) - 1;
    if (!hd_build_ready(a->x)) return a->x;
    for (int i = 0; i < a->axes.rank; i++) {
        const int axis = hd_build_axis(a->x, at, "squeeze", HD_AXIS(a->axes.dim[i]), 0);
        if (axis < 0) return (hd_val){a->x.graph, -1};
        named |= 1u << axis;
    }
    hd_dims y = {0};
    for (int i = 0; i < x.rank; i++)
        if (x.dim[i] != 1 || !(named >> i & 1)) y.dim[y.rank++] = x.dim[i];
    return hd_reshape_to(at, a->x, y);
}

/* ---- parts ---- */

static hd_val part_of(hd_loc at, hd_val x, int axis, int64_t start, int64_t count) {
    const int64_t size = hd_val_dims(x).dim[axis];
    if (count == 0) start = size; /* a stop of 0 is the end: nothing lies behind that */
    return hd_slice_at(at, &(hd_slice_args){.x = x, .axis = HD_AXIS(axis), .start = start, .stop = start + count});
}

/* Without an axis of size 1. */
static hd_val without_axis(hd_loc at, hd_val x, int axis) {
    hd_dims dims = hd_val_dims(x);
    if (!hd_build_ready(x)) return x;
    for (int i = axis; i + 1 < dims.rank; i++) dims.dim[i] = dims.dim[i + 1];
    dims.rank--;
    return hd_reshape_to(at, x, dims);
}

hd_val hd_select_at(hd_loc at, const hd_select_args *a) {
    char text[192];
    if (!hd_build_ready(a->x)) return a->x;
    const hd_dims dims = hd_val_dims(a->x);
    const int axis = hd_build_axis(a->x, at, "select", or_first(a->axis), 0);
    if (axis < 0) return (hd_val){a->x.graph, -1};
    const int64_t size = dims.dim[axis], index = a->index < 0 ? a->index + size : a->index;
    if (size < 0 || index < 0 || index >= size)
        return hd_build_refuse(a->x, at, "select", "axis %d of x %s has no element %lld", axis,
                               hd_dims_text(text, &dims), (long long)a->index);
    return without_axis(at, part_of(at, a->x, axis, index, 1), axis);
}

/* The axis to cut, or -1 and a refusal. */
static int axis_to_cut(hd_loc at, const hd_parts_args *a, const char *name) {
    char text[192];
    if (!hd_build_ready(a->x)) return -1;
    const hd_dims dims = hd_val_dims(a->x);
    const int axis = hd_build_axis(a->x, at, name, or_first(a->axis), 0);
    if (axis < 0) return -1;
    if (dims.dim[axis] >= 0 && a->n > 0) return axis;
    if (a->n > 0)
        (void)hd_build_refuse(a->x, at, name, "the batch of x %s can not be cut", hd_dims_text(text, &dims));
    else
        (void)hd_build_refuse(a->x, at, name, "n must be 1 or more, it is %lld", (long long)a->n);
    return -1;
}

int64_t hd_split_into(hd_loc at, const hd_parts_args *a) {
    const int axis = axis_to_cut(at, a, "split");
    if (axis < 0) return 0;
    const int64_t size = hd_val_dims(a->x).dim[axis];
    int64_t left = size;
    for (int64_t i = 0; i < a->n && left >= 0; i++) {
        const int64_t part = a->sizes ? a->sizes[i] : size / a->n;
        left = part < 0 || part > left ? -1 : left - part;
    }
    if (left != 0) {
        (void)hd_build_refuse(a->x, at, "split", "the parts must add up to the %lld elements of axis %d",
                              (long long)size, axis);
        return 0;
    }
    for (int64_t i = 0, start = 0; i < a->n; i++) {
        const int64_t part = a->sizes ? a->sizes[i] : size / a->n;
        a->out[i] = part_of(at, a->x, axis, start, part);
        start += part;
    }
    return hd_graph_status(a->x.graph) == HD_OK ? a->n : 0;
}

int64_t hd_chunk_into(hd_loc at, const hd_parts_args *a) {
    const int axis = axis_to_cut(at, a, "chunk");
    if (axis < 0) return 0;
    const int64_t size = hd_val_dims(a->x).dim[axis], part = size / a->n + (size % a->n != 0);
    int64_t n = 0;
    for (int64_t start = 0; n < a->n && (start < size || size == 0); start += part, n++)
        a->out[n] = part_of(at, a->x, axis, start, start + part > size ? size - start : part);
    return hd_graph_status(a->x.graph) == HD_OK ? n : 0;
}

int64_t hd_unbind_into(hd_loc at, const hd_parts_args *a) {
    const int axis = axis_to_cut(at, a, "unbind");
    if (axis < 0) return 0;
    const int64_t size = hd_val_dims(a->x).dim[axis];
    if (a->n != size) {
        (void)hd_build_refuse(a->x, at, "unbind", "axis %d has %lld elements, there is room for %lld", axis,
                              (long long)size, (long long)a->n);
        return 0;
    }
    for (int64_t i = 0; i < size; i++) a->out[i] = without_axis(at, part_of(at, a->x, axis, i, 1), axis);
    return hd_graph_status(a->x.graph) == HD_OK ? size : 0;
}

/* ---- joins ---- */

hd_val hd_stack_at(hd_loc at, const hd_stack_args *a) {
    enum { FEW = 64 };
    hd_val few[FEW], whole = {0};
    if (!a->x || a->n < 1) return (hd_val){0};
    const int64_t axis = or_first(a->axis);
    for (int64_t i = 0; i < a->n;) { /* a few at a time: no memory of its own */
        int n = 0;
        if (!hd_val_is_none(whole)) few[n++] = whole;
        for (; n < FEW && i < a->n; n++, i++) {
            few[n] = hd_unsqueeze_at(at, &(hd_axis_args){.x = a->x[i], .axis = axis});
            if (!hd_build_ready(few[n])) return (hd_val){few[n].graph, -1};
        }
        whole = hd_concat_at(at, &(hd_concat_args){.x = few, .n = n, .axis = axis});
        if (!hd_build_ready(whole)) return whole;
    }
    return whole;
}

/* ---- copies ---- */

hd_val hd_repeat_interleave_at(hd_loc at, const hd_repeat_interleave_args *a) {
    char text[192];
    if (!hd_build_ready(a->x)) return a->x;
    const hd_dims dims = hd_val_dims(a->x);
    const int axis = hd_build_axis(a->x, at, "repeat_interleave", or_first(a->axis), 0);
    if (axis < 0) return (hd_val){a->x.graph, -1};
    if (dims.dim[axis] < 0 || dims.dim[axis] > INT64_MAX / HD_MAX_WINDOW || a->repeats < 0 ||
        a->repeats > HD_MAX_WINDOW || dims.rank == HD_MAX_DIMS)
        return hd_build_refuse(a->x, at, "repeat_interleave", "axis %d of x %s can not be repeated %lld times", axis,
                               hd_dims_text(text, &dims), (long long)a->repeats);
    hd_dims wide = with_axis(&dims, axis + 1), y = dims;
    const hd_val apart = hd_reshape_to(at, a->x, wide);
    wide.dim[axis + 1] = a->repeats;
    y.dim[axis] *= a->repeats;
    return hd_reshape_to(at, hd_expand_at(at, &(hd_expand_args){.x = apart, .dims = wide}), y);
}

hd_val hd_tile_at(hd_loc at, const hd_repeat_args *args) {
    hd_repeat_args a = *args;
    const int fewer = hd_val_dims(a.x).rank - a.repeats.rank;
    if (fewer > 0) {
        memmove(a.repeats.dim + fewer, a.repeats.dim, (size_t)a.repeats.rank * sizeof *a.repeats.dim);
        for (int i = 0; i < fewer; i++) a.repeats.dim[i] = 1;
        a.repeats.rank += fewer;
    }
    return hd_repeat_at(at, &a);
}

/* ---- axes in another order ---- */

hd_val hd_movedim_at(hd_loc at, const hd_movedim_args *a) {
    if (!hd_build_ready(a->x)) return a->x;
    const int rank = hd_val_dims(a->x).rank;
    hd_dims order = {.rank = rank};
    unsigned from = 0, to = 0;
    if (a->source.rank != a->destination.rank)
        return hd_build_refuse(a->x, at, "movedim", "source and destination must name equally many axes");
    for (int i = 0; i < a->source.rank; i++) {
        const int s = hd_build_axis(a->x, at, "movedim", HD_AXIS(a->source.dim[i]), 0);
        const int d = hd_build_axis(a->x, at, "movedim", HD_AXIS(a->destination.dim[i]), 0);
        if (s < 0 || d < 0) return (hd_val){a->x.graph, -1};
        if ((from >> s & 1) || (to >> d & 1)) return hd_build_refuse(a->x, at, "movedim", "an axis is named twice");
        from |= 1u << s;
        to |= 1u << d;
        order.dim[d] = s;
    }
    for (int d = 0, s = 0; d < rank; d++) {
        if (to >> d & 1) continue;
        while (from >> s & 1) s++;
        order.dim[d] = s++;
    }
    return rank ? hd_transpose_at(at, &(hd_transpose_args){.x = a->x, .axes = order}) : a->x;
}

hd_val hd_rot90_at(hd_loc at, const hd_rot90_args *a) {
    if (!hd_build_ready(a->x)) return a->x;
    hd_dims order = {.rank = hd_val_dims(a->x).rank};
    const int64_t turns = a->k == 0 ? 1 : (a->k % 4 + 4) % 4;
    if (a->axes.rank != 0 && a->axes.rank != 2)
        return hd_build_refuse(a->x, at, "rot90", "axes must name two axes, they name %d", a->axes.rank);
    const hd_dims axes = a->axes.rank ? a->axes : HD_DIMS(0, 1);
    const int i = hd_build_axis(a->x, at, "rot90", HD_AXIS(axes.dim[0]), 0);
    const int j = hd_build_axis(a->x, at, "rot90", HD_AXIS(axes.dim[1]), 0);
    if (i < 0 || j < 0) return (hd_val){a->x.graph, -1};
    if (i == j) return hd_build_refuse(a->x, at, "rot90", "axes must name two different axes");
    if (turns == 0) return a->x;
    if (turns == 2) return hd_flip_at(at, &(hd_flip_args){.x = a->x, .axes = HD_DIMS(i, j)});
    for (int d = 0; d < order.rank; d++) order.dim[d] = d == i ? j : d == j ? i : d;
    const hd_val turned = hd_transpose_at(at, &(hd_transpose_args){.x = a->x, .axes = order});
    return hd_flip_at(at, &(hd_flip_args){.x = turned, .axes = HD_DIMS(turns == 1 ? i : j)});
}

/* ---- products of vectors, diagonals ---- */

/* Both are there and vectors; else none or a refusal. */
static bool two_vectors(hd_loc at, const hd_binary_args *args, const char *name) {
    char a[192], b[192];
    if (!hd_build_ready(args->a) || !hd_build_ready(args->b)) return false;
    const hd_dims da = hd_val_dims(args->a), db = hd_val_dims(args->b);
    if (da.rank == 1 && db.rank == 1) return true;
    (void)hd_build_refuse(args->a, at, name, "a %s and b %s must be vectors", hd_dims_text(a, &da),
                          hd_dims_text(b, &db));
    return false;
}

hd_val hd_outer_at(hd_loc at, const hd_binary_args *args) {
    if (!two_vectors(at, args, "outer")) return (hd_val){args->a.graph, -1};
    const hd_val a = hd_reshape_to(at, args->a, HD_DIMS(hd_val_dims(args->a).dim[0], 1));
    return hd_mul_at(at, &(hd_binary_args){.a = a, .b = args->b});
}

hd_val hd_dot_at(hd_loc at, const hd_binary_args *args) {
    if (!two_vectors(at, args, "dot")) return (hd_val){args->a.graph, -1};
    return hd_matmul_at(at, &(hd_matmul_args){.a = args->a, .b = args->b});
}

hd_val hd_diag_at(hd_loc at, const hd_diagonal_args *a) {
    char text[192];
    if (!hd_build_ready(a->x)) return a->x;
    const hd_dims dims = hd_val_dims(a->x);
    const hd_diagonal_args args = {.x = a->x, .offset = a->offset};
    if (dims.rank == 1) return hd_diag_embed_at(at, &args);
    if (dims.rank == 2) return hd_diagonal_at(at, &args);
    return hd_build_refuse(a->x, at, "diag", "x %s must be a vector or a matrix", hd_dims_text(text, &dims));
}

/* ---- pictures ---- */

/* [..., c·r², h, w] as [n, c, r, r, h, w], its axes in another order, and joined again; or back. */
static hd_val shuffle(hd_loc at, const hd_pixel_shuffle_args *a, bool back, const char *name) {
    char text[192];
    if (!hd_build_ready(a->x)) return a->x;
    hd_dims y = hd_val_dims(a->x), outer = y;
    const int64_t r = a->factor;
    bool fits = y.rank >= 3 && r >= 1 && r <= 1 << 15;
    const int64_t *last = &y.dim[fits ? y.rank - 3 : 0];
    for (int i = 0; i < 3; i++) fits = fits && last[i] >= 0 && last[i] <= INT64_MAX / HD_MAX_WINDOW;
    if (!fits || (back ? last[1] % r || last[2] % r : last[0] % (r * r)))
        return hd_build_refuse(a->x, at, name, "pictures [..., c, h, w] %s do not divide by a factor of %lld",
                               hd_dims_text(text, &y), (long long)r);
    const int64_t c = last[0], h = last[1], w = last[2];
    bool batch;
    outer.rank -= 3;
    const int64_t count = hd_count_without_batch(&outer, &batch), n = batch ? HD_BATCH : count;
    const hd_dims apart = back ? HD_DIMS(n, c, h / r, r, w / r, r) : HD_DIMS(n, c / (r * r), r, r, h, w);
    const hd_dims order = back ? HD_DIMS(0, 1, 3, 5, 2, 4) : HD_DIMS(0, 1, 4, 2, 5, 3);
    y.dim[y.rank - 3] = back ? c * r * r : c / (r * r);
    y.dim[y.rank - 2] = back ? h / r : h * r;
    y.dim[y.rank - 1] = back ? w / r : w * r;
    const hd_val moved = hd_transpose_at(at, &(hd_transpose_args){.x = hd_reshape_to(at, a->x, apart), .axes = order});
    return hd_reshape_to(at, moved, y);
}

hd_val hd_pixel_shuffle_at(hd_loc at, const hd_pixel_shuffle_args *a) {
    return shuffle(at, a, false, "pixel_shuffle");
}

hd_val hd_pixel_unshuffle_at(hd_loc at, const hd_pixel_shuffle_args *a) {
    return shuffle(at, a, true, "pixel_unshuffle");
}
