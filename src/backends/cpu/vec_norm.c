/* vec_norm.c: kernels of batch normalisation over images and places, in whatever order the channels lie. */
#include "backends/cpu/vec_norm.h"
#include "backends/cpu/gemm.h"

static const char *norm_supports(const hd_kctx *k) {
    const char *reason = hd_vec_need_f32(k);
    if (reason) return reason;
    return k->in[0].count == 0 ? "nothing to normalise" : NULL;
}

static void norm_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out) {
    hd_planes_layouts(k, 1u << 0, in, out);
}

static void norm_grad_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out) {
    hd_planes_layouts(k, 1u << 0 | 1u << 4 | 1u << 5, in, out);
}

/* State and scratch; false without memory. */
static hd_vec_norm *norm_state(hd_kctx *k, hd_prepared *out) {
    hd_vec_norm *s = hd_vec_state(k, sizeof *s);
    if (!s) return NULL;
    hd_planes_of(&s->planes, &k->in[0].dims, &k->in[0].layout, hd_gemm_of(k->isa)->lanes);
    s->split = hd_planes_split_of(&s->planes, HD_VEC_GRAIN, HD_VEC_NORM_IMAGES);
    s->room = (s->planes.held + 15) / 16 * 16;
    out->state = s;
    return s;
}

static void norm_phase(const hd_vec_norm *s, hd_prepared *out, hd_vec_run run) {
    out->phase[out->phases++] = (hd_phase){run, hd_planes_tasks(&s->split)};
}

static hd_status norm_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_batch_norm_args *a = k->attr;
    hd_vec_norm *s = norm_state(k, out);
    if (!s) return HD_E_MEMORY;
    const hd_vec *v = hd_vec_for(k->isa);
    s->eps = a->eps;
    s->momentum = a->momentum;
    s->relu = a->act == HD_ACT_RELU;
    if (k->n_out == 1) {
        norm_phase(s, out, v->norm_infer);
        return HD_OK;
    }
    out->scratch = (size_t)s->room * (2 * (size_t)s->split.image_tasks * sizeof(double) + sizeof(float));
    norm_phase(s, out, v->norm_sum);
    norm_phase(s, out, v->norm_normalise);
    return HD_OK;
}

static hd_status norm_grad_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_batch_norm_grad_args *a = k->attr;
    hd_vec_norm *s = norm_state(k, out);
    if (!s) return HD_E_MEMORY;
    const hd_vec *v = hd_vec_for(k->isa);
    s->relu = a->act == HD_ACT_RELU;
    out->scratch = (size_t)s->room * (2 * (size_t)s->split.image_tasks * sizeof(double) + sizeof(float));
    norm_phase(s, out, v->norm_grad_sum);
    norm_phase(s, out, v->norm_grad);
    return HD_OK;
}

const hd_kernel hd_kernel_vec_batch_norm = {
    .name = "cpu.batch_norm",
    .op = "batch_norm",
    .flags = HD_K_INPLACE,
    .supports = norm_supports,
    .layouts = norm_layouts,
    .prepare = norm_prepare,
};
const hd_kernel hd_kernel_vec_batch_norm_infer = {
    .name = "cpu.batch_norm_infer",
    .op = "batch_norm_infer",
    .flags = HD_K_INPLACE,
    .supports = norm_supports,
    .layouts = norm_layouts,
    .prepare = norm_prepare,
};
const hd_kernel hd_kernel_vec_batch_norm_grad = {
    .name = "cpu.batch_norm_grad",
    .op = "batch_norm_grad",
    .flags = HD_K_INPLACE_ANY,
    .supports = norm_supports,
    .layouts = norm_grad_layouts,
    .prepare = norm_grad_prepare,
};
