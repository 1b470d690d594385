/* arena.c: owns the blocks of an arena: memory for things that die together. Uses hd_alloc, so limits and failing
 * allocators reach it too. */
#include "base/alloc.h"
#include "base/locale.h"
#include "base/status.h"
#include <string.h>

enum { FIRST_BLOCK = 4096, LARGEST_BLOCK = 256 * 1024, ALIGN = 16 };

struct hd_arena_block {
    struct hd_arena_block *next;
    size_t size, used; /* of the bytes behind this header */
};

static char *block_bytes(struct hd_arena_block *b) {
    return (char *)b + ((sizeof *b + ALIGN - 1) & ~(size_t)(ALIGN - 1));
}

static struct hd_arena_block *add_block(hd_arena *arena, size_t bytes) {
    struct hd_arena_block *head = arena->head;
    size_t size = head ? head->size * 2 : FIRST_BLOCK, whole;
    if (size > LARGEST_BLOCK) size = LARGEST_BLOCK;
    if (size < FIRST_BLOCK) size = FIRST_BLOCK;
    bool alone = bytes > size / 2; /* a large thing gets a block of its own and the head stays open for small ones */
    if (alone) size = bytes;
    if (!hd_add_ok(size, sizeof *head + ALIGN, &whole)) {
        (void)!hd_fail_memory(arena->ctx, bytes);
        return NULL;
    }
    struct hd_arena_block *b = hd_alloc(arena->ctx, whole);
    if (!b) return NULL;
    b->size = size;
    if (alone && head) {
        b->next = head->next;
        head->next = b;
    } else {
        b->next = head;
        arena->head = b;
    }
    return b;
}

void *hd_arena_alloc(hd_arena *arena, size_t bytes) {
    size_t rounded;
    if (!hd_add_ok(bytes ? bytes : 1, ALIGN - 1, &rounded)) {
        (void)!hd_fail_memory(arena->ctx, bytes);
        return NULL;
    }
    rounded &= ~(size_t)(ALIGN - 1);
    struct hd_arena_block *b = arena->head;
    if (!b || b->size - b->used < rounded) b = add_block(arena, rounded);
    if (!b) return NULL;
    void *memory = block_bytes(b) + b->used;
    b->used += rounded;
    return memory;
}

void *hd_arena_alloc_n(hd_arena *arena, size_t n, size_t size) {
    size_t bytes;
    return hd_arena_alloc(arena, hd_mul_ok(n, size, &bytes) ? bytes : SIZE_MAX);
}

char *hd_arena_strndup(hd_arena *arena, const char *text, size_t length) {
    char *copy = length < SIZE_MAX ? hd_arena_alloc(arena, length + 1) : NULL;
    if (copy && length > 0) memcpy(copy, text, length);
    return copy;
}

char *hd_arena_strdup(hd_arena *arena, const char *text) {
    return hd_arena_strndup(arena, text, strlen(text));
}

char *hd_arena_printf(hd_arena *arena, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = hd_vsnprintf(NULL, 0, format, args);
    char *text = n < 0 ? NULL : hd_arena_alloc(arena, (size_t)n + 1);
    if (text) (void)hd_vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}

void hd_arena_free(hd_arena *arena) {
    for (struct hd_arena_block *b = arena->head, *next; b; b = next) {
        next = b->next;
        hd_free(arena->ctx, b);
    }
    arena->head = NULL;
}
