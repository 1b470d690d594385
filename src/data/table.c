/* table.c: reads tables from text, in two passes: what is there, and then the numbers. Owns what a cell may be in its
 * column; knows nothing of data sets. */
#include "data/table.h"
#include "base/text.h"
#include "data/lines.h"
#include "data/table_reading.h"
#include <float.h>
#include <math.h>
#include <string.h>

static bool all_blank(const char *line, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (line[i] != ' ' && line[i] != '\t') return false;
    return true;
}

/* ---- refusals ---- */

typedef struct place {
    int64_t line, column; /* column from 0 */
} place;

static hd_status refuse_missing(hd_reading *r, place at, const hd_cell *cell) {
    char shown[41], called[80];
    const hd_column_look *look = &r->look[at.column];
    const bool words = look->nominal || look->words > 0;
    return hd_fail(r->ctx, HD_E_DATA,
                   "%s:%lld:%lld|\"%s\" %s%s|Add missing=drop, missing=mean or missing=zero, or fill it", r->path,
                   (long long)at.line, (long long)at.column + 1, hd_cell_shown(shown, cell),
                   words ? "is a missing word" : "is not a finite number", hd_column_called(r, at.column, called));
}

static hd_status refuse_word(hd_reading *r, place at, const hd_cell *cell) {
    char shown[41], called[80];
    return hd_fail(r->ctx, HD_E_DATA, "%s:%lld:%lld|\"%s\" is not a finite number%s|%s", r->path, (long long)at.line,
                   (long long)at.column + 1, hd_cell_shown(shown, cell), hd_column_called(r, at.column, called),
                   r->column[at.column].role == HD_COLUMN_TARGET
                       ? "Targets are numbers or words, not both"
                       : "The column holds numbers elsewhere: mend it, leave the column out with ignore=, or say "
                         "na=WORD for a missing cell");
}

static hd_status refuse_number(hd_reading *r, place at, const hd_cell *cell) {
    char shown[41], called[80];
    const hd_word_group *g = &r->group[r->look[at.column].group];
    const hd_cell first = {g->words.word[0], strlen(g->words.word[0])};
    char word[41];
    return hd_fail(r->ctx, HD_E_DATA,
                   "%s:%lld:%lld|\"%s\" is a number in a column of words%s: line %lld has \"%s\"|Mend it, leave the "
                   "column out with ignore=, or say na=WORD for a missing cell",
                   r->path, (long long)at.line, (long long)at.column + 1, hd_cell_shown(shown, cell),
                   hd_column_called(r, at.column, called), (long long)r->look[at.column].first_line,
                   hd_cell_shown(word, &first));
}

static hd_status refuse_unknown(hd_reading *r, place at, const hd_cell *cell) {
    char shown[41], called[80];
    const hd_word_group *g = &r->group[r->look[at.column].group];
    const char *near = hd_text_nearest(hd_cell_shown(shown, cell), g->words.word, g->words.count);
    return hd_fail(r->ctx, HD_E_DATA, "%s:%lld:%lld|\"%s\" is none of the %zu words of its column%s%s%s%s|%s", r->path,
                   (long long)at.line, (long long)at.column + 1, shown, g->words.count,
                   hd_column_called(r, at.column, called), near ? ", the nearest is \"" : "", near ? near : "",
                   near ? "\"" : "",
                   r->args->like ? "The model was not trained on it: missing=mean takes the usual word instead"
                                 : "Add it to the attribute's list");
}

/* ---- the first pass: how many lines, what every column holds ---- */

