/* text_source.c: text as windows of tokens, each with the token that follows as its label. Text whose characters take
 * one byte each stays mapped as it lies in the file: nothing of it is copied. */
#include "base/text.h"
#include "data/bytes.h"
#include "data/digit_tables.h"
#include "data/folder.h"
#include "data/source.h"
#include "data/vocabulary.h"
#include <stdio.h>
#include <string.h>

enum { CHAR, BYTE, LOOK = 4096 };

typedef struct text_options {
    int64_t unit, length, stride;
} text_options;

static const char *const units[] = {"char", "byte", NULL};
static const hd_option options[] = {
    {.name = "unit",
     .type = HD_OPT_ENUM,
     .offset = offsetof(text_options, unit),
     .choices = units,
     .help = "what a token is: a character of UTF-8, or a byte"},
    {.name = "length",
     .type = HD_OPT_INT,
     .offset = offsetof(text_options, length),
     .def = 128,
     .min = 1,
     .max = 1 << 20,
     .help = "tokens of a sample"},
    {.name = "stride",
     .type = HD_OPT_INT,
     .offset = offsetof(text_options, stride),
     .min = 0,
     .max = 1 << 20,
     .help = "tokens from the begin of one sample to that of the next; as length when not said"},
    HD_OPTION_END};

/* ---- bytes ---- */

typedef struct bytes {
    const unsigned char *data;
    size_t length;
} bytes;

static bool is_text_file(const char *path) {
    return (hd_text_ends(path, ".txt") || hd_text_ends(path, ".txt.gz") || hd_text_ends(path, ".abc")) &&
           !hd_path_is_dir(path);
}

static hd_status load_file(hd_dataset *d, const char *path, bytes *out) {
    hd_map map;
    HD_TRY(hd_data_load(d, path, &map));
    *out = (bytes){map.data, map.length};
    return HD_OK;
}

static hd_status measure(hd_dataset *d, const char *path, const hd_listing *files, hd_arena *arena, size_t *total) {
    for (size_t i = 0; i < files->count; i++) {
        hd_bytes b;
        const char *file = hd_path_join(arena, path, files->name[i]);
        if (!file) return HD_E_MEMORY;
        HD_TRY(hd_bytes_load(&b, d->ctx, file));
        if (!hd_add_ok(*total, b.length, total)) *total = SIZE_MAX;
        hd_bytes_free(&b);
    }
    return HD_OK;
}

/* The files of a folder one behind the other, in the order of their names. */
static hd_status join_files(hd_dataset *d, const char *path, const hd_listing *files, hd_arena *arena, bytes *out) {
    size_t total = 0, at = 0;
    HD_TRY(measure(d, path, files, arena, &total));
    unsigned char *text = hd_data_alloc(d, total, 1);
    if (!text) return HD_E_MEMORY;
    for (size_t i = 0; i < files->count; i++) {
        hd_bytes b;
        const char *file = hd_path_join(arena, path, files->name[i]);
        if (!file) return HD_E_MEMORY;
        HD_TRY(hd_bytes_load(&b, d->ctx, file));
        const size_t n = b.length < total - at ? b.length : total - at; /* a file may have grown meanwhile */
        if (n) memcpy(text + at, b.data, n);
        at += n;
        hd_bytes_free(&b);
    }
    *out = (bytes){text, at};
    return HD_OK;
}

static hd_status load(hd_dataset *d, const hd_data_request *r, bytes *out) {
    hd_listing files = {0};
    if (!hd_path_is_dir(r->path)) return load_file(d, r->path, out);
    hd_status status = hd_folder_list(&files, d->ctx, r->arena, r->path, is_text_file);
    if (status == HD_OK && files.count == 0)
        status = hd_fail(d->ctx, HD_E_DATA, "%s|expected files of text (.txt, .abc), found none", r->path);
    if (status == HD_OK && files.count == 1) { /* alone it stays mapped */
        const char *file = hd_path_join(r->arena, r->path, files.name[0]);
        status = file ? load_file(d, file, out) : HD_E_MEMORY;
    } else if (status == HD_OK) {
        status = join_files(d, r->path, &files, r->arena, out);
    }
    hd_free(d->ctx, files.name);
    return status;
}

/* ---- tokens ---- */

typedef struct tokens {
    const unsigned char *data; /* of the dtype that the data set stores */
    int64_t count;
} tokens;

static hd_status unknown_symbol(hd_context *ctx, const hd_data_request *r, uint32_t symbol, size_t at) {
    char name[8];
    hd_symbol_name(name, symbol);
    return hd_fail(ctx, HD_E_DATA, "%s|the model does not know the character \"%s\", at byte %zu|Take it out", r->path,
                   name, at);
}

