/* gemm_blocks.c: see gemm_blocks.h. All of B is packed once for all tasks; each packs the rows of A that are its own,
 * unless they can be read in place. The numbers were measured on Zen 4 (bench/kernel_bench.c); they decide bits and
 * speed, never correctness. */
#include "backends/cpu/gemm_blocks.h"

enum {
    LEAST_MACS = 1 << 24, /* multiply-adds from which packing both sides and a barrier pay, … */
    LEAST_ROWS = 256,     /* … rows, columns and k */
    LEAST_SIDE = 64,
    FEW_STEPS = 256,        /* k up to which, and … */
    LEAST_TURNED = 1 << 21, /* … floats of A from which packing pays where rows of A are neighbours */
    MOST_B = 1 << 23,       /* floats of B: it is there twice */
    TASKS = 8,              /* a power of two: two or four threads share them evenly */
    MOST_TASKS = 32,        /* where each has … */
    LONG_TASK = 192,        /* … so many rows */
    TASK_TILES = 3,         /* tiles of rows of a task, at least: each task reads all of B */
    K_PIECE = 384,          /* of k at a time: a tile of A takes two thirds of the first cache */
    A_BYTES = 1 << 18,      /* of A packed at a time, and … */
    B_BYTES = 3 << 17,      /* … of B read again and again meanwhile: both in the second cache */
    ROW_COST = 5,           /* of packing an element of A in one more task, against … */
    COLUMN_COST = 1         /* … getting one of B from the third cache */
};

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}
static int64_t ceil_div(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

/* The grid of tasks that packs and reads least: eight, or more of rows alone. */
static void cut_tasks(hd_gemm_plan *p) {
    const int64_t most_m = p->m / (p->isa->rows * TASK_TILES);
    int64_t best = INT64_MAX;
    p->tasks_m = p->tasks_n = 1;
    for (int64_t tm = 1; tm <= TASKS && tm <= most_m; tm *= 2) {
        const int64_t tn = TASKS / tm, cost = ROW_COST * tn * p->m + COLUMN_COST * tm * p->n;
        if (tn > p->panels || cost >= best) continue;
        best = cost;
        p->tasks_m = tm;
        p->tasks_n = tn;
    }
    while (p->tasks_n == 1 && p->tasks_m < MOST_TASKS && p->m >= 2 * p->tasks_m * LONG_TASK) p->tasks_m *= 2;
    p->tasks = p->tasks_m * p->tasks_n;
}

bool hd_gemm_blocks_make(hd_gemm_plan *p) {
    const int64_t width = 2 * p->isa->lanes;
    if (p->alone || p->m < LEAST_ROWS || p->n < LEAST_SIDE || p->k < LEAST_SIDE || p->k * p->n > MOST_B) return false;
    if (p->m * p->n * p->k < LEAST_MACS) return false;
    if (!p->pairs && p->ra == 1 && p->k > FEW_STEPS && p->m * p->k < LEAST_TURNED) return false;
    p->blocks = true;
    p->dots = p->pack_a = p->pack_b = p->swapped = false;
    p->panels = ceil_div(p->n, width);
    cut_tasks(p);
    const int64_t tiles = ceil_div(ceil_div(p->m, p->tasks_m), p->isa->rows) * p->tasks_m;
    p->mr = ceil_div(p->m, tiles);
    p->tiles = ceil_div(p->m, p->mr);
    p->kc = ceil_div(p->k, ceil_div(p->k, K_PIECE));
    p->nc = B_BYTES / 4 / p->kc / width * width;
    const int64_t rows = ceil_div(p->tiles, p->tasks_m), most = A_BYTES / 4 / p->kc / p->mr;
    p->mc = ceil_div(rows, ceil_div(rows, most)) * p->mr;
    p->pack_tasks = least(p->panels, p->tasks);
    p->scratch = (size_t)(p->panels * width * p->k) * sizeof(float);
    p->in_place = p->ra != 1 && p->ra % HD_GEMM_PAGE != 0;
    p->thread_scratch = p->in_place ? 0 : (size_t)(p->mc * p->kc + p->isa->lanes) * sizeof(float);
    return true;
}

void hd_gemm_blocks_pack(const hd_gemm_plan *p, hd_gemm_block g, const hd_gemm_run *r, int64_t task) {
    g.b_packed = r->scratch;
    g.width = p->panels * 2 * p->isa->lanes;
    p->isa->pack_b(&g, task * p->panels / p->pack_tasks, (task + 1) * p->panels / p->pack_tasks);
}

void hd_gemm_blocks_run(const hd_gemm_plan *p, hd_gemm_block g, const hd_gemm_run *r, int64_t task) {
    const hd_gemm_part t = hd_gemm_plan_task(p, task);
    const int64_t i = t.i, j = t.j;
    g.m = t.rows;
    g.n = t.columns;
    g.a =
        p->pairs && g.ra == 1 ? (const float *)(const void *)((const uint16_t *)(const void *)g.a + i) : g.a + i * g.ra;
    g.c += i * g.ldc + j;
    if (g.y) g.y += i * g.ldy + j;
    if (g.bias) g.bias += j;
    g.b_packed = r->scratch;
    g.width = p->panels * 2 * p->isa->lanes;
    g.column = j;
    g.mc = p->mc;
    g.pack = p->in_place ? NULL : r->thread_scratch;
    g.a_sums = r->a_sums && j == 0 ? r->a_sums + i : NULL;
    p->isa->blocks(&g);
}
