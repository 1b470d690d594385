/* vec_lrn.c: kernels of local response normalisation and of its gradient. */
#include "backends/cpu/vec_lrn.h"

static const char *lrn_supports(const hd_kctx *k) {
    return k->in[0].count == 0 ? "nothing to normalise" : hd_vec_need_f32(k);
}

static hd_status lrn_prepare(hd_kctx *k, hd_prepared *out, const hd_local_response_norm_args *a, bool grad) {
    hd_vec_lrn *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    const hd_dims *x = &k->in[0].dims;
    s->c = x->dim[1];
    s->places = 1;
    for (int i = 2; i < x->rank; i++) s->places *= x->dim[i];
    s->blocks = (s->places + HD_VEC_LRN_PLACES - 1) / HD_VEC_LRN_PLACES;
    s->before = a->size / 2;
    s->after = (a->size - 1) / 2;
    s->alpha = (float)(a->alpha / (double)a->size);
    s->k = (float)a->k;
    s->beta = (float)a->beta;
    s->factor = (float)(2 * a->alpha * a->beta / (double)a->size);
    for (int i = 2; i <= 4; i++)
        if (a->beta * 4 == i) s->quarters = i;
    s->split =
        hd_vec_split_rows(x->dim[0] * s->blocks, s->c * hd_vec_min(s->places, HD_VEC_LRN_PLACES), HD_VEC_GRAIN_HEAVY);
    if (grad) out->scratch = (size_t)(s->split.tasks * s->c * HD_VEC_LRN_PLACES) * sizeof(float);
    return hd_vec_one_phase(out, s, grad ? hd_vec_for(k->isa)->lrn_grad : hd_vec_for(k->isa)->lrn, s->split.tasks);
}

static hd_status lrn_forward(hd_kctx *k, hd_prepared *out) {
    return lrn_prepare(k, out, k->attr, false);
}
static hd_status lrn_backward(hd_kctx *k, hd_prepared *out) {
    const hd_local_response_norm_grad_args *a = k->attr;
    const hd_local_response_norm_args same = {.size = a->size, .alpha = a->alpha, .beta = a->beta, .k = a->k};
    return lrn_prepare(k, out, &same, true);
}

const hd_kernel hd_kernel_vec_local_response_norm = {
    .name = "cpu.local_response_norm", .op = "local_response_norm", .supports = lrn_supports, .prepare = lrn_forward};
const hd_kernel hd_kernel_vec_local_response_norm_grad = {.name = "cpu.local_response_norm_grad",
                                                          .op = "local_response_norm_grad",
                                                          .supports = lrn_supports,
                                                          .prepare = lrn_backward};
