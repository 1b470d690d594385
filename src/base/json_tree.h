/* json_tree.h: what the readers of JSON and of YAML share: making values within a limit, placing them, telling where.
 */
#ifndef HD_BASE_JSON_TREE_H
#define HD_BASE_JSON_TREE_H
#include "base/json.h"

enum { HD_JSON_DEPTH = 64 };

typedef struct hd_json_reader {
    hd_arena *arena;
    const char *where; /* the file's name */
    size_t room;       /* bytes the tree may still take: a small text must not become a huge tree */
} hd_json_reader;
hd_json_reader hd_json_reader_new(hd_arena *arena, const char *where, size_t length);

/* A value at a place; *out is untouched on failure. */
HD_CHECKED hd_status hd_json_make(hd_json_reader *r, hd_json **out, hd_json_type type, int line, int column);
/* A copy of text in the arena, refused when it holds a NUL. */
HD_CHECKED hd_status hd_json_keep_text(hd_json_reader *r, const char **out, const char *text, size_t length, int line,
                                       int column);
void hd_json_append(hd_json *parent, hd_json *item);
/* After the last member of an object: no key twice. */
HD_CHECKED hd_status hd_json_check_keys(hd_json_reader *r, const hd_json *object);
#endif
