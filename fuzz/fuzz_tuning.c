/* fuzz_tuning.c: a table of measured kernels. What is taken is written, and read again. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_meter meter;
    hd_context *ctx = fuzz_context(&meter, size);
    hd_tuning *table;
    const char *path = fuzz_file("tune.json", data, size);
    hd_status status = hd_tuning_new(&table, ctx);
    if (status == HD_OK) {
        status = hd_tuning_load(table, path);
        if (status == HD_OK && (hd_tuning_save(table, path) != HD_OK || hd_tuning_load(table, path) != HD_OK)) abort();
        hd_tuning_free(table);
    }
    (void)unlink(path);
    fuzz_end(ctx, &meter, status);
    return 0;
}
