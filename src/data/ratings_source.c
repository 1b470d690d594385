/* ratings_source.c: who rated what, and how well: lines of user, item, rating. Users and items get numbers, users
 * first, that travel with the model. */
#include "base/status.h"
#include "base/text.h"
#include "data/cells.h"
#include "data/digit_tables.h"
#include "data/lines.h"
#include "data/source.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { USER, ITEM, RATING, COLUMNS };

static const char *const files[] = {"ratings.csv", "u.data", NULL};

/* Numbers that stand for something, each once, in their order. */
typedef struct ids {
    int64_t *id, count; /* memory of the context */
} ids;

/* What the lines of a file go through, several times: counted, their ids collected, then kept. */
typedef struct reading {
    hd_context *ctx;
    const char *where;
    hd_cells walk;
    int column[COLUMNS]; /* where each stands in a line; the rating −1: nowhere */
    bool header, unlabeled;
    int64_t count, most; /* rows so far; rows that there is room for, 0: they are counted only */
    int64_t *collected;  /* [most], of column `collect`; or NULL */
    int collect;
    const ids *known[2]; /* with them: rows are kept in x and value */
    int32_t *x;
    float *value;
} reading;

/* ---- a line ---- */

static hd_status wrong(const reading *r, int64_t line, const char *expected, const hd_cell *cell) {
    char shown[64];
    return hd_fail(r->ctx, HD_E_DATA, "%s:%lld|expected %s, got \"%s\"", r->where, (long long)line, expected,
                   hd_cell_shown(shown, cell));
}

static int which_column(const hd_cell *cell) {
    static const char *const names[COLUMNS][5] = {{"userId", "user_id", "user", "userid", NULL},
                                                  {"movieId", "item_id", "item", "itemId", "movie_id"},
                                                  {"rating", "score", "stars", "value", NULL}};
    for (int c = 0; c < COLUMNS; c++)
        for (int i = 0; i < 5 && names[c][i]; i++)
            if (hd_cell_is(cell, names[c][i])) return c;
    return -1;
}

static void find_separator(reading *r, const char *line, size_t length) {
    const bool tab = length && memchr(line, '\t', length), comma = length && memchr(line, ',', length);
    r->walk.form.separator = tab ? '\t' : comma ? ',' : ';';
}

/* The first line names the columns, or is user, item, rating already. Of two names for one thing the first counts. */
static hd_status read_header(reading *r, const char *line, size_t length) {
    hd_cell cell, first = {"", 0};
    bool named[COLUMNS] = {false};
    for (int c = 0; c < COLUMNS; c++) r->column[c] = c;
    find_separator(r, line, length);
    hd_cells_begin(&r->walk, line, length);
    for (int i = 0; hd_cells_next(&r->walk, &cell); i++) {
        const int c = which_column(&cell);
        if (i == 0) first = cell;
        if (c < 0 || named[c]) continue;
        r->column[c] = i;
        named[c] = true;
    }
    if (r->walk.failed) return HD_E_MEMORY;
    int64_t number;
    r->header = !hd_text_to_i64(first.text, first.length, &number);
    if (!r->header) return HD_OK;
    if (!named[RATING]) r->column[RATING] = -1;
    if (named[USER] && named[ITEM] && (named[RATING] || r->unlabeled)) return HD_OK;
    return hd_fail(r->ctx, HD_E_DATA, "%s:1|expected columns userId, movieId and rating (or user, item, rating)",
                   r->where);
}

