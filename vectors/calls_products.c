/* calls_products.c: products of matrices and vectors. */
#include "calls.h"

static void call_matmul(vector_case *c) {
    const hd_val a = vector_tensor(c, 0, "input"), b = vector_tensor(c, 1, "other");
    vector_give(c, hd_matmul(a, b));
}

static void call_rmatmul(vector_case *c) {
    const hd_val a = vector_tensor(c, 0, "input"), b = vector_tensor(c, 1, "other");
    vector_give(c, hd_matmul(b, a));
}

static void call_linear(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input"), w = vector_tensor(c, 1, "weight");
    if (hd_val_dims(w).rank != 2) vector_unsupported(c, "a weight that is no matrix");
    vector_give(c, hd_linear(x, w, vector_tensor_if(c, 2, "bias")));
}

static void call_dot(vector_case *c) {
    const hd_val a = vector_tensor(c, 0, "input"), b = vector_tensor(c, 1, "tensor");
    vector_give(c, hd_dot(a, b));
}

static void call_outer(vector_case *c) {
    const hd_val a = vector_tensor(c, 0, "input"), b = vector_tensor(c, 1, "vec2");
    vector_give(c, hd_outer(a, b));
}

/* […, k] as [n, k]. */
static hd_val rows(hd_val x) {
    const hd_dims d = hd_val_dims(x);
    const int64_t k = d.rank ? d.dim[d.rank - 1] : 1;
    return hd_reshape(x, .dims = HD_DIMS(k ? hd_dims_count(&d) / k : 0, k));
}

static void call_inner(vector_case *c) {
    const hd_val a = vector_tensor(c, 0, "input"), b = vector_tensor(c, 1, "other");
    hd_dims y = hd_val_dims(a);
    const hd_dims db = hd_val_dims(b);
    if (y.rank == 0 || db.rank == 0) {
        vector_give(c, hd_mul(a, b));
        return;
    }
    y.rank--;
    for (int i = 0; i + 1 < db.rank; i++) y.dim[y.rank++] = db.dim[i];
    vector_give(c, hd_reshape(hd_matmul(rows(a), rows(b), .trans_b = true), .dims = y));
}

static void call_vecdot(vector_case *c) {
    const hd_val a = vector_tensor(c, 0, "x"), b = vector_tensor(c, 1, "y"), y = hd_mul(a, b);
    vector_give(c, hd_sum(y, .axes = HD_DIMS(vector_axis(c, 2, "dim", hd_val_dims(y).rank, -1))));
}

/* torch.einsum(operands, equation) as the vectors have it, or (equation, operands). */
static void call_einsum(vector_case *c) {
    hd_val x[VECTOR_MOST];
    const hd_json *first = vector_arg(c, 0, NULL);
    const bool equation_first = first && first->type == HD_JSON_STRING;
    const int n = vector_tensors(c, equation_first ? 1 : 0, NULL, x);
    const char *equation = vector_string(c, equation_first ? 0 : 1, NULL, "");
    vector_give(c, hd_einsum(x, n, equation));
}

/* Axes of one operand in the order: those kept, then those summed (or the other way). */
static hd_val with_axes_apart(vector_case *c, hd_val x, const int64_t *summed, int n, bool kept_first, hd_dims *kept) {
    const hd_dims d = hd_val_dims(x);
    hd_dims order = {0};
    int64_t m = 1, k = 1;
    for (int part = 0; part < 2; part++) {
        for (int i = 0; i < d.rank && (part == 0) == kept_first; i++) {
            bool is_summed = false;
            for (int j = 0; j < n; j++) is_summed = is_summed || (summed[j] + d.rank) % d.rank == i;
            if (is_summed) continue;
            m *= kept->dim[kept->rank++] = d.dim[i];
            order.dim[order.rank++] = i;
        }
        for (int j = 0; j < n && (part == 0) != kept_first; j++) {
            const int64_t axis = summed[j] < 0 ? summed[j] + d.rank : summed[j];
            if (axis < 0 || axis >= d.rank) {
                vector_unsupported(c, "an axis out of range");
                return x;
            }
            k *= d.dim[axis];
            order.dim[order.rank++] = axis;
        }
    }
    const hd_val turned = order.rank ? hd_transpose(x, .axes = order) : x;
    return hd_reshape(turned, .dims = kept_first ? HD_DIMS(m, k) : HD_DIMS(k, m));
}

