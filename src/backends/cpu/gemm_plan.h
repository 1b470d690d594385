/* gemm_plan.h: how a product is cut into tasks and blocks: a function of its shape and of the instruction set alone. */
#ifndef HD_CPU_GEMM_PLAN_H
#define HD_CPU_GEMM_PLAN_H
#include "backends/cpu/gemm.h"

/* Rows so many floats apart (4 KB, or a multiple) compete for the same places of the caches. */
enum { HD_GEMM_PAGE = 1024 };

/* Variants: numbers that stand in tuning tables. */
enum { HD_GEMM_FEWER_TASKS = 1, HD_GEMM_MORE_TASKS = 2, HD_GEMM_VARIANTS = 3 };

typedef struct hd_gemm_plan {
    /* the shape, filled in by the caller: C[m, n] = A(i, p) = a[i·ra + p·ca] times B(p, j) = b[p·ldb + j], or
     * b[j·ldb + p] when bt; C rows are ldc apart. ra or ca is 1. */
    int64_t m, n, k, ra, ca, ldb, ldc;
    bool bt;
    int variant; /* 0: the rule, or HD_GEMM_… */
    bool pairs;  /* of bf16, large ones alone: k, ra and ldb as hd_gemm_pairs_of says … */
    bool odd;    /* … and the last of k is half there */
    bool alone;  /* no packing in shared scratch: one of many products in a batch */
    /* what comes out */
    const hd_gemm_isa *isa;
    bool swapped; /* A and B have changed places, C is one row */
    bool dots, pack_a, pack_b;
    bool blocks;   /* a large one: gemm_blocks.h, … */
    bool in_place; /* … which reads A where it lies */
    int64_t mr, tiles, panels, kc, nc, mc;
    int64_t tasks_m, tasks_n, tasks; /* the grid of tasks over C */
    int64_t pack_tasks;              /* 0: A is read in place */
    size_t scratch, thread_scratch;  /* bytes */
} hd_gemm_plan;

/* What differs from run to run. */
typedef struct hd_gemm_run {
    const float *a, *b, *bias, *y; /* bias and y may be NULL; y lies as C does */
    float *c;
    float *a_sums; /* Σ of each row of A, of a plan in blocks; or NULL */
    hd_gemm_end end;
    bool add;
    void *scratch, *thread_scratch;
} hd_gemm_run;

void hd_gemm_plan_make(hd_gemm_plan *plan, hd_isa isa);
/* Copies a part of A, of a large product a part of B, into the scratch; all of these before any of the next. */
void hd_gemm_plan_pack(const hd_gemm_plan *plan, const hd_gemm_run *run, int64_t task);
void hd_gemm_plan_run(const hd_gemm_plan *plan, const hd_gemm_run *run, int64_t task);

/* A part of C: of all of it or, by hd_gemm_plan_task, what a task computes. Not of swapped sides or dot products. */
typedef struct hd_gemm_part {
    int64_t i, rows, j, columns;
} hd_gemm_part;
hd_gemm_part hd_gemm_plan_task(const hd_gemm_plan *plan, int64_t task);
/* Computes a part alone, to run->c with rows ld apart; it begins at a tile of its task and a panel. */
void hd_gemm_plan_part(const hd_gemm_plan *plan, const hd_gemm_run *run, const hd_gemm_part *part, int64_t ld);
#endif
