/* calls_pick.c: windows put back and cut out: max_unpool, unfold. */
#include "call_kit.h"

/* ---- max_unpool: every element to the place it was the largest at ---- */

static void max_unpool(vector_case *c, int axes) {
    const hd_val x = vector_tensor(c, 0, "input"), index = vector_tensor(c, 1, "indices");
    const hd_dims d = hd_val_dims(x);
    const int lead = d.rank - axes;
    int64_t size[2 * HD_MAX_DIMS], kernel[2 * HD_MAX_DIMS], stride[2 * HD_MAX_DIMS], rim[2 * HD_MAX_DIMS] = {0};
    const int k = vector_ints(c, 2, "kernel_size", kernel, axes), s = vector_ints(c, 3, "stride", stride, axes);
    (void)vector_ints(c, 4, "padding", rim, axes);
    const int given = vector_ints(c, 5, "output_size", size, 0);
    if (lead < 1 || lead > 2 || k != axes || (s && s != axes) || (given && given != axes && given != d.rank))
        vector_unsupported(c, "those sizes");
    if (c->why[0]) return;
    hd_dims y = d;
    int64_t outer = 1, in = 1, out = 1;
    for (int i = 0; i < lead; i++) outer *= d.dim[i];
    for (int i = 0; i < axes; i++) {
        const int64_t own = (d.dim[lead + i] - 1) * (s ? stride : kernel)[i] - 2 * rim[i] + kernel[i];
        y.dim[lead + i] = given ? size[given - axes + i] : own;
        in *= d.dim[lead + i];
        out *= y.dim[lead + i];
    }
    const hd_val zeros = vector_full(c, hd_val_dtype(x), HD_DIMS(outer, out), 0);
    const hd_val flat = kit_reshape(x, HD_DIMS(outer, in)), place = kit_reshape(index, HD_DIMS(outer, in));
    vector_give(c, kit_reshape(hd_scatter(zeros, place, flat, .axis = HD_AXIS(1)), y));
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

/* ---- unfold: the windows of pictures as columns [n, c·kh·kw, windows] ---- */

static void call_unfold(vector_case *c) {
    hd_val x = vector_tensor(c, 0, "input");
    int64_t kernel[2 * HD_MAX_DIMS], dilation[2 * HD_MAX_DIMS] = {1, 1}, rim[2 * HD_MAX_DIMS] = {0},
                                                  stride[2 * HD_MAX_DIMS] = {1, 1};
    const int k = vector_ints(c, 1, "kernel_size", kernel, 2);
    (void)vector_ints(c, 2, "dilation", dilation, 2);
    (void)vector_ints(c, 3, "padding", rim, 2);
    (void)vector_ints(c, 4, "stride", stride, 2);
    const bool single = hd_val_dims(x).rank == 3;
    if (single) x = kit_insert(x, 0, 1);
    const hd_dims d = hd_val_dims(x);
    if (k != 2 || d.rank != 4) vector_unsupported(c, "that rank");
    if (c->why[0]) return;
    const hd_val wide = hd_pad(x, .before = HD_DIMS(0, 0, rim[0], rim[1]), .after = HD_DIMS(0, 0, rim[0], rim[1]));
    int64_t n[2];
    for (int i = 0; i < 2; i++) n[i] = (d.dim[2 + i] + 2 * rim[i] - dilation[i] * (kernel[i] - 1) - 1) / stride[i] + 1;
    hd_val part[VECTOR_MOST];
    if (kernel[0] * kernel[1] > VECTOR_MOST || n[0] < 1 || n[1] < 1) vector_unsupported(c, "those windows");
    for (int64_t i = 0; i < kernel[0] * kernel[1] && !c->why[0]; i++) {
        const int64_t row = i / kernel[1] * dilation[0], column = i % kernel[1] * dilation[1];
        const hd_val rows = hd_slice(wide, .axis = HD_AXIS(2), .start = row, .stop = row + (n[0] - 1) * stride[0] + 1,
                                     .step = stride[0]);
        const hd_val cut = hd_slice(rows, .axis = HD_AXIS(3), .start = column,
                                    .stop = column + (n[1] - 1) * stride[1] + 1, .step = stride[1]);
        part[i] = kit_reshape(cut, HD_DIMS(d.dim[0], d.dim[1], 1, n[0] * n[1]));
    }
    if (c->why[0]) return;
    const hd_val all = hd_concat(part, kernel[0] * kernel[1], .axis = HD_AXIS(2));
    const hd_val y = kit_reshape(all, HD_DIMS(d.dim[0], d.dim[1] * kernel[0] * kernel[1], n[0] * n[1]));
    vector_give(c, single ? kit_drop(y, 0) : y);
}

const vector_entry vector_calls_pick[] = {
    {"nn.functional.max_unpool1d", call_max_unpool1d},
    {"nn.functional.max_unpool1d.grad", call_max_unpool1d},
    {"nn.functional.max_unpool2d", call_max_unpool2d},
    {"nn.functional.max_unpool2d.grad", call_max_unpool2d},
    {"nn.functional.max_unpool3d", call_max_unpool3d},
    {"nn.functional.max_unpool3d.grad", call_max_unpool3d},
    {"nn.functional.unfold", call_unfold},
    {0},
};
