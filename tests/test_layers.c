/* test_layers.c: every layer that recipes know, in a small net: its gradients against central differences in f64, a
 * step in bf16 within BF16_SHARE of the same step in f32. A layer is tried with the usual shapes of inputs and its
 * default options; one that needs more has a line in `cases`. */
#include "support.h"

#include "hadal/hadal.h"
#include <math.h>

enum { BATCH = 3, MOST = 1 << 14 };
/* Results and changes of parameters in bf16: so far from f32 at most, as a share of the largest. Two roundings of 2⁻⁹
 * in each product, sums of some dozens of them, and what passes a kink the other way. */
#define BF16_SHARE 0.04

typedef struct layer_case {
    const char *layer, *options; /* JSON */
    hd_dims x;                   /* without the batch; rank 0: the usual ones */
    bool whole;                  /* whole numbers come in */
} layer_case;

static const layer_case cases[] = {
    {.layer = "linear", .options = "{\"out_features\": 5}"},
    {.layer = "conv1d", .options = "{\"out_channels\": 6, \"kernel_size\": 3, \"padding\": \"same\", \"groups\": 2}"},
    {.layer = "conv2d", .options = "{\"out_channels\": 6, \"kernel_size\": 3, \"padding\": 1, \"stride\": 2}"},
    {.layer = "conv3d",
     .options = "{\"out_channels\": 6, \"kernel_size\": 3, \"padding\": 1, \"stride\": [2, 1, 1], \"groups\": 2}"},
    {.layer = "conv_transpose1d",
     .options = "{\"out_channels\": 6, \"kernel_size\": 3, \"stride\": 2, \"output_padding\": 1, \"groups\": 2}"},
    {.layer = "conv_transpose2d",
     .options = "{\"out_channels\": 5, \"kernel_size\": [3, 2], \"stride\": 2, \"padding\": 1, \"output_padding\": 1}"},
    {.layer = "conv_transpose3d",
     .options = "{\"out_channels\": 4, \"kernel_size\": 2, \"stride\": [2, 1, 2], \"padding\": [0, 1, 0], "
                "\"dilation\": [3, 1, 1], \"groups\": 2}",
     .x = {4, {4, 3, 3, 2}}},
    {.layer = "group_norm", .options = "{\"num_groups\": 2}"},
    {.layer = "instance_norm", .options = "{\"affine\": true, \"track_running_stats\": true}", .x = {3, {4, 6, 6}}},
    {.layer = "local_response_norm", .options = "{\"size\": 3, \"alpha\": 0.5}", .x = {3, {4, 3, 3}}},
    {.layer = "embedding", .options = "{\"num_embeddings\": 5, \"embedding_dim\": 3}", .x = {1, {4}}, .whole = true},
    {.layer = "residual", .options = "[{\"linear\": {\"out_features\": 6}}, \"tanh\"]"},
    {.layer = "branches", .options = "[[{\"linear\": {\"out_features\": 4}}], [\"tanh\"]]"},
    {.layer = "layers", .options = "[{\"linear\": {\"out_features\": 4}}, \"tanh\"]"},
    {.layer = "upsample", .options = "{\"mode\": \"bilinear\", \"scale_factor\": 1.5}", .x = {3, {2, 4, 5}}},
    {.layer = "fold", .options = "{\"output_size\": 3}", .x = {2, {4, 4}}},
    {.layer = "channel_shuffle", .options = "{\"groups\": 2}", .x = {2, {4, 3}}},
    {.layer = "unflatten", .options = "{\"unflattened_size\": [2, 3]}"},
    {.layer = "transformer_encoder_layer",
     .options = "{\"nhead\": 2, \"dim_feedforward\": 8, \"activation\": \"gelu\"}",
     .x = {2, {4, 6}}},
    {.layer = "zero_pad2d", .options = "{\"padding\": 1}"},
    {.layer = "constant_pad1d", .options = "{\"padding\": 1, \"value\": 0.5}"},
    {.layer = "constant_pad2d", .options = "{\"padding\": 1, \"value\": 0.5}"},
    {.layer = "reflection_pad1d", .options = "{\"padding\": 1}"},
    {.layer = "reflection_pad2d", .options = "{\"padding\": 1}"},
    {.layer = "replication_pad1d", .options = "{\"padding\": 1}"},
    {.layer = "replication_pad2d", .options = "{\"padding\": 1}"},
    {.layer = "circular_pad1d", .options = "{\"padding\": 1}"},
    {.layer = "circular_pad2d", .options = "{\"padding\": 1}"},
};
/* Rows, sequences and signals, pictures, volumes. */
static const hd_dims usual[] = {{1, {6}}, {2, {4, 6}}, {3, {4, 6, 6}}, {4, {4, 4, 6, 6}}};
static const char *const options_tried[] = {"{}", "{\"hidden_size\": 4}", "{\"num_heads\": 2}", "{\"kernel_size\": 2}"};

