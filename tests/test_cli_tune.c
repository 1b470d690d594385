/* test_cli_tune.c: measured kernels through the program itself: bench --tune and train --tune write the table, both
 * follow it, a table that can not be used is said and does no harm. */
#include "cli_ctx.h"

static void use_table(const char *name) {
    static char path[4400];
    (void)snprintf(path, sizeof path, "%s/%s", home, name);
    assert_int_equal(setenv("HADAL_TUNE", *name ? path : "", 1), 0);
}

static void write_text(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

#define SMALL "bench 64-96-relu-10 --batch-size 32 --steps 3"

static void bench_writes_a_table_and_follows_it(void **state) {
    (void)state;
    hd_arena arena = {.ctx = ctx};
    use_table("cache/new/tune.json");
    const hd_json *o = hadal_json(&arena, SMALL " --json", 0);
    assert_int_equal(member(o, "tuned")->integer, 0);
    assert_int_not_equal(access("cache/new/tune.json", F_OK), 0);
    o = hadal_json(&arena, SMALL " --tune --json", 0);
    const int64_t shapes = member(member(o, "tune"), "shapes")->integer;
    assert_int_equal(shapes, 5);
    assert_true(member(member(o, "tune"), "candidates")->integer >= shapes);
    assert_int_equal(member(o, "tuned")->integer, shapes);
    o = hadal_json(&arena, SMALL " --threads 2 --json", 0);
    assert_int_equal(member(o, "tuned")->integer, shapes);
    assert_int_equal(member(o, "tuning_entries")->integer, shapes);
    assert_int_equal(member(o, "tuning_skipped")->integer, 0);
    expect(SMALL, 0, "tuned  5 operations by the table", "");
    use_table("");
    expect(SMALL " --tune", 1, "", "HADAL_TUNE");
    hd_arena_free(&arena);
}

static void kernels_are_listed(void **state) {
    (void)state;
    hd_arena arena = {.ctx = ctx};
    use_table("");
    const hd_json *o = hadal_json(&arena, SMALL " --kernels --json", 0);
    int parts[3] = {0}, count = 0;
    for (const hd_json *k = member(o, "kernels")->child; k; k = k->next, count++) {
        const char *part = member(k, "part")->string;
        parts[0] += strcmp(part, "forward") == 0;
        parts[1] += strcmp(part, "backward") == 0;
        parts[2] += strcmp(part, "update") == 0;
        assert_true(*member(k, "op")->string && *member(k, "kernel")->string);
        assert_true(member(k, "ms")->number >= 0 && member(k, "bytes")->number > 0);
        assert_true(member(k, "tasks")->child->integer >= 1);
        assert_int_equal(member(k, "refused")->type, HD_JSON_STRING);
    }
    assert_int_equal(parts[0] + parts[1] + parts[2], count);
    assert_true(parts[0] >= 3 && parts[1] >= 3 && parts[2] >= 1);
    assert_true(member(o, "reorder_bytes")->number >= 0);
    expect(SMALL " --kernels", 0, "forward", "");
    expect(SMALL " --kernels --backend ref", 0, "update", "");
    hd_arena_free(&arena);
}

static void a_run_keeps_what_it_follows(void **state) {
    (void)state;
    hd_arena arena = {.ctx = ctx};
    use_table("train.json");
    ran r = hadal("train digits n=300 --model 256-64-relu-10 --epochs 1 --out tuned --tune");
    if (r.code != 0) fail_msg("%s", r.err);
    assert_non_null(strstr(r.out, "operations by the table"));
    ran_free(&r);
    assert_int_equal(access("train.json", R_OK), 0);
    assert_int_equal(access("tuned/tune.json", R_OK), 0);
    const hd_json *first = hadal_json(&arena, "train digits n=300 --model 256-64-relu-10 --epochs 1 --out b --json", 0);
    const hd_json *second =
        hadal_json(&arena, "train digits n=300 --model 256-64-relu-10 --epochs 1 --out c --threads 1 --json", 0);
    assert_string_equal(member(first, "weights_sha256")->string, member(second, "weights_sha256")->string);
    assert_int_equal(access("b/tune.json", R_OK), 0);
    use_table("");
    expect("train digits n=300 --model 256-64-relu-10 --epochs 1 --out d", 0, "done", "");
    assert_int_not_equal(access("d/tune.json", F_OK), 0);
    expect("train --resume tuned --tune", 1, "", "own table");
    hd_arena_free(&arena);
}

static void a_table_of_no_use_is_said(void **state) {
    (void)state;
    use_table("bad.json");
    write_text("bad.json", "{\"format\": \"hadal-tuning\", \"version\": 1, \"machines\": 7}");
    expect(SMALL, 0, "not used", "");
    write_text("bad.json", "no table");
    expect(SMALL, 0, "not used", "");
    write_text("bad.json",
               "{\"format\": \"hadal-tuning\", \"version\": 1, \"machines\": [{\"cpu\": \"Z80\", \"isa\": \"i\", "
               "\"library\": \"l\", \"hadal\": \"h\", \"choices\": {\"k\": {\"kernel\": \"k\", \"variant\": 0, "
               "\"us\": 1}}}]}");
    expect(SMALL, 0, "measured on Z80", "");
    expect("train digits n=300 --model 256-16-relu-10 --epochs 1 --out z80", 0, "measured on Z80", "");
    expect(SMALL " --tune", 0, "5 operations by the table", "");
    ran r = hadal(SMALL); /* the other machine's choices are still there, and no longer worth a word */
    assert_null(strstr(r.out, "Z80"));
    ran_free(&r);
    char *text = read_text("bad.json");
    assert_non_null(strstr(text, "Z80"));
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bench_writes_a_table_and_follows_it), cmocka_unit_test(kernels_are_listed),
        cmocka_unit_test(a_run_keeps_what_it_follows), cmocka_unit_test(a_table_of_no_use_is_said)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
