/* test_alloc_faults.c: the n-th allocation fails, for every n, through whole lives: builders of many kinds, a network
 * of every layer compiled, trained by one step and asked, a run with its folder, saved, gone on with and opened, a
 * gradient check. */
#include "run_support.h"

#include "hadal/nn.h"

static run_data data_of;
static char folder[4096];

/* ---- builders ---- */

static void shapes(hd_val x) { /* [2,3,4] */
    hd_val parts[4];
    const hd_val two[] = {x, x};
    (void)hd_stack(two, 2, .axis = HD_AXIS(1));
    (void)hd_unbind(x, parts, 2, .axis = HD_AXIS(0));
    (void)hd_chunk(x, parts, 2, .axis = HD_AXIS(2));
    (void)hd_repeat_interleave(x, .repeats = 2, .axis = HD_AXIS(1));
    (void)hd_movedim(x, .source = HD_DIMS(0), .destination = HD_DIMS(2));
    for (int k = 0; k < 4; k++) (void)hd_rot90(x, .k = k);
    (void)hd_unsqueeze(hd_squeeze(hd_select(x, .axis = HD_AXIS(0), .index = 1)), .axis = -1);
    (void)hd_diag(hd_select(hd_select(x, .axis = HD_AXIS(0), .index = 0), .axis = HD_AXIS(0), .index = 0));
    (void)hd_einsum(two, 2, "bij,bkj->bik");
    (void)hd_einsum(two, 1, "bij->j");
    (void)hd_flip(hd_roll(x, .shifts = HD_DIMS(1), .axes = HD_DIMS(0)), .axes = HD_DIMS(2));
    const hd_val v = hd_reshape(x, .dims = HD_DIMS(24));
    (void)hd_outer(v, v);
    (void)hd_dot(v, v);
}

static void windows(hd_graph *g, hd_val x) { /* [2,3,4] */
    const hd_val w = hd_param(g, "w1", HD_F32, HD_DIMS(5, 3, 2), HD_NORMAL(0, 1));
    (void)hd_max_pool1d(hd_conv1d(x, w, .padding = 1), .kernel_size = 2);
    (void)hd_avg_pool1d(x, .kernel_size = 2);
    const hd_val picture = hd_input(g, "picture", HD_F32, HD_DIMS(2, 4, 6, 6));
    (void)hd_adaptive_avg_pool2d(picture, .output_size = {3, 2});
    (void)hd_adaptive_avg_pool2d(picture, .output_size = {1, 1});
    (void)hd_adaptive_avg_pool2d(picture, .output_size = {4, 5});
    (void)hd_adaptive_max_pool2d(picture, .output_size = {3, 3});
    (void)hd_pixel_unshuffle(hd_pixel_shuffle(picture, .factor = 2), .factor = 2);
    const hd_val volume = hd_input(g, "volume", HD_F32, HD_DIMS(2, 2, 4, 4, 4));
    (void)hd_max_pool3d(volume, .kernel_size = {2, 2, 2});
    (void)hd_avg_pool3d(volume, .kernel_size = {2, 2, 2}, .padding = {1, 0, 1});
}

static hd_status build_many(hd_context *ctx, void *arg) {
    hd_graph *g = NULL;
    (void)arg;
    hd_status status = hd_graph_new(&g, ctx);
    if (status != HD_OK) return status;
    const hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(2, 3, 4));
    shapes(x);
    windows(g, x);
    status = hd_graph_status(g);
    if (status != HD_OK && status != HD_E_MEMORY) fail_msg("%s", hd_last_error(ctx));
    hd_graph_free(g);
    return status;
}

static void builders(void **state) {
    (void)state;
    assert_true(fail_every_allocation(build_many, NULL) > 10);
}

/* ---- a network of layers ---- */

static const char net[] =
    "[{\"conv2d\": {\"out_channels\": 4, \"kernel_size\": 3, \"padding\": 1}}, \"batch_norm\", \"gelu\","
    " {\"max_pool2d\": {\"kernel_size\": 2}}, {\"residual\": [{\"conv2d\": {\"out_channels\": 4, \"kernel_size\": 3, "
    "\"padding\": 1}}, \"prelu\"]}, {\"branches\": [[\"relu\"], [{\"avg_pool2d\": {\"kernel_size\": 1}}]], \"merge\": "
    "\"concat\"}, {\"dropout\": {\"p\": 0.2}}, \"flatten\", {\"linear\": {\"out_features\": 3}}]";

