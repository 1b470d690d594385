/* png_write.c: writes PNG (ISO/IEC 15948) without any library: unfiltered rows in stored deflate blocks. For the small
 * pictures of reports the size does not matter, and the file is the same on every machine. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/status.h"
#include "data/checksum.h"
#include "hadal/data.h"
#include <string.h>

enum { STORED_MAX = 65535, SIDE_MAX = 1 << 16 };

static unsigned char *put32(unsigned char *to, uint32_t v) {
    for (int i = 0; i < 4; i++) *to++ = (unsigned char)(v >> (24 - 8 * i));
    return to;
}

/* Writes length and type and returns where the content goes; end_chunk closes it. */
static unsigned char *begin_chunk(unsigned char *to, const char *type, size_t length) {
    to = put32(to, (uint32_t)length);
    memcpy(to, type, 4);
    return to + 4;
}

static unsigned char *end_chunk(unsigned char *content, size_t length) {
    return put32(content + length, hd_crc32(0, content - 4, length + 4));
}

/* zlib's frame around stored blocks (RFC 1950, RFC 1951 section 3.2.4). */
static void put_stored(unsigned char *to, const unsigned char *raw, size_t length) {
    *to++ = 0x78;
    *to++ = 0x01;
    for (size_t at = 0; at < length; at += STORED_MAX) {
        size_t n = length - at < STORED_MAX ? length - at : STORED_MAX;
        *to++ = at + n == length;
        *to++ = (unsigned char)n;
        *to++ = (unsigned char)(n >> 8);
        *to++ = (unsigned char)~n;
        *to++ = (unsigned char)(~n >> 8);
        memcpy(to, raw + at, n);
        to += n;
    }
    (void)put32(to, hd_adler32(1, raw, length));
}

static size_t write_file(unsigned char *to, const unsigned char *raw, size_t raw_length, size_t packed, int64_t h,
                         int64_t w, int channels) {
    unsigned char *start = to, *content;
    memcpy(to, "\x89PNG\r\n\x1a\n", 8);
    content = begin_chunk(to + 8, "IHDR", 13);
    to = put32(put32(content, (uint32_t)w), (uint32_t)h);
    memcpy(to, channels == 3 ? "\x08\x02\0\0" : "\x08\0\0\0", 5); /* depth, colour type, and the string's own zero */
    content = begin_chunk(end_chunk(content, 13), "IDAT", packed);
    put_stored(content, raw, raw_length);
    content = begin_chunk(end_chunk(content, packed), "IEND", 0);
    return (size_t)(end_chunk(content, 0) - start);
}

hd_status hd_picture_encode(hd_context *ctx, const unsigned char *pixels, int64_t h, int64_t w, int channels,
                            unsigned char **out, size_t *length) {
    if (h < 1 || w < 1 || h > SIDE_MAX || w > SIDE_MAX || (channels != 1 && channels != 3) || h * w > INT32_MAX / 8)
        return hd_fail(ctx, HD_E_USAGE,
                       "picture|expected 1 to 65536 rows and columns of 1 or 3 channels, got %lld×%lld×%d",
                       (long long)h, (long long)w, channels);
    size_t row = (size_t)w * (size_t)channels, raw_length = (size_t)h * (row + 1);
    size_t packed = 2 + raw_length + 5 * ((raw_length + STORED_MAX - 1) / STORED_MAX) + 4;
    unsigned char *raw = hd_alloc(ctx, raw_length), *file = hd_alloc(ctx, 8 + 25 + 12 + packed + 12);
    hd_status status = raw && file ? HD_OK : HD_E_MEMORY;
    if (status == HD_OK) {
        for (size_t y = 0; y < (size_t)h; y++) { /* each row begins with its filter: none */
            raw[y * (row + 1)] = 0;
            memcpy(raw + y * (row + 1) + 1, pixels + y * row, row);
        }
        *length = write_file(file, raw, raw_length, packed, h, w, channels);
        *out = file;
    } else {
        hd_free(ctx, file);
    }
    hd_free(ctx, raw);
    return status;
}

hd_status hd_picture_write(hd_context *ctx, const char *path, const unsigned char *pixels, int64_t h, int64_t w,
                           int channels) {
    unsigned char *file;
    size_t length;
    HD_TRY(hd_picture_encode(ctx, pixels, h, w, channels, &file, &length));
    hd_status status = hd_file_write(ctx, path, file, length);
    hd_free(ctx, file);
    return status;
}
