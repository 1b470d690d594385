/* test_cli_runs.c: train, eval, predict, summary and bench through the program itself: what they print, what they
 * leave, what an interruption loses (nothing). */
#include "cli_ctx.h"
#include "hadal/program.h"
#include <math.h>
#include <time.h>

static int count_of(const char *text, const char *part) {
    int n = 0;
    for (const char *p = text; (p = strstr(p, part)) != NULL; p += strlen(part)) n++;
    return n;
}

static void check_metric(const hd_json *m) {
    double value = member(m, "value")->number, low = member(m, "low")->number, high = member(m, "high")->number;
    assert_true(low <= value && value <= high);
}

static void training_prints_plain_lines_in_a_pipe(void **state) {
    (void)state;
    ran r = hadal("train blobs --model mlp --epochs 3 --out plain");
    if (r.code != 0) fail_msg("%s", r.err);
    assert_int_equal(count_of(r.out, "\nepoch "), 3);
    assert_int_equal(count_of(r.out, "data "), 1);
    assert_int_equal(count_of(r.out, "\nplan "), 1);
    assert_int_equal(count_of(r.out, "\ndone "), 1);
    assert_non_null(strstr(r.out, "majority"));
    assert_non_null(strstr(r.out, "plain/report.html"));
    assert_null(strchr(r.out, '\033'));
    assert_null(strchr(r.out, '\r'));
    assert_string_equal(r.err, "");
    ran_free(&r);
}

static void training_with_json_prints_one_object(void **state) {
    (void)state;
    hd_arena arena = {.ctx = ctx};
    const hd_json *o = hadal_json(&arena, "train moons --epochs 4 --out object --json", 0);
    static const char *const keys[] = {"run",        "params",         "epochs",     "steps",      "seconds",
                                       "best_epoch", "stopped",        "peak_bytes", "plan_bytes", "seed",
                                       "threads",    "weights_sha256", "train",      "val",        "test"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) (void)member(o, keys[i]);
    assert_int_equal(member(o, "epochs")->integer, 4);
    assert_string_equal(member(o, "stopped")->string, "epochs");
    assert_int_equal(member(o, "weights_sha256")->length, 64);
    assert_true(member(member(o, "test"), "loss")->type != HD_JSON_OBJECT);
    check_metric(member(member(o, "test"), "accuracy"));
    check_metric(member(member(o, "val"), "accuracy"));
    /* the object is the run's result.json */
    char *stored = read_text("object/result.json");
    assert_string_equal(member(object_of(&arena, stored), "weights_sha256")->string,
                        member(o, "weights_sha256")->string);
    free(stored);
    char *err = read_text("stderr.txt");
    assert_int_equal(count_of(err, "\nepoch "), 4);
    free(err);
    hd_arena_free(&arena);
}

static void a_run_folder_is_whole_and_its_report_stands_alone(void **state) {
    (void)state;
    expect("train digits n=300 --model 256-16-relu-10 --epochs 2 --out whole", 0, "done", NULL);
    static const char *const files[] = {"recipe.yaml",      "log.jsonl",        "results.csv", "result.json",
                                        "best.safetensors", "last.safetensors", "last.state",  "report.html"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "whole/%s", files[i]);
        if (access(path, R_OK) != 0) fail_msg("%s is missing", path);
    }
    char *page = read_text("whole/report.html");
    assert_non_null(strstr(page, "<svg"));
    assert_non_null(strstr(page, "class=confusion"));
    assert_non_null(strstr(page, "data:image/png;base64,"));
    assert_non_null(strstr(page, "prefers-color-scheme:dark"));
    assert_null(strstr(page, "http"));
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "<link"));
    assert_non_null(strstr(page, "</html>"));
    free(page);
    expect("train digits --out whole", 7, "", "whole"); /* never overwritten */
}

static void numbers_get_a_report_with_rows(void **state) {
    (void)state;
    expect("train sine --epochs 2 --out wave", 0, "rmse", NULL);
    char *page = read_text("wave/report.html");
    assert_non_null(strstr(page, "always the mean"));
    assert_non_null(strstr(page, "Its worst mistakes"));
    free(page);
}

