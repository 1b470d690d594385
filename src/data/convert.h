/* convert.h: the two tight loops of the data room: bytes to normalised floats, and sums of bytes. */
#ifndef HD_DATA_CONVERT_H
#define HD_DATA_CONVERT_H
#include "base/context.h"

/* out[i] = (x[i] − mean) · scale. The same bits whatever the instruction set: one subtraction, one product. */
void hd_convert_u8(hd_isa isa, float *out, const unsigned char *x, size_t n, float mean, float scale);
void hd_convert_f32(float *out, const float *x, size_t n, float mean, float scale); /* out may be x */

/* Adds the sum and the sum of squares of n bytes; exact. */
void hd_sum_u8(hd_isa isa, const unsigned char *x, size_t n, uint64_t *sum, uint64_t *squares);
#endif
