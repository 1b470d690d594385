/* test_zoo_first.c: the first networks: McCulloch and Pitts's logic, Rosenblatt's perceptron with Novikoff's bound, and
 * the network that read zip codes, counted to the last connection. */
#include "lesson.h"

#include "base/rng.h"
#include <math.h>

/* ---- 1943 ---- */

static void logic_is_computed(void **state) {
    (void)state;
    static const struct {
        const char *function;
        int inputs, layers, answers; /* one bit a row, the first row lowest */
    } cases[] = {{"and", 2, 1, 0x8}, {"or", 2, 1, 0xe},    {"nand", 2, 1, 0x7}, {"nor", 2, 1, 0x1},
                 {"not", 1, 1, 0x1}, {"xor", 2, 2, 0x6},   {"xnor", 2, 2, 0x9}, {"and", 3, 1, 0x80},
                 {"or", 3, 1, 0xfe}, {"nand", 3, 1, 0x7f}, {"nor", 3, 1, 0x01}, {"and", 2, 2, 0x8}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char recipe[512];
        lesson l = {.ctx = test_context(1)};
        (void)snprintf(
            recipe, sizeof recipe,
            "{\"data\": {\"source\": \"logic\", \"function\": \"%s\", \"inputs\": %d}, \"model\": {\"name\": "
            "\"mcculloch-pitts\", \"function\": \"%s\", \"layers\": %d}, \"eval\": {\"baselines\": false}}",
            cases[i].function, cases[i].inputs, cases[i].function, cases[i].layers);
        learn(&l, recipe, NULL);
        assert_int_equal(l.result.test.n, 1 << cases[i].inputs);
        assert_true(hd_scores_find(&l.result.test, "accuracy")->value == 1);
        for (int row = 0; row < 1 << cases[i].inputs; row++) {
            float x[3], y[2];
            for (int k = 0; k < cases[i].inputs; k++) x[k] = (float)(row >> (cases[i].inputs - 1 - k) & 1);
            assert_int_equal(hd_model_predict(hd_trainer_model(l.trainer), x, 1, y), HD_OK);
            assert_true((y[1] > 0.5f) == (cases[i].answers >> row & 1));
        }
        forget(&l);
        hd_context_free(l.ctx);
    }
}

static void is_refused(const char *recipe, const char *message) {
    hd_context *ctx = test_context(1);
    hd_recipe *r;
    hd_trainer *t = NULL;
    assert_int_equal(hd_recipe_parse(&r, ctx, "recipe", recipe), HD_OK);
    assert_int_equal(hd_trainer_new(&t, ctx, &(hd_trainer_args){.recipe = r, .out = ""}), HD_E_MODEL);
    if (!strstr(hd_last_error(ctx), message)) fail_msg("\"%s\" lacks \"%s\"", hd_last_error(ctx), message);
    hd_recipe_free(r);
    hd_context_free(ctx);
}

#define LOGIC(data, model)                                                                                             \
    "{\"data\": {\"source\": \"logic\", " data "}, \"model\": {\"name\": \"mcculloch-pitts\", " model "}}"

static void one_unit_refuses_xor(void **state) {
    (void)state;
    is_refused(LOGIC("\"function\": \"xor\"", "\"function\": \"xor\""), "xor: it is not linearly separable");
    is_refused(LOGIC("\"function\": \"xnor\"", "\"function\": \"xnor\""), "second layer: model.layers=2");
    is_refused(LOGIC("\"inputs\": 3", "\"function\": \"xor\", \"layers\": 2"), "two inputs");
    is_refused(LOGIC("\"inputs\": 2", "\"function\": \"not\""), "not has one input");
    is_refused(
        "{\"data\": {\"source\": \"xor\"}, \"model\": \"mcculloch-pitts\", \"train\": {\"method\": \"gradient\"}}",
        "nothing flows back through mcculloch-pitts");
    is_refused("{\"data\": {\"source\": \"xor\"}, \"model\": \"mlp\", \"train\": {\"method\": \"fixed\"}}",
               "no method for this network");
    is_refused("{\"data\": {\"source\": \"xor\"}, \"model\": \"perceptron\", \"train\": {\"optimizer\": {\"lr\": 1}}}",
               "takes no optimizer.lr");
    is_refused("{\"data\": {\"source\": \"xor\"}, \"model\": \"perceptron\", \"train\": {\"ema\": 0.9}}",
               "takes no ema");
}

/* ---- 1958 ---- */

enum { POINTS = 300, MOST = 8 };

