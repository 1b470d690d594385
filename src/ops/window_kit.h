/* window_kit.h: windows over pictures: what convolution and pooling share. Knows nothing of backends. */
#ifndef HD_OPS_WINDOW_KIT_H
#define HD_OPS_WINDOW_KIT_H
#include "ops/op_kit.h"

/* ---- convolution ---- */

/* x [n, c, h, w], weight [k, c/groups, r, s], y [n, k, oh, ow]; channels of a group of the input and of the output. */
typedef struct hd_conv2d_sizes {
    int64_t n, c, h, w, k, r, s, oh, ow, cg, kg;
} hd_conv2d_sizes;
/* Sizes of tensors that infer has accepted. */
hd_conv2d_sizes hd_conv2d_sizes_of(const hd_dims *x, const hd_dims *w, const hd_dims *y);
typedef struct hd_conv2d_window {
    int64_t *stride, *padding, *dilation, *padding_extra;
    int64_t groups;
} hd_conv2d_window;
/* Shape of the result of x and w (inputs ix and iw of the node), or a message. Settles HD_SAME as numbers. */
hd_status hd_infer_conv2d(hd_infer *c, int ix, int iw, hd_conv2d_window window, hd_dims *y);
double hd_conv2d_flops(const hd_dims *w, const hd_dims *y);
extern const char *const hd_padding_words[]; /* "valid" "same": 0 and HD_SAME */
#define HD_CONV2D_OPTIONS(args_)                                                                                       \
    HD_OPTION_INTS(args_, stride, 2, .def = 1, .min = 1, .max = HD_MAX_WINDOW, .help = "step of the window"),          \
        HD_OPTION_INTS(args_, padding, 2, .min = HD_SAME, .max = HD_MAX_WINDOW, .choices = hd_padding_words,           \
                       .help = "zeros on each side; or same, valid"),                                                  \
        HD_OPTION_INTS(args_, dilation, 2, .def = 1, .min = 1, .max = HD_MAX_WINDOW,                                   \
                       .help = "distance of the window's points"),                                                     \
        HD_OPTION_INTS(args_, padding_extra, 2, .min = -HD_MAX_WINDOW, .max = HD_MAX_WINDOW,                           \
                       .help = "zeros more below and to the right"),                                                   \
        HD_OPTION(INT, args_, groups, .def = 1, .min = 1, .max = HD_MAX_WINDOW, .help = "separate groups of channels")
/* The options that the ops of a convolution share, from one args struct to another. */
#define HD_CONV2D_COPY(to, from)                                                                                       \
    for (int axis_ = 0; axis_ < 2; axis_++) {                                                                          \
        (to).stride[axis_] = (from).stride[axis_];                                                                     \
        (to).padding[axis_] = (from).padding[axis_];                                                                   \
        (to).dilation[axis_] = (from).dilation[axis_];                                                                 \
        (to).padding_extra[axis_] = (from).padding_extra[axis_];                                                       \
    }

/* ---- pooling ---- */

typedef struct hd_pool2d_window {
    int64_t kernel_size[2], stride[2], padding[2], dilation[2], output_size[2];
    int64_t divisor_override;
    bool ceil_mode, exclude_pad;
} hd_pool2d_window;
#define HD_POOL2D_COPY(to, from)                                                                                       \
    for (int axis_ = 0; axis_ < 2; axis_++) {                                                                          \
        (to).kernel_size[axis_] = (from).kernel_size[axis_];                                                           \
        (to).stride[axis_] = (from).stride[axis_];                                                                     \
        (to).padding[axis_] = (from).padding[axis_];                                                                   \
        (to).dilation[axis_] = (from).dilation[axis_];                                                                 \
        (to).output_size[axis_] = (from).output_size[axis_];                                                           \
        (to).divisor_override = (from).divisor_override;                                                               \
        (to).ceil_mode = (from).ceil_mode;                                                                             \
        (to).exclude_pad = (from).exclude_pad;                                                                         \
    }
/* A forward op of hd_pool2d_args: settles what follows from others (stride 0 as kernel_size, output_size 0 as the
 * picture) and y of x; of hd_pool2d_grad_args: and dy is like y, or (pick) like x. */
hd_status hd_infer_pool2d(hd_infer *c, hd_dims *y);
hd_status hd_infer_pool2d_grad(hd_infer *c);
hd_status hd_infer_pool2d_pick(hd_infer *c);
hd_cost hd_cost_pool2d(const hd_infer *c);

/* One window on one axis of size n: x from … to−1 in steps of `step`, all inside; `counted`: its size for a mean, zeros
 * of the padding included. */
typedef struct hd_pool_span {
    int64_t from, to, step, counted;
} hd_pool_span;
hd_pool_span hd_pool_span_of(const hd_pool2d_window *v, int axis, int64_t o, int64_t n);

/* kernel_size and stride, what is the same for both kinds. */
#define HD_POOL2D_OPTIONS(args_)                                                                                       \
    HD_OPTION_INTS(args_, kernel_size, 2, .min = 0, .max = HD_MAX_WINDOW, .help = "height and width of the window"),   \
        HD_OPTION_INTS(args_, stride, 2, .min = 0, .max = HD_MAX_WINDOW, .help = "step of the window; kernel_size"),   \
        HD_OPTION_INTS(args_, padding, 2, .min = 0, .max = HD_MAX_WINDOW,                                              \
                       .help = "rows and columns on each side, at most half the window"),                              \
        HD_OPTION_INTS(args_, output_size, 2, .min = 0, .max = HD_MAX_WINDOW,                                          \
                       .help = "adaptive windows that give a picture of this size"),                                   \
        HD_OPTION(BOOL, args_, ceil_mode, .help = "windows that reach over the edge count too")
#define HD_MAX_POOL2D_OPTIONS(args_)                                                                                   \
    (const hd_option[]) {                                                                                              \
        HD_POOL2D_OPTIONS(args_),                                                                                      \
            HD_OPTION_INTS(args_, dilation, 2, .def = 1, .min = 1, .max = HD_MAX_WINDOW,                               \
                           .help = "distance of the window's points"),                                                 \
            HD_OPTION_END                                                                                              \
    }
#define HD_AVG_POOL2D_OPTIONS(args_)                                                                                   \
    (const hd_option[]) {                                                                                              \
        HD_POOL2D_OPTIONS(args_), HD_OPTION(BOOL, args_, exclude_pad, .help = "zeros of the padding are not counted"), \
            HD_OPTION(INT, args_, divisor_override, .help = "divide by this; 0: by the size of the window"),           \
            HD_OPTION_END                                                                                              \
    }
#endif
