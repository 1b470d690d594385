/* test_cli_forms.c: the forms in which a thing can be asked of the command: numbers, pictures, streams and data for
 * predict; models of every kind for summary; help on every kind of word; data sets by name. */
#include "cli_run.h"
#include <math.h>
#include <sys/stat.h>

static int set_up(void **state) {
    if (into_folder(state) != 0) return -1;
    expect("train sine n=200 --model 1-8-tanh-1 --epochs 2 --out reg", 0, NULL, NULL);
    expect("train digits n=300 --model 256-10 --epochs 1 --out cls --quiet=no", 1, NULL, NULL); /* no such flag */
    expect("train digits n=300 --model 256-10 --epochs 1 --out cls", 0, NULL, NULL);
    return 0;
}

static void write_file(const char *name, const void *bytes, size_t n) {
    FILE *f = fopen(name, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void numbers_are_predicted(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_arena arena = {.ctx = ctx};
    const hd_json *list = member(hadal_json(&arena, "predict reg 0.5 0.25 --json", 0), "predictions");
    assert_int_equal(list->count, 2);
    assert_non_null(hd_json_get(list->child, "input"));
    expect("predict reg 0.5", 0, "0.5", "");
    expect("predict reg -- -1", 0, "-1", "");
    expect("predict reg 0.5,1", 3, "", "this has 2");
    expect("predict reg 0.5x", 7, "", NULL);
    expect("predict cls 1,2,3", 3, "", "this has 3");
    expect("predict cls 1,two,3", 3, "", "two");
    expect("predict reg sine --part test", 0, "sine", NULL);
    expect("predict cls digits --part val --top 3", 0, NULL, NULL);
    expect("predict cls digits --part none", 1, "", "part");
    expect("predict cls digits --top 99", 1, "", "top");
    expect("predict cls nowhere.png", 7, "", "nowhere.png");
    expect("predict nowhere 1", 2, "", "nowhere");
    expect("predict cls sine", 3, "", NULL);
    hd_arena_free(&arena);
    hd_context_free(ctx);
}

static void streams_are_predicted(void **state) {
    (void)state;
    char pgm[512] = "P5\n20 20\n255\n";
    const size_t head = strlen(pgm);
    for (int i = 0; i < 400; i++) pgm[head + (size_t)i] = (char)(i % 20 > 8 && i % 20 < 12 ? 255 : 0);
    write_file("one.pgm", pgm, head + 400);
    write_file("lines.txt", "0.1\n0.2\n\n0.3\n", 13);
    write_file("empty", "", 0);
    expect("predict cls one.pgm", 0, "one.pgm", NULL);
    expect("predict cls one.pgm --strict", 3, "", "one.pgm");
    expect("predict cls one.pgm --json", 0, "\"note\"", NULL);
    expect("predict reg lines.txt", 0, "0.3", NULL);
    ran r = hadal_with("predict cls -", "one.pgm");
    assert_int_equal(r.code, 0);
    ran_free(&r);
    assert_int_equal(mkdir("some", 0700), 0);
    write_file("some/b.pgm", pgm, head + 400);
    write_file("some/a.pgm", pgm, head + 400);
    write_file("some/notes.txt", "no picture\n", 11);
    r = hadal("predict cls some");
    assert_int_equal(r.code, 0);
    const char *first = strstr(r.out, "some/a.pgm"), *second = strstr(r.out, "some/b.pgm");
    assert_true(first && second && first < second);
    assert_null(strstr(r.out, "notes.txt"));
    ran_free(&r);
    r = hadal_with("predict reg - --json", "lines.txt");
    assert_int_equal(r.code, 0);
    assert_non_null(strstr(r.out, "0.3"));
    ran_free(&r);
    r = hadal_with("predict reg -", "empty");
    assert_int_equal(r.code, 3);
    ran_free(&r);
}

/* --out FILE.npy: version 1.0 of NumPy's format, a row for each input, the numbers that --json tells. */
static void scores_are_kept(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_arena arena = {.ctx = ctx};
    char file[200];
    float y[3];
    const hd_json *said = hadal_json(&arena, "predict reg 0.5 0.25 0.125 --out y.npy --json", 0);
    FILE *f = fopen("y.npy", "rb");
    assert_non_null(f);
    assert_int_equal(fread(file, 1, sizeof file, f), 128 + sizeof y);
    assert_int_equal(fclose(f), 0);
    memcpy(y, file + 128, sizeof y);
    assert_memory_equal(file, "\223NUMPY\1\0\166\0{'descr': '", 21);
    assert_int_equal(file[127], '\n');
    file[127] = '\0';
    assert_non_null(strstr(file + 10, "f4', 'fortran_order': False, 'shape': (3, 1), }"));
    const hd_json *one = member(said, "predictions")->child;
    for (int i = 0; i < 3; i++, one = one->next)
        assert_true(fabs(member(one, "values")->child->number - (double)y[i]) < 1e-6);
    expect("predict reg 0.5 --out y.txt", 1, "", "ends in neither .npy nor .png");
    expect("predict cls digits --out y.png", 1, "", "gives back no pictures");
    hd_arena_free(&arena);
    hd_context_free(ctx);
}

static void models_of_every_kind_are_summed_up(void **state) {
    (void)state;
    static const char json[] = "{\"data\": \"digits\", \"model\": [\"flatten\", {\"linear\": {\"out_features\": 10}}]}";
    write_file("r.json", json, sizeof json - 1);
    expect("summary reg", 0, "fc1", "");
    expect("summary cls/best.safetensors", 0, "2,570", "");
    expect("summary r.json", 0, "linear", "");
    expect("summary r.json --data moons", 2, "", NULL);
    expect("summary mlp --data digits", 0, "fc1", "");
    expect("summary mlp model.hidden=[5]", 0, "fc1", "");
    expect("summary 8-6-glu-4-glu", 0, "fc2", "");
    expect("summary 8-5-glu-4", 2, "", "glu");
    expect("summary cnn-smal", 2, "", "cnn-small");
    expect("bench cls --infer --threads 1", 0, NULL, NULL);
    expect("eval reg sine", 0, "rmse", NULL);
    expect("eval cls digits --json", 0, "\"confusion\"", NULL);
    expect("eval mlp digits", 2, "", "Train it first");
    expect("train digits --mem lots", 1, "", "8GB");
    expect("train digits --mem 64KB", 4, "", NULL);
    expect("train digits nesterov=perhaps", 1, "", NULL);
    expect("train digits --resume", 1, "", "--resume needs a value");
    expect("train -x", 1, "", "two dashes");
}

static void help_knows_every_kind_of_word(void **state) {
    (void)state;
    expect("help words", 0, "overfitting", "");
    expect("help networks", 0, "lenet5", "");
    expect("help layers", 0, "max_pool2d", "");
    expect("help recipe", 0, "train.optimizer.lr", "");
    expect("help relu", 0, "operation", "");
    expect("help lenet5", 0, "network", "");
    expect("help --lr", 0, "learning rate", "");
    expect("help batch_size", 0, "samples a step", "");
    expect("help learning rate", 0, NULL, "");
    expect("help --json", 0, "\"terms\"", "");
    expect("help train --json", 0, "\"flags\"", "");
    expect("help overfitting --json", 0, "\"text\"", "");
    expect("help conv2d --json", 0, "\"operation\"", "");
    expect("help lenet5 --json", 0, "\"network\"", "");
    expect("help trian", 1, "", "Did you mean train?");
    expect("help zzzzzzzzzzzzzzz", 1, "", "hadal help words");
    expect("version --json", 0, "\"version\"", "");
    expect("-h", 0, "hadal VERB", "");
    expect("train -h", 0, "USAGE", "");
}

static void data_sets_are_shown(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_arena arena = {.ctx = ctx};
    assert_true(member(hadal_json(&arena, "data --json", 0), "sets")->count > 8);
    expect("data", 0, "mnist", "");
    expect("data show mnist", 0, "licence", "");
    expect("data usps", 0, "usps", "");
    expect("data show usps --json", 0, "usps", "");
    expect("data show mnits", 1, "", "mnist");
    expect("data show", 1, "", "expected the name");
    expect("data get", 1, "", "expected the name");
    expect("data fetch mnist", 1, "", "neither get nor show");
    hd_arena_free(&arena);
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_predicted),
        cmocka_unit_test(streams_are_predicted),
        cmocka_unit_test(scores_are_kept),
        cmocka_unit_test(models_of_every_kind_are_summed_up),
        cmocka_unit_test(help_knows_every_kind_of_word),
        cmocka_unit_test(data_sets_are_shown),
    };
    return cmocka_run_group_tests(tests, set_up, out_of_folder);
}
