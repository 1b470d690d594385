/* test_vision_builders.c: pictures of another size, grids, columns, pooling the other way, convolution of volumes and
 * the other way round: PyTorch's results on small numbers, and refusals. */
#include "build_case.h"

#include "base/rng.h"
#include "hadal/nn.h"

static void test_sizes(void **state) {
    (void)state;
    RESULT("[1,1,4,6]", "1 1 2 2 3 3 1 1 2 2 3 3 4 4 5 5 6 6 4 4 5 5 6 6", hd_interpolate(a, .scale_factor = {2}),
           HD_DIMS(1, 1, 2, 3));
    RESULT("[1,1,3,4]", "1 1.625 2.375 3 2.5 3.125 3.875 4.5 4 4.625 5.375 6",
           hd_interpolate(a, .size = HD_DIMS(3, 4), .mode = HD_INTERPOLATE_BILINEAR), HD_DIMS(1, 1, 2, 3));
    RESULT("[1,1,3,4]",
           "1 1.57407407407 2.42592592593 3 2.5 3.07407407407 3.92592592593 4.5 4 4.57407407407 5.42592592593 6",
           hd_interpolate(a, .size = HD_DIMS(3, 4), .mode = HD_INTERPOLATE_BICUBIC, .align_corners = true),
           HD_DIMS(1, 1, 2, 3));
    RESULT("[1,1,3]", "1.21428571429 2.64285714286 4.07142857143",
           hd_interpolate(a, .scale_factor = {0.7}, .mode = HD_INTERPOLATE_LINEAR), HD_DIMS(1, 1, 5));
    RESULT("[1,1,3]", "1.33333333333 3 4.66666666667",
           hd_interpolate(a, .scale_factor = {0.7}, .mode = HD_INTERPOLATE_LINEAR, .recompute_scale_factor = true),
           HD_DIMS(1, 1, 5));
    RESULT("[1,1,3]", "1.5 3 4.5", hd_interpolate(a, .size = HD_DIMS(3), .mode = HD_INTERPOLATE_AREA),
           HD_DIMS(1, 1, 5));
    RESULT("[1,1,3]", "1 3 5", hd_interpolate(a, .size = HD_DIMS(3), .mode = HD_INTERPOLATE_NEAREST_EXACT),
           HD_DIMS(1, 1, 5));
    RESULT("[1,1,3,2,1]", "1.5 1.5 2.5 2.5 3.5 3.5",
           hd_interpolate(a, .size = HD_DIMS(3, 2, 1), .mode = HD_INTERPOLATE_TRILINEAR), HD_DIMS(1, 1, 2, 1, 2));
    REFUSED("bilinear is for 2 axes, x has 1", hd_interpolate(a, .size = HD_DIMS(3), .mode = HD_INTERPOLATE_BILINEAR),
            HD_DIMS(1, 1, 5));
    REFUSED("give size or scale_factor", hd_interpolate(a, .mode = HD_INTERPOLATE_AREA), HD_DIMS(1, 1, 5));
    REFUSED("align_corners is for", hd_interpolate(a, .scale_factor = {2}, .align_corners = true), HD_DIMS(1, 1, 5));
    REFUSED("one to three axes, it is [2,3]", hd_interpolate(a, .scale_factor = {2}), HD_DIMS(2, 3));
}

