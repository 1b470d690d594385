/* jpeg_read.c: all of libjpeg that Hadal uses. Owns the jump out of its errors and the limits; knows nothing of models.
 */
#include "base/alloc.h"
#include "base/status.h"
#include "data/png.h"
#include <stdio.h>
#include <string.h>

bool hd_is_jpeg(const unsigned char *bytes, size_t length) {
    return length >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff;
}

#ifndef HD_HAVE_JPEG

hd_status hd_jpeg_decode(hd_context *ctx, const char *path, const hd_bytes *file, hd_pixels *out) {
    (void)file;
    *out = (hd_pixels){0};
    return hd_fail(ctx, HD_E_UNSUPPORTED,
                   "%s|this Hadal was built without libjpeg and cannot read JPEG pictures|Install libjpeg-dev and "
                   "build again, or convert the picture to PNG",
                   path);
}

#else
#include <jerror.h>
#include <jpeglib.h>
#include <setjmp.h>

enum {
    SIDE_MAX = 1 << 16,
    SCANS_MAX = 256 /* a progressive picture has about ten: each costs a pass over all of it */
};

/* All that lives across a jump lies here, not in registers. The first three are handed to libjpeg by their address. */
typedef struct decoder {
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct jpeg;
    jmp_buf jump;
    hd_context *ctx;
    const char *path;
    const hd_bytes *file;
    hd_pixels *out;
    unsigned char *row;
    hd_status status; /* of an error that is not libjpeg's */
    char message[JMSG_LENGTH_MAX];
} decoder;

static void on_error(j_common_ptr common) {
    decoder *d = common->client_data;
    (*common->err->format_message)(common, d->message);
    longjmp(d->jump, 1);
}

/* Damaged data are an error, not a grey picture; bytes too many between two parts are none. */
static void on_message(j_common_ptr common, int level) {
    const int code = common->err->msg_code;
    if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_ADOBE_XFORM) on_error(common);
}

static void stop(decoder *d, hd_status status) {
    d->status = status;
    longjmp(d->jump, 1);
}

static void broken(decoder *d, const char *what) {
    (void)snprintf(d->message, sizeof d->message, "%s", what);
    longjmp(d->jump, 1);
}

static void on_progress(j_common_ptr common) {
    decoder *d = common->client_data;
    if (d->jpeg.input_scan_number <= SCANS_MAX) return;
    stop(d, hd_fail(d->ctx, HD_E_DATA, "%s|expected a JPEG picture of at most %d scans, this has more|Save it again",
                    d->path, (int)SCANS_MAX));
}

/* What libjpeg holds of a picture that comes in several scans: two bytes for each coefficient. */
static size_t coefficients(struct jpeg_decompress_struct *j) {
    size_t count = 0;
    if (!jpeg_has_multiple_scans(j)) return 0;
    for (int c = 0; c < j->num_components; c++)
        count += (size_t)j->comp_info[c].width_in_blocks * j->comp_info[c].height_in_blocks * DCTSIZE2;
    return 2 * count;
}

/* A picture too large for the limits is read at a half, a quarter or an eighth of its sides. */
static void choose_size(decoder *d) {
    struct jpeg_decompress_struct *j = &d->jpeg;
    const size_t w = j->image_width, h = j->image_height, channels = j->num_components == 1 ? 2 : 4;
    if (w < 1 || h < 1 || w > SIDE_MAX || h > SIDE_MAX || j->num_components > 4)
        stop(d, hd_fail(d->ctx, HD_E_DATA,
                        "%s|expected sides of 1 to %d pixels and up to 4 components, found %zu×%zu and %d", d->path,
                        (int)SIDE_MAX, w, h, j->num_components));
    bool fits = false;
    for (unsigned part = 1; part <= 8 && !fits; part *= 2) {
        j->scale_num = 1;
        j->scale_denom = part;
        jpeg_calc_output_dimensions(j);
        const size_t pixels = (size_t)j->output_width * j->output_height;
        fits = hd_pixels_fit(pixels * channels + coefficients(j) + w * channels * 16, d->file);
    }
    if (!fits)
        stop(d, hd_fail(d->ctx, HD_E_DATA,
                        "%s|a picture of %zu×%zu takes more than 64 MB and four times the file|Make it smaller",
                        d->path, w, h));
    d->out->w = (int64_t)j->output_width;
    d->out->h = (int64_t)j->output_height;
    d->out->channels = (int)channels;
}