/* ---- building ---- */

typedef struct net {
    hd_context *ctx;
    hd_graph *g;
    hd_val x, y, loss;
    hd_dims dims; /* of x, without the batch */
    bool whole;
} net;

static hd_dims batched(hd_dims dims, int64_t batch) {
    for (int i = dims.rank++; i > 0; i--) dims.dim[i] = dims.dim[i - 1];
    dims.dim[0] = batch;
    return dims;
}
static hd_dims without_batch(hd_dims dims) {
    for (int i = 1; i < dims.rank; i++) dims.dim[i - 1] = dims.dim[i];
    dims.rank--;
    return dims;
}

/* Something trained before the layer and behind it, so that gradients must pass. False: it can not be built so. */
static bool build(net *t, const char *layer, const char *options, hd_dims dims, bool whole) {
    char json[512];
    (void)snprintf(json, sizeof json, "[{\"%s\": %s}]", layer, options);
    if (hd_graph_new(&t->g, t->ctx) != HD_OK) fail_msg("%s", hd_last_error(t->ctx));
    t->dims = dims;
    t->whole = whole;
    t->x = hd_input(t->g, "x", whole ? HD_I64 : HD_F32, batched(dims, HD_BATCH));
    hd_val h = t->x;
    if (!whole) h = hd_mul(h, hd_param(t->g, "before", HD_F32, dims, HD_NORMAL(1, 0.3)));
    t->y = hd_nn_layers(h, json);
    if (!hd_val_is_none(t->y) && hd_graph_status(t->g) == HD_OK && hd_val_dims(t->y).rank > 0) {
        const hd_dims out = without_batch(hd_val_dims(t->y));
        t->loss = hd_mean(hd_mul(t->y, hd_param(t->g, "after", HD_F32, out, HD_NORMAL(0, 1))));
        if (hd_graph_status(t->g) == HD_OK) return true;
    }
    hd_graph_free(t->g);
    return false;
}

static net net_of(const char *layer) {
    net t = {.ctx = test_context(1)};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const layer_case *c = &cases[i];
        if (strcmp(c->layer, layer) != 0) continue;
        for (size_t k = 0; k < sizeof usual / sizeof *usual; k++)
            if (build(&t, layer, c->options, c->x.rank ? c->x : usual[k], c->whole)) return t;
        fail_msg("%s: %s", layer, hd_last_error(t.ctx));
    }
    for (size_t o = 0; o < sizeof options_tried / sizeof *options_tried; o++)
        for (size_t k = 0; k < sizeof usual / sizeof *usual; k++)
            if (build(&t, layer, options_tried[o], usual[k], false)) return t;
    fail_msg("%s needs a line in cases: %s", layer, hd_last_error(t.ctx));
    return t;
}

static void done(net *t) {
    hd_graph_free(t->g);
    hd_context_free(t->ctx);
}

/* ---- gradients ---- */

static void every_layer_passes_gradcheck(void **state) {
    (void)state;
    const hd_layer *layer;
    for (int i = 0; (layer = hd_layer_at(i)) != NULL; i++) {
        net t = net_of(layer->name);
        hd_gradcheck r;
        const hd_gradcheck_args args = {.classes = 5};
        if (hd_gradcheck_run(&r, t.loss, &args) != HD_OK) fail_msg("%s: %s", layer->name, hd_last_error(t.ctx));
        for (int32_t k = 0; k < r.count; k++)
            if (!r.tensor[k].ok)
                fail_msg("%s: %s: backward %g, difference %g, %lld compared, %lld kinks", layer->name, r.tensor[k].name,
                         r.tensor[k].backward, r.tensor[k].difference, (long long)r.tensor[k].compared,
                         (long long)r.tensor[k].kinks);
        hd_gradcheck_free(&r);
        done(&t);
    }
}

/* ---- bf16 ---- */

typedef struct outcome {
    float loss, *values; /* what persists after a step of gradient descent */
    int64_t count;
} outcome;

