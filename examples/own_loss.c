/* own_loss.c: a loss of one's own, by name in a recipe. A line has to be found among points of which every tenth is
 * far off: the mean squared error runs after those, √(1 + e²) − 1 (Charbonnier et al., 1994) hardly sees them. */
#include "hadal/hadal.h"
#include <math.h>
#include <stdio.h>

enum { POINTS = 400 };

/* In the graph: the mean over the batch. */
static hd_val build_charbonnier(hd_loc at, hd_val y, hd_val target) {
    (void)at;
    hd_val e = hd_sub(y, target);
    return hd_mean(hd_affine(hd_sqrt(hd_affine(hd_mul(e, e), .shift = 1)), .shift = -1));
}

/* The same for one sample, in plain numbers. */
static double charbonnier(const float *y, const float *target, int64_t label, int64_t outputs) {
    double sum = 0;
    (void)label;
    for (int64_t k = 0; k < outputs; k++) sum += hypot(1, (double)y[k] - (double)target[k]) - 1;
    return sum / (double)outputs;
}

static const hd_loss_kind loss = {.name = "charbonnier", .build = build_charbonnier, .value = charbonnier};

/* Where the line y = 2x − 1 is at x = 0, as the trained model sees it. */
static hd_status fit(hd_context *ctx, hd_dataset *data, const char *recipe_text, float *at_zero) {
    hd_recipe *recipe = NULL;
    hd_trainer *trainer = NULL;
    hd_result result;
    const float zero = 0;
    hd_status status = hd_recipe_parse(&recipe, ctx, "own_loss.c", recipe_text);
    if (status == HD_OK)
        status = hd_trainer_new(&trainer, ctx, &(hd_trainer_args){.recipe = recipe, .data = data, .out = ""});
    if (status == HD_OK) status = hd_trainer_run(trainer, &result);
    if (status == HD_OK) status = hd_model_predict(hd_trainer_model(trainer), &zero, 1, at_zero);
    if (status != HD_OK) fprintf(stderr, "%s\n", hd_last_error(ctx));
    hd_trainer_free(trainer);
    hd_recipe_free(recipe);
    return status;
}

#define RECIPE(name)                                                                                                   \
    "{\"model\": [{\"linear\": {\"out_features\": 1}}], \"data\": {\"normalize\": \"none\"}, \"train\": {\"loss\": "   \
    "\"" name "\", \"epochs\": 60, \"optimizer\": {\"name\": \"adam\", \"lr\": 0.02}}}"

int main(void) {
    static float x[POINTS], y[POINTS];
    hd_context *ctx;
    hd_dataset *data = NULL;
    float squared = 0, robust = 0;
    for (int i = 0; i < POINTS; i++) {
        x[i] = (float)(i * 37 % POINTS) / POINTS * 2 - 1;
        y[i] = 2 * x[i] - 1 + (i % 10 == 0 ? 20 : 0);
    }
    if (hd_context_new(&ctx, NULL) != HD_OK) return HD_E_MEMORY;
    hd_status status = hd_context_add_loss(ctx, &loss);
    if (status == HD_OK)
        status = hd_data_from_arrays(
            &data, ctx, &(hd_data_arrays){.x = x, .sample = HD_DIMS(1), .n = POINTS, .values = y, .targets = 1});
    if (status == HD_OK) status = fit(ctx, data, RECIPE("mse"), &squared);
    if (status == HD_OK) status = fit(ctx, data, RECIPE("charbonnier"), &robust);
    printf("y(0) = -1, by squares %.2f, by the loss of one's own %.2f\n", (double)squared, (double)robust);
    if (status == HD_OK && !(fabsf(robust + 1) < 0.25f && squared > 0)) status = HD_E_CHECK;
    hd_data_free(data);
    hd_context_free(ctx);
    return (int)status;
}