static hd_status count_word(hd_reading *r, place at, const hd_cell *cell) {
    hd_word_group *g;
    hd_column_look *look = &r->look[at.column];
    const bool target = r->column[at.column].role == HD_COLUMN_TARGET;
    const size_t most = target ? HD_WORDS_MAX : HD_FEATURE_WORDS_MAX;
    char called[80];
    int32_t number;
    HD_TRY(hd_table_group(r, at.column, &g));
    number = hd_words_find(&g->words, cell->text, cell->length);
    if (number < 0 && g->declared) return refuse_unknown(r, at, cell);
    if (number < 0 && (g->words.count >= most || cell->length > HD_WORD_MAX))
        return hd_fail(r->ctx, HD_E_DATA, "%s:%lld:%lld|expected at most %zu different words of at most %d bytes%s|%s",
                       r->path, (long long)at.line, (long long)at.column + 1, most, (int)HD_WORD_MAX,
                       hd_column_called(r, at.column, called),
                       target ? "Is it the right target? Say label=NAME" : "Leave the column out: ignore=NAME");
    if (number < 0) HD_TRY(hd_words_add(&g->words, cell->text, cell->length, &number));
    HD_TRY(hd_grow(r->ctx, (void **)&g->seen, &g->room, g->words.count, sizeof *g->seen));
    if (look->words++ == 0) look->first_line = (uint32_t)at.line;
    g->seen[number]++;
    return HD_OK;
}

/* What a cell is in its column: words may look like numbers there. */
static hd_cell_kind look_at(const hd_reading *r, int64_t column, const hd_cell *cell, float *value) {
    const hd_cell_kind kind = hd_cell_look(&r->walk.form, cell, value);
    return kind == HD_CELL_NUMBER && r->look[column].nominal ? HD_CELL_WORD : kind;
}

/* Is this a word that the model does not know, and may it count as missing? */
static bool unknown_word(const hd_reading *r, int64_t column, const hd_cell *cell) {
    const hd_column *c = &r->column[column];
    if (!r->args->like || c->role != HD_COLUMN_FEATURE || !c->words || r->args->missing == HD_MISSING_REFUSE)
        return false;
    return hd_words_find(&r->group[r->look[column].group].words, cell->text, cell->length) < 0;
}

static hd_status count_cell(hd_reading *r, place at, const hd_cell *cell, bool *drop) {
    hd_column_look *look = &r->look[at.column];
    const int32_t role = r->column[at.column].role;
    float value = 0;
    if (role == HD_COLUMN_IGNORED) return HD_OK;
    hd_cell_kind kind = look_at(r, at.column, cell, &value);
    if (kind == HD_CELL_WORD && unknown_word(r, at.column, cell)) kind = HD_CELL_MISSING;
    if (kind == HD_CELL_MISSING) {
        if (r->args->missing == HD_MISSING_REFUSE) return refuse_missing(r, at, cell);
        look->missing++;
        *drop = *drop || role == HD_COLUMN_TARGET || r->args->missing == HD_MISSING_DROP;
        return HD_OK;
    }
    if (kind == HD_CELL_WORD) {
        if (look->numbers > 0 || (r->args->like && !look->nominal)) return refuse_word(r, at, cell);
        return count_word(r, at, cell);
    }
    if (look->words > 0) return refuse_number(r, at, cell);
    look->numbers++;
    look->sum += (double)value;
    return HD_OK;
}

/* Where the ones and the other numbers of a line stand: which columns at its end can be one-hot, which targets are. */
typedef struct hot_line {
    int64_t last_one, before; /* the last cell that is 1; the last in front of it that is not 0, or a cell that is
                                 neither 0 nor 1 */
    int64_t ones, others;     /* among the targets */
} hot_line;

static void see_hot(const hd_reading *r, hot_line *h, int64_t column, const hd_cell *cell) {
    float value = 2;
    if (hd_cell_look(&r->walk.form, cell, &value) != HD_CELL_NUMBER) value = 2;
    if (value == 1) {
        h->before = h->last_one > h->before ? h->last_one : h->before;
        h->last_one = column;
    } else if (value != 0) {
        h->before = column;
    }
    if (r->column[column].role != HD_COLUMN_TARGET) return;
    h->ones += value == 1;
    h->others += value != 0 && value != 1;
}

static void end_hot(hd_reading *r, const hot_line *h) {
    int64_t low = h->last_one > h->before ? r->columns - h->last_one : r->columns + 1,
            high = r->columns - 1 - h->before;
    r->hot_low = low > r->hot_low ? low : r->hot_low;
    r->hot_high = high < r->hot_high ? high : r->hot_high;
    r->hot_targets = r->hot_targets && h->ones == 1 && h->others == 0;
}

