/* pool.c: owns the worker threads of a context and the hand-over of a job to them. Knows nothing of kernels.
 *
 * One word, the gate, says which job is open and how many workers are inside it. A worker enters by compare-and-swap
 * while the job is open, takes tasks until there are none, and leaves. The caller works too, then closes the gate and
 * waits until nobody is inside. So the caller never waits for a worker that is asleep or late, and the job's fields are
 * only written while nobody can read them.
 *
 * Tasks are shared out in ranges, each with a counter: thread i begins with the i-th part of a job's tasks, whatever
 * the job, and takes from the others' when it has none left. What is alike in two jobs (rows of a batch, parts of a
 * vector) so tends to stay in one core's own cache: with one counter for all, a vector of 400 KB that two threads
 * updated took longer than on one.
 *
 * Waiting costs: fork and join between spinning threads is a fraction of a microsecond, waking a sleeper some ten. So
 * workers spin for a short while after each job; but not where there are more threads than processors, because then
 * they would spin on the processor that somebody with work needs. */
#include "base/pool.h"
#include "base/context.h"
#include "base/cpu.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* From the OpenMP standard; declared here because one call does not need the compiler's OpenMP mode. */
#ifdef HD_HAVE_OPENMP
extern int omp_get_max_threads(void);
extern void omp_set_num_threads(int);
#endif

enum { CACHE_LINE = 64, SPIN_NS = 50000, SPINS_BEFORE_YIELD = 2000, MOST_RANGES = 16 };

/* gate: job number << 17 | open << 16 | workers inside */
#define INSIDE UINT64_C(0xffff)
#define OPEN   UINT64_C(0x10000)
#define JOB    UINT64_C(0x20000)

typedef struct worker {
    hd_pool *pool;
    pthread_t thread;
    int number;
} worker;

/* How many tasks of a range have been asked for: may count beyond its end. */
typedef struct range {
    _Alignas(CACHE_LINE) _Atomic int64_t taken;
} range;

struct hd_pool {
    _Alignas(CACHE_LINE) _Atomic uint64_t gate;
    range range[MOST_RANGES];
    _Alignas(CACHE_LINE) hd_task_fn fn; /* these four change only while the gate is shut and nobody inside */
    void *arg;
    int64_t tasks;
    int ranges;
    _Alignas(CACHE_LINE) _Atomic int sleepers;
    atomic_bool quit;
    pthread_mutex_t lock; /* guards going to sleep against being woken */
    pthread_cond_t wake;
    int threads, started;
    bool crowded; /* more threads than processors */
    worker *workers;
};

static _Thread_local int self;    /* number of this thread in its pool */
static _Thread_local bool in_job; /* running a task: a job inside a job runs on this thread alone */

int hd_pool_self(void) {
    return self;
}
int hd_pool_threads(const hd_pool *pool) {
    return pool->threads;
}

static void pause_cpu(void) {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#if defined(__aarch64__)
static uint64_t read_fpcr(void) {
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    return fpcr;
}
static void write_fpcr(uint64_t fpcr) {
    __asm__ volatile("msr fpcr, %0" : : "r"(fpcr));
}
#endif

hd_fp_state hd_fp_enter(void) {
    hd_fp_state state = {0, 0};
#if defined(__x86_64__)
    state.mxcsr = _mm_getcsr();
    _mm_setcsr(state.mxcsr | 0x8040u); /* flush to zero, denormals are zero */
#elif defined(__aarch64__)
    state.mxcsr = (unsigned)read_fpcr();
    write_fpcr(state.mxcsr | 1u << 24); /* FZ: both ways at once */
#endif
#ifdef HD_HAVE_OPENMP
    state.omp_threads = omp_get_max_threads();
    if (state.omp_threads != 1) omp_set_num_threads(1);
#endif
    return state;
}

void hd_fp_leave(hd_fp_state state) {
#if defined(__x86_64__)
    _mm_setcsr((_mm_getcsr() & ~0x8040u) | (state.mxcsr & 0x8040u));
#elif defined(__aarch64__)
    write_fpcr((read_fpcr() & ~(UINT64_C(1) << 24)) | (state.mxcsr & 1u << 24));
#endif
#ifdef HD_HAVE_OPENMP
    if (state.omp_threads != 1) omp_set_num_threads(state.omp_threads);
#endif
}

/* Neighbouring threads share a range where there are more threads than ranges. */
static void take_tasks(hd_pool *pool) {
    const int ranges = pool->ranges, own = ranges < pool->threads ? self * ranges / pool->threads : self;
    in_job = true;
    for (int i = 0; i < ranges; i++) {
        const int r = own + i < ranges ? own + i : own + i - ranges;
        const int64_t first = pool->tasks * r / ranges, last = pool->tasks * (r + 1) / ranges;
        _Atomic int64_t *taken = &pool->range[r].taken;
        while (atomic_load_explicit(taken, memory_order_relaxed) < last - first) {
            const int64_t task = first + atomic_fetch_add_explicit(taken, 1, memory_order_relaxed);
            if (task >= last) break;
            pool->fn(pool->arg, task);
        }
    }
    in_job = false;
}

static bool enter(hd_pool *pool, uint64_t *job) {
    uint64_t gate = atomic_load_explicit(&pool->gate, memory_order_acquire);
    while ((gate & OPEN) && gate / JOB != *job)
        if (atomic_compare_exchange_weak_explicit(&pool->gate, &gate, gate + 1, memory_order_acquire,
                                                  memory_order_acquire)) {
            *job = gate / JOB;
            return true;
        }
    return false;
}

static int64_t now_ns(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* True when there may be a new job; false after a while without. */
static bool spin(hd_pool *pool, uint64_t job) {
    int64_t end = 0;
    for (;;) {
        for (int i = 0; i < 64; i++) {
            uint64_t gate = atomic_load_explicit(&pool->gate, memory_order_relaxed);
            if ((gate & OPEN) && gate / JOB != job) return true;
            if (pool->crowded)
                sched_yield();
            else
                pause_cpu();
        }
        int64_t now = now_ns();
        if (end == 0)
            end = now + SPIN_NS;
        else if (now > end)
            return atomic_load(&pool->quit);
    }
}

/* The caller counts sleepers after it has opened the gate, we look at the gate after we have counted ourselves: one of
 * the two sees the other. */
static void sleep_until_job(hd_pool *pool, uint64_t job) {
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->sleepers, 1);
    for (;;) {
        uint64_t gate = atomic_load(&pool->gate);
        if (((gate & OPEN) && gate / JOB != job) || atomic_load(&pool->quit)) break;
        pthread_cond_wait(&pool->wake, &pool->lock);
    }
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->lock);
}