static hd_status train_net(hd_context *ctx, void *arg) {
    static float x[4 * 2 * 6 * 6];
    static const int64_t label[4] = {0, 1, 2, 0};
    hd_graph *g = NULL;
    hd_program *step = NULL, *ask = NULL;
    char *text = NULL;
    (void)arg;
    hd_status status = hd_graph_new(&g, ctx);
    if (status != HD_OK) return status;
    const hd_val in = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 2, 6, 6));
    const hd_val y = hd_nn_layers(in, net);
    const hd_val loss = hd_cross_entropy(y, hd_input(g, "t", HD_I64, HD_DIMS(HD_BATCH)), .label_smoothing = 0.1);
    const hd_optimizer adam = hd_adamw(.lr = 0.01, .max_norm = 1);
    status = hd_compile_with(&step, hd_train_step(loss, adam), &(hd_compile_args){.batch = 4});
    if (status == HD_OK) status = hd_program_set(step, "x", x);
    if (status == HD_OK) status = hd_program_set(step, "t", label);
    if (status == HD_OK) status = hd_program_run(step);
    const hd_compile_args two = {.batch = 2, .store = step ? hd_program_store(step) : NULL};
    if (status == HD_OK) status = hd_compile_with(&ask, hd_forward(y), &two);
    if (status == HD_OK) status = hd_program_set(ask, "x", x);
    if (status == HD_OK) status = hd_program_run(ask);
    if (status == HD_OK) status = hd_program_explain(ask, &text);
    if (status != HD_OK && status != HD_E_MEMORY) fail_msg("%s", hd_last_error(ctx));
    hd_memory_free(ctx, text);
    hd_program_free(ask);
    hd_program_free(step);
    hd_graph_free(g);
    return status;
}

static void compile_and_step(void **state) {
    (void)state;
    assert_true(fail_every_allocation(train_net, NULL) > 200);
}

/* ---- a run with its folder ---- */

static hd_status one_run(hd_context *ctx, hd_dataset *data, hd_recipe *recipe, const char *out, const char *resume) {
    hd_trainer *t = NULL;
    hd_result result;
    run_watch watch = {.stop_at = resume ? 0 : 3};
    const hd_trainer_args args = {.recipe = resume ? NULL : recipe,
                                  .data = data,
                                  .out = out,
                                  .resume = resume,
                                  .progress = run_progress,
                                  .user = &watch,
                                  .progress_every = -1};
    hd_status status = hd_trainer_new(&t, ctx, &args);
    if (status == HD_OK) status = hd_trainer_run(t, &result);
    hd_trainer_free(t);
    return status;
}

static hd_status whole_run(hd_context *ctx, void *arg) {
    static int number;
    char run[4200];
    float score[RUN_CLASSES];
    hd_dataset *data = NULL;
    hd_recipe *recipe = NULL;
    hd_model *model = NULL;
    hd_model_info info;
    (void)arg;
    (void)snprintf(run, sizeof run, "%s/run-%d", folder, number++);
    const hd_data_arrays a = {.x = data_of.x,
                              .dtype = HD_F32,
                              .sample = HD_DIMS(RUN_FEATURES),
                              .n = 60,
                              .labels = data_of.labels,
                              .classes = RUN_CLASSES};
    hd_status status = hd_data_from_arrays(&data, ctx, &a);
    if (status == HD_OK)
        status = hd_recipe_parse(&recipe, ctx, "r",
                                 "{\"model\": \"4-5-tanh-3\", \"train\": {\"epochs\": 2, \"batch_size\": 20, "
                                 "\"schedule\": \"cosine\"}, \"eval\": {\"metrics\": [\"accuracy\", \"f1\"]}}");
    if (status == HD_OK) status = one_run(ctx, data, recipe, run, NULL);
    if (status == HD_OK) status = one_run(ctx, data, recipe, NULL, run);
    if (status == HD_OK) status = hd_model_open(&model, ctx, run);
    if (status == HD_OK) status = hd_model_get_info(model, &info);
    if (status == HD_OK) status = hd_model_predict(model, data_of.x, 1, score);
    if (status != HD_OK && status != HD_E_MEMORY) fail_msg("%s", hd_last_error(ctx));
    hd_model_free(model);
    hd_recipe_free(recipe);
    hd_data_free(data);
    return status;
}

static void load_save_and_go_on(void **state) {
    (void)state;
    run_data_fill(&data_of);
    (void)snprintf(folder, sizeof folder, "%s", test_folder());
    assert_true(fail_every_allocation(whole_run, NULL) > 300);
    test_folder_remove(folder);
}

static hd_status check_gradient(hd_context *ctx, void *arg) {
    hd_graph *g = NULL;
    hd_gradcheck check = {0};
    (void)arg;
    hd_status status = hd_graph_new(&g, ctx);
    if (status != HD_OK) return status;
    const hd_val y = hd_nn_linear(hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 2)), .name = "fc", .out_features = 2);
    const hd_val loss = hd_mean(hd_mul(y, y));
    status = hd_graph_status(g);
    if (status == HD_OK) status = hd_gradcheck_run(&check, loss, NULL);
    hd_gradcheck_free(&check);
    hd_graph_free(g);
    return status;
}

static void gradient_check(void **state) {
    (void)state;
    assert_true(fail_every_allocation(check_gradient, NULL) > 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builders),
        cmocka_unit_test(compile_and_step),
        cmocka_unit_test(load_save_and_go_on),
        cmocka_unit_test(gradient_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
