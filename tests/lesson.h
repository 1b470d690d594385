/* lesson.h: a run of a recipe without a folder, on data of the test's own, and what its method found. */
#ifndef HD_TESTS_LESSON_H
#define HD_TESTS_LESSON_H
#include "support.h"

#include "base/json.h"
#include "hadal/train.h"
#include "hadal/zoo.h"

typedef struct lesson {
    hd_context *ctx;
    hd_trainer *trainer;
    hd_result result;
    hd_arena arena;
    const hd_json *json; /* result.json */
} lesson;

static inline void learn(lesson *l, const char *recipe, hd_dataset *data) {
    hd_recipe *r;
    hd_json *json = NULL;
    l->arena = (hd_arena){.ctx = l->ctx};
    if (hd_recipe_parse(&r, l->ctx, "recipe", recipe) != HD_OK) fail_msg("%s", hd_last_error(l->ctx));
    const hd_trainer_args args = {.recipe = r, .data = data, .out = ""};
    if (hd_trainer_new(&l->trainer, l->ctx, &args) != HD_OK) fail_msg("%s", hd_last_error(l->ctx));
    if (hd_trainer_run(l->trainer, &l->result) != HD_OK) fail_msg("%s", hd_last_error(l->ctx));
    assert_int_equal(hd_json_parse(&json, &l->arena, "result", l->result.result_json, strlen(l->result.result_json)),
                     HD_OK);
    l->json = json;
    hd_recipe_free(r);
}

static inline void forget(lesson *l) {
    hd_trainer_free(l->trainer);
    hd_arena_free(&l->arena);
}

static inline const hd_json *found(const lesson *l, const char *key) {
    const hd_json *method = hd_json_get(l->json, "method"), *v = method ? hd_json_get(method, key) : NULL;
    if (!v) fail_msg("no %s in %s", key, l->result.result_json);
    return v;
}

/* Trained into a folder and opened again, a model gives the same bits for x [n, …], `columns` scores each. */
static inline void comes_back_the_same(hd_context *ctx, const char *recipe, hd_dataset *data, const float *x, int64_t n,
                                       int64_t columns) {
    char *folder = test_folder(), path[4200];
    hd_recipe *r;
    hd_trainer *t;
    hd_result result;
    hd_model *again;
    float *scores = malloc((size_t)(2 * n * columns) * sizeof *scores);
    assert_non_null(scores);
    (void)snprintf(path, sizeof path, "%s/run", folder);
    if (hd_recipe_parse(&r, ctx, "recipe", recipe) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    if (hd_trainer_new(&t, ctx, &(hd_trainer_args){.recipe = r, .data = data, .out = path}) != HD_OK)
        fail_msg("%s", hd_last_error(ctx));
    if (hd_trainer_run(t, &result) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    assert_int_equal(hd_model_predict(hd_trainer_model(t), x, n, scores), HD_OK);
    hd_trainer_free(t);
    if (hd_model_open(&again, ctx, path) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    assert_int_equal(hd_model_predict(again, x, n, scores + n * columns), HD_OK);
    assert_memory_equal(scores, scores + n * columns, (size_t)(n * columns) * sizeof *scores);
    hd_model_free(again);
    hd_recipe_free(r);
    free(scores);
    test_folder_remove(folder);
}

/* The gradient of a known network, with its usual loss for so many classes, or for one number. */
static inline void gradient_is_right(const char *name, hd_dims sample, int64_t outputs, const char *options) {
    hd_context *ctx = test_context(1);
    hd_graph *g;
    hd_gradcheck check;
    hd_dims x = {.rank = sample.rank + 1, .dim = {HD_BATCH}};
    for (int i = 0; i < sample.rank; i++) x.dim[i + 1] = sample.dim[i];
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    const hd_val y = hd_zoo_build(hd_input(g, "x", HD_F32, x), name, outputs, options);
    const hd_val loss = hd_mse(y, hd_input(g, "t", HD_F32, HD_DIMS(HD_BATCH, outputs)));
    if (hd_gradcheck_run(&check, loss, NULL) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    if (!check.ok) fail_msg("%s: %g", name, check.max_relative_error);
    assert_true(check.count > 0);
    hd_gradcheck_free(&check);
    hd_graph_free(g);
    hd_context_free(ctx);
}
#endif
