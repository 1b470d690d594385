/* verb_generate.c: owns `hadal generate`: a model goes on with a text, or with music, as it is made. */
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/json_out.h"
#include "cli/screen.h"
#include "cli/written.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char abc_head[] = "X:1\nL:1/8\nK:C\n"; /* a frame is an eighth */
enum { LONGEST_PROMPT = 1 << 20, MOST_TOKENS = 100000000 };

typedef struct writing {
    cli *c;
    hd_model *model;
    hd_generator *g;
    float *x;     /* one thing */
    hd_text text; /* what was made */
    size_t told;  /* bytes of it on the screen */
    int64_t made;
    double seconds;
    bool abc, terminal;
} writing;

static hd_status add(writing *w, const char *bytes, size_t n) {
    hd_text_add(&w->text, bytes, n);
    return w->text.failed ? cli_no_memory(w->c) : HD_OK;
}

/* Shows what is whole: the last character may still lack bytes. */
static void tell(writing *w, bool all) {
    const char *text = hd_text_str(&w->text);
    size_t end = w->text.length;
    for (size_t back = 1; !all && back <= 3 && back <= end; back++) {
        const unsigned char b = (unsigned char)text[end - back];
        if (b < 0x80) break;
        if (b < 0xc0) continue;
        if ((b >= 0xf0 ? 4u : b >= 0xe0 ? 3u : 2u) > back) end -= back;
        break;
    }
    if (w->c->json || end <= w->told) return;
    while (w->told < end) { /* a terminal gets no commands from a model */
        const char *at = text + w->told;
        const size_t n = utf8_length(at, end - w->told), step = n ? n : 1;
        if (!w->terminal || *at == '\n' || *at == '\t' || !screen_is_control(at, n)) (void)fwrite(at, 1, step, stdout);
        w->told += step;
    }
    (void)fflush(stdout);
}

static hd_status add_thing(writing *w, const float *x) {
    char bytes[512];
    return add(w, bytes, thing_bytes(w->g, x, w->abc, bytes, sizeof bytes));
}

/* ---- the beginning ---- */

static hd_status feed_notes(writing *w, const char *prompt) {
    int64_t frames = 0;
    for (const char *p = prompt + strspn(prompt, " \t\r\n"); *p; p += strspn(p, " \t\r\n")) {
        const size_t n = strcspn(p, " \t\r\n");
        if (!hd_frame_read(p, n, w->x, hd_generator_width(w->g)))
            return cli_fail(w->c, HD_E_USAGE, "--prompt|\"%.*s\" is no chord|Write notes as C4+E4+G4, - for silence",
                            (int)(n < 60 ? n : 60), p);
        CLI_TRY(w->c, hd_generator_feed(w->g, w->x, 1));
        hd_status status = add_thing(w, w->x);
        if (status != HD_OK) return status;
        frames++;
        p += n;
    }
    return frames ? HD_OK : feed_nothing(w->c, w->g);
}

static hd_status feed_text(writing *w, const char *prompt) {
    float *tokens = NULL;
    int64_t n = 0;
    CLI_TRY(w->c, hd_generator_encode(w->g, prompt, strlen(prompt), &tokens, &n));
    hd_status status = cli_lib(w->c, hd_generator_feed(w->g, tokens, n));
    hd_memory_free(w->c->ctx, tokens);
    return status == HD_OK ? add(w, prompt, strlen(prompt)) : status;
}

static hd_status begin(writing *w) {
    const char *prompt = cli_get(w->c, "prompt");
    if (!prompt || !*prompt) return feed_nothing(w->c, w->g);
    if (strlen(prompt) > LONGEST_PROMPT) return cli_fail(w->c, HD_E_USAGE, "--prompt|expected at most 1 MB|");
    return hd_generator_is_music(w->g) ? feed_notes(w, prompt) : feed_text(w, prompt);
}

/* ---- going on ---- */

static hd_status go_on(writing *w, int64_t tokens) {
    const double start = cli_clock();
    hd_status status = HD_OK;
    for (; status == HD_OK && w->made < tokens && !cli_interrupted(); w->made++) {
        CLI_TRY(w->c, hd_generator_next(w->g, w->x));
        status = add_thing(w, w->x);
        tell(w, false);
    }
    w->seconds = cli_clock() - start;
    return status;
}

