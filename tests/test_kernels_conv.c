/* test_kernels_conv.c: the own convolutions against the definitions of their ops, over many shapes and every
 * instruction set of the machine. */
#include "kernel_kit.h"

extern const hd_kernel hd_kernel_cpu_conv2d, hd_kernel_cpu_conv2d_grad_input, hd_kernel_cpu_conv2d_grad_weight,
    hd_kernel_cpu_conv2d_grad_params;

typedef struct shape {
    int64_t n, c, h, w, k, r, s, stride[2], padding[2], dilation[2], groups;
} shape;

static void check_forward(hd_context *ctx, const shape *z, int64_t act, bool bias) {
    hd_conv2d_args args = {.stride = {z->stride[0], z->stride[1]},
                           .padding = {z->padding[0], z->padding[1]},
                           .dilation = {z->dilation[0], z->dilation[1]},
                           .groups = z->groups,
                           .act = act};
    /* a sum of many products is large, what sigmoid and tanh make of it is not */
    const double tolerance = 3e-5 + 3e-6 * sqrt((double)(z->c / z->groups * z->r * z->s));
    kit_case c = {.kernel = &hd_kernel_cpu_conv2d, .args = &args, .tolerance = tolerance, .input_bytes = z->h & 1};
    kit_input(&c, HD_F32, HD_DIMS(z->n, z->c, z->h, z->w));
    kit_input(&c, HD_F32, HD_DIMS(z->k, z->c / z->groups, z->r, z->s));
    if (bias)
        kit_input(&c, HD_F32, HD_DIMS(z->k));
    else
        kit_absent(&c);
    kit_check(ctx, &c);
}

static int64_t out_size(int64_t in, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
    return (in + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

static void check_grad(hd_context *ctx, const shape *z, const hd_kernel *kernel) {
    const bool input = kernel == &hd_kernel_cpu_conv2d_grad_input;
    hd_conv2d_grad_args args = {.stride = {z->stride[0], z->stride[1]},
                                .padding = {z->padding[0], z->padding[1]},
                                .dilation = {z->dilation[0], z->dilation[1]},
                                .groups = z->groups};
    const hd_dims x = HD_DIMS(z->n, z->c, z->h, z->w), w = HD_DIMS(z->k, z->c / z->groups, z->r, z->s);
    const hd_dims y = HD_DIMS(z->n, z->k, out_size(z->h, z->r, z->stride[0], z->padding[0], z->dilation[0]),
                              out_size(z->w, z->s, z->stride[1], z->padding[1], z->dilation[1]));
    kit_case c = {.kernel = kernel, .args = &args, .tolerance = 3e-5};
    kit_input(&c, HD_F32, input ? y : x);
    kit_input(&c, HD_F32, input ? w : y);
    kit_input(&c, HD_F32, input ? x : w);
    kit_check(ctx, &c);
}

static void check_shape(hd_context *ctx, const shape *z, hd_rng *rng) {
    check_forward(ctx, z, (int64_t)hd_rng_below(rng, 4), hd_rng_below(rng, 2));
    check_grad(ctx, z, &hd_kernel_cpu_conv2d_grad_input);
    check_grad(ctx, z, &hd_kernel_cpu_conv2d_grad_weight);
    check_grad(ctx, z, &hd_kernel_cpu_conv2d_grad_params);
}

/* Shapes that people use, and what lies at the edges of the cuts. */
static void check_known(hd_context *ctx, void *arg) {
    (void)arg;
    static const shape shapes[] = {
        {3, 1, 28, 28, 32, 3, 3, {1, 1}, {1, 1}, {1, 1}, 1},  /* first layer of a small network */
        {2, 32, 14, 14, 64, 3, 3, {1, 1}, {1, 1}, {1, 1}, 1}, /* several blocks of depth */
        {2, 3, 35, 33, 16, 7, 7, {2, 2}, {3, 3}, {1, 1}, 1},  /* first layer of ResNet */
        {5, 24, 7, 7, 40, 1, 1, {1, 1}, {0, 0}, {1, 1}, 1},   /* one point: no windows */
        {9, 16, 4, 4, 24, 3, 3, {1, 1}, {1, 1}, {1, 1}, 1},   /* small pictures together */
        {2, 12, 9, 9, 12, 3, 3, {1, 1}, {1, 1}, {1, 1}, 12},  /* depthwise */
        {1, 40, 6, 6, 6, 3, 3, {2, 1}, {0, 2}, {1, 2}, 2},    /* one image: channels apart */
        {1, 2, 40, 40, 3, 2, 5, {1, 3}, {1, 0}, {2, 1}, 1},   /* more pixels than a chunk */
        {1, 300, 3, 3, 300, 3, 3, {1, 1}, {1, 1}, {1, 1}, 1}, /* dw too large for copies */
        {2, 8, 12, 10, 8, 1, 1, {2, 2}, {0, 0}, {1, 1}, 1},   /* shortcut of ResNet */
        {17, 1, 1, 1, 1, 1, 1, {1, 1}, {0, 0}, {1, 1}, 1},    /* the least */
        {0, 3, 4, 4, 5, 3, 3, {1, 1}, {0, 0}, {1, 1}, 1},     /* nothing */
        {4, 2, 3, 3, 3, 3, 3, {5, 5}, {1, 1}, {1, 1}, 1}};    /* strides past the picture */
    hd_rng rng = hd_rng_new(2, hd_context_isa(ctx));
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) check_shape(ctx, &shapes[i], &rng);
}

static int64_t any(hd_rng *rng, int64_t from, int64_t to) {
    return from + (int64_t)hd_rng_below(rng, (uint64_t)(to - from + 1));
}

static void check_random(hd_context *ctx, void *arg) {
    (void)arg;
    hd_rng rng = hd_rng_new(3, hd_context_isa(ctx));
    for (int i = 0; i < 150; i++) {
        const int64_t groups = any(&rng, 0, 3) ? 1 : any(&rng, 2, 3);
        const shape z = {.n = any(&rng, 1, 5),
                         .c = groups * any(&rng, 1, 9),
                         .h = any(&rng, 9, 20),
                         .w = any(&rng, 9, 40),
                         .k = groups * any(&rng, 1, 18),
                         .r = any(&rng, 1, 5),
                         .s = any(&rng, 1, 5),
                         .stride = {any(&rng, 1, 3), any(&rng, 1, 3)},
                         .padding = {any(&rng, 0, 3), any(&rng, 0, 3)},
                         .dilation = {any(&rng, 1, 2), any(&rng, 1, 2)},
                         .groups = groups};
        check_shape(ctx, &z, &rng);
    }
}

static void test_known_shapes(void **state) {
    (void)state;
    kit_each_isa(2, check_known, NULL);
}
static void test_random_shapes(void **state) {
    (void)state;
    kit_each_isa(2, check_random, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known_shapes), cmocka_unit_test(test_random_shapes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
