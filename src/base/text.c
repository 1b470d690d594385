/* text.c: owns the growing string and the "did you mean" of every parser. Numbers in text are in number.c. */
#include "base/text.h"
#include "base/alloc.h"
#include "base/locale.h"
#include <string.h>

static bool make_room(hd_text *t, size_t more) {
    size_t needed;
    if (t->failed) return false;
    if (!hd_add_ok(t->length, more, &needed) || !hd_add_ok(needed, 1, &needed) ||
        hd_grow(t->ctx, (void **)&t->data, &t->capacity, needed, 1) != HD_OK) {
        t->failed = true;
        return false;
    }
    return true;
}

void hd_text_add(hd_text *t, const char *bytes, size_t length) {
    if (!make_room(t, length)) return;
    if (length > 0) memcpy(t->data + t->length, bytes, length);
    t->length += length;
    t->data[t->length] = '\0';
}

void hd_text_puts(hd_text *t, const char *text) {
    hd_text_add(t, text, strlen(text));
}

void hd_text_printf(hd_text *t, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = hd_vsnprintf(NULL, 0, format, args);
    if (n < 0) t->failed = true;
    if (n >= 0 && make_room(t, (size_t)n)) {
        (void)hd_vsnprintf(t->data + t->length, (size_t)n + 1, format, again);
        t->length += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

void hd_text_free(hd_text *t) {
    hd_free(t->ctx, t->data);
    *t = (hd_text){.ctx = t->ctx};
}

const char *hd_text_str(const hd_text *t) {
    return t->data ? t->data : "";
}

bool hd_text_ends(const char *text, const char *end) {
    const size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

enum { LONGEST_WORD = 64 }; /* nobody mistypes longer ones, and hostile ones must not cost n × m */

static int least(int a, int b) {
    return a < b ? a : b;
}

/* Three rows of the optimal string alignment table are alive at a time. */
int hd_text_distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST_WORD || m > LONGEST_WORD) return 2 * LONGEST_WORD;
    int rows[3][LONGEST_WORD + 1];
    for (size_t j = 0; j <= m; j++) rows[0][j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            int swap = a[i - 1] != b[j - 1];
            row[j] = least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + swap);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], above2[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

const char *hd_text_nearest(const char *word, const char *const *candidates, size_t n) {
    size_t length = strlen(word);
    int limit = length > LONGEST_WORD ? 0 : length >= 6 ? (int)(length / 3) : 1;
    const char *best = NULL;
    int least_so_far = limit + 1;
    for (size_t i = 0; i < n; i++) {
        int distance = hd_text_distance(word, candidates[i]);
        if (distance >= least_so_far) continue;
        least_so_far = distance;
        best = candidates[i];
    }
    return best;
}
