/* table.c: reads tables of numbers from text. Owns what is a header, a separator, a cell; knows nothing of data sets.
 */
#include "data/table.h"
#include "base/text.h"
#include "data/lines.h"
#include <float.h>
#include <math.h>
#include <string.h>

typedef struct reading {
    hd_context *ctx;
    hd_arena *arena; /* of names */
    const char *path;
    hd_table *out;
    char *line[2]; /* the first two that are not blank */
    size_t length[2];
    int64_t lines, columns, target, skip, row;
    uint64_t text, file;
    const char **name; /* [columns], from the header; NULL without one */
    char separator;
    hd_words words;
    bool wordy;
} reading;

static bool blank(char c) {
    return c == ' ' || c == '\t';
}

bool hd_cell_next(const char **at, const char *end, char separator, const char **cell, size_t *length) {
    const char *s = *at;
    if (separator == ' ')
        while (s < end && blank(*s)) s++;
    if (s > end || (s == end && separator == ' ')) return false;
    const char *stop = s;
    bool quoted = false;
    for (; stop < end && (quoted || !(*stop == separator || (separator == ' ' && blank(*stop)))); stop++)
        if (*stop == '"') quoted = !quoted;
    *at = stop + 1;
    while (s < stop && blank(*s)) s++;
    while (stop > s && blank(stop[-1])) stop--;
    if (stop - s >= 2 && *s == '"' && stop[-1] == '"') {
        s++;
        stop--;
    }
    *cell = s;
    *length = (size_t)(stop - s);
    return true;
}

static char find_separator(const char *line, size_t length) {
    static const char candidates[] = {',', ';', '\t'};
    for (size_t i = 0; i < sizeof candidates; i++)
        if (memchr(line, candidates[i], length)) return candidates[i];
    return ' ';
}

static int64_t count_cells(const reading *r, int which) {
    const char *at = r->line[which], *end = at + r->length[which], *cell;
    size_t length;
    int64_t n = 0;
    while (hd_cell_next(&at, end, r->separator, &cell, &length)) n++;
    return n;
}

/* Cell number `want` (from 0) of one of the first two lines; "" when there is none. */
static const char *first_cell(const reading *r, int which, int64_t want, size_t *length) {
    const char *at = r->line[which], *end = at + r->length[which], *cell;
    for (int64_t i = 0; hd_cell_next(&at, end, r->separator, &cell, length); i++)
        if (i == want) return cell;
    *length = 0;
    return "";
}

static bool number_at(const reading *r, int which, int64_t i) {
    double value;
    size_t length;
    const char *cell = first_cell(r, which, i, &length);
    return hd_text_to_f64(cell, length, &value);
}

/* ---- first pass: how many lines, how many columns, is there a header ---- */

static bool all_blank(const char *line, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (!blank(line[i])) return false;
    return true;
}

static hd_status survey(void *user, int64_t number, const char *line, size_t length) {
    reading *r = user;
    (void)number;
    if (all_blank(line, length)) return HD_OK;
    if (r->lines < 2) {
        r->line[r->lines] = hd_arena_strndup(r->arena, line, length);
        if (!r->line[r->lines]) return HD_E_MEMORY;
        r->length[r->lines] = length;
    }
    r->lines++;
    return HD_OK;
}

/* "150,4,setosa,versicolor,virginica": rows, features, class names, as scikit-learn's tables begin. */
static bool has_class_header(const reading *r) {
    int64_t n = count_cells(r, 0), features;
    size_t length;
    const char *cell = first_cell(r, 0, 1, &length);
    if (r->lines < 2 || n < 4 || !number_at(r, 0, 0)) return false;
    if (!hd_text_to_i64(cell, length, &features) || features != count_cells(r, 1) - 1) return false;
    for (int64_t i = 2; i < n; i++)
        if (number_at(r, 0, i)) return false;
    return true;
}

static bool has_names(const reading *r) {
    int64_t n = count_cells(r, 0);
    for (int64_t i = 0; i < n; i++)
        if (number_at(r, 0, i)) return false;
    return r->lines >= 2;
}