/* Two clouds whose distance along a random direction is at least `gap` on each side. */
static hd_dataset *clouds(hd_context *ctx, float *x, int64_t *label, int d, double gap, uint64_t seed) {
    hd_rng rng = hd_rng_new(seed, "clouds");
    double w[MOST], size = 0;
    hd_dataset *data;
    for (int k = 0; k < d; k++) w[k] = hd_rng_normal(&rng), size += w[k] * w[k];
    for (int i = 0; i < POINTS; i++) {
        double along = 0;
        label[i] = i % 2;
        for (int k = 0; k < d; k++) x[i * d + k] = (float)hd_rng_normal(&rng);
        for (int k = 0; k < d; k++) along += w[k] / sqrt(size) * (double)x[i * d + k];
        const double want = (label[i] ? 1 : -1) * (gap + fabs(hd_rng_normal(&rng)));
        for (int k = 0; k < d; k++) x[i * d + k] += (float)((want - along) * w[k] / sqrt(size));
    }
    const hd_data_arrays a = {
        .x = x, .dtype = HD_F32, .sample = HD_DIMS(d), .n = POINTS, .labels = label, .classes = 2};
    assert_int_equal(hd_data_from_arrays(&data, ctx, &a), HD_OK);
    return data;
}

/* The margin that the direction (w, 0) of the drawing leaves, and the radius, counted here anew. */
static void mistakes_stay_within_novikoffs_bound(void **state) {
    (void)state;
    static float x[POINTS * MOST];
    static int64_t label[POINTS];
    for (int d = 2; d <= MOST; d += 3)
        for (int g = 0; g < 3; g++) {
            const double gap = (double[]){0.05, 0.3, 1}[g];
            lesson l = {.ctx = test_context(1)};
            hd_dataset *data = clouds(l.ctx, x, label, d, gap, (uint64_t)(d + 10 * g));
            learn(&l,
                  "{\"data\": {\"val\": 0, \"test\": 0, \"normalize\": \"none\"}, \"model\": \"perceptron\", "
                  "\"train\": {\"epochs\": 20000}, \"eval\": {\"baselines\": false}}",
                  data);
            double radius = 0;
            for (int i = 0; i < POINTS; i++) {
                double r = 1;
                for (int k = 0; k < d; k++) r += (double)x[i * d + k] * (double)x[i * d + k];
                radius = fmax(radius, r);
            }
            const double mistakes = found(&l, "mistakes")->number, margin = found(&l, "margin")->number;
            assert_true(found(&l, "converged")->boolean);
            assert_true(found(&l, "separable")->boolean);
            assert_true(margin >= gap * (1 - 1e-4)); /* the drawn plane has that margin; the best has no less */
            assert_true(mistakes >= 1 && mistakes <= radius / (gap * gap));
            assert_true(mistakes <= found(&l, "bound")->number);
            const double bound = radius / (margin * margin);
            assert_true(fabs(found(&l, "bound")->number - bound) <= 1e-6 * bound);
            assert_true(hd_scores_find(&l.result.train, "accuracy")->value == 1);
            assert_int_equal(l.result.stop, HD_STOP_CONVERGED);
            forget(&l);
            hd_data_free(data);
            hd_context_free(l.ctx);
        }
}

static void says_what_can_not_be_separated(void **state) {
    (void)state;
    lesson l = {.ctx = test_context(1)};
    learn(&l,
          "{\"data\": {\"source\": \"xor\", \"n\": 4, \"noise\": 0, \"val\": 0, \"test\": 0, \"normalize\": \"none\"}, "
          "\"model\": \"perceptron\", \"train\": {\"epochs\": 50}, \"eval\": {\"baselines\": false}}",
          NULL);
    assert_false(found(&l, "converged")->boolean);
    assert_false(found(&l, "separable")->boolean);
    assert_int_equal(found(&l, "witnesses")->integer, 4); /* the corners: both diagonals have one middle */
    assert_int_equal(found(&l, "passes")->integer, 50);
    assert_int_equal(l.result.stop, HD_STOP_EPOCHS);
    assert_true(found(&l, "mistakes")->integer >= 50);
    assert_non_null(strstr(l.result.note, "not linearly separable"));
    forget(&l);
    hd_context_free(l.ctx);
}

/* Versicolor and virginica overlap; setosa stands apart from both. */
static void irises(void **state) {
    (void)state;
    char line[256];
    const char *path = test_data("data/tabular/iris.csv");
    static float x[150 * 4];
    static int64_t label[150];
    if (!path) skip();
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    for (int pair = 0; pair < 2; pair++) {
        int n = 0;
        rewind(f);
        while (n < 150 && fgets(line, sizeof line, f)) {
            double v[5];
            if (sscanf(line, "%lf,%lf,%lf,%lf,%lf", &v[0], &v[1], &v[2], &v[3], &v[4]) != 5) continue;
            const int class = (int)v[4];
            if (v[0] > 100 || (pair == 0 ? class == 2 : class == 0)) continue;
            for (int k = 0; k < 4; k++) x[n * 4 + k] = (float)v[k];
            label[n++] = class == (pair == 0 ? 1 : 2);
        }
        assert_int_equal(n, 100);
        lesson l = {.ctx = test_context(1)};
        hd_dataset *data;
        const hd_data_arrays a = {.x = x, .dtype = HD_F32, .sample = HD_DIMS(4), .n = n, .labels = label, .classes = 2};
        assert_int_equal(hd_data_from_arrays(&data, l.ctx, &a), HD_OK);
        learn(&l, "{\"data\": {\"val\": 0, \"test\": 0}, \"model\": \"perceptron\", \"eval\": {\"baselines\": false}}",
              data);
        assert_int_equal(found(&l, "separable")->boolean, pair == 0);
        assert_int_equal(found(&l, "converged")->boolean, pair == 0);
        if (pair == 1) assert_true(found(&l, "witnesses")->integer >= 2);
        forget(&l);
        hd_data_free(data);
        hd_context_free(l.ctx);
    }
    (void)fclose(f);
}

