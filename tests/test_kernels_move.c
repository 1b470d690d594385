/* test_kernels_move.c: kernels of src/backends/cpu that only move elements, against the definitions of their ops and
 * against the general way between layouts. */
#include "vec_kernels.h"

/* ---- what only moves ---- */

/* A change of layout, through every pair; the operands' layouts are settled before the kernel is asked. */
static void check_reorder(hd_context *ctx, const hd_dims *dims, hd_layout from, hd_layout to) {
    const hd_kernel *kernel = kernel_of("cpu.reorder");
    const int64_t n = hd_dims_count(dims), n_from = hd_layout_count(&from, dims), n_to = hd_layout_count(&to, dims);
    float *x = calloc((size_t)n + 1, 4), *packed = calloc((size_t)n_from + 1, 4);
    float *want = calloc((size_t)n_to + 1, 4), *got = malloc((size_t)n_to * 4 + 4);
    for (int64_t i = 0; i < n; i++) x[i] = (float)(i + 1);
    hd_layout_pack(&from, dims, 4, x, packed);
    hd_layout_pack(&to, dims, 4, x, want);
    memset(got, 0xff, (size_t)n_to * 4 + 4);
    const hd_operand in = {HD_F32, *dims, from, n, (size_t)n_from * 4}, out = {HD_F32, *dims, to, n, (size_t)n_to * 4};
    hd_arena arena = {.ctx = ctx};
    hd_kctx k = {
        .ctx = ctx, .arena = &arena, .op = hd_op_find(NULL, "reorder"), .n_in = 1, .n_out = 1, .isa = ctx->isa};
    hd_prepared p = {0};
    k.in = &in;
    k.out = &out;
    if (kernel->supports(&k)) fail_msg("reorder refuses: %s", kernel->supports(&k));
    assert_int_equal(kernel->prepare(&k, &p), HD_OK);
    hd_exec e = {.state = p.state, .in = (void *[]){packed}, .out = (void *[]){got}};
    for (int i = 0; i < p.phases; i++)
        for (int64_t t = p.phase[i].tasks; t-- > 0;) p.phase[i].run(&e, t);
    for (int64_t i = 0; i < n_to; i++)
        if (!(got[i] == want[i])) { /* NaN too */
            char a[64], b[64], d[192];
            fail_msg("%s from %s to %s: place %lld holds %g, should be %g", hd_dims_text(d, dims),
                     hd_layout_text(a, &from, dims->rank), hd_layout_text(b, &to, dims->rank), (long long)i,
                     (double)got[i], (double)want[i]);
        }
    uint32_t past;
    memcpy(&past, got + n_to, 4);
    assert_int_equal(past, 0xffffffff);
    hd_arena_free(&arena);
    free(x), free(packed), free(want), free(got);
}

static void test_reorders(void **state) {
    static const hd_layout layouts[] = {{0},
                                        {.nblk = 1, .idx = {1}, .blk = {16}},
                                        {.nblk = 1, .idx = {1}, .blk = {8}},
                                        {.nblk = 1, .idx = {0}, .blk = {16}},
                                        {.permuted = 1, .perm = {0, 2, 3, 1}},
                                        {.permuted = 1, .perm = {2, 3, 1, 0}},
                                        {.nblk = 2, .idx = {1, 0}, .blk = {16, 16}},
                                        {.nblk = 2, .idx = {0, 1}, .blk = {16, 16}},
                                        {.nblk = 3, .idx = {0, 1, 0}, .blk = {4, 16, 4}},
                                        {.nblk = 1, .idx = {0}, .blk = {16}, .permuted = 1, .perm = {0, 2, 3, 1}}};
    static const hd_dims shapes[] = {{4, {2, 16, 5, 7}}, {4, {3, 19, 4, 4}}, {4, {32, 32, 3, 3}},  {4, {37, 5, 3, 3}},
                                     {4, {1, 1, 1, 1}},  {4, {0, 3, 2, 2}},  {4, {4, 64, 28, 28}}, {4, {40, 70, 1, 1}}};
    hd_context *ctx = test_context(1);
    (void)state;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
            for (size_t j = 0; j < sizeof layouts / sizeof *layouts; j++)
                check_reorder(ctx, &shapes[s], layouts[i], layouts[j]);
    hd_context_free(ctx);
}

