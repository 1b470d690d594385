/* vec_loss.c: kernels of the losses and of the count of right answers: tasks write sums, a last phase adds them up in
 * the order of the tasks. */
#include "backends/cpu/vec_loss.h"
#include "ops/fused.h"
#include "ops/loss_kit.h"

/* ---- logits and classes ---- */

static void loss_total(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_rows *s = e->state;
    (void)task;
    *(float *)e->out[s->loss] = (float)(hd_vec_total(e, s->split.tasks) / hd_vec_counted(e->in[1], s->split.n));
}

static void count_total(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_rows *s = e->state;
    const int64_t *part = (const int64_t *)e->scratch;
    int64_t sum = 0;
    (void)task;
    for (int64_t i = 0; i < s->split.tasks; i++) sum += part[i];
    *(int64_t *)e->out[0] = sum;
}

static const char *rows_supports(const hd_kctx *k) {
    if (k->in[0].dtype != HD_F32) return "only for f32";
    if (k->in[1].dtype != HD_I64) return "only for targets of i64";
    if (k->in[0].dims.rank != 2 || k->in[0].dims.dim[1] < 1 || k->in[0].dims.dim[1] > INT32_MAX / 2)
        return "only for logits [n, c]";
    return NULL;
}

static const char *cross_entropy_supports(const hd_kctx *k) {
    const char *reason = rows_supports(k);
    if (reason || strcmp(k->op->name, "cross_entropy") != 0) return reason;
    const bool weighted = k->n_in > 2 && k->in[2].dims.rank >= 0;
    return hd_cross_entropy_plain(k->attr, 2, HD_I64, weighted) ? NULL : "only for the mean without options";
}

static hd_vec_rows *rows_state(hd_kctx *k) {
    hd_vec_rows *s = hd_vec_state(k, sizeof *s);
    if (!s) return NULL;
    const int64_t n = k->in[0].dims.dim[0];
    s->c = k->in[0].dims.dim[1];
    s->split = hd_vec_split_rows(n, s->c, HD_VEC_GRAIN_HEAVY);
    s->dx = s->dy = s->loss = -1;
    return s;
}

static hd_status cross_entropy_prepare(hd_kctx *k, hd_prepared *out) {
    hd_vec_rows *s = rows_state(k);
    if (!s) return HD_E_MEMORY;
    const bool grad = strcmp(k->op->name, "cross_entropy_grad") == 0;
    const bool both = strcmp(k->op->name, "cross_entropy_both") == 0;
    if (grad)
        s->dx = 0, s->dy = 2;
    else
        s->loss = 0;
    if (both) s->dx = 1;
    out->state = s;
    out->scratch = (size_t)s->split.tasks * sizeof(double);
    out->phase[out->phases++] = (hd_phase){hd_vec_for(k->isa)->cross_entropy, s->split.tasks};
    if (!grad) out->phase[out->phases++] = (hd_phase){loss_total, 1};
    return HD_OK;
}

static hd_status count_correct_prepare(hd_kctx *k, hd_prepared *out) {
    hd_vec_rows *s = rows_state(k);
    if (!s) return HD_E_MEMORY;
    out->state = s;
    out->scratch = (size_t)s->split.tasks * sizeof(int64_t);
    out->phase[out->phases++] = (hd_phase){hd_vec_for(k->isa)->count_correct, s->split.tasks};
    out->phase[out->phases++] = (hd_phase){count_total, 1};
    return HD_OK;
}

#define ROWS_KERNEL(op_name, supports_fn, prepare_fn, kernel_flags)                                                    \
    const hd_kernel hd_kernel_vec_##op_name = {                                                                        \
        .name = "cpu." #op_name,                                                                                       \
        .op = #op_name,                                                                                                \
        .flags = kernel_flags,                                                                                         \
        .supports = supports_fn,                                                                                       \
        .prepare = prepare_fn,                                                                                         \
    };
ROWS_KERNEL(cross_entropy, cross_entropy_supports, cross_entropy_prepare, 0)
ROWS_KERNEL(cross_entropy_both, cross_entropy_supports, cross_entropy_prepare, 0)
ROWS_KERNEL(cross_entropy_grad, cross_entropy_supports, cross_entropy_prepare, HD_K_INPLACE)
ROWS_KERNEL(count_correct, rows_supports, count_correct_prepare, 0)

/* ---- pairs of numbers ---- */

static void pairs_total(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_pairs *s = e->state;
    (void)task;
    *(float *)e->out[0] = (float)(hd_vec_total(e, s->split.tasks) * s->factor);
}

static const char *pairs_supports(const hd_kctx *k) {
    const char *reason = hd_vec_need_f32(k);
    if (reason) return reason;
    for (int i = 2; i < k->n_in && k->op->n_in == 2; i++)
        if (k->in[i].dims.rank >= 0) return "without weights only";
    if (hd_reduction_of(k->op, k->attr) != HD_REDUCE_MEAN) return "only for the mean";
    return hd_dims_equal(&k->in[0].dims, &k->in[1].dims) ? NULL : "x and target of different shapes";
}