static void all_forms_of_an_option_are_the_same(void **state) {
    (void)state;
    static const char *const forms[] = {
        "--batch-size 32 --lr 0.01 --momentum 0.5 --optimizer sgd",
        "--batch-size=32 --optimizer.lr=0.01 --optimizer.momentum 0.5 --optimizer.name sgd",
        "batch_size=32 lr=0.01 momentum=0.5 optimizer=sgd",
        "train.batch_size=32 train.optimizer.lr=0.01 train.optimizer.momentum=0.5 train.optimizer.name=sgd"};
    char first[65] = "";
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char words[512];
        hd_arena arena = {.ctx = ctx};
        (void)snprintf(words, sizeof words, "train xor --epochs 2 --name forms %s --json", forms[i]);
        const hd_json *o = hadal_json(&arena, words, 0);
        (void)snprintf(words, sizeof words, "runs/forms-%03d", (int)i + 1); /* counted up */
        assert_non_null(strstr(member(o, "run")->string, words));
        if (i == 0)
            (void)snprintf(first, sizeof first, "%s", member(o, "weights_sha256")->string);
        else
            assert_string_equal(member(o, "weights_sha256")->string, first);
        hd_arena_free(&arena);
    }
}

static void recipes_are_files_and_errors_name_the_place(void **state) {
    (void)state;
    FILE *f = fopen("small.json", "w");
    assert_non_null(f);
    fputs("{\"data\": {\"source\": \"xor\"},\n \"train\": {\"epochs\": 2}}\n", f);
    (void)fclose(f);
    hd_arena arena = {.ctx = ctx};
    assert_int_equal(member(hadal_json(&arena, "train small.json --out fromfile --json", 0), "epochs")->integer, 2);
    hd_arena_free(&arena);
    f = fopen("wrong.json", "w");
    assert_non_null(f);
    fputs("{\"data\": {\"source\": \"xor\"},\n \"train\": {\"epoch\": 2}}\n", f);
    (void)fclose(f);
    expect("train wrong.json", 2, "", "wrong.json:2:12: unknown key \"epoch\"");
}

static void numbers_are_predicted(void **state) {
    (void)state;
    expect("train xor --epochs 30 --out gate", 0, "done", NULL);
    hd_arena arena = {.ctx = ctx};
    const hd_json *p = member(hadal_json(&arena, "predict gate --json -- -1,-1 0.9,-0.9", 0), "predictions");
    assert_int_equal(p->count, 2);
    for (const hd_json *one = p->child; one; one = one->next) {
        assert_true(member(one, "label")->length > 0);
        double score = member(one, "score")->number;
        assert_true(score >= 0.5 && score <= 1);
        assert_string_equal(member(member(one, "top")->child, "label")->string, member(one, "label")->string);
    }
    hd_arena_free(&arena);
    expect("predict gate 1,2,3", 3, "", "the model reads 2 numbers");
    expect("predict gate 1,x", 3, "", NULL);
    FILE *f = fopen("lines.txt", "w");
    assert_non_null(f);
    fputs("0.5,-1\n\n-1 2\n", f);
    (void)fclose(f);
    ran r = hadal_with("predict gate -", "lines.txt");
    assert_int_equal(r.code, 0);
    assert_int_equal(count_of(r.out, "\n"), 2);
    ran_free(&r);
    expect("predict gate lines.txt", 0, "-1 2", NULL);
}

