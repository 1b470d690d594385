/* nn_norms.c: normalisation of each sample by its own statistics, with its parameters: over the last axes, over groups
 * of channels. */
#include "nn/layer.h"

/* NAME.weight and NAME.bias of a layer, as many as it has: ones and zeros. */
static void affine(hd_loc at, hd_val x, const char *name, hd_dims size, hd_val *w, hd_val *b) {
    char part[HD_LAYER_NAME];
    const hd_dtype t = hd_val_dtype(x);
    if (w) *w = hd_param_at(at, x.graph, hd_layer_param(part, name, "weight"), t, size, HD_ONES);
    if (b) *b = hd_param_at(at, x.graph, hd_layer_param(part, name, "bias"), t, size, HD_ZEROS);
}

/* ---- over the last axes ---- */

/* Settles the shape: the last axis where it is not given. False: refused. */
static bool last_shape(hd_loc at, hd_val x, const char *type, const char *name, hd_dims *shape) {
    const hd_dims dims = hd_val_dims(x);
    const int first = dims.rank - shape->rank;
    char a[192], b[192];
    if (shape->rank == 0 && dims.rank > 0) *shape = HD_DIMS(dims.dim[dims.rank - 1]);
    bool fits = shape->rank > 0 && first >= 0;
    for (int i = 0; i < shape->rank && fits; i++)
        fits = shape->dim[i] > 0 && shape->dim[i] == dims.dim[dims.rank - shape->rank + i];
    if (!fits)
        hd_layer_refuse(x.graph, at, type, name, "normalized_shape are the sizes of the last axes",
                        "normalizes %s, its input is %s", hd_dims_text(a, shape), hd_dims_text(b, &dims));
    return fits;
}

hd_val hd_nn_layer_norm_at(hd_loc at, const hd_nn_layer_norm_args *a) {
    char name[HD_LAYER_NAME];
    if (!hd_layer_ready(a->x) || !hd_layer_name(a->x.graph, at, "layer_norm", a->name, name)) return (hd_val){0};
    hd_layer_norm_args args = {.x = a->x, .normalized_shape = a->normalized_shape, .eps = a->eps};
    if (!last_shape(at, a->x, "layer_norm", name, &args.normalized_shape)) return (hd_val){0};
    if (!a->no_affine) affine(at, a->x, name, args.normalized_shape, &args.w, a->no_bias ? NULL : &args.b);
    return hd_layer_norm_at(at, &args);
}

hd_val hd_nn_rms_norm_at(hd_loc at, const hd_nn_rms_norm_args *a) {
    char name[HD_LAYER_NAME];
    if (!hd_layer_ready(a->x) || !hd_layer_name(a->x.graph, at, "rms_norm", a->name, name)) return (hd_val){0};
    hd_rms_norm_args args = {.x = a->x, .normalized_shape = a->normalized_shape, .eps = a->eps};
    if (!last_shape(at, a->x, "rms_norm", name, &args.normalized_shape)) return (hd_val){0};
    if (!a->no_affine) affine(at, a->x, name, args.normalized_shape, &args.w, NULL);
    return hd_rms_norm_at(at, &args);
}

/* ---- over groups of channels ---- */

/* The number of channels, or 0 and a refusal. */
static int64_t channels_of(hd_loc at, hd_val x, const char *type, const char *name) {
    const hd_dims dims = hd_val_dims(x);
    char shape[192];
    if (dims.rank >= 2 && dims.dim[1] >= 1) return dims.dim[1];
    hd_layer_refuse(x.graph, at, type, name, "Its input is [batch, channels, …]",
                    "expects an axis of channels, its input is %s", hd_dims_text(shape, &dims));
    return 0;
}

