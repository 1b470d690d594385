/* test_pool.c: every task exactly once, on any number of threads, hot and from sleep; floating-point state. */
#include "support.h"

#include "base/context.h"
#include "base/pool.h"
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { MOST = 1000 };

typedef struct job {
    _Atomic int runs[MOST];
    _Atomic int wrong_self;
    int threads;
    double values[MOST];
} job;

static void count_task(void *arg, int64_t task) {
    job *j = arg;
    atomic_fetch_add_explicit(&j->runs[task], 1, memory_order_relaxed);
    j->values[task] = (double)task; /* plain: the join must make it visible to the caller */
    if (hd_pool_self() < 0 || hd_pool_self() >= j->threads) atomic_fetch_add(&j->wrong_self, 1);
}

static void run_and_check(hd_pool *pool, job *j, int64_t tasks) {
    for (int64_t i = 0; i < MOST; i++) {
        atomic_store_explicit(&j->runs[i], 0, memory_order_relaxed);
        j->values[i] = -1;
    }
    hd_pool_run(pool, count_task, j, tasks);
    for (int64_t i = 0; i < MOST; i++) {
        if (atomic_load_explicit(&j->runs[i], memory_order_relaxed) != (i < tasks))
            fail_msg("%d threads, %lld tasks: task %lld ran %d times", j->threads, (long long)tasks, (long long)i,
                     j->runs[i]);
        assert_true(i < tasks ? j->values[i] == (double)i : j->values[i] == -1.0);
    }
    assert_int_equal(j->wrong_self, 0);
}

static void nap(long ms) {
    (void)nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void test_every_task_once(void **state) {
    (void)state;
    static const int threads[] = {1, 2, 3, 8};
    static const int64_t tasks[] = {0, 1, 2, 3, 7, 64, MOST};
    for (size_t t = 0; t < 4; t++) {
        hd_context *ctx = test_context(threads[t]);
        static job j;
        j.threads = threads[t];
        assert_int_equal(hd_pool_threads(ctx->pool), threads[t]);
        for (int round = 0; round < 50; round++)
            for (size_t k = 0; k < 7; k++) run_and_check(ctx->pool, &j, tasks[k]);
        for (int round = 0; round < 5; round++) { /* longer than a worker spins: from sleep */
            nap(3);
            run_and_check(ctx->pool, &j, tasks[2 + round]);
        }
        assert_int_equal(hd_pool_self(), 0);
        hd_context_free(ctx);
    }
}

static void add_task(void *arg, int64_t task) {
    ((int64_t *)arg)[task]++;
}

/* Many tiny jobs right after one another: a late worker of the last one must not touch the next one. */
static void test_many_small_jobs(void **state) {
    (void)state;
    static const int threads[] = {2, 3, 8};
    for (size_t t = 0; t < 3; t++) {
        hd_context *ctx = test_context(threads[t]);
        int64_t counts[2][4] = {{0}};
        enum { ROUNDS = 3000 };
        for (int i = 0; i < ROUNDS; i++) hd_pool_run(ctx->pool, add_task, counts[i % 2], 2 + i % 3);
        int64_t sum = 0;
        for (int i = 0; i < 8; i++) sum += counts[i / 4][i % 4];
        assert_int_equal(sum, ROUNDS / 3 * 9);
        hd_context_free(ctx);
    }
}

typedef struct nest {
    hd_pool *pool;
    _Atomic int inner;
} nest;

static void inner_task(void *arg, int64_t task) {
    (void)task;
    atomic_fetch_add(&((nest *)arg)->inner, 1);
}

static void outer_task(void *arg, int64_t task) {
    (void)task;
    hd_pool_run(((nest *)arg)->pool, inner_task, arg, 5);
}

static void test_job_inside_job(void **state) {
    (void)state;
    hd_context *ctx = test_context(3);
    nest n = {.pool = ctx->pool};
    hd_pool_run(ctx->pool, outer_task, &n, 20);
    assert_int_equal(n.inner, 100);
    hd_context_free(ctx);
}

static void multiply_task(void *arg, int64_t task) {
    volatile float tiny = 1e-38f, factor = 0.01f;
    ((float *)arg)[task] = tiny * factor;
}

/* A denormal product is zero in every worker, and in the caller between enter and leave. */
static void test_flush_to_zero(void **state) {
    (void)state;
#if defined(__x86_64__) || defined(__aarch64__)
    hd_context *ctx = test_context(4);
    static float out[MOST];
    float here;
    multiply_task(&here, 0);
    assert_true(here > 0.0f);
    for (int i = 0; i < MOST; i++) out[i] = 1;
    hd_fp_state before = hd_fp_enter();
    for (int round = 0; round < 20; round++) hd_pool_run(ctx->pool, multiply_task, out, MOST);
    for (int i = 0; i < MOST; i++) assert_true(out[i] == 0.0f);
    hd_fp_leave(before);
    multiply_task(&here, 0);
    assert_true(here > 0.0f);
    hd_context_free(ctx);
#else
    skip();
#endif
}

static void *run_own_pool(void *arg) {
    hd_context *ctx;
    if (hd_context_new(&ctx, &(hd_context_args){.threads = 3}) != HD_OK) return arg;
    int64_t counts[8] = {0};
    for (int i = 0; i < 2000; i++) hd_pool_run(ctx->pool, add_task, counts, 8);
    bool good = true;
    for (int i = 0; i < 8; i++) good = good && counts[i] == 2000;
    hd_context_free(ctx);
    return good ? NULL : arg;
}

static void test_two_pools(void **state) {
    (void)state;
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&threads[i], NULL, run_own_pool, threads), 0);
    for (int i = 0; i < 2; i++) {
        void *bad;
        pthread_join(threads[i], &bad);
        assert_null(bad);
    }
}

static void test_no_allocation(void **state) {
    (void)state;
    hd_context *ctx = test_context(2);
    int64_t counts[8] = {0};
    uint64_t calls = hd_context_memory(ctx).calls;
    for (int i = 0; i < 100; i++) hd_pool_run(ctx->pool, add_task, counts, 8);
    assert_int_equal(hd_context_memory(ctx).calls, calls);
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_task_once), cmocka_unit_test(test_many_small_jobs),
        cmocka_unit_test(test_job_inside_job),  cmocka_unit_test(test_flush_to_zero),
        cmocka_unit_test(test_two_pools),       cmocka_unit_test(test_no_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
