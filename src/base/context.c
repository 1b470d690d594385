/* context.c: owns the life of a context. What a context holds is made here and given back here, last the context. */
#include "base/context.h"
#include "base/cpu.h"
#include "base/pages.h"
#include <stdlib.h>
#include <string.h>

static void *default_alloc(void *user, size_t size) {
    (void)user;
    if (size >= HD_PAGES_LEAST) return hd_pages_alloc(size);
    return aligned_alloc(64, size); /* sizes asked for here are multiples of 64 */
}

static void default_free(void *user, void *memory, size_t size) {
    (void)user;
    if (size >= HD_PAGES_LEAST)
        hd_pages_free(memory, size);
    else
        free(memory);
}

static const char *const isa_names[] = {"generic", "avx2", "avx512"};

static bool isa_from_name(const char *name, hd_isa *out) {
    for (int i = 0; i <= (int)HD_ISA_AVX512; i++)
        if (strcmp(name, isa_names[i]) == 0) {
            *out = (hd_isa)i;
            return true;
        }
    return false;
}

hd_status hd_context_new(hd_context **out, const hd_context_args *args) {
    static const hd_context_args defaults;
    if (!args) args = &defaults;
    *out = NULL;
    hd_allocator allocator = args->allocator;
    if (!allocator.alloc != !allocator.free) return HD_E_USAGE;
    if (!allocator.alloc) allocator = (hd_allocator){default_alloc, default_free, NULL};
    hd_isa isa = hd_cpu_isa(), wanted = isa;
    if (args->isa && !isa_from_name(args->isa, &wanted)) return HD_E_USAGE;
    if (args->threads < 0 || args->threads > 256) return HD_E_USAGE;

    size_t size = (sizeof(hd_context) + 63) & ~(size_t)63;
    if (args->memory_limit > 0 && size > args->memory_limit) return HD_E_MEMORY;
    hd_context *ctx = allocator.alloc(allocator.user, size);
    if (!ctx) return HD_E_MEMORY;
    memset(ctx, 0, size);
    ctx->allocator = allocator;
    ctx->large_are_zero = allocator.alloc == default_alloc;
    ctx->bytes = ctx->peak_bytes = size;
    ctx->alloc_calls = 1;
    ctx->memory_limit = args->memory_limit;
    ctx->log = args->log;
    ctx->log_user = args->log_user;
    ctx->threads = args->threads > 0 ? args->threads : hd_cpu_count();
    ctx->isa = wanted < isa ? wanted : isa;
    hd_status status = hd_pool_new(&ctx->pool, ctx, ctx->threads);
    if (status != HD_OK) {
        hd_context_free(ctx);
        return status;
    }
    *out = ctx;
    return HD_OK;
}

void hd_context_free(hd_context *ctx) {
    if (!ctx) return;
    hd_pool_free(ctx->pool, ctx);
    for (int kind = 0; kind < HD_OWN_KINDS; kind++) hd_free(ctx, ctx->own[kind].item);
    hd_allocator allocator = ctx->allocator;
    allocator.free(allocator.user, ctx, (sizeof *ctx + 63) & ~(size_t)63);
}

hd_status hd_context_own(hd_context *ctx, hd_own kind, const void *item) {
    const size_t count = (size_t)ctx->own[kind].count;
    const void **items = hd_realloc_n(ctx, (void *)ctx->own[kind].item, count + 1, sizeof *items);
    if (!items) return HD_E_MEMORY;
    items[count] = item;
    ctx->own[kind].item = items;
    ctx->own[kind].count++;
    return HD_OK;
}

hd_memory_stats hd_context_memory(const hd_context *ctx) {
    return (hd_memory_stats){ctx->bytes, ctx->peak_bytes, ctx->alloc_calls};
}

int hd_context_threads(const hd_context *ctx) {
    return ctx->threads;
}
const char *hd_context_isa(const hd_context *ctx) {
    return isa_names[ctx->isa];
}
const char *hd_version(void) {
    return HD_VERSION;
}
