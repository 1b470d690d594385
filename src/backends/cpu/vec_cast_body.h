/* vec_cast_body.h: elements to and from f32, as plain loops that compilers turn into vectors; once for each instruction
 * set. Into integers towards zero, what does not fit to the nearest that does, NaN to 0. */

#define CAST(name, FROM, TO, expr)                                                                                     \
    static void cast_##name(void *to, const void *from, int64_t n) {                                                   \
        const FROM *p = from;                                                                                          \
        TO *y = to;                                                                                                    \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const FROM x = p[i];                                                                                       \
            y[i] = (TO)(expr);                                                                                         \
        }                                                                                                              \
    }
#define CAST_CLAMPED(x, low, high) ((x) >= (low) ? ((x) <= (high) ? (x) : (high)) : (x) != (x) ? 0 : (low))
CAST(f64_f32, double, float, x)
CAST(i32_f32, int32_t, float, x)
CAST(i64_f32, int64_t, float, (double)x)
CAST(u8_f32, uint8_t, float, x)
CAST(bool_f32, uint8_t, float, x != 0)
CAST(f32_f64, float, double, x)
CAST(f32_i32, float, int32_t, CAST_CLAMPED((double)x, -0x1p31, 0x1p31 - 1))
CAST(f32_i64, float, int64_t, x >= 0x1p63f ? INT64_MAX : x < -0x1p63f ? INT64_MIN : x != x ? 0 : (int64_t)x)
CAST(f32_u8, float, uint8_t, CAST_CLAMPED(x, 0.0f, 255.0f))
CAST(f32_bool, float, uint8_t, x != 0)
#undef CAST
#undef CAST_CLAMPED

static void cast_bf16_f32(void *to, const void *from, int64_t n) {
    const uint16_t *x = from;
    float *y = to;
    int64_t i = 0;
    for (; i + HD_VL <= n; i += HD_VL) vf_store(y + i, vf_load_half(x + i, true, HD_VL));
    if (i < n) vf_store_m(y + i, vf_load_half(x + i, false, n - i), vm_first(n - i));
}
static void cast_f32_bf16(void *to, const void *from, int64_t n) {
    const float *x = from;
    uint16_t *y = to;
    int64_t i = 0;
    for (; i + HD_VL <= n; i += HD_VL) vf_store_half(y + i, vf_load(x + i), true, HD_VL);
    if (i < n) vf_store_half(y + i, vf_load_m(x + i, vm_first(n - i)), false, n - i);
}

/* 16 rows (input channels) of 16 (output channels) → pairs of rows side by side, or pairs of columns, row by row. */
static void cast_pairs(uint16_t *y, const float *x, bool columns) {
    if (columns) {
        uint16_t half[16 * 16];
        cast_f32_bf16(half, x, 256);
        for (int p = 0; p < 8; p++)
            for (int r = 0; r < 16; r++) memcpy(y + 2 * (p * 16 + r), half + 2 * (r * 8 + p), 2 * sizeof *y);
        return;
    }
    for (int p = 0; p < 8; p++)
        for (int i = 0; i < 16; i += HD_VL) {
            const vu low = vu_to_half(vf_load(x + p * 32 + i)), high = vu_to_half(vf_load(x + p * 32 + 16 + i));
            vi_store((int32_t *)(void *)y + p * 16 + i, (vi)(low | high << 16));
        }
}