hd_val hd_nn_group_norm_at(hd_loc at, const hd_nn_group_norm_args *a) {
    char name[HD_LAYER_NAME];
    if (!hd_layer_ready(a->x) || !hd_layer_name(a->x.graph, at, "group_norm", a->name, name)) return (hd_val){0};
    const int64_t channels = channels_of(at, a->x, "group_norm", name);
    if (!channels) return (hd_val){0};
    if (a->num_groups < 1 || channels % a->num_groups)
        return hd_layer_refuse(a->x.graph, at, "group_norm", name, "Give num_groups, a divisor of the channels",
                               "%lld channels can not be divided into %lld groups", (long long)channels,
                               (long long)a->num_groups);
    hd_group_norm_args args = {.x = a->x, .num_groups = a->num_groups, .eps = a->eps};
    if (!a->no_affine) affine(at, a->x, name, HD_DIMS(channels), &args.w, &args.b);
    return hd_group_norm_at(at, &args);
}

hd_val hd_nn_instance_norm_at(hd_loc at, const hd_nn_instance_norm_args *a) {
    hd_graph *g = a->x.graph;
    char name[HD_LAYER_NAME], part[HD_LAYER_NAME];
    if (!hd_layer_ready(a->x) || !hd_layer_name(g, at, "instance_norm", a->name, name)) return (hd_val){0};
    const int64_t channels = channels_of(at, a->x, "instance_norm", name);
    if (!channels) return (hd_val){0};
    const hd_dtype t = hd_val_dtype(a->x);
    const hd_dims c = HD_DIMS(channels);
    hd_instance_norm_args args = {.x = a->x, .eps = a->eps, .momentum = a->momentum};
    if (a->affine) affine(at, a->x, name, c, &args.w, &args.b);
    if (a->track_running_stats) {
        args.running_mean = hd_state_at(at, g, hd_layer_param(part, name, "running_mean"), t, c, HD_ZEROS);
        args.running_var = hd_state_at(at, g, hd_layer_param(part, name, "running_var"), t, c, HD_ONES);
        if (!a->affine) { /* the op scales in any case */
            args.w = hd_fill_like_at(at, &(hd_fill_like_args){.x = args.running_mean, .value = 1});
            args.b = hd_fill_like_at(at, &(hd_fill_like_args){.x = args.running_mean});
        }
    }
    return hd_instance_norm_at(at, &args);
}

/* ---- for recipes ---- */

typedef struct norm_recipe {
    hd_dims normalized_shape;
    int64_t num_groups;
    double eps, momentum;
    bool elementwise_affine, affine, bias, track_running_stats;
} norm_recipe;

static hd_val build_layer_norm(hd_loc at, hd_val x, const char *name, void *args) {
    const norm_recipe *r = args;
    return hd_nn_layer_norm_at(at, &(hd_nn_layer_norm_args){.x = x,
                                                            .name = name,
                                                            .normalized_shape = r->normalized_shape,
                                                            .eps = r->eps,
                                                            .no_affine = !r->elementwise_affine,
                                                            .no_bias = !r->bias});
}
static hd_val build_rms_norm(hd_loc at, hd_val x, const char *name, void *args) {
    const norm_recipe *r = args;
    return hd_nn_rms_norm_at(at, &(hd_nn_rms_norm_args){.x = x,
                                                        .name = name,
                                                        .normalized_shape = r->normalized_shape,
                                                        .eps = r->eps,
                                                        .no_affine = !r->elementwise_affine});
}
static hd_val build_group_norm(hd_loc at, hd_val x, const char *name, void *args) {
    const norm_recipe *r = args;
    return hd_nn_group_norm_at(
        at, &(hd_nn_group_norm_args){
                .x = x, .name = name, .num_groups = r->num_groups, .eps = r->eps, .no_affine = !r->affine});
}

