/* hadal/op.h: what an operation is. Every built-in op is one constant hd_op in one file of src/ops; a user's op is the
 * same descriptor, added with hd_context_add_op. */
#ifndef HADAL_OP_H
#define HADAL_OP_H
#include "hadal/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- options: one schema serves builder defaults, printing, parsing, recipes, --set, --help and the docs ---- */

typedef enum hd_opt_type {
    HD_OPT_BOOL,  /**< bool */
    HD_OPT_INT,   /**< int64_t; 0 in a builder call means the default */
    HD_OPT_INTS,  /**< int64_t[count]; each 0 means the default; one number in text fills all */
    HD_OPT_FLOAT, /**< double; 0 means the default, HD_ZERO is an explicit zero */
    HD_OPT_AXIS,  /**< int64_t: 0 the default, HD_AXIS(k) for k ≥ 0, negative counts from the end */
    HD_OPT_DIMS,  /**< hd_dims; rank 0 means the default (none) */
    HD_OPT_DTYPE, /**< hd_dtype stored as int64_t: dtype + 1; 0 means the default */
    HD_OPT_ENUM,  /**< int64_t, index into choices */
    HD_OPT_STRING /**< const char *, NULL means the default (none) */
} hd_opt_type;

#define HD_ZERO     (-0.0)
#define HD_AXIS(k)  ((k) >= 0 ? (int64_t)(k) + 1 : (int64_t)(k))
#define HD_DTYPE(t) ((int64_t)(t) + 1)

typedef struct hd_option {
    const char *name;
    hd_opt_type type;
    size_t offset; /**< in the args struct */
    int count;     /**< entries of HD_OPT_INTS, else 1 */
    double def;    /**< default (an axis in the coding of HD_AXIS) */
    double min, max;
    const char *const *choices; /**< HD_OPT_ENUM: NULL-terminated; HD_OPT_INTS: words, number k for −k in all */
    const char *help;
} hd_option;
#define HD_OPTION_END                                                                                                  \
    { 0 }

/* ---- shapes ---- */

typedef struct hd_type {
    hd_dtype dtype;
    hd_dims dims; /**< rank -1: an optional input that is absent */
} hd_type;

enum { HD_OP_MAX_OUT = 8 };

/** What `infer` sees. Dimensions may be HD_BATCH, which is equal only to itself. */
typedef struct hd_infer {
    const struct hd_op *op;
    void *attr; /**< the args struct with defaults filled in; infer may settle "0 = like kernel_size" here */
    int n_in;
    const hd_type *in;
    int n_out;
    hd_type *out;
    char *message; /**< filled by hd_infer_fail */
    size_t message_size;
} hd_infer;
/** Keeps the message (without op name and place, which the builder adds) and returns HD_E_MODEL. */
HD_API HD_CHECKED hd_status hd_infer_fail(hd_infer *c, const char *format, ...) HD_PRINTF(2, 3);
/** "[B,1,28,28]" into a buffer of ≥ 192 bytes; returns it. */
HD_API const char *hd_dims_text(char *buffer, const hd_dims *dims);
HD_API bool hd_dims_equal(const hd_dims *a, const hd_dims *b);
/** Decoded axis 0 … rank-1 of an HD_OPT_AXIS field, or -1 when out of range. */
HD_API int hd_axis_resolve(int64_t coded, int rank);
/** NumPy's broadcasting rule; false when the shapes do not go together. */
HD_API bool hd_dims_broadcast(hd_dims *out, const hd_dims *a, const hd_dims *b);

/* ---- gradients: build nodes ---- */

/** What `grad` sees. It sets din[i] for inputs with needs[i]; leaving it none means the gradient is zero. */
typedef struct hd_grad {
    hd_graph *graph;
    const struct hd_op *op;
    const void *attr;
    int n_in, n_out;
    const hd_val *in, *out;
    const hd_val *dout; /**< none where no gradient arrives */
    const bool *needs;
    hd_val *din;
} hd_grad;

/* ---- the definition: plain loops ---- */

typedef struct hd_tensor {
    hd_dtype dtype;
    hd_dims dims;
    int64_t count;
    void *data; /**< row-major; NULL: an optional input that is absent */
} hd_tensor;

/** What `ref` sees: contiguous row-major tensors, concrete dimensions. Outputs hold garbage before. */
typedef struct hd_ref {
    const void *attr;
    int n_in, n_out;
    const hd_tensor *in, *out;
} hd_ref;

/** FLOPs and bytes of one execution with concrete shapes. */
typedef struct hd_cost {
    double flops, bytes;
} hd_cost;

/* ---- samples ---- */

