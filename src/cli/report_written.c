/* report_written.c: owns the sample of a model of text or music: what it writes by itself, the same for the same seed,
 * and what `hadal generate` would write. */
#include "cli/report_page.h"
#include "cli/written.h"
#include <stdlib.h>
#include <string.h>

enum { TOKENS = 200, FRAMES = 32, LONGEST_THING = 512 };

/* The bytes of `most` things, LONGEST_THING each at most. */
static hd_status write_on(report *r, hd_generator *g, int64_t most, float *x, char *text, size_t *length) {
    hd_status status = feed_nothing(r->c, g);
    for (int64_t i = 0; status == HD_OK && i < most; i++) {
        CLI_TRY(r->c, hd_generator_next(g, x));
        *length += thing_bytes(g, x, false, text + *length, LONGEST_THING);
    }
    return status;
}

static void show(report *r, bool music, int64_t most, const char *text) {
    hd_text *t = r->page;
    hd_text_printf(t,
                   "<h2>What it writes</h2><p>%lld %s after %s, drawn at temperature 0.8 with the run's seed; "
                   "<code>hadal generate</code> goes on.</p><pre class=written>",
                   (long long)most, music ? "frames" : "tokens", music ? "silence" : "the end of a line");
    html_text(t, text);
    hd_text_puts(t, "</pre>");
}

hd_status report_written(report *r) {
    const bool music = strcmp(r->info.kind, "music") == 0;
    const int64_t most = music ? FRAMES : TOKENS;
    const hd_generator_args args = {.temperature = 0.8, .seed = r->result->seed};
    hd_generator *g = NULL;
    size_t length = 0;
    if (r->info.positions <= 0 || (!music && strcmp(r->info.kind, "text") != 0)) return HD_OK;
    hd_status status = hd_generator_new(&g, r->model, &args);
    if (status == HD_E_MODEL) return HD_OK; /* a network that looks ahead has nothing to go on with */
    if (status != HD_OK) return cli_lib(r->c, status);
    float *x = calloc((size_t)hd_generator_width(g), sizeof *x);
    char *text = malloc((size_t)most * LONGEST_THING), *whole = malloc(3 * (size_t)most * LONGEST_THING + 1);
    status = x && text && whole ? write_on(r, g, most, x, text, &length) : cli_no_memory(r->c);
    if (status == HD_OK) show(r, music, most, make_whole(whole, text, length));
    free(x);
    free(text);
    free(whole);
    hd_generator_free(g);
    return status;
}
