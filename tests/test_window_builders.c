/* test_window_builders.c: convolution and pooling of signals and volumes, adaptive pooling, and the layers of windows
 * and rims: their results on small numbers, their shapes, their refusals. */
#include "build_case.h"
#include "hadal/nn.h"

static void test_signals(void **state) {
    (void)state;
    RESULT("[1,1,2]", "5 8", hd_conv1d(a, b), HD_DIMS(1, 1, 3), HD_DIMS(1, 1, 2));
    RESULT("[1,1,3]", "5 8 3", hd_conv1d(a, b, .padding = HD_SAME), HD_DIMS(1, 1, 3), HD_DIMS(1, 1, 2));
    RESULT("[1,2,2]", "2 2 12 12", hd_conv1d(a, b, .stride = 2, .padding = 1, .groups = 2), HD_DIMS(1, 2, 2),
           HD_DIMS(2, 1, 2));
    RESULT("[1,1,2]", "2 4", hd_max_pool1d(a, .kernel_size = 2), HD_DIMS(1, 1, 5));
    RESULT("[1,1,3]", "2 4 5", hd_max_pool1d(a, .kernel_size = 2, .ceil_mode = true), HD_DIMS(1, 1, 5));
    RESULT("[1,1,3]", "1 3 4", hd_max_pool1d_index(a, .kernel_size = 2, .ceil_mode = true), HD_DIMS(1, 1, 5));
    RESULT("[1,1,2]", "1 2.5", hd_avg_pool1d(a, .kernel_size = 2, .padding = 1, .exclude_pad = true), HD_DIMS(1, 1, 3));
    RESULT("[1,1,2]", "1.5 2.5", hd_avg_pool1d(a, .output_size = 2), HD_DIMS(1, 1, 3));
    REFUSED("conv1d: x must have 3 dimensions, it is [1,3]", hd_conv1d(a, b), HD_DIMS(1, 3), HD_DIMS(1, 1, 2));
    REFUSED("max_pool1d: x must have 3 dimensions", hd_max_pool1d(a, .kernel_size = 2), HD_DIMS(3));
}

static void test_volumes(void **state) {
    (void)state;
    RESULT("[1,1,1,1,2]", "14 16", hd_max_pool3d(a, .kernel_size = {2, 2, 2}), HD_DIMS(1, 1, 2, 2, 4));
    RESULT("[1,1,1,1,2]", "7.5 9.5", hd_avg_pool3d(a, .kernel_size = {2, 2, 2}), HD_DIMS(1, 1, 2, 2, 4));
    RESULT("[1,1,2,1,1]", "2.5 6.5", hd_avg_pool3d(a, .output_size = {2, 1, 1}), HD_DIMS(1, 1, 2, 2, 2));
    RESULT("[1,1,1,1,1]", "18", hd_avg_pool3d(a, .kernel_size = {2, 2, 2}, .divisor_override = 2),
           HD_DIMS(1, 1, 2, 2, 2));
    REFUSED("max_pool3d: x must have 5 dimensions", hd_max_pool3d(a, .kernel_size = {2, 2, 2}), HD_DIMS(1, 2, 3));
}

