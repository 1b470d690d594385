/* table_set.c: owns what the numbers of a table mean: which are classes, which are values, what a row is. */
#include "data/table_set.h"
#include <math.h>
#include <string.h>

/* Whole numbers in [0, limit)? *bad gets the first row that is not. */
static bool whole_below(const hd_table *t, float limit, int64_t *bad) {
    for (*bad = 0; *bad < t->rows; ++*bad) {
        float y = t->y[*bad];
        if (!(y >= 0 && y < limit && y == floorf(y))) return false;
    }
    return true;
}

static hd_status set_one_hot(hd_dataset *d, const hd_table *t, int64_t *label) {
    const hd_schema *s = &t->schema;
    const char **names = hd_arena_alloc_n(&d->arena, (size_t)t->targets, sizeof *names);
    if (!names) return HD_E_MEMORY;
    for (int64_t i = 0; i < t->rows; i++) {
        int64_t ones = 0;
        for (int64_t k = 0; k < t->targets; k++) {
            const float v = t->y[i * t->targets + k];
            if (v == 1) label[i] = k;
            ones += v == 1 ? 1 : v == 0 ? 0 : 2;
        }
        if (ones != 1)
            return hd_fail(d->ctx, HD_E_DATA, "%s|expected one 1 among the targets of row %lld, the others 0",
                           d->info.name, (long long)i + 1);
    }
    for (int64_t i = 0; i < s->columns && s->named; i++)
        if (s->column[i].role == HD_COLUMN_TARGET) names[s->column[i].at] = s->column[i].name;
    d->info.class_names = names[0] ? names : NULL;
    d->info.classes = t->targets;
    return HD_OK;
}

static hd_status set_classes(hd_dataset *d, const hd_table *t, int64_t **label) {
    int64_t bad;
    *label = hd_data_alloc(d, (size_t)t->rows, sizeof **label);
    if (!*label) return HD_E_MEMORY;
    if (t->schema.one_hot) return set_one_hot(d, t, *label);
    if (t->targets > 1)
        return hd_fail(d->ctx, HD_E_DATA, "%s|several targets are classes only when they are one-hot|Say task=number",
                       d->info.name);
    if (!whole_below(t, 16777216.0f, &bad)) /* beyond 2^24 a float skips whole numbers */
        return hd_fail(d->ctx, HD_E_DATA, "%s|expected classes 0, 1, … in column %s, row %lld has %g|Say task=number",
                       d->info.name, t->label, (long long)bad + 1, (double)t->y[bad]);
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

/* Takes over y of the table. */
static hd_status own_values(hd_dataset *d, hd_table *t, float **y) {
    *y = t->y;
    t->y = NULL;
    if (*y) return hd_data_own(d, *y, (size_t)(t->rows * t->targets) * sizeof **y);
    *y = hd_data_alloc(d, (size_t)(t->rows * d->info.targets), sizeof **y); /* without targets, for prediction */
    return *y ? HD_OK : HD_E_MEMORY;
}

hd_status hd_table_targets(hd_dataset *d, hd_table *t, const hd_data_request *r, int64_t *target,
                           hd_data_block *block) {
    int64_t bad, *label = NULL;
    float *y = NULL;
    const bool whole = t->words || t->schema.one_hot || (t->targets == 1 && t->y && whole_below(t, 256, &bad));
    const bool said = *target == HD_TARGET_CLASS || *target == HD_TARGET_CATEGORY;
    const bool classes = t->y && t->targets > 0 && (said || (*target == HD_TARGET_AUTO && whole));
    *target = classes ? HD_TARGET_CLASS : HD_TARGET_NUMBER;
    if (t->words && !classes && t->y)
        return hd_fail(d->ctx, HD_E_DATA, "%s|expected numbers in the target column %s, found words|Say task=class",
                       r->path, t->label);
    if (classes) HD_TRY(set_classes(d, t, &label));
    if (classes && d->info.classes == 1 && !r->classes)
        return hd_fail(d->ctx, HD_E_DATA,
                       "%s|expected at least two classes in column %s, found one|Say label=NAME or classes=N", r->path,
                       t->label);
    d->info.targets = classes || t->targets < 1 ? 1 : t->targets;
    if (!classes) HD_TRY(own_values(d, t, &y));
    block->label64 = label;
    block->value = y;
    block->count = t->rows;
    return HD_OK;
}

static hd_status keep_schema(hd_dataset *d, hd_table *t) {
    unsigned char *holes = t->holes;
    d->schema = hd_arena_alloc(&d->arena, sizeof *d->schema);
    if (!d->schema) return HD_E_MEMORY;
    *d->schema = t->schema;
    t->holes = NULL;
    if (holes) HD_TRY(hd_data_own(d, holes, (size_t)(t->rows * t->schema.columns) / 8 + 1));
    d->holes = holes;
    return hd_schema_write(d->schema, &d->arena, &d->info.encoding);
}

hd_status hd_table_set(hd_dataset *d, hd_table *t, const hd_data_request *r, int64_t target, const hd_dims *shape) {
    hd_data_block block = {.where = hd_arena_strdup(&d->arena, r->path)};
    if (!block.where) return HD_E_MEMORY;
    HD_TRY(set_shape(d, t, shape));
    HD_TRY(hd_table_targets(d, t, r, &target, &block));
    float *x = t->x;
    t->x = NULL;
    HD_TRY(hd_data_own(d, x, (size_t)(t->rows * t->features) * sizeof *x));
    d->info.stored = HD_F32;
    d->info.train += t->rows;
    if (t->schema.columns > 0) HD_TRY(keep_schema(d, t));
    block.x = (const unsigned char *)x;
    block.x_stride = (size_t)t->features * sizeof *x;
    return hd_data_add_block(d, &block);
}
