/* calls_shape.c: copies, joins, splits, rims, triangles, diagonals. */
#include "calls.h"
#include <string.h>

/* ---- repeated ---- */

static void call_expand(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    vector_give(c, hd_expand(x, .dims = vector_dims(c, 1, "size")));
}

static void call_expand_as(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input"), other = vector_tensor(c, 1, "other");
    vector_give(c, hd_expand(x, .dims = hd_val_dims(other)));
}

static void call_repeat(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    vector_give(c, hd_repeat(x, .repeats = vector_dims(c, 1, "repeats")));
}

static void call_tile(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    vector_give(c, hd_tile(x, .repeats = vector_dims(c, 1, "dims")));
}

static void call_repeat_interleave(vector_case *c) {
    hd_val x = vector_tensor(c, 0, "input");
    const hd_dims d = hd_val_dims(x);
    const bool flat = !vector_has(c, 2, "dim");
    const int axis = flat ? 0 : vector_axis(c, 2, "dim", d.rank, 0);
    if (flat) x = hd_reshape(x, .dims = HD_DIMS(hd_dims_count(&d)));
    vector_give(c, hd_repeat_interleave(x, .repeats = vector_int(c, 1, "repeats", 1), .axis = HD_AXIS(axis)));
}

/* ---- turned ---- */

static void call_flip(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const hd_dims axes = vector_axes(c, 1, "dims", hd_val_dims(x).rank);
    vector_give(c, axes.rank ? hd_flip(x, .axes = axes) : x);
}
static void call_fliplr(vector_case *c) {
    vector_give(c, hd_flip(vector_tensor(c, 0, "input"), .axes = HD_DIMS(1)));
}
static void call_flipud(vector_case *c) {
    vector_give(c, hd_flip(vector_tensor(c, 0, "input"), .axes = HD_DIMS(0)));
}

/* Without axes the elements row after row. */
static void call_roll(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const hd_dims d = hd_val_dims(x);
    int64_t list[2 * HD_MAX_DIMS];
    const int n = vector_ints(c, 1, "shifts", list, 0);
    const hd_dims axes = vector_axes(c, 2, "dims", d.rank);
    hd_dims shifts = {.rank = n < HD_MAX_DIMS ? n : HD_MAX_DIMS};
    memcpy(shifts.dim, list, (size_t)shifts.rank * sizeof *list);
    if (d.rank == 0) {
        vector_give(c, x);
    } else if (axes.rank) {
        vector_give(c, hd_roll(x, .shifts = shifts, .axes = axes));
    } else {
        const hd_val flat = hd_reshape(x, .dims = HD_DIMS(hd_dims_count(&d)));
        vector_give(c, hd_reshape_like(hd_roll(flat, .shifts = shifts, .axes = HD_DIMS(0)), x));
    }
}

static void call_rot90(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const int64_t k = vector_int(c, 1, "k", 1);
    hd_dims axes = vector_axes(c, 2, "dims", hd_val_dims(x).rank);
    vector_give(c, k % 4 == 0 ? x : hd_rot90(x, .k = k, .axes = axes));
}

/* ---- joined ---- */

static void call_cat(vector_case *c) {
    hd_val x[VECTOR_MOST];
    int n = 0, rank = 0;
    const int given = vector_tensors(c, 0, "tensors", x);
    for (int i = 0; i < given; i++) rank = hd_val_dims(x[i]).rank > rank ? hd_val_dims(x[i]).rank : rank;
    for (int i = 0; i < given; i++) { /* a vector without elements goes with everything */
        const hd_dims d = hd_val_dims(x[i]);
        if (rank == 1 || d.rank != 1 || d.dim[0] != 0) x[n++] = x[i];
    }
    vector_give(c, hd_concat(x, n, .axis = HD_AXIS(vector_axis(c, 1, "dim", rank, 0))));
}

