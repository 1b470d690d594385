/* context.h: the inside of hd_context. Owns allocator, error record, log callback, threads, instruction set. */
#ifndef HD_BASE_CONTEXT_H
#define HD_BASE_CONTEXT_H
#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"

typedef enum hd_isa { HD_ISA_GENERIC, HD_ISA_AVX2, HD_ISA_AVX512 } hd_isa;

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
    hd_pool *pool;         /* made with the context; one thread: no workers */
    const void **user_ops; /* hd_op descriptors added by hd_context_add_op */
    int32_t user_op_count;
};
#endif
