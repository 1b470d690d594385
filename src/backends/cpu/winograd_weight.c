/* winograd_weight.c: gradients of a convolution's weight and bias by Winograd's F(4×4, 3×3). Few channels: a group of
 * tiles is one task, its pixels and its sums stay in the core's own cache, the groups' sums are added in a tree. Many
 * channels: the sums are large and the tiles few, so a chunk of tiles is transformed, shared, and multiplied point by
 * point. Which it is, and every cut, follows from the shapes. */
#include "backends/cpu/winograd_plan.h"
#include <string.h>

/* Scratch: sums of the weights, one for each group; sums of the bias, one for each group or piece; of chunks also the
 * transformed pixels and dy. */
static float *sums_of(const hd_exec *e) {
    return (float *)(void *)e->scratch;
}
static int64_t bias_sums(const hd_wino_plan *p) {
    return !p->bias ? 0 : p->chunks ? p->chunks * p->pieces : p->groups;
}
static float *bias_of(const hd_wino_plan *p, const hd_exec *e, int64_t i) {
    return p->bias ? sums_of(e) + p->groups * p->du + i * p->k : NULL;
}
static float *shared_of(const hd_wino_plan *p, const hd_exec *e) {
    return sums_of(e) + p->groups * p->du + bias_sums(p) * p->k;
}

/* Pixels and dy of n tiles from `first` on, to place t among the transformed. */
static void transform(const hd_wino_plan *p, const hd_exec *e, float *v, float *db, int64_t first, int64_t n,
                      int64_t t) {
    p->isa->read(v + t * p->isa->block, &p->from, e->in[0], first, n);
    p->isa->spread(v + p->v + t * p->isa->block, db, &p->to, e->in[1], first, n);
}

static hd_wino_outer outer_of(const hd_wino_plan *p, const float *v, float *du, int64_t tiles, bool add) {
    return (hd_wino_outer){.v = v,
                           .z = v + p->v,
                           .du = du,
                           .tiles = tiles,
                           .room = p->from.room,
                           .v_point = p->from.point,
                           .z_point = p->to.point,
                           .blocks_c = p->from.blocks,
                           .c1 = p->from.blocks,
                           .k1 = p->to.blocks,
                           .point1 = HD_WINO_POINTS,
                           .add = add};
}

static void clear(const hd_wino_plan *p, float *db) {
    if (db) memset(db, 0, (size_t)p->k * sizeof *db);
}

/* Task: a group of tiles, piece by piece. */
static void run_group(void *exec, int64_t group) {
    const hd_exec *e = exec;
    const hd_wino_plan *p = e->state;
    const int64_t begin = group * p->tiles / p->groups, tiles = (group + 1) * p->tiles / p->groups - begin;
    float *v = hd_thread_scratch(e), *db = bias_of(p, e, group);
    clear(p, db);
    for (int64_t i = 0; i < p->pieces; i++) {
        const int64_t first = i * tiles / p->pieces, n = (i + 1) * tiles / p->pieces - first;
        transform(p, e, v, db, begin + first, n, 0);
        const hd_wino_outer o = outer_of(p, v, sums_of(e) + group * p->du, n, i > 0);
        p->isa->outer(&o);
    }
}

/* Even rounds: a piece of a chunk of tiles is transformed. Odd rounds: a part of a point's products. */
static void run_chunk(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_wino_plan *p = e->state;
    const int64_t chunk = e->round / 2, begin = chunk * p->tiles / p->chunks;
    const int64_t tiles = (chunk + 1) * p->tiles / p->chunks - begin;
    float *v = shared_of(p, e);
    if (e->round % 2 == 0) {
        if (task >= p->pieces) return;
        const int64_t first = task * tiles / p->pieces, n = (task + 1) * tiles / p->pieces - first;
        float *db = bias_of(p, e, chunk * p->pieces + task);
        clear(p, db);
        transform(p, e, v, db, begin + first, n, first);
        return;
    }
    if (task >= HD_WINO_POINTS * p->parts) return;
    hd_wino_outer o = outer_of(p, v, sums_of(e), tiles, chunk > 0);
    const int64_t part = task % p->parts, pairs = hd_wino_ceil(p->to.blocks, 2);
    o.point0 = task / p->parts;
    o.point1 = o.point0 + 1;
    o.k0 = 2 * (part * pairs / p->parts);
    o.k1 = hd_wino_least(2 * ((part + 1) * pairs / p->parts), p->to.blocks);
    p->isa->outer(&o);
}

/* Task: some blocks of the weight, and with the first block of a row of them the bias's. */
static int64_t gather_tasks(const hd_wino_plan *p) {
    return hd_wino_least(p->from.blocks * p->to.blocks, 64);
}
static void gather_bias(const hd_wino_plan *p, const hd_exec *e, int64_t block) {
    float *db = e->out[1];
    for (int64_t k = block * p->isa->block; k < (block + 1) * p->isa->block; k++) {
        double sum = 0;
        for (int64_t i = 0; i < bias_sums(p); i++) sum += (double)bias_of(p, e, i)[k];
        db[k] = (float)sum;
    }
}
static void run_gather(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_wino_plan *p = e->state;
    const int64_t blocks = p->from.blocks * p->to.blocks, tasks = gather_tasks(p);
    const int64_t taps = 9 * (int64_t)p->isa->block * p->isa->block;
    for (int64_t i = task * blocks / tasks; i < (task + 1) * blocks / tasks; i++) {
        p->isa->gather((float *)e->out[0] + i * taps, sums_of(e) + i * p->block, p->groups, p->du);
        if (p->bias && i % p->from.blocks == 0) gather_bias(p, e, i / p->from.blocks);
    }
}

static void wino_phases(const hd_wino_plan *p, hd_prepared *out) {
    const int64_t products = HD_WINO_POINTS * p->parts;
    int64_t floats = p->groups * p->du + bias_sums(p) * p->k;
    if (p->chunks) {
        out->rounds[out->phases] = 2 * p->chunks;
        out->phase[out->phases++] = (hd_phase){run_chunk, p->pieces > products ? p->pieces : products};
        floats += p->v + p->m;
    } else {
        out->phase[out->phases++] = (hd_phase){run_group, p->groups};
        out->scratch_per_thread = (size_t)(p->v + p->m) * sizeof(float);
    }
    out->phase[out->phases++] = (hd_phase){run_gather, gather_tasks(p)};
    out->scratch = (size_t)floats * sizeof(float);
}

HD_WINO_KERNEL(conv2d_grad_weight, HD_WINO_GRAD_WEIGHT)
HD_WINO_KERNEL(conv2d_grad_params, HD_WINO_GRAD_WEIGHT)