static void call_stack(vector_case *c) {
    hd_val x[VECTOR_MOST];
    const int n = vector_tensors(c, 0, "tensors", x), rank = n ? hd_val_dims(x[0]).rank : 0;
    vector_give(c, hd_stack(x, n, .axis = HD_AXIS(vector_axis(c, 1, "dim", rank + 1, 0))));
}

/* Of at least `most` axes each, joined along the axis. */
static void join(vector_case *c, int most, bool columns, int axis) {
    hd_val x[VECTOR_MOST];
    const int n = vector_tensors(c, 0, "tensors", x);
    for (int i = 0; i < n; i++) {
        if (hd_val_dims(x[i]).rank == 0) x[i] = hd_unsqueeze(x[i]);
        if (most >= 2 && hd_val_dims(x[i]).rank == 1) x[i] = hd_unsqueeze(x[i], .axis = columns ? -1 : HD_AXIS(0));
        if (most >= 3 && hd_val_dims(x[i]).rank == 2) x[i] = hd_unsqueeze(x[i], .axis = -1);
    }
    vector_give(c, hd_concat(x, n, .axis = HD_AXIS(axis)));
}
static void call_hstack(vector_case *c) {
    const hd_json *list = vector_arg(c, 0, "tensors");
    const hd_val first = list && list->child ? vector_value(c, list->child) : (hd_val){0};
    join(c, 1, false, hd_val_dims(first).rank > 1);
}
static void call_vstack(vector_case *c) {
    join(c, 2, false, 0);
}
static void call_dstack(vector_case *c) {
    join(c, 3, false, 2);
}
static void call_column_stack(vector_case *c) {
    join(c, 2, true, 1);
}

/* Matrices along the diagonal of zeros. */
static void call_block_diag(vector_case *c) {
    hd_val y[VECTOR_MOST];
    int64_t columns = 0, before = 0;
    const int n = vector_count(c);
    for (int i = 0; i < n; i++) {
        y[i] = vector_tensor(c, i, NULL);
        while (!hd_val_is_none(y[i]) && hd_val_dims(y[i]).rank < 2) y[i] = hd_unsqueeze(y[i]);
        columns += hd_val_dims(y[i]).dim[1];
    }
    for (int i = 0; i < n; i++) {
        const int64_t own = hd_val_dims(y[i]).dim[1];
        y[i] = hd_pad(y[i], .before = HD_DIMS(0, before), .after = HD_DIMS(0, columns - before - own));
        before += own;
    }
    vector_give(c, hd_concat(y, n, .axis = HD_AXIS(0)));
}

/* ---- split ---- */

/* Parts of the sizes given, one result each. */
static void give_parts(vector_case *c, hd_val x, int axis, const int64_t *sizes, int n) {
    hd_val out[VECTOR_MOST];
    if (n > VECTOR_MOST) vector_unsupported(c, "more than %d parts", VECTOR_MOST);
    if (n > VECTOR_MOST) return;
    const int64_t made = hd_split_parts(x, out, n, sizes, .axis = HD_AXIS(axis));
    for (int64_t i = 0; i < made; i++) vector_give(c, out[i]);
}

/* split(x, 2) and split(x, [1, 3]). */
static void call_split(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "tensor");
    const hd_dims d = hd_val_dims(x);
    const int axis = vector_axis(c, 2, "dim", d.rank, 0);
    const hd_json *how = vector_arg(c, 1, "split_size_or_sections");
    int64_t sizes[VECTOR_MOST] = {0};
    int n = 0;
    if (how && how->type == HD_JSON_ARRAY) {
        for (const hd_json *v = how->child; v && n < VECTOR_MOST; v = v->next) sizes[n++] = v->integer;
    } else {
        const int64_t part = vector_int(c, 1, "split_size_or_sections", 1);
        for (int64_t left = d.dim[axis]; n < VECTOR_MOST && part > 0 && (left > 0 || n == 0); left -= part)
            sizes[n++] = left < part ? left : part;
    }
    give_parts(c, x, axis, sizes, n);
}