static void *work(void *arg) {
    worker *w = arg;
    hd_pool *pool = w->pool;
    uint64_t job = 0; /* the last one that was entered: jobs count from 1 */
    self = w->number;
    (void)hd_fp_enter();
    while (!atomic_load_explicit(&pool->quit, memory_order_relaxed)) {
        if (enter(pool, &job)) {
            take_tasks(pool);
            atomic_fetch_sub_explicit(&pool->gate, 1, memory_order_release);
        } else if (!spin(pool, job)) {
            sleep_until_job(pool, job);
        }
    }
    return NULL;
}

void hd_pool_run(hd_pool *pool, hd_task_fn fn, void *arg, int64_t tasks) {
    if (tasks <= 1 || pool->threads == 1 || in_job) {
        for (int64_t task = 0; task < tasks; task++) fn(arg, task);
        return;
    }
    pool->fn = fn;
    pool->arg = arg;
    pool->tasks = tasks;
    pool->ranges = pool->threads < MOST_RANGES ? pool->threads : MOST_RANGES;
    if (tasks < pool->ranges) pool->ranges = (int)tasks;
    for (int r = 0; r < pool->ranges; r++) atomic_store_explicit(&pool->range[r].taken, 0, memory_order_relaxed);
    uint64_t gate = atomic_load_explicit(&pool->gate, memory_order_relaxed);
    atomic_store(&pool->gate, (gate & ~(OPEN | INSIDE)) + JOB + OPEN);
    if (atomic_load(&pool->sleepers) > 0) {
        pthread_mutex_lock(&pool->lock);
        if (tasks - 1 < pool->threads - 1)
            for (int64_t i = 1; i < tasks; i++) pthread_cond_signal(&pool->wake);
        else
            pthread_cond_broadcast(&pool->wake);
        pthread_mutex_unlock(&pool->lock);
    }
    take_tasks(pool);
    gate = atomic_fetch_and_explicit(&pool->gate, ~OPEN, memory_order_acquire);
    for (int spins = 0; gate & INSIDE; spins++) {
        if (pool->crowded || spins > SPINS_BEFORE_YIELD)
            sched_yield(); /* who is inside may wait for this processor */
        else
            pause_cpu();
        gate = atomic_load_explicit(&pool->gate, memory_order_acquire);
    }
}

static hd_status start_workers(hd_pool *pool, hd_context *ctx) {
    for (int i = 1; i < pool->threads; i++) {
        worker *w = &pool->workers[i - 1];
        *w = (worker){.pool = pool, .number = i};
        if (pthread_create(&w->thread, NULL, work, w) != 0)
            return hd_fail(ctx, HD_E_MEMORY, "threads|the system gave %d of %d threads|Ask for fewer threads", i,
                           pool->threads);
        pool->started++;
    }
    return HD_OK;
}

hd_status hd_pool_new(hd_pool **out, hd_context *ctx, int threads) {
    *out = NULL;
    hd_pool *pool = hd_alloc(ctx, sizeof *pool);
    if (!pool) return HD_E_MEMORY;
    pool->threads = threads;
    pool->crowded = threads > hd_cpu_count();
    if (pthread_mutex_init(&pool->lock, NULL) != 0 || pthread_cond_init(&pool->wake, NULL) != 0) {
        hd_free(ctx, pool);
        return hd_fail_memory(ctx, sizeof *pool);
    }
    pool->workers = hd_alloc_n(ctx, (size_t)threads, sizeof *pool->workers);
    hd_status status = pool->workers ? start_workers(pool, ctx) : HD_E_MEMORY;
    if (status != HD_OK) {
        hd_pool_free(pool, ctx);
        return status;
    }
    *out = pool;
    return HD_OK;
}

void hd_pool_free(hd_pool *pool, hd_context *ctx) {
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->quit, true);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->started; i++) pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    hd_free(ctx, pool->workers);
    hd_free(ctx, pool);
}
