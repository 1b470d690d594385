/* vector_run.h: one case of any group, run and judged. */
#ifndef HD_VECTORS_RUN_H
#define HD_VECTORS_RUN_H
#include "calls.h"

typedef struct vector_options {
    const char *folder, *backend;
    hd_dtype dtype;
    const char *only; /* a file's name, or NULL */
    bool json, list;
} vector_options;

typedef enum vector_outcome { VECTOR_UNSUPPORTED, VECTOR_FAILED, VECTOR_PASSED } vector_outcome;

/* What became of a case. Plain bytes: it goes through a pipe. */
typedef struct vector_result {
    vector_outcome outcome;
    double worst;   /* largest error, as a share of what was allowed */
    char text[400]; /* why it is not supported, or what failed */
} vector_result;

/* Makes the result a failure, unless it is one already. */
void vector_failed(vector_result *r, const char *format, ...) HD_PRINTF(2, 3);

/* How far a float may be off: `share` of the largest finite expected value. Where all expected values are rounding
 * noise beside `around`, the largest number of the case, the share is of that. */
typedef struct vector_bar {
    double share, around;
} vector_bar;

/* Compares what came with the tensor `name` of the file: dimensions, class of dtype, and every element: whole numbers
 * exactly, floats within the bar, NaN and infinities at their places. */
void vector_compare(const vector_file *file, hd_arena *arena, const char *name, const hd_type *type, const void *got,
                    vector_bar bar, vector_result *r);
/* The largest finite number of a tensor; 0 when there is none. */
double vector_largest(const double *x, int64_t n);

/* The gradients that a case asks for. */
typedef struct vector_wanted {
    int n_out, n_grad, n_after;
    const char *out[VECTOR_MOST];                           /* expected results, in the file */
    const char *seed[VECTOR_MOST];                          /* gradient arriving at result i, or NULL */
    const char *of[VECTOR_MOST];                            /* tensors whose gradients are asked for */
    const char *grad[VECTOR_MOST];                          /* expected; NULL: none */
    const char *state[VECTOR_MOST];                         /* states that are compared after the run … */
    const char *after[VECTOR_MOST];                         /* … with these */
    double out_error[VECTOR_MOST], grad_error[VECTOR_MOST]; /* PyTorch's own in f32, of the largest value */
} vector_wanted;

/* Builds the case by `call`, differentiates, compiles, runs, compares. `case_` has file, arena, dtype, args and kwargs;
 * its graph is made and freed here. */
void vector_run(vector_case *case_, vector_call call, const vector_wanted *wanted, const char *backend,
                vector_result *r);

/* The call of a module of attention, which reads constructor and weights from c->module itself; NULL: another module.
 */
vector_call vector_attention_call(const char *module);
/* Case number i of an open file of each group. */
void vector_run_opinfo(const vector_file *f, const char *name, const hd_json *json, const vector_options *o,
                       hd_arena *arena, vector_result *r);
void vector_run_module(const vector_file *f, const char *name, const hd_json *json, const vector_options *o,
                       hd_arena *arena, vector_result *r);
void vector_run_optim(const vector_file *f, const char *name, const hd_json *json, const vector_options *o,
                      hd_arena *arena, vector_result *r);
void vector_run_schedule(const vector_file *f, const char *name, const hd_json *json, const vector_options *o,
                         hd_arena *arena, vector_result *r);
void vector_run_clip(const vector_file *f, const char *name, const hd_json *json, const vector_options *o,
                     hd_arena *arena, vector_result *r);
#endif
