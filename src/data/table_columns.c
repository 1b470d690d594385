/* table_columns.c: owns which column of a table is what: feature, target or left out, numbers or words. */
#include "base/text.h"
#include "data/table_reading.h"
#include <stdio.h>
#include <string.h>

const char *hd_column_called(const hd_reading *r, int64_t column, char *buffer) {
    const char *name = r->column[column].name;
    buffer[0] = 0;
    if (*name) (void)snprintf(buffer, 80, " (column %.60s)", name);
    return buffer;
}

hd_status hd_table_group(hd_reading *r, int64_t column, hd_word_group **out) {
    hd_column_look *look = &r->look[column];
    enum { MOST = 4096 };
    if (look->group < 0) {
        if (r->groups == MOST)
            return hd_fail(r->ctx, HD_E_DATA, "%s|expected at most %d columns of words, there are more", r->path,
                           (int)MOST);
        HD_TRY(hd_grow(r->ctx, (void **)&r->group, &r->group_room, r->groups + 1, sizeof *r->group));
        r->group[r->groups] = (hd_word_group){.words = {.arena = r->arena}};
        look->group = (int32_t)r->groups++;
    }
    *out = &r->group[look->group];
    return HD_OK;
}

/* ---- columns by name and number ---- */

static int64_t find_name(const hd_reading *r, const char *name, size_t length) {
    for (int64_t i = 0; i < r->columns && r->named; i++)
        if (strncmp(r->column[i].name, name, length) == 0 && r->column[i].name[length] == 0) return i;
    return -1;
}

static hd_status no_column(const hd_reading *r, const char *name) {
    const char *near = NULL;
    const char **names = hd_arena_alloc_n(r->arena, (size_t)r->columns + 1, sizeof *names);
    if (!names) return HD_E_MEMORY;
    for (int64_t i = 0; i < r->columns; i++) names[i] = r->column[i].name;
    if (r->named) near = hd_text_nearest(name, names, (size_t)r->columns);
    if (near) return hd_fail(r->ctx, HD_E_DATA, "%s|no column \"%s\"|Did you mean %s?", r->path, name, near);
    return hd_fail(r->ctx, HD_E_DATA, "%s|no column \"%s\"|%s 1 … %lld", r->path, name,
                   r->named ? "Say a name of the first line, or a number" : "There is no header: say a number",
                   (long long)r->columns);
}

/* "3", "257-266", "-1" (the last): false when it is none of these or beyond the columns. */
static bool read_range(const hd_reading *r, const char *text, int64_t *from, int64_t *to) {
    const char *dash = *text ? strchr(text + 1, '-') : NULL;
    if (!hd_text_to_i64(text, dash ? (size_t)(dash - text) : strlen(text), from)) return false;
    if (*from < 0) *from += r->columns + 1;
    *to = *from;
    if (dash && !hd_text_to_i64(dash + 1, strlen(dash + 1), to)) return false;
    return *from >= 1 && *from <= *to && *to <= r->columns;
}

/* Gives the role to every column of the list: the whole text as one name first, then piece by piece. */
static hd_status give_role(hd_reading *r, const char *list, int32_t role) {
    int64_t from = find_name(r, list, strlen(list)), to;
    if (from >= 0) {
        r->column[from].role = role;
        return HD_OK;
    }
    for (const char *s = list;;) {
        const size_t n = strcspn(s, ",");
        char *piece = hd_arena_strndup(&r->scratch, s, n);
        if (!piece) return HD_E_MEMORY;
        from = to = find_name(r, piece, n) + 1;
        if (from == 0 && !read_range(r, piece, &from, &to)) return no_column(r, piece);
        for (; from <= to; from++) r->column[from - 1].role = role;
        if (!s[n]) return HD_OK;
        s += n + 1;
    }
}

