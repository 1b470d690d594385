/* test_kernels_planes.c: normalisation, dropout and pooling of src/backends/cpu against the definitions of their ops,
 * in every order of the channels and on every instruction set of the machine. */
#include "ops/fused.h"
#include "vec_kernels.h"

/* ---- channels: normalisation, dropout, pooling ---- */

static const hd_layout *const channel_layouts[] = {&plain, &blocked, &blocked8, &nhwc};

typedef struct picture_case {
    hd_dims x;
    hd_pool2d_args pool;
} picture_case;

static const picture_case pictures[] = {
    {{4, {2, 3, 6, 6}}, {.kernel_size = {2, 2}, .stride = {2, 2}}},
    {{4, {3, 17, 8, 12}}, {.kernel_size = {2, 2}, .stride = {2, 2}}},
    {{4, {1, 5, 7, 9}}, {.kernel_size = {2, 2}, .stride = {2, 2}}},
    {{4, {2, 16, 9, 11}}, {.kernel_size = {3, 3}, .stride = {2, 2}, .padding = {1, 1}}},
    {{4, {2, 20, 5, 40}}, {.kernel_size = {3, 2}, .stride = {1, 1}, .padding = {1, 0}}},
    {{4, {1, 2, 13, 70}}, {.kernel_size = {5, 4}, .stride = {3, 3}, .padding = {2, 1}}},
    {{4, {2, 33, 4, 4}}, {.kernel_size = {4, 4}, .stride = {4, 4}}},
    {{4, {4, 32, 28, 28}}, {.kernel_size = {2, 2}, .stride = {2, 2}}},
    {{4, {2, 48, 14, 15}}, {.kernel_size = {3, 3}, .stride = {1, 1}, .padding = {1, 1}}},
    {{4, {1, 32, 11, 13}}, {.kernel_size = {2, 2}, .stride = {3, 4}}},
    {{4, {2, 6, 1, 1}}, {.kernel_size = {1, 1}, .stride = {1, 1}}},
    {{4, {2, 6, 2, 2}}, {.kernel_size = {1, 1}, .stride = {2, 2}}},
};

extern const hd_kernel hd_kernel_half_max_pool2d, hd_kernel_half_max_pool2d_grad;

/* In f32, and by the kernel of bf16. */
static void check_both(hd_context *ctx, const kit_case *c) {
    kit_case wide = *c, narrow = *c;
    kit_check(ctx, &wide);
    if (strncmp(c->kernel->name, "cpu.max", 7) != 0) return;
    narrow.kernel = c->n_in == 1 ? &hd_kernel_half_max_pool2d : &hd_kernel_half_max_pool2d_grad;
    narrow.bf16_in = narrow.bf16_out = 3;
    kit_check(ctx, &narrow);
}

static void check_pools(hd_context *ctx, void *arg) {
    static const char *const names[] = {"cpu.max_pool2d", "cpu.avg_pool2d", "cpu.max_pool2d_grad",
                                        "cpu.avg_pool2d_grad", "cpu.global_avg_pool"};
    (void)arg;
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++)
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            for (size_t l = 0; l < 4; l++) {
                const picture_case *t = &pictures[i];
                hd_pool2d_args forward = t->pool;
                hd_pool2d_grad_args backward = {.end_ = 0};
                hd_dims y = t->x;
                for (int d = 0; d < 2; d++) {
                    backward.kernel_size[d] = forward.kernel_size[d];
                    backward.stride[d] = forward.stride[d];
                    backward.padding[d] = forward.padding[d];
                    y.dim[2 + d] =
                        (y.dim[2 + d] + 2 * forward.padding[d] - forward.kernel_size[d]) / forward.stride[d] + 1;
                }
                kit_case c = {.kernel = kernel_of(names[k]), .args = k < 2 ? (void *)&forward : &backward};
                if (k == 4) c.args = NULL;
                c.layout[0] = *channel_layouts[l];
                kit_input(&c, HD_F32, t->x);
                if (k == 2 || k == 3) kit_input(&c, HD_F32, y);
                check_both(ctx, &c);
            }
}

/* Windows that reach over the lower and right edge, two lines a stride of 2 too few: apart and overlapping. */
static void check_ceil_pools(hd_context *ctx, void *arg) {
    (void)arg;
    for (int t = 0; t < 16; t++) {
        const int64_t size = t & 1 ? 3 : 2, padding = t & 2 && size == 3, c = t & 4 ? 17 : 32;
        const hd_dims x = HD_DIMS(2, c, 9 + !padding * (size == 3), t & 1 ? 14 : 41),
                      y = HD_DIMS(2, c, 5, (x.dim[3] + 1) / 2);
        const hd_pool2d_args f = {
            .kernel_size = {size, size}, .stride = {2, 2}, .padding = {padding, 0}, .ceil_mode = true};
        const hd_pool2d_grad_args b = {
            .kernel_size = {size, size}, .stride = {2, 2}, .padding = {padding, 0}, .ceil_mode = true};
        for (size_t l = 0; l < 4; l++) {
            kit_case k = {.kernel = kernel_of(t & 8 ? "cpu.max_pool2d_grad" : "cpu.max_pool2d")};
            k.args = t & 8 ? (const void *)&b : &f;
            k.layout[0] = *channel_layouts[l];
            kit_input(&k, HD_F32, x);
            if (t & 8) kit_input(&k, HD_F32, y);
            check_both(ctx, &k);
        }
    }
}

