/* arff.c: the head of an ARFF file (Weka): names and kinds of the columns. Its rows are a table's like any other. */
#include "base/text.h"
#include "data/table_reading.h"
#include <string.h>

static bool blank(char c) {
    return c == ' ' || c == '\t';
}

/* Does the line begin with the word (in capitals or not), and a blank or nothing behind it? */
static bool begins(const char *line, size_t length, const char *word) {
    const size_t n = strlen(word);
    if (length < n || (length > n && !blank(line[n]))) return false;
    for (size_t i = 0; i < n; i++) {
        const char c = (char)(line[i] >= 'A' && line[i] <= 'Z' ? line[i] + 32 : line[i]);
        if (c != word[i]) return false;
    }
    return true;
}

static hd_status wrong(const hd_reading *r, int64_t number, const char *what) {
    return hd_fail(r->ctx, HD_E_DATA, "%s:%lld|%s|ARFF: @attribute NAME numeric, or @attribute NAME {a, b, c}", r->path,
                   (long long)number, what);
}

/* {a, 'b c', d}: the words that a column can hold. */
static hd_status take_nominal(hd_reading *r, int64_t number, const char *text, const char *end) {
    hd_word_group *group;
    hd_cell cell;
    int32_t place;
    while (end > text && blank(end[-1])) end--;
    if (end == text || end[-1] != '}') return wrong(r, number, "expected } at the end of the attribute's values");
    r->look[r->columns - 1].nominal = true;
    HD_TRY(hd_table_group(r, r->columns - 1, &group));
    group->declared = true;
    hd_cells_begin(&r->walk, text, (size_t)(end - 1 - text));
    while (hd_cells_next(&r->walk, &cell)) {
        if (cell.length > HD_WORD_MAX || group->words.count >= HD_WORDS_MAX)
            return wrong(r, number, "the attribute has too many or too long values");
        HD_TRY(hd_words_add(&group->words, cell.text, cell.length, &place));
    }
    return r->walk.failed ? HD_E_MEMORY : HD_OK;
}

static hd_status take_attribute(hd_reading *r, int64_t number, const char *s, const char *end) {
    static const char *const numeric[] = {"numeric", "real", "integer"};
    hd_cell name;
    while (s < end && blank(*s)) s++;
    hd_cells_begin(&r->walk, s, (size_t)(end - s));
    r->walk.form = (hd_cell_form){.separator = ' ', .arff = true, .na = r->args->na};
    if (!hd_cells_next(&r->walk, &name)) return wrong(r, number, "expected an attribute's name");
    s = r->walk.at > end ? end : r->walk.at;
    HD_TRY(hd_table_add_column(r, name.text, name.length));
    while (s < end && blank(*s)) s++;
    r->walk.form.separator = ',';
    if (s < end && *s == '{') return take_nominal(r, number, s + 1, end);
    for (size_t i = 0; i < sizeof numeric / sizeof *numeric; i++)
        if (begins(s, (size_t)(end - s), numeric[i])) return HD_OK;
    r->look[r->columns - 1].nominal = true;
    if (begins(s, (size_t)(end - s), "string")) return HD_OK;
    return wrong(r, number, "expected numeric, string or a list of values as the attribute's type");
}

hd_status hd_arff_line(hd_reading *r, int64_t number, const char *line, size_t length) {
    while (length && blank(*line)) line++, length--;
    if (length == 0 || *line == '%' || begins(line, length, "@relation")) return HD_OK;
    if (begins(line, length, "@attribute")) return take_attribute(r, number, line + 10, line + length);
    if (!begins(line, length, "@data")) return wrong(r, number, "expected @attribute or @data");
    if (r->columns == 0) return wrong(r, number, "expected attributes before @data");
    r->arff_data = r->named = true;
    return hd_table_look(r);
}
