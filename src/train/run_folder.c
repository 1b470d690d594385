/* run_folder.c: makes a run's folder: by rename, with the recipe already in it, never over another run. */
#include "base/file.h"
#include "base/status.h"
#include "train/trainer.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static hd_status fail_path(hd_context *ctx, const char *path, int error) {
    return hd_fail(ctx, HD_E_FILE, "%s|can not be made: %s", path, strerror(error));
}

static bool is_empty_folder(const char *path) {
    DIR *dir = opendir(path);
    bool empty = dir != NULL;
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) empty = false;
    if (dir) (void)closedir(dir);
    return empty;
}

/* Letters, digits and "._-" of a name; anything else would surprise a shell. */
static const char *clean_name(hd_arena *arena, const char *name) {
    char text[64];
    size_t n = 0;
    for (; name[n] && n < sizeof text - 1; n++) {
        const char c = name[n];
        const bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("._-", c);
        text[n] = plain && !(n == 0 && c == '.') ? c : '_';
    }
    text[n] = '\0';
    return hd_arena_strdup(arena, n > 0 ? text : "run");
}

/* A folder under another name, with the recipe in it. mkdtemp's names never meet. */
static hd_status make_temporary(hd_arena *arena, hd_context *ctx, const char *beside, const char *recipe, char **out) {
    char *path = hd_arena_printf(arena, "%s.tmp-XXXXXX", beside);
    if (!path) return HD_E_MEMORY;
    if (!mkdtemp(path)) return fail_path(ctx, beside, errno);
    (void)chmod(path, 0777 & ~(mode_t)022);
    *out = path;
    const char *file = hd_arena_printf(arena, "%s/recipe.yaml", path);
    return file ? hd_file_write(ctx, file, recipe, strlen(recipe)) : HD_E_MEMORY;
}

static void remove_temporary(hd_arena *arena, const char *path) {
    const char *file = path ? hd_arena_printf(arena, "%s/recipe.yaml", path) : NULL;
    if (file) (void)unlink(file);
    if (path) (void)rmdir(path);
}

static hd_status make_named(hd_arena *arena, hd_context *ctx, const char *out, const char *recipe) {
    char *temporary = NULL;
    if (hd_path_exists(out) && !is_empty_folder(out))
        return hd_fail(ctx, HD_E_FILE, "%s|it is there already, and not empty|Choose another --out, or --resume %s",
                       out, out);
    hd_status status = make_temporary(arena, ctx, out, recipe, &temporary);
    if (status == HD_OK && rename(temporary, out) != 0) status = fail_path(ctx, out, errno);
    if (status != HD_OK) remove_temporary(arena, temporary);
    return status;
}

/* runs/NAME-001, -002, …: the first that no rename finds taken. */
static hd_status make_counted(hd_arena *arena, hd_context *ctx, const char *name, const char *recipe,
                              const char **folder) {
    char *temporary = NULL;
    const char *base = hd_arena_printf(arena, "runs/%s", name);
    if (!base) return HD_E_MEMORY;
    HD_TRY(hd_dir_make(ctx, "runs"));
    hd_status status = make_temporary(arena, ctx, base, recipe, &temporary);
    for (int k = 1; status == HD_OK && k < 1000000; k++) {
        char *path = hd_arena_printf(arena, "%s-%03d", base, k);
        if (!path) {
            status = HD_E_MEMORY;
        } else if (!hd_path_exists(path)) {
            if (rename(temporary, path) == 0) {
                *folder = path;
                return HD_OK;
            }
            if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR) status = fail_path(ctx, path, errno);
        }
    }
    remove_temporary(arena, temporary);
    if (status != HD_OK) return status;
    return hd_fail(ctx, HD_E_FILE, "%s|there are a million of them", base);
}

static const char *parent_of(hd_arena *arena, const char *path) {
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') n--;
    while (n > 0 && path[n - 1] != '/') n--;
    while (n > 1 && path[n - 1] == '/') n--;
    return n > 0 ? hd_arena_strndup(arena, path, n) : NULL;
}

static const char *without_slash(hd_arena *arena, const char *path) {
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') n--;
    return hd_arena_strndup(arena, path, n);
}

hd_status hd_run_folder_make(hd_arena *arena, hd_context *ctx, const char *out, const char *name, const char *recipe,
                             const char **folder) {
    *folder = "";
    if (out && !out[0]) return HD_OK;
    if (!out) {
        const char *clean = clean_name(arena, name);
        return clean ? make_counted(arena, ctx, clean, recipe, folder) : HD_E_MEMORY;
    }
    const char *path = without_slash(arena, out), *parent = path ? parent_of(arena, path) : NULL;
    if (!path) return HD_E_MEMORY;
    if (parent) HD_TRY(hd_dir_make(ctx, parent));
    HD_TRY(make_named(arena, ctx, path, recipe));
    *folder = path;
    return HD_OK;
}
