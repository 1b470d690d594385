/* test_cli_tables.c: every command line of docs/data.md is run, and a model of words is asked. */
#include "cli_run.h"

static char *manual;
static hd_context *ctx;

/* The commands name the folders of the data room, which are linked into the folder where they run. */
static int into_rooms(void **state) {
    (void)state;
    static const char *const rooms[] = {"tabular",
                                        "digits-8x8",
                                        "digits-semeion",
                                        "digits-usps",
                                        "recsys-movielens-latest-small",
                                        "text-tinyshakespeare",
                                        "music-jsb-chorales",
                                        "images-cifar10"};
    char absolute[8300], here[4096];
    manual = read_text("docs/data.md");
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "data/%s", rooms[i]);
        const char *room = test_data(path);
        if (!room) break;
        assert_non_null(getcwd(here, sizeof here));
        if (*room == '/') here[0] = '\0';
        (void)snprintf(absolute, sizeof absolute, "%s%s%s", here, *here ? "/" : "", room);
        if (i == 0) (void)snprintf(home, sizeof home, "%s", test_folder());
        (void)snprintf(path, sizeof path, "/%s", rooms[i]);
        char link[4200];
        (void)snprintf(link, sizeof link, "%s%s", home, path);
        assert_int_equal(symlink(absolute, link), 0);
    }
    ctx = test_context(1);
    return *home ? chdir(home) : 0;
}

static int out_of_rooms(void **state) {
    hd_context_free(ctx);
    free(manual);
    return *home ? out_of_folder(state) : 0;
}

static void every_line_of_the_manual_trains(void **state) {
    (void)state;
    static const char begin[] = "| `hadal train ";
    int lines = 0;
    if (!*home || !test_zlib() || TEST_LACKS_LIBRARY) skip();
    for (const char *s = manual; (s = strstr(s, begin)); lines++) {
        hd_arena arena = {.ctx = ctx};
        char words[512];
        s += strlen(begin);
        const size_t n = strcspn(s, "`");
        /* options that come later win: two epochs show that the data are read */
        (void)snprintf(words, sizeof words, "train %.*s --epochs 2 --json --out run-%d", (int)n, s, lines);
        const hd_json *o = hadal_json(&arena, words, 0);
        const hd_json *test = member(o, "test");
        const bool classes = hd_json_get(test, "accuracy") != NULL, music = hd_json_get(test, "frame_accuracy") != NULL;
        (void)member(test, classes ? "accuracy" : music ? "frame_accuracy" : "rmse");
        (void)member(member(o, "baselines"), classes ? "majority" : "mean");
        hd_arena_free(&arena);
    }
    assert_true(lines >= 23);
}

static void a_model_of_words_is_asked_with_words(void **state) {
    (void)state;
    if (!*home) skip();
    hd_arena arena = {.ctx = ctx};
    expect("train tabular/titanic.csv label=survived ignore=alive missing=mean --epochs 3 --out words", 0, NULL, NULL);
    const hd_json *all =
        member(hadal_json(&arena, "predict words tabular/titanic.csv part=all --json", 0), "predictions");
    const hd_json *one =
        member(hadal_json(&arena, "predict words 3,male,22.0,1,0,7.25,S,Third,man,True,,Southampton,False --json", 0),
               "predictions");
    assert_int_equal(all->count, 891);
    assert_int_equal(one->count, 1);
    assert_true(member(one->child, "score")->number == member(all->child, "score")->number);
    /* the same line, on standard input, with the column that was left out */
    FILE *f = fopen("line.txt", "w");
    assert_non_null(f);
    (void)fputs("3,male,22.0,1,0,7.25,S,Third,man,True,,Southampton,no,False\n", f);
    assert_int_equal(fclose(f), 0);
    ran r = hadal_with("predict words - --json", "line.txt");
    assert_int_equal(r.code, 0);
    const hd_json *in = member(object_of(&arena, r.out), "predictions");
    assert_true(member(in->child, "score")->number == member(one->child, "score")->number);
    ran_free(&r);
    expect("predict words 3,martian,22.0,1,0,7.25,S,Third,man,True", 3, NULL, "with or without its target");
    expect("eval words tabular/titanic.csv part=test", 0, "accuracy", NULL);
    hd_arena_free(&arena);
}

static void predicted_numbers_are_in_the_columns_unit(void **state) {
    (void)state;
    if (!*home) skip();
    hd_arena arena = {.ctx = ctx};
    expect("train tabular/california_housing.csv label=median_house_value missing=mean --epochs 4 --out houses", 0,
           NULL, NULL);
    char *text = read_text("houses/result.json");
    const hd_json *result = object_of(&arena, text);
    free(text);
    const double rmse = member(member(member(result, "test"), "rmse"), "value")->number;
    const double mean = member(member(member(result, "baselines"), "mean"), "rmse")->number;
    assert_true(rmse < 0.7 * mean && rmse > 10000);
    const hd_json *o = hadal_json(&arena, "eval houses tabular/california_housing.csv part=test --json",
                                  0); /* weights and scale from the file */
    assert_true(member(member(member(o, "metrics"), "rmse"), "value")->number == rmse);
    assert_true(member(o, "loss")->number > 0.99 * rmse * rmse && member(o, "loss")->number < 1.01 * rmse * rmse);
    hd_arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_of_the_manual_trains),
        cmocka_unit_test(a_model_of_words_is_asked_with_words),
        cmocka_unit_test(predicted_numbers_are_in_the_columns_unit),
    };
    return cmocka_run_group_tests(tests, into_rooms, out_of_rooms);
}
