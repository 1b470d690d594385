/* fuzz_idx.c: a folder of IDX files; the input is cut in two, pictures and labels, at the place its first byte says. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    fuzz_meter meter;
    hd_context *ctx = fuzz_context(&meter, size);
    size_t labels = data[0] + 8u < size ? data[0] + 8u : size - 1;
    char folder[128];
    (void)fuzz_file("train-labels-idx1-ubyte", data + 1, labels);
    (void)snprintf(folder, sizeof folder, "%s",
                   fuzz_file("train-images-idx3-ubyte", data + 1 + labels, size - 1 - labels));
    *strrchr(folder, '/') = '\0';
    fuzz_end(ctx, &meter, fuzz_dataset(ctx, folder));
    return 0;
}
