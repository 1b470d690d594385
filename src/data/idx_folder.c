/* idx_folder.c: a folder of IDX files as MNIST's: pictures and labels, train-* and t10k-*. Knows names and how the
 * files belong together; the bytes are idx.c's. */
#include "data/idx.h"
#include <stdio.h>

static const char *const parts[2] = {"train", "t10k"};

static bool has_file(const char *folder, const char *part, const char *rest) {
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s-%s.gz", folder, part, rest) >= (int)sizeof path) return false;
    if (hd_path_exists(path)) return true;
    (void)snprintf(path, sizeof path, "%s/%s-%s", folder, part, rest);
    return hd_path_exists(path);
}

static bool has_part(const char *folder, const char *part) {
    return has_file(folder, part, "images-idx3-ubyte") || has_file(folder, part, "labels-idx1-ubyte");
}

bool hd_idx_is_folder(const char *folder) {
    return hd_path_is_dir(folder) && (has_part(folder, parts[0]) || has_part(folder, parts[1]));
}

const char *hd_idx_find(const hd_data_request *request, const char *fallback) {
    const char *folder = hd_path_join(request->arena, request->data_dir, request->name);
    if (folder && hd_idx_is_folder(folder)) return folder;
    return fallback && hd_idx_is_folder(fallback) ? fallback : NULL;
}

/* [n, h, w] becomes samples [1, h, w], [n, c, h, w] becomes [c, h, w], [n, k] a table's rows. */
static hd_status set_sample(hd_dataset *d, const char *where, const hd_dims *dims) {
    hd_dims sample = dims->rank == 3 ? HD_DIMS(1, dims->dim[1], dims->dim[2]) : (hd_dims){.rank = dims->rank - 1};
    for (int i = 1; i < dims->rank && dims->rank != 3; i++) sample.dim[i - 1] = dims->dim[i];
    if (dims->rank < 2 || hd_dims_count(&sample) < 1)
        return hd_fail(d->ctx, HD_E_DATA,
                       "%s|expected pictures (count, height, width), found %d dimension%s or an empty one", where,
                       dims->rank, dims->rank == 1 ? "" : "s");
    if (d->blocks && (sample.rank != d->info.sample.rank || hd_dims_count(&sample) != hd_dims_count(&d->info.sample) ||
                      sample.dim[sample.rank - 1] != d->info.sample.dim[sample.rank - 1]))
        return hd_fail(d->ctx, HD_E_DATA, "%s|its pictures have another size than those of train-*", where);
    d->info.sample = sample;
    d->info.kind = sample.rank == 3 ? "pictures" : "table";
    return HD_OK;
}

static hd_status open_part(hd_dataset *d, const hd_data_request *r, const char *folder, const char *part,
                           int64_t *count) {
    char *pictures = hd_arena_printf(r->arena, "%s/%s-images-idx3-ubyte", folder, part);
    char *labels = hd_arena_printf(&d->arena, "%s/%s-labels-idx1-ubyte", folder, part);
    if (!pictures || !labels) return HD_E_MEMORY;
    hd_idx x, y;
    HD_TRY(hd_idx_open(&x, d, pictures));
    HD_TRY(hd_idx_open(&y, d, labels));
    HD_TRY(set_sample(d, pictures, &x.dims));
    if (y.dims.rank != 1)
        return hd_fail(d->ctx, HD_E_DATA, "%s|expected labels (one dimension), found %d", labels, y.dims.rank);
    if (y.dims.dim[0] != x.dims.dim[0])
        return hd_fail(d->ctx, HD_E_DATA, "%s|%lld labels for %lld pictures|The two files do not belong together",
                       labels, (long long)y.dims.dim[0], (long long)x.dims.dim[0]);
    *count = y.dims.dim[0];
    hd_data_block block = {.count = *count,
                           .x = x.data,
                           .x_stride = (size_t)hd_dims_count(&d->info.sample),
                           .label8 = y.data,
                           .label_stride = 1,
                           .where = labels};
    return hd_data_add_block(d, &block);
}

hd_status hd_idx_open_folder(hd_dataset *data, const hd_data_request *request, const char *folder) {
    bool train = has_part(folder, parts[0]), test = has_part(folder, parts[1]);
    if (!train && !test)
        return hd_fail(data->ctx, HD_E_DATA,
                       "%s|expected train-images-idx3-ubyte and train-labels-idx1-ubyte, or t10k-…, plain or "
                       ".gz, found none",
                       folder);
    data->info.stored = HD_U8;
    if (train) HD_TRY(open_part(data, request, folder, parts[0], &data->info.train));
    if (test) HD_TRY(open_part(data, request, folder, parts[1], train ? &data->info.test : &data->info.train));
    return HD_OK;
}

static hd_status open_idx(hd_dataset *data, const hd_data_request *request) {
    return hd_idx_open_folder(data, request, request->path);
}

const hd_data_source hd_source_idx = {
    .name = "idx",
    .description =
        "a folder of IDX files as MNIST's, plain (mapped, not copied) or .gz; train-* alone or t10k-* alone is fine",
    .looks_like = hd_idx_is_folder,
    .open = open_idx,
};
