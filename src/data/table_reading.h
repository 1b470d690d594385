/* table_reading.h: what the files that read one table share while they do. */
#ifndef HD_DATA_TABLE_READING_H
#define HD_DATA_TABLE_READING_H
#include "data/table.h"

enum {
    HD_TABLE_HELD = 3,             /* first lines, kept until the header is understood */
    HD_COLUMNS_MAX = 1 << 18,      /* of a table */
    HD_FEATURE_WORDS_MAX = 1 << 10 /* different words in one feature column */
};

/* The words of one column, and how often each was seen. */
typedef struct hd_word_group {
    hd_words words;
    uint32_t *seen;
    size_t room;
    bool declared; /* by the file (ARFF) or the model: no others are known */
} hd_word_group;

/* What was seen of one column. */
typedef struct hd_column_look {
    uint32_t numbers, words, missing; /* cells */
    int32_t group;                    /* number of its words, -1: none */
    uint32_t first_line;              /* of its first cell */
    bool nominal;                     /* every cell is a word, also those that look like numbers */
    double sum;
} hd_column_look;

typedef struct hd_table_line {
    char *text;
    size_t length;
    int64_t number;
} hd_table_line;

typedef struct hd_reading {
    hd_context *ctx;
    hd_arena *arena;  /* of names: the caller's */
    hd_arena scratch; /* dies with the reading */
    const char *path;
    const hd_table_args *args;
    hd_table *out;
    hd_cells walk;

    hd_table_line held[HD_TABLE_HELD];
    int held_count;
    bool looked;      /* the header is understood */
    bool second_pass; /* numbers are kept now */
    int64_t skip;     /* lines of header, among those that are not blank */
    bool arff, arff_data;
    uint64_t text, file; /* bytes, unpacked and on disk */

    char *quoted; /* a record whose quoted cell runs over several lines, until it closes */
    size_t quoted_used, quoted_room;
    int64_t quoted_line;

    int64_t columns;
    hd_column *column;    /* [columns] of this file */
    hd_column_look *look; /* [columns] */
    size_t column_room, look_room;
    bool named;
    hd_word_group *group;
    size_t groups, group_room;

    size_t used;                   /* columns that are not left out */
    int64_t rows, dropped, filled; /* lines kept and left out, cells filled */
    int64_t row;                   /* of the second pass */
    int64_t hot_low, hot_high;     /* how many columns at the end may be one-hot */
    bool hot_targets;              /* in every line exactly one of the targets is 1, the others 0 */
} hd_reading;

/* table_look.c: from the first lines: separator, header, names; columns with their roles. */
HD_CHECKED hd_status hd_table_look(hd_reading *r);
HD_CHECKED hd_status hd_table_add_column(hd_reading *r, const char *name, size_t length);
/* arff.c: one line in front of @data. */
HD_CHECKED hd_status hd_arff_line(hd_reading *r, int64_t number, const char *line, size_t length);
/* table_columns.c: which column is what. */
HD_CHECKED hd_status hd_table_roles(hd_reading *r);
HD_CHECKED hd_status hd_table_roles_like(hd_reading *r);
/* table_columns.c: after the first pass: what each column became. */
HD_CHECKED hd_status hd_table_settle(hd_reading *r);
/* The words of a column, made when there are none yet. */
HD_CHECKED hd_status hd_table_group(hd_reading *r, int64_t column, hd_word_group **out);
/* " (column NAME)" or "". buffer ≥ 80. */
const char *hd_column_called(const hd_reading *r, int64_t column, char *buffer);
#endif
