/* test_recipe.c: recipes: what is read, what is refused and where, single keys, defaults, and the way back from JSON.
 */
#include "ctx_case.h"

#include "train/recipe.h"

static hd_recipe *read_recipe(const char *text) {
    hd_recipe *r;
    if (hd_recipe_parse(&r, ctx, "r.yaml", text) != HD_OK) fail_msg("%s: %s", text, hd_last_error(ctx));
    return r;
}

static void refuses(const char *text, const char *message) {
    hd_recipe *r = NULL;
    assert_int_equal(hd_recipe_parse(&r, ctx, "r.yaml", text), HD_E_MODEL);
    assert_null(r);
    if (strcmp(hd_last_error(ctx), message) != 0)
        fail_msg("%s:\n  \"%s\"\n  not \"%s\"", text, hd_last_error(ctx), message);
}

static const char whole[] =
    "{\"data\": {\"source\": \"mnist\", \"val\": 0.25},\n"
    " \"model\": [{\"linear\": {\"out_features\": 10}}, \"relu\"],\n"
    " \"train\": {\"loss\": \"cross_entropy\", \"optimizer\": {\"name\": \"sgd\", \"momentum\": 0.9},\n"
    "   \"schedule\": \"cosine\", \"epochs\": 3, \"max_norm\": 1},\n"
    " \"eval\": {\"metrics\": [\"accuracy\", \"f1\"]}}";

static void test_values_and_defaults(void **state) {
    (void)state;
    hd_recipe *r = read_recipe(whole);
    assert_string_equal(hd_recipe_text(r, "data.source"), "mnist");
    assert_true(hd_recipe_number(r, "data.val") == 0.25);
    assert_string_equal(hd_recipe_text(r, "train.schedule.name"), "cosine");
    assert_int_equal(hd_recipe_int(r, "train.epochs"), 3);
    assert_int_equal(hd_recipe_int(r, "train.batch_size"), 128);
    assert_true(hd_recipe_bool(r, "train.shuffle"));
    assert_null(hd_recipe_text(r, "train.target"));
    const hd_optimizer o = hd_recipe_optimizer(r);
    assert_string_equal(o.name, "sgd");
    assert_true(o.lr == 0.01 && o.momentum == 0.9 && o.weight_decay == 0 && o.max_norm == 1);
    hd_recipe_free(r);
    assert_int_equal(hd_recipe_new(&r, ctx), HD_OK);
    const hd_optimizer usual = hd_recipe_optimizer(r);
    assert_string_equal(usual.name, "adamw");
    assert_true(usual.lr == 0.001 && usual.weight_decay == 0.01);
    hd_recipe_free(r);
}

static void test_resolved(void **state) {
    (void)state;
    char *first, *second;
    hd_recipe *r = read_recipe(whole), *again;
    assert_int_equal(hd_recipe_json(r, &first), HD_OK);
    assert_non_null(strstr(first, "\"lr\": 0.01"));
    assert_non_null(strstr(first, "\"batch_size\": 128"));
    assert_null(strstr(first, "beta1")); /* sgd reads none */
    assert_int_equal(hd_recipe_parse(&again, ctx, "again", first), HD_OK);
    assert_int_equal(hd_recipe_check_whole(again), HD_OK);
    assert_int_equal(hd_recipe_json(again, &second), HD_OK);
    assert_string_equal(first, second);
    hd_memory_free(ctx, first);
    hd_memory_free(ctx, second);
    hd_recipe_free(r);
    hd_recipe_free(again);
}

static void test_refused(void **state) {
    (void)state;
    refuses("{\"train\":\n  {\"epoch\": 3}}", "r.yaml:2:4: unknown key \"epoch\". Did you mean epochs?");
    refuses("{\"trian\": {}}", "r.yaml:1:2: unknown key \"trian\". Did you mean train?");
    refuses("{\"train\": {\"weight_decay\": 0}}",
            "r.yaml:1:12: unknown key \"weight_decay\". It belongs elsewhere: train.optimizer.weight_decay");
    refuses("{\"zebra\": 1}",
            "r.yaml:1:2: unknown key \"zebra\". A recipe has data, model, …; all are listed by `hadal help recipe`");
    refuses("{\"train\": {\"epochs\": 0}}", "r.yaml:1:22: train.epochs is 1 or more, not 0");
    refuses("{\"train\": {\"epochs\": 1.5}}", "r.yaml:1:22: train.epochs takes a whole number, not 1.5. train.epochs: "
                                              "times through the training part");
    refuses("{\"data\": {\"val\": 1}}", "r.yaml:1:18: data.val lies between 0 and 0.95, not 1");
    refuses("{\"train\": {\"optimizer\": \"adamm\"}}",
            "r.yaml:1:25: train.optimizer.name can not be \"adamm\". Did you mean adam?");
    refuses("{\"train\": {\"optimizer\": {\"name\": \"zebra\"}}}",
            "r.yaml:1:34: train.optimizer.name can not be \"zebra\". It can be sgd, adam, adamw, adagrad, adadelta, "
            "adamax, nadam, radam, asgd, rprop, rmsprop, lion, muon");
    refuses("{\"train\": {\"optimizer\": {\"name\": \"rmsprop\", \"alpa\": 0.9}}}",
            "r.yaml:1:45: unknown key \"alpa\". Did you mean alpha?");
    refuses("{\"train\": {\"shuffle\": 1}}",
            "r.yaml:1:23: train.shuffle takes a yes or no, not 1. train.shuffle: a new "
            "order of the samples each epoch");
    refuses("{\"train\": 3}", "r.yaml:1:11: train holds keys, not 3. Write train: {…}");
    refuses("[1]", "r.yaml:1:1: a recipe holds keys. Begin with data:, model:, train:");
    refuses("{\"eval\": {\"metrics\": [1]}}",
            "r.yaml:1:22: eval.metrics takes a list, not of other things than texts. eval.metrics: "
            "what is measured: accuracy, f1, perplexity, bits; frame_accuracy for notes; rmse, mae, "
            "r2 for numbers");
    refuses("{\"train\": {\"epochs\": 3, \"epochs\": 4}}",
            "r.yaml:1:25: the key \"epochs\" stands here a second time; the first is in line 1. Remove one");
}

