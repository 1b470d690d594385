/* test_cli_words.c: the words of the command line: unknown ones, forms that are the same, help, exit codes, streams. */
#define _XOPEN_SOURCE 700 /* terminals */
#include "cli_run.h"
#include <sys/ioctl.h>
#include <termios.h>

static void unknown_words_are_usage_errors_with_the_nearest(void **state) {
    (void)state;
    expect("trian digits", 1, "", "hadal: unknown verb \"trian\". Did you mean train?");
    expect("--helo", 1, "", "The verb comes first");
    expect("train digits --epocs 3", 1, "", "Did you mean --epochs?");
    expect("train digits epocs=3", 1, "", "Did you mean epochs?");
    expect("train digits --batchsize=3", 1, "", "Did you mean --batch-size?");
    expect("train digits --jsn", 1, "", "Did you mean --json?");
    expect("train digits optimizer.momentun=0.9", 1, "", "momentum");
    expect("train digts", 3, "", "Did you mean digits?");
    expect("train digits --epochs", 1, "", "--epochs needs a value");
    expect("train digits --epochs --lr 1", 1, "", "--epochs needs a value");
    expect("train digits --epochs many", 1, "", "epochs");
    expect("train digits --threads 0", 1, "", "from 1 to 256");
    expect("train digits --mem lots", 1, "", "8GB");
    expect("train digits --precision f16", 6, "", "train.precision can not be \"f16\". Did you mean bf16?");
    expect("bench mlp --precision int4", 6, "", "It can be f32, bf16");
    expect("version one", 1, "", "one thing too many");
    expect("eval", 1, "", "MODEL DATA");
    expect("train nope.yaml", 7, "", "nope.yaml");
    expect("predict nope/ digits", 7, "", "nope");
    expect("predict somewhere -1,2", 1, "", "come after --");
}

static void failures_with_json_are_one_object(void **state) {
    (void)state;
    static const struct {
        const char *words, *code;
        int exit;
    } cases[] = {{"trian --json", "usage", 1},
                 {"train digits --epocs 3 --json", "usage", 1},
                 {"train nope.yaml --json", "file", 7},
                 {"train digts --json", "data", 3},
                 {"eval nope.safetensors digits --json", "file", 7},
                 {"help notaword --json", "usage", 1},
                 {"summary notanetwork --json", "model", 2}};
    hd_context *ctx = test_context(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hd_arena arena = {.ctx = ctx};
        const hd_json *error = member(hadal_json(&arena, cases[i].words, cases[i].exit), "error");
        assert_string_equal(member(error, "code")->string, cases[i].code);
        assert_true(member(error, "where")->type == HD_JSON_STRING);
        assert_true(member(error, "what")->length > 0);
        assert_true(member(error, "fix")->type == HD_JSON_STRING);
        ran r = hadal(cases[i].words); /* and one line for people */
        assert_int_equal(strncmp(r.err, "hadal: ", 7), 0);
        assert_ptr_equal(strchr(r.err, '\n'), r.err + strlen(r.err) - 1);
        ran_free(&r);
        hd_arena_free(&arena);
    }
    hd_context_free(ctx);
}

static void help_is_one_page_and_every_verb_has_one(void **state) {
    (void)state;
    ran all = hadal("--help");
    int lines = 0, columns = 0, widest = 0;
    assert_int_equal(all.code, 0);
    for (const char *p = all.out; *p; p++) {
        if (((unsigned char)*p & 0xc0) != 0x80) columns++;
        if (*p != '\n') continue;
        lines++;
        if (columns - 1 > widest) widest = columns - 1;
        columns = 0;
    }
    assert_true(lines <= 40);
    assert_true(widest <= 80);
    static const char *const verbs[] = {"train", "eval", "predict", "summary", "bench",  "gradcheck",
                                        "ops",   "zoo",  "data",    "help",    "version"};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        char words[64];
        assert_non_null(strstr(all.out, verbs[i]));
        (void)snprintf(words, sizeof words, "%s --help", verbs[i]);
        expect(words, 0, "EXAMPLE\n  hadal ", "");
        (void)snprintf(words, sizeof words, "help %s", verbs[i]);
        expect(words, 0, "EXAMPLE", "");
    }
    ran_free(&all);
    expect("", 1, "hadal VERB", NULL);
    expect("version", 0, HD_VERSION, "");
    expect("--version", 0, HD_VERSION, "");
}

static void words_of_the_field_are_explained(void **state) {
    (void)state;
    expect("help overfitting", 0, "validation loss rises", "");
    expect("help learning rate", 0, "gradient", "");
    expect("help --lr", 0, "train.optimizer.lr", "");
    expect("help batch_size", 0, "train.batch_size", "");
    expect("help conv2d", 0, "operation", "");
    expect("help cnn-small", 0, "network", "");
    expect("help recipe", 0, "train.seed", "");
    expect("help words", 0, "softmax", "");
    expect("help overfiting", 1, "", "Did you mean overfitting?");
}

