/* npy.h: NumPy's array files (.npy): a header, and the elements. */
#ifndef HD_DATA_NPY_H
#define HD_DATA_NPY_H
#include "hadal/base.h"

/* An array as it lies in the file. */
typedef struct hd_npy {
    hd_dims dims;
    size_t stride[HD_MAX_DIMS]; /* elements from one to the next, axis by axis */
    size_t count;
    char kind; /* f, i, u, b */
    int size;  /* bytes of an element */
    bool big;  /* the high byte first */
    const unsigned char *data;
} hd_npy;

/* Reads the header, versions 1 to 3, of f2 f4 f8 i1 … i8 u1 … u8 and bool, in either order of axes and bytes; the
 * length must be exactly what it says. Errors: HD_E_DATA (texts, objects, records and
 * complex numbers are not read).
 */
HD_CHECKED hd_status hd_npy_read(hd_npy *out, hd_context *ctx, const char *where, const unsigned char *bytes,
                                 size_t length);
/* The element at an offset counted in elements. */
double hd_npy_at(const hd_npy *array, size_t offset);
/* Axis `from` becomes axis `to`; the others move up. Nothing is copied. */
void hd_npy_move_axis(hd_npy *array, int from, int to);
/* Do the elements lie side by side, the last axis fastest? */
bool hd_npy_is_plain(const hd_npy *array);
/* Copies all elements, the last axis fastest: as numbers, or as bytes (u1 and bool only). */
void hd_npy_copy(const hd_npy *array, float *out);
void hd_npy_copy_bytes(const hd_npy *array, unsigned char *out);
#endif
