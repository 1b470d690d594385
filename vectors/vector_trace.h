/* vector_trace.h: two parameters in a training program, stepped with given gradients. */
#ifndef HD_VECTORS_TRACE_H
#define HD_VECTORS_TRACE_H
#include "hadal/program.h"
#include "vector_run.h"

enum { VECTOR_PARAMS = 2 };

typedef struct vector_trace {
    const vector_file *file;
    hd_arena *arena;
    vector_result *r;
    hd_dtype dtype;
    hd_dims dims[VECTOR_PARAMS];
    hd_graph *g;
    hd_program *program;
} vector_trace;

/* A tensor of the file in the trace's dtype; a failure of the case when there is none. */
void *vector_trace_tensor(vector_trace *t, const char *name, hd_dims *dims);
/* The graph and its program; `start` NULL: parameters begin at zero. */
void vector_trace_make(vector_trace *t, const hd_optimizer *o, const char *backend, const void *const *start);
/* One step with these gradients; then every parameter against the file's tensor of that name. */
void vector_trace_step(vector_trace *t, void *const *grads, char (*expected)[96], double bar);
void vector_trace_free(vector_trace *t);
#endif