static hd_status refuse_length(const hd_reading *r, int64_t number, int64_t found) {
    return hd_fail(r->ctx, HD_E_DATA, "%s:%lld|expected %lld columns, found %s%lld", r->path, (long long)number,
                   (long long)r->columns, found > r->columns ? "more than " : "",
                   (long long)(found > r->columns ? r->columns : found));
}

static hd_status too_large(const hd_reading *r, size_t row) {
    return hd_fail(r->ctx, HD_E_DATA,
                   "%s|%lld lines of %zu numbers would need more than 56 MB and four times the file|Leave out columns "
                   "with many words (ignore=), or unpack the file if it is packed",
                   r->path, (long long)r->rows, row);
}

/* What words and .gz may grow to is bounded as for IDX. */
static bool too_many(const hd_reading *r, size_t rows, size_t row) {
    size_t cells, bytes;
    return !hd_mul_ok(rows, row, &cells) || !hd_mul_ok(cells, sizeof(float), &bytes) ||
           bytes > ((uint64_t)56 << 20) + 4 * r->file;
}

static hd_status count_line(hd_reading *r, int64_t number, const char *line, size_t length) {
    place at = {.line = number};
    hot_line hot = {.last_one = -1, .before = -1};
    hd_cell cell;
    bool drop = false;
    for (int64_t i = 0; i < r->columns && r->rows + r->dropped == 0; i++)
        r->used += r->column[i].role != HD_COLUMN_IGNORED;
    hd_cells_begin(&r->walk, line, length);
    for (; hd_cells_next(&r->walk, &cell) && at.column <= r->columns; at.column++) {
        if (at.column == r->columns) continue;
        HD_TRY(count_cell(r, at, &cell, &drop));
        if (r->hot_high > 2 || r->hot_targets) see_hot(r, &hot, at.column, &cell);
    }
    if (r->walk.failed) return HD_E_MEMORY;
    if (at.column != r->columns) return refuse_length(r, number, at.column);
    if (r->hot_high > 2 || r->hot_targets) end_hot(r, &hot);
    if (drop)
        r->dropped++;
    else
        r->rows++;
    return too_many(r, (size_t)r->rows, r->used) ? too_large(r, r->used) : HD_OK;
}

/* ---- the second pass ---- */

static void set_hole(hd_reading *r, int64_t column) {
    const size_t bit = (size_t)(r->row * r->columns + column);
    if (r->out->holes) r->out->holes[bit / 8] = (unsigned char)(r->out->holes[bit / 8] | 1u << bit % 8);
}

static hd_status changed(const hd_reading *r) {
    return hd_fail(r->ctx, HD_E_DATA,
                   "%s|the file reads otherwise the second time|Did it change meanwhile? Are its quotes closed?",
                   r->path);
}

/* *drop: the line is left out. */
static hd_status keep_cell(hd_reading *r, int64_t column, const hd_cell *cell, bool *drop) {
    const hd_column *c = &r->column[column];
    hd_table *t = r->out;
    float value = 0;
    if (c->role == HD_COLUMN_IGNORED) return HD_OK;
    hd_cell_kind kind = look_at(r, column, cell, &value);
    if (kind == HD_CELL_NUMBER && c->words) return changed(r); /* it would be taken for the place of a word */
    if (kind == HD_CELL_WORD && r->look[column].group < 0) return changed(r);
    if (kind == HD_CELL_WORD)
        value = (float)hd_words_find(&r->group[r->look[column].group].words, cell->text, cell->length);
    if (kind == HD_CELL_WORD && value < 0) kind = HD_CELL_MISSING; /* one that the model does not know */
    if (kind == HD_CELL_MISSING) {
        *drop = *drop || c->role == HD_COLUMN_TARGET || r->args->missing == HD_MISSING_DROP;
        value = r->args->missing == HD_MISSING_MEAN ? c->fill : c->words ? -1.0f : 0.0f;
        set_hole(r, column);
        r->filled++;
    }
    if (c->role == HD_COLUMN_TARGET)
        t->y[r->row * t->targets + c->at] = value;
    else if (!c->words)
        t->x[r->row * t->features + c->at] = value;
    else if (value >= 0)
        t->x[r->row * t->features + c->at + (int64_t)value] = 1;
    return HD_OK;
}

