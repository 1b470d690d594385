/* calls_window.c: convolution and pooling, of signals, pictures and volumes, with and without a batch. */
#include "call_kit.h"
#include <string.h>

/* n numbers, or one for all; left as they are when none are given. */
static void sizes(vector_case *c, int i, const char *name, int64_t *out, int n) {
    int64_t list[2 * HD_MAX_DIMS];
    if (vector_ints(c, i, name, list, n)) memcpy(out, list, (size_t)n * sizeof *out);
}

/* ---- convolution ---- */

static void conv_sizes(vector_case *c, int64_t *stride, int64_t *padding, int64_t *dilation, int n) {
    const hd_json *pad = vector_arg(c, 4, "padding");
    sizes(c, 3, "stride", stride, n);
    sizes(c, 5, "dilation", dilation, n);
    if (!pad || pad->type != HD_JSON_STRING)
        sizes(c, 4, "padding", padding, n);
    else
        for (int i = 0; i < n; i++) padding[i] = strcmp(pad->string, "same") == 0 ? HD_SAME : 0;
}

static void call_conv2d(vector_case *c) {
    const kit_batched x = kit_batch(vector_tensor(c, 0, "input"), 4);
    hd_conv2d_args a = {.x = x.x, .w = vector_tensor(c, 1, "weight"), .b = vector_tensor_if(c, 2, "bias")};
    conv_sizes(c, a.stride, a.padding, a.dilation, 2);
    a.groups = vector_int(c, 6, "groups", 1);
    kit_give(c, hd_conv2d_at(HD_HERE, &a), &x);
}

static void call_conv1d(vector_case *c) {
    const kit_batched x = kit_batch(vector_tensor(c, 0, "input"), 3);
    hd_conv1d_args a = {.x = x.x, .w = vector_tensor(c, 1, "weight"), .b = vector_tensor_if(c, 2, "bias")};
    conv_sizes(c, &a.stride, &a.padding, &a.dilation, 1);
    a.groups = vector_int(c, 6, "groups", 1);
    kit_give(c, hd_conv1d_at(HD_HERE, &a), &x);
}

static void call_conv3d(vector_case *c) {
    const kit_batched x = kit_batch(vector_tensor(c, 0, "input"), 5);
    hd_conv3d_args a = {.x = x.x, .w = vector_tensor(c, 1, "weight"), .b = vector_tensor_if(c, 2, "bias")};
    conv_sizes(c, a.stride, a.padding, a.dilation, 3);
    a.groups = vector_int(c, 6, "groups", 1);
    kit_give(c, hd_conv3d_at(HD_HERE, &a), &x);
}

#define CONV_TRANSPOSE(dims, at)                                                                                       \
    static void call_conv_transpose##dims##d(vector_case *c) {                                                         \
        const kit_batched x = kit_batch(vector_tensor(c, 0, "input"), dims + 2);                                       \
        hd_conv_transpose##dims##d_args a = {                                                                          \
            .x = x.x, .w = vector_tensor(c, 1, "weight"), .b = vector_tensor_if(c, 2, "bias")};                        \
        sizes(c, 3, "stride", at a.stride, dims);                                                                      \
        sizes(c, 4, "padding", at a.padding, dims);                                                                    \
        sizes(c, 5, "output_padding", at a.output_padding, dims);                                                      \
        a.groups = vector_int(c, 6, "groups", 1);                                                                      \
        sizes(c, 7, "dilation", at a.dilation, dims);                                                                  \
        kit_give(c, hd_conv_transpose##dims##d_at(HD_HERE, &a), &x);                                                   \
    }
CONV_TRANSPOSE(1, &)
CONV_TRANSPOSE(2, )
CONV_TRANSPOSE(3, )

/* ---- pooling ---- */

/* All pooling as that of volumes: signals and pictures have leading axes of size 1. */
typedef struct pool {
    kit_batched x;
    int dims;
    hd_pool3d_args a;
} pool;

static void read_windows(vector_case *c, pool *p) {
    const int at = 3 - p->dims;
    for (int i = 0; i < at; i++) p->a.kernel_size[i] = p->a.stride[i] = p->a.dilation[i] = 1;
    sizes(c, 1, "kernel_size", p->a.kernel_size + at, p->dims);
    memcpy(p->a.stride + at, p->a.kernel_size + at, (size_t)p->dims * sizeof *p->a.stride);
    sizes(c, 2, "stride", p->a.stride + at, p->dims);
    sizes(c, 3, "padding", p->a.padding + at, p->dims);
}

static pool max_pool(vector_case *c, int dims) {
    pool p = {.x = kit_batch(vector_tensor(c, 0, "input"), dims + 2), .dims = dims};
    read_windows(c, &p);
    sizes(c, 4, "dilation", p.a.dilation + 3 - dims, dims);
    p.a.ceil_mode = vector_bool(c, 5, "ceil_mode", false);
    return p;
}

static pool avg_pool(vector_case *c, int dims) {
    pool p = {.x = kit_batch(vector_tensor(c, 0, "input"), dims + 2), .dims = dims};
    read_windows(c, &p);
    p.a.ceil_mode = vector_bool(c, 4, "ceil_mode", false);
    p.a.exclude_pad = !vector_bool(c, 5, "count_include_pad", true);
    if (dims > 1) p.a.divisor_override = vector_int(c, 6, "divisor_override", 0);
    return p;
}

