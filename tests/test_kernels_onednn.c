/* oneDNN's kernels against the definitions of their ops, bit-equal on any number of threads; and layouts read from
 * strides. Skips, saying so, in builds without oneDNN. */
#include "kernel_kit.h"

#include "backends/onednn/dnnl_api.h"
#include "backends/onednn/dnnl_layout.h"

extern const hd_kernel hd_kernel_dnnl_linear, hd_kernel_dnnl_matmul;

static bool absent(void) {
    char text[32];
    if (hd_dnnl_version_text(text)) return false;
    print_message("skipped: %s\n", HD_DNNL_ABSENT);
    return true;
}

/* ---- products ---- */

static void linear_case(hd_context *ctx, int64_t n, int64_t in, int64_t out, bool bias, int64_t act) {
    kit_case c = {.kernel = &hd_kernel_dnnl_linear,
                  .args = &(hd_linear_args){.act = act},
                  .may_refuse = ctx->isa < HD_ISA_AVX512,
                  .input_bytes = true};
    kit_input(&c, HD_F32, HD_DIMS(n, in));
    kit_input_as(&c, HD_F32, HD_DIMS(out, in), KIT_UNIT, 0, NULL);
    if (bias)
        kit_input(&c, HD_F32, HD_DIMS(out));
    else
        kit_absent(&c);
    kit_check(ctx, &c);
}

static void linears(hd_context *ctx, void *arg) {
    (void)arg;
    linear_case(ctx, 128, 784, 100, true, HD_ACT_SIGMOID);
    linear_case(ctx, 64, 200, 1000, true, HD_ACT_RELU);
    linear_case(ctx, 1000, 33, 17, true, HD_ACT_TANH);
    linear_case(ctx, 7, 300, 333, false, HD_ACT_NONE);
    linear_case(ctx, 1, 512, 1024, true, HD_ACT_NONE);
    linear_case(ctx, 128, 512, 513, true, HD_ACT_RELU);
}

static void matmul_case(hd_context *ctx, hd_dims a, hd_dims b, bool trans_a, bool trans_b) {
    kit_case c = {.kernel = &hd_kernel_dnnl_matmul,
                  .args = &(hd_matmul_args){.trans_a = trans_a, .trans_b = trans_b},
                  .may_refuse = ctx->isa < HD_ISA_AVX512};
    kit_input(&c, HD_F32, a);
    kit_input(&c, HD_F32, b);
    kit_check(ctx, &c);
}

static void matmuls(hd_context *ctx, void *arg) {
    (void)arg;
    for (int t = 0; t < 4; t++) {
        const bool ta = t & 1, tb = t >> 1;
        matmul_case(ctx, ta ? HD_DIMS(100, 96) : HD_DIMS(96, 100), tb ? HD_DIMS(70, 100) : HD_DIMS(100, 70), ta, tb);
        matmul_case(ctx, ta ? HD_DIMS(129, 515) : HD_DIMS(515, 129), tb ? HD_DIMS(301, 129) : HD_DIMS(129, 301), ta,
                    tb);
        matmul_case(ctx, ta ? HD_DIMS(3, 64, 80) : HD_DIMS(3, 80, 64), tb ? HD_DIMS(3, 48, 64) : HD_DIMS(3, 64, 48), ta,
                    tb);
        matmul_case(ctx, ta ? HD_DIMS(5, 64, 80) : HD_DIMS(5, 80, 64), tb ? HD_DIMS(48, 64) : HD_DIMS(64, 48), ta, tb);
    }
    matmul_case(ctx, HD_DIMS(2, 4, 128, 64), HD_DIMS(2, 4, 128, 64), false, true);
}

static void products_agree_with_their_definition(void **state) {
    (void)state;
    if (absent()) return;
    for (int threads = 1; threads <= 3; threads++) {
        kit_each_isa(threads, linears, NULL);
        kit_each_isa(threads, matmuls, NULL);
    }
}

