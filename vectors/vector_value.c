/* vector_value.c: tensor arguments as inputs and states of the graph; constants; PyTorch's promotion of dtypes. */
#include "vector_case.h"
#include <stdio.h>
#include <string.h>

bool vector_is_tensor(const hd_json *v) {
    const hd_json *name = hd_json_get(v, "tensor");
    return name && name->type == HD_JSON_STRING;
}

bool vector_is_float(hd_val v) {
    return vector_dtype_is_float(hd_val_dtype(v));
}

static hd_val value_of(vector_case *c, const hd_json *tensor, bool state) {
    if (!vector_is_tensor(tensor)) {
        vector_unsupported(c, "an argument is not a tensor");
        return (hd_val){0};
    }
    const char *name = hd_json_get(tensor, "tensor")->string;
    for (int i = 0; i < c->n_in; i++)
        if (strcmp(c->in[i].name, name) == 0) return c->in[i].val;
    hd_dims dims;
    hd_dtype dtype;
    double *x = vector_read(c->file, name, c->arena, &dims, &dtype);
    if (!x) vector_unsupported(c, "tensor %s is of a dtype that we do not have", name);
    if (c->n_in == VECTOR_MOST) vector_unsupported(c, "more than %d tensors", VECTOR_MOST);
    if (!x || c->n_in == VECTOR_MOST) return (hd_val){0};
    if (dtype == HD_F32 || dtype == HD_F64) dtype = c->dtype;
    char own[32];
    (void)snprintf(own, sizeof own, "in%d", c->n_in);
    vector_input *in = &c->in[c->n_in++];
    in->name = name;
    in->data = vector_pack(c->arena, dtype, x, hd_dims_count(&dims));
    in->val = state ? hd_state(c->g, own, dtype, dims, HD_ZEROS) : hd_input(c->g, own, dtype, dims);
    return in->val;
}

hd_val vector_value(vector_case *c, const hd_json *tensor) {
    return value_of(c, tensor, false);
}

void vector_set_parameter(vector_case *c, const char *name, const char *tensor) {
    const char *full = hd_arena_printf(c->arena, "m.%s", name);
    const hd_val p = full ? hd_graph_find(c->g, full) : (hd_val){0};
    hd_dims dims;
    hd_dtype dtype;
    const double *x = vector_read(c->file, tensor, c->arena, &dims, &dtype);
    const hd_dims own = hd_val_dims(p);
    if (hd_val_is_none(p) || !x || !hd_dims_equal(&dims, &own) || c->n_in == VECTOR_MOST) {
        vector_unsupported(c, "the layer has no such parameter %s", name);
        return;
    }
    c->in[c->n_in++] = (vector_input){tensor, p, vector_pack(c->arena, c->dtype, x, hd_dims_count(&dims))};
}

hd_val vector_tensor_if(vector_case *c, int i, const char *name) {
    const hd_json *a = vector_arg(c, i, name);
    return a ? value_of(c, a, false) : (hd_val){0};
}

hd_val vector_tensor(vector_case *c, int i, const char *name) {
    const hd_json *a = vector_arg(c, i, name);
    if (!a) vector_unsupported(c, "argument %d is missing", i);
    return a ? value_of(c, a, false) : (hd_val){0};
}

hd_val vector_state(vector_case *c, int i, const char *name) {
    const hd_json *a = vector_arg(c, i, name);
    return a ? value_of(c, a, true) : (hd_val){0};
}

int vector_tensors(vector_case *c, int i, const char *name, hd_val *out) {
    const hd_json *a = vector_arg(c, i, name);
    int n = 0;
    if (!a || a->type != HD_JSON_ARRAY) vector_unsupported(c, "argument %d is not a list of tensors", i);
    for (const hd_json *v = a && a->type == HD_JSON_ARRAY ? a->child : NULL; v && n < VECTOR_MOST; v = v->next)
        out[n++] = value_of(c, v, false);
    return n;
}

/* ---- constants ---- */

hd_val vector_const(vector_case *c, hd_dtype dtype, hd_dims dims, const double *x) {
    const void *data = vector_pack(c->arena, dtype, x, hd_dims_count(&dims));
    return hd_const(c->g, dtype, dims, data);
}

hd_val vector_scalar(vector_case *c, hd_dtype dtype, double value) {
    return vector_const(c, dtype, (hd_dims){0}, &value);
}

hd_val vector_full(vector_case *c, hd_dtype dtype, hd_dims dims, double value) {
    const int64_t n = hd_dims_count(&dims);
    if (n < 0 || n > 1 << 24) {
        vector_unsupported(c, "a constant of %lld elements", (long long)n);
        return (hd_val){0};
    }
    double *x = hd_arena_alloc_n(c->arena, (size_t)n + 1, sizeof *x);
    for (int64_t i = 0; i < n && x; i++) x[i] = value;
    return x ? vector_const(c, dtype, dims, x) : (hd_val){0};
}

hd_val vector_operand(vector_case *c, int i, const char *name, hd_val like) {
    const hd_json *a = vector_arg(c, i, name);
    double x;
    if (!a || vector_is_tensor(a)) return vector_tensor(c, i, name);
    if (a->type == HD_JSON_BOOL)
        return vector_scalar(c, hd_val_is_none(like) ? HD_BOOL : hd_val_dtype(like), a->boolean);
    if (!vector_is_number(a, &x)) {
        vector_unsupported(c, "argument %d is neither tensor nor number", i);
        return (hd_val){0};
    }
    if (hd_val_is_none(like)) return vector_scalar(c, vector_is_int(a) ? HD_I64 : c->dtype, x);
    if (vector_is_float(like)) return vector_scalar(c, hd_val_dtype(like), x);
    if (!vector_is_int(a)) return vector_scalar(c, c->dtype, x);
    return vector_scalar(c, hd_val_dtype(like) == HD_BOOL ? HD_I64 : hd_val_dtype(like), x);
}

/* ---- promotion ---- */

hd_val vector_cast(hd_val v, hd_dtype dtype) {
    return hd_val_is_none(v) || hd_val_dtype(v) == dtype ? v : hd_cast(v, .dtype = HD_DTYPE(dtype));
}

/* bool < whole < float; inside a class the wider one. */
static int class_of(hd_dtype t) {
    return t == HD_BOOL ? 0 : vector_dtype_is_float(t) ? 2 : 1;
}
static hd_dtype wider(hd_dtype a, hd_dtype b) {
    static const int order[HD_DTYPE_COUNT] = {
        [HD_BOOL] = 0, [HD_U8] = 1, [HD_I32] = 2, [HD_I64] = 3, [HD_BF16] = 4, [HD_F32] = 5, [HD_F64] = 6};
    return order[a] > order[b] ? a : b;
}

hd_dtype vector_promote(vector_case *c, hd_val *a, hd_val *b) {
    if (hd_val_is_none(*a) || hd_val_is_none(*b)) return c->dtype;
    const hd_dtype x = hd_val_dtype(*a), y = hd_val_dtype(*b);
    const bool scalar_a = hd_val_dims(*a).rank == 0, scalar_b = hd_val_dims(*b).rank == 0;
    hd_dtype to = wider(x, y);
    if (class_of(x) == class_of(y) && scalar_a != scalar_b) to = scalar_a ? y : x;
    *a = vector_cast(*a, to);
    *b = vector_cast(*b, to);
    return to;
}

hd_val vector_unscalar(hd_val v) {
    return hd_val_is_none(v) || hd_val_dims(v).rank ? v : hd_reshape(v, .dims = HD_DIMS(1));
}
