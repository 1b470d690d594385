/* hadal/program.h: a graph compiled into a flat list of kernel calls with one memory plan, and the store of what
 * persists from step to step. */
#ifndef HADAL_PROGRAM_H
#define HADAL_PROGRAM_H
#include "hadal/optimizer.h"
#include "hadal/tuning.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the store: parameters, running statistics, optimiser state, the step counter ---- */

/** Shared by all programs compiled against it (training, evaluation, other batch sizes). */
typedef struct hd_store hd_store;
HD_API HD_CHECKED hd_status hd_store_new(hd_store **out, hd_context *ctx, uint64_t seed);
HD_API void hd_store_free(hd_store *store); /**< after the programs that use it */
/** Entries appear when programs are compiled against the store, in order of their names. */
typedef struct hd_store_info {
    const char *name;
    hd_dtype dtype;
    hd_dims dims;
    bool trained;   /**< a parameter */
    bool optimizer; /**< state of the optimiser, not part of the model */
    bool buffer;    /**< carried from run to run, not part of the model: hd_buffer */
} hd_store_info;
HD_API int hd_store_count(const hd_store *store);
HD_API hd_store_info hd_store_at(const hd_store *store, int i);
/** Copies a tensor out or in, row-major in its own dtype (whatever layout the kernels keep). Errors: HD_E_MODEL. */
HD_API HD_CHECKED hd_status hd_store_get(hd_store *store, const char *name, void *data, size_t bytes);
HD_API HD_CHECKED hd_status hd_store_set(hd_store *store, const char *name, const void *data, size_t bytes);
/** Makes all buffers zeros: a new sequence, a new epoch. */
HD_API void hd_store_clear(hd_store *store);
/** Number of training steps done; part of the random state of dropout and of Adam's bias correction. */
HD_API int64_t hd_store_step(const hd_store *store);
HD_API void hd_store_set_step(hd_store *store, int64_t step);
/** Number of updates: as many as steps, fewer where gradients are accumulated. Setting the step sets it too. */
HD_API int64_t hd_store_updates(const hd_store *store);
HD_API void hd_store_set_updates(hd_store *store, int64_t updates);
HD_API uint64_t hd_store_seed(const hd_store *store);

/* ---- targets: what to compile ---- */

/** A graph and what is wanted of it. The graph belongs to the graph it came from. */
typedef struct hd_target {
    hd_graph *graph;
    hd_val value;
    bool train; /**< dropout drops, batch_norm uses the batch's statistics */
    hd_optimizer optimizer;
} hd_target;
/** Forward, loss, backward and update as one graph. loss: a scalar of an f32 or f64 graph. */
HD_API hd_target hd_train_step(hd_val loss, hd_optimizer optimizer);
/** The value alone, in inference form; marked outputs that need no further inputs come along. */
HD_API hd_target hd_forward(hd_val value);
/** Forward and backward without update, training form: adds ∂value/∂of[i] as grads[i] (a none where it does not depend)
 * to the graph itself. value must be a scalar, or seed gives the gradient arriving at it (else none). */
HD_API HD_CHECKED hd_status hd_gradients(hd_val value, hd_val seed, const hd_val *of, int32_t n, hd_val *grads);

/* ---- programs ---- */

typedef struct hd_program hd_program;
enum { HD_DEVICE_AUTO, HD_DEVICE_CPU };

/** Everything that hd_compile takes; a zeroed struct is the default. */
typedef struct hd_compile_args {
    int device;
    int64_t batch;          /**< number that HD_BATCH is bound to; default 1 */
    hd_store *store;        /**< NULL: a store of the program's own, seed 1 */
    const char *backend;    /**< "default", "ref" (plain loops only), "null" (counts only) */
    const char *passes_off; /**< names of passes to leave out: "fuse,layout"; see hd_pass_names */
    bool exact;             /**< direct kernels only: no Winograd */
    const char *precision;  /**< "f32" (NULL too), or "bf16": products and convolutions of bf16 with sums in f32; what
                                 persists stays f32. HD_E_UNSUPPORTED for others */
    bool train;             /**< for hd_gradients' graphs: training form even for hd_forward */
    size_t memory_limit;    /**< refuse plans over this many bytes; 0: none. A training step that is larger computes
                                 activations again instead of keeping them, as far as is needed */
    int recompute;          /**< cut the forward pass into so many segments whose activations are computed again in the
                                 backward pass; 0: only where memory_limit (also the context's) asks for it; −1: never */
    hd_tuning *tuning;      /**< recorded choices of kernels, or NULL: the fixed rule decides; marks what it uses */
    void (*dump)(void *user, const char *pass, const char *graph_text); /**< after every pass */
    void *dump_user;
} hd_compile_args;

