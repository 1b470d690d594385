/* half_kernels.c: kernels of bf16 made of those of f32, for ops that round at most once: a task widens a piece of its
 * operands into its own scratch, which stays in the cache, runs the f32 code on it, and rounds what came out. So memory
 * is read and written in bf16, and there is one inner loop. Pieces are rows of numbers for elementwise ops, and samples
 * (indices of the first dimension) for ops that treat every sample by itself. */
#include "backends/cpu/vec_elem.h"
#include "backends/cpu/vec_pool.h"
#include "base/pool.h"

/* ---- elementwise: out is like in 0, and in 1 too where there is one; zeros in padding stay zeros ---- */

enum { HALF_ROW = 1024 };

typedef struct half_elem {
    hd_vec_fn fn;
    hd_vec_split split;
    hd_vec_cast widen, narrow;
    bool binary;
    float c[HD_VEC_CONSTANTS];
} half_elem;

static void half_elem_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const half_elem *s = e->state;
    float a[HALF_ROW], b[HALF_ROW];
    const int64_t end = hd_vec_min((task + 1) * s->split.chunk, s->split.n);
    for (int64_t at = task * s->split.chunk, n; at < end; at += n) {
        n = hd_vec_min(HALF_ROW, end - at);
        s->widen(a, (const uint16_t *)e->in[0] + at, n);
        if (s->binary) s->widen(b, (const uint16_t *)e->in[1] + at, n);
        s->fn(a, a, b, n, s->c);
        s->narrow((uint16_t *)e->out[0] + at, a, n);
    }
}

static const char *half_elem_supports(const hd_kctx *k) {
    const int op = hd_vec_op_find(k->op->name, strlen(k->op->name));
    const char *reason = hd_vec_op_refuses(op, k->attr);
    if (reason) return reason;
    if (k->n_in > 2 || (op >= HD_VEC_add) != (k->n_in == 2)) return "only for the operands of its primitive";
    for (int i = 0; i < k->n_in; i++)
        if (k->in[i].dtype != HD_BF16 || !hd_dims_equal(&k->in[i].dims, &k->out[0].dims))
            return "only for operands of bf16 of one shape";
    if (k->out[0].dtype != HD_BF16) return "only for a result of bf16";
    float c[HD_VEC_CONSTANTS] = {0};
    hd_vec_constants(op, k->attr, c);
    return hd_vec_op_keeps_zero(op, c) ? NULL : "only for what leaves padding zero";
}

static hd_status half_elem_prepare(hd_kctx *k, hd_prepared *out) {
    half_elem *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    const hd_vec *v = hd_vec_for(k->isa);
    const int op = hd_vec_op_find(k->op->name, strlen(k->op->name));
    hd_vec_constants(op, k->attr, s->c);
    s->fn = v->elem[op][HD_VEC_VV];
    s->split = hd_vec_split_of((int64_t)(k->out[0].bytes / sizeof(uint16_t)),
                               hd_vec_op_heavy(op) ? HD_VEC_GRAIN_HEAVY : HD_VEC_GRAIN);
    s->widen = v->cast_to_f32[HD_BF16];
    s->narrow = v->cast_from_f32[HD_BF16];
    s->binary = k->n_in == 2;
    return hd_vec_one_phase(out, s, half_elem_run, s->split.tasks);
}

#define HALF_ELEM(op_name, inplace)                                                                                    \
    const hd_kernel hd_kernel_half_##op_name = {.name = "cpu." #op_name ".bf16",                                       \
                                                .op = #op_name,                                                        \
                                                .flags = HD_K_BF16 | HD_K_ANY_LAYOUT | (inplace),                      \
                                                .supports = half_elem_supports,                                        \
                                                .prepare = half_elem_prepare};
HALF_ELEM(relu, HD_K_INPLACE)
HALF_ELEM(relu6, HD_K_INPLACE)
HALF_ELEM(hardswish, HD_K_INPLACE)
HALF_ELEM(gelu, HD_K_INPLACE)
HALF_ELEM(silu, HD_K_INPLACE)
HALF_ELEM(add, HD_K_INPLACE_ANY)
HALF_ELEM(mul, HD_K_INPLACE_ANY)
HALF_ELEM(relu_grad, HD_K_INPLACE_ANY)
HALF_ELEM(band_grad, HD_K_INPLACE_ANY)
HALF_ELEM(hardswish_grad, HD_K_INPLACE_ANY)
HALF_ELEM(gelu_grad, HD_K_INPLACE_ANY)
HALF_ELEM(silu_grad, HD_K_INPLACE_ANY)

/* ---- a sample at a time ---- */

enum { HALF_OPERANDS = 3 };

typedef struct half_state {
    hd_prepared inner; /* of `rows` samples */
    int n_in, n_out;
    int64_t samples, rows, tasks;
    int64_t size[HALF_OPERANDS]; /* physical elements of a sample: inputs, then outputs */
    size_t wide[HALF_OPERANDS];  /* bytes into the thread's scratch */
    size_t inner_scratch, inner_thread_scratch;
    hd_vec_cast widen, narrow;
} half_state;

static size_t half_round(size_t bytes) {
    return (bytes + 63) / 64 * 64;
}

