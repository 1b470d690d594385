/* nn_decode.c: what layers share that see one position a run: its place, and buffers. Knows no layer. */
#include "nn/layer.h"

hd_val hd_position_input(hd_graph *graph) {
    if (!graph) return (hd_val){0};
    const hd_val known = hd_graph_find(graph, "position");
    return hd_val_is_none(known) ? hd_input(graph, "position", HD_I64, HD_DIMS(1)) : known;
}

hd_val hd_nn_buffer(hd_loc at, hd_graph *graph, const char *name, const char *part, hd_dtype dtype, hd_dims dims) {
    char full[HD_LAYER_NAME];
    return hd_buffer_at(at, graph, hd_layer_param(full, name, part), dtype, dims);
}
