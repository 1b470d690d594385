/* test_recurrent_zoo.c: the recurrent networks of the zoo: parameters to the last one, gradients, what a run leaves,
 * and what carried states are good for. */
#include "run_support.h"

#include "hadal/hadal.h"

enum { STEPS = 4, WINDOWS = 440, TOKENS = 2, PERIOD = 11 };

static hd_context *ctx;
static char folder[4096];

static int set_up(void **state) {
    (void)state;
    ctx = test_context(1);
    (void)snprintf(folder, sizeof folder, "%s", test_folder());
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    hd_context_free(ctx);
    test_folder_remove(folder);
    return 0;
}

/* By hand: tables of tokens, gates of each layer and direction, the layer behind them. */
static void parameters_are_counted(void **state) {
    (void)state;
    const struct {
        const char *name;
        int64_t params;
    } nets[] = {
        {"char-rnn", 65 * 128 + 512 * (128 + 512 + 2) + 512 * (512 + 512 + 2) + 65 * 513},
        {"char-lstm", 65 * 128 + 4 * (512 * (128 + 512 + 2) + 512 * (512 + 512 + 2)) + 65 * 513},
        {"char-gru", 65 * 128 + 3 * (512 * (128 + 512 + 2) + 512 * (512 + 512 + 2)) + 65 * 513},
        {"jsb-rnn", 3 * 256 * (88 + 256 + 2) + 88 * 257},
        {"tagger", 10000 * 100 + 2 * 4 * 128 * (100 + 128 + 2) + 17 * 257},
    };
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        char text[64];
        hd_model *m;
        hd_model_info info;
        (void)snprintf(text, sizeof text, "{\"model\": \"%s\"}", nets[i].name);
        hd_recipe *recipe = run_recipe(ctx, text);
        if (hd_model_new(&m, recipe, NULL) != HD_OK) fail_msg("%s", hd_last_error(ctx));
        assert_int_equal(hd_model_get_info(m, &info), HD_OK);
        if (info.params != nets[i].params)
            fail_msg("%s has %lld parameters, not %lld", nets[i].name, (long long)info.params,
                     (long long)nets[i].params);
        hd_model_free(m);
        hd_recipe_free(recipe);
    }
}

static void check_gradients(const char *name, const char *options, hd_dims sample, int64_t outputs) {
    hd_graph *g;
    hd_gradcheck r;
    const hd_gradcheck_args args = {.classes = outputs};
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    hd_dims x = {.rank = sample.rank + 1, .dim = {HD_BATCH}};
    for (int k = 0; k < sample.rank; k++) x.dim[k + 1] = sample.dim[k];
    const hd_val in = hd_input(g, "x", sample.rank == 1 ? HD_I64 : HD_F32, x);
    const hd_val y = hd_zoo_build(in, name, outputs, options);
    const hd_val rows = hd_reshape(y, .dims = HD_DIMS(0, outputs));
    const hd_val loss = sample.rank == 1
                            ? hd_cross_entropy(rows, hd_reshape(hd_input(g, "target", HD_I64, x), .dims = HD_DIMS(0)))
                            : hd_bce_with_logits(y, hd_input(g, "target", HD_F32, x));
    if (hd_gradcheck_run(&r, loss, &args) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    for (int32_t i = 0; i < r.count; i++)
        if (!r.tensor[i].ok) fail_msg("%s: the gradient of %s is wrong", name, r.tensor[i].name);
    assert_true(r.ok && r.count > 4);
    hd_gradcheck_free(&r);
    hd_graph_free(g);
}

static void gradients_are_right(void **state) {
    (void)state;
    const char *small = "{\"hidden_size\": 5, \"embedding\": 3, \"dropout\": 0}";
    const char *one_hot = "{\"hidden_size\": 4, \"embedding\": 0, \"num_layers\": 3, \"dropout\": 0}";
    check_gradients("char-rnn", small, HD_DIMS(6), 7);
    check_gradients("char-lstm", one_hot, HD_DIMS(6), 7);
    check_gradients("char-gru", small, HD_DIMS(6), 7);
    check_gradients("jsb-rnn", "{\"hidden_size\": 5, \"cell\": \"lstm\", \"dropout\": 0}", HD_DIMS(4, 6), 6);
    check_gradients("tagger", "{\"hidden_size\": 4, \"embedding\": 3, \"vocabulary\": 9, \"dropout\": 0}", HD_DIMS(5),
                    9);
}

/* Scores of a sentence of `steps` tokens by a tagger that starts as the seed says. */
static void tag(const float *x, int64_t steps, float *y) {
    hd_graph *g;
    hd_program *p;
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    const hd_val tags = hd_zoo_build(hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, steps)), "tagger", 3,
                                     "{\"vocabulary\": 9, \"hidden_size\": 20, \"num_layers\": 2}");
    hd_mark_output(tags, "y");
    if (hd_compile(&p, hd_forward(tags), HD_DEVICE_CPU) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    assert_int_equal(hd_program_set(p, "x", x), HD_OK);
    assert_int_equal(hd_program_run(p), HD_OK);
    memcpy(y, hd_program_get(p, "y"), (size_t)(3 * steps) * sizeof *y);
    hd_program_free(p);
    hd_graph_free(g);
}