hd_status hd_table_roles(hd_reading *r) {
    const hd_table_args *a = r->args;
    for (int64_t i = 0; i < r->columns; i++) {
        r->column[i].role = a->all_targets ? HD_COLUMN_TARGET : a->features ? HD_COLUMN_IGNORED : HD_COLUMN_FEATURE;
        r->look[i].nominal = r->look[i].nominal || (a->all_targets && a->categories);
    }
    if (a->features) HD_TRY(give_role(r, a->features, HD_COLUMN_FEATURE));
    if (a->ignore) HD_TRY(give_role(r, a->ignore, HD_COLUMN_IGNORED));
    if (a->no_target || a->all_targets) return HD_OK;
    if (a->label) HD_TRY(give_role(r, a->label, HD_COLUMN_TARGET));
    if (!a->label) r->column[r->columns - 1].role = HD_COLUMN_TARGET;
    for (int64_t i = 0; i < r->columns && a->categories; i++)
        r->look[i].nominal = r->look[i].nominal || r->column[i].role == HD_COLUMN_TARGET;
    return HD_OK;
}

/* ---- as another file was ---- */

static hd_status take_words(hd_reading *r, int64_t column, const hd_column *like) {
    hd_word_group *group;
    int32_t place;
    r->look[column].nominal = true;
    HD_TRY(hd_table_group(r, column, &group));
    group->declared = true;
    if (group->words.count) hd_words_free(&group->words), group->words.arena = r->arena;
    for (int32_t i = 0; i < like->word_count; i++)
        HD_TRY(hd_words_add(&group->words, like->words[i], strlen(like->words[i]), &place));
    return HD_OK;
}

/* Which columns a file without names leaves out: none, the targets, those that are ignored, or both, by their number.
 */
static bool find_left_out(const hd_reading *r, bool out[3]) {
    const hd_schema *s = r->args->like;
    int64_t n[3] = {0};
    for (int64_t k = 0; k < s->columns; k++) n[s->column[k].role]++;
    for (int i = 0; i < 4; i++) {
        out[HD_COLUMN_FEATURE] = false;
        out[HD_COLUMN_TARGET] = i & 1;
        out[HD_COLUMN_IGNORED] = i & 2;
        if ((i & 1) && !r->args->target_optional) continue;
        if (s->columns - (i & 1 ? n[HD_COLUMN_TARGET] : 0) - (i & 2 ? n[HD_COLUMN_IGNORED] : 0) == r->columns)
            return true;
    }
    return false;
}

/* The place in the schema of every column of this file, or -1: by name where both have names, else by number. */
static hd_status match(const hd_reading *r, int64_t *place) {
    const hd_schema *s = r->args->like;
    int64_t at = 0;
    bool left_out[3];
    const bool by_name = r->named && s->named;
    for (int64_t i = 0; i < r->columns; i++) place[i] = -1;
    if (!by_name && !find_left_out(r, left_out))
        return hd_fail(r->ctx, HD_E_DATA,
                       "%s|expected %lld columns as in the table the model was trained on%s, found %lld", r->path,
                       (long long)s->columns, r->args->target_optional ? ", with or without its target" : "",
                       (long long)r->columns);
    for (int64_t k = 0; k < s->columns; k++) {
        const hd_column *c = &s->column[k];
        int64_t i = -1;
        if (by_name && *c->name)
            i = find_name(r, c->name, strlen(c->name));
        else if (by_name)
            i = r->columns == s->columns ? k : -1;
        else if (!left_out[c->role])
            i = at++;
        if (i >= 0) place[i] = k;
        if (i >= 0 || c->role == HD_COLUMN_IGNORED || (c->role == HD_COLUMN_TARGET && r->args->target_optional))
            continue;
        return hd_fail(r->ctx, HD_E_DATA, "%s|expected a column \"%s\" as in the table the model was trained on",
                       r->path, c->name);
    }
    return HD_OK;
}

hd_status hd_table_roles_like(hd_reading *r) {
    const hd_schema *s = r->args->like;
    int64_t *place = hd_arena_alloc_n(&r->scratch, (size_t)r->columns + 1, sizeof *place);
    if (!place) return HD_E_MEMORY;
    HD_TRY(match(r, place));
    for (int64_t i = 0; i < r->columns; i++) {
        hd_column *c = &r->column[i];
        const char *name = c->name;
        if (place[i] < 0) {
            c->role = HD_COLUMN_IGNORED;
            continue;
        }
        *c = s->column[place[i]];
        c->name = name;
        r->look[i].nominal = c->words != NULL;
        if (c->words) HD_TRY(take_words(r, i, c));
    }
    return HD_OK;
}

/* ---- after the first pass ---- */