/* Equal elements and NaN: the first gets the gradient. */
static void check_pool_ties(hd_context *ctx, void *arg) {
    float x[2 * 16 * 6 * 6];
    (void)arg;
    for (int i = 0; i < 2 * 16 * 6 * 6; i++) x[i] = i % 37 == 5 ? NAN : (float)(i * 7 % 3);
    for (size_t l = 0; l < 4; l++)
        for (int overlap = 0; overlap < 2; overlap++)
            for (int grad = 0; grad < 2; grad++) {
                const hd_pool2d_args f = {.kernel_size = {overlap ? 3 : 2, 2}, .stride = {2, 2}};
                const hd_pool2d_grad_args b = {.kernel_size = {overlap ? 3 : 2, 2}, .stride = {2, 2}};
                kit_case c = {.kernel = kernel_of(grad ? "cpu.max_pool2d_grad" : "cpu.max_pool2d")};
                c.args = grad ? (const void *)&b : &f;
                c.layout[0] = *channel_layouts[l];
                kit_input_as(&c, HD_F32, HD_DIMS(2, 16, 6, 6), KIT_GIVEN, 0, x);
                if (grad) kit_input(&c, HD_F32, HD_DIMS(2, 16, overlap ? 2 : 3, 3));
                check_both(ctx, &c);
            }
}

static const hd_dims normalised[] = {
    {2, {6, 4}},        {2, {64, 100}},     {2, {1, 3}},           {3, {3, 2, 7}},  {4, {4, 3, 5, 5}},
    {4, {2, 19, 3, 3}}, {4, {8, 16, 4, 4}}, {4, {16, 24, 20, 20}}, {2, {3000, 70}}, {4, {5, 40, 1, 1}},
};

static void check_norms(hd_context *ctx, void *arg) {
    (void)arg;
    for (size_t i = 0; i < sizeof normalised / sizeof *normalised; i++)
        for (size_t l = 0; l < 4; l++)
            for (int relu = 0; relu < 2; relu++)
                for (int infer = 0; infer < 2; infer++) {
                    const hd_dims x = normalised[i], channels = HD_DIMS(x.dim[1]);
                    if (l && x.rank != 4) continue;
                    kit_case c = {.kernel = kernel_of(infer ? "cpu.batch_norm_infer" : "cpu.batch_norm"),
                                  .args =
                                      &(hd_batch_norm_args){.act = relu ? HD_ACT_RELU : HD_ACT_NONE, .momentum = 0.3}};
                    c.layout[0] = *channel_layouts[l];
                    c.tolerance = 3e-5; /* means lie near zero: the error is measured against the deviation */
                    kit_input(&c, HD_F32, x);
                    for (int j = 1; j < 5; j++) kit_input_as(&c, HD_F32, channels, KIT_POSITIVE, 0, NULL);
                    kit_check(ctx, &c);
                }
}

static void check_norm_grads(hd_context *ctx, void *arg) {
    (void)arg;
    for (size_t i = 0; i < sizeof normalised / sizeof *normalised; i++)
        for (size_t l = 0; l < 4; l++)
            for (int relu = 0; relu < 2; relu++) {
                const hd_dims x = normalised[i], channels = HD_DIMS(x.dim[1]);
                if (l && x.rank != 4) continue;
                kit_case c = {.kernel = kernel_of("cpu.batch_norm_grad"),
                              .args = &(hd_batch_norm_grad_args){.act = relu ? HD_ACT_RELU : HD_ACT_NONE}};
                c.layout[l % 2 ? 0 : 4] = *channel_layouts[l];
                kit_input(&c, HD_F32, x);
                for (int j = 1; j < 4; j++) kit_input_as(&c, HD_F32, channels, KIT_POSITIVE, 0, NULL);
                kit_input(&c, HD_F32, x);
                if (relu)
                    kit_input(&c, HD_F32, x);
                else
                    kit_absent(&c);
                kit_check(ctx, &c);
            }
}

