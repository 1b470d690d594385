/* product.c: the ops that are matrix products: linear and its two gradients, matmul. Says which operand is A, which is
 * B and what happens at the end; how the product is computed is gemm_plan.c's. */
#include "backends/cpu/gemm_plan.h"
#include "compile/kernel.h"
#include "hadal/program.h"
#include "ops/fused.h"
#include "ops/matmul_kit.h"

/* Multiply-adds up to which calling a library costs more than it gains: own tiles are as fast there
 * (docs/performance.md), and the library's first products cost 30 to 40 ms of code generation, most of a small run's
 * start. */
enum { SMALL_MACS = 1 << 26 };

typedef struct product {
    hd_gemm_plan plan;
    int a, b, bias, y; /* numbers of the inputs; -1: none */
    hd_gemm_end end;
    int64_t batch, step_a, step_b, step_c; /* products, and how far apart */
    bool uneven;                           /* an operand is repeated along some leading dimensions only */
    bool sums;                             /* linear_grad_weight: db as well */
} product;

static void product_run_of(const product *s, const hd_exec *e, int64_t number, hd_gemm_run *r) {
    *r = (hd_gemm_run){.a = (const float *)e->in[s->a] + number * s->step_a,
                       .b = (const float *)e->in[s->b] + number * s->step_b,
                       .c = (float *)e->out[0] + number * s->step_c,
                       .bias = s->bias >= 0 ? e->in[s->bias] : NULL,
                       .y = s->y >= 0 ? e->in[s->y] : NULL,
                       .a_sums = s->sums && s->plan.blocks ? e->out[1] : NULL,
                       .end = s->end,
                       .scratch = e->scratch,
                       .thread_scratch = s->plan.thread_scratch ? hd_thread_scratch(e) : NULL};
}

static void product_pack(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const product *s = e->state;
    hd_gemm_run r;
    product_run_of(s, e, 0, &r);
    hd_gemm_plan_pack(&s->plan, &r, task);
}

/* db[j] = Σ over samples of dz[., j]. dz is A, transposed: unless the sides were swapped, columns are rows of A. */
static void product_sums(const product *s, const hd_exec *e) {
    const hd_gemm_plan *p = &s->plan;
    const int64_t outputs = p->swapped ? p->n : p->m, samples = p->k;
    p->isa->column_sums(e->out[1], e->in[s->a], samples, outputs, outputs);
}

static void product_main(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const product *s = e->state;
    const hd_gemm_plan *p = &s->plan;
    hd_gemm_run r;
    const int64_t tasks = p->tasks * s->batch;
    if (s->sums && !p->blocks && (task == tasks || tasks <= 1)) {
        product_sums(s, e);
        if (task == tasks) return;
    }
    const int64_t number = s->batch > 1 ? task / p->tasks : 0;
    product_run_of(s, e, number, &r);
    hd_gemm_plan_run(p, &r, task - number * p->tasks);
}

static hd_status product_prepare(hd_kctx *k, product *s, hd_prepared *out) {
    s->plan.variant = k->variant;
    hd_gemm_plan_make(&s->plan, k->isa);
    product *state = hd_arena_alloc(k->arena, sizeof *state);
    if (!state) return HD_E_MEMORY;
    *state = *s;
    const int64_t tasks = s->plan.tasks * s->batch;
    out->state = state;
    if (s->plan.pack_tasks) out->phase[out->phases++] = (hd_phase){product_pack, s->plan.pack_tasks};
    out->phase[out->phases++] =
        (hd_phase){product_main, s->sums && !s->plan.blocks ? (tasks > 1 ? tasks + 1 : 1) : tasks};
    out->scratch = s->plan.scratch;
    out->scratch_per_thread = s->plan.thread_scratch;
    return HD_OK;
}

static hd_gemm_end end_of_act(int64_t act) {
    return act == HD_ACT_RELU      ? HD_END_RELU
           : act == HD_ACT_SIGMOID ? HD_END_SIGMOID
           : act == HD_ACT_TANH    ? HD_END_TANH
                                   : HD_END_NONE;
}
static hd_gemm_end end_of_slope(int64_t act) {
    return act == HD_ACT_RELU      ? HD_END_RELU_GRAD
           : act == HD_ACT_SIGMOID ? HD_END_SIGMOID_GRAD
           : act == HD_ACT_TANH    ? HD_END_TANH_GRAD
                                   : HD_END_NONE;
}

/* ---- the ops ---- */

static bool present(const hd_kctx *k, int i) {
    return i < k->n_in && k->in[i].dims.rank >= 0;
}

