/* safetensors_header.c: owns the grammar of a safetensors header: one JSON object of tensors, and texts under
 * __metadata__. A reader of its own and not the JSON tree, because a hostile header of many small values would need
 * a tree seventy times its size. Knows nothing of the data behind the header. */
#include "base/status.h"
#include "base/text.h"
#include "base/utf8.h"
#include "io/safetensors.h"
#include <string.h>

const hd_tensor_dtype hd_tensor_dtypes[] = {
    {"F32", 4}, {"F64", 8}, {"I32", 4}, {"I64", 8}, {"U8", 1},      {"BOOL", 1},    {"F16", 2}, {"BF16", 2}, {"I8", 1},
    {"I16", 2}, {"U16", 2}, {"U32", 4}, {"U64", 8}, {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"C64", 8}, {NULL, 0},
};

typedef struct reader {
    hd_context *ctx;
    const char *where;
    const char *begin, *at, *end;
    hd_tensor_header *h;
    bool keep; /* second reading */
} reader;

static hd_status refuse(const reader *r, const char *what) {
    return hd_fail(r->ctx, HD_E_DATA, "%s|header, byte %lld: %s|The file is damaged, or not a safetensors file",
                   r->where, (long long)(r->at - r->begin) + 8, what);
}

static void blanks(reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')) r->at++;
}

