/* fuzz.h: what every fuzz target shares: a context whose allocator stops the process when more than 64 MB + 4 × the
 * input is held, and a file that holds the input. Targets are libFuzzer's: LLVMFuzzerTestOneInput. */
#ifndef HD_FUZZ_FUZZ_H
#define HD_FUZZ_FUZZ_H
#include "hadal/hadal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct fuzz_meter {
    size_t held, allowed;
} fuzz_meter;

static void *fuzz_alloc(void *user, size_t size) {
    fuzz_meter *m = user;
    m->held += size;
    if (m->held > m->allowed) {
        (void)fprintf(stderr, "%zu bytes held, %zu allowed\n", m->held, m->allowed);
        abort();
    }
    return aligned_alloc(64, (size + 63) & ~(size_t)63);
}

static void fuzz_free(void *user, void *memory, size_t size) {
    fuzz_meter *m = user;
    m->held -= size;
    free(memory);
}

/* One thread, so that nothing is kept from input to input. */
static inline hd_context *fuzz_context(fuzz_meter *meter, size_t size) {
    hd_context *ctx;
    *meter = (fuzz_meter){.allowed = ((size_t)64 << 20) + 4 * size};
    const hd_context_args args = {.allocator = {fuzz_alloc, fuzz_free, meter}, .threads = 1};
    if (hd_context_new(&ctx, &args) != HD_OK) abort();
    return ctx;
}

/* Everything must have been given back, and a failure must have a text. */
static inline void fuzz_end(hd_context *ctx, const fuzz_meter *meter, hd_status status) {
    if (status != HD_OK && !*hd_last_error(ctx)) {
        (void)fprintf(stderr, "%s without a text\n", hd_status_name(status));
        abort();
    }
    hd_context_free(ctx);
    if (meter->held) {
        (void)fprintf(stderr, "%zu bytes are lost\n", meter->held);
        abort();
    }
}

/* Path of a file with these bytes, in a folder of the process's own; the same file at every call with this name. */
static inline const char *fuzz_file(const char *name, const uint8_t *data, size_t size) {
    static char folder[64], path[128];
    if (!*folder) {
        const char *tmp = getenv("TMPDIR");
        (void)snprintf(folder, sizeof folder, "%.40s/fuzz-XXXXXX", tmp ? tmp : "/tmp");
        if (!mkdtemp(folder)) abort();
    }
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0) abort();
    return path;
}

/* The input as text with an end. The caller frees it. */
static inline char *fuzz_text(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    if (!text) abort();
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* Opens a data set, looks at all of it and makes a batch. */
static inline hd_status fuzz_dataset(hd_context *ctx, const char *source) {
    hd_dataset *set;
    const hd_status status = hd_data_open(&set, ctx, source, NULL);
    if (status != HD_OK) return status;
    const hd_data_info info = hd_data_get_info(set);
    const int64_t n = hd_dims_count(&info.sample);
    const int64_t rows = info.positions > 0 ? info.positions : 1, lowest = info.positions > 0 ? -1 : 0;
    float *x = malloc(((size_t)n + 1) * sizeof *x), *values = malloc((size_t)(rows * info.targets) * sizeof *values);
    int64_t *label = malloc((size_t)rows * sizeof *label);
    for (int64_t i = 0; x && values && label && i < info.count && i < 1000; i++) {
        hd_data_x(set, i, x);
        hd_data_values(set, i, values);
        hd_data_labels(set, i, label);
        for (int64_t p = 0; p < rows && info.classes > 0; p++)
            if (label[p] < lowest || label[p] >= info.classes) abort();
        for (int64_t k = 0; k < n && info.codes > 0; k++)
            if (!(x[k] >= 0 && x[k] < (float)info.codes)) abort();
    }
    free(label);
    free(values);
    free(x);
    hd_data_free(set);
    return HD_OK;
}
#endif
