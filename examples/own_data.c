/* own_data.c: data of one's own form: pictures written as lines of characters. A reader says what there is and reads
 * one sample; then recipes know the data by name. The run is watched epoch by epoch and ended when it is good enough.
 */
#include "hadal/hadal.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SIDE = 8, SAMPLES = 600 };

static const char *const shapes[] = {"#......#"
                                     ".#....#."
                                     "..#..#.."
                                     "...##..."
                                     "...##..."
                                     "..#..#.."
                                     ".#....#."
                                     "#......#",

                                     "..####.."
                                     ".#....#."
                                     "#......#"
                                     "#......#"
                                     "#......#"
                                     "#......#"
                                     ".#....#."
                                     "..####.."};
static const char *const names[] = {"cross", "ring"};

/* Sample `index`: one of the shapes, a quarter of its characters wrong; the same at every call. */
static hd_status read_sample(void *user, int64_t index, void *x, int64_t *label, float *values) {
    unsigned char *pixels = x;
    uint32_t random = (uint32_t)index * 2654435761u + *(const uint32_t *)user;
    (void)values; /* these data have classes */
    *label = index % 2;
    for (int i = 0; i < SIDE * SIDE; i++) {
        random = random * 1664525u + 1013904223u;
        const bool ink = shapes[*label][i] == '#', wrong = random >> 30 == 0;
        pixels[i] = ink != wrong ? 255 : 0;
    }
    return HD_OK;
}

/* Called while the run goes on; returning true ends it. */
static bool watch(void *user, const hd_progress *p) {
    const double enough = *(const double *)user;
    const hd_metric *accuracy = hd_scores_find(&p->val, "accuracy");
    if (!p->epoch_end || !accuracy) return false;
    printf("epoch %lld: %.1f %% of the validation part are right\n", (long long)p->epoch, 100 * accuracy->value);
    return accuracy->value >= enough;
}

static hd_status learn(hd_context *ctx, uint32_t *seed, hd_result *result) {
    hd_recipe *recipe = NULL;
    hd_trainer *trainer = NULL;
    double enough = 0.95;
    hd_status status =
        hd_recipe_parse(&recipe, ctx, "own_data.c",
                        "{\"data\": \"drawings\", \"model\": \"64-16-2\", \"train\": {\"epochs\": 50, \"seed\": 1}}");
    if (status == HD_OK)
        status = hd_trainer_new(
            &trainer, ctx,
            &(hd_trainer_args){.recipe = recipe, .out = "", .progress = watch, .user = &enough, .progress_every = 60});
    if (status == HD_OK) status = hd_trainer_run(trainer, result);
    unsigned char ring[SIDE * SIDE];
    float x[SIDE * SIDE], scores[2];
    int64_t label;
    if (status == HD_OK) status = read_sample(seed, SAMPLES * 10 + 1, ring, &label, NULL); /* one it never saw */
    for (int i = 0; i < SIDE * SIDE && status == HD_OK; i++) x[i] = (float)ring[i];
    if (status == HD_OK) status = hd_model_predict(hd_trainer_model(trainer), x, 1, scores);
    if (status == HD_OK)
        printf("ended: %s; a %s is a %s by %.0f %%\n", hd_stop_name(result->stop), names[label],
               names[scores[1] > scores[0]], 100 * (double)fmaxf(scores[0], scores[1]));
    else
        fprintf(stderr, "%s\n", hd_last_error(ctx));
    hd_trainer_free(trainer);
    hd_recipe_free(recipe);
    return status;
}

int main(void) {
    hd_context *ctx;
    hd_result result;
    uint32_t seed = 7;
    const hd_data_reader drawings = {.name = "drawings",
                                     .sample = HD_DIMS(1, SIDE, SIDE),
                                     .stored = HD_U8,
                                     .train = SAMPLES,
                                     .test = SAMPLES / 4,
                                     .classes = 2,
                                     .class_names = names,
                                     .read = read_sample,
                                     .user = &seed};
    if (hd_context_new(&ctx, NULL) != HD_OK) return HD_E_MEMORY;
    hd_status status = hd_context_add_source(ctx, &drawings);
    if (status == HD_OK) status = learn(ctx, &seed, &result);
    if (status == HD_OK && result.stop != HD_STOP_INTERRUPTED) status = HD_E_CHECK; /* it never was good enough */
    hd_context_free(ctx);
    return (int)status;
}
