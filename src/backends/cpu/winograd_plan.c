/* winograd_plan.c: which convolutions the own Winograd kernels take, and how they are cut. The rules come from
 * measurements, docs/performance.md. */
#include "backends/cpu/winograd_plan.h"
#include "base/cpu.h"
#include "base/status.h"
#include "hadal/program.h"
#include "ops/fused.h"
#include <string.h>

enum {
    LEAST_CHANNELS = 256,
    MOST_CHANNELS = 1 << 21,  /* input times output: 300 MB of transformed weights */
    LEAST_TILES_KEPT = 12,    /* where they are transformed once, reading them is most of the work */
    LEAST_TILES = 24,         /* below, transforming the weights is most of the work */
    LEAST_TILES_HALF = 96,    /* the same where the library multiplies bf16 directly, at twice the rate */
    MOST_ROWS = 4,            /* groups of tiles that one product takes, in a piece */
    PIECE_FLOATS = 160 << 10, /* transformed pixels of a piece: with the sums they fit the second cache */
    ENOUGH_TASKS = 32,
    MOST_GROUPS = 16,    /* of tiles, gradient of the weights: each has sums of its own … */
    MOST_SUMS = 5 << 20, /* … and this many floats hold them all */
    LEAST_GROUPS = 8,
    OUTER_FLOATS = 300 << 10, /* transformed pixels and dy of a piece */
    CHUNK_FLOATS = 6 << 20,   /* of a chunk: a part of the third cache */
    CHUNK_PIECE = 32,         /* tiles that a task transforms */
    OUTER_PARTS = 4
};

const hd_wino_isa *hd_wino_of(hd_isa isa) {
#if defined(__x86_64__)
    if (isa == HD_ISA_AVX512) return &hd_wino_avx512;
    if (isa == HD_ISA_AVX2) return &hd_wino_avx2;
#endif
    (void)isa;
    return &hd_wino_generic;
}

static bool present(const hd_kctx *k, int in) {
    return in < k->n_in && k->in[in].dims.rank >= 0;
}

/* What the options of both kinds have in common. */
typedef struct window {
    const int64_t *stride, *padding, *dilation, *extra;
    int64_t groups, act;
} window;

static window window_of(const hd_kctx *k, hd_wino_direction direction) {
    if (k->op == &hd_op_conv2d_add) {
        const hd_conv2d_add_args *a = k->attr;
        return (window){a->stride, a->padding, a->dilation, a->padding_extra, a->groups, a->act};
    }
    if (direction == HD_WINO_FORWARD) {
        const hd_conv2d_args *a = k->attr;
        return (window){a->stride, a->padding, a->dilation, a->padding_extra, a->groups, a->act};
    }
    const hd_conv2d_grad_args *a = k->attr;
    return (window){a->stride, a->padding, a->dilation, a->padding_extra, a->groups, HD_ACT_NONE};
}

static const char *window_refuses(const window *g) {
    if (g->groups != 1) return "only without groups";
    for (int i = 0; i < 2; i++)
        if (g->stride[i] != 1 || g->dilation[i] != 1 || g->padding[i] != g->padding[0] || g->padding[i] < 0 ||
            g->padding[i] > 1 || g->extra[i])
            return "only for stride 1, dilation 1, padding 0 or 1";
    if (g->act != HD_ACT_NONE && g->act != HD_ACT_RELU) return "applies no activation but relu";
    return NULL;
}

static hd_wino_side side_of(int64_t h, int64_t w, int64_t channels, int64_t block) {
    return (hd_wino_side){.h = h, .w = w, .blocks = channels / block};
}

/* The two that are multiplied are both f32 or, where the machine and a library multiply it, bf16; then the result may
 * be either, a weight's gradient f32. Elsewhere precision bf16 is emulated as a whole. */
static bool dtypes_fit(const hd_kctx *k, hd_dtype result, hd_dtype a, hd_dtype b, bool weight) {
    if (a == HD_F32 && b == HD_F32) return result == HD_F32;
    if (a != HD_BF16 || b != HD_BF16 || !hd_cpu_bf16(k->isa) || !hd_precision_native(k->ctx, "bf16")) return false;
    return result == HD_F32 || (result == HD_BF16 && !weight);
}

