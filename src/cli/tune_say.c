/* tune_say.c: owns where the machine's table of measured kernels lies, and the line of progress while it is made. */
#include "cli/tune_say.h"
#include "cli/screen.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double REDRAW = 0.1; /* seconds */

/* "" when there is none. */
static void table_path(char *out, size_t size) {
    const char *said = getenv("HADAL_TUNE"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = 0;
    *out = '\0';
    if (said)
        n = snprintf(out, size, "%s", said);
    else if (cache && *cache == '/')
        n = snprintf(out, size, "%s/hadal/tune.json", cache);
    else if (home && *home)
        n = snprintf(out, size, "%s/.cache/hadal/tune.json", home);
    if (n < 0 || (size_t)n >= size) *out = '\0';
}

static void say_unused(cli *c, const char *why) {
    char text[1400];
    (void)snprintf(text, sizeof text, "the table of measured kernels is not used: %s", why);
    screen_note(c, text);
}

hd_status tuning_open(cli *c, hd_tuning **out) {
    char path[4096], why[1200];
    *out = NULL;
    table_path(path, sizeof path);
    if (!*path) return HD_OK;
    CLI_TRY(c, hd_tuning_new(out, c->ctx));
    if (access(path, F_OK) != 0) return HD_OK;
    const hd_status status = hd_tuning_load(*out, path);
    if (status == HD_E_MEMORY) return cli_lib(c, status);
    if (status != HD_OK) { /* a table is a help and no need: what it says is not worth a failure */
        say_unused(c, hd_last_error(c->ctx));
        return HD_OK;
    }
    const hd_tuning_facts f = hd_tuning_get_facts(*out);
    if (f.entries > 0 || f.others == 0) return HD_OK;
    (void)snprintf(why, sizeof why, "it was measured on %s, this is %s. Measure with hadal bench MODEL --tune", f.other,
                   f.machine);
    say_unused(c, why);
    return HD_OK;
}

hd_status tuning_missing(cli *c) {
    return cli_fail(c, HD_E_USAGE, "--tune|there is no place for the table|Set HADAL_TUNE to the path of a file");
}

hd_status tuning_save(cli *c, const hd_tuning *tuning) {
    char path[4096];
    table_path(path, sizeof path);
    if (!*path) return HD_OK;
    CLI_TRY(c, hd_tuning_save(tuning, path));
    say_fact(c, "tune", "kept in %s", path);
    return HD_OK;
}

/* ---- while it is made ---- */

static void on_step(void *user, const hd_tune_step *step) {
    static double drawn; /* of the one call of this process */
    cli *c = user;
    if (!c->live || (drawn > 0 && step->seconds - drawn < REDRAW && step->seconds >= drawn)) return;
    drawn = step->seconds;
    char line[256], key[96], seconds[64];
    (void)snprintf(key, sizeof key, "%.60s", step->key);
    (void)snprintf(line, sizeof line, "%d/%d  %s  %s", step->shape, step->shapes, text_seconds(seconds, step->seconds),
                   key);
    screen_clear_line(c);
    say(c, "\r%stune%s   %.*s", screen_style_code(c, DIM), screen_style_code(c, PLAIN), screen_width(c) - 8, line);
    c->drawing = true;
    (void)fflush(c->people);
}

static bool on_stop(void *user) {
    (void)user;
    return cli_interrupted();
}

hd_tune_args tuning_args(cli *c) {
    return (hd_tune_args){.progress = on_step, .stop = on_stop, .user = c};
}

void tuning_say(cli *c, const hd_tune_result *r) {
    char seconds[64], before[64], after[64];
    screen_clear_line(c);
    if (r->shapes == 0) {
        say_fact(c, "tune", "nothing to choose: no convolution and no product");
        return;
    }
    say_fact(c, "tune", "%d ways to do %d operations measured in %s; %d are done otherwise than by rule", r->candidates,
             r->shapes, text_seconds(seconds, r->seconds), r->changed);
    if (r->step_before > 0)
        say_fact(c, "", "a whole step takes %s ms by rule, %s ms by what looked best%s",
                 text_short(before, 1e3 * r->step_before), text_short(after, 1e3 * r->step_after),
                 r->step_after > r->step_before ? ": the rule stays" : "");
}

void tuning_say_used(cli *c, const hd_tuning_facts *f) {
    if (f->entries == 0) return;
    if (f->skipped > 0)
        say_fact(c, "tuned", "%d operations by the table, %d of its choices could not be followed", f->used,
                 f->skipped);
    else
        say_fact(c, "tuned", "%d operations by the table", f->used);
}
