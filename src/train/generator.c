/* generator.c: a model that writes: its network once more, for one position a run, upon the same weights. */
#include "base/rng.h"
#include "base/status.h"
#include "base/utf8.h"
#include "hadal/generate.h"
#include "train/model.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

struct hd_generator {
    hd_context *ctx;
    hd_model *model;
    hd_graph *graph;
    hd_program *program;
    hd_generator_args args;
    hd_rng rng;
    bool music, bounded; /* bounded: it has positions, `most` of them */
    int64_t width, outputs, most;
    int64_t position; /* of the next thing, as the program reads it */
    int64_t seen;     /* things fed since the start */
    float *x;         /* [width]: what the program reads */
    float *drawn;     /* [width]: not yet fed */
    bool waiting;     /* something is drawn */
    float *history;   /* [most, width]: the last ones, at seen % most */
    double *scratch;  /* [outputs] */
};

static hd_status refuse(hd_model *m, const char *what, const char *fix) {
    return hd_fail(m->ctx, HD_E_MODEL, "generate|%s|%s", what, fix);
}

static hd_status check_model(hd_model *m) {
    const bool text = strcmp(m->data.kind, "text") == 0 && m->data.classes > 0;
    const bool music = strcmp(m->data.kind, "music") == 0 && m->data.classes == 0;
    if ((text && m->data.sample.rank == 1) || (music && m->data.sample.rank == 2)) return HD_OK;
    return refuse(m, "expected a model of text or music, one that was trained to go on with it",
                  "Train one: hadal train FILE.txt --model gpt-nano");
}

static hd_status check_args(hd_context *ctx, const hd_generator_args *a) {
    if (!(a->temperature >= 0 && a->temperature <= 1e6))
        return hd_fail(ctx, HD_E_USAGE,
                       "temperature|expected 0 or more, got %g|1 draws as the model says, less plays "
                       "safe",
                       a->temperature);
    if (a->top_k < 0) return hd_fail(ctx, HD_E_USAGE, "top_k|expected 0 or more, got %lld|", (long long)a->top_k);
    if (!(a->top_p >= 0 && a->top_p <= 1))
        return hd_fail(ctx, HD_E_USAGE, "top_p|expected a share from 0 to 1, got %g|", a->top_p);
    return HD_OK;
}

static hd_status build(hd_generator *g) {
    hd_model *m = g->model;
    HD_TRY(hd_graph_new(&g->graph, g->ctx));
    hd_graph_set_decode(g->graph, g->most);
    const hd_dims dims = g->music ? HD_DIMS(HD_BATCH, 1, g->width) : HD_DIMS(HD_BATCH, 1);
    hd_val y;
    HD_TRY(hd_model_build_again(m, hd_input(g->graph, "x", HD_F32, dims), &y));
    const hd_dims out = hd_val_dims(y);
    g->outputs = out.rank == 3 ? out.dim[2] : 0;
    if (out.rank != 3 || out.dim[1] != 1 || g->outputs < 1 || (g->music && g->outputs != g->width))
        return refuse(m, "the network does not give an answer to each position by itself", "End it in a linear layer");
    hd_mark_output(y, "y");
    const hd_compile_args args = hd_model_compile_args(m, 1);
    return hd_compile_with(&g->program, hd_forward(y), &args);
}

static hd_status prepare(hd_generator *g) {
    const size_t width = (size_t)g->width;
    g->x = hd_alloc_n(g->ctx, width, sizeof *g->x);
    g->drawn = hd_alloc_n(g->ctx, width, sizeof *g->drawn);
    g->history = hd_alloc_n(g->ctx, (size_t)g->most, width * sizeof *g->history);
    g->scratch = hd_alloc_n(g->ctx, (size_t)g->outputs, sizeof *g->scratch);
    if (!g->x || !g->drawn || !g->history || !g->scratch) return HD_E_MEMORY;
    HD_TRY(hd_program_set(g->program, "x", g->x));
    g->bounded = hd_program_input(g->program, "position") >= 0;
    if (g->bounded) HD_TRY(hd_program_set(g->program, "position", &g->position));
    HD_TRY(hd_program_prepare(g->program));
    hd_generator_reset(g);
    return HD_OK;
}

