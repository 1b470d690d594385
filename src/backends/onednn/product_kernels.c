/* product_kernels.c: the kernels of linear, its gradients and matmul for sizes at which a library call pays. Everything
 * stays in plain order: measured against the library's own weight layouts that costs 0–5 % and saves every reorder.
 * Tasks are slices of the result, so that they compute the same sums as the whole would. */
#include "backends/cpu/vec.h"
#include "backends/onednn/dnnl_api.h"
#include "base/alloc.h"
#include "base/cpu.h"
#include "base/pool.h"
#include "base/status.h"
#include "ops/fused.h"
#include "ops/matmul_kit.h"
#include <string.h>

enum { SPLIT_BATCH, SPLIT_ROWS, SPLIT_COLUMNS };
enum { MIN_WORK = 64 * 64 * 64, GRAIN = 16, MIN_ROWS = 32, MIN_COLUMNS = 64 };

/* A node as a product, and how it is cut: `tasks` parts of `part` rows, columns or products, the last maybe smaller. */
typedef struct product_plan {
    hd_dnnl_product whole;
    int split;
    int64_t part, last, tasks;
} product_plan;

typedef struct product_state {
    hd_context *ctx;
    hd_dnnl_prim *prim[2]; /* of a full part, of the last when it is smaller */
    product_plan plan;
    int a, b, bias;                   /* which input; bias −1: none */
    hd_vec_fn mask;                   /* act′, or NULL */
    hd_vec_fn add;                    /* for column sums, or NULL */
    hd_vec_cast widen, narrow;        /* bf16 ↔ f32 */
    size_t in_size, y_size, act_size; /* bytes of an element of a and b, of y, of the y of act′ */
} product_state;

/* Elements of bf16 that are widened at a time: two such rows stay in the first cache. */
enum { WIDE = 1024 };

/* ---- from nodes to products ---- */

static bool present(const hd_kctx *k, int in) {
    return in < k->n_in && k->in[in].dims.rank >= 0;
}

static int64_t rows_of(const hd_dims *d) {
    int64_t n = 1;
    for (int i = 0; i + 1 < d->rank; i++) n *= d->dim[i];
    return n;
}

static int64_t last_of(const hd_dims *d) {
    return d->rank ? d->dim[d->rank - 1] : 1;
}

static hd_dnnl_product linear_product(const hd_kctx *k) {
    const int64_t in = last_of(&k->in[0].dims), out = last_of(&k->out[0].dims);
    return (hd_dnnl_product){.batch = 1,
                             .m = rows_of(&k->in[0].dims),
                             .n = out,
                             .k = in,
                             .trans_b = true,
                             .bias = present(k, 2),
                             .lda = in,
                             .ldb = in,
                             .ldy = out,
                             .act = ((const hd_linear_args *)k->attr)->act,
                             .isa = k->isa};
}

static hd_dnnl_product linear_grad_input_product(const hd_kctx *k) {
    const int64_t in = last_of(&k->out[0].dims), out = last_of(&k->in[0].dims);
    return (hd_dnnl_product){
        .batch = 1, .m = rows_of(&k->in[0].dims), .n = in, .k = out, .lda = out, .ldb = in, .ldy = in, .isa = k->isa};
}

/* a is dz [n, k], read as its transpose; b is x. */
static hd_dnnl_product linear_grad_weight_product(const hd_kctx *k) {
    const int64_t in = last_of(&k->in[0].dims), out = last_of(&k->in[1].dims);
    return (hd_dnnl_product){.batch = 1,
                             .m = out,
                             .n = in,
                             .k = rows_of(&k->in[0].dims),
                             .trans_a = true,
                             .lda = out,
                             .ldb = in,
                             .ldy = in,
                             .isa = k->isa};
}

static hd_dnnl_product matmul_product(const hd_kctx *k) {
    const hd_matmul_args *args = k->attr;
    const hd_matmul_sizes z = hd_matmul_sizes_of(args, &k->in[0].dims, &k->in[1].dims);
    hd_dnnl_product p = {.batch = z.batch,
                         .m = z.m,
                         .n = z.n,
                         .k = z.k,
                         .trans_a = args->trans_a,
                         .trans_b = args->trans_b,
                         .step_a = z.step_a,
                         .step_b = z.step_b,
                         .isa = k->isa};
    if (z.step_a < 0 || z.step_b < 0) p.batch = -1;
    if (p.batch > 1 && p.step_a > 0 && p.step_b == 0 && !p.trans_a) { /* one b for all: a single tall product */
        p.m *= p.batch;
        p.batch = 1;
    }
    p.lda = p.trans_a ? p.m : p.k;
    p.ldb = p.trans_b ? p.k : p.n;
    p.ldy = p.n;
    p.step_y = p.m * p.n;
    return p;
}

