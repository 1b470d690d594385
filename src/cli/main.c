/* main.c: the command `hadal`: finds the verb, runs it, tells how it went. Knows no verb but by its descriptor. */
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/screen.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define VERB(name) extern const cli_verb cli_verb_##name;
#include "verbs.def"
#undef VERB
#define VERB(name) &cli_verb_##name,
const cli_verb *const cli_verbs[] = {
#include "verbs.def"
    NULL};
#undef VERB

const cli_flag cli_common_flags[] = {
    {"json", NULL, "print one JSON object on standard output; people's text goes to standard error"},
    {"help", NULL, "this text"},
    CLI_FLAG_END};

const cli_verb *cli_verb_find(const char *name) {
    for (int i = 0; cli_verbs[i]; i++)
        if (strcmp(cli_verbs[i]->name, name) == 0) return cli_verbs[i];
    return NULL;
}

static hd_status unknown_verb(cli *c, const char *word) {
    const char *names[32];
    size_t n = 0;
    for (int i = 0; cli_verbs[i] && n < 32; i++) names[n++] = cli_verbs[i]->name;
    const char *near = hd_text_nearest(word, names, n);
    bool flag = word[0] == '-';
    return cli_fail(c, HD_E_USAGE, "|unknown %s \"%.80s\"|%s%s%s", flag ? "flag" : "verb", word,
                    near   ? "Did you mean "
                    : flag ? "The verb comes first: hadal VERB --flag value"
                           : "The verbs are listed by: hadal --help",
                    near ? near : "", near ? "?" : "");
}

/* Closed standard streams would let the next opened file become one of them. */
static void guard_streams(void) {
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) (void)open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

static bool wants_json(int argc, char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0) return true;
    return false;
}

static hd_status dispatch(cli *c, int argc, char **argv) {
    const char *word = argc > 1 ? argv[1] : NULL;
    if (!word) {
        screen_open(c);
        help_all(c);
        return HD_E_USAGE;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) word = "help";
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) word = "version";
    c->verb = cli_verb_find(word);
    if (!c->verb) return unknown_verb(c, word);
    hd_status status = cli_parse(c, argc - 2, argv + 2);
    if (status != HD_OK) return status;
    screen_open(c);
    return c->help ? help_verb(c, c->verb) : c->verb->run(c);
}

/* Memory for the words of the call: no more things or options than words, no more key bytes than bytes. */
static bool make_room(cli *c, int argc, char **argv, void *memory[3]) {
    size_t bytes = 1, n = (size_t)argc + 1;
    for (int i = 0; i < argc; i++) bytes += strlen(argv[i]) + 1;
    memory[0] = c->things = calloc(n, sizeof *c->things);
    memory[1] = c->options = calloc(n, sizeof *c->options);
    memory[2] = c->keys = calloc(bytes, 1);
    return memory[0] && memory[1] && memory[2];
}

/* What was printed must have arrived. A reader that left (a pipe that broke) has seen what it wanted. */
static hd_status flush_output(cli *c, hd_status status) {
    errno = 0;
    bool bad = fflush(stdout) != 0 || ferror(stdout);
    struct stat info;
    if (!bad || status != HD_OK) return status;
    if (errno == EPIPE || (fstat(STDOUT_FILENO, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode))))
        return status;
    c->json = false; /* nothing more can be said there */
    cli_fail(c, HD_E_FILE, "standard output|can not be written%s%s|Make room, or write elsewhere", errno ? ": " : "",
             errno ? strerror(errno) : "");
    cli_tell_error(c);
    return HD_E_FILE;
}

int main(int argc, char **argv) {
    struct timespec used;
    cli c = {.people = stdout, .json = wants_json(argc, argv), .started = cli_clock()};
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0) /* loading took this long */
        c.started -= (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
    void *memory[3] = {NULL, NULL, NULL};
    guard_streams();
    (void)signal(SIGPIPE, SIG_IGN);
    if (c.json) c.people = stderr;
    hd_status status = make_room(&c, argc, argv, memory) ? dispatch(&c, argc, argv) : cli_no_memory(&c);
    screen_clear_line(&c);
    if (c.error.status != HD_OK) cli_tell_error(&c);
    status = flush_output(&c, status);
    hd_context_free(c.ctx);
    for (int i = 0; i < 3; i++) free(memory[i]);
    return (int)status;
}
