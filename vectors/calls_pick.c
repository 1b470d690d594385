/* calls_pick.c: windows put back and cut out: max_unpool, unfold, fold; channels and powers. */
#include "call_kit.h"
#include <string.h>

/* ---- max_unpool: every element to the place it was the largest at ---- */

static void max_unpool(vector_case *c, int axes) {
    hd_max_unpool_args a = {.x = vector_tensor(c, 0, "input"), .index = vector_tensor(c, 1, "indices"), .axes = axes};
    int64_t list[2 * HD_MAX_DIMS];
    const int k = vector_ints(c, 2, "kernel_size", a.kernel_size, axes);
    (void)vector_ints(c, 3, "stride", a.stride, axes);
    (void)vector_ints(c, 4, "padding", a.padding, axes);
    const int given = vector_ints(c, 5, "output_size", list, 0);
    if (k != axes || (given && given < axes)) vector_unsupported(c, "those sizes");
    if (c->why[0]) return;
    for (int i = 0; i < axes && given; i++) a.output_size[i] = list[given - axes + i];
    vector_give(c, hd_max_unpool_at(HD_HERE, &a));
}
static void call_max_unpool1d(vector_case *c) {
    max_unpool(c, 1);
}
static void call_max_unpool2d(vector_case *c) {
    max_unpool(c, 2);
}
static void call_max_unpool3d(vector_case *c) {
    max_unpool(c, 3);
}

/* ---- the windows of pictures as columns [n, c·kh·kw, windows] ---- */

static void call_unfold(vector_case *c) {
    const kit_batched x = kit_batch(vector_tensor(c, 0, "input"), 4);
    hd_unfold2d_args a = {.x = x.x};
    (void)vector_ints(c, 1, "kernel_size", a.kernel_size, 2);
    (void)vector_ints(c, 2, "dilation", a.dilation, 2);
    (void)vector_ints(c, 3, "padding", a.padding, 2);
    (void)vector_ints(c, 4, "stride", a.stride, 2);
    if (c->why[0]) return;
    kit_give(c, hd_unfold2d_at(HD_HERE, &a), &x);
}

static void call_fold(vector_case *c) {
    const kit_batched x = kit_batch(vector_tensor(c, 0, "input"), 3);
    hd_fold2d_args a = {.x = x.x};
    (void)vector_ints(c, 1, "output_size", a.output_size, 2);
    (void)vector_ints(c, 2, "kernel_size", a.kernel_size, 2);
    (void)vector_ints(c, 3, "dilation", a.dilation, 2);
    (void)vector_ints(c, 4, "padding", a.padding, 2);
    (void)vector_ints(c, 5, "stride", a.stride, 2);
    if (c->why[0]) return;
    kit_give(c, hd_fold2d_at(HD_HERE, &a), &x);
}

/* ---- others ---- */

static void lp_pool(vector_case *c, int axes) {
    const kit_batched x = kit_batch(vector_tensor(c, 0, "input"), axes + 2);
    hd_lp_pool_args a = {.x = x.x};
    a.p = vector_number(c, 1, "norm_type", 2);
    (void)vector_ints(c, 2, "kernel_size", a.kernel_size, axes);
    (void)vector_ints(c, 3, "stride", a.stride, axes);
    a.ceil_mode = vector_bool(c, 4, "ceil_mode", false);
    if (c->why[0]) return;
    kit_give(c, hd_lp_pool_at(HD_HERE, &a), &x);
}
static void call_lp_pool1d(vector_case *c) {
    lp_pool(c, 1);
}
static void call_lp_pool2d(vector_case *c) {
    lp_pool(c, 2);
}
static void call_lp_pool3d(vector_case *c) {
    lp_pool(c, 3);
}

static void call_channel_shuffle(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    vector_give(c, hd_channel_shuffle(x, .groups = vector_int(c, 1, "groups", 1)));
}

const vector_entry vector_calls_pick[] = {
    {"nn.functional.max_unpool1d", call_max_unpool1d},
    {"nn.functional.max_unpool1d.grad", call_max_unpool1d},
    {"nn.functional.max_unpool2d", call_max_unpool2d},
    {"nn.functional.max_unpool2d.grad", call_max_unpool2d},
    {"nn.functional.max_unpool3d", call_max_unpool3d},
    {"nn.functional.max_unpool3d.grad", call_max_unpool3d},
    {"nn.functional.unfold", call_unfold},
    {"nn.functional.fold", call_fold},
    {"nn.functional.lp_pool1d", call_lp_pool1d},
    {"nn.functional.lp_pool2d", call_lp_pool2d},
    {"nn.functional.lp_pool3d", call_lp_pool3d},
    {"nn.functional.channel_shuffle", call_channel_shuffle},
    {0},
};