static outcome step(const net *t, const char *precision) {
    outcome o = {.values = malloc(MOST * sizeof(float))};
    hd_store *store;
    hd_program *p;
    assert_non_null(o.values);
    assert_int_equal(hd_store_new(&store, t->ctx, 1), HD_OK);
    const hd_compile_args args = {.batch = BATCH, .precision = precision, .store = store};
    if (hd_compile_with(&p, hd_train_step(t->loss, hd_sgd(.lr = 1)), &args) != HD_OK)
        fail_msg("%s", hd_last_error(t->ctx));
    const hd_dims dims = batched(t->dims, BATCH);
    const int64_t n = hd_dims_count(&dims);
    float *x = malloc((size_t)n * sizeof *x);
    int64_t *whole = malloc((size_t)n * sizeof *whole);
    assert_true(x && whole);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)sin((double)i * 0.7 + (double)((i % 97) * (i % 31))), whole[i] = i % 5;
    assert_int_equal(hd_program_set(p, "x", t->whole ? (const void *)whole : x), HD_OK);
    if (hd_program_run(p) != HD_OK) fail_msg("%s", hd_last_error(t->ctx));
    o.loss = *(const float *)hd_program_get(p, "loss");
    for (int i = 0; i < hd_store_count(store); i++) {
        const hd_store_info info = hd_store_at(store, i);
        const int64_t count = hd_dims_count(&info.dims);
        if (info.dtype != HD_F32 || strstr(info.name, "@flat")) continue;
        assert_true(o.count + count <= MOST);
        assert_int_equal(hd_store_get(store, info.name, o.values + o.count, (size_t)count * sizeof(float)), HD_OK);
        o.count += count;
    }
    free(x), free(whole);
    hd_program_free(p);
    hd_store_free(store);
    return o;
}

static void every_layer_runs_in_bf16_near_f32(void **state) {
    (void)state;
    const hd_layer *layer;
    for (int i = 0; (layer = hd_layer_at(i)) != NULL; i++) {
        net t = net_of(layer->name);
        const outcome a = step(&t, "f32"), b = step(&t, "bf16");
        double largest = fabs((double)a.loss), worst = fabs((double)a.loss - (double)b.loss);
        assert_int_equal(a.count, b.count);
        assert_true(a.count > 0 && isfinite(a.loss));
        for (int64_t k = 0; k < a.count; k++) {
            largest = fmax(largest, fabs((double)a.values[k]));
            worst = fmax(worst, fabs((double)a.values[k] - (double)b.values[k]));
        }
        if (!(worst <= BF16_SHARE * largest))
            fail_msg("%s: bf16 is %g from f32, the largest number is %g", layer->name, worst, largest);
        free(a.values), free(b.values);
        done(&t);
    }
}

/* ---- refusals name the layer, what it expects and what came ---- */

static void layers_refuse_what_does_not_fit(void **state) {
    (void)state;
    static const struct {
        const char *layers, *message;
        hd_dims x;
    } wrong[] = {
        {"[{\"layer_norm\": {\"normalized_shape\": [5]}}]",
         "layer_norm \"layer_norm1\": normalizes [5], its input is [B,4,6]",
         {2, {4, 6}}},
        {"[{\"rms_norm\": {\"normalized_shape\": [4, 6, 1]}}]",
         "normalizes [4,6,1], its input is [B,4,6]",
         {2, {4, 6}}},
        {"[{\"group_norm\": {\"num_groups\": 3}}]", "4 channels can not be divided into 3 groups", {2, {4, 6}}},
        {"[\"instance_norm\"]", "expects an axis of channels, its input is [B]", {0}},
        {"[{\"conv3d\": {\"out_channels\": 2, \"kernel_size\": 2}}]",
         "expects volumes, its input is [B,4,6,6]",
         {3, {4, 6, 6}}},
        {"[{\"conv_transpose2d\": {\"out_channels\": 3, \"kernel_size\": 2, \"groups\": 2}}]",
         "can not be divided into 2 groups",
         {3, {4, 6, 6}}},
        {"[{\"conv_transpose1d\": {\"out_channels\": 2, \"kernel_size\": 2, \"output_padding\": 1}}]",
         "output_padding 1 must be less than stride or dilation",
         {2, {4, 6}}},
        {"[\"dropout2d\"]", "expects channels of signals, pictures or volumes, its input is [B,6]", {1, {6}}},
        {"[{\"alpha_dropout\": {\"p\": 1}}]", "p is 1", {1, {6}}},
        {"[{\"avg_pool2d\": {\"divisor_override\": -3}}]", "divisor_override must be 1 …", {3, {4, 6, 6}}},
        {"[{\"unflatten\": {\"axis\": 4, \"unflattened_size\": [2, 3]}}]", "there is no such axis", {1, {6}}},
        {"[{\"unflatten\": {\"unflattened_size\": [2, 4]}}]", "[B,6] can not become [B,2,4]", {1, {6}}},
        {"[{\"upsample\": {\"mode\": \"bilinear\"}}]", "bilinear is for 2 axes, x has 1", {2, {4, 6}}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        hd_context *ctx = test_context(1);
        hd_graph *g;
        assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
        const hd_val y = hd_nn_layers(hd_input(g, "x", HD_F32, batched(wrong[i].x, HD_BATCH)), wrong[i].layers);
        assert_true(hd_val_is_none(y));
        assert_int_equal(hd_graph_status(g), HD_E_MODEL);
        if (!strstr(hd_last_error(ctx), wrong[i].message))
            fail_msg("%s: \"%s\" does not say \"%s\"", wrong[i].layers, hd_last_error(ctx), wrong[i].message);
        hd_graph_free(g);
        hd_context_free(ctx);
    }
}

static void a_share_below_zero_is_refused(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    for (int i = 0; i < 3; i++) {
        hd_graph *g;
        assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
        const hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 4, 6));
        const hd_val y = i == 0   ? hd_nn_dropout(x, .p = -1)
                         : i == 1 ? hd_nn_feature_dropout(x, .p = -1)
                                  : hd_nn_alpha_dropout(x, .p = -1);
        assert_true(hd_val_is_none(y));
        assert_int_equal(hd_graph_status(g), HD_E_MODEL);
        hd_graph_free(g);
    }
    hd_context_free(ctx);
}

