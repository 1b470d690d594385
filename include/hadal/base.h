/* hadal/base.h: status, context, memory and logging: what every other header needs.
 *
 * A context owns the allocator, the threads and the text of the last error. Who creates frees; freeing NULL does
 * nothing.
 *
 * Threads: one context for each thread that works at the same time. A context, and everything made with it (graphs,
 * programs, stores, data, models, trainers), is for one thread at a time: it may move from thread to thread, but two
 * calls must never overlap. Two contexts share nothing, run side by side, and give the same bits as alone: the library
 * has no global state. Callbacks (log, progress, allocator, data source, loss) run in the thread that made the call; an
 * op's `ref` may run in the context's own threads and touches its tensors alone. From any thread at any time: functions
 * without a context or object (hd_version, hd_status_name, hd_op_at, …), and hd_trainer_stop. */
#ifndef HADAL_BASE_H
#define HADAL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
#include <initializer_list>
#endif

#if defined(__GNUC__)
#define HD_API                __attribute__((visibility("default")))
#define HD_CHECKED            __attribute__((warn_unused_result))
#define HD_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#else
#define HD_API
#define HD_CHECKED
#define HD_PRINTF(fmt, first)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** What a call came to. The values are the exit codes of the command `hadal`. */
typedef enum hd_status {
    HD_OK = 0,
    HD_E_USAGE = 1,       /**< an argument or flag is wrong */
    HD_E_MODEL = 2,       /**< a model, graph or recipe is wrong */
    HD_E_DATA = 3,        /**< data are wrong */
    HD_E_MEMORY = 4,      /**< out of memory, or over the limit that was set */
    HD_E_DIVERGED = 5,    /**< the loss is no longer a finite number */
    HD_E_UNSUPPORTED = 6, /**< this build, device or dtype can not do it */
    HD_E_FILE = 7,        /**< a file or disk error */
    HD_E_CHECK = 8,       /**< a check said no */
    HD_E_INTERRUPTED = 130
} hd_status;

/** Short name of a status ("data", "memory", …): the `code` in the command's JSON errors. Never NULL. */
HD_API const char *hd_status_name(hd_status status);

/** Where in the caller's source (made by HD_HERE), or in a recipe, something was built. */
typedef struct hd_loc {
    const char *file; /**< must outlive what was built */
    int line;
    int column; /**< 0: not known; else messages say file:line:column */
} hd_loc;
#ifdef __cplusplus
#define HD_HERE (hd_loc{__FILE__, __LINE__, 0})
#else
#define HD_HERE ((hd_loc){__FILE__, __LINE__, 0})
#endif

/** A memory allocator of the caller's. `alloc` returns `size` bytes aligned to 64, or NULL; `free` gets the same size.
 */
typedef struct hd_allocator {
    void *(*alloc)(void *user, size_t size);
    void (*free)(void *user, void *memory, size_t size);
    void *user;
} hd_allocator;

typedef enum hd_log_level { HD_LOG_DEBUG, HD_LOG_INFO, HD_LOG_WARNING } hd_log_level;

/** Receives what the library would like to say; the library itself never prints. `text` is one line, no newline. */
typedef void (*hd_log_fn)(void *user, hd_log_level level, const char *text);

/** Options of a context; a zeroed struct is the default. */
typedef struct hd_context_args {
    hd_allocator allocator; /**< all functions NULL: aligned_alloc and free */
    int threads;            /**< 1 … 256 (the calling thread counts); 0: as many as there are processors */
    hd_log_fn log;
    void *log_user;
    const char *isa;     /**< highest instruction set to use: "avx512", "avx2", "generic"; NULL: what the machine has */
    size_t memory_limit; /**< bytes this context may hold at a time; 0: no limit */
} hd_context_args;

typedef struct hd_context hd_context;

/** Makes a context. `args` may be NULL. Errors: HD_E_USAGE (threads or isa out of range), HD_E_MEMORY. */
HD_API HD_CHECKED hd_status hd_context_new(hd_context **out, const hd_context_args *args);
HD_API void hd_context_free(hd_context *ctx);

/** Text of the last error of this context: "WHERE: what was expected, what came. How to fix it". Never NULL; borrowed
 * until the next call that fails. */
HD_API const char *hd_last_error(const hd_context *ctx);

/** The parts of the last error. Each may be "" but is never NULL; borrowed like hd_last_error's. */
typedef struct hd_error {
    hd_status status;
    const char *where, *what, *fix;
} hd_error;
HD_API hd_error hd_last_error_parts(const hd_context *ctx);

/** Counters of the context's memory, for tests and plans. */
typedef struct hd_memory_stats {
    size_t bytes, peak_bytes; /**< held now; most ever held */
    uint64_t calls;           /**< calls of the allocator's `alloc` so far */
} hd_memory_stats;
HD_API hd_memory_stats hd_context_memory(const hd_context *ctx);

/** Gives back a text or block that a call made for the caller ("freed by hd_memory_free"). */
HD_API void hd_memory_free(hd_context *ctx, void *memory);

/** Number of threads (1 … 256), the calling one included, and the instruction set in use ("avx512", "avx2", "generic").
 */
HD_API int hd_context_threads(const hd_context *ctx);
HD_API const char *hd_context_isa(const hd_context *ctx);

/** Version of this header, and of the library that runs, "MAJOR.MINOR.PATCH". */
#define HD_VERSION "0.1.0"
HD_API const char *hd_version(void);

/** Element types. Sizes 4 8 4 8 1 1 2 bytes. HD_BF16 is the upper half of an f32 (8 bits of exponent, 7 of fraction): a
 * form to store and to multiply in; sums over it are f32 or wider. */
typedef enum hd_dtype { HD_F32, HD_F64, HD_I32, HD_I64, HD_U8, HD_BOOL, HD_BF16, HD_DTYPE_COUNT } hd_dtype;
HD_API const char *hd_dtype_name(hd_dtype dtype);
HD_API size_t hd_dtype_size(hd_dtype dtype);

enum { HD_MAX_DIMS = 8 };
/** As a dimension: the batch, bound to a number when the graph is compiled. */
#define HD_BATCH ((int64_t)-1)

/** Dimensions, outermost first. rank 0 is a scalar. Written HD_DIMS(2, 3). */
typedef struct hd_dims {
    int rank;
    int64_t dim[HD_MAX_DIMS];
} hd_dims;
/** Product of the dimensions (1 for rank 0), or -1 on overflow or a negative dimension (HD_BATCH included). */
HD_API int64_t hd_dims_count(const hd_dims *dims);

#ifdef __cplusplus
}
/** C++ has no literals of arrays: HD_DIMS for it. Dimensions past HD_MAX_DIMS count, so that they are refused. */
inline hd_dims hd_dims_of(std::initializer_list<int64_t> list) {
    hd_dims dims = {(int)list.size(), {}};
    int n = 0;
    for (int64_t dim : list)
        if (n < HD_MAX_DIMS) dims.dim[n++] = dim;
    return dims;
}
#define HD_DIMS(...) hd_dims_of({__VA_ARGS__})
#else
#define HD_DIMS(...) ((hd_dims){(int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {__VA_ARGS__}})
#endif
#endif
