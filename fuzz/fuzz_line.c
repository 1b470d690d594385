/* fuzz_line.c: a one-line model. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_meter meter;
    hd_context *ctx = fuzz_context(&meter, size);
    char *text = fuzz_text(data, size);
    hd_graph *graph;
    hd_line_info info;
    if (hd_graph_new(&graph, ctx) != HD_OK) abort();
    const bool reads = hd_line_read(text, &info);
    const int64_t width = reads && info.inputs > 0 ? info.inputs : 1;
    const hd_val y = hd_line_build(hd_input(graph, "x", HD_F32, HD_DIMS(HD_BATCH, width)), text);
    const hd_status status = hd_graph_status(graph);
    if (status == HD_OK && (!reads || hd_val_dims(y).dim[1] != info.outputs)) abort();
    hd_graph_free(graph);
    free(text);
    fuzz_end(ctx, &meter, status);
    return 0;
}
