/* test_trained_models.c: what a run leaves is a model: it opens, is summed up, keeps what was frozen, reads pictures.
 */
#include "trainer_run.h"

static void test_model_opens(void **state) {
    (void)state;
    run r = {.recipe = RECIPE(""), .out = path_of("kept")};
    run_it(&r);
    hd_context *ctx = test_context(1);
    hd_dataset *data = run_classes(ctx, &data_of);
    hd_model *m;
    hd_model_info info;
    hd_split split;
    hd_scores scores;
    if (hd_model_open(&m, ctx, path_of("kept")) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    assert_int_equal(hd_model_get_info(m, &info), HD_OK);
    assert_int_equal(info.classes, RUN_CLASSES);
    assert_int_equal(info.params, r.result.params);
    assert_string_equal(info.loss, "cross_entropy");
    assert_int_equal(hd_split_make(&split, data, &(hd_split_args){.val = 0.1, .test = 0.2, .seed = 1}), HD_OK);
    assert_int_equal(hd_model_eval(m, data, split.val, split.val_count, &scores, NULL, NULL), HD_OK);
    assert_true(scores.loss == r.result.val.loss);
    /* Predictions one by one and all at once are the same, and are shares. */
    static float all[RUN_SAMPLES * RUN_CLASSES];
    float one[RUN_CLASSES];
    assert_int_equal(hd_model_predict(m, data_of.x, RUN_SAMPLES, all), HD_OK);
    for (int i = 0; i < RUN_SAMPLES; i += 37) {
        assert_int_equal(hd_model_predict(m, data_of.x + i * RUN_FEATURES, 1, one), HD_OK);
        for (int k = 0; k < RUN_CLASSES; k++)
            assert_true(fabs((double)one[k] - (double)all[i * RUN_CLASSES + k]) < 1e-5);
        assert_true(fabs((double)one[0] + (double)one[1] + (double)one[2] - 1) < 1e-5);
    }
    hd_split_free(&split);
    hd_model_free(m);
    hd_data_free(data);
    hd_context_free(ctx);
    /* --from takes what fits. */
    char text[5000];
    (void)snprintf(text, sizeof text, "{\"model\": " LAYERS ", \"train\": {\"epochs\": 1, \"from\": \"%s\"}}",
                   path_of("kept"));
    run from = {.recipe = text};
    run_it(&from);
    assert_true(from.result.train.loss < 1.1);
}

static void test_summary(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_recipe *recipe = run_recipe(ctx, "{\"model\": \"lenet5\"}");
    hd_model *m;
    hd_model_info info;
    assert_int_equal(hd_model_new(&m, recipe, NULL), HD_OK);
    assert_int_equal(hd_model_get_info(m, &info), HD_OK);
    assert_int_equal(info.params, 61706);
    assert_string_equal(hd_model_layer(m, 0).name, "c1");
    assert_string_equal(hd_model_layer(m, 0).type, "conv2d");
    assert_int_equal(hd_model_layer(m, 0).params, 156);
    assert_int_equal(hd_model_layer(m, 0).output.dim[0], 6);
    assert_true(fabs(hd_model_layer(m, 0).flops - 2.0 * 25 * 6 * 784) <= 6 * 784);
    assert_true(info.train_plan.total > info.infer_plan.total && info.infer_plan.total > 61706 * 4);
    assert_string_equal(hd_model_layer(m, info.layers).type, "");
    hd_model_free(m);
    hd_recipe_free(recipe);
    hd_context_free(ctx);
}

/* What is frozen keeps its first values, what is not learns; and the sums of parameters say so. */
static void test_freeze(void **state) {
    (void)state;
    static float before[8 * 4], after[8 * 4], head[3 * 8], head_after[3 * 8];
    hd_context *ctx = test_context(1);
    hd_dataset *data = run_classes(ctx, &data_of);
    hd_recipe *recipe =
        run_recipe(ctx, "{\"model\": \"4-8-relu-3\", \"train\": {\"epochs\": 2, \"freeze\": [\"fc1.*\"]}}");
    hd_trainer *t;
    hd_result result;
    hd_model_info info;
    assert_int_equal(hd_trainer_new(&t, ctx, &(hd_trainer_args){.recipe = recipe, .data = data, .out = ""}), HD_OK);
    hd_store *store = hd_model_store(hd_trainer_model(t));
    assert_int_equal(hd_store_get(store, "fc1.weight", before, sizeof before), HD_OK);
    assert_int_equal(hd_store_get(store, "fc2.weight", head, sizeof head), HD_OK);
    assert_int_equal(hd_trainer_run(t, &result), HD_OK);
    assert_int_equal(hd_store_get(store, "fc1.weight", after, sizeof after), HD_OK);
    assert_int_equal(hd_store_get(store, "fc2.weight", head_after, sizeof head_after), HD_OK);
    assert_memory_equal(before, after, sizeof before);
    assert_memory_not_equal(head, head_after, sizeof head);
    assert_int_equal(hd_model_get_info(hd_trainer_model(t), &info), HD_OK);
    assert_int_equal(info.params, 5 * 8 + 9 * 3);
    assert_int_equal(info.trainable, 9 * 3);
    hd_trainer_free(t);
    hd_recipe_free(recipe);
    hd_data_free(data);
    hd_context_free(ctx);
    refuses("{\"model\": \"4-3\", \"train\": {\"freeze\": [\"conv*\"]}}", "", NULL, HD_E_MODEL,
            "no parameter is called");
}

/* Pictures through convolution, batch normalisation and pooling: the same bits on 1, 2 and 3 threads, and resumed. */
static void test_pictures(void **state) {
    (void)state;
    enum { N = 90, SIDE = 8 };
    static unsigned char x[N * SIDE * SIDE];
    static int64_t labels[N];
    hd_rng rng = hd_rng_new(3, "pictures");
    for (int i = 0; i < N; i++) {
        labels[i] = i % 2;
        for (int k = 0; k < SIDE * SIDE; k++)
            x[i * SIDE * SIDE + k] = (unsigned char)(hd_rng_below(&rng, 128) + (k / SIDE % 2 == labels[i] ? 100 : 0));
    }
    const hd_data_arrays a = {
        .x = x, .dtype = HD_U8, .sample = HD_DIMS(1, SIDE, SIDE), .n = N, .labels = labels, .classes = 2};
    char sha[4][65];
    for (int i = 0; i < 4; i++) { /* the last run is cut in two */
        for (int part = 0; part < (i == 3 ? 2 : 1); part++) {
            hd_context *ctx = test_context(i < 3 ? i + 1 : 2);
            hd_dataset *data;
            hd_trainer *t;
            hd_result result;
            run_watch watch = {.stop_at = i == 3 && part == 0 ? 4 : 0};
            hd_recipe *recipe = run_recipe(
                ctx, "{\"model\": [{\"conv2d\": {\"out_channels\": 16, \"kernel_size\": 3, \"padding\": 1}}, "
                     "\"batch_norm\", "
                     "\"relu\", {\"conv2d\": {\"out_channels\": 16, \"kernel_size\": 3, \"padding\": 1}}, \"relu\", "
                     "{\"max_pool2d\": {\"kernel_size\": 2}}, {\"dropout\": {\"p\": 0.25}}, \"flatten\", {\"linear\": "
                     "{\"out_features\": 2}}], \"train\": {\"epochs\": 2, \"batch_size\": 16}}");
            assert_int_equal(hd_data_from_arrays(&data, ctx, &a), HD_OK);
            hd_trainer_args args = {.recipe = recipe,
                                    .data = data,
                                    .out = i == 3 ? path_of("cut") : "",
                                    .progress = run_progress,
                                    .user = &watch,
                                    .progress_every = -1};
            if (part == 1) args = (hd_trainer_args){.resume = path_of("cut"), .data = data};
            if (hd_trainer_new(&t, ctx, &args) != HD_OK) fail_msg("%s", hd_last_error(ctx));
            assert_int_equal(hd_trainer_run(t, &result), HD_OK);
            memcpy(sha[i], result.weights_sha256, sizeof sha[i]);
            hd_trainer_free(t);
            hd_recipe_free(recipe);
            hd_data_free(data);
            hd_context_free(ctx);
        }
        assert_string_equal(sha[0], sha[i]);
    }
}

/* A model trained on bytes, 0 … 255, reads the same pictures written as numbers in 0 … 1. */
static void test_other_range(void **state) {
    (void)state;
    enum { N = 60 };
    static unsigned char x[N * 16];
    static float share[N * 16];
    static int64_t labels[N], indices[N];
    for (int i = 0; i < N; i++) {
        labels[i] = i % 2;
        indices[i] = i;
        for (int k = 0; k < 16; k++) {
            x[i * 16 + k] = (unsigned char)((i * 70 + k * 30) % 128 + (k / 4 % 2 == labels[i] ? 127 : 0));
            share[i * 16 + k] = (float)x[i * 16 + k] / 255;
        }
    }
    const hd_data_arrays bright = {
        .x = x, .dtype = HD_U8, .sample = HD_DIMS(1, 4, 4), .n = N, .labels = labels, .classes = 2};
    hd_context *ctx = test_context(1);
    hd_dataset *data, *other;
    hd_trainer *t;
    hd_result result;
    hd_scores a, b;
    hd_recipe *recipe = run_recipe(ctx, "{\"model\": \"16-8-relu-2\", \"train\": {\"epochs\": 2, \"batch_size\": 8}}");
    hd_data_arrays low = bright;
    low.x = share;
    low.dtype = HD_F32;
    assert_int_equal(hd_data_from_arrays(&data, ctx, &bright), HD_OK);
    assert_int_equal(hd_data_from_arrays(&other, ctx, &low), HD_OK);
    assert_int_equal(hd_trainer_new(&t, ctx, &(hd_trainer_args){.recipe = recipe, .data = data, .out = ""}), HD_OK);
    assert_int_equal(hd_trainer_run(t, &result), HD_OK);
    assert_int_equal(hd_model_eval(hd_trainer_model(t), data, indices, N, &a, NULL, NULL), HD_OK);
    assert_int_equal(hd_model_eval(hd_trainer_model(t), other, indices, N, &b, NULL, NULL), HD_OK);
    if (!(fabs(a.loss - b.loss) < 1e-5))
        fail_msg("%g, not %g (%g)", b.loss, a.loss, (double)hd_data_get_info(other).high);
    hd_trainer_free(t);
    hd_recipe_free(recipe);
    hd_data_free(data);
    hd_data_free(other);
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        RUN_TEST(test_model_opens), RUN_TEST(test_summary),     RUN_TEST(test_freeze),
        RUN_TEST(test_pictures),    RUN_TEST(test_other_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
