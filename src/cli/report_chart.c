/* report_chart.c: owns the curves: from log.jsonl to SVG with axes, units and titles. */
#include "cli/report_page.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading the log ---- */

static double loss_in(const hd_json *part) {
    const hd_json *v = part && part->type == HD_JSON_OBJECT ? hd_json_get(part, "loss") : NULL;
    return v && (v->type == HD_JSON_INT || v->type == HD_JSON_FLOAT) ? v->number : NAN;
}

static double metric_in(const hd_json *part, const char *name, const char *member) {
    const hd_json *m = part && part->type == HD_JSON_OBJECT ? hd_json_get(part, name) : NULL;
    return m && m->type == HD_JSON_OBJECT ? tree_number(m, member, NAN) : NAN;
}

/* A resumed run may tell an epoch twice: the later line counts. */
static report_point *point_of(report *r, int64_t epoch, size_t *room) {
    for (size_t i = r->point_count; i-- > 0 && r->points[i].epoch >= epoch;)
        if (r->points[i].epoch == epoch) return &r->points[i];
    if (r->point_count == *room) {
        size_t more = *room ? 2 * *room : 64;
        report_point *grown = realloc(r->points, more * sizeof *grown);
        if (!grown) return NULL;
        r->points = grown;
        *room = more;
    }
    return &r->points[r->point_count++];
}

static hd_status read_line(report *r, const char *line, size_t length, size_t *room) {
    hd_arena arena = {.ctx = r->c->ctx};
    hd_json *entry = NULL;
    hd_status status = cli_lib(r->c, hd_json_parse(&entry, &arena, "log.jsonl", line, length));
    const hd_json *epoch = status == HD_OK ? hd_json_get(entry, "epoch") : NULL;
    const hd_json *train = status == HD_OK ? hd_json_get(entry, "train") : NULL;
    if (epoch && epoch->type == HD_JSON_INT && train) {
        const hd_json *val = hd_json_get(entry, "val");
        report_point *p = point_of(r, epoch->integer, room);
        if (!p)
            status = cli_no_memory(r->c);
        else
            *p = (report_point){epoch->integer,
                                loss_in(train),
                                loss_in(val),
                                metric_in(train, r->metric, "value"),
                                metric_in(val, r->metric, "value"),
                                metric_in(val, r->metric, "low"),
                                metric_in(val, r->metric, "high")};
    }
    hd_arena_free(&arena);
    return status;
}

hd_status report_history(report *r) {
    char path[4096], *text;
    size_t length, room = 0;
    (void)snprintf(path, sizeof path, "%s/log.jsonl", r->result->run);
    hd_status status = cli_read_all(r->c, path, (size_t)1 << 30, &text, &length);
    if (status != HD_OK) return status;
    for (char *s = text; *s && status == HD_OK;) {
        size_t n = strcspn(s, "\n");
        char end = s[n];
        s[n] = '\0';
        if (strstr(s, "\"train\"")) status = read_line(r, s, n, &room);
        s += n + (end == '\n');
    }
    free(text);
    return status;
}

/* ---- drawing ---- */

enum { WIDTH = 440, HEIGHT = 270, LEFT = 64, RIGHT = 14, TOP = 14, BOTTOM = 44 };

typedef struct chart {
    report *r;
    double low, high, step; /* of the vertical axis */
    double first, last;     /* epochs */
    double scale;           /* values are shown times this: 100 for shares */
    double (*train)(const report_point *), (*val)(const report_point *);
} chart;

static double train_loss(const report_point *p) {
    return p->train_loss;
}
static double val_loss(const report_point *p) {
    return p->val_loss;
}
static double train_metric(const report_point *p) {
    return p->train;
}
static double val_metric(const report_point *p) {
    return p->val;
}

