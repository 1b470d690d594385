/* test_kernels_winograd.c: the own Winograd convolutions against the definitions of their ops: odd sizes, tiles that
 * reach over the edge, many pieces and parts, on every instruction set of the machine, the same bits for 1, 2 and 3
 * threads. */
#include "kernel_kit.h"

extern const hd_kernel hd_kernel_cpu_conv2d_winograd, hd_kernel_cpu_conv2d_grad_input_winograd,
    hd_kernel_cpu_conv2d_grad_weight_winograd, hd_kernel_cpu_conv2d_grad_params_winograd;

typedef struct shape {
    int64_t n, c, h, w, k, padding;
} shape;

static double worst; /* error of all cases, of the largest value */

static bool check_one(hd_context *ctx, const hd_kernel *kernel, const void *args, const hd_dims in[3],
                      bool may_refuse) {
    kit_case c = {.kernel = kernel, .args = args, .tolerance = 5e-6, .may_refuse = may_refuse, .input_bytes = true};
    for (int i = 0; i < 3; i++)
        if (in[i].rank)
            kit_input_as(&c, HD_F32, in[i], i == 1 ? KIT_UNIT : KIT_NORMAL, 0, NULL);
        else
            kit_absent(&c);
    const bool ran = kit_check(ctx, &c);
    worst = fmax(worst, c.largest_error);
    return ran;
}

static void check_shape(hd_context *ctx, const shape *z, int64_t act, bool bias) {
    const int64_t oh = z->h + 2 * z->padding - 2, ow = z->w + 2 * z->padding - 2;
    const hd_conv2d_args args = {.padding = {z->padding, z->padding}, .act = act};
    const hd_conv2d_grad_args grad = {.padding = {z->padding, z->padding}};
    const hd_dims x = HD_DIMS(z->n, z->c, z->h, z->w), w = HD_DIMS(z->k, z->c, 3, 3), y = HD_DIMS(z->n, z->k, oh, ow);
    check_one(ctx, &hd_kernel_cpu_conv2d_winograd, &args, (hd_dims[]){x, w, bias ? HD_DIMS(z->k) : (hd_dims){0}},
              false);
    check_one(ctx, &hd_kernel_cpu_conv2d_grad_input_winograd, &grad, (hd_dims[]){y, w, x}, false);
    check_one(ctx, bias ? &hd_kernel_cpu_conv2d_grad_params_winograd : &hd_kernel_cpu_conv2d_grad_weight_winograd,
              &grad, (hd_dims[]){x, y, w}, false);
}

static void check_known(hd_context *ctx, void *arg) {
    static const shape shapes[] = {
        {7, 32, 14, 14, 32, 1}, /* tiles over the edge */
        {2, 16, 24, 25, 48, 1}, /* half a panel at the end */
        {3, 32, 13, 30, 16, 0}, /* one block of results */
        {6, 32, 7, 7, 256, 1},  /* parts of the panels; the weight's gradient over shared tiles */
        {1, 64, 28, 28, 16, 0}, /* one picture */
        {24, 16, 4, 4, 16, 1},  /* a tile a picture */
        {40, 16, 7, 3, 32, 1},  /* narrower than a tile */
        {2, 16, 57, 61, 32, 1}, /* several pieces */
        {30, 32, 6, 6, 32, 0},  /* one whole tile and no padding: all of the gradient's tiles at the edge */
    };
    const int count = *(const int *)arg;
    for (int i = 0; i < count && i < (int)(sizeof shapes / sizeof *shapes); i++)
        check_shape(ctx, &shapes[i], i & 1 ? HD_ACT_NONE : HD_ACT_RELU, i % 3 != 2);
}

static int64_t any(hd_rng *rng, int64_t from, int64_t to) {
    return from + (int64_t)hd_rng_below(rng, (uint64_t)(to - from + 1));
}

static void check_random(hd_context *ctx, void *arg) {
    (void)arg;
    hd_rng rng = hd_rng_new(5, hd_context_isa(ctx));
    for (int i = 0; i < 4; i++) {
        const shape z = {.n = any(&rng, 4, 9),
                         .c = 16 * any(&rng, 1, 5),
                         .h = any(&rng, 11, 25),
                         .w = any(&rng, 11, 25),
                         .k = 16 * any(&rng, 1, 5),
                         .padding = any(&rng, 0, 1)};
        check_shape(ctx, &z, any(&rng, 0, 1) ? HD_ACT_RELU : HD_ACT_NONE, any(&rng, 0, 1));
    }
}

