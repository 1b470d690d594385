/* hadal/graph.h: a network as a graph of typed values.
 *
 * Builders never need checking: the first failure is kept in the graph with operation, shapes and the caller's file and
 * line; later calls do nothing; hd_compile (or hd_graph_status) returns it. */
#ifndef HADAL_GRAPH_H
#define HADAL_GRAPH_H
#include "hadal/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hd_graph hd_graph;

/** A value of a graph: passed by value, nests like mathematics. All zero means "none". */
typedef struct hd_val {
    hd_graph *graph;
    int32_t id;
} hd_val;

/** How a parameter starts. Seeded by (seed, name): nothing depends on the order of creation. */
typedef enum hd_init_kind {
    HD_INIT_ZEROS,
    HD_INIT_CONSTANT,     /**< a */
    HD_INIT_UNIFORM,      /**< [a, b) */
    HD_INIT_NORMAL,       /**< mean a, deviation b */
    HD_INIT_TRUNC_NORMAL, /**< the same, drawn again outside low … high */
    HD_INIT_ORTHOGONAL,   /**< rows or columns of [dim 0, rest] orthogonal, times a */
    HD_INIT_SPARSE,       /**< [r, c]: a share a of each column 0, the rest normal with deviation b */
    HD_INIT_EYE,          /**< [r, c]: 1 on the diagonal */
    HD_INIT_DIRAC         /**< [out, in, k…]: a kernel that hands channels on, in a groups */
} hd_init_kind;
typedef struct hd_init {
    hd_init_kind kind;
    double a, b;
    int64_t zero_row; /**< a slice of the first axis that starts as 0: its number + 1; 0: none */
    double low, high; /**< of a truncated normal distribution */
} hd_init;
#define HD_ZEROS                        ((hd_init){HD_INIT_ZEROS, 0, 0, 0, 0, 0})
#define HD_ONES                         ((hd_init){HD_INIT_CONSTANT, 1, 0, 0, 0, 0})
#define HD_CONSTANT(v)                  ((hd_init){HD_INIT_CONSTANT, (v), 0, 0, 0, 0})
#define HD_UNIFORM(a, b)                ((hd_init){HD_INIT_UNIFORM, (a), (b), 0, 0, 0})
#define HD_NORMAL(m, std)               ((hd_init){HD_INIT_NORMAL, (m), (std), 0, 0, 0})
#define HD_TRUNC_NORMAL(m, std, lo, hi) ((hd_init){HD_INIT_TRUNC_NORMAL, (m), (std), 0, (lo), (hi)})
#define HD_ORTHOGONAL(gain)             ((hd_init){HD_INIT_ORTHOGONAL, (gain), 0, 0, 0, 0})
#define HD_SPARSE(share, std)           ((hd_init){HD_INIT_SPARSE, (share), (std), 0, 0, 0})
#define HD_EYE                          ((hd_init){HD_INIT_EYE, 0, 0, 0, 0, 0})
#define HD_DIRAC(groups)                ((hd_init){HD_INIT_DIRAC, (groups), 0, 0, 0, 0})

/** What a value is. */
typedef enum hd_kind {
    HD_KIND_NODE,  /**< made by a node */
    HD_KIND_INPUT, /**< fed at every run */
    HD_KIND_PARAM, /**< trained, lives in the store */
    HD_KIND_STATE, /**< persists, not trained, lives in the store */
    HD_KIND_CONST
} hd_kind;

/** A graph of the context. Errors: HD_E_MEMORY. The graph must be freed before its context. */
HD_API HD_CHECKED hd_status hd_graph_new(hd_graph **out, hd_context *ctx);
HD_API void hd_graph_free(hd_graph *graph);
HD_API HD_CHECKED hd_status hd_graph_clone(hd_graph **out, const hd_graph *graph); /**< ids stay the same */
/** A copy in which every leaf of dtype `from` is of dtype `to` (f32 and f64), ids as in `graph`: for checking in f64
 * what runs in f32. Errors: HD_E_USAGE, HD_E_MODEL when an operation refuses the other dtype. */
HD_API HD_CHECKED hd_status hd_graph_convert(hd_graph **out, const hd_graph *graph, hd_dtype from, hd_dtype to);
/** The first failure of a builder, or HD_OK; its text becomes hd_last_error of the graph's context. */
HD_API hd_status hd_graph_status(const hd_graph *graph);
HD_API hd_context *hd_graph_context(const hd_graph *graph);
/** Makes a failure of a builder of the caller's own the graph's sticky error ("WHERE|WHAT|FIX"); dropped when there is
 * one. */