/* y [n, out] = act(x [n, in] · wᵀ + b) */
static product linear_of(const hd_kctx *k) {
    const hd_linear_args *args = k->attr;
    const int64_t out = k->in[1].dims.dim[0], in = k->in[1].dims.dim[1];
    return (product){.plan = {.m = out ? k->out[0].count / out : 0,
                              .n = out,
                              .k = in,
                              .ra = in,
                              .ca = 1,
                              .ldb = in,
                              .bt = true,
                              .ldc = out},
                     .a = 0,
                     .b = 1,
                     .bias = present(k, 2) ? 2 : -1,
                     .y = -1,
                     .end = end_of_act(args->act),
                     .batch = 1};
}

/* dx [n, in] = act'(y) · dz [n, out] w */
static product grad_input_of(const hd_kctx *k) {
    const hd_linear_grad_input_args *args = k->attr;
    const int64_t out = k->in[1].dims.dim[0], in = k->in[1].dims.dim[1];
    return (product){.plan = {.m = k->in[0].dims.dim[0], .n = in, .k = out, .ra = out, .ca = 1, .ldb = in, .ldc = in},
                     .a = 0,
                     .b = 1,
                     .bias = -1,
                     .y = args->act ? 2 : -1,
                     .end = end_of_slope(args->act),
                     .batch = 1};
}

/* dw [out, in] = dzᵀ x, db = Σ dz */
static product grad_weight_of(const hd_kctx *k) {
    const int64_t n = k->in[0].dims.dim[0], in = k->in[0].dims.dim[1], out = k->in[1].dims.dim[1];
    return (product){.plan = {.m = out, .n = in, .k = n, .ra = 1, .ca = out, .ldb = in, .ldc = in},
                     .a = 1,
                     .b = 0,
                     .bias = -1,
                     .y = -1,
                     .batch = 1,
                     .sums = true};
}

static product matmul_of(const hd_kctx *k) {
    const hd_matmul_args *args = k->attr;
    const hd_matmul_sizes z = hd_matmul_sizes_of(args, &k->in[0].dims, &k->in[1].dims);
    product s = {.plan = {.m = z.m,
                          .n = z.n,
                          .k = z.k,
                          .ra = args->trans_a ? 1 : z.k,
                          .ca = args->trans_a ? z.m : 1,
                          .ldb = args->trans_b ? z.k : z.n,
                          .bt = args->trans_b,
                          .ldc = z.n},
                 .a = 0,
                 .b = 1,
                 .bias = -1,
                 .y = -1,
                 .batch = z.m * z.n > 0 ? z.batch : 0,
                 .step_a = z.step_a,
                 .step_b = z.step_b,
                 .step_c = z.m * z.n,
                 .uneven = z.step_a < 0 || z.step_b < 0};
    if (s.batch > 1 && s.step_a > 0 && s.step_b == 0 && !args->trans_a) { /* one B for all: one tall product */
        s.plan.m *= s.batch;
        s.batch = 1;
    }
    s.plan.alone = s.batch > 1;
    return s;
}

/* A variant must cut the product otherwise than the rule does. */
static const char *no_other_split(const hd_kctx *k, const product *s) {
    hd_gemm_plan rule = s->plan, other = s->plan;
    other.variant = k->variant;
    hd_gemm_plan_make(&rule, k->isa);
    hd_gemm_plan_make(&other, k->isa);
    return rule.tasks_m == other.tasks_m && rule.tasks_n == other.tasks_n ? "it can not be cut so" : NULL;
}

/* What a product costs, and so whose it is. */
static const char *refuse(const hd_kctx *k, const product *s, bool small) {
    if (k->out[0].dtype != HD_F32) return "computes in f32 only";
    if (s->uneven) return "an operand is repeated along some of the leading dimensions only";
    if (small && (double)s->plan.m * (double)s->plan.n * (double)s->plan.k > SMALL_MACS)
        return "the product is not small";
    return k->variant ? no_other_split(k, s) : NULL;
}

#define PRODUCT_KERNEL(name_, op_, of)                                                                                 \
    static const char *op_##_fits_small(const hd_kctx *k) {                                                            \
        const product s = of(k);                                                                                       \
        return refuse(k, &s, true);                                                                                    \
    }                                                                                                                  \
    static const char *op_##_fits(const hd_kctx *k) {                                                                  \
        const product s = of(k);                                                                                       \
        return refuse(k, &s, false);                                                                                   \
    }                                                                                                                  \
    static hd_status op_##_prepare(hd_kctx *k, hd_prepared *out) {                                                     \
        product s = of(k);                                                                                             \
        return product_prepare(k, &s, out);                                                                            \
    }                                                                                                                  \
    const hd_kernel hd_kernel_cpu_##op_##_small = {.name = "cpu." name_ ".small",                                      \
                                                   .op = name_,                                                        \
                                                   .supports = op_##_fits_small,                                       \
                                                   .prepare = op_##_prepare,                                           \
                                                   .variants = HD_GEMM_VARIANTS};                                      \
    const hd_kernel hd_kernel_cpu_##op_ = {.name = "cpu." name_,                                                       \
                                           .op = name_,                                                                \
                                           .supports = op_##_fits,                                                     \
                                           .prepare = op_##_prepare,                                                   \
                                           .variants = HD_GEMM_VARIANTS};