static void test_yaml_place(void **state) {
    (void)state;
#ifdef HD_HAVE_YAML
    refuses("data: mnist\ntrain:\n  epochs: 3\n  optimiser: sgd\n",
            "r.yaml:4:3: unknown key \"optimiser\". Did you mean optimizer?");
    hd_recipe *r =
        read_recipe("data: mnist\nmodel: 784-10\ntrain:\n  optimizer: {name: adamw, lr: 0.01}\n  time: 30m\n");
    assert_string_equal(hd_recipe_text(r, "model"), "784-10");
    assert_string_equal(hd_recipe_text(r, "data.source"), "mnist");
    assert_true(hd_recipe_number(r, "train.optimizer.lr") == 0.01);
    hd_recipe_free(r);
    r = read_recipe("~\n"); /* nothing: all defaults */
    assert_int_equal(hd_recipe_int(r, "train.epochs"), 10);
    hd_recipe_free(r);
#else
    hd_recipe *r;
    assert_int_equal(hd_recipe_parse(&r, ctx, "r.yaml", "data: mnist\n"), HD_E_UNSUPPORTED);
#endif
}

static void test_whole_checks(void **state) {
    (void)state;
    hd_recipe *r = read_recipe("{\"train\": {\"optimizer\": {\"momentum\": 0.9}}}");
    assert_int_equal(hd_recipe_check_whole(r), HD_E_MODEL);
    assert_string_equal(hd_last_error(ctx), "r.yaml:1:26: adamw takes no momentum. It belongs to sgd, rmsprop, muon");
    assert_int_equal(hd_recipe_set(r, "optimizer", "sgd"), HD_OK);
    assert_int_equal(hd_recipe_check_whole(r), HD_OK);
    assert_int_equal(hd_recipe_set(r, "schedule.gamma", "0.5"), HD_OK);
    assert_int_equal(hd_recipe_check_whole(r), HD_E_MODEL);
    assert_int_equal(hd_recipe_set(r, "schedule", "step"), HD_OK);
    assert_int_equal(hd_recipe_check_whole(r), HD_OK);
    hd_recipe_free(r);
}

static void set(hd_recipe *r, const char *key, const char *value) {
    if (hd_recipe_set(r, key, value) != HD_OK) fail_msg("%s=%s: %s", key, value, hd_last_error(ctx));
}

static void test_set(void **state) {
    (void)state;
    hd_recipe *r;
    assert_int_equal(hd_recipe_new(&r, ctx), HD_OK);
    set(r, "lr", "1e-2");
    set(r, "batch-size", "32");
    set(r, "train.optimizer.weight_decay", "0");
    set(r, "data", "moons");
    set(r, "data.seed", "7");
    set(r, "seed", "9");
    set(r, "n", "500");
    set(r, "metrics", "accuracy,f1");
    set(r, "shuffle", "no");
    set(r, "time", "30m");
    assert_true(hd_recipe_number(r, "train.optimizer.lr") == 0.01);
    assert_int_equal(hd_recipe_int(r, "train.batch_size"), 32);
    assert_int_equal(hd_recipe_int(r, "train.seed"), 9);
    assert_int_equal(hd_recipe_int(r, "data.seed"), 7);
    assert_false(hd_recipe_bool(r, "train.shuffle"));
    assert_int_equal(hd_recipe_said(r, "eval.metrics")->count, 2);
    assert_string_equal(hd_recipe_text(r, "train.time"), "30m");
    const hd_optimizer o = hd_recipe_optimizer(r);
    assert_true(o.weight_decay == 0 && 1 / o.weight_decay < 0); /* an explicit zero */
    assert_int_equal(hd_recipe_set(r, "lrr", "1"), HD_E_USAGE);
    assert_string_equal(hd_last_error(ctx), "lrr: no recipe has this key, or more than one. Did you mean lr?");
    assert_int_equal(hd_recipe_set(r, "name", "x"), HD_E_USAGE);
    assert_int_equal(hd_recipe_set(r, "epochs", "many"), HD_E_USAGE);
    assert_int_equal(hd_recipe_set(r, "lr", "-1"), HD_E_USAGE);
    assert_int_equal(hd_recipe_set(r, "epochs", "3.5"), HD_E_USAGE);
    hd_recipe_free(r);
}

