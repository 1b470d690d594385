/* dataset.c: owns the samples of a data set, whatever memory they lie in, and the rules that every data set keeps:
 * labels below the number of classes, finite numbers. Knows no file format. */
#include "data/dataset.h"
#include "base/status.h"
#include "data/bytes.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

hd_status hd_data_make(hd_dataset **out, hd_context *ctx) {
    hd_dataset *d = hd_alloc(ctx, sizeof *d);
    if (!d) return HD_E_MEMORY;
    d->ctx = ctx;
    d->arena.ctx = ctx;
    d->info.name = d->info.kind = "";
    d->info.targets = 1;
    *out = d;
    return HD_OK;
}

void hd_data_free(hd_dataset *data) {
    if (!data) return;
    for (int i = 0; i < data->owned_count; i++) hd_free(data->ctx, data->owned[i]);
    for (int i = 0; i < data->map_count; i++) hd_file_unmap(&data->map[i]);
    hd_arena_free(&data->arena);
    hd_free(data->ctx, data);
}

void *hd_data_alloc(hd_dataset *data, size_t n, size_t size) {
    void *memory = hd_alloc_n(data->ctx, n, size);
    if (!memory || hd_data_own(data, memory, n * size) != HD_OK) return NULL;
    return memory;
}

hd_status hd_data_own(hd_dataset *data, void *memory, size_t bytes) {
    if (data->owned_count == HD_DATA_OWNED) {
        hd_free(data->ctx, memory);
        return hd_fail(data->ctx, HD_E_DATA, "|more than %d pieces of memory in one data set", (int)HD_DATA_OWNED);
    }
    data->owned[data->owned_count++] = memory;
    data->info.bytes += bytes;
    return HD_OK;
}

hd_status hd_data_map(hd_dataset *data, const char *path, hd_map *out) {
    if (data->map_count == HD_DATA_OWNED)
        return hd_fail(data->ctx, HD_E_DATA, "%s|more than %d files in one data set", path, (int)HD_DATA_OWNED);
    HD_TRY(hd_file_map(data->ctx, path, &data->map[data->map_count]));
    *out = data->map[data->map_count++];
    return HD_OK;
}

hd_status hd_data_load(hd_dataset *data, const char *path, hd_map *out) {
    hd_bytes b;
    HD_TRY(hd_bytes_load(&b, data->ctx, path));
    *out = (hd_map){b.data, b.length};
    if (b.memory) return hd_data_own(data, b.memory, b.length);
    hd_bytes_free(&b);
    return hd_data_map(data, path, out);
}

hd_status hd_data_add_block(hd_dataset *data, const hd_data_block *block) {
    if (block->count == 0) return HD_OK;
    if (data->blocks == HD_DATA_BLOCKS)
        return hd_fail(data->ctx, HD_E_DATA, "%s|more than %d parts in one data set", block->where,
                       (int)HD_DATA_BLOCKS);
    data->block[data->blocks++] = *block;
    return HD_OK;
}

/* ---- classes ---- */

#define CLASSES_MAX (INT64_C(1) << 20)

/* Counts the labels below bins; returns the first sample whose label is not, or -1. */
static int64_t count_labels(const hd_dataset *d, int64_t *seen, int64_t bins) {
    int64_t bad = -1;
    for (int b = 0; b < d->blocks; b++) {
        const hd_data_block *block = &d->block[b];
        for (int64_t i = block->first; i < block->first + block->count; i++) {
            int64_t label = hd_block_label(d, block, i, 0);
            if (label < 0 || label >= bins) {
                if (bad < 0) bad = i;
            } else {
                seen[label]++;
            }
        }
    }
    return bad;
}

static hd_status refuse_label(const hd_dataset *d, int64_t index, int64_t distinct, int64_t classes) {
    const hd_data_block *b = hd_data_find_block(d, index);
    long long label = (long long)hd_block_label(d, b, index, 0), at = (long long)(index - b->first);
    long long limit = (long long)(classes ? classes : distinct);
    if (label < 0 || label >= CLASSES_MAX)
        return hd_fail(d->ctx, HD_E_DATA,
                       "%s|expected labels 0 … %lld, sample %lld has label %lld|Number the classes from 0", b->where,
                       limit - 1, at, label);
    if (classes)
        return hd_fail(d->ctx, HD_E_DATA,
                       "%s|expected labels 0 … %lld, sample %lld has label %lld|Say classes=%lld or mend it", b->where,
                       limit - 1, at, label, label + 1);
    return hd_fail(
        d->ctx, HD_E_DATA,
        "%s|sample %lld has label %lld, but there are only %lld distinct labels (expected 0 … %lld)|Say classes=%lld "
        "if the missing classes are missing on purpose, or number them from 0 without holes; of a table: "
        "task=category takes each value as a class, task=number predicts the number",
        b->where, at, label, limit, limit - 1, label + 1);
}