/* The fused forms: with a residual or without, every clip; gradients with one or two that arrive. */
static void check_fused_norms(hd_context *ctx, void *arg) {
    (void)arg;
    for (size_t i = 0; i < sizeof normalised / sizeof *normalised; i++)
        for (size_t l = 0; l < 4; l++)
            for (int t = 0; t < 6; t++) {
                const hd_dims x = normalised[i], channels = HD_DIMS(x.dim[1]);
                const int residual = t / 3;
                if (l && x.rank != 4) continue;
                kit_case c = {.kernel = kernel_of("cpu.batch_norm_act"),
                              .args = &(hd_batch_norm_act_args){.clip = t % 3, .momentum = 0.3},
                              .tolerance = 3e-5};
                c.layout[residual ? 5 : 0] = *channel_layouts[l];
                kit_input(&c, HD_F32, x);
                for (int j = 1; j < 5; j++) kit_input_as(&c, HD_F32, channels, KIT_POSITIVE, 0, NULL);
                if (residual) kit_input(&c, HD_F32, x);
                kit_check(ctx, &c);
                const hd_batch_norm_act_grad_args back = {.clip = t % 3};
                kit_case b = {.kernel = kernel_of("cpu.batch_norm_act_grad"), .args = &back};
                b.layout[5] = *channel_layouts[l];
                kit_input(&b, HD_F32, x);
                for (int j = 1; j < 5; j++) kit_input_as(&b, HD_F32, channels, KIT_POSITIVE, 0, NULL);
                kit_input(&b, HD_F32, x);
                kit_check(ctx, &b);
                if (t % 3 == HD_CLIP_NONE) continue;
                kit_case a = {.kernel = kernel_of("cpu.batch_norm_add_grad"), .args = &back};
                a.layout[4 + t % 3] = residual || t % 3 < 2 ? *channel_layouts[l] : plain;
                kit_input(&a, HD_F32, x);
                for (int j = 1; j < 4; j++) kit_input_as(&a, HD_F32, channels, KIT_POSITIVE, 0, NULL);
                for (int j = 0; j < 2 + residual; j++) kit_input(&a, HD_F32, x);
                kit_check(ctx, &a);
            }
}

/* A mean a thousand times the deviation leaves the variance right. */
static void check_norm_far(hd_context *ctx, void *arg) {
    static float x[64 * 8 * 36];
    hd_rng rng = hd_rng_new(3, "far");
    (void)arg;
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) x[i] = (float)(1000 + hd_rng_normal(&rng));
    kit_case c = {.kernel = kernel_of("cpu.batch_norm"), .tolerance = 1e-4};
    kit_input_as(&c, HD_F32, HD_DIMS(64, 8, 6, 6), KIT_GIVEN, 0, x);
    for (int j = 1; j < 5; j++) kit_input_as(&c, HD_F32, HD_DIMS(8), KIT_POSITIVE, 0, NULL);
    kit_check(ctx, &c);
}

static void check_dropouts(hd_context *ctx, void *arg) {
    static const double rates[] = {0.5, 0.2, 0.9, 1, HD_ZERO};
    static const int64_t rngs[][2] = {{7, 3}, {-1, 123456789012}, {INT64_MIN, 1}};
    (void)arg;
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++)
        for (size_t g = 0; g < 3; g++) {
            for (int i = 0; i < LENGTHS; i++) {
                kit_case c = {.kernel = kernel_of("cpu.dropout"),
                              .args = &(hd_dropout_args){.p = rates[r], .stream = (int64_t)g * 2000000000},
                              .tolerance = 1e-30};
                kit_input(&c, HD_F32, HD_DIMS(lengths[i]));
                kit_input_as(&c, HD_I64, HD_DIMS(2), KIT_GIVEN, 0, rngs[g]);
                kit_check(ctx, &c);
            }
            for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
                kit_case c = {.kernel = kernel_of("cpu.dropout"), .args = &(hd_dropout_args){.p = rates[r]}};
                c.tolerance = 1e-30;
                c.layout[0] = *channel_layouts[i % 4];
                kit_input(&c, HD_F32, pictures[i].x);
                kit_input_as(&c, HD_I64, HD_DIMS(2), KIT_GIVEN, 0, rngs[g]);
                kit_check(ctx, &c);
            }
        }
}

static void test_pools(void **state) {
    (void)state;
    kit_each_isa(3, check_pools, NULL);
    kit_each_isa(1, check_ceil_pools, NULL);
    kit_each_isa(1, check_pool_ties, NULL);
}

static void test_norms(void **state) {
    (void)state;
    kit_each_isa(3, check_norms, NULL);
    kit_each_isa(3, check_norm_grads, NULL);
    kit_each_isa(3, check_fused_norms, NULL);
    kit_each_isa(1, check_norm_far, NULL);
}

static void test_dropouts(void **state) {
    (void)state;
    kit_each_isa(2, check_dropouts, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pools), cmocka_unit_test(test_norms),
                                       cmocka_unit_test(test_dropouts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