/** Compiles; nothing of the plan is allocated yet. Errors: the graph's first failure; HD_E_MODEL; HD_E_UNSUPPORTED;
 * HD_E_MEMORY (limit). The target's graph is left as it was. */
HD_API HD_CHECKED hd_status hd_compile_with(hd_program **out, hd_target target, const hd_compile_args *args);
HD_API HD_CHECKED hd_status hd_compile(hd_program **out, hd_target target, int device);
HD_API void hd_program_free(hd_program *program);

/** The plan in bytes, known before anything is allocated. */
typedef struct hd_memory {
    size_t params, states, optimizer; /**< in the store, this program's share */
    size_t grads, activations;        /**< in the arena */
    size_t scratch;                   /**< of kernels, all threads */
    size_t arena;                     /**< grads, activations and shared scratch after lifetimes were packed */
    size_t kept;                      /**< the program's own: what inference makes of weights alone, once */
    size_t total;                     /**< what the process will hold for it */
    int recomputed;                   /**< kernel calls that make activations a second time, to need less */
} hd_memory;
HD_API hd_memory hd_program_memory(const hd_program *program);

/** Binds an input to memory of the caller's (row-major, the input's dtype), read at every run until bound anew. */
HD_API HD_CHECKED hd_status hd_program_set(hd_program *program, const char *input, const void *data);
/** The same by number (hd_program_input, −1 when there is none), for loops: no lookup. */
HD_API int hd_program_input(const hd_program *program, const char *input);
HD_API void hd_program_bind(hd_program *program, int input, const void *data);
/** Allocates now what the first run would: for loops that must not allocate. Errors: HD_E_MEMORY. */
HD_API HD_CHECKED hd_status hd_program_prepare(hd_program *program);
/** One step. The first run allocates; later runs allocate nothing. Errors: HD_E_USAGE (an input is not bound),
 * HD_E_MEMORY. */
HD_API HD_CHECKED hd_status hd_program_run(hd_program *program);
/** Result by name ("loss", or as marked) after a run: row-major; borrowed until the next run. NULL when there is none.
 */
HD_API const void *hd_program_get(const hd_program *program, const char *output);
/** Type of an input or output of the program, dimensions bound. */
HD_API hd_type hd_program_type(const hd_program *program, const char *name);
/** Learning rate of the next steps. */
HD_API void hd_program_lr(hd_program *program, double lr);
/** For an optimiser with `accumulate`: the gradient of the next run counts `weight` times (the samples of its batch);
 * share 0 adds it to what is there and changes no weight, else the sum times `share` (1 / all samples) is the gradient
 * of a step, and adding up begins anew. At the start weight and share are 1. */
HD_API void hd_program_accumulate(hd_program *program, double weight, double share);
HD_API hd_store *hd_program_store(hd_program *program);

/** Counted facts of the program. */
typedef struct hd_program_facts {
    int steps;    /**< kernel calls a run */
    int once;     /**< kernel calls that prepare weights: made again only when these have changed */
    int reorders; /**< of these, changes of layout of activations */
    int weight_reorders;
    double reorder_bytes; /**< read and written by all changes of layout of a run */
    int tuned;            /**< kernel calls that a tuning table chose */
    int recomputed;       /**< kernel calls that make activations a second time */
    int bf16_native;      /**< products and convolutions that run in bf16 */
    int bf16_emulated;    /**< of precision bf16, but multiplied in f32 after rounding: no kernel of this machine takes
                             them */
    double flops;         /**< of a run, a multiply-add is 2 */
    double bytes;
} hd_program_facts;
HD_API hd_program_facts hd_program_get_facts(const hd_program *program);
/** Which kernel runs each step, its shapes, tasks and, after hd_program_profile, its time; who refused and why.
 * Freed by hd_memory_free. */
