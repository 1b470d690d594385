/* calls_linalg.c: products of vectors and matrices that are made of several ops; patterns of several tensors. */
#include "call_kit.h"
#include <math.h>

/* ---- cross products ---- */

static void cross(vector_case *c, hd_val a, hd_val b, int axis) {
    hd_dims both;
    const hd_dims da = hd_val_dims(a), db = hd_val_dims(b);
    if (!hd_dims_broadcast(&both, &da, &db) || kit_size(a, axis) != 3 || da.rank != db.rank)
        vector_unsupported(c, "a cross product of those shapes");
    if (c->why[0]) return;
    hd_val y[3], p[3], q[3];
    a = kit_expand(a, both);
    b = kit_expand(b, both);
    for (int i = 0; i < 3; i++) p[i] = kit_slice(a, axis, i, i + 1), q[i] = kit_slice(b, axis, i, i + 1);
    for (int i = 0; i < 3; i++) {
        const int j = (i + 1) % 3, k = (i + 2) % 3;
        y[i] = hd_sub(hd_mul(p[j], q[k]), hd_mul(p[k], q[j]));
    }
    vector_give(c, hd_concat(y, 3, .axis = HD_AXIS(axis)));
}

static void call_linalg_cross(vector_case *c) {
    const hd_val a = vector_tensor(c, 0, "input"), b = vector_tensor(c, 1, "other");
    cross(c, a, b, vector_axis(c, 2, "dim", hd_val_dims(a).rank, -1));
}

/* torch.cross: the first axis of size 3 when none is given. */
static void call_cross(vector_case *c) {
    const hd_val a = vector_tensor(c, 0, "input"), b = vector_tensor(c, 1, "other");
    const int rank = hd_val_dims(a).rank;
    int axis = 0;
    while (axis + 1 < rank && kit_size(a, axis) != 3) axis++;
    cross(c, a, b, vector_axis(c, 2, "dim", rank, axis));
}

/* ---- products of several matrices ---- */

static void call_matrix_power(vector_case *c) {
    hd_val x = vector_tensor(c, 0, "input"), y = {0};
    int64_t n = vector_int(c, 1, "n", 0);
    const hd_dims d = hd_val_dims(x);
    if (n < 0) vector_unsupported(c, "an inverse");
    if (d.rank < 2 || d.dim[d.rank - 1] != d.dim[d.rank - 2]) vector_unsupported(c, "no square matrix");
    if (c->why[0]) return;
    if (n == 0) {
        const int64_t size = d.dim[d.rank - 1], count = hd_dims_count(&d);
        double *eye = hd_arena_alloc_n(c->arena, (size_t)count + 1, sizeof *eye);
        for (int64_t i = 0; i < count && eye; i++) eye[i] = i % (size * size) % (size + 1) == 0;
        vector_give(c, vector_const(c, hd_val_dtype(x), d, eye));
        return;
    }
    for (; n > 0; n /= 2) {
        if (n % 2) y = hd_val_is_none(y) ? x : hd_matmul(y, x);
        if (n > 1) x = hd_matmul(x, x);
    }
    vector_give(c, y);
}

static void call_bilinear(vector_case *c) {
    const hd_val p = vector_tensor(c, 0, "input1"), q = vector_tensor(c, 1, "input2"),
                 w = vector_tensor(c, 2, "weight"), b = vector_tensor_if(c, 3, "bias");
    vector_give(c, hd_bilinear(p, q, w, b));
}

/* softmax(q kᵀ / √d) v and the softmax itself; causal: a place sees itself and those before it. */
static void call_attention(vector_case *c) {
    const hd_val q = vector_tensor(c, 0, "query"), k = vector_tensor(c, 1, "key"), v = vector_tensor(c, 2, "value"),
                 mask = vector_tensor_if(c, 3, "attn_mask");
    vector_only(c, 4, "dropout_p", 0);
    vector_ignore(c, 5, "need_attn_weights"); /* they are given in any case */
    const bool causal = vector_bool(c, 6, "is_causal", false);
    const hd_dims dq = hd_val_dims(q), dk = hd_val_dims(k);
    if (dq.rank < 3 || dk.rank != dq.rank || !hd_val_is_none(mask)) vector_unsupported(c, "that attention");
    if (c->why[0]) return;
    const int64_t rows = dq.dim[dq.rank - 2], columns = dk.dim[dk.rank - 2];
    hd_val score = kit_scale(hd_matmul(q, k, .trans_b = true), 1 / sqrt((double)dq.dim[dq.rank - 1]));
    if (causal) {
        double *add = hd_arena_alloc_n(c->arena, (size_t)(rows * columns) + 1, sizeof *add);
        for (int64_t i = 0; i < rows * columns && add; i++) add[i] = i % columns > i / columns ? -INFINITY : 0;
        if (add) score = hd_add(score, vector_const(c, hd_val_dtype(q), HD_DIMS(rows, columns), add));
    }
    const hd_val weights = hd_softmax(score);
    vector_give(c, hd_scaled_dot_product_attention(q, k, v, .is_causal = causal)); /* which makes no weights */
    vector_give(c, weights);
}

