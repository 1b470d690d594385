/* progress.c: owns the live bar and the line of an epoch. Called after every step of training: when there is nothing to
 * draw it must cost nothing but a look at the clock. */
#include "cli/progress.h"
#include "cli/screen.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double REDRAW = 0.1; /* seconds */

void progress_open(progress *p, cli *c, const char *kind) {
    const char *unit = strcmp(kind, "pictures") == 0 ? "img/s"
                       : strcmp(kind, "text") == 0 || strcmp(kind, "sequences") == 0 || strcmp(kind, "music") == 0
                           ? "sequences/s"
                       : strcmp(kind, "table") == 0 || strcmp(kind, "ratings") == 0 ? "rows/s"
                                                                                    : "points/s";
    *p = (progress){.c = c, .unit = unit};
}

static int digits(int64_t n) {
    int count = 1;
    for (; n >= 10; n /= 10) count++;
    return count;
}

static void head(cli *c, char *line, size_t size, const hd_progress *now) {
    (void)snprintf(line, size, "%sepoch%s %*lld/%lld", screen_style_code(c, DIM), screen_style_code(c, PLAIN),
                   digits(now->epochs), (long long)now->epoch, (long long)now->epochs);
}

/* Cells that fit beside the rest of the line; 0 when there are too few to mean anything. */
static int bar_cells(const cli *c) {
    int room = screen_width(c) - 73;
    return room > 20 ? 20 : room < 6 ? 0 : room;
}

/* The bar and a blank behind it; half cells are shown. */
static void bar(cli *c, double share, int cells, char *out, size_t size) {
    int halves = (int)(share * 2 * cells);
    const char *off = screen_style_code(c, PLAIN), *empty = c->color ? "━" : "─";
    size_t used = (size_t)snprintf(out, size, "%s", screen_style_code(c, ACCENT));
    for (int i = 0; i < cells; i++) {
        if (i == halves / 2) used += (size_t)snprintf(out + used, size - used, "%s", halves % 2 ? "╸" : "");
        if (i == halves / 2) used += (size_t)snprintf(out + used, size - used, "%s%s", off, screen_style_code(c, DIM));
        if (i != halves / 2 || halves % 2 == 0)
            used += (size_t)snprintf(out + used, size - used, "%s", i < halves / 2 ? "━" : empty);
    }
    (void)snprintf(out + used, size - used, "%s ", off);
}

/* "acc 94.5 % ±0.6", or "rmse 0.231": the first metric. */
static void metric(char *line, size_t size, const hd_scores *s, bool interval) {
    char value[64];
    *line = '\0';
    if (s->count == 0) return;
    const hd_metric *m = &s->metric[0];
    const char *name = strcmp(m->name, "accuracy") == 0 ? "acc" : m->name;
    if (!metric_is_share(m->name))
        (void)snprintf(line, size, "  %s %s", name, text_short(value, m->value));
    else if (interval && isfinite(m->low))
        (void)snprintf(line, size, "  %s %.1f %% ±%.1f", name, 100 * m->value, 50 * (m->high - m->low));
    else
        (void)snprintf(line, size, "  %s %.1f %%", name, 100 * m->value);
}

static void remember(progress *p, const hd_progress *now) {
    if (p->count == p->room) {
        size_t room = p->room ? 2 * p->room : 64;
        progress_epoch *more = realloc(p->history, room * sizeof *more);
        if (!more) return; /* the hint after the run is then made from fewer epochs */
        p->history = more;
        p->room = room;
    }
    p->history[p->count++] = (progress_epoch){now->epoch, now->train.loss, now->val.n > 0 ? now->val.loss : NAN};
}

static void epoch_line(progress *p, const hd_progress *now, double seconds) {
    cli *c = p->c;
    char first[96], full[192] = "", time[64], rate[64], loss[64], val[96] = "", score[96], number[64];
    const hd_scores *shown = now->val.n > 0 ? &now->val : &now->train;
    int cells = c->live ? bar_cells(c) : 0;
    head(c, first, sizeof first, now);
    if (cells > 0) bar(c, 1, cells, full, sizeof full);
    if (now->val.n > 0) (void)snprintf(val, sizeof val, "  val %s", text_short(number, now->val.loss));
    metric(score, sizeof score, shown, true);
    screen_clear_line(c);
    say(c, "%s %s%s%s  %s %s  loss %s%s%s%s%s%s\n", first, full, cells > 0 ? "" : " ", text_seconds(time, seconds),
        text_rate(rate, now->samples_per_second), p->unit, text_short(loss, now->train.loss), val, score,
        screen_style_code(c, GOOD), now->best ? " *" : "", screen_style_code(c, PLAIN));
    (void)fflush(c->people);
}

static void live_line(progress *p, const hd_progress *now) {
    cli *c = p->c;
    char first[96], part[192] = "", rate[64], loss[64], score[96], left[64], tail[192] = "", whole[96] = "", line[768];
    double share = now->steps_in_epoch > 0 ? (double)now->step / (double)now->steps_in_epoch : 0;
    /* Samples left in the epoch, at the epoch's speed. */
    double batch = now->step > 0 ? (double)now->train.n / (double)now->step : 0;
    double rest =
        now->samples_per_second > 0 ? batch * (double)(now->steps_in_epoch - now->step) / now->samples_per_second : 0;
    int width = screen_width(c), cells = bar_cells(c);
    head(c, first, sizeof first, now);
    if (cells > 0) bar(c, share, cells, part, sizeof part);
    metric(score, sizeof score, &now->train, false);
    if (width >= 60) (void)snprintf(tail, sizeof tail, "%s  %s left", score, text_seconds(left, rest));
    if (width >= 100 && now->epochs > now->epoch && now->seconds_left > 10)
        (void)snprintf(whole, sizeof whole, " (all: %s)", text_seconds(left, now->seconds_left));
    (void)snprintf(line, sizeof line, "%s %s%3.0f %%  %s %s  loss %s%s%s", first, part, 100 * share,
                   text_rate(rate, now->samples_per_second), p->unit, text_short(loss, now->train.loss), tail, whole);
    fprintf(c->people, "\r%s\033[K", line);
    (void)fflush(c->people);
    c->drawing = true;
}

bool progress_step(void *user, const hd_progress *now) {
    progress *p = user;
    p->epoch = now->epoch;
    if (now->epoch_end) {
        remember(p, now);
        epoch_line(p, now, now->seconds - p->began);
        p->began = p->drawn = now->seconds;
    } else if (p->c->live && now->seconds - p->drawn >= REDRAW) {
        live_line(p, now);
        p->drawn = now->seconds;
    }
    if (!cli_interrupted()) return false;
    screen_clear_line(p->c);
    say(p->c, "%sfinishing this step … ", p->c->live ? "^C " : "");
    (void)fflush(p->c->people);
    return true;
}

/* The best epoch by validation loss, when at least two epochs and a tenth of the run came after it, all of them worse
 * on validation and the last better on the training part. */
int64_t progress_overfit_from(const progress *p) {
    size_t best = 0, n = p->count;
    if (n < 3) return 0;
    for (size_t i = 1; i < n; i++)
        if (p->history[i].val < p->history[best].val) best = i;
    const progress_epoch *b = &p->history[best], *last = &p->history[n - 1];
    size_t after = n - 1 - best;
    if (!isfinite(b->val) || after < 2 || after * 10 < n) return 0;
    bool rises = last->val > b->val * 1.02, falls = last->train < b->train;
    return rises && falls ? b->epoch + 1 : 0;
}

void progress_close(progress *p) {
    free(p->history);
    *p = (progress){0};
}