/* Pictures that were made rows: the same memory, and changes of order that know it. */
static void test_rows(void **state) {
    static const hd_layout pictures[] = {{.nblk = 1, .idx = {1}, .blk = {16}},
                                         {.nblk = 1, .idx = {1}, .blk = {8}},
                                         {.permuted = 1, .perm = {0, 2, 3, 1}}};
    const hd_dims x = HD_DIMS(3, 32, 5, 7), flat = HD_DIMS(3, 32 * 35), odd = HD_DIMS(3, 24, 5, 7);
    hd_context *ctx = test_context(1);
    float *plain_x = calloc(3 * 32 * 35, 4), *a = calloc(3 * 32 * 35, 4), *b = calloc(3 * 32 * 35, 4);
    (void)state;
    for (int i = 0; i < 3 * 32 * 35; i++) plain_x[i] = (float)i;
    for (size_t i = 0; i < 3; i++) {
        hd_layout rows, back, none;
        assert_true(hd_layout_as_rows(&pictures[i], &x, &rows) && rows.places == 35);
        assert_true(hd_layout_as_picture(&rows, &x, &back) && hd_layout_equal(&back, &pictures[i]));
        assert_int_equal(hd_layout_count(&rows, &flat), 3 * 32 * 35);
        hd_layout_pack(&pictures[i], &x, 4, plain_x, a);
        hd_layout_pack(&rows, &flat, 4, plain_x, b);
        assert_memory_equal(a, b, 3 * 32 * 35 * 4);
        hd_layout_unpack(&rows, &flat, 4, a, b);
        assert_memory_equal(plain_x, b, 3 * 32 * 35 * 4);
        check_reorder(ctx, &flat, rows, (hd_layout){0});
        check_reorder(ctx, &flat, (hd_layout){0}, rows);
        assert_true(hd_layout_as_rows(&pictures[0], &x, &none));
        check_reorder(ctx, &flat, rows, none);
        const hd_dims other = HD_DIMS(3, 32, 5, 6);
        assert_false(hd_layout_as_picture(&rows, &other, &back));
    }
    hd_layout rows;
    assert_false(hd_layout_as_rows(&pictures[0], &odd, &rows)); /* padded */
    assert_false(hd_layout_as_rows(&(hd_layout){0}, &x, &rows));
    free(plain_x), free(a), free(b);
    hd_context_free(ctx);
}

static void check_move(hd_context *ctx, const char *name, const void *args, hd_dtype dtype, hd_dims x,
                       const hd_dims *y) {
    kit_case c = {.kernel = kernel_of(name), .args = args, .tolerance = 1e-30};
    kit_input(&c, dtype, x);
    if (y) kit_input(&c, dtype, *y);
    kit_check(ctx, &c);
}

