/* bytes.c: owns how a whole file comes into memory. A packed one is unpacked twice, first to count: memory is exact,
 * and a bomb costs none. */
#include "data/bytes.h"
#include "base/status.h"
#include "data/inflate.h"
#include <string.h>

typedef struct unpacking {
    hd_bytes *out;
    const char *path;
    size_t got;
} unpacking;

static hd_status count(void *user, const unsigned char *bytes, size_t length) {
    unpacking *u = user;
    (void)bytes;
    u->out->length += length;
    if (u->out->length <= HD_GROWN_MAX(u->out->file)) return HD_OK;
    return hd_fail(u->out->ctx, HD_E_DATA,
                   "%s|unpacked it is larger than 56 MB and four times the file|Unpack it with gunzip if you trust it",
                   u->path);
}

static hd_status keep(void *user, const unsigned char *bytes, size_t length) {
    unpacking *u = user;
    if (length > u->out->length - u->got)
        return hd_fail(u->out->ctx, HD_E_DATA, "%s|the file changed while it was read", u->path);
    memcpy((unsigned char *)u->out->memory + u->got, bytes, length);
    u->got += length;
    return HD_OK;
}

static hd_status unpack(hd_bytes *b, const char *path, const hd_map *map) {
    unpacking u = {.out = b, .path = path};
    HD_TRY(hd_gunzip(b->ctx, path, map->data, map->length, count, &u));
    b->memory = hd_alloc(b->ctx, b->length + 1);
    if (!b->memory) return HD_E_MEMORY;
    b->data = b->memory;
    return hd_gunzip(b->ctx, path, map->data, map->length, keep, &u);
}

hd_status hd_bytes_load(hd_bytes *out, hd_context *ctx, const char *path) {
    hd_map map;
    *out = (hd_bytes){.ctx = ctx};
    HD_TRY(hd_file_map(ctx, path, &map));
    out->file = map.length;
    if (!hd_is_gzip(map.data, map.length)) {
        out->map = map;
        out->data = map.data;
        out->length = map.length;
        return HD_OK;
    }
    const hd_status status = unpack(out, path, &map);
    hd_file_unmap(&map);
    if (status != HD_OK) hd_bytes_free(out);
    return status;
}

void hd_bytes_free(hd_bytes *bytes) {
    if (!bytes->ctx) return;
    if (bytes->map.length) hd_file_unmap(&bytes->map);
    hd_free(bytes->ctx, bytes->memory);
    *bytes = (hd_bytes){0};
}
