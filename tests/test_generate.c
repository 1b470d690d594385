/* test_generate.c: models that go on with a sequence: the same answers as for the whole, beyond their positions, the
 * same from the same seed; drawing; text to tokens and back. */
#include "ctx_case.h"

#include "hadal/hadal.h"
#include <math.h>

enum { T = 8, CLASSES = 6 };
static const char *const names[CLASSES] = {"a", "b", "c", "\n", "é", "\\xff"};
static hd_model *model_of(const char *recipe_text, const hd_data_info *info) {
    hd_recipe *recipe;
    hd_model *m;
    OK(hd_recipe_parse(&recipe, ctx, "recipe", recipe_text));
    OK(hd_model_new(&m, recipe, info));
    hd_recipe_free(recipe);
    return m;
}

static const hd_data_info text_info = {.name = "letters",
                                       .kind = "text",
                                       .sample = {1, {T}},
                                       .stored = HD_U8,
                                       .classes = CLASSES,
                                       .class_names = names,
                                       .targets = 1,
                                       .positions = T,
                                       .as_is = true};

static hd_model *text_model(void) {
    return model_of("{\"model\": {\"name\": \"gpt-nano\", \"n_layer\": 2, \"n_head\": 2, \"n_embd\": 16, "
                    "\"n_positions\": 8}, \"data\": {\"source\": \"x\"}}",
                    &text_info);
}

static hd_generator *generator_of(hd_model *m, hd_generator_args args) {
    hd_generator *g;
    OK(hd_generator_new(&g, m, &args));
    return g;
}

static int64_t best_of(const float *y) {
    int64_t best = 0;
    for (int64_t i = 1; i < CLASSES; i++)
        if (y[i] > y[best]) best = i;
    return best;
}

/* The likeliest next token, after every beginning, is that of the whole pass. */
static void is_as_the_whole(hd_model *m) {
    const float x[T] = {0, 3, 1, 4, 4, 2, 5, 0};
    float y[T * CLASSES], next;
    OK(hd_model_predict(m, x, 1, y));
    hd_generator *g = generator_of(m, (hd_generator_args){.temperature = HD_ZERO});
    assert_int_equal(hd_generator_width(g), 1);
    for (int n = 1; n <= T; n++) {
        hd_generator_reset(g);
        OK(hd_generator_feed(g, x, n));
        OK(hd_generator_next(g, &next));
        assert_int_equal((int64_t)next, best_of(y + (n - 1) * CLASSES));
    }
    hd_generator_free(g);
    hd_model_free(m);
}

static void test_as_the_whole(void **state) {
    (void)state;
    static const char *const recurrent[] = {"char-rnn", "char-lstm", "char-gru"};
    is_as_the_whole(text_model());
    for (int i = 0; i < 3; i++) {
        char recipe[256];
        (void)snprintf(recipe, sizeof recipe,
                       "{\"model\": {\"name\": \"%s\", \"hidden_size\": 12, \"embedding\": 6, \"num_layers\": 2}}",
                       recurrent[i]);
        is_as_the_whole(model_of(recipe, &text_info));
    }
}

/* Keys that are more likely than not sound, as in the whole pass. */
static void test_music_as_the_whole(void **state) {
    (void)state;
    enum { KEYS = 88 };
    const hd_data_info info = {.name = "chorales",
                               .kind = "music",
                               .sample = {2, {T, KEYS}},
                               .stored = HD_U8,
                               .targets = KEYS,
                               .positions = T,
                               .as_is = true};
    static float x[T * KEYS], y[T * KEYS], frame[KEYS];
    for (int i = 0; i < T * KEYS; i++) x[i] = i * i % 7 == 1;
    hd_model *m = model_of("{\"model\": {\"name\": \"jsb-rnn\", \"hidden_size\": 12}, \"train\": {\"loss\": "
                           "\"bce_with_logits\"}}",
                           &info);
    OK(hd_model_predict(m, x, 1, y));
    hd_generator *g = generator_of(m, (hd_generator_args){.temperature = HD_ZERO});
    assert_true(hd_generator_is_music(g));
    assert_int_equal(hd_generator_width(g), KEYS);
    OK(hd_generator_feed(g, x, T));
    OK(hd_generator_next(g, frame));
    int sounding = 0;
    for (int k = 0; k < KEYS; k++) {
        assert_int_equal(frame[k] != 0, y[(T - 1) * KEYS + k] > 0.5f);
        sounding += frame[k] != 0;
    }
    assert_true(sounding > 3);
    hd_generator_free(g);
    g = generator_of(m, (hd_generator_args){.top_k = 3});
    OK(hd_generator_feed(g, x, T));
    for (int i = 0; i < 10; i++) {
        OK(hd_generator_next(g, frame));
        sounding = 0;
        for (int k = 0; k < KEYS; k++) sounding += frame[k] != 0;
        assert_true(sounding <= 3);
    }
    hd_generator_free(g);
    hd_model_free(m);
}

