/* status.c: owns the error record of a context and the one way to fill it. Knows nothing of what failed. */
#include "base/status.h"
#include "base/context.h"
#include "base/locale.h"
#include "base/text.h"
#include "base/utf8.h"
#include <stdio.h>
#include <string.h>

const char *hd_status_name(hd_status status) {
    switch (status) {
    case HD_OK: return "ok";
    case HD_E_USAGE: return "usage";
    case HD_E_MODEL: return "model";
    case HD_E_DATA: return "data";
    case HD_E_MEMORY: return "memory";
    case HD_E_DIVERGED: return "diverged";
    case HD_E_UNSUPPORTED: return "unsupported";
    case HD_E_FILE: return "file";
    case HD_E_CHECK: return "check";
    case HD_E_INTERRUPTED: return "interrupted";
    }
    return "unknown";
}

/* Copies what fits, as one line of valid UTF-8: names and cells in a message may come out of hostile files, and a
 * message ends on a terminal. */
static void copy_clean(char *to, size_t capacity, const char *from, size_t length) {
    size_t used = 0;
    for (size_t i = 0; i < length;) {
        size_t n = hd_utf8_length(from + i, length - i);
        if (used + (n ? n : 1) >= capacity) break;
        unsigned char c = (unsigned char)from[i];
        if (n == 0 || c < 0x20 || c == 0x7f) {
            to[used++] = n && (c == '\n' || c == '\t') ? ' ' : '?';
            i++;
            continue;
        }
        memcpy(to + used, from + i, n);
        used += n;
        i += n;
    }
    to[used] = '\0';
}

static void add_text(hd_context *ctx, size_t *used, const char *text) {
    size_t length = strlen(text), room = sizeof ctx->text - 1 - *used;
    if (length > room) length = room;
    memcpy(ctx->text + *used, text, length);
    *used += length;
    ctx->text[*used] = '\0';
}

/* "WHERE: WHAT. FIX" */
static void join_parts(hd_context *ctx) {
    size_t used = 0;
    ctx->text[0] = '\0';
    add_text(ctx, &used, ctx->where);
    if (ctx->where[0] && ctx->what[0]) add_text(ctx, &used, ": ");
    add_text(ctx, &used, ctx->what);
    if (!ctx->fix[0]) return;
    size_t n = strlen(ctx->what);
    bool ended = n > 0 && strchr(".?!", ctx->what[n - 1]) != NULL;
    if (n > 0) add_text(ctx, &used, ended ? " " : ". ");
    add_text(ctx, &used, ctx->fix);
}

/* Formats the first `length` bytes of format alone: how long is the message up to there? */
static size_t prefix_length(const char *format, size_t length, va_list args) {
    char prefix[1024];
    va_list copy;
    memcpy(prefix, format, length);
    prefix[length] = '\0';
    va_copy(copy, args);
    int n = hd_vsnprintf(NULL, 0, prefix, copy);
    va_end(copy);
    return n < 0 ? 0 : (size_t)n;
}

static void record(hd_context *ctx, hd_status status, const char *format, va_list args) {
    char text[8192]; /* first here: the arguments may be parts of the old record */
    va_list copy;
    va_copy(copy, args);
    int n = hd_vsnprintf(text, sizeof text, format, copy);
    va_end(copy);
    size_t whole = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;

    /* Split where the format has its bars, and not where an argument has one. */
    size_t start[3] = {0, 0, 0}, end[3] = {whole, whole, whole};
    int parts = 1;
    for (const char *bar = strchr(format, '|'); bar && parts < 3; bar = strchr(bar + 1, '|')) {
        if ((size_t)(bar - format) >= 1024) break;
        size_t at = prefix_length(format, (size_t)(bar - format), args);
        if (at > whole) at = whole;
        end[parts - 1] = at;
        start[parts] = at < whole ? at + 1 : whole;
        parts++;
    }
    ctx->status = status;
    ctx->where[0] = ctx->fix[0] = '\0';
    int what = parts == 1 ? 0 : 1;
    if (parts > 1) copy_clean(ctx->where, sizeof ctx->where, text + start[0], end[0] - start[0]);
    copy_clean(ctx->what, sizeof ctx->what, text + start[what], end[what] - start[what]);
    if (parts > 2) copy_clean(ctx->fix, sizeof ctx->fix, text + start[2], end[2] - start[2]);
    join_parts(ctx);
}

void hd_error_record(hd_context *ctx, hd_status status, const char *format, ...) {
    if (!ctx) return;
    va_list args;
    va_start(args, format);
    record(ctx, status, format, args);
    va_end(args);
}

void hd_error_record_memory(hd_context *ctx, size_t bytes) {
    if (!ctx) return;
    char wanted[32], held[32], limit[32];
    hd_text_bytes(wanted, (double)bytes);
    hd_text_bytes(held, (double)ctx->bytes);
    if (ctx->memory_limit > 0)
        hd_error_record(
            ctx, HD_E_MEMORY,
            "|%s more are needed, %s are held, the limit is %s|Raise the limit, or take a smaller batch or model",
            wanted, held, hd_text_bytes(limit, (double)ctx->memory_limit));
    else
        hd_error_record(ctx, HD_E_MEMORY,
                        "|out of memory: %s more are needed, %s are held|Take a smaller batch or model", wanted, held);
}

void hd_error_clear(hd_context *ctx) {
    if (!ctx) return;
    ctx->status = HD_OK;
    ctx->where[0] = ctx->what[0] = ctx->fix[0] = ctx->text[0] = '\0';
}

const char *hd_last_error(const hd_context *ctx) {
    return ctx ? ctx->text : "";
}

hd_error hd_last_error_parts(const hd_context *ctx) {
    if (!ctx) return (hd_error){HD_OK, "", "", ""};
    return (hd_error){ctx->status, ctx->where, ctx->what, ctx->fix};
}

void hd_log_line(hd_context *ctx, hd_log_level level, const char *format, ...) {
    if (!ctx || !ctx->log) return;
    char text[1024], line[1024];
    va_list args;
    va_start(args, format);
    int n = hd_vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0) return;
    copy_clean(line, sizeof line, text, strlen(text));
    ctx->log(ctx->log_user, level, line);
}