PRODUCT_KERNEL("linear", linear, linear_of)
PRODUCT_KERNEL("linear_grad_input", linear_grad_input, grad_input_of)
PRODUCT_KERNEL("linear_grad_weight", linear_grad_weight, grad_weight_of)
PRODUCT_KERNEL("matmul", matmul, matmul_of)

/* ---- large products in blocks ---- */

/* k up to which blocks of a turned A are faster than the library. */
enum { FEW_SUMS_TURNED = 256 };

/* Rows a multiple of 4 KB apart compete for the same places of the caches; the library then loses 10 to 20 %. */
static bool blocks_pay(const hd_gemm_plan *p) {
    return p->ra != 1 || p->k <= FEW_SUMS_TURNED || p->ca % HD_GEMM_PAGE == 0;
}

static const char *refuse_blocks(const hd_kctx *k, product s) {
    const char *reason = refuse(k, &s, false);
    if (reason) return reason;
    hd_gemm_plan_make(&s.plan, k->isa);
    if (!s.plan.blocks) return "few rows or columns, or more than 32 MB to pack";
    return blocks_pay(&s.plan) ? NULL
                               : "turned, neither few sums nor rows a multiple of 4 KB apart: the library is as fast";
}

#define BLOCKS_KERNEL(name_, op_, of)                                                                                  \
    static const char *op_##_fits_blocks(const hd_kctx *k) {                                                           \
        return refuse_blocks(k, of(k));                                                                                \
    }                                                                                                                  \
    const hd_kernel hd_kernel_cpu_##op_##_blocks = {                                                                   \
        .name = "cpu." name_ ".blocks", .op = name_, .supports = op_##_fits_blocks, .prepare = op_##_prepare};

BLOCKS_KERNEL("linear", linear, linear_of)
BLOCKS_KERNEL("linear_grad_input", linear_grad_input, grad_input_of)
BLOCKS_KERNEL("linear_grad_weight", linear_grad_weight, grad_weight_of)
BLOCKS_KERNEL("matmul", matmul, matmul_of)

/* ---- the same of bf16, with a result of f32 ---- */

/* In pairs: a side that lies along k is one of floats, half as long. False where such a side has no whole pairs. */
static bool to_pairs(hd_gemm_plan *p) {
    const bool along = p->ra != 1 || p->bt;
    p->pairs = true;
    p->odd = p->k % 2;
    p->k = (p->k + 1) / 2;
    if (p->ra != 1) p->ra /= 2;
    if (p->bt) p->ldb /= 2;
    return !(p->odd && along);
}

static const char *refuse_pairs(const hd_kctx *k, product s) {
    const hd_operand *in = k->in;
    if (in[0].dtype != HD_BF16 || in[1].dtype != HD_BF16 || k->out[0].dtype != HD_F32)
        return "only for operands of bf16 with a result of f32";
    for (int i = 2; i < k->n_in; i++)
        if (present(k, i) && in[i].dtype != HD_F32) return "adds and masks in f32";
    if (!hd_gemm_pairs_of(k->isa) || !hd_precision_native(k->ctx, "bf16")) return "bf16 is emulated here";
    if (s.uneven || s.batch > 1) return "only for one product";
    if (!to_pairs(&s.plan)) return "an odd number of sums";
    hd_gemm_plan_make(&s.plan, k->isa);
    return s.plan.blocks ? NULL : "few rows or columns, or more than 32 MB to pack";
}

#define PAIRS_KERNEL(name_, op_, of)                                                                                   \
    static const char *op_##_fits_pairs(const hd_kctx *k) {                                                            \
        return refuse_pairs(k, of(k));                                                                                 \
    }                                                                                                                  \
    static hd_status op_##_prepare_pairs(hd_kctx *k, hd_prepared *out) {                                               \
        product s = of(k);                                                                                             \
        (void)to_pairs(&s.plan);                                                                                       \
        return product_prepare(k, &s, out);                                                                            \
    }                                                                                                                  \
    const hd_kernel hd_kernel_cpu_##op_##_pairs = {.name = "cpu." name_ ".bf16",                                       \
                                                   .op = name_,                                                        \
                                                   .flags = HD_K_BF16,                                                 \
                                                   .supports = op_##_fits_pairs,                                       \
                                                   .prepare = op_##_prepare_pairs};

PAIRS_KERNEL("linear", linear, linear_of)
PAIRS_KERNEL("linear_grad_input", linear_grad_input, grad_input_of)
PAIRS_KERNEL("linear_grad_weight", linear_grad_weight, grad_weight_of)
PAIRS_KERNEL("matmul", matmul, matmul_of)