static double x_of(const chart *k, double epoch) {
    double span = k->last - k->first;
    return span > 0 ? LEFT + (epoch - k->first) / span * (WIDTH - LEFT - RIGHT) : (LEFT + WIDTH - RIGHT) / 2.0;
}
static double y_of(const chart *k, double v) {
    return TOP + (k->high - v) / (k->high - k->low) * (HEIGHT - TOP - BOTTOM);
}

/* A step of 1, 2 or 5 times a power of ten that cuts the span into about `parts`. */
static double nice_step(double span, double parts) {
    double raw = span / parts, power = pow(10, floor(log10(raw))), m = raw / power;
    return (m < 1.5 ? 1 : m < 3.5 ? 2 : m < 7.5 ? 5 : 10) * power;
}

/* Settles the vertical axis; false when there is nothing finite to draw. */
static bool fit(chart *k, bool from_zero) {
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < k->r->point_count; i++) {
        const report_point *p = &k->r->points[i];
        bool band = k->val == val_metric;
        double v[4] = {k->train(p), k->val(p), band ? p->val_low : NAN, band ? p->val_high : NAN};
        for (int j = 0; j < 4; j++)
            if (isfinite(v[j])) low = fmin(low, v[j] * k->scale), high = fmax(high, v[j] * k->scale);
    }
    if (!(low <= high)) return false;
    if (from_zero && low >= 0 && low < 0.5 * high) low = 0;
    if (high - low < 1e-9 * fmax(1, fabs(high)))
        low -= fmax(fabs(low) * 0.1, 1e-3), high += fmax(fabs(high) * 0.1, 1e-3);
    k->step = nice_step(high - low, 5);
    k->low = floor(low / k->step) * k->step;
    k->high = ceil(high / k->step) * k->step;
    if (k->scale > 1 && k->high > 100) k->high = 100;
    if (k->high - k->low < k->step) k->low = k->high - k->step;
    return true;
}

static void draw_axes(const chart *k, const char *unit) {
    hd_text *t = k->r->page;
    int decimals = k->step >= 1 ? 0 : (int)ceil(-log10(k->step) - 1e-9);
    int lines = (int)floor((k->high - k->low) / k->step + 1e-6);
    for (int i = 0; i <= lines; i++) {
        double v = k->low + i * k->step, y = y_of(k, v);
        hd_text_printf(t, "<line class=grid x1=%d x2=%d y1=%.1f y2=%.1f />", LEFT, WIDTH - RIGHT, y, y);
        hd_text_printf(t, "<text x=%d y=%.1f text-anchor=end>%.*f</text>", LEFT - 7, y + 4.5, decimals, v);
    }
    int64_t step = (int64_t)fmax(1, nice_step(fmax(1, k->last - k->first), 8));
    for (int64_t e = ((int64_t)k->first + step - 1) / step * step; e <= (int64_t)k->last; e += step)
        hd_text_printf(t, "<text x=%.1f y=%d text-anchor=middle>%lld</text>", x_of(k, (double)e), HEIGHT - BOTTOM + 19,
                       (long long)e);
    hd_text_printf(t, "<line class=axis x1=%d x2=%d y1=%d y2=%d />", LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM,
                   HEIGHT - BOTTOM);
    hd_text_printf(t, "<text x=%d y=%d text-anchor=middle>epoch</text>", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 7);
    hd_text_printf(t, "<text x=13 y=%d text-anchor=middle transform='rotate(-90 13 %d)'>%s</text>",
                   (TOP + HEIGHT - BOTTOM) / 2, (TOP + HEIGHT - BOTTOM) / 2, unit);
}

/* Long runs are thinned to what a screen can show. */
static size_t stride(const chart *k) {
    return k->r->point_count / 600 + 1;
}

