/* vector_case.h: a call of PyTorch with its arguments, as a graph of ours is built from it.
 *
 * A call (calls_*.c) reads every argument that it gets by position and name, as PyTorch's signature has them, builds
 * its results out of hd_ functions and hands them over with vector_give. What it can not do it refuses with
 * vector_unsupported; so do the readers, when an argument is missing or has a form that they do not know, and so does
 * the runner, when the case has an argument that nobody read. After a refusal nothing else matters: a call may simply
 * go on (builders of none do nothing). An error of the graph without a refusal is a failure.
 *
 *     static void call_softmax(vector_case *c) {
 *         const hd_val x = vector_tensor(c, 0, "input");
 *         const int axis = vector_axis(c, 1, "dim", hd_val_dims(x).rank, -1);
 *         vector_give(c, hd_softmax(x, .axis = HD_AXIS(axis)));
 *     } */
#ifndef HD_VECTORS_CASE_H
#define HD_VECTORS_CASE_H
#include "hadal/ops.h"
#include "vector_file.h"

enum { VECTOR_MOST = 48 };

/* A tensor argument: an input (or state) of the graph and its data. */
typedef struct vector_input {
    const char *name; /* in the file */
    hd_val val;
    void *data;
} vector_input;

typedef struct vector_case {
    const vector_file *file;
    hd_arena *arena; /* of this case */
    hd_graph *g;
    hd_dtype dtype; /* of floating tensors: f32 or f64 */
    const hd_json *args, *kwargs;
    const hd_json *module;           /* the case of a module */
    uint64_t read_args, read_kwargs; /* bits: somebody looked at it */
    int n_in, n_out;
    vector_input in[VECTOR_MOST];
    hd_val out[VECTOR_MOST];
    char why[240]; /* why it is not supported; "" when it is */
} vector_case;

/* ---- refusing and giving ---- */

void vector_unsupported(vector_case *c, const char *format, ...) HD_PRINTF(2, 3); /* the first refusal stays */
void vector_give(vector_case *c, hd_val result);

/* ---- arguments: positional number i, or the keyword; NULL name: positional only; i −1: keyword only ---- */

const hd_json *vector_arg(vector_case *c, int i, const char *name); /* NULL: absent, or None */
bool vector_has(vector_case *c, int i, const char *name);           /* given and not None */
int vector_count(const vector_case *c);                             /* positional arguments */

/* Numbers; `def` when absent or None. Refused: another type. {"float": "inf"} is a number, a bool is none. */
double vector_number(vector_case *c, int i, const char *name, double def);
/* The same for an option of ours, where 0 would be the default: an explicit zero is HD_ZERO. */
double vector_option(vector_case *c, int i, const char *name, double def);
int64_t vector_int(vector_case *c, int i, const char *name, int64_t def);
bool vector_bool(vector_case *c, int i, const char *name, bool def);
const char *vector_string(vector_case *c, int i, const char *name, const char *def);
hd_dtype vector_dtype(vector_case *c, int i, const char *name, hd_dtype def); /* refused: dtypes that we do not have */
bool vector_is_int(const hd_json *v);
bool vector_is_number(const hd_json *v, double *out); /* numbers and {"float": …} */

/* A number or a list of numbers: how many (0 when absent or None); at most HD_MAX_DIMS·2. With fill > 0 one number or a
 * list of one stands for `fill` of them. */
int vector_ints(vector_case *c, int i, const char *name, int64_t *out, int fill);
/* Positional arguments from i on as numbers, or one list there (x.permute(0, 1) and x.permute([0, 1])). */
int vector_rest_ints(vector_case *c, int i, const char *name, int64_t *out);
/* Dimensions from the same. */
hd_dims vector_dims(vector_case *c, int i, const char *name);

/* An axis 0 … rank−1 (negative ones count from the end; rank 0 has axis 0 in PyTorch). Refused: out of range. */
int vector_axis(vector_case *c, int i, const char *name, int rank, int64_t def);
/* A list of axes; rank 0 of the result: none given. For a scalar always none. */
hd_dims vector_axes(vector_case *c, int i, const char *name, int rank);

/* Is absent, None, or this very value; else refused (bool counts as 0 and 1). */
void vector_only(vector_case *c, int i, const char *name, double value);
/* Read and not minded: it changes nothing of the result. */
void vector_ignore(vector_case *c, int i, const char *name);

/* ---- tensors ---- */

bool vector_is_tensor(const hd_json *v);
hd_val vector_value(vector_case *c, const hd_json *tensor);       /* the input of a tensor, made once */
hd_val vector_tensor(vector_case *c, int i, const char *name);    /* must be given */
hd_val vector_tensor_if(vector_case *c, int i, const char *name); /* none when absent or None */
hd_val vector_state(vector_case *c, int i, const char *name);     /* as a state that persists; none when absent */
int vector_tensors(vector_case *c, int i, const char *name, hd_val *out); /* a list; at most VECTOR_MOST */
/* Parameter "m.NAME" of the layer "m" gets the values of a tensor of the file. Refused: no such parameter, or of
 * another shape. */
void vector_set_parameter(vector_case *c, const char *name, const char *tensor);
/* A tensor or a number; a number is a scalar of `like`'s dtype where PyTorch would compute in it (a float beside whole
 * numbers is of the default dtype). */
hd_val vector_operand(vector_case *c, int i, const char *name, hd_val like);

/* ---- values ---- */

hd_val vector_scalar(vector_case *c, hd_dtype dtype, double value); /* a constant of rank 0 */
hd_val vector_full(vector_case *c, hd_dtype dtype, hd_dims dims, double value);
hd_val vector_const(vector_case *c, hd_dtype dtype, hd_dims dims, const double *x);
bool vector_is_float(hd_val v);
hd_val vector_cast(hd_val v, hd_dtype dtype); /* v itself when it is of that dtype */
/* Both to the dtype that PyTorch's promotion gives them (float over whole over bool; scalars yield to tensors). */
hd_dtype vector_promote(vector_case *c, hd_val *a, hd_val *b);
/* v as at least rank 1, for ops that know no axis of a scalar; a reshape back is the caller's. */
hd_val vector_unscalar(hd_val v);
#endif
