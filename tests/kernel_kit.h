/* kernel_kit.h: runs one kernel by hand, without graph or program, and holds its results against the op's definition.
 *
 *     kit_case c = {.kernel = &hd_kernel_cpu_linear, .args = &(hd_linear_args){.act = HD_ACT_TANH}};
 *     kit_input(&c, HD_F32, HD_DIMS(3, 4));
 *     kit_input(&c, HD_F32, HD_DIMS(5, 4));
 *     kit_absent(&c);
 *     kit_check(ctx, &c);
 *
 * kit_check settles options and shapes as the graph does, asks the kernel whether it fits and which layouts it wants,
 * feeds random numbers, and runs it several times: on one thread and on the context's pool, in a fresh and in a used
 * state, and in place where the kernel says it can. Results must agree with op->ref within the tolerance, and bit for
 * bit with each other. Outputs and scratch hold NaN before, and memory past the ends is watched. */
#ifndef HD_TESTS_KERNEL_KIT_H
#define HD_TESTS_KERNEL_KIT_H
#include "support.h"

#include "base/bf16.h"
#include "base/cpu.h"
#include "base/rng.h"
#include "compile/kernel.h"
#include "graph/graph.h"
#include "hadal/ops.h"
#include "ops/fused.h"
#include <math.h>

enum { KIT_MOST = 24, KIT_GUARD = 256 };

/* What an input holds. */
typedef enum kit_fill {
    KIT_NORMAL,   /* normal numbers; whole numbers −20 … 20 (0 … 20 unsigned), false or true */
    KIT_POSITIVE, /* 0.5 … 1.5 */
    KIT_UNIT,     /* −1 … 1 */
    KIT_BELOW,    /* whole numbers 0 … below-1 */
    KIT_GIVEN     /* the caller's `data`, row-major */
} kit_fill;

typedef struct kit_case {
    const hd_kernel *kernel;
    const void *args;           /* args struct of the op with the options set; NULL: all defaults */
    double tolerance;           /* of the largest |value| of an output; 0: 1e-5 */
    bool may_refuse;            /* kit_check returns false where the kernel refuses; else that fails the test */
    bool input_bytes;           /* inputs lie 4 bytes off alignment, as a program's inputs may */
    bool exact;                 /* as hd_kctx.exact */
    unsigned bf16_in, bf16_out; /* operands of f32, by bits, that the kernel gets in bf16 instead */
    uint64_t seed;
    int n_in;
    hd_type in[KIT_MOST];
    kit_fill fill[KIT_MOST];
    int64_t below[KIT_MOST];
    const void *data[KIT_MOST];
    hd_layout layout[KIT_MOST]; /* in which the input arrives; the kernel may ask for another */
    double largest_error;       /* found, in units of the largest |value| */
    const char *refusal;
} kit_case;

static inline void kit_input_as(kit_case *c, hd_dtype dtype, hd_dims dims, kit_fill fill, int64_t below,
                                const void *data) {
    assert_true(c->n_in < KIT_MOST);
    c->in[c->n_in] = (hd_type){dtype, dims};
    c->fill[c->n_in] = fill;
    c->below[c->n_in] = below;
    c->data[c->n_in++] = data;
}
static inline void kit_input(kit_case *c, hd_dtype dtype, hd_dims dims) {
    kit_input_as(c, dtype, dims, KIT_NORMAL, 0, NULL);
}
static inline void kit_absent(kit_case *c) {
    kit_input_as(c, HD_F32, (hd_dims){.rank = -1}, KIT_NORMAL, 0, NULL);
}

/* ---- memory that is watched ---- */

