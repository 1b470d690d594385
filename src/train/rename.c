/* rename.c: reads maps of names and applies them. Knows no file of tensors and no network. */
#include "train/rename.h"
#include "base/file.h"
#include "base/status.h"
#include <string.h>

enum { MAX_RULES = 100000, MAX_STARS = 8 };

static int stars_of(const char *text) {
    int n = 0;
    for (; *text; text++) n += *text == '*';
    return n;
}

static hd_status refuse(hd_arena *arena, const char *where, const hd_json *at, const char *what) {
    return hd_fail(arena->ctx, HD_E_MODEL, "%s:%d:%d|%s|Write a map as {\"conv1.*\": \"features.0.*\"}", where,
                   at->line, at->column, what);
}

/* One number fills all channels. */
static hd_status read_channels(hd_rename *m, hd_arena *arena, const hd_json *list, float out[4]) {
    const bool one = list->type == HD_JSON_INT || list->type == HD_JSON_FLOAT;
    const size_t n = list->count;
    if (!one && (list->type != HD_JSON_ARRAY || n < 1 || n > 4 || (m->channels > 0 && n != (size_t)m->channels)))
        return refuse(arena, m->name, list, "mean and std are lists of one number for each channel");
    if (!one) m->channels = (int)n;
    m->moments = true;
    const hd_json *item = one ? list : list->child;
    for (int i = 0; i < (one ? 4 : (int)n); i++) {
        if ((item->type != HD_JSON_INT && item->type != HD_JSON_FLOAT) || !(item->number > -1e6 && item->number < 1e6))
            return refuse(arena, m->name, item, "mean and std are numbers");
        out[i] = (float)item->number;
        if (!one) item = item->next;
    }
    return HD_OK;
}

static void swap(float v[4]) {
    const float red = v[0];
    v[0] = v[2];
    v[2] = red;
}

/* {"order": "bgr", "mean": […], "std": …}: the numbers in the order of the file. */
static hd_status read_input(hd_rename *m, hd_arena *arena, const hd_json *input) {
    for (int i = 0; i < 4; i++) m->std[i] = 1;
    for (const hd_json *v = input->child; v; v = v->next) {
        if (strcmp(v->key, "mean") == 0)
            HD_TRY(read_channels(m, arena, v, m->mean));
        else if (strcmp(v->key, "std") == 0)
            HD_TRY(read_channels(m, arena, v, m->std));
        else if (strcmp(v->key, "order") != 0)
            return refuse(arena, m->name, v, "input has order, mean and std");
        else if (v->type != HD_JSON_STRING || (strcmp(v->string, "rgb") != 0 && strcmp(v->string, "bgr") != 0))
            return refuse(arena, m->name, v, "order is \"rgb\" or \"bgr\"");
        else
            m->bgr = strcmp(v->string, "bgr") == 0;
    }
    for (int i = 0; i < (m->channels ? m->channels : 4); i++)
        if (!(m->std[i] > 0)) return refuse(arena, m->name, input, "std must be above 0");
    if (m->bgr && m->channels > 0 && m->channels != 3)
        return refuse(arena, m->name, input, "\"bgr\" has three channels");
    if (m->bgr) swap(m->mean), swap(m->std);
    return HD_OK;
}

static hd_status read_rule(hd_rename *m, hd_arena *arena, const hd_json *v) {
    const char *to = v->type == HD_JSON_STRING ? v->string : NULL;
    if (!to && v->type != HD_JSON_NULL)
        return refuse(arena, m->name, v, "expected a name, or null for a tensor that is left out");
    if (strlen(v->key) >= HD_RENAME_NAME || (to && strlen(to) >= HD_RENAME_NAME))
        return refuse(arena, m->name, v, "a name is too long");
    if (stars_of(v->key) > MAX_STARS || (to && stars_of(to) > stars_of(v->key)))
        return refuse(arena, m->name, v, "there are more * behind the colon than before it, or more than eight");
    m->rule[m->count++] = (hd_rename_rule){v->key, to};
    return HD_OK;
}

