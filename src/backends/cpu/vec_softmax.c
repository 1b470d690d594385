/* vec_softmax.c: kernels of softmax, its logarithm and their gradients. */
#include "backends/cpu/vec_softmax.h"

static const char *softmax_supports(const hd_kctx *k) {
    return k->in[0].count == 0 ? "nothing to do" : hd_vec_need_f32(k);
}

static hd_status softmax_prepare(hd_kctx *k, hd_prepared *out) {
    hd_vec_softmax *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    const bool grad = k->n_in == 2;
    const hd_dims *x = &k->in[0].dims;
    const int axis = hd_axis_resolve(
        grad ? ((const hd_softmax_grad_args *)k->attr)->axis : ((const hd_softmax_args *)k->attr)->axis, x->rank);
    int64_t outer = 1;
    s->n = s->inner = 1;
    for (int d = 0; d < x->rank; d++) {
        int64_t *part = d < axis ? &outer : d == axis ? &s->n : &s->inner;
        *part *= x->dim[d];
    }
    s->ln = strncmp(k->op->name, "log", 3) == 0;
    s->split = hd_vec_split_rows(outer, s->n * s->inner, HD_VEC_GRAIN_HEAVY);
    return hd_vec_one_phase(out, s, grad ? hd_vec_for(k->isa)->softmax_grad : hd_vec_for(k->isa)->softmax,
                            s->split.tasks);
}

#define SOFTMAX_KERNEL(op_name, kernel_flags)                                                                          \
    const hd_kernel hd_kernel_vec_##op_name = {                                                                        \
        .name = "cpu." #op_name,                                                                                       \
        .op = #op_name,                                                                                                \
        .flags = kernel_flags,                                                                                         \
        .supports = softmax_supports,                                                                                  \
        .prepare = softmax_prepare,                                                                                    \
    };
SOFTMAX_KERNEL(softmax, HD_K_INPLACE)
SOFTMAX_KERNEL(log_softmax, HD_K_INPLACE)
SOFTMAX_KERNEL(softmax_grad, HD_K_INPLACE_ANY)
SOFTMAX_KERNEL(log_softmax_grad, HD_K_INPLACE_ANY)
