/* report_tables.c: owns the parts of the page that are numbers: result and baselines, network, confusion, recipe. */
#include "cli/report_page.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void fact(hd_text *t, const char *value, const char *name) {
    hd_text_puts(t, "<div><b>");
    html_text(t, value);
    hd_text_printf(t, "</b><span>%s</span></div>", name);
}

/* One bar of the comparison. share: the bar's length; errors are shown against the largest. */
static void bar(hd_text *t, const char *name, const char *value, double share, bool own) {
    hd_text_printf(t, "<span>%s</span><div class='bar%s'><i style='width:%.1f%%'></i></div><b>", name,
                   own ? " own" : "", 100 * fmin(1, fmax(0, share)));
    html_text(t, value);
    hd_text_puts(t, "</b>");
}

static void bars(report *r) {
    hd_text *t = r->page;
    const hd_metric *m = &r->judged->metric[0];
    const hd_result *s = r->result;
    bool share = metric_is_share(m->name);
    double whole = share ? 1
                         : fmax(fmax(m->value, isnan(s->scratch) ? 0 : s->scratch),
                                fmax(isnan(s->majority) ? 0 : s->majority, isnan(s->linear) ? 0 : s->linear));
    char text[64];
    if (!(whole > 0)) return;
    hd_text_puts(t, "<div class=bars>");
    bar(t, "this network", share ? text_percent(text, m->value) : text_short(text, m->value), m->value / whole, true);
    if (!isnan(s->scratch))
        bar(t, "the same from scratch", share ? text_percent(text, s->scratch) : text_short(text, s->scratch),
            s->scratch / whole, false);
    if (!isnan(s->linear))
        bar(t, "a linear model", share ? text_percent(text, s->linear) : text_short(text, s->linear), s->linear / whole,
            false);
    if (!isnan(s->majority))
        bar(t, share ? "always the largest class" : "always the mean",
            share ? text_percent(text, s->majority) : text_short(text, s->majority), s->majority / whole, false);
    hd_text_puts(t, "</div>");
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

void report_header(report *r) {
    hd_text *t = r->page;
    const hd_result *s = r->result;
    char a[64], text[DESCRIBE_ROOM];
    hd_text_puts(t, "<header><h1>");
    html_text(t, last_part(s->run));
    hd_text_puts(t, "</h1><p class=soft>");
    html_text(t, describe_model(text, r->recipe));
    hd_text_puts(t, ", trained on ");
    html_text(t, r->facts.name);
    hd_text_puts(t, "</p></header>");
    if (r->judged->count > 0) {
        const hd_metric *m = &r->judged->metric[0];
        bool share = metric_is_share(m->name);
        hd_text_printf(t, "<div class=result><div><div class=big>%s</div>%s %s",
                       share ? text_percent(a, m->value) : text_short(a, m->value), r->judged_on,
                       describe_metric(text, m->name));
        if (isfinite(m->low) && share)
            hd_text_printf(t, " <small>(95 %%: %.1f … %.1f)</small>", 100 * m->low, 100 * m->high);
        else if (isfinite(m->low))
            hd_text_printf(t, " <small>(95 %%: %s … %s)</small>", text_short(a, m->low), text_short(text, m->high));
        hd_text_puts(t, "</div>");
        bars(r);
        hd_text_puts(t, "</div>");
    }
    hd_text_puts(t, "<div class=facts>");
    fact(t, text_count(a, s->params), "parameters");
    fact(t, text_flops(a, r->info.flops), "a sample, forward");
    (void)snprintf(text, sizeof text, "%lld of %lld", (long long)s->best_epoch, (long long)s->epochs);
    fact(t, text, "best epoch");
    fact(t, text_count(a, s->steps), "steps");
    fact(t, text_seconds(a, s->seconds), "time");
    fact(t, text_bytes(a, (double)s->plan_bytes), "memory planned");
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)s->seed);
    fact(t, text, "seed");
    fact(t, hd_stop_name(s->stop), "stopped by");
    hd_text_puts(t, "</div>");
}

