/* rolls.c: reads lists of lists of lists of notes. Keeps nothing of them. */
#include "data/rolls.h"
#include "base/status.h"
#include <string.h>

typedef struct cursor {
    hd_context *ctx;
    const char *where, *begin, *at, *end;
    const hd_roll_reader *reader;
} cursor;

static hd_status wrong(const cursor *c, const char *expected) {
    long long line = 1;
    for (const char *s = c->begin; s < c->at; s++) line += *s == '\n';
    if (c->at == c->end)
        return hd_fail(c->ctx, HD_E_DATA, "%s:%lld|expected %s, the text ends here|Is the file whole?", c->where, line,
                       expected);
    return hd_fail(c->ctx, HD_E_DATA, "%s:%lld|expected %s, found \"%c\", at byte %lld", c->where, line, expected,
                   *c->at >= 32 && *c->at < 127 ? *c->at : '?', (long long)(c->at - c->begin));
}

static void skip_blanks(cursor *c) {
    while (c->at < c->end && memchr(" \t\r\n", *c->at, 4)) c->at++;
}

static bool take(cursor *c, char wanted) {
    skip_blanks(c);
    if (c->at == c->end || *c->at != wanted) return false;
    c->at++;
    return true;
}

static hd_status read_note(cursor *c, int part) {
    skip_blanks(c);
    const bool negative = c->at < c->end && *c->at == '-';
    int64_t value = 0;
    const char *first = c->at + negative, *s = first;
    for (; s < c->end && *s >= '0' && *s <= '9' && value < 1000; s++) value = value * 10 + (*s - '0');
    if (s == first || value > (negative ? 1 : 127)) return wrong(c, "a MIDI note 0 … 127, or -1");
    c->at = s;
    return c->reader->note(c->reader->user, part, negative ? -value : value);
}

/* "[a, b, …]", each item read by `item`. */
static hd_status read_list(cursor *c, int part, hd_status (*item)(cursor *c, int part), const char *expected) {
    if (!take(c, '[')) return wrong(c, expected);
    if (take(c, ']')) return HD_OK;
    do HD_TRY(item(c, part));
    while (take(c, ','));
    return take(c, ']') ? HD_OK : wrong(c, "a comma or ]");
}

static hd_status read_step(cursor *c, int part) {
    HD_TRY(read_list(c, part, read_note, "a time step: a list of notes"));
    return c->reader->step(c->reader->user, part);
}

static hd_status read_piece(cursor *c, int part) {
    HD_TRY(read_list(c, part, read_step, "a piece: a list of time steps"));
    return c->reader->piece(c->reader->user, part);
}

/* The number of the part whose name stands here, or -1. */
static int read_name(cursor *c) {
    static const char *const names[] = {"train", "valid", "test", "val"};
    if (!take(c, '"')) return -1;
    for (int i = 0; i < 4; i++) {
        const size_t n = strlen(names[i]);
        if ((size_t)(c->end - c->at) <= n || memcmp(c->at, names[i], n) != 0 || c->at[n] != '"') continue;
        c->at += n + 1;
        return i == 3 ? 1 : i;
    }
    return -1;
}

hd_status hd_rolls_read(hd_context *ctx, const char *where, const char *text, size_t length,
                        const hd_roll_reader *reader) {
    cursor c = {.ctx = ctx, .where = where, .begin = text, .at = text, .end = text + length, .reader = reader};
    bool seen[HD_ROLL_PARTS] = {false};
    if (!take(&c, '{')) return wrong(&c, "an object with train, valid and test");
    do {
        const int part = read_name(&c);
        if (part < 0 || seen[part]) return wrong(&c, "one each of \"train\", \"valid\", \"test\"");
        seen[part] = true;
        if (!take(&c, ':')) return wrong(&c, "a colon");
        HD_TRY(read_list(&c, part, read_piece, "a list of pieces"));
    } while (take(&c, ','));
    if (!take(&c, '}')) return wrong(&c, "a comma or }");
    skip_blanks(&c);
    return c.at == c.end ? HD_OK : wrong(&c, "nothing more");
}
