/* load_and_predict.c: a trained run in a program of your own: open, read a picture, ask. As
 *     example-load_and_predict RUN PICTURE.png
 * it uses a run of yours; without arguments it first trains a small one on drawn digits, in memory and on disk. */
#include "hadal/hadal.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The five lines: everything else here makes something to load. */
static hd_status recognise(hd_context *ctx, const char *run, const char *picture) {
    hd_model *model;
    hd_model_info info;
    hd_status status = hd_model_open(&model, ctx, run);
    if (status != HD_OK) return status;
    status = hd_model_get_info(model, &info);
    float x[4096], score[64];
    if (status == HD_OK && (hd_dims_count(&info.sample) > 4096 || info.outputs > 64)) status = HD_E_UNSUPPORTED;
    if (status == HD_OK) status = hd_picture_read(ctx, picture, &info.picture, x, NULL, 0);
    if (status == HD_OK) status = hd_model_predict(model, x, 1, score);
    int best = 0;
    for (int i = 1; i < info.classes && status == HD_OK; i++)
        if (score[i] > score[best]) best = i;
    if (status == HD_OK) printf("%s: %s, %.1f %% sure\n", picture, info.class_names[best], 100 * (double)score[best]);
    hd_model_free(model);
    return status;
}

/* A run of three epochs on drawn digits, and one of the digits it has not seen as a picture. */
static hd_status make_run(hd_context *ctx, const char *run, const char *picture) {
    hd_recipe *recipe = NULL;
    hd_trainer *trainer = NULL;
    hd_result result;
    hd_status status = hd_recipe_new(&recipe, ctx);
    if (status == HD_OK) status = hd_recipe_set(recipe, "data.source", "digits");
    if (status == HD_OK) status = hd_recipe_set(recipe, "data.n", "3000");
    if (status == HD_OK) status = hd_recipe_set(recipe, "model", "256-64-relu-10");
    if (status == HD_OK) status = hd_recipe_set(recipe, "epochs", "3");
    if (status == HD_OK) status = hd_trainer_new(&trainer, ctx, &(hd_trainer_args){.recipe = recipe, .out = run});
    if (status == HD_OK) status = hd_trainer_run(trainer, &result);
    if (status == HD_OK) {
        hd_dataset *data = hd_trainer_data(trainer);
        unsigned char pixels[256];
        float x[256];
        hd_data_x(data, hd_trainer_split(trainer)->test[0], x);
        for (int i = 0; i < 256; i++) pixels[i] = (unsigned char)x[i];
        printf("the picture is a %lld\n", (long long)hd_data_label(data, hd_trainer_split(trainer)->test[0]));
        status = hd_picture_write(ctx, picture, pixels, 16, 16, 1);
    }
    hd_trainer_free(trainer);
    hd_recipe_free(recipe);
    return status;
}

/* What was made is taken away again. */
static void remove_run(const char *folder) {
    static const char *const names[] = {
        "run/recipe.yaml",      "run/log.jsonl",        "run/results.csv", "run/result.json",
        "run/best.safetensors", "run/last.safetensors", "run/last.state",  "digit.png"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/run", folder);
    rmdir(path);
    rmdir(folder);
}

int main(int argc, char **argv) {
    hd_context *ctx;
    if (hd_context_new(&ctx, NULL) != HD_OK) return HD_E_MEMORY;
    hd_status status = HD_OK;
    if (argc == 3)
        status = recognise(ctx, argv[1], argv[2]);
    else {
        char folder[] = "/tmp/hadal-example-XXXXXX", run[64], picture[64];
        if (!mkdtemp(folder)) return HD_E_FILE;
        snprintf(run, sizeof run, "%s/run", folder);
        snprintf(picture, sizeof picture, "%s/digit.png", folder);
        status = make_run(ctx, run, picture);
        if (status == HD_OK) status = recognise(ctx, run, picture);
        remove_run(folder);
    }
    if (status != HD_OK) fprintf(stderr, "%s\n", hd_last_error(ctx));
    hd_context_free(ctx);
    return status == HD_E_UNSUPPORTED ? 77 : (int)status; /* built without libpng: skipped as a test */
}
