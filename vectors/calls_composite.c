/* calls_composite.c: arithmetic that is made of several ops of ours: sums with factors, products added to something,
 * divisions with rounding, casts, and what is the identity for real numbers. */
#include "call_kit.h"
#include <string.h>

/* Two operands of one dtype; bool, which has no arithmetic here, is refused. */
static void operands(vector_case *c, hd_val *a, hd_val *b) {
    *a = vector_tensor(c, 0, "input");
    *b = vector_operand(c, 1, "other", *a);
    if (vector_promote(c, a, b) == HD_BOOL && !c->why[0]) vector_unsupported(c, "arithmetic of bool");
}

/* a + factor·b. */
static hd_val add_scaled(vector_case *c, hd_val a, hd_val b, double factor) {
    if (factor == 1) return hd_add(a, b);
    if (factor == -1) return hd_sub(a, b);
    return hd_add(a, hd_mul(b, vector_scalar(c, hd_val_dtype(b), factor)));
}

/* ---- sums ---- */

static void call_add(vector_case *c) {
    hd_val a, b;
    operands(c, &a, &b);
    vector_give(c, add_scaled(c, a, b, vector_number(c, 2, "alpha", 1)));
}
static void call_sub(vector_case *c) {
    hd_val a, b;
    operands(c, &a, &b);
    vector_give(c, add_scaled(c, a, b, -vector_number(c, 2, "alpha", 1)));
}
static void call_rsub(vector_case *c) {
    hd_val a, b;
    operands(c, &a, &b);
    vector_give(c, add_scaled(c, b, a, -vector_number(c, 2, "alpha", 1)));
}
static void call_rmul(vector_case *c) {
    hd_val a, b;
    operands(c, &a, &b);
    vector_give(c, hd_mul(b, a));
}

/* ---- quotients ---- */

static void divide(vector_case *c, bool reverse) {
    hd_val a = vector_tensor(c, 0, "input"), b = vector_operand(c, 1, "other", a);
    const char *mode = vector_string(c, 2, "rounding_mode", "");
    if (!vector_is_float(a) && !vector_is_float(b)) {
        if (mode[0]) vector_unsupported(c, "whole numbers divided with rounding");
        a = vector_cast(a, c->dtype);
    }
    vector_promote(c, &a, &b);
    const hd_val y = reverse ? hd_div(b, a) : hd_div(a, b);
    if (strcmp(mode, "floor") == 0)
        vector_give(c, hd_floor(y));
    else if (strcmp(mode, "trunc") == 0)
        vector_give(c, hd_trunc(y));
    else
        vector_give(c, y);
}
static void call_div(vector_case *c) {
    divide(c, false);
}
static void call_rdiv(vector_case *c) {
    divide(c, true);
}
static void call_floor_divide(vector_case *c) {
    hd_val a = vector_tensor(c, 0, "input"), b = vector_operand(c, 1, "other", a);
    vector_promote(c, &a, &b);
    if (!vector_is_float(a)) vector_unsupported(c, "whole numbers divided with rounding");
    vector_give(c, hd_floor(hd_div(a, b)));
}
/* A tensor or a number in f64. */
static hd_val in_double(vector_case *c, int i, const char *name) {
    double x;
    const hd_json *a = vector_arg(c, i, name);
    return vector_is_number(a, &x) ? vector_scalar(c, HD_F64, x) : vector_cast(vector_tensor(c, i, name), HD_F64);
}
static void call_float_power(vector_case *c) {
    const hd_val base = in_double(c, 0, "input"), power = in_double(c, 1, "exponent");
    vector_give(c, hd_pow(base, power));
}

/* ---- beta·input + alpha·product ---- */

typedef hd_val (*product)(hd_val a, hd_val b);

static hd_val matrix_product(hd_val a, hd_val b) {
    return hd_matmul(a, b);
}
static hd_val outer_product(hd_val a, hd_val b) {
    return hd_mul(kit_insert(a, 1, 1), kit_insert(b, 0, 1));
}
static hd_val summed_product(hd_val a, hd_val b) {
    return kit_sum(hd_matmul(a, b), 0, false);
}
static hd_val matrix_vector(hd_val a, hd_val b) {
    return kit_drop(hd_matmul(a, kit_insert(b, 1, 1)), 1);
}

static void add_product(vector_case *c, product f) {
    const hd_val input = vector_tensor(c, 0, "input"), a = vector_tensor(c, 1, "a"), b = vector_tensor(c, 2, "b");
    const double beta = vector_number(c, -1, "beta", 1), alpha = vector_number(c, -1, "alpha", 1);
    if (c->why[0]) return;
    const hd_val y = kit_scale(f(a, b), alpha);
    vector_give(c, beta == 0 ? y : hd_add(kit_scale(input, beta), y)); /* a factor of 0 hides NaN */
}
static void call_addmm(vector_case *c) {
    add_product(c, matrix_product);
}
static void call_addmv(vector_case *c) {
    add_product(c, matrix_vector);
}
static void call_addr(vector_case *c) {
    add_product(c, outer_product);
}
static void call_addbmm(vector_case *c) {
    add_product(c, summed_product);
}

static void call_addcmul(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input"), a = vector_tensor(c, 1, "tensor1"),
                 b = vector_tensor(c, 2, "tensor2");
    vector_give(c, add_scaled(c, x, hd_mul(a, b), vector_number(c, -1, "value", 1)));
}
static void call_addcdiv(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input"), a = vector_tensor(c, 1, "tensor1"),
                 b = vector_tensor(c, 2, "tensor2");
    vector_give(c, add_scaled(c, x, hd_div(a, b), vector_number(c, -1, "value", 1)));
}
static void call_lerp(vector_case *c) {
    const hd_val a = vector_tensor(c, 0, "input"), b = vector_tensor(c, 1, "end"),
                 w = vector_operand(c, 2, "weight", a);
    vector_give(c, hd_add(a, hd_mul(w, hd_sub(b, a))));
}

