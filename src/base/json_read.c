/* json_read.c: owns the grammar of JSON (RFC 8259), read strictly: what two readers could understand differently is
 * refused. Recursion is bounded by HD_JSON_DEPTH. */
#include "base/json_tree.h"
#include "base/status.h"
#include "base/utf8.h"
#include <string.h>

typedef struct reader {
    hd_json_reader tree;
    const char *at, *end;
    int line, column; /* of `at`, from 1; columns count characters */
    hd_text scratch;  /* the string being read, escapes resolved */
} reader;

static hd_status fail_at(const reader *r, int line, int column, const char *what, const char *fix) {
    return hd_fail(r->tree.arena->ctx, HD_E_MODEL, "%s:%d:%d|%s|%s", r->tree.where, line, column, what, fix);
}

static hd_status fail_here(const reader *r, const char *what, const char *fix) {
    return fail_at(r, r->line, r->column, what, fix);
}

/* The next byte, or 0 at the end; a NUL in the text is no legal byte anywhere, so it ends up as an error too. */
static char peek(const reader *r) {
    return r->at < r->end ? *r->at : '\0';
}

static void step(reader *r) {
    unsigned char c = (unsigned char)*r->at++;
    if (c == '\n') {
        r->line++;
        r->column = 1;
    } else if ((c & 0xc0) != 0x80) {
        r->column++;
    }
}

static void skip_blanks(reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')) step(r);
}

