/* test_nn.c: layers and known networks: names, shapes and numbers of parameters, first values, and refusals with their
 * place. */
#include "support.h"

#include "hadal/program.h"
#include "hadal/zoo.h"
#include <math.h>

static hd_context *ctx;
static hd_graph *graph;

static int set_up(void **state) {
    (void)state;
    ctx = test_context(1);
    return hd_graph_new(&graph, ctx) == HD_OK ? 0 : 1;
}

static int tear_down(void **state) {
    (void)state;
    hd_graph_free(graph);
    hd_context_free(ctx);
    return 0;
}

static hd_val pictures(int64_t c, int64_t h, int64_t w) {
    return hd_input(graph, "x", HD_F32, HD_DIMS(HD_BATCH, c, h, w));
}

static hd_val rows(int64_t n) {
    return hd_input(graph, "x", HD_F32, HD_DIMS(HD_BATCH, n));
}

static void has_param(const char *name, hd_dims dims) {
    char a[192], b[192];
    const hd_val v = hd_graph_find(graph, name);
    if (hd_val_is_none(v)) fail_msg("no parameter %s", name);
    const hd_dims got = hd_val_dims(v);
    if (!hd_dims_equal(&got, &dims)) fail_msg("%s is %s, not %s", name, hd_dims_text(a, &got), hd_dims_text(b, &dims));
}

