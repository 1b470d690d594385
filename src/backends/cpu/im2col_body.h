/* im2col_body.h: pictures unrolled into the windows of a convolution, and back. A row is one point of the window, a
 * column one output pixel, so a row is made of pieces of the picture's lines. Compiled once per instruction set. */
#ifndef HD_CPU_IM2COL_BODY_H
#define HD_CPU_IM2COL_BODY_H
#include "backends/cpu/isa.h"

/* One point of the window: its channel, and what of a line of the output it finds inside the picture. */
typedef struct window_point {
    int64_t offset; /* of the channel's plane */
    int64_t up;     /* line oh of the output sees line oh · stride + up of the picture */
    int64_t left;   /* pixel ow sees ow · stride + left */
    int64_t lo, hi; /* pixels lo ≤ ow < hi see the picture */
} window_point;

HD_INLINE window_point point_of(const hd_windows *g, int64_t row) {
    const int64_t points = g->r * g->s, step = g->stride[1];
    window_point p = {.offset = row / points * g->h * g->w,
                      .up = row % points / g->s * g->dilation[0] - g->padding[0],
                      .left = row % g->s * g->dilation[1] - g->padding[1]};
    p.lo = p.left < 0 ? (-p.left + step - 1) / step : 0;
    p.hi = g->w > p.left ? (g->w - p.left + step - 1) / step : 0;
    if (p.hi > g->ow) p.hi = g->ow;
    if (p.lo > p.hi) p.lo = p.hi;
    return p;
}

/* Writers put down whole vectors: what is too much is written again by the next piece, or lies in the slack of the row.
 */
HD_INLINE void zero_piece(float *to, int64_t n) {
    for (int64_t j = 0; j < n; j += HD_VL) vf_store(to + j, (vf){0});
}

/* Pixels a … b of a line, x being where pixel 0 is (or would be) seen. */
HD_INLINE void copy_piece(float *to, const float *x, int64_t a, int64_t b, const window_point *p, int64_t step) {
    const int64_t lo = p->lo < a ? a : p->lo > b ? b : p->lo, hi = p->hi < lo ? lo : p->hi > b ? b : p->hi;
#if HD_VL > 4
    if (step == 1) { /* lanes outside are not touched and read as zero */
        for (int64_t j = a; j < b; j += HD_VL, to += HD_VL)
            vf_store(to, j >= lo && j + HD_VL <= hi ? vf_load(x + j) : vf_load_m(x + j, vm_between(lo - j, hi - j)));
        return;
    }
#endif
    zero_piece(to, b - a);
    if (step == 1)
        for (int64_t j = lo; j < hi; j++) to[j - a] = x[j];
    else
        for (int64_t j = lo; j < hi; j++) to[j - a] = x[j * step];
}

/* Lines of x and of y are the same where the window has one point: a row is then one piece. */
HD_INLINE bool whole_rows(const hd_windows *g) {
    return g->r == 1 && g->s == 1 && g->oh == g->h && g->ow == g->w && g->stride[0] == 1 && g->stride[1] == 1;
}

static void im2col(float *to, int64_t ld, const hd_windows *g, const float *x, int64_t row0, int64_t rows, int64_t j0,
                   int64_t j1) {
    const int64_t first = j0 / g->ow;
    for (int64_t q = 0; q < rows; q++, to += ld) {
        const window_point p = point_of(g, row0 + q);
        if (whole_rows(g)) {
            const window_point all = {.lo = 0, .hi = j1};
            copy_piece(to, x + p.offset, j0, j1, &all, 1);
            continue;
        }
        float *at = to;
        for (int64_t oh = first, j = j0; j < j1; oh++) {
            const int64_t line = oh * g->ow, a = j - line, b = j1 - line < g->ow ? j1 - line : g->ow;
            const int64_t ih = oh * g->stride[0] + p.up;
            if (ih < 0 || ih >= g->h)
                zero_piece(at, b - a);
            else
                copy_piece(at, x + p.offset + ih * g->w + p.left, a, b, &p, g->stride[1]);
            at += b - a;
            j = line + b;
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
    const int64_t first = j0 / g->ow;
    for (int64_t q = 0; q < rows; q++, from += ld) {
        const window_point p = point_of(g, row0 + q);
        for (int64_t oh = first, j = j0; j < j1; oh++) {
            const int64_t line = oh * g->ow, a = j - line, b = j1 - line < g->ow ? j1 - line : g->ow;
            const int64_t ih = oh * g->stride[0] + p.up, lo = p.lo > a ? p.lo : a, hi = p.hi < b ? p.hi : b;
            if (ih >= 0 && ih < g->h && lo < hi)
                add_piece(x + p.offset + ih * g->w + p.left + lo * g->stride[1], from + line + lo - j0, hi - lo,
                          g->stride[1]);
            j = line + b;
        }
    }
}
#endif
