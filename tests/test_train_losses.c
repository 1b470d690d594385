/* test_train_losses.c: every loss that a recipe can name: it learns from classes, from two classes by one output, and
 * from numbers that it takes; options, weights and balanced ones; what does not fit is refused before the first step.
 */
#include "run_support.h"

#include "base/file.h"
#include "train/trainer.h"

static run_data data_of;
enum { N = RUN_SAMPLES };

static int set_up(void **state) {
    (void)state;
    run_data_fill(&data_of);
    return 0;
}

/* A run in memory; the trainer stays for questions. */
typedef struct learnt {
    hd_context *ctx;
    hd_dataset *data;
    hd_trainer *t;
    hd_result result;
} learnt;

static hd_dataset *dataset(hd_context *ctx, const int64_t *labels, int64_t classes, const float *values,
                           int64_t targets) {
    hd_dataset *data;
    const hd_data_arrays a = {.x = data_of.x,
                              .dtype = HD_F32,
                              .sample = HD_DIMS(RUN_FEATURES),
                              .n = N,
                              .labels = labels,
                              .classes = classes,
                              .values = values,
                              .targets = targets};
    assert_int_equal(hd_data_from_arrays(&data, ctx, &a), HD_OK);
    return data;
}

static hd_status start(learnt *l, hd_dataset *data, const char *recipe) {
    hd_recipe *r = run_recipe(l->ctx, recipe);
    l->data = data;
    const hd_trainer_args args = {.recipe = r, .data = data, .out = ""};
    const hd_status status = hd_trainer_new(&l->t, l->ctx, &args);
    hd_recipe_free(r);
    return status;
}

static void run(learnt *l, hd_dataset *data, const char *recipe) {
    if (start(l, data, recipe) != HD_OK) fail_msg("%s: %s", recipe, hd_last_error(l->ctx));
    if (hd_trainer_run(l->t, &l->result) != HD_OK) fail_msg("%s: %s", recipe, hd_last_error(l->ctx));
}

static void end(learnt *l) {
    hd_trainer_free(l->t);
    hd_data_free(l->data);
    l->t = NULL;
}

static const char *recipe_of(const char *model, const char *loss, int epochs) {
    static char text[512];
    (void)snprintf(text, sizeof text,
                   "{\"model\": \"%s\", \"train\": {\"loss\": %s, \"epochs\": %d, \"batch_size\": 16, \"optimizer\": "
                   "{\"lr\": 0.02}}, \"eval\": {\"baselines\": false}}",
                   model, loss, epochs);
    return text;
}

/* Scores of the model are probabilities, as far as the loss makes them such. */
static void check_scores(learnt *l, bool sums) {
    float y[RUN_CLASSES];
    assert_int_equal(hd_model_predict(hd_trainer_model(l->t), data_of.x, 1, y), HD_OK);
    double sum = 0;
    for (int k = 0; k < RUN_CLASSES; k++) sum += (double)y[k];
    if (sums && !(fabs(sum - 1) < 1e-5)) fail_msg("the scores add up to %g", sum);
}

static void test_classes(void **state) {
    (void)state;
    static const struct {
        const char *loss;
        bool sums;
    } cases[] = {
        {"\"cross_entropy\"", true},
        {"{\"name\": \"cross_entropy\", \"label_smoothing\": 0.1}", true},
        {"{\"name\": \"cross_entropy\", \"weight\": \"balanced\"}", true},
        {"{\"name\": \"cross_entropy\", \"weight\": [1, 2, 0.5]}", true},
        {"{\"name\": \"nll\", \"weight\": [1, 1, 1.5]}", true},
        {"{\"name\": \"multi_margin\", \"p\": 2, \"margin\": 0.5}", true},
        {"{\"name\": \"bce_with_logits\", \"pos_weight\": 2}", false},
        {"{\"name\": \"bce_with_logits\", \"pos_weight\": \"balanced\"}", false},
        {"{\"name\": \"bce\", \"weight\": [1, 2, 1]}", false},
        {"{\"name\": \"focal\", \"gamma\": 1}", false},
        {"{\"name\": \"dice\", \"smooth\": 0.5}", false},
        {"\"multilabel_soft_margin\"", false},
        {"{\"name\": \"hinge\", \"squared\": true}", false},
        {"\"soft_margin\"", false},
        {"\"kl_div\"", true},
        {"\"mse\"", false},
        {"\"half_squared_error\"", false},
        {"\"l1\"", false},
        {"{\"name\": \"smooth_l1\", \"beta\": 0.5}", false},
        {"{\"name\": \"huber\", \"delta\": 0.5}", false},
    };
    learnt l = {.ctx = test_context(1)};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run(&l, dataset(l.ctx, data_of.labels, RUN_CLASSES, NULL, 0), recipe_of("4-16-tanh-3", cases[i].loss, 10));
        const double accuracy = hd_scores_find(&l.result.test, "accuracy")->value;
        if (!(accuracy > 0.6)) fail_msg("%s learns %g", cases[i].loss, accuracy);
        if (!isfinite(l.result.val.loss)) fail_msg("%s: validation loss %g", cases[i].loss, l.result.val.loss);
        check_scores(&l, cases[i].sums);
        end(&l);
    }
    hd_context_free(l.ctx);
}

