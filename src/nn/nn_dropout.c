/* nn_dropout.c: dropout and normal noise over the random state of the graph, and that state itself. */
#include "nn/layer.h"
#include <math.h>

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

/* Ones, zeroed and scaled as dropout does it. */
static hd_val dropped_ones(hd_loc at, hd_val like, double p) {
    const hd_val ones = hd_fill_like_at(at, &(hd_fill_like_args){.x = like, .value = 1});
    return hd_nn_dropout_at(at, &(hd_nn_dropout_args){.x = ones, .p = p});
}

hd_val hd_nn_feature_dropout_at(hd_loc at, const hd_nn_dropout_args *a) {
    char shape[192];
    if (!hd_layer_ready(a->x)) return (hd_val){0};
    const hd_dims dims = hd_val_dims(a->x);
    if (dims.rank < 3 || dims.dim[1] < 1)
        return hd_layer_refuse(a->x.graph, at, "feature_dropout", NULL, "Its input is [batch, channels, …]",
                               "expects channels of signals, pictures or volumes, its input is %s",
                               hd_dims_text(shape, &dims));
    hd_val one = a->x; /* an element of each channel */
    for (int i = 2; i < dims.rank; i++)
        one = hd_slice_at(at, &(hd_slice_args){.x = one, .axis = HD_AXIS(i), .start = 0, .stop = 1});
    return hd_mul_at(at, &(hd_binary_args){.a = a->x, .b = dropped_ones(at, one, a->p)});
}

/* With m the scaled mask (0 or q = 1/(1−p); 1 outside training) y = x·A(m) + B(m): A is 0, 1, a and B is a·α + b, 0, b
 * at m = 0, 1, q, as polynomials. Klambauer et al. 2017: α is what selu gives far left, a and b keep mean and variance.
 */
hd_val hd_nn_alpha_dropout_at(hd_loc at, const hd_nn_dropout_args *args) {
    const double p = args->p == 0 && !signbit(args->p) ? 0.5 : args->p, alpha = -1.7580993408473766;
    if (!hd_layer_ready(args->x)) return (hd_val){0};
    if (p == 0) return args->x;
    if (!(p > 0 && p < 1))
        return hd_layer_refuse(args->x.graph, at, "alpha_dropout", NULL, "Give p from 0 to below 1", "p is %g", p);
    const double q = 1 / (1 - p), a = 1 / sqrt((1 - p) * (1 + p * alpha * alpha)), b = -a * alpha * p;
    const double bend = (a / q - 1) / (q - 1), c0 = a * alpha + b, c1 = (b / (1 - q) - c0) / q;
    const hd_val m = dropped_ones(at, args->x, p);
    const hd_val slope = hd_affine_at(at, &(hd_affine_args){.x = m, .scale = bend, .shift = 1 - bend});
    const hd_val scale = hd_mul_at(at, &(hd_binary_args){.a = m, .b = slope});
    const hd_val rest = hd_affine_at(at, &(hd_affine_args){.x = m, .scale = -1, .shift = 1});
    const hd_val line = hd_affine_at(at, &(hd_affine_args){.x = m, .scale = c1, .shift = c0});
    const hd_val shift = hd_mul_at(at, &(hd_binary_args){.a = rest, .b = line});
    const hd_val scaled = hd_mul_at(at, &(hd_binary_args){.a = args->x, .b = scale});
    return hd_add_at(at, &(hd_binary_args){.a = scaled, .b = shift});
}

HD_LAYER_BUILD(plain, hd_nn_dropout_args, hd_nn_dropout_at)
HD_LAYER_BUILD(feature, hd_nn_dropout_args, hd_nn_feature_dropout_at)
HD_LAYER_BUILD(alpha, hd_nn_dropout_args, hd_nn_alpha_dropout_at)

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
    .build = build_plain,
};

#define DROPOUT_LAYER(name_, build_, help_)                                                                            \
    const hd_layer hd_layer_##name_ = {                                                                                \
        .name = #name_, .help = help_, .args_size = sizeof(hd_nn_dropout_args), .options = options, .build = build_};
DROPOUT_LAYER(dropout1d, build_feature, "dropout of whole channels of signals")
DROPOUT_LAYER(dropout2d, build_feature, "dropout of whole channels of pictures")
DROPOUT_LAYER(dropout3d, build_feature, "dropout of whole channels of volumes")
DROPOUT_LAYER(alpha_dropout, build_alpha, "dropout for selu: keeps mean and variance of what comes in")
