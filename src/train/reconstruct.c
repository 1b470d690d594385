/* reconstruct.c: networks that learn to give back what they read: the data's inputs are their targets, labels are put
 * aside. Owns when that is so, units, and the picture of originals and reconstructions. */
#include "base/status.h"
#include "train/model.h"
#include <math.h>
#include <string.h>

hd_status hd_reconstruct_settle(hd_model *m) {
    const hd_zoo_entry *network = hd_recipe_network(m->recipe);
    const bool meant = network && network->reconstructs, said = hd_recipe_said(m->recipe, "train.reconstruct") != NULL;
    if (!(said ? hd_recipe_bool(m->recipe, "train.reconstruct") : meant)) return HD_OK;
    m->task.reconstructs = true;
    if (meant) m->task.part = network->loss_part;
    m->data.classes = 0;
    m->data.class_names = NULL;
    m->data.positions = 0;
    m->data.targets = hd_dims_count(&m->data.sample);
    m->data.target_mean = m->data.target_std = NULL;
    if (hd_recipe_said(m->recipe, "data.normalize")) return HD_OK;
    return hd_recipe_put_text(m->recipe, "data.normalize", "unit");
}

void hd_reconstruct_undo(const hd_model *m, float *y, int64_t n) {
    const hd_normalizer *z = &m->normalizer;
    if (z->channels == 0) return;
    for (int64_t i = 0; i < n * m->task.outputs; i++) {
        const int64_t c = i / z->each % z->channels;
        y[i] = y[i] * z->std[c] + z->mean[c];
    }
}

hd_status hd_reconstruct_check(const hd_model *m, const hd_dataset *data, const int64_t *indices, int64_t count) {
    const hd_loss *loss = &m->task.loss;
    const int64_t size = m->task.outputs;
    float *x = hd_alloc_n(m->ctx, (size_t)size, sizeof *x);
    hd_status status = x ? HD_OK : HD_E_MEMORY;
    for (int64_t i = 0; i < count && status == HD_OK; i++) {
        hd_data_x(data, indices[i], x);
        hd_normalizer_apply(&m->normalizer, x, 1, size);
        for (int64_t k = 0; k < size && status == HD_OK; k++)
            if (!hd_loss_bounds(loss, (double)x[k]))
                status = hd_fail(m->ctx, HD_E_MODEL,
                                 "train.loss|%s takes targets that are %s, an input of sample %lld is %g|Use "
                                 "normalize=unit for pictures, or loss=mse",
                                 loss->name, hd_loss_bounds_text(loss), (long long)indices[i], (double)x[k]);
    }
    hd_free(m->ctx, x);
    return status;
}

/* ---- the picture ---- */

enum { GAP = 2, LEAST_SIDE = 48 };

/* A sheet of two rows of pictures, each pixel drawn `zoom` times. */
typedef struct sheet {
    int64_t channels, h, w, zoom, width, height;
    double low, span;
    unsigned char *pixels; /* [height, width, channels] */
} sheet;

/* Brings x [channels, h, w] to row r and column i. */
static void place(sheet *s, const float *x, int64_t r, int64_t i) {
    const int64_t top = GAP + r * (s->h * s->zoom + GAP), left = GAP + i * (s->w * s->zoom + GAP);
    for (int64_t y = 0; y < s->h * s->zoom; y++)
        for (int64_t j = 0; j < s->w * s->zoom; j++)
            for (int64_t c = 0; c < s->channels; c++) {
                const double v = ((double)x[(c * s->h + y / s->zoom) * s->w + j / s->zoom] - s->low) / s->span;
                s->pixels[((top + y) * s->width + left + j) * s->channels + c] =
                    (unsigned char)(255 * fmin(1, fmax(0, v)) + 0.5);
            }
}

static hd_status draw(hd_model *m, sheet *s, const hd_dataset *data, const int64_t *indices, int64_t count) {
    const int64_t size = m->task.outputs;
    float *x = hd_alloc_n(m->ctx, (size_t)size, 2 * sizeof *x), *y = x + size;
    hd_status status = x ? HD_OK : HD_E_MEMORY;
    for (int64_t i = 0; i < count && status == HD_OK; i++) {
        hd_data_x(data, indices[i], x);
        status = hd_model_predict(m, x, 1, y);
        if (status != HD_OK) break;
        place(s, x, 0, i);
        place(s, y, 1, i);
    }
    hd_free(m->ctx, x);
    return status;
}

hd_status hd_reconstruct_picture(hd_model *m, const hd_dataset *data, const int64_t *indices, int64_t count,
                                 const char *path) {
    const hd_dims *d = &m->data.sample;
    if (d->rank != 3 || (d->dim[0] != 1 && d->dim[0] != 3) || d->dim[1] > 4096 || d->dim[2] > 4096) return HD_OK;
    sheet s = {.channels = d->dim[0], .h = d->dim[1], .w = d->dim[2], .low = (double)m->data.low, .span = 255};
    if (m->data.high > m->data.low) s.span = (double)(m->data.high - m->data.low);
    s.zoom = s.h >= LEAST_SIDE ? 1 : LEAST_SIDE / s.h + (LEAST_SIDE % s.h > 0);
    s.width = GAP + count * (s.w * s.zoom + GAP);
    s.height = GAP + 2 * (s.h * s.zoom + GAP);
    const size_t bytes = (size_t)(s.width * s.height * s.channels);
    if (!(s.pixels = hd_alloc(m->ctx, bytes))) return HD_E_MEMORY;
    memset(s.pixels, 128, bytes);
    hd_status status = draw(m, &s, data, indices, count);
    if (status == HD_OK) status = hd_picture_write(m->ctx, path, s.pixels, s.height, s.width, (int)s.channels);
    hd_free(m->ctx, s.pixels);
    return status;
}
