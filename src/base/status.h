/* status.h: how a failure is told. Owns the error record of a context; knows nothing of what failed. */
#ifndef HD_BASE_STATUS_H
#define HD_BASE_STATUS_H
#include "hadal/base.h"

/* Records an error and returns `status`. The format has up to three parts split by '|': "WHERE|WHAT|FIX", as in
 * hd_fail(ctx, HD_E_DATA, "%s:%lld:%d|\"%s\" is not a number (column %s)|Add missing=drop", …). One part alone is WHAT;
 * a leading '|' leaves WHERE empty. A '|' that comes out of an argument is kept as it is. ctx may be NULL. A macro, so
 * that compilers and analysers see which status comes back. */
#define hd_fail(ctx, status, ...) (hd_error_record((ctx), (status), __VA_ARGS__), (status))
void hd_error_record(hd_context *ctx, hd_status status, const char *format, ...) HD_PRINTF(3, 4);

/* Out of memory: the one message, without allocating. */
void hd_error_record_memory(hd_context *ctx, size_t bytes);
HD_CHECKED static inline hd_status hd_fail_memory(hd_context *ctx, size_t bytes) {
    hd_error_record_memory(ctx, bytes);
    return HD_E_MEMORY;
}

/* Forgets the last error. */
void hd_error_clear(hd_context *ctx);

/* Returns from the calling function when a call did not succeed. */
#define HD_TRY(call)                                                                                                   \
    do {                                                                                                               \
        hd_status try_ = (call);                                                                                       \
        if (try_ != HD_OK) return try_;                                                                                \
    } while (0)

/* The same with a clean-up label: `status` must be declared by the function. */
#define HD_TRY_TO(label, call)                                                                                         \
    do {                                                                                                               \
        status = (call);                                                                                               \
        if (status != HD_OK) goto label;                                                                               \
    } while (0)

/* Sends one line to the caller's log function; without one, nothing. */
void hd_log_line(hd_context *ctx, hd_log_level level, const char *format, ...) HD_PRINTF(3, 4);
#endif
