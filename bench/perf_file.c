/* perf_file.c: owns the form of a run as JSON, in and out, and the words for the machine. Whatever a file holds is
 * checked before it is believed. */
#include "base/file.h"
#include "perf.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_BYTES = 16 << 20, MOST_ROWS = 10000 };

#ifdef __clang__
static const char *const compiler = __VERSION__;
#else
static const char *const compiler = "gcc " __VERSION__;
#endif

/* The processor as the system names it; without such a file the machine stays unnamed. */
static void name_machine(char *text, size_t size) {
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "r");
    (void)snprintf(text, size, "unknown");
    while (f && fgets(line, sizeof line, f)) {
        const char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !value) continue;
        (void)snprintf(text, size, "%.*s", (int)strcspn(value + 2, "\n"), value + 2);
        break;
    }
    if (f) (void)fclose(f);
}

void perf_run_describe(perf_run *run, const hd_context *ctx, const perf_options *o) {
    struct tm utc;
    const time_t clock = time(NULL);
    *run = (perf_run){.infer = o->infer, .threads = hd_context_threads(ctx), .seconds = o->seconds};
    if (!gmtime_r(&clock, &utc) || strftime(run->date, sizeof run->date, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        run->date[0] = '\0';
    name_machine(run->machine, sizeof run->machine);
    run->processors = (int)sysconf(_SC_NPROCESSORS_ONLN);
    (void)snprintf(run->hadal, sizeof run->hadal, "%s", hd_version());
    if (!hd_library_version("oneDNN", run->onednn)) run->onednn[0] = '\0';
    (void)snprintf(run->compiler, sizeof run->compiler, "%s", compiler);
    (void)snprintf(run->isa, sizeof run->isa, "%s", hd_context_isa(ctx));
    (void)snprintf(run->precision, sizeof run->precision, "%s", o->precision ? o->precision : "f32");
}

double perf_run_flops(const perf_run *run) {
    const bool bf16 = strcmp(run->precision, "bf16") == 0 && run->most.bf16_flops > 0;
    return bf16 ? run->most.bf16_flops : run->most.f32_flops;
}

void perf_row_settle(perf_row *row, double most) {
    double median[PERF_MOST_ROUNDS];
    for (int i = 0; i < row->rounds; i++) median[i] = row->round[i].median;
    row->last.ms = row->rounds == 1 ? row->round[0] : perf_spread_of(median, row->rounds);
    row->gflops = row->last.ms.median > 0 ? 1e-6 * row->last.flops / row->last.ms.median : 0;
    row->share = most > 0 ? 1e9 * row->gflops / most : 0;
}

/* ---- out ---- */

static void put_text(hd_jw *w, const char *key, const char *value) {
    hd_jw_key(w, key);
    hd_jw_string(w, value[0] ? value : NULL);
}

static void put_int(hd_jw *w, const char *key, int64_t value) {
    hd_jw_key(w, key);
    hd_jw_int(w, value);
}

/* Six digits: more are not measured. */
static void put_number(hd_jw *w, const char *key, double value) {
    char text[32];
    double rounded = value;
    (void)snprintf(text, sizeof text, "%.6g", value);
    (void)hd_text_to_f64(text, strlen(text), &rounded);
    hd_jw_key(w, key);
    hd_jw_number(w, rounded);
}

static void put_spread(hd_jw *w, const perf_spread *s) {
    put_number(w, "ms", s->median);
    put_number(w, "q1_ms", s->q1);
    put_number(w, "q3_ms", s->q3);
}

static void put_row(hd_jw *w, const perf_row *row) {
    hd_jw_begin(w, '{');
    put_text(w, "name", row->name);
    put_spread(w, &row->last.ms);
    put_number(w, "gflops", row->gflops);
    put_number(w, "ceiling_share", row->share);
    put_int(w, "peak_bytes", (int64_t)row->last.peak_kb * 1024);
    put_int(w, "plan_bytes", (int64_t)row->last.plan_bytes);
    put_int(w, "steps", row->last.steps);
    put_int(w, "reorders", row->last.reorders);
    put_int(w, "weight_reorders", row->last.weight_reorders);
    put_int(w, "params", row->last.params);
    put_number(w, "flops", row->last.flops);
    hd_jw_key(w, "rounds");
    hd_jw_begin(w, '[');
    for (int i = 0; i < row->rounds; i++) {
        hd_jw_begin(w, '{');
        put_spread(w, &row->round[i]);
        hd_jw_end(w);
    }
    hd_jw_end(w);
    hd_jw_end(w);
}

void perf_write(hd_text *out, const perf_run *run) {
    hd_jw w = {.out = out};
    hd_jw_begin(&w, '{');
    put_text(&w, "date", run->date);
    put_text(&w, "machine", run->machine);
    put_int(&w, "processors", run->processors);
    put_int(&w, "threads", run->threads);
    put_text(&w, "isa", run->isa);
    put_text(&w, "hadal", run->hadal);
    put_text(&w, "onednn", run->onednn);
    put_text(&w, "compiler", run->compiler);
    put_text(&w, "mode", run->infer ? "infer" : "train");
    put_text(&w, "precision", run->precision);
    put_number(&w, "seconds", run->seconds);
    put_number(&w, "ceiling_gflops", 1e-9 * run->most.f32_flops);
    put_number(&w, "ceiling_bf16_gflops", 1e-9 * run->most.bf16_flops);
    put_number(&w, "memory_gb_s", 1e-9 * run->most.memory_bytes);
    hd_jw_key(&w, "workloads");
    hd_jw_begin(&w, '[');
    for (int i = 0; i < run->n; i++) put_row(&w, &run->row[i]);
    hd_jw_end(&w);
    hd_jw_end(&w);
    hd_text_puts(out, "\n");
}

/* ---- in ---- */

typedef struct reader {
    hd_context *ctx;
    const char *where;
} reader;

static hd_status wrong(const reader *r, const hd_json *at, const char *key, const char *expected) {
    return hd_fail(r->ctx, HD_E_DATA,
                   "%s:%d:%d|\"%s\": expected %s|This is no output of hadal-perf --json, or of an older one: measure "
                   "again",
                   r->where, at->line, at->column, key, expected);
}

/* A number between the two, or `missing` where it may lack (NaN: it may not). */
static hd_status get_number(const reader *r, const hd_json *o, const char *key, double least, double greatest,
                            double missing, double *out) {
    const hd_json *v = hd_json_get(o, key);
    *out = missing;
    if (!v && !isnan(missing)) return HD_OK;
    if (!v || (v->type != HD_JSON_INT && v->type != HD_JSON_FLOAT)) return wrong(r, v ? v : o, key, "a number");
    if (!(v->number >= least && v->number <= greatest)) return wrong(r, v, key, "a number in range");
    *out = v->number;
    return HD_OK;
}

/* A text without control characters; "" where it lacks. */
static hd_status get_text(const reader *r, const hd_json *o, const char *key, char *out, size_t size) {
    const hd_json *v = hd_json_get(o, key);
    out[0] = '\0';
    if (!v || v->type == HD_JSON_NULL) return HD_OK;
    if (v->type != HD_JSON_STRING || v->length >= size) return wrong(r, v, key, "a short text");
    for (size_t i = 0; i < v->length; i++)
        if ((unsigned char)v->string[i] < ' ' || v->string[i] == 0x7f) return wrong(r, v, key, "a text for one line");
    memcpy(out, v->string, v->length + 1);
    return HD_OK;
}

static hd_status get_spread(const reader *r, const hd_json *o, perf_spread *out) {
    HD_TRY(get_number(r, o, "ms", 1e-9, 1e12, NAN, &out->median));
    HD_TRY(get_number(r, o, "q1_ms", 1e-9, 1e12, out->median, &out->q1));
    HD_TRY(get_number(r, o, "q3_ms", 1e-9, 1e12, out->median, &out->q3));
    if (!(out->q1 <= out->median && out->median <= out->q3)) return wrong(r, o, "ms", "a median between its quartiles");
    return HD_OK;
}

static hd_status get_row(const reader *r, const hd_json *o, perf_row *row) {
    double peak, share;
    if (o->type != HD_JSON_OBJECT) return wrong(r, o, "workloads", "objects");
    HD_TRY(get_text(r, o, "name", row->name, sizeof row->name));
    if (!row->name[0]) return wrong(r, o, "name", "the name of a workload");
    HD_TRY(get_spread(r, o, &row->last.ms));
    HD_TRY(get_number(r, o, "peak_bytes", 0, 1e15, 0, &peak));
    HD_TRY(get_number(r, o, "ceiling_share", 0, 1e6, 0, &share));
    HD_TRY(get_number(r, o, "flops", 0, 1e18, 0, &row->last.flops));
    row->last.peak_kb = (long)(peak / 1024);
    row->share = share;
    const hd_json *rounds = hd_json_get(o, "rounds");
    if (!rounds) { /* of one round, before there were more */
        row->rounds = 1;
        row->round[0] = row->last.ms;
        return HD_OK;
    }
    if (rounds->type != HD_JSON_ARRAY || rounds->count < 1 || rounds->count > PERF_MOST_ROUNDS)
        return wrong(r, rounds, "rounds", "a list of 1 to 64 rounds");
    for (const hd_json *v = rounds->child; v; v = v->next) HD_TRY(get_spread(r, v, &row->round[row->rounds++]));
    return HD_OK;
}

static hd_status get_rows(const reader *r, hd_arena *arena, const hd_json *list, perf_run *out) {
    if (list->type != HD_JSON_ARRAY || list->count > MOST_ROWS) return wrong(r, list, "workloads", "a list");
    out->row = hd_arena_alloc_n(arena, list->count + 1, sizeof *out->row);
    if (!out->row) return HD_E_MEMORY;
    for (const hd_json *v = list->child; v; v = v->next) {
        HD_TRY(get_row(r, v, &out->row[out->n]));
        for (int i = 0; i < out->n; i++)
            if (strcmp(out->row[i].name, out->row[out->n].name) == 0) return wrong(r, v, "name", "each name once");
        out->n++;
    }
    return HD_OK;
}

static hd_status get_run(const reader *r, hd_arena *arena, const hd_json *o, perf_run *out) {
    double n, most, bf16, memory;
    char mode[16];
    if (o->type != HD_JSON_OBJECT || !hd_json_get(o, "workloads")) return wrong(r, o, "workloads", "them in an object");
    HD_TRY(get_text(r, o, "date", out->date, sizeof out->date));
    HD_TRY(get_text(r, o, "machine", out->machine, sizeof out->machine));
    HD_TRY(get_text(r, o, "hadal", out->hadal, sizeof out->hadal));
    HD_TRY(get_text(r, o, "onednn", out->onednn, sizeof out->onednn));
    HD_TRY(get_text(r, o, "compiler", out->compiler, sizeof out->compiler));
    HD_TRY(get_text(r, o, "isa", out->isa, sizeof out->isa));
    HD_TRY(get_text(r, o, "precision", out->precision, sizeof out->precision));
    HD_TRY(get_text(r, o, "mode", mode, sizeof mode));
    if (!out->precision[0]) memcpy(out->precision, "f32", sizeof "f32");
    out->infer = strcmp(mode, "infer") == 0;
    HD_TRY(get_number(r, o, "threads", 1, 256, NAN, &n));
    out->threads = (int)n;
    HD_TRY(get_number(r, o, "processors", 1, 1e6, 0, &n));
    out->processors = (int)n;
    HD_TRY(get_number(r, o, "seconds", 0, 1e6, 0, &out->seconds));
    HD_TRY(get_number(r, o, "ceiling_gflops", 0, 1e9, 0, &most));
    HD_TRY(get_number(r, o, "ceiling_bf16_gflops", 0, 1e9, 0, &bf16));
    HD_TRY(get_number(r, o, "memory_gb_s", 0, 1e9, 0, &memory));
    out->most = (ceiling){.threads = out->threads, 1e9 * most, 1e9 * bf16, 1e9 * memory, 0};
    return get_rows(r, arena, hd_json_get(o, "workloads"), out);
}

hd_status perf_read(perf_run *out, hd_arena *arena, const char *where, const char *text, size_t length) {
    const reader r = {arena->ctx, where};
    hd_json *tree = NULL;
    *out = (perf_run){0};
    const hd_status status = hd_json_parse(&tree, arena, where, text, length);
    if (status == HD_E_MODEL) { /* to the reader a recipe; here it is data */
        const hd_error e = hd_last_error_parts(arena->ctx);
        return hd_fail(arena->ctx, HD_E_DATA, "%s|%s|%s", hd_arena_strdup(arena, e.where),
                       hd_arena_strdup(arena, e.what), hd_arena_strdup(arena, e.fix));
    }
    return status == HD_OK ? get_run(&r, arena, tree, out) : status;
}

hd_status perf_read_file(perf_run *out, hd_arena *arena, const char *path) {
    char *text;
    size_t length;
    HD_TRY(hd_file_read(arena->ctx, path, MOST_BYTES, &text, &length));
    const hd_status status = perf_read(out, arena, path, text, length);
    hd_free(arena->ctx, text);
    return status;
}
