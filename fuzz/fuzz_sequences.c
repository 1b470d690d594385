/* fuzz_sequences.c: text, tagged sentences, music and ratings; the first byte says which kind the file's name claims.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct {
        const char *name;
        bool length; /* takes that option */
    } kinds[] = {{"x.txt", true},        {"x.abc", true},   {"x.conll", true}, {"jsb-chorales-quarter.json", true},
                 {"ratings.csv", false}, {"u.data", false}, {"x.conllu", true}};
    char source[256];
    if (size < 2) return 0;
    fuzz_meter meter;
    hd_context *ctx = fuzz_context(&meter, size);
    const size_t kind = data[0] % (sizeof kinds / sizeof *kinds);
    const char *path = fuzz_file(kinds[kind].name, data + 2, size - 2);
    (void)snprintf(source, sizeof source, "{\"path\": \"%s\", \"length\": %d}", path, 1 + data[1] % 64);
    fuzz_end(ctx, &meter, fuzz_dataset(ctx, kinds[kind].length && data[1] ? source : path));
    return 0;
}
