/* net_run.h: a network of pictures and class labels, trained for a few steps against a store of its own, then
 * evaluated: for tests that hold ways of compiling the same network against each other. */
#ifndef HD_TESTS_NET_RUN_H
#define HD_TESTS_NET_RUN_H
#include "support.h"

#include "hadal/hadal.h"
#include <math.h>

typedef struct net_run {
    hd_context_args context;
    hd_compile_args args;
    hd_optimizer optimizer;
    hd_dims sample; /* without the batch */
    hd_val (*net)(hd_val x);
    /* made by net_train and net_eval */
    hd_context *ctx;
    hd_graph *g;
    hd_store *store;
    hd_val y;
    hd_program *train, *eval;
} net_run;

#define OK(ctx, call)                                                                                                  \
    do {                                                                                                               \
        if ((call) != HD_OK) fail_msg("%s", hd_last_error(ctx));                                                       \
    } while (0)

/* Some numbers between −1 and 1, and labels in turn. */
static inline void net_data(float *x, int n, int64_t *label, int batch, int classes) {
    for (int i = 0; i < n; i++) x[i] = (float)sin(i * 0.7 + (i % 97) * (i % 31));
    for (int i = 0; i < batch; i++) label[i] = i % classes;
}

/* Input "x" and "label", bound to the arrays; `steps` steps. */
static inline void net_train(net_run *r, const float *x, const int64_t *label, int steps) {
    assert_int_equal(hd_context_new(&r->ctx, &r->context), HD_OK);
    assert_int_equal(hd_graph_new(&r->g, r->ctx), HD_OK);
    assert_int_equal(hd_store_new(&r->store, r->ctx, 1), HD_OK);
    hd_dims dims = {.rank = r->sample.rank + 1, .dim = {HD_BATCH}};
    for (int i = 0; i < r->sample.rank; i++) dims.dim[i + 1] = r->sample.dim[i];
    r->y = r->net(hd_input(r->g, "x", HD_F32, dims));
    const hd_val loss = hd_cross_entropy(r->y, hd_input(r->g, "label", HD_I64, HD_DIMS(HD_BATCH)));
    r->args.store = r->store;
    OK(r->ctx, hd_compile_with(&r->train, hd_train_step(loss, r->optimizer), &r->args));
    OK(r->ctx, hd_program_set(r->train, "x", x));
    OK(r->ctx, hd_program_set(r->train, "label", label));
    for (int i = 0; i < steps; i++) OK(r->ctx, hd_program_run(r->train));
}

/* The network's outputs for `batch` pictures, [batch, outputs]; the run's. */
static inline const float *net_eval(net_run *r, int64_t batch, const float *x) {
    hd_compile_args args = r->args;
    args.batch = batch;
    hd_mark_output(r->y, "y");
    OK(r->ctx, hd_compile_with(&r->eval, hd_forward(r->y), &args));
    OK(r->ctx, hd_program_set(r->eval, "x", x));
    OK(r->ctx, hd_program_run(r->eval));
    assert_int_equal(hd_program_type(r->eval, "y").dtype, HD_F32);
    return hd_program_get(r->eval, "y");
}

static inline void net_close(net_run *r) {
    hd_program_free(r->eval);
    hd_program_free(r->train);
    hd_store_free(r->store);
    hd_graph_free(r->g);
    hd_context_free(r->ctx);
}
#endif
