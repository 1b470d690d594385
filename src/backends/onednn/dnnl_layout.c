/* dnnl_layout.c: from strides and inner blocks to hd_layout. Knows nothing of the library. */
#include "backends/onednn/dnnl_layout.h"
#include <string.h>

static int64_t block_of(const hd_blocking *b, int dim) {
    int64_t product = 1;
    for (int i = 0; i < b->blocks; i++)
        if (b->idx[i] == dim) product *= b->blk[i];
    return product;
}

static int64_t outer(const hd_blocking *b, int dim) {
    return b->padded[dim] / block_of(b, dim);
}

/* Dimensions with more than one outer block, largest stride first; returns how many. */
static int sort_outer(const hd_blocking *b, int order[HD_MAX_DIMS]) {
    int n = 0;
    for (int d = 0; d < b->rank; d++) {
        if (outer(b, d) == 1) continue;
        int at = n++;
        while (at > 0 && b->stride[order[at - 1]] < b->stride[d]) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = d;
    }
    return n;
}

/* Every stride is the size of what lies inside it. */
static bool is_dense(const hd_blocking *b, const int *order, int n) {
    int64_t size = 1;
    for (int i = 0; i < b->blocks; i++) size *= b->blk[i];
    for (int i = n; i-- > 0;) {
        if (b->stride[order[i]] != size) return false;
        size *= outer(b, order[i]);
    }
    return true;
}

bool hd_layout_from_blocking(const hd_blocking *b, hd_layout *out) {
    int order[HD_MAX_DIMS];
    *out = HD_LAYOUT_PLAIN;
    const int n = sort_outer(b, order);
    if (b->blocks > 3 || !is_dense(b, order, n)) return false;
    int blocks = b->blocks;
    /* nChw16c of pictures of one pixel is plain: the block only continues the dimension outside it */
    if (blocks == 1 && n > 0 && order[n - 1] == b->idx[0] && b->padded[b->idx[0]] == b->dim[b->idx[0]]) blocks = 0;
    for (int i = 0; i < blocks; i++) {
        if (b->blk[i] > UINT8_MAX) return false;
        out->idx[i] = (uint8_t)b->idx[i];
        out->blk[i] = (uint8_t)b->blk[i];
    }
    out->nblk = (uint8_t)blocks;
    for (int i = 1; i < n; i++) out->permuted |= order[i] < order[i - 1];
    if (!out->permuted) return true;
    int at = 0; /* dimensions of one outer block first, then the others as they lie */
    for (int d = 0; d < b->rank; d++)
        if (outer(b, d) == 1) out->perm[at++] = (uint8_t)d;
    for (int i = 0; i < n && at < HD_MAX_DIMS; i++) out->perm[at++] = (uint8_t)order[i];
    return true;
}

bool hd_blocking_join_groups(const hd_blocking *grouped, hd_blocking *out) {
    const hd_blocking *g = grouped;
    const bool depthwise = g->dim[1] == 1 && g->dim[2] == 1;
    *out = *g;
    out->rank = g->rank - 1;
    for (int d = 1; d < out->rank; d++) {
        out->dim[d] = g->dim[d + 1];
        out->padded[d] = g->padded[d + 1];
        out->stride[d] = g->stride[d + 1];
    }
    for (int i = 0; i < g->blocks; i++) {
        if (depthwise ? g->idx[i] != 0 : g->idx[i] == 0) return false;
        out->idx[i] = g->idx[i] ? g->idx[i] - 1 : 0;
    }
    if (depthwise) return true;
    if (g->padded[1] != g->dim[1] || g->stride[0] != g->stride[1] * outer(g, 1)) return false;
    out->dim[0] = out->padded[0] = g->dim[0] * g->dim[1];
    out->stride[0] = g->stride[1];
    return true;
}
