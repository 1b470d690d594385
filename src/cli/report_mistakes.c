/* report_mistakes.c: owns the worst mistakes: the samples on which the network was surest and wrong, as pictures where
 * they are pictures, else as rows. */
#include "cli/report_page.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TILES = 24, ROWS = 12, LARGEST_SIDE = 64, SHOWN_FEATURES = 8 };

typedef struct mistake {
    int64_t at; /* place in the part */
    int64_t truth, said;
    double badness, score;
} mistake;

/* Keeps the `most` worst, sorted, worst first; of equal ones the earlier. */
static void keep(mistake *list, int *count, int most, mistake m) {
    if (*count == most && list[most - 1].badness >= m.badness) return;
    int i = *count < most ? (*count)++ : most - 1;
    for (; i > 0 && list[i - 1].badness < m.badness; i--) list[i] = list[i - 1];
    list[i] = m;
}

static mistake judge_class(const report *r, int64_t at) {
    const float *y = r->result->scores + at * r->columns;
    mistake m = {.at = at, .truth = hd_data_label(r->data, r->indices[at])};
    for (int64_t k = 1; k < r->columns; k++)
        if (y[k] > y[m.said]) m.said = k;
    m.score = (double)y[m.said];
    m.badness = m.said == m.truth ? -1 : m.score;
    return m;
}

static mistake judge_values(const report *r, int64_t at, float *target) {
    const float *y = r->result->scores + at * r->columns;
    mistake m = {.at = at};
    hd_data_values(r->data, r->indices[at], target);
    for (int64_t k = 0; k < r->columns; k++) m.badness += fabs((double)y[k] - (double)target[k]);
    return m;
}

/* 8-bit pixels, rows of w·channels, of a sample [c,h,w]; sides over LARGEST_SIDE are thinned. Caller's pixels:
 * LARGEST_SIDE² × 3. */
static void pixels_of(const report *r, const float *x, unsigned char *pixels, int64_t *height, int64_t *width) {
    const hd_dims *s = &r->facts.sample;
    int64_t channels = s->dim[0], h = s->dim[1], w = s->dim[2], side = h > w ? h : w;
    int64_t by = (side + LARGEST_SIDE - 1) / LARGEST_SIDE;
    double low = (double)r->info.picture.low, span = (double)r->info.picture.high - low;
    if (!(span > 0)) low = 0, span = 255;
    *height = h / by > 0 ? h / by : 1;
    *width = w / by > 0 ? w / by : 1;
    for (int64_t i = 0; i < *height; i++)
        for (int64_t j = 0; j < *width; j++)
            for (int64_t c = 0; c < channels; c++) {
                double v = 255 * ((double)x[(c * h + i * by) * w + j * by] - low) / span;
                pixels[(i * *width + j) * channels + c] = (unsigned char)fmin(255, fmax(0, v + 0.5));
            }
}

static hd_status tile(report *r, const mistake *m, float *x, unsigned char *pixels) {
    hd_text *t = r->page;
    int64_t h, w;
    char sure[32] = "&gt; 99.9";
    if (m->score < 0.9995) (void)snprintf(sure, sizeof sure, "%.1f", 100 * m->score);
    unsigned char *png = NULL;
    size_t length = 0;
    hd_data_x(r->data, r->indices[m->at], x);
    pixels_of(r, x, pixels, &h, &w);
    CLI_TRY(r->c, hd_picture_encode(r->c->ctx, pixels, h, w, (int)r->facts.sample.dim[0], &png, &length));
    hd_text_puts(t, "<figure><img alt='' src='data:image/png;base64,");
    html_base64(t, png, length);
    hd_memory_free(r->c->ctx, png);
    hd_text_puts(t, "'><figcaption>is <b>");
    html_class(t, r->info.class_names[m->truth]);
    hd_text_puts(t, "</b>, said <b>");
    html_class(t, r->info.class_names[m->said]);
    hd_text_printf(t, "</b><br>%s %% sure</figcaption></figure>", sure);
    return HD_OK;
}

static void row(report *r, const mistake *m, float *x, float *target) {
    hd_text *t = r->page;
    char a[64];
    int64_t features = hd_dims_count(&r->facts.sample), shown = features < SHOWN_FEATURES ? features : SHOWN_FEATURES;
    hd_data_x(r->data, r->indices[m->at], x);
    hd_text_printf(t, "<tr><td>%lld<td>", (long long)r->indices[m->at]);
    if (r->info.classes > 0) {
        html_class(t, r->info.class_names[m->truth]);
        hd_text_puts(t, "<td>");
        html_class(t, r->info.class_names[m->said]);
        hd_text_printf(t, "<td class=n>%.1f %%", 100 * m->score);
    } else {
        hd_data_values(r->data, r->indices[m->at], target);
        hd_text_puts(t, text_short(a, (double)target[0]));
        hd_text_printf(t, "<td>%s", text_short(a, (double)r->result->scores[m->at * r->columns]));
        hd_text_printf(t, "<td class=n>%s", text_short(a, m->badness));
    }
    for (int64_t i = 0; i < shown; i++) hd_text_printf(t, "<td class=n>%s", text_short(a, (double)x[i]));
    hd_text_puts(t, "</tr>");
}

