/* fuzz_safetensors.c: a safetensors file, read and asked for everything it says. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_meter meter;
    hd_context *ctx = fuzz_context(&meter, size);
    hd_tensors *file;
    const hd_status status = hd_tensors_open(&file, ctx, fuzz_file("x.safetensors", data, size));
    if (status == HD_OK) {
        unsigned sum = 0;
        for (int32_t i = 0; i < hd_tensors_count(file); i++) {
            const hd_tensor_info t = hd_tensors_at(file, i);
            for (size_t k = 0; k < t.bytes; k++) sum += ((const unsigned char *)t.data)[k];
        }
        if (sum == 1 && hd_tensors_metadata(file, "hadal.recipe")) (void)fputc('\n', stderr);
        hd_tensors_close(file);
    }
    fuzz_end(ctx, &meter, status);
    return 0;
}
