/* sources.c: the list of data sources, and where named data sets are looked for. */
#include "data/source.h"
#include <stdlib.h>
#include <string.h>

static const hd_data_source *const list[] = {
#define HD_SOURCE(id) &hd_source_##id,
#include "data/sources.def"
#undef HD_SOURCE
};

const hd_data_source *hd_source_at(int i) {
    return i >= 0 && (size_t)i < sizeof list / sizeof *list ? list[i] : NULL;
}

const hd_data_source *hd_source_find(const char *name) {
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (strcmp(list[i]->name, name) == 0) return list[i];
    return NULL;
}

char *hd_path_join(hd_arena *arena, const char *folder, const char *name) {
    return hd_arena_printf(arena, "%s/%s", folder, name);
}

const char *hd_path_last(const char *path) {
    const char *last = path;
    for (const char *s = path; *s; s++)
        if (s[0] == '/' && s[1] && s[1] != '/') last = s + 1;
    return last;
}

const char *hd_data_folder(hd_arena *arena, const char *given) {
    if (given && *given) return given;
    const char *set = getenv("HADAL_DATA"), *home = getenv("HOME");
    if (set && *set) return set;
    if (home && *home) return hd_arena_printf(arena, "%s/.local/share/hadal", home);
    return "";
}

hd_status hd_source_missing(const hd_data_request *r, const char *package) {
    if (package)
        return hd_fail(r->ctx, HD_E_DATA,
                       "%s|the data set is neither in %s nor where Debian's package puts it|Run: hadal data "
                       "get %s, or install the package: apt install %s",
                       r->name, r->data_dir, r->name, package);
    return hd_fail(r->ctx, HD_E_DATA, "%s|the data set is not in %s/%s|Run: hadal data get %s, or put its files there",
                   r->name, r->data_dir, r->name, r->name);
}
