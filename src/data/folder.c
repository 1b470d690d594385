/* folder.c: lists folders. Knows nothing of what lies in them. */
#include "data/folder.h"
#include "base/status.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FILES = 1 << 22 };

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

hd_status hd_folder_list(hd_listing *out, hd_context *ctx, hd_arena *arena, const char *folder,
                         bool (*wanted)(const char *path)) {
    DIR *d = opendir(folder);
    hd_status status = HD_OK;
    if (!d) return hd_fail(ctx, HD_E_FILE, "%s|the folder can not be read", folder);
    for (struct dirent *e; status == HD_OK && (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        const char *path = hd_arena_printf(arena, "%s/%s", folder, e->d_name);
        if (!path) status = HD_E_MEMORY;
        if (!path || !wanted(path)) continue;
        if (out->count == MOST_FILES) status = hd_fail(ctx, HD_E_DATA, "%s|more than 4 million files", folder);
        if (status == HD_OK)
            status = hd_grow(ctx, (void **)&out->name, &out->capacity, out->count + 1, sizeof *out->name);
        if (status == HD_OK && !(out->name[out->count] = hd_arena_strdup(arena, e->d_name))) status = HD_E_MEMORY;
        if (status == HD_OK) out->count++;
    }
    (void)closedir(d);
    if (out->count) qsort(out->name, out->count, sizeof *out->name, compare);
    return status;
}

bool hd_folder_has(const char *folder, bool (*wanted)(const char *path)) {
    bool found = false;
    char path[4096];
    DIR *d = opendir(folder);
    for (struct dirent *e; d && !found && (e = readdir(d));)
        found = e->d_name[0] != '.' && snprintf(path, sizeof path, "%s/%s", folder, e->d_name) < (int)sizeof path &&
                wanted(path);
    if (d) (void)closedir(d);
    return found;
}
