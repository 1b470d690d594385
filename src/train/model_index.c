/* model_index.c: embeddings that read a model's input, and values of it that name none of their rows: an index outside
 * gives NaN, which a later layer may swallow, so it is looked for before a run. */
#include "base/status.h"
#include "train/model.h"
#include <stdio.h>
#include <string.h>

static bool same(hd_val a, hd_val b) {
    return !hd_val_is_none(a) && a.graph == b.graph && a.id == b.id;
}

/* Whether v is x, or x as whole numbers, in whatever shape. Looks at nodes before number `before`. */
static bool comes_from(hd_graph *g, hd_val v, hd_val x, int32_t before) {
    hd_node_info node;
    if (same(v, x)) return true;
    for (int32_t i = before - 1; i >= 0; i--) {
        if (!hd_graph_node(g, i, &node) || !same(hd_graph_node_out(g, i, 0), v)) continue;
        const bool keeps = strcmp(node.op->name, "cast") == 0 || (node.op->flags & HD_OP_VIEW);
        return keeps && comes_from(g, hd_graph_node_in(g, i, 0), x, i);
    }
    return false;
}

void hd_model_find_table(hd_model *m) {
    hd_node_info node;
    for (int32_t i = 0; i < m->net_nodes; i++) {
        if (!hd_graph_node(m->graph, i, &node) || strcmp(node.op->name, "embedding") != 0) continue;
        const hd_val weight = hd_graph_node_in(m->graph, i, 0);
        if (!comes_from(m->graph, hd_graph_node_in(m->graph, i, 1), m->x, i)) continue;
        if (hd_val_is_none(m->table) || hd_val_dims(weight).dim[0] < hd_val_dims(m->table).dim[0]) m->table = weight;
    }
}

hd_status hd_model_check_index(const hd_model *m, const float *x, int64_t n, const int64_t *which, int64_t first) {
    if (hd_val_is_none(m->table)) return HD_OK;
    const int64_t rows = hd_val_dims(m->table).dim[0], size = hd_dims_count(&m->data.sample);
    const char *name = hd_val_name(m->table), *part = strrchr(name, '.');
    for (int64_t i = 0; i < n * size; i++) {
        const double v = (double)x[i];
        if (v > -1 && v < (double)rows) continue;
        return hd_fail(m->ctx, HD_E_DATA,
                       "%s|embedding \"%.*s\" has rows 0 … %lld, sample %lld asks for row %g|Give it more "
                       "num_embeddings; columns that are categories go with data.normalize=none",
                       m->data.name ? m->data.name : "data", part ? (int)(part - name) : (int)strlen(name), name,
                       (long long)rows - 1, (long long)(which ? which[i / size] : first + i / size), v);
    }
    return HD_OK;
}

hd_status hd_model_check_rows(const hd_model *m, const hd_dataset *data, const hd_split *split) {
    const int64_t size = hd_dims_count(&m->data.sample);
    const int64_t *const list[2] = {split->train, split->val}, count[2] = {split->train_count, split->val_count};
    if (hd_val_is_none(m->table)) return HD_OK;
    float *x = hd_alloc_n(m->ctx, (size_t)size, sizeof *x);
    hd_status status = x ? HD_OK : HD_E_MEMORY;
    for (int part = 0; part < 2; part++)
        for (int64_t i = 0; i < count[part] && status == HD_OK; i++) {
            hd_data_x(data, list[part][i], x);
            hd_normalizer_apply(&m->normalizer, x, 1, size);
            status = hd_model_check_index(m, x, 1, &list[part][i], 0);
        }
    hd_free(m->ctx, x);
    return status;
}
