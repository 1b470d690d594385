/* layout.h: how the elements of a value lie in memory. Logical order is NumPy's; physical order is the kernels'
 * business. */
#ifndef HD_COMPILE_LAYOUT_H
#define HD_COMPILE_LAYOUT_H
#include "hadal/op.h"

/* All zero is plain row-major. Else: the (blocked) dimensions in the order perm (when permuted), outermost first, then
 * nblk inner blocks, outermost first: block j splits dimension idx[j] by blk[j]. A dimension that a block does not
 * divide is padded with zeros. nChw16c is {.nblk = 1, .idx = {1}, .blk = {16}}; OIhw16i16o is {2, {1, 0}, {16, 16}};
 * nhwc is
 * {.permuted = 1, .perm = {0, 2, 3, 1}}.
 *
 * Pictures that were made rows keep their order: with `places` the last dimension f stands for two, [f / places,
 * places] (channels and the places of a plane), and all of the above speaks of these. It divides f. */
typedef struct hd_layout {
    uint8_t nblk, idx[3], blk[3], permuted;
    uint8_t perm[HD_MAX_DIMS];
    uint16_t places;
} hd_layout;

#define HD_LAYOUT_PLAIN   ((hd_layout){0})
#define HD_LAYOUT_NCHW16C ((hd_layout){.nblk = 1, .idx = {1}, .blk = {16}})

bool hd_layout_equal(const hd_layout *a, const hd_layout *b);
bool hd_layout_is_plain(const hd_layout *l);
/* The same order without `places`, of dimensions with one more; nothing changes where there are none. */
void hd_layout_unfold(hd_layout *l, hd_dims *dims);
/* The order of x [n, c, …] as rows [n, c·places], and back to this many dimensions; false where there is none. */
bool hd_layout_as_rows(const hd_layout *picture, const hd_dims *x, hd_layout *rows);
bool hd_layout_as_picture(const hd_layout *rows, const hd_dims *x, hd_layout *picture);
/* Elements held, padding included. */
int64_t hd_layout_count(const hd_layout *l, const hd_dims *dims);
/* Slices of the first dimension, of so many rows each or of a multiple, lie one behind the other; 0: they do not. */
int64_t hd_layout_rows(const hd_layout *l);
/* Copies between plain row-major and the layout; elements of `size` bytes; padding is set to zero. */
void hd_layout_pack(const hd_layout *l, const hd_dims *dims, size_t size, const void *plain, void *packed);
void hd_layout_unpack(const hd_layout *l, const hd_dims *dims, size_t size, const void *packed, void *plain);
/* "plain", "n(c)hw16c", for prints; buffer ≥ 64 bytes. */
const char *hd_layout_text(char *buffer, const hd_layout *l, int rank);
#endif
