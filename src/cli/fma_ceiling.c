/* fma_ceiling.c: owns the measurement that speeds are compared with: multiply-adds that touch no memory. Knows no
 * network. Each kernel keeps sixteen independent chains, more than latency × issue width of any processor so far (4 ×
 * 2). */
#include "cli/fma_ceiling.h"
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { CHAINS = 16, MOST_THREADS = 256 };
static const double SECONDS = 0.1, BURST = 2e-4;

typedef struct kernel {
    const char *isa;
    int width; /* floats of a vector */
    float (*run)(int64_t turns);
} kernel;

/* a stays below 1, so that the chains neither grow nor become denormal. */
#if defined(__x86_64__)
__attribute__((target("avx512f"))) static float run_avx512(int64_t turns) {
    __m512 x[CHAINS], a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(0.001f), sum = _mm512_setzero_ps();
    for (int i = 0; i < CHAINS; i++) x[i] = _mm512_set1_ps((float)i);
    for (int64_t t = 0; t < turns; t++)
#pragma GCC unroll 16
        for (int i = 0; i < CHAINS; i++) x[i] = _mm512_fmadd_ps(x[i], a, b);
    for (int i = 0; i < CHAINS; i++) sum = _mm512_add_ps(sum, x[i]);
    float out[16];
    _mm512_storeu_ps(out, sum);
    return out[0];
}

/* Two products of bf16 and two sums a lane, all of them 0. In assembler, because older compilers do not know the name.
 */
#define DOT(n) "vdpbf16ps %%zmm16, %%zmm16, %%zmm" #n "\n"
__attribute__((target("avx512f"))) static float run_bf16(int64_t turns) {
    __asm__ volatile("vpxord %%zmm16, %%zmm16, %%zmm16\n" ::: "xmm16");
    for (int64_t t = 0; t < turns; t++)
        __asm__ volatile(DOT(0) DOT(1) DOT(2) DOT(3) DOT(4) DOT(5) DOT(6) DOT(7) DOT(8) DOT(9) DOT(10) DOT(11) DOT(12)
                             DOT(13) DOT(14) DOT(15)::
                                 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                                   "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    return 0;
}

__attribute__((target("avx2,fma"))) static float run_avx2(int64_t turns) {
    enum { FEWER = 12 }; /* sixteen registers hold the chains and two constants */
    __m256 x[FEWER], a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(0.001f), sum = _mm256_setzero_ps();
    for (int i = 0; i < FEWER; i++) x[i] = _mm256_set1_ps((float)i);
    for (int64_t t = 0; t < turns; t++)
#pragma GCC unroll 12
        for (int i = 0; i < FEWER; i++) x[i] = _mm256_fmadd_ps(x[i], a, b);
    for (int i = 0; i < FEWER; i++) sum = _mm256_add_ps(sum, x[i]);
    float out[8];
    _mm256_storeu_ps(out, sum);
    return out[0];
}
#endif

static float run_generic(int64_t turns) {
    float x[CHAINS];
    for (int i = 0; i < CHAINS; i++) x[i] = (float)i;
    for (int64_t t = 0; t < turns; t++)
        for (int i = 0; i < CHAINS; i++) x[i] = x[i] * 0.999f + 0.001f;
    float sum = 0;
    for (int i = 0; i < CHAINS; i++) sum += x[i];
    return sum;
}

static const kernel kernels[] = {
#if defined(__x86_64__)
    {"bf16", 32 * CHAINS, run_bf16},
    {"avx512", 16 * CHAINS, run_avx512},
    {"avx2", 8 * 12, run_avx2},
#endif
    {"generic", CHAINS, run_generic},
};

static double seconds_now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct job {
    const kernel *kernel;
    pthread_t thread;
    double best; /* FLOP a second of the fastest burst */
    volatile float sink;
} job;

/* Bursts of about a fifth of a millisecond: the fastest is one in which nothing else ran on the processor. */
static void *work(void *argument) {
    job *j = argument;
    int64_t turns = 256;
    double begin = seconds_now(), now = begin;
    while (now - begin < SECONDS) {
        double before = seconds_now();
        j->sink = j->kernel->run(turns);
        now = seconds_now();
        double took = now - before, rate = took > 0 ? 2.0 * (double)turns * j->kernel->width / took : 0;
        if (took < BURST)
            turns *= 2;
        else if (rate > j->best)
            j->best = rate;
    }
    return NULL;
}

double ceiling_gflops(const char *isa, int threads) {
    job jobs[MOST_THREADS];
    const kernel *k = &kernels[sizeof kernels / sizeof *kernels - 1];
    double sum = 0;
    int started = 1;
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++)
        if (strcmp(kernels[i].isa, isa) == 0) k = &kernels[i];
    if (threads < 1 || threads > MOST_THREADS) threads = 1;
    for (int i = 0; i < threads; i++) jobs[i] = (job){.kernel = k};
    while (started < threads && pthread_create(&jobs[started].thread, NULL, work, &jobs[started]) == 0) started++;
    work(&jobs[0]);
    for (int i = 1; i < started; i++) (void)pthread_join(jobs[i].thread, NULL);
    for (int i = 0; i < started; i++) sum += jobs[i].best;
    return sum / 1e9;
}
