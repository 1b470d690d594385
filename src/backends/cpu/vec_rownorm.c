/* vec_rownorm.c: kernels of layer, root mean square and group normalisation and of their gradients. */
#include "backends/cpu/vec_rownorm.h"

/* Beyond this many weights fewer tasks: each has sums of its own for all of them. */
enum { ROWNORM_WIDE = 16384, ROWNORM_WIDE_TASKS = 8 };

static const char *rownorm_supports(const hd_kctx *k) {
    return k->in[0].count == 0 ? "nothing to normalise" : hd_vec_need_f32(k);
}

/* x, y and their gradients; dy stands behind the statistics. */
static const char *rownorm_supports_half(const hd_kctx *k) {
    const int dy = strstr(k->op->name, "_grad") ? (k->n_out == 3 ? 3 : 2) : 0;
    if (k->in[0].count == 0) return "nothing to normalise";
    for (int i = 0; i < k->n_in; i++)
        if (hd_vec_present(k, i) && k->in[i].dtype != (i == 0 || i == dy ? HD_BF16 : HD_F32))
            return "only for x and dy of bf16, weights and statistics of f32";
    for (int o = 0; o < k->n_out; o++)
        if (k->out[o].dtype != (o ? HD_F32 : HD_BF16)) return "only for a result of bf16";
    return NULL;
}

static hd_vec_rownorm *rownorm_state(hd_kctx *k, hd_prepared *out, hd_norm_rows rows, bool centred) {
    hd_vec_rownorm *s = hd_vec_state(k, sizeof *s);
    if (!s) return NULL;
    s->rows = rows;
    s->centred = centred;
    s->half = k->in[0].dtype == HD_BF16;
    if (s->half) out->scratch_per_thread = 2 * sizeof(float) * (size_t)rows.m;
    s->weights = hd_norm_weights(&rows);
    s->split = hd_vec_split_rows(rows.rows, rows.m, HD_VEC_GRAIN);
    out->state = s;
    return s;
}

static hd_status rownorm_forward(hd_kctx *k, hd_prepared *out, hd_norm_rows rows, bool centred, double eps) {
    hd_vec_rownorm *s = rownorm_state(k, out, rows, centred);
    if (!s) return HD_E_MEMORY;
    s->eps = eps;
    out->phase[out->phases++] = (hd_phase){hd_vec_for(k->isa)->rownorm, s->split.tasks};
    return HD_OK;
}

static hd_status rownorm_backward(hd_kctx *k, hd_prepared *out, hd_norm_rows rows, bool centred) {
    hd_vec_rownorm *s = rownorm_state(k, out, rows, centred);
    if (!s) return HD_E_MEMORY;
    const hd_vec *v = hd_vec_for(k->isa);
    if (s->weights > ROWNORM_WIDE && s->split.tasks > ROWNORM_WIDE_TASKS)
        s->split = hd_vec_split_rows(rows.rows, rows.m, rows.rows * rows.m / ROWNORM_WIDE_TASKS);
    s->join = hd_vec_split_of(s->weights, HD_VEC_GRAIN / s->split.tasks);
    out->scratch = (size_t)(s->split.tasks * 2 * s->weights) * sizeof(float);
    out->phase[out->phases++] = (hd_phase){v->rownorm_grad, s->split.tasks};
    out->phase[out->phases++] = (hd_phase){v->rownorm_join, s->join.tasks};
    return HD_OK;
}

/* Kernels of an op and its gradient; ROWS of x and the options a. */
#define ROWNORM(op_name, ROWS, is_centred)                                                                             \
    static hd_status op_name##_prepare(hd_kctx *k, hd_prepared *out) {                                                 \
        const hd_##op_name##_args *a = k->attr;                                                                        \
        return rownorm_forward(k, out, ROWS(&k->in[0].dims, a), is_centred, a->eps);                                   \
    }                                                                                                                  \
    static hd_status op_name##_grad_prepare(hd_kctx *k, hd_prepared *out) {                                            \
        const hd_##op_name##_grad_args *a = k->attr;                                                                   \
        return rownorm_backward(k, out, ROWS(&k->in[0].dims, a), is_centred);                                          \
    }                                                                                                                  \
    const hd_kernel hd_kernel_vec_##op_name = {.name = "cpu." #op_name,                                                \
                                               .op = #op_name,                                                         \
                                               .flags = HD_K_INPLACE,                                                  \
                                               .supports = rownorm_supports,                                           \
                                               .prepare = op_name##_prepare};                                          \
    const hd_kernel hd_kernel_vec_##op_name##_grad = {.name = "cpu." #op_name "_grad",                                 \
                                                      .op = #op_name "_grad",                                          \
                                                      .flags = HD_K_INPLACE_ANY,                                       \
                                                      .supports = rownorm_supports,                                    \
                                                      .prepare = op_name##_grad_prepare};                              \
    const hd_kernel hd_kernel_half_##op_name = {.name = "cpu." #op_name ".bf16",                                       \
                                                .op = #op_name,                                                        \
                                                .flags = HD_K_INPLACE | HD_K_BF16,                                     \
                                                .supports = rownorm_supports_half,                                     \
                                                .prepare = op_name##_prepare};                                         \
    const hd_kernel hd_kernel_half_##op_name##_grad = {.name = "cpu." #op_name "_grad.bf16",                           \
                                                       .op = #op_name "_grad",                                         \
                                                       .flags = HD_K_INPLACE_ANY | HD_K_BF16,                          \
                                                       .supports = rownorm_supports_half,                              \
                                                       .prepare = op_name##_grad_prepare};
#define LAST_ROWS(x, a)  hd_norm_last_rows(x, &(a)->normalized_shape)
#define GROUP_ROWS(x, a) hd_norm_group_rows(x, (a)->num_groups)
ROWNORM(layer_norm, LAST_ROWS, true)
ROWNORM(rms_norm, LAST_ROWS, false)
ROWNORM(group_norm, GROUP_ROWS, true)