static void test_grids(void **state) {
    (void)state;
    RESULT("[1,2,2,2]", "1.5 1.5 2.5 5.5 3.5 6.5 4.5 10.5", hd_affine_grid(a, .size = HD_DIMS(1, 1, 2, 2)),
           HD_DIMS(1, 2, 3));
    RESULT("[1,2,3,2]", "0 -3 1 1 2 5 4 7 5 11 6 15",
           hd_affine_grid(a, .size = HD_DIMS(1, 1, 2, 3), .align_corners = true), HD_DIMS(1, 2, 3));
    RESULT("[1,1,2,1,3]", "3 5 7 5 11 17", hd_affine_grid(a, .size = HD_DIMS(1, 1, 1, 2, 1)), HD_DIMS(1, 3, 4));
    RESULT("[1,1,2,1]", "3.5 4.48",
           hd_grid_sample(a, hd_affine(b, .scale = 0.3, .shift = -0.5), .mode = HD_GRID_BILINEAR,
                          .padding_mode = HD_GRID_ZEROS, .align_corners = false),
           HD_DIMS(1, 1, 2, 3), HD_DIMS(1, 2, 1, 2));
    RESULT("[1,1,2,1]", "3.45 4.95",
           hd_grid_sample(a, hd_affine(b, .scale = 0.3, .shift = -0.5), .mode = HD_GRID_BILINEAR,
                          .padding_mode = HD_GRID_BORDER, .align_corners = true),
           HD_DIMS(1, 1, 2, 3), HD_DIMS(1, 2, 1, 2));
    RESULT("[1,1,2,1]", "3.5 5.6",
           hd_grid_sample(a, hd_affine(b, .scale = 0.3, .shift = -0.5), .mode = HD_GRID_BILINEAR,
                          .padding_mode = HD_GRID_REFLECTION, .align_corners = false),
           HD_DIMS(1, 1, 2, 3), HD_DIMS(1, 2, 1, 2));
    RESULT("[1,1,2,1]", "5 6",
           hd_grid_sample(a, hd_affine(b, .scale = 0.3, .shift = -0.5), .mode = HD_GRID_NEAREST,
                          .padding_mode = HD_GRID_ZEROS, .align_corners = false),
           HD_DIMS(1, 1, 2, 3), HD_DIMS(1, 2, 1, 2));
    RESULT("[1,1,2,1]", "5 5",
           hd_grid_sample(a, hd_affine(b, .scale = 0.3, .shift = -0.5), .mode = HD_GRID_NEAREST,
                          .padding_mode = HD_GRID_BORDER, .align_corners = true),
           HD_DIMS(1, 1, 2, 3), HD_DIMS(1, 2, 1, 2));
    RESULT("[1,1,2,1]", "5 6",
           hd_grid_sample(a, hd_affine(b, .scale = 0.3, .shift = -0.5), .mode = HD_GRID_NEAREST,
                          .padding_mode = HD_GRID_REFLECTION, .align_corners = false),
           HD_DIMS(1, 1, 2, 3), HD_DIMS(1, 2, 1, 2));
    RESULT("[1,1,2,1]", "4.2185 5.536672",
           hd_grid_sample(a, hd_affine(b, .scale = 0.3, .shift = -0.5), .mode = HD_GRID_BICUBIC,
                          .padding_mode = HD_GRID_ZEROS, .align_corners = false),
           HD_DIMS(1, 1, 2, 3), HD_DIMS(1, 2, 1, 2));
    RESULT("[1,1,2,1]", "3.3965625 5.1129375",
           hd_grid_sample(a, hd_affine(b, .scale = 0.3, .shift = -0.5), .mode = HD_GRID_BICUBIC,
                          .padding_mode = HD_GRID_BORDER, .align_corners = true),
           HD_DIMS(1, 1, 2, 3), HD_DIMS(1, 2, 1, 2));
    RESULT("[1,1,2,1]", "3.44675 6.044",
           hd_grid_sample(a, hd_affine(b, .scale = 0.3, .shift = -0.5), .mode = HD_GRID_BICUBIC,
                          .padding_mode = HD_GRID_REFLECTION, .align_corners = false),
           HD_DIMS(1, 1, 2, 3), HD_DIMS(1, 2, 1, 2));
    /* more points than f32 counts */
    RESULT("[1,1,1,1]", "16785408",
           hd_grid_sample(a, hd_cast(hd_affine(b, .scale = 0.0006, .shift = 0.99866776), .dtype = HD_DTYPE(HD_F32)),
                          .mode = HD_GRID_NEAREST),
           HD_DIMS(1, 1, 4097, 4097), HD_DIMS(1, 1, 1, 2));
    REFUSED("x [1,1,2,3] and grid [1,2,2,3] must be", hd_grid_sample(a, b), HD_DIMS(1, 1, 2, 3), HD_DIMS(1, 2, 2, 3));
    REFUSED("bicubic is for pictures", hd_grid_sample(a, b, .mode = HD_GRID_BICUBIC), HD_DIMS(1, 1, 1, 2, 3),
            HD_DIMS(1, 1, 2, 2, 3));
    REFUSED("theta must be", hd_affine_grid(a, .size = HD_DIMS(1, 1, 2, 2)), HD_DIMS(1, 2, 2));
}