hd_status hd_generator_new(hd_generator **out, hd_model *model, const hd_generator_args *args) {
    static const hd_generator_args none = {0};
    *out = NULL;
    if (!args) args = &none;
    HD_TRY(check_args(model->ctx, args));
    HD_TRY(check_model(model));
    hd_generator *g = hd_alloc(model->ctx, sizeof *g);
    if (!g) return HD_E_MEMORY;
    g->ctx = model->ctx;
    g->model = model;
    g->args = *args;
    g->music = model->data.sample.rank == 2;
    g->most = model->data.sample.dim[0];
    g->width = g->music ? model->data.sample.dim[1] : 1;
    hd_status status = build(g);
    if (status == HD_OK) status = prepare(g);
    if (status == HD_OK)
        *out = g;
    else
        hd_generator_free(g);
    return status;
}

void hd_generator_free(hd_generator *g) {
    if (!g) return;
    hd_program_free(g->program);
    hd_graph_free(g->graph);
    hd_free(g->ctx, g->x);
    hd_free(g->ctx, g->drawn);
    hd_free(g->ctx, g->history);
    hd_free(g->ctx, g->scratch);
    hd_free(g->ctx, g);
}

void hd_generator_reset(hd_generator *g) {
    hd_store_clear(g->model->store);
    g->rng = hd_rng_new(g->args.seed ? g->args.seed : 1, "generate");
    g->position = g->seen = 0;
    g->waiting = false;
}

int64_t hd_generator_width(const hd_generator *g) {
    return g->width;
}
bool hd_generator_is_music(const hd_generator *g) {
    return g->music;
}

/* ---- running ---- */

static float *remembered(hd_generator *g, int64_t number) {
    return g->history + number % g->most * g->width;
}

static hd_status step(hd_generator *g, const float *x) {
    memcpy(g->x, x, (size_t)g->width * sizeof *x);
    HD_TRY(hd_program_run(g->program));
    g->position++;
    return HD_OK;
}

/* All positions are taken: the later half of them is seen again as the first. */
static hd_status slide(hd_generator *g) {
    const int64_t keep = g->most / 2;
    hd_store_clear(g->model->store);
    g->position = 0;
    for (int64_t i = g->seen - keep; i < g->seen; i++) HD_TRY(step(g, remembered(g, i)));
    return HD_OK;
}

static hd_status take(hd_generator *g, const float *x) {
    if (!g->music && !(*x >= 0 && *x < (float)g->model->data.classes && *x == floorf(*x)))
        return hd_fail(g->ctx, HD_E_DATA, "generate|expected a token from 0 to %lld, got %g|",
                       (long long)g->model->data.classes - 1, (double)*x);
    if (g->bounded && g->position == g->most) HD_TRY(slide(g));
    HD_TRY(step(g, x));
    memcpy(remembered(g, g->seen++), x, (size_t)g->width * sizeof *x);
    return HD_OK;
}

static hd_status feed_drawn(hd_generator *g) {
    if (!g->waiting) return HD_OK;
    g->waiting = false;
    return take(g, g->drawn);
}

hd_status hd_generator_feed(hd_generator *g, const float *x, int64_t n) {
    HD_TRY(feed_drawn(g));
    for (int64_t i = 0; i < n; i++) HD_TRY(take(g, x + i * g->width));
    return HD_OK;
}

/* ---- drawing ---- */