/* Powers 0 … N−1 of each element on a new last axis. */
static void call_vander(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "x");
    const int rank = hd_val_dims(x).rank;
    const int64_t n = vector_int(c, -1, "N", rank ? kit_size(x, rank - 1) : 1);
    hd_val power[VECTOR_MOST];
    if (n < 1 || n > VECTOR_MOST) vector_unsupported(c, "that many powers");
    if (c->why[0]) return;
    const hd_val column = rank ? kit_insert(x, rank, 1) : kit_reshape(x, HD_DIMS(1, 1));
    power[0] = hd_fill_like(column, .value = 1);
    for (int64_t i = 1; i < n; i++) power[i] = i == 1 ? column : hd_mul(power[i - 1], column);
    vector_give(c, hd_concat(power, n, .axis = -1));
}

/* ---- patterns ---- */

static int positional_tensors(vector_case *c, hd_val *x) {
    const int n = vector_count(c);
    for (int i = 0; i < n && i < VECTOR_MOST; i++) x[i] = vector_tensor(c, i, NULL);
    return n < VECTOR_MOST ? n : VECTOR_MOST;
}

static void call_broadcast_tensors(vector_case *c) {
    hd_val x[VECTOR_MOST];
    const int n = positional_tensors(c, x);
    hd_dims both = {0};
    for (int i = 0; i < n && !c->why[0]; i++) {
        const hd_dims d = hd_val_dims(x[i]), before = both;
        if (!hd_dims_broadcast(&both, &before, &d)) vector_unsupported(c, "shapes that do not go together");
    }
    for (int i = 0; i < n && !c->why[0]; i++) vector_give(c, kit_expand(x[i], both));
}

/* Every choice of one element from each vector, the last changing fastest. One vector: itself. */
static void call_cartesian_prod(vector_case *c) {
    hd_val x[VECTOR_MOST];
    const int n = positional_tensors(c, x);
    hd_dims grid = {.rank = n};
    if (n > HD_MAX_DIMS - 1 || n == 0) vector_unsupported(c, "that many vectors");
    for (int i = 0; i < n && !c->why[0]; i++) {
        if (hd_val_dims(x[i]).rank != 1) vector_unsupported(c, "something else than vectors");
        grid.dim[i] = kit_size(x[i], 0);
    }
    if (c->why[0]) return;
    if (n == 1) {
        vector_give(c, x[0]);
        return;
    }
    const int64_t count = hd_dims_count(&grid);
    for (int i = 0; i < n; i++) x[i] = kit_reshape(kit_expand(kit_vector(x[i], n, i), grid), HD_DIMS(count, 1));
    vector_give(c, hd_concat(x, n, .axis = HD_AXIS(1)));
}

/* Every choice of r elements of a vector, in lexicographic order; with replacement an element may stand again. */
static void call_combinations(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const int64_t n = kit_size(x, 0), r = vector_int(c, 1, "r", 2);
    const bool again = vector_bool(c, 2, "with_replacement", false);
    if (hd_val_dims(x).rank != 1 || r < 1 || r > 8 || n > 32) vector_unsupported(c, "that many choices");
    double *list = c->why[0] ? NULL : hd_arena_alloc_n(c->arena, 1 << 16, sizeof *list);
    int64_t pick[8], count = 0;
    if (!list) return;
    for (int64_t k = 0; k < r; k++) pick[k] = again ? 0 : k;
    while (n > 0 && pick[r - 1] < n) {
        for (int64_t k = 0; k < r; k++) list[count++] = (double)pick[k];
        int64_t k = r - 1;
        while (k > 0 && pick[k] >= n - (again ? 1 : r - k)) k--;
        pick[k]++;
        for (int64_t later = k + 1; later < r; later++) pick[later] = pick[later - 1] + (again ? 0 : 1);
        if (count > (1 << 16) - 8) vector_unsupported(c, "that many choices");
        if (c->why[0]) return;
    }
    const hd_val index = vector_const(c, HD_I64, HD_DIMS(count), list);
    vector_give(c, kit_reshape(hd_index_select(x, index, .axis = HD_AXIS(0)), HD_DIMS(count / r, r)));
}

const vector_entry vector_calls_linalg[] = {
    {"cross", call_cross},
    {"linalg.cross", call_linalg_cross},
    {"linalg.matrix_power", call_matrix_power},
    {"matrix_power", call_matrix_power},
    {"nn.functional.bilinear", call_bilinear},
    {"nn.functional._scaled_dot_product_attention", call_attention},
    {"linalg.vander", call_vander},
    {"broadcast_tensors", call_broadcast_tensors},
    {"combinations", call_combinations},
    {"cartesian_prod", call_cartesian_prod},
    {0},
};
