/* copy.h: copies of boxes of elements between strided places: what transposing, slicing, joining, padding and changes
 * of layout are made of. Knows no op. */
#ifndef HD_BACKENDS_CPU_COPY_H
#define HD_BACKENDS_CPU_COPY_H
#include "compile/kernel.h"

enum { HD_COPY_AXES = 16 };

/* y[i·ys + j] = x[j·xs + i] for i < n, j < m: 4-byte elements, rows become columns. */
typedef void (*hd_turn_fn)(float *y, int64_t ys, const float *x, int64_t xs, int64_t n, int64_t m);

typedef struct hd_copy_axis {
    int64_t size, from, to; /* elements; from and to are the strides */
} hd_copy_axis;

/* A box of elements of input `input`. After hd_copy_add the last axis is the innermost of the result, and the one
 * before it, where there is one that lies closer in the source, is copied with it in tiles. */
typedef struct hd_copy_box {
    int input, axes;
    int64_t from, to; /* first elements */
    hd_copy_axis axis[HD_COPY_AXES];
    /* settled by hd_copy_add */
    int64_t tile[2], tiles[2]; /* of the last two axes: elements a tile, tiles */
    int64_t pieces, first;     /* tiles in all, and the number of the first one among all boxes */
} hd_copy_box;

/* Boxes that make an output, and what it is filled with before where they do not cover it. */
typedef struct hd_copy {
    size_t size; /* bytes of an element: 1, 4 or 8 */
    int boxes, room;
    hd_copy_box *box;
    int64_t pieces, chunk, tasks; /* pieces of a task */
    bool fill;
    unsigned char value[8];
    int64_t count;   /* elements of the output */
    hd_turn_fn turn; /* NULL: plain loops */
} hd_copy;

/* Makes room for so many boxes; NULL without memory. */
hd_copy *hd_copy_new(hd_arena *arena, size_t size, int boxes);
/* Adds a box (axes in any order; input, axes, from, to and axis set). */
void hd_copy_add(hd_copy *c, const hd_copy_box *box);
/* Fixes the tasks for an output of `count` elements and writes the phases. */
void hd_copy_finish(hd_copy *c, int64_t count, hd_turn_fn turn, hd_prepared *out);

/* The boxes between two layouts of the same dims; false when their blocks do not fit into each other. */
bool hd_copy_layouts(hd_copy **out, hd_arena *arena, size_t size, const hd_dims *dims, const hd_layout *from,
                     const hd_layout *to);
#endif
