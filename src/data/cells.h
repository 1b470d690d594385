/* cells.h: one line of a table, taken apart. */
#ifndef HD_DATA_CELLS_H
#define HD_DATA_CELLS_H
#include "base/alloc.h"

/* How the lines of one file are written. */
typedef struct hd_cell_form {
    char separator; /* ' ' stands for any run of blanks and tabs */
    bool arff;      /* quotes are ' or ", a backslash takes the next byte as it is */
    bool plain;     /* no quotes: " is a byte like any other */
    const char *na; /* words that stand for a missing cell beside the usual ones, split by commas; or NULL */
} hd_cell_form;

typedef enum hd_cell_kind { HD_CELL_NUMBER, HD_CELL_WORD, HD_CELL_MISSING } hd_cell_kind;

/* A cell; text points into the line, or into the walk's own memory where quotes were doubled. */
typedef struct hd_cell {
    const char *text;
    size_t length;
} hd_cell;

/* A walk along a line. Zero it, set ctx, then hd_cells_begin; free with hd_cells_free. */
typedef struct hd_cells {
    hd_context *ctx;
    hd_cell_form form;
    const char *at, *end;
    char *plain; /* a quoted cell without its doubled quotes */
    size_t capacity;
    bool failed; /* no memory */
} hd_cells;
void hd_cells_begin(hd_cells *walk, const char *line, size_t length);
/* The next cell, blanks around it and its quotes taken off; false at the end of the line, or without memory. */
bool hd_cells_next(hd_cells *walk, hd_cell *cell);
void hd_cells_free(hd_cells *walk);

/* Does the line end inside a quoted cell (so that the next line belongs to it: RFC 4180)? `inside` says whether it
 * begins in one. */
bool hd_cells_open(const hd_cell_form *form, bool inside, const char *line, size_t length);

/* What a cell is: a finite number that a float can hold, nothing ("", ?, NA, N/A, null, nan, inf and the form's own
 * words), or a word. */
hd_cell_kind hd_cell_look(const hd_cell_form *form, const hd_cell *cell, float *value);

/* A cell as it may stand in a message: printable, at most 40 bytes. buffer ≥ 41. */
const char *hd_cell_shown(char *buffer, const hd_cell *cell);
bool hd_cell_is(const hd_cell *cell, const char *text);
#endif
