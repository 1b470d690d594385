/* data_get.c: the list of named data sets, where each lies, and how its files come into the data folder. */
#include "base/file.h"
#include "base/text.h"
#include "data/fetch.h"
#include "data/source.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool hd_data_entry_at(hd_data_entry *out, int i) {
    int n = 0;
    const hd_data_source *s;
    for (int k = 0; (s = hd_source_at(k)); k++) {
        if (!s->named || n++ != i) continue;
        *out = (hd_data_entry){.name = s->name,
                               .description = s->description,
                               .kind = s->kind ? s->kind : "points",
                               .samples = s->samples,
                               .drawn = s->find == NULL,
                               .licence = s->licence,
                               .package = s->package,
                               .by_hand = s->by_hand,
                               .fetched = s->files != NULL};
        for (const hd_data_file *f = s->files; f && f->url; f++) out->bytes += f->bytes;
        return true;
    }
    return false;
}

static const hd_data_source *find_named(const char *name) {
    const hd_data_source *s = hd_source_find(name);
    return s && s->named ? s : NULL;
}

hd_status hd_data_find(hd_context *ctx, const char *name, const char *data_dir, char *out, size_t size) {
    hd_arena arena = {.ctx = ctx};
    const hd_data_source *s = find_named(name);
    out[0] = 0;
    if (!s) return hd_fail(ctx, HD_E_DATA, "%s|there is no data set of this name|They are listed by: hadal data", name);
    hd_data_request r = {.ctx = ctx, .arena = &arena, .name = name, .data_dir = hd_data_folder(&arena, data_dir)};
    const char *where = s->find && r.data_dir ? s->find(&r) : NULL;
    if (where) (void)snprintf(out, size, "%s", where);
    hd_arena_free(&arena);
    return HD_OK;
}

static hd_status not_offered(hd_context *ctx, const hd_data_source *s, const char *folder) {
    if (!s->find)
        return hd_fail(ctx, HD_E_DATA, "%s|this data set is drawn by the program and needs no file|hadal train %s",
                       s->name, s->name);
    if (s->package)
        return hd_fail(ctx, HD_E_UNSUPPORTED,
                       "%s|no check sum is known of its published files|apt install %s; or put into "
                       "%s: %s",
                       s->name, s->package, folder, s->by_hand);
    return hd_fail(ctx, HD_E_UNSUPPORTED, "%s|no check sum is known of its published files|Put into %s: %s", s->name,
                   folder, s->by_hand);
}

/* Is the file there, and the right one? Another one of that name is left alone, and said. */
static hd_status is_there(hd_context *ctx, const char *path, const char *sha256, bool *there) {
    char sum[65];
    *there = hd_path_exists(path);
    if (!*there) return HD_OK;
    HD_TRY(hd_file_sha256(ctx, path, sum));
    if (strcmp(sum, sha256) == 0) return HD_OK;
    return hd_fail(ctx, HD_E_DATA,
                   "%s|there is another file of this name: its SHA-256 is %s, expected %s|Delete or move it "
                   "to fetch it",
                   path, sum, sha256);
}

static bool is_unpacked(hd_arena *arena, const char *folder, const char *const *names) {
    for (int i = 0; names && names[i]; i++) {
        const char *path = hd_path_join(arena, folder, names[i]);
        if (!path || !hd_path_exists(path)) return false;
    }
    return names != NULL;
}

typedef struct getting {
    hd_context *ctx;
    hd_arena arena;
    const hd_data_get_args *args;
    const hd_data_source *source;
    const char *folder; /* of the set */
} getting;

static hd_status get_file(getting *g, const hd_data_file *f) {
    const hd_data_get_args *a = g->args;
    const char *name = strrchr(f->url, '/') + 1, *url = f->url;
    const char *path = hd_path_join(&g->arena, g->folder, name);
    const char *package = g->source->package, *otherwise = NULL;
    bool there;
    if (package) otherwise = hd_arena_printf(&g->arena, "apt install %s", package);
    if (a->from) url = hd_arena_printf(&g->arena, "%s/%s", a->from, name);
    if (!path || !url) return HD_E_MEMORY;
    HD_TRY(is_there(g->ctx, path, f->sha256, &there));
    if (!there) HD_TRY(hd_fetch(g->ctx, url, path, f->sha256, f->bytes, otherwise, a->watch, a->user));
    if (!g->source->unpacked) return HD_OK;
    HD_TRY(hd_untar(g->ctx, path, g->folder, g->source->unpacked));
    (void)unlink(path);
    return HD_OK;
}

static hd_status get(getting *g) {
    const hd_data_get_args *a = g->args;
    const char *root = hd_data_folder(&g->arena, a->dir);
    g->source = find_named(a->name);
    if (!g->source)
        return hd_fail(g->ctx, HD_E_DATA, "%s|there is no data set of this name|They are listed by: hadal data",
                       a->name);
    if (!root) return HD_E_MEMORY;
    if (!*root) return hd_fail(g->ctx, HD_E_FILE, "data get|there is no data folder|Set HADAL_DATA, or say --dir DIR");
    g->folder = hd_path_join(&g->arena, root, a->name);
    if (!g->folder) return HD_E_MEMORY;
    if (!g->source->files) return not_offered(g->ctx, g->source, g->folder);
    if (is_unpacked(&g->arena, g->folder, g->source->unpacked)) return HD_OK;
    HD_TRY(hd_dir_make(g->ctx, g->folder));
    for (const hd_data_file *f = g->source->files; f->url; f++) HD_TRY(get_file(g, f));
    return HD_OK;
}

hd_status hd_data_get(hd_context *ctx, const hd_data_get_args *args, char *folder, size_t size) {
    getting g = {.ctx = ctx, .arena = {.ctx = ctx}, .args = args};
    const hd_status status = get(&g);
    if (folder && size) (void)snprintf(folder, size, "%s", g.folder ? g.folder : "");
    hd_arena_free(&g.arena);
    return status;
}
