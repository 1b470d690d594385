/* yaml.c: owns the way from YAML to the tree of values: libyaml's events, YAML 1.2's core schema for plain scalars.
 * Anchors, aliases and tags are refused: a recipe is data, and a small text must not become a large tree. */
#include "base/yaml.h"
#include "base/json_tree.h"
#include "base/status.h"
#include <string.h>

static bool looks_like_json(const char *text, size_t length) {
    size_t i = 0;
    while (i < length && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r')) i++;
    return i < length && (text[i] == '{' || text[i] == '[');
}

#ifndef HD_HAVE_YAML

hd_status hd_yaml_parse(hd_json **out, hd_arena *arena, const char *where, const char *text, size_t length) {
    *out = NULL;
    if (looks_like_json(text, length)) return hd_json_parse(out, arena, where, text, length);
    return hd_fail(
        arena->ctx, HD_E_UNSUPPORTED,
        "%s|this build reads JSON only, libyaml was not there when it was built|Write it in JSON, or install "
        "libyaml (Debian: libyaml-dev) and build again",
        where);
}

#else
#include <math.h>
#include <yaml.h>

typedef struct reader {
    hd_json_reader tree;
    yaml_parser_t parser;
} reader;

static int line_of(yaml_mark_t mark) {
    return mark.line < INT32_MAX ? (int)mark.line + 1 : INT32_MAX;
}
static int column_of(yaml_mark_t mark) {
    return mark.column < INT32_MAX ? (int)mark.column + 1 : INT32_MAX;
}

static hd_status fail_at(const reader *r, yaml_mark_t mark, const char *what, const char *fix) {
    return hd_fail(r->tree.arena->ctx, HD_E_MODEL, "%s:%d:%d|%s|%s", r->tree.where, line_of(mark), column_of(mark),
                   what, fix);
}

static hd_status next_event(reader *r, yaml_event_t *event) {
    if (yaml_parser_parse(&r->parser, event)) return HD_OK;
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR) return hd_fail_memory(r->tree.arena->ctx, 0);
    if (p->error == YAML_READER_ERROR)
        return hd_fail(r->tree.arena->ctx, HD_E_MODEL,
                       "%s|byte %zu: %s|Save the file as UTF-8 without control characters", r->tree.where,
                       p->problem_offset, p->problem ? p->problem : "unreadable");
    return hd_fail(r->tree.arena->ctx, HD_E_MODEL, "%s:%d:%d|%s%s%s", r->tree.where, line_of(p->problem_mark),
                   column_of(p->problem_mark), p->problem ? p->problem : "no YAML", p->context ? " " : "",
                   p->context ? p->context : "");
}

static bool is_one_of(const char *text, const char *const *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(text, words[i]) == 0) return true;
    return false;
}

