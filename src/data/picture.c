/* picture.c: fits a picture to what a net was trained on: grey or colour, its ground, its size, its place. Owns the
 * decisions and says each of them aloud; decoding is png_read.c's, scaling resample.c's. */
#include "base/alloc.h"
#include "base/status.h"
#include "data/png.h"
#include "data/resample.h"
#include "hadal/data.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NOTE = 512 };

typedef struct fitting {
    hd_context *ctx;
    const char *path;
    const hd_picture_args *args;
    int64_t c, h, w; /* of the sample */
    hd_pixels p;     /* becomes [h, w, step] without alpha */
    int64_t step;    /* bytes a pixel: 1 grey, 3 colour */
    bool was_colour;
    char done[NOTE];
} fitting;

static void say(fitting *f, const char *what) {
    size_t used = strlen(f->done);
    (void)snprintf(f->done + used, sizeof f->done - used, "%s%s", used ? ", " : "", what);
}

/* ITU-R BT.601 luma, in 1/256. */
static int luma(const unsigned char *rgb) {
    return (77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2] + 128) >> 8;
}

/* ---- transparency ---- */

/* Transparent pictures are drawings on nothing: dark ink belongs on white, light ink on black. */
static int find_ground(const hd_pixels *p) {
    double ink = 0, weight = 0;
    for (int64_t i = 0; i < p->h * p->w; i++) {
        const unsigned char *pixel = p->data + i * p->channels;
        double a = pixel[p->channels - 1];
        ink += a * (p->channels == 4 ? luma(pixel) : pixel[0]);
        weight += a;
    }
    return weight > 0 && ink / weight < 128 ? 255 : 0;
}

/* Lays the picture on its ground and drops the alpha channel, in place; turns colour grey for grey nets. */
static void flatten(fitting *f) {
    hd_pixels *p = &f->p;
    int in = p->channels, colours = in - 1, ground = p->alpha ? find_ground(p) : 0;
    bool to_grey = colours == 3 && f->c == 1, seen = false;
    f->was_colour = false;
    f->step = to_grey ? 1 : colours;
    for (int64_t i = 0; i < p->h * p->w; i++) {
        const unsigned char *from = p->data + i * in;
        unsigned char v[3];
        int a = from[in - 1];
        for (int k = 0; k < colours; k++) v[k] = (unsigned char)((from[k] * a + ground * (255 - a) + 127) / 255);
        seen = seen || a < 255;
        if (colours == 3) f->was_colour = f->was_colour || v[0] != v[1] || v[1] != v[2];
        if (to_grey) v[0] = (unsigned char)luma(v);
        memcpy(p->data + i * f->step, v, (size_t)f->step);
    }
    if (to_grey && f->was_colour) say(f, "turned grey");
    if (seen) say(f, ground ? "laid on white" : "laid on black");
}

/* ---- ground ---- */

static float border_mean(const fitting *f) {
    const hd_pixels *p = &f->p;
    double sum = 0, n = 0;
    for (int64_t y = 0; y < p->h; y++)
        for (int64_t x = 0; x < p->w; x += y == 0 || y == p->h - 1 || p->w == 1 ? 1 : p->w - 1) {
            sum += p->data[(y * p->w + x) * f->step];
            n++;
        }
    return (float)(sum / n);
}

static void invert_all(fitting *f) {
    for (int64_t i = 0; i < f->p.h * f->p.w; i++) f->p.data[i] = (unsigned char)(255 - f->p.data[i]);
}

/* Light ink on a dark ground from here on; the caller turns the result back for nets that know dark ink on light. A
 * grey photograph has no ground: only nets trained on drawings turn a picture round. */
static void settle_ground(fitting *f) {
    bool dark = border_mean(f) <= 127.5f, want_dark = f->args->light_on_dark;
    if (f->c != 1 || (!want_dark && !f->args->center)) return;
    if (dark != want_dark) say(f, "inverted");
    if (!dark) invert_all(f);
}

/* Paper is not white and ink not black: spreads ground … brightest ink over 0 … 255. */
static void stretch(fitting *f) {
    int ground = (int)border_mean(f), top = 0;
    int64_t n = f->p.h * f->p.w;
    for (int64_t i = 0; i < n; i++) top = f->p.data[i] > top ? f->p.data[i] : top;
    if (top - ground < 16 || (ground < 16 && top > 200)) return;
    for (int64_t i = 0; i < n; i++) {
        int v = (f->p.data[i] - ground) * 255 / (top - ground);
        f->p.data[i] = (unsigned char)(v < 0 ? 0 : v);
    }
    say(f, "contrast stretched");
}

/* ---- size and place ---- */

/* The box around everything brighter than a quarter; the whole picture when there is nothing. */
static bool find_ink(const fitting *f, hd_rect *box) {
    int64_t left = f->p.w, right = -1, top = f->p.h, bottom = -1;
    for (int64_t y = 0; y < f->p.h; y++)
        for (int64_t x = 0; x < f->p.w; x++) {
            if (f->p.data[y * f->p.w + x] < 64) continue;
            left = x < left ? x : left;
            right = x > right ? x : right;
            top = y < top ? y : top;
            bottom = y;
        }
    *box = (hd_rect){left, top, right - left + 1, bottom - top + 1};
    if (right < 0) *box = (hd_rect){0, 0, f->p.w, f->p.h};
    return right >= 0;
}

static int64_t at_least_one(double v) {
    return v < 1 ? 1 : (int64_t)(v + 0.5);
}

/* Where a block of h × w goes so that its centre of mass lies where MNIST puts it, at half the side (counted in
 * pixels), as far as the block stays inside. */