static bool take(reader *r, char c) {
    blanks(r);
    if (r->at >= r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static void put(reader *r, const char *bytes, size_t n) {
    if (r->keep) memcpy(r->h->text + r->h->text_length, bytes, n);
    r->h->text_length += n;
}

static bool hex4(reader *r, uint32_t *out) {
    *out = 0;
    if (r->end - r->at < 4) return false;
    for (int i = 0; i < 4; i++) {
        const char c = *r->at++;
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (uint32_t)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            digit = (uint32_t)(c - 'A') + 10;
        else
            return false;
        *out = *out << 4 | digit;
    }
    return true;
}

/* Behind "\u". */
static hd_status unicode(reader *r) {
    uint32_t code = 0, low = 0;
    char utf8[4];
    if (!hex4(r, &code)) return refuse(r, "\\u needs four hexadecimal digits");
    if (code >= 0xd800 && code <= 0xdfff) {
        const bool pair = code < 0xdc00 && r->end - r->at >= 2 && r->at[0] == '\\' && r->at[1] == 'u';
        if (pair) r->at += 2;
        if (!pair || !hex4(r, &low) || low < 0xdc00 || low > 0xdfff) return refuse(r, "a lone surrogate");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    if (code == 0) return refuse(r, "a NUL character in a text");
    put(r, utf8, hd_utf8_put(utf8, code));
    return HD_OK;
}

static hd_status escape(reader *r) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    r->at++;
    const char c = r->at < r->end ? *r->at : '\0';
    if (c == 'u') {
        r->at++;
        return unicode(r);
    }
    const char *found = c ? strchr(from, c) : NULL;
    if (!found) return refuse(r, "unknown escape in a text");
    r->at++;
    put(r, &to[found - from], 1);
    return HD_OK;
}

/* A text; *start is its offset in h->text, where it ends with a NUL. */
static hd_status text(reader *r, size_t *start) {
    *start = r->h->text_length;
    if (!take(r, '"')) return refuse(r, "a text in quotes is expected");
    for (;;) {
        if (r->at >= r->end) return refuse(r, "a text has no end");
        const unsigned char c = (unsigned char)*r->at;
        if (c == '"') break;
        if (c < 0x20) return refuse(r, "a control character in a text");
        if (c == '\\') {
            HD_TRY(escape(r));
            continue;
        }
        const size_t n = hd_utf8_length(r->at, (size_t)(r->end - r->at));
        if (n == 0) return refuse(r, "invalid UTF-8");
        put(r, r->at, n);
        r->at += n;
    }
    r->at++;
    put(r, "", 1);
    return HD_OK;
}

/* A word of the grammar (a member's name, a dtype) into a small buffer; nothing is kept. */
static hd_status word(reader *r, char *out, size_t size) {
    if (!take(r, '"')) return refuse(r, "a text in quotes is expected");
    const char *from = r->at;
    while (r->at < r->end && *r->at != '"' && *r->at != '\\' && (unsigned char)*r->at >= 0x20) r->at++;
    const size_t n = (size_t)(r->at - from);
    if (r->at >= r->end || *r->at != '"' || n >= size) return refuse(r, "an unknown word");
    memcpy(out, from, n);
    out[n] = '\0';
    r->at++;
    return HD_OK;
}

static hd_status number(reader *r, int64_t *out) {
    blanks(r);
    const char *from = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') r->at++;
    const size_t n = (size_t)(r->at - from);
    if (n == 0 || (n > 1 && *from == '0')) return refuse(r, "a whole number, 0 or more, is expected");
    if (r->at < r->end && (*r->at == '.' || *r->at == 'e' || *r->at == 'E')) return refuse(r, "a fraction is no size");
    if (!hd_text_to_i64(from, n, out)) return refuse(r, "a number is too large");
    return HD_OK;
}

/* [a, b, …] of at most max numbers. */
static hd_status numbers(reader *r, int64_t *out, int max, int *count) {
    *count = 0;
    if (!take(r, '[')) return refuse(r, "a list of numbers is expected");
    if (take(r, ']')) return HD_OK;
    do {
        int64_t value = 0;
        HD_TRY(number(r, &value));
        if (*count == max) return refuse(r, "too many numbers in a list (tensors have at most 8 dimensions here)");
        out[(*count)++] = value;
    } while (take(r, ','));
    return take(r, ']') ? HD_OK : refuse(r, "a ] is expected");
}

static hd_status dtype(reader *r, int8_t *out) {
    char name[16];
    HD_TRY(word(r, name, sizeof name));
    for (int8_t i = 0; hd_tensor_dtypes[i].name; i++) {
        if (strcmp(hd_tensor_dtypes[i].name, name) != 0) continue;
        *out = i;
        return HD_OK;
    }
    return refuse(r, "an unknown dtype");
}

/* {"dtype": …, "shape": […], "data_offsets": [begin, end]} in any order, each once, nothing else. */
static hd_status tensor(reader *r, hd_tensor_entry *e) {
    bool has_dtype = false, has_shape = false, has_offsets = false;
    int n = 0;
    if (!take(r, '{')) return refuse(r, "a tensor's object is expected");
    do {
        char member[16];
        HD_TRY(word(r, member, sizeof member));
        if (!take(r, ':')) return refuse(r, "a : is expected");
        if (strcmp(member, "dtype") == 0 && !has_dtype) {
            has_dtype = true;
            HD_TRY(dtype(r, &e->dtype));
        } else if (strcmp(member, "shape") == 0 && !has_shape) {
            has_shape = true;
            HD_TRY(numbers(r, e->dim, HD_MAX_DIMS, &n));
            e->rank = (int8_t)n;
        } else if (strcmp(member, "data_offsets") == 0 && !has_offsets) {
            int64_t offsets[2] = {0, 0};
            has_offsets = true;
            HD_TRY(numbers(r, offsets, 2, &n));
            if (n != 2) return refuse(r, "data_offsets takes two numbers");
            e->begin = offsets[0], e->end = offsets[1];
        } else {
            return refuse(r, "an unknown or repeated member of a tensor");
        }
    } while (take(r, ','));
    if (!take(r, '}')) return refuse(r, "a } is expected");
    if (!has_dtype || !has_shape || !has_offsets) return refuse(r, "a tensor needs dtype, shape and data_offsets");
    return HD_OK;
}

static hd_status metadata(reader *r) {
    if (!take(r, '{')) return refuse(r, "__metadata__ is an object of texts");
    if (take(r, '}')) return HD_OK;
    do {
        size_t key = 0, value = 0;
        HD_TRY(text(r, &key));
        if (!take(r, ':')) return refuse(r, "a : is expected");
        HD_TRY(text(r, &value));
        if (r->keep) r->h->pairs[r->h->pair_count] = (hd_tensor_pair){r->h->text + key, r->h->text + value};
        r->h->pair_count++;
    } while (take(r, ','));
    return take(r, '}') ? HD_OK : refuse(r, "a } is expected");
}

/* "__metadata__" may be written with escapes: it is compared after they are resolved, which only the second reading
 * has; the first finds it by its plain spelling, and an escaped one is refused as a tensor. */
static bool is_metadata(const reader *r) {
    static const char plain[] = "\"__metadata__\"";
    return (size_t)(r->end - r->at) >= sizeof plain - 1 && memcmp(r->at, plain, sizeof plain - 1) == 0;
}

static hd_status object(reader *r) {
    bool has_metadata = false;
    if (r->at >= r->end || *r->at != '{') return refuse(r, "it does not begin with {");
    r->at++;
    if (!take(r, '}')) {
        do {
            size_t name = 0;
            blanks(r);
            if (is_metadata(r)) {
                if (has_metadata) return refuse(r, "__metadata__ stands twice");
                has_metadata = true;
                r->at += strlen("\"__metadata__\"");
                if (!take(r, ':')) return refuse(r, "a : is expected");
                HD_TRY(metadata(r));
                continue;
            }
            hd_tensor_entry e = {0};
            HD_TRY(text(r, &name));
            if (!take(r, ':')) return refuse(r, "a : is expected");
            HD_TRY(tensor(r, &e));
            if (r->keep) {
                e.name = r->h->text + name;
                r->h->entries[r->h->count] = e;
            }
            r->h->count++;
        } while (take(r, ','));
        if (!take(r, '}')) return refuse(r, "a } is expected");
    }
    blanks(r);
    return r->at == r->end ? HD_OK : refuse(r, "something stands behind the closing }");
}

hd_status hd_tensor_header_read(hd_tensor_header *out, hd_context *ctx, const char *where, const char *json,
                                size_t length) {
    hd_tensor_header h = {0};
    reader r = {.ctx = ctx, .where = where, .begin = json, .at = json, .end = json + length, .h = &h};
    HD_TRY(object(&r));
    h.entries = hd_alloc_n(ctx, h.count + 1, sizeof *h.entries);
    h.pairs = hd_alloc_n(ctx, h.pair_count + 1, sizeof *h.pairs);
    h.text = hd_alloc(ctx, h.text_length + 1);
    hd_status status = h.entries && h.pairs && h.text ? HD_OK : HD_E_MEMORY;
    h.count = h.pair_count = h.text_length = 0;
    r.at = json;
    r.keep = true;
    if (status == HD_OK) status = object(&r);
    if (status == HD_OK)
        *out = h;
    else
        hd_tensor_header_free(&h, ctx);
    return status;
}

void hd_tensor_header_free(hd_tensor_header *h, hd_context *ctx) {
    hd_free(ctx, h->entries);
    hd_free(ctx, h->pairs);
    hd_free(ctx, h->text);
    *h = (hd_tensor_header){0};
}
