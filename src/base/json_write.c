/* json_write.c: owns how values are written down as JSON: escapes, numbers that read back to the same bits, indents. */
#include "base/json_tree.h"
#include "base/utf8.h"
#include <math.h>
#include <string.h>

static void put_string(hd_text *out, const char *text, size_t length) {
    static const char short_from[] = "\"\\\b\f\n\r\t", short_to[] = "\"\\bfnrt";
    hd_text_puts(out, "\"");
    for (size_t i = 0; i < length;) {
        size_t start = i, n = 1;
        while (i < length && text[i] != '"' && text[i] != '\\' && (unsigned char)text[i] >= 0x20 &&
               (n = hd_utf8_length(text + i, length - i)) > 0)
            i += n;
        hd_text_add(out, text + start, i - start);
        if (i >= length) break;
        const char *found = text[i] ? strchr(short_from, text[i]) : NULL;
        if (n == 0)
            hd_text_puts(out, "\xef\xbf\xbd");
        else if (found)
            hd_text_printf(out, "\\%c", short_to[found - short_from]);
        else
            hd_text_printf(out, "\\u%04x", (unsigned char)text[i]);
        i++;
    }
    hd_text_puts(out, "\"");
}

static void put_number(hd_text *out, double value) {
    char buffer[32];
    if (value == 0 && signbit(value)) /* "-0" would read back as the integer 0 */
        hd_text_puts(out, "-0.0");
    else
        hd_text_puts(out, isfinite(value) ? hd_text_from_f64(buffer, value) : "null");
}

static void put_line(hd_text *out, int indent, int depth) {
    hd_text_puts(out, "\n");
    for (int i = 0; i < indent * depth; i++) hd_text_puts(out, " ");
}

static bool all_plain(const hd_json *parent) {
    for (const hd_json *c = parent->child; c; c = c->next)
        if (c->type == HD_JSON_ARRAY || c->type == HD_JSON_OBJECT) return false;
    return true;
}

static void put_value(hd_text *out, const hd_json *value, int indent, int depth);

/* A list of plain values stays on one line however the rest is indented: shapes read better so. */
static void put_children(hd_text *out, const hd_json *parent, int indent, int depth) {
    bool object = parent->type == HD_JSON_OBJECT, lines = indent > 0 && parent->child && (object || !all_plain(parent));
    if (depth > HD_JSON_DEPTH) {
        out->failed = true; /* built by hand, and perhaps a ring */
        return;
    }
    hd_text_puts(out, object ? "{" : "[");
    for (const hd_json *c = parent->child; c; c = c->next) {
        if (c != parent->child) hd_text_puts(out, lines ? "," : ", ");
        if (lines) put_line(out, indent, depth + 1);
        if (object) {
            put_string(out, c->key, strlen(c->key));
            hd_text_puts(out, ": ");
        }
        put_value(out, c, indent, depth + 1);
    }
    if (lines) put_line(out, indent, depth);
    hd_text_puts(out, object ? "}" : "]");
}

static void put_value(hd_text *out, const hd_json *value, int indent, int depth) {
    switch (value->type) {
    case HD_JSON_NULL: hd_text_puts(out, "null"); break;
    case HD_JSON_BOOL: hd_text_puts(out, value->boolean ? "true" : "false"); break;
    case HD_JSON_INT: hd_text_printf(out, "%lld", (long long)value->integer); break;
    case HD_JSON_FLOAT: put_number(out, value->number); break;
    case HD_JSON_STRING: put_string(out, value->string, value->length); break;
    case HD_JSON_ARRAY:
    case HD_JSON_OBJECT: put_children(out, value, indent, depth); break;
    }
}

void hd_json_print(hd_text *out, const hd_json *value, int indent) {
    put_value(out, value, indent, 0);
}

/* ---- streaming ---- */

static void separate(hd_jw *w) {
    if (w->keyed) {
        w->keyed = false;
    } else if (w->depth > 0 && w->depth <= 64) {
        if (w->comma[w->depth - 1]) hd_text_puts(w->out, ", ");
        w->comma[w->depth - 1] = true;
    }
}

void hd_jw_begin(hd_jw *w, char bracket) {
    separate(w);
    if (w->depth >= 64) {
        w->out->failed = true;
    } else {
        w->stack[w->depth] = bracket;
        w->comma[w->depth] = false;
    }
    w->depth++;
    hd_text_add(w->out, &bracket, 1);
}

void hd_jw_end(hd_jw *w) {
    if (w->depth == 0) {
        w->out->failed = true;
        return;
    }
    w->depth--;
    hd_text_puts(w->out, w->depth < 64 && w->stack[w->depth] == '{' ? "}" : "]");
}

void hd_jw_key(hd_jw *w, const char *key) {
    separate(w);
    put_string(w->out, key, strlen(key));
    hd_text_puts(w->out, ": ");
    w->keyed = true;
}

void hd_jw_string(hd_jw *w, const char *text) {
    separate(w);
    if (text)
        put_string(w->out, text, strlen(text));
    else
        hd_text_puts(w->out, "null");
}

void hd_jw_int(hd_jw *w, int64_t value) {
    separate(w);
    hd_text_printf(w->out, "%lld", (long long)value);
}

void hd_jw_number(hd_jw *w, double value) {
    separate(w);
    put_number(w->out, value);
}

void hd_jw_bool(hd_jw *w, bool value) {
    separate(w);
    hd_text_puts(w->out, value ? "true" : "false");
}

void hd_jw_null(hd_jw *w) {
    separate(w);
    hd_text_puts(w->out, "null");
}

void hd_jw_value(hd_jw *w, const hd_json *value) {
    separate(w);
    put_value(w->out, value, 0, 0);
}
