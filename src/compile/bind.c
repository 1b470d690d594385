/* bind.c: HD_BATCH becomes a number, and every shape is worked out again. */
#include "compile/lower.h"
#include <stdio.h>

/* A buffer as wide as the batch: programs of another batch have another. */
static hd_status name_by_batch(hd_lower *l, hd_value *v) {
    char name[640];
    (void)snprintf(name, sizeof name, "%s[%lld]", v->name, (long long)l->batch);
    v->name = hd_arena_strdup(&l->g->arena, name);
    return v->name ? HD_OK : hd_fail_memory(l->ctx, sizeof name);
}

hd_status hd_pass_bind(hd_lower *l) {
    for (size_t i = 0; i < l->g->value_count; i++) {
        hd_value *v = &l->g->values[i];
        for (int d = 0; d < v->type.dims.rank; d++) {
            if (v->type.dims.dim[d] != HD_BATCH) continue;
            v->type.dims.dim[d] = l->batch;
            if (v->buffer) HD_TRY(name_by_batch(l, v));
        }
    }
    HD_TRY(hd_graph_infer(l->g));
    for (size_t i = 0; i < l->g->value_count; i++) {
        const hd_value *v = &l->g->values[i];
        if (v->kind == HD_KIND_NODE && v->node < 0) continue;
        const int64_t n = hd_dims_count(&v->type.dims);
        if (n < 0 || n > INT64_MAX / 64)
            return hd_fail(l->ctx, HD_E_MODEL, "%s|value \"%s\" has more elements than 64 bits count at batch %lld",
                           v->loc.file, v->name, (long long)l->batch);
    }
    return HD_OK;
}
