/* test_kernels_vec.c: the bandwidth-bound kernels of src/backends/cpu against the definitions of their ops: many
 * shapes, layouts, and every instruction set of the machine; aliased, and with the same bits however many threads there
 * are. */
#include "kernel_kit.h"

#define HD_KERNEL(variable) extern const hd_kernel variable;
#include "backends/cpu/vec.def"
#undef HD_KERNEL

static const hd_kernel *const kernels[] = {
#define HD_KERNEL(variable) &variable,
#include "backends/cpu/vec.def"
#undef HD_KERNEL
};

static const hd_kernel *kernel_of(const char *name) {
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++)
        if (strcmp(kernels[i]->name, name) == 0) return kernels[i];
    fail_msg("no kernel %s", name);
    return NULL;
}

/* Lengths around the widths of vectors, and such that a second task begins. */
static const int64_t lengths[] = {0, 1, 3, 15, 16, 17, 63, 1000, 4097, 70001};
enum { LENGTHS = sizeof lengths / sizeof *lengths };
static const hd_layout blocked = {.nblk = 1, .idx = {1}, .blk = {16}}, blocked8 = {.nblk = 1, .idx = {1}, .blk = {8}};
static const hd_layout nhwc = {.permuted = 1, .perm = {0, 2, 3, 1}};
static const hd_layout weights = {.nblk = 2, .idx = {1, 0}, .blk = {16, 16}};

/* ---- elementwise ---- */

typedef struct elem_case {
    const char *name;
    int operands;
    kit_fill fill;
    const void *args;
} elem_case;

static const elem_case elems[] = {
    {"cpu.neg", 1, KIT_NORMAL, NULL},
    {"cpu.exp", 1, KIT_NORMAL, NULL},
    {"cpu.log", 1, KIT_POSITIVE, NULL},
    {"cpu.sqrt", 1, KIT_POSITIVE, NULL},
    {"cpu.abs", 1, KIT_NORMAL, NULL},
    {"cpu.sign", 1, KIT_NORMAL, NULL},
    {"cpu.sigmoid", 1, KIT_NORMAL, NULL},
    {"cpu.tanh", 1, KIT_NORMAL, NULL},
    {"cpu.relu", 1, KIT_NORMAL, NULL},
    {"cpu.affine", 1, KIT_NORMAL, &(hd_affine_args){.scale = -2.5, .shift = 0.25}},
    {"cpu.fill_like", 1, KIT_NORMAL, &(hd_fill_like_args){.value = 3.5}},
    {"cpu.add", 2, KIT_NORMAL, NULL},
    {"cpu.sub", 2, KIT_NORMAL, NULL},
    {"cpu.mul", 2, KIT_NORMAL, NULL},
    {"cpu.div", 2, KIT_POSITIVE, NULL},
    {"cpu.sigmoid_grad", 2, KIT_UNIT, NULL},
    {"cpu.tanh_grad", 2, KIT_UNIT, NULL},
    {"cpu.relu_grad", 2, KIT_NORMAL, NULL},
};

static void check_elems(hd_context *ctx, void *arg) {
    (void)arg;
    for (size_t e = 0; e < sizeof elems / sizeof *elems; e++)
        for (int i = 0; i < LENGTHS; i++) {
            kit_case c = {.kernel = kernel_of(elems[e].name), .args = elems[e].args, .input_bytes = i & 1};
            for (int j = 0; j < elems[e].operands; j++)
                kit_input_as(&c, HD_F32, HD_DIMS(lengths[i]), elems[e].fill, 0, NULL);
            kit_check(ctx, &c);
        }
}

static void check_elem_layouts(hd_context *ctx, void *arg) {
    static const hd_layout *const layouts[] = {&blocked, &blocked8, &nhwc, &weights};
    (void)arg;
    for (size_t e = 0; e < sizeof elems / sizeof *elems; e++)
        for (size_t l = 0; l < sizeof layouts / sizeof *layouts; l++) {
            kit_case c = {.kernel = kernel_of(elems[e].name), .args = elems[e].args};
            for (int j = 0; j < elems[e].operands; j++) {
                c.layout[j] = *layouts[l];
                kit_input_as(&c, HD_F32, HD_DIMS(2, 19, 3, 5), elems[e].fill, 0, NULL);
            }
            kit_check(ctx, &c);
        }
}

