/* mlp.c: the multi-layer perceptron. Rumelhart, Hinton, Williams 1986. */
#include "zoo/zoo_kit.h"
#include <stdio.h>

typedef struct mlp_args {
    hd_dims hidden;
    int64_t activation;
    double dropout;
} mlp_args;

static const char *const activations[] = {"relu", "sigmoid", "tanh",     "leaky_relu", "elu",       "selu", "gelu",
                                          "silu", "mish",    "softplus", "softsign",   "hardswish", NULL};

static hd_val activate(hd_loc at, hd_val x, int64_t activation) {
    return hd_layer_apply(at, hd_layer_find(activations[activation]), x, NULL);
}

static hd_val build(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    const mlp_args *a = args;
    const hd_dims usual = HD_DIMS(128, 64);
    const hd_dims *hidden = a->hidden.rank > 0 ? &a->hidden : &usual;
    char name[16];
    hd_val h = hd_zoo_rows(at, x);
    int i = 0;
    for (; i < hidden->rank; i++) {
        (void)snprintf(name, sizeof name, "fc%d", i + 1);
        h = activate(at, hd_zoo_dense(at, h, name, hidden->dim[i]), a->activation);
        if (a->dropout > 0) h = hd_nn_dropout_at(at, &(hd_nn_dropout_args){.x = h, .p = a->dropout});
    }
    (void)snprintf(name, sizeof name, "fc%d", i + 1);
    return hd_zoo_dense(at, h, name, outputs);
}

static const hd_option options[] = {
    {.name = "hidden",
     .type = HD_OPT_DIMS,
     .offset = offsetof(mlp_args, hidden),
     .count = 1,
     .min = 1,
     .max = 1e9,
     .help = "widths of the hidden layers, one to eight; [128, 64] when not given"},
    {.name = "activation",
     .type = HD_OPT_ENUM,
     .offset = offsetof(mlp_args, activation),
     .count = 1,
     .choices = activations,
     .help = "after each hidden layer: relu, sigmoid, tanh, gelu, …"},
    {.name = "dropout",
     .type = HD_OPT_FLOAT,
     .offset = offsetof(mlp_args, dropout),
     .count = 1,
     .min = 0,
     .max = 1,
     .help = "share of each hidden layer that is dropped while training"},
    HD_OPTION_END,
};

const hd_zoo_entry hd_zoo_mlp = {
    .name = "mlp",
    .description = "layers of neurons, each connected with all of the layer before: the default for tables",
    .authors = "Rumelhart, Hinton, Williams",
    .paper = "Learning representations by back-propagating errors, Nature 323, 1986, doi:10.1038/323533a0",
    .year = 1986,
    .sample = {3, {1, 28, 28}},
    .outputs = 10,
    .loss = "cross_entropy",
    .args_size = sizeof(mlp_args),
    .options = options,
    .build = build,
};
