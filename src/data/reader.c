/* reader.c: data sources of the program's own: checks the descriptor, reads every sample once, keeps them. */
#include "base/context.h"
#include "data/source.h"
#include <math.h>
#include <string.h>

const hd_data_reader *hd_reader_find(const hd_context *ctx, const char *name) {
    for (int32_t i = 0; i < ctx->own[HD_OWN_SOURCE].count; i++) {
        const hd_data_reader *reader = ctx->own[HD_OWN_SOURCE].item[i];
        if (strcmp(reader->name, name) == 0) return reader;
    }
    return NULL;
}

static hd_status check(hd_context *ctx, const hd_data_reader *r) {
    if (!r || !r->name || !*r->name || !r->read)
        return hd_fail(ctx, HD_E_USAGE, "source|a descriptor needs name and read");
    if (r->stored != HD_F32 && r->stored != HD_U8)
        return hd_fail(ctx, HD_E_USAGE, "source \"%s\"|samples are stored as f32 or u8, got %s", r->name,
                       hd_dtype_name(r->stored));
    if (r->train < 1 || r->val < 0 || r->test < 0 || r->train > INT64_MAX / 4 || r->val > INT64_MAX / 4 ||
        r->test > INT64_MAX / 4)
        return hd_fail(ctx, HD_E_USAGE, "source \"%s\"|expected train ≥ 1, val ≥ 0 and test ≥ 0 samples", r->name);
    if (hd_dims_count(&r->sample) < 1)
        return hd_fail(ctx, HD_E_USAGE, "source \"%s\"|expected the shape of a sample, positive dimensions", r->name);
    if (r->classes < 0 || (r->classes == 0 && r->targets < 1))
        return hd_fail(ctx, HD_E_USAGE, "source \"%s\"|expected a number of classes, or of targets", r->name);
    return HD_OK;
}

hd_status hd_context_add_source(hd_context *ctx, const hd_data_reader *reader) {
    HD_TRY(check(ctx, reader));
    if (hd_source_find(reader->name) || hd_reader_find(ctx, reader->name))
        return hd_fail(ctx, HD_E_USAGE, "source \"%s\"|the name is taken|Choose another name", reader->name);
    return hd_context_own(ctx, HD_OWN_SOURCE, reader);
}

static hd_status copy_names(hd_dataset *d, const hd_data_reader *r) {
    if (!r->class_names || r->classes == 0) return HD_OK;
    const char **names = hd_arena_alloc_n(&d->arena, (size_t)r->classes, sizeof *names);
    if (!names) return HD_E_MEMORY;
    for (int64_t i = 0; i < r->classes; i++) {
        names[i] = hd_arena_strdup(&d->arena, r->class_names[i]);
        if (!names[i]) return HD_E_MEMORY;
    }
    d->info.class_names = names;
    return HD_OK;
}

static hd_status check_finite(hd_context *ctx, const hd_data_reader *r, int64_t index, const char *what, const float *x,
                              int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return hd_fail(ctx, HD_E_DATA, "%s|expected finite numbers, %s %lld of sample %lld is %g|Drop or fill it",
                           r->name, what, (long long)i, (long long)index, (double)x[i]);
    return HD_OK;
}

/* One sample into its place. */
static hd_status read_one(hd_context *ctx, const hd_data_reader *r, int64_t i, void *x, int64_t *label, float *value) {
    const hd_status status = r->read(r->user, i, x, label, value);
    if (status != HD_OK)
        return hd_fail(ctx, status, "%s|sample %lld can not be read: the program's own source says \"%s\"", r->name,
                       (long long)i, hd_status_name(status));
    if (r->stored == HD_F32) HD_TRY(check_finite(ctx, r, i, "element", x, hd_dims_count(&r->sample)));
    return value ? check_finite(ctx, r, i, "target", value, r->targets) : HD_OK;
}

static hd_status read_all(hd_dataset *d, const hd_data_reader *r) {
    const int64_t n = r->train + r->val + r->test;
    const size_t width = (size_t)hd_dims_count(&r->sample), size = hd_dtype_size(r->stored);
    if (width > SIZE_MAX / 8) return hd_fail_memory(d->ctx, SIZE_MAX);
    unsigned char *x = hd_data_alloc(d, (size_t)n, width * size);
    int64_t *label = r->classes ? hd_data_alloc(d, (size_t)n, sizeof *label) : NULL;
    float *value = r->classes ? NULL : hd_data_alloc(d, (size_t)n, (size_t)r->targets * sizeof *value);
    if (!x || (!label && !value)) return HD_E_MEMORY;
    for (int64_t i = 0; i < n; i++)
        HD_TRY(read_one(d->ctx, r, i, x + (size_t)i * width * size, label ? &label[i] : NULL,
                        value ? &value[i * r->targets] : NULL));
    const hd_data_block b = {
        .count = n, .x = x, .x_stride = width * size, .label64 = label, .value = value, .where = d->info.name};
    return hd_data_add_block(d, &b);
}

/* Everything but hd_data_finish. */
static hd_status fill(hd_dataset *d, const hd_data_reader *r) {
    d->info.kind = r->sample.rank == 3 ? "pictures" : "table";
    d->info.sample = r->sample;
    d->info.stored = r->stored;
    d->info.train = r->train;
    d->info.val = r->val;
    d->info.test = r->test;
    d->info.classes = r->classes;
    d->info.targets = r->classes ? 1 : r->targets;
    HD_TRY(copy_names(d, r));
    return read_all(d, r);
}

static hd_status open_own(hd_dataset *data, const hd_data_request *request) {
    return fill(data, request->reader);
}
const hd_data_source hd_source_own = {.name = "", .description = "the program's own", .open = open_own};

hd_status hd_data_from_reader(hd_dataset **out, hd_context *ctx, const hd_data_reader *reader) {
    hd_dataset *d;
    HD_TRY(check(ctx, reader));
    HD_TRY(hd_data_make(&d, ctx));
    d->info.name = hd_arena_strdup(&d->arena, reader->name);
    hd_status status = d->info.name ? fill(d, reader) : HD_E_MEMORY;
    if (status == HD_OK) status = hd_data_finish(d, reader->classes);
    if (status == HD_OK)
        *out = d;
    else
        hd_data_free(d);
    return status;
}