/* ---- the split: a function of the sizes alone ---- */

/* Fewer than for convolutions: every slice packs its operands again. */
static int64_t tasks_for(double flops) {
    if (flops < 2e6) return 1;
    if (flops < 400e6) return 2;
    return flops < 4e9 ? 4 : 8;
}

static void cut(product_plan *p, int split, int64_t size, int64_t grain, int64_t tasks) {
    p->split = split;
    p->part = ((size + tasks - 1) / tasks + grain - 1) / grain * grain;
    if (p->part > size) p->part = size;
    p->tasks = (size + p->part - 1) / p->part;
    p->last = size - (p->tasks - 1) * p->part;
}

/* Where b is transposed, slices of columns run along rows of b that lie a page apart: rows are better, unless there are
 * too few. Where a is, both operands are packed in any case: the longer side. Measured in docs/performance.md. */
static bool split_rows(const hd_dnnl_product *w, int64_t tasks) {
    if (w->trans_a) return w->m > w->n;
    if (w->trans_b) return w->m >= MIN_ROWS * tasks || w->m > w->n;
    return w->n < MIN_COLUMNS * tasks && w->m > w->n;
}

static void cut_as(product_plan *p, int split, int64_t tasks) {
    const hd_dnnl_product *w = &p->whole;
    if (split == SPLIT_BATCH)
        cut(p, SPLIT_BATCH, w->batch, 1, tasks);
    else
        cut(p, split, split == SPLIT_ROWS ? w->m : w->n, GRAIN, tasks);
}

/* Variants: 1 half as many tasks, 2 twice as many, 3 columns where rows are the rule, and the reverse. */
enum { VARIANTS = 4 };

static const char *choose_split(product_plan *p, int variant) {
    const hd_dnnl_product *w = &p->whole;
    const int64_t tasks = tasks_for(2.0 * (double)w->batch * (double)w->m * (double)w->n * (double)w->k);
    const bool batch = w->batch >= tasks && w->batch > 1;
    cut_as(p, batch ? SPLIT_BATCH : split_rows(w, tasks) ? SPLIT_ROWS : SPLIT_COLUMNS, tasks);
    const int64_t rule = p->tasks;
    if (variant == 0) return NULL;
    if (variant == 3 && (batch || rule == 1)) return "there is no other side to cut";
    if (variant == 3)
        cut_as(p, p->split == SPLIT_ROWS ? SPLIT_COLUMNS : SPLIT_ROWS, tasks);
    else
        cut_as(p, p->split, variant == 1 ? (tasks + 1) / 2 : 2 * tasks);
    return (variant == 3 ? p->tasks > 1 : p->tasks != rule) ? NULL : "it can not be cut so";
}

static hd_dnnl_product part_of(const product_plan *p, bool last) {
    hd_dnnl_product part = p->whole;
    const int64_t size = last ? p->last : p->part;
    if (p->split == SPLIT_BATCH) part.batch = size;
    if (p->split == SPLIT_ROWS) part.m = size;
    if (p->split == SPLIT_COLUMNS) part.n = size;
    return part;
}

/* The first two inputs, which are multiplied, are both f32 or both bf16; then the rest may be either. */
static bool settle_dtypes(hd_dnnl_product *p, const hd_kctx *k) {
    const hd_dtype in = k->in[0].dtype;
    for (int i = 0; i < k->n_in + k->n_out; i++) {
        const hd_operand *o = i < k->n_in ? &k->in[i] : &k->out[i - k->n_in];
        if (o->dims.rank >= 0 && o->dtype != HD_F32 && (o->dtype != HD_BF16 || in != HD_BF16)) return false;
    }
    if (k->in[1].dtype != in || (k->n_out > 1 && k->out[1].dtype != HD_F32)) return false;
    p->dtype[HD_DNNL_X] = p->dtype[HD_DNNL_W] = in;
    p->dtype[HD_DNNL_Y] = k->out[0].dtype;
    if (p->bias) p->dtype[HD_DNNL_B] = k->in[2].dtype;
    return true;
}

