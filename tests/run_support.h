/* run_support.h: small data and small runs for the tests of training. */
#ifndef HD_TESTS_RUN_SUPPORT_H
#define HD_TESTS_RUN_SUPPORT_H
#include "support.h"

#include "base/rng.h"
#include "hadal/train.h"
#include <math.h>

enum { RUN_SAMPLES = 331, RUN_FEATURES = 4, RUN_CLASSES = 3 };

/* Three overlapping clouds in four dimensions, or a wavy sum of the features as a number. */
typedef struct run_data {
    float x[RUN_SAMPLES * RUN_FEATURES], values[RUN_SAMPLES];
    int64_t labels[RUN_SAMPLES];
} run_data;

static inline void run_data_fill(run_data *d) {
    hd_rng rng = hd_rng_new(5, "run_support");
    for (int i = 0; i < RUN_SAMPLES; i++) {
        double sum = 0;
        d->labels[i] = (int64_t)hd_rng_below(&rng, RUN_CLASSES);
        for (int k = 0; k < RUN_FEATURES; k++) {
            const double v = hd_rng_normal(&rng) + (k == d->labels[i] ? 1.5 : 0);
            d->x[i * RUN_FEATURES + k] = (float)v;
            sum += v;
        }
        d->values[i] = (float)(sin(sum) + 0.5 * sum);
    }
}

static inline hd_dataset *run_classes(hd_context *ctx, const run_data *d) {
    hd_dataset *data;
    const hd_data_arrays a = {.x = d->x,
                              .dtype = HD_F32,
                              .sample = HD_DIMS(RUN_FEATURES),
                              .n = RUN_SAMPLES,
                              .labels = d->labels,
                              .classes = RUN_CLASSES};
    assert_int_equal(hd_data_from_arrays(&data, ctx, &a), HD_OK);
    return data;
}

static inline hd_dataset *run_numbers(hd_context *ctx, const run_data *d) {
    hd_dataset *data;
    const hd_data_arrays a = {.x = d->x,
                              .dtype = HD_F32,
                              .sample = HD_DIMS(RUN_FEATURES),
                              .n = RUN_SAMPLES,
                              .values = d->values,
                              .targets = 1};
    assert_int_equal(hd_data_from_arrays(&data, ctx, &a), HD_OK);
    return data;
}

/* What a run was watched doing. */
typedef struct run_watch {
    int64_t stop_at; /* end the run behind this many steps; 0: never */
    int epochs;
    double val_loss[64];
    int64_t best[64];
    uint64_t calls_first, calls_last; /* of the allocator, behind the first and the last step seen */
    hd_context *ctx;
    void (*at_step)(int64_t step, void *user);
    void *user;
} run_watch;

static inline bool run_progress(void *user, const hd_progress *p) {
    run_watch *w = user;
    const uint64_t calls = w->ctx ? hd_context_memory(w->ctx).calls : 0;
    if (w->calls_first == 0) w->calls_first = calls;
    w->calls_last = calls;
    if (p->epoch_end && w->epochs < 64) {
        w->val_loss[w->epochs] = p->val.loss;
        w->best[w->epochs++] = p->best;
    }
    if (w->at_step && !p->epoch_end) w->at_step(p->total_steps, w->user);
    return w->stop_at > 0 && p->total_steps >= w->stop_at;
}

/* A recipe from JSON text. */
static inline hd_recipe *run_recipe(hd_context *ctx, const char *text) {
    hd_recipe *r;
    if (hd_recipe_parse(&r, ctx, "recipe", text) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    return r;
}
#endif
