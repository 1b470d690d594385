/* test_music_ratings.c: pieces of music become padded rolls whose labels are the next step; ratings become pairs of
 * numbers that a model keeps; both refuse what is no such file; the recommenders have the parameters that their papers
 * count, and learn. */
#include "data_support.h"

#include "base/alloc.h"
#include "hadal/train.h"
#include "hadal/zoo.h"
#include <math.h>

static hd_status open_text(hd_dataset **out, hd_context *c, const char *name, const char *text, const char *options) {
    char source[5000];
    (void)snprintf(source, sizeof source, "{\"path\":\"%s\"%s}", save_file(name, text, strlen(text)), options);
    return hd_data_open(out, c, source, NULL);
}

static hd_dataset *opened(const char *name, const char *text, const char *options) {
    hd_dataset *d = NULL;
    if (open_text(&d, ctx, name, text, options) != HD_OK) fail_msg("%s: %s", text, hd_last_error(ctx));
    return d;
}

static void refused(const char *name, const char *text, const char *options, const char *message) {
    hd_dataset *d = NULL;
    assert_int_equal(open_text(&d, ctx, name, text, options), HD_E_DATA);
    if (!strstr(hd_last_error(ctx), message)) fail_msg("\"%s\" lacks \"%s\"", hd_last_error(ctx), message);
}

/* ---- music ---- */

#define PIECES "jsb-chorales-quarter.json"
enum { KEYS = 88 };

/* The keys of a row, as "0 4 7"; "-" for padding. */
static const char *keys_of(const float *row) {
    static char text[256];
    size_t used = 0;
    text[0] = 0;
    if (row[0] < 0) return "-";
    for (int k = 0; k < KEYS; k++)
        if (row[k] > 0) used += (size_t)snprintf(text + used, sizeof text - used, "%s%d", used ? " " : "", k);
    return text;
}

static void expect_rows(const hd_dataset *d, int64_t sample, const char *const *x, const char *const *next) {
    const hd_data_info info = hd_data_get_info(d);
    float in[4 * KEYS], out[4 * KEYS];
    assert_int_equal(info.positions, 4);
    hd_data_x(d, sample, in);
    hd_data_values(d, sample, out);
    for (int p = 0; p < 4; p++) {
        assert_string_equal(keys_of(in + p * KEYS), x[p]);
        assert_string_equal(keys_of(out + p * KEYS), next[p]);
    }
}

static void test_pieces(void **state) {
    (void)state;
    /* five steps, two steps, one step (which nothing follows); a silent voice, a silent step */
    static const char text[] = "{\"test\": [[[21], [22]]],\n\"train\": [[[21, 108], [23, -1], [], [25], [26]],"
                               "[[30],[31]], [[40]]], \"valid\": []}\n";
    hd_dataset *d = opened(PIECES, text, "");
    const hd_data_info info = hd_data_get_info(d);
    assert_string_equal(info.kind, "music");
    assert_true(info.train == 2 && info.val == 0 && info.test == 1 && info.targets == KEYS && info.as_is);
    expect_rows(d, 0, (const char *const[]){"0 87", "2", "", "4"}, (const char *const[]){"2", "", "4", "5"});
    expect_rows(d, 1, (const char *const[]){"9", "", "", ""}, (const char *const[]){"10", "-", "-", "-"});
    expect_rows(d, 2, (const char *const[]){"0", "", "", ""}, (const char *const[]){"1", "-", "-", "-"});
    hd_data_free(d);
    /* nine steps are followed eight times: two samples of four; a tenth begins a third */
    static const char longer[] = "{\"train\": [[[21],[22],[23],[24],[25],[26],[27],[28],[29]],"
                                 "[[31],[32],[33],[34],[35],[36],[37],[38],[39],[40]]]}";
    d = opened(PIECES, longer, ",\"length\":4");
    assert_int_equal(hd_data_get_info(d).count, 5);
    expect_rows(d, 1, (const char *const[]){"4", "5", "6", "7"}, (const char *const[]){"5", "6", "7", "8"});
    expect_rows(d, 2, (const char *const[]){"10", "11", "12", "13"}, (const char *const[]){"11", "12", "13", "14"});
    expect_rows(d, 4, (const char *const[]){"18", "", "", ""}, (const char *const[]){"19", "-", "-", "-"});
    hd_data_free(d);
}