static void call_chunk(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const int axis = vector_axis(c, 2, "dim", hd_val_dims(x).rank, 0);
    const int64_t n = vector_int(c, 1, "chunks", 1);
    hd_val out[VECTOR_MOST];
    if (n > VECTOR_MOST) vector_unsupported(c, "more than %d parts", VECTOR_MOST);
    const int64_t made = n > VECTOR_MOST ? 0 : hd_chunk(x, out, n, .axis = HD_AXIS(axis));
    for (int64_t i = 0; i < made; i++) vector_give(c, out[i]);
}

/* n nearly equal parts, the larger ones first; or cut before the positions given. */
static void split_at(vector_case *c, hd_val x, int axis) {
    const int64_t size = hd_val_dims(x).dim[axis];
    const hd_json *how = vector_arg(c, 1, "indices_or_sections");
    int64_t sizes[VECTOR_MOST] = {0}, at = 0;
    int n = 0;
    if (how && how->type == HD_JSON_ARRAY) {
        for (const hd_json *v = how->child; v && n + 1 < VECTOR_MOST; v = v->next) {
            int64_t cut = v->integer < 0 ? v->integer + size : v->integer;
            cut = cut < at ? at : cut > size ? size : cut;
            sizes[n++] = cut - at;
            at = cut;
        }
        sizes[n++] = size - at;
    } else {
        const int64_t parts = vector_int(c, 1, "indices_or_sections", 1);
        for (; n < parts && n < VECTOR_MOST; n++) sizes[n] = size / parts + (n < size % parts);
    }
    give_parts(c, x, axis, sizes, n);
}
static void call_tensor_split(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    split_at(c, x, vector_axis(c, 2, "dim", hd_val_dims(x).rank, 0));
}
static void call_vsplit(vector_case *c) {
    split_at(c, vector_tensor(c, 0, "input"), 0);
}
static void call_hsplit(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    split_at(c, x, hd_val_dims(x).rank > 1);
}
static void call_dsplit(vector_case *c) {
    split_at(c, vector_tensor(c, 0, "input"), 2);
}

static void call_unbind(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const int axis = vector_axis(c, 1, "dim", hd_val_dims(x).rank, 0);
    const int64_t n = hd_val_dims(x).dim[axis];
    hd_val out[VECTOR_MOST];
    if (n > VECTOR_MOST) vector_unsupported(c, "more than %d parts", VECTOR_MOST);
    const int64_t made = n > VECTOR_MOST ? 0 : hd_unbind(x, out, n, .axis = HD_AXIS(axis));
    for (int64_t i = 0; i < made; i++) vector_give(c, out[i]);
}

/* ---- rims ---- */

/* PyTorch names the rims from the last axis on. `at`: position of the value. */
static void pad(vector_case *c, int64_t mode, int at) {
    hd_pad_args a = {.x = vector_tensor(c, 0, "input"), .mode = mode};
    int64_t rim[2 * HD_MAX_DIMS];
    const int n = vector_ints(c, 1, "pad", rim, 0), rank = a.before.rank = a.after.rank = hd_val_dims(a.x).rank;
    if (mode == HD_PAD_CONSTANT)
        a.value = vector_number(c, at, "value", 0);
    else
        vector_ignore(c, at, "value");
    if (n > 2 * rank) vector_unsupported(c, "more rims than axes");
    for (int i = 0; i < n && n <= 2 * rank; i++) (i & 1 ? &a.after : &a.before)->dim[rank - 1 - i / 2] = rim[i];
    vector_give(c, hd_pad_at(HD_HERE, &a));
}
#define PAD(name, mode)                                                                                                \
    static void call_pad_##name(vector_case *c) {                                                                      \
        vector_ignore(c, 2, "mode");                                                                                   \
        pad(c, mode, 3);                                                                                               \
    }