static inline size_t kit_room(size_t bytes) {
    return (bytes + 2 * KIT_GUARD + 63) & ~(size_t)63;
}
/* `bytes` of 0xff (NaN in every floating dtype) with a guard on both sides, shifted by `shift` bytes. */
static inline char *kit_memory(size_t bytes, size_t shift) {
    char *base = aligned_alloc(64, kit_room(bytes + shift));
    assert_non_null(base);
    memset(base, 0x5a, kit_room(bytes + shift));
    memset(base + KIT_GUARD + shift, 0xff, bytes);
    return base + KIT_GUARD + shift;
}
static inline void kit_give_back(const char *what, int i, char *memory, size_t bytes, size_t shift) {
    if (!memory) return;
    for (size_t j = 0; j < KIT_GUARD; j++)
        if (memory[-1 - (long)j] != 0x5a || memory[bytes + j] != 0x5a)
            fail_msg("%s %d of %zu bytes: wrote %zu bytes %s", what, i, bytes, j + 1,
                     memory[bytes + j] != 0x5a ? "past its end" : "before its start");
    free(memory - KIT_GUARD - shift);
}

/* ---- numbers ---- */

/* Near enough to normal, from one draw: half of the time of some tests went into better bells. */
static inline double kit_bell(hd_rng *rng) {
    const uint32_t u = hd_rng_u32(rng);
    const double bytes = (u & 255) + (u >> 8 & 255) + (u >> 16 & 255) + (u >> 24);
    return (bytes - 510.5 + u * 0x1p-32) / 147.8;
}

static inline void kit_fill_one(hd_rng *rng, const kit_case *c, int i, hd_dtype dtype, void *data, int64_t at) {
    const kit_fill fill = c->fill[i];
    const bool real = dtype == HD_F32 || dtype == HD_F64 || dtype == HD_BF16;
    const double x = !real                  ? 0
                     : fill == KIT_POSITIVE ? 0.5 + hd_rng_uniform(rng)
                     : fill == KIT_UNIT     ? 2 * hd_rng_uniform(rng) - 1
                                            : kit_bell(rng);
    const int64_t whole = real                ? 0
                          : fill == KIT_BELOW ? (int64_t)hd_rng_below(rng, (uint64_t)c->below[i])
                                              : (int64_t)hd_rng_below(rng, 41) - (dtype == HD_U8 ? 0 : 20);
    switch (dtype) {
    case HD_F32: ((float *)data)[at] = (float)x; break;
    case HD_F64: ((double *)data)[at] = x; break;
    case HD_I32: ((int32_t *)data)[at] = (int32_t)whole; break;
    case HD_I64: ((int64_t *)data)[at] = whole; break;
    case HD_U8: ((uint8_t *)data)[at] = (uint8_t)whole; break;
    case HD_BF16: ((uint16_t *)data)[at] = hd_bf16_from_f64(x); break;
    default: ((bool *)data)[at] = whole & 1; break;
    }
}

static inline double kit_number(hd_dtype dtype, const void *data, int64_t at) {
    switch (dtype) {
    case HD_F32: return (double)((const float *)data)[at];
    case HD_F64: return ((const double *)data)[at];
    case HD_I32: return ((const int32_t *)data)[at];
    case HD_I64: return (double)((const int64_t *)data)[at];
    case HD_U8: return ((const uint8_t *)data)[at];
    case HD_BF16: return (double)hd_bf16_to_f32(((const uint16_t *)data)[at]);
    default: return ((const bool *)data)[at];
    }
}

/* ---- a case laid out ---- */

typedef struct kit_run {
    hd_context *ctx;
    kit_case *c;
    const hd_op *op;
    void *attr;
    int n_out;
    hd_type out[HD_OP_MAX_OUT]; /* in the definition's f32, as in the case; operands hold what the kernel gets */
    hd_operand in_o[KIT_MOST], out_o[HD_OP_MAX_OUT];
    void *plain_in[KIT_MOST], *want[HD_OP_MAX_OUT]; /* row-major */
    void *first[HD_OP_MAX_OUT];                     /* physical, of the first run */
    hd_kctx k;
} kit_run;

static inline size_t kit_bytes(const hd_type *t) {
    return (size_t)hd_dims_count(&t->dims) * hd_dtype_size(t->dtype);
}

