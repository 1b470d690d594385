/* oneDNN's kernels against the definitions of their ops, bit-equal on any number of threads; and layouts read from
 * strides. Skips, saying so, in builds without oneDNN. */
#include "kernel_kit.h"

#include "backends/onednn/dnnl_api.h"
#include "backends/onednn/dnnl_layout.h"

extern const hd_kernel hd_kernel_dnnl_linear, hd_kernel_dnnl_linear_grad_input, hd_kernel_dnnl_linear_grad_weight,
    hd_kernel_dnnl_matmul, hd_kernel_dnnl_conv2d, hd_kernel_dnnl_conv2d_winograd, hd_kernel_dnnl_conv2d_grad_input,
    hd_kernel_dnnl_conv2d_grad_input_winograd, hd_kernel_dnnl_conv2d_grad_weight,
    hd_kernel_dnnl_conv2d_grad_weight_winograd, hd_kernel_dnnl_conv2d_grad_params,
    hd_kernel_dnnl_conv2d_grad_params_winograd, hd_kernel_dnnl_conv2d_add, hd_kernel_dnnl_conv2d_add_winograd;

static bool absent(void) {
    char text[32];
    if (hd_dnnl_version_text(text)) return false;
    print_message("skipped: %s\n", HD_DNNL_ABSENT);
    return true;
}

/* ---- products ---- */

static void linear_case(hd_context *ctx, int64_t n, int64_t in, int64_t out, bool bias, int64_t act) {
    kit_case c = {.kernel = &hd_kernel_dnnl_linear,
                  .args = &(hd_linear_args){.act = act},
                  .may_refuse = ctx->isa < HD_ISA_AVX512,
                  .input_bytes = true};
    kit_input(&c, HD_F32, HD_DIMS(n, in));
    kit_input_as(&c, HD_F32, HD_DIMS(out, in), KIT_UNIT, 0, NULL);
    if (bias)
        kit_input(&c, HD_F32, HD_DIMS(out));
    else
        kit_absent(&c);
    kit_check(ctx, &c);
}

static void linear_gradients(hd_context *ctx, int64_t n, int64_t in, int64_t out) {
    for (int64_t act = HD_ACT_NONE; act <= HD_ACT_TANH; act++) {
        kit_case c = {.kernel = &hd_kernel_dnnl_linear_grad_input,
                      .args = &(hd_linear_grad_input_args){.act = act},
                      .may_refuse = ctx->isa < HD_ISA_AVX512};
        kit_input(&c, HD_F32, HD_DIMS(n, out));
        kit_input(&c, HD_F32, HD_DIMS(out, in));
        if (act == HD_ACT_NONE)
            kit_absent(&c);
        else
            kit_input_as(&c, HD_F32, HD_DIMS(n, in), KIT_UNIT, 0, NULL);
        kit_check(ctx, &c);
    }
    kit_case c = {.kernel = &hd_kernel_dnnl_linear_grad_weight, .may_refuse = ctx->isa < HD_ISA_AVX512};
    kit_input(&c, HD_F32, HD_DIMS(n, in));
    kit_input(&c, HD_F32, HD_DIMS(n, out));
    kit_check(ctx, &c);
}

static void linears(hd_context *ctx, void *arg) {
    (void)arg;
    linear_gradients(ctx, 128, 784, 100);
    linear_gradients(ctx, 77, 130, 515);
    linear_gradients(ctx, 1000, 33, 17);
    linear_case(ctx, 128, 784, 100, true, HD_ACT_SIGMOID);
    linear_case(ctx, 64, 200, 1000, true, HD_ACT_RELU);
    linear_case(ctx, 1000, 33, 17, true, HD_ACT_TANH);
    linear_case(ctx, 7, 300, 333, false, HD_ACT_NONE);
    linear_case(ctx, 1, 512, 1024, true, HD_ACT_NONE);
    linear_case(ctx, 128, 512, 513, true, HD_ACT_RELU);
}

static void matmul_case(hd_context *ctx, hd_dims a, hd_dims b, bool trans_a, bool trans_b) {
    kit_case c = {.kernel = &hd_kernel_dnnl_matmul,
                  .args = &(hd_matmul_args){.trans_a = trans_a, .trans_b = trans_b},
                  .may_refuse = ctx->isa < HD_ISA_AVX512};
    kit_input(&c, HD_F32, a);
    kit_input(&c, HD_F32, b);
    kit_check(ctx, &c);
}

