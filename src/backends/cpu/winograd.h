/* winograd.h: own convolution of 3×3 windows by Winograd's F(4×4, 3×3). What the plan (winograd_plan.c), the kernels
 * (winograd.c, winograd_weight.c) and the bodies (winograd_body.h) share.
 *
 * A tile of 4×4 results comes from 6×6 pixels: y = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ x B)] A, 36 products instead of 144, summed over
 * the channels before A. Point p = 6·i + j is one of the 36. The gradients are the transposed maps: of x, the same with
 * turned weights; of w, dw = Gᵀ [Σ over tiles of (Bᵀ x B) ⊙ (A dy Aᵀ)] G. Interpolation at 0, ±√½, ±√2, ∞: a third of
 * the error of 0, ±1, ±2, ∞. */
#ifndef HD_CPU_WINOGRAD_H
#define HD_CPU_WINOGRAD_H
#include "base/context.h"

enum { HD_WINO_POINTS = 36, HD_WINO_GAP = 16 }; /* gap: floats that keep places from competing */

/* Pictures in blocks of channels (nChw16c, nChw8c), and the tiles laid over them. */
typedef struct hd_wino_side {
    int64_t h, w, blocks; /* blocks of channels */
    int64_t pad;          /* tile (i, j) begins at pixel (4i − pad, 4j − pad) */
    int64_t th, tw;       /* tiles of a picture */
    int64_t room, point;  /* transformed: tiles that have room beside each other; floats from point to point */
    bool half;            /* pixels are bf16: widened and rounded on the way, all between is f32 */
} hd_wino_side;

/* Products of a piece of tiles and a panel of channels: m [point][room][width] = v [point][block][room][] · u [point][]
 * [width] */
typedef struct hd_wino_product {
    const float *v, *u;
    float *m;
    int64_t tiles, blocks; /* tiles of the piece; blocks of channels that are summed over */
    int64_t room, width;   /* width: channels of the panel, a vector or two */
    int64_t v_point;
} hd_wino_product;

/* What becomes of a panel's products. */
typedef struct hd_wino_end {
    const float *m;
    void *y;
    const float *z;    /* f32, is added; may be y; or NULL */
    const float *bias; /* of channel 0, or NULL */
    int64_t channel;   /* first of the panel */
    int64_t width;
    bool relu;
} hd_wino_end;

/* Parts of the weights: [k/block][c/block][3][3][block of c][block of k], of which panels of channels of the result. */
typedef struct hd_wino_weights {
    int64_t blocks_k, blocks_c;
    bool turned; /* gradient of the input: c is the result, k is summed over */
    bool half;   /* bf16 */
} hd_wino_weights;

/* Gradient of the weights, summed over tiles: du [k block][c block][point][c][k] (+)= Σ v [point][c block][tile][] · z
 * [point][k block][tile][]. Blocks of channels and points from … to. */
typedef struct hd_wino_outer {
    const float *v, *z;
    float *du;
    int64_t tiles, room, v_point, z_point;
    int64_t blocks_c;       /* of all c: blocks of one k block in du */
    int64_t c0, c1, k0, k1; /* blocks */
    int64_t point0, point1;
    bool add;
} hd_wino_outer;

typedef struct hd_wino_isa {
    int lanes, block, rows; /* floats of a vector; channels of a block; tiles that a product takes at once */
    /* v [point][block][room][] = Bᵀ x B of n tiles from `first` on. */
    void (*read)(float *v, const hd_wino_side *s, const void *x, int64_t first, int64_t n);
    void (*product)(const hd_wino_product *p);
    void (*write)(const hd_wino_end *e, const hd_wino_side *s, int64_t first, int64_t n);
    /* u [point][summed channel][width] of a panel: the blocks b0 … b1 of summed channels. */
    void (*weights)(float *u, const hd_wino_weights *g, const void *w, int64_t channel, int64_t width, int64_t b0,
                    int64_t b1);
    /* z [point][block][room][] = A dy Aᵀ of n tiles from `first` on; db [channels] += their sums, unless NULL. */
    void (*spread)(float *z, float *db, const hd_wino_side *s, const void *dy, int64_t first, int64_t n);
    void (*outer)(const hd_wino_outer *o);
    /* dw of one block: Gᵀ [Σ of `groups` of du, `step` floats apart, in a tree] G; du is changed. */
    void (*gather)(float *dw, float *du, int64_t groups, int64_t step);
} hd_wino_isa;

/* Floats of a block of du. */
static inline int64_t hd_wino_block(const hd_wino_isa *isa) {
    return HD_WINO_POINTS * (int64_t)isa->block * isa->block + HD_WINO_GAP;
}

extern const hd_wino_isa hd_wino_avx512, hd_wino_avx2, hd_wino_generic;
const hd_wino_isa *hd_wino_of(hd_isa isa);
#endif
