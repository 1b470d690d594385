/* cells.c: owns what a cell of a text table is: separators, quotes (RFC 4180, and ARFF's), what counts as missing. */
#include "data/cells.h"
#include "base/status.h"
#include "base/text.h"
#include <float.h>
#include <math.h>
#include <string.h>

static bool blank(char c) {
    return c == ' ' || c == '\t';
}

static bool is_quote(const hd_cell_form *f, char c) {
    return !f->plain && (c == '"' || (f->arff && c == '\''));
}

static bool separates(const hd_cell_form *f, char c) {
    return c == f->separator || (f->separator == ' ' && blank(c));
}

/* Blanks in front of a cell; a tab that separates is none. */
static const char *skip_blanks(const hd_cell_form *f, const char *s, const char *end) {
    while (s < end && blank(*s) && (f->separator == ' ' || *s != f->separator)) s++;
    return s;
}

/* Behind the quoted cell that begins at s: at its closing quote, or at `end` when there is none. *doubled says that it
 * holds quotes of its own. */
static const char *closing_quote(const hd_cell_form *f, const char *s, const char *end, bool *doubled) {
    const char quote = *s++;
    for (; s < end; s++) {
        if (f->arff && *s == '\\' && s + 1 < end) {
            s++;
            *doubled = true;
        } else if (*s == quote) {
            if (f->arff || s + 1 == end || s[1] != quote) return s;
            s++;
            *doubled = true;
        }
    }
    return end;
}

void hd_cells_begin(hd_cells *walk, const char *line, size_t length) {
    walk->at = line;
    walk->end = line + length;
}

void hd_cells_free(hd_cells *walk) {
    hd_free(walk->ctx, walk->plain);
    walk->plain = NULL;
    walk->capacity = 0;
}

/* Copies a quoted cell without the byte that stands in front of every byte meant as itself. */
static bool unfold(hd_cells *w, hd_cell *cell) {
    if (hd_grow(w->ctx, (void **)&w->plain, &w->capacity, cell->length + 1, 1) != HD_OK) {
        w->failed = true;
        return false;
    }
    size_t n = 0;
    for (size_t i = 0; i < cell->length; i++) {
        const char c = cell->text[i];
        const bool escape = w->form.arff ? c == '\\' : c == '"' && i + 1 < cell->length && cell->text[i + 1] == '"';
        if (escape && i + 1 < cell->length) i++;
        w->plain[n++] = cell->text[i];
    }
    cell->text = w->plain;
    cell->length = n;
    return true;
}

bool hd_cells_next(hd_cells *w, hd_cell *cell) {
    const hd_cell_form *f = &w->form;
    if (w->failed || w->at > w->end) return false;
    const char *s = skip_blanks(f, w->at, w->end), *stop = s;
    if (s == w->end && f->separator == ' ') return false;
    bool doubled = false, quoted = s < w->end && is_quote(f, *s);
    const char *closed = quoted ? closing_quote(f, s, w->end, &doubled) : s;
    if (quoted) stop = closed < w->end ? closed + 1 : w->end;
    while (stop < w->end && !separates(f, *stop)) stop++;
    w->at = stop + 1;
    if (quoted && closed < w->end && skip_blanks(f, closed + 1, stop) == stop) {
        *cell = (hd_cell){s + 1, (size_t)(closed - s - 1)};
        return !doubled || unfold(w, cell);
    }
    while (stop > s && blank(stop[-1])) stop--;
    *cell = (hd_cell){s, (size_t)(stop - s)};
    return true;
}

bool hd_cells_open(const hd_cell_form *f, bool inside, const char *line, size_t length) {
    const char *s = line, *end = line + length;
    if (f->arff || f->plain) return false;
    if (!inside && !memchr(line, '"', length)) return false;
    while (inside || s <= end) {
        const char *closed = s;
        if (inside) { /* as if the opening quote stood in front of the line */
            while (closed < end && (*closed != '"' || (closed + 1 < end && closed[1] == '"')))
                closed += *closed == '"' ? 2 : 1;
            if (closed >= end) return true;
            inside = false;
            s = closed + 1;
        } else {
            s = skip_blanks(f, s, end);
            if (s == end) return false;
            if (*s == '"') {
                inside = true;
                s++;
                continue;
            }
        }
        while (s < end && !separates(f, *s)) s++;
        s++;
    }
    return false;
}

bool hd_cell_is(const hd_cell *cell, const char *text) {
    return cell->length == strlen(text) && memcmp(cell->text, text, cell->length) == 0;
}

/* Is the cell one of the words that are split by commas? */
static bool one_of(const hd_cell *cell, const char *list) {
    while (list && *list) {
        const size_t n = strcspn(list, ",");
        if (n == cell->length && memcmp(list, cell->text, n) == 0) return true;
        list += n + (list[n] == ',');
    }
    return false;
}

/* The words that spreadsheets, databases and pandas write for nothing, and for no finite number. */
static bool usual_missing(const hd_cell *cell) {
    char word[10];
    const size_t sign = cell->length > 0 && (cell->text[0] == '-' || cell->text[0] == '+'), n = cell->length - sign;
    if (n == 0) return sign == 0;
    if (n >= sizeof word) return false;
    for (size_t i = 0; i < n; i++) {
        const char c = cell->text[sign + i];
        word[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    word[n] = 0;
    return one_of(&(hd_cell){word, n}, sign ? "nan,inf,infinity" : "?,na,n/a,#n/a,<na>,null,nan,inf,infinity");
}

hd_cell_kind hd_cell_look(const hd_cell_form *form, const hd_cell *cell, float *value) {
    double number;
    if (form->na && one_of(cell, form->na)) return HD_CELL_MISSING;
    if (hd_text_to_f64(cell->text, cell->length, &number)) {
        if (!(fabs(number) <= (double)FLT_MAX)) return HD_CELL_MISSING;
        *value = (float)number;
        return HD_CELL_NUMBER;
    }
    return usual_missing(cell) ? HD_CELL_MISSING : HD_CELL_WORD;
}

const char *hd_cell_shown(char *buffer, const hd_cell *cell) {
    const size_t n = cell->length < 40 ? cell->length : 40;
    for (size_t i = 0; i < n; i++) /* no escape codes */
        buffer[i] = (char)(cell->text[i] >= ' ' && cell->text[i] < 127 ? cell->text[i] : '?');
    buffer[n] = 0;
    return buffer;
}
