/* test_groups.c: groups of parameters, averages, accumulation and the guard against outliers in recipes and runs. */
#include "trainer_run.h"

#include <math.h>

static void wrong(const char *train, const char *message) {
    char text[512];
    hd_recipe *r = NULL;
    hd_context *ctx = test_context(1);
    (void)snprintf(text, sizeof text, "{\"train\": {%s}}", train);
    assert_int_equal(hd_recipe_parse(&r, ctx, "r", text), HD_E_MODEL);
    if (!strstr(hd_last_error(ctx), message)) fail_msg("%s: \"%s\" lacks \"%s\"", train, hd_last_error(ctx), message);
    hd_context_free(ctx);
}

static void test_words(void **state) {
    (void)state;
    wrong("\"groups\": [{\"param\": \"a\"}]", "a group has no \"param\". Did you mean params?");
    wrong("\"groups\": [{\"lr\": 1}]", "a group of train.groups lacks params");
    wrong("\"groups\": [{\"params\": 1}]", "params of a group takes a name");
    wrong("\"groups\": [{\"params\": []}]", "params of a group takes a name");
    wrong("\"groups\": [{\"params\": \"a\", \"lr\": -1}]", "lr of a group is a number between 0 and 1e6");
    wrong("\"groups\": [{\"params\": \"a\", \"lr\": 1, \"lr_scale\": 1}]", "lr or lr_scale, not both");
    wrong("\"groups\": [1]", "train.groups takes a list");
    wrong("\"no_decay\": [1]", "train.no_decay takes a text");
    wrong("\"ema\": 1", "train.ema lies between 0 and");
    wrong("\"accumulate\": 0", "train.accumulate lies between 1 and");
}

static void test_settled(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_arena arena = {.ctx = ctx};
    hd_recipe *r;
    hd_optimizer o;
    const char *text = "{\"train\": {\"optimizer\": {\"lr\": 0.1}, \"no_decay\": [\"norms-and-biases\", \"emb*\"], "
                       "\"groups\": [{\"params\": [\"a.*\", \"b\"], \"lr\": 0.02, \"weight_decay\": 0}, "
                       "{\"params\": \"c\", \"lr\": 0}]}}";
    assert_int_equal(hd_recipe_parse(&r, ctx, "r", text), HD_OK);
    assert_int_equal(hd_recipe_training(&o, &arena, r), HD_OK);
    assert_int_equal(o.group_count, 5);
    assert_string_equal(o.groups[0].pattern, "a.*");
    assert_string_equal(o.groups[1].pattern, "b");
    assert_true(fabs(o.groups[1].lr_scale - 0.2) < 1e-15 && signbit(o.groups[1].weight_decay));
    assert_true(o.groups[2].lr_scale == 0 && signbit(o.groups[2].lr_scale));
    assert_true(o.groups[3].vectors && !o.groups[3].pattern && signbit(o.groups[3].weight_decay));
    assert_string_equal(o.groups[4].pattern, "emb*");
    assert_false(o.accumulate);
    hd_recipe_free(r);
    hd_arena_free(&arena);
    hd_context_free(ctx);
}

static void test_no_such_name(void **state) {
    (void)state;
    refuses(RECIPE(", \"groups\": [{\"params\": \"conv*\", \"lr\": 1}]"), "", NULL, HD_E_MODEL,
            "no trained parameter is called \"conv*\"");
    refuses(RECIPE(", \"no_decay\": \"gain\""), "", NULL, HD_E_MODEL, "no trained parameter is called \"gain\"");
}

/* What the average is does not change what is trained, but what is evaluated and kept as the best. */
static void test_average(void **state) {
    (void)state;
    run plain = {.recipe = RECIPE(""), .out = path_of("plain")};
    run average = {.recipe = RECIPE(", \"ema\": 0.5"), .out = path_of("average")};
    run_it(&plain);
    run_it(&average);
    assert_string_equal(plain.result.weights_sha256, average.result.weights_sha256); /* of the last weights */
    assert_true(plain.result.val.loss != average.result.val.loss);
    assert_true(average.result.val.loss == average.best_again.loss);
}

/* 32 samples twice a step are 64 samples a step, up to rounding; the last ones of an epoch too. */
static void test_accumulated(void **state) {
    static const char two[] =
        "{\"model\": \"4-8-tanh-1\", \"train\": {\"epochs\": 3, \"batch_size\": 32, \"accumulate\": "
        "2, \"max_norm\": 0.5}}";
    static const char one[] =
        "{\"model\": \"4-8-tanh-1\", \"train\": {\"epochs\": 3, \"batch_size\": 64, \"max_norm\": 0.5}}";
    (void)state;
    run a = {.recipe = two, .numbers = true}, b = {.recipe = one, .numbers = true};
    run_it(&a);
    run_it(&b);
    assert_true(a.result.steps > b.result.steps);
    if (!(fabs(a.result.val.loss - b.result.val.loss) <= 1e-5 * b.result.val.loss))
        fail_msg("loss %.9g, with one batch %.9g", a.result.val.loss, b.result.val.loss);
    const double off = fabs(a.result.train.loss - b.result.train.loss);
    assert_true(off <= 1e-5 * b.result.train.loss);
}

static void test_threads(void **state) {
    static const char recipe[] = RECIPE(", \"ema\": 0.9, \"accumulate\": 3, \"skip_outliers\": 1, \"no_decay\": "
                                        "\"norms-and-biases\", \"optimizer\": \"lion\"");
    (void)state;
    run one = {.recipe = recipe};
    run_it(&one);
    assert_non_null(strstr(one.json, "\"skipped_steps\": "));
    for (int threads = 2; threads <= 3; threads++) {
        run more = {.recipe = recipe, .threads = threads};
        run_it(&more);
        same_result(&one, &more);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_settled),
                                       RUN_TEST(test_no_such_name),  RUN_TEST(test_average),
                                       RUN_TEST(test_accumulated),   RUN_TEST(test_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