static hd_status take_header(reading *r, int64_t from, const char ***names, int64_t *count) {
    int64_t n = count_cells(r, 0) - from;
    const char **out = hd_arena_alloc_n(r->arena, (size_t)n + 1, sizeof *out);
    if (!out) return HD_E_MEMORY;
    for (int64_t i = 0; i < n; i++) {
        size_t length;
        const char *cell = first_cell(r, 0, from + i, &length);
        out[i] = hd_arena_strndup(r->arena, cell, length);
        if (!out[i]) return HD_E_MEMORY;
    }
    *names = out;
    *count = n;
    return HD_OK;
}

static hd_status find_target(reading *r, const hd_table_args *args) {
    int64_t number;
    r->target = args->no_target ? -1 : r->columns - 1;
    if (!args->label || args->no_target) return HD_OK;
    for (int64_t i = 0; i < r->columns && r->name; i++) {
        r->target = i;
        if (strcmp(r->name[i], args->label) == 0) return HD_OK;
    }
    if (hd_text_to_i64(args->label, strlen(args->label), &number) && number >= 1 && number <= r->columns) {
        r->target = number - 1;
        return HD_OK;
    }
    const char *near = r->name ? hd_text_nearest(args->label, r->name, (size_t)r->columns) : NULL;
    if (near) return hd_fail(r->ctx, HD_E_DATA, "%s|no column \"%s\"|Did you mean %s?", r->path, args->label, near);
    return hd_fail(r->ctx, HD_E_DATA, "%s|no column \"%s\"|%s 1 … %lld", r->path, args->label,
                   r->name ? "Say a name of the first line, or a number" : "There is no header: say label=",
                   (long long)r->columns);
}

static hd_status look(reading *r, const hd_table_args *args) {
    if (r->lines == 0)
        return hd_fail(r->ctx, HD_E_DATA, "%s|expected a table of numbers, found an empty file", r->path);
    r->separator = find_separator(r->line[0], r->length[0]);
    if (has_class_header(r)) {
        HD_TRY(take_header(r, 2, &r->out->classes, &r->out->class_count));
        r->skip = 1;
    } else if (has_names(r)) {
        HD_TRY(take_header(r, 0, &r->name, &r->columns));
        r->skip = 1;
    }
    int64_t columns = count_cells(r, r->lines > 1 && r->skip ? 1 : 0);
    if (r->name && columns != r->columns)
        return hd_fail(r->ctx, HD_E_DATA, "%s:2|expected %lld columns as the header names, found %lld", r->path,
                       (long long)r->columns, (long long)columns);
    r->columns = columns;
    HD_TRY(find_target(r, args));
    size_t length;
    const char *cell = first_cell(r, r->skip ? 1 : 0, r->target, &length);
    double value;
    r->wordy = r->target >= 0 && length && !hd_text_to_f64(cell, length, &value);
    if (r->target >= 0)
        r->out->label = r->name ? r->name[r->target] : hd_arena_printf(r->arena, "%lld", (long long)r->target + 1);
    return r->target >= 0 && !r->out->label ? HD_E_MEMORY : HD_OK;
}

/* Every cell has at least its separator, so that no header can ask for more than four times the text. What a .gz may
 * grow to is bounded as for IDX. */
static hd_status make_room(reading *r) {
    hd_table *t = r->out;
    size_t cells, bytes;
    t->rows = r->lines - r->skip;
    t->features = r->columns - (r->target >= 0);
    if (t->features < 1)
        return hd_fail(r->ctx, HD_E_DATA, "%s|expected at least one feature column beside the target", r->path);
    bool fits = hd_mul_ok((size_t)t->rows, (size_t)r->columns, &cells) && cells <= r->text + 1;
    if (!fits)
        return hd_fail(r->ctx, HD_E_DATA, "%s|expected %lld columns in every line, there are fewer", r->path,
                       (long long)r->columns);
    if (!hd_mul_ok(cells, 4, &bytes) || (r->text > r->file && bytes > ((uint64_t)56 << 20) + 4 * r->file))
        return hd_fail(r->ctx, HD_E_DATA,
                       "%s|would need %zu bytes, more than 56 MB and four times the file|Unpack it with gunzip if "
                       "you trust it",
                       r->path, bytes);
    t->x = hd_alloc_n(r->ctx, (size_t)t->rows * (size_t)t->features, sizeof *t->x);
    if (r->target >= 0) t->y = hd_alloc_n(r->ctx, (size_t)t->rows, sizeof *t->y);
    return t->x && (r->target < 0 || t->y) ? HD_OK : HD_E_MEMORY;
}

/* ---- second pass ---- */

