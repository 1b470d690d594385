/* normalizer.c: owns x ↦ (x − mean) / std: what it is learnt on and how it is applied. */
#include "base/status.h"
#include "data/convert.h"
#include "data/dataset.h"
#include <math.h>
#include <string.h>

/* The order of operations is hd_convert_u8's, so that a loader's batches and single inputs get the same bits. */
void hd_normalizer_apply(const hd_normalizer *normalizer, float *x, int64_t n, int64_t size) {
    if (normalizer->channels == 0) return;
    int64_t each = normalizer->each, channels = normalizer->channels;
    for (int64_t i = 0; i < n * size; i += each) {
        int64_t c = i / each % channels;
        float mean = normalizer->mean[c], scale = 1.0f / normalizer->std[c];
        hd_convert_f32(x + i, x + i, (size_t)each, mean, scale);
    }
}

void hd_normalizer_free(hd_normalizer *normalizer) {
    if (!normalizer) return;
    hd_free(normalizer->ctx, normalizer->mean);
    hd_free(normalizer->ctx, normalizer->std);
    *normalizer = (hd_normalizer){.ctx = normalizer->ctx};
}

static void settle(hd_normalizer *z, int64_t c, double mean, double variance) {
    z->mean[c] = (float)mean;
    z->std[c] = (float)sqrt(variance > 0 ? variance : 0);
    if (!(z->std[c] > 0) || !isfinite(z->std[c]) || !isfinite(1.0f / z->std[c])) z->std[c] = 1;
}

/* Bytes: whole numbers, so that the sums are exact in any order. */
static hd_status fit_bytes(hd_normalizer *z, const hd_dataset *d, const int64_t *indices, int64_t count) {
    size_t channels = (size_t)z->channels, each = (size_t)z->each;
    uint64_t *sum = hd_alloc_n(d->ctx, channels, 2 * sizeof *sum);
    if (!sum) return HD_E_MEMORY;
    uint64_t *squares = sum + channels;
    for (int64_t i = 0; i < count; i++) {
        const unsigned char *x = hd_data_at(hd_data_find_block(d, indices[i]), indices[i]);
        for (size_t c = 0; c < channels; c++) hd_sum_u8(d->ctx->isa, x + c * each, each, &sum[c], &squares[c]);
    }
    double n = (double)count * (double)each;
    for (size_t c = 0; c < channels; c++) {
        double mean = (double)sum[c] / n;
        settle(z, (int64_t)c, mean, (double)squares[c] / n - mean * mean);
    }
    hd_free(d->ctx, sum);
    return HD_OK;
}

/* Numbers: mean first, then the deviations from it, in f64. */
static hd_status fit_floats(hd_normalizer *z, const hd_dataset *d, const int64_t *indices, int64_t count) {
    int64_t channels = z->channels, each = z->each;
    double *mean = hd_alloc_n(d->ctx, (size_t)channels, 2 * sizeof *mean), n = (double)count * (double)each;
    float *x = hd_alloc_n(d->ctx, (size_t)d->size, sizeof *x);
    if (!mean || !x) {
        hd_free(d->ctx, x);
        hd_free(d->ctx, mean);
        return HD_E_MEMORY;
    }
    double *squares = mean + channels;
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t i = 0; i < count; i++) {
            hd_data_x(d, indices[i], x);
            for (int64_t c = 0; c < channels; c++)
                for (int64_t j = 0; j < each; j++) {
                    double v = (double)x[c * each + j], off = v - mean[c];
                    if (pass == 0)
                        mean[c] += v;
                    else
                        squares[c] += off * off;
                }
        }
        for (int64_t c = 0; c < channels && pass == 0; c++) mean[c] /= n;
    }
    for (int64_t c = 0; c < channels; c++) settle(z, c, mean[c], squares[c] / n);
    hd_free(d->ctx, x);
    hd_free(d->ctx, mean);
    return HD_OK;
}

/* Pictures know their black and white. */
static bool has_range(const hd_dataset *d) {
    return d->info.sample.rank == 3 && d->info.high > d->info.low;
}

/* What black and white become: 0 and 1, or −1 and 1. */
static void fit_range(hd_normalizer *z, const hd_dataset *d, bool is_signed) {
    const bool known = has_range(d);
    const float low = known ? d->info.low : 0, high = known ? d->info.high : 255;
    for (int64_t c = 0; c < z->channels; c++) {
        z->mean[c] = is_signed ? (low + high) / 2 : low;
        z->std[c] = is_signed ? (high - low) / 2 : high - low;
    }
}

static hd_status fit(hd_normalizer *z, const hd_dataset *d, const int64_t *indices, int64_t count, const char *mode) {
    size_t channels = (size_t)d->info.sample.dim[0];
    z->mean = hd_alloc_n(d->ctx, channels, sizeof *z->mean);
    z->std = hd_alloc_n(d->ctx, channels, sizeof *z->std);
    if (!z->mean || !z->std) return HD_E_MEMORY;
    z->channels = (int64_t)channels;
    z->each = d->size / z->channels;
    if (strcmp(mode, "standard") == 0)
        return d->info.stored == HD_U8 ? fit_bytes(z, d, indices, count) : fit_floats(z, d, indices, count);
    fit_range(z, d, strcmp(mode, "signed") == 0);
    return HD_OK;
}

hd_status hd_normalizer_fit(hd_normalizer *out, const hd_dataset *data, const int64_t *indices, int64_t count,
                            const char *mode) {
    *out = (hd_normalizer){.ctx = data->ctx};
    const hd_data_info *info = &data->info;
    const bool standard = strcmp(mode, "standard") == 0, unit = strcmp(mode, "unit") == 0,
               is_signed = strcmp(mode, "signed") == 0;
    if (!standard && !unit && !is_signed && strcmp(mode, "none") != 0)
        return hd_fail(data->ctx, HD_E_USAGE, "normalize|expected standard, unit, signed or none, got \"%s\"", mode);
    if (standard && count < 1)
        return hd_fail(data->ctx, HD_E_DATA, "normalize|expected samples to learn from, got none");
    const bool ranged = info->stored == HD_U8 || has_range(data);
    if (info->as_is || (!standard && !((unit || is_signed) && ranged))) return HD_OK;
    hd_status status = fit(out, data, indices, count, mode);
    if (status != HD_OK) hd_normalizer_free(out);
    return status;
}