static void draw(hd_generator *g, float *out, int n) {
    const float start = 0;
    OK(hd_generator_feed(g, &start, 1));
    for (int i = 0; i < n; i++) OK(hd_generator_next(g, out + i));
}

static void test_beyond_its_positions(void **state) {
    (void)state;
    enum { N = 5 * T };
    float first[N], again[N], other[N];
    hd_model *m = text_model();
    hd_generator *g = generator_of(m, (hd_generator_args){.seed = 7});
    draw(g, first, N);
    hd_generator_reset(g);
    draw(g, again, N);
    assert_memory_equal(first, again, sizeof first);
    hd_generator_free(g);
    g = generator_of(m, (hd_generator_args){.seed = 8});
    draw(g, other, N);
    assert_true(memcmp(first, other, sizeof first) != 0);
    hd_generator_free(g);
    hd_model_free(m);
}

/* When all positions are taken the later half is kept: as if that alone had been fed. */
static void test_the_later_half_stays(void **state) {
    (void)state;
    float x[T + 1] = {0, 1, 2, 3, 4, 5, 0, 1, 2}, a, b;
    hd_model *m = text_model();
    hd_generator *g = generator_of(m, (hd_generator_args){.temperature = HD_ZERO});
    OK(hd_generator_feed(g, x, T + 1));
    OK(hd_generator_next(g, &a));
    hd_generator_reset(g);
    OK(hd_generator_feed(g, x + T / 2, T / 2 + 1));
    OK(hd_generator_next(g, &b));
    assert_float_equal(a, b, 0);
    hd_generator_free(g);
    hd_model_free(m);
}

static void test_text_and_tokens(void **state) {
    (void)state;
    const char text[] = "ab\xc3\xa9\n\xff"
                        "c";
    const float want[] = {0, 1, 4, 3, 5, 2};
    char back[64];
    size_t length = 0;
    float *tokens;
    int64_t n;
    hd_model *m = text_model();
    hd_generator *g = generator_of(m, (hd_generator_args){0});
    OK(hd_generator_encode(g, text, sizeof text - 1, &tokens, &n));
    assert_int_equal(n, 6);
    for (int i = 0; i < 6; i++) {
        assert_float_equal(tokens[i], want[i], 0);
        length += hd_generator_decode(g, (int64_t)tokens[i], back + length, sizeof back - length);
    }
    assert_int_equal(length, sizeof text - 1);
    assert_memory_equal(back, text, length);
    hd_memory_free(ctx, tokens);
    assert_int_equal(hd_generator_encode(g, "abz", 3, &tokens, &n), HD_E_DATA);
    assert_non_null(strstr(hd_last_error(ctx), "does not know the character \"z\", at byte 2"));
    assert_int_equal(hd_generator_decode(g, CLASSES, back, sizeof back), 0);
    assert_int_equal(hd_generator_decode(g, 4, back, 1), 0); /* no room */
    hd_generator_free(g);
    hd_model_free(m);
}

static void refuses(hd_model *m, hd_generator_args args, hd_status status, const char *message) {
    hd_generator *g;
    assert_int_equal(hd_generator_new(&g, m, &args), status);
    assert_null(g);
    if (!strstr(hd_last_error(ctx), message)) fail_msg("message \"%s\" lacks \"%s\"", hd_last_error(ctx), message);
}

static void test_refusals(void **state) {
    (void)state;
    const float outside = CLASSES, half = 0.5f;
    float next;
    hd_model *m = text_model();
    refuses(m, (hd_generator_args){.temperature = -1}, HD_E_USAGE, "temperature");
    refuses(m, (hd_generator_args){.top_p = 1.5}, HD_E_USAGE, "top_p");
    refuses(m, (hd_generator_args){.top_k = -1}, HD_E_USAGE, "top_k");
    hd_generator *g = generator_of(m, (hd_generator_args){0});
    assert_int_equal(hd_generator_next(g, &next), HD_E_USAGE);
    assert_int_equal(hd_generator_feed(g, &outside, 1), HD_E_DATA);
    assert_int_equal(hd_generator_feed(g, &half, 1), HD_E_DATA);
    hd_generator_free(g);
    hd_model_free(m);
    m = model_of("{\"model\": \"4-3-relu-2\"}", NULL);
    refuses(m, (hd_generator_args){0}, HD_E_MODEL, "model of text or music");
    hd_model_free(m);
    m = model_of("{\"model\": [{\"embedding\": {\"num_embeddings\": 6, \"embedding_dim\": 8}}, "
                 "{\"multi_head_attention\": {\"num_heads\": 2}}, {\"linear\": {\"out_features\": 6}}]}",
                 &text_info);
    refuses(m, (hd_generator_args){0}, HD_E_MODEL, "causal");
    hd_model_free(m);
}

