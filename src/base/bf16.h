/* bf16.h: the one place where numbers become bf16 and back. Rounds to the nearest, ties to even; what is no number
 * stays none. Knows no tensors. */
#ifndef HD_BASE_BF16_H
#define HD_BASE_BF16_H
#include <stdint.h>
#include <string.h>

static inline float hd_bf16_to_f32(uint16_t h) {
    const uint32_t bits = (uint32_t)h << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* A NaN keeps its sign and its upper bits and becomes a quiet one: cutting it off could leave an infinity. */
static inline uint16_t hd_bf16_of_bits(uint32_t bits) {
    if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline uint16_t hd_bf16_from_f32(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return hd_bf16_of_bits(bits);
}

/* Rounded once: the step over f32 rounds to odd, so that a tie that was none is not taken for one. */
static inline uint16_t hd_bf16_from_f64(double x) {
    const float near = (float)x;
    const double back = (double)near;
    uint32_t bits;
    memcpy(&bits, &near, sizeof bits);
    if (back < x || back > x) {
        if ((back > 0 && back > x) || (back < 0 && back < x)) bits--; /* now it is the one nearer to zero */
        bits |= 1;
    }
    return hd_bf16_of_bits(bits);
}
#endif