static void half_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const half_state *s = e->state;
    char *own = hd_thread_scratch(e);
    void *operand[HALF_OPERANDS] = {NULL};
    for (int i = 0; i < s->n_in + s->n_out; i++) operand[i] = own + s->wide[i];
    /* scratch of the running thread alone: the inner kernel's tasks run one after the other */
    hd_exec inner = {.state = s->inner.state,
                     .in = operand,
                     .out = operand + s->n_in,
                     .scratch = own + s->inner_scratch,
                     .thread_scratch = own + s->inner_thread_scratch};
    const int64_t from = s->samples * task / s->tasks, to = s->samples * (task + 1) / s->tasks;
    for (int64_t n = from; n < to; n++) {
        for (int i = 0; i < s->n_in; i++) s->widen(operand[i], (const uint16_t *)e->in[i] + n * s->size[i], s->size[i]);
        for (int p = 0; p < s->inner.phases; p++)
            for (int64_t t = 0; t < s->inner.phase[p].tasks; t++) s->inner.phase[p].run(&inner, t);
        for (int o = 0; o < s->n_out; o++)
            s->narrow((uint16_t *)e->out[o] + n * s->size[s->n_in + o], operand[s->n_in + o], s->size[s->n_in + o]);
    }
}

/* The same node with one sample of f32. False where samples do not lie one behind the other. */
static bool half_inner(const hd_kctx *k, hd_kctx *inner, hd_operand operands[HALF_OPERANDS]) {
    const int64_t samples = k->out[0].dims.rank ? k->out[0].dims.dim[0] : 0;
    if (k->n_in + k->n_out > HALF_OPERANDS || samples < 1) return false;
    *inner = *k;
    inner->in = operands;
    inner->out = operands + k->n_in;
    for (int i = 0; i < k->n_in + k->n_out; i++) {
        hd_operand *o = &operands[i];
        *o = i < k->n_in ? k->in[i] : k->out[i - k->n_in];
        if (o->dtype != HD_BF16 || o->dims.rank < 1 || o->dims.dim[0] != samples) return false;
        if (o->layout.permuted && o->layout.perm[0] != 0) return false;
        for (int b = 0; b < o->layout.nblk; b++)
            if (o->layout.idx[b] == 0) return false;
        o->dtype = HD_F32;
        o->dims.dim[0] = 1;
        o->count /= samples;
        o->bytes = o->bytes / (size_t)samples / sizeof(uint16_t) * sizeof(float);
    }
    return true;
}

static const char *half_supports(const hd_kctx *k, const hd_kernel *kernel) {
    hd_kctx inner;
    hd_operand operands[HALF_OPERANDS];
    if (!half_inner(k, &inner, operands)) return "only for samples of bf16, one behind the other";
    return kernel->supports ? kernel->supports(&inner) : NULL;
}

static hd_status half_prepare(hd_kctx *k, hd_prepared *out, const hd_kernel *kernel) {
    hd_kctx inner;
    hd_operand operands[HALF_OPERANDS];
    half_state *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    if (!half_inner(k, &inner, operands)) return HD_E_UNSUPPORTED;
    const hd_status status = kernel->prepare(&inner, &s->inner);
    if (status != HD_OK) return status;
    size_t at = 0;
    int64_t largest = 1;
    s->n_in = k->n_in;
    s->n_out = k->n_out;
    s->samples = k->out[0].dims.dim[0];
    for (int i = 0; i < k->n_in + k->n_out; i++) {
        s->size[i] = hd_vec_count(&operands[i]);
        s->wide[i] = at;
        at += half_round(operands[i].bytes);
        if (s->size[i] > largest) largest = s->size[i];
    }
    s->inner_scratch = at;
    at += half_round(s->inner.scratch);
    s->inner_thread_scratch = at;
    at += half_round(s->inner.scratch_per_thread);
    s->widen = hd_vec_for(k->isa)->cast_to_f32[HD_BF16];
    s->narrow = hd_vec_for(k->isa)->cast_from_f32[HD_BF16];
    s->tasks = hd_vec_split_rows(s->samples, largest, HD_VEC_GRAIN).tasks;
    out->state = s;
    out->scratch_per_thread = at;
    out->phase[0] = (hd_phase){half_run, s->tasks};
    out->phases = 1;
    return HD_OK;
}

static bool half_never(const hd_kctx *k) {
    (void)k;
    return false;
}

/* Where the f32 kernel wants its operands does not depend on their dtype. by_itself(k): it takes bf16 in these layouts.
 */
#define HALF_SAMPLES(op_name, by_itself)                                                                               \
    extern const hd_kernel hd_kernel_vec_##op_name;                                                                    \
    static const char *op_name##_supports(const hd_kctx *k) {                                                          \
        return half_supports(k, &hd_kernel_vec_##op_name);                                                             \
    }                                                                                                                  \
    static void op_name##_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out) {                                   \
        hd_kernel_vec_##op_name.layouts(k, in, out);                                                                   \
    }                                                                                                                  \
    static hd_status op_name##_prepare(hd_kctx *k, hd_prepared *out) {                                                 \
        const hd_kernel *kernel = &hd_kernel_vec_##op_name;                                                            \
        return by_itself(k) ? kernel->prepare(k, out) : half_prepare(k, out, kernel);                                  \
    }                                                                                                                  \
    const hd_kernel hd_kernel_half_##op_name = {.name = "cpu." #op_name ".bf16",                                       \
                                                .op = #op_name,                                                        \
                                                .flags = HD_K_BF16,                                                    \
                                                .supports = op_name##_supports,                                        \
                                                .layouts = op_name##_layouts,                                          \
                                                .prepare = op_name##_prepare};
HALF_SAMPLES(max_pool2d, hd_vec_pool_half)
HALF_SAMPLES(max_pool2d_grad, hd_vec_pool_half)
HALF_SAMPLES(avg_pool2d, half_never)
HALF_SAMPLES(avg_pool2d_grad, half_never)
HALF_SAMPLES(global_avg_pool, half_never)