/* ---- 1989 ---- */

static void zip_code_network_is_counted(void **state) {
    (void)state;
    static const struct {
        const char *name;
        hd_dims dims;
        int64_t units, inputs; /* of each, its bias not counted */
    } layers[] = {{"h1.weight", {4, {12, 1, 5, 5}}, 768, 25},
                  {"h2.weight", {4, {12, 8, 5, 5}}, 192, 200},
                  {"h3.weight", {2, {30, 192}}, 30, 192},
                  {"out.weight", {2, {10, 30}}, 10, 30}};
    static const hd_dims biases[] = {{3, {12, 8, 8}}, {3, {12, 4, 4}}, {1, {30}}, {1, {10}}};
    hd_context *ctx = test_context(1);
    hd_graph *g;
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    const hd_val y = hd_zoo_build(hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 1, 16, 16)), "lecun-1989", 10, "{}");
    if (hd_graph_status(g) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    assert_int_equal(hd_val_dims(y).dim[1], 10);
    assert_int_equal(hd_graph_param_count(g), 9760);
    int64_t connections = 0, units = 256;
    for (int i = 0; i < 4; i++) {
        char bias[16];
        (void)snprintf(bias, sizeof bias, "%.*s.bias", (int)strcspn(layers[i].name, "."), layers[i].name);
        const hd_dims w = hd_val_dims(hd_graph_find(g, layers[i].name)), b = hd_val_dims(hd_graph_find(g, bias));
        assert_true(hd_dims_equal(&w, &layers[i].dims));
        assert_true(hd_dims_equal(&b, &biases[i])); /* one bias a unit */
        assert_int_equal(hd_dims_count(&b), layers[i].units);
        assert_int_equal(hd_dims_count(&w) / w.dim[0], layers[i].inputs);
        connections += layers[i].units * (layers[i].inputs + 1);
        units += layers[i].units;
    }
    assert_int_equal(connections, 64660);
    assert_int_equal(units, 1256);
    hd_graph_free(g);
    hd_context_free(ctx);
}

static void nothing_flows_back(const char *name) {
    hd_context *c = test_context(1);
    hd_graph *g;
    hd_gradcheck check = {0};
    assert_int_equal(hd_graph_new(&g, c), HD_OK);
    const hd_val y = hd_zoo_build(hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 2)), name, 1, "{}");
    assert_int_equal(hd_gradcheck_run(&check, hd_sum(y), NULL), HD_E_MODEL);
    assert_non_null(strstr(hd_last_error(c), "no gradient flows back"));
    hd_gradcheck_free(&check);
    hd_graph_free(g);
    hd_context_free(c);
}

static void zip_code_network_learns_and_comes_back(void **state) {
    (void)state;
    enum { PICTURES = 40 };
    static float x[PICTURES * 256];
    static int64_t label[PICTURES];
    hd_context *ctx = test_context(1);
    hd_rng rng = hd_rng_new(1, "pictures");
    hd_dataset *data;
    for (int i = 0; i < PICTURES; i++) {
        label[i] = i % 2;
        for (int k = 0; k < 256; k++) x[i * 256 + k] = (float)(hd_rng_normal(&rng) + (label[i] && k < 128 ? 1 : 0));
    }
    const hd_data_arrays a = {
        .x = x, .dtype = HD_F32, .sample = HD_DIMS(1, 16, 16), .n = PICTURES, .labels = label, .classes = 2};
    assert_int_equal(hd_data_from_arrays(&data, ctx, &a), HD_OK);
    comes_back_the_same(ctx,
                        "{\"model\": \"lecun-1989\", \"train\": {\"epochs\": 2, \"batch_size\": 1, \"optimizer\": "
                        "{\"name\": \"sgd\", \"lr\": 0.1}}}",
                        data, x, PICTURES, 2);
    comes_back_the_same(ctx, "{\"model\": \"perceptron\"}", data, x, PICTURES, 2);
    comes_back_the_same(ctx, "{\"model\": \"linear-svm\"}", data, x, PICTURES, 2);
    hd_data_free(data);
    hd_context_free(ctx);
    gradient_is_right("lecun-1989", HD_DIMS(1, 16, 16), 10, "{}");
    gradient_is_right("linear-regression", HD_DIMS(5), 1, "{}");
    nothing_flows_back("perceptron");
    nothing_flows_back("mcculloch-pitts");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logic_is_computed),
        cmocka_unit_test(one_unit_refuses_xor),
        cmocka_unit_test(mistakes_stay_within_novikoffs_bound),
        cmocka_unit_test(says_what_can_not_be_separated),
        cmocka_unit_test(irises),
        cmocka_unit_test(zip_code_network_is_counted),
        cmocka_unit_test(zip_code_network_learns_and_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
