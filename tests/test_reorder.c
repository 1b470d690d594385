/* The reorder kernel between every two of many layouts, for elements of every size: against the slow way that loading
 * and saving use. */
#include "support.h"

#include "base/pool.h"
#include "compile/kernel.h"
#include "ops/fused.h"

extern const hd_kernel hd_kernel_cpu_reorder;

static const hd_layout layouts[] = {
    {0},
    {.nblk = 1, .idx = {1}, .blk = {16}},
    {.nblk = 1, .idx = {1}, .blk = {8}},
    {.permuted = 1, .perm = {0, 2, 3, 1}},
    {.permuted = 1, .perm = {2, 3, 0, 1}},
    {.nblk = 2, .idx = {1, 0}, .blk = {16, 16}},
    {.nblk = 2, .idx = {0, 1}, .blk = {16, 16}},
    {.nblk = 1, .idx = {0}, .blk = {16}, .permuted = 1, .perm = {0, 2, 3, 1}},
    {.nblk = 3, .idx = {1, 0, 1}, .blk = {4, 16, 2}},
    {.nblk = 1, .idx = {0}, .blk = {48}}, /* does not nest with 16s of another order */
};
enum { LAYOUTS = sizeof layouts / sizeof *layouts };

static void check(hd_context *ctx, hd_dims dims, hd_dtype dtype, const hd_layout *from, const hd_layout *to) {
    const size_t size = hd_dtype_size(dtype), plain = (size_t)hd_dims_count(&dims) * size;
    hd_arena arena = {.ctx = ctx};
    const hd_operand in = {dtype, dims, *from, hd_dims_count(&dims), (size_t)hd_layout_count(from, &dims) * size};
    const hd_operand out = {dtype, dims, *to, hd_dims_count(&dims), (size_t)hd_layout_count(to, &dims) * size};
    hd_kctx k = {.ctx = ctx, .arena = &arena, .op = &hd_op_reorder, .n_in = 1, .n_out = 1, .in = &in, .out = &out};
    unsigned char *x = malloc(plain + 1), *source = malloc(in.bytes + 1), *want = malloc(out.bytes + 1);
    unsigned char *got = malloc(out.bytes + 1), *scratch = malloc(plain + 1);
    for (size_t i = 0; i < plain; i++) x[i] = (unsigned char)(i * 7919 >> 3);
    hd_layout_pack(from, &dims, size, x, source);
    hd_layout_pack(to, &dims, size, x, want);
    memset(got, 0xff, out.bytes + 1);
    hd_prepared p = {0};
    assert_int_equal(hd_kernel_cpu_reorder.prepare(&k, &p), HD_OK);
    assert_true(p.scratch <= plain);
    void *ins[] = {source}, *outs[] = {got};
    hd_exec e = {.state = p.state, .in = ins, .out = outs, .scratch = (char *)scratch};
    for (int i = 0; i < p.phases; i++) hd_pool_run(ctx->pool, p.phase[i].run, &e, p.phase[i].tasks);
    char a[64], b[64];
    if (memcmp(got, want, out.bytes) != 0)
        fail_msg("%s to %s", hd_layout_text(a, from, dims.rank), hd_layout_text(b, to, dims.rank));
    assert_int_equal(got[out.bytes], 0xff);
    free(x), free(source), free(want), free(got), free(scratch);
    hd_arena_free(&arena);
}

static void every_pair_of_layouts(void **state) {
    (void)state;
    hd_context *ctx;
    assert_int_equal(hd_context_new(&ctx, &(hd_context_args){.threads = 3}), HD_OK);
    const hd_dims dims[] = {HD_DIMS(32, 16, 3, 3), HD_DIMS(2, 48, 5, 7), HD_DIMS(96, 32, 1, 1), HD_DIMS(1, 16, 40, 30),
                            HD_DIMS(3, 20, 4, 4)};
    const hd_dtype types[] = {HD_F32, HD_F64, HD_U8};
    for (int i = 0; i < LAYOUTS; i++)
        for (int j = 0; j < LAYOUTS; j++)
            for (size_t d = 0; d < sizeof dims / sizeof *dims; d++)
                for (size_t t = 0; t < sizeof types / sizeof *types; t++)
                    check(ctx, dims[d], types[t], &layouts[i], &layouts[j]);
    check(ctx, HD_DIMS(100000), HD_F32, &layouts[0], &layouts[0]);
    check(ctx, HD_DIMS(9000, 20, 1, 1), HD_F32, &layouts[1], &layouts[5]); /* too long for a table on the stack */
    check(ctx, HD_DIMS(0, 3), HD_F32, &layouts[0], &layouts[0]);
    check(ctx, (hd_dims){0}, HD_F32, &layouts[0], &layouts[0]);
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_pair_of_layouts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
