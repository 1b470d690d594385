/* tags_source.c: sentences with a tag for each token, one token a line, an empty line behind each sentence, as CoNLL's
 * shared tasks hand them out. Short sentences are filled up with padding, long ones go on in the next sample. */
#include "base/status.h"
#include "base/text.h"
#include "data/bytes.h"
#include "data/cells.h"
#include "data/folder.h"
#include "data/lines.h"
#include "data/table.h"
#include <stdio.h>
#include <string.h>

enum { PARTS = 3, PAD, UNKNOWN = 1, FIRST = 2, USUAL_LENGTH = 128 }; /* numbers of tokens: 0 padding, 1 unknown */

typedef struct tag_options {
    int64_t length, min_count, token, tag;
} tag_options;

#define WHOLE_OPTION(id, def_, min_, max_, text)                                                                       \
    {                                                                                                                  \
        .name = #id, .type = HD_OPT_INT, .offset = offsetof(tag_options, id), .def = def_, .min = min_, .max = max_,   \
        .help = text                                                                                                   \
    }

static const hd_option options[] = {
    WHOLE_OPTION(length, 0, 0, 1 << 16, "tokens of a sample; the longest sentence has, at most 128, when not said"),
    WHOLE_OPTION(min_count, 2, 1, 1 << 20, "tokens that are there less often in the training part are unknown ones"),
    WHOLE_OPTION(token, 1, 1, 64, "column of the token, from 1"),
    WHOLE_OPTION(tag, 0, 0, 64, "column of the tag; the last when not said"), HD_OPTION_END};

/* Everything that was read: a token and its tag for each line, a token of −1 behind each sentence. */
typedef struct reading {
    hd_dataset *data;
    const hd_data_request *request;
    const char *path; /* that is read */
    bool conllu;      /* by its name */
    hd_cells walk;
    hd_words tokens, tags; /* in order of first sight, or the model's */
    int32_t *token, *tag;  /* memory of the context */
    size_t count, token_room, tag_room;
    size_t end[PARTS]; /* of each part */
    int64_t longest, sentence;
    uint64_t file; /* bytes of all files */
} reading;

/* ---- lines ---- */

static hd_status add(reading *r, int32_t token, int32_t tag) {
    hd_context *ctx = r->data->ctx;
    HD_TRY(hd_grow(ctx, (void **)&r->token, &r->token_room, r->count + 1, sizeof *r->token));
    HD_TRY(hd_grow(ctx, (void **)&r->tag, &r->tag_room, r->count + 1, sizeof *r->tag));
    r->token[r->count] = token;
    r->tag[r->count++] = tag;
    return HD_OK;
}

static hd_status end_sentence(reading *r) {
    if (r->sentence == 0) return HD_OK;
    if (r->sentence > r->longest) r->longest = r->sentence;
    r->sentence = 0;
    return add(r, -1, -1);
}

/* The number of a tag; with a model one of its own. */
static hd_status find_tag(reading *r, int64_t line, const hd_cell *cell, int32_t *out) {
    char shown[64];
    if (!r->request->names) return hd_words_add(&r->tags, cell->text, cell->length, out);
    *out = hd_words_find(&r->tags, cell->text, cell->length);
    if (*out >= 0) return HD_OK;
    return hd_fail(r->data->ctx, HD_E_DATA, "%s:%lld|the model does not know the tag \"%s\"|Known are %zu others",
                   r->path, (long long)line, hd_cell_shown(shown, cell), r->tags.count);
}

static hd_status find_token(reading *r, const hd_cell *cell, int32_t *out) {
    if (!r->request->like) return hd_words_add(&r->tokens, cell->text, cell->length, out);
    *out = hd_words_find(&r->tokens, cell->text, cell->length); /* −1, unknown, is UNKNOWN − FIRST too */
    return HD_OK;
}

/* A line of CoNLL-U that is no word of the sentence: a remark, a range of words (3-4), a word left unsaid (5.1). */
static bool is_aside(const char *line, size_t length) {
    size_t n = 0;
    while (n < length && line[n] >= '0' && line[n] <= '9') n++;
    return n == 0 ? *line == '#' : n < length && (line[n] == '-' || line[n] == '.');
}

static bool is_blank(const char *line, size_t length) {
    size_t n = 0;
    while (n < length && (line[n] == ' ' || line[n] == '\t')) n++;
    return n == length;
}

static hd_status take_line(void *user, int64_t number, const char *line, size_t length) {
    reading *r = user;
    const tag_options *o = r->request->args;
    hd_cell cell, token = {"", 0}, tag = {"", 0};
    int64_t n = 0;
    int32_t word = 0, label = -1;
    if (is_blank(line, length)) return end_sentence(r);
    if (r->conllu && is_aside(line, length)) return HD_OK;
    hd_cells_begin(&r->walk, line, length);
    while (hd_cells_next(&r->walk, &cell)) {
        if (++n == o->token) token = cell;
        if (n == o->tag || o->tag == 0) tag = cell;
    }
    if (r->walk.failed) return HD_E_MEMORY;
    if (hd_cell_is(&token, "-DOCSTART-")) return HD_OK; /* CoNLL-2003: a new document */
    const bool tagged = o->tag == 0 ? n > o->token : n >= o->tag;
    if (n < o->token || (!tagged && !r->request->unlabeled))
        return hd_fail(r->data->ctx, HD_E_DATA, "%s:%lld|expected a token and its tag, found %lld columns", r->path,
                       (long long)number, (long long)n);
    HD_TRY(find_token(r, &token, &word));
    if (tagged) HD_TRY(find_tag(r, number, &tag, &label));
    r->sentence++;
    return add(r, word + FIRST, label);
}

