/* test_metrics.c: losses, scores and metrics with their intervals, against numbers worked out elsewhere. */
#include "ctx_case.h"

#include "train/recipe.h"
#include "train/task.h"
#include <math.h>

static void near(double got, double want, double within) {
    if (!(fabs(got - want) <= within)) fail_msg("%.12g, not %.12g", got, want);
}

static hd_scores score(const hd_task *task, const float *y, const int64_t *label, const float *values, int64_t n,
                       const char *metrics) {
    hd_tally tally;
    hd_metric_list list;
    hd_scores s;
    hd_recipe *r;
    char text[100];
    (void)snprintf(text, sizeof text, "{\"eval\": {\"metrics\": %s}}", metrics);
    assert_int_equal(hd_recipe_parse(&r, ctx, "r", text), HD_OK);
    assert_int_equal(hd_metric_list_make(&list, r, task), HD_OK);
    hd_task settled = *task;
    hd_arena arena = {.ctx = ctx};
    assert_int_equal(hd_loss_settle(&settled, NULL, &arena), HD_OK);
    assert_int_equal(hd_tally_init(&tally, ctx, &settled, true), HD_OK);
    hd_tally_add(&tally, y, label, values, n, true);
    hd_scores_make(&s, &tally, &list);
    hd_tally_free(&tally, ctx);
    hd_arena_free(&arena);
    hd_recipe_free(r);
    return s;
}

/* The loss of one sample; target NULL: of a class. */
static double loss_of(const char *name, const float *y, const float *target, int64_t label, int64_t outputs) {
    hd_task task = {
        .loss = hd_loss_find(NULL, name), .classes = target ? 0 : outputs, .outputs = outputs, .targets = outputs};
    hd_arena arena = {.ctx = ctx};
    double row[8], wanted[8] = {0};
    for (int64_t k = 0; k < outputs; k++) row[k] = (double)y[k];
    for (int64_t k = 0; k < outputs && target; k++) wanted[k] = (double)target[k];
    assert_int_equal(hd_loss_settle(&task, NULL, &arena), HD_OK);
    const double loss = hd_loss_value(&task.use, row, target ? wanted : NULL, label, outputs);
    hd_arena_free(&arena);
    return loss;
}

/* Wilson's interval for 50 of 100 and 10 of 10: published in many tables. */
static void test_accuracy(void **state) {
    (void)state;
    const hd_task task = {.loss = hd_loss_find(NULL, "cross_entropy"), .classes = 2, .outputs = 2, .targets = 1};
    float y[200];
    int64_t label[100];
    for (int i = 0; i < 100; i++) {
        y[2 * i] = 1, y[2 * i + 1] = 0;
        label[i] = i % 2;
    }
    const hd_scores half = score(&task, y, label, NULL, 100, "[\"accuracy\"]");
    near(half.metric[0].value, 0.5, 0);
    near(half.metric[0].low, 0.403832, 1e-6);
    near(half.metric[0].high, 0.596168, 1e-6);
    for (int i = 0; i < 10; i++) label[i] = 0;
    const hd_scores all = score(&task, y, label, NULL, 10, "[\"accuracy\"]");
    near(all.metric[0].value, 1, 0);
    near(all.metric[0].low, 0.722467, 1e-6);
    near(all.metric[0].high, 1, 1e-12);
    near(all.loss, log(1 + exp(-1)), 1e-9);
}

/* Three classes, confusion [[2,1,0],[0,3,1],[1,0,2]]: F1 = 4/6, 6/8, 4/6; the interval by finite differences here. */
static void test_f1(void **state) {
    (void)state;
    const hd_task task = {.loss = hd_loss_find(NULL, "cross_entropy"), .classes = 3, .outputs = 3, .targets = 1};
    const double c[3][3] = {{2, 1, 0}, {0, 3, 1}, {1, 0, 2}};
    float y[30] = {0};
    int64_t label[10];
    int n = 0;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < (int)c[i][j]; k++, n++) {
                y[3 * n + j] = 1;
                label[n] = i;
            }
    const hd_scores s = score(&task, y, label, NULL, n, "[\"accuracy\", \"f1\"]");
    near(s.metric[1].value, (4.0 / 6 + 6.0 / 8 + 4.0 / 6) / 3, 1e-12);
    double mean = 0, square = 0;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            double f[2];
            for (int side = 0; side < 2; side++) {
                double p[3][3], sum = 0;
                for (int a = 0; a < 3; a++)
                    for (int b = 0; b < 3; b++) p[a][b] = c[a][b] / n;
                p[i][j] += side ? 1e-6 : -1e-6;
                for (int a = 0; a < 3; a++) {
                    double both = 0;
                    for (int b = 0; b < 3; b++) both += p[a][b] + p[b][a];
                    sum += 2 * p[a][a] / both;
                }
                f[side] = sum / 3;
            }
            const double g = (f[1] - f[0]) / 2e-6;
            mean += c[i][j] / n * g;
            square += c[i][j] / n * g * g;
        }
    const double half = 1.959963984540054 * sqrt((square - mean * mean) / n);
    near(s.metric[1].low, s.metric[1].value - half, 1e-6);
    near(s.metric[1].high, fmin(1, s.metric[1].value + half), 1e-6);
}

