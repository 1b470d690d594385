/* ceiling.c: see ceiling.h. Each thread repeats a burst of work until the time is over, all having begun together; the
 * best burst of each counts, so that what else runs on the machine disturbs little. */
#include "ceiling.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef double (*burst_fn)(float *memory); /* returns FLOP or bytes done */

enum { CHAINS = 12, ROUNDS = 20000 };                     /* chains: latency 4 × 2 units < 12 */
enum { MEMORY_FLOATS = 1 << 24, BURST_FLOATS = 1 << 21 }; /* 64 MB a thread, 8 MB a burst */

/* CHAINS independent sums in registers. The empty statement keeps the compiler from merging rounds. */
#define FMA_BURST(name, vector, lanes, attribute)                                                                      \
    attribute static double name(float *memory) {                                                                      \
        (void)memory;                                                                                                  \
        vector x, y, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;                                                 \
        x = (vector){0} + 0.999f;                                                                                      \
        y = (vector){0} + 0.001f;                                                                                      \
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = s8 = s9 = s10 = s11 = y;                                               \
        for (int i = 0; i < ROUNDS; i++) {                                                                             \
            s0 = s0 * x + y, s1 = s1 * x + y, s2 = s2 * x + y, s3 = s3 * x + y;                                        \
            s4 = s4 * x + y, s5 = s5 * x + y, s6 = s6 * x + y, s7 = s7 * x + y;                                        \
            s8 = s8 * x + y, s9 = s9 * x + y, s10 = s10 * x + y, s11 = s11 * x + y;                                    \
            KEEP(s0, s1, s2, s3);                                                                                      \
            KEEP(s4, s5, s6, s7);                                                                                      \
            KEEP(s8, s9, s10, s11);                                                                                    \
        }                                                                                                              \
        return 2.0 * CHAINS * (lanes)*ROUNDS;                                                                          \
    }

typedef float v4 __attribute__((vector_size(16)));
#if defined(__x86_64__)
typedef float v8 __attribute__((vector_size(32)));
typedef float v16 __attribute__((vector_size(64)));
#define KEEP(a, b, c, d) __asm__ volatile("" : "+x"(a), "+x"(b), "+x"(c), "+x"(d))
FMA_BURST(fma_4, v4, 4, )
FMA_BURST(fma_8, v8, 8, __attribute__((target("avx2,fma"))))
#undef KEEP
#define KEEP(a, b, c, d) __asm__ volatile("" : "+v"(a), "+v"(b), "+v"(c), "+v"(d))
FMA_BURST(fma_16, v16, 16, __attribute__((target("avx512f,avx512vl,fma"))))

/* vdpbf16ps: two products and two sums a lane. As text, because not every compiler knows it by name. */
__attribute__((target("avx512f"))) static double bf16_burst(float *memory) {
    (void)memory;
    __asm__ volatile("mov %[n], %%eax\n"
                     "1:\n"
                     "vdpbf16ps %%zmm13, %%zmm12, %%zmm0\nvdpbf16ps %%zmm13, %%zmm12, %%zmm1\n"
                     "vdpbf16ps %%zmm13, %%zmm12, %%zmm2\nvdpbf16ps %%zmm13, %%zmm12, %%zmm3\n"
                     "vdpbf16ps %%zmm13, %%zmm12, %%zmm4\nvdpbf16ps %%zmm13, %%zmm12, %%zmm5\n"
                     "vdpbf16ps %%zmm13, %%zmm12, %%zmm6\nvdpbf16ps %%zmm13, %%zmm12, %%zmm7\n"
                     "vdpbf16ps %%zmm13, %%zmm12, %%zmm8\nvdpbf16ps %%zmm13, %%zmm12, %%zmm9\n"
                     "vdpbf16ps %%zmm13, %%zmm12, %%zmm10\nvdpbf16ps %%zmm13, %%zmm12, %%zmm11\n"
                     "dec %%eax\njnz 1b\n"
                     :
                     : [n] "i"(ROUNDS)
                     : "eax", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                       "xmm10", "xmm11", "xmm12", "xmm13");
    return 4.0 * CHAINS * 16 * ROUNDS;
}

