/* freeze.c: takes parameters out of training: they stay in the graph and the store, and get no gradient. */
#include "graph/graph.h"

bool hd_name_fits(const char *pattern, const char *name) {
    const char *star = NULL, *again = NULL;
    while (*name) {
        if (*pattern == '*') {
            star = ++pattern;
            again = name;
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star;
            name = ++again;
        } else {
            return false;
        }
    }
    while (*pattern == '*') pattern++;
    return *pattern == '\0';
}

int32_t hd_freeze(hd_graph *graph, const char *pattern) {
    int32_t n = 0;
    for (size_t i = 0; i < graph->value_count; i++) {
        hd_value *v = &graph->values[i];
        if (v->kind != HD_KIND_PARAM || !hd_name_fits(pattern, v->name)) continue;
        v->kind = HD_KIND_STATE;
        n++;
    }
    return n;
}