static hd_status bad_cell(const reading *r, int64_t line, int64_t column, const char *cell, size_t length) {
    char shown[41];
    size_t n = length < 40 ? length : 40;
    for (size_t i = 0; i < n; i++) shown[i] = cell[i] >= ' ' && cell[i] < 127 ? cell[i] : '?'; /* no escape codes */
    shown[n] = 0;
    const char *name = r->name ? r->name[column] : "";
    return hd_fail(r->ctx, HD_E_DATA, "%s:%lld:%lld|\"%s\" is not a finite number%s%s%s|%s", r->path, (long long)line,
                   (long long)column + 1, shown, *name ? " (column " : "", name, *name ? ")" : "",
                   column == r->target ? "Targets are numbers or words, not both"
                                       : "Features are numbers: fill it, or drop the line or column");
}

static hd_status take_cell(reading *r, int64_t line, int64_t column, const char *cell, size_t length) {
    hd_table *t = r->out;
    double value;
    if (column == r->target && r->wordy) {
        int32_t number;
        if (!length) return bad_cell(r, line, column, cell, length);
        HD_TRY(hd_words_add(&r->words, cell, length, &number));
        t->y[r->row] = (float)number;
        return HD_OK;
    }
    if (!hd_text_to_f64(cell, length, &value) || !(fabs(value) <= (double)FLT_MAX))
        return bad_cell(r, line, column, cell, length);
    if (column == r->target)
        t->y[r->row] = (float)value;
    else
        t->x[r->row * t->features + column - (r->target >= 0 && column > r->target)] = (float)value;
    return HD_OK;
}

static hd_status take_line(void *user, int64_t number, const char *line, size_t length) {
    reading *r = user;
    const char *at = line, *end = line + length, *cell;
    size_t n;
    int64_t column = 0;
    if (all_blank(line, length)) return HD_OK;
    if (r->skip) {
        r->skip = 0;
        return HD_OK;
    }
    if (r->row == 0) r->out->first_line = number;
    if (r->row == r->out->rows) return hd_fail(r->ctx, HD_E_DATA, "%s|the file changed while it was read", r->path);
    for (; hd_cell_next(&at, end, r->separator, &cell, &n) && column <= r->columns; column++)
        if (column < r->columns) HD_TRY(take_cell(r, number, column, cell, n));
    if (column != r->columns)
        return hd_fail(r->ctx, HD_E_DATA, "%s:%lld|expected %lld columns, found %s%lld", r->path, (long long)number,
                       (long long)r->columns, column > r->columns ? "more than " : "",
                       (long long)(column > r->columns ? r->columns : column));
    r->row++;
    return HD_OK;
}

static hd_status sort_words(reading *r) {
    if (!r->wordy) return HD_OK;
    int32_t *rank;
    hd_table *t = r->out;
    HD_TRY(hd_words_sort(&r->words, &rank));
    for (int64_t i = 0; i < t->rows; i++) t->y[i] = (float)rank[(int32_t)t->y[i]];
    hd_free(r->ctx, rank);
    t->word_count = (int64_t)r->words.count;
    t->words = hd_arena_alloc_n(r->arena, r->words.count + 1, sizeof *t->words);
    if (!t->words) return HD_E_MEMORY;
    memcpy((void *)t->words, (const void *)r->words.word, r->words.count * sizeof *t->words);
    return HD_OK;
}

hd_status hd_table_read(hd_table *out, hd_context *ctx, hd_arena *arena, const char *path, const hd_table_args *args) {
    *out = (hd_table){0};
    reading r = {.ctx = ctx, .arena = arena, .path = path, .out = out, .words = {.arena = arena}};
    HD_TRY(hd_lines_read(ctx, path, survey, &r, &r.text, &r.file));
    HD_TRY(look(&r, args));
    HD_TRY(make_room(&r));
    hd_status status = hd_lines_read(ctx, path, take_line, &r, &r.text, &r.file);
    if (status == HD_OK && r.row != out->rows)
        status = hd_fail(ctx, HD_E_DATA, "%s|the file changed while it was read", path);
    if (status == HD_OK) status = sort_words(&r);
    hd_words_free(&r.words);
    return status;
}

void hd_table_free(hd_table *table, hd_context *ctx) {
    hd_free(ctx, table->x);
    hd_free(ctx, table->y);
    table->x = table->y = NULL;
}
