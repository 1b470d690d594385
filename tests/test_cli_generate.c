/* test_cli_generate.c: the verb generate: what a small transformer learnt it goes on with, as text and as JSON; what it
 * refuses, and with which exit code. */
#include "cli_run.h"

static void write_letters(void) {
    FILE *f = fopen("letters.txt", "w");
    assert_non_null(f);
    for (int i = 0; i < 600; i++) assert_true(fputs("abcd", f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void train(void) {
    write_letters();
    expect("train letters.txt --model gpt-nano model.n_layer=1 model.n_embd=16 model.n_head=2 --data.length 16 "
           "--batch-size 8 --lr 0.01 --steps 60 --out run",
           0, NULL, NULL);
}

static void text_goes_on(void **state) {
    (void)state;
    train();
    expect("generate run --prompt ab --tokens 6 --temperature 0", 0, "abcdabcd\n", "");
    expect("generate run --prompt cdab --tokens 40 --top-k 1", 0, "cdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdab\n", "");
}

/* What `generate` writes stands in the report of the run; blanks can be seen; what only turns is no layer. */
static void the_report_shows_what_it_writes(void **state) {
    (void)state;
    FILE *f = fopen("lines.txt", "w");
    assert_non_null(f);
    for (int i = 0; i < 300; i++) assert_true(fputs(i % 3 ? "a   b\n" : "b ba\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    expect("train lines.txt --format text --model gpt-nano model.n_layer=1 model.n_embd=16 model.n_head=2 "
           "--data.length 16 "
           "--batch-size 8 --steps 20 --seed 7 --out lines",
           0, "most often ' ':", NULL);
    char *page = read_text("lines/report.html");
    expect("generate lines --temperature 0.8 --seed 7", 0, NULL, "");
    char *written = read_text("stdout.txt");
    const size_t length = strlen(written) - 1; /* without the end of its last line */
    assert_int_equal(length, 200);
    const char *shown = strstr(page, "<pre class=written>");
    assert_non_null(shown);
    assert_memory_equal(strchr(shown, '>') + 1, written, length);
    assert_non_null(strstr(page, "<th class=row scope=row>&#39; &#39;<"));
    assert_non_null(strstr(page, "<th class=row scope=row>&#39;\\n&#39;<"));
    assert_non_null(strstr(page, "<td>layer_norm<"));
    assert_null(strstr(page, "<td>reshape<"));
    free(written);
    free(page);
}

static void as_json(void **state) {
    (void)state;
    hd_arena arena = {.ctx = test_context(1)};
    const hd_json *object = hadal_json(&arena, "generate run --prompt abc --tokens 5 --temperature 0 --json", 0);
    assert_string_equal(hd_json_get(object, "text")->string, "abcdabcd");
    assert_int_equal(hd_json_get(object, "tokens")->integer, 5);
    assert_true(hd_json_get(object, "per_second")->number > 0);
    hd_context *ctx = arena.ctx;
    hd_arena_free(&arena);
    hd_context_free(ctx);
}

static void refusals(void **state) {
    (void)state;
    expect("generate run --prompt xyz", 3, "", "does not know the character \"x\"");
    expect("generate run --temperature hot", 1, "", "expected a number");
    expect("generate run --top-p 2", 1, "", "top_p");
    expect("generate run --tokens -3", 1, "", "tokens");
    expect("generate gpt-nano", 2, "", "without weights");
    expect("generate", 1, "", "expected MODEL");
    expect("generate run --promt a", 1, "", "Did you mean --prompt");
    expect("train xor --epochs 1 --out net", 0, NULL, NULL);
    expect("generate net", 2, "", "model of text or music");
}

static void sequences_that_do_not_fit(void **state) {
    (void)state;
    expect("train letters.txt --model gpt-nano --data.length 65 --steps 1 --out long", 2, "",
           "expects at most 64 positions, its input has 65");
}

/* A table of tokens: [CLS] 1, then words of a vocabulary of 9, and one beyond it in the last row. */
static void tokens_beyond_the_vocabulary(void **state) {
    (void)state;
    FILE *f = fopen("tokens.csv", "w");
    assert_non_null(f);
    assert_true(fputs("a,b,c,label\n", f) >= 0);
    for (int i = 0; i < 60; i++)
        assert_true(fprintf(f, "1,%d,%d,%s\n", 2 + i % 7, i == 59 ? 9 : 3, i % 2 ? "x" : "y") > 0);
    assert_int_equal(fclose(f), 0);
    expect("train tokens.csv --model bert-tiny model.vocab=9 --data.normalize none --test 0 --epochs 1 --out few", 3,
           "", "embedding \"bert.embeddings.word_embeddings\" has rows 0 … 8, sample 59 asks for row 9");
    expect("train tokens.csv --model bert-tiny model.vocab=10 --data.normalize none --test 0 --epochs 1 --out enough",
           0, NULL, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_goes_on),
        cmocka_unit_test(the_report_shows_what_it_writes),
        cmocka_unit_test(as_json),
        cmocka_unit_test(refusals),
        cmocka_unit_test(sequences_that_do_not_fit),
        cmocka_unit_test(tokens_beyond_the_vocabulary),
    };
    return cmocka_run_group_tests(tests, into_folder, out_of_folder);
}
