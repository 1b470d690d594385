/* test_zoo_neocognitron.c: cells that learn without a teacher, and answer wherever the pattern stands; the same network
 * along the gradient. */
#include "lesson.h"

#include "base/rng.h"
#include <math.h>

enum { SIDE = 16, PATTERNS = 5, COPIES = 24, SHIFT = 2 };

/* Five figures of strokes, as few and clear as in the paper. */
static const char *const figure[PATTERNS][7] = {{".###.", "#...#", "#...#", "#...#", "#...#", "#...#", ".###."},
                                                {"..#..", ".##..", "..#..", "..#..", "..#..", "..#..", ".###."},
                                                {"####.", "....#", "....#", ".###.", "#....", "#....", "#####"},
                                                {"#####", "....#", "...#.", "..##.", "....#", "#...#", ".###."},
                                                {"#...#", "#...#", "#...#", "#####", "....#", "....#", "....#"}};

static float picture[PATTERNS * COPIES * SIDE * SIDE];
static int64_t label[PATTERNS * COPIES];

static void draw(float *p, int k, int top, int left) {
    memset(p, 0, SIDE * SIDE * sizeof *p);
    for (int y = 0; y < 7; y++)
        for (int x = 0; x < 5; x++)
            if (figure[k][y][x] == '#') p[(y + top) * SIDE + x + left] = 1;
}

/* All copies stand in the middle: nothing is shown of shifts. */
static hd_dataset *middle(hd_context *ctx) {
    hd_dataset *data;
    for (int i = 0; i < PATTERNS * COPIES; i++) {
        draw(picture + i * SIDE * SIDE, i % PATTERNS, 4, 5);
        label[i] = i % PATTERNS;
    }
    const hd_data_arrays a = {.x = picture,
                              .dtype = HD_F32,
                              .sample = HD_DIMS(1, SIDE, SIDE),
                              .n = PATTERNS * COPIES,
                              .labels = label,
                              .classes = PATTERNS};
    assert_int_equal(hd_data_from_arrays(&data, ctx, &a), HD_OK);
    return data;
}

/* Share of figures, shifted by so many pixels in eight directions, that get their own class. */
static double right_when_shifted(hd_model *m, int by) {
    float p[SIDE * SIDE], y[PATTERNS];
    int right = 0, all = 0;
    for (int k = 0; k < PATTERNS; k++)
        for (int dy = -by; dy <= by; dy += by)
            for (int dx = -by; dx <= by; dx += by) {
                if (dy == 0 && dx == 0) continue;
                draw(p, k, 4 + dy, 5 + dx);
                assert_int_equal(hd_model_predict(m, p, 1, y), HD_OK);
                int best = 0;
                for (int j = 1; j < PATTERNS; j++)
                    if (y[j] > y[best]) best = j;
                right += best == k, all++;
            }
    return (double)right / all;
}

#define RECIPE(model, train)                                                                                           \
    "{\"data\": {\"normalize\": \"none\", \"val\": 0, \"test\": 0}, \"model\": " model ", \"train\": {" train          \
    "}, \"eval\": {\"baselines\": false}}"

/* Figures that were only ever seen in the middle are known one and two pixels off; a layer on pixels does not know
 * them. */
static void knows_figures_wherever_they_stand(void **state) {
    (void)state;
    lesson l = {.ctx = test_context(1)}, flat = {.ctx = l.ctx};
    hd_dataset *data = middle(l.ctx);
    learn(&l, RECIPE("{\"name\": \"neocognitron\", \"planes\": [16, 32, 32]}", "\"seed\": 1"), data);
    learn(&flat, RECIPE("\"softmax-regression\"", "\"method\": \"exact\", \"l2\": 0.01"), data);
    assert_true(hd_scores_find(&l.result.train, "accuracy")->value == 1);
    assert_true(hd_scores_find(&flat.result.train, "accuracy")->value == 1);
    const double one = right_when_shifted(hd_trainer_model(l.trainer), 1),
                 two = right_when_shifted(hd_trainer_model(l.trainer), SHIFT),
                 pixels = right_when_shifted(hd_trainer_model(flat.trainer), SHIFT);
    print_message("shifted by 1 pixel %.0f %% are known, by 2 pixels %.0f %%; by a layer on pixels %.0f %%\n",
                  100 * one, 100 * two, 100 * pixels);
    assert_true(one >= 0.7);
    assert_true(two >= 0.5);
    assert_true(two >= pixels + 0.3);
    /* every figure has found planes of its own, and what is told of shifts is a share */
    const hd_json *used = found(&l, "planes")->child;
    for (int i = 0; i < 3; i++, used = used->next) assert_true(used->integer >= PATTERNS);
    double before = 1;
    for (const hd_json *s = found(&l, "same_when_shifted")->child; s; s = s->next) {
        assert_true(s->number >= 0 && s->number <= before + 0.1);
        before = s->number;
    }
    assert_non_null(strstr(l.result.note, "without a teacher"));
    forget(&l);
    forget(&flat);
    hd_data_free(data);
    hd_context_free(l.ctx);
}

static void learns_along_the_gradient_too(void **state) {
    (void)state;
    lesson l = {.ctx = test_context(1)};
    hd_dataset *data = middle(l.ctx);
    learn(&l,
          RECIPE("{\"name\": \"neocognitron\", \"planes\": [8, 16, 16]}",
                 "\"method\": \"gradient\", \"epochs\": 60, \"batch_size\": 20, \"optimizer\": {\"name\": \"adam\", "
                 "\"lr\": 0.005}"),
          data);
    assert_true(hd_scores_find(&l.result.train, "accuracy")->value >= 0.7); /* guessing: 0.2 */
    forget(&l);
    hd_data_free(data);
    hd_context_free(l.ctx);
}

static void is_a_model_like_any_other(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_dataset *data = middle(ctx);
    comes_back_the_same(ctx, RECIPE("{\"name\": \"neocognitron\", \"planes\": [4, 4, 4]}", ""), data, picture,
                        2 * PATTERNS, PATTERNS);
    gradient_is_right("neocognitron", HD_DIMS(1, 8, 8), 3, "{\"planes\": [2, 3, 4]}");
    hd_data_free(data);
    hd_context_free(ctx);
}

/* A window's fixed weights add up to one, and are largest in the middle. */
static void near_cells_count_more(void **state) {
    (void)state;
    double sum = 0;
    for (int y = -2; y <= 2; y++)
        for (int x = -2; x <= 2; x++) sum += 3 * hd_neocognitron_nearness(y, x, 5, 3);
    assert_true(fabs(sum - 1) < 1e-12);
    assert_true(hd_neocognitron_nearness(0, 0, 5, 1) > hd_neocognitron_nearness(0, 1, 5, 1));
    assert_true(hd_neocognitron_nearness(1, 0, 5, 1) > hd_neocognitron_nearness(2, 2, 5, 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_figures_wherever_they_stand),
        cmocka_unit_test(learns_along_the_gradient_too),
        cmocka_unit_test(is_a_model_like_any_other),
        cmocka_unit_test(near_cells_count_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
