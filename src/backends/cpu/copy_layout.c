/* copy_layout.c: the boxes of a change of layout. Every dimension is split by the blocks of both layouts; where blocks
 * do not divide it, it is taken in parts: whole outer blocks, then what is left by the next smaller ones. */
#include "backends/cpu/copy.h"
#include "base/status.h"
#include <string.h>

enum { SPLIT_LEVELS = 5, MOST_BOXES = 256 };

/* One dimension, innermost level first: `size` steps of `from` and `to` elements. The last level has no end. */
typedef struct split_dim {
    int levels;
    int64_t size[SPLIT_LEVELS], from[SPLIT_LEVELS], to[SPLIT_LEVELS];
} split_dim;

/* The levels of dimension d in one layout. */
static int layout_levels(const hd_layout *l, const hd_dims *dims, int d, int64_t size[4], int64_t stride[4]) {
    int64_t inner = 1, block[HD_MAX_DIMS];
    int n = 0;
    for (int i = 0; i < HD_MAX_DIMS; i++) block[i] = 1;
    for (int j = l->nblk - 1; j >= 0; j--) {
        if (l->idx[j] == d) size[n] = l->blk[j], stride[n++] = inner;
        block[l->idx[j]] *= l->blk[j];
        inner *= l->blk[j];
    }
    for (int p = dims->rank - 1; p >= 0; p--) {
        const int at = l->permuted ? l->perm[p] : p;
        if (at == d) break;
        inner *= (dims->dim[at] + block[at] - 1) / block[at];
    }
    size[n] = INT64_MAX;
    stride[n++] = inner;
    return n;
}

/* The common refinement of two splits; false when they do not fit into each other. */
static bool refine(split_dim *s, const hd_dims *dims, int d, const hd_layout *from, const hd_layout *to) {
    int64_t a[4], b[4], as[4], bs[4], done_a = 1, done_b = 1;
    const int na = layout_levels(from, dims, d, a, as), nb = layout_levels(to, dims, d, b, bs);
    int i = 0, j = 0;
    for (s->levels = 0; s->levels < SPLIT_LEVELS; s->levels++) {
        const int64_t left_a = i == na - 1 ? INT64_MAX : a[i] / done_a,
                      left_b = j == nb - 1 ? INT64_MAX : b[j] / done_b;
        const int64_t step = left_a < left_b ? left_a : left_b;
        s->size[s->levels] = step;
        s->from[s->levels] = as[i] * done_a;
        s->to[s->levels] = bs[j] * done_b;
        if (step == INT64_MAX) {
            s->levels++;
            return true;
        }
        if ((left_a != INT64_MAX && left_a % step) || (left_b != INT64_MAX && left_b % step)) return false;
        done_a *= step;
        done_b *= step;
        if (left_a == step) i++, done_a = 1;
        if (left_b == step) j++, done_b = 1;
    }
    return false;
}

typedef struct layout_walk {
    const hd_dims *dims;
    split_dim split[HD_MAX_DIMS];
    hd_copy *copy;
    int boxes;
} layout_walk;

/* Adds boxes for dimension d on: one for each level at which something of the dimension is left. */
static void layout_boxes(layout_walk *w, int d, const hd_copy_box *outer) {
    if (d == w->dims->rank) {
        w->boxes++;
        if (w->copy) hd_copy_add(w->copy, outer);
        return;
    }
    const split_dim *s = &w->split[d];
    int64_t left = w->dims->dim[d], unit = 1;
    hd_copy_box b = *outer;
    for (int l = 0; l < s->levels - 1; l++) unit *= s->size[l];
    for (int l = s->levels - 1; l >= 0; l--) {
        const int64_t count = left / unit;
        if (count > 0) {
            hd_copy_box part = b;
            part.axis[part.axes++] = (hd_copy_axis){count, s->from[l], s->to[l]};
            for (int inner = 0; inner < l; inner++)
                part.axis[part.axes++] = (hd_copy_axis){s->size[inner], s->from[inner], s->to[inner]};
            layout_boxes(w, d + 1, &part);
        }
        b.from += count * s->from[l];
        b.to += count * s->to[l];
        left -= count * unit;
        if (l > 0) unit /= s->size[l - 1];
    }
}

bool hd_copy_layouts(hd_copy **out, hd_arena *arena, size_t size, const hd_dims *joined, const hd_layout *folded_from,
                     const hd_layout *folded_to) {
    hd_layout parts_from = *folded_from, parts_to = *folded_to, *from = &parts_from, *to = &parts_to;
    hd_dims parts = *joined, *dims = &parts;
    layout_walk w = {.dims = dims};
    if (from->places && to->places && from->places != to->places) return false;
    if (!from->places && to->places && !hd_layout_is_plain(from)) return false;
    if (from->places && !to->places && !hd_layout_is_plain(to)) return false;
    hd_layout_unfold(from->places ? from : to, dims); /* plain order is plain in parts too */
    from->places = to->places = 0;
    int axes = 0;
    for (int d = 0; d < dims->rank; d++) {
        if (!refine(&w.split[d], dims, d, from, to)) return false;
        axes += w.split[d].levels;
    }
    if (axes > HD_COPY_AXES) return false;
    const hd_copy_box none = {.input = 0};
    layout_boxes(&w, 0, &none);
    if (w.boxes > MOST_BOXES) return false;
    if (!out) return true;
    *out = w.copy = hd_copy_new(arena, size, w.boxes);
    if (!w.copy) return true;
    layout_boxes(&w, 0, &none);
    w.copy->fill = hd_layout_count(to, dims) != hd_dims_count(dims);
    return true;
}
