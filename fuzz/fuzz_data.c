/* fuzz_data.c: a file as a data set; the first byte says which kind its name claims: a table, an array, an archive of
 * arrays, each plain or packed. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {"x.csv", "x.csv.gz", "x.tsv",  "x.npy",
                                        "x.npz", "x.npy.gz", "x.data", "zip.train.gz"};
    if (size < 1) return 0;
    fuzz_meter meter;
    hd_context *ctx = fuzz_context(&meter, size);
    const char *name = names[data[0] % (sizeof names / sizeof *names)];
    fuzz_end(ctx, &meter, fuzz_dataset(ctx, fuzz_file(name, data + 1, size - 1)));
    return 0;
}