static const char *plan_product(product_plan *p, const hd_kctx *k, hd_dnnl_product whole) {
    hd_dnnl_answer answer;
    if (!settle_dtypes(&whole, k)) return "only for f32, or bf16 with sums in f32";
    if (k->in[0].dtype == HD_BF16 && !hd_cpu_bf16(k->isa)) return HD_DNNL_NO_BF16;
    if (whole.batch < 0) return "an operand is repeated along some of the leading dimensions only";
    if (whole.batch == 0 || whole.m <= 0 || whole.n <= 0 || whole.k <= 0) return "nothing to do";
    if ((double)whole.batch * (double)whole.m * (double)whole.n * (double)whole.k < MIN_WORK)
        return "below 64x64x64 multiply-adds the call costs too much";
    p->whole = whole;
    const char *reason = choose_split(p, k->variant);
    if (reason) return reason;
    const hd_dnnl_product full = part_of(p, false), last = part_of(p, true);
    reason = hd_dnnl_ask_product(&full, &answer);
    return reason || p->last == p->part ? reason : hd_dnnl_ask_product(&last, &answer);
}

/* ---- running ---- */

/* db [k] = column sums of dz [n, k], columns from … to, row after row. */
static void sum_columns(const product_state *s, const hd_exec *e, int64_t t) {
    const char *dz = e->in[s->a];
    float *db = e->out[1], wide[WIDE];
    const int64_t rows = s->plan.whole.k, k = s->plan.whole.m, end = k * (t + 1) / s->plan.tasks;
    for (int64_t at = k * t / s->plan.tasks, n; at < end; at += n) {
        n = hd_vec_min(s->widen ? WIDE : k, end - at);
        for (int64_t r = 0; r < rows; r++) {
            const void *row = dz + (size_t)(r * k + at) * s->in_size;
            if (s->widen) s->widen(wide, row, n);
            if (r == 0)
                memcpy(db + at, s->widen ? wide : row, (size_t)n * sizeof *db);
            else
                s->add(db + at, db + at, s->widen ? wide : row, n, NULL);
        }
    }
}

/* A row as f32: itself, or widened into the buffer. */
static const float *as_f32(const product_state *s, const char *row, size_t size, float *wide, int64_t n) {
    if (size == sizeof *wide || !s->widen) return (const float *)(const void *)row;
    s->widen(wide, row, n);
    return wide;
}

static void mask_row(const product_state *s, const char *y, char *dx, int64_t n) {
    float wide_y[WIDE], wide[WIDE];
    for (int64_t at = 0, m; at < n; at += m) {
        m = hd_vec_min(s->widen ? WIDE : n, n - at);
        char *part = dx + (size_t)at * s->y_size;
        const float *now = as_f32(s, part, s->y_size, wide, m);
        const float *mask = as_f32(s, y + (size_t)at * s->act_size, s->act_size, wide_y, m);
        if (s->y_size == sizeof(float)) {
            s->mask((float *)(void *)part, mask, now, m, NULL);
        } else {
            s->mask(wide, mask, now, m, NULL);
            s->narrow(part, wide, m);
        }
    }
}

/* dx' = act'(y) · dx where the task has just written it. */
static void mask_part(const product_state *s, const hd_exec *e, int64_t row, int64_t rows, int64_t column,
                      int64_t columns) {
    const char *y = e->in[2];
    char *dx = e->out[0];
    for (int64_t r = row; r < row + rows; r++) {
        const size_t at = (size_t)(r * s->plan.whole.ldy + column);
        mask_row(s, y + at * s->act_size, dx + at * s->y_size, columns);
    }
}

static void run_part(void *exec, int64_t t) {
    const hd_exec *e = exec;
    const product_state *s = e->state;
    const hd_dnnl_product *w = &s->plan.whole;
    const bool last = s->prim[1] && t == s->plan.tasks - 1;
    const int64_t from = t * s->plan.part, size = t == s->plan.tasks - 1 ? s->plan.last : s->plan.part;
    int64_t a = 0, b = 0, bias = 0, y = 0; /* elements from the start */
    switch (s->plan.split) {
    case SPLIT_BATCH: a = from * w->step_a, b = from * w->step_b, y = from * w->step_y; break;
    case SPLIT_ROWS: a = from * (w->trans_a ? 1 : w->lda), y = from * w->ldy; break;
    default: b = from * (w->trans_b ? w->ldb : 1), y = bias = from;
    }
    void *const operand[HD_DNNL_OPERANDS] = {
        (char *)e->in[s->a] + (size_t)a * s->in_size, (char *)e->in[s->b] + (size_t)b * s->in_size,
        s->bias < 0 ? NULL : (char *)e->in[s->bias] + (size_t)bias * hd_dtype_size(w->dtype[HD_DNNL_B]),
        (char *)e->out[0] + (size_t)y * s->y_size};
    hd_dnnl_run(s->prim[last], last ? 0 : t, operand, hd_thread_scratch(e));
    if (s->mask && s->plan.split == SPLIT_ROWS) mask_part(s, e, from, size, 0, w->n);
    if (s->mask && s->plan.split == SPLIT_COLUMNS) mask_part(s, e, 0, w->m, from, size);
    if (s->add) sum_columns(s, e, t);
}

