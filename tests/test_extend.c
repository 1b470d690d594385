/* test_extend.c: what a program adds from outside: an op, a loss, a data source, a watcher of the run. Each is held
 * against what the library itself would have done. */
#include "run_support.h"

#include "hadal/hadal.h"

static run_data data_of;

static int set_up(void **state) {
    (void)state;
    run_data_fill(&data_of);
    return 0;
}

/* ---- an op: y = c x³, its gradient built of other ops ---- */

typedef struct cube_args {
    hd_val x;
    double c;
} cube_args;

static hd_status cube_infer(hd_infer *c) {
    if (c->in[0].dtype != HD_F32 && c->in[0].dtype != HD_F64) return hd_infer_fail(c, "expected f32 or f64");
    c->out[0] = c->in[0];
    return HD_OK;
}

static void cube_ref(const hd_ref *r) {
    const double c = ((const cube_args *)r->attr)->c;
    for (int64_t i = 0; i < r->out[0].count; i++) {
        if (r->out[0].dtype == HD_F32) {
            const double x = (double)((const float *)r->in[0].data)[i];
            ((float *)r->out[0].data)[i] = (float)(c * x * x * x);
        } else {
            const double x = ((const double *)r->in[0].data)[i];
            ((double *)r->out[0].data)[i] = c * x * x * x;
        }
    }
}

static void cube_rule(hd_grad *g) {
    const hd_val x = g->in[0];
    g->din[0] = hd_mul(g->dout[0], hd_affine(hd_mul(x, x), .scale = 3 * ((const cube_args *)g->attr)->c));
}

static const hd_op cube = {
    .name = "cube",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(cube_args),
    .options =
        (const hd_option[]){{"c", HD_OPT_FLOAT, offsetof(cube_args, c), 1, 1, -10, 10, NULL, "factor"}, HD_OPTION_END},
    .flags = HD_OP_ELEMENTWISE,
    .infer = cube_infer,
    .grad = cube_rule,
    .ref = cube_ref,
};

static hd_val add_cube(hd_val x, double c) {
    return hd_node_add(HD_HERE, &cube, &(cube_args){.x = x, .c = c});
}

/* loss = mean (fc2(cube(fc1 x)) − t)² over 5 samples of 3 numbers. */
static hd_val cube_net(hd_graph *g) {
    const hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 3));
    const hd_val h = add_cube(hd_nn_linear(x, .name = "fc1", .out_features = 4), 0.5);
    return hd_mse(hd_nn_linear(h, .name = "fc2", .out_features = 1), hd_input(g, "t", HD_F32, HD_DIMS(HD_BATCH, 1)));
}

static const float cube_x[15] = {1, -2, 0.5f, 0.25f, 1, -1, 2, 0.1f, -0.3f, 0.7f, -0.2f, 1.5f, -1, 0.6f, 0.9f};
static const float cube_t[5] = {0.5f, -1, 2, 0.25f, -0.75f};

/* Losses of a few steps of training. */
static void cube_train(hd_context *ctx, hd_val loss, const char *backend, float *losses, int steps) {
    hd_program *p;
    const hd_compile_args args = {.batch = 5, .backend = backend};
    assert_int_equal(hd_compile_with(&p, hd_train_step(loss, hd_sgd(.lr = 0.02)), &args), HD_OK);
    assert_int_equal(hd_program_set(p, "x", cube_x), HD_OK);
    assert_int_equal(hd_program_set(p, "t", cube_t), HD_OK);
    for (int i = 0; i < steps; i++) {
        if (hd_program_run(p) != HD_OK) fail_msg("%s", hd_last_error(ctx));
        losses[i] = *(const float *)hd_program_get(p, "loss");
    }
    hd_program_free(p);
}