/* output_size may hold None: as large as the input. */
static pool adaptive_pool(vector_case *c, int dims) {
    pool p = {.x = kit_batch(vector_tensor(c, 0, "input"), dims + 2), .dims = dims};
    const hd_json *size = vector_arg(c, 1, "output_size");
    const hd_dims x = hd_val_dims(p.x.x);
    const bool list = size && size->type == HD_JSON_ARRAY;
    for (int i = 0; i < 3; i++) p.a.output_size[i] = 1;
    const hd_json *v = list ? size->child : size;
    for (int i = 3 - dims; i < 3; i++) {
        const bool given = v && v->type == HD_JSON_INT;
        p.a.output_size[i] = given ? v->integer : x.dim[x.rank - 3 + i];
        if (list && v) v = v->next;
    }
    return p;
}

static hd_pool2d_args as_2d(const pool *p) {
    hd_pool2d_args a = {.x = p->x.x,
                        .divisor_override = p->a.divisor_override,
                        .ceil_mode = p->a.ceil_mode,
                        .exclude_pad = p->a.exclude_pad};
    memcpy(a.kernel_size, p->a.kernel_size + 1, sizeof a.kernel_size);
    memcpy(a.stride, p->a.stride + 1, sizeof a.stride);
    memcpy(a.padding, p->a.padding + 1, sizeof a.padding);
    memcpy(a.dilation, p->a.dilation + 1, sizeof a.dilation);
    memcpy(a.output_size, p->a.output_size + 1, sizeof a.output_size);
    return a;
}
static hd_pool1d_args as_1d(const pool *p) {
    return (hd_pool1d_args){.x = p->x.x,
                            .kernel_size = p->a.kernel_size[2],
                            .stride = p->a.stride[2],
                            .padding = p->a.padding[2],
                            .dilation = p->a.dilation[2],
                            .output_size = p->a.output_size[2],
                            .ceil_mode = p->a.ceil_mode,
                            .exclude_pad = p->a.exclude_pad};
}

static hd_val pooled(const pool *p, bool max) {
    const hd_pool1d_args one = as_1d(p);
    const hd_pool2d_args two = as_2d(p);
    hd_pool3d_args three = p->a;
    three.x = p->x.x;
    switch (p->dims) {
    case 1: return max ? hd_max_pool1d_at(HD_HERE, &one) : hd_avg_pool1d_at(HD_HERE, &one);
    case 2:
        if (two.output_size[0] && max)
            return hd_adaptive_max_pool2d(p->x.x, .output_size = {two.output_size[0], two.output_size[1]});
        if (two.output_size[0])
            return hd_adaptive_avg_pool2d(p->x.x, .output_size = {two.output_size[0], two.output_size[1]});
        return max ? hd_max_pool2d_at(HD_HERE, &two) : hd_avg_pool2d_at(HD_HERE, &two);
    default: return max ? hd_max_pool3d_at(HD_HERE, &three) : hd_avg_pool3d_at(HD_HERE, &three);
    }
}

static void give_max(vector_case *c, const pool *p, bool indices) {
    const hd_pool1d_args one = as_1d(p);
    const hd_pool2d_args two = as_2d(p);
    hd_pool3d_args three = p->a;
    three.x = p->x.x;
    kit_give(c, pooled(p, true), &p->x);
    if (!indices) return;
    kit_give(c,
             p->dims == 1   ? hd_max_pool1d_index_at(HD_HERE, &one)
             : p->dims == 2 ? hd_max_pool2d_index_at(HD_HERE, &two)
                            : hd_max_pool3d_index_at(HD_HERE, &three),
             &p->x);
}

#define POOLS(dims)                                                                                                    \
    static void call_max_pool##dims##d(vector_case *c) {                                                               \
        const pool p = max_pool(c, dims);                                                                              \
        give_max(c, &p, vector_bool(c, 6, "return_indices", false));                                                   \
    }                                                                                                                  \
    static void call_avg_pool##dims##d(vector_case *c) {                                                               \
        const pool p = avg_pool(c, dims);                                                                              \
        kit_give(c, pooled(&p, false), &p.x);                                                                          \
    }                                                                                                                  \
    static void call_adaptive_max_pool##dims##d(vector_case *c) {                                                      \
        const pool p = adaptive_pool(c, dims);                                                                         \
        give_max(c, &p, vector_bool(c, 2, "return_indices", false));                                                   \
    }                                                                                                                  \
    static void call_adaptive_avg_pool##dims##d(vector_case *c) {                                                      \
        const pool p = adaptive_pool(c, dims);                                                                         \
        kit_give(c, pooled(&p, false), &p.x);                                                                          \
    }
POOLS(1)
POOLS(2)
POOLS(3)

#define POOL_ENTRIES(dims)                                                                                             \
    {"nn.functional.max_pool" #dims "d", call_max_pool##dims##d},                                                      \
        {"nn.functional.avg_pool" #dims "d", call_avg_pool##dims##d},                                                  \
        {"nn.functional.adaptive_max_pool" #dims "d", call_adaptive_max_pool##dims##d}, {                              \
        "nn.functional.adaptive_avg_pool" #dims "d", call_adaptive_avg_pool##dims##d                                   \
    }

const vector_entry vector_calls_window[] = {
    {"nn.functional.conv1d", call_conv1d},
    {"nn.functional.conv2d", call_conv2d},
    {"nn.functional.conv3d", call_conv3d},
    {"nn.functional.conv_transpose1d", call_conv_transpose1d},
    {"nn.functional.conv_transpose2d", call_conv_transpose2d},
    {"nn.functional.conv_transpose3d", call_conv_transpose3d},
    POOL_ENTRIES(1),
    POOL_ENTRIES(2),
    POOL_ENTRIES(3),
    {0},
};
