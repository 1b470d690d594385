/* graph.h: the inside of hd_graph: values and nodes in arrays, integer ids. Owns storage and lookup; knows no op by
 * name. */
#ifndef HD_GRAPH_GRAPH_H
#define HD_GRAPH_GRAPH_H
#include "base/alloc.h"
#include "base/status.h"
#include "base/text.h"
#include "hadal/op.h"

typedef struct hd_value {
    const char *name; /* "" when none */
    hd_kind kind;
    hd_type type;
    int32_t node;       /* producer, or -1 */
    int32_t out;        /* which output of it */
    hd_init init;       /* PARAM, STATE */
    bool buffer;        /* STATE that is no part of the model */
    const void *data;   /* CONST */
    const char *output; /* name as a result, or NULL */
    hd_loc loc;
    /* A parameter, state or gradient that lives inside a flat vector (made by the pass `flatten`). */
    int32_t member_of;     /* value id of the vector, or -1 */
    int64_t member_offset; /* in elements */
} hd_value;

typedef struct hd_node {
    const hd_op *op;
    int32_t n_in, n_out;
    int32_t *in; /* value ids; -1: an optional input that is absent */
    int32_t out; /* first output; the others follow */
    void *attr;  /* args struct, defaults filled in */
    hd_loc loc;
    int32_t order; /* a wish for the schedule: what stands for another node takes its place */
    bool dead;     /* taken out by a pass */
    void *lower;   /* what compilation knows of it (hd_lnode), else NULL */
} hd_node;

/* How the args struct of a variadic op begins. */
typedef struct hd_concat_like {
    const hd_val *x;
    int64_t n;
} hd_concat_like;

struct hd_graph {
    hd_context *ctx;
    hd_arena arena;
    hd_value *values;
    size_t value_count, value_capacity;
    hd_node *nodes;
    size_t node_count, node_capacity;
    hd_status status;   /* first failure */
    char error[1200];   /* its text, "WHERE|WHAT|FIX" */
    bool backward;      /* hd_gradients has been here */
    int64_t decode;     /* positions of decode mode; 0: whole sequences */
    hd_graph **derived; /* graphs made from this one, freed with it */
    size_t derived_count, derived_capacity;
};

/* The input in whose memory output k of a node lives, or -1: none, or an optional one that is absent. */
static inline int32_t hd_node_alias(const hd_node *node, int k) {
    const int i = node->op->alias[k] - 1;
    return i >= 0 && i < node->n_in ? node->in[i] : -1;
}

static inline hd_value *hd_value_of(hd_val v) {
    return v.graph ? &v.graph->values[v.id] : NULL;
}
static inline hd_val hd_val_at(hd_graph *g, int32_t id) {
    return id < 0 ? (hd_val){0} : (hd_val){g, id};
}

hd_value *hd_graph_add_value(hd_graph *graph, hd_kind kind, const char *name, hd_type type,
                             hd_loc at);                              /* NULL: failed */
HD_CHECKED hd_status hd_graph_own(hd_graph *parent, hd_graph *child); /* child is freed with parent */
/* A copy of an args struct whose inputs are blanked; strings are copied too. NULL without memory. */
void *hd_attr_copy(const hd_op *op, const void *args, hd_arena *arena);

/* "file:line" or "file:line:column"; returns buffer. */
const char *hd_loc_text(char *buffer, size_t size, hd_loc at);

/* Adds a node whose args are raw (n inputs given apart, attr copied, defaults not touched). None after a failure. */
hd_val hd_graph_add_node(hd_graph *graph, hd_loc at, const hd_op *op, const int32_t *in, int32_t n_in,
                         const void *attr);
/* A node like that one, but for what it reads: its results have the same types, also where a pass has set them. */
hd_val hd_graph_repeat_node(hd_graph *graph, int32_t node, const int32_t *in);
/* Infers the outputs of every node again (after dimensions were bound). */
HD_CHECKED hd_status hd_graph_infer(hd_graph *graph);
HD_CHECKED hd_status hd_graph_infer_node(hd_graph *graph, hd_node *node);
/* Ids in range, producers before consumers, types as inferred, names unique. */
HD_CHECKED hd_status hd_graph_verify(const hd_graph *graph);
const char *hd_op_in_name(const hd_op *op, int i);

/* ---- how parameters start ---- */
/* Kinds of starts as texts say them, and how many numbers follow in brackets. */
typedef struct hd_init_about {
    const char *name;
    int numbers; /* of a, b, low, high */
} hd_init_about;
extern const hd_init_about hd_init_kinds[];
/* HD_E_MODEL, and why, where a start does not fit the dimensions. */
HD_CHECKED hd_status hd_init_check(const hd_init *init, const hd_dims *dims, char *message, size_t size);

/* ---- options ---- */
/* Fills defaults of zero fields; checks ranges: message into buffer, HD_E_MODEL. */
HD_CHECKED hd_status hd_options_settle(const hd_option *options, void *args, char *message, size_t size);
/* Appends "name=value" for fields that differ from their defaults, separated by blanks. */
void hd_options_print(const hd_option *options, const void *args, hd_text *out);
/* Sets one field from text ("3", "[1,1]", "1e-5", "true", "relu", "f32"); message on failure. Strings are kept in
 * arena. */
HD_CHECKED hd_status hd_option_set(const hd_option *option, void *args, const char *text, hd_arena *arena,
                                   char *message, size_t size);
const hd_option *hd_option_find(const hd_option *options, const char *name);
#endif