/* A line that is left out may be the last: there is room for one more. */
static hd_status keep_line(hd_reading *r, const char *line, size_t length) {
    hd_table *t = r->out;
    hd_cell cell;
    bool drop = false;
    int64_t column = 0;
    if (r->row > t->rows) return changed(r);
    if (t->features) memset(t->x + r->row * t->features, 0, (size_t)t->features * sizeof *t->x);
    hd_cells_begin(&r->walk, line, length);
    for (; hd_cells_next(&r->walk, &cell) && column < r->columns; column++) HD_TRY(keep_cell(r, column, &cell, &drop));
    if (r->walk.failed) return HD_E_MEMORY;
    if (column != r->columns) return changed(r);
    r->row += !drop;
    return HD_OK;
}

/* ---- lines to records ---- */

static hd_status take_record(hd_reading *r, int64_t number, const char *line, size_t length) {
    if (r->second_pass) {
        if (r->skip > 0) {
            r->skip--;
            return HD_OK;
        }
        return keep_line(r, line, length);
    }
    if (r->looked) return count_line(r, number, line, length);
    hd_table_line *held = &r->held[r->held_count++];
    held->text = hd_arena_strndup(&r->scratch, line, length);
    if (!held->text) return HD_E_MEMORY;
    held->length = length;
    held->number = number;
    return HD_OK;
}

/* The first lines are understood together, then counted one after the other. */
static hd_status begin_counting(hd_reading *r) {
    HD_TRY(hd_table_look(r));
    r->hot_high = r->columns;
    r->hot_targets = true;
    for (int i = (int)r->skip; i < r->held_count; i++)
        HD_TRY(count_line(r, r->held[i].number, r->held[i].text, r->held[i].length));
    return HD_OK;
}

static hd_status keep_quoted(hd_reading *r, const char *line, size_t length) {
    if (length > ((size_t)1 << 20) - r->quoted_used)
        return hd_fail(r->ctx, HD_E_DATA, "%s:%lld|a quoted cell begins here and does not end within 1 MB", r->path,
                       (long long)r->quoted_line);
    HD_TRY(hd_grow(r->ctx, (void **)&r->quoted, &r->quoted_room, r->quoted_used + length + 1, 1));
    if (length) memcpy(r->quoted + r->quoted_used, line, length);
    r->quoted_used += length;
    return HD_OK;
}

/* A quoted cell may hold line ends: then its lines are one record. */
static hd_status take_line(void *user, int64_t number, const char *line, size_t length) {
    hd_reading *r = user;
    if (!r->quoted_line) {
        if (all_blank(line, length)) return HD_OK;
        if (!r->looked && r->held_count == 0 && !r->args->text && (*line == '@' || *line == '%')) r->arff = true;
        if (r->arff && *line == '%') return HD_OK;
        if (r->arff && !r->second_pass && !r->arff_data) {
            HD_TRY(hd_arff_line(r, number, line, length));
            r->hot_high = 0;
            r->hot_targets = true;
            return HD_OK;
        }
    }
    hd_cell_form form = r->walk.form;
    if (!r->looked) form.separator = ',';
    const bool open = hd_cells_open(&form, r->quoted_line > 0, line, length);
    if (!open && !r->quoted_line) {
        HD_TRY(take_record(r, number, line, length));
    } else {
        if (!r->quoted_line) r->quoted_line = number;
        HD_TRY(keep_quoted(r, line, length));
        if (open) return keep_quoted(r, "\n", 1);
        const size_t n = r->quoted_used;
        const int64_t first = r->quoted_line;
        r->quoted_used = 0;
        r->quoted_line = 0;
        HD_TRY(take_record(r, first, r->quoted, n));
    }
    return !r->looked && r->held_count == HD_TABLE_HELD ? begin_counting(r) : HD_OK;
}

static hd_status read_all(hd_reading *r) {
    r->quoted_used = 0;
    r->quoted_line = 0;
    if (r->args->text) {
        r->text = r->file = strlen(r->args->text);
        HD_TRY(hd_lines_cut(r->ctx, r->path, r->args->text, r->text, take_line, r));
    } else {
        HD_TRY(hd_lines_read(r->ctx, r->path, take_line, r, &r->text, &r->file));
    }
    if (!r->quoted_line) return HD_OK;
    return hd_fail(r->ctx, HD_E_DATA, "%s:%lld|a quoted cell begins here and never ends|Close it with \"", r->path,
                   (long long)r->quoted_line);
}

