/* alloc.h: memory from the context's allocator, checked size arithmetic, and arenas. */
#ifndef HD_BASE_ALLOC_H
#define HD_BASE_ALLOC_H
#include "hadal/base.h"

/* 64-byte aligned zeroed memory; NULL (with the error recorded in ctx) when there is none or the limit is reached. */
void *hd_alloc(hd_context *ctx, size_t bytes);
/* n × size with overflow check. */
void *hd_alloc_n(hd_context *ctx, size_t n, size_t size);
/* Grows or shrinks; new bytes are zero. On failure returns NULL and the old memory stays. memory may be NULL. */
void *hd_realloc_n(hd_context *ctx, void *memory, size_t n, size_t size);
void hd_free(hd_context *ctx, void *memory);
char *hd_strdup(hd_context *ctx, const char *text);

/* Makes room for one more element in a vector {items, count, capacity} of the caller's. Use:
 * HD_TRY(hd_grow(ctx, (void **)&v->items, &v->capacity, v->count + 1, sizeof *v->items)); */
HD_CHECKED hd_status hd_grow(hd_context *ctx, void **items, size_t *capacity, size_t needed, size_t item_size);

/* Checked arithmetic: false on overflow. */
bool hd_mul_ok(size_t a, size_t b, size_t *out);
bool hd_add_ok(size_t a, size_t b, size_t *out);

/* Bump allocator for things that die together. Zeroed memory, 16-byte aligned. A zeroed hd_arena with ctx set is
 * empty. */
typedef struct hd_arena {
    hd_context *ctx;
    struct hd_arena_block *head;
} hd_arena;
void *hd_arena_alloc(hd_arena *arena, size_t bytes);
void *hd_arena_alloc_n(hd_arena *arena, size_t n, size_t size);
char *hd_arena_strdup(hd_arena *arena, const char *text);
char *hd_arena_strndup(hd_arena *arena, const char *text, size_t length);
char *hd_arena_printf(hd_arena *arena, const char *format, ...) HD_PRINTF(2, 3);
void hd_arena_free(hd_arena *arena);
#endif
