/* digit_tables.h: what the digit sets that come as text share. */
#ifndef HD_DATA_DIGIT_TABLES_H
#define HD_DATA_DIGIT_TABLES_H
#include "data/table.h"

/* How rows turn into bytes: value v becomes round((v − low) / (high − low) · top). */
typedef struct hd_digit_form {
    int64_t side; /* pictures side × side */
    float low, high, top;
    int64_t first;         /* column of the first pixel (0: the label is behind the pixels) */
    int64_t label_columns; /* 1: the digit as a number; 10: one of ten columns is 1 */
} hd_digit_form;

/* Appends the file's rows as a block of bytes; *count gets their number. Errors: HD_E_DATA for another form. */
HD_CHECKED hd_status hd_digit_table_add(hd_dataset *data, const hd_data_request *request, const char *path,
                                        const hd_digit_form *form, int64_t *count);

/* Looks for the first of the names (NULL-terminated) that is a file: in the folder, or `place` itself when it is a file
 * of such a name. *out is a path in the arena, NULL when there is none. */
HD_CHECKED hd_status hd_file_in(hd_arena *arena, const char *place, const char *const *names, const char **out);
/* Where a request's file is: at its path, else in the data folder (in a folder of the set's name, or beside it), else
 * in `fallback` (may be NULL). */
HD_CHECKED hd_status hd_named_file(const hd_data_request *request, const char *const *names, const char *fallback,
                                   const char **out);
/* Is there such a file? */
bool hd_has_file(const char *place, const char *const *names);
#endif