/** A case as text, "x f32[2,3], w f32[4,3] | padding=[1,1]": inputs in order, then options. A tensor may have
 * `={1 2 3}` (values), `:pos` (0.5 … 1.5), `:unit` (−1 … 1, the default is normal numbers), `:away` (at least 0.1 away
 * from 0 and from each other's kinks), `:distinct` (all elements differ by ≥ 0.05), `:below(10)` (whole numbers 0 … 9),
 * `:bool`;
 * "-" is an absent optional input. `expect` (may be NULL): literal outputs "{1 2 3} {4 5}" within 1e-6. */
typedef struct hd_sample {
    const char *text, *expect;
} hd_sample;
/** A case that must be refused, and what its message must contain. */
typedef struct hd_bad_sample {
    const char *text, *message;
} hd_bad_sample;

/* ---- the descriptor ---- */

enum {
    HD_OP_ELEMENTWISE = 1, /**< out[i] depends on in[.][i] alone (with broadcasting where BROADCAST) */
    HD_OP_BROADCAST = 2,   /**< inputs broadcast against each other */
    HD_OP_REDUCE = 4,
    HD_OP_VIEW = 8,       /**< out 0 is in 0 with other dimensions: no work */
    HD_OP_KINK = 16,      /**< not differentiable everywhere: gradient checks stay away from kinks */
    HD_OP_INTERNAL = 32,  /**< made by passes; not in the public list */
    HD_OP_EFFECT = 64,    /**< changes persistent values; never removed */
    HD_OP_INPLACE = 128,  /**< an execution may write out 0 over in 0 (same size) */
    HD_OP_VARIADIC = 256, /**< args begin with {const hd_val *x; int64_t n;} */
    HD_OP_PLACED = 512,   /**< done by the memory plan: its inputs are written where its output lies */
    HD_OP_OWN_BF16 = 1024 /**< its definition reads and writes bf16 itself; those of others see f32 in its place */
};

typedef struct hd_op {
    const char *name;
    int n_in, n_optional; /**< required inputs, then optional ones: the first members of the args struct */
    int n_out;
    const char *const *in_names;  /**< NULL-terminated; NULL: x (or a, b) */
    const char *const *out_names; /**< NULL-terminated; NULL: y */
    size_t args_size;
    const hd_option *options; /**< NULL: none */
    uint32_t flags;
    hd_status (*infer)(hd_infer *c);
    void (*grad)(hd_grad *c);
    const char *no_grad_reason;   /**< why mathematics gives none: grad is NULL, or leaves all none where it is 0 */
    void (*ref)(const hd_ref *r); /**< operands of bf16 come as f32 (see HD_OP_OWN_BF16) */
    hd_cost (*cost)(const hd_infer *c); /**< NULL: a FLOP per output element */
    /** For effects: alias[o] = i + 1 when output o lives in the memory of input i (must be a param or state). */
    uint8_t alias[HD_OP_MAX_OUT];
    const char *formula;      /**< "y = max(x, 0)" */
    const char *source;       /**< paper, equation, standard */
    const char *doc;          /**< one paragraph */
    const char *onnx;         /**< ONNX operator, or NULL */
    const hd_sample *samples; /**< ends with {0} */
    const hd_bad_sample *bad; /**< ends with {0} */
} hd_op;

/** One node of a graph, for summaries and exporters. Pointers are the graph's. */
typedef struct hd_node_info {
    const hd_op *op;
    const void *attr; /**< the op's args struct, defaults filled in (its leading hd_vals are not meaningful) */
    int32_t n_in, n_out;
    hd_loc loc;
} hd_node_info;
/** Node i (0 … hd_graph_node_count − 1, producers before consumers); false past the end or when it was taken out. */
HD_API bool hd_graph_node(const hd_graph *graph, int32_t i, hd_node_info *out);
/** Input or output k of node i, or none. */
HD_API hd_val hd_graph_node_in(hd_graph *graph, int32_t i, int32_t k);
HD_API hd_val hd_graph_node_out(hd_graph *graph, int32_t i, int32_t k);

/** Adds a node of `op`: args is the op's args struct (inputs first). Returns output 0. Used by every builder. */
HD_API hd_val hd_node_add(hd_loc at, const hd_op *op, const void *args);
/** The built-in or user op of that name, or NULL. ctx may be NULL: built-in ones only. */
HD_API const hd_op *hd_op_find(const hd_context *ctx, const char *name);
/** Built-in op number i, or NULL past the end: for lists and tests. */
HD_API const hd_op *hd_op_at(int i);
/** Makes a user's op known to a context, for parsing by name and the generic tests. The descriptor must outlive it. */
HD_API HD_CHECKED hd_status hd_context_add_op(hd_context *ctx, const hd_op *op);

#ifdef __cplusplus
}
#endif
#endif
