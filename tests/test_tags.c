/* test_tags.c: sentences with a tag for each token become padded rows; rare tokens are unknown ones; a model keeps its
 * tokens and tags; what is no such file is refused. */
#include "data_support.h"

#include "base/alloc.h"
#include "hadal/train.h"

static hd_status open_text(hd_dataset **out, const char *name, const char *text, const char *options) {
    char source[5000];
    (void)snprintf(source, sizeof source, "{\"path\":\"%s\"%s}", save_file(name, text, strlen(text)), options);
    return hd_data_open(out, ctx, source, NULL);
}

static hd_dataset *opened(const char *name, const char *text, const char *options) {
    hd_dataset *d = NULL;
    if (open_text(&d, name, text, options) != HD_OK) fail_msg("%s: %s", text, hd_last_error(ctx));
    return d;
}

static void refused(const char *text, const char *options, const char *message) {
    hd_dataset *d = NULL;
    assert_int_equal(open_text(&d, "bad.conll", text, options), HD_E_DATA);
    if (!strstr(hd_last_error(ctx), message)) fail_msg("\"%s\" lacks \"%s\"", hd_last_error(ctx), message);
}

static void expect(const hd_dataset *d, int64_t index, const int *tokens, const int *labels) {
    const int64_t n = hd_data_get_info(d).positions;
    float x[8];
    int64_t label[8];
    assert_true(n <= 8);
    hd_data_x(d, index, x);
    hd_data_labels(d, index, label);
    for (int64_t p = 0; p < n; p++) assert_true((int)x[p] == tokens[p] && label[p] == labels[p]);
}

#define ROW(...) ((const int[]){__VA_ARGS__})

/* Columns between that nobody reads; "sat" is there once. */
static const char text[] = "-DOCSTART- -X- O\n\nthe DT O\ncat NN B\n\n\nthe DT O\ncat NN B\nsat VB O\r\nthe DT O\n";

static void test_sentences(void **state) {
    (void)state;
    hd_dataset *d = opened("a.conll", text, "");
    const hd_data_info info = hd_data_get_info(d);
    assert_string_equal(info.kind, "sequences");
    assert_true(info.count == 2 && info.positions == 4 && info.classes == 2 && info.codes == 4 && info.as_is);
    assert_string_equal(info.class_names[1], "B");
    assert_string_equal(info.encoding, "{\"tokens\": [\"the\", \"cat\"]}");
    expect(d, 0, ROW(2, 3, 0, 0), ROW(0, 1, -1, -1));
    expect(d, 1, ROW(2, 3, 1, 2), ROW(0, 1, 0, 0));
    hd_data_free(d);
    d = opened("a.conll", text, ",\"length\":3,\"min_count\":1,\"tag\":2");
    assert_true(hd_data_get_info(d).count == 3 && hd_data_get_info(d).classes == 3);
    expect(d, 1, ROW(2, 3, 4), ROW(0, 1, 2));
    expect(d, 2, ROW(2, 0, 0), ROW(0, -1, -1)); /* the rest of the sentence */
    hd_data_free(d);
}

/* A quotation mark is a token: it opens nothing. */
static void test_quotation_marks(void **state) {
    (void)state;
    hd_dataset *d = opened("a.conll", "\" O\nthe O\n\"cat B\n\" \" B\n", ",\"min_count\":1");
    assert_string_equal(hd_data_get_info(d).encoding, "{\"tokens\": [\"\\\"\", \"the\", \"\\\"cat\"]}");
    expect(d, 0, ROW(2, 3, 4, 2), ROW(0, 0, 1, 1));
    hd_data_free(d);
}

/* Beside its words a file of CoNLL-U holds remarks, ranges of them, and words left unsaid; a word may hold a blank. */
static void test_conllu(void **state) {
    (void)state;
    static const char treebank[] =
        "# text = Vamonos 10 000\n1-2\tVamonos\t_\t_\n1\tVamos\tir\tVERB\n2\tnos\tnos\tPRON\n"
        "2.1\tya\tya\tADV\n3\t10 000\t_\tNUM\n\n# newpar\n1\tnos\tnos\tPRON\n";
    hd_dataset *d = opened("a.conllu", treebank, ",\"min_count\":1,\"token\":2,\"tag\":4");
    const hd_data_info info = hd_data_get_info(d);
    assert_true(info.count == 2 && info.positions == 3 && info.classes == 3);
    assert_string_equal(info.encoding, "{\"tokens\": [\"Vamos\", \"nos\", \"10 000\"]}");
    expect(d, 0, ROW(2, 3, 4), ROW(0, 1, 2));
    expect(d, 1, ROW(3, 0, 0), ROW(1, -1, -1));
    hd_data_free(d);
}

