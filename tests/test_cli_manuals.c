/* test_cli_manuals.c: what the command prints of itself: operations, networks, gradient checks, manual pages,
 * completion. */
#include "cli_run.h"
#include "hadal/zoo.h"

static void expect_parts(const char *words, const char *const *parts) {
    ran r = hadal(words);
    assert_int_equal(r.code, 0);
    for (; *parts; parts++)
        if (!strstr(r.out, *parts)) fail_msg("hadal %s: no \"%s\" in:\n%s", words, *parts, r.out);
    ran_free(&r);
}

static void every_operation_has_a_page(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    const hd_op *op;
    for (int i = 0; (op = hd_op_at(i)) != NULL; i++) {
        if (op->flags & HD_OP_INTERNAL) continue;
        char words[128];
        hd_arena arena = {.ctx = ctx};
        (void)snprintf(words, sizeof words, "ops show %s --json", op->name);
        const hd_json *page = hadal_json(&arena, words, 0);
        assert_string_equal(member(page, "name")->string, op->name);
        assert_true(member(page, "formula")->length > 0);
        assert_true(member(page, "doc")->length > 0);
        assert_true(member(page, "source")->length > 0);
        assert_true(member(page, "gradient")->length > 0);
        if (!member(page, "shapes")->child) fail_msg("%s: no sample of it builds by text", op->name);
        const hd_json *kernel = member(page, "kernels")->child;
        assert_non_null(kernel);
        while (kernel->next) kernel = kernel->next;
        assert_string_equal(kernel->string, "ref");
        hd_arena_free(&arena);
    }
    hd_context_free(ctx);
    static const char *const conv[] = {
        "y = conv2d(x, weight, [bias])", "f32[2,4,3,3]", "dilation", "GRADIENT", "cpu.conv2d", "SOURCE", NULL};
    expect_parts("ops show conv2d", conv);
    expect_parts("ops conv2d", conv);
    expect_parts("ops", (const char *const[]){"conv2d", "y = a + b", "operations", NULL});
    expect("ops show cnv2d", 1, "", "Did you mean conv2d?");
    expect("ops show", 1, "", "expected the name");
    expect("ops relu conv2d", 1, "", "one thing too many");
}

static void networks_are_listed_with_their_sizes(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_arena arena = {.ctx = ctx};
    const hd_zoo_entry *e;
    int n = 0;
    bool lenet = false;
    while ((e = hd_zoo_at(n)) != NULL) n++;
    for (const hd_json *net = member(hadal_json(&arena, "zoo --json", 0), "networks")->child; net;
         net = net->next, n--) {
        assert_true(member(net, "params")->integer > 0);
        assert_true(member(net, "year")->integer > 1600);
        assert_true(member(net, "authors")->length > 0 && member(net, "paper")->length > 0);
        if (strcmp(member(net, "name")->string, "lenet5") != 0) continue;
        assert_int_equal(member(net, "params")->integer, 61706);
        lenet = true;
    }
    assert_int_equal(n, 0);
    assert_true(lenet);
    expect_parts("zoo", (const char *const[]){"61,706", "1998", "lenet5", "LeCun et al.", NULL});
    expect_parts("zoo show mlp", (const char *const[]){"OPTIONS", "hidden", "dropout", "PAPER", "Rumelhart", NULL});
    expect("zoo show lenett", 1, "", "Did you mean lenet5?");
    hd_arena_free(&arena);
    hd_context_free(ctx);
}

static void gradients_are_checked(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_arena arena = {.ctx = ctx};
    const hd_json *right = hadal_json(&arena, "gradcheck 3-4-tanh-2 --json", 0);
    assert_true(member(right, "ok")->type == HD_JSON_BOOL && member(right, "ok")->boolean);
    assert_true(member(right, "max_relative_error")->number < 1e-6);
    int n = 0;
    for (const hd_json *t = member(right, "tensors")->child; t; t = t->next, n++)
        assert_true(member(t, "compared")->integer > 0);
    assert_int_equal(n, 4);
    expect_parts("gradcheck lenet5 --elements 1", (const char *const[]){"c3.weight", "the gradient is right", NULL});
    /* With a step of 1 a difference is no derivative: the check must say no, with its exit code. */
    ran coarse = hadal("gradcheck 3-4-tanh-2 --eps 64 --atol 1e-12 --rtol 1e-12");
    assert_int_equal(coarse.code, 8);
    assert_non_null(strstr(coarse.out, "WRONG"));
    ran_free(&coarse);
    expect("gradcheck", 1, "", "MODEL");
    expect("gradcheck 3-4-2 --eps 0", 1, "", "above 0");
    hd_arena_free(&arena);
    hd_context_free(ctx);
}

static void every_verb_has_a_manual_page(void **state) {
    (void)state;
    static const char *const verbs[] = {"train", "eval", "predict", "summary", "bench",   "gradcheck",
                                        "ops",   "zoo",  "data",    "help",    "version", NULL};
    for (int i = 0; verbs[i]; i++) {
        char words[64], head[64], name[64];
        (void)snprintf(words, sizeof words, "help --man %s", verbs[i]);
        (void)snprintf(head, sizeof head, ".B hadal %s\n", verbs[i]);
        (void)snprintf(name, sizeof name, "hadal\\-%s \\- ", verbs[i]);
        expect_parts(words, (const char *const[]){".TH HADAL-", ".SH NAME\n", name, ".SH SYNOPSIS", head, ".SH EXAMPLE",
                                                  ".SH EXIT STATUS", NULL});
    }
    expect_parts("help --man", (const char *const[]){".TH HADAL 1", "hadal\\-train (1)", "HADAL_DATA", NULL});
    expect("help --man trian", 1, "", "no verb");
}

/* The script in a real shell: what it offers for the words typed so far. */
static void completes(const char *line, const char *offered) {
    char script[1024];
    (void)snprintf(script, sizeof script,
                   "bash -c '. ./hadal.bash; COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _hadal; "
                   "for w in \"${COMPREPLY[@]}\"; do [ \"$w\" = \"%s\" ] && exit 0; done; exit 1'",
                   line, offered);
    if (system(script) != 0) fail_msg("after \"%s\" the shell does not offer %s", line, offered);
}

static void a_shell_completes_verbs_flags_and_networks(void **state) {
    (void)state;
    ran r = hadal("help --completion bash");
    FILE *f = fopen("hadal.bash", "w");
    assert_non_null(f);
    (void)fputs(r.out, f);
    (void)fclose(f);
    ran_free(&r);
    expect_parts("help --completion zsh", (const char *const[]){"#compdef hadal", "'--epochs:", "lenet5", NULL});
    expect_parts("help --completion fish", (const char *const[]){"-l batch-size", "-a gradcheck", NULL});
    expect("help --completion tcsh", 1, "", "bash, zsh and fish");
    if (system("bash -c true 2>/dev/null") != 0) {
        print_message("bash is missing: its completion is not tried\n");
        skip();
    }
    completes("hadal tr", "train");
    completes("hadal train --ep", "--epochs");
    completes("hadal train --opt", "--optimizer");
    completes("hadal summary len", "lenet5");
    completes("hadal train digits --model cnn", "cnn-small");
    completes("hadal bench --in", "--infer");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_has_a_page),
        cmocka_unit_test(networks_are_listed_with_their_sizes),
        cmocka_unit_test(gradients_are_checked),
        cmocka_unit_test(every_verb_has_a_manual_page),
        cmocka_unit_test(a_shell_completes_verbs_flags_and_networks),
    };
    return cmocka_run_group_tests(tests, into_folder, out_of_folder);
}