static int64_t number_of(const ids *list, int64_t id) {
    int64_t low = 0, high = list->count;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (list->id[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < list->count && list->id[low] == id ? low : -1;
}

static hd_status keep(reading *r, int64_t line, const int64_t *id, float rating) {
    static const char *const names[] = {"user", "item"};
    int64_t n[2];
    for (int c = 0; c < 2; c++) {
        n[c] = number_of(r->known[c], id[c]);
        if (n[c] < 0)
            return hd_fail(r->ctx, HD_E_DATA, "%s:%lld|%s %lld is not among the %lld that the model was trained on",
                           r->where, (long long)line, names[c], (long long)id[c], (long long)r->known[c]->count);
    }
    r->x[2 * r->count] = (int32_t)n[0];
    r->x[2 * r->count + 1] = (int32_t)(r->known[USER]->count + n[1]);
    r->value[r->count] = rating;
    return HD_OK;
}

static hd_status take_line(void *user, int64_t number, const char *line, size_t length) {
    reading *r = user;
    hd_cell cell;
    int64_t id[2] = {0, 0};
    float rating = 0;
    int found = 0;
    if (number == 1) HD_TRY(read_header(r, line, length));
    if (length == 0 || (number == 1 && r->header)) return HD_OK;
    hd_cells_begin(&r->walk, line, length);
    for (int i = 0; hd_cells_next(&r->walk, &cell); i++) {
        for (int c = 0; c < 2; c++)
            if (i == r->column[c]) {
                if (!hd_text_to_i64(cell.text, cell.length, &id[c])) return wrong(r, number, "a whole number", &cell);
                found++;
            }
        if (i != r->column[RATING]) continue;
        if (hd_cell_look(&r->walk.form, &cell, &rating) != HD_CELL_NUMBER) return wrong(r, number, "a rating", &cell);
        found++;
    }
    if (r->walk.failed) return HD_E_MEMORY;
    if (found < (r->unlabeled ? 2 : 3))
        return hd_fail(r->ctx, HD_E_DATA, "%s:%lld|expected user, item and rating, found %d of them", r->where,
                       (long long)number, found);
    if (r->most && r->count == r->most)
        return hd_fail(r->ctx, HD_E_FILE, "%s|the file changed while it was read", r->where);
    if (r->collected) r->collected[r->count] = id[r->collect];
    if (r->x) HD_TRY(keep(r, number, id, rating));
    r->count++;
    return HD_OK;
}

static hd_status read_lines(reading *r, const hd_data_request *q) {
    uint64_t text, file;
    r->most = r->count;
    r->count = 0;
    const hd_status status = q->text ? hd_lines_cut(r->ctx, r->where, q->text, strlen(q->text), take_line, r)
                                     : hd_lines_read(r->ctx, r->where, take_line, r, &text, &file);
    if (status == HD_OK && r->count < r->most)
        return hd_fail(r->ctx, HD_E_FILE, "%s|the file changed while it was read", r->where);
    return status;
}

/* ---- numbers for users and items ---- */

static int compare(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static hd_status collect(reading *r, const hd_data_request *q, int column, ids *out) {
    const size_t n = (size_t)r->count;
    r->collected = hd_alloc_n(r->ctx, n, sizeof *r->collected);
    r->collect = column;
    if (!r->collected) return HD_E_MEMORY;
    hd_status status = read_lines(r, q);
    int64_t unique = 0;
    if (status == HD_OK) {
        qsort(r->collected, n, sizeof *r->collected, compare);
        for (size_t i = 0; i < n; i++)
            if (i == 0 || r->collected[i] != r->collected[i - 1]) unique++;
        out->id = hd_alloc_n(r->ctx, (size_t)unique, sizeof *out->id);
        if (!out->id) status = HD_E_MEMORY;
        for (size_t i = 0; status == HD_OK && i < n; i++)
            if (i == 0 || r->collected[i] != r->collected[i - 1]) out->id[out->count++] = r->collected[i];
    }
    hd_free(r->ctx, r->collected);
    r->collected = NULL;
    return status;
}

static hd_status read_known(hd_context *ctx, const hd_json *like, const char *key, ids *out) {
    const hd_json *list = hd_json_get(like, key);
    if (!list || list->type != HD_JSON_ARRAY || list->count == 0)
        return hd_fail(ctx, HD_E_DATA, "ratings|the model knows no %s|Was it trained on ratings?", key);
    out->id = hd_alloc_n(ctx, list->count, sizeof *out->id);
    if (!out->id) return HD_E_MEMORY;
    for (const hd_json *v = list->child; v; v = v->next) {
        if (v->type != HD_JSON_INT || (out->count && v->integer <= out->id[out->count - 1]))
            return hd_fail(ctx, HD_E_DATA, "ratings|the model's %s are no ascending whole numbers", key);
        out->id[out->count++] = v->integer;
    }
    return HD_OK;
}

static void write_ids(hd_jw *w, const char *key, const ids *list) {
    hd_jw_key(w, key);
    hd_jw_begin(w, '[');
    for (int64_t i = 0; i < list->count; i++) hd_jw_int(w, list->id[i]);
    hd_jw_end(w);
}

static hd_status write_encoding(hd_dataset *d, const ids *list) {
    hd_text text = {.ctx = d->ctx};
    hd_jw w = {.out = &text};
    hd_jw_begin(&w, '{');
    write_ids(&w, "users", &list[USER]);
    write_ids(&w, "items", &list[ITEM]);
    hd_jw_end(&w);
    d->info.encoding = text.failed ? NULL : hd_arena_strndup(&d->arena, text.data, text.length);
    hd_text_free(&text);
    return d->info.encoding ? HD_OK : HD_E_MEMORY;
}

/* ---- opening ---- */

static hd_status fill(hd_dataset *d, reading *r, const hd_data_request *q, ids *list) {
    HD_TRY(read_lines(r, q));
    if (r->count == 0)
        return hd_fail(d->ctx, HD_E_DATA, "%s|expected lines of user, item, rating, found none", r->where);
    HD_TRY(q->like ? read_known(d->ctx, q->like, "users", &list[USER]) : collect(r, q, USER, &list[USER]));
    HD_TRY(q->like ? read_known(d->ctx, q->like, "items", &list[ITEM]) : collect(r, q, ITEM, &list[ITEM]));
    if (list[USER].count + list[ITEM].count > 1 << 24)
        return hd_fail(d->ctx, HD_E_DATA, "%s|more than 16 million users and items", r->where);
    for (int c = 0; c < 2; c++) r->known[c] = &list[c];
    r->x = hd_data_alloc(d, (size_t)r->count, 2 * sizeof *r->x);
    r->value = hd_data_alloc(d, (size_t)r->count, sizeof *r->value);
    if (!r->x || !r->value) return HD_E_MEMORY;
    HD_TRY(read_lines(r, q));
    hd_data_info *info = &d->info;
    info->kind = "ratings";
    info->sample = HD_DIMS(2);
    info->stored = HD_I32;
    info->targets = 1;
    info->as_is = true;
    info->codes = list[USER].count + list[ITEM].count;
    info->train = r->count;
    HD_TRY(write_encoding(d, list));
    const char *where = hd_arena_strdup(&d->arena, r->where);
    if (!where) return HD_E_MEMORY;
    const hd_data_block block = {.count = r->count,
                                 .x = (const unsigned char *)(const void *)r->x,
                                 .x_stride = 2 * sizeof *r->x,
                                 .value = r->value,
                                 .where = where};
    return hd_data_add_block(d, &block);
}

static const char *find(const hd_data_request *request) {
    const char *path = NULL;
    if (request->path && !hd_path_is_dir(request->path)) return request->path;
    return hd_named_file(request, files, NULL, &path) == HD_OK ? path : NULL;
}

static hd_status open_ratings(hd_dataset *data, const hd_data_request *request) {
    ids list[2] = {{0}, {0}};
    reading r = {.ctx = data->ctx, .walk = {.ctx = data->ctx}, .unlabeled = request->unlabeled};
    r.where = request->text ? request->name : find(request);
    if (!r.where) return hd_source_missing(request, NULL);
    const hd_status status = fill(data, &r, request, list);
    for (int c = 0; c < 2; c++) hd_free(data->ctx, list[c].id);
    hd_cells_free(&r.walk);
    return status;
}

static bool looks_like_ratings(const char *path) {
    return hd_has_file(path, files);
}

const hd_data_source hd_source_movielens = {
    .name = "movielens",
    .description =
        "100,004 ratings of 9,066 films by 671 people, half a star to five (MovieLens latest-small, 2016); or "
        "any lines of user, item, rating",
    .named = true,
    .samples = 100004,
    .kind = "ratings",
    .licence = "GroupLens: research, no commercial use without permission",
    .by_hand = "ratings.csv from https://grouplens.org/datasets/movielens/",
    .find = find,
    .looks_like = looks_like_ratings,
    .open = open_ratings,
};