/* What input number `at` is called: the table's column, "column = word" where a word became a number of its own; "x3"
 * where columns have no names. */
static void feature_name(hd_text *t, const hd_json *columns, int64_t at) {
    int64_t before = 0;
    for (const hd_json *c = columns ? columns->child : NULL; c; c = c->next) {
        const hd_json *name = hd_json_get(c, "name"), *words = hd_json_get(c, "words");
        const int64_t wide = words ? (int64_t)words->count : 1;
        if (hd_json_get(c, "role")) continue; /* no feature */
        if (at < before + wide && name) {
            html_text(t, name->string);
            const hd_json *word = words ? words->child : NULL;
            for (int64_t k = at - before; word && k > 0; k--) word = word->next;
            if (!word) return;
            hd_text_puts(t, " = ");
            html_text(t, word->string);
            return;
        }
        before += wide;
    }
    hd_text_printf(t, "x%lld", (long long)at + 1);
}

static void feature_names(report *r) {
    hd_arena arena = {.ctx = r->c->ctx};
    hd_json *tree = NULL;
    const char *text = r->facts.encoding;
    const int64_t features = hd_dims_count(&r->facts.sample);
    if (text && hd_json_parse(&tree, &arena, "encoding", text, strlen(text)) != HD_OK) tree = NULL;
    for (int64_t i = 0; i < features && i < SHOWN_FEATURES; i++) {
        hd_text_puts(r->page, "<th class=n>");
        feature_name(r->page, tree ? hd_json_get(tree, "columns") : NULL, i);
    }
    hd_arena_free(&arena);
}

static void rows(report *r, const mistake *list, int count, float *x, float *target) {
    hd_text *t = r->page;
    hd_text_printf(t, "<div class=scroll><table><thead><tr><th>sample<th>is<th>said<th class=n>%s",
                   r->info.classes > 0 ? "sure" : "error");
    feature_names(r);
    hd_text_puts(t, "</tr></thead><tbody>");
    for (int i = 0; i < count; i++) row(r, &list[i], x, target);
    hd_text_puts(t, "</tbody></table></div>");
}

static bool is_picture(const hd_dims *s) {
    return s->rank == 3 && (s->dim[0] == 1 || s->dim[0] == 3);
}

/* Finds the worst ones; *wrong: how many there are. */
static int find(const report *r, mistake *list, int most, float *target, int64_t *wrong) {
    int count = 0;
    *wrong = 0;
    for (int64_t i = 0; i < r->count; i++) {
        mistake m = r->info.classes > 0 ? judge_class(r, i) : judge_values(r, i, target);
        *wrong += m.badness >= 0;
        if (m.badness >= 0) keep(list, &count, most, m);
    }
    return count;
}

static hd_status section(report *r, float *x, float *target, unsigned char *pixels) {
    mistake list[TILES] = {{0}};
    bool picture = is_picture(&r->facts.sample) && r->info.classes > 0;
    int64_t wrong;
    int count = find(r, list, picture ? TILES : ROWS, target, &wrong);
    char a[64], b[64];
    hd_text_puts(r->page, "<h2>Its worst mistakes</h2>");
    if (r->info.classes > 0)
        hd_text_printf(r->page, "<p>%s of %s %s samples are wrong%s.</p>", text_count(a, wrong),
                       text_count(b, r->count), r->judged_on, count ? "; those it was surest of come first" : "");
    else
        hd_text_printf(r->page, "<p>The largest errors among %s %s samples.</p>", text_count(b, r->count),
                       r->judged_on);
    if (count == 0) return HD_OK;
    if (!picture) {
        rows(r, list, count, x, target);
        return HD_OK;
    }
    hd_text_puts(r->page, "<div class=tiles>");
    for (int i = 0; i < count; i++) {
        hd_status status = tile(r, &list[i], x, pixels);
        if (status != HD_OK) return status;
    }
    hd_text_puts(r->page, "</div>");
    return HD_OK;
}

hd_status report_mistakes(report *r) {
    if (!r->result->scores || r->count <= 0) return HD_OK;
    float *x = malloc(((size_t)hd_dims_count(&r->facts.sample) + 1) * sizeof *x);
    float *target = malloc(((size_t)r->columns + 1) * sizeof *target);
    unsigned char *pixels = malloc((size_t)LARGEST_SIDE * LARGEST_SIDE * 3);
    hd_status status = x && target && pixels ? section(r, x, target, pixels) : cli_no_memory(r->c);
    free(x);
    free(target);
    free(pixels);
    return status;
}
