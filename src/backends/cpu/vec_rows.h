/* vec_rows.h: operands that are repeated over the result in any way, walked row by row: a row is the longest run of the
 * result along which each operand either moves along or stays where it is. Knows no op. */
#ifndef HD_BACKENDS_CPU_VEC_ROWS_H
#define HD_BACKENDS_CPU_VEC_ROWS_H
#include "backends/cpu/vec.h"

enum { HD_ROW_IN = 3 };

typedef struct hd_row_walk {
    int in;                                 /* operands */
    int axes;                               /* that number the rows, the last of them first */
    int64_t size[HD_MAX_DIMS], rows, row;   /* row: elements of each */
    int64_t stride[HD_ROW_IN][HD_MAX_DIMS]; /* elements of an operand from row to row */
    int64_t step[HD_ROW_IN];                /* 1: moves along the row; 0: one element for all of it */
    size_t bytes[HD_ROW_IN], out_bytes;     /* of an element */
    int input[HD_ROW_IN];                   /* which input of the node; -1: `value` */
    double value;                           /* an element of its own, as the operand's dtype has it */
    float c[HD_VEC_CONSTANTS];
    hd_vec_split split; /* of rows, or of the elements of a single one */
    hd_vec_row run;
    hd_vec_fn number[3]; /* instead of run: f32, by mode; see HD_VEC_VV */
} hd_row_walk;

/* Fills in rows, strides and the split; in: which inputs of the node are the operands, in order (-1: the constant). */
void hd_row_walk_of(hd_row_walk *w, const hd_kctx *k, const int *in, int count, int64_t grain);
/* A node of one phase that walks; the state is a hd_row_walk. */
hd_status hd_row_walk_prepare(const hd_row_walk *w, hd_kctx *k, hd_prepared *out);
#endif