static void check_scalars(hd_context *ctx, void *arg) {
    static const char *const names[] = {"cpu.add", "cpu.sub", "cpu.mul", "cpu.div"};
    (void)arg;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        for (int second = 0; second < 2; second++)
            for (int layout = 0; layout < 2; layout++) {
                kit_case c = {.kernel = kernel_of(names[k])};
                for (int j = 0; j < 2; j++) {
                    if (layout && j != second) c.layout[j] = blocked;
                    kit_input_as(&c, HD_F32, j == second ? (hd_dims){.rank = 0} : HD_DIMS(2, 19, 3, 5), KIT_POSITIVE, 0,
                                 NULL);
                }
                kit_check(ctx, &c);
            }
}

static void test_elems(void **state) {
    (void)state;
    kit_each_isa(3, check_elems, NULL);
    kit_each_isa(2, check_elem_layouts, NULL);
    kit_each_isa(1, check_scalars, NULL);
}

/* ---- chains ---- */

static void check_chains(hd_context *ctx, void *arg) {
    static const char *const programs[] = {
        "mul(0,1) add(%0,2)",     "add(0,1) relu(%0) sub(%1,0) tanh(%2) mul(%3,%0) affine(%4;2;-1)",
        "tanh_grad(0,1) exp(%0)", "neg(2) mul(0,%0) add(%1,1)",
        "affine(0;0.5;0.25)",     "mul(2,2) sub(%0,0) sigmoid(%1) div(1,%2)",
    };
    (void)arg;
    for (size_t p = 0; p < sizeof programs / sizeof *programs; p++)
        for (int i = 0; i < LENGTHS; i++)
            for (int single = 0; single < 2; single++)
                for (int layout = 0; layout < 2; layout++) {
                    kit_case c = {.kernel = kernel_of("cpu.chain"), .args = &(hd_chain_args){.program = programs[p]}};
                    if (layout && lengths[i] < 3) continue;
                    for (int j = 0; j < 3; j++) {
                        const hd_dims dims = layout ? HD_DIMS(2, lengths[i] % 40 + 1, 2, 2) : HD_DIMS(lengths[i]);
                        if (layout && !(single && j == 2)) c.layout[j] = blocked;
                        kit_input_as(&c, HD_F32, single && j == 2 ? HD_DIMS(1) : dims, KIT_UNIT, 0, NULL);
                    }
                    kit_check(ctx, &c);
                }
}

static void test_chains(void **state) {
    (void)state;
    kit_each_isa(3, check_chains, NULL);
}

/* What can not be a program is refused, never run. */
static void test_chain_refuses(void **state) {
    static const char *const programs[] = {"",          "mul(0,3)",      "mul(0)",          "mul(0,%0)", "mul(0,1",
                                           "gulp(0,1)", "mul(0,1) add(", "affine(0;1;2;3)", "relu(0,1)", "mul(2,2)",
                                           "affine(0)", "mul(0,-1)",     "affine(0;x;1)"};
    hd_context *ctx = test_context(1);
    (void)state;
    for (size_t p = 0; p < sizeof programs / sizeof *programs; p++) {
        const hd_chain_args args = {.program = programs[p]};
        const hd_operand in[3] = {{.dims = HD_DIMS(4), .count = 4, .bytes = 16},
                                  {.dims = HD_DIMS(4), .count = 4, .bytes = 16},
                                  {.dims = HD_DIMS(1), .count = 1, .bytes = 4}};
        const hd_kctx k = {.ctx = ctx, .attr = &args, .n_in = 3, .n_out = 1, .in = in, .out = in};
        if (!kernel_of("cpu.chain")->supports(&k)) fail_msg("\"%s\" was taken for a program", programs[p]);
    }
    hd_context_free(ctx);
}

/* ---- reductions ---- */

typedef struct reduce_case {
    hd_dims x, axes, like;
} reduce_case;

