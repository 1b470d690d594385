/* vec_attention.c: kernels of attention and its gradient: tiles of scores in thread scratch, so that memory does not
 * grow with the square of the length. A task is a part of the rows of one matrix; of the gradient, one matrix of k and
 * v with all that it serves. */
#include "backends/cpu/vec_attention.h"

enum { MOST_TASKS = 32 };

static const char *attention_supports(const hd_kctx *k) {
    const bool grad = k->n_out == 3;
    const int mask = grad ? 6 : 3;
    for (int i = 0; i < k->n_in; i++)
        if (i != mask && hd_vec_present(k, i) && k->in[i].dtype != HD_F32) return "only for f32";
    if (hd_vec_present(k, mask) && k->in[mask].dtype != HD_F32 && k->in[mask].dtype != HD_BOOL) return "only for f32";
    for (int i = 0; i < 3; i++)
        if (k->in[i].count == 0) return "nothing to do";
    return NULL;
}

/* A multiple of the widest panel: what is packed is filled up to it. */
static int64_t rounded(int64_t n) {
    return (n + 31) / 32 * 32;
}

static hd_vec_attention *state_of(hd_kctx *k, int mask, double scale, bool causal) {
    hd_vec_attention *s = hd_vec_state(k, sizeof *s);
    if (!s) return NULL;
    const hd_dims *m = hd_vec_present(k, mask) ? &k->in[mask].dims : NULL;
    s->z = hd_attention_of(&k->in[0].dims, &k->in[1].dims, &k->in[2].dims, m, scale, causal);
    s->mask = mask;
    s->mask_of_bool = m && k->in[mask].dtype == HD_BOOL;
    return s;
}

static hd_status attention_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_scaled_dot_product_attention_args *a = k->attr;
    hd_vec_attention *s = state_of(k, 3, a->scale, a->is_causal);
    if (!s) return HD_E_MEMORY;
    const int64_t blocks = (s->z.rows + HD_ATTENTION_ROWS - 1) / HD_ATTENTION_ROWS;
    s->parts = hd_vec_min(blocks, (MOST_TASKS + s->z.n - 1) / s->z.n);
    s->packed = rounded(s->z.columns) * s->z.width;
    out->scratch_per_thread = sizeof(float) * (size_t)(s->packed + HD_ATTENTION_ROWS * (HD_ATTENTION_COLUMNS + 2));
    return hd_vec_one_phase(out, s, hd_vec_for(k->isa)->attention, s->z.n * s->parts);
}

static hd_status attention_grad_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_scaled_dot_product_attention_grad_args *a = k->attr;
    hd_vec_attention *s = state_of(k, 6, a->scale, a->is_causal);
    if (!s) return HD_E_MEMORY;
    s->packed = HD_ATTENTION_COLUMNS * (s->z.width > s->z.depth ? s->z.width : s->z.depth);
    out->scratch_per_thread = sizeof(float) * (size_t)(2 * s->packed + 2 * HD_ATTENTION_ROWS * HD_ATTENTION_COLUMNS +
                                                       s->z.group * rounded(s->z.rows));
    return hd_vec_one_phase(out, s, hd_vec_for(k->isa)->attention_grad, s->z.n / s->z.group);
}

const hd_kernel hd_kernel_vec_attention = {
    .name = "cpu.attention",
    .op = "scaled_dot_product_attention",
    .supports = attention_supports,
    .prepare = attention_prepare,
};
const hd_kernel hd_kernel_vec_attention_grad = {
    .name = "cpu.attention_grad",
    .op = "scaled_dot_product_attention_grad",
    .supports = attention_supports,
    .prepare = attention_grad_prepare,
};