static void matmuls(hd_context *ctx, void *arg) {
    (void)arg;
    for (int t = 0; t < 4; t++) {
        const bool ta = t & 1, tb = t >> 1;
        matmul_case(ctx, ta ? HD_DIMS(100, 96) : HD_DIMS(96, 100), tb ? HD_DIMS(70, 100) : HD_DIMS(100, 70), ta, tb);
        matmul_case(ctx, ta ? HD_DIMS(129, 515) : HD_DIMS(515, 129), tb ? HD_DIMS(301, 129) : HD_DIMS(129, 301), ta,
                    tb);
        matmul_case(ctx, ta ? HD_DIMS(3, 64, 80) : HD_DIMS(3, 80, 64), tb ? HD_DIMS(3, 48, 64) : HD_DIMS(3, 64, 48), ta,
                    tb);
        matmul_case(ctx, ta ? HD_DIMS(5, 64, 80) : HD_DIMS(5, 80, 64), tb ? HD_DIMS(48, 64) : HD_DIMS(64, 48), ta, tb);
    }
    matmul_case(ctx, HD_DIMS(2, 4, 128, 64), HD_DIMS(2, 4, 128, 64), false, true);
}

static void products_agree_with_their_definition(void **state) {
    (void)state;
    if (absent()) return;
    for (int threads = 2; threads <= 3; threads++) { /* each against one thread */
        kit_each_isa(threads, linears, NULL);
        kit_each_isa(threads, matmuls, NULL);
    }
}

static void small_products_are_refused_with_a_reason(void **state) {
    (void)state;
    if (absent()) return;
    hd_context *ctx;
    assert_int_equal(hd_context_new(&ctx, NULL), HD_OK);
    kit_case c = {.kernel = &hd_kernel_dnnl_matmul, .may_refuse = true};
    kit_input(&c, HD_F32, HD_DIMS(16, 16));
    kit_input(&c, HD_F32, HD_DIMS(16, 16));
    assert_false(kit_check(ctx, &c));
    assert_non_null(strstr(c.refusal, "64x64x64"));
    kit_case f64 = {.kernel = &hd_kernel_dnnl_matmul, .may_refuse = true};
    kit_input(&f64, HD_F64, HD_DIMS(128, 128));
    kit_input(&f64, HD_F64, HD_DIMS(128, 128));
    assert_false(kit_check(ctx, &f64));
    assert_non_null(strstr(f64.refusal, "f32"));
    hd_context_free(ctx);
}

/* ---- convolutions ---- */

typedef struct shape {
    int64_t n, c, h, k, kernel, stride, padding, dilation, groups;
} shape;

static int64_t out_size(const shape *s, int64_t in) {
    return (in + 2 * s->padding - s->dilation * (s->kernel - 1) - 1) / s->stride + 1;
}

typedef struct conv_kernels {
    const hd_kernel *forward, *grad_input, *grad_weight, *grad_params, *add;
    double tolerance;
} conv_kernels;
static const conv_kernels direct = {&hd_kernel_dnnl_conv2d,
                                    &hd_kernel_dnnl_conv2d_grad_input,
                                    &hd_kernel_dnnl_conv2d_grad_weight,
                                    &hd_kernel_dnnl_conv2d_grad_params,
                                    &hd_kernel_dnnl_conv2d_add,
                                    1e-5};
/* Winograd's transforms lose two or three bits. */
static const conv_kernels winograd = {&hd_kernel_dnnl_conv2d_winograd,
                                      &hd_kernel_dnnl_conv2d_grad_input_winograd,
                                      &hd_kernel_dnnl_conv2d_grad_weight_winograd,
                                      &hd_kernel_dnnl_conv2d_grad_params_winograd,
                                      &hd_kernel_dnnl_conv2d_add_winograd,
                                      1e-4};

