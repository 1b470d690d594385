/* pool.h: a pool of threads that runs numbered tasks. Owns the workers; knows nothing of kernels.
 * Which task does what is fixed by the caller, never by the number of threads (numeric plan, docs/architecture.md). */
#ifndef HD_BASE_POOL_H
#define HD_BASE_POOL_H
#include "hadal/base.h"

typedef struct hd_pool hd_pool;
typedef void (*hd_task_fn)(void *arg, int64_t task);

/* threads counts the caller: 1 makes no worker. Workers spin a short while after each job, then sleep.
 * Each worker sets flush-to-zero and denormals-are-zero, and, where OpenMP is linked, one OpenMP thread. */
HD_CHECKED hd_status hd_pool_new(hd_pool **out, hd_context *ctx, int threads);
void hd_pool_free(hd_pool *pool, hd_context *ctx);
int hd_pool_threads(const hd_pool *pool);

/* Runs fn(arg, 0 … tasks-1), the calling thread helping, and returns when all are done. One task, one thread: a plain
 * call. No allocation. Not to be nested. */
void hd_pool_run(hd_pool *pool, hd_task_fn fn, void *arg, int64_t tasks);

/* Number of the running thread, 0 … threads-1 (0: the caller), for per-thread scratch. */
int hd_pool_self(void);

/* Floating-point state of the calling thread: sets FTZ and DAZ (and, where OpenMP is linked, one OpenMP thread),
 * and gives back what was there. Every run of a program is bracketed by these. */
typedef struct hd_fp_state {
    unsigned mxcsr;
    int omp_threads;
} hd_fp_state;
hd_fp_state hd_fp_enter(void);
void hd_fp_leave(hd_fp_state state);
#endif
