/* array_source.c: arrays of NumPy as a data set: a file with another of targets beside it, a folder of them, or an
 * archive (.npz). Owns which array is what; the bytes are npy.c's and npz.c's. */
#include "base/text.h"
#include "data/npy.h"
#include "data/npz.h"
#include "data/table_set.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Names that go together, in the order train, validation, test; an array alone is a set of one part. */
enum { PARTS = 3, FAMILIES = 9 };
static const struct {
    const char *x[PARTS], *y[PARTS];
} families[FAMILIES] = {
    {{"x_train", "x_val", "x_test"}, {"y_train", "y_val", "y_test"}}, /* Keras */
    {{"X_train", "X_val", "X_test"}, {"y_train", "y_val", "y_test"}},
    {{"train_images", "val_images", "test_images"}, {"train_labels", "val_labels", "test_labels"}}, /* MedMNIST */
    {{"train_data", "val_data", "test_data"}, {"train_labels", "val_labels", "test_labels"}},
    {{"x", NULL, NULL}, {"y", NULL, NULL}},
    {{"X", NULL, NULL}, {"y", NULL, NULL}},
    {{"images", NULL, NULL}, {"labels", NULL, NULL}},
    {{"data", NULL, NULL}, {"labels", NULL, NULL}},
    {{"data", NULL, NULL}, {"target", NULL, NULL}},
};

typedef struct arrays {
    hd_dataset *data;
    const hd_data_request *request;
    const hd_table_options *options;
    hd_zip zip;         /* of an archive; data NULL: files */
    const char *folder; /* of files */
    int64_t target;     /* HD_TARGET_…, decided by the first part */
    size_t budget;      /* bytes that floats made of smaller elements may still take */
} arrays;

/* One array with what it lies in. */
typedef struct loaded {
    hd_npy npy;
    hd_bytes bytes; /* a file's */
    void *memory;   /* a member's of an archive */
    const char *where;
} loaded;

static void release(arrays *a, loaded *l) {
    hd_bytes_free(&l->bytes);
    hd_free(a->data->ctx, l->memory);
    l->memory = NULL;
}

/* ---- finding ---- */

/* Path of NAME.npy or NAME.npy.gz in the folder, NULL when there is none. */
static const char *file_of(const arrays *a, const char *name) {
    static const char *const ends[] = {".npy", ".npy.gz"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const char *path = hd_arena_printf(&a->data->arena, "%s/%s%s", a->folder, name, ends[i]);
        if (path && hd_path_exists(path)) return path;
    }
    return NULL;
}

static bool has(const arrays *a, const char *name) {
    char member[64];
    if (!name) return false;
    (void)snprintf(member, sizeof member, "%s.npy", name);
    return a->zip.data ? hd_zip_find(&a->zip, member) != NULL : file_of(a, name) != NULL;
}

static hd_status load_file(arrays *a, loaded *l, const char *path) {
    *l = (loaded){.where = path};
    HD_TRY(hd_bytes_load(&l->bytes, a->data->ctx, path));
    const hd_status status = hd_npy_read(&l->npy, a->data->ctx, path, l->bytes.data, l->bytes.length);
    a->budget += 4 * l->bytes.file;
    if (status != HD_OK) release(a, l);
    return status;
}

static hd_status load(arrays *a, loaded *l, const char *name) {
    char member[64];
    if (!a->zip.data) {
        const char *path = file_of(a, name);
        return path ? load_file(a, l, path) : HD_E_MEMORY;
    }
    const unsigned char *bytes;
    (void)snprintf(member, sizeof member, "%s.npy", name);
    const hd_zip_member *m = hd_zip_find(&a->zip, member);
    *l = (loaded){.where = hd_arena_printf(&a->data->arena, "%s:%s", a->request->path, member)};
    if (!l->where) return HD_E_MEMORY;
    HD_TRY(hd_zip_read(&a->zip, m, &bytes, &l->memory));
    a->budget += 4 * m->packed;
    const hd_status status = hd_npy_read(&l->npy, a->data->ctx, l->where, bytes, m->length);
    if (status != HD_OK) release(a, l);
    return status;
}