PAD(constant, HD_PAD_CONSTANT)
PAD(reflect, HD_PAD_REFLECT)
PAD(replicate, HD_PAD_REPLICATE)
PAD(circular, HD_PAD_CIRCULAR)
static void call_constant_pad(vector_case *c) {
    pad(c, HD_PAD_CONSTANT, 2);
}

/* ---- triangles and diagonals ---- */

static void call_tril(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    vector_give(c, hd_tril(x, .diagonal = vector_int(c, 1, "diagonal", 0)));
}
static void call_triu(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    vector_give(c, hd_triu(x, .diagonal = vector_int(c, 1, "diagonal", 0)));
}

static void call_diag(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    vector_give(c, hd_diag(x, .offset = vector_int(c, 1, "diagonal", 0)));
}

static void call_diag_embed(vector_case *c) {
    hd_diagonal_args a = {.x = vector_tensor(c, 0, "input"), .offset = vector_int(c, 1, "offset", 0)};
    const int rank = hd_val_dims(a.x).rank + 1;
    a.axis1 = HD_AXIS(vector_axis(c, 2, "dim1", rank, -2));
    a.axis2 = HD_AXIS(vector_axis(c, 3, "dim2", rank, -1));
    vector_give(c, hd_diag_embed_at(HD_HERE, &a));
}

static void call_diagflat(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const hd_dims d = hd_val_dims(x);
    vector_give(c, hd_diag(hd_reshape(x, .dims = HD_DIMS(hd_dims_count(&d))), .offset = vector_int(c, 1, "offset", 0)));
}

/* ---- pixels ---- */

static void call_pixel_shuffle(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    vector_give(c, hd_pixel_shuffle(x, .factor = vector_int(c, 1, "upscale_factor", 1)));
}
static void call_pixel_unshuffle(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    vector_give(c, hd_pixel_unshuffle(x, .factor = vector_int(c, 1, "downscale_factor", 1)));
}

const vector_entry vector_calls_shape[] = {
    {"expand", call_expand},
    {"expand_copy", call_expand},
    {"broadcast_to", call_expand},
    {"expand_as", call_expand_as},
    {"repeat", call_repeat},
    {"tile", call_tile},
    {"repeat_interleave", call_repeat_interleave},
    {"flip", call_flip},
    {"fliplr", call_fliplr},
    {"flipud", call_flipud},
    {"roll", call_roll},
    {"rot90", call_rot90},
    {"cat", call_cat},
    {"concat", call_cat},
    {"concatenate", call_cat},
    {"stack", call_stack},
    {"hstack", call_hstack},
    {"vstack", call_vstack},
    {"row_stack", call_vstack},
    {"dstack", call_dstack},
    {"column_stack", call_column_stack},
    {"block_diag", call_block_diag},
    {"split", call_split},
    {"split.list_args", call_split},
    {"split_with_sizes", call_split},
    {"unsafe_split", call_split},
    {"chunk", call_chunk},
    {"unsafe_chunk", call_chunk},
    {"tensor_split", call_tensor_split},
    {"vsplit", call_vsplit},
    {"hsplit", call_hsplit},
    {"dsplit", call_dsplit},
    {"unbind", call_unbind},
    {"nn.functional.pad.constant", call_pad_constant},
    {"nn.functional.pad.reflect", call_pad_reflect},
    {"nn.functional.pad.replicate", call_pad_replicate},
    {"nn.functional.pad.circular", call_pad_circular},
    {"constant_pad_nd", call_constant_pad},
    {"tril", call_tril},
    {"triu", call_triu},
    {"diag", call_diag},
    {"diag_embed", call_diag_embed},
    {"diagflat", call_diagflat},
    {"nn.functional.pixel_shuffle", call_pixel_shuffle},
    {"nn.functional.pixel_unshuffle", call_pixel_unshuffle},
    {0},
};