/* Each against one thread. */
static void known_shapes(void **state) {
    (void)state;
    kit_each_isa(2, check_known, &(int){INT32_MAX});
    kit_each_isa(3, check_known, &(int){4});
}
static void random_shapes(void **state) {
    (void)state;
    kit_each_isa(2, check_random, NULL);
    print_message("largest error %.2g\n", worst);
}

/* So many channels that the tiles come in several chunks. */
static void chunks_of_tiles(void **state) {
    (void)state;
    hd_context *ctx = test_context(2);
    const hd_conv2d_grad_args grad = {.padding = {1, 1}};
    check_one(ctx, &hd_kernel_cpu_conv2d_grad_params_winograd, &grad,
              (hd_dims[]){HD_DIMS(90, 16, 3, 3), HD_DIMS(90, 2560, 3, 3), HD_DIMS(2560, 16, 3, 3)}, false);
    hd_context_free(ctx);
}

/* What does not fit is refused, with a reason. */
static void refusals(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    const struct {
        hd_conv2d_args args;
        hd_dims in[3];
        const char *reason;
        bool exact;
    } no[] = {
        {{.stride = {2, 2}, .padding = {1, 1}}, {HD_DIMS(8, 32, 14, 14), HD_DIMS(32, 32, 3, 3)}, "stride", false},
        {{.padding = {2, 2}}, {HD_DIMS(8, 32, 14, 14), HD_DIMS(32, 32, 3, 3)}, "padding", false},
        {{.padding = {1, 1}, .dilation = {2, 2}}, {HD_DIMS(8, 32, 14, 14), HD_DIMS(32, 32, 3, 3)}, "dilation", false},
        {{.padding = {1, 1}, .groups = 2}, {HD_DIMS(8, 32, 14, 14), HD_DIMS(32, 16, 3, 3)}, "groups", false},
        {{.padding = {1, 1}, .act = HD_ACT_TANH}, {HD_DIMS(8, 32, 14, 14), HD_DIMS(32, 32, 3, 3)}, "relu", false},
        {{.padding = {1, 1}}, {HD_DIMS(8, 20, 14, 14), HD_DIMS(32, 20, 3, 3)}, "channels", false},
        {{.padding = {1, 1}}, {HD_DIMS(8, 32, 14, 14), HD_DIMS(32, 32, 5, 5)}, "3x3", false},
        {{.padding = {1, 1}}, {HD_DIMS(1, 32, 8, 8), HD_DIMS(32, 32, 3, 3)}, "too few tiles", false},
        {{.padding = {1, 1}}, {HD_DIMS(1, 2080, 1, 1), HD_DIMS(1040, 2080, 3, 3)}, "too much memory", false},
        {{.padding = {1, 1}},
         {HD_DIMS(4, 8, 14, 14), HD_DIMS(16, 8, 3, 3)},
         ctx->isa < HD_ISA_AVX512 ? "pays" : "blocks",
         false},
        {{.padding = {1, 1}}, {HD_DIMS(800, 32, 1, 1), HD_DIMS(32, 32, 3, 3)}, "half full", false},
        {{.padding = {1, 1}}, {HD_DIMS(8, 32, 14, 14), HD_DIMS(32, 32, 3, 3)}, "exact", true},
    };
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        kit_case c = {
            .kernel = &hd_kernel_cpu_conv2d_winograd, .args = &no[i].args, .exact = no[i].exact, .may_refuse = true};
        kit_input(&c, HD_F32, no[i].in[0]);
        kit_input(&c, HD_F32, no[i].in[1]);
        kit_absent(&c);
        assert_false(kit_check(ctx, &c));
        if (!strstr(c.refusal, no[i].reason)) fail_msg("\"%s\" does not name %s", c.refusal, no[i].reason);
    }
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_shapes), cmocka_unit_test(random_shapes),
                                       cmocka_unit_test(chunks_of_tiles), cmocka_unit_test(refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