static inline void kit_settle(kit_run *r) {
    kit_case *c = r->c;
    char message[512] = "";
    r->op = hd_op_find(r->ctx, c->kernel->op);
    if (!r->op) fail_msg("%s: there is no op \"%s\"", c->kernel->name, c->kernel->op);
    r->attr = calloc(1, r->op->args_size);
    if (c->args) memcpy(r->attr, c->args, r->op->args_size);
    if (hd_options_settle(r->op->options, r->attr, message, sizeof message) != HD_OK) fail_msg("options: %s", message);
    r->n_out = r->op->n_out;
    hd_infer infer = {.op = r->op,
                      .attr = r->attr,
                      .n_in = c->n_in,
                      .in = c->in,
                      .n_out = r->n_out,
                      .out = r->out,
                      .message = message,
                      .message_size = sizeof message};
    if (r->op->infer(&infer) != HD_OK) fail_msg("%s: %s", r->op->name, message);
}

static inline bool kit_in_bf16(const kit_case *c, int i) {
    return (c->bf16_in >> i & 1) && c->in[i].dims.rank >= 0 && c->in[i].dtype == HD_F32;
}
static inline bool kit_out_bf16(const kit_run *r, int o) {
    return (r->c->bf16_out >> o & 1) && r->out[o].dtype == HD_F32;
}

/* Rounds f32 in place for the definition, and into the same memory as bf16 for the kernel. */
static inline void kit_round(float *wide, void *narrow, int64_t n) {
    uint16_t *h = narrow;
    for (int64_t j = 0; j < n; j++) {
        const uint16_t rounded = hd_bf16_from_f32(wide[j]);
        h[j] = rounded;
        wide[j] = hd_bf16_to_f32(rounded);
    }
}

static inline void kit_define(kit_run *r) {
    kit_case *c = r->c;
    hd_rng rng = hd_rng_new(c->seed, "kernel kit");
    hd_tensor in[KIT_MOST] = {{0}}, out[HD_OP_MAX_OUT];
    void *copy[KIT_MOST] = {0}; /* effects change their inputs */
    for (int i = c->n_in; i < KIT_MOST; i++) in[i] = (hd_tensor){.dims = {.rank = -1}}; /* optional, absent */
    for (int i = 0; i < c->n_in; i++) {
        in[i] = (hd_tensor){c->in[i].dtype, c->in[i].dims, 0, NULL};
        if (c->in[i].dims.rank < 0) continue;
        in[i].count = hd_dims_count(&c->in[i].dims);
        const size_t bytes = kit_bytes(&c->in[i]);
        r->plain_in[i] = calloc(1, bytes + 8);
        copy[i] = calloc(1, bytes + 8);
        if (c->fill[i] == KIT_GIVEN)
            memcpy(r->plain_in[i], c->data[i], bytes);
        else
            for (int64_t j = 0; j < in[i].count; j++) kit_fill_one(&rng, c, i, in[i].dtype, r->plain_in[i], j);
        memcpy(copy[i], r->plain_in[i], bytes);
        if (kit_in_bf16(c, i)) kit_round(copy[i], r->plain_in[i], in[i].count);
        in[i].data = copy[i];
    }
    for (int o = 0; o < r->n_out; o++) {
        const size_t bytes = kit_bytes(&r->out[o]);
        void *data = r->op->alias[o] ? copy[r->op->alias[o] - 1] : malloc(bytes + 8);
        if (!r->op->alias[o]) memset(data, 0xff, bytes + 8);
        out[o] = (hd_tensor){r->out[o].dtype, r->out[o].dims, hd_dims_count(&r->out[o].dims), data};
    }
    r->op->ref(&(hd_ref){.attr = r->attr, .n_in = c->n_in, .n_out = r->n_out, .in = in, .out = out});
    for (int o = 0; o < r->n_out; o++) {
        r->want[o] = out[o].data;
        if (r->op->alias[o]) copy[r->op->alias[o] - 1] = NULL;
    }
    for (int i = 0; i < c->n_in; i++) free(copy[i]);
}

static inline void kit_operand(hd_operand *o, const hd_type *t) {
    *o = (hd_operand){.dtype = t->dtype, .dims = t->dims};
    if (t->dims.rank < 0) return;
    o->count = hd_dims_count(&t->dims);
    o->bytes = (size_t)hd_layout_count(&o->layout, &t->dims) * hd_dtype_size(t->dtype);
}

