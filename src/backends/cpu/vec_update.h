/* vec_update.h: state of the optimiser kernels. */
#ifndef HD_BACKENDS_CPU_VEC_UPDATE_H
#define HD_BACKENDS_CPU_VEC_UPDATE_H
#include "backends/cpu/gemm_plan.h"
#include "backends/cpu/vec.h"
#include "ops/optim_kit.h"

typedef struct hd_vec_update {
    hd_vec_split split;
    const hd_optim *kind;
    hd_update_args args;
    unsigned kept; /* slots, by bits */
    bool scale;    /* a factor of the gradient is given */
    int64_t row;   /* elements of a row where the gradient is an outer product, and `split` counts rows; else 0 */
    bool product;  /* the gradient is a product of matrices, of which `plan` tells the tasks */
    hd_gemm_plan plan;
    hd_optim_step step; /* made by the first phase of each run */
} hd_vec_update;

/* A block of the gradient and where its weights lie: rows of `columns`, in the weights `row` apart. */
typedef struct hd_update_block {
    const float *g;
    int64_t ld, first, rows, columns;
    int64_t next; /* number of the block that comes then */
} hd_update_block;
/* Computes the next block of a task of a product into the thread's scratch, where the update finds it in its cache;
 * false: there is none left. */
bool hd_update_next(const hd_exec *e, int64_t task, hd_update_block *b);
#endif
