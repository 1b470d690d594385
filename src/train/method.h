/* method.h: ways of finding weights other than by steps along a gradient: one descriptor in one file each, one line in
 * methods.def. A method sets the model's weights in its store; scores, checkpoints and reports are the trainer's. */
#ifndef HD_TRAIN_METHOD_H
#define HD_TRAIN_METHOD_H
#include "base/text.h"
#include "train/trainer.h"

typedef struct hd_method {
    const char *name;  /* what train.method calls it */
    const char *help;  /* one line */
    const char *reads; /* keys of the section `train` that it reads beside seed, loss, time: "epochs, l2" */
    /* Is the training part small enough for it to be the usual one? NULL: always. weights: of the network. */
    bool (*suits)(int64_t samples, int64_t features, int64_t weights);
    /* Before the model is made: may settle options of the model in t->recipe. NULL: nothing. */
    hd_status (*settle)(hd_trainer *t);
    /* Finds the weights. Counts what it calls steps in t->state.total_steps; t->stop is HD_STOP_CONVERGED until it says
     * otherwise. */
    hd_status (*fit)(hd_trainer *t);
} hd_method;

const hd_method *hd_method_find(const char *name); /* NULL for gradient, and for unknown names */
/* Names of all ways, the gradient's first, ended by NULL. */
const char *const *hd_method_names(void);
/* Settles train.method in the trainer's recipe, and t->method. */
HD_CHECKED hd_status hd_trainer_choose_method(hd_trainer *t);
/* The whole of a run by a method: fit, score, one line of the log. */
HD_CHECKED hd_status hd_trainer_fit(hd_trainer *t);
/* To be asked now and then by methods: tells progress, true when the run is to end (t->stop says why). */
bool hd_trainer_tick(hd_trainer *t);
/* A line for people about what the method found, and its numbers for programs: members of result.json's "method". */
void hd_method_say(hd_trainer *t, const char *format, ...) HD_PRINTF(2, 3);

/* Number j of a sample as the network will see it, from the stored one and in f64: normalising in f32 first would cost
 * digits where a mean is large. */
double hd_fit_input(const hd_normalizer *normalizer, int64_t j, float stored);
/* The training part as a matrix, normalised as the network will see it, in f64. */
typedef struct hd_fit_data {
    hd_context *ctx;
    int64_t n, d, k; /* samples, features, outputs */
    double *x;       /* [n, d] */
    double *y;       /* [n, k]: numbers, scaled where the model scales them; classes as rows of 0 and 1 */
} hd_fit_data;
HD_CHECKED hd_status hd_fit_data_make(hd_fit_data *out, hd_trainer *t);
size_t hd_fit_data_bytes(int64_t n, int64_t d, int64_t k);
void hd_fit_data_free(hd_fit_data *data);
/* Rows [k, d + 1] of weights with the bias last become fc.weight [k, d] and fc.bias [k] of the model. */
HD_CHECKED hd_status hd_fit_put(hd_trainer *t, const double *rows, int64_t k, int64_t d);
/* A tensor of the model's store, from f64. */
HD_CHECKED hd_status hd_fit_put_tensor(hd_trainer *t, const char *name, const double *from, int64_t n);
#endif
