/* fuzz_picture.c: a picture for prediction; the first byte says which kind its name claims. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {"x.png", "x.pgm", "x.ppm", "x", "x.jpg"};
    if (size < 1) return 0;
    fuzz_meter meter;
    hd_context *ctx = fuzz_context(&meter, size);
    float x[3 * 16 * 16];
    const hd_picture_args args = {.sample = {.rank = 3, .dim = {1, 16, 16}}};
    fuzz_end(ctx, &meter, hd_picture_read(ctx, fuzz_file(names[data[0] % 5], data + 1, size - 1), &args, x, NULL, 0));
    return 0;
}