static bool read_hex(reader *r, uint32_t *out) {
    *out = 0;
    for (int i = 0; i < 4; i++) {
        char c = peek(r);
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (uint32_t)(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            digit = (uint32_t)(c - 'A' + 10);
        else
            return false;
        *out = *out << 4 | digit;
        step(r);
    }
    return true;
}

/* Behind "\u". */
static hd_status read_unicode(reader *r) {
    static const char *const digits = "\\u needs four hexadecimal digits";
    uint32_t code, low;
    if (!read_hex(r, &code)) return fail_here(r, digits, "");
    if (code >= 0xdc00 && code <= 0xdfff) return fail_here(r, "a lone low surrogate is no character", "");
    if (code >= 0xd800 && code <= 0xdbff) {
        if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u')
            return fail_here(r, "a high surrogate must be followed by a low one", "");
        step(r);
        step(r);
        if (!read_hex(r, &low)) return fail_here(r, digits, "");
        if (low < 0xdc00 || low > 0xdfff) return fail_here(r, "a high surrogate must be followed by a low one", "");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    char utf8[4];
    hd_text_add(&r->scratch, utf8, hd_utf8_put(utf8, code));
    return HD_OK;
}

static hd_status read_escape(reader *r) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    step(r);
    char c = peek(r);
    if (c == 'u') {
        step(r);
        return read_unicode(r);
    }
    const char *found = c ? strchr(from, c) : NULL;
    if (!found)
        return fail_here(r, "unknown escape in a string", "Allowed are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
    hd_text_add(&r->scratch, &to[found - from], 1);
    step(r);
    return HD_OK;
}

/* At the opening quote; the text is in scratch afterwards. */
static hd_status read_string(reader *r) {
    int line = r->line, column = r->column;
    r->scratch.length = 0;
    hd_text_puts(&r->scratch, "");
    step(r);
    for (;;) {
        const char *from = r->at;
        while (r->at < r->end && *r->at != '"' && *r->at != '\\' && (unsigned char)*r->at >= 0x20) {
            size_t n = hd_utf8_length(r->at, (size_t)(r->end - r->at));
            if (n == 0) return fail_here(r, "invalid UTF-8", "Save the file as UTF-8");
            r->at += n;
            r->column++;
        }
        hd_text_add(&r->scratch, from, (size_t)(r->at - from));
        if (r->scratch.failed) return HD_E_MEMORY;
        if (r->at >= r->end) return fail_at(r, line, column, "this string has no end", "Add a \"");
        if (*r->at == '"') break;
        if (*r->at != '\\') return fail_here(r, "control character in a string", "Write it as \\n, \\t or \\u00XX");
        HD_TRY(read_escape(r));
    }
    step(r);
    return r->scratch.failed ? HD_E_MEMORY : HD_OK;
}

static void skip_digits(reader *r) {
    while (peek(r) >= '0' && peek(r) <= '9') step(r);
}

static hd_status read_number(reader *r, hd_json **out) {
    const char *from = r->at;
    int line = r->line, column = r->column;
    bool whole = true;
    if (peek(r) == '-') step(r);
    const char *digits = r->at;
    skip_digits(r);
    if (r->at == digits) return fail_here(r, "a number needs a digit here", "");
    if (*digits == '0' && r->at - digits > 1) return fail_at(r, line, column, "a number must not begin with 0", "");
    if (peek(r) == '.') {
        whole = false;
        step(r);
        const char *fraction = r->at;
        skip_digits(r);
        if (r->at == fraction) return fail_here(r, "a number needs a digit behind the point", "");
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        whole = false;
        step(r);
        if (peek(r) == '+' || peek(r) == '-') step(r);
        const char *exponent = r->at;
        skip_digits(r);
        if (r->at == exponent) return fail_here(r, "a number needs a digit in the exponent", "");
    }
    size_t length = (size_t)(r->at - from);
    double number;
    if (!hd_text_to_f64(from, length, &number))
        return fail_at(r, line, column, "this number is too large", "The largest is about 1.8e308");
    HD_TRY(hd_json_make(&r->tree, out, HD_JSON_FLOAT, line, column));
    (*out)->number = number;
    if (whole && hd_text_to_i64(from, length, &(*out)->integer)) (*out)->type = HD_JSON_INT;
    return HD_OK;
}

static hd_status read_word(reader *r, hd_json **out) {
    static const struct {
        const char *word;
        hd_json_type type;
    } words[] = {{"true", HD_JSON_BOOL}, {"false", HD_JSON_BOOL}, {"null", HD_JSON_NULL}};
    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(words[i].word);
        if ((size_t)(r->end - r->at) < n || memcmp(r->at, words[i].word, n) != 0) continue;
        HD_TRY(hd_json_make(&r->tree, out, words[i].type, r->line, r->column));
        (*out)->boolean = i == 0;
        r->at += n;
        r->column += (int)n;
        return HD_OK;
    }
    if (r->at >= r->end) return fail_here(r, "the text ends where a value is expected", "");
    return fail_here(r, "a value is expected here", "Values are \"text\", numbers, true, false, null, […] and {…}");
}

static hd_status read_value(reader *r, hd_json **out, int depth);

static hd_status read_key(reader *r, const char **key, int *line, int *column) {
    *line = r->line;
    *column = r->column;
    if (peek(r) != '"')
        return fail_here(r, peek(r) == '}' ? "a comma stands before this }" : "a key in quotes is expected here", "");
    HD_TRY(read_string(r));
    HD_TRY(hd_json_keep_text(&r->tree, key, r->scratch.data, r->scratch.length, *line, *column));
    skip_blanks(r);
    if (peek(r) != ':') return fail_here(r, "a : is expected behind the key", "");
    step(r);
    return HD_OK;
}

/* At the bracket. */
static hd_status read_children(reader *r, hd_json *parent, int depth) {
    bool object = parent->type == HD_JSON_OBJECT;
    char close = object ? '}' : ']';
    if (depth >= HD_JSON_DEPTH) return fail_here(r, "nested deeper than 64", "");
    step(r);
    skip_blanks(r);
    while (peek(r) != close || parent->count > 0) {
        const char *key = NULL;
        int key_line = 0, key_column = 0;
        if (object) HD_TRY(read_key(r, &key, &key_line, &key_column));
        skip_blanks(r);
        if (!object && peek(r) == ']') return fail_here(r, "a comma stands before this ]", "Remove the comma");
        hd_json *child;
        HD_TRY(read_value(r, &child, depth + 1));
        child->key = key;
        child->key_line = key_line;
        child->key_column = key_column;
        hd_json_append(parent, child);
        skip_blanks(r);
        if (peek(r) == close) break;
        if (r->at >= r->end)
            return fail_at(r, parent->line, parent->column, object ? "this { has no }" : "this [ has no ]", "");
        if (peek(r) != ',') return fail_here(r, object ? "a , or } is expected here" : "a , or ] is expected here", "");
        step(r);
        skip_blanks(r);
    }
    step(r);
    return object ? hd_json_check_keys(&r->tree, parent) : HD_OK;
}

static hd_status read_value(reader *r, hd_json **out, int depth) {
    int line = r->line, column = r->column;
    char c = peek(r);
    if (c == '{' || c == '[') {
        HD_TRY(hd_json_make(&r->tree, out, c == '{' ? HD_JSON_OBJECT : HD_JSON_ARRAY, line, column));
        return read_children(r, *out, depth);
    }
    if (c == '"') {
        HD_TRY(read_string(r));
        HD_TRY(hd_json_make(&r->tree, out, HD_JSON_STRING, line, column));
        (*out)->length = r->scratch.length;
        return hd_json_keep_text(&r->tree, &(*out)->string, r->scratch.data, r->scratch.length, line, column);
    }
    if (c == '-' || (c >= '0' && c <= '9')) return read_number(r, out);
    return read_word(r, out);
}

hd_status hd_json_parse(hd_json **out, hd_arena *arena, const char *where, const char *text, size_t length) {
    reader r = {
        .tree = hd_json_reader_new(arena, where, length), .at = text, .end = text + length, .line = 1, .column = 1};
    hd_json *value = NULL;
    hd_status status;
    *out = NULL;
    r.scratch.ctx = arena->ctx;
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        return fail_here(&r, "the text begins with a byte order mark", "Save the file as UTF-8 without it");
    skip_blanks(&r);
    HD_TRY_TO(end, read_value(&r, &value, 0));
    skip_blanks(&r);
    if (r.at < r.end)
        status = fail_here(&r, "there is something behind the end of the value", "Remove it");
    else
        *out = value;
end:
    hd_text_free(&r.scratch);
    return status;
}