static hd_status read_file(reading *r, const char *path, int part) {
    uint64_t text, file;
    r->path = path;
    r->conllu = hd_text_ends(path, ".conllu");
    r->walk.form.separator = r->conllu ? '\t' : ' '; /* a word of CoNLL-U may hold blanks */
    HD_TRY(hd_lines_read(r->data->ctx, path, take_line, r, &text, &file));
    HD_TRY(end_sentence(r));
    r->file += file;
    for (int p = part; p < PARTS; p++) r->end[p] = r->count;
    return HD_OK;
}

/* ---- files ---- */

static const char *const ends[] = {".conll", ".conllu", ".bio", ".iob", ".iob2", NULL};

static bool is_tags(const char *path) {
    for (int i = 0; ends[i]; i++)
        if (hd_text_ends(path, ends[i])) return !hd_path_is_dir(path);
    return false;
}

/* The file of a part in a folder, or NULL: *failed when there was no memory to look. */
static const char *find_part(const hd_data_request *r, int part, bool *failed) {
    static const char *const names[PARTS][4] = {{"train", NULL}, {"val", "valid", "dev", NULL}, {"test", NULL}};
    for (int n = 0; names[part][n]; n++)
        for (int i = 0; ends[i]; i++) {
            const char *path = hd_arena_printf(r->arena, "%s/%s%s", r->path, names[part][n], ends[i]);
            *failed |= !path;
            if (path && hd_path_exists(path)) return path;
        }
    return NULL;
}

static hd_status read_files(reading *r) {
    const hd_data_request *q = r->request;
    bool failed = false, any = false;
    if (!hd_path_is_dir(q->path)) return read_file(r, q->path, 0);
    for (int p = 0; p < PARTS; p++) {
        const char *path = find_part(q, p, &failed);
        if (failed) return HD_E_MEMORY;
        if (path) HD_TRY(read_file(r, path, any ? p : 0));
        any |= path != NULL;
    }
    return HD_OK;
}

/* ---- vocabulary ---- */

static hd_status read_words(hd_context *ctx, hd_words *words, const hd_json *list) {
    int32_t number;
    for (const hd_json *v = list ? list->child : NULL; v; v = v->next) {
        if (v->type != HD_JSON_STRING)
            return hd_fail(ctx, HD_E_DATA, "tags|the model's tokens are no texts|Was it trained on tags?");
        HD_TRY(hd_words_add(words, v->string, v->length, &number));
    }
    return HD_OK;
}

static hd_status write_tokens(hd_dataset *d, const hd_words *tokens, const int32_t *kept) {
    hd_text text = {.ctx = d->ctx};
    hd_jw w = {.out = &text};
    hd_jw_begin(&w, '{');
    hd_jw_key(&w, "tokens");
    hd_jw_begin(&w, '[');
    for (size_t i = 0; i < tokens->count; i++)
        if (kept[i] != UNKNOWN) hd_jw_string(&w, tokens->word[i]);
    hd_jw_end(&w);
    hd_jw_end(&w);
    d->info.encoding = text.failed ? NULL : hd_arena_strndup(&d->arena, text.data, text.length);
    hd_text_free(&text);
    return d->info.encoding ? HD_OK : HD_E_MEMORY;
}

/* Numbers for the tokens that are there often enough in the training part; the others become UNKNOWN. */
static hd_status settle_tokens(reading *r) {
    const tag_options *o = r->request->args;
    hd_dataset *d = r->data;
    const bool known = r->request->like != NULL;
    int32_t *kept = hd_alloc_n(d->ctx, r->tokens.count + 1, sizeof *kept), next = FIRST;
    if (!kept) return HD_E_MEMORY;
    for (size_t i = 0; i < r->end[0]; i++)
        if (r->token[i] >= FIRST) kept[r->token[i] - FIRST]++;
    for (size_t i = 0; i < r->tokens.count; i++) kept[i] = known || kept[i] >= o->min_count ? next++ : UNKNOWN;
    for (size_t i = 0; i < r->count; i++)
        if (r->token[i] >= FIRST) r->token[i] = kept[r->token[i] - FIRST];
    d->info.codes = next;
    const hd_status status = write_tokens(d, &r->tokens, kept);
    hd_free(d->ctx, kept);
    return status;
}