/* As the layout pass does for HD_K_ANY_LAYOUT: the order of the first input of the result's shape that has one. */
static inline void kit_layout_through(const kit_run *r, hd_layout *in, hd_layout *out) {
    const hd_layout *through = NULL;
    for (int i = 0; i < r->c->n_in && !through; i++)
        if (!hd_layout_is_plain(&r->in_o[i].layout) && hd_dims_equal(&r->in_o[i].dims, &r->out_o[0].dims))
            through = &r->in_o[i].layout;
    if (!through) return;
    for (int i = 0; i < r->c->n_in; i++)
        if (hd_dims_equal(&r->in_o[i].dims, &r->out_o[0].dims)) in[i] = *through;
    for (int o = 0; o < r->n_out; o++)
        if (hd_dims_equal(&r->out_o[o].dims, &r->out_o[0].dims)) out[o] = *through;
}

/* False when the kernel refuses. */
static inline bool kit_place(kit_run *r, hd_arena *arena) {
    kit_case *c = r->c;
    for (int i = 0; i < c->n_in; i++) {
        hd_type type = c->in[i];
        if (kit_in_bf16(c, i)) type.dtype = HD_BF16;
        kit_operand(&r->in_o[i], &type);
    }
    for (int o = 0; o < r->n_out; o++) {
        hd_type type = r->out[o];
        if (kit_out_bf16(r, o)) type.dtype = HD_BF16;
        kit_operand(&r->out_o[o], &type);
    }
    r->k = (hd_kctx){.ctx = r->ctx,
                     .arena = arena,
                     .op = r->op,
                     .attr = r->attr,
                     .n_in = c->n_in,
                     .n_out = r->n_out,
                     .in = r->in_o,
                     .out = r->out_o,
                     .isa = r->ctx->isa,
                     .threads = r->ctx->threads,
                     .exact = c->exact};
    c->refusal = hd_kernel_refuses(c->kernel, &r->k);
    if (c->refusal) {
        if (!c->may_refuse) fail_msg("%s refuses: %s", c->kernel->name, c->refusal);
        return false;
    }
    hd_layout in[KIT_MOST] = {{0}}, out[HD_OP_MAX_OUT] = {{0}};
    for (int i = 0; i < c->n_in; i++) r->in_o[i].layout = c->layout[i];
    if (c->kernel->layouts)
        c->kernel->layouts(&r->k, in, out);
    else if (c->kernel->flags & HD_K_ANY_LAYOUT)
        kit_layout_through(r, in, out);
    for (int i = 0; i < c->n_in + r->n_out; i++) {
        hd_operand *o = i < c->n_in ? &r->in_o[i] : &r->out_o[i - c->n_in];
        o->layout = i < c->n_in ? in[i] : out[i - c->n_in];
        if (o->dims.rank >= 0) o->bytes = (size_t)hd_layout_count(&o->layout, &o->dims) * hd_dtype_size(o->dtype);
    }
    return true;
}

static inline void kit_compare(const kit_run *r, int o, const void *physical, const char *when) {
    const hd_operand *d = &r->out_o[o];
    void *plain = malloc(kit_bytes(&r->out[o]) + 8);
    hd_layout_unpack(&d->layout, &d->dims, hd_dtype_size(d->dtype), physical, plain);
    if (!hd_layout_is_plain(&d->layout)) { /* padding must be zero */
        void *again = calloc(1, d->bytes + 8);
        hd_layout_pack(&d->layout, &d->dims, hd_dtype_size(d->dtype), plain, again);
        for (size_t i = 0; i < d->bytes; i += 4) { /* -0 is zero enough */
            const float *want = (const void *)((const char *)again + i),
                        *got = (const void *)((const char *)physical + i);
            if (d->dtype == HD_F32 && *want != *got && memcmp(want, got, 4) != 0)
                fail_msg("%s, %s: output %d has something in its padding", r->c->kernel->name, when, o);
        }
        free(again);
    }
    double largest = 0, worst = 0;
    int64_t at = -1;
    const hd_dtype of = r->out[o].dtype;
    for (int64_t i = 0; i < d->count; i++) {
        const double size = fabs(kit_number(of, r->want[o], i));
        if (size > largest) largest = size;
    }
    for (int64_t i = 0; i < d->count; i++) {
        const double want = kit_number(of, r->want[o], i), got = kit_number(d->dtype, plain, i);
        double error = fabs(got - want) / (isfinite(largest) && largest > 0 ? largest : 1);
        if (got == want || (isnan(got) && isnan(want))) error = 0;
        if (!(error <= worst)) worst = error, at = i;
        if (isnan(error)) break;
    }
    double tolerance = r->c->tolerance > 0 ? r->c->tolerance : 1e-5;
    if (d->dtype == HD_BF16) tolerance += 0x1p-8; /* of the largest: half a step of it, and the sum may tip over */
    if (!(worst <= tolerance)) {
        char dims[192];
        fail_msg(
            "%s, %s, isa %s: output %d %s: element %lld is %.9g, the definition says %.9g (error %.3g, allowed %.3g)",
            r->c->kernel->name, when, hd_context_isa(r->ctx), o, hd_dims_text(dims, &d->dims), (long long)at,
            kit_number(d->dtype, plain, at), kit_number(of, r->want[o], at), worst, tolerance);
    }
    if (worst > r->c->largest_error) r->c->largest_error = worst;
    free(plain);
}