static void test_one_output(void **state) {
    (void)state;
    static const char *const losses[] = {
        "\"bce_with_logits\"",
        "{\"name\": \"bce_with_logits\", \"pos_weight\": \"balanced\"}",
        "\"bce\"",
        "{\"name\": \"focal\", \"alpha\": 0.5}",
        "\"hinge\"",
        "\"soft_margin\"",
        "\"huber\"",
    };
    int64_t labels[N];
    learnt l = {.ctx = test_context(1)};
    for (int i = 0; i < N; i++) labels[i] = data_of.labels[i] == 0;
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        float y[2];
        run(&l, dataset(l.ctx, labels, 2, NULL, 0), recipe_of("4-16-tanh-1", losses[i], 12));
        const double accuracy = hd_scores_find(&l.result.test, "accuracy")->value;
        if (!(accuracy > 0.75)) fail_msg("%s learns %g", losses[i], accuracy);
        assert_int_equal(hd_model_predict(hd_trainer_model(l.t), data_of.x, 1, y), HD_OK);
        assert_true(fabs((double)y[0] + (double)y[1] - 1) < 1e-5);
        end(&l);
    }
    hd_context_free(l.ctx);
}

static void test_numbers(void **state) {
    (void)state;
    static const struct {
        const char *loss;
        int kind; /* 0 any numbers, 1 counts, 2 shares of 1 in two columns */
        double below;
    } cases[] = {
        {"\"mse\"", 0, 1.2},         {"\"l1\"", 0, 1.2},
        {"\"smooth_l1\"", 0, 1.2},   {"{\"name\": \"huber\", \"delta\": 2}", 0, 1.2},
        {"\"poisson_nll\"", 1, 2.2}, {"{\"name\": \"poisson_nll\", \"full\": true}", 1, 2.2},
        {"\"kl_div\"", 2, 0.25},     {"\"bce_with_logits\"", 2, 0.25},
        {"\"bce\"", 2, 0.25},
    };
    static float numbers[2 * N];
    learnt l = {.ctx = test_context(1)};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int columns = cases[i].kind == 2 ? 2 : 1;
        for (int k = 0; k < N; k++) {
            const double v = (double)data_of.values[k], share = 1 / (1 + exp(-v));
            numbers[k * columns] = (float)(cases[i].kind == 0 ? v : cases[i].kind == 1 ? floor(exp(0.4 * v)) : share);
            if (columns == 2) numbers[2 * k + 1] = (float)(1 - share);
        }
        run(&l, dataset(l.ctx, NULL, 0, numbers, columns),
            recipe_of(columns == 2 ? "4-16-tanh-2" : "4-16-tanh-1", cases[i].loss, 20));
        const double rmse = hd_scores_find(&l.result.test, "rmse")->value;
        if (!(rmse < cases[i].below)) fail_msg("%s: rmse %g", cases[i].loss, rmse);
        assert_true(isfinite(l.result.val.loss));
        end(&l);
    }
    hd_context_free(l.ctx);
}

/* The mean by weights, as the graph makes it: evaluation in one batch agrees with the sum over samples. */
static void test_weighted_mean(void **state) {
    (void)state;
    learnt l = {.ctx = test_context(1)};
    hd_model *m;
    hd_scores s;
    double sum = 0, weight = 0;
    static const double w[] = {1, 2, 0};
    run(&l, dataset(l.ctx, data_of.labels, RUN_CLASSES, NULL, 0),
        recipe_of("4-3", "{\"name\": \"cross_entropy\", \"weight\": [1, 2, 5], \"ignore_index\": 2}", 1));
    m = hd_trainer_model(l.t);
    static int64_t all[N];
    static float y[N * RUN_CLASSES];
    for (int64_t i = 0; i < N; i++) all[i] = i;
    assert_int_equal(hd_model_eval(m, l.data, all, N, &s, NULL, y), HD_OK);
    for (int i = 0; i < N; i++) {
        const int64_t k = data_of.labels[i];
        sum -= w[k] * log((double)y[i * RUN_CLASSES + k]);
        weight += w[k];
    }
    if (!(fabs(s.loss - sum / weight) < 1e-5)) fail_msg("%g, not %g", s.loss, sum / weight);
    end(&l);
    hd_context_free(l.ctx);
}