hd_status hd_rename_parse(hd_rename *out, hd_arena *arena, const char *name, const char *text, size_t length) {
    hd_json *tree = NULL;
    hd_rename m = {.name = name};
    HD_TRY(hd_json_parse(&tree, arena, name, text, length));
    if (tree->type != HD_JSON_OBJECT || tree->count > MAX_RULES)
        return refuse(arena, name, tree, "expected an object of names");
    m.rule = hd_arena_alloc_n(arena, tree->count + 1, sizeof *m.rule);
    if (!m.rule) return HD_E_MEMORY;
    for (const hd_json *v = tree->child; v; v = v->next) {
        if (strcmp(v->key, "input") == 0 && v->type == HD_JSON_OBJECT)
            HD_TRY(read_input(&m, arena, v));
        else
            HD_TRY(read_rule(&m, arena, v));
    }
    *out = m;
    return HD_OK;
}

/* The built-in map of this name, for this network rather than for any; *other: there is one for another network. */
static const hd_known_map *known_map(const char *name, const char *model, const hd_known_map **other) {
    const hd_known_map *k, *any = NULL;
    *other = NULL;
    for (int i = 0; (k = hd_known_map_at(i)) != NULL; i++) {
        if (strcmp(k->name, name) != 0) continue;
        if (!k->model)
            any = k;
        else if (model && strcmp(k->model, model) == 0)
            return k;
        *other = k;
    }
    return any;
}

hd_status hd_rename_open(hd_rename *out, hd_arena *arena, const char *map, const char *model) {
    const hd_known_map *other, *known = known_map(map, model, &other);
    char *text = NULL;
    size_t length = 0;
    if (known) return hd_rename_parse(out, arena, known->name, known->json, strlen(known->json));
    if (other)
        return hd_fail(arena->ctx, HD_E_MODEL,
                       "train.rename|the map \"%s\" is for %s, the network is %s|Give a map of your own: a file", map,
                       other->model, model ? model : "none of the known ones");
    HD_TRY(hd_file_read(arena->ctx, map, 16 << 20, &text, &length));
    const char *name = hd_arena_strdup(arena, map);
    const hd_status status = name ? hd_rename_parse(out, arena, name, text, length) : HD_E_MEMORY;
    hd_free(arena->ctx, text);
    return status;
}

/* Where each `*` of a pattern begins in the name, and how long what it stands for is. */
typedef struct caught {
    const char *start[MAX_STARS];
    size_t length[MAX_STARS];
} caught;

/* Each `*` takes as little as it can; the last may have to take more: never back over an earlier one. */
static bool fits(const char *pattern, const char *name, caught *c) {
    const char *behind = NULL;
    int star = -1;
    while (*name) {
        if (*pattern == '*') {
            behind = ++pattern;
            star++;
            c->start[star] = name;
            c->length[star] = 0;
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star >= 0) {
            pattern = behind;
            name = c->start[star] + ++c->length[star];
        } else {
            return false;
        }
    }
    for (; *pattern == '*'; pattern++) {
        star++;
        c->start[star] = name;
        c->length[star] = 0;
    }
    return *pattern == '\0';
}

static bool fill(const char *to, const caught *c, char buffer[HD_RENAME_NAME]) {
    size_t used = 0;
    int star = 0;
    for (; *to; to++) {
        const char *from = *to == '*' ? c->start[star] : to;
        const size_t n = *to == '*' ? c->length[star++] : 1;
        if (!from || used + n >= HD_RENAME_NAME) return false;
        memcpy(buffer + used, from, n);
        used += n;
    }
    buffer[used] = '\0';
    return true;
}

const char *hd_rename_apply(const hd_rename *map, const char *name, char buffer[HD_RENAME_NAME]) {
    caught c = {0};
    for (int32_t i = 0; i < map->count; i++) {
        if (!fits(map->rule[i].from, name, &c)) continue;
        if (!map->rule[i].to) return NULL;
        return fill(map->rule[i].to, &c, buffer) ? buffer : name;
    }
    return name;
}
