/* png_read.c: all of libpng that Hadal uses. Owns the jump out of libpng's errors and the limits; knows nothing of
 * models. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/status.h"
#include "data/png.h"
#include <stdio.h>
#include <string.h>

#ifndef HD_HAVE_PNG

hd_status hd_png_decode(hd_context *ctx, const char *path, const hd_bytes *file, hd_pixels *out) {
    (void)file;
    *out = (hd_pixels){0};
    return hd_fail(ctx, HD_E_UNSUPPORTED,
                   "%s|this Hadal was built without libpng and cannot read PNG pictures|Install libpng-dev and "
                   "build again",
                   path);
}

#else
#include <png.h>
#include <setjmp.h>

enum { SIDE_MAX = 1 << 16 };

/* All that lives across a jump lies here, not in registers. */
typedef struct decoder {
    hd_context *ctx;
    const char *path;
    const hd_bytes *file;
    size_t at;
    png_structp png;
    png_infop info;
    hd_pixels *out;
    hd_status status; /* of an error that is not libpng's */
    char message[128];
} decoder;

static void on_error(png_structp png, png_const_charp message) {
    decoder *d = png_get_error_ptr(png);
    (void)snprintf(d->message, sizeof d->message, "%s", message);
    longjmp(*png_set_longjmp_fn(png, longjmp, sizeof(jmp_buf)), 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static png_voidp on_alloc(png_structp png, png_alloc_size_t size) {
    decoder *d = png_get_mem_ptr(png);
    void *memory = hd_alloc(d->ctx, size);
    if (!memory) d->status = HD_E_MEMORY;
    return memory;
}

static void on_free(png_structp png, png_voidp memory) {
    decoder *d = png_get_mem_ptr(png);
    hd_free(d->ctx, memory);
}

static void on_read(png_structp png, png_bytep to, size_t length) {
    decoder *d = png_get_io_ptr(png);
    if (length > d->file->length - d->at) png_error(png, "the file ends too early");
    memcpy(to, d->file->data + d->at, length);
    d->at += length;
}

/* Texts, profiles and the like are not looked at: they are where bombs hide. */
static void skip_chunks(png_structp png) {
    static const png_byte names[] =
        "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0sTER\0"
        "tEXt\0tIME\0zTXt\0";
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, names, (int)(sizeof names / 5));
}

/* Grey and alpha, or colour and alpha, 8 bits each. */
static void set_form(decoder *d) {
    png_structp png = d->png;
    int type = png_get_color_type(png, d->info);
    d->out->alpha = (type & PNG_COLOR_MASK_ALPHA) || png_get_valid(png, d->info, PNG_INFO_tRNS);
    d->out->channels = type & PNG_COLOR_MASK_COLOR ? 4 : 2;
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_add_alpha(png, 255, PNG_FILLER_AFTER);
}

static void decode(decoder *d) {
    png_structp png = d->png;
    hd_pixels *out = d->out;
    png_set_read_fn(png, d, on_read);
    png_set_user_limits(png, SIDE_MAX, SIDE_MAX);
    png_set_chunk_malloc_max(png, 1 << 20);
    skip_chunks(png);
    png_read_info(png, d->info);
    out->w = (int64_t)png_get_image_width(png, d->info);
    out->h = (int64_t)png_get_image_height(png, d->info);
    set_form(d);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, d->info);
    size_t row = (size_t)out->w * (size_t)out->channels, bytes = row * (size_t)out->h;
    if (png_get_rowbytes(png, d->info) != row) png_error(png, "its rows have an unexpected length");
    if (!hd_pixels_fit(bytes, d->file)) {
        d->status = hd_fail(d->ctx, HD_E_DATA,
                            "%s|%lld×%lld pixels would need %zu bytes, more than 56 MB and three times the file|Make "
                            "it smaller first",
                            d->path, (long long)out->w, (long long)out->h, bytes);
        png_error(png, "too large");
    }
    out->data = on_alloc(png, bytes);
    if (!out->data) png_error(png, "no memory");
    for (int pass = 0; pass < passes; pass++)
        for (int64_t y = 0; y < out->h; y++) png_read_row(png, out->data + (size_t)y * row, NULL);
    png_read_end(png, NULL);
}

static hd_status run(decoder *d) {
    d->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, d, on_error, on_warning, d, on_alloc, on_free);
    if (!d->png) return d->status ? d->status : hd_fail_memory(d->ctx, 0);
    if (setjmp(png_jmpbuf(d->png))) {
        if (d->status) return d->status;
        return hd_fail(d->ctx, HD_E_DATA, "%s|expected a PNG picture, the file is damaged: %s|Save it again", d->path,
                       d->message);
    }
    d->info = png_create_info_struct(d->png);
    if (!d->info) png_error(d->png, "no memory");
    decode(d);
    return HD_OK;
}

hd_status hd_png_decode(hd_context *ctx, const char *path, const hd_bytes *file, hd_pixels *out) {
    *out = (hd_pixels){0};
    decoder d = {.ctx = ctx, .path = path, .file = file, .out = out};
    hd_status status;
    if (file->length < 8 || png_sig_cmp(file->data, 0, 8) != 0)
        status =
            hd_fail(ctx, HD_E_DATA,
                    "%s|expected a PNG picture or a portable map (PGM, PPM), found another kind of file|Convert it "
                    "to PNG",
                    path);
    else
        status = run(&d);
    png_destroy_read_struct(&d.png, &d.info, NULL);
    if (status != HD_OK) {
        hd_free(ctx, out->data);
        out->data = NULL;
    }
    return status;
}
#endif
