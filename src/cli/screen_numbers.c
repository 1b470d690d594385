/* screen_numbers.c: owns how numbers are told to people: grouped, with units, with as many digits as mean something. */
#include "base/text.h"
#include "cli/screen.h"
#include <math.h>
#include <string.h>

enum { ROOM = 64 };

char *text_count(char *buffer, int64_t value) {
    return hd_text_grouped(buffer, value);
}

char *text_bytes(char *buffer, double bytes) {
    return hd_text_bytes(buffer, bytes);
}

char *text_seconds(char *buffer, double seconds) {
    if (!(seconds >= 0)) seconds = 0;
    if (seconds < 0.00095)
        (void)snprintf(buffer, ROOM, "%.0f µs", seconds * 1e6);
    else if (seconds < 0.00995)
        (void)snprintf(buffer, ROOM, "%.1f ms", seconds * 1e3);
    else if (seconds < 0.095)
        (void)snprintf(buffer, ROOM, "%.0f ms", seconds * 1e3);
    else if (seconds < 9.95)
        (void)snprintf(buffer, ROOM, "%.1f s", seconds);
    else if (seconds < 119.5)
        (void)snprintf(buffer, ROOM, "%.0f s", seconds);
    else if (seconds < 5400)
        (void)snprintf(buffer, ROOM, "%d min %02d s", (int)seconds / 60, (int)seconds % 60);
    else if (seconds < 3e8)
        (void)snprintf(buffer, ROOM, "%d h %02d min", (int)(seconds / 3600), (int)(seconds / 60) % 60);
    else
        (void)snprintf(buffer, ROOM, "years");
    return buffer;
}

char *text_rate(char *buffer, double r) {
    if (!(r > 0))
        (void)snprintf(buffer, ROOM, "0");
    else if (r < 99.5)
        (void)snprintf(buffer, ROOM, "%.*f", r < 9.95 ? 1 : 0, r);
    else if (r < 9995)
        (void)snprintf(buffer, ROOM, "%.0f", r);
    else if (r < 999500)
        (void)snprintf(buffer, ROOM, "%.0fk", r / 1e3);
    else
        (void)snprintf(buffer, ROOM, "%.*fM", r < 9.95e6 ? 1 : 0, r / 1e6);
    return buffer;
}

char *text_percent(char *buffer, double share) {
    if (isnan(share))
        (void)snprintf(buffer, ROOM, "–");
    else
        (void)snprintf(buffer, ROOM, "%.1f %%", 100 * share);
    return buffer;
}

char *text_short(char *buffer, double value) {
    double size = fabs(value);
    if (isnan(value))
        (void)snprintf(buffer, ROOM, "–");
    else if (isinf(value))
        (void)snprintf(buffer, ROOM, "%s∞", value < 0 ? "−" : "");
    else if (size == 0)
        (void)snprintf(buffer, ROOM, "0");
    else if (size < 1e-4 || size >= 1e7)
        (void)snprintf(buffer, ROOM, "%.2e", value);
    else if (size < 0.01)
        (void)snprintf(buffer, ROOM, "%.5f", value);
    else if (size < 10)
        (void)snprintf(buffer, ROOM, "%.3f", value);
    else if (size < 100)
        (void)snprintf(buffer, ROOM, "%.2f", value);
    else
        (void)snprintf(buffer, ROOM, "%.0f", value);
    return buffer;
}

char *text_flops(char *buffer, double f) {
    if (f >= 9.95e8)
        (void)snprintf(buffer, ROOM, "%.*f GFLOP", f < 9.95e9 ? 2 : 1, f / 1e9);
    else if (f >= 1e4)
        (void)snprintf(buffer, ROOM, "%.*f MFLOP", f < 9.95e6 ? 2 : f < 99.5e6 ? 1 : 0, f / 1e6);
    else
        (void)snprintf(buffer, ROOM, "%.0f FLOP", f);
    return buffer;
}

char *text_dims(char *buffer, const hd_dims *dims) {
    size_t used = 0;
    (void)snprintf(buffer, ROOM, "1");
    for (int i = 0; i < dims->rank && used < ROOM; i++) {
        int n = snprintf(buffer + used, ROOM - used, "%s%lld", i ? "×" : "", (long long)dims->dim[i]);
        if (n < 0) break;
        used += (size_t)n;
    }
    return buffer;
}

bool metric_is_share(const char *name) {
    static const char *const shares[] = {"accuracy", "f1",  "precision",         "recall",
                                         "top5",     "auc", "balanced_accuracy", "frame_accuracy"};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
        if (strcmp(name, shares[i]) == 0) return true;
    return false;
}

char *text_metric(char *buffer, const hd_metric *m) {
    char value[ROOM], low[ROOM], high[ROOM];
    if (metric_is_share(m->name))
        (void)snprintf(buffer, ROOM, "%.1f %% (%.1f … %.1f)", 100 * m->value, 100 * m->low, 100 * m->high);
    else if (!isfinite(m->low))
        (void)snprintf(buffer, ROOM, "%s", text_short(value, m->value));
    else
        (void)snprintf(buffer, ROOM, "%.16s (%.16s … %.16s)", text_short(value, m->value), text_short(low, m->low),
                       text_short(high, m->high));
    return buffer;
}
