/* test_kernels_conv.c: the own convolutions against the definitions of their ops, over many shapes and every
 * instruction set of the machine. */
#include "kernel_kit.h"

extern const hd_kernel hd_kernel_cpu_conv2d, hd_kernel_cpu_conv2d_grad_input, hd_kernel_cpu_conv2d_grad_weight,
    hd_kernel_cpu_conv2d_grad_params, hd_kernel_cpu_conv2d_few, hd_kernel_cpu_conv2d_grad_input_few,
    hd_kernel_cpu_conv2d_grad_weight_few, hd_kernel_cpu_conv2d_grad_params_few;

typedef struct shape {
    int64_t n, c, h, w, k, r, s, stride[2], padding[2], dilation[2], groups;
} shape;

static bool check_forward(hd_context *ctx, const shape *z, const hd_kernel *kernel, int64_t act, bool bias) {
    hd_conv2d_args args = {.stride = {z->stride[0], z->stride[1]},
                           .padding = {z->padding[0], z->padding[1]},
                           .dilation = {z->dilation[0], z->dilation[1]},
                           .groups = z->groups,
                           .act = act};
    /* a sum of many products is large, what sigmoid and tanh make of it is not */
    const double tolerance = 3e-5 + 3e-6 * sqrt((double)(z->c / z->groups * z->r * z->s));
    kit_case c = {.kernel = kernel,
                  .args = &args,
                  .tolerance = tolerance,
                  .input_bytes = z->h & 1,
                  .may_refuse = kernel == &hd_kernel_cpu_conv2d_few};
    kit_input(&c, HD_F32, HD_DIMS(z->n, z->c, z->h, z->w));
    kit_input(&c, HD_F32, HD_DIMS(z->k, z->c / z->groups, z->r, z->s));
    if (bias)
        kit_input(&c, HD_F32, HD_DIMS(z->k));
    else
        kit_absent(&c);
    return kit_check(ctx, &c);
}

