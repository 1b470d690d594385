/* ceiling.h: what this machine can do at most, measured: arithmetic in registers, and memory. Shares of these are what
 * the benches print. Knows nothing of the library. */
#ifndef HD_BENCH_CEILING_H
#define HD_BENCH_CEILING_H
#include <stdbool.h>

typedef struct ceiling {
    int threads;
    double f32_flops;      /* fused multiply-adds in registers, all threads together; FLOP a second */
    double bf16_flops;     /* the same for products of bf16 pairs summed in f32; 0: the processor has none */
    double memory_bytes;   /* y = a·x + y over arrays far larger than the caches, read and written bytes a second */
    double f32_one_thread; /* f32_flops of one thread alone */
} ceiling;

/* Keeps `threads` processors busy for about 4 × seconds. False when threads cannot be started or memory is short; what
 * could not be measured is 0. */
bool ceiling_measure(ceiling *out, int threads, double seconds);
#endif