static void small_products_are_refused_with_a_reason(void **state) {
    (void)state;
    if (absent()) return;
    hd_context *ctx;
    assert_int_equal(hd_context_new(&ctx, NULL), HD_OK);
    kit_case c = {.kernel = &hd_kernel_dnnl_matmul, .may_refuse = true};
    kit_input(&c, HD_F32, HD_DIMS(16, 16));
    kit_input(&c, HD_F32, HD_DIMS(16, 16));
    assert_false(kit_check(ctx, &c));
    assert_non_null(strstr(c.refusal, "64x64x64"));
    kit_case f64 = {.kernel = &hd_kernel_dnnl_matmul, .may_refuse = true};
    kit_input(&f64, HD_F64, HD_DIMS(128, 128));
    kit_input(&f64, HD_F64, HD_DIMS(128, 128));
    assert_false(kit_check(ctx, &f64));
    assert_non_null(strstr(f64.refusal, "f32"));
    hd_context_free(ctx);
}

/* ---- layouts ---- */

static hd_blocking blocking(hd_dims dims, const int64_t *stride) {
    hd_blocking b = {.rank = dims.rank};
    memcpy(b.dim, dims.dim, sizeof b.dim);
    memcpy(b.padded, dims.dim, sizeof b.padded);
    memcpy(b.stride, stride, (size_t)dims.rank * sizeof *stride);
    return b;
}

static void assert_layout(const hd_blocking *b, hd_layout want) {
    hd_layout got;
    char g[64], w[64];
    assert_true(hd_layout_from_blocking(b, &got));
    if (!hd_layout_equal(&got, &want))
        fail_msg("%s instead of %s", hd_layout_text(g, &got, b->rank), hd_layout_text(w, &want, b->rank));
}

static void strides_become_layouts(void **state) {
    (void)state;
    hd_blocking b = blocking(HD_DIMS(4, 6, 5, 7), (int64_t[]){210, 35, 7, 1});
    assert_layout(&b, HD_LAYOUT_PLAIN);
    b = blocking(HD_DIMS(4, 6, 5, 7), (int64_t[]){210, 1, 42, 6});
    assert_layout(&b, (hd_layout){.permuted = 1, .perm = {0, 2, 3, 1}});
    b = blocking(HD_DIMS(4, 1, 5, 7), (int64_t[]){35, 1, 7, 1}); /* one channel: last is as good as first */
    assert_layout(&b, HD_LAYOUT_PLAIN);
    b = blocking(HD_DIMS(4, 32, 5, 7), (int64_t[]){1120, 560, 112, 16});
    b.blocks = 1, b.idx[0] = 1, b.blk[0] = 16;
    assert_layout(&b, HD_LAYOUT_NCHW16C);
    b = blocking(HD_DIMS(4, 32, 1, 1), (int64_t[]){32, 16, 16, 16}); /* pictures of one pixel */
    b.blocks = 1, b.idx[0] = 1, b.blk[0] = 16;
    assert_layout(&b, HD_LAYOUT_PLAIN);
    b = blocking(HD_DIMS(4, 6, 5, 7), (int64_t[]){420, 70, 14, 2}); /* gaps */
    hd_layout got;
    assert_false(hd_layout_from_blocking(&b, &got));
}

static void groups_join_the_output_channels(void **state) {
    (void)state;
    hd_blocking joined, g = blocking(HD_DIMS(2, 32, 32, 3, 3), (int64_t[]){9216, 4608, 2304, 768, 256});
    g.blocks = 2, g.idx[0] = 2, g.blk[0] = 16, g.idx[1] = 1, g.blk[1] = 16;
    assert_true(hd_blocking_join_groups(&g, &joined));
    assert_layout(&joined, (hd_layout){.nblk = 2, .idx = {1, 0}, .blk = {16, 16}});
    assert_int_equal(joined.dim[0], 64);
    g = blocking(HD_DIMS(64, 1, 1, 3, 3), (int64_t[]){144, 144, 144, 48, 16}); /* depthwise: the group is the channel */
    g.blocks = 1, g.idx[0] = 0, g.blk[0] = 16;
    assert_true(hd_blocking_join_groups(&g, &joined));
    assert_layout(&joined, (hd_layout){.nblk = 1, .idx = {0}, .blk = {16}});
    g = blocking(HD_DIMS(4, 10, 5, 3, 3), (int64_t[]){2304, 2304, 2304, 768, 256}); /* padding between the groups */
    g.padded[1] = g.padded[2] = 16;
    g.blocks = 2, g.idx[0] = 2, g.blk[0] = 16, g.idx[1] = 1, g.blk[1] = 16;
    assert_false(hd_blocking_join_groups(&g, &joined));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strides_become_layouts),
        cmocka_unit_test(groups_join_the_output_channels),
        cmocka_unit_test(products_agree_with_their_definition),
        cmocka_unit_test(small_products_are_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
