/* lesson.h: a run of a recipe without a folder, on data of the test's own, and what its method found. */
#ifndef HD_TESTS_LESSON_H
#define HD_TESTS_LESSON_H
#include "support.h"

#include "base/json.h"
#include "hadal/train.h"

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

#endif
