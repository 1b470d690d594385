/* test_recompute.c: activations that are computed again give the same bits in less memory. */
#include "support.h"

#include "compile/lower.h"
#include "hadal/hadal.h"
#include "runtime/program.h"

enum { BATCH = 128, ALL = 1 << 20 };

#define GOES(ctx, call)                                                                                                \
    if ((call) != HD_OK) fail_msg("%s", hd_last_error(ctx))

/* Deep enough that there is something to win; dropout, norms, a residual branch. */
static hd_val mlp(hd_graph *g) {
    hd_val y = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 48));
    for (int i = 0; i < 12; i++) {
        const hd_val before = y;
        y = hd_tanh(hd_nn_linear(y, .out_features = 48));
        if (i % 3 == 1) y = hd_nn_dropout(y, .p = 0.3);
        if (i % 4 == 2) y = hd_add(y, before);
        if (i % 5 == 3) y = hd_gelu(hd_softmax(y));
    }
    return hd_nn_linear(y, .out_features = 4);
}

static hd_val cnn(hd_graph *g) {
    hd_val y = hd_reshape(hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 48)), .dims = HD_DIMS(HD_BATCH, 3, 4, 4));
    for (int i = 0; i < 6; i++) {
        y = hd_nn_conv2d(y, .out_channels = 8, .kernel_size = {3, 3}, .padding = {1, 1});
        if (i % 2) y = hd_nn_batch_norm(y);
        y = hd_relu(y);
    }
    y = hd_max_pool2d(y, .kernel_size = {2, 2});
    return hd_nn_linear(hd_flatten(y), .out_features = 4);
}

typedef struct outcome {
    size_t count;
    hd_memory memory;
    int recomputed;
    float *all;
} outcome;

static outcome train(hd_val (*build)(hd_graph *), int threads, hd_compile_args args, hd_status status) {
    hd_context *ctx = test_context(threads);
    hd_graph *g;
    hd_program *p;
    outcome r = {.all = malloc(ALL * sizeof(float))};
    float x[BATCH * 48];
    int64_t label[BATCH];
    char message[200];
    assert_non_null(r.all);
    for (int i = 0; i < BATCH * 48; i++) x[i] = (float)((i * 37) % 101) / 50 - 1;
    for (int i = 0; i < BATCH; i++) label[i] = i % 4;
    GOES(ctx, hd_graph_new(&g, ctx));
    const hd_val loss = hd_cross_entropy(build(g), hd_input(g, "label", HD_I64, HD_DIMS(HD_BATCH)));
    args.batch = BATCH;
    const hd_status got = hd_compile_with(&p, hd_train_step(loss, hd_adamw(.lr = 0.01)), &args);
    if (got != status) fail_msg("%s: %s", hd_status_name(got), hd_last_error(ctx));
    if (got == HD_OK) {
        r.memory = hd_program_memory(p);
        r.recomputed = hd_program_get_facts(p).recomputed;
        if (!hd_plan_is_sound(&p->lower, message, sizeof message)) fail_msg("%s", message);
        GOES(ctx, hd_program_set(p, "x", x));
        GOES(ctx, hd_program_set(p, "label", label));
        for (int i = 0; i < 3; i++) GOES(ctx, hd_program_run(p));
        hd_store *s = hd_program_store(p);
        for (int i = 0; i < hd_store_count(s); i++) {
            const hd_store_info e = hd_store_at(s, i);
            const size_t n = (size_t)hd_dims_count(&e.dims);
            if (strstr(e.name, "@flat")) continue;
            assert_true(r.count + n <= ALL);
            GOES(ctx, hd_store_get(s, e.name, r.all + r.count, n * sizeof(float)));
            r.count += n;
        }
        hd_program_free(p);
    } else {
        assert_non_null(strstr(hd_last_error(ctx), "even where activations are computed again"));
    }
    hd_graph_free(g);
    hd_context_free(ctx);
    return r;
}

static void same(const outcome *a, const outcome *b) {
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->all, b->all, a->count * sizeof *a->all);
}

static void compare(hd_val (*build)(hd_graph *), const char *precision) {
    /* by threads less one: each task has working memory of its own in the arena */
    const hd_compile_args simple = {.precision = precision};
    outcome all[2] = {train(build, 1, simple, HD_OK), train(build, 2, simple, HD_OK)};
    const outcome whole = all[0];
    assert_int_equal(all[0].recomputed + all[1].recomputed, 0);
    for (int segments = 2; segments <= 6; segments++)
        for (int way = 0; way < 3; way++) {
            const hd_compile_args args = {
                .recompute = segments, .passes_off = way == 2 ? "flatten" : NULL, .precision = precision};
            outcome less = train(build, way ? 2 : 1, args, HD_OK);
            assert_true(less.recomputed > 0);
            const size_t before = all[way > 0].memory.arena;
            if (less.memory.arena >= before)
                fail_msg("%d segments: %zu bytes, at first %zu", segments, less.memory.arena, before);
            same(&whole, &less);
            free(less.all);
        }
    /* the planner finds it by itself, as far as is needed */
    const size_t limit = whole.memory.total - (whole.memory.arena / 5);
    outcome fits = train(build, 1, (hd_compile_args){.memory_limit = limit, .precision = precision}, HD_OK);
    assert_true(fits.recomputed > 0 && fits.memory.total <= limit);
    same(&whole, &fits);
    free(fits.all);
    outcome none =
        train(build, 1, (hd_compile_args){.memory_limit = whole.memory.params, .precision = precision}, HD_E_MEMORY);
    free(none.all);
    free(all[0].all);
    free(all[1].all);
}

static void test_mlp(void **state) {
    (void)state;
    compare(mlp, "f32");
    compare(mlp, "bf16");
}

static void test_cnn(void **state) {
    (void)state;
    compare(cnn, "f32");
    compare(cnn, "bf16");
}

/* Where the context's limit is below what it can reach, a run says how large the smallest plan is. */
static void test_no_room(void **state) {
    (void)state;
    hd_context *ctx;
    hd_graph *g;
    hd_program *p;
    char want[96], size[32];
    const hd_context_args few = {.threads = 1, .memory_limit = 4000000};
    assert_int_equal(hd_context_new(&ctx, &few), HD_OK);
    GOES(ctx, hd_graph_new(&g, ctx));
    const hd_val loss = hd_cross_entropy(mlp(g), hd_input(g, "label", HD_I64, HD_DIMS(HD_BATCH)));
    GOES(ctx, hd_compile_with(&p, hd_train_step(loss, hd_adamw()), &(hd_compile_args){.batch = 64 * BATCH}));
    const hd_memory m = hd_program_memory(p);
    assert_true(m.recomputed > 0);
    assert_int_equal(hd_program_prepare(p), HD_E_MEMORY);
    (void)snprintf(want, sizeof want, "the plan needs %s even where activations are computed again",
                   hd_text_bytes(size, (double)m.total));
    if (!strstr(hd_last_error(ctx), want)) fail_msg("%s, not: %s", hd_last_error(ctx), want);
    hd_program_free(p);
    hd_graph_free(g);
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mlp), cmocka_unit_test(test_cnn),
                                       cmocka_unit_test(test_no_room)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