static const reduce_case reductions[] = {
    {{1, {1}}, {0}, {0}},
    {{1, {70001}}, {0}, {1, {1}}},
    {{1, {400000}}, {0}, {0}},
    {{2, {7, 10}}, {1, {-1}}, {2, {7, 1}}},
    {{2, {128, 1000}}, {1, {1}}, {2, {128, 1}}},
    {{2, {7, 10}}, {1, {0}}, {1, {10}}},
    {{2, {4097, 33}}, {1, {0}}, {2, {1, 33}}},
    {{2, {3, 40000}}, {1, {0}}, {1, {40000}}},
    {{4, {5, 3, 7, 6}}, {3, {0, 2, 3}}, {4, {1, 3, 1, 1}}},
    {{4, {32, 16, 20, 21}}, {3, {0, 2, 3}}, {3, {16, 1, 1}}},
    {{4, {2, 3, 4, 5}}, {1, {1}}, {4, {2, 1, 4, 5}}},
    {{4, {2, 3, 4, 5}}, {2, {1, 3}}, {4, {2, 1, 4, 1}}},
    {{3, {2, 1, 3}}, {1, {1}}, {3, {2, 1, 3}}},
    {{0}, {0}, {0}},
};

static void check_reductions(hd_context *ctx, void *arg) {
    static const char *const names[] = {"cpu.sum", "cpu.mean", "cpu.max"};
    (void)arg;
    for (size_t i = 0; i < sizeof reductions / sizeof *reductions; i++) {
        const reduce_case *r = &reductions[i];
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            kit_case c = {.kernel = kernel_of(names[k]), .args = &(hd_reduce_args){.axes = r->axes}};
            kit_input_as(&c, HD_F32, r->x, KIT_POSITIVE, 0, NULL);
            kit_check(ctx, &c);
        }
        for (int average = 0; average < 2; average++) {
            kit_case down = {.kernel = kernel_of("cpu.sum_like"), .args = &(hd_like_args){.average = average}};
            kit_input_as(&down, HD_F32, r->x, KIT_POSITIVE, 0, NULL);
            kit_input(&down, HD_F32, r->like);
            kit_check(ctx, &down);
            kit_case up = {.kernel = kernel_of("cpu.broadcast_like"), .args = &(hd_like_args){.average = average}};
            kit_input(&up, HD_F32, r->like);
            kit_input(&up, HD_F32, r->x);
            kit_check(ctx, &up);
        }
    }
}

static void check_max_nan(hd_context *ctx, void *arg) {
    (void)arg;
    for (int at = 0; at < 40; at++) {
        float x[40];
        for (int i = 0; i < 40; i++) x[i] = i == at ? NAN : (float)(i % 7);
        kit_case c = {.kernel = kernel_of("cpu.max")};
        kit_input_as(&c, HD_F32, HD_DIMS(40), KIT_GIVEN, 0, x);
        kit_check(ctx, &c);
    }
}

static void test_reductions(void **state) {
    (void)state;
    kit_each_isa(3, check_reductions, NULL);
    kit_each_isa(1, check_max_nan, NULL);
}

/* ---- losses ---- */

static void check_logits(hd_context *ctx, void *arg) {
    static const int64_t shapes[][2] = {{1, 2}, {5, 10}, {64, 10}, {3, 16}, {17, 17}, {128, 1000}, {3000, 33}, {4, 1}};
    static const char *const names[] = {"cpu.cross_entropy", "cpu.cross_entropy_both", "cpu.cross_entropy_grad",
                                        "cpu.count_correct"};
    (void)arg;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            const int64_t n = shapes[i][0], classes = shapes[i][1];
            kit_case c = {.kernel = kernel_of(names[k])};
            kit_input(&c, HD_F32, HD_DIMS(n, classes));
            kit_input_as(&c, HD_I64, HD_DIMS(n), KIT_BELOW, classes, NULL);
            if (k == 2) kit_input(&c, HD_F32, (hd_dims){.rank = 0});
            kit_check(ctx, &c);
        }
}

/* Of equal largest logits the first counts; a target that is no class is never right. */
static void check_ties(hd_context *ctx, void *arg) {
    const float x[] = {1, 2, 2, 2, 1, 2, NAN, 0, 0, 3, 3, 3, 1, 1, 1};
    const int64_t target[] = {1, 2, 0, 0, 1};
    (void)arg;
    kit_case c = {.kernel = kernel_of("cpu.count_correct")};
    kit_input_as(&c, HD_F32, HD_DIMS(5, 3), KIT_GIVEN, 0, x);
    kit_input_as(&c, HD_I64, HD_DIMS(5), KIT_GIVEN, 0, target);
    kit_check(ctx, &c);
}