static void test_set_model(void **state) {
    (void)state;
    hd_recipe *r;
    assert_int_equal(hd_recipe_new(&r, ctx), HD_OK);
    set(r, "model.hidden", "200,100");
    set(r, "model", "mlp");
    assert_string_equal(hd_recipe_said(r, "model.name")->string, "mlp");
    assert_int_equal(hd_recipe_said(r, "model.hidden")->child->next->integer, 100);
    set(r, "model", "784-10");
    assert_string_equal(hd_recipe_text(r, "model"), "784-10");
    assert_int_equal(hd_recipe_set(r, "model.hidden", "3"), HD_E_USAGE);
    set(r, "model", "[\"relu\"]");
    assert_int_equal(hd_recipe_set(r, "model.hidden", "3"), HD_E_USAGE);
    set(r, "model", "lenet5");
    set(r, "model.activation", "tanh");
    assert_string_equal(hd_recipe_said(r, "model.name")->string, "lenet5");
    hd_recipe_free(r);
}

static void test_keys(void **state) {
    (void)state;
    int n = 0;
    for (const hd_recipe_key *k; (k = hd_recipe_key_at(n)) != NULL; n++) {
        assert_ptr_equal(hd_recipe_key_find(k->name), k);
        assert_true(strlen(k->help) > 5);
        if (strcmp(k->name, "data.seed") == 0 || strcmp(k->name, "train.schedule.patience") == 0 ||
            strncmp(k->name, "train.loss.", 11) == 0)
            continue;
        const char *dot = strrchr(k->name, '.');
        const hd_recipe_key *found = hd_recipe_key_find(dot ? dot + 1 : k->name);
        if (found != k && !strstr(k->name, ".name")) fail_msg("%s has no short form of its own", k->name);
    }
    assert_true(n > 40);
    assert_string_equal(hd_recipe_key_find("optimizer")->name, "train.optimizer.name");
    assert_string_equal(hd_recipe_key_find("optimizer.momentum")->name, "train.optimizer.momentum");
    assert_string_equal(hd_recipe_key_find("model.depth")->name, "model");
    assert_string_equal(hd_recipe_key_find("weight-decay")->name, "train.optimizer.weight_decay");
    assert_string_equal(hd_recipe_key_find("seed")->name, "train.seed");
    assert_string_equal(hd_recipe_key_find("loss")->name, "train.loss.name");
    assert_string_equal(hd_recipe_key_find("label-smoothing")->name, "train.loss.label_smoothing");
    assert_string_equal(hd_recipe_key_find("loss.gamma")->name, "train.loss.gamma");
    assert_string_equal(hd_recipe_key_find("gamma")->name, "train.schedule.gamma");
    assert_string_equal(hd_recipe_key_find("alpha")->name, "train.optimizer.alpha");
    assert_null(hd_recipe_key_find("name"));
    assert_null(hd_recipe_key_find(""));
}

static hd_status everything(hd_context *c, void *arg) {
    (void)arg;
    hd_recipe *r = NULL, *copy = NULL;
    char *json = NULL;
    hd_status status = hd_recipe_parse(&r, c, "r", whole);
    if (status == HD_OK) status = hd_recipe_set(r, "model.hidden", "[1]") == HD_E_MEMORY ? HD_E_MEMORY : HD_OK;
    if (status == HD_OK) status = hd_recipe_set(r, "metrics", "accuracy,f1");
    if (status == HD_OK) status = hd_recipe_copy(&copy, r);
    if (status == HD_OK) status = hd_recipe_json(copy, &json);
    hd_memory_free(c, json);
    hd_recipe_free(copy);
    hd_recipe_free(r);
    return status;
}

static void test_failing_allocations(void **state) {
    (void)state;
    assert_true(fail_every_allocation(everything, NULL) > 5);
}

static void test_no_data(void **state) {
    (void)state;
    hd_recipe *r;
    hd_dataset *data;
    assert_int_equal(hd_recipe_new(&r, ctx), HD_OK);
    assert_int_equal(hd_recipe_open_data(&data, r, NULL), HD_E_MODEL);
    hd_recipe_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_and_defaults),
        cmocka_unit_test(test_resolved),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_yaml_place),
        cmocka_unit_test(test_whole_checks),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_set_model),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_no_data),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
