/* test_kernels_vec.c: elementwise kernels, chains, reductions, losses and optimisers of src/backends/cpu against the
 * definitions of their ops: many shapes, layouts, and every instruction set of the machine; aliased, and with the same
 * bits however many threads there are. */
#include "ops/optim_kit.h"
#include "vec_kernels.h"

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
    {"cpu.square", 1, KIT_NORMAL, NULL},
    {"cpu.reciprocal", 1, KIT_POSITIVE, NULL},
    {"cpu.rsqrt", 1, KIT_POSITIVE, NULL},
    {"cpu.floor", 1, KIT_NORMAL, NULL},
    {"cpu.ceil", 1, KIT_NORMAL, NULL},
    {"cpu.trunc", 1, KIT_NORMAL, NULL},
    {"cpu.round", 1, KIT_NORMAL, NULL},
    {"cpu.relu6", 1, KIT_NORMAL, NULL},
    {"cpu.leaky_relu", 1, KIT_NORMAL, &(hd_leaky_relu_args){.negative_slope = 0.2}},
    {"cpu.hardtanh", 1, KIT_NORMAL, &(hd_hardtanh_args){.min_val = -0.3, .max_val = 0.7}},
    {"cpu.clamp", 1, KIT_NORMAL, &(hd_clamp_args){.min = 0.1, .max = INFINITY}},
    {"cpu.hardswish", 1, KIT_NORMAL, NULL},
    {"cpu.hardsigmoid", 1, KIT_NORMAL, NULL},
    {"cpu.softsign", 1, KIT_NORMAL, NULL},
    {"cpu.maximum", 2, KIT_NORMAL, NULL},
    {"cpu.minimum", 2, KIT_NORMAL, NULL},
    {"cpu.larger", 2, KIT_NORMAL, NULL},
    {"cpu.band_grad", 2, KIT_NORMAL, &(hd_band_grad_args){.low = -0.1, .high = 1.5, .inside = 2, .outside = -0.25}},
    {"cpu.hardswish_grad", 2, KIT_NORMAL, NULL},
    {"cpu.expm1", 1, KIT_NORMAL, NULL},
    {"cpu.exp2", 1, KIT_NORMAL, NULL},
    {"cpu.log1p", 1, KIT_POSITIVE, NULL},
    {"cpu.log2", 1, KIT_POSITIVE, NULL},
    {"cpu.log10", 1, KIT_POSITIVE, NULL},
    {"cpu.erf", 1, KIT_NORMAL, NULL},
    {"cpu.gelu", 1, KIT_NORMAL, NULL},
    {"cpu.gelu", 1, KIT_NORMAL, &(hd_gelu_args){.approximate = HD_GELU_TANH}},
    {"cpu.silu", 1, KIT_NORMAL, NULL},
    {"cpu.softplus", 1, KIT_NORMAL, &(hd_softplus_args){.beta = 2.5, .threshold = 1.5}},
    {"cpu.logsigmoid", 1, KIT_NORMAL, NULL},
    {"cpu.mish", 1, KIT_NORMAL, NULL},
    {"cpu.elu", 1, KIT_NORMAL, &(hd_elu_args){.alpha = 0.7}},
    {"cpu.celu", 1, KIT_NORMAL, &(hd_celu_args){.alpha = 1.7}},
    {"cpu.selu", 1, KIT_NORMAL, NULL},
    {"cpu.gelu_grad", 2, KIT_NORMAL, NULL},
    {"cpu.gelu_grad", 2, KIT_NORMAL, &(hd_gelu_grad_args){.approximate = HD_GELU_TANH}},
    {"cpu.silu_grad", 2, KIT_NORMAL, NULL},
    {"cpu.softplus_grad", 2, KIT_NORMAL, &(hd_softplus_grad_args){.beta = 0.5, .threshold = 0.8}},
    {"cpu.mish_grad", 2, KIT_NORMAL, NULL},
    {"cpu.elu_grad", 2, KIT_NORMAL, &(hd_elu_grad_args){.alpha = 0.7, .scale = 1.5, .input_scale = 0.5}},
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
    static const char *const names[] = {"cpu.add",     "cpu.sub",     "cpu.mul",   "cpu.div",
                                        "cpu.maximum", "cpu.minimum", "cpu.larger"};
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
        "mul(0,1) add(%0,2)",
        "add(0,1) relu(%0) sub(%1,0) tanh(%2) mul(%3,%0) affine(%4;2;-1)",
        "tanh_grad(0,1) exp(%0)",
        "neg(2) mul(0,%0) add(%1,1)",
        "affine(0;0.5;0.25)",
        "mul(2,2) sub(%0,0) sigmoid(%1) div(1,%2)",
        "gelu(0;1) maximum(%0,1) softplus(%1;2;20) band_grad(2,%2;-inf;0.5;1;0.25;1)",
        "elu_grad(0,1;0.5;2;0.75) clamp(%0;-0.5;inf) silu(%1) mish_grad(2,%2)",
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
                                           "affine(0)", "mul(0,-1)",     "affine(0;x;1)",   "gelu(0)",   "round(0;0)",
                                           "relu(0;1)", "clamp(0;1)"};
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