/* ---- preparing ---- */

static void product_destroy(void *state) {
    product_state *s = state;
    hd_dnnl_free(s->prim[0], s->ctx);
    hd_dnnl_free(s->prim[1], s->ctx);
}

static hd_status prepare_parts(product_state *s, const hd_kctx *k, hd_prepared *out) {
    const product_plan *p = &s->plan;
    const bool uneven = p->last != p->part;
    const hd_dnnl_product full = part_of(p, false), last = part_of(p, true);
    hd_status status = hd_dnnl_product_new(&s->prim[0], k->ctx, &full, p->tasks - uneven);
    if (status == HD_OK && uneven) status = hd_dnnl_product_new(&s->prim[1], k->ctx, &last, 1);
    if (status != HD_OK) {
        product_destroy(s);
        return status;
    }
    size_t scratch = 0;
    for (int i = 0; i <= uneven; i++)
        if (hd_dnnl_scratch(s->prim[i]) > scratch) scratch = hd_dnnl_scratch(s->prim[i]);
    out->state = s;
    out->destroy = product_destroy;
    out->phase[0] = (hd_phase){run_part, p->tasks};
    out->phases = 1;
    out->scratch_per_thread = (scratch + 63) / 64 * 64;
    return HD_OK;
}

/* Makes the state: which inputs are a and b, which the bias; the caller's extras are set afterwards. */
static hd_status product_prepare(hd_kctx *k, hd_prepared *out, hd_dnnl_product whole, int a, int b, int bias) {
    memset(out, 0, sizeof *out);
    product_state *s = hd_arena_alloc(k->arena, sizeof *s);
    if (!s) return HD_E_MEMORY;
    const hd_fp_state fp = hd_fp_enter();
    const char *reason = plan_product(&s->plan, k, whole);
    s->ctx = k->ctx;
    s->a = a, s->b = b;
    s->bias = whole.bias ? bias : -1;
    s->in_size = hd_dtype_size(k->in[0].dtype);
    s->y_size = hd_dtype_size(k->out[0].dtype);
    s->act_size = present(k, 2) ? hd_dtype_size(k->in[2].dtype) : 0;
    const hd_vec *vec = hd_vec_for(k->isa);
    if (k->in[0].dtype == HD_BF16) s->widen = vec->cast_to_f32[HD_BF16], s->narrow = vec->cast_from_f32[HD_BF16];
    if (k->n_out > 1) s->add = vec->elem[HD_VEC_add][HD_VEC_VV];
    if (strcmp(k->op->name, "linear_grad_input") == 0) {
        static const int mask[] = {
            [HD_ACT_RELU] = HD_VEC_relu_grad, [HD_ACT_SIGMOID] = HD_VEC_sigmoid_grad, [HD_ACT_TANH] = HD_VEC_tanh_grad};
        const int64_t act = ((const hd_linear_grad_input_args *)k->attr)->act;
        if (act != HD_ACT_NONE) s->mask = vec->elem[mask[act]][HD_VEC_VV];
    }
    hd_status status;
    if (reason)
        status = hd_fail(k->ctx, HD_E_UNSUPPORTED, "%s|%s", k->op->name, reason);
    else
        status = prepare_parts(s, k, out);
    hd_fp_leave(fp);
    return status;
}

static const char *product_supports(const hd_kctx *k, hd_dnnl_product whole) {
    product_plan p;
    const hd_fp_state fp = hd_fp_enter();
    const char *reason = plan_product(&p, k, whole);
    hd_fp_leave(fp);
    return reason;
}

#define PRODUCT_KERNEL(op_, a, b, bias)                                                                                \
    static const char *op_##_supports(const hd_kctx *k) {                                                              \
        return product_supports(k, op_##_product(k));                                                                  \
    }                                                                                                                  \
    static hd_status op_##_prepare(hd_kctx *k, hd_prepared *out) {                                                     \
        return product_prepare(k, out, op_##_product(k), a, b, bias);                                                  \
    }                                                                                                                  \
    const hd_kernel hd_kernel_dnnl_##op_ = {.name = "onednn." #op_,                                                    \
                                            .op = #op_,                                                                \
                                            .flags = HD_K_BF16,                                                        \
                                            .supports = op_##_supports,                                                \
                                            .prepare = op_##_prepare,                                                  \
                                            .variants = VARIANTS};

PRODUCT_KERNEL(linear, 0, 1, 2)
PRODUCT_KERNEL(linear_grad_input, 0, 1, -1)
PRODUCT_KERNEL(linear_grad_weight, 1, 0, -1)
PRODUCT_KERNEL(matmul, 0, 1, -1)
