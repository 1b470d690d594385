/* image_folder.c: pictures in folders named after their classes, as a data set of bytes. Owns which file belongs to
 * which class and part; reading and fitting pictures is picture.c's. */
#include "base/text.h"
#include "data/folder.h"
#include "data/png.h"
#include "data/source.h"
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 3 };

typedef struct image_options {
    hd_dims size;
} image_options;

typedef struct image_file {
    const char *path;
    int64_t label;
} image_file;

typedef struct images {
    hd_dataset *data;
    const hd_data_request *request;
    hd_listing classes;
    image_file *file[PARTS];
    size_t count[PARTS], capacity[PARTS];
    int64_t scaled; /* pictures of another size */
} images;

static const char *const parts[PARTS] = {"train", "val", "test"};

static bool is_picture_file(const char *path) {
    static const char *const ends[] = {".png",    ".pgm", ".ppm",  ".pbm", ".pnm", ".pgm.gz",
                                       ".ppm.gz", ".jpg", ".jpeg", ".JPG", ".JPEG"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (hd_text_ends(path, ends[i])) return !hd_path_is_dir(path);
    return false;
}

/* ---- classes ---- */

static int64_t class_of(const images *m, const char *name) {
    for (int64_t i = 0; i < m->data->info.classes; i++)
        if (strcmp(m->data->info.class_names[i], name) == 0) return i;
    return -1;
}

/* The classes are the model's, where there is one, else the folders of the first part. */
static hd_status set_classes(images *m, const hd_listing *folders) {
    hd_dataset *d = m->data;
    const hd_json *known = m->request->names;
    const size_t n = known ? known->count : folders->count;
    if (d->info.class_names) return HD_OK;
    const char **names = hd_arena_alloc_n(&d->arena, n + 1, sizeof *names);
    if (!names) return HD_E_MEMORY;
    const hd_json *v = known ? known->child : NULL;
    for (size_t i = 0; i < n; i++, v = v ? v->next : NULL) {
        names[i] = hd_arena_strdup(&d->arena, known ? v->string : folders->name[i]);
        if (!names[i]) return HD_E_MEMORY;
    }
    d->info.class_names = names;
    d->info.classes = (int64_t)n;
    return HD_OK;
}

static hd_status add_class(images *m, int part, const char *folder, const char *name) {
    hd_context *ctx = m->data->ctx;
    hd_arena *arena = m->request->arena;
    hd_listing files = {0};
    const int64_t label = class_of(m, name);
    const char *path = hd_path_join(arena, folder, name);
    if (!path) return HD_E_MEMORY;
    if (label < 0)
        return hd_fail(ctx, HD_E_DATA, "%s|expected one of the %lld classes of the training part or of the model", path,
                       (long long)m->data->info.classes);
    hd_status status = hd_folder_list(&files, ctx, arena, path, is_picture_file);
    if (status == HD_OK)
        status = hd_grow(ctx, (void **)&m->file[part], &m->capacity[part], m->count[part] + files.count,
                         sizeof *m->file[part]);
    for (size_t i = 0; status == HD_OK && i < files.count; i++) {
        const char *file = hd_path_join(arena, path, files.name[i]);
        if (!file) status = HD_E_MEMORY;
        m->file[part][m->count[part]++] = (image_file){file, label};
    }
    hd_free(ctx, files.name);
    return status;
}

static hd_status add_part(images *m, int part, const char *folder) {
    hd_listing folders = {0};
    hd_status status = hd_folder_list(&folders, m->data->ctx, m->request->arena, folder, hd_path_is_dir);
    if (status == HD_OK) status = set_classes(m, &folders);
    for (size_t i = 0; status == HD_OK && i < folders.count; i++) status = add_class(m, part, folder, folders.name[i]);
    hd_free(m->data->ctx, folders.name);
    return status;
}

static hd_status add_parts(images *m) {
    const char *path = m->request->path;
    bool any = false;
    for (int i = 0; i < PARTS; i++) {
        const char *folder = hd_path_join(m->request->arena, path, parts[i]);
        if (!folder) return HD_E_MEMORY;
        if (!hd_path_is_dir(folder)) continue;
        HD_TRY(add_part(m, any ? i : 0, folder));
        any = true;
    }
    if (!any) HD_TRY(add_part(m, 0, path));
    if (m->count[0] > 0) return HD_OK;
    return hd_fail(m->data->ctx, HD_E_DATA, "%s|expected pictures (PNG, JPEG, PGM, PPM) in folders named after classes",
                   path);
}

/* ---- pictures ---- */

/* size=, else the model's, else the first picture's own. */
static hd_status set_sample(images *m) {
    const image_options *o = m->request->args;
    hd_dims *s = &m->data->info.sample;
    hd_pixels p;
    if (m->request->sample.rank == 3) {
        *s = m->request->sample;
        return HD_OK;
    }
    HD_TRY(hd_pixels_read(m->data->ctx, m->file[0][0].path, &p));
    hd_free(m->data->ctx, p.data);
    *s = HD_DIMS(p.channels == 2 ? 1 : 3, p.h, p.w);
    if (o->size.rank == 2) *s = HD_DIMS(s->dim[0], o->size.dim[0], o->size.dim[1]);
    if (o->size.rank == 3) *s = o->size;
    return HD_OK;
}

static hd_status read_one(images *m, const char *path, float *x, unsigned char *out) {
    const hd_picture_args args = {.sample = m->data->info.sample, .high = 255};
    char note[256];
    HD_TRY(hd_picture_read(m->data->ctx, path, &args, x, note, sizeof note));
    m->scaled += note[0] != 0;
    for (int64_t i = 0; i < hd_dims_count(&args.sample); i++)
        out[i] = (unsigned char)(x[i] < 0 ? 0 : x[i] > 255 ? 255 : x[i] + 0.5f);
    return HD_OK;
}

static hd_status read_part(images *m, int part, int64_t *count) {
    hd_dataset *d = m->data;
    const size_t n = m->count[part], each = (size_t)hd_dims_count(&d->info.sample);
    if (n == 0) return HD_OK;
    size_t bytes;
    if (!hd_mul_ok(n, each, &bytes)) return HD_E_MEMORY;
    unsigned char *x = hd_data_alloc(d, n, each);
    int64_t *label = hd_data_alloc(d, n, sizeof *label);
    float *one = hd_alloc_n(d->ctx, each, sizeof *one);
    const char *where = hd_arena_strdup(&d->arena, m->request->path);
    hd_status status = x && label && one && where ? HD_OK : HD_E_MEMORY;
    for (size_t i = 0; status == HD_OK && i < n; i++) {
        label[i] = m->file[part][i].label;
        status = read_one(m, m->file[part][i].path, one, x + i * each);
    }
    hd_free(d->ctx, one);
    HD_TRY(status);
    *count += (int64_t)n;
    const hd_data_block block = {.count = (int64_t)n, .x = x, .x_stride = each, .label64 = label, .where = where};
    return hd_data_add_block(d, &block);
}

static hd_status open_all(images *m) {
    hd_data_info *info = &m->data->info;
    HD_TRY(add_parts(m));
    HD_TRY(set_sample(m));
    info->kind = "pictures";
    info->stored = HD_U8;
    HD_TRY(read_part(m, 0, &info->train));
    HD_TRY(read_part(m, 1, &info->val));
    HD_TRY(read_part(m, 2, &info->test));
    if (m->scaled)
        hd_log_line(m->data->ctx, HD_LOG_WARNING, "%s: %lld pictures were scaled or turned to %lld×%lld %s", info->name,
                    (long long)m->scaled, (long long)info->sample.dim[1], (long long)info->sample.dim[2],
                    info->sample.dim[0] == 1 ? "grey" : "colour");
    return HD_OK;
}

static hd_status open_images(hd_dataset *data, const hd_data_request *request) {
    images m = {.data = data, .request = request};
    const hd_status status = open_all(&m);
    for (int i = 0; i < PARTS; i++) hd_free(data->ctx, m.file[i]);
    return status;
}

/* Does the folder hold folders, all of them with pictures? */
static bool has_classes(const char *path) {
    char below[4096];
    int with = 0, without = 0;
    DIR *d = opendir(path);
    for (struct dirent *e; d && !without && (e = readdir(d));) {
        if (e->d_name[0] == '.' || snprintf(below, sizeof below, "%s/%s", path, e->d_name) >= (int)sizeof below)
            continue;
        if (!hd_path_is_dir(below)) continue;
        if (hd_folder_has(below, is_picture_file))
            with++;
        else
            without++;
    }
    if (d) (void)closedir(d);
    return with > 0 && without == 0;
}

static bool looks_like_images(const char *path) {
    char folder[4096];
    if (!hd_path_is_dir(path)) return false;
    for (int i = 0; i < PARTS; i++)
        if (snprintf(folder, sizeof folder, "%s/%s", path, parts[i]) < (int)sizeof folder && has_classes(folder))
            return true;
    return has_classes(path);
}

static const hd_option options[] = {{.name = "size",
                                     .type = HD_OPT_DIMS,
                                     .offset = offsetof(image_options, size),
                                     .help =
                                         "of every picture, as 64x64, or 1x64x64 for grey; the first one's when not "
                                         "said"},
                                    HD_OPTION_END};

const hd_data_source hd_source_images = {
    .name = "images",
    .description =
        "pictures (PNG, JPEG, PGM, PPM) in folders named after their classes, all below train, val and test or "
        "in one part",
    .args_size = sizeof(image_options),
    .options = options,
    .looks_like = looks_like_images,
    .open = open_images,
};