static hd_status tell_json(writing *w) {
    json_out j;
    char *clean = malloc(3 * w->text.length + 1);
    if (!clean) return cli_no_memory(w->c);
    json_begin(w->c, &j);
    json_string(&j, "text", make_whole(clean, hd_text_str(&w->text), w->text.length));
    json_int(&j, "tokens", w->made);
    json_number(&j, "per_second", w->seconds > 0 ? (double)w->made / w->seconds : 0);
    free(clean);
    return json_end(w->c, &j);
}

static hd_status read_args(cli *c, hd_generator_args *a, int64_t *tokens) {
    int64_t seed = 1;
    a->temperature = 1;
    if (cli_get_float(c, "temperature", &a->temperature) != HD_OK || cli_get_float(c, "top-p", &a->top_p) != HD_OK ||
        cli_get_int(c, "top-k", 0, MOST_TOKENS, &a->top_k) != HD_OK ||
        cli_get_int(c, "seed", 0, INT64_MAX, &seed) != HD_OK ||
        cli_get_int(c, "tokens", 0, MOST_TOKENS, tokens) != HD_OK)
        return c->error.status;
    if (a->temperature == 0) a->temperature = HD_ZERO;
    a->seed = (uint64_t)seed;
    return HD_OK;
}

static hd_status run_generate(cli *c) {
    writing w = {.c = c, .abc = cli_has(c, "abc"), .terminal = isatty(STDOUT_FILENO)};
    hd_generator_args args = {0};
    int64_t tokens = 200;
    hd_status status = read_args(c, &args, &tokens);
    if (status == HD_OK) status = cli_context(c);
    w.text.ctx = c->ctx;
    if (status == HD_OK) status = open_trained(c, c->things[0], &w.model);
    if (status != HD_OK) goto end;
    CLI_TRY_TO(end, c, hd_generator_new(&w.g, w.model, &args));
    w.x = calloc((size_t)hd_generator_width(w.g), sizeof *w.x);
    if (!w.x) {
        status = cli_no_memory(c);
        goto end;
    }
    cli_catch_signals();
    if (w.abc && hd_generator_is_music(w.g)) status = add(&w, abc_head, strlen(abc_head));
    if (status == HD_OK) status = begin(&w);
    if (status == HD_OK) status = go_on(&w, tokens);
    tell(&w, true);
    if (!c->json && status == HD_OK) {
        (void)fputc('\n', stdout);
        if (c->live)
            fprintf(stderr, "%lld %s, %.0f a second\n", (long long)w.made,
                    hd_generator_is_music(w.g) ? "frames" : "tokens", w.seconds > 0 ? (double)w.made / w.seconds : 0);
    }
    if (c->json && status == HD_OK) status = tell_json(&w);
    if (status == HD_OK && cli_interrupted()) status = HD_E_INTERRUPTED;
end:
    hd_generator_free(w.g);
    hd_model_free(w.model);
    free(w.x);
    if (c->ctx) hd_text_free(&w.text);
    return status;
}

static const cli_flag flags[] = {
    {"prompt", "TEXT", "how it begins; for music chords, as \"C4+E4+G4 D4+F4 -\" (default: after the end of a line)"},
    {"tokens", "N", "how much is made: tokens of text, frames of music (default: 200)"},
    {"temperature", "T", "1 draws as the model says, less plays safe, 0 always takes the likeliest (default: 1)"},
    {"top-k", "K", "draw among the K likeliest only (default: all)"},
    {"top-p", "P", "draw among the likeliest that have the share P together (default: all)"},
    {"seed", "N", "the same seed gives the same text (default: 1)"},
    {"abc", NULL, "music in abc notation"},
    {"threads", "N", "use so many threads (default: all processors)"},
    CLI_FLAG_END};

const cli_verb cli_verb_generate = {
    .name = "generate",
    .summary = "a model of text or music goes on with a beginning",
    .things = "MODEL",
    .about =
        "MODEL is a run folder or a .safetensors file of a model that was trained on text or music: recurrent, or a\n"
        "transformer. What it writes appears as it is made; the beginning stands before it. Beyond the positions\n"
        "that a transformer was made for, the later half of what it saw stays in view.",
    .flags = flags,
    .example = "hadal generate runs/shakespeare-001 --prompt \"ROMEO:\" --tokens 300 --temperature 0.8",
    .min_things = 1,
    .max_things = 1,
    .run = run_generate,
};