static void pictures_and_data_are_predicted_and_evaluated(void **state) {
    (void)state;
    expect("train digits n=300 --model 256-16-relu-10 --epochs 2 --out reader", 0, NULL, NULL);
    hd_arena arena = {.ctx = ctx};
    const hd_json *o = hadal_json(&arena, "eval reader digits n=300 --json", 0);
    int64_t n = member(o, "n")->integer, sum = 0;
    assert_int_equal(n, 2000); /* the test part, once more */
    check_metric(member(member(o, "metrics"), "accuracy"));
    check_metric(member(member(o, "baselines"), "majority"));
    const hd_json *confusion = member(o, "confusion");
    assert_int_equal(confusion->count, 10);
    for (const hd_json *row = confusion->child; row; row = row->next)
        for (const hd_json *cell = row->child; cell; cell = cell->next) sum += cell->integer;
    assert_int_equal(sum, n);
    assert_int_equal(member(o, "test_evaluations")->integer, 1);
    o = hadal_json(&arena, "eval reader digits n=300 --json", 0);
    assert_int_equal(member(o, "test_evaluations")->integer, 2); /* counted in the run folder */
    o = hadal_json(&arena, "predict reader digits n=300 --json", 0);
    assert_int_equal(member(o, "predictions")->count, 2000);
    hd_arena_free(&arena);
    expect("eval reader moons", 3, "", NULL);
    expect("predict reader nothing.png", 7, "", "nothing.png");
    expect("eval 256-16-relu-10 digits", 2, "", "without weights");
}

static void a_summary_counts_parameters_and_plans(void **state) {
    (void)state;
    hd_arena arena = {.ctx = ctx};
    const hd_json *o = hadal_json(&arena, "summary 784-200-relu-10 --batch-size 64 --json", 0);
    assert_int_equal(member(o, "params")->integer, 784 * 200 + 200 + 200 * 10 + 10);
    assert_true(member(member(o, "plan"), "train_bytes")->number > member(member(o, "plan"), "infer_bytes")->number);
    int64_t params = 0;
    for (const hd_json *l = member(o, "layers")->child; l; l = l->next) {
        params += member(l, "params")->integer;
        (void)member(l, "name"), (void)member(l, "type");
        assert_true(member(l, "output")->type == HD_JSON_ARRAY);
    }
    assert_int_equal(params, member(o, "params")->integer);
    double at64 = member(member(o, "plan"), "train_bytes")->number;
    o = hadal_json(&arena, "summary 784-200-relu-10 --batch-size 256 --json", 0);
    assert_true(member(member(o, "plan"), "train_bytes")->number > at64);
    hd_arena_free(&arena);
    expect("summary lenet5", 0, "61,706", "");
}

static void a_bench_tells_its_ceiling(void **state) {
    (void)state;
    hd_arena arena = {.ctx = ctx};
    const hd_json *o = hadal_json(&arena, "bench 32-16-relu-4 --batch-size 8 --steps 5 --threads 1 --json", 0);
    static const char *const keys[] = {"ms",         "per_second", "gflops", "ceiling_gflops", "ceiling_share",
                                       "peak_bytes", "threads",    "dtype",  "mode",           "reorders"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) (void)member(o, keys[i]);
    assert_string_equal(member(o, "mode")->string, "train");
    assert_true(member(o, "ms")->number > 0);
    assert_true(member(o, "ceiling_gflops")->number > 0.1);
    assert_true(member(o, "peak_bytes")->number > 1e6);
    o = hadal_json(&arena, "bench 32-16-relu-4 --batch-size 8 --steps 5 --threads 1 --infer --json", 0);
    assert_string_equal(member(o, "mode")->string, "infer");
    assert_string_equal(member(o, "dtype")->string, "f32");
    hd_arena_free(&arena);
}

/* Some products have kernels of bf16 where the processor has such instructions; small ones are emulated anywhere. */
static void a_bench_in_bf16_tells_how(void **state) {
    (void)state;
    hd_arena arena = {.ctx = ctx};
    const bool native = hd_precision_native(ctx, "bf16");
    const hd_json *o = hadal_json(&arena, "bench 96-128-relu-4 --batch-size 64 --steps 3 --precision bf16 --json", 0);
    assert_string_equal(member(o, "dtype")->string, "bf16");
    assert_int_equal(member(o, "bf16_native")->integer + member(o, "bf16_emulated")->integer, 5);
    assert_int_equal(member(o, "bf16_native")->integer > 0, native);
    assert_true(member(o, "bf16_emulated")->integer > 0);
    assert_true(member(o, "ceiling_gflops")->number > 0.1);
    expect("bench 32-16-relu-4 --batch-size 8 --steps 3 --precision bf16", 0, "5 of 5 products emulated", "");
    o = hadal_json(&arena, "version --json", 0);
    assert_string_equal(member(o, "bf16")->string, native ? "native" : "emulated");
    hd_arena_free(&arena);
}