/* What the run began with, and what that was worth. */
static void begun_with(report *r) {
    const hd_transfer_info x = hd_trainer_transfer(r->trainer);
    const hd_metric *m = r->judged->count > 0 ? &r->judged->metric[0] : NULL;
    hd_text *t = r->page;
    char a[64], b[64];
    if (!x.from) return;
    hd_text_printf(t, "<p>It began with %s parameters of <b>", text_count(a, x.taken_params));
    html_text(t, x.from);
    hd_text_puts(t, "</b>");
    for (int32_t i = 0; i < x.fresh_count; i++) {
        hd_text_puts(t, i ? ", " : "; new: ");
        html_text(t, x.fresh[i]);
    }
    if (x.frozen) hd_text_printf(t, "; %s parameters stayed frozen", text_count(a, x.frozen));
    hd_text_puts(t, ".");
    const double scratch = r->result->scratch;
    if (m && metric_is_share(m->name) && !isnan(scratch))
        hd_text_printf(t, " The same network from scratch, with the same samples and epochs, reaches %s instead of %s.",
                       text_percent(a, scratch), text_percent(b, m->value));
    hd_text_puts(t, "</p>");
}

void report_method(report *r) {
    if (!r->result->note || !*r->result->note) return;
    hd_text_puts(r->page, "<h2>What was found</h2><p class=soft>By the method ");
    html_text(r->page, tree_text(r->recipe, "train.method", "?"));
    hd_text_puts(r->page, ", not by steps along a gradient.</p>");
    for (const char *line = r->result->note, *end; *line; line = *end ? end + 1 : end) {
        char text[2100];
        end = line + strcspn(line, "\n");
        (void)snprintf(text, sizeof text, "%.*s", (int)(end - line), line);
        hd_text_puts(r->page, "<p>");
        html_text(r->page, text);
        hd_text_puts(r->page, "</p>");
    }
}

static void layer_row(hd_text *t, const hd_layer_info *l) {
    char a[64];
    hd_text_puts(t, "<tr><td>");
    html_text(t, l->name);
    hd_text_puts(t, "<td>");
    html_text(t, l->type);
    hd_text_printf(t, "<td>%s", text_dims(a, &l->output));
    hd_text_printf(t, "<td class=n>%s", l->params ? text_count(a, l->params) : "");
    if (l->flops >= 5e3)
        hd_text_printf(t, "<td class=n>%.2f</tr>", l->flops / 1e6);
    else
        hd_text_puts(t, "<td class=n></tr>");
}

/* Without what only cuts, joins or turns: it has no parameters and computes nothing. */
void report_network(report *r) {
    hd_text *t = r->page;
    char a[64];
    int32_t silent = 0;
    hd_text_puts(t, "<h2>The network</h2>");
    begun_with(r);
    hd_text_puts(t, "<div class=scroll><table><thead><tr><th>layer<th>type<th>output<th class=n>parameters"
                    "<th class=n>MFLOP</tr></thead><tbody>");
    for (int32_t i = 0; i < r->info.layers; i++) {
        const hd_layer_info l = hd_model_layer(r->model, i);
        const bool works = l.params > 0 || l.flops > 0;
        if (works) layer_row(t, &l);
        silent += !works;
    }
    hd_text_printf(t, "<tr class=total><td>total<td><td><td class=n>%s<td class=n>%.*f</tr></tbody></table></div>",
                   text_count(a, r->info.params), r->info.flops < 5e3 ? 4 : 2, r->info.flops / 1e6);
    if (silent > 0)
        hd_text_printf(
            t, "<p class=soft>%d step%s that only cut%s, join%s or turn%s left out; hadal summary has all.</p>", silent,
            silent == 1 ? "" : "s", silent == 1 ? "s" : "", silent == 1 ? "s" : "", silent == 1 ? "s is" : " are");
}

