/* written.c: owns how what a generator makes becomes text, and how a sequence begins with nothing. */
#include "cli/written.h"
#include "cli/screen.h"
#include <stdlib.h>
#include <string.h>

hd_status feed_nothing(cli *c, hd_generator *g) {
    float *tokens = NULL, zero = 0;
    int64_t n = 0;
    if (hd_generator_is_music(g)) {
        float *silence = calloc((size_t)hd_generator_width(g), sizeof *silence);
        const hd_status fed = silence ? cli_lib(c, hd_generator_feed(g, silence, 1)) : cli_no_memory(c);
        free(silence);
        return fed;
    }
    if (hd_generator_encode(g, "\n", 1, &tokens, &n) != HD_OK) n = 0;
    const hd_status status = cli_lib(c, hd_generator_feed(g, n ? tokens : &zero, 1));
    hd_memory_free(c->ctx, tokens);
    return status;
}

size_t thing_bytes(hd_generator *g, const float *x, bool abc, char *out, size_t size) {
    return hd_generator_is_music(g) ? hd_frame_write(out, size, x, hd_generator_width(g), abc)
                                    : hd_generator_decode(g, (int64_t)*x, out, size);
}

char *make_whole(char *out, const char *text, size_t length) {
    char *to = out;
    for (size_t i = 0; i < length;) {
        const size_t n = text[i] ? utf8_length(text + i, length - i) : 0;
        memcpy(to, n ? text + i : "\xef\xbf\xbd", n ? n : 3);
        to += n ? n : 3;
        i += n ? n : 1;
    }
    *to = '\0';
    return out;
}