static int64_t out_size(int64_t in, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
    return (in + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

static bool check_grad(hd_context *ctx, const shape *z, const hd_kernel *kernel, bool few) {
    const bool input = strcmp(kernel->op, "conv2d_grad_input") == 0;
    hd_conv2d_grad_args args = {.stride = {z->stride[0], z->stride[1]},
                                .padding = {z->padding[0], z->padding[1]},
                                .dilation = {z->dilation[0], z->dilation[1]},
                                .groups = z->groups};
    const hd_dims x = HD_DIMS(z->n, z->c, z->h, z->w), w = HD_DIMS(z->k, z->c / z->groups, z->r, z->s);
    const hd_dims y = HD_DIMS(z->n, z->k, out_size(z->h, z->r, z->stride[0], z->padding[0], z->dilation[0]),
                              out_size(z->w, z->s, z->stride[1], z->padding[1], z->dilation[1]));
    kit_case c = {.kernel = kernel, .args = &args, .tolerance = 3e-5, .may_refuse = few};
    kit_input(&c, HD_F32, input ? y : x);
    kit_input(&c, HD_F32, input ? w : y);
    kit_input(&c, HD_F32, input ? x : w);
    return kit_check(ctx, &c);
}

static void check_shape(hd_context *ctx, const shape *z, hd_rng *rng) {
    check_forward(ctx, z, &hd_kernel_cpu_conv2d, (int64_t)hd_rng_below(rng, 4), hd_rng_below(rng, 2));
    check_grad(ctx, z, &hd_kernel_cpu_conv2d_grad_input, false);
    check_grad(ctx, z, &hd_kernel_cpu_conv2d_grad_weight, false);
    check_grad(ctx, z, &hd_kernel_cpu_conv2d_grad_params, false);
}

/* The kernels for few channels: how many of the four ran this shape. */
static int check_few(hd_context *ctx, const shape *z, hd_rng *rng) {
    return check_forward(ctx, z, &hd_kernel_cpu_conv2d_few, (int64_t)hd_rng_below(rng, 4), hd_rng_below(rng, 2)) +
           check_grad(ctx, z, &hd_kernel_cpu_conv2d_grad_input_few, true) +
           check_grad(ctx, z, &hd_kernel_cpu_conv2d_grad_weight_few, true) +
           check_grad(ctx, z, &hd_kernel_cpu_conv2d_grad_params_few, true);
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

static shape any_shape(hd_rng *rng) {
    const int64_t groups = any(rng, 0, 3) ? 1 : any(rng, 2, 3);
    return (shape){.n = any(rng, 1, 5),
                   .c = groups * any(rng, 1, 9),
                   .h = any(rng, 9, 20),
                   .w = any(rng, 9, 40),
                   .k = groups * any(rng, 1, 18),
                   .r = any(rng, 1, 5),
                   .s = any(rng, 1, 5),
                   .stride = {any(rng, 1, 3), any(rng, 1, 3)},
                   .padding = {any(rng, 0, 3), any(rng, 0, 3)},
                   .dilation = {any(rng, 1, 2), any(rng, 1, 2)},
                   .groups = groups};
}

static void check_random(hd_context *ctx, void *arg) {
    (void)arg;
    hd_rng rng = hd_rng_new(3, hd_context_isa(ctx));
    for (int i = 0; i < 150; i++) {
        const shape z = any_shape(&rng);
        check_shape(ctx, &z, &rng);
    }
}

/* LeNet's layers, LeCun's of 1989, several tasks, every count of rows in a tile, pictures that windows do not reach. */
static void check_known_few(hd_context *ctx, void *arg) {
    (void)arg;
    static const shape shapes[] = {
        {9, 1, 28, 28, 6, 5, 5, {1, 1}, {2, 2}, {1, 1}, 1},   {7, 6, 14, 14, 16, 5, 5, {1, 1}, {0, 0}, {1, 1}, 1},
        {1, 1, 20, 20, 12, 5, 5, {2, 2}, {0, 0}, {1, 1}, 1},  {2, 24, 12, 12, 12, 5, 5, {2, 2}, {0, 0}, {1, 1}, 3},
        {1, 1, 16, 16, 12, 5, 5, {2, 2}, {2, 2}, {1, 1}, 1},  {40, 4, 21, 19, 11, 3, 3, {1, 1}, {1, 1}, {1, 1}, 1},
        {2, 3, 9, 11, 7, 3, 3, {2, 2}, {1, 1}, {1, 1}, 1},    {3, 2, 10, 10, 1, 1, 1, {2, 2}, {0, 0}, {1, 1}, 1},
        {2, 5, 12, 17, 9, 2, 3, {3, 3}, {0, 1}, {1, 1}, 1},   {2, 1, 12, 12, 2, 2, 2, {4, 4}, {0, 0}, {1, 1}, 1},
        {1, 13, 8, 8, 13, 3, 3, {1, 2}, {2, 0}, {2, 2}, 1},   {33, 2, 6, 6, 3, 3, 3, {1, 1}, {1, 1}, {1, 1}, 1},
        {4, 12, 9, 9, 12, 3, 3, {1, 1}, {1, 1}, {1, 1}, 12},  {1, 1, 1, 1, 1, 1, 1, {1, 1}, {0, 0}, {1, 1}, 1},
        {2, 4, 11, 64, 5, 1, 9, {1, 1}, {0, 4}, {1, 1}, 1},   {3, 2, 3, 3, 3, 3, 3, {3, 3}, {1, 1}, {1, 1}, 1},
        {64, 3, 16, 16, 10, 4, 4, {2, 1}, {1, 2}, {1, 1}, 1}, {2, 16, 7, 7, 14, 3, 3, {1, 1}, {3, 3}, {1, 1}, 1}};
    hd_rng rng = hd_rng_new(4, hd_context_isa(ctx));
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) assert_int_equal(check_few(ctx, &shapes[i], &rng), 4);
}

static void check_random_few(hd_context *ctx, void *arg) {
    (void)arg;
    hd_rng rng = hd_rng_new(5, hd_context_isa(ctx));
    int ran = 0;
    for (int i = 0; i < 150; i++) {
        const shape z = any_shape(&rng);
        ran += check_few(ctx, &z, &rng);
    }
    assert_true(ran > 200);
}

/* Nothing, and what fills vectors. */
static void check_refused(hd_context *ctx, void *arg) {
    (void)arg;
    static const shape shapes[] = {{0, 3, 4, 4, 5, 3, 3, {1, 1}, {0, 0}, {1, 1}, 1},
                                   {2, 3, 9, 9, 17, 3, 3, {1, 1}, {1, 1}, {1, 1}, 1},
                                   {2, 17, 9, 9, 3, 3, 3, {1, 1}, {1, 1}, {1, 1}, 1},
                                   {2, 1, 9, 9, 16, 3, 3, {1, 1}, {1, 1}, {1, 1}, 1},
                                   {1, 16, 300, 300, 15, 5, 5, {1, 1}, {2, 2}, {1, 1}, 1}};
    hd_rng rng = hd_rng_new(6, hd_context_isa(ctx));
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) assert_int_equal(check_few(ctx, &shapes[i], &rng), 0);
}

static void test_known_shapes(void **state) {
    (void)state;
    kit_each_isa(2, check_known, NULL);
}
static void test_random_shapes(void **state) {
    (void)state;
    kit_each_isa(2, check_random, NULL);
}

static void test_few_channels(void **state) {
    (void)state;
    kit_each_isa(2, check_known_few, NULL);
    kit_each_isa(2, check_random_few, NULL);
    kit_each_isa(2, check_refused, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known_shapes), cmocka_unit_test(test_random_shapes),
                                       cmocka_unit_test(test_few_channels)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
