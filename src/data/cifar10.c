/* cifar10.c: CIFAR-10 in its binary form (Krizhevsky 2009): records of a label and 3 × 32 × 32 bytes, mapped as they
 * are. */
#include "base/text.h"
#include "data/digit_tables.h"
#include "data/folder.h"
#include <string.h>

enum { RECORD = 1 + 3 * 32 * 32 };

static const char *const classes[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                      "dog",      "frog",       "horse", "ship", "truck"};
static const char *const files[] = {"data_batch_1.bin",
                                    "data_batch_2.bin",
                                    "data_batch_3.bin",
                                    "data_batch_4.bin",
                                    "data_batch_5.bin",
                                    "test_batch.bin",
                                    NULL};

static const hd_data_file published[] = {{"https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                                          "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                                          170052171},
                                         {NULL, NULL, 0}};

static const char *find(const hd_data_request *request) {
    const char *folder = request->path ? request->path : hd_path_join(request->arena, request->data_dir, "cifar10");
    return folder && hd_has_file(folder, files) ? folder : NULL;
}

/* A part of the set under a name of its own: cifar10-anything.bin, plain or .gz. */
static bool is_part(const char *path) {
    const char *name = hd_path_last(path);
    const bool begins = strncmp(name, "cifar10", 7) == 0 || strncmp(name, "cifar-10", 8) == 0;
    return begins && (hd_text_ends(name, ".bin") || hd_text_ends(name, ".bin.gz")) && !hd_path_is_dir(path);
}

static hd_status add_file(hd_dataset *d, const char *path, int64_t *count) {
    hd_map map;
    HD_TRY(hd_data_load(d, path, &map));
    if (map.length == 0 || map.length % RECORD != 0)
        return hd_fail(d->ctx, HD_E_DATA, "%s|expected records of %d bytes, found %zu bytes|Fetch the file again", path,
                       (int)RECORD, map.length);
    int64_t n = (int64_t)(map.length / RECORD);
    *count += n;
    hd_data_block block = {
        .count = n, .x = map.data + 1, .x_stride = RECORD, .label8 = map.data, .label_stride = RECORD, .where = path};
    return hd_data_add_block(d, &block);
}

static hd_status add_parts(hd_dataset *d, const hd_data_request *r, const char *folder) {
    hd_listing parts = {0};
    if (!hd_path_is_dir(folder)) return hd_source_missing(r, NULL);
    hd_status status = hd_folder_list(&parts, d->ctx, r->arena, folder, is_part);
    for (size_t i = 0; status == HD_OK && i < parts.count; i++) {
        const char *path = hd_path_join(&d->arena, folder, parts.name[i]);
        status = path ? add_file(d, path, &d->info.train) : HD_E_MEMORY;
    }
    if (status == HD_OK && parts.count == 0) status = hd_source_missing(r, NULL);
    hd_free(d->ctx, parts.name);
    return status;
}

static hd_status open_cifar10(hd_dataset *data, const hd_data_request *request) {
    const char *folder = request->path ? request->path : hd_path_join(request->arena, request->data_dir, "cifar10");
    if (!folder) return HD_E_MEMORY;
    data->info.kind = "pictures";
    data->info.sample = HD_DIMS(3, 32, 32);
    data->info.stored = HD_U8;
    data->info.classes = 10;
    data->info.class_names = classes;
    int found = 0;
    if (is_part(folder)) {
        const char *path = hd_arena_strdup(&data->arena, folder);
        return path ? add_file(data, path, &data->info.train) : HD_E_MEMORY;
    }
    for (int i = 0; files[i]; i++) {
        char *path = hd_path_join(&data->arena, folder, files[i]);
        if (!path) return HD_E_MEMORY;
        if (!hd_path_exists(path)) continue;
        HD_TRY(add_file(data, path, i == 5 && found ? &data->info.test : &data->info.train));
        found++;
    }
    return found ? HD_OK : add_parts(data, request, folder);
}

static bool looks_like_cifar10(const char *path) {
    if (!hd_path_is_dir(path)) return is_part(path);
    return hd_has_file(path, files) || hd_folder_has(path, is_part);
}

const hd_data_source hd_source_cifar10 = {
    .name = "cifar10",
    .description = "60,000 colour pictures of things and animals, 32×32, 10 classes: a folder of data_batch_N.bin, "
                   "test_batch.bin, or a cifar10-PART.bin, plain or .gz",
    .named = true,
    .samples = 60000,
    .kind = "pictures",
    .licence = "none stated; Krizhevsky, Learning multiple layers of features from tiny images, 2009",
    .files = published,
    .unpacked = files,
    .find = find,
    .looks_like = looks_like_cifar10,
    .open = open_cifar10,
};