/* ---- elements ---- */

static hd_status check_finite(const arrays *a, const loaded *l, const float *x, size_t n, size_t each) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return hd_fail(a->data->ctx, HD_E_DATA,
                           "%s|expected finite numbers, element %zu of sample %zu is %g|Drop or fill it", l->where,
                           i % each, i / each, (double)x[i]);
    return HD_OK;
}

/* A float for every element, from hd_alloc. */
static hd_status make_floats(arrays *a, const loaded *l, float **out) {
    const size_t n = l->npy.count, bytes = 4 * n; /* elements lie in the file: n is no more than its length */
    *out = NULL;
    if (bytes > a->budget)
        return hd_fail(a->data->ctx, HD_E_DATA,
                       "%s|would need %zu bytes as numbers, more than 56 MB and four times the "
                       "file|Unpack it if you trust it",
                       l->where, bytes);
    a->budget -= bytes;
    *out = hd_alloc_n(a->data->ctx, n + 1, sizeof **out);
    if (!*out) return HD_E_MEMORY;
    hd_npy_copy(&l->npy, *out);
    const size_t each = n / (size_t)l->npy.dims.dim[0];
    const hd_status status = check_finite(a, l, *out, n, each);
    if (status == HD_OK) return HD_OK;
    hd_free(a->data->ctx, *out);
    *out = NULL;
    return status;
}

/* Hands the memory that an array lies in over to the data set. */
static hd_status keep(arrays *a, loaded *l) {
    hd_dataset *d = a->data;
    void *memory = l->memory ? l->memory : l->bytes.memory;
    if (l->bytes.map.length) {
        if (d->map_count == HD_DATA_OWNED)
            return hd_fail(d->ctx, HD_E_DATA, "%s|more than %d files in one data set", l->where, (int)HD_DATA_OWNED);
        d->map[d->map_count++] = l->bytes.map;
        l->bytes.map = (hd_map){0};
    }
    l->memory = l->bytes.memory = NULL;
    return memory ? hd_data_own(d, memory, l->npy.count * (size_t)l->npy.size) : HD_OK;
}

/* The machine's own floats, side by side and at an address for floats. */
static bool ready_floats(const hd_npy *x) {
    const uint16_t one = 1;
    const bool little = *(const unsigned char *)&one == 1;
    return x->kind == 'f' && x->size == 4 && x->big != little && (uintptr_t)x->data % sizeof(float) == 0 &&
           hd_npy_is_plain(x);
}

/* Bytes stay bytes; what is not laid out as the data set wants is copied. */
static hd_status set_inputs(arrays *a, loaded *l, hd_data_block *block) {
    hd_dataset *d = a->data;
    const hd_npy *x = &l->npy;
    const bool bytes = x->size == 1 && x->kind != 'i';
    const size_t each = x->count / (size_t)x->dims.dim[0];
    if (d->blocks && (d->info.stored == HD_U8) != bytes)
        return hd_fail(d->ctx, HD_E_DATA, "%s|its elements have another type than those of the training part",
                       l->where);
    d->info.stored = bytes ? HD_U8 : HD_F32;
    block->x_stride = each * (bytes ? 1 : sizeof(float));
    if (bytes && x->kind == 'u' && hd_npy_is_plain(x)) {
        block->x = x->data;
        return keep(a, l);
    }
    if (ready_floats(x)) {
        block->x = x->data;
        HD_TRY(check_finite(a, l, (const float *)(const void *)x->data, x->count, each));
        return keep(a, l);
    }
    if (bytes) {
        unsigned char *copy = hd_data_alloc(d, x->count, 1);
        if (!copy) return HD_E_MEMORY;
        hd_npy_copy_bytes(x, copy);
        block->x = copy;
        return HD_OK;
    }
    float *copy;
    HD_TRY(make_floats(a, l, &copy));
    block->x = (const unsigned char *)copy;
    return hd_data_own(d, copy, x->count * sizeof *copy);
}

