/* test_autoencoder.c: networks that give back what they read: their sizes, the terms of the variational loss against
 * PyTorch's, gradients, runs from training to reconstruction, and what is refused. */
#include "support.h"

#include "base/file.h"
#include "hadal/nn.h"
#include "hadal/train.h"
#include "hadal/zoo.h"
#include <math.h>
#include <stdio.h>

static void assert_near(double value, double expected, double room) {
    if (!(fabs(value - expected) <= room)) fail_msg("%.12g, expected %.12g", value, expected);
}

static hd_recipe *recipe_of(hd_context *ctx, const char *text) {
    hd_recipe *r;
    if (hd_recipe_parse(&r, ctx, "recipe", text) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    return r;
}

static hd_model *model_of(hd_context *ctx, const char *text, const hd_dataset *data) {
    hd_recipe *r = recipe_of(ctx, text);
    hd_data_info info;
    hd_model *m;
    if (data) info = hd_data_get_info(data);
    if (hd_model_new(&m, r, data ? &info : NULL) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    hd_recipe_free(r);
    return m;
}

/* Published: 784-1000-500-250-30 and back; PyTorch's example 784-400-20-400-784. */
static void sizes(void **state) {
    static const struct {
        const char *recipe;
        int64_t params;
    } cases[] = {{"{\"model\": \"autoencoder\"}", 2837314},
                 {"{\"model\": \"vae\"}", 652824},
                 {"{\"model\": {\"name\": \"vae\", \"hidden\": 5, \"code\": 2}}", 8668},
                 {"{\"model\": \"conv-autoencoder\"}", 160 + 4640 + 1568 * 32 + 32 + 32 * 1568 + 1568 + 4624 + 145}};
    (void)state;
    hd_context *ctx = test_context(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hd_model *m = model_of(ctx, cases[i].recipe, NULL);
        hd_model_info info;
        assert_int_equal(hd_model_get_info(m, &info), HD_OK);
        assert_int_equal(info.params, cases[i].params);
        assert_true(info.reconstructs);
        assert_int_equal(info.classes, 0);
        assert_int_equal(info.outputs, 784);
        hd_model_free(m);
    }
    hd_context_free(ctx);
}

/* ---- the terms of the variational loss ---- */

enum { BATCH = 3, SIZE = 6, HIDDEN = 5, CODE = 2 };
#define SMALL_VAE "{\"model\": {\"name\": \"vae\", \"hidden\": 5, \"code\": 2}, \"data\": {\"normalize\": \"none\"}}"

static void fill(hd_store *store, const char *name, int64_t n, int k) {
    float w[HIDDEN * SIZE];
    for (int64_t i = 0; i < n; i++) w[i] = (float)(0.8 * sin(0.37 * (double)i + k));
    assert_int_equal(hd_store_set(store, name, w, (size_t)n * sizeof *w), HD_OK);
}

static hd_dataset *small_data(hd_context *ctx) {
    static float x[BATCH * SIZE];
    static int64_t label[BATCH];
    hd_dataset *data;
    for (int i = 0; i < BATCH * SIZE; i++) x[i] = (float)(0.5 + 0.5 * sin(1.3 * i));
    assert_int_equal(
        hd_data_from_arrays(
            &data, ctx,
            &(hd_data_arrays){
                .x = x, .dtype = HD_F32, .sample = HD_DIMS(SIZE), .n = BATCH, .labels = label, .classes = 2}),
        HD_OK);
    return data;
}

/* The numbers are PyTorch 2.15's, f64, of the same weights and inputs with the code at its mean:
 *   bce = F.binary_cross_entropy_with_logits(y, x, reduction='sum') / B
 *   kl = -0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp()) / B */
static void terms_are_pytorchs(void **state) {
    static const double bce = 6.854233383291457, kl = 1.4350321754648967, mse = 0.23988619232716912;
    static const int64_t all[BATCH] = {0, 1, 2};
    static const struct {
        const char *name;
        int64_t out, in;
    } layers[] = {{"fc1", HIDDEN, SIZE},
                  {"fc21", CODE, HIDDEN},
                  {"fc22", CODE, HIDDEN},
                  {"fc3", HIDDEN, CODE},
                  {"fc4", SIZE, HIDDEN}};
    (void)state;
    hd_context *ctx = test_context(1);
    hd_dataset *data = small_data(ctx);
    hd_model *m = model_of(ctx, SMALL_VAE, data);
    hd_scores scores;
    char name[32];
    assert_int_equal(hd_model_eval(m, data, all, BATCH, &scores, NULL, NULL), HD_OK);
    for (int k = 0; k < 5; k++) {
        (void)snprintf(name, sizeof name, "%s.weight", layers[k].name);
        fill(hd_model_store(m), name, layers[k].out * layers[k].in, k + 1);
        (void)snprintf(name, sizeof name, "%s.bias", layers[k].name);
        fill(hd_model_store(m), name, layers[k].out, k + 11);
    }
    assert_int_equal(hd_model_eval(m, data, all, BATCH, &scores, NULL, NULL), HD_OK);
    assert_near(hd_scores_find(&scores, "reconstruction")->value, bce, 1e-5);
    assert_near(hd_scores_find(&scores, "kl")->value, kl, 1e-6);
    assert_near(hd_scores_find(&scores, "mse")->value, mse, 1e-7);
    assert_near(scores.loss, bce + kl, 1e-5);
    hd_model_free(m);
    hd_data_free(data);
    hd_context_free(ctx);
}

/* What training descends on is the sum of the terms that it logs, at a code that is drawn: other steps, other draws. */
static void training_draws_the_code(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_dataset *data = small_data(ctx);
    hd_model *m = model_of(ctx, SMALL_VAE, data);
    hd_program *p;
    float x[BATCH * SIZE], loss[2], kl[2];
    for (int i = 0; i < BATCH; i++) hd_data_x(data, i, x + i * SIZE);
    assert_int_equal(hd_compile_with(&p, hd_train_step(hd_model_loss(m), hd_sgd(.lr = 1e-9)),
                                     &(hd_compile_args){.batch = BATCH, .store = hd_model_store(m)}),
                     HD_OK);
    for (int step = 0; step < 2; step++) {
        assert_int_equal(hd_program_set(p, "x", x), HD_OK);
        assert_int_equal(hd_program_run(p), HD_OK);
        loss[step] = *(const float *)hd_program_get(p, "loss");
        const float *each = hd_program_get(p, "kl"), *y = hd_program_get(p, "y");
        double sum = 0, terms = 0;
        for (int i = 0; i < BATCH; i++) terms += (double)each[i];
        for (int i = 0; i < BATCH * SIZE; i++) sum += log1p(exp((double)y[i])) - (double)x[i] * (double)y[i];
        assert_near((double)loss[step], (sum + terms) / BATCH, 1e-5);
        kl[step] = each[0];
    }
    assert_true(fabsf(loss[0] - loss[1]) > 1e-4f);
    assert_near((double)kl[0], (double)kl[1], 1e-6);
    hd_program_free(p);
    hd_model_free(m);
    hd_data_free(data);
    hd_context_free(ctx);
}

static void gradients(void **state) {
    static const char *const nets[] = {"{\"name\": \"vae\", \"hidden\": 4, \"code\": 3}",
                                       "{\"name\": \"autoencoder\", \"hidden\": [7, 5], \"code\": 3}",
                                       "{\"name\": \"conv-autoencoder\", \"channels\": 2, \"code\": 3}"};
    static const float pixels[2 * 2 * 8 * 4];
    static const int64_t labels[2];
    (void)state;
    hd_context *ctx = test_context(1);
    hd_dataset *data;
    char text[200];
    assert_int_equal(
        hd_data_from_arrays(
            &data, ctx,
            &(hd_data_arrays){
                .x = pixels, .dtype = HD_F32, .sample = HD_DIMS(2, 8, 4), .n = 2, .labels = labels, .classes = 2}),
        HD_OK);
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        (void)snprintf(text, sizeof text, "{\"model\": %s}", nets[i]);
        hd_model *m = model_of(ctx, text, data);
        hd_gradcheck check;
        if (hd_gradcheck_run(&check, hd_model_loss(m), &(hd_gradcheck_args){0}) != HD_OK)
            fail_msg("%s", hd_last_error(ctx));
        for (int32_t k = 0; k < check.count; k++)
            if (!check.tensor[k].ok || check.tensor[k].compared == 0 || check.tensor[k].difference == 0)
                fail_msg("%s: %s: %g against %g", nets[i], check.tensor[k].name, check.tensor[k].backward,
                         check.tensor[k].difference);
        hd_gradcheck_free(&check);
        hd_model_free(m);
    }
    hd_data_free(data);
    hd_context_free(ctx);
}

/* ---- runs ---- */

/* Digits come as bytes; what is given back lies in their unit, is drawn, and a model that was opened gives the same. */
static void a_run_gives_back_pictures(void **state) {
    (void)state;
    char folder[4200], path[4300];
    static float x[16 * 16], y[16 * 16], again[16 * 16];
    hd_context *ctx = test_context(1);
    hd_recipe *r = recipe_of(
        ctx, "{\"data\": {\"source\": \"digits\", \"n\": 1500}, \"model\": {\"name\": \"vae\", "
             "\"hidden\": 64}, \"train\": {\"epochs\": 6, \"batch_size\": 32, \"optimizer\": {\"lr\": 0.004}}}");
    hd_trainer *t;
    hd_result result;
    hd_model *m;
    char *home = test_folder();
    (void)snprintf(folder, sizeof folder, "%s/vae", home);
    if (hd_trainer_new(&t, ctx, &(hd_trainer_args){.recipe = r, .out = folder}) != HD_OK)
        fail_msg("%s", hd_last_error(ctx));
    if (hd_trainer_run(t, &result) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    const hd_metric *mse = hd_scores_find(&result.test, "mse"), *r2 = hd_scores_find(&result.test, "r2");
    assert_true(mse && mse->value > 0 && mse->value < 0.15);
    assert_true(r2 && r2->value > 0); /* better than the mean picture */
    assert_true(hd_scores_find(&result.test, "kl")->value > 0.1);
    assert_true(fabs(hd_scores_find(&result.train, "kl")->value +
                     hd_scores_find(&result.train, "reconstruction")->value - result.train.loss) < 1e-9);
    assert_true(isnan(result.linear) && isnan(result.majority) && result.confusion == NULL);
    const hd_data_info info = hd_data_get_info(hd_trainer_data(t));
    hd_data_x(hd_trainer_data(t), hd_trainer_split(t)->test[0], x);
    assert_int_equal(hd_model_predict(hd_trainer_model(t), x, 1, y), HD_OK);
    double off = 0;
    for (int i = 0; i < 256; i++) {
        assert_true(y[i] >= info.low && y[i] <= info.high);
        off += pow((double)(x[i] - y[i]) / (double)(info.high - info.low), 2) / 256;
    }
    assert_true(off < 0.3 && off > 0);
    if (hd_model_open(&m, ctx, folder) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    assert_int_equal(hd_model_predict(m, x, 1, again), HD_OK);
    assert_memory_equal(y, again, sizeof y);
    hd_model_free(m);
    (void)snprintf(path, sizeof path, "%s/reconstructions.png", folder);
    char *png;
    size_t length;
    assert_int_equal(hd_file_read(ctx, path, 1 << 20, &png, &length), HD_OK);
    /* IHDR: 12 pictures of 16 pixels three times as large, two rows, gaps of 2. */
    assert_true(length > 24 && memcmp(png + 12, "IHDR", 4) == 0);
    assert_int_equal((unsigned char)png[18] * 256 + (unsigned char)png[19], 12 * 50 + 2);
    assert_int_equal((unsigned char)png[22] * 256 + (unsigned char)png[23], 2 * 50 + 2);
    hd_memory_free(ctx, png);
    test_folder_remove(home);
    hd_trainer_free(t);
    hd_recipe_free(r);
    hd_context_free(ctx);
}

static void fails(hd_context *ctx, const char *recipe, const char *what) {
    hd_recipe *r = recipe_of(ctx, recipe);
    hd_trainer *t;
    assert_int_equal(hd_trainer_new(&t, ctx, &(hd_trainer_args){.recipe = r, .out = ""}), HD_E_MODEL);
    if (!strstr(hd_last_error(ctx), what)) fail_msg("%s, expected %s", hd_last_error(ctx), what);
    hd_recipe_free(r);
}

static void refusals(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    fails(ctx, "{\"data\": {\"source\": \"digits\", \"n\": 100, \"normalize\": \"standard\"}, \"model\": \"vae\"}",
          "bce_with_logits takes targets that are 0 … 1");
    fails(ctx,
          "{\"data\": {\"source\": \"digits\", \"n\": 100}, \"model\": \"256-8-relu-255\", "
          "\"train\": {\"reconstruct\": true}}",
          "the network has 255 outputs, the data have 256 numbers");
    fails(ctx, "{\"data\": {\"source\": \"moons\", \"n\": 100}, \"model\": \"conv-autoencoder\"}",
          "halves pictures twice");
    hd_context_free(ctx);
}

/* A network of one's own, told to give back its input; and one that is meant to, told not to. */
static void any_network_can_be_told_to(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_recipe *r = recipe_of(ctx, "{\"data\": {\"source\": \"digits\", \"n\": 200}, \"model\": \"256-30-tanh-256\", "
                                  "\"train\": {\"epochs\": 1, \"reconstruct\": true}}");
    hd_trainer *t;
    hd_result result;
    if (hd_trainer_new(&t, ctx, &(hd_trainer_args){.recipe = r, .out = ""}) != HD_OK)
        fail_msg("%s", hd_last_error(ctx));
    assert_int_equal(hd_trainer_run(t, &result), HD_OK);
    assert_near(result.test.loss, hd_scores_find(&result.test, "mse")->value, 1e-6);
    hd_trainer_free(t);
    hd_recipe_free(r);
    hd_model *m = model_of(ctx,
                           "{\"model\": {\"name\": \"autoencoder\", \"hidden\": [8]}, \"train\": {\"reconstruct\": "
                           "false}}",
                           NULL);
    assert_string_equal(hd_val_name(hd_graph_find(hd_model_graph(m), "target")), "target");
    hd_model_free(m);
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(terms_are_pytorchs),
        cmocka_unit_test(training_draws_the_code),
        cmocka_unit_test(gradients),
        cmocka_unit_test(a_run_gives_back_pictures),
        cmocka_unit_test(refusals),
        cmocka_unit_test(any_network_can_be_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
