/* cli_run.h: the program `hadal` started from a test: its words, its two streams, its exit code. */
#ifndef HD_TESTS_CLI_RUN_H
#define HD_TESTS_CLI_RUN_H
#include "base/json.h"
#include "support.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

/* A group of tests runs in a fresh folder: cmocka_run_group_tests(tests, into_folder, out_of_folder). */
static char home[4096];

static inline int into_folder(void **state) {
    (void)state;
    (void)snprintf(home, sizeof home, "%s", test_folder());
    return chdir(home);
}

static inline int out_of_folder(void **state) {
    (void)state;
    if (chdir("/") != 0) return -1;
    test_folder_remove(home);
    return 0;
}

/* What a call came to. Streams are NUL-terminated and freed by ran_free. */
typedef struct ran {
    int code; /* exit code, or 1000 + the signal */
    char *out, *err;
} ran;

/* The program lies beside the test that runs it. */
static inline const char *program_path(void) {
    static char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 16);
    assert_true(n > 0);
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    assert_non_null(slash);
    memcpy(slash + 1, "hadal", 6);
    return path;
}

static inline char *read_text(const char *path) {
    FILE *f = fopen(path, "rb");
    size_t used = 0, room = 1 << 16;
    char *text = malloc(room);
    assert_non_null(text);
    while (f) {
        size_t n = fread(text + used, 1, room - used - 1, f);
        if (n == 0) break;
        used += n;
        if (used + 1 == room) assert_non_null(text = realloc(text, room *= 2));
    }
    if (f) (void)fclose(f);
    text[used] = '\0';
    return text;
}

/* Starts `hadal` with words split at blanks ('~' in a word stands for a blank); streams go to the named files, input
 * comes from one. */
static inline pid_t start_hadal(const char *words, const char *in, const char *out, const char *err) {
    char copy[4096], *argv[64] = {"hadal"}, *rest;
    int argc = 1;
    (void)snprintf(copy, sizeof copy, "%s", words);
    for (char *w = strtok_r(copy, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) {
        for (char *p = w; *p; p++)
            if (*p == '~') *p = ' ';
        argv[argc++] = w;
    }
    argv[argc] = NULL;
    const char *program = program_path();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0) return pid;
    int fds[3] = {open(in ? in : "/dev/null", O_RDONLY), open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600),
                  open(err, O_WRONLY | O_CREAT | O_TRUNC, 0600)};
    for (int i = 0; i < 3; i++)
        if (fds[i] < 0 || dup2(fds[i], i) < 0) _exit(99);
    (void)setenv("HADAL_TUNE", "", 0); /* a table that this machine may have would decide bits and bars */
    execv(program, argv);
    _exit(98);
}

static inline int wait_for(pid_t pid) {
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static inline ran hadal_with(const char *words, const char *in) {
    ran r = {.code = wait_for(start_hadal(words, in, "stdout.txt", "stderr.txt"))};
    r.out = read_text("stdout.txt");
    r.err = read_text("stderr.txt");
    return r;
}

static inline ran hadal(const char *words) {
    return hadal_with(words, NULL);
}

static inline void ran_free(ran *r) {
    free(r->out);
    free(r->err);
}

/* part "" means: nothing at all; NULL: whatever it is. */
static inline void holds(const char *words, const char *text, const char *part) {
    if (!part) return;
    if (*part ? !strstr(text, part) : *text != '\0')
        fail_msg("hadal %s: \"%s\" is not what is in:\n%s", words, part, text);
}
/* Runs and checks the exit code and what stands in the two streams. */
static inline void expect(const char *words, int code, const char *in_out, const char *in_err) {
    ran r = hadal(words);
    if (r.code != code) fail_msg("hadal %s: exit %d, expected %d\n%s%s", words, r.code, code, r.out, r.err);
    holds(words, r.out, in_out);
    holds(words, r.err, in_err);
    ran_free(&r);
}

/* Standard output as one JSON object and nothing else; lives in the arena. */
static inline const hd_json *object_of(hd_arena *arena, const char *text) {
    hd_json *value = NULL;
    if (hd_json_parse(&value, arena, "stdout", text, strlen(text)) != HD_OK)
        fail_msg("%s:\n%s", hd_last_error(arena->ctx), text);
    assert_int_equal(value->type, HD_JSON_OBJECT);
    return value;
}

static inline const hd_json *member(const hd_json *object, const char *key) {
    const hd_json *value = hd_json_get(object, key);
    if (!value) fail_msg("no member \"%s\"", key);
    return value;
}

/* Runs with --json in the words; the object, checked for the exit code. */
static inline const hd_json *hadal_json(hd_arena *arena, const char *words, int code) {
    ran r = hadal(words);
    if (r.code != code) fail_msg("hadal %s: exit %d, expected %d\n%s%s", words, r.code, code, r.out, r.err);
    const hd_json *value = object_of(arena, r.out);
    ran_free(&r);
    return value;
}
#endif