/* Pictures of numbers: 0 … 1, −1 … 1, or 0 … 255. */
static void set_range(hd_dataset *d, const hd_data_block *b, size_t count) {
    float low = 0, high = 0;
    const float *x = (const float *)(const void *)b->x;
    for (size_t i = 0; i < count; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    d->info.low = low < 0 ? -1.0f : 0.0f;
    d->info.high = high > 1.5f ? 255.0f : 1.0f;
}

/* ---- shapes ---- */

/* [n, h, w] is grey, [n, h, w, c] is turned to [n, c, h, w]; anything else is taken as it is. */
static hd_status set_sample(arrays *a, loaded *l) {
    hd_dataset *d = a->data;
    hd_npy *x = &l->npy;
    const hd_dims *dims = &x->dims, *shape = &a->options->shape;
    if (dims->rank < 1 || dims->rank > 5 || x->count == 0)
        return hd_fail(d->ctx, HD_E_DATA, "%s|expected samples (count, …) with 1 to 4 axes, found %d axes%s", l->where,
                       dims->rank - 1, x->count ? "" : ", and no element");
    if (dims->rank == 4 && dims->dim[1] != 1 && dims->dim[1] != 3 && (dims->dim[3] == 1 || dims->dim[3] == 3))
        hd_npy_move_axis(x, 3, 1);
    hd_dims sample = {.rank = dims->rank - 1};
    for (int i = 1; i < dims->rank; i++) sample.dim[i - 1] = dims->dim[i];
    if (dims->rank == 1) sample = HD_DIMS(1);
    if (dims->rank == 3) sample = HD_DIMS(1, dims->dim[1], dims->dim[2]);
    if (shape->rank && hd_dims_count(shape) != hd_dims_count(&sample))
        return hd_fail(d->ctx, HD_E_DATA, "%s|expected a shape of %lld elements, as a sample has", l->where,
                       (long long)hd_dims_count(&sample));
    if (shape->rank) sample = *shape;
    char ours[192], theirs[192];
    if (d->blocks && !hd_dims_equal(&sample, &d->info.sample))
        return hd_fail(d->ctx, HD_E_DATA, "%s|its samples are %s, those of the training part %s", l->where,
                       hd_dims_text(ours, &sample), hd_dims_text(theirs, &d->info.sample));
    d->info.sample = sample;
    d->info.kind = sample.rank == 3 ? "pictures" : "table";
    return HD_OK;
}

/* ---- targets ---- */

/* Exactly one 1 in every row, the others 0? */
static bool one_hot(const float *y, int64_t rows, int64_t targets) {
    for (int64_t i = 0; i < rows; i++) {
        int64_t ones = 0;
        for (int64_t k = 0; k < targets; k++) ones += y[i * targets + k] == 1 ? 1 : y[i * targets + k] == 0 ? 0 : 2;
        if (ones != 1) return false;
    }
    return true;
}

/* Whole numbers with more axes than a row are a class for every place of a sample: [n, h, w] for the pixels of a
 * picture, row by row; −1 is not counted. */
static hd_status set_places(arrays *a, const loaded *l, hd_data_block *block) {
    hd_dataset *d = a->data;
    const hd_npy *y = &l->npy;
    const int64_t places = (int64_t)(y->count / (size_t)y->dims.dim[0]);
    unsigned char *memory = hd_data_alloc(d, y->count, sizeof(int32_t));
    int64_t classes = d->info.classes;
    bool whole = d->blocks == 0 || places == d->info.positions;
    if (!memory) return HD_E_MEMORY;
    hd_npy_copy(y, (float *)(void *)memory); /* each becomes a label where it stands */
    for (size_t i = 0; i < y->count; i++) {
        float number;
        memcpy(&number, memory + i * sizeof number, sizeof number);
        whole = whole && number >= -1 && number < 1 << 20;
        const int32_t label = whole ? (int32_t)number : 0;
        memcpy(memory + i * sizeof label, &label, sizeof label);
        if (d->blocks == 0 && label >= classes) classes = label + 1;
    }
    if (!whole)
        return hd_fail(d->ctx, HD_E_DATA, "%s|expected classes from 0 (-1: not counted), as many a sample in each part",
                       l->where);
    d->info.positions = places;
    d->info.targets = 1;
    d->info.classes = classes;
    block->label32 = (const int32_t *)(const void *)memory;
    block->label_stride = (size_t)places * sizeof(int32_t);
    return HD_OK;
}

static hd_status set_targets(arrays *a, loaded *l, hd_data_block *block) {
    hd_dataset *d = a->data;
    const hd_dims *dims = &l->npy.dims;
    hd_table t = {.label = l->where};
    if (dims->rank > 2 && l->npy.kind != 'f' && l->npy.count > 0 && dims->dim[0] == block->count)
        return set_places(a, l, block);
    if (dims->rank < 1 || dims->rank > 2 || l->npy.count == 0)
        return hd_fail(d->ctx, HD_E_DATA, "%s|expected one target a sample, or a row of them, found %d axes", l->where,
                       dims->rank);
    if (dims->dim[0] != block->count)
        return hd_fail(d->ctx, HD_E_DATA, "%s|%lld targets for %lld samples of %s|The two do not belong together",
                       l->where, (long long)dims->dim[0], (long long)block->count, block->where);
    t.rows = dims->dim[0];
    t.targets = dims->rank == 2 ? dims->dim[1] : 1;
    HD_TRY(make_floats(a, l, &t.y));
    t.schema.one_hot = t.targets > 1 && one_hot(t.y, t.rows, t.targets);
    const int64_t classes = d->info.classes;
    hd_status status = hd_table_targets(d, &t, a->request, &a->target, block);
    if (status == HD_OK && d->blocks && d->info.classes != classes)
        status = hd_fail(d->ctx, HD_E_DATA, "%s|%lld classes, the training part has %lld", l->where,
                         (long long)d->info.classes, (long long)classes);
    hd_table_free(&t, d->ctx);
    return status;
}

/* Samples without targets, for prediction. */
static hd_status set_none(arrays *a, hd_data_block *block) {
    hd_table t = {.rows = block->count};
    return hd_table_targets(a->data, &t, a->request, &a->target, block);
}

static hd_status no_targets(const arrays *a, const loaded *l) {
    return hd_fail(a->data->ctx, HD_E_DATA,
                   "%s|there are inputs but no targets|Put them beside it (x.npy and y.npy, "
                   "images and labels, data and target), or say y=FILE.npy",
                   l->where);
}

/* ---- parts ---- */

static hd_status add_part(arrays *a, loaded *x, const char *y_name, const char *y_path, int64_t *part) {
    hd_dataset *d = a->data;
    loaded y = {0};
    HD_TRY(set_sample(a, x));
    const size_t elements = x->npy.count;
    hd_data_block block = {.count = x->npy.dims.dim[0], .where = x->where};
    HD_TRY(set_inputs(a, x, &block));
    if (d->info.stored == HD_F32 && d->info.sample.rank == 3 && !d->blocks) set_range(d, &block, elements);
    hd_status status = HD_OK;
    if (y_path)
        status = load_file(a, &y, y_path);
    else if (has(a, y_name))
        status = load(a, &y, y_name);
    else if (!a->request->unlabeled)
        return no_targets(a, x);
    if (status == HD_OK) status = y.where ? set_targets(a, &y, &block) : set_none(a, &block);
    release(a, &y);
    HD_TRY(status);
    *part += block.count;
    return hd_data_add_block(d, &block);
}

static hd_status add_family(arrays *a, int f) {
    hd_data_info *info = &a->data->info;
    int64_t *const parts[PARTS] = {&info->train, &info->val, &info->test};
    for (int i = 0; i < PARTS; i++) {
        loaded x;
        if (!has(a, families[f].x[i])) continue;
        HD_TRY(load(a, &x, families[f].x[i]));
        const hd_status status = add_part(a, &x, families[f].y[i], NULL, a->data->blocks ? parts[i] : &info->train);
        release(a, &x);
        HD_TRY(status);
    }
    return HD_OK;
}

/* The first family of which inputs and their targets are there. */
static hd_status add_all(arrays *a) {
    for (int f = 0; f < FAMILIES; f++)
        for (int i = 0; i < PARTS; i++)
            if (has(a, families[f].x[i]) && (has(a, families[f].y[i]) || a->request->unlabeled))
                return add_family(a, f);
    return hd_fail(a->data->ctx, HD_E_DATA,
                   "%s|expected arrays x and y, x_train and y_train, images and labels, or data and target, found none "
                   "of these pairs|Name them so in numpy.savez",
                   a->request->path);
}

/* ---- a file alone ---- */

/* "x_train" of "some/x_train.npy.gz". */
static hd_status split_path(arrays *a, char *stem, size_t room) {
    const char *path = a->request->path, *last = strrchr(path, '/');
    const char *name = last ? last + 1 : path, *dot = strstr(name, ".npy");
    a->folder = last ? hd_arena_strndup(a->request->arena, path, last > path ? (size_t)(last - path) : 1) : ".";
    if (!a->folder) return HD_E_MEMORY;
    (void)snprintf(stem, room, "%.*s", dot ? (int)(dot - name) : 0, name);
    return HD_OK;
}

static const char *partner_of(const arrays *a, const char *stem) {
    for (int f = 0; f < FAMILIES; f++)
        for (int i = 0; i < PARTS; i++)
            if (families[f].x[i] && strcmp(families[f].x[i], stem) == 0 && has(a, families[f].y[i]))
                return families[f].y[i];
    return NULL;
}

/* Number of the target column (from 0) of an array with rows: label=, or the last; −1: all are features. */
static hd_status find_column(const arrays *a, const loaded *x, int64_t *column) {
    const char *label = a->options->label;
    const int64_t columns = x->npy.dims.dim[1];
    int64_t n = columns;
    *column = -1;
    if (a->request->unlabeled && a->request->width == columns) return HD_OK;
    if (label && !hd_text_to_i64(label, strlen(label), &n)) n = 0;
    if (n < 0) n += columns + 1;
    if (n < 1 || n > columns)
        return hd_fail(a->data->ctx, HD_E_DATA, "%s|no column \"%s\"|Say a number 1 … %lld", x->where,
                       label ? label : "", (long long)columns);
    *column = n - 1;
    return HD_OK;
}

/* Rows whose target is one of their columns, as in a table. */
static hd_status add_rows(arrays *a, loaded *x) {
    const int64_t rows = x->npy.dims.dim[0], columns = x->npy.dims.dim[1];
    hd_table t = {.rows = rows, .label = a->options->label ? a->options->label : "the last one"};
    int64_t column;
    float *all;
    HD_TRY(find_column(a, x, &column));
    t.targets = column >= 0;
    t.features = columns - t.targets;
    if (x->npy.count == 0 || t.features < 1) return no_targets(a, x);
    HD_TRY(make_floats(a, x, &all));
    if (column >= 0) t.y = hd_alloc_n(a->data->ctx, (size_t)rows, sizeof *t.y);
    for (int64_t i = 0; (t.y || column < 0) && i < rows; i++)
        for (int64_t k = 0, to = 0; k < columns; k++) {
            const float v = all[i * columns + k]; /* the features move up: never behind where they are read */
            if (k == column)
                t.y[i] = v;
            else
                all[i * t.features + to++] = v;
        }
    t.x = all;
    hd_status status = t.y || column < 0 ? HD_OK : HD_E_MEMORY;
    if (status == HD_OK) status = hd_table_set(a->data, &t, a->request, a->target, &a->options->shape);
    hd_table_free(&t, a->data->ctx);
    return status;
}

static hd_status open_file(arrays *a) {
    char stem[64];
    loaded x;
    HD_TRY(split_path(a, stem, sizeof stem));
    const char *partner = partner_of(a, stem), *y = a->options->y;
    HD_TRY(load_file(a, &x, a->request->path));
    const bool rows = !y && !partner && x.npy.dims.rank == 2;
    const hd_status status = rows ? add_rows(a, &x) : add_part(a, &x, partner, y, &a->data->info.train);
    release(a, &x);
    return status;
}

static hd_status open_archive(arrays *a, const hd_bytes *bytes) {
    HD_TRY(hd_zip_open(&a->zip, a->data->ctx, a->request->arena, a->request->path, bytes->data, bytes->length));
    return add_all(a);
}

static hd_status open_arrays(hd_dataset *data, const hd_data_request *request) {
    const hd_table_options *o = request->args;
    arrays a = {.data = data, .request = request, .options = o, .target = o->target, .budget = (size_t)56 << 20};
    if (hd_path_is_dir(request->path)) {
        a.folder = request->path;
        return add_all(&a);
    }
    hd_map head;
    HD_TRY(hd_file_map(data->ctx, request->path, &head));
    const bool zip = hd_is_zip(head.data, head.length);
    hd_file_unmap(&head);
    if (!zip) return open_file(&a);
    HD_TRY(hd_data_map(data, request->path, &head));
    return open_archive(&a, &(hd_bytes){.data = head.data, .length = head.length});
}

static bool looks_like_arrays(const char *path) {
    if (!hd_path_is_dir(path))
        return hd_text_ends(path, ".npy") || hd_text_ends(path, ".npz") || hd_text_ends(path, ".npy.gz");
    for (int f = 0; f < FAMILIES; f++)
        for (int i = 0; i < 2 * PARTS; i++) {
            char file[4096];
            const char *name = families[f].x[i / 2];
            if (name && snprintf(file, sizeof file, "%s/%s%s", path, name, i % 2 ? ".npy.gz" : ".npy") < 4096 &&
                hd_path_exists(file))
                return true;
        }
    return false;
}

static const char *const targets[] = {"auto", "class", "number", NULL};

static const hd_option options[] = {
    {.name = "y", .type = HD_OPT_STRING, .offset = offsetof(hd_table_options, y), .help = "file of the targets (.npy)"},
    {.name = "label",
     .type = HD_OPT_STRING,
     .offset = offsetof(hd_table_options, label),
     .help = "number of the target column (from 1) of rows without an array of targets; the last when not said"},
    {.name = "task",
     .type = HD_OPT_ENUM,
     .offset = offsetof(hd_table_options, target),
     .choices = targets,
     .help = "class or number; auto: whole numbers from 0 to 255 and one-hot rows are classes"},
    {.name = "shape",
     .type = HD_OPT_DIMS,
     .offset = offsetof(hd_table_options, shape),
     .help = "of one sample, as [1, 16, 16] for pictures"},
    HD_OPTION_END};

const hd_data_source hd_source_npy = {
    .name = "npy",
    .description = "arrays of NumPy: x.npy and y.npy, a folder of x_train.npy, y_train.npy …, or an archive (.npz); "
                   "mapped where they can be",
    .args_size = sizeof(hd_table_options),
    .options = options,
    .looks_like = looks_like_arrays,
    .open = open_arrays,
};
