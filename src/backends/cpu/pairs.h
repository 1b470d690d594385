/* pairs.h: attention in bf16 with sums in f32, on processors that multiply pairs of bf16 (AVX-512 BF16). What an
 * operand holds for k and k + 1 is one word of 32 bits; packed words lie as the floats of gemm.h do. */
#ifndef HD_CPU_PAIRS_H
#define HD_CPU_PAIRS_H
#include "backends/cpu/vec.h"

typedef struct hd_pairs_isa {
    hd_vec_run attention, attention_grad; /* states as in vec_attention.h */
} hd_pairs_isa;

/* NULL where the processor does not multiply bf16. */
const hd_pairs_isa *hd_pairs_of(hd_isa isa);
#endif