/* 0o17 and 0x1F. */
static bool read_based(const char *s, size_t length, int64_t *out) {
    if (length < 3 || s[0] != '0' || (s[1] != 'o' && s[1] != 'x')) return false;
    int64_t base = s[1] == 'x' ? 16 : 8, value = 0;
    for (size_t i = 2; i < length; i++) {
        int digit = s[i] >= '0' && s[i] <= '9'   ? s[i] - '0'
                    : s[i] >= 'a' && s[i] <= 'f' ? s[i] - 'a' + 10
                    : s[i] >= 'A' && s[i] <= 'F' ? s[i] - 'A' + 10
                                                 : 99;
        if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *out = value;
    return true;
}

/* [-+] digits [. digits] [e [-+] digits], or without digits before the point: YAML 1.2's float. Anything else is a
 * text, however much it looks like a number: 784-10 is a network, 30e a name. */
static bool is_number(const char *s, size_t length) {
    size_t i = s[0] == '-' || s[0] == '+';
    const size_t whole = strspn(s + i, "0123456789");
    i += whole;
    size_t fraction = 0;
    if (s[i] == '.') {
        fraction = strspn(s + i + 1, "0123456789");
        i += 1 + fraction;
    }
    if (whole + fraction == 0) return false;
    if (s[i] == 'e' || s[i] == 'E') {
        i += s[i + 1] == '-' || s[i + 1] == '+' ? 2 : 1;
        const size_t digits = strspn(s + i, "0123456789");
        if (digits == 0) return false;
        i += digits;
    }
    return i == length;
}

static hd_status set_plain(reader *r, hd_json *v, yaml_mark_t mark) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"}, *const trues[] = {"true", "True", "TRUE"},
                             *const falses[] = {"false", "False", "FALSE"}, *const infs[] = {".inf", ".Inf", ".INF"},
                             *const nans[] = {".nan", ".NaN", ".NAN"};
    const char *s = v->string;
    size_t sign = s[0] == '-' || s[0] == '+';
    if (is_one_of(s, nulls, 5)) {
        v->type = HD_JSON_NULL;
    } else if (is_one_of(s, trues, 3) || is_one_of(s, falses, 3)) {
        v->type = HD_JSON_BOOL;
        v->boolean = s[0] == 't' || s[0] == 'T';
    } else if (is_one_of(s + sign, infs, 3) || is_one_of(s, nans, 3)) {
        v->type = HD_JSON_FLOAT;
        v->number = s[sign + 1] != 'i' && s[sign + 1] != 'I' ? (double)NAN
                    : s[0] == '-'                            ? -(double)INFINITY
                                                             : (double)INFINITY;
    } else if (hd_text_to_i64(s, v->length, &v->integer) || read_based(s, v->length, &v->integer)) {
        v->type = HD_JSON_INT;
        v->number = (double)v->integer;
    } else if (is_number(s, v->length)) {
        if (hd_text_to_f64(s, v->length, &v->number))
            v->type = HD_JSON_FLOAT;
        else if (strspn(s, "+-0123456789") == v->length || strpbrk(s, "eE"))
            return fail_at(r, mark, "this number is too large or not well formed", "In quotes it is a text");
    }
    return HD_OK;
}

static hd_status refuse_extras(const reader *r, yaml_mark_t mark, const yaml_char_t *anchor, const yaml_char_t *tag) {
    if (anchor) return fail_at(r, mark, "anchors (&name) are not supported", "Write the value out");
    if (tag) return fail_at(r, mark, "tags (!name) are not supported", "Remove the tag");
    return HD_OK;
}

static hd_status read_scalar(reader *r, const yaml_event_t *e, hd_json **out) {
    yaml_mark_t mark = e->start_mark;
    HD_TRY(refuse_extras(r, mark, e->data.scalar.anchor, e->data.scalar.tag));
    HD_TRY(hd_json_make(&r->tree, out, HD_JSON_STRING, line_of(mark), column_of(mark)));
    (*out)->length = e->data.scalar.length;
    HD_TRY(hd_json_keep_text(&r->tree, &(*out)->string, (const char *)e->data.scalar.value, e->data.scalar.length,
                             line_of(mark), column_of(mark)));
    return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? set_plain(r, *out, mark) : HD_OK;
}

static hd_status read_value(reader *r, yaml_event_t *e, hd_json **out, int depth);

static hd_status read_member(reader *r, const yaml_event_t *e, hd_json *object, int depth) {
    yaml_mark_t mark = e->start_mark;
    if (e->type == YAML_ALIAS_EVENT) return fail_at(r, mark, "aliases (*name) are not supported", "Write the key out");
    if (e->type != YAML_SCALAR_EVENT) return fail_at(r, mark, "a key must be a plain word or text", "");
    HD_TRY(refuse_extras(r, mark, e->data.scalar.anchor, e->data.scalar.tag));
    const char *key;
    HD_TRY(hd_json_keep_text(&r->tree, &key, (const char *)e->data.scalar.value, e->data.scalar.length, line_of(mark),
                             column_of(mark)));
    yaml_event_t next;
    hd_json *child;
    HD_TRY(next_event(r, &next));
    hd_status status = read_value(r, &next, &child, depth);
    yaml_event_delete(&next);
    if (status != HD_OK) return status;
    child->key = key;
    child->key_line = line_of(mark);
    child->key_column = column_of(mark);
    hd_json_append(object, child);
    return HD_OK;
}