static hd_status check_known(hd_context *ctx, const hd_data_request *r, const hd_vocabulary *v, const bytes *text) {
    for (size_t i = 0, n; i < text->length; i += n) {
        const uint32_t symbol = hd_symbol_at(text->data + i, text->length - i, &n);
        if (v->token[symbol] < 0) return unknown_symbol(ctx, r, symbol, i);
    }
    return HD_OK;
}

/* Characters of one byte: the text itself, read through a table. */
static hd_status use_bytes(hd_dataset *d, const hd_vocabulary *v, const bytes *text, tokens *out) {
    unsigned char *code = hd_arena_alloc(&d->arena, 256);
    if (!code) return HD_E_MEMORY;
    for (unsigned i = 0; i < 256; i++) {
        const int32_t token = v->token[i < 0x80 ? i : HD_NO_TEXT + i];
        code[i] = (unsigned char)(token < 0 ? 0 : token);
    }
    d->code = code;
    *out = (tokens){text->data, (int64_t)text->length};
    return HD_OK;
}

static hd_status encode(hd_dataset *d, const hd_vocabulary *v, const bytes *text, tokens *out) {
    size_t count = 0, k = 0;
    for (size_t i = 0, n; i < text->length; i += n, count++) (void)hd_symbol_at(text->data + i, text->length - i, &n);
    const bool small = v->count <= 256;
    unsigned char *narrow = small ? hd_data_alloc(d, count, 1) : NULL;
    int32_t *wide = small ? NULL : hd_data_alloc(d, count, sizeof *wide);
    if (!narrow && !wide) return HD_E_MEMORY;
    for (size_t i = 0, n; i < text->length; i += n, k++) {
        const int32_t token = v->token[hd_symbol_at(text->data + i, text->length - i, &n)];
        if (small)
            narrow[k] = (unsigned char)token;
        else
            wide[k] = token;
    }
    d->info.stored = small ? HD_U8 : HD_I32;
    *out = (tokens){small ? narrow : (const unsigned char *)(const void *)wide, (int64_t)count};
    return HD_OK;
}

static hd_status read_chars(hd_dataset *d, const hd_data_request *r, const bytes *text, tokens *out) {
    hd_vocabulary v = {.ctx = d->ctx};
    hd_status status =
        r->names ? hd_vocabulary_read(&v, d->ctx, r->names) : hd_vocabulary_count(&v, d->ctx, text->data, text->length);
    if (status == HD_OK && r->names) status = check_known(d->ctx, r, &v, text);
    if (status == HD_OK) status = hd_vocabulary_names(&v, d);
    if (status == HD_OK) status = v.bytes && v.count <= 256 ? use_bytes(d, &v, text, out) : encode(d, &v, text, out);
    hd_vocabulary_free(&v);
    return status;
}

static hd_status read_bytes(hd_dataset *d, const bytes *text, tokens *out) {
    const char **names = hd_arena_alloc_n(&d->arena, 256, sizeof *names);
    if (!names) return HD_E_MEMORY;
    for (uint32_t i = 0; i < 256; i++) {
        char name[8];
        hd_symbol_name(name, i < 0x80 ? i : HD_NO_TEXT + i);
        if (!(names[i] = hd_arena_strdup(&d->arena, name))) return HD_E_MEMORY;
    }
    d->info.class_names = names;
    d->info.classes = 256;
    *out = (tokens){text->data, (int64_t)text->length};
    return HD_OK;
}

/* Are these the names of bytes? Then the model reads bytes, whatever is said. */
static bool are_bytes(const hd_json *names) {
    const hd_json *v = names && names->count == 256 ? names->child : NULL;
    for (int i = 0; v && i < 0x80; i++) v = v->next;
    return v && strcmp(v->string, "\\x80") == 0;
}

/* ---- windows ---- */

static hd_status cut(hd_dataset *d, const hd_data_request *r, const tokens *t) {
    const text_options *o = r->args;
    const int64_t length = r->width > 0 ? r->width : o->length, stride = o->stride > 0 ? o->stride : length;
    const size_t each = hd_dtype_size(d->info.stored);
    if (t->count < length + 1)
        return hd_fail(d->ctx, HD_E_DATA,
                       "%s|the text has %lld tokens, a sample takes %lld and the one that follows|Say length=%lld",
                       r->path, (long long)t->count, (long long)length, (long long)(t->count > 8 ? t->count / 8 : 1));
    hd_data_info *info = &d->info;
    info->kind = "text";
    info->sample = HD_DIMS(length);
    info->positions = length;
    info->codes = info->classes;
    info->as_is = info->ordered = true;
    info->overlap = (length - 1) / stride;
    info->train = (t->count - 1 - length) / stride + 1;
    d->shift_max = stride - 1;
    d->labels_checked = true;
    const char *where = hd_arena_strdup(&d->arena, r->path);
    if (!where) return HD_E_MEMORY;
    hd_data_block block = {.count = info->train,
                           .x = t->data,
                           .x_stride = (size_t)stride * each,
                           .label_stride = (size_t)stride * each,
                           .where = where};
    if (each == 1)
        block.label8 = t->data + 1;
    else
        block.label32 = (const int32_t *)(const void *)(t->data + each);
    return hd_data_add_block(d, &block);
}