/* Forward and all gradients of one shape; the number of kernels that ran. */
static int conv_case(hd_context *ctx, const conv_kernels *kernels, shape s, int64_t act, bool may_refuse) {
    const hd_dims x = HD_DIMS(s.n, s.c, s.h, s.h + 1), w = HD_DIMS(s.k, s.c / s.groups, s.kernel, s.kernel);
    const hd_dims y = HD_DIMS(s.n, s.k, out_size(&s, s.h), out_size(&s, s.h + 1));
    const hd_conv2d_args args = {.stride = {s.stride, s.stride},
                                 .padding = {s.padding, s.padding},
                                 .dilation = {s.dilation, s.dilation},
                                 .groups = s.groups,
                                 .act = act};
    const hd_conv2d_grad_args grad = {.stride = {s.stride, s.stride},
                                      .padding = {s.padding, s.padding},
                                      .dilation = {s.dilation, s.dilation},
                                      .groups = s.groups};
    const hd_conv2d_add_args sum = hd_conv2d_add_args_of(&args);
    const struct {
        const hd_kernel *kernel;
        const void *args;
        hd_dims in[4];
    } runs[] = {{kernels->forward, &args, {x, w, HD_DIMS(s.k)}},
                {kernels->grad_input, &grad, {y, w, x}},
                {kernels->grad_weight, &grad, {x, y, w}},
                {kernels->grad_params, &grad, {x, y, w}},
                {kernels->add, &sum, {x, w, HD_DIMS(s.k), y}}};
    const int64_t count = hd_dims_count(&w), terms = count / s.k;
    float *small = malloc((size_t)count * sizeof *small); /* weights as layers start: sums of the size of one x */
    hd_rng rng = hd_rng_new(7, "weights");
    for (int64_t j = 0; j < count; j++) small[j] = (float)((2 * hd_rng_uniform(&rng) - 1) / sqrt((double)terms));
    int ran = 0;
    for (int i = 0; i < 5; i++) {
        kit_case c = {.kernel = runs[i].kernel,
                      .args = runs[i].args,
                      .tolerance = kernels->tolerance,
                      .may_refuse = may_refuse || ctx->isa < HD_ISA_AVX512,
                      .input_bytes = true};
        for (int j = 0; j < 4 && runs[i].in[j].rank; j++) {
            /* a large sum has large roundings, which sigmoid and tanh hold against a result below 1 */
            const bool given = act > HD_ACT_RELU && j == 1 && (i == 0 || i == 4);
            kit_input_as(&c, HD_F32, runs[i].in[j], given ? KIT_GIVEN : KIT_UNIT, 0, given ? small : NULL);
        }
        ran += kit_check(ctx, &c);
    }
    free(small);
    return ran;
}

static const shape shapes[] = {
    /* n, c, h, k, kernel, stride, padding, dilation, groups */
    {2, 1, 12, 32, 3, 1, 1, 1, 1},
    {7, 32, 9, 32, 3, 1, 1, 1, 1},
    {1, 3, 20, 64, 7, 2, 3, 1, 1},
    {16, 16, 8, 16, 1, 1, 0, 1, 1},
    {2, 32, 9, 64, 1, 2, 0, 1, 1},
    {3, 16, 10, 32, 3, 2, 1, 1, 1},
    {2, 16, 11, 16, 5, 1, 2, 1, 1},
    {2, 16, 12, 16, 3, 1, 2, 2, 1},
    {1, 64, 8, 128, 3, 1, 1, 1, 1},
    {2, 128, 7, 128, 3, 1, 1, 1, 1},
    {16, 16, 6, 16, 3, 1, 0, 1, 1},
    {2, 20, 9, 20, 3, 1, 1, 1, 1},
    {7, 1, 14, 6, 5, 1, 2, 1, 1},
    {5, 6, 12, 16, 5, 1, 0, 1, 1},
    {2, 20, 8, 12, 1, 1, 0, 1, 1},
    {4, 32, 8, 32, 3, 1, 1, 1, 32},
    {2, 20, 8, 20, 3, 1, 1, 1, 20},
    {3, 32, 8, 64, 3, 1, 1, 1, 2},
    {2, 12, 8, 20, 3, 2, 1, 1, 4},
    {2, 3, 9, 5, 3, 1, 1, 1, 1},
    {1, 16, 1, 32, 1, 1, 0, 1, 1},
    {4, 256, 4, 256, 3, 1, 1, 1, 1}, /* weights larger than the output: slices of channels */
    /* one picture: slices of rows, and of rows whose channels lie side by side */
    {1, 16, 25, 16, 3, 1, 1, 1, 1},
    {1, 16, 50, 16, 3, 2, 1, 1, 1},
    {1, 16, 24, 16, 5, 1, 4, 2, 1},
    {1, 40, 20, 100, 1, 1, 0, 1, 1},
    {1, 20, 41, 20, 3, 2, 1, 1, 1},
    {1, 24, 14, 20, 5, 1, 2, 1, 1},
    {1, 16, 5, 20, 3, 1, 0, 1, 1},
    {2, 8, 9, 8, 3, 1, 1, 1, 1},
    {2, 8, 9, 24, 7, 2, 2, 1, 1},
};

