/* split.c: owns which samples are for training, validation and test. What the data set brings wins; the rest is cut off
 * its training part. The lists come out in ascending order, so that reading them walks forward through the file. */
#include "base/rng.h"
#include "base/status.h"
#include "data/dataset.h"
#include <math.h>
#include <string.h>

enum { TRAIN, VAL, TEST, NONE };

typedef struct cutting {
    const hd_dataset *data;
    int64_t pool; /* samples 0 … pool-1 are cut */
    double val, test;
    unsigned char *part; /* [pool] */
    int64_t *order;      /* [pool], grouped */
    hd_rng rng;
} cutting;

static int64_t share(double fraction, int64_t n) {
    return (int64_t)floor(fraction * (double)n + 0.5);
}

/* The first of a shuffled group become test, the next validation. Shares are rounded on the running total, so that
 * every group gets its share within one and the sum is right. */
static void cut_group(cutting *c, int64_t from, int64_t to) {
    int64_t test = share(c->test, to) - share(c->test, from), val = share(c->val, to) - share(c->val, from);
    hd_rng_shuffle(&c->rng, c->order + from, (size_t)(to - from));
    for (int64_t i = from; i < to; i++) {
        int64_t at = i - from;
        c->part[c->order[i]] = (unsigned char)(at < test ? TEST : at < test + val ? VAL : TRAIN);
    }
}

static hd_status cut_by_class(cutting *c) {
    int64_t classes = c->data->info.classes;
    int64_t *start = hd_alloc_n(c->data->ctx, (size_t)classes + 1, sizeof *start);
    if (!start) return HD_E_MEMORY;
    for (int64_t i = 0; i < c->pool; i++) start[hd_data_label(c->data, i) + 1]++;
    for (int64_t k = 0; k < classes; k++) start[k + 1] += start[k];
    for (int64_t i = 0; i < c->pool; i++) c->order[start[hd_data_label(c->data, i)]++] = i;
    for (int64_t k = 0, from = 0; k < classes; from = start[k++]) cut_group(c, from, start[k]);
    hd_free(c->data->ctx, start);
    return HD_OK;
}

/* What shares content with the first sample of the next part belongs to none. */
static void part_clearly(cutting *c) {
    for (int64_t i = 1; i < c->pool; i++) {
        if (c->part[i] == c->part[i - 1]) continue;
        for (int64_t k = 1; k <= c->data->info.overlap && k <= i && c->part[i - k] != c->part[i]; k++)
            c->part[i - k] = NONE;
    }
}

static hd_status cut(cutting *c, const char *mode) {
    if (strcmp(mode, "stratified") == 0) return cut_by_class(c);
    for (int64_t i = 0; i < c->pool; i++) c->order[i] = i;
    if (strcmp(mode, "random") == 0) {
        cut_group(c, 0, c->pool);
        return HD_OK;
    }
    int64_t test = share(c->test, c->pool), val = share(c->val, c->pool);
    for (int64_t i = 0; i < c->pool; i++)
        c->part[i] = (unsigned char)(i >= c->pool - test ? TEST : i >= c->pool - test - val ? VAL : TRAIN);
    part_clearly(c);
    return HD_OK;
}

static hd_status list_part(hd_split *out, const cutting *c, int which, int64_t **list, int64_t *count) {
    const hd_data_info *info = &c->data->info;
    int64_t first = which == VAL ? info->train : info->train + info->val; /* what the data set brings */
    int64_t brought = which == VAL ? info->val : which == TEST ? info->test : 0, n = brought;
    for (int64_t i = 0; i < c->pool; i++) n += c->part[i] == which;
    *list = hd_alloc_n(out->ctx, (size_t)n + 1, sizeof **list);
    if (!*list) return HD_E_MEMORY;
    for (int64_t i = 0; i < c->pool; i++)
        if (c->part[i] == which) (*list)[(*count)++] = i;
    for (int64_t i = 0; i < brought; i++) (*list)[(*count)++] = first + i;
    return HD_OK;
}

static hd_status make(hd_split *out, cutting *c, const char *mode) {
    hd_context *ctx = out->ctx;
    c->part = hd_alloc(ctx, (size_t)c->pool + 1);
    c->order = hd_alloc_n(ctx, (size_t)c->pool + 1, sizeof *c->order);
    hd_status status = c->part && c->order ? cut(c, mode) : HD_E_MEMORY;
    if (status == HD_OK) status = list_part(out, c, TRAIN, &out->train, &out->train_count);
    if (status == HD_OK) status = list_part(out, c, VAL, &out->val, &out->val_count);
    if (status == HD_OK) status = list_part(out, c, TEST, &out->test, &out->test_count);
    hd_free(ctx, c->part);
    hd_free(ctx, c->order);
    return status;
}

hd_status hd_split_make(hd_split *out, const hd_dataset *data, const hd_split_args *args) {
    const hd_data_info *info = &data->info;
    hd_split_args none = {.val = -1, .test = -1}, a = args ? *args : none;
    const char *usual = info->ordered ? "last" : info->classes && !info->positions ? "stratified" : "random";
    const char *mode = a.mode && *a.mode ? a.mode : usual;
    *out = (hd_split){.ctx = data->ctx};
    cutting c = {.data = data, .pool = info->train, .rng = hd_rng_new(a.seed, "split")};
    c.val = info->val ? 0 : a.val < 0 ? 0.1 : a.val;
    c.test = info->test ? 0 : a.test < 0 ? 0.2 : a.test;
    bool known = strcmp(mode, "stratified") == 0 || strcmp(mode, "random") == 0 || strcmp(mode, "last") == 0;
    if (!known) return hd_fail(data->ctx, HD_E_USAGE, "split|expected random, stratified or last, got \"%s\"", mode);
    if ((!info->classes || info->positions) && strcmp(mode, "stratified") == 0)
        return hd_fail(data->ctx, HD_E_USAGE, "split|stratified needs classes, these targets are %s|Use split=random",
                       info->positions ? "labels of positions" : "numbers");
    if (!(c.val >= 0 && c.test >= 0 && c.val + c.test < 1))
        return hd_fail(data->ctx, HD_E_USAGE, "split|expected val + test below 1, got %g + %g", c.val, c.test);
    hd_status status = make(out, &c, mode);
    if (status == HD_OK && out->train_count == 0)
        status = hd_fail(data->ctx, HD_E_DATA,
                         "split|no sample of %lld is left for training|Lower val= or test=", (long long)info->count);
    if (status != HD_OK) hd_split_free(out);
    return status;
}

void hd_split_free(hd_split *split) {
    if (!split) return;
    hd_free(split->ctx, split->train);
    hd_free(split->ctx, split->val);
    hd_free(split->ctx, split->test);
    *split = (hd_split){.ctx = split->ctx};
}