/* ---- the identity, casts, units ---- */

static void call_identity(vector_case *c) {
    vector_give(c, vector_tensor(c, 0, "input"));
}

#define CAST(name, to)                                                                                                 \
    static void call_##name(vector_case *c) {                                                                          \
        vector_give(c, hd_cast(vector_tensor(c, 0, "input"), .dtype = HD_DTYPE(to)));                                  \
    }
CAST(to_bool, HD_BOOL)
CAST(to_byte, HD_U8)
CAST(to_int, HD_I32)
CAST(to_long, HD_I64)
CAST(to_bfloat16, HD_BF16)
CAST(to_float, HD_F32)
CAST(to_double, HD_F64)

static const double degree = 3.14159265358979323846 / 180;
static void call_deg2rad(vector_case *c) {
    vector_give(c, kit_scale(vector_tensor(c, 0, "input"), degree));
}
static void call_rad2deg(vector_case *c) {
    vector_give(c, kit_scale(vector_tensor(c, 0, "input"), 1 / degree));
}

/* Summed down to a shape that broadcasts to x's. */
static void call_sum_to_size(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const hd_dims to = vector_dims(c, 1, "size");
    if (c->why[0] || !vector_is_float(x)) {
        vector_unsupported(c, "whole numbers");
        return;
    }
    vector_give(c, hd_sum_like(x, vector_full(c, hd_val_dtype(x), to, 0)));
}

/* Of real numbers: 0, or pi of negative ones. */
static void call_angle(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    if (c->why[0] || !vector_is_float(x)) {
        vector_unsupported(c, "whole numbers");
        return;
    }
    const hd_val zero = vector_scalar(c, hd_val_dtype(x), 0), pi = vector_scalar(c, hd_val_dtype(x), 180 * degree);
    vector_give(c, hd_where(hd_isnan(x), x, hd_where(hd_lt(x, zero), pi, zero)));
}

/* ---- nearness ---- */

static void call_isclose(vector_case *c) {
    hd_val a, b;
    operands(c, &a, &b);
    const double rtol = vector_number(c, 2, "rtol", 1e-5), atol = vector_number(c, 3, "atol", 1e-8);
    const bool equal_nan = vector_bool(c, 4, "equal_nan", false);
    if (!vector_is_float(a)) vector_unsupported(c, "whole numbers");
    if (c->why[0]) return;
    const hd_val near = hd_le(hd_abs(hd_sub(a, b)), kit_shift(kit_scale(hd_abs(b), rtol), atol));
    hd_val y = hd_logical_or(hd_eq(a, b), hd_logical_and(near, hd_isfinite(b)));
    if (equal_nan) y = hd_logical_or(y, hd_logical_and(hd_isnan(a), hd_isnan(b)));
    vector_give(c, y);
}

static void call_isin(vector_case *c) {
    hd_val x = vector_operand(c, 0, "elements", (hd_val){0}), set = vector_operand(c, 1, "test_elements", (hd_val){0});
    const bool invert = vector_bool(c, -1, "invert", false);
    vector_ignore(c, -1, "assume_unique");
    vector_promote(c, &x, &set);
    const hd_dims dx = hd_val_dims(x), ds = hd_val_dims(set);
    if (c->why[0] || hd_val_dtype(x) == HD_BOOL) return;
    const hd_val row = hd_reshape(set, .dims = HD_DIMS(hd_dims_count(&ds)));
    const hd_val y = hd_any(hd_eq(kit_insert(x, dx.rank, 1), row), .axes = kit_one(dx.rank));
    vector_give(c, invert ? hd_logical_not(y) : y);
}

const vector_entry vector_calls_composite[] = {
    {"add", call_add},
    {"sub", call_sub},
    {"__radd__", call_add},
    {"rsub", call_rsub},
    {"__rsub__", call_rsub},
    {"__rmul__", call_rmul},
    {"true_divide", call_div},
    {"div.no_rounding_mode", call_div},
    {"div.floor_rounding", call_div},
    {"div.trunc_rounding", call_div},
    {"__rdiv__", call_rdiv},
    {"floor_divide", call_floor_divide},
    {"float_power", call_float_power},
    {"addmm", call_addmm},
    {"addmm.decomposed", call_addmm},
    {"addmv", call_addmv},
    {"addr", call_addr},
    {"addbmm", call_addbmm},
    {"baddbmm", call_addmm},
    {"addcmul", call_addcmul},
    {"addcdiv", call_addcdiv},
    {"lerp", call_lerp},
    {"clone", call_identity},
    {"positive", call_identity},
    {"conj", call_identity},
    {"conj_physical", call_identity},
    {"real", call_identity},
    {"resolve_conj", call_identity},
    {"resolve_neg", call_identity},
    {"bool", call_to_bool},
    {"byte", call_to_byte},
    {"int", call_to_int},
    {"long", call_to_long},
    {"bfloat16", call_to_bfloat16},
    {"float", call_to_float},
    {"double", call_to_double},
    {"deg2rad", call_deg2rad},
    {"rad2deg", call_rad2deg},
    {"sum_to_size", call_sum_to_size},
    {"angle", call_angle},
    {"isclose", call_isclose},
    {"isin", call_isin},
    {0},
};
