/* nn_embedding.c: a trained row of numbers for each of a set of things. */
#include "nn/layer.h"

/* Whole numbers as they are; those that came as floats (the columns of a table) are cut off. */
static hd_val index_of(hd_loc at, hd_val x) {
    if (hd_val_dtype(x) == HD_I64) return x;
    return hd_cast_at(at, &(hd_cast_args){.x = x, .dtype = HD_DTYPE(HD_I64)});
}

hd_val hd_nn_embedding_at(hd_loc at, const hd_nn_embedding_args *a) {
    hd_graph *g = a->x.graph;
    char name[HD_LAYER_NAME], part[HD_LAYER_NAME];
    if (!hd_layer_ready(a->x) || !hd_layer_name(g, at, "embedding", a->name, name)) return (hd_val){0};
    const int64_t n = a->num_embeddings, d = a->embedding_dim;
    if (n < 1 || n > HD_LAYER_MAX || d < 1 || d > HD_LAYER_MAX)
        return hd_layer_refuse(g, at, "embedding", name, "Give num_embeddings and embedding_dim, 1 or more",
                               "num_embeddings is %lld, embedding_dim is %lld", (long long)n, (long long)d);
    const int64_t row = a->padding_idx > 0 ? a->padding_idx - 1 : a->padding_idx + n;
    if (a->padding_idx && (row < 0 || row >= n))
        return hd_layer_refuse(g, at, "embedding", name, "Give a padding_idx among the rows",
                               "padding_idx lies outside its %lld rows", (long long)n);
    hd_init init = HD_NORMAL(0, 1);
    if (a->padding_idx) init.zero_row = row + 1;
    const hd_dtype t = hd_val_dtype(a->x) == HD_F64 || hd_val_dtype(a->x) == HD_BF16 ? hd_val_dtype(a->x) : HD_F32;
    const hd_val w = hd_param_at(at, g, hd_layer_param(part, name, "weight"), t, HD_DIMS(n, d), init);
    const hd_val index = index_of(at, a->x);
    return hd_embedding_at(at, &(hd_embedding_args){.weight = w, .index = index, .padding_idx = a->padding_idx});
}

HD_LAYER_BUILD_NAMED(embedding, hd_nn_embedding_args, hd_nn_embedding_at)

static const hd_option options[] = {
    HD_LAYER_OPT(hd_nn_embedding_args, num_embeddings, HD_OPT_INT, 1, .min = 1, .max = HD_LAYER_MAX,
                 .help = "number of rows: how many different things there are"),
    HD_LAYER_OPT(hd_nn_embedding_args, embedding_dim, HD_OPT_INT, 1, .min = 1, .max = HD_LAYER_MAX,
                 .help = "numbers in a row"),
    HD_LAYER_OPT(hd_nn_embedding_args, padding_idx, HD_OPT_AXIS, 1,
                 .help = "a row that starts as 0 and is not trained, negative from the end; none"),
    HD_OPTION_END,
};

const hd_layer hd_layer_embedding = {
    .name = "embedding",
    .help = "y = weight[x]: a trained row of numbers for each whole number 0 … num_embeddings−1",
    .args_size = sizeof(hd_nn_embedding_args),
    .options = options,
    .build = build_embedding,
};