static void place_by_mass(const float *block, int64_t h, int64_t w, int64_t side_h, int64_t side_w, int64_t *x,
                          int64_t *y) {
    double mass = 0, mx = 0, my = 0;
    for (int64_t r = 0; r < h; r++)
        for (int64_t c = 0; c < w; c++) {
            double v = (double)block[r * w + c];
            mass += v;
            mx += v * (double)c;
            my += v * (double)r;
        }
    if (mass <= 0) return;
    int64_t cx = (int64_t)floor((double)side_w / 2 - mx / mass + 0.5),
            cy = (int64_t)floor((double)side_h / 2 - my / mass + 0.5);
    *x = cx < 0 ? 0 : cx > side_w - w ? side_w - w : cx;
    *y = cy < 0 ? 0 : cy > side_h - h ? side_h - h : cy;
}

/* Cuts to the ink, scales its longer side to the share that it has in the training pictures, centres it. out is black.
 */
static hd_status cut_and_center(fitting *f, float *out) {
    hd_rect box;
    if (!find_ink(f, &box)) say(f, "nothing found on it");
    double share = f->args->ink > 0 ? (double)f->args->ink : 1;
    double scale = fmin(share * (double)f->w / (double)box.w, share * (double)f->h / (double)box.h);
    int64_t w = at_least_one(scale * (double)box.w), h = at_least_one(scale * (double)box.h);
    w = w > f->w ? f->w : w;
    h = h > f->h ? f->h : h;
    float *block = hd_alloc_n(f->ctx, (size_t)(w * h), sizeof *block);
    if (!block) return HD_E_MEMORY;
    hd_resample(block, h, w, w, f->p.data, box, f->p.w, 1);
    int64_t x = (f->w - w) / 2, y = (f->h - h) / 2;
    if (share < 0.9) place_by_mass(block, h, w, f->h, f->w, &x, &y);
    for (int64_t r = 0; r < h; r++) memcpy(out + (y + r) * f->w + x, block + r * w, (size_t)w * sizeof *block);
    hd_free(f->ctx, block);
    say(f, "cut to the ink, scaled and centred");
    return HD_OK;
}

/* Scales the whole picture, keeping its shape; what stays free gets the colour of its border. */
static void scale_whole(fitting *f, float *out) {
    double scale = fmin((double)f->w / (double)f->p.w, (double)f->h / (double)f->p.h);
    int64_t w = at_least_one(scale * (double)f->p.w), h = at_least_one(scale * (double)f->p.h);
    w = w > f->w ? f->w : w;
    h = h > f->h ? f->h : h;
    hd_rect all = {0, 0, f->p.w, f->p.h};
    float rim = border_mean(f);
    for (int64_t c = 0; c < f->c; c++) {
        float *plane = out + c * f->h * f->w;
        int64_t channel = f->step == 3 ? c : 0;
        for (int64_t i = 0; i < f->h * f->w && (w < f->w || h < f->h); i++) plane[i] = rim;
        hd_resample(plane + (f->h - h) / 2 * f->w + (f->w - w) / 2, h, w, f->w, f->p.data + channel, all,
                    f->p.w * f->step, f->step);
    }
    if (f->p.w != f->w || f->p.h != f->h) say(f, w < f->w || h < f->h ? "scaled, with a border" : "scaled");
}

/* ---- all of it ---- */

static hd_status fit(fitting *f, float *x) {
    const hd_picture_args *a = f->args;
    flatten(f);
    settle_ground(f);
    bool other_size = f->p.w != f->w || f->p.h != f->h, ink = f->c == 1 && a->center && other_size;
    int64_t size = f->c * f->h * f->w;
    memset(x, 0, (size_t)size * sizeof *x);
    if (ink) {
        stretch(f);
        HD_TRY(cut_and_center(f, x));
    } else {
        scale_whole(f, x);
    }
    bool back = f->c == 1 && a->center && !a->light_on_dark;
    for (int64_t i = 0; i < size; i++) {
        float v = (back ? 255 - x[i] : x[i]) / 255;
        x[i] = a->low + v * (a->high - a->low);
    }
    return HD_OK;
}

static hd_status explain(const fitting *f, int64_t h, int64_t w, char *note, size_t note_size) {
    char text[NOTE + 160] = "";
    if (*f->done)
        (void)snprintf(text, sizeof text, "the model reads %lld×%lld %s pictures, this is %lld×%lld %s: %s",
                       (long long)f->w, (long long)f->h, f->c == 1 ? "grey" : "colour", (long long)w, (long long)h,
                       f->was_colour ? "colour" : "grey", f->done);
    if (note && note_size) (void)snprintf(note, note_size, "%s", text);
    if (!f->args->strict || !*f->done) return HD_OK;
    return hd_fail(f->ctx, HD_E_DATA, "%s|%s|Without strict this would be done", f->path, text);
}

hd_status hd_picture_read(hd_context *ctx, const char *path, const hd_picture_args *args, float *x, char *note,
                          size_t note_size) {
    hd_dims s = args->sample;
    if (note && note_size) *note = 0;
    if (s.rank != 3 || (s.dim[0] != 1 && s.dim[0] != 3) || hd_dims_count(&s) < 1)
        return hd_fail(ctx, HD_E_DATA, "%s|the model does not read grey or colour pictures", path);
    fitting f = {.ctx = ctx, .path = path, .args = args, .c = s.dim[0], .h = s.dim[1], .w = s.dim[2]};
    HD_TRY(hd_pixels_read(ctx, path, &f.p));
    int64_t h = f.p.h, w = f.p.w;
    hd_status status = fit(&f, x);
    hd_free(ctx, f.p.data);
    HD_TRY(status);
    return explain(&f, h, w, note, note_size);
}