static void check_pairs(hd_context *ctx, void *arg) {
    static const char *const names[] = {"cpu.mse",      "cpu.half_squared_error",      "cpu.bce_with_logits",
                                        "cpu.mse_grad", "cpu.half_squared_error_grad", "cpu.bce_with_logits_grad"};
    (void)arg;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        for (int i = 1; i < LENGTHS; i++) {
            kit_case c = {.kernel = kernel_of(names[k])};
            const hd_dims dims = i & 1 ? HD_DIMS(lengths[i]) : HD_DIMS(lengths[i], 3);
            kit_input(&c, HD_F32, dims);
            kit_input_as(&c, HD_F32, dims, KIT_POSITIVE, 0, NULL);
            if (k >= 3) kit_input(&c, HD_F32, (hd_dims){.rank = 0});
            kit_check(ctx, &c);
        }
}

static void test_losses(void **state) {
    (void)state;
    kit_each_isa(3, check_logits, NULL);
    kit_each_isa(1, check_ties, NULL);
    kit_each_isa(3, check_pairs, NULL);
}

/* ---- optimisers ---- */

static void check_sgd(hd_context *ctx, void *arg) {
    (void)arg;
    for (int i = 0; i < LENGTHS; i++)
        for (int form = 0; form < 8; form++) {
            const double hyper[4] = {0.1, form & 4 ? 1 : 7, form & 2 ? 0.01 : 0, 0};
            const bool momentum = i % 3 != 0;
            kit_case c = {
                .kernel = kernel_of("cpu.sgd_update"),
                .args = &(hd_sgd_update_args){.momentum = momentum ? 0.9 : 0, .nesterov = momentum && (form & 1)}};
            const hd_dims dims = HD_DIMS(lengths[i]);
            kit_input(&c, HD_F32, dims);
            kit_input(&c, HD_F32, dims);
            kit_input_as(&c, HD_F64, HD_DIMS(4), KIT_GIVEN, 0, hyper);
            if (form & 2)
                kit_input_as(&c, HD_F32, (hd_dims){.rank = 0}, KIT_POSITIVE, 0, NULL);
            else
                kit_absent(&c);
            if (momentum)
                kit_input(&c, HD_F32, dims);
            else
                kit_absent(&c);
            kit_check(ctx, &c);
        }
}

static void check_adam(hd_context *ctx, void *arg) {
    (void)arg;
    for (int i = 0; i < LENGTHS; i++)
        for (int form = 0; form < 4; form++) {
            const double hyper[4] = {0.001, form & 1 ? 1 : 100, form & 2 ? 0.01 : 0, 0};
            kit_case c = {.kernel = kernel_of("cpu.adam_update"),
                          .args = &(hd_adam_update_args){.decoupled = form & 1}};
            const hd_dims dims = HD_DIMS(lengths[i]);
            kit_input(&c, HD_F32, dims);
            kit_input(&c, HD_F32, dims);
            kit_input_as(&c, HD_F32, dims, KIT_UNIT, 0, NULL);
            kit_input_as(&c, HD_F32, dims, KIT_POSITIVE, 0, NULL);
            kit_input_as(&c, HD_F64, HD_DIMS(4), KIT_GIVEN, 0, hyper);
            if (form & 2)
                kit_input_as(&c, HD_F32, (hd_dims){.rank = 0}, KIT_POSITIVE, 0, NULL);
            else
                kit_absent(&c);
            kit_check(ctx, &c);
        }
}

static void test_updates(void **state) {
    (void)state;
    kit_each_isa(3, check_sgd, NULL);
    kit_each_isa(3, check_adam, NULL);
}

/* ---- channels: normalisation, dropout, pooling ---- */

static const hd_layout plain;
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
    {{4, {2, 6, 1, 1}}, {.kernel_size = {1, 1}, .stride = {1, 1}}},
    {{4, {2, 6, 2, 2}}, {.kernel_size = {1, 1}, .stride = {2, 2}}},
};

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
                kit_check(ctx, &c);
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
                kit_check(ctx, &c);
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

