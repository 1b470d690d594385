/* table_fill.c: missing cells of a table, filled by what the training part alone shows. */
#include "data/table.h"
#include <string.h>

static bool is_hole(const hd_dataset *d, int64_t row, int64_t column) {
    const size_t bit = (size_t)(row * d->schema->columns + column);
    return d->holes[bit / 8] >> bit % 8 & 1;
}

static float *row_of(const hd_dataset *d, int64_t row) {
    return (float *)(void *)(uintptr_t)hd_data_at(hd_data_find_block(d, row), row);
}

/* The word of a row: which of the column's features is 1, or -1. */
static int32_t word_of(const hd_column *c, const float *x) {
    for (int32_t k = 0; k < c->word_count; k++)
        if (x[c->at + k] == 1) return k;
    return -1;
}

static float mean_of(const hd_dataset *d, int64_t column, const int64_t *indices, int64_t count) {
    const hd_column *c = &d->schema->column[column];
    double sum = 0, n = 0;
    for (int64_t i = 0; i < count; i++) {
        if (is_hole(d, indices[i], column)) continue;
        sum += (double)row_of(d, indices[i])[c->at];
        n++;
    }
    return n > 0 ? (float)(sum / n) : c->fill;
}

static float usual_of(const hd_dataset *d, int64_t column, const int64_t *indices, int64_t count, int64_t *seen) {
    const hd_column *c = &d->schema->column[column];
    int32_t best = (int32_t)c->fill;
    memset(seen, 0, (size_t)c->word_count * sizeof *seen);
    for (int64_t i = 0; i < count; i++) {
        const int32_t k = is_hole(d, indices[i], column) ? -1 : word_of(c, row_of(d, indices[i]));
        if (k >= 0) seen[k]++;
    }
    for (int32_t k = 0; k < c->word_count; k++)
        if (best < 0 || seen[k] > seen[best]) best = k;
    return (float)best;
}

static void fill(hd_dataset *d, int64_t column, float value) {
    hd_column *c = &d->schema->column[column];
    for (int64_t row = 0; row < d->info.count; row++) {
        if (!is_hole(d, row, column)) continue;
        float *x = row_of(d, row);
        if (!c->words) {
            x[c->at] = value;
            continue;
        }
        for (int32_t k = 0; k < c->word_count; k++) x[c->at + k] = 0;
        if (value >= 0) x[c->at + (int64_t)value] = 1;
    }
    c->fill = value;
}

static bool has_holes(const hd_dataset *d, int64_t column) {
    for (int64_t row = 0; row < d->info.count; row++)
        if (is_hole(d, row, column)) return true;
    return false;
}

hd_status hd_data_refill(hd_dataset *data, const int64_t *indices, int64_t count) {
    int32_t most = 0;
    if (!data->holes || data->schema->missing != HD_MISSING_MEAN || count < 1) return HD_OK;
    const hd_schema *s = data->schema;
    for (int64_t i = 0; i < s->columns; i++) most = s->column[i].word_count > most ? s->column[i].word_count : most;
    int64_t *seen = hd_alloc_n(data->ctx, (size_t)most + 1, sizeof *seen);
    if (!seen) return HD_E_MEMORY;
    for (int64_t i = 0; i < s->columns; i++) {
        const hd_column *c = &s->column[i];
        if (c->role != HD_COLUMN_FEATURE || (c->words && c->word_count == 0) || !has_holes(data, i)) continue;
        fill(data, i, c->words ? usual_of(data, i, indices, count, seen) : mean_of(data, i, indices, count));
    }
    hd_free(data->ctx, seen);
    return hd_schema_write(s, &data->arena, &data->info.encoding);
}
