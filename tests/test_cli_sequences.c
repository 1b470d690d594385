/* test_cli_sequences.c: text, music, tagged sentences and ratings through the command: trained, scored, asked, looked
 * at. */
#include "cli_run.h"
#include <sys/stat.h>

static void save(const char *name, const char *text) {
    FILE *f = fopen(name, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

#define NET(rows, outputs)                                                                                             \
    "\"model\": [{\"embedding\": {\"num_embeddings\": " rows ", \"embedding_dim\": 8}}, {\"linear\": "                 \
    "{\"out_features\": " outputs "}}]"

static void text_is_learnt(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_arena arena = {.ctx = ctx};
    char text[1201] = "";
    for (int i = 0; i < 100; i++) memcpy(text + 12 * i, i % 3 ? "abcd abcd\ne " : "dcba ebcd\nd ", 13);
    save("a.txt", text);
    save("t.json", "{\"data\": {\"source\": \"a.txt\", \"length\": 16, \"test\": 0}, " NET(
                       "7", "7") ", \"train\": "
                                 "{\"steps\": 80, \"batch_size\": 8, \"optimizer\": {\"lr\": 0.02}}}");
    const hd_json *o = hadal_json(&arena, "train t.json --out text --json", 0);
    assert_int_equal(member(o, "steps")->integer, 80);
    const hd_json *val = member(o, "val");
    assert_true(member(member(val, "perplexity"), "value")->number < 3);
    assert_int_equal(member(val, "n")->integer, 7 * 16);
    assert_true(member(member(val, "accuracy"), "value")->number >
                member(member(member(o, "baselines"), "majority"), "accuracy")->number);
    const hd_json *said = member(hadal_json(&arena, "predict text a.txt --json", 0), "predictions")->child;
    assert_int_equal(member(said, "labels")->count, 16);
    expect("predict text a.txt", 0, "a.txt[0]", "");
    expect("eval text a.txt --part val", 0, "perplexity", "");
    expect("summary text", 0, "total", "");
    save("b.txt", "abcd xyz, and more of it\n");
    expect("eval text b.txt", 3, "", "the character \"x\"");
    save("c.txt", "abcd");
    expect("eval text c.txt", 3, "", "has 4 tokens");
    expect("eval text a.txt --length 8", 0, "16 tokens", ""); /* the model's length */
    hd_arena_free(&arena);
    hd_context_free(ctx);
}

static void music_is_learnt(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_arena arena = {.ctx = ctx};
    assert_int_equal(mkdir("music", 0700), 0);
    save("music/jsb-chorales-quarter.json",
         "{\"train\": [[[60],[62],[60],[62],[60],[62]], [[62],[60],[62]], [[60],[62],[60],[62]]], \"valid\": "
         "[[[60],[62],[60]]], \"test\": [[[62],[60],[62],[60]]]}");
    save("m.json", "{\"data\": \"music\", \"model\": [{\"linear\": {\"out_features\": 88}}], \"train\": {\"epochs\": "
                   "150, \"batch_size\": 3, \"optimizer\": {\"lr\": 0.1}}}");
    const hd_json *o = hadal_json(&arena, "train m.json --out roll --json", 0), *test = member(o, "test");
    assert_int_equal(member(test, "n")->integer, 3);
    assert_true(member(test, "loss")->number < 1);
    assert_true(member(member(test, "frame_accuracy"), "value")->number == 1);
    assert_null(hd_json_get(test, "rmse"));
    const hd_json *said = member(hadal_json(&arena, "predict roll music --json", 0), "predictions")->child;
    assert_true(member(said, "values")->count == 5 && member(said, "values")->child->count == 88);
    expect("predict roll music", 0, "88 values at each of 5 positions", "");
    expect("eval roll music", 0, "frame_accuracy 100.0 %", "");
    hd_arena_free(&arena);
    hd_context_free(ctx);
}

static void tags_are_learnt(void **state) {
    (void)state;
    char lines[2048] = "";
    for (int i = 0; i < 30; i++)
        (void)strncat(lines, i % 2 ? "the DET\ncat NOUN\n\n" : "a DET\ndog NOUN\nruns VERB\n\n", 64);
    save("s.conll", lines);
    save("g.json", "{\"data\": \"s.conll\", " NET("7", "3") ", \"train\": {\"epochs\": 60, \"batch_size\": 8, "
                                                            "\"optimizer\": {\"lr\": 0.05}}}");
    ran r = hadal("train g.json --out tags");
    assert_int_equal(r.code, 0);
    assert_non_null(strstr(r.out, ", 100.0 % ("));
    assert_non_null(strstr(r.out, "hadal predict tags data.conll")); /* what is proposed can be read */
    ran_free(&r);
    save("n.conll", "the\ndog\n");
    expect("predict tags n.conll", 0, " DET NOUN", "");
}

static void ratings_are_learnt(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_arena arena = {.ctx = ctx};
    char lines[8192] = "userId,movieId,rating\n";
    for (int u = 1; u <= 20; u++)
        for (int i = 1; i <= 20; i++)
            (void)snprintf(lines + strlen(lines), 40, "%d,%d,%d\n", 10 * u, i, 1 + (u % 3) + (i % 2));
    save("ratings.csv", lines);
    const hd_json *o =
        hadal_json(&arena, "train ratings.csv --epochs 30 --lr 0.02 --batch-size 16 --out stars --json", 0);
    assert_true(member(member(member(o, "test"), "rmse"), "value")->number < 0.3);
    const hd_json *one = member(hadal_json(&arena, "predict stars 10,1 20,2 --json", 0), "predictions");
    assert_int_equal(one->count, 2);
    expect("predict stars 11,1", 3, "", "user 11 is not among the 20");
    expect("eval stars ratings.csv", 0, "rmse", NULL);
    hd_arena_free(&arena);
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_learnt),
        cmocka_unit_test(music_is_learnt),
        cmocka_unit_test(tags_are_learnt),
        cmocka_unit_test(ratings_are_learnt),
    };
    return cmocka_run_group_tests(tests, into_folder, out_of_folder);
}