/* One execution. inplace: the input in whose memory output 0 goes, or -1. */
static inline void kit_execute(kit_run *r, const hd_prepared *p, bool pool, int inplace, const char *when) {
    kit_case *c = r->c;
    void *in[KIT_MOST] = {0}, *out[HD_OP_MAX_OUT] = {0};
    const size_t shift = c->input_bytes ? 4 : 0;
    for (int i = 0; i < c->n_in; i++) {
        const hd_operand *d = &r->in_o[i];
        if (d->dims.rank < 0) continue;
        in[i] = kit_memory(d->bytes, shift);
        hd_layout_pack(&d->layout, &d->dims, hd_dtype_size(d->dtype), r->plain_in[i], in[i]);
    }
    for (int o = 0; o < r->n_out; o++)
        out[o] = o == 0 && inplace >= 0 ? in[inplace]
                 : r->op->alias[o]      ? in[r->op->alias[o] - 1]
                                        : (void *)kit_memory(r->out_o[o].bytes, 0);
    const int threads = r->ctx->threads;
    char *scratch = kit_memory(p->scratch, 0), *own = kit_memory(p->scratch_per_thread * (size_t)threads, 0);
    char *kept = kit_memory(p->kept, 0);
    hd_exec exec = {p->state, in, out, scratch, own, p->scratch_per_thread, 0, kept};
    const hd_fp_state fp = hd_fp_enter();
    const int again = p->once && inplace < 0 ? p->phases - p->once : 0; /* with weights that are prepared already */
    for (int j = 0, i = 0; j < p->phases + again; j++, i++) {
        if (j == p->phases) {
            i = p->once;
            memset(scratch, 0xff, p->scratch);
            memset(own, 0xff, p->scratch_per_thread * (size_t)threads);
        }
        for (exec.round = 0; exec.round == 0 || exec.round < p->rounds[i]; exec.round++)
            if (pool)
                hd_pool_run(r->ctx->pool, p->phase[i].run, &exec, p->phase[i].tasks);
            else /* backwards: the order of tasks is free */
                for (int64_t t = p->phase[i].tasks; t-- > 0;) p->phase[i].run(&exec, t);
    }
    hd_fp_leave(fp);
    for (int o = 0; o < r->n_out; o++) {
        const size_t bytes = r->out_o[o].bytes;
        if (!r->first[o]) {
            kit_compare(r, o, out[o], when);
            r->first[o] = malloc(bytes + 8);
            if (bytes > 0) memcpy(r->first[o], out[o], bytes);
        } else if (bytes > 0 && memcmp(r->first[o], out[o], bytes) != 0) {
            kit_compare(r, o, out[o], when); /* says more, when more than the last bits differ */
            fail_msg("%s, %s: other bits than in the first run", c->kernel->name, when);
        }
    }
    for (int o = 0; o < r->n_out; o++)
        if (!(o == 0 && inplace >= 0) && !r->op->alias[o]) kit_give_back("output", o, out[o], r->out_o[o].bytes, 0);
    for (int i = 0; i < c->n_in; i++) {
        bool written = i == inplace;
        for (int o = 0; o < r->n_out; o++) written |= r->op->alias[o] == i + 1;
        if (in[i] && !written) {
            void *same = calloc(1, r->in_o[i].bytes + 8);
            hd_layout_pack(&r->in_o[i].layout, &r->in_o[i].dims, hd_dtype_size(r->in_o[i].dtype), r->plain_in[i], same);
            if (memcmp(same, in[i], r->in_o[i].bytes) != 0) fail_msg("%s changed input %d", c->kernel->name, i);
            free(same);
        }
        kit_give_back("input", i, in[i], r->in_o[i].bytes, shift);
    }
    kit_give_back("kept", 0, kept, p->kept, 0);
    kit_give_back("scratch", 0, scratch, p->scratch, 0);
    kit_give_back("scratch per thread", 0, own, p->scratch_per_thread * (size_t)threads, 0);
}