/* First sample whose label is ≥ limit. */
static int64_t first_beyond(const hd_dataset *d, int64_t limit) {
    for (int b = 0; b < d->blocks; b++) {
        const hd_data_block *block = &d->block[b];
        for (int64_t i = block->first; i < block->first + block->count; i++)
            if (hd_block_label(d, block, i, 0) >= limit || hd_block_label(d, block, i, 0) < 0) return i;
    }
    return -1;
}

static hd_status name_classes(hd_dataset *d) {
    if (d->info.class_names) return HD_OK;
    const char **names = hd_arena_alloc_n(&d->arena, (size_t)d->info.classes, sizeof *names);
    if (!names) return HD_E_MEMORY;
    for (int64_t i = 0; i < d->info.classes; i++) {
        names[i] = hd_arena_printf(&d->arena, "%lld", (long long)i);
        if (!names[i]) return HD_E_MEMORY;
    }
    d->info.class_names = names;
    return HD_OK;
}

static int compare_labels(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Number of distinct labels when some are beyond all bins: for the message alone. */
static hd_status count_distinct(const hd_dataset *d, int64_t *distinct) {
    int64_t *label = hd_alloc_n(d->ctx, (size_t)d->info.count, sizeof *label);
    if (!label) return HD_E_MEMORY;
    for (int64_t i = 0; i < d->info.count; i++) label[i] = hd_data_label(d, i);
    qsort(label, (size_t)d->info.count, sizeof *label, compare_labels);
    *distinct = 1;
    for (int64_t i = 1; i < d->info.count; i++) *distinct += label[i] != label[i - 1];
    hd_free(d->ctx, label);
    return HD_OK;
}

/* A label beyond the number of samples is beyond the number of distinct labels too, so that bins = count are enough
 * whatever the file says (bytes need 256). */
static hd_status settle_classes(hd_dataset *d, int64_t classes) {
    int64_t bins = d->block[0].label8 ? 256 : d->info.count, distinct = 0;
    if (!classes) classes = d->info.classes;
    if (classes > CLASSES_MAX)
        return hd_fail(d->ctx, HD_E_DATA, "%s|expected at most %lld classes, got classes=%lld", d->info.name,
                       (long long)CLASSES_MAX, (long long)classes);
    if (classes > bins) bins = classes;
    int64_t *seen = hd_alloc_n(d->ctx, (size_t)bins, sizeof *seen);
    if (!seen) return HD_E_MEMORY;
    int64_t bad = count_labels(d, seen, bins);
    for (int64_t i = 0; i < bins; i++) distinct += seen[i] > 0;
    hd_free(d->ctx, seen);
    if (bad >= 0) HD_TRY(count_distinct(d, &distinct));
    int64_t limit = classes ? classes : distinct;
    if (bad < 0) bad = first_beyond(d, limit);
    if (bad >= 0) return refuse_label(d, bad, distinct, classes);
    if (limit < 2)
        return hd_fail(
            d->ctx, HD_E_DATA,
            "%s|expected at least two classes, all %lld samples have label 0|Say classes=N if the others are "
            "missing on purpose",
            d->block[0].where, (long long)d->info.count);
    if (limit != d->info.classes) d->info.class_names = NULL;
    d->info.classes = limit;
    return name_classes(d);
}

/* Labels of positions: from −1, padding, on; how many classes there are is said, never counted. */
static hd_status settle_positions(hd_dataset *d, int64_t classes) {
    const int64_t limit = classes ? classes : d->info.classes, positions = d->info.positions;
    if (limit < 2 || limit > CLASSES_MAX)
        return hd_fail(d->ctx, HD_E_DATA, "%s|expected 2 … %lld classes, got %lld", d->info.name,
                       (long long)CLASSES_MAX, (long long)limit);
    for (int b = 0; b < d->blocks && !d->labels_checked; b++) {
        const hd_data_block *block = &d->block[b];
        for (int64_t i = block->first; i < block->first + block->count; i++)
            for (int64_t p = 0; p < positions; p++) {
                const int64_t label = hd_block_label(d, block, i, p);
                if (label < -1 || label >= limit)
                    return hd_fail(d->ctx, HD_E_DATA,
                                   "%s|expected labels 0 … %lld, or -1 for padding, sample %lld has label %lld at "
                                   "position %lld",
                                   block->where, (long long)limit - 1, (long long)i, (long long)label, (long long)p);
            }
    }
    if (limit != d->info.classes) d->info.class_names = NULL;
    d->info.classes = limit;
    return name_classes(d);
}

/* ---- what pictures look like ---- */

/* Share of the side that the ink takes: the longer side of the box around the pixels nearer to ink than to ground. */
static float ink_share(const float *x, int64_t h, int64_t w, float middle, bool light) {
    int64_t top = h, bottom = -1, left = w, right = -1;
    for (int64_t r = 0; r < h; r++)
        for (int64_t c = 0; c < w; c++) {
            if ((x[r * w + c] > middle) != light) continue;
            top = r < top ? r : top;
            bottom = r > bottom ? r : bottom;
            left = c < left ? c : left;
            right = c > right ? c : right;
        }
    if (bottom < 0) return 0;
    float sh = (float)(bottom - top + 1) / (float)h, sw = (float)(right - left + 1) / (float)w;
    return sh > sw ? sh : sw;
}

/* Is the rim of this picture darker than the middle tone? */
static bool dark_rim(const float *x, int64_t h, int64_t w, float middle) {
    double sum = 0, n = 0;
    for (int64_t i = 0; i < h * w; i++) {
        if (i / w != 0 && i / w != h - 1 && i % w != 0 && i % w != w - 1) continue;
        sum += (double)x[i];
        n++;
    }
    return sum <= (double)middle * n;
}

enum { LOOKS = 64 };

/* Looks at samples spread over the data set. Colour pictures are left as they are. */
static hd_status measure(hd_dataset *d) {
    if (d->info.high <= d->info.low) d->info.high = d->info.stored == HD_U8 ? 255.0f : 1.0f;
    if (d->info.sample.dim[0] != 1) return HD_OK;
    int64_t h = d->info.sample.dim[1], w = d->info.sample.dim[2];
    int64_t looks = d->info.count < LOOKS ? d->info.count : LOOKS, dark = 0;
    float *x = hd_alloc_n(d->ctx, (size_t)d->size, sizeof *x), middle = 0.5f * (d->info.low + d->info.high);
    if (!x) return HD_E_MEMORY;
    for (int64_t k = 0; k < looks; k++) {
        hd_data_x(d, k * (d->info.count / looks), x);
        dark += dark_rim(x, h, w, middle);
    }
    d->info.light_on_dark = 2 * dark > looks;
    float sum = 0, squares = 0;
    for (int64_t k = 0; k < looks; k++) {
        hd_data_x(d, k * (d->info.count / looks), x);
        float share = ink_share(x, h, w, middle, d->info.light_on_dark);
        sum += share;
        squares += share * share;
    }
    d->info.ink = sum / (float)looks;
    d->info.centered = squares / (float)looks - d->info.ink * d->info.ink < 0.1f * 0.1f && d->info.ink > 0.3f;
    hd_free(d->ctx, x);
    return HD_OK;
}

hd_status hd_data_finish(hd_dataset *data, int64_t classes) {
    data->size = hd_dims_count(&data->info.sample);
    if (data->size < 1)
        return hd_fail(data->ctx, HD_E_DATA, "%s|expected samples with at least one element", data->info.name);
    int64_t count = 0;
    for (int i = 0; i < data->blocks; i++) {
        data->block[i].first = count;
        count += data->block[i].count;
    }
    data->info.count = count;
    if (count == 0) return hd_fail(data->ctx, HD_E_DATA, "%s|expected samples, found none", data->info.name);
    if (!hd_block_has_values(&data->block[0]))
        HD_TRY(data->info.positions > 0 ? settle_positions(data, classes) : settle_classes(data, classes));
    if (data->info.sample.rank == 3 && !data->info.as_is) HD_TRY(measure(data));
    return HD_OK;
}

/* ---- public ---- */

/* Arrays of numbers may not hold NaN or infinity: one of them turns every weight into NaN. */
static hd_status check_finite(hd_context *ctx, const char *what, const float *x, int64_t n, int64_t per_sample) {
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return hd_fail(ctx, HD_E_DATA,
                           "arrays|expected finite numbers, %s %lld of sample %lld is %g|Drop or fill it", what,
                           (long long)(i % per_sample), (long long)(i / per_sample), (double)x[i]);
    return HD_OK;
}

static hd_status check_arrays(hd_context *ctx, const hd_data_arrays *a) {
    if (!a->x || a->n < 1 || (a->dtype != HD_F32 && a->dtype != HD_U8 && a->dtype != HD_I32))
        return hd_fail(ctx, HD_E_USAGE, "arrays|expected x of f32, u8 or i32 and n ≥ 1");
    if ((a->labels != NULL) == (a->values != NULL))
        return hd_fail(ctx, HD_E_USAGE, "arrays|expected either labels or values");
    int64_t size = hd_dims_count(&a->sample);
    const int64_t rows = a->positions > 0 ? a->positions : 1, most = INT64_MAX / 8;
    if (size < 1 || a->n > most / size || a->positions < 0 || rows > most / a->n ||
        (a->values && (a->targets < 1 || a->targets > most / (a->n * rows))))
        return hd_fail(ctx, HD_E_USAGE, "arrays|expected positive dimensions whose product fits memory");
    if (a->dtype == HD_F32) HD_TRY(check_finite(ctx, "element", a->x, a->n * size, size));
    if (a->values) HD_TRY(check_finite(ctx, "target", a->values, a->n * rows * a->targets, rows * a->targets));
    return HD_OK;
}

hd_status hd_data_from_arrays(hd_dataset **out, hd_context *ctx, const hd_data_arrays *arrays) {
    HD_TRY(check_arrays(ctx, arrays));
    hd_dataset *d;
    HD_TRY(hd_data_make(&d, ctx));
    d->info.name = "arrays";
    d->info.kind = arrays->positions > 0 ? "sequences" : arrays->sample.rank == 3 ? "pictures" : "table";
    d->info.sample = arrays->sample;
    d->info.stored = arrays->dtype;
    d->info.positions = arrays->positions;
    d->info.as_is = arrays->positions > 0;
    d->info.train = arrays->n;
    d->info.targets = arrays->values ? arrays->targets : 1;
    size_t stride = (size_t)hd_dims_count(&arrays->sample) * hd_dtype_size(arrays->dtype);
    hd_data_block b = {.count = arrays->n,
                       .x = arrays->x,
                       .x_stride = stride,
                       .label64 = arrays->labels,
                       .value = arrays->values,
                       .where = "arrays"};
    hd_status status = hd_data_add_block(d, &b);
    if (status == HD_OK) status = hd_data_finish(d, arrays->classes);
    if (status != HD_OK) {
        hd_data_free(d);
        return status;
    }
    *out = d;
    return HD_OK;
}

hd_data_info hd_data_get_info(const hd_dataset *data) {
    return data->info;
}

void hd_data_x(const hd_dataset *data, int64_t index, float *x) {
    const unsigned char *from = hd_data_at(hd_data_find_block(data, index), index);
    hd_data_convert(data, from, x);
}

void hd_data_convert(const hd_dataset *data, const unsigned char *from, float *x) {
    const int64_t n = data->size;
    const unsigned char *code = data->code;
    if (data->info.stored == HD_F32) {
        memcpy(x, from, (size_t)n * sizeof *x);
    } else if (data->info.stored == HD_I32) {
        const int32_t *whole = (const int32_t *)(const void *)from;
        for (int64_t i = 0; i < n; i++) x[i] = (float)whole[i];
    } else {
        for (int64_t i = 0; i < n; i++) x[i] = (float)(code ? code[from[i]] : from[i]);
    }
}

int64_t hd_data_label(const hd_dataset *data, int64_t index) {
    const hd_data_block *b = hd_data_find_block(data, index);
    return hd_block_has_values(b) ? 0 : hd_block_label(data, b, index, 0);
}

void hd_data_labels(const hd_dataset *data, int64_t index, int64_t *labels) {
    const hd_data_block *b = hd_data_find_block(data, index);
    for (int64_t p = 0; p < hd_data_positions(data); p++)
        labels[p] = hd_block_has_values(b) ? 0 : hd_block_label(data, b, index, p);
}

void hd_data_values(const hd_dataset *data, int64_t index, float *values) {
    const hd_data_block *b = hd_data_find_block(data, index);
    const int64_t n = hd_data_positions(data) * data->info.targets, from = (index - b->first) * n;
    if (b->value) memcpy(values, b->value + from, (size_t)n * sizeof *values);
    for (int64_t i = 0; i < n && b->value8; i++) values[i] = (float)b->value8[from + i];
}