/* The pair of classes most often taken for each other. */
static void most_confused(report *r) {
    int64_t k = r->info.classes, best = 0, row = 0, column = 0;
    char a[64];
    for (int64_t i = 0; i < k * k; i++)
        if (i / k != i % k && r->result->confusion[i] > best)
            best = r->result->confusion[i], row = i / k, column = i % k;
    if (best == 0) return;
    hd_text_puts(r->page, " Most often <b>");
    html_class(r->page, r->info.class_names[row]);
    hd_text_puts(r->page, "</b> was taken for <b>");
    html_class(r->page, r->info.class_names[column]);
    hd_text_printf(r->page, "</b>: %s time%s.", text_count(a, best), best == 1 ? "" : "s");
}

static void confusion_row(report *r, int64_t row) {
    hd_text *t = r->page;
    int64_t k = r->info.classes, total = 0;
    const int64_t *counts = r->result->confusion + row * k;
    for (int64_t p = 0; p < k; p++) total += counts[p];
    hd_text_puts(t, "<tr><th class=row scope=row>");
    html_class(t, r->info.class_names[row]);
    for (int64_t p = 0; p < k; p++) {
        double share = total > 0 ? (double)counts[p] / (double)total : 0;
        /* A root lets the few mistakes be seen beside the diagonal. */
        double shade = share > 0 ? 0.06 + 0.86 * sqrt(share) : 0;
        if (counts[p] == 0)
            hd_text_puts(t, "<td class=zero>·");
        else
            hd_text_printf(t, "<td%s style='--s:%.2f'>%lld",
                           shade > 0.75  ? " class=hi"
                           : shade > 0.5 ? " class=mid"
                                         : "",
                           shade, (long long)counts[p]);
    }
    hd_text_puts(t, "</tr>");
}

void report_confusion(report *r) {
    enum { MOST = 40 };
    hd_text *t = r->page;
    const int64_t k = r->info.classes;
    char a[64], b[64] = "";
    if (!r->result->confusion || k < 2) return;
    if (r->info.positions > 0) (void)snprintf(b, sizeof b, " of %lld answers each", (long long)r->info.positions);
    hd_text_printf(t, "<h2>What it takes for what</h2><p>%s %s samples%s%s.", text_count(a, r->count), r->judged_on, b,
                   k > MOST ? "" : ": rows are the true classes, columns what was predicted");
    most_confused(r);
    hd_text_puts(t, "</p>");
    if (k > MOST) {
        hd_text_printf(t, "<p class=soft>With %lld classes the table is left out; hadal eval --json prints it.</p>",
                       (long long)k);
        return;
    }
    hd_text_puts(t, "<div class=scroll><table class=confusion><thead><tr><td aria-label='true class by row'>");
    for (int64_t p = 0; p < k; p++) {
        hd_text_puts(t, "<th scope=col>");
        html_class(t, r->info.class_names[p]);
    }
    hd_text_puts(t, "</tr></thead><tbody>");
    for (int64_t row = 0; row < k; row++) confusion_row(r, row);
    hd_text_puts(t, "</tbody></table></div>");
}

void report_data_and_recipe(report *r) {
    hd_text *t = r->page;
    char a[64], b[64], d[64], text[DESCRIBE_ROOM];
    hd_text recipe = {.ctx = r->c->ctx};
    hd_text_puts(t, "<h2>Data</h2><p>");
    html_text(t, r->facts.name);
    hd_text_printf(t, ": %s training, %s validation and %s test samples, ", text_count(a, r->split->train_count),
                   text_count(b, r->split->val_count), text_count(d, r->split->test_count));
    html_text(t, describe_content(text, r->data, r->split->train, r->split->train_count));
    hd_text_puts(
        t, ".</p><h2>Recipe</h2><p class=soft>Every default filled in. The same recipe and seed give the same weights, "
           "to the bit.</p><pre>");
    hd_json_print(&recipe, r->recipe, 2);
    html_text(t, hd_text_str(&recipe));
    t->failed |= recipe.failed;
    hd_text_free(&recipe);
    hd_text_printf(t, "</pre><footer>Made by hadal %s · cpu %s × %d · SHA-256 of the weights: %s</footer>",
                   hd_version(), hd_context_isa(r->c->ctx), r->result->threads, r->result->weights_sha256);
}