static hd_status read_children(reader *r, hd_json *parent, int depth) {
    bool object = parent->type == HD_JSON_OBJECT;
    yaml_event_type_t close = object ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    for (;;) {
        yaml_event_t e;
        hd_json *child;
        HD_TRY(next_event(r, &e));
        bool done = e.type == close;
        hd_status status = HD_OK;
        if (!done) status = object ? read_member(r, &e, parent, depth) : read_value(r, &e, &child, depth);
        yaml_event_delete(&e);
        if (status != HD_OK) return status;
        if (done) return object ? hd_json_check_keys(&r->tree, parent) : HD_OK;
        if (!object) hd_json_append(parent, child);
    }
}

static hd_status read_value(reader *r, yaml_event_t *e, hd_json **out, int depth) {
    yaml_mark_t mark = e->start_mark;
    bool object = e->type == YAML_MAPPING_START_EVENT;
    if (e->type == YAML_ALIAS_EVENT)
        return fail_at(r, mark, "aliases (*name) are not supported", "Write the value out");
    if (e->type == YAML_SCALAR_EVENT) return read_scalar(r, e, out);
    if (!object && e->type != YAML_SEQUENCE_START_EVENT) return fail_at(r, mark, "a value is expected here", "");
    if (object)
        HD_TRY(refuse_extras(r, mark, e->data.mapping_start.anchor, e->data.mapping_start.tag));
    else
        HD_TRY(refuse_extras(r, mark, e->data.sequence_start.anchor, e->data.sequence_start.tag));
    if (depth >= HD_JSON_DEPTH) return fail_at(r, mark, "nested deeper than 64", "");
    HD_TRY(hd_json_make(&r->tree, out, object ? HD_JSON_OBJECT : HD_JSON_ARRAY, line_of(mark), column_of(mark)));
    return read_children(r, *out, depth + 1);
}

/* Stream and document around the one value. */
static hd_status read_stream(reader *r, hd_json **out) {
    for (;;) {
        yaml_event_t e;
        HD_TRY(next_event(r, &e));
        bool end = e.type == YAML_STREAM_END_EVENT;
        hd_status status = HD_OK;
        if (e.type == YAML_DOCUMENT_START_EVENT && *out)
            status = fail_at(r, e.start_mark, "a second document begins here", "Keep one");
        else if (end && !*out)
            status = fail_at(r, e.start_mark, "there is nothing in it", "");
        else if (e.type != YAML_STREAM_START_EVENT && e.type != YAML_DOCUMENT_START_EVENT &&
                 e.type != YAML_DOCUMENT_END_EVENT && !end)
            status = read_value(r, &e, out, 0);
        yaml_event_delete(&e);
        if (status != HD_OK || end) return status;
    }
}

hd_status hd_yaml_parse(hd_json **out, hd_arena *arena, const char *where, const char *text, size_t length) {
    /* JSON first where it looks so: "\ud83d\ude00" is one character there and an error in YAML. */
    if (looks_like_json(text, length)) {
        hd_status status = hd_json_parse(out, arena, where, text, length);
        if (status == HD_OK || status == HD_E_MEMORY) return status;
        hd_error_clear(arena->ctx);
    }
    reader r = {.tree = hd_json_reader_new(arena, where, length)};
    hd_json *value = NULL;
    *out = NULL;
    if (!yaml_parser_initialize(&r.parser)) return hd_fail_memory(arena->ctx, sizeof r.parser);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
    hd_status status = read_stream(&r, &value);
    yaml_parser_delete(&r.parser);
    if (status == HD_OK) *out = value;
    return status;
}
#endif
