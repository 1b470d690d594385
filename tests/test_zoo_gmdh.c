/* test_zoo_gmdh.c: polynomials that grow: a known quadratic is found again, with its coefficients; growth ends by
 * itself; what was grown is a model like any other. */
#include "lesson.h"

#include "base/rng.h"
#include <math.h>

enum { ROWS = 300, COLUMNS = 5 };

static float x[ROWS * COLUMNS], y[ROWS];

static double quadratic(const float *v) {
    return 1 + 2 * (double)v[1] + 0.25 * (double)v[1] * (double)v[3] - 0.75 * (double)v[3] * (double)v[3];
}

/* Something that one quadratic of two values can not say. */
static double winding(const float *v) {
    return sin((double)v[0]) + 0.5 * (double)v[1] * (double)v[2] + (double)v[3] + 0.2 * (double)v[4] * (double)v[4];
}

static hd_dataset *table(hd_context *ctx, double (*f)(const float *), double noise) {
    hd_rng rng = hd_rng_new(3, "gmdh test");
    hd_dataset *data;
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < COLUMNS; k++) x[i * COLUMNS + k] = (float)(-3 + 8 * hd_rng_uniform(&rng));
        y[i] = (float)(f(x + i * COLUMNS) + noise * hd_rng_normal(&rng));
    }
    const hd_data_arrays a = {
        .x = x, .dtype = HD_F32, .sample = HD_DIMS(COLUMNS), .n = ROWS, .values = y, .targets = 1};
    assert_int_equal(hd_data_from_arrays(&data, ctx, &a), HD_OK);
    return data;
}

static void is_near(double got, double want) {
    if (!(fabs(got - want) < 1e-4)) fail_msg("%.9g, expected %.9g", got, want);
}

static void finds_a_quadratic_again(void **state) {
    (void)state;
    static const double want[] = {1, 2, 0, 0.25, 0, -0.75}; /* of 1, a, b, ab, a², b² */
    lesson l = {.ctx = test_context(1)};
    hd_dataset *data = table(l.ctx, quadratic, 0);
    learn(&l, "{\"model\": \"gmdh\", \"eval\": {\"baselines\": false}}", data);
    assert_int_equal(found(&l, "layers")->integer, 1);
    const hd_json *unit = found(&l, "polynomial")->child;
    assert_string_equal(hd_json_get(unit, "a")->string, "x2");
    assert_string_equal(hd_json_get(unit, "b")->string, "x4");
    const hd_json *w = hd_json_get(unit, "coefficients")->child;
    for (int k = 0; k < 6; k++, w = w->next) is_near(w->number, want[k]);
    assert_non_null(strstr(l.result.note, "y = 1 + 2·x2 + 0.25·x2·x4 − 0.75·x4²"));
    assert_true(hd_scores_find(&l.result.test, "rmse")->value < 1e-3);
    float score;
    for (int i = 0; i < ROWS; i += 29) {
        assert_int_equal(hd_model_predict(hd_trainer_model(l.trainer), x + i * COLUMNS, 1, &score), HD_OK);
        assert_true(fabs((double)score - quadratic(x + i * COLUMNS)) < 1e-3);
    }
    forget(&l);
    hd_data_free(data);
    hd_context_free(l.ctx);
}

/* Each layer is better than the one before on the half that selects, and the network beats a plane. */
static void grows_until_nothing_is_gained(void **state) {
    (void)state;
    lesson l = {.ctx = test_context(1)};
    hd_dataset *data = table(l.ctx, winding, 0.3);
    learn(&l, "{\"model\": {\"name\": \"gmdh\", \"most_layers\": 100}}", data);
    const int64_t layers = found(&l, "layers")->integer;
    assert_true(layers >= 2 && layers < 30); /* it has stopped by itself */
    double before = INFINITY;
    for (const hd_json *c = found(&l, "criterion")->child; c; c = c->next) {
        assert_true(c->number < before);
        before = c->number;
    }
    assert_true(hd_scores_find(&l.result.test, "rmse")->value < l.result.linear);
    forget(&l);
    hd_data_free(data);
    hd_context_free(l.ctx);
}

static void is_a_model_like_any_other(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_dataset *data = table(ctx, winding, 0.1);
    comes_back_the_same(ctx, "{\"model\": \"gmdh\"}", data, x, ROWS, 1);
    gradient_is_right("gmdh", HD_DIMS(4), 1, "{\"structure\": \"0-1 2-3 0-3; 0-1 1-2; 0-1\"}");
    hd_data_free(data);
    hd_context_free(ctx);
}

/* What can not be predicted by it is said before anything is grown. */
static void wrong_data_are_refused(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_recipe *r;
    hd_trainer *t = NULL;
    assert_int_equal(hd_recipe_parse(&r, ctx, "recipe", "{\"data\": {\"source\": \"xor\"}, \"model\": \"gmdh\"}"),
                     HD_OK);
    assert_int_equal(hd_trainer_new(&t, ctx, &(hd_trainer_args){.recipe = r, .out = ""}), HD_E_MODEL);
    assert_non_null(strstr(hd_last_error(ctx), "gmdh predicts one number, xor has classes"));
    hd_recipe_free(r);
    hd_context_free(ctx);
}

static void wrong_structures_are_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {"0-9", "0-1 1-2", "0-1;", "a-b", "0", "0-1; 0-1", "-", "0-1 1-2; 0-2", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char options[64];
        hd_context *ctx = test_context(1);
        hd_graph *g;
        assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
        (void)snprintf(options, sizeof options, "{\"structure\": \"%s\"}", wrong[i]);
        const hd_val v = hd_zoo_build(hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 3)), "gmdh", 1, options);
        if (strcmp(wrong[i], "0-1;") == 0)
            assert_int_equal(hd_graph_status(g), HD_OK); /* nothing stands behind the last sign */
        else if (!hd_val_is_none(v))
            fail_msg("\"%s\" was taken", wrong[i]);
        hd_graph_free(g);
        hd_context_free(ctx);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_a_quadratic_again),      cmocka_unit_test(grows_until_nothing_is_gained),
        cmocka_unit_test(is_a_model_like_any_other),    cmocka_unit_test(wrong_data_are_refused),
        cmocka_unit_test(wrong_structures_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