static const char *read_shapes(hd_wino_plan *p, const hd_kctx *k, hd_wino_direction direction) {
    const bool weight = direction == HD_WINO_GRAD_WEIGHT;
    const hd_operand *x = direction == HD_WINO_GRAD_INPUT ? &k->out[0] : &k->in[0];
    const hd_operand *w = weight ? &k->out[0] : &k->in[1];
    const hd_operand *y = direction == HD_WINO_FORWARD ? &k->out[0] : weight ? &k->in[1] : &k->in[0];
    const window g = window_of(k, direction);
    if (!dtypes_fit(k, k->out[0].dtype, k->in[0].dtype, k->in[1].dtype, weight))
        return "only for f32, and for bf16 where the machine has it";
    if (direction == HD_WINO_FORWARD && present(k, 2) && k->in[2].dtype != HD_F32) return "adds a bias of f32 only";
    if (k->exact) return "exact kernels were asked for";
    if (w->dims.dim[2] != 3 || w->dims.dim[3] != 3) return "only for 3x3 windows";
    const char *reason = window_refuses(&g);
    if (reason) return reason;
    memset(p, 0, sizeof *p);
    p->isa = hd_wino_of(k->isa);
    p->direction = direction;
    p->bias = direction == HD_WINO_FORWARD ? present(k, 2) : k->n_out > 1;
    p->relu = g.act == HD_ACT_RELU;
    p->add = k->op == &hd_op_conv2d_add;
    p->n = x->dims.dim[0], p->c = x->dims.dim[1], p->h = x->dims.dim[2], p->w = x->dims.dim[3];
    p->k = w->dims.dim[0], p->oh = y->dims.dim[2], p->ow = y->dims.dim[3];
    if (p->c % p->isa->block || p->k % p->isa->block) return "only for channels that fill blocks";
    if (p->c * p->k < LEAST_CHANNELS) return "pays from 16 times 16 channels";
    if (p->c > MOST_CHANNELS / p->k) return "transformed weights would take too much memory";
    if (x->count <= 0 || y->count <= 0 || w->count <= 0) return "nothing to do";
    p->from = side_of(p->h, p->w, p->c, p->isa->block);
    p->to = side_of(p->oh, p->ow, p->k, p->isa->block);
    p->from.pad = g.padding[0];
    p->from.half = x->dtype == HD_BF16, p->to.half = y->dtype == HD_BF16;
    p->half = w->dtype == HD_BF16;
    p->summed = p->c, p->channels = p->k;
    if (direction != HD_WINO_GRAD_INPUT) return NULL;
    const hd_wino_side x_side = p->from;
    p->from = p->to, p->to = x_side;
    p->from.pad = 2 - g.padding[0], p->to.pad = 0;
    p->summed = p->k, p->channels = p->c;
    return NULL;
}

static void lay_tiles(hd_wino_plan *p) {
    p->from.th = p->to.th = hd_wino_ceil(p->to.h, 4);
    p->from.tw = p->to.tw = hd_wino_ceil(p->to.w, 4);
    p->tiles = p->n * p->to.th * p->to.tw;
}

/* Pieces of the tiles so large that weights are read seldom and so small that a piece stays in the second cache; where
 * they are too few for many processors, each is done in parts of the panels, which transform the pixels again. */
static void cut(hd_wino_plan *p) {
    const int64_t rows = p->isa->rows;
    int64_t most = PIECE_FLOATS / (HD_WINO_POINTS * p->summed) / rows;
    most = most < 2 ? 2 : hd_wino_least(most, MOST_ROWS);
    p->pieces = hd_wino_ceil(p->tiles, most * rows);
    p->from.room = p->to.room = hd_wino_ceil(p->tiles, p->pieces);
    p->panel = 2 * p->isa->lanes;
    p->panels = hd_wino_ceil(p->channels, p->panel);
    const int64_t parts = hd_wino_least(hd_wino_ceil(ENOUGH_TASKS, p->pieces), p->channels / 128);
    p->parts = hd_wino_least(parts < 1 ? 1 : parts, p->panels);
    p->slices = hd_wino_least(p->summed / p->isa->block, 4);
    p->from.point = p->from.room * p->summed + HD_WINO_GAP;
    p->u = HD_WINO_POINTS * p->summed * p->channels;
    p->v = HD_WINO_POINTS * p->from.point;
    p->m = HD_WINO_POINTS * p->to.room * p->panel;
}

