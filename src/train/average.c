/* average.c: evaluating with the moving average of the weights: it changes places with them for as long as that takes.
 * Running statistics are those of the weights themselves. */
#include "base/status.h"
#include "train/trainer.h"
#include <stdio.h>
#include <string.h>

/* The weight that entry i is the average of; false: it is none. */
static bool weight_of(const hd_store_info *e, char name[512], size_t *bytes) {
    const char *at = strstr(e->name, "@ema");
    if (!at || strcmp(at, "@ema") != 0) return false;
    (void)snprintf(name, 512, "%.*s", (int)(at - e->name), e->name);
    *bytes = (size_t)hd_dims_count(&e->dims) * hd_dtype_size(e->dtype);
    return true;
}

hd_status hd_average_new(hd_trainer *t) {
    hd_average *a = &t->average;
    char name[512];
    size_t bytes = 0;
    for (int i = 0; i < hd_store_count(t->model->store); i++) {
        const hd_store_info e = hd_store_at(t->model->store, i);
        if (!weight_of(&e, name, &bytes)) continue;
        a->bytes += bytes;
        if (bytes > a->largest) a->largest = bytes;
    }
    if (a->bytes == 0) return HD_OK;
    a->memory = hd_alloc(t->ctx, a->bytes + a->largest); /* the weights, and room for one average */
    return a->memory ? HD_OK : HD_E_MEMORY;
}

/* One pass over all: weights out to memory and averages in, or the weights back. */
static hd_status pass(hd_trainer *t, bool show) {
    hd_store *store = t->model->store;
    char name[512], *at = t->average.memory, *room = at + t->average.bytes;
    size_t bytes = 0;
    if (!at || t->average.in_place == show) return HD_OK;
    for (int i = 0; i < hd_store_count(store); i++) {
        const hd_store_info e = hd_store_at(store, i);
        if (!weight_of(&e, name, &bytes)) continue;
        if (show) {
            HD_TRY(hd_store_get(store, name, at, bytes));
            HD_TRY(hd_store_get(store, e.name, room, bytes));
            HD_TRY(hd_store_set(store, name, room, bytes));
        } else {
            HD_TRY(hd_store_set(store, name, at, bytes));
        }
        at += bytes;
    }
    t->average.in_place = show;
    return HD_OK;
}

hd_status hd_average_show(hd_trainer *t) {
    return pass(t, true);
}

hd_status hd_average_hide(hd_trainer *t) {
    return pass(t, false);
}

int64_t hd_skipped_steps(const hd_trainer *t) {
    double guard[4] = {0};
    if (!(hd_recipe_number(t->recipe, "train.skip_outliers") > 0)) return 0;
    return hd_store_get(t->model->store, "norm@guard", guard, sizeof guard) == HD_OK ? (int64_t)guard[3] : 0;
}