static void call_tensordot(vector_case *c) {
    const hd_val a = vector_tensor(c, 0, "a"), b = vector_tensor(c, 1, "b");
    const hd_json *dims = vector_arg(c, 2, "dims");
    int64_t of_a[HD_MAX_DIMS], of_b[HD_MAX_DIMS];
    int n = 0;
    if (dims && dims->type == HD_JSON_ARRAY && dims->child && dims->child->type == HD_JSON_ARRAY) {
        const hd_json *second = dims->child->next;
        for (const hd_json *v = dims->child->child, *w = second->child; v && w && n < HD_MAX_DIMS;
             v = v->next, w = w->next, n++)
            of_a[n] = v->integer, of_b[n] = w->integer;
    } else {
        n = (int)vector_int(c, 2, "dims", 2);
        for (int i = 0; i < n && i < HD_MAX_DIMS; i++) of_a[i] = i - n, of_b[i] = i;
    }
    hd_dims y = {0};
    const hd_val left = with_axes_apart(c, a, of_a, n, true, &y), right = with_axes_apart(c, b, of_b, n, false, &y);
    if (hd_val_dims(left).dim[1] != hd_val_dims(right).dim[0]) vector_unsupported(c, "axes of other sizes");
    vector_give(c, hd_reshape(hd_matmul(left, right), .dims = y));
}

static void call_multi_dot(vector_case *c) {
    hd_val x[VECTOR_MOST];
    const int n = vector_tensors(c, 0, "tensors", x);
    hd_val y = x[0];
    for (int i = 1; i < n; i++) y = hd_matmul(y, x[i]);
    vector_give(c, y);
}

/* a[i…] b[j…] with the axes i, j next to each other, joined. */
static void call_kron(vector_case *c) {
    hd_val v[2] = {vector_tensor(c, 0, "input"), vector_tensor(c, 1, "other")};
    hd_dims d[2] = {hd_val_dims(v[0]), hd_val_dims(v[1])};
    const int rank = d[0].rank > d[1].rank ? d[0].rank : d[1].rank;
    hd_dims y = {.rank = rank};
    if (2 * rank > HD_MAX_DIMS) vector_unsupported(c, "more than 4 axes");
    for (int i = 0; i < rank; i++) y.dim[i] = 1;
    for (int k = 0; k < 2 && 2 * rank <= HD_MAX_DIMS; k++) {
        hd_dims apart = {.rank = 2 * rank};
        for (int i = 0; i < rank; i++) {
            const int axis = i - (rank - d[k].rank);
            const int64_t size = axis < 0 ? 1 : d[k].dim[axis];
            apart.dim[2 * i + k] = size;
            apart.dim[2 * i + 1 - k] = 1;
            y.dim[i] *= size;
        }
        v[k] = hd_reshape(v[k], .dims = apart);
    }
    vector_give(c, hd_reshape(hd_mul(v[0], v[1]), .dims = y));
}

const vector_entry vector_calls_products[] = {
    {"matmul", call_matmul},
    {"__rmatmul__", call_rmatmul},
    {"mm", call_matmul},
    {"bmm", call_matmul},
    {"mv", call_matmul},
    {"linalg.matmul", call_matmul},
    {"nn.functional.linear", call_linear},
    {"dot", call_dot},
    {"vdot", call_dot},
    {"outer", call_outer},
    {"ger", call_outer},
    {"inner", call_inner},
    {"linalg.vecdot", call_vecdot},
    {"einsum", call_einsum},
    {"tensordot", call_tensordot},
    {"linalg.multi_dot", call_multi_dot},
    {"kron", call_kron},
    {0},
};