static hd_val build_instance_norm(hd_loc at, hd_val x, const char *name, void *args) {
    const norm_recipe *r = args;
    return hd_nn_instance_norm_at(at, &(hd_nn_instance_norm_args){.x = x,
                                                                  .name = name,
                                                                  .eps = r->eps,
                                                                  .momentum = r->momentum,
                                                                  .affine = r->affine,
                                                                  .track_running_stats = r->track_running_stats});
}
#define SHAPE                                                                                                          \
    HD_LAYER_OPT(norm_recipe, normalized_shape, HD_OPT_DIMS, 1,                                                        \
                 .help = "sizes of the last axes; the last one if not said")
#define EPS(default_, ...) HD_LAYER_OPT(norm_recipe, eps, HD_OPT_FLOAT, 1, .def = default_, __VA_ARGS__)
#define AFFINE(field_)                                                                                                 \
    HD_LAYER_OPT(norm_recipe, field_, HD_OPT_BOOL, 1, .def = 1, .help = "scale (and shift) by trained numbers")
#define NORM_LAYER(name_, help_, ...)                                                                                  \
    static const hd_option name_##_options[] = {__VA_ARGS__, HD_OPTION_END};                                           \
    const hd_layer hd_layer_##name_ = {.name = #name_,                                                                 \
                                       .help = help_,                                                                  \
                                       .args_size = sizeof(norm_recipe),                                               \
                                       .options = name_##_options,                                                     \
                                       .build = build_##name_};

NORM_LAYER(layer_norm, "brings the last axes of each sample to mean 0 and deviation 1, then scales and shifts them",
           SHAPE, EPS(1e-5, .min = 1e-12, .max = 1, .help = "added to the variance"), AFFINE(elementwise_affine),
           HD_LAYER_OPT(norm_recipe, bias, HD_OPT_BOOL, 1, .def = 1, .help = "shift by trained numbers"))
NORM_LAYER(rms_norm, "scales the last axes of each sample to a root mean square of 1, then by trained numbers", SHAPE,
           EPS(0, .min = 0, .max = 1, .help = "added to the mean square; the machine's epsilon if not said"),
           AFFINE(elementwise_affine))
NORM_LAYER(group_norm, "brings groups of channels of each sample to mean 0 and deviation 1, then scales and shifts",
           HD_LAYER_OPT(norm_recipe, num_groups, HD_OPT_INT, 1, .min = 1, .max = HD_LAYER_MAX,
                        .help = "groups of channels"),
           EPS(1e-5, .min = 1e-12, .max = 1, .help = "added to the variance"), AFFINE(affine))
NORM_LAYER(instance_norm, "brings each channel of each sample to mean 0 and deviation 1",
           EPS(1e-5, .min = 1e-12, .max = 1, .help = "added to the variance"),
           HD_LAYER_OPT(norm_recipe, momentum, HD_OPT_FLOAT, 1, .def = 0.1, .min = 0, .max = 1,
                        .help = "weight of the newest batch in the running statistics"),
           HD_LAYER_OPT(norm_recipe, affine, HD_OPT_BOOL, 1, .help = "then scale and shift by trained numbers"),
           HD_LAYER_OPT(norm_recipe, track_running_stats, HD_OPT_BOOL, 1,
                        .help = "keep running statistics and use them outside training"))

#define LRN_OPTION(field_, default_, help_)                                                                            \
    HD_LAYER_OPT(hd_local_response_norm_args, field_, HD_OPT_FLOAT, 1, .def = default_, .help = help_)
static const hd_option local_response_norm_options[] = {
    HD_LAYER_OPT(hd_local_response_norm_args, size, HD_OPT_INT, 1, .min = 1, .max = HD_LAYER_MAX,
                 .help = "neighbouring channels that count"),
    LRN_OPTION(alpha, 1e-4, "factor of the mean square"), LRN_OPTION(beta, 0.75, "exponent"),
    LRN_OPTION(k, 1, "added to the mean square"), HD_OPTION_END};
HD_LAYER_PLAIN(local_response_norm, hd_local_response_norm_args, hd_local_response_norm_at, local_response_norm_options,
               "y = x / (k + alpha/size · Σ x²)^beta over `size` neighbouring channels")
