/* vec_attention.h: state of attention and its gradient: how they are cut into tasks and tiles. */
#ifndef HD_BACKENDS_CPU_VEC_ATTENTION_H
#define HD_BACKENDS_CPU_VEC_ATTENTION_H
#include "backends/cpu/vec.h"
#include "ops/attention_kit.h"
#include "ops/fused.h"

/* Rows of q and of k that a tile of scores has: it and what it is made of stay in the second cache. */
enum { HD_ATTENTION_ROWS = 64, HD_ATTENTION_COLUMNS = 128 };

typedef struct hd_vec_attention {
    hd_attention z;
    bool mask_of_bool;
    int mask; /* numbers of inputs; those of a mask and of dlse may be absent, or −1 */
    int k, v, y, lse, dy, dlse;
    int dk, dv; /* of outputs */
    bool grad;
    int64_t parts;  /* tasks of one matrix: its blocks of rows, shared out */
    int64_t packed; /* floats of a packed block of columns, or of all of them */
} hd_vec_attention;

/* Attention or its gradient in bf16; NULL where hd_gemm_pairs_of is. */
hd_vec_run hd_attention_half_run(bool grad);
#endif
