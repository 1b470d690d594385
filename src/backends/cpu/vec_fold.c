/* vec_fold.c: the kernel that works a normalisation into the weights before it. */
#include "backends/cpu/vec.h"
#include <math.h>

typedef struct fold_state {
    hd_vec_split split; /* of output channels */
    int64_t row;        /* weights of one */
    double eps;
    bool bias;
    hd_vec_fn scale; /* a vector times a number */
} fold_state;

static void fold_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const fold_state *s = e->state;
    const float *w = e->in[0], *scale = e->in[1], *shift = e->in[2], *mean = e->in[3], *var = e->in[4];
    const float *bias = s->bias ? e->in[5] : NULL;
    float *w_out = e->out[0], *b_out = e->out[1];
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    for (int64_t k = from; k < to; k++) {
        const double factor = (double)scale[k] / sqrt((double)var[k] + s->eps), b = bias ? (double)bias[k] : 0;
        const float f = (float)factor;
        b_out[k] = (float)((b - (double)mean[k]) * factor + (double)shift[k]);
        s->scale(w_out + k * s->row, w + k * s->row, &f, s->row, NULL);
    }
}

static const char *fold_supports(const hd_kctx *k) {
    return k->out[0].count == 0 ? "nothing to fold" : hd_vec_need_f32(k);
}

static hd_status fold_prepare(hd_kctx *k, hd_prepared *out) {
    fold_state *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    s->row = k->out[0].count / k->out[1].count;
    s->split = hd_vec_split_rows(k->out[1].count, s->row, HD_VEC_GRAIN);
    s->eps = ((const hd_fold_norm_args *)k->attr)->eps;
    s->bias = hd_vec_present(k, 5);
    s->scale = hd_vec_for(k->isa)->elem[HD_VEC_mul][HD_VEC_VS];
    return hd_vec_one_phase(out, s, fold_run, s->split.tasks);
}

const hd_kernel hd_kernel_vec_fold_norm = {.name = "cpu.fold_norm",
                                           .op = "fold_norm",
                                           .flags = HD_K_INPLACE,
                                           .supports = fold_supports,
                                           .prepare = fold_prepare};