static void test_columns(void **state) {
    (void)state;
    RESULT("[1,8,2]", "0 2 1 3 0 5 4 6 0 8 7 9 0 11 10 12",
           hd_unfold2d(a, .kernel_size = {2, 2}, .padding = {0, 1}, .stride = {1, 2}), HD_DIMS(1, 2, 2, 3));
    RESULT("[1,1,3,3]", "1 7 6 12 34 22 11 27 16", hd_fold2d(a, .output_size = {3, 3}, .kernel_size = {2, 2}),
           HD_DIMS(1, 4, 4));
}

static void test_pools(void **state) {
    (void)state;
    RESULT("[1,1,6]", "0 1 2 0 0 0",
           hd_max_unpool(a, hd_cast(b, .dtype = HD_DTYPE(HD_I64)), .axes = 1, .kernel_size = {3}), HD_DIMS(1, 1, 2),
           HD_DIMS(1, 1, 2));
    RESULT("[1,1,3,5]", "0 1 2 0 0 0 0 0 0 0 0 0 0 0 0",
           hd_max_unpool(a, hd_cast(b, .dtype = HD_DTYPE(HD_I64)), .kernel_size = {2, 2}, .output_size = {3, 5}),
           HD_DIMS(1, 1, 1, 2), HD_DIMS(1, 1, 1, 2));
    RESULT("[1,1,1,1,2]", "13 15", hd_max_pool3d_index(a, .kernel_size = {2, 2, 2}), HD_DIMS(1, 1, 2, 2, 4));
    RESULT("[1,1,2,1,2]", "6 7 10 11", hd_max_pool3d_index(a, .output_size = {2, 1, 2}), HD_DIMS(1, 1, 3, 2, 2));
    RESULT("[1,1,2]", "2.2360679775 5", hd_lp_pool(a, .kernel_size = {2}), HD_DIMS(1, 1, 5));
    RESULT("[1,1,1,2]", "5.01329793496 7.17905435207", hd_lp_pool(a, .p = 3, .kernel_size = {2, 1}, .stride = {1, 2}),
           HD_DIMS(1, 1, 2, 4));
    RESULT("[1,1,1,1,1]", "21", hd_lp_pool(a, .p = 1, .kernel_size = {2, 1, 3}), HD_DIMS(1, 1, 2, 1, 3));
    RESULT("[1,1,2]", "-3 -7", hd_lp_pool(hd_neg(a), .p = 1, .kernel_size = {2}), HD_DIMS(1, 1, 4));
    REFUSED("index of the same shape", hd_max_unpool(a, b, .kernel_size = {2, 2}), HD_DIMS(1, 1, 2, 2),
            HD_DIMS(1, 1, 2, 3));
    REFUSED("kernel_size and stride must be 1 or more", hd_max_unpool(a, b), HD_DIMS(1, 1, 2, 2), HD_DIMS(1, 1, 2, 2));
    REFUSED("one to three axes", hd_lp_pool(a, .kernel_size = {2}), HD_DIMS(2, 3));
}