static burst_fn f32_burst(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) return fma_16;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? fma_8 : fma_4;
}
static bool has_bf16(void) {
    unsigned a = 7, b, c = 1, d;
    if (!__builtin_cpu_supports("avx512f")) return false;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return a >> 5 & 1; /* leaf 7, subleaf 1, EAX bit 5: AVX512_BF16 (Intel's manual, volume 2, CPUID) */
}
#else
#define KEEP(a, b, c, d) __asm__ volatile("" : "+w"(a), "+w"(b), "+w"(c), "+w"(d))
#if !defined(__aarch64__)
#undef KEEP
#define KEEP(a, b, c, d) __asm__ volatile("" : : "r"(&a), "r"(&b), "r"(&c), "r"(&d) : "memory")
#endif
FMA_BURST(fma_4, v4, 4, )
static burst_fn f32_burst(void) {
    return fma_4;
}
static bool has_bf16(void) {
    return false;
}
static double bf16_burst(float *memory) {
    (void)memory;
    return 0;
}
#endif

/* Walks through the memory, burst after burst. */
static double memory_burst(float *memory) {
    static _Thread_local size_t at;
    float *y = memory + at, *x = y + MEMORY_FLOATS / 2;
    for (size_t i = 0; i < BURST_FLOATS; i++) y[i] = 0.5f * x[i] + y[i];
    at = (at + BURST_FLOATS) % (MEMORY_FLOATS / 2);
    return 12.0 * BURST_FLOATS;
}

static double now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct runner {
    pthread_t thread;
    burst_fn burst;
    float *memory; /* MEMORY_FLOATS */
    double seconds, best;
    atomic_int *waiting;
} runner;

static void *runner_main(void *arg) {
    runner *r = arg;
    atomic_fetch_sub(r->waiting, 1);
    while (atomic_load(r->waiting) > 0) {}
    for (double begin = now(), t = begin; t - begin < r->seconds;) {
        const double done = r->burst(r->memory), end = now();
        if (done / (end - t) > r->best) r->best = done / (end - t);
        t = end;
    }
    return NULL;
}

/* Rate of all threads together, 0 on failure. */
static double rate(burst_fn burst, runner *r, int threads, double seconds) {
    atomic_int waiting = threads;
    double sum = 0;
    int started = 0;
    for (; started < threads; started++) {
        r[started].burst = burst;
        r[started].seconds = seconds;
        r[started].best = 0;
        r[started].waiting = &waiting;
        if (pthread_create(&r[started].thread, NULL, runner_main, &r[started]) != 0) break;
    }
    if (started < threads) atomic_store(&waiting, 0); /* let go who waits */
    for (int i = 0; i < started; i++) {
        pthread_join(r[i].thread, NULL);
        sum += r[i].best;
    }
    return started == threads ? sum : 0;
}

bool ceiling_measure(ceiling *out, int threads, double seconds) {
    *out = (ceiling){.threads = threads};
    runner *r = threads > 0 ? calloc((size_t)threads, sizeof *r) : NULL;
    bool memory = r != NULL;
    for (int i = 0; memory && i < threads; i++) {
        r[i].memory = malloc(MEMORY_FLOATS * sizeof(float));
        for (size_t j = 0; r[i].memory && j < MEMORY_FLOATS; j++) r[i].memory[j] = 1; /* so that the pages exist */
        memory = r[i].memory != NULL;
    }
    if (r) {
        out->f32_one_thread = rate(f32_burst(), r, 1, seconds);
        out->f32_flops = rate(f32_burst(), r, threads, seconds);
        if (has_bf16()) out->bf16_flops = rate(bf16_burst, r, threads, seconds);
        if (memory) out->memory_bytes = rate(memory_burst, r, threads, seconds);
        for (int i = 0; i < threads; i++) free(r[i].memory);
    }
    free(r);
    return out->f32_flops > 0 && out->memory_bytes > 0;
}
