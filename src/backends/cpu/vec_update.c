/* vec_update.c: kernels of the optimiser steps: parameters and state in one pass, in place. The split into tasks is by
 * a fixed number of elements, so that one flat buffer is shared by all threads. */
#include "backends/cpu/vec_update.h"

/* Floats of a block of a gradient: half of the second cache, beside what the product reads. Rows of a tile in it where
 * one side is packed for all, and columns where each block packs its own. */
enum { BLOCK_FLOATS = 1 << 15, BLOCK_TILES = 2, BLOCK_COLUMNS = 256 };

/* Elements of a matrix and an outer product that stay in one core's cache from step to step, together with what the
 * optimiser keeps: cut in two they would travel from core to core. */
enum { UPDATE_OUTER_ALONE = 1 << 17 };

static const char *update_supports(const hd_kctx *k) {
    if (k->in[HD_UP_HYPER].dtype != HD_F64 || k->in[HD_UP_HYPER].count < HD_HYPER_COUNT) return "hyper is not f64 [5]";
    for (int i = 0; i < k->n_in; i++) {
        if (i == HD_UP_HYPER || !hd_vec_present(k, i)) continue;
        if (k->in[i].dtype != HD_F32) return "only for f32";
        if (i == HD_UP_ROW || (i == HD_UP_G && hd_vec_present(k, HD_UP_ROW))) continue;
        if (i != HD_UP_SCALE && !hd_dims_equal(&k->in[i].dims, &k->in[0].dims)) return "operands of different shapes";
    }
    return NULL;
}

/* The numbers of this run, once for all tasks. The state is the program's own, and this phase has one task. */
static void update_begin(void *exec, int64_t task) {
    const hd_exec *e = exec;
    hd_vec_update *s = (hd_vec_update *)(uintptr_t)e->state;
    (void)task;
    hd_optim_begin(s->kind, &s->args, e->in[HD_UP_HYPER], s->scale ? (double)*(const float *)e->in[HD_UP_SCALE] : 1,
                   &s->step);
}

/* ---- a gradient that is a product ---- */

static hd_gemm_run product_run(const hd_vec_update *s, const hd_exec *e) {
    char *scratch = hd_thread_scratch(e);
    return (hd_gemm_run){.a = e->in[HD_UP_G],
                         .b = e->in[HD_UP_ROW],
                         .c = (float *)(void *)(scratch + s->plan.thread_scratch),
                         .scratch = e->scratch,
                         .thread_scratch = scratch};
}

static void product_pack(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_update *s = e->state;
    const hd_gemm_run r = product_run(s, e);
    if (!s->step.idle) hd_gemm_plan_pack(&s->plan, &r, task);
}

/* Rows and columns of a block: whole tiles and panels. */
static void block_size(const hd_gemm_plan *p, int64_t *rows, int64_t *columns) {
    const int64_t width = 2 * p->isa->lanes, wanted = p->blocks ? BLOCK_TILES * p->mr : BLOCK_FLOATS / BLOCK_COLUMNS;
    *rows = hd_vec_min(wanted / p->mr * p->mr, p->tiles * p->mr);
    *columns = hd_vec_min(BLOCK_FLOATS / *rows / width * width, p->panels * width);
}

bool hd_update_next(const hd_exec *e, int64_t task, hd_update_block *b) {
    const hd_vec_update *s = e->state;
    int64_t rows, columns;
    block_size(&s->plan, &rows, &columns);
    hd_gemm_part t = hd_gemm_plan_task(&s->plan, task);
    const int64_t across = (t.columns + columns - 1) / columns, i = b->next / across * rows;
    const int64_t j = b->next % across * columns;
    if (i >= t.rows) return false;
    t = (hd_gemm_part){t.i + i, hd_vec_min(rows, t.rows - i), t.j + j, hd_vec_min(columns, t.columns - j)};
    const hd_gemm_run r = product_run(s, e);
    hd_gemm_plan_part(&s->plan, &r, &t, columns);
    *b = (hd_update_block){.g = r.c,
                           .ld = columns,
                           .first = t.i * s->row + t.j,
                           .rows = t.rows,
                           .columns = t.columns,
                           .next = b->next + 1};
    return true;
}

static hd_status product_prepare(hd_kctx *k, hd_vec_update *s, hd_prepared *out, hd_vec_run run) {
    const int64_t m = k->in[0].dims.dim[0], n = s->row;
    int64_t rows, columns;
    s->product = true;
    s->plan = (hd_gemm_plan){.m = m, .n = n, .k = k->in[HD_UP_ROW].count / n, .ra = 1, .ca = m, .ldb = n, .ldc = n};
    hd_gemm_plan_make(&s->plan, k->isa);
    if (s->plan.swapped || s->plan.dots || m * n == 0)
        return hd_fail(k->ctx, HD_E_UNSUPPORTED, "%s|a gradient of factors needs rows and columns", k->op->name);
    block_size(&s->plan, &rows, &columns);
    out->phase[1] = (hd_phase){product_pack, s->plan.pack_tasks};
    out->phase[s->plan.pack_tasks ? 2 : 1] = (hd_phase){run, s->plan.tasks};
    out->phases = s->plan.pack_tasks ? 3 : 2;
    out->scratch = s->plan.scratch;
    out->scratch_per_thread = s->plan.thread_scratch + (size_t)(rows * columns) * sizeof(float);
    return HD_OK;
}

/* ---- all of them ---- */

static hd_status update_prepare(hd_kctx *k, hd_prepared *out, hd_vec_run run) {
    hd_vec_update *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    s->kind = hd_optim_of(k->op);
    s->args = *(const hd_update_args *)k->attr;
    s->scale = hd_vec_present(k, HD_UP_SCALE);
    s->kept = hd_optim_keeps(s->kind, &s->args.o);
    s->split = hd_vec_split_of(hd_vec_count(&k->in[0]), HD_VEC_GRAIN_HEAVY);
    out->state = s;
    out->phase[0] = (hd_phase){update_begin, 1};
    if (hd_vec_present(k, HD_UP_ROW)) {
        if (!hd_layout_is_plain(&k->in[0].layout) && !k->in[0].layout.places)
            return hd_fail(k->ctx, HD_E_UNSUPPORTED, "%s|an outer product needs weights in plain order", k->op->name);
        s->row = k->in[0].dims.dim[1];
        if (k->in[HD_UP_G].count > k->in[0].dims.dim[0]) return product_prepare(k, s, out, run);
        s->split = hd_vec_split_rows(k->in[0].dims.dim[0], s->row,
                                     k->in[0].count > UPDATE_OUTER_ALONE ? HD_VEC_GRAIN_HEAVY : UPDATE_OUTER_ALONE);
    }
    out->phase[1] = (hd_phase){run, s->split.tasks};
    out->phases = 2;
    return HD_OK;
}

#define HD_OPTIMIZER(name_)                                                                                            \
    static hd_status prepare_##name_(hd_kctx *k, hd_prepared *out) {                                                   \
        return update_prepare(k, out, hd_vec_for(k->isa)->update_##name_);                                             \
    }                                                                                                                  \
    const hd_kernel hd_kernel_vec_##name_##_update = {.name = "cpu." #name_ "_update",                                 \
                                                      .op = #name_ "_update",                                          \
                                                      .flags = HD_K_ANY_LAYOUT,                                        \
                                                      .supports = update_supports,                                     \
                                                      .prepare = prepare_##name_};
#include "ops/optimizers.def"
#undef HD_OPTIMIZER