HD_API void hd_graph_fail(hd_graph *graph, hd_status status, const char *format, ...) HD_PRINTF(3, 4);

/** A value fed at every run. Names are unique in a graph. Dimensions may hold one HD_BATCH. */
HD_API hd_val hd_input_at(hd_loc at, hd_graph *graph, const char *name, hd_dtype dtype, hd_dims dims);
#define hd_input(graph, name, dtype, dims) hd_input_at(HD_HERE, graph, name, dtype, dims)
/** A trained tensor: gets a gradient and is changed by the optimiser. */
HD_API hd_val hd_param_at(hd_loc at, hd_graph *graph, const char *name, hd_dtype dtype, hd_dims dims, hd_init init);
#define hd_param(graph, name, dtype, dims, init) hd_param_at(HD_HERE, graph, name, dtype, dims, init)
/** A tensor that persists from step to step without gradient: running statistics, optimiser state. */
HD_API hd_val hd_state_at(hd_loc at, hd_graph *graph, const char *name, hd_dtype dtype, hd_dims dims, hd_init init);
#define hd_state(graph, name, dtype, dims, init) hd_state_at(HD_HERE, graph, name, dtype, dims, init)
/** A state that is no part of the model: starts as zeros, is changed by effects in training and inference alike, is not
 * in checkpoints of weights nor in their hash, and hd_store_clear makes it zeros again. What recurrent layers carry
 * from one batch to the next, caches of keys and values. One dimension may be HD_BATCH: each size of batch has a buffer
 * of its own. */
HD_API hd_val hd_buffer_at(hd_loc at, hd_graph *graph, const char *name, hd_dtype dtype, hd_dims dims);
#define hd_buffer(graph, name, dtype, dims) hd_buffer_at(HD_HERE, graph, name, dtype, dims)
/** A constant: `data` (count(dims) elements, row-major) is copied. */
HD_API hd_val hd_const_at(hd_loc at, hd_graph *graph, hd_dtype dtype, hd_dims dims, const void *data);
#define hd_const(graph, dtype, dims, data) hd_const_at(HD_HERE, graph, dtype, dims, data)

/** Output number i of the node that made `value` (most nodes have one). None when there is no such output. */
HD_API hd_val hd_output(hd_val value, int i);
HD_API bool hd_val_is_none(hd_val value);
HD_API hd_dtype hd_val_dtype(hd_val value);
HD_API hd_dims hd_val_dims(hd_val value);     /**< rank 0 for none */
HD_API const char *hd_val_name(hd_val value); /**< "" when it has none */
HD_API hd_kind hd_val_kind(hd_val value);
/** Gives a value a name of its own, used in messages, prints and pictures. Returns the value. */
HD_API hd_val hd_name(hd_val value, const char *name);
/** Marks a value as a result: kept by every compile of this graph, read by name with hd_program_get. */
HD_API void hd_mark_output(hd_val value, const char *name);

HD_API int32_t hd_graph_value_count(const hd_graph *graph);
HD_API int32_t hd_graph_node_count(const hd_graph *graph);
/** The value called `name`, or none. */
HD_API hd_val hd_graph_find(const hd_graph *graph, const char *name);
/** Parameters whose name fits the pattern ("conv1.*": `*` stands for any text) become states: kept, no longer trained.
 * Returns how many. To be called before programs are compiled. */
HD_API int32_t hd_freeze(hd_graph *graph, const char *pattern);
/** Decode mode, for generation: to be called before building. Layers that look along a sequence then take ONE position
 * a run ([batch, 1, …]), at the place that the input "position" says (hd_position_input), and keep what they need of
 * those before in buffers. max_positions: how many there will be at most, 1 or more. */
HD_API void hd_graph_set_decode(hd_graph *graph, int64_t max_positions);
/** max_positions of decode mode; 0: whole sequences. */
HD_API int64_t hd_graph_decode(const hd_graph *graph);
/** Whether a name is one of those that the pattern means: * stands for any text, also none. */
HD_API bool hd_name_fits(const char *pattern, const char *name);
/** Number of elements in trained tensors. */
HD_API int64_t hd_graph_param_count(const hd_graph *graph);

/** The graph as text, one line a value or node; *text is freed by hd_memory_free. */
HD_API HD_CHECKED hd_status hd_graph_print(const hd_graph *graph, char **text);
/** Reads what hd_graph_print wrote (or a person). Errors: HD_E_MODEL "where:line:column: …". */
HD_API HD_CHECKED hd_status hd_graph_parse(hd_graph **out, hd_context *ctx, const char *where, const char *text);

#ifdef __cplusplus
}
#endif
#endif
