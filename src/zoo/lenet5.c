/* lenet5.c: LeNet-5. LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, Proc.
 * IEEE 86 (11), 1998; with a full connection table in C3, tanh, plain average pooling and a linear output: 61,706
 * parameters on 28×28 pictures, which are padded to the paper's 32×32. */
#include "zoo/zoo_kit.h"

static hd_val stage(hd_loc at, hd_val x, const char *name, int64_t channels, int64_t padding) {
    const hd_nn_conv2d_args a = {
        .x = x, .name = name, .out_channels = channels, .kernel_size = {5, 5}, .padding = {padding, padding}};
    const hd_val h = hd_tanh_at(at, &(hd_unary_args){.x = hd_nn_conv2d_at(at, &a)});
    return hd_avg_pool2d_at(at, &(hd_pool2d_args){.x = h, .kernel_size = {2, 2}});
}

static hd_val dense(hd_loc at, hd_val x, const char *name, int64_t width) {
    return hd_tanh_at(at, &(hd_unary_args){.x = hd_zoo_dense(at, x, name, width)});
}

static hd_val build(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    (void)args;
    hd_val h = stage(at, stage(at, x, "c1", 6, 2), "c3", 16, 0);
    h = dense(at, hd_zoo_rows(at, h), "f5", 120);
    return hd_zoo_dense(at, dense(at, h, "f6", 84), "out", outputs);
}

const hd_zoo_entry hd_zoo_lenet5 = {
    .name = "lenet5",
    .description = "the network that read cheques: two convolutions with average pooling, three linear layers, tanh",
    .authors = "LeCun, Bottou, Bengio, Haffner",
    .paper = "Gradient-based learning applied to document recognition, Proc. IEEE 86 (11), 1998, doi:10.1109/5.726791",
    .year = 1998,
    .sample = {3, {1, 28, 28}},
    .outputs = 10,
    .loss = "cross_entropy",
    .build = build,
};
