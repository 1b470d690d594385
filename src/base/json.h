/* json.h: strict JSON (RFC 8259) in and out. Also the tree that YAML is read into. */
#ifndef HD_BASE_JSON_H
#define HD_BASE_JSON_H
#include "base/alloc.h"
#include "base/text.h"

typedef enum hd_json_type {
    HD_JSON_NULL,
    HD_JSON_BOOL,
    HD_JSON_INT,   /* a number without fraction or exponent that fits int64_t; `number` is set too */
    HD_JSON_FLOAT, /* any other number */
    HD_JSON_STRING,
    HD_JSON_ARRAY,
    HD_JSON_OBJECT
} hd_json_type;

/* A value and its place in the source. Children are a linked list in source order. Lives in the arena of its parse. */
typedef struct hd_json {
    hd_json_type type;
    bool boolean;
    int64_t integer;
    double number;
    const char *string; /* STRING: NUL-terminated UTF-8, no NUL inside; scalars from YAML keep their text too */
    size_t length;
    const char *key;  /* when a member of an object */
    int line, column; /* 1-based, of the value; for members key_line, key_column of the key */
    int key_line, key_column;
    struct hd_json *child, *next;
    struct hd_json *last; /* of the children, so that adding one more costs the same always */
    size_t count;         /* number of children */
} hd_json;

/* Reads one value and nothing after it but white space. Refuses: duplicate keys, depth over 64, numbers that overflow a
 * double, invalid UTF-8, control characters, lone surrogates, trailing commas, and more values than 24 MB + 1.5 × the
 * text can hold. `where` is the file's name for messages.
 * Errors: HD_E_MODEL "where:line:column: …". */
HD_CHECKED hd_status hd_json_parse(hd_json **out, hd_arena *arena, const char *where, const char *text, size_t length);

const hd_json *hd_json_get(const hd_json *object, const char *key); /* NULL when absent or not an object */
/* New values for building a tree (NULL without memory); add returns its child. */
hd_json *hd_json_new(hd_arena *arena, hd_json_type type);
hd_json *hd_json_new_string(hd_arena *arena, const char *text);
hd_json *hd_json_new_number(hd_arena *arena, double number);
hd_json *hd_json_new_int(hd_arena *arena, int64_t integer);
hd_json *hd_json_new_bool(hd_arena *arena, bool boolean);
hd_json *hd_json_add(hd_json *array, hd_json *item);
/* Replaces an old member in place. */
hd_json *hd_json_set(hd_arena *arena, hd_json *object, const char *key, hd_json *value);
hd_json *hd_json_copy(hd_arena *arena, const hd_json *value);
/* Writes the tree. indent 0: one line; else that many blanks a level. Finite doubles round-trip; others become null. */
void hd_json_print(hd_text *out, const hd_json *value, int indent);

/* A streaming writer, commas and quoting done: hd_jw_begin(w, '{'), hd_jw_key(w, "n"), hd_jw_int(w, 3), hd_jw_end(w).
 */
typedef struct hd_jw {
    hd_text *out;
    char stack[64];
    bool comma[64];
    int depth;
    bool keyed;
} hd_jw;
void hd_jw_begin(hd_jw *w, char bracket); /* '{' or '[' */
void hd_jw_end(hd_jw *w);
void hd_jw_key(hd_jw *w, const char *key);
void hd_jw_string(hd_jw *w, const char *text); /* NULL writes null; invalid UTF-8 bytes become U+FFFD */
void hd_jw_int(hd_jw *w, int64_t value);
void hd_jw_number(hd_jw *w, double value);
void hd_jw_bool(hd_jw *w, bool value);
void hd_jw_null(hd_jw *w);
void hd_jw_value(hd_jw *w, const hd_json *value);
#endif