static void is_built(hd_val y, hd_dims dims) {
    char a[192], b[192];
    if (hd_graph_status(graph) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    const hd_dims got = hd_val_dims(y);
    if (!hd_dims_equal(&got, &dims)) fail_msg("it ends in %s, not %s", hd_dims_text(a, &got), hd_dims_text(b, &dims));
}

static void is_refused(hd_val y, const char *message) {
    assert_true(hd_val_is_none(y));
    assert_int_equal(hd_graph_status(graph), HD_E_MODEL);
    if (!strstr(hd_last_error(ctx), message)) fail_msg("message \"%s\" lacks \"%s\"", hd_last_error(ctx), message);
}

static void test_builders(void **state) {
    (void)state;
    hd_val h = hd_nn_conv2d(pictures(3, 8, 8), .name = "c", .out_channels = 6, .kernel_size = {3, 5}, .groups = 3,
                            .no_bias = true);
    h = hd_nn_batch_norm(h, .name = "bn");
    h = hd_nn_linear(hd_flatten(h), .name = "fc", .out_features = 4);
    is_built(h, HD_DIMS(HD_BATCH, 4));
    has_param("c.weight", HD_DIMS(6, 1, 3, 5));
    assert_true(hd_val_is_none(hd_graph_find(graph, "c.bias")));
    has_param("bn.weight", HD_DIMS(6));
    has_param("bn.running_var", HD_DIMS(6));
    has_param("fc.weight", HD_DIMS(4, 6 * 6 * 4));
    has_param("fc.bias", HD_DIMS(4));
    assert_int_equal(hd_val_kind(hd_graph_find(graph, "bn.running_mean")), HD_KIND_STATE);
}

static void test_names_of_their_own(void **state) {
    (void)state;
    hd_val h = hd_nn_linear(rows(5), .out_features = 4);
    h = hd_nn_linear(h, .out_features = 3);
    is_built(h, HD_DIMS(HD_BATCH, 3));
    has_param("linear1.weight", HD_DIMS(4, 5));
    has_param("linear2.weight", HD_DIMS(3, 4));
}

static void test_builders_refuse(void **state) {
    (void)state;
    is_refused(hd_nn_linear(rows(5), .name = "fc"), "linear \"fc\": out_features is 0");
}

static void test_conv_refuses_rows(void **state) {
    (void)state;
    is_refused(hd_nn_conv2d(rows(5), .name = "c", .out_channels = 2, .kernel_size = {3, 3}),
               "conv2d \"c\": expects pictures, its input is [B,5]");
}

static void test_conv_refuses_groups(void **state) {
    (void)state;
    is_refused(hd_nn_conv2d(pictures(3, 8, 8), .name = "c", .out_channels = 4, .kernel_size = {3, 3}, .groups = 2),
               "can not be divided into 2 groups");
}

static void test_bad_name(void **state) {
    (void)state;
    is_refused(hd_nn_linear(rows(5), .name = "a b", .out_features = 2), "its name can not be used");
}

static void test_list(void **state) {
    (void)state;
    const hd_val y =
        hd_nn_layers(pictures(1, 8, 8),
                     "[{\"conv2d\": {\"out_channels\": 4, \"kernel_size\": 3, \"padding\": 1}}, \"batch_norm\", "
                     "\"relu\", {\"max_pool2d\": {\"kernel_size\": 2}}, {\"dropout\": {\"p\": 0.25}}, "
                     "{\"residual\": [{\"conv2d\": {\"out_channels\": 4, \"kernel_size\": [3, 3], \"padding\": 1, "
                     "\"name\": \"deep\"}}, \"relu\"]}, \"global_avg_pool\", \"flatten\", "
                     "{\"linear\": {\"out_features\": 10, \"bias\": false}}, \"log_softmax\"]");
    is_built(y, HD_DIMS(HD_BATCH, 10));
    has_param("conv2d1.weight", HD_DIMS(4, 1, 3, 3));
    has_param("batch_norm1.running_mean", HD_DIMS(4));
    has_param("deep.weight", HD_DIMS(4, 4, 3, 3));
    has_param("linear1.weight", HD_DIMS(10, 4));
    assert_true(hd_val_is_none(hd_graph_find(graph, "linear1.bias")));
    assert_int_equal(hd_graph_param_count(graph), 4 * 9 + 4 + 8 + 4 * 4 * 9 + 4 + 40);
}

static void test_branches_and_repeat(void **state) {
    (void)state;
    const hd_val y = hd_nn_layers(
        pictures(2, 6, 6), "[{\"branches\": [[{\"conv2d\": {\"out_channels\": 3, \"kernel_size\": 1}}], [\"relu\"]]},"
                           " {\"branches\": [[\"relu\"], [\"tanh\"]], \"merge\": \"add\"},"
                           " {\"repeat\": 2, \"layers\": [{\"conv2d\": {\"out_channels\": 5, \"kernel_size\": 3, "
                           "\"padding\": 1}}, \"relu\"]},"
                           " \"flatten\", {\"linear\": {\"name\": \"head\", \"out_features\": 180}, \"repeat\": 2}]");
    is_built(y, HD_DIMS(HD_BATCH, 180));
    has_param("conv2d2.weight", HD_DIMS(5, 5, 3, 3));
    has_param("conv2d3.weight", HD_DIMS(5, 5, 3, 3));
    has_param("head.1.weight", HD_DIMS(180, 180));
    has_param("head.2.weight", HD_DIMS(180, 180));
}

/* Each refusal needs a graph of its own: the first one sticks. */
static void refuses_list(const char *json, const char *message) {
    hd_graph_free(graph);
    assert_int_equal(hd_graph_new(&graph, ctx), HD_OK);
    is_refused(hd_nn_layers(pictures(1, 8, 8), json), message);
}

static void test_list_refusals(void **state) {
    (void)state;
    refuses_list("[\"rellu\"]", "layers:1:2: unknown layer \"rellu\". Did you mean relu?");
    refuses_list("[\"relu\",\n {\"conv2d\": {\"kernal_size\": 3}}]",
                 "layers:2:14: conv2d \"conv2d1\" has no option \"kernal_size\". Did you mean kernel_size?");
    refuses_list("[{\"conv2d\": {\"out_channels\": \"3\"}}]",
                 "layers:1:30: conv2d \"conv2d1\": out_channels takes a whole "
                 "number, this is a text");
    refuses_list("[{\"conv2d\": {\"out_channels\": 3, \"kernel_size\": [3]}}]",
                 "takes one number or a list of 2, this list has 1");
    refuses_list("[{\"conv2d\": {\"out_channels\": 0}}]", "out_channels must be 1 … 1000000000, this is 0");
    refuses_list("[{\"dropout\": {\"p\": 1.5}}]", "p must be 0 … 1, this is 1.5");
    refuses_list("[{\"linear\": {\"out_features\": 2, \"bias\": 1}}]", "bias takes true or false");
    refuses_list("[{\"linear\": {\"out_features\": 2}}]",
                 "linear \"linear1\": expects rows of numbers, its input is pictures");
    refuses_list("[{\"relu\": {\"p\": 1}}]", "relu \"relu1\" has no option \"p\". It takes none");
    refuses_list("[{\"relu\": 1}]", "takes its options by name");
    refuses_list("[{\"relu\": {}, \"tanh\": {}}]", "a second layer in one item \"tanh\"");
    refuses_list("[{\"repeat\": 3}]", "an item without a layer");
    refuses_list("[{\"relu\": {}, \"repeat\": 0}]", "repeat takes a whole number");
    refuses_list("[{\"relu\": {}, \"merge\": \"add\"}]", "merge belongs to branches");
    refuses_list("[{\"branches\": [[\"relu\"]]}]", "branches takes 2 … 64 lists");
    refuses_list("[{\"branches\": [[\"relu\"], [\"relu\"]], \"merge\": \"mul\"}]", "neither concat nor add");
    refuses_list("[{\"residual\": [{\"conv2d\": {\"out_channels\": 3, \"kernel_size\": 3}}]}]",
                 "residual: its layers make [B,3,6,6] of [B,1,8,8]");
    refuses_list("[{\"residual\": \"relu\"}]", "expected a list of layers");
    refuses_list("[3]", "an item of a model is a layer's name");
    refuses_list("{\"relu\": {}}", "expected a list of layers");
    refuses_list("[\"relu\"", "layers:1:");
    refuses_list("[{\"max_pool2d\": {\"kernel_size\": 9}}]", "layers:1:3: max_pool2d");
    refuses_list(
        "[{\"conv2d\": {\"out_channels\": 2, \"kernel_size\": 1, \"name\": \"a\"}}, {\"conv2d\": {\"out_channels\": 2, "
        "\"kernel_size\": 1, \"name\": \"a\"}}]",
        "\"a.weight\"");
    refuses_list("[{\"repeat\": 1000, \"layers\": [{\"repeat\": 1000, \"layers\": [\"relu\"]}]}]",
                 "more than 4,000 layers");
}

static void test_lenet5(void **state) {
    (void)state;
    is_built(hd_zoo_build(pictures(1, 28, 28), "lenet5", 10, NULL), HD_DIMS(HD_BATCH, 10));
    assert_int_equal(hd_graph_param_count(graph), 61706);
    has_param("c3.weight", HD_DIMS(16, 6, 5, 5));
    has_param("out.bias", HD_DIMS(10));
}

static void test_cnn_small(void **state) {
    (void)state;
    is_built(hd_zoo_build(pictures(1, 28, 28), "cnn-small", 10, NULL), HD_DIMS(HD_BATCH, 10));
    assert_int_equal(hd_graph_param_count(graph), 320 + 9248 + 32 * 14 * 14 * 128 + 128 + 1290);
}

static void test_mlp(void **state) {
    (void)state;
    is_built(
        hd_zoo_build(pictures(1, 8, 8), "mlp", 3, "{\"hidden\": [20, 10], \"activation\": \"tanh\", \"dropout\": 0.1}"),
        HD_DIMS(HD_BATCH, 3));
    assert_int_equal(hd_graph_param_count(graph), 65 * 20 + 21 * 10 + 11 * 3);
    has_param("fc3.weight", HD_DIMS(3, 10));
}

static void test_unknown_network(void **state) {
    (void)state;
    is_refused(hd_zoo_build(rows(4), "lenet", 2, NULL), "unknown model \"lenet\". Did you mean lenet5?");
}

static void test_network_option(void **state) {
    (void)state;
    is_refused(hd_zoo_build(rows(4), "mlp", 2, "{\"hiden\": 3}"), "mlp has no option \"hiden\". Did you mean hidden?");
}

static void test_line(void **state) {
    (void)state;
    is_built(hd_line_build(pictures(1, 28, 28), "784-200-relu-30-10"), HD_DIMS(HD_BATCH, 10));
    has_param("fc1.weight", HD_DIMS(200, 784));
    has_param("fc3.bias", HD_DIMS(10));
    hd_line_info info;
    assert_true(hd_line_read("2-2-sigmoid-1-sigmoid", &info));
    assert_true(info.inputs == 2 && info.outputs == 1 && info.activated);
    assert_true(hd_line_read("784-10", &info) && !info.activated && info.outputs == 10);
    assert_true(hd_line_read("8-6-glu", &info) && info.activated && info.outputs == 3); /* it halves */
    static const char *const wrong[] = {
        "",      "mlp",         "784",     "784-",          "784-relu", "-784-10",       "784--10",
        "784-0", "784-relu7-1", "784-10-", "99999999999-1", "1-1 ",     "runs/mnist-001"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (hd_line_read(wrong[i], NULL)) fail_msg("\"%s\" is no network", wrong[i]);
}

/* Every activation stands in a line by its name, glu halving what comes; prelu brings a slope for each place. */
static void test_activations(void **state) {
    (void)state;
    const hd_layer *layer;
    int n = 0;
    for (int i = 0; (layer = hd_layer_at(i)); i++) {
        char text[64];
        if (!layer->activation) continue;
        (void)snprintf(text, sizeof text, "8-6-%s-6-%s-2", layer->name, layer->name);
        hd_graph_free(graph);
        assert_int_equal(hd_graph_new(&graph, ctx), HD_OK);
        is_built(hd_line_build(rows(8), text), HD_DIMS(HD_BATCH, 2));
        has_param("fc2.weight", HD_DIMS(6, strcmp(layer->name, "glu") == 0 ? 3 : 6));
        if (strcmp(layer->name, "prelu") == 0) has_param("prelu2.weight", HD_DIMS(1));
        n++;
    }
    assert_true(n >= 26);
}

static void test_activation_options(void **state) {
    (void)state;
    const hd_val y = hd_nn_layers(
        pictures(3, 4, 4), "[{\"leaky_relu\": {\"negative_slope\": 0}}, {\"gelu\": {\"approximate\": \"tanh\"}}, "
                           "{\"prelu\": {\"num_parameters\": 3, \"init\": 0}}, {\"softplus\": {\"beta\": 2}}, "
                           "{\"hardtanh\": {\"min_val\": 0}}, {\"glu\": {\"axis\": 2}}]");
    is_built(y, HD_DIMS(HD_BATCH, 3, 2, 4));
    has_param("prelu1.weight", HD_DIMS(3));
    char *text;
    assert_int_equal(hd_graph_print(graph, &text), HD_OK);
    assert_non_null(strstr(text, "negative_slope=-0"));
    assert_non_null(strstr(text, "approximate=tanh"));
    assert_non_null(strstr(text, "beta=2"));
    assert_non_null(strstr(text, "min_val=-0"));
    hd_memory_free(ctx, text);
    hd_graph_free(graph);
    assert_int_equal(hd_graph_new(&graph, ctx), HD_OK);
    is_refused(hd_nn_prelu(pictures(3, 4, 4), .num_parameters = 2), "3 channels");
}

static void refuses_line(const char *text, const char *message) {
    hd_graph_free(graph);
    assert_int_equal(hd_graph_new(&graph, ctx), HD_OK);
    is_refused(hd_line_build(pictures(1, 28, 28), text), message);
}

static void test_line_refusals(void **state) {
    (void)state;
    refuses_line("784-200-rellu-10", "unknown activation \"rellu\" at character 9. Did you mean relu?");
    refuses_line("64-10", "the data have 784 numbers a sample, not 64 at character 1. Begin with 784");
    refuses_line("784-relu", "there is no layer");
    refuses_line("784-10-", "ends in \"-\"");
    refuses_line("784-0", "not a width \"0\"");
}

/* PyTorch's bounds, and values that use the whole range; the same for the same name and seed. */
static void test_first_values(void **state) {
    (void)state;
    static float w[50 * 100], again[50 * 100], bias[50];
    hd_program *p;
    hd_store *store;
    const hd_val y = hd_nn_linear(rows(100), .name = "fc", .out_features = 50);
    for (uint64_t seed = 7; seed < 9; seed++) {
        assert_int_equal(hd_store_new(&store, ctx, seed), HD_OK);
        assert_int_equal(hd_compile_with(&p, hd_forward(y), &(hd_compile_args){.store = store}), HD_OK);
        assert_int_equal(hd_store_get(store, "fc.weight", seed == 7 ? w : again, sizeof w), HD_OK);
        assert_int_equal(hd_store_get(store, "fc.bias", bias, sizeof bias), HD_OK);
        hd_program_free(p);
        hd_store_free(store);
    }
    double low = 1, high = -1, sum = 0;
    for (int i = 0; i < 5000; i++) {
        low = fmin(low, (double)w[i]);
        high = fmax(high, (double)w[i]);
        sum += (double)w[i];
    }
    assert_true(low >= -0.1 && low < -0.099 && high <= 0.1 && high > 0.099 && fabs(sum / 5000) < 0.005);
    assert_memory_not_equal(w, again, sizeof w);
}

/* Two dropouts of one network must not drop the same elements. */
static void test_dropout_streams(void **state) {
    (void)state;
    const float ones[64] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                            1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                            1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    const hd_val x = rows(64), a = hd_nn_dropout(x, .p = 0.5), b = hd_nn_dropout(x, .p = 0.5);
    hd_mark_output(a, "a");
    hd_mark_output(b, "b");
    hd_program *p;
    assert_int_equal(hd_compile_with(&p, hd_forward(hd_add(a, b)), &(hd_compile_args){.train = true}), HD_OK);
    assert_int_equal(hd_program_set(p, "x", ones), HD_OK);
    assert_int_equal(hd_program_run(p), HD_OK);
    const float *da = hd_program_get(p, "a"), *db = hd_program_get(p, "b");
    assert_memory_not_equal(da, db, sizeof ones);
    int dropped = 0;
    for (int i = 0; i < 64; i++) dropped += da[i] == 0;
    assert_true(dropped > 10 && dropped < 54);
    hd_program_free(p);
}

/* Rows start standard normal; the one of the padding starts as 0 and stays, whatever the others learn. */
static void test_embedding(void **state) {
    (void)state;
    enum { THINGS = 400, WIDTH = 8, PADDING = 3 };
    const hd_val x = hd_input(graph, "x", HD_I64, HD_DIMS(HD_BATCH, 2));
    const hd_val y = hd_nn_embedding(x, .name = "e", .num_embeddings = THINGS, .embedding_dim = WIDTH,
                                     .padding_idx = HD_AXIS(PADDING));
    is_built(y, HD_DIMS(HD_BATCH, 2, WIDTH));
    has_param("e.weight", HD_DIMS(THINGS, WIDTH));
    char *text;
    hd_graph *read;
    assert_int_equal(hd_graph_print(graph, &text), HD_OK);
    assert_non_null(strstr(text, "normal(0,1) zero_row(3)"));
    assert_int_equal(hd_graph_parse(&read, ctx, "printed", text), HD_OK);
    hd_memory_free(ctx, text);
    hd_graph_free(read);
    hd_program *p;
    const hd_val loss = hd_mean(hd_mul(y, y));
    assert_int_equal(hd_compile_with(&p, hd_train_step(loss, hd_sgd(.lr = 1)), &(hd_compile_args){.batch = 2}), HD_OK);
    static float before[THINGS][WIDTH], after[THINGS][WIDTH];
    const int64_t index[4] = {PADDING, 7, 7, PADDING};
    assert_int_equal(hd_program_set(p, "x", index), HD_OK);
    assert_int_equal(hd_store_get(hd_program_store(p), "e.weight", before, sizeof before), HD_OK);
    assert_int_equal(hd_program_run(p), HD_OK);
    assert_int_equal(hd_store_get(hd_program_store(p), "e.weight", after, sizeof after), HD_OK);
    double sum = 0, squares = 0;
    for (int i = 0; i < THINGS; i++)
        for (int k = 0; k < WIDTH; k++) {
            const double v = (double)before[i][k];
            assert_true(i != PADDING || v == 0);
            assert_true((before[i][k] == after[i][k]) == (i != 7));
            sum += v;
            squares += v * v;
        }
    assert_true(fabs(sum) < 4 * sqrt(THINGS * WIDTH));
    assert_true(fabs(squares / (THINGS * WIDTH) - 1) < 0.1);
    hd_program_free(p);
}

static void test_embedding_of_columns(void **state) {
    (void)state;
    const hd_val y = hd_nn_layers(rows(3), "[{\"embedding\": {\"num_embeddings\": 5, \"embedding_dim\": 4}}, "
                                           "\"flatten\", {\"linear\": {\"out_features\": 2}}]");
    is_built(y, HD_DIMS(HD_BATCH, 2));
    has_param("embedding1.weight", HD_DIMS(5, 4));
    has_param("linear1.weight", HD_DIMS(2, 12));
}

/* A row counted from the end. */
static void test_embedding_pads_from_the_end(void **state) {
    (void)state;
    char *text;
    (void)hd_nn_embedding(rows(3), .name = "e", .num_embeddings = 5, .embedding_dim = 2, .padding_idx = -1);
    assert_int_equal(hd_graph_print(graph, &text), HD_OK);
    assert_non_null(strstr(text, "zero_row(4)"));
    hd_memory_free(ctx, text);
}

static void test_embedding_refuses(void **state) {
    (void)state;
    const hd_val x = rows(5);
    is_refused(hd_nn_embedding(x, .name = "e", .num_embeddings = 5, .embedding_dim = 2, .padding_idx = -6),
               "embedding \"e\": padding_idx lies outside its 5 rows");
}

static void test_lists_are_whole(void **state) {
    (void)state;
    for (int i = 0; hd_layer_at(i); i++) {
        assert_ptr_equal(hd_layer_find(hd_layer_at(i)->name), hd_layer_at(i));
        assert_true(strlen(hd_layer_at(i)->help) > 5);
        for (const hd_option *o = hd_layer_at(i)->options; o && o->name; o++) assert_non_null(o->help);
    }
    for (int i = 0; hd_zoo_at(i); i++) {
        const hd_zoo_entry *e = hd_zoo_at(i);
        assert_ptr_equal(hd_zoo_find(e->name), e);
        assert_true(i == 0 || e->year >= hd_zoo_at(i - 1)->year);
        assert_true(strlen(e->description) > 10 && strlen(e->authors) > 2 && strlen(e->paper) > 10 && e->outputs > 0 &&
                    e->loss);
        hd_dims x = {.rank = e->sample.rank + 1, .dim = {HD_BATCH}};
        for (int k = 0; k < e->sample.rank; k++) x.dim[k + 1] = e->sample.dim[k];
        hd_graph_free(graph);
        assert_int_equal(hd_graph_new(&graph, ctx), HD_OK);
        const hd_val y = hd_zoo_build(hd_input(graph, "x", HD_F32, x), e->name, e->outputs, "{}");
        is_built(y, hd_val_dims(y).rank == 3 ? HD_DIMS(HD_BATCH, hd_val_dims(y).dim[1], e->outputs)
                                             : HD_DIMS(HD_BATCH, e->outputs));
    }
}

static hd_status everything(hd_context *c, void *arg) {
    (void)arg;
    hd_graph *g;
    hd_status status = hd_graph_new(&g, c);
    if (status != HD_OK) return status;
    const hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 1, 6, 6));
    const hd_val y =
        hd_nn_layers(x, "[{\"conv2d\": {\"out_channels\": 2, \"kernel_size\": 3}}, \"relu\", {\"branches\": "
                        "[[\"tanh\"], [\"relu\"]]}, \"flatten\", \"dropout\"]");
    hd_zoo_build(y, "mlp", 4, "{\"hidden\": 3}");
    status = hd_graph_status(g);
    hd_graph_free(g);
    return status;
}

static void test_failing_allocations(void **state) {
    (void)state;
    assert_true(fail_every_allocation(everything, NULL) > 10);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_builders),
        T(test_names_of_their_own),
        T(test_builders_refuse),
        T(test_conv_refuses_rows),
        T(test_conv_refuses_groups),
        T(test_bad_name),
        T(test_list),
        T(test_branches_and_repeat),
        T(test_list_refusals),
        T(test_lenet5),
        T(test_cnn_small),
        T(test_mlp),
        T(test_unknown_network),
        T(test_network_option),
        T(test_line),
        T(test_activations),
        T(test_activation_options),
        T(test_line_refusals),
        T(test_first_values),
        T(test_dropout_streams),
        T(test_embedding),
        T(test_embedding_of_columns),
        T(test_embedding_pads_from_the_end),
        T(test_embedding_refuses),
        T(test_lists_are_whole),
        T(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
