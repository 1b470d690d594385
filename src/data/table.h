/* table.h: tables in text: separated by commas, semicolons, tabs or blanks, or ARFF; plain or .gz, with or without a
 * header; numbers and words. */
#ifndef HD_DATA_TABLE_H
#define HD_DATA_TABLE_H
#include "data/cells.h"
#include "data/source.h"

typedef enum hd_column_role { HD_COLUMN_FEATURE, HD_COLUMN_TARGET, HD_COLUMN_IGNORED } hd_column_role;

/* What a column became. */
typedef struct hd_column {
    const char *name;   /* "" without a header */
    const char **words; /* its words in order; NULL: it holds numbers */
    int32_t word_count;
    int32_t role;
    int64_t at; /* its first feature (a column of words makes word_count of them), or the number of its target */
    float fill; /* stands for a missing cell: a number, or the place of a word; -1 in a column of words: none */
} hd_column;

typedef enum hd_missing { HD_MISSING_REFUSE, HD_MISSING_MEAN, HD_MISSING_ZERO, HD_MISSING_DROP } hd_missing;

/* How the columns of a file become numbers. It travels with the model, so that other files become the same numbers. */
typedef struct hd_schema {
    int64_t columns, features, targets;
    hd_column *column; /* [columns] */
    bool named;        /* the file had a header */
    bool one_hot;      /* the targets are one class: which of them is 1 */
    int64_t missing;   /* hd_missing */
} hd_schema;

typedef enum hd_header { HD_HEADER_AUTO, HD_HEADER_YES, HD_HEADER_NO } hd_header;

typedef struct hd_table_args {
    const char *label;    /* target columns: a name, a number from 1, several split by commas, a range "257-266"; NULL:
                             the last column, or the last ones when they are one-hot */
    const char *ignore;   /* columns to leave out, written in the same way */
    const char *features; /* columns to take, all others are left out */
    const char *na;       /* further words for a missing cell */
    int64_t missing, header;
    bool no_target;        /* every column is a feature */
    bool all_targets;      /* every column is a target */
    bool categories;       /* each distinct value of the target is a class of its own */
    bool target_optional;  /* with `like`: the file may come without the target's column */
    const hd_schema *like; /* columns, words and fills of the file that the model was trained on */
    const char *text;      /* the table itself, instead of the file */
} hd_table_args;

/* x and y are from hd_alloc and the caller's, also after an error; names live in the arena that was given. */
typedef struct hd_table {
    int64_t rows, features, targets;
    float *x;             /* [rows, features] */
    float *y;             /* [rows, targets]: numbers, or places in `words`; NULL: the file has no target */
    unsigned char *holes; /* a bit for every (row, column of the file) that was filled; NULL: none */
    const char **words;   /* the target's words, or NULL when it is numbers */
    int64_t word_count;
    const char **classes; /* class names of a header in scikit-learn's form, or NULL */
    int64_t class_count;
    const char *label; /* the target column's name, or its number */
    hd_schema schema;
} hd_table;

/* Reads twice: once to count and to see what every column holds, once to keep, so that memory is what the numbers need.
 * Errors: HD_E_FILE, and HD_E_DATA with file, line and column for cells that are missing or do not fit their column and
 * rows of another length. */
HD_CHECKED hd_status hd_table_read(hd_table *out, hd_context *ctx, hd_arena *arena, const char *path,
                                   const hd_table_args *args);
void hd_table_free(hd_table *table, hd_context *ctx);

/* The schema as one JSON object, and back (errors: HD_E_MODEL). */
HD_CHECKED hd_status hd_schema_write(const hd_schema *schema, hd_arena *arena, const char **out);
HD_CHECKED hd_status hd_schema_read(hd_schema *out, hd_context *ctx, hd_arena *arena, const hd_json *object);

/* Words, collected: the number of a word, in order of first sight; sorted at the end. */
typedef struct hd_words {
    hd_arena *arena; /* of the words */
    const char **word;
    size_t count, capacity;
    int32_t *slot; /* open addressing, count + 1 or 0 */
    size_t slots;
} hd_words;
enum { HD_WORD_MAX = 255, HD_WORDS_MAX = 1 << 16 };
/* The text has at most HD_WORD_MAX bytes, and there are fewer than HD_WORDS_MAX words. */
HD_CHECKED hd_status hd_words_add(hd_words *words, const char *text, size_t length, int32_t *number);
int32_t hd_words_find(const hd_words *words, const char *text, size_t length); /* -1: not there */
/* Sorts the words, numbers by value before the others; their numbers are their places from now on. */
HD_CHECKED hd_status hd_words_sort(hd_words *words);
void hd_words_free(hd_words *words);
#endif
