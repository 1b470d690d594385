/* augment.c: mirrors and moves pictures. He, Zhang, Ren, Sun 2016, section 4.2: a flip, and a crop out of the picture
 * with a border of 4 pixels. */
#include "data/augment.h"
#include "base/rng.h"
#include <string.h>

/* Row y of the picture moved by dx, mirrored before. */
static void fill_row(const hd_augment *a, const float *from, float *to, int64_t dx, bool mirror, float black) {
    for (int64_t x = 0; x < a->w; x++) {
        const int64_t at = x + dx;
        if (at < 0 || at >= a->w)
            to[x] = black;
        else
            to[x] = from[mirror ? a->w - 1 - at : at];
    }
}

void hd_augment_apply(const hd_augment *a, int64_t epoch, int64_t index, float *x) {
    hd_rng rng = hd_rng_new(a->seed, "loader.augment");
    rng.position = ((uint64_t)epoch << 40) + ((uint64_t)index << 5); /* few words a picture */
    const uint64_t shifts = 2 * (uint64_t)a->crop + 1;
    const bool mirror = a->flip && (hd_rng_u32(&rng) & 1);
    const int64_t dy = (int64_t)hd_rng_below(&rng, shifts) - a->crop;
    const int64_t dx = (int64_t)hd_rng_below(&rng, shifts) - a->crop;
    if (!mirror && dx == 0 && dy == 0) return;
    const int64_t plane = a->h * a->w;
    memcpy(a->scratch, x, (size_t)(a->channels * plane) * sizeof *x);
    for (int64_t c = 0; c < a->channels; c++)
        for (int64_t y = 0; y < a->h; y++) {
            const bool inside = y + dy >= 0 && y + dy < a->h;
            float *to = x + c * plane + y * a->w;
            fill_row(a, a->scratch + c * plane + (inside ? y + dy : 0) * a->w, to, inside ? dx : a->w, mirror,
                     a->black[c]);
        }
}
