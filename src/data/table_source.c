/* table_source.c: a text file of numbers as a data set. Owns what the target column means. */
#include "data/table.h"
#include <math.h>
#include <string.h>

enum { TARGET_AUTO, TARGET_CLASS, TARGET_NUMBER };

typedef struct hd_table_options {
    const char *label;
    int64_t target;
    hd_dims shape;
} hd_table_options;

static const char *const targets[] = {"auto", "class", "number", NULL};

static const hd_option options[] = {
    {.name = "label",
     .type = HD_OPT_STRING,
     .offset = offsetof(hd_table_options, label),
     .help = "name or number (from 1) of the target column; the last one when not said"},
    {.name = "target",
     .type = HD_OPT_ENUM,
     .offset = offsetof(hd_table_options, target),
     .choices = targets,
     .help = "class or number; auto: words and whole numbers from 0 to 255 are classes"},
    {.name = "shape",
     .type = HD_OPT_DIMS,
     .offset = offsetof(hd_table_options, shape),
     .help = "of one row, as [1, 16, 16] for pictures"},
    HD_OPTION_END};

/* Whole numbers in [0, limit)? *bad gets the first row that is not. */
static bool whole_below(const hd_table *t, float limit, int64_t *bad) {
    for (*bad = 0; *bad < t->rows; ++*bad) {
        float y = t->y[*bad];
        if (!(y >= 0 && y < limit && y == floorf(y))) return false;
    }
    return true;
}

static hd_status set_classes(hd_dataset *d, const hd_table *t, int64_t **label) {
    int64_t bad;
    if (!whole_below(t, 16777216.0f, &bad)) /* beyond 2^24 a float skips whole numbers */
        return hd_fail(d->ctx, HD_E_DATA, "%s|expected classes 0, 1, … in column %s, row %lld has %g|Say target=number",
                       d->info.name, t->label, (long long)bad + 1, (double)t->y[bad]);
    *label = hd_data_alloc(d, (size_t)t->rows, sizeof **label);
    if (!*label) return HD_E_MEMORY;
    for (int64_t i = 0; i < t->rows; i++) (*label)[i] = (int64_t)t->y[i];
    d->info.class_names = t->words ? t->words : t->classes;
    d->info.classes = t->words ? t->word_count : t->class_count;
    return HD_OK;
}

static hd_status set_shape(hd_dataset *d, const hd_table *t, const hd_dims *shape) {
    d->info.sample = shape->rank ? *shape : HD_DIMS(t->features);
    d->info.kind = shape->rank == 3 ? "pictures" : "table";
    if (hd_dims_count(&d->info.sample) == t->features) return HD_OK;
    return hd_fail(d->ctx, HD_E_DATA, "%s|expected a shape of %lld elements, as a row has features, got %lld",
                   d->info.name, (long long)t->features, (long long)hd_dims_count(&d->info.sample));
}

/* Hands the numbers of the table over to the data set. */
static hd_status take(hd_dataset *d, hd_table *t, const hd_data_request *r) {
    const hd_table_options *o = r->args;
    int64_t bad, *label = NULL;
    bool classes = o->target == TARGET_CLASS || (o->target == TARGET_AUTO && (t->words || whole_below(t, 256, &bad)));
    HD_TRY(set_shape(d, t, &o->shape));
    if (t->words && !classes)
        return hd_fail(d->ctx, HD_E_DATA, "%s|expected numbers in the target column %s, found words|Say target=class",
                       r->path, t->label);
    if (classes) HD_TRY(set_classes(d, t, &label));
    if (classes && d->info.classes == 1 && !r->classes)
        return hd_fail(d->ctx, HD_E_DATA,
                       "%s|expected at least two classes in column %s, found one|Say label=NAME or classes=N", r->path,
                       t->label);
    float *x = t->x, *y = t->y;
    t->x = t->y = NULL;
    hd_status status = hd_data_own(d, x, (size_t)(t->rows * t->features) * sizeof *x);
    if (classes)
        hd_free(d->ctx, y);
    else if (status == HD_OK)
        status = hd_data_own(d, y, (size_t)t->rows * sizeof *y);
    else
        hd_free(d->ctx, y);
    HD_TRY(status);
    d->info.stored = HD_F32;
    d->info.train = t->rows;
    hd_data_block block = {.count = t->rows,
                           .x = (const unsigned char *)x,
                           .x_stride = (size_t)t->features * sizeof *x,
                           .label64 = label,
                           .value = classes ? NULL : y,
                           .where = hd_arena_strdup(&d->arena, r->path)};
    return block.where ? hd_data_add_block(d, &block) : HD_E_MEMORY;
}

static hd_status open_table(hd_dataset *data, const hd_data_request *request) {
    const hd_table_options *o = request->args;
    hd_table table;
    hd_status status =
        hd_table_read(&table, data->ctx, &data->arena, request->path, &(hd_table_args){.label = o->label});
    if (status == HD_OK) status = take(data, &table, request);
    hd_table_free(&table, data->ctx);
    return status;
}

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool looks_like_table(const char *path) {
    static const char *const ends[] = {".csv", ".tsv", ".txt", ".data", ".csv.gz", ".tsv.gz", ".txt.gz", ".data.gz"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_with(path, ends[i])) return !hd_path_is_dir(path);
    return false;
}

const hd_data_source hd_source_table = {
    .name = "table",
    .description =
        "a table of numbers in text (commas, semicolons, tabs or blanks; plain or .gz), with or without a header",
    .args_size = sizeof(hd_table_options),
    .options = options,
    .looks_like = looks_like_table,
    .open = open_table,
};
