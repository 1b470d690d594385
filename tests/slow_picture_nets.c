/* slow_picture_nets.c: the gradients of small forms of the networks for pictures, by differences in f64; and that they
 * learn pictures by heart. */
#include "run_support.h"

#include "ctx_case.h"
#include <math.h>

static hd_model *model_of(const char *model, int64_t side, int64_t positions) {
    char text[400];
    hd_model *m;
    (void)snprintf(text, sizeof text, "{\"model\": %s}", model);
    hd_recipe *recipe = run_recipe(ctx, text);
    const hd_data_info data = {.name = "",
                               .kind = "pictures",
                               .sample = HD_DIMS(3, side, side),
                               .classes = 3,
                               .targets = 1,
                               .positions = positions,
                               .high = 1};
    if (hd_model_new(&m, recipe, &data) != HD_OK) fail_msg("%s: %s", model, hd_last_error(ctx));
    hd_recipe_free(recipe);
    return m;
}

static void test_gradients(void **state) {
    (void)state;
    static const struct {
        const char *model;
        int64_t side, positions;
    } small[] = {
        {"{\"name\": \"resnet20\", \"width\": 2}", 8, 0},
        {"{\"name\": \"resnet20\", \"width\": 2, \"shortcut\": \"B\"}", 8, 0},
        {"{\"name\": \"mobilenet_v2\", \"width_mult\": 0.05}", 16, 0},
        {"{\"name\": \"densenet121\", \"growth_rate\": 1, \"bn_size\": 1}", 32, 0},
        {"{\"name\": \"unet\", \"width\": 2, \"depth\": 2, \"valid\": false, \"dropout\": 0}", 9, 81},
        {"{\"name\": \"squeezenet1_1\", \"dropout\": 0}", 32, 0},
    };
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++) {
        hd_model *m = model_of(small[i].model, small[i].side, small[i].positions);
        hd_gradcheck g;
        const hd_gradcheck_args args = {.elements = 1, .classes = 3};
        if (hd_gradcheck_run(&g, hd_model_loss(m), &args) != HD_OK) fail_msg("%s", hd_last_error(ctx));
        if (!g.ok) fail_msg("%s: %g apart", small[i].model, g.max_relative_error);
        hd_gradcheck_free(&g);
        hd_model_free(m);
    }
}

/* A step of pure descent on 3 pictures, many times: each network must come to know them. */
static void test_learns_by_heart(void **state) {
    (void)state;
    static const char *const nets[] = {"\"resnet18\"", "{\"name\": \"googlenet\", \"aux\": true, \"dropout\": 0}"};
    enum { SIDE = 32, N = 3 };
    static float x[N * 3 * SIDE * SIDE];
    static const int64_t labels[N] = {0, 1, 2};
    for (int i = 0; i < N * 3 * SIDE * SIDE; i++) x[i] = (float)((i * 7919 % 1009) / 1009.0 - 0.5);
    for (size_t k = 0; k < sizeof nets / sizeof nets[0]; k++) {
        hd_model *m = model_of(nets[k], SIDE, 0);
        hd_program *p;
        hd_compile_args args = {.batch = N, .store = hd_model_store(m)};
        const hd_target step = hd_train_step(hd_model_loss(m), hd_sgd(.lr = 0.01, .momentum = 0.9));
        if (hd_compile_with(&p, step, &args) != HD_OK) fail_msg("%s", hd_last_error(ctx));
        double first = 0, last = 0;
        for (int s = 0; s < 25; s++) {
            assert_int_equal(hd_program_set(p, "x", x), HD_OK);
            assert_int_equal(hd_program_set(p, "target", labels), HD_OK);
            assert_int_equal(hd_program_run(p), HD_OK);
            const float *loss = hd_program_get(p, "loss");
            last = (double)*loss;
            if (s == 0) first = last;
        }
        if (!(last < 0.25 * first)) fail_msg("%s: loss %g after %g", nets[k], last, first);
        hd_program_free(p);
        hd_model_free(m);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_gradients, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_learns_by_heart, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
