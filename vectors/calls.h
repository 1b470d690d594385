/* calls.h: the tables of calls, one for each family, searched by the name of the file of reference vectors. */
#ifndef HD_VECTORS_CALLS_H
#define HD_VECTORS_CALLS_H
#include "vector_case.h"

typedef void (*vector_call)(vector_case *c);
typedef struct vector_entry {
    const char *file; /* "nn.functional.conv2d" */
    vector_call call;
} vector_entry;

/* Each ends with {0}. */
extern const vector_entry vector_calls_math[], vector_calls_reduce[], vector_calls_order[], vector_calls_index[],
    vector_calls_shape[], vector_calls_window[], vector_calls_loss[], vector_calls_composite[], vector_calls_masked[],
    vector_calls_norm[];

/* The call of a file, or NULL. */
vector_call vector_call_find(const char *file);
#endif