static inline void kit_execute_all(kit_run *r, const hd_prepared *p) {
    const uint32_t flags = r->c->kernel->flags;
    kit_execute(r, p, false, -1, "one thread");
    kit_execute(r, p, true, -1, "pool");
    kit_execute(r, p, true, -1, "pool, used state");
    if (r->op->alias[0]) return;
    for (int i = 0; i < r->c->n_in; i++)
        if (((flags & HD_K_INPLACE) && i == 0) || (flags & HD_K_INPLACE_ANY) ||
            ((flags & HD_K_INPLACE_LAST) && i == r->c->n_in - 1))
            if (r->in_o[i].dims.rank >= 0 && r->in_o[i].bytes == r->out_o[0].bytes)
                kit_execute(r, p, true, i, "in place");
}

/* Is it this case's turn? With HADAL_TEST_SHARE=k/n only the k-th of n shares of a program's cases is run, drawn
 * evenly; without it all are. ./check gives a share each to the builds that repeat what the default one has tried. */
static inline bool kit_turn(void) {
    static uint32_t number;
    const char *share = getenv("HADAL_TEST_SHARE");
    unsigned k = 0, n = 1;
    if (share && (sscanf(share, "%u/%u", &k, &n) != 2 || k >= n)) fail_msg("HADAL_TEST_SHARE=%s is not k/n", share);
    return (number++ * UINT32_C(2654435769) >> 16) % n == k; /* golden: no stride of a sweep meets one share alone */
}

/* See above. False when the kernel refuses and that is allowed. */
static inline bool kit_check(hd_context *ctx, kit_case *c) {
    kit_run r = {.ctx = ctx, .c = c};
    hd_arena arena = {.ctx = ctx};
    kit_settle(&r);
    const bool fits = kit_place(&r, &arena);
    if (fits && kit_turn()) {
        hd_prepared p = {0};
        kit_define(&r);
        if (c->kernel->prepare(&r.k, &p) != HD_OK) fail_msg("%s: %s", c->kernel->name, hd_last_error(ctx));
        assert_true(p.phases >= 0 && p.phases <= HD_MAX_PHASES);
        kit_execute_all(&r, &p);
        if (p.destroy) p.destroy(p.state);
    }
    hd_arena_free(&arena);
    for (int i = 0; i < c->n_in; i++) free(r.plain_in[i]);
    for (int o = 0; o < r.n_out; o++) free(r.want[o]), free(r.first[o]);
    free(r.attr);
    return fits;
}

/* Calls body(ctx, arg) in a context of `threads` threads for each instruction set that the machine has. */
static inline void kit_each_isa(int threads, void (*body)(hd_context *ctx, void *arg), void *arg) {
    static const char *const isa[] = {"generic", "avx2", "avx512"};
    for (int i = 0; i <= (int)hd_cpu_isa(); i++) {
        hd_context *ctx;
        assert_int_equal(hd_context_new(&ctx, &(hd_context_args){.threads = threads, .isa = isa[i]}), HD_OK);
        body(ctx, arg);
        hd_context_free(ctx);
    }
}
#endif
