/* test_method_faults.c: the n-th allocation fails, for every n, through a run by each method beside the gradient. */
#include "support.h"

#include "hadal/train.h"

enum { ROWS = 12, PICTURES = 2, SIDE = 8 }; /* a picture more only repeats what comes after the last allocation */

static float rows[ROWS * 2], numbers[ROWS], pictures[PICTURES * SIDE * SIDE];
static int64_t labels[ROWS];

typedef struct method_case {
    const char *recipe;
    bool numbers, pictures;
} method_case;

static hd_status open_data(hd_dataset **out, hd_context *ctx, const method_case *c) {
    hd_data_arrays a = {.x = rows, .dtype = HD_F32, .sample = HD_DIMS(2), .n = ROWS};
    if (c->pictures) a.x = pictures, a.sample = HD_DIMS(1, SIDE, SIDE), a.n = PICTURES;
    if (c->numbers)
        a.values = numbers, a.targets = 1;
    else
        a.labels = labels, a.classes = 2;
    return hd_data_from_arrays(out, ctx, &a);
}

static hd_status run(hd_context *ctx, void *arg) {
    const method_case *c = arg;
    hd_dataset *data = NULL;
    hd_recipe *recipe = NULL;
    hd_trainer *trainer = NULL;
    hd_result result;
    hd_status status = open_data(&data, ctx, c);
    if (status == HD_OK) status = hd_recipe_parse(&recipe, ctx, "recipe", c->recipe);
    const hd_trainer_args args = {.recipe = recipe, .data = data, .out = ""};
    if (status == HD_OK) status = hd_trainer_new(&trainer, ctx, &args);
    if (status == HD_OK) status = hd_trainer_run(trainer, &result);
    if (status != HD_OK && status != HD_E_MEMORY) fail_msg("%s", hd_last_error(ctx));
    hd_trainer_free(trainer);
    hd_recipe_free(recipe);
    hd_data_free(data);
    return status;
}

#define RECIPE(model, train)                                                                                           \
    "{\"data\": {\"val\": 0, \"test\": 0, \"normalize\": \"none\"}, \"model\": " model ", \"train\": {" train          \
    "}, \"eval\": {\"baselines\": false}}"

static void methods_survive_every_failing_allocation(void **state) {
    (void)state;
    static const method_case cases[] = {
        {RECIPE("\"perceptron\"", "\"epochs\": 3"), false, false},
        {RECIPE("\"logistic-regression\"", "\"l2\": 0.1, \"method\": \"exact\""), false, false},
        {RECIPE("\"softmax-regression\"", "\"l2\": 0.1, \"method\": \"exact\""), false, false},
        {RECIPE("\"linear-svm\"", "\"method\": \"exact\""), false, false},
        {RECIPE("\"linear-regression\"", "\"method\": \"exact\""), true, false},
        {RECIPE("\"gmdh\"", ""), true, false},
        {RECIPE("{\"name\": \"neocognitron\", \"planes\": [2, 2, 2]}", ""), false, true},
        {RECIPE("{\"name\": \"mcculloch-pitts\", \"function\": \"xor\", \"layers\": 2}", ""), false, false},
    };
    for (int i = 0; i < ROWS; i++) {
        labels[i] = i % 2;
        rows[2 * i] = (float)(i % 4), rows[2 * i + 1] = (float)(i * i % 5);
        numbers[i] = rows[2 * i] * rows[2 * i + 1];
        for (int k = 0; k < SIDE && i < PICTURES; k++)
            pictures[i * SIDE * SIDE + (i % 2 ? k * SIDE + 3 : 3 * SIDE + k)] = 1;
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        method_case c = cases[i];
        assert_true(fail_every_allocation(run, &c) > 50);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(methods_survive_every_failing_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