static void test_channels(void **state) {
    (void)state;
    kit_each_isa(3, check_pools, NULL);
    kit_each_isa(1, check_pool_ties, NULL);
    kit_each_isa(3, check_norms, NULL);
    kit_each_isa(3, check_norm_grads, NULL);
    kit_each_isa(1, check_norm_far, NULL);
    kit_each_isa(2, check_dropouts, NULL);
}

/* ---- what only moves ---- */

/* A change of layout, through every pair; the operands' layouts are settled before the kernel is asked. */
static void check_reorder(hd_context *ctx, const hd_dims *dims, hd_layout from, hd_layout to) {
    const hd_kernel *kernel = kernel_of("cpu.reorder");
    const int64_t n = hd_dims_count(dims), n_from = hd_layout_count(&from, dims), n_to = hd_layout_count(&to, dims);
    float *x = calloc((size_t)n + 1, 4), *packed = calloc((size_t)n_from + 1, 4);
    float *want = calloc((size_t)n_to + 1, 4), *got = malloc((size_t)n_to * 4 + 4);
    for (int64_t i = 0; i < n; i++) x[i] = (float)(i + 1);
    hd_layout_pack(&from, dims, 4, x, packed);
    hd_layout_pack(&to, dims, 4, x, want);
    memset(got, 0xff, (size_t)n_to * 4 + 4);
    const hd_operand in = {HD_F32, *dims, from, n, (size_t)n_from * 4}, out = {HD_F32, *dims, to, n, (size_t)n_to * 4};
    hd_arena arena = {.ctx = ctx};
    hd_kctx k = {
        .ctx = ctx, .arena = &arena, .op = hd_op_find(NULL, "reorder"), .n_in = 1, .n_out = 1, .isa = ctx->isa};
    hd_prepared p = {0};
    k.in = &in;
    k.out = &out;
    if (kernel->supports(&k)) fail_msg("reorder refuses: %s", kernel->supports(&k));
    assert_int_equal(kernel->prepare(&k, &p), HD_OK);
    hd_exec e = {.state = p.state, .in = (void *[]){packed}, .out = (void *[]){got}};
    for (int i = 0; i < p.phases; i++)
        for (int64_t t = p.phase[i].tasks; t-- > 0;) p.phase[i].run(&e, t);
    for (int64_t i = 0; i < n_to; i++)
        if (!(got[i] == want[i])) { /* NaN too */
            char a[64], b[64], d[192];
            fail_msg("%s from %s to %s: place %lld holds %g, should be %g", hd_dims_text(d, dims),
                     hd_layout_text(a, &from, dims->rank), hd_layout_text(b, &to, dims->rank), (long long)i,
                     (double)got[i], (double)want[i]);
        }
    uint32_t past;
    memcpy(&past, got + n_to, 4);
    assert_int_equal(past, 0xffffffff);
    hd_arena_free(&arena);
    free(x), free(packed), free(want), free(got);
}

static void test_reorders(void **state) {
    static const hd_layout layouts[] = {{0},
                                        {.nblk = 1, .idx = {1}, .blk = {16}},
                                        {.nblk = 1, .idx = {1}, .blk = {8}},
                                        {.nblk = 1, .idx = {0}, .blk = {16}},
                                        {.permuted = 1, .perm = {0, 2, 3, 1}},
                                        {.permuted = 1, .perm = {2, 3, 1, 0}},
                                        {.nblk = 2, .idx = {1, 0}, .blk = {16, 16}},
                                        {.nblk = 2, .idx = {0, 1}, .blk = {16, 16}},
                                        {.nblk = 3, .idx = {0, 1, 0}, .blk = {4, 16, 4}},
                                        {.nblk = 1, .idx = {0}, .blk = {16}, .permuted = 1, .perm = {0, 2, 3, 1}}};
    static const hd_dims shapes[] = {{4, {2, 16, 5, 7}}, {4, {3, 19, 4, 4}}, {4, {32, 32, 3, 3}},  {4, {37, 5, 3, 3}},
                                     {4, {1, 1, 1, 1}},  {4, {0, 3, 2, 2}},  {4, {4, 64, 28, 28}}, {4, {40, 70, 1, 1}}};
    hd_context *ctx = test_context(1);
    (void)state;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
            for (size_t j = 0; j < sizeof layouts / sizeof *layouts; j++)
                check_reorder(ctx, &shapes[s], layouts[i], layouts[j]);
    hd_context_free(ctx);
}

