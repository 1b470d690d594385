/* im2col_body.h: pictures unrolled into the windows of a convolution, and back. A row is one point of the window, a
 * column one output pixel, so a row is made of pieces of the picture's rows. Compiled once per instruction set. */
#ifndef HD_CPU_IM2COL_BODY_H
#define HD_CPU_IM2COL_BODY_H
#include "backends/cpu/isa.h"

/* A piece of a row: output pixels of one line, a … b of it, of which lo … hi lie inside the picture. */
typedef struct piece {
    int64_t a, b, lo, hi;
    int64_t from; /* offset in the picture of pixel 0 of the line: pixel ow lies at from + ow · stride */
} piece;

/* Where window point (i, l) lies over line oh of the output. */
HD_INLINE piece piece_of(const hd_windows *g, int64_t i, int64_t l, int64_t oh, int64_t a, int64_t b) {
    const int64_t ih = oh * g->stride[0] - g->padding[0] + i * g->dilation[0];
    const int64_t left = l * g->dilation[1] - g->padding[1], step = g->stride[1];
    piece p = {a, b, a, a, ih * g->w + left};
    if (ih < 0 || ih >= g->h) return p;
    int64_t lo = left < 0 ? (-left + step - 1) / step : 0;
    int64_t hi = g->w > left ? (g->w - left + step - 1) / step : 0;
    lo = lo < a ? a : lo;
    hi = hi > b ? b : hi;
    if (lo < hi) p.lo = lo, p.hi = hi;
    return p;
}

/* Both write whole vectors: what is too much is written again by the next piece, or lies in the slack of the row. */
HD_INLINE float *zero_piece(float *to, int64_t n) {
    for (int64_t j = 0; j < n; j += HD_VL) vf_store(to + j, (vf){0});
    return to + n;
}
HD_INLINE float *copy_piece(float *to, const float *x, int64_t n, int64_t step) {
    int64_t j = 0;
    if (step == 1) {
        for (; j + HD_VL <= n; j += HD_VL) vf_store(to + j, vf_load(x + j));
        if (j < n) vf_store(to + j, vf_load_m(x + j, vm_first(n - j)));
    } else {
        for (; j < n; j++) to[j] = x[j * step];
    }
    return to + n;
}

/* Lines of x and of y are the same where the window has no edge to cross: a row is then one piece. */
HD_INLINE bool whole_rows(const hd_windows *g) {
    return g->r == 1 && g->s == 1 && g->oh == g->h && g->ow == g->w && g->stride[0] == 1 && g->stride[1] == 1;
}

static void im2col(float *to, int64_t ld, const hd_windows *g, const float *x, int64_t row0, int64_t rows, int64_t j0,
                   int64_t j1) {
    const int64_t points = g->r * g->s;
    for (int64_t q = 0; q < rows; q++, to += ld) {
        const int64_t c = (row0 + q) / points, i = (row0 + q) % points / g->s, l = (row0 + q) % g->s;
        const float *channel = x + c * g->h * g->w;
        float *at = to;
        if (whole_rows(g)) {
            (void)copy_piece(at, channel + j0, j1 - j0, 1);
            continue;
        }
        for (int64_t j = j0, oh = j0 / g->ow; j < j1; oh++) {
            const int64_t start = oh * g->ow, b = j1 - start < g->ow ? j1 - start : g->ow;
            const piece p = piece_of(g, i, l, oh, j - start, b);
            at = zero_piece(at, p.lo - p.a);
            at = copy_piece(at, channel + p.from + p.lo * g->stride[1], p.hi - p.lo, g->stride[1]);
            at = zero_piece(at, p.b - p.hi);
            j = start + b;
        }
    }
}

HD_INLINE void add_piece(float *x, const float *from, int64_t n, int64_t step) {
    int64_t j = 0;
    if (step == 1) {
        for (; j + HD_VL <= n; j += HD_VL) vf_store(x + j, vf_load(x + j) + vf_load(from + j));
        const vm m = vm_first(n - j);
        if (j < n) vf_store_m(x + j, vf_load_m(x + j, m) + vf_load_m(from + j, m), m);
    } else {
        for (; j < n; j++) x[j * step] += from[j];
    }
}

static void col2im(float *x, const hd_windows *g, const float *from, int64_t ld, int64_t row0, int64_t rows, int64_t j0,
                   int64_t j1) {
    const int64_t points = g->r * g->s;
    for (int64_t q = 0; q < rows; q++, from += ld) {
        const int64_t c = (row0 + q) / points, i = (row0 + q) % points / g->s, l = (row0 + q) % g->s;
        float *channel = x + c * g->h * g->w;
        for (int64_t j = j0, oh = j0 / g->ow; j < j1; oh++) {
            const int64_t start = oh * g->ow, b = j1 - start < g->ow ? j1 - start : g->ow;
            const piece p = piece_of(g, i, l, oh, j - start, b);
            if (p.lo < p.hi)
                add_piece(channel + p.from + p.lo * g->stride[1], from + start + p.lo - j0, p.hi - p.lo, g->stride[1]);
            j = start + b;
        }
    }
}
#endif
