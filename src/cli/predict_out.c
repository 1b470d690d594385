/* predict_out.c: owns `hadal predict --out`: all scores as one array in NumPy's format, or the pictures that a model
 * gave back as one sheet. */
#include "cli/predict_out.h"
#include "base/text.h"
#include "cli/screen.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

hd_status predict_out_open(cli *c, predict_out *o, const char *path, const hd_model_info *info, int64_t columns) {
    const hd_dims *s = &info->sample;
    *o = (predict_out){.path = path, .columns = columns, .sample = *s, .high = 255};
    if (!path) return HD_OK;
    o->picture = hd_text_ends(path, ".png");
    if (!o->picture && !hd_text_ends(path, ".npy"))
        return cli_fail(c, HD_E_USAGE, "--out|\"%s\" ends in neither .npy nor .png|Write --out scores.npy", path);
    if (o->picture && (!info->reconstructs || s->rank != 3 || (s->dim[0] != 1 && s->dim[0] != 3)))
        return cli_fail(c, HD_E_USAGE, "--out|this model gives back no pictures|Write --out scores.npy");
    if (info->picture.high > info->picture.low) {
        o->low = (double)info->picture.low;
        o->high = (double)info->picture.high;
    }
    return HD_OK;
}

hd_status predict_out_add(cli *c, predict_out *o, const float *y, int64_t n) {
    if (!o->path) return HD_OK;
    const size_t row = (size_t)o->columns * sizeof *y, need = (size_t)(o->count + n) * row;
    if (need > o->room) {
        float *more = realloc(o->y, need > SIZE_MAX / 2 ? need : 2 * need);
        if (!more) return cli_no_memory(c);
        o->y = more;
        o->room = need > SIZE_MAX / 2 ? need : 2 * need;
    }
    memcpy(o->y + o->count * o->columns, y, (size_t)n * row);
    o->count += n;
    return HD_OK;
}

/* Version 1.0: magic, length of the header, a Python dict padded to a multiple of 64, the numbers.
 * numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
static hd_status write_npy(cli *c, const predict_out *o) {
    enum { HEADER = 128, BEGIN = 10 };
    const size_t bytes = (size_t)(o->count * o->columns) * sizeof *o->y;
    char *file = malloc(HEADER + bytes), dict[HEADER];
    const int one = 1;
    if (!file) return cli_no_memory(c);
    (void)snprintf(dict, sizeof dict, "{'descr': '%cf4', 'fortran_order': False, 'shape': (%lld, %lld), }",
                   *(const char *)&one ? '<' : '>', (long long)o->count, (long long)o->columns);
    memset(file, ' ', HEADER);
    memcpy(file, "\x93NUMPY\x01\x00", 8);
    file[8] = HEADER - BEGIN;
    file[9] = 0;
    memcpy(file + BEGIN, dict, strlen(dict));
    file[HEADER - 1] = '\n';
    if (bytes > 0) memcpy(file + HEADER, o->y, bytes);
    const hd_status status = cli_write_file(c, o->path, file, HEADER + bytes);
    free(file);
    return status;
}

/* As square a sheet as can be, pictures side by side. */
static hd_status write_sheet(cli *c, const predict_out *o) {
    const int64_t channels = o->sample.dim[0], h = o->sample.dim[1], w = o->sample.dim[2];
    const int64_t across = (int64_t)ceil(sqrt((double)o->count)), down = (o->count + across - 1) / across;
    unsigned char *pixels = calloc((size_t)(down * h) * (size_t)(across * w), (size_t)channels);
    if (!pixels) return cli_no_memory(c);
    for (int64_t i = 0; i < o->count * o->columns; i++) {
        const int64_t n = i / o->columns, k = i % o->columns, p = k / (h * w), y = k / w % h, x = k % w;
        const double v = ((double)o->y[i] - o->low) / (o->high - o->low);
        pixels[((n / across * h + y) * across * w + n % across * w + x) * channels + p] =
            (unsigned char)(255 * fmin(1, fmax(0, v)) + 0.5);
    }
    const hd_status status = hd_picture_write(c->ctx, o->path, pixels, down * h, across * w, (int)channels);
    free(pixels);
    CLI_TRY(c, status);
    return HD_OK;
}

hd_status predict_out_close(cli *c, predict_out *o) {
    if (!o->path) return HD_OK;
    if (o->picture && o->count == 0) return cli_fail(c, HD_E_DATA, "%s|there are no inputs to draw|", o->path);
    return o->picture ? write_sheet(c, o) : write_npy(c, o);
}