static hd_status open_text(hd_dataset *data, const hd_data_request *request) {
    const text_options *o = request->args;
    bytes text = {NULL, 0};
    tokens t = {NULL, 0};
    data->info.stored = HD_U8;
    HD_TRY(load(data, request, &text));
    const bool as_bytes = request->names ? are_bytes(request->names) : o->unit == BYTE;
    if (!as_bytes && text.length >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0) /* a byte order mark */
        text = (bytes){text.data + 3, text.length - 3};
    HD_TRY(as_bytes ? read_bytes(data, &text, &t) : read_chars(data, request, &text, &t));
    return cut(data, request, &t);
}

/* ---- by looking ---- */

/* How often `mark` stands in a line; for ' ' the number of gaps between words. */
static int count_marks(const char *line, size_t n, char mark) {
    int count = 0;
    for (size_t i = 0; i < n; i++) {
        const bool gap = mark != ' ' || (i > 0 && i + 1 < n && line[i + 1] != ' ');
        count += line[i] == mark && gap;
    }
    return count;
}

static bool all_numbers(const char *line, size_t n) {
    for (size_t i = 0; i < n;) {
        const size_t start = i;
        double value;
        while (i < n && !strchr(" ,;\t\r", line[i])) i++;
        if (i > start && !hd_text_to_f64(line + start, i - start, &value)) return false;
        i += i < n;
    }
    return true;
}

/* Tables have lines of numbers, or of equally many cells. */
static bool is_table(const char *text, size_t length) {
    static const char marks[] = {',', ';', '\t', ' '};
    int lines = 0, first[4] = {0}, same[4] = {1, 1, 1, 1};
    bool numbers = true;
    for (size_t at = 0; at < length && lines < 8;) {
        const char *end = memchr(text + at, '\n', length - at);
        if (!end && lines > 0) break; /* cut off */
        const size_t n = end ? (size_t)(end - text) - at : length - at;
        for (int k = 0; k < 4 && n; k++) {
            const int count = count_marks(text + at, n, marks[k]);
            if (lines == 0) first[k] = count;
            same[k] &= count > 0 && count == first[k];
        }
        if (n) numbers &= all_numbers(text + at, n);
        lines += n > 0;
        at += n + 1;
    }
    return numbers || (lines > 1 && (same[0] || same[1] || same[2] || same[3]));
}

static bool looks_like_text(const char *path) {
    char head[LOOK];
    if (hd_path_is_dir(path)) return hd_folder_has(path, is_text_file);
    if (hd_text_ends(path, ".abc")) return true;
    FILE *f = hd_text_ends(path, ".txt") ? fopen(path, "rb") : NULL;
    if (!f) return false;
    const size_t n = fread(head, 1, sizeof head, f);
    (void)fclose(f);
    return n > 0 && !is_table(head, n);
}

const hd_data_source hd_source_text = {
    .name = "text",
    .description =
        "text to be gone on with: a file or a folder of .txt or .abc, in windows of characters or bytes; its end is "
        "for validation and test",
    .args_size = sizeof(text_options),
    .options = options,
    .looks_like = looks_like_text,
    .open = open_text,
};

/* ---- by name ---- */

static const char *const shakespeare[] = {"input.txt", "tinyshakespeare.txt", NULL};
static const hd_data_file published[] = {
    {"https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
     "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed", 1115394},
    {NULL, NULL, 0}};

static const char *find_shakespeare(const hd_data_request *request) {
    const char *path = NULL;
    return hd_named_file(request, shakespeare, NULL, &path) == HD_OK ? path : NULL;
}

static hd_status open_shakespeare(hd_dataset *data, const hd_data_request *request) {
    hd_data_request found = *request;
    found.path = find_shakespeare(request);
    return found.path ? open_text(data, &found) : hd_source_missing(request, NULL);
}

const hd_data_source hd_source_tinyshakespeare = {
    .name = "tinyshakespeare",
    .description = "1,115,394 characters of Shakespeare's plays (Karpathy 2015), in windows of characters or bytes",
    .named = true,
    .args_size = sizeof(text_options),
    .options = options,
    .samples = 8714,
    .kind = "text",
    .licence = "text: public domain",
    .files = published,
    .find = find_shakespeare,
    .open = open_shakespeare,
};
