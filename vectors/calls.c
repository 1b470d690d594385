/* calls.c: finds a call in the tables of all families. */
#include "calls.h"
#include <string.h>

vector_call vector_call_find(const char *file) {
    static const vector_entry *const tables[] = {
#define VECTOR_CALLS(name) vector_calls_##name,
#include "calls.def"
#undef VECTOR_CALLS
    };
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const vector_entry *e = tables[t]; e->file; e++)
            if (strcmp(e->file, file) == 0) return e->call;
    return NULL;
}
