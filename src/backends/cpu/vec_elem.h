/* vec_elem.h: what elementwise kernels, chains and broadcasting share. */
#ifndef HD_BACKENDS_CPU_VEC_ELEM_H
#define HD_BACKENDS_CPU_VEC_ELEM_H
#include "backends/cpu/vec.h"

/* State of an elementwise kernel of one primitive. */
typedef struct hd_vec_elem {
    hd_vec_fn fn;
    hd_vec_split split;
    int64_t step[2]; /* 0 for a single number */
    int second;      /* input that is operand b (0 for unary ones, which do not read it) */
    float c[HD_VEC_CONSTANTS];
    hd_layout layout;
    hd_dims dims;
} hd_vec_elem;

extern const char *const hd_vec_op_names[];
/* Number of the primitive, or -1. */
int hd_vec_op_find(const char *name, size_t length);
bool hd_vec_op_heavy(int op);
/* Options that the primitive does not know; NULL: it does. */
const char *hd_vec_op_refuses(int op, const void *attr);
/* The constants of a primitive, from the options of its op. */
void hd_vec_constants(int op, const void *attr, float *c);
/* f(0) = 0, so that padding stays zero. */
bool hd_vec_op_keeps_zero(int op, const float *c);
/* Sets the padding of a blocked layout of elements of so many bytes to zero; slow, for the rare case. */
void hd_vec_zero_padding(void *y, size_t size, const hd_layout *l, const hd_dims *dims);
#endif
