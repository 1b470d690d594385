/* cnn_small.c: a small convolution network for small pictures: two 3×3 convolutions, one pooling, two linear layers. */
#include "zoo/zoo_kit.h"

typedef struct cnn_args {
    int64_t channels, hidden;
} cnn_args;

static hd_val conv(hd_loc at, hd_val x, const char *name, int64_t channels) {
    const hd_nn_conv2d_args a = {
        .x = x, .name = name, .out_channels = channels, .kernel_size = {3, 3}, .padding = {1, 1}};
    return hd_relu_at(at, &(hd_unary_args){.x = hd_nn_conv2d_at(at, &a)});
}

static hd_val build(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    const cnn_args *a = args;
    hd_val h = conv(at, conv(at, x, "conv1", a->channels), "conv2", a->channels);
    const hd_dims d = hd_val_dims(h);
    if (d.rank == 4 && d.dim[2] >= 2 && d.dim[3] >= 2) /* pictures of one row keep it */
        h = hd_max_pool2d_at(at, &(hd_pool2d_args){.x = h, .kernel_size = {2, 2}});
    h = hd_nn_dropout_at(at, &(hd_nn_dropout_args){.x = h, .p = 0.25});
    h = hd_zoo_dense(at, hd_zoo_rows(at, h), "fc1", a->hidden);
    h = hd_relu_at(at, &(hd_unary_args){.x = h});
    h = hd_nn_dropout_at(at, &(hd_nn_dropout_args){.x = h, .p = 0.5});
    return hd_zoo_dense(at, h, "fc2", outputs);
}

static const hd_option options[] = {
    {.name = "channels",
     .type = HD_OPT_INT,
     .offset = offsetof(cnn_args, channels),
     .count = 1,
     .def = 32,
     .min = 1,
     .max = 1e9,
     .help = "filters of both convolutions"},
    {.name = "hidden",
     .type = HD_OPT_INT,
     .offset = offsetof(cnn_args, hidden),
     .count = 1,
     .def = 128,
     .min = 1,
     .max = 1e9,
     .help = "width of the hidden linear layer"},
    HD_OPTION_END,
};

const hd_zoo_entry hd_zoo_cnn_small = {
    .name = "cnn-small",
    .description = "two 3×3 convolutions, max-pooling, dropout, a hidden layer: the default for pictures",
    .authors = "after LeCun, Bottou, Bengio, Haffner",
    .paper = "LeNet's plan with ReLU and dropout (Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov: Dropout, "
             "JMLR 15, "
             "2014, https://jmlr.org/papers/v15/srivastava14a.html)",
    .year = 2014,
    .sample = {3, {1, 28, 28}},
    .outputs = 10,
    .loss = "cross_entropy",
    .args_size = sizeof(cnn_args),
    .options = options,
    .build = build,
};
