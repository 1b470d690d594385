/* table_look.c: understands the first lines of a table: separator, header, names of the columns. */
#include "base/text.h"
#include "data/table_reading.h"
#include <string.h>

static void begin_line(hd_reading *r, int which) {
    hd_cells_begin(&r->walk, r->held[which].text, r->held[which].length);
}

static int64_t count_cells(hd_reading *r, int which) {
    hd_cell cell;
    int64_t n = 0;
    begin_line(r, which);
    while (n <= HD_COLUMNS_MAX && hd_cells_next(&r->walk, &cell)) n++; /* no table has more */
    return n;
}

/* Commas before semicolons, tabs and blanks: the first that cuts the first two lines into equally many cells; else the
 * first that cuts the first line at all. */
static void find_separator(hd_reading *r) {
    static const char candidates[] = {',', ';', '\t', ' '};
    char fallback = ' ';
    for (int i = (int)sizeof candidates - 1; i >= 0; i--) {
        r->walk.form.separator = candidates[i];
        if (count_cells(r, 0) > 1) fallback = candidates[i];
    }
    for (size_t i = 0; i < sizeof candidates && r->held_count > 1; i++) {
        r->walk.form.separator = candidates[i];
        const int64_t n = count_cells(r, 0);
        if (n > 1 && n == count_cells(r, 1)) return;
    }
    r->walk.form.separator = fallback;
}

static bool is_number(const hd_cell *cell) {
    double value;
    return hd_text_to_f64(cell->text, cell->length, &value);
}

/* "150,4,setosa,versicolor,virginica": rows, features, class names, as scikit-learn's tables begin; without classes
 * "506,13,,,". */
static bool has_class_header(hd_reading *r) {
    int64_t rows, features = -1, n = 0;
    hd_cell cell;
    if (r->held_count < 2) return false;
    const int64_t width = count_cells(r, 1);
    begin_line(r, 0);
    for (; hd_cells_next(&r->walk, &cell); n++) {
        if (n == 0 && !hd_text_to_i64(cell.text, cell.length, &rows)) return false;
        if (n == 1 && !hd_text_to_i64(cell.text, cell.length, &features)) return false;
        if (n > 1 && is_number(&cell)) return false;
    }
    return n >= 4 && features == width - 1;
}

static hd_status take_class_header(hd_reading *r) {
    hd_cell cell;
    hd_table *t = r->out;
    const size_t n = (size_t)count_cells(r, 0);
    t->classes = hd_arena_alloc_n(r->arena, n + 1, sizeof *t->classes);
    if (!t->classes) return HD_E_MEMORY;
    begin_line(r, 0);
    for (int64_t i = 0; hd_cells_next(&r->walk, &cell); i++) {
        if (i < 2 || cell.length == 0) continue;
        t->classes[t->class_count] = hd_arena_strndup(r->arena, cell.text, cell.length);
        if (!t->classes[t->class_count++]) return HD_E_MEMORY;
    }
    if (t->class_count == 0) t->classes = NULL;
    return HD_OK;
}

/* Does a cell of words alone stand twice in the line, or again below itself? Then the line is no header. */
static hd_status repeats(hd_reading *r, int which, bool *out) {
    hd_words words = {.arena = &r->scratch};
    hd_cell cell;
    int32_t number;
    hd_status status = HD_OK;
    int64_t n = 0;
    *out = false;
    begin_line(r, which);
    for (; status == HD_OK && !*out && hd_cells_next(&r->walk, &cell); n++) {
        if (cell.length > HD_WORD_MAX || words.count == HD_WORDS_MAX) break;
        status = hd_words_add(&words, cell.text, cell.length, &number);
        *out = status == HD_OK && (int64_t)words.count != n + 1;
    }
    for (int i = which + 1; i < r->held_count && status == HD_OK && !*out; i++) {
        int64_t k = 0;
        begin_line(r, i);
        for (; !*out && hd_cells_next(&r->walk, &cell) && k < (int64_t)words.count; k++)
            *out = cell.length > 0 && hd_words_find(&words, cell.text, cell.length) == k;
    }
    hd_words_free(&words);
    return status;
}

/* Names: no cell of the line is a number, and below stands a number, or at least nothing that makes it look like data.
 */
static hd_status has_names(hd_reading *r, int which, bool *out) {
    hd_cell cell;
    bool words = false;
    *out = r->args->header == HD_HEADER_YES;
    if (r->args->header != HD_HEADER_AUTO || r->held_count < which + 2) return HD_OK;
    begin_line(r, which);
    while (hd_cells_next(&r->walk, &cell)) {
        if (is_number(&cell)) return HD_OK;
        words = words || (cell.length > 0 && !hd_cell_is(&cell, "?"));
    }
    if (!words) return HD_OK;
    begin_line(r, which + 1);
    while (hd_cells_next(&r->walk, &cell)) {
        if (!is_number(&cell)) continue;
        *out = true;
        return HD_OK;
    }
    bool again;
    HD_TRY(repeats(r, which, &again));
    *out = !again;
    return HD_OK;
}

hd_status hd_table_add_column(hd_reading *r, const char *name, size_t length) {
    const size_t i = (size_t)r->columns;
    if (r->columns == HD_COLUMNS_MAX)
        return hd_fail(r->ctx, HD_E_DATA, "%s|expected at most %d columns, there are more|Is it a table?", r->path,
                       (int)HD_COLUMNS_MAX);
    HD_TRY(hd_grow(r->ctx, (void **)&r->column, &r->column_room, i + 1, sizeof *r->column));
    HD_TRY(hd_grow(r->ctx, (void **)&r->look, &r->look_room, i + 1, sizeof *r->look));
    r->column[i] = (hd_column){.name = "", .fill = 0};
    r->look[i] = (hd_column_look){.group = -1};
    if (length) r->column[i].name = hd_arena_strndup(r->arena, name, length);
    r->columns++;
    return r->column[i].name ? HD_OK : HD_E_MEMORY;
}

static hd_status take_columns(hd_reading *r, int which, bool named) {
    hd_cell cell;
    begin_line(r, which);
    while (hd_cells_next(&r->walk, &cell))
        HD_TRY(hd_table_add_column(r, named ? cell.text : "", named ? cell.length : 0));
    return r->walk.failed ? HD_E_MEMORY : HD_OK;
}

hd_status hd_table_look(hd_reading *r) {
    bool named = false;
    r->looked = true;
    if (r->arff) {
        r->walk.form.separator = ',';
        r->walk.form.arff = true;
        return r->args->like ? hd_table_roles_like(r) : hd_table_roles(r);
    }
    if (r->held_count == 0)
        return hd_fail(r->ctx, HD_E_DATA, "%s|expected a table of numbers, found an empty file", r->path);
    find_separator(r);
    if (r->args->header != HD_HEADER_NO && has_class_header(r)) {
        HD_TRY(take_class_header(r));
        r->skip = 1;
    }
    HD_TRY(has_names(r, (int)r->skip, &named));
    const int first = (int)r->skip;
    HD_TRY(take_columns(r, first, named));
    r->named = named;
    r->skip += named;
    const int64_t width = r->skip < r->held_count ? count_cells(r, (int)r->skip) : r->columns;
    if (named && width != r->columns)
        return hd_fail(r->ctx, HD_E_DATA, "%s:%lld|expected %lld columns as the header names, found %lld", r->path,
                       (long long)r->held[r->skip].number, (long long)r->columns, (long long)width);
    return r->args->like ? hd_table_roles_like(r) : hd_table_roles(r);
}
