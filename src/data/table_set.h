/* table_set.h: a table, wherever it was read, becomes a data set. */
#ifndef HD_DATA_TABLE_SET_H
#define HD_DATA_TABLE_SET_H
#include "data/table.h"

enum { HD_TARGET_AUTO, HD_TARGET_CLASS, HD_TARGET_NUMBER, HD_TARGET_CATEGORY };

/* Options of everything that is made of rows: text and arrays. */
typedef struct hd_table_options {
    const char *label, *ignore, *features, *na, *y;
    int64_t target, missing, header;
    hd_dims shape;
} hd_table_options;

/* Hands the numbers over to the data set, as one part of it. target: one of HD_TARGET_…; shape: of a row, rank 0: none
 * was said. Errors: HD_E_DATA. */
HD_CHECKED hd_status hd_table_set(hd_dataset *data, hd_table *table, const hd_data_request *request, int64_t target,
                                  const hd_dims *shape);

/* The targets alone: sets the classes or the number of values of the data set, and labels or values of the block. y may
 * move from the table to the data set. *target becomes what was decided. */
HD_CHECKED hd_status hd_table_targets(hd_dataset *data, hd_table *table, const hd_data_request *request,
                                      int64_t *target, hd_data_block *block);
#endif