/* Every flag that the contract names for training, and its three forms. */
static void flags_of_the_contract_are_known(void **state) {
    (void)state;
    static const char *const names[] = {"data",      "model",      "epochs",       "steps",    "batch-size", "lr",
                                        "optimizer", "momentum",   "weight-decay", "schedule", "loss",       "seed",
                                        "threads",   "device",     "precision",    "backend",  "val",        "test",
                                        "patience",  "save-every", "out",          "name",     "resume",     "from",
                                        "classes",   "time",       "mem",          "target",   "exact"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char words[64];
        (void)snprintf(words, sizeof words, "help %s", names[i]);
        expect(words, 0, NULL, "");
        (void)snprintf(words, sizeof words, "train --%s", names[i]); /* known, and asks for its value */
        ran r = hadal(words);
        if (strstr(r.err, "unknown")) fail_msg("%s", r.err);
        ran_free(&r);
    }
}

static void output_that_does_not_arrive_is_a_file_error(void **state) {
    (void)state;
    if (access("/dev/full", W_OK) != 0) skip();
    assert_int_equal(wait_for(start_hadal("help", NULL, "/dev/full", "stderr.txt")), 7);
    char *err = read_text("stderr.txt");
    assert_non_null(strstr(err, "standard output"));
    free(err);
    assert_int_equal(wait_for(start_hadal("version --json", NULL, "/dev/full", "stderr.txt")), 7);
}

static void a_reader_that_leaves_is_no_error(void **state) {
    (void)state;
    int ends[2];
    char path[64];
    assert_int_equal(pipe(ends), 0);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", ends[1]);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(ends[0]);
        (void)dup2(ends[1], 1);
        execl(program_path(), "hadal", "help", "recipe", (char *)NULL);
        _exit(98);
    }
    (void)close(ends[0]); /* nobody reads */
    (void)close(ends[1]);
    assert_int_equal(wait_for(pid), 0);
}

/* Output of hadal on a terminal of its own, to the end. The caller frees it. */
static char *on_terminal(const char *no_color, char *const words[]) {
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    const char *name = ptsname(master);
    assert_non_null(name);
    int slave = open(name, O_RDWR | O_NOCTTY);
    assert_true(slave >= 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)setenv("TERM", "xterm", 1);
        (void)setenv("COLUMNS", "100", 1);
        if (no_color)
            (void)setenv("NO_COLOR", no_color, 1);
        else
            (void)unsetenv("NO_COLOR");
        if (dup2(slave, 1) < 0) _exit(97);
        (void)close(slave);
        (void)close(master);
        execv(program_path(), words);
        _exit(98);
    }
    (void)close(slave);
    size_t used = 0, room = 1 << 20;
    char *text = malloc(room);
    assert_non_null(text);
    for (ssize_t n; used + 1 < room && (n = read(master, text + used, room - used - 1)) > 0;) used += (size_t)n;
    text[used] = '\0';
    (void)close(master);
    assert_int_equal(wait_for(pid), 0);
    return text;
}

static void colour_is_for_terminals_that_want_it(void **state) {
    (void)state;
    char *help[] = {"hadal", "help", NULL};
    char *text = on_terminal(NULL, help);
    assert_non_null(strstr(text, "\033["));
    free(text);
    text = on_terminal("1", help);
    assert_null(strstr(text, "\033["));
    free(text);
    ran r = hadal("help");
    assert_null(strchr(r.out, '\033'));
    ran_free(&r);
}

static void a_terminal_gets_a_bar_and_one_lasting_line_an_epoch(void **state) {
    (void)state;
    char *train[] = {"hadal",    "train", "digits", "n=400", "--model", "256-64-relu-10",
                     "--epochs", "3",     "--out",  "bar",   NULL};
    char *text = on_terminal("1", train);
    int lines = 0;
    for (char *p = text; (p = strstr(p, "epoch ")) != NULL; p++) {
        if (p[7] != '/') continue; /* the last line's "best epoch 3: …" */
        size_t n = strcspn(p, "\r\n");
        if (p[n] != '\r' || p[n + 1] != '\n') continue; /* a live line: \r alone; a newline comes as both */
        char *bar = strstr(p, "━");
        assert_true(bar && bar < p + n);
        lines++;
    }
    assert_int_equal(lines, 3);
    assert_null(strstr(text, "\033[3")); /* no colour was wanted */
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_words_are_usage_errors_with_the_nearest),
        cmocka_unit_test(failures_with_json_are_one_object),
        cmocka_unit_test(help_is_one_page_and_every_verb_has_one),
        cmocka_unit_test(words_of_the_field_are_explained),
        cmocka_unit_test(flags_of_the_contract_are_known),
        cmocka_unit_test(output_that_does_not_arrive_is_a_file_error),
        cmocka_unit_test(a_reader_that_leaves_is_no_error),
        cmocka_unit_test(colour_is_for_terminals_that_want_it),
        cmocka_unit_test(a_terminal_gets_a_bar_and_one_lasting_line_an_epoch),
    };
    return cmocka_run_group_tests(tests, into_folder, out_of_folder);
}
