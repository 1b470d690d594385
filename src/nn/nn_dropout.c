/* nn_dropout.c: dropout and normal noise over the random state of the graph, and that state itself. */
#include "nn/layer.h"

hd_val hd_rng_input(hd_graph *graph) {
    if (!graph) return (hd_val){0};
    const hd_val known = hd_graph_find(graph, "rng");
    return hd_val_is_none(known) ? hd_input(graph, "rng", HD_I64, HD_DIMS(2)) : known;
}

/* The number of nodes before it tells one dropout from another: the same network gives the same masks. */
hd_val hd_nn_dropout_at(hd_loc at, const hd_nn_dropout_args *a) {
    if (!hd_layer_ready(a->x)) return (hd_val){0};
    const int64_t stream = hd_graph_node_count(a->x.graph);
    return hd_dropout_at(at,
                         &(hd_dropout_args){.x = a->x, .rng = hd_rng_input(a->x.graph), .p = a->p, .stream = stream});
}

hd_val hd_nn_reparameterize_at(hd_loc at, const hd_nn_reparameterize_args *a) {
    if (!hd_layer_ready(a->mean)) return (hd_val){0};
    hd_graph *g = a->mean.graph;
    return hd_reparameterize_at(
        at, &(hd_reparameterize_args){
                .mean = a->mean, .log_var = a->log_var, .rng = hd_rng_input(g), .stream = hd_graph_node_count(g)});
}

static hd_val build(hd_loc at, hd_val x, const char *name, void *args) {
    hd_nn_dropout_args *a = args;
    (void)name;
    a->x = x;
    return hd_nn_dropout_at(at, a);
}

static const hd_option options[] = {
    HD_LAYER_OPT(hd_nn_dropout_args, p, HD_OPT_FLOAT, 1, .def = 0.5, .min = 0, .max = 1,
                 .help = "share of the elements that are dropped"),
    HD_OPTION_END,
};

const hd_layer hd_layer_dropout = {
    .name = "dropout",
    .help = "while training, zeroes each element with probability p and scales the others by 1/(1−p)",
    .args_size = sizeof(hd_nn_dropout_args),
    .options = options,
    .build = build,
};