/* A whole life, from a recipe on. */
static hd_status a_life(hd_context *c, void *arg) {
    hd_recipe *recipe = NULL;
    hd_model *m = NULL;
    hd_generator *g = NULL;
    float *tokens = NULL, next;
    int64_t n;
    (void)arg;
    hd_status status =
        hd_recipe_parse(&recipe, c, "recipe",
                        "{\"model\": {\"name\": \"gpt-nano\", \"n_layer\": 1, \"n_head\": 2, \"n_embd\": "
                        "4, \"n_positions\": 8}}");
    if (status == HD_OK) status = hd_model_new(&m, recipe, &text_info);
    if (status == HD_OK) status = hd_generator_new(&g, m, NULL);
    if (status == HD_OK) status = hd_generator_encode(g, "abcabcabc", 9, &tokens, &n);
    if (status == HD_OK) status = hd_generator_feed(g, tokens, n);
    if (status == HD_OK) status = hd_generator_next(g, &next);
    hd_memory_free(c, tokens);
    hd_generator_free(g);
    hd_model_free(m);
    hd_recipe_free(recipe);
    return status;
}

static void test_failing_allocations(void **state) {
    (void)state;
    assert_true(fail_every_allocation(a_life, NULL) > 100);
}

/* ---- drawing ---- */

static int64_t sample(hd_generator_args args, double uniform) {
    const float logits[5] = {logf(0.1f), logf(0.4f), logf(0.05f), logf(0.3f), logf(0.15f)};
    double scratch[5];
    return hd_sample_logits(logits, 5, &args, uniform, scratch);
}

static void test_drawing(void **state) {
    (void)state;
    const hd_generator_args all = {0}, two = {.top_k = 2}, most = {.top_p = 0.6}, cold = {.temperature = HD_ZERO};
    const double at[] = {0.05, 0.45, 0.52, 0.7, 0.99};
    for (int i = 0; i < 5; i++) assert_int_equal(sample(all, at[i]), i);
    assert_int_equal(sample(two, 0), 1);
    assert_int_equal(sample(two, 0.56), 1); /* 0.4 of 0.7 */
    assert_int_equal(sample(two, 0.58), 3);
    assert_int_equal(sample(two, 0.999999), 3);
    assert_int_equal(sample(most, 0.999999), 3); /* 0.4 + 0.3 are the first that have 0.6 */
    assert_int_equal(sample(most, 0), 1);
    for (int i = 0; i < 5; i++) assert_int_equal(sample(cold, at[i]), 1);
    const hd_generator_args hot = {.temperature = 1000};
    assert_int_equal(sample(hot, 0.41), 2); /* nearly even: a fifth each */
    const hd_generator_args one = {.top_k = 1}, least = {.top_p = 1e-9};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(sample(one, at[i]), 1);
        assert_int_equal(sample(least, at[i]), 1);
    }
}

/* ---- music ---- */

static void test_notes(void **state) {
    (void)state;
    float frame[88], back[88];
    char text[256];
    assert_true(hd_frame_read("C4+E4+G4", 8, frame, 88));
    assert_float_equal(frame[60 - 21], 1, 0);
    size_t n = hd_frame_write(text, sizeof text, frame, 88, false);
    assert_string_equal(text, "C4+E4+G4 ");
    assert_true(hd_frame_read(text, n - 1, back, 88));
    assert_memory_equal(frame, back, sizeof frame);
    hd_frame_write(text, sizeof text, frame, 88, true);
    assert_string_equal(text, "[CEG] ");
    assert_true(hd_frame_read("A0+Bb3+C#5+C8", 13, frame, 88));
    hd_frame_write(text, sizeof text, frame, 88, false);
    assert_string_equal(text, "A0+A#3+C#5+C8 ");
    hd_frame_write(text, sizeof text, frame, 88, true);
    assert_string_equal(text, "[A,,,,^A,^cc'''] ");
    assert_true(hd_frame_read("-", 1, frame, 88));
    hd_frame_write(text, sizeof text, frame, 88, false);
    assert_string_equal(text, "- ");
    static const char *const wrong[] = {"H4", "C", "C10", "A", "G#0", "D8", "C4+", "c4"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (hd_frame_read(wrong[i], strlen(wrong[i]), frame, 88)) fail_msg("\"%s\" was taken for a chord", wrong[i]);
    float wide[2000] = {0}; /* a file may say that there are more keys than notes have names */
    wide[0] = wide[127] = wide[128] = wide[1999] = 1;
    hd_frame_write(text, sizeof text, wide, 2000, true);
    assert_string_equal(text, "[A,,,,e''''''] ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_as_the_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_music_as_the_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_beyond_its_positions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_later_half_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_text_and_tokens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failing_allocations, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_drawing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_notes, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
