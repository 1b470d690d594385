/* test_schedule.c: learning rates against PyTorch's, step by step. */
#include "ctx_case.h"

#include "base/file.h"
#include "train/schedule.h"
#include <math.h>

/* The values of a case; pairs (rate, momentum) give their first. */
static void compare(const hd_json *file, const char *name, const hd_schedule *s) {
    const hd_json *list = hd_json_get(file, name);
    int64_t t = 0;
    if (!list) fail_msg("no case \"%s\"", name);
    for (const hd_json *v = list->child; v; v = v->next, t++) {
        const double want = v->type == HD_JSON_ARRAY ? v->child->number : v->number, got = hd_schedule_lr(s, t);
        if (!(fabs(got - want) <= 1e-12)) fail_msg("%s, step %lld: %.17g, not %.17g", name, (long long)t, got, want);
    }
    assert_int_equal(t, 60);
}

static void test_against_pytorch(void **state) {
    (void)state;
    const char *path = test_data("vectors/schedulers.json");
    if (!path) skip();
    hd_arena arena = {.ctx = ctx};
    hd_json *file;
    char *text;
    size_t length;
    assert_int_equal(hd_file_read(ctx, path, 0, &text, &length), HD_OK);
    assert_int_equal(hd_json_parse(&file, &arena, path, text, length), HD_OK);
    hd_schedule s = {.kind = hd_schedule_find("step"), .lr = 0.1, .total = 60, .step_size = 7, .gamma = 0.5};
    compare(file, "StepLR step_size=7 gamma=0.5", &s);
    s = (hd_schedule){.kind = hd_schedule_find("cosine"), .lr = 0.1, .total = 20, .eta_min = 0.001};
    compare(file, "CosineAnnealingLR T_max=20 eta_min=0.001", &s);
    s = (hd_schedule){.kind = hd_schedule_find("warmup"), .lr = 0.1, .total = 60, .warmup = 8, .warmup_start = 0.25};
    compare(file, "LinearLR 0.25->1 in 8", &s);
    s = (hd_schedule){.kind = hd_schedule_find("cosine"), .lr = 0.1, .total = 45, .warmup = 5, .warmup_start = 0.1};
    compare(file, "SequentialLR linear 5 then cosine 40", &s);
    s = (hd_schedule){.kind = hd_schedule_find("onecycle"),
                      .lr = 0.2,
                      .total = 61,
                      .pct_start = 0.3,
                      .div_factor = 25,
                      .final_div_factor = 1e4};
    compare(file, "OneCycleLR max=0.2 total=61 cos", &s);
    s.linear = true;
    compare(file, "OneCycleLR max=0.2 total=61 linear", &s);
    hd_arena_free(&arena);
    hd_free(ctx, text);
}

static hd_schedule from_recipe(const char *text) {
    hd_recipe *r;
    assert_int_equal(hd_recipe_parse(&r, ctx, "r", text), HD_OK);
    const hd_schedule s = hd_schedule_make(r, 10, 50);
    hd_recipe_free(r);
    return s;
}

static void test_from_recipe(void **state) {
    (void)state;
    hd_schedule s = from_recipe("{}");
    assert_false(hd_schedule_moves(&s));
    assert_true(hd_schedule_lr(&s, 49) == 0.001);
    s = from_recipe("{\"train\": {\"schedule\": {\"name\": \"cosine\", \"warmup\": 1}}}");
    assert_true(hd_schedule_moves(&s));
    assert_true(fabs(hd_schedule_lr(&s, 0) - 0.0001) < 1e-15);
    assert_true(fabs(hd_schedule_lr(&s, 10) - 0.001) < 1e-15);
    assert_true(fabs(hd_schedule_lr(&s, 30) - 0.0005) < 1e-15);
    s = from_recipe("{\"train\": {\"schedule\": {\"name\": \"step\", \"step_size\": 2}}}");
    assert_true(hd_schedule_lr(&s, 19) == 0.001);
    assert_true(fabs(hd_schedule_lr(&s, 20) - 0.0001) < 1e-15);
    s = from_recipe("{\"train\": {\"schedule\": \"warmup\"}}");
    assert_true(hd_schedule_lr(&s, 9) < 0.001 && hd_schedule_lr(&s, 10) == 0.001);
    s = from_recipe("{\"train\": {\"schedule\": \"onecycle\"}}");
    for (int64_t t = 0; t < 60; t++) assert_true(hd_schedule_lr(&s, t) > 0 && hd_schedule_lr(&s, t) <= 0.001 + 1e-15);
}

/* Runs of a step or none must not divide by it. */
static void test_short_runs(void **state) {
    (void)state;
    static const char *const names[] = {"constant", "step", "cosine", "onecycle", "warmup"};
    for (size_t i = 0; i < 5; i++)
        for (double total = 0; total < 3; total++) {
            const hd_schedule s = {.kind = hd_schedule_find(names[i]),
                                   .lr = 0.1,
                                   .total = total,
                                   .warmup = 1,
                                   .step_size = 1,
                                   .gamma = 0.5,
                                   .pct_start = 0.3,
                                   .div_factor = 25,
                                   .final_div_factor = 1e4};
            for (int64_t t = 0; t < 3; t++) assert_true(isfinite(hd_schedule_lr(&s, t)));
        }
}

