/* table.h: tables of numbers in text: separated by commas, semicolons, tabs or blanks, plain or .gz, with or without a
 * header. */
#ifndef HD_DATA_TABLE_H
#define HD_DATA_TABLE_H
#include "data/source.h"

typedef struct hd_table_args {
    const char *label; /* name or number (from 1) of the target column; NULL: the last one */
    bool no_target;    /* every column is a feature */
} hd_table_args;

/* x and y are from hd_alloc and the caller's, also after an error; names live in the arena that was given. */
typedef struct hd_table {
    int64_t rows, features;
    float *x;           /* [rows, features] */
    float *y;           /* [rows] numbers, or places in `words` */
    const char **words; /* the target's words in alphabetical order, or NULL when it is numbers */
    int64_t word_count;
    const char **classes; /* class names of a header in scikit-learn's form, or NULL */
    int64_t class_count;
    int64_t first_line; /* of the data, for messages */
    const char *label;  /* the target column's name, or its number */
} hd_table;

/* Reads twice: once to count, once to keep, so that memory is what the numbers need. Errors: HD_E_FILE, and HD_E_DATA
 * with line and column for cells that are no finite numbers and rows of another length. */
HD_CHECKED hd_status hd_table_read(hd_table *out, hd_context *ctx, hd_arena *arena, const char *path,
                                   const hd_table_args *args);
void hd_table_free(hd_table *table, hd_context *ctx);

/* The next cell of a line from *at; false at its end. Blanks around it and quotes are taken off. */
bool hd_cell_next(const char **at, const char *end, char separator, const char **cell, size_t *length);

/* Names of words, collected: the number of a word, in order of first sight; sorted at the end. */
typedef struct hd_words {
    hd_arena *arena; /* of the words */
    const char **word;
    size_t count, capacity;
    int32_t *slot; /* open addressing, count + 1 or 0 */
    size_t slots;
} hd_words;
HD_CHECKED hd_status hd_words_add(hd_words *words, const char *text, size_t length, int32_t *number);
/* Sorts the words; rank[number] is the place of the word that had that number. Freed by the caller with hd_free. */
HD_CHECKED hd_status hd_words_sort(hd_words *words, int32_t **rank);
void hd_words_free(hd_words *words);
#endif