static hd_status pairs_prepare(hd_kctx *k, hd_prepared *out) {
    hd_vec_pairs *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    const hd_vec *v = hd_vec_for(k->isa);
    const bool half = strncmp(k->op->name, "half", 4) == 0, bce = strncmp(k->op->name, "bce", 3) == 0;
    const bool grad = k->op->n_in == 3;
    const double n = (double)k->in[0].count;
    const double batch = k->in[0].dims.rank > 0 ? (double)k->in[0].dims.dim[0] : 1;
    s->factor = half ? (grad ? 1 : 0.5) / batch : bce || !grad ? 1 / n : 2 / n;
    s->split = hd_vec_split_of(k->in[0].count, bce ? HD_VEC_GRAIN_HEAVY : HD_VEC_GRAIN);
    out->state = s;
    if (grad) {
        out->phase[out->phases++] = (hd_phase){bce ? v->loss_bce_grad : v->loss_squared_grad, s->split.tasks};
        return HD_OK;
    }
    out->scratch = (size_t)s->split.tasks * sizeof(double);
    const int loss = bce ? HD_VEC_LOSS_bce_with_logits : HD_VEC_LOSS_squared;
    out->phase[out->phases++] = (hd_phase){v->loss_pairs[loss], s->split.tasks};
    out->phase[out->phases++] = (hd_phase){pairs_total, 1};
    return HD_OK;
}

/* ---- pairs of numbers, other losses ---- */

/* Which loop, and its constants. */
static int other_loss(const hd_kctx *k, float *c) {
    const char *name = k->op->name;
    if (strcmp(name, "l1") == 0) return HD_VEC_LOSS_l1;
    if (strcmp(name, "bce") == 0) return HD_VEC_LOSS_bce;
    if (strcmp(name, "soft_margin") == 0) return HD_VEC_LOSS_soft_margin;
    if (strcmp(name, "poisson_nll") == 0) return HD_VEC_LOSS_poisson_nll;
    if (strcmp(name, "hinge_embedding") == 0) {
        c[0] = (float)((const hd_hinge_embedding_args *)k->attr)->margin;
        return HD_VEC_LOSS_hinge_embedding;
    }
    if (strcmp(name, "huber") == 0) {
        const double delta = ((const hd_huber_args *)k->attr)->delta;
        c[0] = (float)delta, c[1] = (float)(0.5 * delta);
        return HD_VEC_LOSS_huber;
    }
    if (strcmp(name, "smooth_l1") == 0) {
        const double beta = ((const hd_smooth_l1_args *)k->attr)->beta;
        if (beta == 0) return HD_VEC_LOSS_l1;
        c[0] = (float)beta, c[1] = (float)(0.5 / beta), c[2] = (float)(0.5 * beta);
        return HD_VEC_LOSS_smooth_l1;
    }
    return ((const hd_kl_div_args *)k->attr)->log_target ? HD_VEC_LOSS_kl_div_logs : HD_VEC_LOSS_kl_div;
}

static const char *other_supports(const hd_kctx *k) {
    const char *reason = hd_vec_need_f32(k);
    if (reason) return reason;
    if (hd_vec_present(k, 2)) return "without weights only";
    if (hd_reduction_of(k->op, k->attr) == HD_REDUCE_NONE) return "only for a sum or mean";
    if (strcmp(k->op->name, "poisson_nll") != 0) return NULL;
    const hd_poisson_nll_args *a = k->attr;
    return a->full || a->log_input == HD_OFF ? "only of logarithms, without Stirling's term" : NULL;
}

static hd_status other_prepare(hd_kctx *k, hd_prepared *out) {
    hd_vec_pairs *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    const int64_t reduction = hd_reduction_of(k->op, k->attr);
    const int loss = other_loss(k, s->c);
    const double n = (double)k->in[0].count;
    s->factor = reduction == HD_REDUCE_SUM         ? 1
                : reduction == HD_REDUCE_BATCHMEAN ? 1 / hd_loss_batch(&k->in[0].dims)
                                                   : 1 / n;
    s->split = hd_vec_split_of(k->in[0].count, HD_VEC_GRAIN_HEAVY);
    out->state = s;
    out->scratch = (size_t)s->split.tasks * sizeof(double);
    out->phase[out->phases++] = (hd_phase){hd_vec_for(k->isa)->loss_pairs[loss], s->split.tasks};
    out->phase[out->phases++] = (hd_phase){pairs_total, 1};
    return HD_OK;
}

#define PAIRS_KERNEL(op_name, kernel_flags, kind)                                                                      \
    const hd_kernel hd_kernel_vec_##op_name = {                                                                        \
        .name = "cpu." #op_name,                                                                                       \
        .op = #op_name,                                                                                                \
        .flags = kernel_flags,                                                                                         \
        .supports = kind##_supports,                                                                                   \
        .prepare = kind##_prepare,                                                                                     \
    };
PAIRS_KERNEL(mse, 0, pairs)
PAIRS_KERNEL(half_squared_error, 0, pairs)
PAIRS_KERNEL(bce_with_logits, 0, pairs)
PAIRS_KERNEL(mse_grad, HD_K_INPLACE_ANY, pairs)
PAIRS_KERNEL(half_squared_error_grad, HD_K_INPLACE_ANY, pairs)
PAIRS_KERNEL(bce_with_logits_grad, HD_K_INPLACE_ANY, pairs)
PAIRS_KERNEL(l1, 0, other)
PAIRS_KERNEL(smooth_l1, 0, other)
PAIRS_KERNEL(huber, 0, other)
PAIRS_KERNEL(bce, 0, other)
PAIRS_KERNEL(kl_div, 0, other)
PAIRS_KERNEL(poisson_nll, 0, other)
PAIRS_KERNEL(soft_margin, 0, other)
PAIRS_KERNEL(hinge_embedding, 0, other)