/* Windows that are alike become plain pooling: the same numbers as the adaptive definition. */
static void test_adaptive(void **state) {
    (void)state;
    RESULT("[1,1,1,2]", "3.5 5.5", hd_adaptive_avg_pool2d(a, .output_size = {1, 2}), HD_DIMS(1, 1, 2, 4));
    RESULT("[1,1,1,2]", "3.5 5.5", hd_avg_pool2d(a, .output_size = {1, 2}), HD_DIMS(1, 1, 2, 4));
    RESULT("[1,1,1,2]", "6 8", hd_adaptive_max_pool2d(a, .output_size = {1, 2}), HD_DIMS(1, 1, 2, 4));
    RESULT("[1,1,2,2]", "2 3 5 6", hd_adaptive_max_pool2d(a, .output_size = {0, 2}), HD_DIMS(1, 1, 2, 3));
    RESULT("[1,1,1,1]", "4.5", hd_adaptive_avg_pool2d(a, .output_size = {1, 1}), HD_DIMS(1, 1, 2, 4));
    bench t = open_bench();
    const hd_val x = hd_input(t.g, "x", HD_F32, HD_DIMS(HD_BATCH, 3, 8, 6));
    const hd_val plain = hd_adaptive_avg_pool2d(x, .output_size = {4, 3});
    char *text;
    char dims[192];
    const hd_dims got = hd_val_dims(plain);
    assert_string_equal(hd_dims_text(dims, &got), "[B,3,4,3]");
    assert_int_equal(hd_graph_print(t.g, &text), HD_OK);
    assert_non_null(strstr(text, "kernel_size=[2,2]"));
    assert_null(strstr(text, "output_size"));
    hd_memory_free(t.ctx, text);
    close_bench(&t);
}

