/* test_vectors.c: the program hadal-vectors: ops, gradients, modules, optimisers and schedules agree with PyTorch in
 * f64 by definition and in f32 on both backends; so many cases are supported at least; a wrong number is noticed. */
#include "base/json.h"
#include "hadal/io.h"
#include "support.h"
#include <sys/stat.h>
#include <sys/wait.h>

/* Runs the program, which lies beside this test, and reads what it prints. Returns its exit code. */
static int run(const char *arguments, char **text) {
    char command[9000], path[4096];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    assert_true(n > 0);
    path[n] = '\0';
    *strrchr(path, '/') = '\0';
    (void)snprintf(command, sizeof command, "'%s/hadal-vectors' %s 2>/dev/null", path, arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t used = 0, room = 1 << 16;
    *text = malloc(room);
    for (size_t got = 1; got > 0; used += got) {
        if (used + 4096 > room) *text = realloc(*text, room *= 2);
        assert_non_null(*text);
        got = fread(*text + used, 1, 4095, pipe);
    }
    (*text)[used] = '\0';
    const int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int64_t number(const hd_json *group, const char *key) {
    const hd_json *v = hd_json_get(group, key);
    assert_non_null(v);
    assert_int_equal(v->type, HD_JSON_INT);
    return v->integer;
}

/* Cases that are supported at least: they may only become more. */
static const struct {
    const char *group;
    int64_t supported;
} least[] = {{"opinfo", 1709}, {"nn_functional", 562}, {"modules", 154},
             {"optim", 38},    {"schedulers", 15},     {"clip", 6}};

static void check(const char *options) {
    char arguments[5000], *text;
    const char *folder = test_data("vectors");
    if (!folder) skip();
    (void)snprintf(arguments, sizeof arguments, "'%s' --json %s", folder, options);
    const int code = run(arguments, &text);
    hd_context *ctx = test_context(1);
    hd_arena arena = {.ctx = ctx};
    hd_json *root;
    if (hd_json_parse(&root, &arena, "report", text, strlen(text)) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    bool bad = code != 0;
    for (size_t i = 0; i < sizeof least / sizeof *least; i++) {
        const hd_json *group = hd_json_get(hd_json_get(root, "groups"), least[i].group);
        const int64_t supported = number(group, "supported"), passed = number(group, "passed");
        print_message("%s, %s: %d of %d supported, %d passed\n", options, least[i].group, (int)supported,
                      (int)number(group, "cases"), (int)passed);
        for (const hd_json *f = hd_json_get(group, "failed")->child; f; f = f->next)
            print_message("  %s %d: %s\n", hd_json_get(f, "file")->string, (int)number(f, "case"),
                          hd_json_get(f, "what")->string);
        bad |= supported < least[i].supported || passed != supported;
    }
    assert_false(bad);
    hd_arena_free(&arena);
    hd_context_free(ctx);
    free(text);
}

static void test_definitions(void **state) {
    (void)state;
    check("--dtype f64 --backend ref");
}
static void test_definitions_f32(void **state) {
    (void)state;
    check("--dtype f32 --backend ref");
}
static void test_default(void **state) {
    (void)state;
    check("--dtype f32 --backend default");
}

/* ---- a folder of our own ---- */

static void write_text(const char *folder, const char *name, const char *text) {
    char path[4200];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* neg of {1, −2} said to be {−1, result}; its gradient said to be {−3, gradient}. */
static void write_case(const char *folder, double result, double gradient, const char *kwargs) {
    char path[4200], json[512];
    (void)snprintf(path, sizeof path, "%s/opinfo", folder);
    (void)mkdir(path, 0700);
    (void)snprintf(json, sizeof json,
                   "{\"cases\": [{\"args\": [{\"tensor\": \"x\"}], \"kwargs\": %s, \"out\": [\"y\"], \"grad_out\": "
                   "{\"0\": \"dy\"}, \"requires_grad\": [\"x\"], \"grad_in\": [\"dx\"]}]}",
                   kwargs);
    write_text(folder, "opinfo/neg.json", json);
    const float x[] = {1, -2}, dy[] = {3, 4};
    const double y[] = {-1, result}, dx[] = {-3, gradient};
    const hd_tensor_out tensors[] = {{"x", HD_F32, HD_DIMS(2), x},
                                     {"dy", HD_F32, HD_DIMS(2), dy},
                                     {"y", HD_F64, HD_DIMS(2), y},
                                     {"dx", HD_F64, HD_DIMS(2), dx}};
    hd_context *ctx = test_context(1);
    (void)snprintf(path, sizeof path, "%s/opinfo/neg.safetensors", folder);
    assert_int_equal(hd_tensors_write(ctx, path, tensors, 4, (const char *const[]){NULL}), HD_OK);
    hd_context_free(ctx);
}

static void expect(const char *folder, int code, const char *words) {
    char arguments[4200], *text;
    (void)snprintf(arguments, sizeof arguments, "'%s'", folder);
    assert_int_equal(run(arguments, &text), code);
    if (!strstr(text, words)) fail_msg("\"%s\" is not in: %s", words, text);
    free(text);
}

static void test_judgement(void **state) {
    (void)state;
    const char *folder = test_folder();
    write_case(folder, 2, -4, "{}");
    expect(folder, 0, "100.0 %");
    write_case(folder, 2.00001, -4, "{}");
    expect(folder, HD_E_CHECK, "failed: neg 0: y: element 1 is 2, PyTorch says 2.00001");
    write_case(folder, 2, -4.001, "{}");
    expect(folder, HD_E_CHECK, "failed: neg 0: dx: element 1 is -4, PyTorch says -4.001");
    write_case(folder, 2, -4, "{\"unheard\": 1}"); /* never passed over */
    expect(folder, 0, "not supported");
    write_text(folder, "opinfo/neg.json", "{\"cases\": [");
    expect(folder, HD_E_FILE, "");
    test_folder_remove(folder);
}

static void test_usage(void **state) {
    (void)state;
    const char *folder = test_folder();
    static const char *const wrong[] = {"", "--json", "x --dtype f16", "x --backend", "x y"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *text;
        assert_int_equal(run(wrong[i], &text), HD_E_USAGE);
        free(text);
    }
    expect(folder, HD_E_DATA, "");
    test_folder_remove(folder);
    expect(folder, HD_E_DATA, "");
}

/* No file of vectors has two calls: the second would never run. */
static void test_one_call(void **state) {
    (void)state;
    char line[256];
    FILE *twice = popen("sed -n 's/^ *{\"\\([^\"]*\\)\", call_.*/\\1/p' vectors/calls_*.c | sort | uniq -d", "r");
    assert_non_null(twice);
    while (fgets(line, sizeof line, twice)) fail_msg("two calls of %s", line);
    assert_int_equal(pclose(twice), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_definitions), cmocka_unit_test(test_definitions_f32),
                                       cmocka_unit_test(test_default),     cmocka_unit_test(test_judgement),
                                       cmocka_unit_test(test_usage),       cmocka_unit_test(test_one_call)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
