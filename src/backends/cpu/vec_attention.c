/* vec_attention.c: kernels of attention and its gradient: tiles of scores in thread scratch, so that memory does not
 * grow with the square of the length. A task is a part of the rows of one matrix; of the gradient, one matrix of k and
 * v with all that it serves. */
#include "backends/cpu/vec_attention.h"
#include "backends/cpu/gemm.h"
#include "hadal/program.h"

enum { MOST_TASKS = 32 };

/* The forms of the ops: numbers of inputs and outputs. */
static const hd_vec_attention plain = {.mask = 3, .k = 1, .v = 2};
static const hd_vec_attention plain_grad = {
    .mask = 6, .k = 1, .v = 2, .y = 3, .lse = 4, .dy = 5, .dlse = 7, .dk = 1, .dv = 2, .grad = true};
static const hd_vec_attention packed = {.mask = -1};
static const hd_vec_attention packed_grad = {.mask = -1, .y = 1, .lse = 2, .dy = 3, .dlse = -1, .grad = true};

static bool has(const hd_kctx *k, int input) {
    return input >= 0 && hd_vec_present(k, input);
}

/* All operands in one dtype but the mask, the logarithms of sums and what arrives at them. */
static const char *dtypes_refuse(const hd_kctx *k, const hd_vec_attention *s, hd_dtype want) {
    const char *reason = want == HD_BF16 ? "only for bf16" : "only for f32";
    for (int i = 0; i < k->n_in; i++) {
        const bool wide = s->grad && (i == s->lse || i == s->dlse);
        if (i != s->mask && has(k, i) && k->in[i].dtype != (wide ? HD_F32 : want)) return reason;
    }
    for (int o = 0; o < k->n_out; o++)
        if (k->out[o].dtype != (!s->grad && o == 1 ? HD_F32 : want)) return reason;
    if (has(k, s->mask) && k->in[s->mask].dtype != HD_F32 && k->in[s->mask].dtype != HD_BOOL) return reason;
    return k->in[0].count && k->in[s->k].count && k->in[s->v].count ? NULL : "nothing to do";
}

static hd_vec_attention state_of(const hd_kctx *k, const hd_vec_attention *form, double scale, bool causal) {
    hd_vec_attention s = *form;
    const hd_dims *m = has(k, s.mask) ? &k->in[s.mask].dims : NULL;
    s.z = hd_attention_of(&k->in[0].dims, &k->in[1].dims, &k->in[2].dims, m, scale, causal);
    s.mask_of_bool = m && k->in[s.mask].dtype == HD_BOOL;
    return s;
}

static hd_vec_attention packed_state_of(const hd_kctx *k, const hd_vec_attention *form) {
    const hd_packed_attention_args *a = k->attr;
    hd_vec_attention s = *form;
    s.z = hd_attention_packed(&k->in[0].dims, a->heads, a->scale, a->is_causal);
    return s;
}

/* ---- f32 ---- */

/* A multiple of the widest panel: what is packed is filled up to it. */
static int64_t rounded(int64_t n) {
    return (n + 31) / 32 * 32;
}

static hd_status prepare(hd_kctx *k, hd_prepared *out, hd_vec_attention s, hd_vec_run run, int64_t floats) {
    hd_vec_attention *state = hd_vec_state(k, sizeof *state);
    if (!state) return HD_E_MEMORY;
    *state = s;
    out->scratch_per_thread = sizeof(float) * (size_t)floats;
    return hd_vec_one_phase(out, state, run, s.grad ? s.z.n / s.z.group : s.z.n * s.parts);
}

static int64_t parts_of(const hd_attention *z) {
    return hd_vec_min((z->rows + HD_ATTENTION_ROWS - 1) / HD_ATTENTION_ROWS, (MOST_TASKS + z->n - 1) / z->n);
}

