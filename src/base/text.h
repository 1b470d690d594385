/* text.h: a growing string, and small helpers on text that errors and parsers share. */
#ifndef HD_BASE_TEXT_H
#define HD_BASE_TEXT_H
#include "hadal/base.h"

/* Zero it, set ctx, then append. After a failed allocation it stays as it is and `failed` is set; check once at the
 * end. */
typedef struct hd_text {
    hd_context *ctx;
    char *data; /* NUL-terminated once anything was appended; NULL before */
    size_t length, capacity;
    bool failed;
} hd_text;
void hd_text_add(hd_text *t, const char *bytes, size_t length);
void hd_text_puts(hd_text *t, const char *text);
void hd_text_printf(hd_text *t, const char *format, ...) HD_PRINTF(2, 3);
void hd_text_free(hd_text *t);
const char *hd_text_str(const hd_text *t); /* "" when empty */

/* Does `text` end in `end`, with something before it? */
bool hd_text_ends(const char *text, const char *end);

/* Levenshtein distance with transpositions, for "did you mean"; words over 64 bytes are far (128) from everything. */
int hd_text_distance(const char *a, const char *b);
/* The nearest of n candidates within a distance of max(1, length / 3), else NULL. */
const char *hd_text_nearest(const char *word, const char *const *candidates, size_t n);

/* Strict number readers over a whole string (no blanks, no locale): false when it is not one or does not fit. */
bool hd_text_to_i64(const char *text, size_t length, int64_t *out);
bool hd_text_to_f64(const char *text, size_t length, double *out);
/* Shortest decimal form that reads back to the same double ("0.1", "1e-05", "nan"). buffer ≥ 32 bytes. Returns it. */
char *hd_text_from_f64(char *buffer, double value);
/* Grouped digits "1,234,567" and human bytes "8.4 MB" (powers of 10). buffer ≥ 32 bytes. Returns it. */
char *hd_text_grouped(char *buffer, int64_t value);
char *hd_text_bytes(char *buffer, double bytes);
#endif