static void an_own_op_trains_as_the_same_of_built_in_ones(void **state) {
    (void)state;
    float own[20], built_in[20];
    for (int k = 0; k < 2; k++) {
        hd_context *ctx = test_context(2);
        hd_graph *g;
        assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
        const hd_val loss = cube_net(g);
        cube_train(ctx, loss, k ? "ref" : "default", own, 20);
        hd_graph_free(g);
        assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
        const hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 3));
        const hd_val h = hd_nn_linear(x, .name = "fc1", .out_features = 4);
        const hd_val cubed = hd_affine(hd_mul(h, hd_mul(h, h)), .scale = 0.5);
        const hd_val y = hd_nn_linear(cubed, .name = "fc2", .out_features = 1);
        cube_train(ctx, hd_mse(y, hd_input(g, "t", HD_F32, HD_DIMS(HD_BATCH, 1))), k ? "ref" : "default", built_in, 20);
        for (int i = 0; i < 20; i++) assert_float_equal(own[i], built_in[i], 1e-5);
        assert_true(own[19] < own[0]);
        hd_graph_free(g);
        hd_context_free(ctx);
    }
}

static void a_printed_own_op_is_read_where_it_is_known(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_graph *g, *again;
    char *text, *text_again;
    float first[5], second[5];
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    const hd_val loss = cube_net(g);
    hd_mark_output(loss, "loss");
    assert_int_equal(hd_graph_print(g, &text), HD_OK);
    assert_non_null(strstr(text, "cube("));
    assert_int_equal(hd_graph_parse(&again, ctx, "text", text), HD_E_MODEL);
    assert_non_null(strstr(hd_last_error(ctx), "cube"));
    assert_int_equal(hd_context_add_op(ctx, &cube), HD_OK);
    assert_ptr_equal(hd_op_find(ctx, "cube"), &cube);
    assert_null(hd_op_find(NULL, "cube"));
    if (hd_graph_parse(&again, ctx, "text", text) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    assert_int_equal(hd_graph_print(again, &text_again), HD_OK);
    assert_string_equal(text, text_again);
    cube_train(ctx, loss, NULL, first, 5);
    hd_val found = hd_graph_find(again, "loss");
    if (hd_val_is_none(found)) found = hd_graph_node_out(again, hd_graph_node_count(again) - 1, 0);
    cube_train(ctx, found, NULL, second, 5);
    assert_memory_equal(first, second, sizeof first);
    hd_memory_free(ctx, text);
    hd_memory_free(ctx, text_again);
    hd_graph_free(g);
    hd_graph_free(again);
    hd_context_free(ctx);
}

static void incomplete_descriptors_are_refused(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_op no_ref = cube, no_grad = cube, taken = cube;
    no_ref.ref = NULL;
    no_grad.grad = NULL;
    taken.name = "relu";
    assert_int_equal(hd_context_add_op(ctx, NULL), HD_E_USAGE);
    assert_int_equal(hd_context_add_op(ctx, &no_ref), HD_E_USAGE);
    assert_int_equal(hd_context_add_op(ctx, &no_grad), HD_E_USAGE);
    assert_non_null(strstr(hd_last_error(ctx), "no_grad_reason"));
    assert_int_equal(hd_context_add_op(ctx, &taken), HD_E_USAGE);
    assert_int_equal(hd_context_add_op(ctx, &cube), HD_OK);
    assert_int_equal(hd_context_add_op(ctx, &cube), HD_E_USAGE);
    assert_non_null(strstr(hd_last_error(ctx), "taken"));
    hd_context_free(ctx);
}

/* ---- a loss ---- */

static hd_val build_squares(hd_loc at, hd_val y, hd_val target) {
    return hd_half_squared_error_at(at, &(hd_loss_args){.x = y, .target = target});
}
static double squares_value(const float *y, const float *target, int64_t label, int64_t outputs) {
    double sum = 0;
    (void)label;
    for (int64_t k = 0; k < outputs; k++)
        sum += ((double)y[k] - (double)target[k]) * ((double)y[k] - (double)target[k]);
    return sum / 2;
}
static const hd_loss_kind squares = {.name = "squares", .build = build_squares, .value = squares_value};

#define RECIPE(loss) "{\"model\": \"4-8-1\", \"train\": {\"epochs\": 3, \"batch_size\": 32, \"loss\": \"" loss "\"}}"

/* Trains; the result's pointers are gone afterwards. */
static hd_result train(hd_context *ctx, hd_dataset *data, const char *text, const char *out, run_watch *watch) {
    hd_recipe *recipe = run_recipe(ctx, text);
    hd_trainer *t = NULL;
    hd_result result = {0};
    const hd_trainer_args args = {.recipe = recipe,
                                  .data = data,
                                  .out = out,
                                  .progress = watch ? run_progress : NULL,
                                  .user = watch,
                                  .progress_every = -1};
    if (hd_trainer_new(&t, ctx, &args) != HD_OK || hd_trainer_run(t, &result) != HD_OK)
        fail_msg("%s", hd_last_error(ctx));
    hd_trainer_free(t);
    hd_recipe_free(recipe);
    return result;
}

static void an_own_loss_trains_to_the_bits_of_the_built_in_one(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_recipe *recipe;
    assert_int_equal(hd_recipe_parse(&recipe, ctx, "recipe", RECIPE("squares")), HD_E_MODEL);
    assert_int_equal(hd_context_add_loss(ctx, &squares), HD_OK);
    assert_int_equal(hd_context_add_loss(ctx, &squares), HD_E_USAGE);
    assert_int_equal(hd_context_add_loss(ctx, &(hd_loss_kind){.name = "half"}), HD_E_USAGE);
    hd_dataset *data = run_numbers(ctx, &data_of);
    const hd_result own = train(ctx, data, RECIPE("squares"), "", NULL),
                    built_in = train(ctx, data, RECIPE("half_squared_error"), "", NULL);
    assert_string_equal(own.weights_sha256, built_in.weights_sha256);
    assert_true(own.val.loss == built_in.val.loss && own.test.loss == built_in.test.loss);
    assert_true(own.train.loss > 0);
    hd_data_free(data);
    hd_context_free(ctx);
}

static void a_model_with_an_own_loss_opens_where_it_is_known(void **state) {
    (void)state;
    char folder[4096], run[4200];
    hd_context *ctx = test_context(1), *other = test_context(1);
    hd_model *model;
    (void)snprintf(folder, sizeof folder, "%s", test_folder());
    (void)snprintf(run, sizeof run, "%s/run", folder);
    assert_int_equal(hd_context_add_loss(ctx, &squares), HD_OK);
    hd_dataset *data = run_numbers(ctx, &data_of);
    const hd_result result = train(ctx, data, RECIPE("squares"), run, NULL);
    assert_true(result.epochs == 3);
    assert_int_equal(hd_model_open(&model, other, run), HD_E_MODEL);
    assert_non_null(strstr(hd_last_error(other), "squares"));
    if (hd_model_open(&model, ctx, run) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    hd_scores scores;
    assert_int_equal(hd_model_eval(model, data, (const int64_t[]){0, 1, 2}, 3, &scores, NULL, NULL), HD_OK);
    float y;
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(hd_model_predict(model, &data_of.x[i * RUN_FEATURES], 1, &y), HD_OK);
        sum += squares_value(&y, &data_of.values[i], 0, 1);
    }
    assert_float_equal(scores.loss, sum / 3, 1e-5);
    hd_model_free(model);
    hd_data_free(data);
    hd_context_free(ctx);
    hd_context_free(other);
    test_folder_remove(folder);
}

/* ---- a data source ---- */

static hd_status read_class(void *user, int64_t index, void *x, int64_t *label, float *values) {
    const run_data *d = user;
    assert_null(values);
    memcpy(x, &d->x[index * RUN_FEATURES], RUN_FEATURES * sizeof(float));
    *label = d->labels[index];
    return HD_OK;
}

static hd_status read_number(void *user, int64_t index, void *x, int64_t *label, float *values) {
    const run_data *d = user;
    assert_null(label);
    memcpy(x, &d->x[index * RUN_FEATURES], RUN_FEATURES * sizeof(float));
    *values = d->values[index];
    return HD_OK;
}

/* Fails, or tells nonsense, at sample 7; user says what. */
static hd_status read_badly(void *user, int64_t index, void *x, int64_t *label, float *values) {
    const int what = *(const int *)user;
    (void)values;
    for (int i = 0; i < RUN_FEATURES; i++) ((float *)x)[i] = index == 7 && what == 1 ? NAN : 1;
    *label = index == 7 && what == 2 ? 5 : index % 2;
    return index == 7 && what == 3 ? HD_E_FILE : HD_OK;
}

static hd_data_reader own_source(void) {
    return (hd_data_reader){.name = "clouds",
                            .sample = HD_DIMS(RUN_FEATURES),
                            .train = RUN_SAMPLES,
                            .classes = RUN_CLASSES,
                            .read = read_class,
                            .user = &data_of};
}

static void an_own_source_gives_what_arrays_give(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    const hd_data_reader classes = own_source();
    hd_data_reader numbers = own_source();
    numbers.name = "waves", numbers.classes = 0, numbers.targets = 1, numbers.read = read_number;
    assert_int_equal(hd_context_add_source(ctx, &classes), HD_OK);
    assert_int_equal(hd_context_add_source(ctx, &numbers), HD_OK);
    hd_dataset *arrays[2] = {run_classes(ctx, &data_of), run_numbers(ctx, &data_of)};
    static const char *const recipes[2][2] = {
        {"{\"data\": \"clouds\", \"model\": \"4-8-3\", \"train\": {\"epochs\": 2}}",
         "{\"model\": \"4-8-3\", \"train\": {\"epochs\": 2}}"},
        {"{\"data\": {\"source\": \"waves\"}, \"model\": \"4-8-1\", \"train\": {\"epochs\": 2}}",
         "{\"model\": \"4-8-1\", \"train\": {\"epochs\": 2}}"}};
    for (int k = 0; k < 2; k++) {
        const hd_result own = train(ctx, NULL, recipes[k][0], "", NULL);
        const hd_result same = train(ctx, arrays[k], recipes[k][1], "", NULL);
        assert_string_equal(own.weights_sha256, same.weights_sha256);
        assert_int_equal(own.train.n, same.train.n);
        hd_data_free(arrays[k]);
    }
    hd_context_free(ctx);
}

static void an_own_source_keeps_parts_and_names(void **state) {
    (void)state;
    static const char *const names[] = {"low", "middle", "high"};
    hd_context *ctx = test_context(1);
    hd_data_reader source = own_source();
    hd_dataset *data;
    hd_split split;
    source.train = 200, source.val = 30, source.test = 101, source.class_names = names;
    assert_int_equal(hd_data_from_reader(&data, ctx, &source), HD_OK);
    const hd_data_info info = hd_data_get_info(data);
    assert_string_equal(info.name, "clouds");
    assert_string_equal(info.class_names[2], "high");
    assert_int_equal(info.count, 331);
    assert_int_equal(hd_split_make(&split, data, NULL), HD_OK);
    assert_int_equal(split.train_count, 200);
    assert_int_equal(split.val_count, 30);
    assert_int_equal(split.test[0], 230);
    assert_int_equal(hd_data_label(data, 300), data_of.labels[300]);
    hd_split_free(&split);
    hd_data_free(data);
    hd_context_free(ctx);
}

static void bad_sources_are_refused_by_sample(void **state) {
    (void)state;
    static const struct {
        hd_status status;
        const char *text;
    } want[] = {{HD_OK, ""},
                {HD_E_DATA, "bad: expected finite numbers, element 0 of sample 7"},
                {HD_E_DATA, "sample 7 has label 5"},
                {HD_E_FILE, "sample 7 can not be read"}};
    hd_context *ctx = test_context(1);
    hd_dataset *data;
    for (int what = 0; what < 4; what++) {
        int user = what;
        const hd_data_reader bad = {.name = "bad",
                                    .sample = HD_DIMS(RUN_FEATURES),
                                    .train = 20,
                                    .classes = 2,
                                    .read = read_badly,
                                    .user = &user};
        assert_int_equal(hd_data_from_reader(&data, ctx, &bad), want[what].status);
        if (what == 0)
            hd_data_free(data);
        else if (!strstr(hd_last_error(ctx), want[what].text))
            fail_msg("%s", hd_last_error(ctx));
    }
    hd_data_reader source = own_source(), wrong = source;
    assert_int_equal(hd_context_add_source(ctx, &source), HD_OK);
    assert_int_equal(hd_context_add_source(ctx, &source), HD_E_USAGE);
    wrong.name = "mnist";
    assert_int_equal(hd_context_add_source(ctx, &wrong), HD_E_USAGE);
    wrong.name = "other", wrong.stored = HD_I64;
    assert_int_equal(hd_context_add_source(ctx, &wrong), HD_E_USAGE);
    assert_int_equal(hd_data_open(&data, ctx, "cloud", NULL), HD_E_DATA);
    assert_non_null(strstr(hd_last_error(ctx), "Did you mean clouds?"));
    assert_int_equal(hd_data_open(&data, ctx, "{\"source\": \"clouds\", \"n\": 5}", NULL), HD_E_DATA);
    assert_int_equal(hd_data_open(&data, ctx, "{\"source\": \"clouds\", \"classes\": 2}", NULL), HD_E_DATA);
    hd_context_free(ctx);
}

static hd_status add_all(hd_context *ctx, void *arg) {
    const hd_data_reader *source = arg;
    hd_dataset *data = NULL;
    hd_status status = hd_context_add_source(ctx, source);
    if (status == HD_OK) status = hd_context_add_loss(ctx, &squares);
    if (status == HD_OK) status = hd_context_add_op(ctx, &cube);
    if (status == HD_OK) status = hd_data_open(&data, ctx, "clouds", NULL);
    if (status == HD_OK) hd_data_free(data);
    return status;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    hd_data_reader source = own_source();
    assert_true(fail_every_allocation(add_all, &source) > 6);
}

/* ---- a watcher ---- */

typedef struct counts {
    int64_t steps, epochs, last, stop_at;
} counts;

static bool count_calls(void *user, const hd_progress *p) {
    counts *c = user;
    if (p->epoch_end)
        c->epochs++;
    else
        c->steps++;
    c->last = p->total_steps;
    return c->stop_at && p->total_steps == c->stop_at;
}

static void a_watcher_sees_steps_and_epochs_and_ends_the_run(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_dataset *data = run_classes(ctx, &data_of);
    for (int k = 0; k < 2; k++) {
        hd_recipe *recipe = run_recipe(ctx, "{\"model\": \"4-8-3\", \"train\": {\"epochs\": 3, \"batch_size\": 32}}");
        counts c = {.stop_at = k ? 11 : 0};
        hd_trainer *t;
        hd_result result;
        const hd_trainer_args args = {
            .recipe = recipe, .data = data, .out = "", .progress = count_calls, .user = &c, .progress_every = -1};
        assert_int_equal(hd_trainer_new(&t, ctx, &args), HD_OK);
        assert_int_equal(hd_trainer_run(t, &result), HD_OK);
        assert_int_equal(result.stop, k ? HD_STOP_INTERRUPTED : HD_STOP_EPOCHS);
        assert_int_equal(result.steps, c.last);
        if (k) assert_int_equal(result.steps, 11);
        if (!k) assert_int_equal(c.epochs, 3);
        if (!k)
            assert_in_range(c.steps, result.steps - 3, result.steps); /* an epoch's last step may be its end alone */
        hd_trainer_free(t);
        hd_recipe_free(recipe);
    }
    hd_data_free(data);
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_own_op_trains_as_the_same_of_built_in_ones),
        cmocka_unit_test(a_printed_own_op_is_read_where_it_is_known),
        cmocka_unit_test(incomplete_descriptors_are_refused),
        cmocka_unit_test(an_own_loss_trains_to_the_bits_of_the_built_in_one),
        cmocka_unit_test(a_model_with_an_own_loss_opens_where_it_is_known),
        cmocka_unit_test(an_own_source_gives_what_arrays_give),
        cmocka_unit_test(an_own_source_keeps_parts_and_names),
        cmocka_unit_test(bad_sources_are_refused_by_sample),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(a_watcher_sees_steps_and_epochs_and_ends_the_run),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
