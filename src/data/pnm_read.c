/* pnm_read.c: portable bit, grey and pixel maps (Netpbm: pbm(5), pgm(5), ppm(5)), as text or bytes. */
#include "base/status.h"
#include "data/png.h"
#include <string.h>

enum { SIDE_MAX = 1 << 16 };

typedef struct reader {
    hd_context *ctx;
    const char *path;
    const hd_bytes *file;
    size_t at;
    int form; /* 1 … 6 */
    int64_t w, h;
    int64_t top; /* the value of white */
    hd_pixels *out;
} reader;

bool hd_is_pnm(const unsigned char *bytes, size_t length) {
    return length >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6' &&
           memchr(" \t\r\n#", bytes[2], 5) != NULL;
}

static hd_status damaged(const reader *r, const char *what) {
    return hd_fail(r->ctx, HD_E_DATA, "%s|expected a portable %s (P%d), %s|Save it again", r->path,
                   r->form % 3 == 1   ? "bit map"
                   : r->form % 3 == 2 ? "grey map"
                                      : "pixel map",
                   r->form, what);
}

static int peek(const reader *r) {
    return r->at < r->file->length ? r->file->data[r->at] : -1;
}

/* White space, and comments from # to the end of their line. */
static void skip(reader *r) {
    for (int c; (c = peek(r)) >= 0;) {
        if (c == '#')
            while (peek(r) >= 0 && peek(r) != '\n') r->at++;
        else if (c != ' ' && (c < '\t' || c > '\r'))
            return;
        else
            r->at++;
    }
}

/* A whole number of at most `most`, in decimal digits; −1 when there is none. */
static int64_t number(reader *r, int64_t most) {
    int64_t value = 0;
    skip(r);
    if (peek(r) < '0' || peek(r) > '9') return -1;
    for (int c; (c = peek(r)) >= '0' && c <= '9'; r->at++) {
        value = value * 10 + (c - '0');
        if (value > most) return -1;
    }
    return value;
}

static hd_status read_head(reader *r) {
    r->form = r->file->data[1] - '0';
    r->at = 2;
    r->w = number(r, SIDE_MAX);
    r->h = number(r, SIDE_MAX);
    if (r->w < 1 || r->h < 1) return damaged(r, "its size is none from 1×1 to 65536×65536");
    r->top = 1;
    if (r->form != 1 && r->form != 4) r->top = number(r, 65535);
    if (r->top < 1) return damaged(r, "its brightest value is none from 1 to 65535");
    if (r->form > 3) r->at++; /* one byte of white space, then the pixels */
    return HD_OK;
}

/* The file must hold the pixels before memory for them is asked for: a number of text takes two bytes with the blank in
 * front of it, a bit of text one. */
static hd_status make_room(reader *r) {
    const size_t pixels = (size_t)(r->w * r->h), values = pixels * (r->form % 3 == 0 ? 3 : 1);
    const size_t row = ((size_t)r->w + 7) / 8;
    const size_t need = r->form == 1   ? values
                        : r->form == 4 ? row * (size_t)r->h
                        : r->form < 4  ? 2 * values - 1
                                       : values * (r->top > 255 ? 2 : 1);
    if (r->at > r->file->length || r->file->length - r->at < need) return damaged(r, "the file ends too early");
    r->out->channels = r->form % 3 == 0 ? 4 : 2;
    r->out->w = r->w;
    r->out->h = r->h;
    if (!hd_pixels_fit(pixels * (size_t)r->out->channels, r->file))
        return hd_fail(r->ctx, HD_E_DATA,
                       "%s|%lld×%lld pixels need more than 56 MB and three times the file|Make it smaller first",
                       r->path, (long long)r->w, (long long)r->h);
    r->out->data = hd_alloc(r->ctx, pixels * (size_t)r->out->channels);
    return r->out->data ? HD_OK : HD_E_MEMORY;
}

/* The next value as a byte, −1 when there is none. Black is 0 everywhere but in bit maps. */
static int next_value(reader *r) {
    int64_t v;
    if (r->form == 1) {
        skip(r);
        const int c = peek(r);
        r->at++;
        return c == '0' ? 255 : c == '1' ? 0 : -1;
    }
    if (r->form < 4) {
        v = number(r, r->top);
    } else if (r->top > 255) {
        v = r->file->data[r->at] << 8 | r->file->data[r->at + 1];
        r->at += 2;
    } else {
        v = r->file->data[r->at++];
    }
    return v < 0 || v > r->top ? -1 : (int)((v * 255 + r->top / 2) / r->top);
}

static hd_status read_bits(reader *r) {
    const size_t row = ((size_t)r->w + 7) / 8;
    for (int64_t y = 0; y < r->h; y++)
        for (int64_t x = 0; x < r->w; x++) {
            const unsigned char byte = r->file->data[r->at + (size_t)y * row + (size_t)x / 8];
            unsigned char *to = r->out->data + 2 * (y * r->w + x);
            to[0] = byte >> (7 - x % 8) & 1 ? 0 : 255;
            to[1] = 255;
        }
    return HD_OK;
}

static hd_status read_values(reader *r) {
    const int channels = r->out->channels;
    for (int64_t i = 0; i < r->w * r->h; i++) {
        unsigned char *to = r->out->data + i * channels;
        for (int k = 0; k < channels - 1; k++) {
            const int v = next_value(r);
            if (v < 0) return damaged(r, "a value is no number, or above the brightest");
            to[k] = (unsigned char)v;
        }
        to[channels - 1] = 255;
    }
    return HD_OK;
}

hd_status hd_pnm_decode(hd_context *ctx, const char *path, const hd_bytes *file, hd_pixels *out) {
    reader r = {.ctx = ctx, .path = path, .file = file, .out = out};
    *out = (hd_pixels){0};
    HD_TRY(read_head(&r));
    HD_TRY(make_room(&r));
    const hd_status status = r.form == 4 ? read_bits(&r) : read_values(&r);
    if (status == HD_OK) return HD_OK;
    hd_free(ctx, out->data);
    out->data = NULL;
    return status;
}

/* ---- any picture ---- */

bool hd_pixels_fit(size_t bytes, const hd_bytes *file) {
    return bytes <= ((size_t)56 << 20) + 3 * file->file;
}

hd_status hd_pixels_read(hd_context *ctx, const char *path, hd_pixels *out) {
    hd_bytes file;
    *out = (hd_pixels){0};
    HD_TRY(hd_bytes_load(&file, ctx, path));
    const bool pnm = hd_is_pnm(file.data, file.length), jpeg = hd_is_jpeg(file.data, file.length);
    const hd_status status = pnm    ? hd_pnm_decode(ctx, path, &file, out)
                             : jpeg ? hd_jpeg_decode(ctx, path, &file, out)
                                    : hd_png_decode(ctx, path, &file, out);
    hd_bytes_free(&file);
    return status;
}