/* Keys sound by themselves: each with its probability, the top_k likeliest at most, none below 1 − top_p. */
static void draw_frame(hd_generator *g, const float *logits) {
    const hd_generator_args *a = &g->args;
    const bool coldest = a->temperature == 0 && 1 / a->temperature < 0;
    const double t = a->temperature > 0 ? a->temperature : 1;
    for (int64_t k = 0; k < g->width; k++) {
        const double p = 1 / (1 + exp(-(double)logits[k] / t)), u = hd_rng_uniform(&g->rng);
        int64_t before = 0;
        for (int64_t j = 0; j < g->width && a->top_k > 0; j++)
            before += logits[j] > logits[k] || (logits[j] == logits[k] && j < k);
        const bool allowed = (a->top_k == 0 || before < a->top_k) && (a->top_p == 0 || p >= 1 - a->top_p);
        g->drawn[k] = allowed && (coldest ? p > 0.5 : u < p) ? 1 : 0;
    }
}

hd_status hd_generator_next(hd_generator *g, float *x) {
    HD_TRY(feed_drawn(g));
    if (g->seen == 0)
        return hd_fail(g->ctx, HD_E_USAGE, "generate|expected a beginning, nothing was fed|Feed a prompt");
    const float *logits = hd_program_get(g->program, "y");
    for (int64_t i = 0; i < g->outputs; i++)
        if (!isfinite(logits[i]))
            return hd_fail(g->ctx, HD_E_MODEL,
                           "generate|the network gives numbers that are not finite|Was its "
                           "training sound?");
    if (g->music)
        draw_frame(g, logits);
    else
        *g->drawn = (float)hd_sample_logits(logits, g->outputs, &g->args, hd_rng_uniform(&g->rng), g->scratch);
    g->waiting = true;
    memcpy(x, g->drawn, (size_t)g->width * sizeof *x);
    return HD_OK;
}

/* ---- text ---- */

/* The token whose name begins the text, the longest of such; -1: none. */
static int64_t token_at(const hd_model_data *d, const char *text, size_t left, size_t *length) {
    int64_t best = -1;
    *length = 0;
    for (int64_t i = 0; i < d->classes && d->class_names; i++) {
        const size_t n = strlen(d->class_names[i]);
        if (n <= *length || n > left || memcmp(d->class_names[i], text, n) != 0) continue;
        *length = n;
        best = i;
    }
    char escape[8];
    (void)snprintf(escape, sizeof escape, "\\x%02x", (unsigned)(unsigned char)*text);
    for (int64_t i = 0; i < d->classes && d->class_names && best < 0; i++) {
        if (strcmp(d->class_names[i], escape) != 0) continue;
        *length = 1;
        best = i;
    }
    return best;
}

hd_status hd_generator_encode(hd_generator *g, const char *text, size_t length, float **tokens, int64_t *n) {
    *tokens = NULL;
    *n = 0;
    if (g->music) return refuse(g->model, "it writes music, text does not begin it", "Give notes");
    float *out = hd_alloc_n(g->ctx, length + 1, sizeof *out);
    if (!out) return HD_E_MEMORY;
    for (size_t at = 0, step_by; at < length; at += step_by) {
        const int64_t token = token_at(&g->model->data, text + at, length - at, &step_by);
        if (token < 0) {
            const size_t bytes = hd_utf8_length(text + at, length - at);
            hd_free(g->ctx, out);
            return hd_fail(g->ctx, HD_E_DATA,
                           "prompt|the model does not know the character \"%.*s\", at byte %zu|It was trained on %s: "
                           "use the characters of that text",
                           (int)(bytes ? bytes : 1), text + at, at,
                           *g->model->data.name ? g->model->data.name : "other text");
        }
        out[(*n)++] = (float)token;
    }
    *tokens = out;
    return HD_OK;
}

static int hex(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t hd_generator_decode(const hd_generator *g, int64_t token, char *out, size_t size) {
    const hd_model_data *d = &g->model->data;
    if (token < 0 || token >= d->classes || !d->class_names) return 0;
    const char *name = d->class_names[token];
    size_t n = strlen(name);
    const bool escape = n == 4 && name[0] == '\\' && name[1] == 'x' && hex(name[2]) >= 0 && hex(name[3]) >= 0;
    if (escape && size > 0) {
        *out = (char)(hex(name[2]) * 16 + hex(name[3]));
        return 1;
    }
    if (n > size) return 0;
    memcpy(out, name, n);
    return n;
}
