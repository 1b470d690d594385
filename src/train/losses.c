/* losses.c: the list of losses, built in and of the program's own: which op builds each, and its value and scores for
 * one sample. */
#include "base/context.h"
#include "train/task.h"
#include <math.h>
#include <string.h>

static double cross_entropy(const float *y, const float *target, int64_t label, int64_t outputs) {
    (void)target;
    double top = (double)y[0], sum = 0;
    for (int64_t k = 1; k < outputs; k++) top = fmax(top, (double)y[k]);
    for (int64_t k = 0; k < outputs; k++) sum += exp((double)y[k] - top);
    return top + log(sum) - (double)y[label];
}

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

static double bce_with_logits(const float *y, const float *target, int64_t label, int64_t outputs) {
    double sum = 0;
    (void)label;
    for (int64_t k = 0; k < outputs; k++) {
        const double x = (double)y[k], t = (double)target[k];
        sum += fmax(x, 0) - x * t + log1p(exp(-fabs(x)));
    }
    return sum / (double)outputs;
}

static void sigmoid(const float *y, float *out, int64_t outputs) {
    for (int64_t k = 0; k < outputs; k++) out[k] = (float)(1 / (1 + exp(-(double)y[k])));
}

static double squares(const float *y, const float *target, int64_t outputs) {
    double sum = 0;
    for (int64_t k = 0; k < outputs; k++) {
        const double e = (double)y[k] - (double)target[k];
        sum += e * e;
    }
    return sum;
}

static double mse(const float *y, const float *target, int64_t label, int64_t outputs) {
    (void)label;
    return squares(y, target, outputs) / (double)outputs;
}

static double half_squared_error(const float *y, const float *target, int64_t label, int64_t outputs) {
    (void)label;
    return squares(y, target, outputs) / 2;
}

#define BUILD(name, args_)                                                                                             \
    static hd_val build_##name(hd_loc at, hd_val x, hd_val target) {                                                   \
        return hd_##name##_at(at, &(args_){.x = x, .target = target});                                                 \
    }
BUILD(cross_entropy, hd_class_loss_args)
BUILD(bce_with_logits, hd_bce_with_logits_args)
BUILD(mse, hd_loss_args)
BUILD(half_squared_error, hd_loss_args)

static const hd_loss_kind all[] = {
    {"cross_entropy", true, true, build_cross_entropy, cross_entropy, softmax},
    {"bce_with_logits", false, true, build_bce_with_logits, bce_with_logits, sigmoid},
    {"mse", false, false, build_mse, mse, NULL},
    {"half_squared_error", false, false, build_half_squared_error, half_squared_error, NULL},
};

const hd_loss_kind *hd_loss_find(const hd_context *ctx, const char *name) {
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(all[i].name, name) == 0) return &all[i];
    for (int32_t i = 0; ctx && i < ctx->own[HD_OWN_LOSS].count; i++) {
        const hd_loss_kind *own = ctx->own[HD_OWN_LOSS].item[i];
        if (strcmp(own->name, name) == 0) return own;
    }
    return NULL;
}

hd_status hd_context_add_loss(hd_context *ctx, const hd_loss_kind *loss) {
    if (!loss || !loss->name || !loss->build || !loss->value)
        return hd_fail(ctx, HD_E_USAGE, "loss|a descriptor needs name, build and value");
    if (hd_loss_find(ctx, loss->name))
        return hd_fail(ctx, HD_E_USAGE, "loss \"%s\"|the name is taken|Choose another name", loss->name);
    return hd_context_own(ctx, HD_OWN_LOSS, loss);
}
