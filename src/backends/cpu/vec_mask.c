/* vec_mask.c: kernels of choices, comparisons and logic, and of whatever else reads operands that are repeated in any
 * way over the result: rows of vec_rows.h through the loops of the instruction set. */
#include "backends/cpu/vec_elem.h"
#include "backends/cpu/vec_rows.h"

static const char *const mask_names[] = {
#define NAME(name) #name,
    HD_VEC_MASKS(NAME)
#undef NAME
};

/* The loop for a name and, where there is one for each, the dtype; -1: none. */
static int mask_find(const char *name, const char *ending) {
    char whole[48];
    const size_t n = strlen(name), m = strlen(ending);
    if (n + m >= sizeof whole) return -1;
    memcpy(whole, name, n);
    memcpy(whole + n, ending, m + 1);
    for (int i = 0; i < HD_VEC_MASK_COUNT; i++)
        if (strcmp(mask_names[i], whole) == 0) return i;
    return -1;
}

/* ---- one loop an op: comparisons, logic, tests ---- */

static int mask_of(const hd_kctx *k) {
    const hd_dtype dtype = k->in[0].dtype;
    if (dtype == HD_F32) {
        const int loop = mask_find(k->op->name, "_f32");
        return loop >= 0 || strncmp(k->op->name, "is", 2) != 0 ? loop : mask_find(k->op->name, "");
    }
    if (dtype == HD_I64) return mask_find(k->op->name, "_i64");
    return dtype == HD_BOOL && strncmp(k->op->name, "logical", 7) == 0 ? mask_find(k->op->name, "") : -1;
}

static const char *mask_supports(const hd_kctx *k) {
    return mask_of(k) < 0 ? "only for f32 and i64, logic for bool" : NULL;
}

static hd_status mask_prepare(hd_kctx *k, hd_prepared *out) {
    static const int order[] = {0, 1};
    hd_row_walk w = {.run = hd_vec_for(k->isa)->mask[mask_of(k)]};
    hd_row_walk_of(&w, k, order, k->n_in, HD_VEC_GRAIN);
    return hd_row_walk_prepare(&w, k, out);
}

/* ---- choices ---- */

static hd_status choose_prepare(hd_kctx *k, hd_row_walk *w, const int *order, hd_prepared *out) {
    const size_t size = hd_dtype_size(k->out[0].dtype);
    const char *ending = size == 8 ? "8" : size == 4 ? "4" : "1";
    w->run = hd_vec_for(k->isa)->mask[mask_find("where", ending)];
    hd_row_walk_of(w, k, order, 3, HD_VEC_GRAIN);
    return hd_row_walk_prepare(w, k, out);
}

static const char *where_supports(const hd_kctx *k) {
    const size_t size = hd_dtype_size(k->out[0].dtype);
    return size == 1 || size == 4 || size == 8 ? NULL : "only for elements of 1, 4 or 8 bytes";
}

static hd_status where_prepare(hd_kctx *k, hd_prepared *out) {
    static const int order[] = {0, 1, 2};
    hd_row_walk w = {0};
    return choose_prepare(k, &w, order, out);
}

static const char *masked_fill_supports(const hd_kctx *k) {
    if (k->out[0].dtype == HD_F32 || hd_vec_present(k, 2)) return where_supports(k);
    return "only for f32, or with a fill";
}

static hd_status masked_fill_prepare(hd_kctx *k, hd_prepared *out) {
    const int order[] = {1, hd_vec_present(k, 2) ? 2 : -1, 0};
    const float value = (float)((const hd_masked_fill_args *)k->attr)->value;
    hd_row_walk w = {0};
    memcpy(&w.value, &value, sizeof value);
    return choose_prepare(k, &w, order, out);
}

/* ---- others that repeat ---- */

static const char *lerp_supports(const hd_kctx *k) {
    if (!hd_vec_present(k, 2)) return "only with weights";
    return hd_vec_need_f32(k);
}

static hd_status lerp_prepare(hd_kctx *k, hd_prepared *out) {
    static const int order[] = {0, 1, 2};
    hd_row_walk w = {.run = hd_vec_for(k->isa)->mask[mask_find("lerp", "")]};
    hd_row_walk_of(&w, k, order, 3, HD_VEC_GRAIN);
    return hd_row_walk_prepare(&w, k, out);
}

/* The weight belongs to axis 1: it is read as if it had the axes behind, too. */
static hd_status prelu_prepare(hd_kctx *k, hd_prepared *out) {
    static const int order[] = {0, 1};
    hd_operand in[2] = {k->in[0], k->in[1]};
    if (in[1].count != 1) {
        in[1].dims = (hd_dims){.rank = in[0].dims.rank - 1, .dim = {in[1].count}};
        for (int d = 1; d < in[1].dims.rank; d++) in[1].dims.dim[d] = 1;
    }
    hd_kctx seen = *k;
    seen.in = in;
    hd_row_walk w = {.run = hd_vec_for(k->isa)->mask[mask_find("prelu", "")]};
    hd_row_walk_of(&w, &seen, order, 2, HD_VEC_GRAIN);
    return hd_row_walk_prepare(&w, k, out);
}

static const char *both_supports(const hd_kctx *k) {
    const char *reason = hd_vec_need_f32(k);
    if (!reason && !hd_vec_present(k, 1)) return "only for two operands";
    return reason;
}

static hd_status both_prepare(hd_kctx *k, hd_prepared *out) {
    static const int order[] = {0, 1};
    const int op = hd_vec_op_find(k->op->name, strlen(k->op->name));
    hd_row_walk w = {0};
    memcpy(w.number, hd_vec_for(k->isa)->elem[op], sizeof w.number);
    hd_row_walk_of(&w, k, order, 2, HD_VEC_GRAIN);
    return hd_row_walk_prepare(&w, k, out);
}

#define ROW_KERNEL(variable, op_name, supports_fn, prepare_fn)                                                         \
    const hd_kernel hd_kernel_vec_##variable = {                                                                       \
        .name = "cpu." #variable,                                                                                      \
        .op = op_name,                                                                                                 \
        .supports = supports_fn,                                                                                       \
        .prepare = prepare_fn,                                                                                         \
    };
#define MASK_KERNEL(op_name) ROW_KERNEL(op_name, #op_name, mask_supports, mask_prepare)
#define BOTH_KERNEL(op_name) ROW_KERNEL(op_name##_repeated, #op_name, both_supports, both_prepare)
MASK_KERNEL(eq)
MASK_KERNEL(ne)
MASK_KERNEL(lt)
MASK_KERNEL(le)
MASK_KERNEL(gt)
MASK_KERNEL(ge)
MASK_KERNEL(logical_and)
MASK_KERNEL(logical_or)
MASK_KERNEL(logical_xor)
MASK_KERNEL(logical_not)
MASK_KERNEL(isnan)
MASK_KERNEL(isinf)
MASK_KERNEL(isfinite)
ROW_KERNEL(where, "where", where_supports, where_prepare)
ROW_KERNEL(masked_fill, "masked_fill", masked_fill_supports, masked_fill_prepare)
ROW_KERNEL(lerp, "lerp", lerp_supports, lerp_prepare)
ROW_KERNEL(prelu, "prelu", hd_vec_need_f32, prelu_prepare)
BOTH_KERNEL(add)
BOTH_KERNEL(sub)
BOTH_KERNEL(mul)
BOTH_KERNEL(div)
BOTH_KERNEL(maximum)
BOTH_KERNEL(minimum)
BOTH_KERNEL(pow)