static void check_move(hd_context *ctx, const char *name, const void *args, hd_dtype dtype, hd_dims x,
                       const hd_dims *y) {
    kit_case c = {.kernel = kernel_of(name), .args = args, .tolerance = 1e-30};
    kit_input(&c, dtype, x);
    if (y) kit_input(&c, dtype, *y);
    kit_check(ctx, &c);
}

static void check_moves(hd_context *ctx, void *arg) {
    static const hd_dtype dtypes[] = {HD_F32, HD_I64, HD_U8};
    (void)arg;
    for (size_t t = 0; t < 3; t++) {
        const hd_dtype d = dtypes[t];
        check_move(ctx, "cpu.transpose", NULL, d, HD_DIMS(3, 5), NULL);
        check_move(ctx, "cpu.transpose", NULL, d, HD_DIMS(300, 517), NULL);
        check_move(ctx, "cpu.transpose", &(hd_transpose_args){.axes = HD_DIMS(2, 0, -1, 1)}, d, HD_DIMS(3, 4, 5, 17),
                   NULL);
        check_move(ctx, "cpu.transpose", &(hd_transpose_args){.axes = HD_DIMS(0, 2, 1)}, d, HD_DIMS(20, 64, 70), NULL);
        check_move(ctx, "cpu.transpose", NULL, d, HD_DIMS(0, 5), NULL);
        check_move(ctx, "cpu.slice", &(hd_slice_args){.axis = HD_AXIS(1), .start = 1, .stop = -1}, d, HD_DIMS(4, 7, 3),
                   NULL);
        check_move(ctx, "cpu.slice", &(hd_slice_args){.axis = HD_AXIS(0), .start = -3, .step = 2}, d, HD_DIMS(9, 5),
                   NULL);
        check_move(ctx, "cpu.slice", &(hd_slice_args){.axis = -1, .start = 5, .stop = 900, .step = 3}, d,
                   HD_DIMS(200, 1000), NULL);
        check_move(ctx, "cpu.slice_grad", &(hd_slice_grad_args){.axis = -1, .start = 1, .stop = 8, .step = 3}, d,
                   HD_DIMS(2, 3), &HD_DIMS(2, 10));
        check_move(ctx, "cpu.slice_grad", &(hd_slice_grad_args){.axis = HD_AXIS(0), .start = -2}, d, HD_DIMS(2, 30000),
                   &HD_DIMS(5, 30000));
        check_move(ctx, "cpu.pad", &(hd_pad_args){.before = HD_DIMS(0, 1, 2), .after = HD_DIMS(3, 0, 1)}, d,
                   HD_DIMS(2, 3, 4), NULL);
        check_move(ctx, "cpu.assign", NULL, d, HD_DIMS(100, 1000), &HD_DIMS(100, 1000));
        for (int axis = 0; axis < 3; axis++) {
            kit_case c = {.kernel = kernel_of("cpu.concat"), .args = &(hd_concat_args){.axis = HD_AXIS(axis), .n = 3}};
            for (int i = 0; i < 3; i++) {
                hd_dims x = {3, {5, 40, 33}};
                x.dim[axis] = 7 * i;
                kit_input(&c, d, x);
            }
            kit_check(ctx, &c);
        }
    }
    check_move(ctx, "cpu.pad", &(hd_pad_args){.before = HD_DIMS(2, 2), .after = HD_DIMS(1, 2), .value = -1.5}, HD_F32,
               HD_DIMS(300, 400), NULL);
}

static void test_moves(void **state) {
    (void)state;
    kit_each_isa(3, check_moves, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elems),      cmocka_unit_test(test_chains),   cmocka_unit_test(test_chain_refuses),
        cmocka_unit_test(test_reductions), cmocka_unit_test(test_losses),   cmocka_unit_test(test_updates),
        cmocka_unit_test(test_channels),   cmocka_unit_test(test_reorders), cmocka_unit_test(test_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