static void test_values(void **state) {
    (void)state;
    const hd_task task = {.loss = hd_loss_find(NULL, "mse"), .classes = 0, .outputs = 1, .targets = 1};
    const float y[4] = {1, 2, 3, 6}, t[4] = {1, 3, 3, 4};
    const hd_scores s = score(&task, y, NULL, t, 4, "[\"rmse\", \"mae\", \"r2\"]");
    near(s.loss, 5.0 / 4, 1e-12);
    near(hd_scores_find(&s, "rmse")->value, sqrt(5.0 / 4), 1e-12);
    near(hd_scores_find(&s, "mae")->value, 3.0 / 4, 1e-12);
    near(hd_scores_find(&s, "r2")->value, 1 - 5.0 / 4.75, 1e-12);
    /* Squares 0 1 0 4: variance 2.6875, half width 1.96 √(2.6875 / 4). */
    const double half = 1.959963984540054 * sqrt(2.6875 / 4);
    near(hd_scores_find(&s, "rmse")->high, sqrt(1.25 + half), 1e-9);
    assert_true(hd_scores_find(&s, "rmse")->low == 0);
    const float flat[4] = {2, 2, 2, 2};
    const hd_scores same = score(&task, flat, NULL, flat, 4, "[\"r2\"]");
    near(same.metric[0].value, 1, 0);
}

static void test_losses(void **state) {
    (void)state;
    const float y[3] = {1, -2, 0.5f}, target[3] = {1, 0, 1};
    const double z = exp(1) + exp(-2) + exp(0.5);
    near(loss_of("cross_entropy", y, NULL, 1, 3), log(z) + 2, 1e-7);
    near(loss_of("mse", y, target, 0, 3), (0 + 4 + 0.25) / 3, 1e-12);
    near(loss_of("half_squared_error", y, target, 0, 3), 4.25 / 2, 1e-12);
    near(loss_of("bce_with_logits", y, target, 0, 3), (log(1 + exp(-1)) + log(1 + exp(-2)) + log(1 + exp(-0.5))) / 3,
         1e-7);
    const float far[2] = {1000, -1000}, zero[2] = {0, 0};
    near(loss_of("bce_with_logits", far, zero, 0, 2), 500, 1e-9);
    near(loss_of("cross_entropy", far, NULL, 1, 2), 2000, 1e-9);
    assert_null(hd_loss_find(NULL, "hinges").name);
}

/* A class as numbers: the tally's loss is the loss over the target row. */
static void test_classes_as_numbers(void **state) {
    (void)state;
    static const char *const names[] = {"mse", "half_squared_error", "bce_with_logits"};
    const float y[4] = {0.25f, -1, 2, 0.5f};
    const int64_t label[1] = {2};
    float target[4];
    for (int i = 0; i < 3; i++) {
        const hd_task task = {.loss = hd_loss_find(NULL, names[i]), .classes = 4, .outputs = 4, .targets = 1};
        hd_task_target(&task, 2, target);
        assert_true(target[0] == 0 && target[1] == 0 && target[2] == 1 && target[3] == 0);
        const hd_scores s = score(&task, y, label, NULL, 1, "[\"accuracy\"]");
        near(s.loss, loss_of(names[i], y, target, 0, 4), 1e-9);
        near(s.metric[0].value, 1, 0);
    }
}

static void test_one_output(void **state) {
    (void)state;
    const hd_task logits = {.loss = hd_loss_find(NULL, "bce_with_logits"), .classes = 2, .outputs = 1, .targets = 1};
    const hd_task shares = {.loss = hd_loss_find(NULL, "mse"), .classes = 2, .outputs = 1, .targets = 1};
    const float y[1] = {0.3f};
    float out[2];
    assert_int_equal(hd_task_choose(&logits, y), 1);
    assert_int_equal(hd_task_choose(&shares, y), 0);
    assert_int_equal(hd_task_columns(&logits), 2);
    hd_task_scores(&logits, y, out);
    near((double)out[1], 1 / (1 + exp(-0.3)), 1e-6);
    near((double)out[0] + (double)out[1], 1, 1e-6);
    hd_task_scores(&shares, y, out);
    near((double)out[1], 0.3, 1e-6);
}

static void test_softmax_of_far_logits(void **state) {
    (void)state;
    const hd_task task = {.loss = hd_loss_find(NULL, "cross_entropy"), .classes = 3, .outputs = 3, .targets = 1};
    const float y[3] = {1000, 999, -1000};
    float out[3];
    hd_task_scores(&task, y, out);
    near((double)out[0], 1 / (1 + exp(-1)), 1e-6);
    near((double)out[2], 0, 0);
}

static void test_wrong_metrics(void **state) {
    (void)state;
    const hd_task task = {.loss = hd_loss_find(NULL, "mse"), .classes = 0, .outputs = 1, .targets = 1};
    hd_metric_list list;
    hd_recipe *r;
    assert_int_equal(hd_recipe_parse(&r, ctx, "r", "{\"eval\": {\"metrics\": [\"acuracy\"]}}"), HD_OK);
    assert_int_equal(hd_metric_list_make(&list, r, &task), HD_E_MODEL);
    assert_string_equal(hd_last_error(ctx), "eval.metrics: unknown metric \"acuracy\". Did you mean accuracy?");
    assert_int_equal(hd_recipe_set(r, "metrics", "accuracy"), HD_OK);
    assert_int_equal(hd_metric_list_make(&list, r, &task), HD_E_MODEL);
    assert_string_equal(hd_last_error(ctx),
                        "eval.metrics: accuracy is for classes, these data have numbers. Take it out");
    hd_recipe_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accuracy),
        cmocka_unit_test(test_f1),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_classes_as_numbers),
        cmocka_unit_test(test_one_output),
        cmocka_unit_test(test_softmax_of_far_logits),
        cmocka_unit_test(test_wrong_metrics),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
