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
#define VECTOR_CALLS(name) extern const vector_entry vector_calls_##name[];
#include "calls.def"
#undef VECTOR_CALLS

/* The call of a file, or NULL. */
vector_call vector_call_find(const char *file);
#endif
