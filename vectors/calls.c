/* calls.c: finds a call in the tables of all families. */
#include "calls.h"
#include <string.h>

vector_call vector_call_find(const char *file) {
    static const vector_entry *const tables[] = {
        vector_calls_math,   vector_calls_reduce, vector_calls_order,     vector_calls_index,  vector_calls_shape,
        vector_calls_window, vector_calls_loss,   vector_calls_composite, vector_calls_masked, vector_calls_norm};
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const vector_entry *e = tables[t]; e->file; e++)
            if (strcmp(e->file, file) == 0) return e->call;
    return NULL;
}