/* Of inks, as files of printers have them, what they leave of the light; such files hold it already inverted. */
static void spread(const decoder *d, unsigned char *to) {
    const unsigned char *from = d->row;
    const size_t w = (size_t)d->out->w;
    const int parts = d->jpeg.output_components;
    for (size_t i = 0; i < w; i++, from += parts, to += d->out->channels) {
        for (int c = 0; c < d->out->channels - 1; c++)
            to[c] = (unsigned char)(parts == 4 ? from[c] * from[3] / 255 : from[c]);
        to[d->out->channels - 1] = 255;
    }
}

static void decode(decoder *d) {
    struct jpeg_decompress_struct *j = &d->jpeg;
    jpeg_mem_src(j, d->file->data, (unsigned long)d->file->length);
    if (jpeg_read_header(j, TRUE) != JPEG_HEADER_OK) broken(d, "no header");
    const bool inks = j->jpeg_color_space == JCS_CMYK || j->jpeg_color_space == JCS_YCCK;
    j->out_color_space = j->num_components == 1 ? JCS_GRAYSCALE : inks ? JCS_CMYK : JCS_RGB;
    j->dct_method = JDCT_ISLOW;
    choose_size(d);
    j->mem->max_memory_to_use = (long)(((size_t)56 << 20) + 3 * d->file->file);
    if (!jpeg_start_decompress(j)) broken(d, "no begin");
    const size_t stride = (size_t)d->out->w * (size_t)d->out->channels;
    d->row = hd_alloc_n(d->ctx, (size_t)d->out->w, (size_t)j->output_components);
    d->out->data = hd_alloc_n(d->ctx, (size_t)d->out->h, stride);
    if (!d->row || !d->out->data) stop(d, HD_E_MEMORY);
    while (j->output_scanline < j->output_height) {
        unsigned char *to = d->out->data + j->output_scanline * stride;
        JSAMPROW row = d->row;
        if (jpeg_read_scanlines(j, &row, 1) != 1) broken(d, "the data end too early");
        spread(d, to);
    }
    (void)jpeg_finish_decompress(j);
}

static hd_status run(decoder *d) {
    d->jpeg.err = jpeg_std_error(&d->errors);
    d->errors.error_exit = on_error;
    d->errors.emit_message = on_message;
    d->jpeg.client_data = d;
    if (setjmp(d->jump)) {
        if (d->status) return d->status;
        return hd_fail(d->ctx, HD_E_DATA, "%s|expected a JPEG picture, the file is damaged: %s|Save it again", d->path,
                       d->message);
    }
    jpeg_create_decompress(&d->jpeg);
    d->progress.progress_monitor = on_progress;
    d->jpeg.progress = &d->progress;
    decode(d);
    return HD_OK;
}

hd_status hd_jpeg_decode(hd_context *ctx, const char *path, const hd_bytes *file, hd_pixels *out) {
    *out = (hd_pixels){0};
    decoder *d = hd_alloc(ctx, sizeof *d); /* not on the stack: a jump back must find it as it was */
    if (!d) return HD_E_MEMORY;
    d->ctx = ctx;
    d->path = path;
    d->file = file;
    d->out = out;
    const hd_status status = run(d);
    jpeg_destroy_decompress(&d->jpeg);
    hd_free(ctx, d->row);
    hd_free(ctx, d);
    if (status == HD_OK) return HD_OK;
    hd_free(ctx, out->data);
    *out = (hd_pixels){0};
    return status;
}
#endif
