/* fma_ceiling.h: how fast this machine can multiply and add at all. */
#ifndef HD_CLI_FMA_CEILING_H
#define HD_CLI_FMA_CEILING_H

/* GFLOP/s of fused multiply-adds in f32 held in registers, on `threads` threads at once, with the instruction set `isa`
 * ("avx512", "avx2", "generic", or "bf16": products of bf16 added up in f32). Takes about 100 ms. */
double ceiling_gflops(const char *isa, int threads);
#endif
