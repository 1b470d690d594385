/* resample.h: pictures made smaller or larger. */
#ifndef HD_DATA_RESAMPLE_H
#define HD_DATA_RESAMPLE_H
#include <stdint.h>

/* A rectangle of pixels inside a larger picture. */
typedef struct hd_rect {
    int64_t x, y, w, h;
} hd_rect;

/* Each output pixel is the mean of the area it covers (box filter). from: bytes [rows][row_bytes], `step` bytes from
 * pixel to pixel; out: [h][w], out_row floats from row to row. */
void hd_resample(float *out, int64_t h, int64_t w, int64_t out_row, const unsigned char *from, hd_rect area,
                 int64_t row_bytes, int64_t step);
#endif
