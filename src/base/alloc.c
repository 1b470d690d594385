/* alloc.c: owns every byte a context holds: the header before each block, the limit, the counters. Knows nothing of
 * what the memory is for. */
#include "base/alloc.h"
#include "base/context.h"
#include "base/pages.h"
#include <string.h>

enum { HEADER = 64 }; /* keeps the caller's part aligned to 64 */

typedef struct block {
    size_t size; /* of the whole block, header included: what the allocator's free gets */
    size_t used; /* bytes of the caller's; those behind are zero */
} block;

bool hd_mul_ok(size_t a, size_t b, size_t *out) {
    return !__builtin_mul_overflow(a, b, out);
}
bool hd_add_ok(size_t a, size_t b, size_t *out) {
    return !__builtin_add_overflow(a, b, out);
}

static block *block_of(void *memory) {
    return (block *)(void *)((char *)memory - HEADER);
}

/* The block's bytes behind the header are zero up to `bytes`. */
static block *block_new(hd_context *ctx, size_t bytes) {
    size_t size;
    if (!hd_add_ok(bytes, HEADER + 63, &size)) return NULL;
    size &= ~(size_t)63;
    if (ctx->memory_limit > 0 && (ctx->bytes > ctx->memory_limit || size > ctx->memory_limit - ctx->bytes)) return NULL;
    ctx->alloc_calls++;
    block *b = ctx->allocator.alloc(ctx->allocator.user, size);
    if (!b) return NULL;
    if (!ctx->large_are_zero || size < HD_PAGES_LEAST) memset(b, 0, size);
    b->size = size;
    b->used = bytes;
    ctx->bytes += size;
    if (ctx->bytes > ctx->peak_bytes) ctx->peak_bytes = ctx->bytes;
    return b;
}

void *hd_alloc(hd_context *ctx, size_t bytes) {
    block *b = block_new(ctx, bytes);
    if (!b) {
        (void)!hd_fail_memory(ctx, bytes);
        return NULL;
    }
    return (char *)b + HEADER;
}

void *hd_alloc_n(hd_context *ctx, size_t n, size_t size) {
    size_t bytes;
    return hd_alloc(ctx, hd_mul_ok(n, size, &bytes) ? bytes : SIZE_MAX);
}

void hd_free(hd_context *ctx, void *memory) {
    if (!memory) return;
    block *b = block_of(memory);
    ctx->bytes -= b->size;
    ctx->allocator.free(ctx->allocator.user, b, b->size);
}

void hd_memory_free(hd_context *ctx, void *memory) {
    hd_free(ctx, memory);
}

void *hd_realloc_n(hd_context *ctx, void *memory, size_t n, size_t size) {
    size_t bytes;
    if (!hd_mul_ok(n, size, &bytes)) bytes = SIZE_MAX;
    if (!memory) return hd_alloc(ctx, bytes);
    block *b = block_of(memory);
    size_t room = b->size - HEADER;
    if (bytes <= room && bytes >= room / 4) { /* fits, and does not hold much more than it needs */
        if (bytes < b->used) memset((char *)memory + bytes, 0, b->used - bytes);
        b->used = bytes;
        return memory;
    }
    void *fresh = hd_alloc(ctx, bytes);
    if (!fresh) return NULL;
    memcpy(fresh, memory, b->used < bytes ? b->used : bytes);
    hd_free(ctx, memory);
    return fresh;
}

char *hd_strdup(hd_context *ctx, const char *text) {
    size_t length = strlen(text);
    char *copy = hd_alloc(ctx, length + 1);
    if (copy) memcpy(copy, text, length);
    return copy;
}

hd_status hd_grow(hd_context *ctx, void **items, size_t *capacity, size_t needed, size_t item_size) {
    if (needed <= *capacity) return HD_OK;
    size_t larger = *capacity < 8 ? 8 : *capacity;
    while (larger < needed) larger = larger > SIZE_MAX / 2 ? needed : larger * 2;
    void *grown = hd_realloc_n(ctx, *items, larger, item_size);
    if (!grown) return HD_E_MEMORY;
    *items = grown;
    *capacity = larger;
    return HD_OK;
}

int64_t hd_dims_count(const hd_dims *dims) {
    int64_t count = 1;
    if (dims->rank < 0 || dims->rank > HD_MAX_DIMS) return -1;
    for (int i = 0; i < dims->rank; i++)
        if (dims->dim[i] < 0 || __builtin_mul_overflow(count, dims->dim[i], &count)) return -1;
    return count;
}
