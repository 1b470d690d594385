/* rename.h: maps from the names of tensors in somebody's file to those of a network, and what such a file's pictures
 * were like. A map is a JSON object: {"FROM": "TO", …, "input": {…}}. */
#ifndef HD_TRAIN_RENAME_H
#define HD_TRAIN_RENAME_H
#include "base/alloc.h"
#include "base/json.h"

enum { HD_RENAME_NAME = 512 };

/* `*` in `from` is any text; the k-th `*` of `to` is what the k-th of `from` stood for. to NULL: left out. */
typedef struct hd_rename_rule {
    const char *from, *to;
} hd_rename_rule;

typedef struct hd_rename {
    const char *name; /* for messages; "" when there is no map */
    int32_t count;
    hd_rename_rule *rule;  /* the first that fits counts; names that fit none stay */
    bool bgr;              /* the file's network takes blue before red */
    bool moments;          /* mean or std are said */
    int channels;          /* that they are said of; 0: one number for all */
    float mean[4], std[4]; /* of red, green, blue, in the units of pictures (0 … 255) */
} hd_rename;

/* A map by name (built in), or a file. model: the network's name, by which built-in maps of one name are told apart.
 * Memory of the arena. Errors: HD_E_FILE, HD_E_MODEL "file:line:column: …". */
HD_CHECKED hd_status hd_rename_open(hd_rename *out, hd_arena *arena, const char *map, const char *model);
/* From a text, for maps that are built in. */
HD_CHECKED hd_status hd_rename_parse(hd_rename *out, hd_arena *arena, const char *name, const char *text,
                                     size_t length);
/* The network's name for a file's tensor, in buffer; NULL: left out. */
const char *hd_rename_apply(const hd_rename *map, const char *name, char buffer[HD_RENAME_NAME]);

/* rename_maps.c: maps that are built in. */
typedef struct hd_known_map {
    const char *name, *model; /* model NULL: of any */
    const char *json;
} hd_known_map;
const hd_known_map *hd_known_map_at(int i); /* NULL past the end */
#endif
