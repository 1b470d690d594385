/* nn_activations.c: layers without parameters that act on each element or along the last axis. */
#include "nn/layer.h"

#define ACTIVATION(name_, help_)                                                                                       \
    static hd_val build_##name_(hd_loc at, hd_val x, const char *name, void *args) {                                   \
        (void)name, (void)args;                                                                                        \
        return hd_##name_##_at(at, &(hd_unary_args){.x = x});                                                          \
    }                                                                                                                  \
    const hd_layer hd_layer_##name_ = {.name = #name_, .help = help_, .build = build_##name_};

ACTIVATION(relu, "y = max(x, 0)")
ACTIVATION(sigmoid, "y = 1 / (1 + e⁻ˣ), between 0 and 1")
ACTIVATION(tanh, "y = tanh x, between −1 and 1")

#define ALONG_AXIS(name_, help_)                                                                                       \
    static hd_val build_##name_(hd_loc at, hd_val x, const char *name, void *args) {                                   \
        hd_softmax_args *a = args;                                                                                     \
        (void)name;                                                                                                    \
        a->x = x;                                                                                                      \
        return hd_##name_##_at(at, a);                                                                                 \
    }                                                                                                                  \
    const hd_layer hd_layer_##name_ = {.name = #name_,                                                                 \
                                       .help = help_,                                                                  \
                                       .args_size = sizeof(hd_softmax_args),                                           \
                                       .options = axis_options,                                                        \
                                       .build = build_##name_};

static const hd_option axis_options[] = {
    HD_LAYER_OPT(hd_softmax_args, axis, HD_OPT_AXIS, 1, .def = -1, .help = "the axis that sums to 1"),
    HD_OPTION_END,
};
ALONG_AXIS(softmax, "y = eˣ / Σ eˣ: numbers become shares")
ALONG_AXIS(log_softmax, "y = x − ln Σ eˣ: the logarithm of softmax")
