/* gemm_plan.c: see gemm_plan.h. The numbers here were measured on Zen 4 (bench/kernel_bench.c); they decide bits and
 * speed, never correctness. */
#include "backends/cpu/gemm_blocks.h"

enum {
    DOT_ROWS = 4,           /* up to so many rows, packing B costs more than adding across lanes … */
    DOT_COLUMNS = 16,       /* … and for so few columns, when there is much to add */
    DOT_K = 256,            /* (much) */
    TASK_MACS = 1 << 20,    /* multiply-adds that pay a task */
    TASK_BYTES = 1 << 20,   /* or bytes read and written once */
    MOST_TASKS = 16,        /* a power of two, and so is what is chosen: two or four threads share it evenly */
    NOMINAL_THREADS = 8,    /* threads that tasks are made for; bits do not depend on how many there are */
    PACK_ROWS = 6,          /* packing a column of B costs as much as so many rows of products */
    PACK_A_COLUMNS = 96,    /* columns of C from which reading A in order pays its copy … */
    PACK_A_BYTES = 1 << 16, /* … when it does not lie in the first cache anyway */
    FAR_A_BYTES = 1 << 17,  /* of A from which its tiles are asked for */
    PACK_B_ROWS = 28,       /* rows of C from which the same holds for B … */
    PACK_B_BYTES = 1 << 18, /* … when it does not lie in the second cache */
    B_PANELS = 8,           /* of packed B at a time … */
    B_BYTES = 1 << 18       /* … and its bytes: a part of the second cache */
};

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}
static int64_t ceil_div(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

/* One column of C is a row of Cᵀ = Bᵀ Aᵀ, which fills vectors. */
static void swap_sides(hd_gemm_plan *p) {
    const hd_gemm_plan old = *p;
    p->swapped = true;
    p->n = old.m;
    p->m = 1;
    p->ra = 1;
    p->ca = old.bt ? 1 : old.ldb;
    p->bt = old.ra != 1;
    p->ldb = old.ra != 1 ? old.ra : old.ca;
    p->ldc = p->n;
}

/* Tasks: the grid that is done first, were there so many threads. Rows may be cut anywhere, columns at panels. */
static void cut_tasks(hd_gemm_plan *p) {
    const int64_t width = 2 * p->isa->lanes;
    const int64_t bytes = 4 * (p->m * p->k + p->k * p->n + p->m * p->n);
    int64_t want = p->m * p->n * p->k / TASK_MACS, best = INT64_MAX;
    if (want < bytes / TASK_BYTES) want = bytes / TASK_BYTES;
    const int64_t most = p->variant == HD_GEMM_MORE_TASKS ? 2 * MOST_TASKS : MOST_TASKS;
    want = least(want, MOST_TASKS);
    if (p->variant == HD_GEMM_MORE_TASKS) want = want > 1 ? 2 * want : 2;
    if (p->variant == HD_GEMM_FEWER_TASKS) want /= 2;
    p->panels = ceil_div(p->n, width);
    p->tasks_m = p->tasks_n = 1;
    for (int64_t tm = 1; tm <= most; tm *= 2)
        for (int64_t tn = 1; tm * tn <= most; tn *= 2) {
            if (tm * tn > 1 && (tm * tn > want || tm > p->m || tn > p->panels)) continue;
            const int64_t rows = ceil_div(p->m, tm), columns = ceil_div(p->panels, tn) * width;
            const int64_t cost = ceil_div(tm * tn, NOMINAL_THREADS) * columns * (rows + (p->pack_b ? PACK_ROWS : 0));
            if (cost < best) {
                best = cost;
                p->tasks_m = tm;
                p->tasks_n = tn;
            }
        }
    p->tasks = p->tasks_m * p->tasks_n;
}

/* Dot products, tiles with B in place, tiles with B packed. */
static void choose_way(hd_gemm_plan *p) {
    const bool few = p->m <= DOT_ROWS || (p->n <= DOT_COLUMNS && p->k >= DOT_K);
    p->dots = p->bt && p->ca == 1 && few;
    p->pack_b = !p->dots && (p->bt || (p->m >= PACK_B_ROWS && p->k * p->ldb * 4 > PACK_B_BYTES));
    p->kc = p->k > 0 ? ceil_div(p->k, ceil_div(p->k, p->isa->kc)) : 1; /* equal pieces */
    p->nc = least(B_PANELS, B_BYTES / 4 / p->kc / (2 * p->isa->lanes)) * (2 * p->isa->lanes);
    if (!p->pack_b && p->m <= DOT_ROWS && p->k * p->ldb * 4 > PACK_B_BYTES) p->kc = 16; /* along the rows of B */
}

void hd_gemm_plan_make(hd_gemm_plan *p, hd_isa isa) {
    const hd_gemm_isa *g = p->isa = p->pairs ? hd_gemm_pairs_of(isa) : hd_gemm_of(isa);
    if (hd_gemm_blocks_make(p) || p->pairs) return;
    if (p->n == 1 && p->ldc == 1 && p->m > 1) swap_sides(p);
    if (p->bt && (p->k == 1 && p->ldb == 1)) p->bt = false; /* a single row, whichever way one looks at it */
    choose_way(p);
    cut_tasks(p);
    const int64_t rows = ceil_div(p->m, p->tasks_m), tiles = ceil_div(rows, g->rows) * p->tasks_m;
    p->mr = tiles ? ceil_div(p->m, tiles) : 1;
    p->tiles = ceil_div(p->m, p->mr);
    const bool far = p->ra == 1 ? p->ca > HD_GEMM_PAGE : p->ra % HD_GEMM_PAGE == 0;
    p->pack_a =
        !p->alone && !p->dots && p->n >= PACK_A_COLUMNS && p->m > g->rows / 2 && far && p->m * p->k * 4 > PACK_A_BYTES;
    p->pack_tasks = p->pack_a ? least(p->tiles, 2 * p->tasks) : 0;
    p->scratch = p->pack_a ? (size_t)(p->tiles * p->mr * p->k) * sizeof(float) : 0;
    p->thread_scratch =
        p->pack_b ? (size_t)(least(p->kc, p->k) * least(p->nc, p->panels * 2 * g->lanes)) * sizeof(float) : 0;
    if (p->m * p->n == 0) p->tasks = p->pack_tasks = 0;
}

static hd_gemm_block block_of(const hd_gemm_plan *p, const hd_gemm_run *r) {
    return (hd_gemm_block){.m = p->m,
                           .n = p->n,
                           .k = p->k,
                           .a = p->swapped ? r->b : r->a,
                           .ra = p->ra,
                           .ca = p->ca,
                           .b = p->swapped ? r->a : r->b,
                           .ldb = p->ldb,
                           .bt = p->bt,
                           .c = r->c,
                           .ldc = p->ldc,
                           .add = r->add,
                           .bias = r->bias,
                           .bias_one = p->swapped,
                           .end = r->end,
                           .y = r->y,
                           .ldy = p->ldc,
                           .mr = p->mr,
                           .kc = p->kc,
                           .nc = p->nc,
                           .tiles = p->tiles,
                           .ask = !p->blocks && !p->pack_a && p->m * p->k * 4 > FAR_A_BYTES,
                           .odd = p->odd};
}

void hd_gemm_plan_pack(const hd_gemm_plan *p, const hd_gemm_run *r, int64_t task) {
    const hd_gemm_block g = block_of(p, r);
    if (p->blocks) {
        hd_gemm_blocks_pack(p, g, r, task);
        return;
    }
    p->isa->pack_a(r->scratch, &g, task * p->tiles / p->pack_tasks, (task + 1) * p->tiles / p->pack_tasks);
}

hd_gemm_part hd_gemm_plan_task(const hd_gemm_plan *p, int64_t task) {
    const int64_t width = 2 * p->isa->lanes, tm = task / p->tasks_n, tn = task % p->tasks_n;
    const int64_t i = tm * p->tiles / p->tasks_m * p->mr, j = tn * p->panels / p->tasks_n * width;
    return (hd_gemm_part){.i = i,
                          .rows = least(p->m, (tm + 1) * p->tiles / p->tasks_m * p->mr) - i,
                          .j = j,
                          .columns = least(p->n, (tn + 1) * p->panels / p->tasks_n * width) - j};
}

void hd_gemm_plan_run(const hd_gemm_plan *p, const hd_gemm_run *r, int64_t task) {
    hd_gemm_block g = block_of(p, r);
    if (p->blocks) {
        hd_gemm_blocks_run(p, g, r, task);
        return;
    }
    if (p->tasks > 1) {
        const hd_gemm_part t = hd_gemm_plan_task(p, task);
        g.tile0 = t.i / p->mr;
        g.m = t.rows;
        g.n = t.columns;
        g.a += t.i * g.ra;
        g.b += g.bt ? t.j * g.ldb : t.j;
        g.c += t.i * g.ldc + t.j;
        if (g.y) g.y += t.i * g.ldy + t.j;
        if (g.bias && !g.bias_one) g.bias += t.j;
    }
    if (p->pack_a) g.a_packed = r->scratch;
    if (p->pack_b) g.pack = r->thread_scratch;
    if (p->dots)
        p->isa->dots(&g);
    else
        p->isa->tiles(&g);
}

void hd_gemm_plan_part(const hd_gemm_plan *p, const hd_gemm_run *r, const hd_gemm_part *part, int64_t ld) {
    hd_gemm_block g = block_of(p, r);
    g.m = part->rows;
    g.n = part->columns;
    g.ldc = ld;
    g.a += part->i * g.ra;
    g.pack = r->thread_scratch;
    if (p->blocks) {
        g.b_packed = r->scratch;
        g.width = p->panels * 2 * p->isa->lanes;
        g.column = part->j;
        g.mc = p->mc;
        if (p->in_place) g.pack = NULL;
        p->isa->blocks(&g);
        return;
    }
    g.b += g.bt ? part->j * g.ldb : part->j;
    g.tile0 = part->i / p->mr;
    if (p->pack_a) g.a_packed = r->scratch;
    if (!p->pack_b) g.pack = NULL;
    p->isa->tiles(&g);
}
