/* nn_activations.c: layers without parameters that act on each element or along an axis. */
#include "nn/layer.h"

#define ACTIVATION(name_, help_)                                                                                       \
    static hd_val build_##name_(hd_loc at, hd_val x, const char *name, void *args) {                                   \
        (void)name, (void)args;                                                                                        \
        return hd_##name_##_at(at, &(hd_unary_args){.x = x});                                                          \
    }                                                                                                                  \
    const hd_layer hd_layer_##name_ = {.name = #name_, .help = help_, .activation = true, .build = build_##name_};

/* With options over the args struct of the op, args_; does it halve what it gets? */
#define ACTIVATION_OF(name_, args_, halves_, help_, ...)                                                               \
    HD_LAYER_BUILD(name_, args_, hd_##name_##_at)                                                                      \
    static const hd_option options_##name_[] = {__VA_ARGS__, HD_OPTION_END};                                           \
    const hd_layer hd_layer_##name_ = {.name = #name_,                                                                 \
                                       .help = help_,                                                                  \
                                       .activation = true,                                                             \
                                       .halves = halves_,                                                              \
                                       .args_size = sizeof(args_),                                                     \
                                       .options = options_##name_,                                                     \
                                       .build = build_##name_};
#define ACTIVATION_WITH(name_, args_, ...) ACTIVATION_OF(name_, args_, false, __VA_ARGS__)
#define FLOAT(args_, field_, ...)          HD_LAYER_OPT(args_, field_, HD_OPT_FLOAT, 1, __VA_ARGS__)
#define AXIS(args_, help_)                 HD_LAYER_OPT(args_, axis, HD_OPT_AXIS, 1, .def = -1, .help = help_)

static const char *const gelu_forms[] = {"none", "tanh", NULL};

ACTIVATION(relu, "y = max(x, 0)")
ACTIVATION(sigmoid, "y = 1 / (1 + e⁻ˣ), between 0 and 1")
ACTIVATION(tanh, "y = tanh x, between −1 and 1")
ACTIVATION(relu6, "y = min(max(x, 0), 6)")
ACTIVATION(selu, "y = 1.0507 (x > 0 ? x : 1.6733 (eˣ − 1)): keeps mean 0 and variance 1")
ACTIVATION(silu, "y = x σ(x), also called swish")
ACTIVATION(mish, "y = x tanh(ln(1 + eˣ))")
ACTIVATION(softsign, "y = x / (1 + |x|), between −1 and 1")
ACTIVATION(logsigmoid, "y = ln σ(x): the logarithm of sigmoid")
ACTIVATION(hardswish, "y = x min(max(x + 3, 0), 6) / 6: silu without an exponential")
ACTIVATION(hardsigmoid, "y = min(max(x + 3, 0), 6) / 6: sigmoid in three straight pieces")
ACTIVATION(tanhshrink, "y = x − tanh x")
ACTIVATION(step, "y = x > 0 ? 1 : 0, as of the perceptron: nothing flows back through it")
ACTIVATION_WITH(leaky_relu, hd_leaky_relu_args, "y = x > 0 ? x : negative_slope·x",
                FLOAT(hd_leaky_relu_args, negative_slope, .def = 0.01, .help = "slope for x < 0"))
ACTIVATION_WITH(elu, hd_elu_args, "y = x > 0 ? x : alpha (eˣ − 1)",
                FLOAT(hd_elu_args, alpha, .def = 1, .help = "−alpha is the limit far left"))
ACTIVATION_WITH(celu, hd_celu_args, "y = x > 0 ? x : alpha (e^(x/alpha) − 1)",
                FLOAT(hd_celu_args, alpha, .def = 1, .min = 1e-6, .max = 1e6, .help = "−alpha is the limit far left"))
ACTIVATION_WITH(gelu, hd_gelu_args, "y = x Φ(x), Φ the normal distribution",
                HD_LAYER_OPT(hd_gelu_args, approximate, HD_OPT_ENUM, 1, .choices = gelu_forms,
                             .help = "none, or tanh: the formula of the first paper"))
ACTIVATION_WITH(softplus, hd_softplus_args, "y = ln(1 + e^(beta·x)) / beta: a smooth relu",
                FLOAT(hd_softplus_args, beta, .def = 1, .min = 1e-6, .max = 1e6, .help = "sharpness of the bend"),
                FLOAT(hd_softplus_args, threshold, .def = 20, .help = "y = x where beta·x is above"))
ACTIVATION_WITH(hardtanh, hd_hardtanh_args, "y = min(max(x, min_val), max_val)",
                FLOAT(hd_hardtanh_args, min_val, .def = -1, .help = "the smallest result"),
                FLOAT(hd_hardtanh_args, max_val, .def = 1, .help = "the largest result"))
ACTIVATION_WITH(threshold, hd_threshold_args, "y = x > threshold ? x : value",
                FLOAT(hd_threshold_args, threshold, .help = "what lies above passes"),
                FLOAT(hd_threshold_args, value, .help = "in the place of the rest"))
ACTIVATION_WITH(hardshrink, hd_hardshrink_args, "y = |x| > lambd ? x : 0",
                FLOAT(hd_hardshrink_args, lambd, .def = 0.5, .min = 0, .max = 1e30, .help = "half the gap's width"))
ACTIVATION_WITH(softshrink, hd_softshrink_args, "y = sign(x) max(|x| − lambd, 0)",
                FLOAT(hd_softshrink_args, lambd, .def = 0.5, .min = 0, .max = 1e30, .help = "half the gap's width"))
ACTIVATION_OF(glu, hd_glu_args, true, "y = a σ(b), a and b the halves of an axis",
              AXIS(hd_glu_args, "the axis that is halved"))
ACTIVATION_WITH(softmax, hd_softmax_args, "y = eˣ / Σ eˣ: numbers become shares",
                AXIS(hd_softmax_args, "the axis that sums to 1"))
ACTIVATION_WITH(log_softmax, hd_softmax_args, "y = x − ln Σ eˣ: the logarithm of softmax",
                AXIS(hd_softmax_args, "the axis that sums to 1"))