/* Layers of a recipe and the shape that they make of pictures [B,4,6,6] or signals [B,4,6]. */
static void test_layers(void **state) {
    static const struct {
        const char *layers, *shape;
    } cases[] = {
        {"[{\"conv2d\": {\"out_channels\": 2, \"kernel_size\": [3, 4], \"padding\": \"same\"}}]", "[B,2,6,6]"},
        {"[{\"conv2d\": {\"out_channels\": 2, \"kernel_size\": 3, \"padding\": \"valid\"}}]", "[B,2,4,4]"},
        {"[{\"conv2d\": {\"out_channels\": 2, \"kernel_size\": 3, \"padding\": [1, 2], \"padding_mode\": "
         "\"reflect\"}}]",
         "[B,2,6,8]"},
        {"[{\"conv2d\": {\"out_channels\": 2, \"kernel_size\": 4, \"padding\": \"same\", \"padding_mode\": "
         "\"circular\"}}]",
         "[B,2,6,6]"},
        {"[{\"max_pool2d\": {\"kernel_size\": 4, \"ceil_mode\": true}}]", "[B,4,2,2]"},
        {"[{\"max_pool2d\": {\"kernel_size\": 2, \"dilation\": 3, \"stride\": 1}}]", "[B,4,3,3]"},
        {"[{\"avg_pool2d\": {\"kernel_size\": 3, \"padding\": 1, \"count_include_pad\": false, \"divisor_override\": "
         "2}}]",
         "[B,4,2,2]"},
        {"[{\"adaptive_avg_pool2d\": {\"output_size\": [4, 5]}}]", "[B,4,4,5]"},
        {"[{\"adaptive_max_pool2d\": {\"output_size\": 3}}]", "[B,4,3,3]"},
        {"[{\"zero_pad2d\": {\"padding\": [1, 2, 0, -1]}}]", "[B,4,5,9]"},
        {"[{\"constant_pad2d\": {\"padding\": 1, \"value\": 0.5}}]", "[B,4,8,8]"},
        {"[{\"reflection_pad2d\": {\"padding\": 2}}, {\"replication_pad2d\": {\"padding\": 1}}]", "[B,4,12,12]"},
        {"[{\"circular_pad2d\": {\"padding\": [0, 1, 0, 0]}}]", "[B,4,6,7]"},
        {"[\"pixel_shuffle\"]", "[B,1,12,12]"},
        {"[{\"pixel_unshuffle\": {\"downscale_factor\": 3}}]", "[B,36,2,2]"},
        {"[{\"conv1d\": {\"out_channels\": 2, \"kernel_size\": 3, \"padding\": \"same\", \"dilation\": 2}}]",
         "[B,2,6]"},
        {"[{\"conv1d\": {\"out_channels\": 2, \"kernel_size\": 3, \"padding\": 1, \"padding_mode\": \"replicate\", "
         "\"bias\": false}}]",
         "[B,2,6]"},
        {"[\"max_pool1d\", {\"avg_pool1d\": {\"kernel_size\": 3}}]", "[B,4,1]"},
        {"[{\"adaptive_avg_pool1d\": {\"output_size\": 4}}, \"adaptive_max_pool1d\"]", "[B,4,1]"},
        {"[{\"constant_pad1d\": {\"padding\": 1}}, {\"reflection_pad1d\": {\"padding\": [0, 1]}}]", "[B,4,9]"},
        {"[{\"replication_pad1d\": {\"padding\": 1}}, {\"circular_pad1d\": {\"padding\": 2}}]", "[B,4,12]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench t = open_bench();
        char text[192];
        const bool signal = strstr(cases[i].layers, "1d") != NULL;
        const hd_dims in = signal ? HD_DIMS(HD_BATCH, 4, 6) : HD_DIMS(HD_BATCH, 4, 6, 6);
        const hd_val y = hd_nn_layers(hd_input(t.g, "x", HD_F32, in), cases[i].layers);
        if (hd_graph_status(t.g) != HD_OK) fail_msg("%s: %s", cases[i].layers, hd_last_error(t.ctx));
        const hd_dims got = hd_val_dims(y);
        if (strcmp(hd_dims_text(text, &got), cases[i].shape) != 0)
            fail_msg("%s makes %s, not %s", cases[i].layers, text, cases[i].shape);
        close_bench(&t);
    }
}

static void refused_layer(hd_dims in, const char *layers, const char *what) {
    bench t = open_bench();
    (void)hd_nn_layers(hd_input(t.g, "x", HD_F32, in), layers);
    expect_refusal(&t, what);
}

static void test_refused_layers(void **state) {
    (void)state;
    const hd_dims picture = HD_DIMS(HD_BATCH, 4, 6, 6);
    refused_layer(picture, "[{\"conv2d\": {\"out_channels\": 2, \"kernel_size\": 3, \"padding\": \"full\"}}]",
                  "padding can not be \"full\"");
    refused_layer(picture, "[{\"conv2d\": {\"out_channels\": 2, \"kernel_size\": 3, \"padding\": -1}}]",
                  "padding must be 0");
    refused_layer(picture,
                  "[{\"conv2d\": {\"out_channels\": 2, \"kernel_size\": 3, \"padding\": \"same\", \"stride\": 2}}]",
                  "padding same is for stride 1");
    refused_layer(picture,
                  "[{\"conv2d\": {\"out_channels\": 2, \"kernel_size\": 3, \"padding\": \"same\", \"stride\": 2, "
                  "\"padding_mode\": \"reflect\"}}]",
                  "padding same is for stride 1");
    refused_layer(picture, "[{\"conv1d\": {\"out_channels\": 2, \"kernel_size\": 3}}]", "expects signals");
    refused_layer(picture, "[{\"reflection_pad2d\": {\"padding\": 6}}]", "too wide");
    refused_layer(HD_DIMS(HD_BATCH, 6), "[{\"zero_pad2d\": {\"padding\": 1}}]", "expects 3 axes or more");
}

/* A rim made of the picture: as padding it by hand. */
static void test_padding_mode(void **state) {
    (void)state;
    bench t = open_bench();
    const hd_val x = input(&t, HD_DIMS(1, 1, 3));
    const hd_val y = hd_nn_conv1d(x, .name = "c", .out_channels = 1, .kernel_size = 2, .padding = HD_SAME,
                                  .padding_mode = HD_PAD_CIRCULAR, .no_bias = true);
    const hd_val w = hd_graph_find(t.g, "c.weight");
    const hd_val by_hand = hd_conv1d(hd_pad(x, .after = HD_DIMS(0, 0, 1), .mode = HD_PAD_CIRCULAR), w);
    expect(&t, hd_sub(y, by_hand), "[1,1,3]", "0 0 0");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_signals),        cmocka_unit_test(test_volumes),
                                       cmocka_unit_test(test_adaptive),       cmocka_unit_test(test_layers),
                                       cmocka_unit_test(test_refused_layers), cmocka_unit_test(test_padding_mode)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