/* The example of each verb's --help, in the order of the verbs: what train leaves is what eval and predict take. */
static void every_example_works(void **state) {
    (void)state;
    static const char *const verbs[] = {"train", "eval", "predict", "summary", "bench", "help", "version"};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        char words[512];
        (void)snprintf(words, sizeof words, "%s --help", verbs[i]);
        ran r = hadal(words);
        const char *example = strstr(r.out, "EXAMPLE\n  hadal ");
        assert_non_null(example);
        example += strlen("EXAMPLE\n  hadal ");
        (void)snprintf(words, sizeof words, "%.*s%s", (int)strcspn(example, "\n"), example,
                       strcmp(verbs[i], "bench") == 0 ? " --steps 2" : "");
        ran_free(&r);
        expect(words, 0, NULL, "");
    }
}

/* Starts a training and sends SIGINT when its first epoch is through; the exit code. */
static int interrupt(const char *words) {
    pid_t pid = start_hadal(words, NULL, "stdout.txt", "stderr.txt");
    for (int i = 0; i < 60000; i++) {
        char *out = read_text("stdout.txt");
        bool through = strstr(out, "\nepoch ") != NULL;
        free(out);
        int status;
        if (through) break;
        if (waitpid(pid, &status, WNOHANG) == pid) return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    assert_int_equal(kill(pid, SIGINT), 0);
    return wait_for(pid);
}

static void an_interrupted_run_goes_on_to_the_same_bits(void **state) {
    (void)state;
    static const char how[] = "digits n=1000 --model 256-32-relu-10 --seed 7";
    char words[256], epochs[32], whole[65];
    int code = 0;
    long count = 20;
    /* On a busy machine a short run may be over before the signal comes: then a longer one. */
    for (int attempt = 0; attempt < 6 && code != 130; attempt++, count *= 3) {
        (void)snprintf(epochs, sizeof epochs, "%ld", count);
        (void)snprintf(words, sizeof words, "train %s --epochs %s --out cut%s", how, epochs, epochs);
        code = interrupt(words);
    }
    assert_int_equal(code, 130);
    char *out = read_text("stdout.txt");
    assert_non_null(strstr(out, "saved cut"));
    assert_non_null(strstr(out, "hadal train --resume cut"));
    free(out);
    hd_arena arena = {.ctx = ctx};
    (void)snprintf(words, sizeof words, "train %s --epochs %s --out whole%s --json", how, epochs, epochs);
    (void)snprintf(whole, sizeof whole, "%s", member(hadal_json(&arena, words, 0), "weights_sha256")->string);
    (void)snprintf(words, sizeof words, "train --resume cut%s --json", epochs);
    assert_string_equal(member(hadal_json(&arena, words, 0), "weights_sha256")->string, whole);
    /* once finished, it only tells its result */
    const hd_json *again = hadal_json(&arena, words, 0);
    assert_string_equal(member(again, "weights_sha256")->string, whole);
    hd_arena_free(&arena);
    (void)snprintf(words, sizeof words, "train --resume cut%s --epochs 5", epochs);
    expect(words, 1, "", "epochs can not change");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_prints_plain_lines_in_a_pipe),
        cmocka_unit_test(training_with_json_prints_one_object),
        cmocka_unit_test(a_run_folder_is_whole_and_its_report_stands_alone),
        cmocka_unit_test(numbers_get_a_report_with_rows),
        cmocka_unit_test(all_forms_of_an_option_are_the_same),
        cmocka_unit_test(recipes_are_files_and_errors_name_the_place),
        cmocka_unit_test(numbers_are_predicted),
        cmocka_unit_test(pictures_and_data_are_predicted_and_evaluated),
        cmocka_unit_test(a_summary_counts_parameters_and_plans),
        cmocka_unit_test(every_example_works),
        cmocka_unit_test(a_bench_tells_its_ceiling),
        cmocka_unit_test(a_bench_in_bf16_tells_how),
        cmocka_unit_test(an_interrupted_run_goes_on_to_the_same_bits),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