static void check_moves(hd_context *ctx, void *arg) {
    static const hd_dtype dtypes[] = {HD_F32, HD_I64, HD_U8};
    (void)arg;
    for (size_t t = 0; t < 3; t++) {
        const hd_dtype d = dtypes[t];
        check_move(ctx, "cpu.transpose", NULL, d, HD_DIMS(3, 5), NULL);
        check_move(ctx, "cpu.transpose", NULL, d, HD_DIMS(300, 517), NULL);
        check_move(ctx, "cpu.transpose", &(hd_transpose_args){.axes = HD_DIMS(2, 0, -1, 1)}, d, HD_DIMS(3, 4, 5, 17),
                   NULL);
        check_move(ctx, "cpu.transpose", &(hd_transpose_args){.axes = HD_DIMS(0, 2, 1)}, d, HD_DIMS(20, 64, 70), NULL);
        check_move(ctx, "cpu.transpose", NULL, d, HD_DIMS(0, 5), NULL);
        check_move(ctx, "cpu.slice", &(hd_slice_args){.axis = HD_AXIS(1), .start = 1, .stop = -1}, d, HD_DIMS(4, 7, 3),
                   NULL);
        check_move(ctx, "cpu.slice", &(hd_slice_args){.axis = HD_AXIS(0), .start = -3, .step = 2}, d, HD_DIMS(9, 5),
                   NULL);
        check_move(ctx, "cpu.slice", &(hd_slice_args){.axis = -1, .start = 5, .stop = 900, .step = 3}, d,
                   HD_DIMS(200, 1000), NULL);
        check_move(ctx, "cpu.slice_grad", &(hd_slice_grad_args){.axis = -1, .start = 1, .stop = 8, .step = 3}, d,
                   HD_DIMS(2, 3), &HD_DIMS(2, 10));
        check_move(ctx, "cpu.slice_grad", &(hd_slice_grad_args){.axis = HD_AXIS(0), .start = -2}, d, HD_DIMS(2, 30000),
                   &HD_DIMS(5, 30000));
        check_move(ctx, "cpu.pad", &(hd_pad_args){.before = HD_DIMS(0, 1, 2), .after = HD_DIMS(3, 0, 1)}, d,
                   HD_DIMS(2, 3, 4), NULL);
        check_move(ctx, "cpu.assign", NULL, d, HD_DIMS(100, 1000), &HD_DIMS(100, 1000));
        for (int axis = 0; axis < 3; axis++) {
            kit_case c = {.kernel = kernel_of("cpu.concat"), .args = &(hd_concat_args){.axis = HD_AXIS(axis), .n = 3}};
            for (int i = 0; i < 3; i++) {
                hd_dims x = {3, {5, 40, 33}};
                x.dim[axis] = 7 * i;
                kit_input(&c, d, x);
            }
            kit_check(ctx, &c);
        }
    }
    check_move(ctx, "cpu.pad", &(hd_pad_args){.before = HD_DIMS(2, 2), .after = HD_DIMS(1, 2), .value = -1.5}, HD_F32,
               HD_DIMS(300, 400), NULL);
}

/* Channels in blocks: whole blocks move as they are, through joins and cuts; what cuts a block asks for plain order. */
static void check_blocks(hd_context *ctx, void *arg) {
    (void)arg;
    for (int axis = 0; axis < 4; axis++)
        for (int odd = 0; odd < 2; odd++) {
            kit_case c = {.kernel = kernel_of("cpu.concat"), .args = &(hd_concat_args){.axis = HD_AXIS(axis), .n = 3}};
            for (int i = 0; i < 3; i++) {
                hd_dims x = HD_DIMS(2, 32, 5, 7);
                x.dim[axis] = axis == 1 ? 16 * (i + 1) + 3 * odd : i + 1;
                c.layout[i] = HD_LAYOUT_NCHW16C;
                kit_input(&c, HD_F32, x);
            }
            kit_check(ctx, &c);
        }
    static const hd_slice_args cuts[] = {{.axis = HD_AXIS(1), .start = 16, .stop = 48, .step = 1},
                                         {.axis = HD_AXIS(1), .start = -32, .step = 1},
                                         {.axis = HD_AXIS(1), .start = 8, .stop = 40, .step = 1},
                                         {.axis = HD_AXIS(1), .start = 0, .stop = 64, .step = 2},
                                         {.axis = HD_AXIS(2), .start = 1, .stop = 6, .step = 2},
                                         {.axis = HD_AXIS(0), .start = 1, .step = 1}};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        kit_case c = {.kernel = kernel_of("cpu.slice"), .args = &cuts[i], .layout = {HD_LAYOUT_NCHW16C}};
        kit_input(&c, HD_F32, HD_DIMS(3, 64, 6, 5));
        kit_check(ctx, &c);
    }
}

static void test_moves(void **state) {
    (void)state;
    kit_each_isa(3, check_moves, NULL);
    kit_each_isa(3, check_blocks, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reorders), cmocka_unit_test(test_rows),
                                       cmocka_unit_test(test_moves)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
