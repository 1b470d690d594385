/* calls_activation.c: nn.functional's activations. */
#include "calls.h"
#include <string.h>

static hd_val input(vector_case *c) {
    vector_ignore(c, -1, "inplace");
    return vector_tensor(c, 0, "input");
}

#define PLAIN(name)                                                                                                    \
    static void call_##name(vector_case *c) {                                                                          \
        vector_give(c, hd_##name(input(c)));                                                                           \
    }
PLAIN(relu)
PLAIN(relu6)
PLAIN(selu)
PLAIN(silu)
PLAIN(mish)
PLAIN(softsign)
PLAIN(logsigmoid)
PLAIN(hardswish)
PLAIN(hardsigmoid)
PLAIN(tanhshrink)

#define WITH_NUMBER(name, option, def)                                                                                 \
    static void call_##name(vector_case *c) {                                                                          \
        const hd_val x = input(c);                                                                                     \
        vector_give(c, hd_##name(x, .option = vector_option(c, 1, #option, def)));                                     \
    }
WITH_NUMBER(leaky_relu, negative_slope, 0.01)
WITH_NUMBER(elu, alpha, 1)
WITH_NUMBER(celu, alpha, 1)
WITH_NUMBER(softshrink, lambd, 0.5)

/* Below 0 every element is let through. */
static void call_hardshrink(vector_case *c) {
    const hd_val x = input(c);
    const double lambd = vector_option(c, 1, "lambd", 0.5);
    vector_give(c, lambd < 0 ? x : hd_hardshrink(x, .lambd = lambd));
}

#define WITH_TWO(name, first, first_def, second, second_def)                                                           \
    static void call_##name(vector_case *c) {                                                                          \
        const hd_val x = input(c);                                                                                     \
        const double one = vector_option(c, 1, #first, first_def), two = vector_option(c, 2, #second, second_def);     \
        vector_give(c, hd_##name(x, .first = one, .second = two));                                                     \
    }
WITH_TWO(softplus, beta, 1, threshold, 20)
WITH_TWO(hardtanh, min_val, -1, max_val, 1)
WITH_TWO(threshold, threshold, 0, value, 0)

static void call_gelu(vector_case *c) {
    const hd_val x = input(c);
    const char *form = vector_string(c, -1, "approximate", "none");
    const bool tanh_form = strcmp(form, "tanh") == 0;
    if (!tanh_form && strcmp(form, "none") != 0) vector_unsupported(c, "approximate=%s", form);
    vector_give(c, hd_gelu(x, .approximate = tanh_form ? HD_GELU_TANH : HD_GELU_EXACT));
}
static void call_glu(vector_case *c) {
    const hd_val x = input(c);
    const int axis = vector_axis(c, 1, "dim", hd_val_dims(x).rank, -1);
    vector_give(c, hd_glu(x, .axis = HD_AXIS(axis)));
}
static void call_prelu(vector_case *c) {
    const hd_val x = input(c);
    vector_give(c, hd_prelu(x, vector_tensor(c, 1, "weight")));
}

const vector_entry vector_calls_activation[] = {
    {"nn.functional.relu", call_relu},
    {"nn.functional.relu6", call_relu6},
    {"nn.functional.selu", call_selu},
    {"nn.functional.silu", call_silu},
    {"nn.functional.mish", call_mish},
    {"nn.functional.softsign", call_softsign},
    {"nn.functional.logsigmoid", call_logsigmoid},
    {"nn.functional.hardswish", call_hardswish},
    {"nn.functional.hardsigmoid", call_hardsigmoid},
    {"nn.functional.tanhshrink", call_tanhshrink},
    {"nn.functional.leaky_relu", call_leaky_relu},
    {"nn.functional.elu", call_elu},
    {"nn.functional.celu", call_celu},
    {"nn.functional.hardshrink", call_hardshrink},
    {"nn.functional.softshrink", call_softshrink},
    {"nn.functional.softplus", call_softplus},
    {"nn.functional.hardtanh", call_hardtanh},
    {"nn.functional.threshold", call_threshold},
    {"nn.functional.gelu", call_gelu},
    {"nn.functional.glu", call_glu},
    {"nn.functional.prelu", call_prelu},
    {0},
};