static void test_others(void **state) {
    (void)state;
    RESULT("[2,2]", "79 188 405 1036", hd_bilinear(a, b, c, hd_select(a, .index = 0)), HD_DIMS(2, 2), HD_DIMS(2, 3),
           HD_DIMS(2, 2, 3));
    RESULT("[2,3]", "0.267261241912 0.534522483825 0.801783725737 0.455842305839 0.569802882298 0.683763458758",
           hd_normalize(a), HD_DIMS(2, 3));
    RESULT("[2,3]", "0.2 0.285714285714 0.333333333333 0.8 0.714285714286 0.666666666667",
           hd_normalize(a, .p = 1, .axis = HD_AXIS(0)), HD_DIMS(2, 3));
    RESULT("[3]", "4 8 4", hd_pdist(a, .p = 1), HD_DIMS(3, 2));
    RESULT("[1,4,2]", "1 2 5 6 3 4 7 8", hd_channel_shuffle(a, .groups = 2), HD_DIMS(1, 4, 2));
    REFUSED("do not go together", hd_bilinear(a, b, a), HD_DIMS(2, 2), HD_DIMS(2, 3), HD_DIMS(2, 3, 2));
    REFUSED("x must be [n, m]", hd_pdist(a), HD_DIMS(2));
    REFUSED("can not be divided into 3 groups", hd_channel_shuffle(a, .groups = 3), HD_DIMS(1, 4, 2));
    REFUSED("normalize: ", hd_normalize(a, .axis = HD_AXIS(2)), HD_DIMS(1, 4));
}

static void test_convolutions(void **state) {
    (void)state;
    RESULT("[1,1,1,2,1]", "352 424", hd_conv3d(a, b), HD_DIMS(1, 2, 2, 2, 2), HD_DIMS(1, 2, 2, 1, 2));
    RESULT("[1,2,2,1,2]", "3 5 14 17 30 34 73 80",
           hd_conv3d(a, b, c, .stride = {2, 1, 1}, .padding = {1, 0, 0}, .groups = 2), HD_DIMS(1, 2, 3, 1, 2),
           HD_DIMS(2, 1, 2, 1, 1), HD_DIMS(2));
    RESULT("[1,1,3,1,1]", "5 8 3", hd_conv3d(a, b, .padding = {HD_SAME, HD_SAME, HD_SAME}), HD_DIMS(1, 1, 3, 1, 1),
           HD_DIMS(1, 1, 2, 1, 1));
    RESULT("[1,2,4]", "3 6 5 7 17 36 22 26",
           hd_conv_transpose1d(a, b, c, .stride = 2, .padding = 1, .output_padding = 1, .groups = 2), HD_DIMS(1, 2, 2),
           HD_DIMS(2, 1, 3), HD_DIMS(2));
    RESULT("[1,1,5,2]", "1 2 2 4 3 4 6 8 0 0", hd_conv_transpose2d(a, b, .stride = {2, 1}, .output_padding = {1, 0}),
           HD_DIMS(1, 1, 2, 2), HD_DIMS(1, 1, 2, 1));
    RESULT("[1,1,4]", "2 5 4 6", hd_conv_transpose1d(a, b, .padding = 1, .output_padding = 1, .dilation = 2),
           HD_DIMS(1, 1, 3), HD_DIMS(1, 1, 2));
    RESULT("[1,2,3,1,2]", "2 4 3 4 6 8 4 8 9 12 12 16",
           hd_conv_transpose3d(a, b, .stride = {2, 1, 1}, .padding = {1, 0, 0}, .output_padding = {1, 0, 0}),
           HD_DIMS(1, 1, 2, 1, 2), HD_DIMS(1, 2, 2, 1, 1));
    REFUSED("weight expects 2 input channels, x has 1", hd_conv3d(a, b), HD_DIMS(1, 1, 2, 2, 2),
            HD_DIMS(1, 2, 2, 2, 2));
    REFUSED("a kernel of depth 3 on a volume of depth 2", hd_conv3d(a, b), HD_DIMS(1, 1, 2, 2, 2),
            HD_DIMS(1, 1, 3, 1, 1));
    REFUSED("padding same is for stride 1", hd_conv3d(a, b, .stride = {2, 1, 1}, .padding = {HD_SAME, 0, 0}),
            HD_DIMS(1, 1, 2, 2, 2), HD_DIMS(1, 1, 1, 1, 1));
    REFUSED("of rank 4; they are [1,2,3]", hd_conv_transpose2d(a, b), HD_DIMS(1, 2, 3), HD_DIMS(2, 1, 1, 1));
    REFUSED("at most 64 planes deep", hd_conv3d(a, b), HD_DIMS(1, 1, 70, 1, 1), HD_DIMS(1, 1, 65, 1, 1));
    REFUSED("at most 64 planes deep", hd_conv_transpose3d(a, b), HD_DIMS(1, 1, 1, 1, 1), HD_DIMS(1, 1, 65, 1, 1));
    REFUSED("output_padding 2 must be less", hd_conv_transpose1d(a, b, .output_padding = 2), HD_DIMS(1, 1, 3),
            HD_DIMS(1, 1, 2));
    REFUSED("nothing is left of the result", hd_conv_transpose1d(a, b, .padding = 3), HD_DIMS(1, 1, 3),
            HD_DIMS(1, 1, 2));
    REFUSED("weight is for 2 input channels, x has 1", hd_conv_transpose2d(a, b), HD_DIMS(1, 1, 2, 2),
            HD_DIMS(2, 1, 1, 1));
}