/* n/(classes · count) over the training part. */
static void test_balanced(void **state) {
    (void)state;
    learnt l = {.ctx = test_context(1)};
    char *json = NULL;
    int64_t seen[RUN_CLASSES] = {0};
    run(&l, dataset(l.ctx, data_of.labels, RUN_CLASSES, NULL, 0),
        recipe_of("4-3", "{\"name\": \"cross_entropy\", \"weight\": \"balanced\"}", 1));
    const hd_split *split = hd_trainer_split(l.t);
    for (int64_t i = 0; i < split->train_count; i++) seen[data_of.labels[split->train[i]]]++;
    const hd_json *list = hd_recipe_said(hd_model_recipe(hd_trainer_model(l.t)), "train.loss.weight");
    assert_int_equal(list->count, RUN_CLASSES);
    const hd_json *item = list->child;
    for (int k = 0; k < RUN_CLASSES; k++, item = item->next)
        assert_true(fabs(item->number - (double)split->train_count / (3.0 * (double)seen[k])) < 1e-12);
    assert_int_equal(hd_recipe_json(hd_model_recipe(hd_trainer_model(l.t)), &json), HD_OK);
    assert_non_null(strstr(json, "\"label_smoothing\": 0"));
    assert_null(strstr(json, "pos_weight"));
    hd_memory_free(l.ctx, json);
    end(&l);
    hd_context_free(l.ctx);
}

/* A model that was saved knows its loss and options again. */
static void test_saved(void **state) {
    (void)state;
    learnt l = {.ctx = test_context(1)};
    const char *folder = test_folder();
    char path[4200];
    hd_model *again;
    hd_weights w;
    hd_scores before, after;
    static int64_t all[N];
    for (int64_t i = 0; i < N; i++) all[i] = i;
    (void)snprintf(path, sizeof path, "%s/m.safetensors", folder);
    run(&l, dataset(l.ctx, data_of.labels, RUN_CLASSES, NULL, 0),
        recipe_of("4-8-tanh-3", "{\"name\": \"nll\", \"weight\": \"balanced\"}", 2));
    assert_int_equal(hd_weights_new(&w, hd_trainer_model(l.t), false), HD_OK);
    assert_int_equal(hd_weights_fetch(&w, hd_trainer_model(l.t)), HD_OK);
    assert_int_equal(hd_model_write(hd_trainer_model(l.t), &w, path, NULL), HD_OK);
    hd_weights_free(&w);
    assert_int_equal(hd_model_eval(hd_trainer_model(l.t), l.data, all, N, &before, NULL, NULL), HD_OK);
    if (hd_model_open(&again, l.ctx, path) != HD_OK) fail_msg("%s", hd_last_error(l.ctx));
    assert_int_equal(hd_model_eval(again, l.data, all, N, &after, NULL, NULL), HD_OK);
    assert_true(before.loss == after.loss);
    hd_model_free(again);
    test_folder_remove(folder);
    end(&l);
    hd_context_free(l.ctx);
}

/* ---- refusals ---- */

static void refuses(const char *recipe, bool numbers, const char *message) {
    learnt l = {.ctx = test_context(1)};
    hd_dataset *data = numbers ? run_numbers(l.ctx, &data_of) : run_classes(l.ctx, &data_of);
    assert_int_equal(start(&l, data, recipe), HD_E_MODEL);
    if (!strstr(hd_last_error(l.ctx), message)) fail_msg("\"%s\" lacks \"%s\"", hd_last_error(l.ctx), message);
    end(&l);
    hd_context_free(l.ctx);
}

