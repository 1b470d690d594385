/* inflate.c: all of zlib that Hadal uses. Owns the stream's memory; the bytes go to a sink, so that a bomb costs no
 * memory here. Knows nothing of what they mean. */
#include "data/inflate.h"
#include "base/alloc.h"
#include "base/status.h"

bool hd_is_gzip(const unsigned char *bytes, size_t length) {
    return length >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

#ifndef HD_HAVE_ZLIB

static hd_status no_zlib(hd_context *ctx, const char *where) {
    return hd_fail(ctx, HD_E_UNSUPPORTED,
                   "%s|this Hadal was built without zlib and cannot read packed files|Install zlib1g-dev and build "
                   "again, or unpack it first",
                   where);
}

hd_status hd_gunzip(hd_context *ctx, const char *where, const unsigned char *bytes, size_t length, hd_sink_fn sink,
                    void *user) {
    (void)bytes, (void)length, (void)sink, (void)user;
    return no_zlib(ctx, where);
}

hd_status hd_inflate_raw(hd_context *ctx, const char *where, const unsigned char *bytes, size_t length, hd_sink_fn sink,
                         void *user) {
    (void)bytes, (void)length, (void)sink, (void)user;
    return no_zlib(ctx, where);
}

#else
#define ZLIB_CONST
#include <zlib.h>

enum { BUFFER = 1 << 16, FEED_MAX = 1 << 30, GZIP_ONLY = 16 }; /* zlib counts its input in 32 bits */

typedef struct inflater {
    hd_context *ctx;
    const char *where;
    z_stream z;
    const unsigned char *end;
    hd_sink_fn sink;
    void *user;
    unsigned char buffer[BUFFER];
} inflater;

static voidpf on_alloc(voidpf ctx, uInt n, uInt size) {
    return hd_alloc_n(ctx, n, size);
}

static void on_free(voidpf ctx, voidpf memory) {
    hd_free(ctx, memory);
}

static hd_status explain(const inflater *f, int code) {
    if (code == Z_MEM_ERROR) return HD_E_MEMORY; /* recorded by the allocator */
    const char *what = code == Z_BUF_ERROR ? "the file ends too early" : f->z.msg ? f->z.msg : zError(code);
    return hd_fail(f->ctx, HD_E_DATA, "%s|expected gzip data, %s|Fetch the file again", f->where, what);
}

static hd_status read_member(inflater *f) {
    int code;
    do {
        size_t left = (size_t)(f->end - f->z.next_in);
        f->z.avail_in = left < FEED_MAX ? (uInt)left : FEED_MAX;
        f->z.next_out = f->buffer;
        f->z.avail_out = BUFFER;
        code = inflate(&f->z, Z_NO_FLUSH);
        if (code != Z_OK && code != Z_STREAM_END) return explain(f, code);
        size_t n = BUFFER - f->z.avail_out;
        if (n) HD_TRY(f->sink(f->user, f->buffer, n));
    } while (code != Z_STREAM_END);
    return HD_OK;
}

static hd_status read_members(inflater *f) {
    for (;;) {
        HD_TRY(read_member(f));
        while (f->z.next_in < f->end && *f->z.next_in == 0) f->z.next_in++; /* padding, as tapes leave it */
        if (f->z.next_in == f->end) return HD_OK;
        int code = inflateReset(&f->z);
        if (code != Z_OK) return explain(f, code);
    }
}

static hd_status run(hd_context *ctx, const char *where, const unsigned char *bytes, size_t length, hd_sink_fn sink,
                     void *user, bool raw) {
    inflater *f = hd_alloc(ctx, sizeof *f);
    if (!f) return HD_E_MEMORY;
    f->ctx = ctx;
    f->where = where;
    f->z = (z_stream){.next_in = bytes, .zalloc = on_alloc, .zfree = on_free, .opaque = ctx};
    f->end = bytes + length;
    f->sink = sink;
    f->user = user;
    int code = inflateInit2(&f->z, raw ? -MAX_WBITS : GZIP_ONLY + MAX_WBITS);
    hd_status status;
    if (code == Z_OK)
        status = raw ? read_member(f) : read_members(f);
    else if (code == Z_MEM_ERROR)
        status = HD_E_MEMORY;
    else
        status = hd_fail(ctx, HD_E_UNSUPPORTED, "%s|zlib %s does not start: %s", where, zlibVersion(), zError(code));
    (void)inflateEnd(&f->z);
    hd_free(ctx, f);
    return status;
}

hd_status hd_gunzip(hd_context *ctx, const char *where, const unsigned char *bytes, size_t length, hd_sink_fn sink,
                    void *user) {
    return run(ctx, where, bytes, length, sink, user, false);
}

hd_status hd_inflate_raw(hd_context *ctx, const char *where, const unsigned char *bytes, size_t length, hd_sink_fn sink,
                         void *user) {
    return run(ctx, where, bytes, length, sink, user, true);
}
#endif