static hd_status name_tags(reading *r) {
    hd_dataset *d = r->data;
    const char **names = hd_arena_alloc_n(&d->arena, r->tags.count + 1, sizeof *names);
    if (!names) return HD_E_MEMORY;
    for (size_t i = 0; i < r->tags.count; i++)
        if (!(names[i] = hd_arena_strdup(&d->arena, r->tags.word[i]))) return HD_E_MEMORY;
    d->info.class_names = names;
    d->info.classes = (int64_t)r->tags.count;
    return HD_OK;
}

/* ---- samples ---- */

static int64_t count_samples(const reading *r, size_t from, size_t to, int64_t length) {
    int64_t samples = 0, n = 0;
    for (size_t i = from; i < to; i++) {
        if (r->token[i] >= 0) n++;
        if (r->token[i] >= 0) continue;
        samples += (n - 1) / length + 1;
        n = 0;
    }
    return samples;
}

static hd_status fill_part(reading *r, size_t from, size_t to, int64_t length, int64_t *count) {
    hd_dataset *d = r->data;
    const size_t n = (size_t)count_samples(r, from, to, length), width = (size_t)length;
    const char *where = hd_arena_strdup(&d->arena, r->request->path);
    *count = (int64_t)n;
    if (n == 0) return HD_OK;
    int32_t *x = hd_data_alloc(d, n * width, sizeof *x), *label = hd_data_alloc(d, n * width, sizeof *label);
    if (!where || !x || !label) return HD_E_MEMORY;
    memset(label, 0xff, n * width * sizeof *label);
    size_t at = 0;
    for (size_t i = from; i < to; i++) {
        if (r->token[i] < 0) {
            at = (at + width - 1) / width * width;
            continue;
        }
        x[at] = r->token[i];
        label[at++] = r->tag[i];
    }
    const hd_data_block block = {.count = (int64_t)n,
                                 .x = (const unsigned char *)(const void *)x,
                                 .x_stride = width * sizeof *x,
                                 .label32 = label,
                                 .label_stride = width * sizeof *label,
                                 .where = where};
    return hd_data_add_block(d, &block);
}

static hd_status fill(reading *r) {
    const tag_options *o = r->request->args;
    hd_data_info *info = &r->data->info;
    const int64_t usual = r->longest < USUAL_LENGTH ? r->longest : USUAL_LENGTH;
    const int64_t length = r->request->width > 0 ? r->request->width : o->length ? o->length : usual;
    const double bytes = 8.0 * (double)count_samples(r, 0, r->count, length) * (double)length;
    if (bytes > (double)HD_GROWN_MAX(r->file))
        return hd_fail(
            r->data->ctx, HD_E_DATA,
            "%s|sentences filled up to %lld tokens take %.0f MB, more than 56 MB and four times the file|Say "
            "length=%lld",
            r->request->path, (long long)length, bytes / 1e6, (long long)(length / 8 + 1));
    info->kind = "sequences";
    info->sample = HD_DIMS(length);
    info->positions = length;
    info->stored = HD_I32;
    info->as_is = true;
    HD_TRY(fill_part(r, 0, r->end[0], length, &info->train));
    HD_TRY(fill_part(r, r->end[0], r->end[1], length, &info->val));
    return fill_part(r, r->end[1], r->end[2], length, &info->test);
}

static hd_status read_all(reading *r) {
    const hd_data_request *q = r->request;
    hd_context *ctx = r->data->ctx;
    HD_TRY(read_words(ctx, &r->tags, q->names));
    if (q->like) HD_TRY(read_words(ctx, &r->tokens, hd_json_get(q->like, "tokens")));
    HD_TRY(read_files(r));
    if (r->end[0] == 0) return hd_fail(ctx, HD_E_DATA, "%s|expected lines of a token and its tag, found none", q->path);
    HD_TRY(settle_tokens(r));
    HD_TRY(name_tags(r));
    return fill(r);
}

static hd_status open_tags(hd_dataset *data, const hd_data_request *request) {
    reading r = {.data = data,
                 .request = request,
                 .walk = {.ctx = data->ctx, .form = {.plain = true}}, /* a quotation mark is a token */
                 .tokens = {.arena = request->arena},
                 .tags = {.arena = request->arena}};
    const hd_status status = read_all(&r);
    hd_cells_free(&r.walk);
    hd_words_free(&r.tokens);
    hd_words_free(&r.tags);
    hd_free(data->ctx, r.token);
    hd_free(data->ctx, r.tag);
    return status;
}

static bool looks_like_tags(const char *path) {
    char file[4096];
    if (!hd_path_is_dir(path)) return is_tags(path);
    for (int i = 0; ends[i]; i++)
        if (snprintf(file, sizeof file, "%s/train%s", path, ends[i]) < (int)sizeof file && hd_path_exists(file))
            return true;
    return false;
}

const hd_data_source hd_source_tags = {
    .name = "tags",
    .description = "sentences with a tag for each token, one token a line (.conll, .bio, .iob), or a folder of "
                   "train.conll, dev.conll, test.conll",
    .args_size = sizeof(tag_options),
    .options = options,
    .looks_like = looks_like_tags,
    .open = open_tags,
};