static void test_no_pieces(void **state) {
    (void)state;
    refused(PIECES, "[]", "", "expected an object");
    refused(PIECES, "{\"train\": [[[21],[22]]]", "", "expected a comma or }, the text ends here");
    refused(PIECES, "{\"train\": [[[21],\n[128]]]}", "", ":2");
    refused(PIECES, "{\"train\": [[[21],[-2]]]}", "", "a MIDI note 0 … 127, or -1");
    refused(PIECES, "{\"train\": [[[99999999999999999999],[1]]]}", "", "a MIDI note");
    refused(PIECES, "{\"train\": [[[1]]], \"train\": []}", "", "one each of");
    refused(PIECES, "{\"lost\": []}", "", "one each of");
    refused(PIECES, "{\"train\": [[[[1]]]]}", "", "a MIDI note");
    refused(PIECES, "{\"train\": [[[1]]]}", "", "pieces of at least two time steps");
    refused(PIECES, "{\"train\": [[[1],[2]]]} x", "", "expected nothing more");
    refused(PIECES, "{\"train\": [[[1],[2]]]}", ",\"length\":1048576", "Cut them: length=");
}

/* The chorales as they are passed on: a file of their own in the data room. */
static void test_chorales(void **state) {
    (void)state;
    const char *path = test_data("data/music-jsb-chorales");
    hd_dataset *d;
    if (!path) skip();
    if (hd_data_open(&d, ctx, path, NULL) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    const hd_data_info info = hd_data_get_info(d);
    assert_true(info.train == 229 && info.val == 76 && info.test == 77 && info.positions == 159);
    float *next = malloc(159 * KEYS * sizeof *next);
    int64_t frames = 0;
    for (int64_t i = 0; i < info.count; i++) {
        hd_data_values(d, i, next);
        for (int p = 0; p < 159; p++) frames += next[p * KEYS] >= 0;
    }
    assert_int_equal(frames, 23134 - 382);
    free(next);
    hd_data_free(d);
}

/* ---- ratings ---- */

#define FILMS "ratings.csv"
static const char films[] = "userId,movieId,rating,timestamp\r\n7,10,2.5,1\r\n7,31,4.0,2\r\n2,10,1,3\r\n900,5,5,4\r\n";

static void expect_pair(const hd_dataset *d, int64_t i, float user, float item, float rating) {
    float x[2], v;
    hd_data_x(d, i, x);
    hd_data_values(d, i, &v);
    assert_true(x[0] == user && x[1] == item && v == rating);
}

static void test_ratings(void **state) {
    (void)state;
    hd_dataset *d = opened(FILMS, films, "");
    hd_data_info info = hd_data_get_info(d);
    assert_string_equal(info.kind, "ratings");
    assert_true(info.count == 4 && info.codes == 6 && info.as_is && info.targets == 1 && info.positions == 0);
    assert_string_equal(info.encoding, "{\"users\": [2, 7, 900], \"items\": [5, 10, 31]}");
    expect_pair(d, 0, 1, 4, 2.5f);
    expect_pair(d, 1, 1, 5, 4);
    expect_pair(d, 3, 2, 3, 5);
    hd_data_free(d);
    d = opened("u.data", "5\t1\t3\t99\n4\t2\t1\t98\n", ""); /* no header, tabs */
    expect_pair(d, 0, 1, 2, 3);
    expect_pair(d, 1, 0, 3, 1);
    hd_data_free(d);
    const char *like = ",\"like\":{\"users\":[2,7,900],\"items\":[5,10,31]}";
    d = opened(FILMS, "movieId,rating,userId\n31,3,900\n", like); /* columns in another order, a model's numbers */
    expect_pair(d, 0, 2, 5, 3);
    hd_data_free(d);
    d = opened(FILMS, "user,item,rating,score\n5,1,3,60\n", ""); /* two names for one thing: the first */
    expect_pair(d, 0, 0, 1, 3);
    hd_data_free(d);
    refused(FILMS, "user,userId,item\n5,5,1\n", "", "expected columns");
    d = opened(FILMS, "item,timestamp,user\n31,now,900\n",
               ",\"like\":{\"users\":[2,7,900],\"items\":[5,10,31]},\"unlabeled\":true"); /* to be predicted */
    expect_pair(d, 0, 2, 5, 0);
    hd_data_free(d);
    refused(FILMS, "userId,movieId,rating\n3,31,3\n", like, ":2");
    assert_non_null(strstr(hd_last_error(ctx), "user 3 is not among the 3"));
    refused(FILMS, "userId,movieId\n3,31\n", "", "expected columns");
    refused(FILMS, "userId,movieId,rating\n3,31\n", "", "found 2 of them");
    refused(FILMS, "userId,movieId,rating\n3,31,good\n", "", "expected a rating, got \"good\"");
    refused(FILMS, "userId,movieId,rating\nx,31,2\n", "", "expected a whole number, got \"x\"");
    refused(FILMS, "userId,movieId,rating\n", "", "found none");
    refused(FILMS, "", "", "found none");
    refused(FILMS, films, ",\"like\":{\"users\":[7,2],\"items\":[1]}", "no ascending whole numbers");
}

/* ---- recommenders ---- */

static int64_t parameters(const char *recipe) {
    hd_recipe *r;
    hd_model *m;
    hd_model_info info;
    assert_int_equal(hd_recipe_parse(&r, ctx, "recipe", recipe), HD_OK);
    if (hd_model_new(&m, r, NULL) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    assert_int_equal(hd_model_get_info(m, &info), HD_OK);
    hd_model_free(m);
    hd_recipe_free(r);
    return info.params;
}

static void test_parameters(void **state) {
    (void)state;
    assert_int_equal(parameters("{\"model\":\"matrix-factorization\"}"), 9737 * 33 + 1);
    assert_int_equal(parameters("{\"model\":{\"name\":\"matrix-factorization\",\"dim\":5,\"num_embeddings\":10}}"), 61);
    /* two tables of 8 and 32; 64-32-16-8, and 8 + 8 into one */
    const int64_t tower = 64 * 32 + 32 + 32 * 16 + 16 + 16 * 8 + 8 + 16 + 1;
    assert_int_equal(parameters("{\"model\":\"neural-cf\"}"), 9737 * 40 + tower);
}

/* Ratings that are a product: a factorisation finds it, and what is saved says the same about users and items by their
 * own numbers. */
static void test_learning(void **state) {
    (void)state;
    static const char *const names[] = {"matrix-factorization", "neural-cf"};
    char text[40 * 30 * 16] = "user,item,rating\n", recipe[512], run[64];
    for (int u = 0; u < 40; u++)
        for (int i = 0; i < 30; i++) {
            const double rating = 3 + (u % 5 - 2) * (i % 3 - 1) * 0.9 + (u % 2) * 0.3;
            (void)snprintf(text + strlen(text), 16, "%d,%d,%.1f\n", 100 + 3 * u, 7 * i, rating);
        }
    for (int k = 0; k < 2; k++) {
        hd_dataset *d = opened(FILMS, text, ""), *again = NULL;
        hd_recipe *r;
        hd_trainer *t;
        hd_result result;
        hd_model *m;
        hd_scores scores;
        float x[2], y;
        (void)snprintf(recipe, sizeof recipe,
                       "{\"model\":\"%s\",\"train\":{\"epochs\":60,\"batch_size\":32,\"optimizer\":{\"lr\":0.02}}}",
                       names[k]);
        (void)snprintf(run, sizeof run, "run-%d", k);
        assert_int_equal(hd_recipe_parse(&r, ctx, "recipe", recipe), HD_OK);
        const hd_trainer_args args = {.recipe = r, .data = d, .out = in_folder(run)};
        if (hd_trainer_new(&t, ctx, &args) != HD_OK) fail_msg("%s", hd_last_error(ctx));
        assert_int_equal(hd_trainer_run(t, &result), HD_OK);
        const double rmse = hd_scores_find(&result.test, "rmse")->value;
        assert_true(rmse < 0.2 && result.majority > 0.9 && isnan(result.linear));
        hd_trainer_free(t);
        hd_recipe_free(r);
        hd_data_free(d);
        if (hd_model_open(&m, ctx, in_folder(run)) != HD_OK) fail_msg("%s", hd_last_error(ctx));
        (void)snprintf(recipe, sizeof recipe, "{\"data\":{\"source\":{\"path\":\"x\",\"text\":\"103,14\"}}}");
        assert_int_equal(hd_recipe_parse(&r, ctx, "recipe", recipe), HD_OK);
        if (hd_model_open_data(&again, m, r, NULL, true) != HD_OK) fail_msg("%s", hd_last_error(ctx));
        hd_data_x(again, 0, x);
        assert_true(x[0] == 1 && x[1] == 40 + 2);
        assert_int_equal(hd_model_predict(m, x, 1, &y), HD_OK);
        assert_true(fabsf(y - (3 - 1 * 1 * 0.9f + 0.3f)) < 0.5f);
        x[1] = 70;
        assert_int_equal(hd_model_predict(m, x, 1, &y), HD_E_DATA);
        hd_data_free(again);
        d = opened(FILMS, text, ""); /* the same ratings again */
        int64_t all[1200];
        for (int i = 0; i < 1200; i++) all[i] = i;
        assert_int_equal(hd_model_eval(m, d, all, 1200, &scores, NULL, NULL), HD_OK);
        assert_true(hd_scores_find(&scores, "rmse")->value < 0.2);
        hd_data_free(d);
        hd_recipe_free(r);
        hd_model_free(m);
    }
}

static void test_gradients(void **state) {
    (void)state;
    static const char *const names[] = {
        "{\"model\":{\"name\":\"matrix-factorization\",\"num_embeddings\":4,\"dim\":3}}",
        "{\"model\":{\"name\":\"neural-cf\",\"num_embeddings\":4,\"dim\":2}}"};
    for (int k = 0; k < 2; k++) {
        hd_recipe *r;
        hd_model *m;
        hd_gradcheck check;
        assert_int_equal(hd_recipe_parse(&r, ctx, "recipe", names[k]), HD_OK);
        assert_int_equal(hd_model_new(&m, r, NULL), HD_OK);
        if (hd_gradcheck_run(&check, hd_model_loss(m), &(hd_gradcheck_args){.batch = 5}) != HD_OK)
            fail_msg("%s", hd_last_error(ctx));
        assert_true(check.ok && check.max_relative_error < 1e-4);
        hd_gradcheck_free(&check);
        hd_model_free(m);
        hd_recipe_free(r);
    }
}

/* ---- memory ---- */

static void test_no_memory(void **state) {
    (void)state;
    char source[4600];
    (void)snprintf(source, sizeof source, "{\"path\":\"%s\"}", save_file(FILMS, films, sizeof films - 1));
    assert_true(fail_every_allocation(open_and_close, source) > 8);
    static const char pieces[] = "{\"train\":[[[21],[22]]],\"test\":[[[21],[22]]]}";
    (void)snprintf(source, sizeof source, "{\"path\":\"%s\"}", save_file(PIECES, pieces, sizeof pieces - 1));
    assert_true(fail_every_allocation(open_and_close, source) > 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DATA_TEST(test_pieces),     DATA_TEST(test_no_pieces), DATA_TEST(test_chorales),  DATA_TEST(test_ratings),
        DATA_TEST(test_parameters), DATA_TEST(test_learning),  DATA_TEST(test_gradients), DATA_TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