/* Another text, read as the model reads: its numbers for tokens and tags, its length. */
static void test_known(void **state) {
    (void)state;
    static const char like[] = ",\"like\":{\"tokens\":[\"cat\",\"the\"]},\"names\":[\"B\",\"O\"],\"width\":3";
    hd_dataset *d = opened("a.conll", "the O\nbig O\ncat B\ncat B\n", like);
    assert_int_equal(hd_data_get_info(d).codes, 4);
    expect(d, 0, ROW(3, 1, 2), ROW(1, 1, 0));
    expect(d, 1, ROW(2, 0, 0), ROW(0, -1, -1));
    hd_data_free(d);
    refused("the O\ncat X\n", like, ":2");
    assert_non_null(strstr(hd_last_error(ctx), "does not know the tag \"X\""));
    refused("the O\n", ",\"like\":{\"tokens\":[\"cat\",2]}", "the model's tokens are no texts");
    char options[256];
    (void)snprintf(options, sizeof options, "%s,\"unlabeled\":true", like);
    d = opened("a.conll", "the\ncat\n", options);
    expect(d, 0, ROW(3, 2, 0), ROW(-1, -1, -1));
    hd_data_free(d);
}

static void test_parts_and_refusals(void **state) {
    (void)state;
    (void)save_file("train.conll", "a X\na Y\n", 8);
    (void)save_file("dev.conll", "b X\n\na Y\n", 9);
    (void)save_file("test.conll", "a X\n", 4);
    hd_dataset *d;
    char source[4600];
    (void)snprintf(source, sizeof source, "{\"path\":\"%s\"}", folder);
    if (hd_data_open(&d, ctx, source, NULL) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    const hd_data_info info = hd_data_get_info(d);
    assert_true(info.train == 1 && info.val == 2 && info.test == 1);
    expect(d, 1, ROW(1, 0), ROW(0, -1)); /* b is not in the training part */
    hd_data_free(d);
    refused("", "", "found none");
    refused("\n\n", "", "found none");
    refused("a X\nb\n", "", ":2");
    refused("a X\n", "", "expected 2");
    refused("a X\nb Y\n", ",\"token\":3", "found 2 columns");
    refused("a X\nb Y\n", ",\"length\":65536,\"min_count\":0", "min_count");
    char many[4096] = "";
    for (int i = 0; i < 500; i++) memcpy(many + 5 * i, "a X\n\n", 6);
    refused(many, ",\"length\":65536", "Say length=");
}

static void test_learning(void **state) {
    (void)state;
    char lines[8192] = "";
    for (int i = 0; i < 60; i++) /* the tag says whether the token is a vowel */
        (void)snprintf(lines + strlen(lines), 64, "%c %s\n%s", 'a' + i * 7 % 5,
                       i * 7 % 5 == 0 || i * 7 % 5 == 4 ? "V" : "C", i % 4 == 3 || i % 7 == 0 ? "\n" : "");
    hd_dataset *d = opened("b.conll", lines, "");
    hd_recipe *r;
    hd_trainer *t;
    hd_result result;
    assert_int_equal(hd_recipe_parse(&r, ctx, "recipe",
                                     "{\"model\":[{\"embedding\":{\"num_embeddings\":7,\"embedding_dim\":8}},"
                                     "{\"linear\":{\"out_features\":2}}],\"train\":{\"epochs\":40,\"batch_size\":4,"
                                     "\"optimizer\":{\"lr\":0.05}}}"),
                     HD_OK);
    if (hd_trainer_new(&t, ctx, &(hd_trainer_args){.recipe = r, .data = d, .out = ""}) != HD_OK)
        fail_msg("%s", hd_last_error(ctx));
    assert_int_equal(hd_trainer_run(t, &result), HD_OK);
    assert_true(hd_scores_find(&result.test, "accuracy")->value == 1 && result.majority < 0.9);
    hd_trainer_free(t);
    hd_recipe_free(r);
    hd_data_free(d);
}

static void test_no_memory(void **state) {
    (void)state;
    char source[4600];
    (void)snprintf(source, sizeof source, "{\"path\":\"%s\"}", save_file("a.conll", text, sizeof text - 1));
    assert_true(fail_every_allocation(open_and_close, source) > 12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DATA_TEST(test_sentences), DATA_TEST(test_quotation_marks),    DATA_TEST(test_conllu),
        DATA_TEST(test_known),     DATA_TEST(test_parts_and_refusals), DATA_TEST(test_learning),
        DATA_TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
