/* fuzz_graph.c: a graph as text: read, printed, read again, planned. */
#include "fuzz.h"

static hd_status plan(hd_context *ctx, hd_graph *graph) {
    hd_program *program;
    const int32_t n = hd_graph_value_count(graph);
    if (n == 0) return HD_OK;
    const hd_compile_args args = {.backend = "null", .memory_limit = 16 << 20};
    const hd_status status = hd_compile_with(&program, hd_forward((hd_val){graph, n - 1}), &args);
    if (status == HD_OK) hd_program_free(program);
    (void)ctx;
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_meter meter;
    hd_context *ctx = fuzz_context(&meter, size);
    char *text = fuzz_text(data, size), *first, *second;
    hd_graph *graph, *again;
    hd_status status = hd_graph_parse(&graph, ctx, "x.graph", text);
    free(text);
    if (status == HD_OK) {
        if (hd_graph_print(graph, &first) != HD_OK) abort();
        if (hd_graph_parse(&again, ctx, "again", first) != HD_OK) {
            (void)fprintf(stderr, "%s\n%s\n", hd_last_error(ctx), first);
            abort();
        }
        if (hd_graph_print(again, &second) != HD_OK || strcmp(first, second) != 0) abort();
        hd_memory_free(ctx, first);
        hd_memory_free(ctx, second);
        hd_graph_free(again);
        status = plan(ctx, graph);
        hd_graph_free(graph);
    }
    fuzz_end(ctx, &meter, status);
    return 0;
}