static hd_status prepare_f32(hd_kctx *k, hd_prepared *out, hd_vec_attention s) {
    const hd_attention *z = &s.z;
    const int64_t tile = HD_ATTENTION_ROWS * HD_ATTENTION_COLUMNS;
    if (s.grad) {
        s.packed = HD_ATTENTION_COLUMNS * (z->width > z->depth ? z->width : z->depth);
        return prepare(k, out, s, hd_vec_for(k->isa)->attention_grad,
                       2 * s.packed + 2 * tile + z->group * rounded(z->rows));
    }
    s.parts = parts_of(z);
    s.packed = rounded(z->columns) * z->width;
    return prepare(k, out, s, hd_vec_for(k->isa)->attention, s.packed + tile + 2 * HD_ATTENTION_ROWS);
}

/* ---- bf16 ---- */

static const char *refuse_bf16(const hd_kctx *k, const hd_vec_attention *s) {
    if (!hd_gemm_pairs_of(k->isa) || !hd_precision_native(k->ctx, "bf16")) return "bf16 is emulated here";
    return s->z.width % 2 || s->z.depth % 2 ? "only for even widths" : NULL;
}

static hd_status prepare_bf16(hd_kctx *k, hd_prepared *out, hd_vec_attention s) {
    const hd_attention *z = &s.z;
    const hd_vec_run run = hd_attention_half_run(s.grad);
    const int64_t tile = HD_ATTENTION_ROWS * HD_ATTENTION_COLUMNS, half = HD_ATTENTION_COLUMNS / 2;
    const int64_t wide = rounded(z->width), deep = rounded(z->depth);
    if (!run) return HD_E_UNSUPPORTED;
    if (s.grad)
        return prepare(k, out, s, run,
                       2 * tile + tile / 2 + half * (3 * z->width + 3 * z->depth + wide) +
                           (z->rows + 1) / 2 * (wide + deep) + z->group * z->rows * (1 + z->width));
    s.parts = parts_of(z);
    s.packed = rounded(z->columns) * (z->width / 2);
    return prepare(k, out, s, run, tile + HD_ATTENTION_ROWS * (2 + z->depth) + s.packed + (z->columns + 1) / 2 * deep);
}

/* ---- the kernels ---- */

#define ATTENTION(op_, var, form, state, suffix, name_, dtype, flags_, refuse, prepares)                               \
    static const char *op_##suffix##_supports(const hd_kctx *k) {                                                      \
        const char *reason = dtypes_refuse(k, &form, dtype);                                                           \
        if (reason) return reason;                                                                                     \
        const hd_##op_##_args *a = k->attr;                                                                            \
        const hd_vec_attention s = state;                                                                              \
        return refuse(k, &s);                                                                                          \
    }                                                                                                                  \
    static hd_status op_##suffix##_prepare(hd_kctx *k, hd_prepared *out) {                                             \
        const hd_##op_##_args *a = k->attr;                                                                            \
        return prepares(k, out, state);                                                                                \
    }                                                                                                                  \
    const hd_kernel hd_kernel_vec_##var##suffix = {.name = "cpu." name_,                                               \
                                                   .op = #op_,                                                         \
                                                   .flags = flags_,                                                    \
                                                   .supports = op_##suffix##_supports,                                 \
                                                   .prepare = op_##suffix##_prepare};

static const char *refuse_f32(const hd_kctx *k, const hd_vec_attention *s) {
    (void)k, (void)s;
    return NULL;
}

#define BOTH(op_, var, form, state, name_)                                                                             \
    ATTENTION(op_, var, form, state, , name_, HD_F32, 0, refuse_f32, prepare_f32)                                      \
    ATTENTION(op_, var, form, state, _bf16, name_ ".bf16", HD_BF16, HD_K_BF16, refuse_bf16, prepare_bf16)
typedef hd_packed_attention_args hd_packed_attention_grad_args;

BOTH(scaled_dot_product_attention, attention, plain, state_of(k, &plain, a->scale, a->is_causal), "attention")
BOTH(scaled_dot_product_attention_grad, attention_grad, plain_grad, state_of(k, &plain_grad, a->scale, a->is_causal),
     "attention_grad")
BOTH(packed_attention, packed_attention, packed, ((void)a, packed_state_of(k, &packed)), "packed_attention")
BOTH(packed_attention_grad, packed_attention_grad, packed_grad, ((void)a, packed_state_of(k, &packed_grad)),
     "packed_attention_grad")