/* Mean 0 and variance 1 until something is learnt: outside training x passes through; a step moves them. */
static void instance_norm_uses_its_running_statistics_outside_training(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_graph *g;
    hd_store *store;
    hd_program *train, *eval;
    const float x[8] = {1, 3, 5, 7, 2, 2, 4, 4};
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    assert_int_equal(hd_store_new(&store, ctx, 1), HD_OK);
    const hd_val in = hd_input(g, "x", HD_F32, HD_DIMS(2, 1, 4));
    const hd_val y = hd_nn_instance_norm(in, .name = "n", .eps = 1e-12, .momentum = 0.5, .affine = true,
                                         .track_running_stats = true);
    const hd_compile_args args = {.store = store};
    hd_mark_output(y, "y");
    if (hd_compile_with(&eval, hd_forward(y), &args) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    if (hd_compile_with(&train, hd_train_step(hd_mean(y), hd_sgd(.lr = 1e-9)), &args) != HD_OK)
        fail_msg("%s", hd_last_error(ctx));
    assert_int_equal(hd_program_set(eval, "x", x), HD_OK);
    assert_int_equal(hd_program_set(train, "x", x), HD_OK);
    assert_int_equal(hd_program_run(eval), HD_OK);
    const float *got = hd_program_get(eval, "y");
    for (int i = 0; i < 8; i++) assert_true(fabsf(got[i] - x[i]) < 1e-6f);
    assert_int_equal(hd_program_run(train), HD_OK);
    float mean, var;
    assert_int_equal(hd_store_get(store, "n.running_mean", &mean, sizeof mean), HD_OK);
    assert_int_equal(hd_store_get(store, "n.running_var", &var, sizeof var), HD_OK);
    assert_true(fabsf(mean - 1.75f) < 1e-6f);                                /* means 4 and 3 */
    assert_true(fabsf(var - (0.5f + 0.25f * (20.f / 3 + 4.f / 3))) < 1e-5f); /* unbiased variances */
    hd_program_free(train);
    hd_program_free(eval);
    hd_store_free(store);
    hd_graph_free(g);
    hd_context_free(ctx);
}

static void frozen_norms_keep_their_running_statistics(void **state) {
    (void)state;
    const float x[8] = {1, 3, 5, 7, 2, 2, 4, 4};
    for (int kind = 0; kind < 2; kind++)
        for (int frozen = 0; frozen < 2; frozen++) {
            hd_context *ctx = test_context(1);
            hd_graph *g;
            hd_program *p;
            float mean;
            assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
            hd_val y = hd_nn_linear(hd_input(g, "x", HD_F32, HD_DIMS(2, 1, 4)), .name = "fc", .out_features = 3);
            y = kind ? hd_nn_instance_norm(y, .name = "n", .affine = true, .track_running_stats = true)
                     : hd_nn_batch_norm(y, .name = "n");
            if (frozen) assert_int_equal(hd_freeze(g, "n.*"), 2);
            if (hd_compile(&p, hd_train_step(hd_mean(hd_mul(y, y)), hd_sgd()), HD_DEVICE_CPU) != HD_OK)
                fail_msg("%s", hd_last_error(ctx));
            assert_int_equal(hd_program_set(p, "x", x), HD_OK);
            assert_int_equal(hd_program_run(p), HD_OK);
            assert_int_equal(hd_store_get(hd_program_store(p), "n.running_mean", &mean, sizeof mean), HD_OK);
            assert_true((mean == 0) == (frozen == 1));
            hd_program_free(p);
            hd_graph_free(g);
            hd_context_free(ctx);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_passes_gradcheck),
        cmocka_unit_test(every_layer_runs_in_bf16_near_f32),
        cmocka_unit_test(layers_refuse_what_does_not_fit),
        cmocka_unit_test(a_share_below_zero_is_refused),
        cmocka_unit_test(frozen_norms_keep_their_running_statistics),
        cmocka_unit_test(instance_norm_uses_its_running_statistics_outside_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
