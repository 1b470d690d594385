/* lower.h: the graph on its way to a program, and the passes that take it there. Each pass is one file, graph → graph.
 */
#ifndef HD_COMPILE_LOWER_H
#define HD_COMPILE_LOWER_H
#include "compile/kernel.h"
#include "compile/tune_table.h"
#include "graph/graph.h"
#include "hadal/program.h"

/* Where the bytes of a value are. */
typedef enum hd_region { HD_IN_NONE, HD_IN_ARENA, HD_IN_STORE, HD_IN_INPUT, HD_IN_CONST, HD_IN_KEPT } hd_region;

/* What compilation knows of a value beside its type. */
typedef struct hd_lvalue {
    hd_layout layout;
    bool layout_set;
    int32_t root;        /* value whose memory it shares, itself when it owns some */
    size_t shift;        /* bytes from the root's start */
    size_t bytes;        /* physical */
    int32_t first, last; /* steps of the schedule in which the root is alive */
    size_t offset;       /* in the arena or what is kept, of a root */
    hd_region region;    /* of a root */
    int32_t entry;       /* in the store, of a param or state; else -1 */
} hd_lvalue;

typedef struct hd_lnode {
    const hd_kernel *kernel;
    char *refused; /* "name: reason; …" of the kernels before it */
    int variant;   /* of the kernel */
    bool tuned;    /* chosen by the tuning table */
    /* What `layouts` of the kernel says, inputs then outputs, where it has been asked already; else NULL. */
    const hd_layout *wants;
    hd_prepared prepared;
    size_t scratch_offset, thread_scratch_offset; /* in the arena */
    bool kept;                                    /* depends on weights alone: run when they have changed */
    bool once;          /* its first phases are: prepared.kept lies in what is kept, else in the arena */
    size_t kept_offset; /* of prepared.kept */
} hd_lnode;

typedef struct hd_lower {
    hd_context *ctx;
    hd_graph *g;
    hd_arena arena; /* becomes the program's */
    hd_store *store;
    const hd_compile_args *args;
    int64_t batch;
    bool train;
    int32_t target; /* value id, or -1 when only effects and outputs are wanted */
    hd_lvalue *v;   /* as many as the graph has values (hd_lower_sync) */
    size_t v_capacity, v_count;
    size_t arena_bytes, grad_bytes, activation_bytes, scratch_bytes;
    bool lean;         /* inference in little memory: nothing is made of weights but what they are */
    size_t kept_bytes; /* of the program's own: what was made of weights alone */
    int reorders, weight_reorders;
    int segments;   /* of the forward pass whose activations are computed again; below 2: all are kept */
    int recomputed; /* nodes that run a second time */
    int bf16_native, bf16_emulated; /* products in bf16, and products of rounded numbers in f32 */
} hd_lower;

/* Makes v as long as the graph's values; new entries are blank. */
HD_CHECKED hd_status hd_lower_sync(hd_lower *l);
static inline hd_lnode *hd_lnode_of(const hd_lower *l, int32_t node) {
    return l->g->nodes[node].lower;
}
void hd_lower_free(hd_lower *l);

/* ---- editing (rewrite.c) ---- */
/* Every use of value `from` becomes `to`, the target and the mark as a result move along. */
void hd_replace(hd_lower *l, int32_t from, int32_t to);
/* Number of nodes that read a value, and the one reader when it is one (else NULL). An output mark counts as a reader.
 */
int hd_use_count(const hd_graph *g, int32_t value);
hd_node *hd_single_user(hd_graph *g, int32_t value);
bool hd_is_op(const hd_node *n, const char *name);
/* Producer of a value, or NULL. */
hd_node *hd_producer(hd_graph *g, int32_t value);
/* Adds a node in the place of another one in the order. Inputs are value ids. Returns the first result, -1 on failure
 * (the graph's sticky error). */
int32_t hd_insert(hd_graph *g, const hd_op *op, const int32_t *in, int32_t n_in, const void *attr, int32_t order,
                  hd_loc at);
/* Takes out nodes that nothing wanted depends on. */
HD_CHECKED hd_status hd_drop_dead(hd_lower *l);
/* Sorts the nodes: producers first, else by `order`. Dead nodes go. */
HD_CHECKED hd_status hd_sort_nodes(hd_graph *g);
/* Fills an operand from a value. */
void hd_operand_of(const hd_lower *l, int32_t value, hd_operand *out);
/* The node as its kernel sees it; operands are put into `operands` (n_in + n_out of them). */
void hd_kctx_of(hd_lower *l, int32_t node, hd_operand *operands, hd_kctx *out);

/* Norms whose weight and bias are frozen keep their running statistics, and normalise by them (frozen.c). To be
 * called before gradients are made. */
void hd_settle_frozen(hd_graph *g);

/* Stays as it is from run to run of an inference program: weights, and what the pass `keep` has found to be made of
 * them alone. An absent operand stays, too. */
bool hd_value_stays(const hd_lower *l, int32_t value);

/* ---- passes, in order ---- */
typedef struct hd_pass {
    const char *name;
    hd_status (*run)(hd_lower *l);
    bool optional; /* may be left out by passes_off */
} hd_pass;
hd_status hd_pass_form(hd_lower *l);      /* training or inference form; what is wanted */
hd_status hd_pass_bind(hd_lower *l);      /* HD_BATCH becomes a number */
hd_status hd_pass_simplify(hd_lower *l);  /* identities and dead nodes */
hd_status hd_pass_fold(hd_lower *l);      /* inference: normalisation into weights, sums into convolutions */
hd_status hd_pass_fuse(hd_lower *l);      /* layer + activation, paired gradients, loss with its gradient */
hd_status hd_pass_mixed(hd_lower *l);     /* products in bf16, casts where f32 and bf16 meet */
hd_status hd_pass_chain(hd_lower *l);     /* elementwise chains */
hd_status hd_pass_place(hd_lower *l);     /* a kernel for every node */
hd_status hd_pass_layout(hd_lower *l);    /* memory order of every value, reorders where they differ */
hd_status hd_pass_flatten(hd_lower *l);   /* one optimiser step over flat vectors */
hd_status hd_pass_recompute(hd_lower *l); /* activations made again where memory is short */
hd_status hd_pass_keep(hd_lower *l);      /* inference: what depends on weights alone */
hd_status hd_pass_schedule(hd_lower *l);  /* the order of execution */
hd_status hd_pass_prepare(hd_lower *l);   /* kernels ask for scratch and split into tasks */
hd_status hd_pass_plan(hd_lower *l);      /* lifetimes and offsets */
/* Work of one execution of a node. */
hd_cost hd_node_cost(const hd_lower *l, int32_t node);
/* Runs those before `place`: the graph whose nodes kernels are chosen for. */
HD_CHECKED hd_status hd_lower_front(hd_lower *l);
/* Runs them all, dumping and verifying. */
HD_CHECKED hd_status hd_lower_run(hd_lower *l);
/* True when no two values that are alive at the same step overlap in the arena (in place and views excepted): the check
 * of the plan, for debug builds and tests. */
bool hd_plan_is_sound(const hd_lower *l, char *message, size_t size);
#endif
