/* gemm_blocks.h: how a large product is cut into tasks and blocks: a function of its shape and of the instruction set
 * alone. Part of gemm_plan.h. */
#ifndef HD_CPU_GEMM_BLOCKS_H
#define HD_CPU_GEMM_BLOCKS_H
#include "backends/cpu/gemm_plan.h"

/* Whether a plan, of which the shape is filled in, is for blocks; fills it in then. */
bool hd_gemm_blocks_make(hd_gemm_plan *plan);
void hd_gemm_blocks_pack(const hd_gemm_plan *plan, hd_gemm_block whole, const hd_gemm_run *run, int64_t task);
void hd_gemm_blocks_run(const hd_gemm_plan *plan, hd_gemm_block whole, const hd_gemm_run *run, int64_t task);
#endif
