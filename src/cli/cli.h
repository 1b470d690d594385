/* cli.h: what every file of the command shares: a verb, its flags, one call of it, and how a failure is told.
 * The command uses public headers and the base's JSON, YAML and text; nothing of the library's inside. */
#ifndef HD_CLI_H
#define HD_CLI_H
#include "base/json.h"
#include "hadal/hadal.h"
#include <stdio.h>

/* One flag of a verb. `--batch-size V`, `--batch-size=V` and `batch_size=V` are the same. */
typedef struct cli_flag {
    const char *name;  /* as typed after "--" */
    const char *value; /* what it takes, as "N" or "DIR"; NULL: it is a switch */
    const char *help;
} cli_flag;
#define CLI_FLAG_END                                                                                                   \
    { NULL, NULL, NULL }

struct cli;

/* One verb: a constant descriptor in a file of its own, with a line in verbs.def. */
typedef struct cli_verb {
    const char *name;
    const char *summary; /* one line */
    const char *things;  /* "MODEL DATA": for the usage line */
    const char *about;   /* paragraphs for --help; lines of at most 100 characters */
    const cli_flag *flags;
    const char *recipe;         /* which recipe keys it takes too: "" all, "data." those below; NULL none */
    bool free_words;            /* unknown flags are things: hadal help --lr */
    bool list_keys;             /* and lists them in its --help */
    const char *example;        /* one that works */
    int min_things, max_things; /* max -1: any number */
    hd_status (*run)(struct cli *c);
} cli_verb;

/* Verbs in the order of verbs.def, ended by NULL, and flags that every verb has. */
extern const cli_verb *const cli_verbs[];
extern const cli_flag cli_common_flags[];
const cli_verb *cli_verb_find(const char *name);

/* One option of a call: of the verb's own flags, or of the recipe (flag NULL). */
typedef struct cli_option {
    const char *key; /* with "_" for "-" */
    const char *value;
    const cli_flag *flag;
} cli_option;

typedef struct cli_error {
    hd_status status;
    char where[512], what[1024], fix[512];
} cli_error;

/* One call of the program. */
typedef struct cli {
    const cli_verb *verb;
    const char **things;
    int thing_count;
    cli_option *options;
    int option_count;
    char *keys; /* memory of the options' keys */
    bool json;  /* --json: one object on standard output, people's text on standard error */
    bool help;
    FILE *people;
    bool color, live; /* of `people` */
    bool drawing;     /* a live line is on the screen */
    hd_context *ctx;  /* made by cli_context */
    double started;   /* clock at the start of the process */
    cli_error error;
} cli;

/* ---- call.c: the words of the command line ---- */

/* Splits the words after the verb into things and options. Errors: HD_E_USAGE with "did you mean". */
hd_status cli_parse(cli *c, int argc, char **argv);
/* Value of one of the verb's flags ("batch-size"), or NULL when it was not given. */
const char *cli_get(const cli *c, const char *name);
bool cli_has(const cli *c, const char *name); /* a switch that is on */
/* The same read as a whole number in min … max; *out stays when the flag was not given. */
hd_status cli_get_int(cli *c, const char *name, int64_t min, int64_t max, int64_t *out);
hd_status cli_get_float(cli *c, const char *name, double *out);
/* Sets every recipe option of the call in a recipe. */
hd_status cli_set_recipe(cli *c, hd_recipe *recipe);
/* Bytes from "8GB", "512 MB", "1.5e9". */
bool cli_bytes(const char *text, double *out);

/* ---- fail.c: failures ---- */

/* Keeps "WHERE|WHAT|FIX" (as the base's hd_fail) and returns status. */
hd_status cli_fail(cli *c, hd_status status, const char *format, ...) HD_PRINTF(3, 4);
/* Keeps the library's last error; HD_OK passes. A failure already kept stays. */
hd_status cli_lib(cli *c, hd_status status);
/* Out of memory in the command itself. */
hd_status cli_no_memory(cli *c);
/* "hadal: WHERE: WHAT. FIX" on standard error; with --json the error object on standard output. */
void cli_tell_error(cli *c);
#define CLI_TRY(c, call)                                                                                               \
    do {                                                                                                               \
        hd_status cli_try_ = cli_lib((c), (call));                                                                     \
        if (cli_try_ != HD_OK) return cli_try_;                                                                        \
    } while (0)
#define CLI_TRY_TO(label, c, call)                                                                                     \
    do {                                                                                                               \
        status = cli_lib((c), (call));                                                                                 \
        if (status != HD_OK) goto label;                                                                               \
    } while (0)

/* ---- session.c: context, clock, signals ---- */

double cli_clock(void); /* seconds, monotonic */
/* Makes c->ctx with --threads, --mem and the log. */
hd_status cli_context(cli *c);
/* From now on the first SIGINT or SIGTERM only sets a flag, the second ends the process with 130. */
void cli_catch_signals(void);
bool cli_interrupted(void);
size_t cli_peak_bytes(void);
/* Whole file ("-": standard input) into malloc'ed memory, at most `limit` bytes, NUL-terminated. */
hd_status cli_read_all(cli *c, const char *path, size_t limit, char **out, size_t *length);
/* The new file or the old one: a temporary beside it, then a rename. For what can be made again: it does not wait for
 * the disk. */
hd_status cli_write_file(cli *c, const char *path, const char *bytes, size_t length);
#endif
