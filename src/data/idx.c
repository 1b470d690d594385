/* idx.c: reads IDX files. Plain ones stay mapped; compressed ones are inflated into exactly as much memory as their
 * header says, after that was compared with what their size allows. */
#include "data/idx.h"
#include "data/inflate.h"
#include <stdio.h>
#include <string.h>

enum { HEADER = 4 + 4 * 4 }; /* up to four dimensions */
/* What a compressed file may grow to: 56 MB and four times its size. The digits of MNIST grow 4.9 times, to 47 MB. */
#define GROWN_MAX(length) (((size_t)56 << 20) + 4 * (length))

/* Reads the header from the first bytes. *need is its own length; elements in *count. */
static hd_status read_header(hd_context *ctx, const char *where, const unsigned char *h, size_t have, hd_idx *out,
                             size_t *need, size_t *count) {
    if (have < 4 || h[0] || h[1] || h[3] < 1 || h[3] > 4)
        return hd_fail(ctx, HD_E_DATA,
                       "%s|expected an IDX file (two zero bytes, type, 1 to 4 dimensions), found other bytes", where);
    if (h[2] != 8)
        return hd_fail(ctx, HD_E_DATA, "%s|expected IDX elements of unsigned bytes (type 0x08), found type 0x%02x",
                       where, h[2]);
    out->dims.rank = h[3];
    *need = 4 + 4 * (size_t)h[3];
    *count = 1;
    if (have < *need) return hd_fail(ctx, HD_E_DATA, "%s|the file ends inside its header|Fetch the file again", where);
    for (int i = 0; i < out->dims.rank; i++) {
        const unsigned char *d = h + 4 + 4 * i;
        size_t n = (size_t)d[0] << 24 | (size_t)d[1] << 16 | (size_t)d[2] << 8 | d[3];
        out->dims.dim[i] = (int64_t)n;
        if (!hd_mul_ok(*count, n, count) || *count > INT64_MAX)
            return hd_fail(ctx, HD_E_DATA, "%s|the dimensions in the header overflow", where);
    }
    return HD_OK;
}

static hd_status wrong_size(hd_context *ctx, const char *where, size_t expected, size_t got) {
    return hd_fail(ctx, HD_E_DATA, "%s|the header says %zu bytes of elements, the file has %s%zu|Fetch the file again",
                   where, expected, got > expected ? "more: " : "", got);
}

/* ---- compressed ---- */

typedef struct unpacking {
    hd_dataset *data;
    const char *where;
    size_t limit;
    unsigned char head[HEADER];
    size_t have, need, count, got;
    unsigned char *elements;
    hd_idx *out;
} unpacking;

static hd_status begin_elements(unpacking *u) {
    hd_context *ctx = u->data->ctx;
    HD_TRY(read_header(ctx, u->where, u->head, u->have, u->out, &u->need, &u->count));
    if (u->count > u->limit)
        return hd_fail(ctx, HD_E_DATA,
                       "%s|would grow to %zu bytes, more than 56 MB and four times the file|Unpack it with gunzip "
                       "if you trust it",
                       u->where, u->count);
    u->elements = hd_data_alloc(u->data, u->count + 1, 1);
    return u->elements ? HD_OK : HD_E_MEMORY;
}

static hd_status unpack(void *user, const unsigned char *bytes, size_t length) {
    unpacking *u = user;
    while (length && !u->elements) {
        u->head[u->have++] = *bytes++;
        length--;
        size_t need = u->have < 4 ? 4 : 4 + 4 * (size_t)(u->head[3] > 4 ? 0 : u->head[3]);
        if (u->have == need) HD_TRY(begin_elements(u));
    }
    if (length > u->count - u->got) return wrong_size(u->data->ctx, u->where, u->count, u->got + length);
    if (length) memcpy(u->elements + u->got, bytes, length);
    u->got += length;
    return HD_OK;
}

static hd_status open_packed(hd_idx *out, hd_dataset *data, const char *path) {
    hd_map map;
    HD_TRY(hd_file_map(data->ctx, path, &map));
    unpacking u = {.data = data, .where = path, .limit = GROWN_MAX(map.length), .out = out};
    hd_status status = hd_gunzip(data->ctx, path, map.data, map.length, unpack, &u);
    hd_file_unmap(&map);
    HD_TRY(status);
    if (!u.elements) HD_TRY(read_header(data->ctx, path, u.head, u.have, out, &u.need, &u.count));
    if (u.got != u.count) return wrong_size(data->ctx, path, u.count, u.got);
    out->data = u.elements;
    return HD_OK;
}

hd_status hd_idx_open(hd_idx *out, hd_dataset *data, const char *path) {
    char packed[4096];
    if (snprintf(packed, sizeof packed, "%s.gz", path) >= (int)sizeof packed)
        return hd_fail(data->ctx, HD_E_FILE, "%s|the path is too long", path);
    *out = (hd_idx){0};
    if (!hd_path_exists(path) && hd_path_exists(packed)) return open_packed(out, data, packed);
    hd_map map;
    size_t need, count;
    HD_TRY(hd_data_map(data, path, &map));
    HD_TRY(read_header(data->ctx, path, map.data, map.length, out, &need, &count));
    if (map.length - need != count) return wrong_size(data->ctx, path, count, map.length - need);
    out->data = map.data + need;
    return HD_OK;
}