/* The word that was seen most often. */
static const char *usual_word(const hd_word_group *g) {
    size_t best = 0;
    for (size_t i = 1; i < g->words.count && i < g->room; i++)
        if (g->seen[i] > g->seen[best]) best = i;
    return g->words.count ? g->words.word[best] : "";
}

static hd_status settle_words(hd_reading *r, hd_column *c, hd_word_group *g) {
    const char *usual = usual_word(g);
    if (!g->declared) HD_TRY(hd_words_sort(&g->words));
    c->word_count = (int32_t)g->words.count;
    c->words = hd_arena_alloc_n(r->arena, g->words.count + 1, sizeof *c->words);
    if (!c->words) return HD_E_MEMORY;
    if (g->words.count) memcpy((void *)c->words, (const void *)g->words.word, g->words.count * sizeof *c->words);
    c->fill = (float)hd_words_find(&g->words, usual, strlen(usual));
    return HD_OK;
}

/* When nobody said which column is the target and the last ones are one-hot, they are the target. */
static void find_one_hot(hd_reading *r) {
    const hd_table_args *a = r->args;
    const bool said = a->label || a->ignore || a->features || a->no_target || a->all_targets || r->arff;
    if (said || r->rows < 10 || r->hot_low < 3 || r->hot_low > r->hot_high || r->hot_low >= r->columns) return;
    for (int64_t i = r->columns - r->hot_low; i < r->columns; i++) r->column[i].role = HD_COLUMN_TARGET;
    r->hot_targets = true;
    hd_log_line(r->ctx, HD_LOG_WARNING, "%s: the last %lld columns are one-hot: taken as one target of %lld classes",
                r->path, (long long)r->hot_low, (long long)r->hot_low);
}

static hd_status settle_columns(hd_reading *r) {
    hd_schema *s = &r->out->schema;
    for (int64_t i = 0; i < r->columns; i++) {
        hd_column *c = &r->column[i];
        const hd_column_look *look = &r->look[i];
        if (c->role == HD_COLUMN_IGNORED) continue;
        if (look->nominal || look->words > 0) {
            hd_word_group *g = NULL;
            HD_TRY(hd_table_group(r, i, &g));
            HD_TRY(settle_words(r, c, g));
        } else if (look->numbers > 0) {
            c->fill = (float)(look->sum / look->numbers);
        }
        int64_t *at = c->role == HD_COLUMN_TARGET ? &s->targets : &s->features;
        c->at = *at;
        *at += c->role == HD_COLUMN_TARGET || !c->words ? 1 : c->word_count;
    }
    s->columns = r->columns;
    s->named = r->named;
    s->missing = r->args->missing;
    s->one_hot = s->targets > 1 && r->hot_targets;
    s->column = hd_arena_alloc_n(r->arena, (size_t)r->columns, sizeof *s->column);
    if (!s->column) return HD_E_MEMORY;
    memcpy(s->column, r->column, (size_t)r->columns * sizeof *s->column);
    return HD_OK;
}

hd_status hd_table_settle(hd_reading *r) {
    hd_table *t = r->out;
    t->rows = r->rows;
    if (r->rows == 0)
        return hd_fail(r->ctx, HD_E_DATA, "%s|expected lines of numbers, %s", r->path,
                       r->dropped ? "a cell is missing in every one of them|Say missing=mean" : "found none");
    if (r->args->like) {
        t->schema = *r->args->like;
    } else {
        find_one_hot(r);
        HD_TRY(settle_columns(r));
    }
    t->features = t->schema.features;
    for (int64_t i = 0; i < r->columns; i++) {
        const hd_column *c = &r->column[i];
        if (c->role != HD_COLUMN_TARGET) continue;
        t->targets++;
        if (t->label) continue;
        t->words = c->words;
        t->word_count = c->word_count;
        t->label = *c->name ? c->name : hd_arena_printf(r->arena, "%lld", (long long)i + 1);
        if (!t->label) return HD_E_MEMORY;
    }
    if (t->features < 1 && !r->args->all_targets)
        return hd_fail(r->ctx, HD_E_DATA, "%s|expected at least one feature column beside the target", r->path);
    for (int64_t i = 0; i < r->columns && t->targets > 1; i++)
        if (r->column[i].role == HD_COLUMN_TARGET && r->column[i].words)
            return hd_fail(r->ctx, HD_E_DATA, "%s|several targets must be numbers, one of them is words", r->path);
    return HD_OK;
}