/* Sums of a group's own cost memory for every group, the transformed pixels of all tiles for every tile. */
static void cut_weight(hd_wino_plan *p) {
    const int64_t both = HD_WINO_POINTS * (p->c + p->k), most = OUTER_FLOATS / both;
    p->block = hd_wino_block(p->isa);
    p->du = p->block * p->from.blocks * p->to.blocks;
    p->groups = hd_wino_least(hd_wino_least(MOST_SUMS / p->du, MOST_GROUPS), p->tiles / CHUNK_PIECE);
    if (p->groups < 1) p->groups = 1;
    const bool own = p->tiles * (p->c + p->k) > p->groups * p->c * p->k;
    p->parts = hd_wino_least(OUTER_PARTS, hd_wino_ceil(p->to.blocks, 2));
    if (own && (p->groups >= LEAST_GROUPS || p->du < MOST_SUMS / LEAST_GROUPS)) {
        const int64_t group = hd_wino_ceil(p->tiles, p->groups), room = most < CHUNK_PIECE ? CHUNK_PIECE : most;
        p->pieces = hd_wino_ceil(group, room);
        p->from.room = hd_wino_ceil(group, p->pieces);
    } else {
        p->groups = 1;
        p->chunks = hd_wino_ceil(p->tiles, CHUNK_FLOATS / both);
        p->from.room = hd_wino_ceil(p->tiles, p->chunks);
        p->pieces = hd_wino_ceil(p->from.room, CHUNK_PIECE);
    }
    p->to.room = p->from.room;
    p->from.point = p->from.room * p->c + HD_WINO_GAP;
    p->to.point = p->to.room * p->k + HD_WINO_GAP;
    p->v = HD_WINO_POINTS * p->from.point;
    p->m = HD_WINO_POINTS * p->to.point;
}

const char *hd_wino_plan_make(hd_wino_plan *p, const hd_kctx *k, hd_wino_direction direction) {
    const char *reason = read_shapes(p, k, direction);
    if (reason) return reason;
    lay_tiles(p);
    if (2 * p->n * p->to.h * p->to.w < 16 * p->tiles) return "tiles of 4x4 would be less than half full";
    const bool direct = p->half && direction != HD_WINO_GRAD_WEIGHT;
    const int64_t least = k->inference ? LEAST_TILES_KEPT : direct ? LEAST_TILES_HALF : LEAST_TILES;
    if (p->tiles < least) return "too few tiles to transform the weights for";
    if (direction == HD_WINO_GRAD_WEIGHT)
        cut_weight(p);
    else
        cut(p);
    return NULL;
}

/* An operand that only gives a shape is named in the layout of what has that shape. */
void hd_wino_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out, hd_wino_direction direction) {
    hd_wino_plan p;
    if (hd_wino_plan_make(&p, k, direction)) return;
    const uint8_t block = (uint8_t)p.isa->block;
    const hd_layout picture = {.nblk = 1, .idx = {1}, .blk = {block}};
    const hd_layout weight = {.nblk = 2, .idx = {1, 0}, .blk = {block, block}};
    in[0] = in[1] = out[0] = picture;
    if (direction == HD_WINO_GRAD_WEIGHT)
        in[2] = out[0] = weight;
    else
        in[1] = weight;
    if (direction == HD_WINO_GRAD_INPUT && k->n_in > 2) in[2] = picture;
    if (k->op == &hd_op_conv2d_add) in[3] = picture;
}

hd_status hd_wino_prepare(hd_kctx *k, hd_prepared *out, hd_wino_direction direction,
                          void (*phases)(const hd_wino_plan *p, hd_prepared *out)) {
    hd_wino_plan *p = hd_arena_alloc(k->arena, sizeof *p);
    if (!p) return HD_E_MEMORY;
    const char *reason = hd_wino_plan_make(p, k, direction);
    if (reason) return hd_fail(k->ctx, HD_E_UNSUPPORTED, "%s|%s", k->op->name, reason);
    out->state = p;
    phases(p, out);
    return HD_OK;
}
