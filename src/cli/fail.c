/* fail.c: owns the one error of a call and its two forms: a line for people, an object for programs. */
#include "cli/cli.h"
#include "cli/screen.h"
#include <stdarg.h>
#include <string.h>

enum { PART = 0x1f }; /* stands for the format's '|' while the arguments are filled in */

static void keep(char *to, size_t size, const char *from, size_t length) {
    if (length >= size) length = size - 1;
    memcpy(to, from, length);
    to[length] = '\0';
}

hd_status cli_fail(cli *c, hd_status status, const char *format, ...) {
    char shape[512], all[2048];
    size_t n = strlen(format);
    keep(shape, sizeof shape, format, n);
    for (char *p = shape; *p; p++)
        if (*p == '|') *p = PART;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(all, sizeof all, shape, args);
    va_end(args);
    char *first = strchr(all, PART), *second = first ? strchr(first + 1, PART) : NULL;
    const char *what = first ? first + 1 : all;
    size_t what_length = second ? (size_t)(second - what) : strlen(what);
    keep(c->error.where, sizeof c->error.where, all, first ? (size_t)(first - all) : 0);
    keep(c->error.what, sizeof c->error.what, what, what_length);
    keep(c->error.fix, sizeof c->error.fix, second ? second + 1 : "", second ? strlen(second + 1) : 0);
    c->error.status = status;
    return status;
}

hd_status cli_lib(cli *c, hd_status status) {
    if (status == HD_OK || c->error.status != HD_OK) return status;
    hd_error e = c->ctx ? hd_last_error_parts(c->ctx) : (hd_error){HD_OK, "", "", ""};
    if (!*e.what) return cli_fail(c, status, "|%s error without a text|", hd_status_name(status));
    keep(c->error.where, sizeof c->error.where, e.where, strlen(e.where));
    keep(c->error.what, sizeof c->error.what, e.what, strlen(e.what));
    keep(c->error.fix, sizeof c->error.fix, e.fix, strlen(e.fix));
    c->error.status = status;
    return status;
}

hd_status cli_no_memory(cli *c) {
    return cli_fail(c, HD_E_MEMORY, "|out of memory|Close other programs, or use less data");
}

/* A JSON string without allocating: the error may be that there is no memory. */
static void put_json(FILE *f, const char *text) {
    fputc('"', f);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\')
            fprintf(f, "\\%c", *p);
        else if (*p < 0x20)
            fprintf(f, "\\u%04x", *p);
        else
            fputc(*p, f);
    }
    fputc('"', f);
}

void cli_tell_error(cli *c) {
    const cli_error *e = &c->error;
    screen_clear_line(c);
    if (c->json) {
        fputs("{\"error\": {\"code\": ", stdout);
        put_json(stdout, hd_status_name(e->status));
        const char *const keys[] = {"where", "what", "fix"};
        const char *const values[] = {e->where, e->what, e->fix};
        for (int i = 0; i < 3; i++) {
            char clean[1100];
            fprintf(stdout, ", \"%s\": ", keys[i]);
            put_json(stdout, screen_clean_utf8(clean, sizeof clean, values[i]));
        }
        fputs("}}\n", stdout);
    }
    (void)fflush(stdout);
    char line[2200], clean[2200];
    size_t n = strlen(e->what);
    bool stop = n > 0 && strchr(".?!", e->what[n - 1]) != NULL;
    (void)snprintf(line, sizeof line, "%s%s%s%s%s", e->where, *e->where ? ": " : "", e->what,
                   *e->fix ? (stop ? " " : ". ") : "", e->fix);
    const char *red = screen_stderr_color() ? "\033[1;31m" : "", *off = *red ? "\033[0m" : "";
    fprintf(stderr, "%shadal:%s %s\n", red, off, screen_clean_utf8(clean, sizeof clean, line));
}