/* Each setting from a recipe, epochs of ten steps. */
static void test_kinds_from_recipe(void **state) {
    static const struct {
        const char *schedule;
        int64_t step;
        double rate; /* of lr 1 */
    } cases[] = {
        {"{name: multistep, milestones: [3, 1], gamma: 0.5}", 9, 1},
        {"{name: multistep, milestones: [3, 1], gamma: 0.5}", 10, 0.5},
        {"{name: multistep, milestones: [3, 1], gamma: 0.5}", 30, 0.25},
        {"{name: multistep, milestones: [3, 1]}", 29, 0.1},
        {"{name: multistep, milestones: 2}", 19, 1},
        {"{name: multistep, milestones: 2}", 20, 0.1},
        {"{name: exponential}", 29, 0.95 * 0.95},
        {"{name: cosine_restarts, t_0: 1, t_mult: 2, eta_min: 0.2}", 10, 1},
        {"{name: cosine_restarts, t_0: 1, t_mult: 2, eta_min: 0.2}", 20, 0.6},
        {"{name: cosine_restarts, t_0: 1, t_mult: 2, eta_min: 0.2}", 30, 1},
        {"{name: linear, factor: 0.5, end_factor: 0.1}", 25, 0.3},
        {"{name: linear, factor: 0.5, end_factor: 0.1, total_iters: 2}", 25, 0.1},
        {"{name: constant, factor: 0.25, total_iters: 2}", 19, 0.25},
        {"{name: constant, factor: 0.25, total_iters: 2}", 20, 1},
        {"{name: polynomial, power: 2}", 25, 0.25},
        {"{name: polynomial, total_iters: 4}", 30, 0.25},
        {"{name: cyclic, base_lr: 0.2, step_size_up: 1, step_size_down: 3}", 0, 0.2},
        {"{name: cyclic, base_lr: 0.2, step_size_up: 1, step_size_down: 3}", 10, 1},
        {"{name: cyclic, base_lr: 0.2, step_size_up: 1, step_size_down: 3}", 25, 0.6},
        {"{name: cyclic, base_lr: 0.2, step_size_up: 1, mode: triangular2}", 30, 0.6},
        {"{name: cyclic, step_size_up: 1}", 0, 0.1},
        {"{name: plateau}", 40, 1},
        {"{name: multistep, milestones: [2], warmup: 1, warmup_start: 0.5}", 5, 0.75},
        {"{name: multistep, milestones: [2], warmup: 1}", 30, 0.1},
    };
    (void)state;
#ifdef HD_HAVE_YAML
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "train: {optimizer: {lr: 1}, schedule: %s}", cases[i].schedule);
        const hd_schedule s = from_recipe(text);
        const double rate = hd_schedule_lr(&s, cases[i].step);
        if (!(fabs(rate - cases[i].rate) < 1e-12)) fail_msg("%s: step %d has %g", text, (int)cases[i].step, rate);
    }
#else
    (void)cases;
    skip();
#endif
}

/* What would not be heard is refused. */
static void test_many_milestones(void **state) {
    (void)state;
    for (int n = HD_MAX_MILESTONES; n <= HD_MAX_MILESTONES + 1; n++) {
        char text[512];
        hd_recipe *r;
        size_t used = (size_t)snprintf(text, sizeof text,
                                       "{\"train\": {\"schedule\": {\"name\": \"multistep\", \"milestones\": [1");
        for (int i = 1; i < n; i++) used += (size_t)snprintf(text + used, sizeof text - used, ",%d", i + 1);
        (void)snprintf(text + used, sizeof text - used, "]}}}");
        assert_int_equal(hd_recipe_parse(&r, ctx, "r", text), HD_OK);
        assert_int_equal(hd_recipe_check_whole(r), n > HD_MAX_MILESTONES ? HD_E_MODEL : HD_OK);
        hd_recipe_free(r);
    }
}

static void test_plateau(void **state) {
    (void)state;
    hd_plateau p = {0};
    hd_schedule s = from_recipe("{\"train\": {\"optimizer\": {\"lr\": 1}, \"schedule\": {\"name\": \"plateau\", "
                                "\"patience\": 1, \"cooldown\": 1, \"min_lr\": 0.02}}}");
    const double accuracy[] = {0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6};
    const double rate[] = {1, 1, 1, 0.1, 0.1, 0.1, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02};
    s.plateau = &p;
    for (int i = 0; i < 12; i++) {
        hd_plateau_see(&s, &p, accuracy[i], true);
        if (fabs(hd_schedule_lr(&s, i) - rate[i]) > 1e-15) fail_msg("epoch %d: %g", i, hd_schedule_lr(&s, i));
    }
    p = (hd_plateau){0};
    const double loss[] = {-2, -3, -3.0001, -3.0002, -4};
    for (int i = 0; i < 5; i++) hd_plateau_see(&s, &p, loss[i], false);
    assert_true(p.best == -4 && p.bad == 0);
    p = (hd_plateau){0};
    s.factor = s.min_lr = 0; /* a rate of 0 stays where it is */
    for (int i = 0; i < 8; i++) hd_plateau_see(&s, &p, 1, false);
    assert_true(hd_schedule_lr(&s, 8) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_pytorch),   cmocka_unit_test(test_from_recipe),
                                       cmocka_unit_test(test_kinds_from_recipe), cmocka_unit_test(test_plateau),
                                       cmocka_unit_test(test_many_milestones),   cmocka_unit_test(test_short_runs)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
