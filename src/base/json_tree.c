/* json_tree.c: owns the making and changing of trees of values. Knows nothing of how they are written down. */
#include "base/json_tree.h"
#include "base/status.h"
#include <string.h>

hd_json_reader hd_json_reader_new(hd_arena *arena, const char *where, size_t length) {
    size_t room = (size_t)24 << 20, more = length + length / 2;
    return (hd_json_reader){arena, where, more < length || room + more < more ? SIZE_MAX : room + more};
}

static hd_status take_room(hd_json_reader *r, size_t bytes, int line, int column) {
    bytes = (bytes + 15) & ~(size_t)15;
    if (bytes > r->room)
        return hd_fail(r->arena->ctx, HD_E_MODEL, "%s:%d:%d|more values than a text of this size may hold in memory",
                       r->where, line, column);
    r->room -= bytes;
    return HD_OK;
}

hd_status hd_json_make(hd_json_reader *r, hd_json **out, hd_json_type type, int line, int column) {
    HD_TRY(take_room(r, sizeof(hd_json), line, column));
    hd_json *value = hd_json_new(r->arena, type);
    if (!value) return HD_E_MEMORY;
    value->line = line;
    value->column = column;
    *out = value;
    return HD_OK;
}

hd_status hd_json_keep_text(hd_json_reader *r, const char **out, const char *text, size_t length, int line,
                            int column) {
    if (length > 0 && memchr(text, '\0', length))
        return hd_fail(r->arena->ctx, HD_E_MODEL, "%s:%d:%d|a text holds the character NUL", r->where, line, column);
    HD_TRY(take_room(r, length + 1, line, column));
    *out = hd_arena_strndup(r->arena, text, length);
    return *out ? HD_OK : HD_E_MEMORY;
}

void hd_json_append(hd_json *parent, hd_json *item) {
    if (parent->last)
        parent->last->next = item;
    else
        parent->child = item;
    parent->last = item;
    parent->count++;
}

static bool is_later(const hd_json *a, const hd_json *b) {
    return a->key_line != b->key_line ? a->key_line > b->key_line : a->key_column > b->key_column;
}

static int compare_members(const hd_json *a, const hd_json *b) {
    int order = strcmp(a->key, b->key);
    return order ? order : is_later(a, b) ? 1 : is_later(b, a) ? -1 : 0;
}

static void sift_down(const hd_json **heap, size_t at, size_t n) {
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && compare_members(heap[child + 1], heap[child]) > 0) child++;
        if (compare_members(heap[at], heap[child]) >= 0) return;
        const hd_json *swap = heap[at];
        heap[at] = heap[child];
        heap[child] = swap;
    }
}

/* Heapsort: a hostile order costs no more than any other, and the C library's qsort may allocate behind our back. */
static void sort_members(const hd_json **members, size_t n) {
    for (size_t i = n / 2; i-- > 0;) sift_down(members, i, n);
    for (size_t end = n; end-- > 1;) {
        const hd_json *largest = members[0];
        members[0] = members[end];
        members[end] = largest;
        sift_down(members, 0, end);
    }
}

hd_status hd_json_check_keys(hd_json_reader *r, const hd_json *object) {
    enum { FEW = 32 };
    hd_context *ctx = r->arena->ctx;
    const hd_json *few[FEW] = {NULL}, **members = few, *twice = NULL, *first = NULL;
    if (object->count > FEW && !(members = hd_alloc_n(ctx, object->count, sizeof *members))) return HD_E_MEMORY;
    size_t n = 0;
    for (const hd_json *m = object->child; m; m = m->next) members[n++] = m;
    sort_members(members, n);
    for (size_t i = 1; i < n; i++)
        if (strcmp(members[i - 1]->key, members[i]->key) == 0 && (!twice || is_later(twice, members[i]))) {
            twice = members[i];
            first = members[i - 1];
        }
    if (members != few) hd_free(ctx, (void *)(uintptr_t)members);
    if (!twice) return HD_OK;
    return hd_fail(ctx, HD_E_MODEL,
                   "%s:%d:%d|the key \"%.80s\" stands here a second time; the first is in line %d|Remove one", r->where,
                   twice->key_line, twice->key_column, twice->key, first->key_line);
}

const hd_json *hd_json_get(const hd_json *object, const char *key) {
    if (!object || object->type != HD_JSON_OBJECT) return NULL;
    for (const hd_json *m = object->child; m; m = m->next)
        if (strcmp(m->key, key) == 0) return m;
    return NULL;
}

hd_json *hd_json_new(hd_arena *arena, hd_json_type type) {
    hd_json *value = hd_arena_alloc(arena, sizeof *value);
    if (value) value->type = type;
    return value;
}

hd_json *hd_json_new_string(hd_arena *arena, const char *text) {
    hd_json *value = hd_json_new(arena, HD_JSON_STRING);
    char *copy = hd_arena_strdup(arena, text);
    if (!value || !copy) return NULL;
    value->string = copy;
    value->length = strlen(copy);
    return value;
}

hd_json *hd_json_new_number(hd_arena *arena, double number) {
    hd_json *value = hd_json_new(arena, HD_JSON_FLOAT);
    if (value) value->number = number;
    return value;
}

hd_json *hd_json_new_int(hd_arena *arena, int64_t integer) {
    hd_json *value = hd_json_new(arena, HD_JSON_INT);
    if (!value) return NULL;
    value->integer = integer;
    value->number = (double)integer;
    return value;
}

hd_json *hd_json_new_bool(hd_arena *arena, bool boolean) {
    hd_json *value = hd_json_new(arena, HD_JSON_BOOL);
    if (value) value->boolean = boolean;
    return value;
}

hd_json *hd_json_add(hd_json *array, hd_json *item) {
    if (array && item) hd_json_append(array, item);
    return array ? item : NULL;
}

hd_json *hd_json_set(hd_arena *arena, hd_json *object, const char *key, hd_json *value) {
    if (!object || !value) return NULL;
    hd_json *before = NULL, *old = object->child;
    for (; old && strcmp(old->key, key) != 0; old = old->next) before = old;
    value->key = old ? old->key : hd_arena_strdup(arena, key);
    if (!value->key) return NULL;
    if (!old) {
        hd_json_append(object, value);
        return value;
    }
    value->key_line = old->key_line;
    value->key_column = old->key_column;
    value->next = old->next;
    if (before)
        before->next = value;
    else
        object->child = value;
    if (object->last == old) object->last = value;
    return value;
}

/* Trees from the readers are at most HD_JSON_DEPTH deep; what is built by hand is bounded by the same number here. */
static hd_json *copy_within(hd_arena *arena, const hd_json *value, int depth) {
    hd_json *copy = depth <= HD_JSON_DEPTH ? hd_json_new(arena, value->type) : NULL;
    if (!copy) return NULL;
    *copy = *value;
    copy->next = copy->child = copy->last = NULL;
    copy->count = 0;
    if (value->string && !(copy->string = hd_arena_strndup(arena, value->string, value->length))) return NULL;
    if (value->key && !(copy->key = hd_arena_strdup(arena, value->key))) return NULL;
    for (const hd_json *c = value->child; c; c = c->next)
        if (!hd_json_add(copy, copy_within(arena, c, depth + 1))) return NULL;
    return copy;
}

hd_json *hd_json_copy(hd_arena *arena, const hd_json *value) {
    return value ? copy_within(arena, value, 0) : NULL;
}