static void direct_shapes(hd_context *ctx, void *arg) {
    (void)arg;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        conv_case(ctx, &direct, shapes[i], (int64_t)(i % (HD_ACT_TANH + 1)), false);
}

static void convolutions_agree_with_their_definition(void **state) {
    (void)state;
    if (absent()) return;
    kit_each_isa(3, direct_shapes, NULL); /* against one thread */
}

static void winograd_shapes(hd_context *ctx, void *arg) {
    int *ran = arg;
    *ran += conv_case(ctx, &winograd, (shape){7, 32, 14, 32, 3, 1, 1, 1, 1}, HD_ACT_RELU, false);
    *ran += conv_case(ctx, &winograd, (shape){2, 16, 24, 32, 3, 1, 0, 1, 1}, HD_ACT_NONE, false);
    *ran += conv_case(ctx, &winograd, (shape){1, 32, 28, 32, 3, 1, 1, 1, 1}, HD_ACT_RELU, false);
}

/* oneDNN 3 dropped it: then it has to be refused, with that reason. */
static bool has_winograd(void) {
    hd_dnnl_answer answer;
    const hd_dnnl_conv conv = {.n = 7,
                               .c = 32,
                               .h = 14,
                               .w = 14,
                               .k = 32,
                               .r = 3,
                               .s = 3,
                               .oh = 14,
                               .ow = 14,
                               .groups = 1,
                               .stride = {1, 1},
                               .padding = {1, 1},
                               .dilation = {1, 1},
                               .winograd = true,
                               .isa = HD_ISA_AVX512};
    char version[32];
    if (hd_dnnl_version_text(version)[0] == '2') return true;
    assert_non_null(strstr(hd_dnnl_ask_conv(&conv, &answer), "no Winograd"));
    print_message("oneDNN %s has no Winograd\n", version);
    return false;
}

static void winograd_agrees_within_its_precision(void **state) {
    (void)state;
    if (absent() || !has_winograd()) return;
    for (int threads = 2; threads <= 3; threads++) {
        int ran = 0;
        kit_each_isa(threads, winograd_shapes, &ran);
        assert_int_equal(ran, hd_cpu_isa() >= HD_ISA_AVX512 ? 15 : 0);
    }
}

static void winograd_is_refused_where_it_does_not_fit(void **state) {
    (void)state;
    if (absent() || hd_cpu_isa() < HD_ISA_AVX512) return;
    hd_context *ctx;
    assert_int_equal(hd_context_new(&ctx, NULL), HD_OK);
    const shape no[] = {{8, 64, 16, 64, 5, 1, 1, 1, 1}, {8, 64, 16, 64, 3, 2, 1, 1, 1}, {8, 64, 16, 64, 3, 1, 1, 2, 1},
                        {8, 64, 16, 64, 3, 1, 1, 1, 2}, {8, 20, 16, 64, 3, 1, 1, 1, 1}, {1, 64, 8, 64, 3, 1, 1, 1, 1}};
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_int_equal(conv_case(ctx, &winograd, no[i], HD_ACT_NONE, true), 0);
    kit_case c = {.kernel = &hd_kernel_dnnl_conv2d_winograd, .exact = true, .may_refuse = true};
    kit_input(&c, HD_F32, HD_DIMS(8, 64, 16, 16));
    kit_input(&c, HD_F32, HD_DIMS(64, 64, 3, 3));
    kit_absent(&c);
    assert_false(kit_check(ctx, &c));
    assert_non_null(strstr(c.refusal, "exact"));
    hd_context_free(ctx);
}

