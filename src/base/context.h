/* context.h: the inside of hd_context. Owns allocator, error record, log callback, threads, instruction set. */
#ifndef HD_BASE_CONTEXT_H
#define HD_BASE_CONTEXT_H
#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"

typedef enum hd_isa { HD_ISA_GENERIC, HD_ISA_AVX2, HD_ISA_AVX512 } hd_isa;

/* What a program may add to a context: hd_op, hd_loss_kind, hd_data_reader. */
typedef enum hd_own { HD_OWN_OP, HD_OWN_LOSS, HD_OWN_SOURCE, HD_OWN_KINDS } hd_own;

struct hd_context {
    hd_allocator allocator;
    size_t bytes, peak_bytes, memory_limit;
    uint64_t alloc_calls;
    hd_status status;
    char where[512], what[1024], fix[512]; /* parts of the last error */
    char text[2112];                       /* the same as one line */
    hd_log_fn log;
    void *log_user;
    int threads;
    hd_isa isa;
    bool large_are_zero; /* blocks from HD_PAGES_LEAST on come as zeros */
    hd_pool *pool;       /* made with the context; one thread: no workers */
    struct {
        const void **item;
        int32_t count;
    } own[HD_OWN_KINDS];
};

/* Adds a descriptor of the program's own; whoever asks for it has checked it and its name. */
HD_CHECKED hd_status hd_context_own(hd_context *ctx, hd_own kind, const void *item);
#endif
