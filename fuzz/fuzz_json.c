/* fuzz_json.c: JSON, read, written and read again: the second text must be the first. */
#include "fuzz.h"

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_meter meter;
    hd_context *ctx = fuzz_context(&meter, size);
    hd_arena arena = {.ctx = ctx};
    hd_json *tree;
    const hd_status status = hd_json_parse(&tree, &arena, "x.json", (const char *)data, size);
    if (status == HD_OK) {
        hd_text first = {.ctx = ctx}, second = {.ctx = ctx};
        hd_json_print(&first, tree, 0);
        if (hd_json_parse(&tree, &arena, "again", hd_text_str(&first), first.length) != HD_OK) abort();
        hd_json_print(&second, tree, 0);
        if (strcmp(hd_text_str(&first), hd_text_str(&second)) != 0) abort();
        hd_text_free(&first);
        hd_text_free(&second);
    }
    hd_arena_free(&arena);
    fuzz_end(ctx, &meter, status);
    return 0;
}