/* All settings that switch something, by the bits of form. */
static hd_update_args update_settings(const char *name, int form) {
    hd_update_args a = {.o = {.name = name, .ema = form & 8 ? 0.9 : 0}, .lr_scale = form & 4 ? 0.5 : 0, .decay = -1};
    (void)hd_optimizer_set(&a.o, "maximize", form & 4);
    (void)hd_optimizer_set(&a.o, "amsgrad", form & 1);
    (void)hd_optimizer_set(&a.o, "nesterov", form & 1);
    (void)hd_optimizer_set(&a.o, "momentum", form & 3 ? 0.9 : 0);
    (void)hd_optimizer_set(&a.o, "centered", form & 1);
    (void)hd_optimizer_set(&a.o, "lr_decay", form & 1 ? 0.1 : 0);
    (void)hd_optimizer_set(&a.o, "t0", form & 1 ? 20 : 1e6);
    a.o.name = NULL;
    return a;
}

static const float nothing[1 << 20]; /* a mean of gradients whose square is below the mean of squares */

static void check_update(hd_context *ctx, const hd_optim *kind, int64_t length, int form) {
    char name[64];
    const double steps[] = {7, 1, 100, 2}, share = form == 11 ? 0 : 1;
    const double hyper[HD_HYPER_COUNT] = {0.01, steps[form & 3], form & 2 ? 0.01 : 0, 1, share};
    const hd_update_args args = update_settings(kind->name, form);
    const unsigned keeps = hd_optim_keeps(kind, &args.o);
    const hd_dims dims = HD_DIMS(length);
    (void)snprintf(name, sizeof name, "cpu.%s_update", kind->name);
    kit_case c = {.kernel = kernel_of(name), .args = &args};
    kit_input(&c, HD_F32, dims);
    kit_input(&c, HD_F32, dims);
    kit_input_as(&c, HD_F64, HD_DIMS(HD_HYPER_COUNT), KIT_GIVEN, 0, hyper);
    if (form & 2)
        kit_input_as(&c, HD_F32, (hd_dims){.rank = 0}, KIT_POSITIVE, 0, NULL);
    else
        kit_absent(&c);
    for (int k = 0; k < HD_OPTIM_SLOTS; k++) {
        if (!(keeps >> k & 1))
            kit_absent(&c);
        else if (args.o.centered && k == 1)
            kit_input_as(&c, HD_F32, dims, KIT_GIVEN, 0, nothing);
        else
            kit_input_as(&c, HD_F32, dims, KIT_POSITIVE, 0, NULL);
    }
    if (args.o.ema > 0) kit_input(&c, HD_F32, dims);
    kit_check(ctx, &c);
}

static void check_updates(hd_context *ctx, void *arg) {
    const hd_optim *kind;
    (void)arg;
    for (int o = 0; (kind = hd_optim_at(o)); o++)
        for (int i = 0; i < LENGTHS; i++)
            for (int form = i % 3; form < 16; form += 3) check_update(ctx, kind, lengths[i], form);
}

static void test_updates(void **state) {
    (void)state;
    kit_each_isa(3, check_updates, NULL);
}

/* ---- repeated operands, softmax, clipping, casts ---- */

static const hd_dims repeated[][2] = {
    {{2, {128, 10}}, {1, {10}}},
    {{2, {33, 1000}}, {1, {1000}}},
    {{2, {7, 13}}, {2, {7, 1}}},
    {{2, {500, 200}}, {2, {500, 1}}},
    {{4, {3, 5, 4, 4}}, {4, {1, 5, 1, 1}}},
    {{4, {8, 16, 20, 20}}, {3, {16, 1, 1}}},
    {{4, {2, 3, 4, 5}}, {4, {2, 1, 4, 1}}},
    {{3, {4, 3, 2}}, {3, {1, 1, 2}}},
    {{2, {1, 5}}, {1, {5}}},
    {{3, {2, 70, 100}}, {3, {2, 1, 100}}},
    {{2, {20000, 10}}, {2, {1, 10}}},
};