HD_API HD_CHECKED hd_status hd_program_explain(const hd_program *program, char **text);
/** The same as JSON, a list with an object for every node that runs: part ("forward", "backward", "update"), op,
 * kernel, variant, tuned, tasks (of its phases), ms (null before hd_program_profile), flops, bytes (physical, read and
 * written once), in and out (type and order in memory of the operands, null: absent) and refused (kernel and reason, of
 * those that were asked before). Freed by hd_memory_free. */
HD_API HD_CHECKED hd_status hd_program_kernels(const hd_program *program, char **json);
/** Runs n times and keeps the time of each step (median) for hd_program_explain and hd_program_kernels. */
HD_API HD_CHECKED hd_status hd_program_profile(hd_program *program, int n);

/** A measurement of hd_tune, about to begin. Texts are valid during the call. */
typedef struct hd_tune_step {
    int shape, shapes;  /**< 1-based: distinct operations, by options, types and shapes */
    const char *key;    /**< what is measured: "conv2d padding=[1,1] : f32[16,64,56,56] …" */
    const char *kernel; /**< a candidate, and which of its ways */
    int variant;
    double seconds; /**< since hd_tune began, by its clock */
} hd_tune_step;

/** Options of hd_tune; a zeroed struct is the default. */
typedef struct hd_tune_args {
    double (*clock)(void *user); /**< seconds; NULL: the monotonic clock */
    void (*progress)(void *user, const hd_tune_step *step);
    bool (*stop)(void *user); /**< asked between measurements; true ends it: HD_E_INTERRUPTED, the table stays */
    void *user;
    double bandwidth; /**< bytes a second that changes of layout move; 0: measured */
} hd_tune_args;

/** What hd_tune did. */
typedef struct hd_tune_result {
    int shapes, candidates; /**< distinct operations; measured ways to do them */
    int changed;            /**< operations for which another way than the fixed rule's was chosen */
    double seconds;         /**< it took */
    double before, after;   /**< seconds a run in these operations and in changes of layout: the rule's, the chosen */
    double step_before, step_after; /**< least seconds of a run of the whole program by the rule, and by what looked
                                         best; 0: both are the same. Where the second is more, the rule stays */
    double bandwidth;               /**< bytes a second */
} hd_tune_result;
/** Times, one kernel at a time and with the context's threads, every way to do the convolutions and products of a
 * program, chooses among them for the whole of it, changes of layout counted, and puts the choices into the table
 * args->tuning (HD_E_USAGE where it is NULL). args as for the program that will be compiled; its store is not touched.
 * tune and result may be NULL. Errors: as hd_compile_with; HD_E_INTERRUPTED. */
HD_API HD_CHECKED hd_status hd_tune(hd_target target, const hd_compile_args *args, const hd_tune_args *tune,
                                    hd_tune_result *result);

/** Version of an optional library ("oneDNN") as it runs now, "2.6.3", written into `text`; NULL when the build has none
 * or tells no version. */
HD_API const char *hd_library_version(const char *library, char text[32]);

/** Name of kernel number i (0, 1, …) that the default backend offers for an operation, in order of preference ("cpu.…",
 * "onednn.…"); NULL past the end: behind them all stands the definition, "ref". */
HD_API const char *hd_op_kernel(const char *op, int i);

/** Whether this machine and build multiply in that precision ("f32", "bf16") itself. Where it does not, bf16 works too,
 * but numbers are rounded to bf16 and multiplied in f32. */
HD_API bool hd_precision_native(const hd_context *ctx, const char *precision);

/** Names of the compile passes in order, ended by NULL. */
HD_API const char *const *hd_pass_names(void);

#ifdef __cplusplus
}
#endif
#endif
