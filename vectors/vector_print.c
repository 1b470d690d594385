/* vector_print.c: the report as a table for people or as one JSON object. */
#include "base/status.h"
#include "vector_group.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- JSON ---- */

static void json_named(hd_jw *w, const vector_named *n, const char *word, bool error) {
    hd_jw_begin(w, '{');
    hd_jw_key(w, "file");
    hd_jw_string(w, n->file);
    hd_jw_key(w, "case");
    hd_jw_int(w, n->index);
    if (error) {
        hd_jw_key(w, "error_of_allowed");
        hd_jw_number(w, n->result.worst);
    }
    if (n->result.text[0]) {
        hd_jw_key(w, word);
        hd_jw_string(w, n->result.text);
    }
    hd_jw_end(w);
}

static void json_list(hd_jw *w, const vector_group *g, vector_outcome outcome, const char *key, const char *word) {
    hd_jw_key(w, key);
    hd_jw_begin(w, '[');
    for (size_t i = 0; i < g->n_named; i++)
        if (g->named[i].result.outcome == outcome) json_named(w, &g->named[i], word, false);
    hd_jw_end(w);
}

static void json_group(hd_jw *w, const vector_group *g) {
    hd_jw_begin(w, '{');
    hd_jw_key(w, "cases");
    hd_jw_int(w, g->cases);
    hd_jw_key(w, "supported");
    hd_jw_int(w, g->supported);
    hd_jw_key(w, "passed");
    hd_jw_int(w, g->passed);
    hd_jw_key(w, "worst");
    hd_jw_begin(w, '[');
    for (int i = 0; i < g->n_worst; i++) json_named(w, &g->worst[i], "what", true);
    hd_jw_end(w);
    json_list(w, g, VECTOR_FAILED, "failed", "what");
    json_list(w, g, VECTOR_UNSUPPORTED, "unsupported", "why");
    hd_jw_end(w);
}

static void print_json(hd_text *t, const vector_report *report) {
    hd_jw w = {.out = t};
    hd_jw_begin(&w, '{');
    hd_jw_key(&w, "groups");
    hd_jw_begin(&w, '{');
    for (int i = 0; i < VECTOR_GROUPS; i++) {
        hd_jw_key(&w, vector_group_name((vector_group_id)i));
        json_group(&w, &report->group[i]);
    }
    hd_jw_end(&w);
    hd_jw_end(&w);
    hd_text_puts(t, "\n");
}

/* ---- text ---- */

static double percent(int64_t part, int64_t whole) {
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void print_table(hd_text *t, const vector_report *report, const vector_options *o) {
    hd_text_printf(t, "reference vectors of %s, %s, backend %s\n\n", o->folder, hd_dtype_name(o->dtype), o->backend);
    hd_text_puts(t, "group           cases  supported        passed         largest error, of what is allowed\n");
    for (int i = 0; i < VECTOR_GROUPS; i++) {
        const vector_group *g = &report->group[i];
        if (!g->cases) continue;
        hd_text_printf(t, "%-14s %6lld  %6lld %5.1f %%  %6lld %5.1f %%", vector_group_name((vector_group_id)i),
                       (long long)g->cases, (long long)g->supported, percent(g->supported, g->cases),
                       (long long)g->passed, percent(g->passed, g->supported));
        if (g->n_worst)
            hd_text_printf(t, "  %.3g (%s %d)", g->worst[0].result.worst, g->worst[0].file, g->worst[0].index);
        hd_text_puts(t, "\n");
    }
}

static void print_failed(hd_text *t, const vector_report *report) {
    for (int i = 0; i < VECTOR_GROUPS; i++)
        for (size_t k = 0; k < report->group[i].n_named; k++) {
            const vector_named *n = &report->group[i].named[k];
            if (n->result.outcome == VECTOR_FAILED)
                hd_text_printf(t, "failed: %s %d: %s\n", n->file, n->index, n->result.text);
        }
}

/* Every case that is not supported, with its reason. */
static void print_list(hd_text *t, const vector_group *g) {
    for (size_t k = 0; k < g->n_named; k++) {
        const vector_named *n = &g->named[k];
        if (n->result.outcome == VECTOR_UNSUPPORTED)
            hd_text_printf(t, "not supported: %s %d: %s\n", n->file, n->index, n->result.text);
    }
}

/* Files with cases that are not supported and how many, in lines of about 110 characters. */
static void print_names(hd_text *t, const vector_group *g) {
    size_t line = 0;
    for (size_t k = 0; k < g->n_named;) {
        int unsupported = 0;
        const char *file = g->named[k].file;
        for (; k < g->n_named && strcmp(g->named[k].file, file) == 0; k++)
            unsupported += g->named[k].result.outcome == VECTOR_UNSUPPORTED;
        if (!unsupported) continue;
        if (line > 100) hd_text_puts(t, "\n "), line = 0;
        const size_t before = t->length;
        hd_text_printf(t, " %s %d", file, unsupported);
        line += t->length - before;
    }
}

static void print_unsupported(hd_text *t, const vector_report *report, bool list) {
    for (int i = 0; i < VECTOR_GROUPS; i++) {
        const vector_group *g = &report->group[i];
        if (g->supported == g->cases) continue;
        if (list) {
            print_list(t, g);
            continue;
        }
        hd_text_printf(t, "\n%s, not supported (cases; --list says why):\n ", vector_group_name((vector_group_id)i));
        print_names(t, g);
        hd_text_puts(t, "\n");
    }
}

hd_status vector_print(const vector_report *report, const vector_options *o) {
    hd_text t = {.ctx = report->ctx};
    if (o->json) {
        print_json(&t, report);
    } else {
        print_table(&t, report, o);
        print_failed(&t, report);
        print_unsupported(&t, report, o->list);
    }
    hd_status status = t.failed ? HD_E_MEMORY : HD_OK;
    if (status == HD_OK && (fputs(hd_text_str(&t), stdout) < 0 || fflush(stdout) != 0))
        status = hd_fail(report->ctx, HD_E_FILE, "|the report can not be written");
    hd_text_free(&t);
    return status;
}