static void test_refusals(void **state) {
    (void)state;
    refuses(recipe_of("4-1", "\"cross_entropy\"", 1), true,
            "cross_entropy needs classes, these data have numbers. Losses that fit: bce_with_logits, bce, focal");
    refuses(recipe_of("4-3", "\"poisson_nll\"", 1), false,
            "poisson_nll needs counts, these data have classes. Losses that fit: cross_entropy, nll");
    refuses(recipe_of("4-1", "\"bce_with_logits\"", 1), true, "takes targets that are 0 … 1, sample");
    refuses(recipe_of("4-1", "\"hinge\"", 1), true, "takes targets that are 1 or -1");
    refuses(recipe_of("4-1", "\"poisson_nll\"", 1), true, "takes targets that are 0 or more");
    refuses(recipe_of("4-3-relu", "\"bce\"", 1), false, "bce takes probabilities, and the network ends in relu");
    refuses(recipe_of("4-3-sigmoid", "\"nll\"", 1), false, "End it in log_softmax");
    refuses(recipe_of("4-3", "{\"name\": \"mse\", \"label_smoothing\": 0.1}", 1), false,
            "mse takes no label_smoothing. It belongs to cross_entropy");
    refuses(recipe_of("4-1", "{\"beta\": 2}", 1), true, "mse takes no beta. It belongs to smooth_l1");
    refuses(recipe_of("4-3", "{\"weight\": [1, 2]}", 1), false, "it has 2 numbers, the network has 3 outputs");
    refuses(recipe_of("4-3", "{\"weight\": [1, 2, -1]}", 1), false, "can not be negative");
    refuses(recipe_of("4-1", "{\"name\": \"bce_with_logits\", \"pos_weight\": \"balanced\"}", 1), true,
            "balanced needs classes");
    refuses(recipe_of("4-3", "{\"name\": \"bce\", \"weight\": \"balanced\"}", 1), false,
            "bce weighs outputs, which have no count to balance by");
    refuses(recipe_of("4-1", "\"kl_div\"", 1), false, "the network has 1 output, the data have 3 classes");
}

/* What the table of keys refuses by itself. */
static void test_recipe_words(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_recipe *r = NULL;
    assert_int_equal(hd_recipe_parse(&r, ctx, "r", "{\"train\": {\"loss\": {\"name\": \"crossentropy\"}}}"),
                     HD_E_MODEL);
    assert_non_null(strstr(hd_last_error(ctx), "Did you mean cross_entropy?"));
    assert_int_equal(hd_recipe_parse(&r, ctx, "r", "{\"train\": {\"loss\": {\"weight\": \"even\"}}}"), HD_E_MODEL);
    assert_int_equal(hd_recipe_parse(&r, ctx, "r", "{\"train\": {\"loss\": {\"weight\": [1, \"x\"]}}}"), HD_E_MODEL);
    assert_int_equal(hd_recipe_parse(&r, ctx, "r", "{\"train\": {\"loss\": \"focal\"}}"), HD_OK);
    assert_int_equal(hd_recipe_set(r, "loss.gamma", "0.5"), HD_OK);
    assert_int_equal(hd_recipe_set(r, "loss.gamma", "-1"), HD_E_USAGE);
    assert_int_equal(hd_recipe_set(r, "loss.weight", "1,2.5,3"), HD_OK);
    assert_int_equal(hd_recipe_said(r, "train.loss.weight")->count, 3);
    assert_int_equal(hd_recipe_set(r, "loss.weight", "[1, 2]"), HD_OK);
    assert_int_equal(hd_recipe_said(r, "train.loss.weight")->count, 2);
    assert_int_equal(hd_recipe_set(r, "loss", "nll"), HD_OK);
    assert_string_equal(hd_recipe_text(r, "train.loss.name"), "nll");
    assert_true(hd_recipe_number(r, "train.loss.gamma") == 0.5);
    hd_recipe_free(r);
    hd_context_free(ctx);
}

/* ---- failing allocations ---- */

static hd_status build_model(hd_context *ctx, void *arg) {
    hd_recipe *r = NULL;
    hd_model *m = NULL;
    const char *text = arg;
    const hd_data_info info = {.name = "toy", .kind = "toy", .sample = HD_DIMS(4), .classes = 3, .targets = 1};
    hd_status status = hd_recipe_parse(&r, ctx, "r", text);
    if (status == HD_OK) status = hd_loss_balance(r, 3, (const int64_t[]){3, 0, 5});
    if (status == HD_OK) status = hd_model_new(&m, r, &info);
    hd_model_free(m);
    hd_recipe_free(r);
    return status;
}

static void test_no_memory(void **state) {
    (void)state;
    static const char *const losses[] = {
        "{\"name\": \"nll\", \"weight\": \"balanced\", \"ignore_index\": 1}",
        "{\"name\": \"bce_with_logits\", \"pos_weight\": \"balanced\", \"weight\": [1, 2, 3]}",
    };
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        assert_true(fail_every_allocation(build_model, (void *)(uintptr_t)recipe_of("4-3", losses[i], 1)) > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),  cmocka_unit_test(test_one_output),   cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_balanced), cmocka_unit_test(test_saved),        cmocka_unit_test(test_weighted_mean),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_recipe_words), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
