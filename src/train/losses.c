/* losses.c: the list of losses that a recipe can name, built in and of the program's own: what each takes from the
 * network and from the data, and how its outputs become scores. The losses themselves are ops; loss_options.c fills
 * their options. */
#include "base/context.h"
#include "base/status.h"
#include "train/task.h"
#include <math.h>
#include <string.h>

static void softmax(const float *y, float *out, int64_t outputs) {
    float top = y[0];
    double sum = 0;
    for (int64_t k = 1; k < outputs; k++) top = fmaxf(top, y[k]);
    for (int64_t k = 0; k < outputs; k++) {
        out[k] = expf(y[k] - top);
        sum += (double)out[k];
    }
    for (int64_t k = 0; k < outputs; k++) out[k] = (float)((double)out[k] / sum);
}

static void sigmoid(const float *y, float *out, int64_t outputs) {
    for (int64_t k = 0; k < outputs; k++) out[k] = (float)(1 / (1 + exp(-(double)y[k])));
}

static void exponential(const float *y, float *out, int64_t outputs) {
    for (int64_t k = 0; k < outputs; k++) out[k] = expf(y[k]);
}

static void as_it_is(const float *y, float *out, int64_t outputs) {
    memmove(out, y, (size_t)outputs * sizeof *out);
}

static const hd_loss all[] = {
    {"cross_entropy", HD_TARGET_CLASS, HD_FORM_LOGITS, softmax, NULL},
    {"nll", HD_TARGET_CLASS, HD_FORM_LOG_PROBABILITIES, exponential, NULL},
    {"multi_margin", HD_TARGET_CLASS, HD_FORM_LOGITS, softmax, NULL},
    {"bce_with_logits", HD_TARGET_YES_NO, HD_FORM_LOGITS, sigmoid, NULL},
    {"bce", HD_TARGET_YES_NO, HD_FORM_PROBABILITIES, as_it_is, NULL},
    {"focal", HD_TARGET_YES_NO, HD_FORM_LOGITS, sigmoid, NULL},
    {"dice", HD_TARGET_YES_NO, HD_FORM_PROBABILITIES, as_it_is, NULL},
    {"multilabel_soft_margin", HD_TARGET_YES_NO, HD_FORM_LOGITS, sigmoid, NULL},
    {"hinge", HD_TARGET_SIGN, HD_FORM_LOGITS, sigmoid, NULL},
    {"soft_margin", HD_TARGET_SIGN, HD_FORM_LOGITS, sigmoid, NULL},
    {"kl_div", HD_TARGET_SHARE, HD_FORM_LOG_PROBABILITIES, exponential, NULL},
    {"mse", HD_TARGET_NUMBER, HD_FORM_NUMBERS, as_it_is, NULL},
    {"half_squared_error", HD_TARGET_NUMBER, HD_FORM_NUMBERS, as_it_is, NULL},
    {"l1", HD_TARGET_NUMBER, HD_FORM_NUMBERS, as_it_is, NULL},
    {"smooth_l1", HD_TARGET_NUMBER, HD_FORM_NUMBERS, as_it_is, NULL},
    {"huber", HD_TARGET_NUMBER, HD_FORM_NUMBERS, as_it_is, NULL},
    {"poisson_nll", HD_TARGET_COUNT, HD_FORM_LOGITS, exponential, NULL},
};
enum { LOSSES = sizeof all / sizeof all[0] };

const hd_loss *hd_loss_at(int i) {
    return i >= 0 && i < (int)LOSSES ? &all[i] : NULL;
}

/* What a program's own loss says of itself, in our words. */
static hd_loss own_loss(const hd_loss_kind *own) {
    return (hd_loss){.name = own->name,
                     .target = own->label ? HD_TARGET_CLASS : HD_TARGET_NUMBER,
                     .form = own->logits ? HD_FORM_LOGITS : HD_FORM_NUMBERS,
                     .scores = own->scores ? own->scores : as_it_is,
                     .own = own};
}

hd_loss hd_loss_find(const hd_context *ctx, const char *name) {
    for (int i = 0; i < (int)LOSSES; i++)
        if (strcmp(all[i].name, name) == 0) return all[i];
    for (int32_t i = 0; ctx && i < ctx->own[HD_OWN_LOSS].count; i++) {
        const hd_loss_kind *own = ctx->own[HD_OWN_LOSS].item[i];
        if (strcmp(own->name, name) == 0) return own_loss(own);
    }
    return (hd_loss){0};
}

hd_status hd_context_add_loss(hd_context *ctx, const hd_loss_kind *loss) {
    if (!loss || !loss->name || !loss->build || !loss->value)
        return hd_fail(ctx, HD_E_USAGE, "loss|a descriptor needs name, build and value");
    if (hd_loss_find(ctx, loss->name).name)
        return hd_fail(ctx, HD_E_USAGE, "loss \"%s\"|the name is taken|Choose another name", loss->name);
    return hd_context_own(ctx, HD_OWN_LOSS, loss);
}

bool hd_loss_fits(const hd_loss *loss, bool classes) {
    return classes ? loss->target != HD_TARGET_COUNT : loss->target != HD_TARGET_CLASS;
}

bool hd_loss_bounds(const hd_loss *loss, double value) {
    switch (loss->target) {
    case HD_TARGET_YES_NO: return value >= 0 && value <= 1;
    case HD_TARGET_SIGN: return value == 1 || value == -1;
    case HD_TARGET_SHARE:
    case HD_TARGET_COUNT: return value >= 0;
    default: return true;
    }
}

const char *hd_loss_bounds_text(const hd_loss *loss) {
    switch (loss->target) {
    case HD_TARGET_YES_NO: return "0 … 1";
    case HD_TARGET_SIGN: return "1 or -1";
    default: return "0 or more";
    }
}
