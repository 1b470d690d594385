/* dnnl_layout.h: from oneDNN's strides and inner blocks to hd_layout. Knows nothing of the library but these numbers,
 * so that the conversion is tested without it. */
#ifndef HD_BACKENDS_DNNL_LAYOUT_H
#define HD_BACKENDS_DNNL_LAYOUT_H
#include "compile/layout.h"

/* A blocked memory format: strides in elements between the outer blocks, then inner blocks, outermost first. */
typedef struct hd_blocking {
    int rank;
    int64_t dim[HD_MAX_DIMS], padded[HD_MAX_DIMS], stride[HD_MAX_DIMS];
    int blocks;
    int64_t idx[HD_MAX_DIMS], blk[HD_MAX_DIMS];
} hd_blocking;

/* The same layout in the fewest words (dimensions of one element say nothing about order), or false when hd_layout can
 * not say it: gaps between rows, too many blocks. */
bool hd_layout_from_blocking(const hd_blocking *b, hd_layout *out);
/* Weights [g, k/g, c/g, r, s] as [k, c/g, r, s]: false when the groups do not lie one behind the other. */
bool hd_blocking_join_groups(const hd_blocking *grouped, hd_blocking *out);
#endif
