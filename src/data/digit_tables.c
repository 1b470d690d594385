/* digit_tables.c: digit sets that come as tables of text become bytes, as drawn digits and IDX files are. */
#include "data/digit_tables.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static hd_status refuse(const hd_dataset *d, const char *path, int64_t row, const char *what) {
    return hd_fail(d->ctx, HD_E_DATA, "%s|row %lld: %s|Fetch the file again", path, (long long)row + 1, what);
}

/* The digit of a row, or -1. */
static int digit_of(const float *row, const hd_digit_form *f, int64_t pixels) {
    const float *label = row + (f->first ? 0 : pixels);
    if (f->label_columns == 1) return *label >= 0 && *label <= 9 && *label == floorf(*label) ? (int)*label : -1;
    int digit = -1;
    for (int i = 0; i < f->label_columns; i++) {
        if (label[i] != 0 && (label[i] != 1 || digit >= 0)) return -1;
        if (label[i] == 1) digit = i;
    }
    return digit;
}

static hd_status convert(hd_dataset *d, const hd_table *t, const char *path, const hd_digit_form *f, unsigned char *x,
                         unsigned char *label) {
    int64_t pixels = f->side * f->side;
    for (int64_t i = 0; i < t->rows; i++) {
        const float *row = t->x + i * t->features, *ink = row + f->first;
        int digit = digit_of(row, f, pixels);
        if (digit < 0) return refuse(d, path, i, "expected a digit 0 … 9 in the label columns");
        label[i] = (unsigned char)digit;
        for (int64_t p = 0; p < pixels; p++) {
            if (!(ink[p] >= f->low && ink[p] <= f->high))
                return refuse(d, path, i, "a pixel is out of the set's range");
            x[i * pixels + p] = (unsigned char)((ink[p] - f->low) / (f->high - f->low) * f->top + 0.5f);
        }
    }
    return HD_OK;
}

static hd_status add(hd_dataset *d, const hd_table *t, const char *path, const hd_digit_form *f) {
    int64_t pixels = f->side * f->side;
    if (t->features != pixels + f->label_columns)
        return hd_fail(d->ctx, HD_E_DATA, "%s|expected %lld columns, found %lld", path,
                       (long long)(pixels + f->label_columns), (long long)t->features);
    unsigned char *x = hd_data_alloc(d, (size_t)t->rows, (size_t)pixels), *label = hd_data_alloc(d, (size_t)t->rows, 1);
    const char *where = hd_arena_strdup(&d->arena, path);
    if (!x || !label || !where) return HD_E_MEMORY;
    HD_TRY(convert(d, t, path, f, x, label));
    d->info.kind = "pictures";
    d->info.sample = HD_DIMS(1, f->side, f->side);
    d->info.stored = HD_U8;
    d->info.high = f->top;
    d->info.classes = 10;
    hd_data_block block = {
        .count = t->rows, .x = x, .x_stride = (size_t)pixels, .label8 = label, .label_stride = 1, .where = where};
    return hd_data_add_block(d, &block);
}

hd_status hd_digit_table_add(hd_dataset *data, const hd_data_request *request, const char *path,
                             const hd_digit_form *form, int64_t *count) {
    hd_table t;
    hd_status status = hd_table_read(&t, data->ctx, request->arena, path, &(hd_table_args){.no_target = true});
    if (status == HD_OK) status = add(data, &t, path, form);
    *count = t.rows;
    hd_table_free(&t, data->ctx);
    return status;
}

/* Number of the name in the list, or -1. */
static int find_name(const char *place, const char *const *names) {
    char path[4096];
    bool is_dir = hd_path_is_dir(place);
    for (int i = 0; names[i]; i++) {
        if (!is_dir && strcmp(hd_path_last(place), names[i]) == 0) return hd_path_exists(place) ? i : -1;
        if (!is_dir || snprintf(path, sizeof path, "%s/%s", place, names[i]) >= (int)sizeof path) continue;
        if (hd_path_exists(path)) return i;
    }
    return -1;
}

bool hd_has_file(const char *place, const char *const *names) {
    return find_name(place, names) >= 0;
}

hd_status hd_file_in(hd_arena *arena, const char *place, const char *const *names, const char **out) {
    int i = find_name(place, names);
    *out = NULL;
    if (i < 0) return HD_OK;
    *out = hd_path_is_dir(place) ? hd_path_join(arena, place, names[i]) : place;
    return *out ? HD_OK : HD_E_MEMORY;
}

hd_status hd_named_file(const hd_data_request *r, const char *const *names, const char *fallback, const char **out) {
    if (r->path) return hd_file_in(r->arena, r->path, names, out);
    const char *own = hd_path_join(r->arena, r->data_dir, r->name);
    if (!own) return HD_E_MEMORY;
    HD_TRY(hd_file_in(r->arena, own, names, out));
    if (!*out) HD_TRY(hd_file_in(r->arena, r->data_dir, names, out));
    if (!*out && fallback) HD_TRY(hd_file_in(r->arena, fallback, names, out));
    return HD_OK;
}