static void draw_line(const chart *k, double (*value)(const report_point *), const char *class) {
    hd_text *t = k->r->page;
    bool any = false;
    hd_text_printf(t, "<polyline class=%s points='", class);
    for (size_t i = 0; i < k->r->point_count; i += stride(k)) {
        double v = value(&k->r->points[i]) * k->scale;
        if (isfinite(v))
            hd_text_printf(t, "%.1f,%.1f ", x_of(k, (double)k->r->points[i].epoch), y_of(k, v)), any = true;
    }
    hd_text_puts(t, "'/>");
    if (!any || (*class != 'v' && k->r->point_count > 1) || k->r->point_count > 30) return;
    for (size_t i = 0; i < k->r->point_count; i++) {
        double v = value(&k->r->points[i]) * k->scale;
        if (isfinite(v))
            hd_text_printf(t, "<circle class=dot%s cx=%.1f cy=%.1f r=2.6 />",
                           *class == 'v' ? "" : " style='fill:var(--soft)'", x_of(k, (double)k->r->points[i].epoch),
                           y_of(k, v));
    }
}

/* The 95 % interval of the validation metric. */
static void draw_band(const chart *k) {
    hd_text *t = k->r->page;
    size_t n = k->r->point_count, by = stride(k);
    if (n < 2) return;
    hd_text_puts(t, "<polygon class=band points='");
    for (int side = 0; side < 2; side++)
        for (size_t j = 0; j < n; j += by) {
            const report_point *p = &k->r->points[side ? n - 1 - j : j];
            double v = (side ? p->val_low : p->val_high) * k->scale;
            if (isfinite(v))
                hd_text_printf(t, "%.1f,%.1f ", x_of(k, (double)p->epoch), y_of(k, fmin(k->high, fmax(k->low, v))));
        }
    hd_text_puts(t, "'/>");
}

static void draw(report *r, const char *id, const char *title, const char *unit, bool metric) {
    hd_text *t = r->page;
    chart k = {.r = r,
               .scale = metric && metric_is_share(r->metric) ? 100 : 1,
               .train = metric ? train_metric : train_loss,
               .val = metric ? val_metric : val_loss,
               .first = (double)r->points[0].epoch,
               .last = (double)r->points[r->point_count - 1].epoch};
    if (!fit(&k, !metric)) return;
    bool has_val = false;
    for (size_t i = 0; i < r->point_count; i++) has_val |= isfinite(k.val(&r->points[i]));
    hd_text_printf(
        t, "<figure><svg viewBox='0 0 %d %d' role=img aria-labelledby=%s><title id=%s>%s by epoch, %zu epochs</title>",
        WIDTH, HEIGHT, id, id, title, r->point_count);
    draw_axes(&k, unit);
    if (r->result->best_epoch > 0 && r->point_count > 1) {
        double x = x_of(&k, (double)r->result->best_epoch);
        hd_text_printf(t, "<line class=best x1=%.1f x2=%.1f y1=%d y2=%d><title>best epoch</title></line>", x, x, TOP,
                       HEIGHT - BOTTOM);
    }
    if (metric && has_val) draw_band(&k);
    draw_line(&k, k.train, "train");
    if (has_val) draw_line(&k, k.val, "val");
    hd_text_printf(
        t, "</svg><figcaption>%s: <span style='border-bottom:2px dashed'>training</span>%s%s</figcaption></figure>",
        title, has_val ? " and <span style='color:rgb(var(--a));border-bottom:2px solid'>validation</span>" : "",
        metric && has_val && r->point_count > 1 ? ", shaded: 95 % interval" : "");
}

void report_curves(report *r) {
    char title[64], unit[64];
    if (r->point_count == 0) return;
    hd_text_puts(r->page, "<h2>How it learnt</h2><div class=charts>");
    draw(r, "loss", "Loss", "loss", false);
    if (*r->metric) {
        describe_metric(title, r->metric);
        (void)snprintf(unit, sizeof unit, "%.30s%s", title, metric_is_share(r->metric) ? ", %" : "");
        if (title[0] >= 'a' && title[0] <= 'z' && metric_is_share(r->metric)) title[0] = (char)(title[0] - 'a' + 'A');
        draw(r, "metric", title, unit, true);
    }
    hd_text_puts(r->page, "</div>");
}
