/* vec_cast_pairs.c: weights of convolutions from f32 in blocks of 16×16 to bf16 in pairs, as products of bf16 take
 * them: the cast and the change of layout in one pass. Pairs run along the input channels (forward) or along the output
 * channels (gradient of the input). Knows no convolution. */
#include "backends/cpu/vec.h"

enum { BLOCK = 16, PAIRED = BLOCK * BLOCK };

typedef struct pairs_state {
    hd_vec_split split;       /* of blocks */
    int64_t size[4], step[4]; /* outer extents as they lie in f32; elements of the result from one to the next */
    bool along_out;           /* pairs of output channels */
    hd_vec_cast_tile fn;
} pairs_state;

static void pairs_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const pairs_state *s = e->state;
    const int64_t end = hd_vec_min((task + 1) * s->split.chunk, s->split.n);
    for (int64_t block = task * s->split.chunk; block < end; block++) {
        int64_t left = block, at = 0;
        for (int d = 3; d >= 0; d--) {
            at += left % s->size[d] * s->step[d];
            left /= s->size[d];
        }
        s->fn((uint16_t *)e->out[0] + at, (const float *)e->in[0] + block * PAIRED, s->along_out);
    }
}

static bool is_blocks(const hd_layout *l) {
    return l->nblk == 2 && !l->permuted && l->idx[0] == 1 && l->idx[1] == 0 && l->blk[0] == BLOCK && l->blk[1] == BLOCK;
}

/* 8i16o2i, or 8o16i2o. */
static bool is_pairs(const hd_layout *l) {
    return l->nblk == 3 && l->idx[0] < 2 && l->idx[1] == 1 - l->idx[0] && l->idx[2] == l->idx[0] &&
           l->blk[0] == BLOCK / 2 && l->blk[1] == BLOCK && l->blk[2] == 2;
}

static const char *pairs_supports(const hd_kctx *k) {
    if (k->in[0].dtype != HD_F32 || k->out[0].dtype != HD_BF16) return "only from f32 to bf16";
    if (k->in[0].dims.rank != 4 || k->in[0].count == 0) return "only for weights of convolutions";
    return is_blocks(&k->in[0].layout) && is_pairs(&k->out[0].layout) ? NULL : "only from blocks to pairs";
}

static hd_status pairs_prepare(hd_kctx *k, hd_prepared *out) {
    pairs_state *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    const hd_layout *l = &k->out[0].layout;
    int64_t blocks = 1;
    for (int d = 0; d < 4; d++) s->size[d] = d < 2 ? (k->in[0].dims.dim[d] + BLOCK - 1) / BLOCK : k->in[0].dims.dim[d];
    for (int i = 3; i >= 0; i--) {
        const int d = l->permuted ? l->perm[i] : i;
        s->step[d] = blocks * PAIRED;
        blocks *= s->size[d];
    }
    s->along_out = l->idx[0] == 0;
    s->fn = hd_vec_for(k->isa)->cast_pairs;
    s->split = hd_vec_split_rows(blocks, PAIRED, HD_VEC_GRAIN);
    return hd_vec_one_phase(out, s, pairs_run, s->split.tasks);
}

const hd_kernel hd_kernel_vec_cast_pairs = {
    .name = "cpu.cast.bf16",
    .op = "cast",
    .flags = HD_K_BF16,
    .supports = pairs_supports,
    .prepare = pairs_prepare,
};
