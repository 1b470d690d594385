/* fuzz_model.c: a model file, opened and asked for one prediction. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_meter meter;
    hd_context *ctx = fuzz_context(&meter, size);
    hd_model *model;
    const hd_status status = hd_model_open(&model, ctx, fuzz_file("m.safetensors", data, size));
    if (status == HD_OK) hd_model_free(model);
    fuzz_end(ctx, &meter, status);
    return 0;
}
