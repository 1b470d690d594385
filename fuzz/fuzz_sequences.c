/* fuzz_sequences.c: text, tagged sentences, music and ratings; the first byte says which kind the file's name claims.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {"x.txt",       "x.abc", "x.conll", "jsb-chorales-quarter.json",
                                        "ratings.csv", "u.data"};
    char source[256];
    if (size < 2) return 0;
    fuzz_meter meter;
    hd_context *ctx = fuzz_context(&meter, size);
    const char *path = fuzz_file(names[data[0] % (sizeof names / sizeof *names)], data + 2, size - 2);
    const bool sequence = data[0] % (sizeof names / sizeof *names) < 4;
    (void)snprintf(source, sizeof source, "{\"path\": \"%s\", \"length\": %d}", path, 1 + data[1] % 64);
    fuzz_end(ctx, &meter, fuzz_dataset(ctx, sequence && data[1] ? source : path));
    return 0;
}
