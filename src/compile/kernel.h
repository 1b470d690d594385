/* kernel.h: what a backend offers for an op. First fit of the list wins; who refuses says why. Knows no backend. */
#ifndef HD_COMPILE_KERNEL_H
#define HD_COMPILE_KERNEL_H
#include "base/context.h"
#include "compile/layout.h"

/* An operand as a kernel sees it. dims are concrete; rank -1: an optional input that is absent. */
typedef struct hd_operand {
    hd_dtype dtype;
    hd_dims dims;
    hd_layout layout;
    int64_t count; /* logical elements */
    size_t bytes;  /* physical, padding included */
} hd_operand;

/* A node when its kernel is chosen and prepared. */
typedef struct hd_kctx {
    hd_context *ctx;
    hd_arena *arena; /* lives as long as the program: for state */
    const hd_op *op;
    const void *attr;
    int n_in, n_out;
    const hd_operand *in, *out;
    hd_isa isa;
    int threads;    /* for the size of scratch only: never for what decides the bits */
    bool exact;     /* direct kernels only */
    int variant;    /* which of the kernel's ways: 0 is what its own rule chooses */
    bool inference; /* weights stay as they are from run to run: what is made of them alone is made once */
} hd_kctx;

/* A node when it runs. Absent operands are NULL. Memory is 64-byte aligned except program inputs (4 or 8 bytes). */
typedef struct hd_exec {
    const void *state;
    void **in, **out;
    char *scratch;        /* shared by the tasks of the node: `scratch` bytes, garbage at the start */
    char *thread_scratch; /* hd_thread_scratch(e): `scratch_per_thread` bytes for the running thread */
    size_t scratch_per_thread;
    int64_t round; /* of a phase that is run several times */
    char *kept;    /* hd_prepared.kept bytes */
} hd_exec;
#define hd_thread_scratch(e) ((void *)((e)->thread_scratch + (size_t)hd_pool_self() * (e)->scratch_per_thread))

/* Phases run one after the other with a barrier between; the tasks of a phase in any order, on any thread. How an op is
 * split into tasks is part of the numeric plan: a function of shapes, dtype and isa alone. exec is a const hd_exec *.
 */
typedef struct hd_phase {
    void (*run)(void *exec, int64_t task);
    int64_t tasks;
} hd_phase;
enum { HD_MAX_PHASES = 4 };
typedef struct hd_prepared {
    void *state;
    void (*destroy)(void *state); /* may be NULL; state from the arena needs none */
    hd_phase phase[HD_MAX_PHASES];
    int phases;
    /* How often all tasks of a phase are run, with a barrier between and exec->round counting from 0; 0 is once. */
    int64_t rounds[HD_MAX_PHASES];
    size_t scratch, scratch_per_thread;
    /* The first `once` phases prepare weights: they read no input but those of the bits once_in, and write nothing but
     * `kept` bytes (and scratch, which they leave behind). Where these inputs stay as they are, in inference, the
     * phases run again only when the store's contents have changed; else in every run. */
    int once;
    uint32_t once_in;
    size_t kept;
} hd_prepared;

enum {
    HD_K_INPLACE = 1,       /* out 0 may be in 0 (same bytes) */
    HD_K_INPLACE_ANY = 2,   /* out 0 may be any input of the same bytes */
    HD_K_ANY_LAYOUT = 4,    /* works on any layout that all operands of the output's shape share */
    HD_K_BF16 = 8,          /* takes operands of bf16; others are never asked about a node that has one */
    HD_K_INPLACE_LAST = 32, /* out 0 may be the last input (same bytes) */
    HD_K_CHAINS = 16        /* of an elementwise op that the kernel of chains can take in */
};

typedef struct hd_kernel {
    const char *name; /* "cpu.linear.small", "onednn.conv2d.direct" */
    const char *op;   /* name of the op it runs */
    uint32_t flags;
    /* NULL: fits; else the reason why not. Called before layouts are settled: looks at op, attr, dtypes, dims, isa. */
    const char *(*supports)(const hd_kctx *k);
    /* The layouts it wants for its operands (arrays preset to plain); NULL: plain everywhere (or any, with ANY_LAYOUT).
     */
    void (*layouts)(const hd_kctx *k, hd_layout *in, hd_layout *out);
    hd_status (*prepare)(hd_kctx *k, hd_prepared *out);
    /* Ways to do it that differ in order, split or layout (0 counts as 1): k->variant is below it. Variant 0 is the
     * kernel's own rule; `supports` refuses others that make no difference for this node. Numbers keep their meaning:
     * they stand in tuning tables. */
    int variants;
} hd_kernel;

/* NULL: the kernel runs this node (its op is k->op); else the reason why not. */
const char *hd_kernel_refuses(const hd_kernel *kernel, const hd_kctx *k);
/* The kernels of the "default" backend in order of preference, ended by NULL; ref stands behind them for every op. */
const hd_kernel *const *hd_kernels_default(void);
/* The kernel that runs any op by its definition (plain layout, one task). */
extern const hd_kernel hd_kernel_ref;
#endif
