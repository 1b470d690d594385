/* untar.c: chosen files out of a .tar.gz (POSIX.1-1988 ustar), as a stream. */
#include "base/file.h"
#include "base/status.h"
#include "data/fetch.h"
#include "data/inflate.h"
#include <stdio.h>
#include <string.h>

enum { BLOCK = 512 };

typedef struct untarring {
    hd_context *ctx;
    const char *path, *folder;
    const char *const *names;
    unsigned char head[BLOCK];
    size_t have;   /* bytes of the header */
    uint64_t left; /* bytes of the member, and then of its padding */
    uint64_t padding;
    bool writing;
    hd_out out;
    int written;
} untarring;

static uint64_t octal(const unsigned char *text, size_t length) {
    uint64_t value = 0;
    for (size_t i = 0; i < length && text[i]; i++)
        if (text[i] >= '0' && text[i] <= '7') value = value * 8 + (uint64_t)(text[i] - '0');
    return value;
}

/* The last part of the member's name, when it is one of those that are wanted. */
static const char *wanted(const untarring *u, char name[101]) {
    (void)snprintf(name, 101, "%.100s", (const char *)u->head);
    const char *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name;
    const bool regular = u->head[156] == '0' || u->head[156] == 0;
    for (int i = 0; regular && u->names[i]; i++)
        if (strcmp(u->names[i], last) == 0) return u->names[i];
    return NULL;
}

static hd_status begin_member(untarring *u) {
    char name[101], path[4096];
    u->have = 0;
    if (u->head[0] == 0) return HD_OK; /* the end: blocks of zeros */
    if (memcmp(u->head + 257, "ustar", 5) != 0)
        return hd_fail(u->ctx, HD_E_DATA, "%s|expected a tar archive, found other bytes", u->path);
    u->left = octal(u->head + 124, 12);
    u->padding = (BLOCK - u->left % BLOCK) % BLOCK;
    const char *last = wanted(u, name);
    u->writing = last != NULL;
    if (!last) return HD_OK;
    if (snprintf(path, sizeof path, "%s/%s", u->folder, last) >= (int)sizeof path)
        return hd_fail(u->ctx, HD_E_FILE, "%s|the path is too long", u->folder);
    return hd_out_open(&u->out, u->ctx, path);
}

static hd_status end_member(untarring *u) {
    u->left = u->padding;
    u->padding = 0;
    if (!u->writing) return HD_OK;
    u->writing = false;
    u->written++;
    return hd_out_commit(&u->out);
}

static hd_status take(void *user, const unsigned char *bytes, size_t length) {
    untarring *u = user;
    while (length > 0) {
        size_t n;
        if (u->left > 0) {
            n = length < u->left ? length : (size_t)u->left;
            if (u->writing) hd_out_write(&u->out, bytes, n);
            u->left -= n;
            if (u->left == 0 && (u->writing || u->padding)) HD_TRY(end_member(u));
        } else {
            n = length < BLOCK - u->have ? length : BLOCK - u->have;
            memcpy(u->head + u->have, bytes, n);
            u->have += n;
            if (u->have == BLOCK) HD_TRY(begin_member(u));
            if (u->have == 0 && u->left == 0 && u->writing) HD_TRY(end_member(u)); /* an empty file */
        }
        bytes += n;
        length -= n;
    }
    return HD_OK;
}

hd_status hd_untar(hd_context *ctx, const char *path, const char *folder, const char *const *names) {
    untarring u = {.ctx = ctx, .path = path, .folder = folder, .names = names};
    hd_map map;
    HD_TRY(hd_file_map(ctx, path, &map));
    hd_status status = hd_gunzip(ctx, path, map.data, map.length, take, &u);
    hd_file_unmap(&map);
    if (u.writing) {
        hd_out_abort(&u.out);
        if (status == HD_OK) status = hd_fail(ctx, HD_E_DATA, "%s|the archive ends early", path);
    }
    if (status == HD_OK && u.written == 0)
        status = hd_fail(ctx, HD_E_DATA, "%s|the archive holds none of the data set's files", path);
    return status;
}