/* Outside training every dropout is the identity; alpha_dropout keeps mean 0 and variance 1 in training. */
static void test_dropouts(void **state) {
    (void)state;
    RESULT("[1,2,2]", "1 2 3 4", hd_nn_feature_dropout(a, .p = 0.4), HD_DIMS(1, 2, 2));
    RESULT("[1,2,2]", "1 2 3 4", hd_nn_alpha_dropout(a, .p = 0.4), HD_DIMS(1, 2, 2));
    enum { N = 40000 };
    bench t = open_bench();
    hd_program *p;
    const hd_val x = hd_input(t.g, "x", HD_F64, HD_DIMS(N / 40, 10, 4));
    const hd_val y = hd_nn_alpha_dropout(x, .p = 0.3), z = hd_nn_feature_dropout(x, .p = 0.3);
    hd_mark_output(y, "y");
    hd_mark_output(z, "z");
    if (hd_compile_with(&p, hd_forward(hd_add(y, z)), &(hd_compile_args){.train = true}) != HD_OK)
        fail_msg("%s", hd_last_error(t.ctx));
    double *data = malloc(N * sizeof *data), mean = 0, square = 0;
    hd_rng rng = hd_rng_new(3, "dropouts");
    for (int i = 0; i < N; i++) data[i] = hd_rng_normal(&rng);
    assert_int_equal(hd_program_set(p, "x", data), HD_OK);
    if (hd_program_run(p) != HD_OK) fail_msg("%s", hd_last_error(t.ctx));
    const double *alpha = hd_program_get(p, "y"), *feature = hd_program_get(p, "z");
    for (int i = 0; i < N; i++) mean += alpha[i] / N, square += alpha[i] * alpha[i] / N;
    assert_true(fabs(mean) < 0.03 && fabs(square - 1) < 0.05);
    int dropped = 0;
    for (int c = 0; c < N / 4; c++) { /* a channel goes as a whole */
        const bool gone = feature[4 * c] == 0;
        for (int i = 0; i < 4; i++) assert_true(fabs(feature[4 * c + i] - (gone ? 0 : data[4 * c + i] / 0.7)) < 1e-12);
        dropped += gone;
    }
    assert_true(dropped > 0.28 * N / 4 && dropped < 0.32 * N / 4);
    free(data);
    hd_program_free(p);
    close_bench(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),    cmocka_unit_test(test_grids),  cmocka_unit_test(test_columns),
        cmocka_unit_test(test_pools),    cmocka_unit_test(test_others), cmocka_unit_test(test_convolutions),
        cmocka_unit_test(test_dropouts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
