/* calls_window.c: convolution, pooling, interpolation. */
#include "calls.h"
#include <string.h>

static void call_conv2d(vector_case *c) {
    int64_t list[2 * HD_MAX_DIMS];
    hd_conv2d_args a = {.x = vector_tensor(c, 0, "input"),
                        .w = vector_tensor(c, 1, "weight"),
                        .b = vector_tensor_if(c, 2, "bias"),
                        .groups = vector_int(c, 6, "groups", 1)};
    if (vector_ints(c, 3, "stride", list, 2)) memcpy(a.stride, list, sizeof a.stride);
    if (vector_ints(c, 4, "padding", list, 2)) memcpy(a.padding, list, sizeof a.padding);
    if (vector_ints(c, 5, "dilation", list, 2)) memcpy(a.dilation, list, sizeof a.dilation);
    if (hd_val_dims(a.x).rank != 4) vector_unsupported(c, "no batch");
    vector_give(c, hd_conv2d_at(HD_HERE, &a));
}

static hd_pool2d_args pool2d(vector_case *c) {
    int64_t list[2 * HD_MAX_DIMS];
    hd_pool2d_args a = {.x = vector_tensor(c, 0, "input")};
    if (vector_ints(c, 1, "kernel_size", list, 2)) memcpy(a.kernel_size, list, sizeof a.kernel_size);
    if (vector_ints(c, 2, "stride", list, 2)) memcpy(a.stride, list, sizeof a.stride);
    if (vector_ints(c, 3, "padding", list, 2)) memcpy(a.padding, list, sizeof a.padding);
    if (hd_val_dims(a.x).rank != 4) vector_unsupported(c, "no batch");
    return a;
}

static void call_max_pool2d(vector_case *c) {
    const hd_pool2d_args a = pool2d(c);
    vector_only(c, 4, "dilation", 1);
    vector_only(c, 5, "ceil_mode", false);
    vector_only(c, 6, "return_indices", false);
    vector_give(c, hd_max_pool2d_at(HD_HERE, &a));
}

static void call_avg_pool2d(vector_case *c) {
    const hd_pool2d_args a = pool2d(c);
    vector_only(c, 4, "ceil_mode", false);
    vector_only(c, 5, "count_include_pad", true);
    vector_only(c, 6, "divisor_override", 0);
    vector_give(c, hd_avg_pool2d_at(HD_HERE, &a));
}

const vector_entry vector_calls_window[] = {
    {"nn.functional.conv2d", call_conv2d},
    {"nn.functional.max_pool2d", call_max_pool2d},
    {"nn.functional.avg_pool2d", call_avg_pool2d},
    {0},
};
