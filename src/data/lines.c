/* lines.c: cuts text into lines. Knows nothing of what they mean. */
#include "data/lines.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/status.h"
#include "data/inflate.h"
#include <string.h>

enum { LINE_MAX_BYTES = 4 << 20 };

typedef struct cutter {
    hd_context *ctx;
    const char *where;
    hd_line_fn fn;
    void *user;
    char *carry; /* begin of a line whose end has not come yet */
    size_t used, capacity;
    int64_t number;
    uint64_t text, most; /* bytes so far; that a packed file may grow to, 0: no matter */
} cutter;

static hd_status hand_on(cutter *c, const char *line, size_t length) {
    if (length && line[length - 1] == '\r') length--;
    if (++c->number == 1 && length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark */
        line += 3;
        length -= 3;
    }
    if (length && memchr(line, 0, length)) /* names are kept with an end: what stands behind it would be lost */
        return hd_fail(c->ctx, HD_E_DATA, "%s:%lld|expected text, found a zero byte", c->where, (long long)c->number);
    return c->fn(c->user, c->number, line, length);
}

static hd_status keep(cutter *c, const char *bytes, size_t length) {
    if (length > LINE_MAX_BYTES - c->used)
        return hd_fail(c->ctx, HD_E_DATA, "%s:%lld|expected lines of at most 4 MB", c->where, (long long)c->number + 1);
    HD_TRY(hd_grow(c->ctx, (void **)&c->carry, &c->capacity, c->used + length, 1));
    if (length) memcpy(c->carry + c->used, bytes, length);
    c->used += length;
    return HD_OK;
}

static hd_status feed(void *user, const unsigned char *bytes, size_t length) {
    cutter *c = user;
    const char *at = (const char *)bytes, *end = at + length, *newline;
    c->text += length;
    if (c->most && c->text > c->most)
        return hd_fail(c->ctx, HD_E_DATA,
                       "%s|unpacked it is larger than 64 MB and sixteen times the file|Unpack it with gunzip if you "
                       "trust it",
                       c->where);
    for (; at < end && (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1) {
        if (!c->used) {
            HD_TRY(hand_on(c, at, (size_t)(newline - at)));
            continue;
        }
        HD_TRY(keep(c, at, (size_t)(newline - at)));
        size_t n = c->used;
        c->used = 0;
        HD_TRY(hand_on(c, c->carry, n));
    }
    return at < end ? keep(c, at, (size_t)(end - at)) : HD_OK;
}

/* A plain file is mapped whole: only its last line may lack an end. */
static hd_status feed_plain(cutter *c, const hd_map *map) {
    size_t whole = map->length;
    while (whole && map->data[whole - 1] != '\n') whole--;
    HD_TRY(feed(c, map->data, whole));
    c->text = map->length;
    return whole < map->length ? hand_on(c, (const char *)map->data + whole, map->length - whole) : HD_OK;
}

hd_status hd_lines_cut(hd_context *ctx, const char *where, const char *text, size_t length, hd_line_fn fn, void *user) {
    cutter c = {.ctx = ctx, .where = where, .fn = fn, .user = user};
    const hd_map map = {(const unsigned char *)text, length};
    return feed_plain(&c, &map);
}

hd_status hd_lines_read(hd_context *ctx, const char *path, hd_line_fn fn, void *user, uint64_t *text, uint64_t *file) {
    cutter c = {.ctx = ctx, .where = path, .fn = fn, .user = user};
    hd_map map;
    HD_TRY(hd_file_map(ctx, path, &map));
    hd_status status;
    *file = map.length;
    if (hd_is_gzip(map.data, map.length)) {
        c.most = ((uint64_t)64 << 20) + 16 * (uint64_t)map.length;
        status = hd_gunzip(ctx, path, map.data, map.length, feed, &c);
        if (status == HD_OK && c.used) status = hand_on(&c, c.carry, c.used);
    } else {
        status = feed_plain(&c, &map);
    }
    *text = c.text;
    hd_free(ctx, c.carry);
    hd_file_unmap(&map);
    return status;
}