static void check_repeated(hd_context *ctx, void *arg) {
    static const char *const names[] = {"cpu.add.broadcast", "cpu.sub.broadcast",     "cpu.mul.broadcast",
                                        "cpu.div.broadcast", "cpu.maximum.broadcast", "cpu.larger.broadcast"};
    (void)arg;
    for (size_t i = 0; i < sizeof repeated / sizeof *repeated; i++)
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            for (int small = 0; small < 2; small++) {
                kit_case c = {.kernel = kernel_of(names[k])};
                for (int j = 0; j < 2; j++) kit_input_as(&c, HD_F32, repeated[i][j == small], KIT_POSITIVE, 0, NULL);
                kit_check(ctx, &c);
            }
}

static void check_softmaxes(hd_context *ctx, void *arg) {
    static const char *const names[] = {"cpu.softmax", "cpu.log_softmax", "cpu.softmax_grad", "cpu.log_softmax_grad"};
    static const hd_dims shapes[] = {{2, {5, 10}},     {1, {7}},          {2, {300, 1000}},
                                     {3, {4, 17, 33}}, {4, {2, 3, 4, 5}}, {2, {3, 1}}};
    (void)arg;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (size_t k = 0; k < 4; k++)
            for (int axis = 0; axis < shapes[i].rank; axis++) {
                const hd_softmax_args forward = {.axis = HD_AXIS(axis)};
                const hd_softmax_grad_args backward = {.axis = HD_AXIS(axis)};
                kit_case c = {.kernel = kernel_of(names[k]), .args = k < 2 ? (const void *)&forward : &backward};
                kit_input_as(&c, HD_F32, shapes[i], k < 2 ? KIT_NORMAL : KIT_UNIT, 0, NULL);
                if (k >= 2) kit_input(&c, HD_F32, shapes[i]);
                kit_check(ctx, &c);
            }
}

static void check_clips(hd_context *ctx, void *arg) {
    (void)arg;
    for (int large = 0; large < 2; large++) {
        kit_case c = {.kernel = kernel_of("cpu.clip_scale"),
                      .args = &(hd_clip_scale_args){.n = 3, .max_norm = large ? 1e6 : 0.5}};
        kit_input(&c, HD_F32, HD_DIMS(3, 5));
        kit_input(&c, HD_F32, HD_DIMS(200001));
        kit_input(&c, HD_F32, HD_DIMS(1));
        kit_check(ctx, &c);
    }
}

static void check_casts(hd_context *ctx, void *arg) {
    static const float odd[] = {0,    -0.0f, 0.9f,  -0.9f,  255.5f,   256,       -1,
                                3e9f, -3e9f, 1e19f, -1e19f, INFINITY, -INFINITY, NAN};
    (void)arg;
    for (int t = 0; t < HD_DTYPE_COUNT; t++) {
        if (t == HD_F32) continue;
        kit_case up = {.kernel = kernel_of("cpu.cast"), .args = &(hd_cast_args){.dtype = HD_DTYPE(HD_F32)}};
        kit_case down = {.kernel = kernel_of("cpu.cast"), .args = &(hd_cast_args){.dtype = HD_DTYPE(t)}};
        kit_case edge = down;
        kit_input(&up, (hd_dtype)t, HD_DIMS(70001));
        kit_input(&down, HD_F32, HD_DIMS(70001));
        kit_input_as(&edge, HD_F32, HD_DIMS(sizeof odd / sizeof *odd), KIT_GIVEN, 0, odd);
        kit_check(ctx, &up);
        kit_check(ctx, &down);
        kit_check(ctx, &edge);
    }
}

static void test_others(void **state) {
    (void)state;
    kit_each_isa(3, check_repeated, NULL);
    kit_each_isa(3, check_softmaxes, NULL);
    kit_each_isa(3, check_clips, NULL);
    kit_each_isa(3, check_casts, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_elems),         cmocka_unit_test(test_chains),
                                       cmocka_unit_test(test_chain_refuses), cmocka_unit_test(test_reductions),
                                       cmocka_unit_test(test_losses),        cmocka_unit_test(test_updates),
                                       cmocka_unit_test(test_others)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
