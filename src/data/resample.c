/* resample.c: the box filter. When a picture shrinks, no stroke gets lost between two samples; when it grows, pixels
 * stay squares. */
#include "data/resample.h"

/* How much of source pixel i lies in [low, high). */
static double overlap(int64_t i, double low, double high) {
    double a = (double)i > low ? (double)i : low, b = (double)(i + 1) < high ? (double)(i + 1) : high;
    return b > a ? b - a : 0;
}

static float mean_over(const unsigned char *from, hd_rect area, int64_t row_bytes, int64_t step, double x0, double x1,
                       double y0, double y1) {
    double sum = 0, weight = 0;
    int64_t last_x = (int64_t)x1 < area.w ? (int64_t)x1 : area.w - 1,
            last_y = (int64_t)y1 < area.h ? (int64_t)y1 : area.h - 1;
    for (int64_t y = (int64_t)y0; y <= last_y; y++) {
        double wy = overlap(y, y0, y1);
        const unsigned char *row = from + (area.y + y) * row_bytes + area.x * step;
        for (int64_t x = (int64_t)x0; x <= last_x && wy > 0; x++) {
            double w = wy * overlap(x, x0, x1);
            sum += w * row[x * step];
            weight += w;
        }
    }
    return weight > 0 ? (float)(sum / weight) : 0;
}

void hd_resample(float *out, int64_t h, int64_t w, int64_t out_row, const unsigned char *from, hd_rect area,
                 int64_t row_bytes, int64_t step) {
    double sx = (double)area.w / (double)w, sy = (double)area.h / (double)h;
    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++)
            out[y * out_row + x] = mean_over(from, area, row_bytes, step, (double)x * sx, (double)(x + 1) * sx,
                                             (double)y * sy, (double)(y + 1) * sy);
}