/* ---- layouts ---- */

static hd_blocking blocking(hd_dims dims, const int64_t *stride) {
    hd_blocking b = {.rank = dims.rank};
    memcpy(b.dim, dims.dim, sizeof b.dim);
    memcpy(b.padded, dims.dim, sizeof b.padded);
    memcpy(b.stride, stride, (size_t)dims.rank * sizeof *stride);
    return b;
}

static void assert_layout(const hd_blocking *b, hd_layout want) {
    hd_layout got;
    char g[64], w[64];
    assert_true(hd_layout_from_blocking(b, &got));
    if (!hd_layout_equal(&got, &want))
        fail_msg("%s instead of %s", hd_layout_text(g, &got, b->rank), hd_layout_text(w, &want, b->rank));
}

static void strides_become_layouts(void **state) {
    (void)state;
    hd_blocking b = blocking(HD_DIMS(4, 6, 5, 7), (int64_t[]){210, 35, 7, 1});
    assert_layout(&b, HD_LAYOUT_PLAIN);
    b = blocking(HD_DIMS(4, 6, 5, 7), (int64_t[]){210, 1, 42, 6});
    assert_layout(&b, (hd_layout){.permuted = 1, .perm = {0, 2, 3, 1}});
    b = blocking(HD_DIMS(4, 1, 5, 7), (int64_t[]){35, 1, 7, 1}); /* one channel: last is as good as first */
    assert_layout(&b, HD_LAYOUT_PLAIN);
    b = blocking(HD_DIMS(4, 32, 5, 7), (int64_t[]){1120, 560, 112, 16});
    b.blocks = 1, b.idx[0] = 1, b.blk[0] = 16;
    assert_layout(&b, HD_LAYOUT_NCHW16C);
    b = blocking(HD_DIMS(4, 32, 1, 1), (int64_t[]){32, 16, 16, 16}); /* pictures of one pixel */
    b.blocks = 1, b.idx[0] = 1, b.blk[0] = 16;
    assert_layout(&b, HD_LAYOUT_PLAIN);
    b = blocking(HD_DIMS(4, 6, 5, 7), (int64_t[]){420, 70, 14, 2}); /* gaps */
    hd_layout got;
    assert_false(hd_layout_from_blocking(&b, &got));
}

static void groups_join_the_output_channels(void **state) {
    (void)state;
    hd_blocking joined, g = blocking(HD_DIMS(2, 32, 32, 3, 3), (int64_t[]){9216, 4608, 2304, 768, 256});
    g.blocks = 2, g.idx[0] = 2, g.blk[0] = 16, g.idx[1] = 1, g.blk[1] = 16;
    assert_true(hd_blocking_join_groups(&g, &joined));
    assert_layout(&joined, (hd_layout){.nblk = 2, .idx = {1, 0}, .blk = {16, 16}});
    assert_int_equal(joined.dim[0], 64);
    g = blocking(HD_DIMS(64, 1, 1, 3, 3), (int64_t[]){144, 144, 144, 48, 16}); /* depthwise: the group is the channel */
    g.blocks = 1, g.idx[0] = 0, g.blk[0] = 16;
    assert_true(hd_blocking_join_groups(&g, &joined));
    assert_layout(&joined, (hd_layout){.nblk = 1, .idx = {0}, .blk = {16}});
    g = blocking(HD_DIMS(4, 10, 5, 3, 3), (int64_t[]){2304, 2304, 2304, 768, 256}); /* padding between the groups */
    g.padded[1] = g.padded[2] = 16;
    g.blocks = 2, g.idx[0] = 2, g.blk[0] = 16, g.idx[1] = 1, g.blk[1] = 16;
    assert_false(hd_blocking_join_groups(&g, &joined));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strides_become_layouts),
        cmocka_unit_test(groups_join_the_output_channels),
        cmocka_unit_test(products_agree_with_their_definition),
        cmocka_unit_test(small_products_are_refused_with_a_reason),
        cmocka_unit_test(convolutions_agree_with_their_definition),
        cmocka_unit_test(winograd_agrees_within_its_precision),
        cmocka_unit_test(winograd_is_refused_where_it_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