static void padding_behind_a_sentence_changes_nothing(void **state) {
    (void)state;
    const float x[6] = {4, 7, 1, 0, 0, 0};
    float alone[9], padded[18];
    tag(x, 3, alone);
    tag(x, 6, padded);
    for (int i = 0; i < 9; i++) assert_float_equal(alone[i], padded[i], 1e-6);
    assert_true(fabs((double)alone[0] - (double)alone[3]) > 1e-4);
}

/* One b after every ten a, cut into windows of four: when the next b comes is seen by who remembers earlier windows. */
static hd_dataset *counting(void) {
    static float x[WINDOWS * STEPS];
    static int64_t label[WINDOWS * STEPS];
    hd_dataset *d;
    for (int i = 0; i < WINDOWS * STEPS; i++) {
        x[i] = i % PERIOD == 0;
        label[i] = (i + 1) % PERIOD == 0;
    }
    const hd_data_arrays a = {.x = x,
                              .dtype = HD_F32,
                              .sample = HD_DIMS(STEPS),
                              .n = WINDOWS,
                              .positions = STEPS,
                              .labels = label,
                              .classes = TOKENS};
    if (hd_data_from_arrays(&d, ctx, &a) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    return d;
}

/* Trains on it; returns the last epoch's loss in training. */
static double train_counting(const char *model, const char *more, const char *out) {
    char text[600];
    hd_dataset *d = counting();
    hd_trainer *t;
    hd_result result;
    (void)snprintf(
        text, sizeof text,
        "{\"model\": %s, \"data\": {\"val\": 0, \"test\": 0}, \"train\": {\"epochs\": 80, \"batch_size\": 10, "
        "\"optimizer\": {\"lr\": 0.02}%s}}",
        model, more);
    hd_recipe *recipe = run_recipe(ctx, text);
    if (hd_trainer_new(&t, ctx, &(hd_trainer_args){.recipe = recipe, .data = d, .out = out}) != HD_OK)
        fail_msg("%s", hd_last_error(ctx));
    if (hd_trainer_run(t, &result) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    hd_trainer_free(t);
    hd_recipe_free(recipe);
    hd_data_free(d);
    return result.train.loss;
}

static void carried_states_remember_earlier_windows(void **state) {
    (void)state;
    const double alone = train_counting(
        "{\"name\": \"char-gru\", \"hidden_size\": 16, \"num_layers\": 1, \"embedding\": 0, \"dropout\": 0}",
        ", \"streams\": true", "");
    const double carried = train_counting("{\"name\": \"char-gru\", \"hidden_size\": 16, \"num_layers\": 1, "
                                          "\"embedding\": 0, \"dropout\": 0, \"stateful\": true}",
                                          ", \"streams\": true", "");
    if (!(carried < 0.75 * alone)) fail_msg("carried %.4f, each window alone %.4f", carried, alone);
}

static void what_a_run_leaves_says_the_same(void **state) {
    (void)state;
    char out[4200];
    float x[2 * STEPS] = {1, 0, 0, 0, 0, 0, 0, 1}, y[2][2 * STEPS * TOKENS];
    (void)snprintf(out, sizeof out, "%s/run", folder);
    (void)train_counting("{\"name\": \"char-lstm\", \"hidden_size\": 8, \"num_layers\": 2, \"embedding\": 3}", "", out);
    for (int i = 0; i < 2; i++) {
        hd_model *m;
        hd_model_info info;
        if (hd_model_open(&m, ctx, out) != HD_OK) fail_msg("%s", hd_last_error(ctx));
        assert_int_equal(hd_model_get_info(m, &info), HD_OK);
        assert_int_equal(info.positions, STEPS);
        assert_int_equal(hd_model_predict(m, x, 2, y[i]), HD_OK);
        hd_model_free(m);
    }
    assert_memory_equal(y[0], y[1], sizeof y[0]);
    for (int i = 0; i < 2 * STEPS; i++)
        assert_true(fabs((double)y[0][2 * i] + (double)y[0][2 * i + 1] - 1) < 1e-5 && y[0][2 * i] > 0);
}

#define ZOO_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {ZOO_TEST(parameters_are_counted), ZOO_TEST(gradients_are_right),
                                       ZOO_TEST(padding_behind_a_sentence_changes_nothing),
                                       ZOO_TEST(carried_states_remember_earlier_windows),
                                       ZOO_TEST(what_a_run_leaves_says_the_same)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