/* In the second pass the head of an ARFF file is skipped as far as @data. */
static hd_status skip_head(void *user, int64_t number, const char *line, size_t length) {
    hd_reading *r = user;
    if (r->arff && !r->arff_data) {
        while (length && (*line == ' ' || *line == '\t')) line++, length--;
        r->arff_data = length >= 5 && *line == '@' && (line[1] | 32) == 'd' && (line[2] | 32) == 'a' &&
                       (line[3] | 32) == 't' && (line[4] | 32) == 'a';
        return HD_OK;
    }
    return take_line(user, number, line, length);
}

/* ---- memory ---- */

/* One more row than needed: for a last line that is left out. */
static hd_status make_room(hd_reading *r) {
    hd_table *t = r->out;
    const size_t rows = (size_t)t->rows + 1;
    int64_t missing = 0;
    const size_t row = (size_t)t->features + (size_t)t->targets;
    if (too_many(r, rows, row)) return too_large(r, row);
    for (int64_t i = 0; i < r->columns; i++) missing += r->look[i].missing;
    if (t->features) t->x = hd_alloc_n(r->ctx, rows * (size_t)t->features, sizeof *t->x);
    if (t->targets) t->y = hd_alloc_n(r->ctx, rows * (size_t)t->targets, sizeof *t->y);
    if (missing > 0 && !r->args->like && r->args->missing != HD_MISSING_DROP) {
        t->holes = hd_alloc_n(r->ctx, (rows * (size_t)r->columns + 7) / 8, 1);
        if (!t->holes) return HD_E_MEMORY;
    }
    return (!t->features || t->x) && (!t->targets || t->y) ? HD_OK : HD_E_MEMORY;
}

static hd_status read_table(hd_reading *r) {
    HD_TRY(read_all(r));
    if (r->arff && !r->arff_data)
        return hd_fail(r->ctx, HD_E_DATA, "%s|expected @data, found the end of the file", r->path);
    if (!r->looked) HD_TRY(begin_counting(r));
    HD_TRY(hd_table_settle(r));
    HD_TRY(make_room(r));
    r->second_pass = true;
    r->arff_data = false;
    hd_status status;
    r->quoted_used = 0;
    if (r->arff)
        status = hd_lines_read(r->ctx, r->path, skip_head, r, &r->text, &r->file);
    else
        status = read_all(r);
    if (status == HD_OK && r->row != r->out->rows) status = changed(r);
    if (status == HD_OK && r->dropped > 0)
        hd_log_line(r->ctx, HD_LOG_WARNING, "%s: %lld of %lld lines are left out, a cell of theirs is missing", r->path,
                    (long long)r->dropped, (long long)(r->dropped + r->rows));
    return status;
}

hd_status hd_table_read(hd_table *out, hd_context *ctx, hd_arena *arena, const char *path, const hd_table_args *args) {
    *out = (hd_table){0};
    hd_reading r = {.ctx = ctx,
                    .arena = arena,
                    .scratch = {.ctx = ctx},
                    .path = path,
                    .args = args,
                    .out = out,
                    .walk = {.ctx = ctx, .form = {.separator = ',', .na = args->na}}};
    const hd_status status = read_table(&r);
    for (size_t i = 0; i < r.groups; i++) {
        hd_words_free(&r.group[i].words);
        hd_free(ctx, r.group[i].seen);
    }
    hd_free(ctx, r.group);
    hd_free(ctx, r.column);
    hd_free(ctx, r.look);
    hd_free(ctx, r.quoted);
    hd_cells_free(&r.walk);
    hd_arena_free(&r.scratch);
    return status;
}

void hd_table_free(hd_table *table, hd_context *ctx) {
    hd_free(ctx, table->x);
    hd_free(ctx, table->y);
    hd_free(ctx, table->holes);
    table->x = table->y = NULL;
    table->holes = NULL;
}
