/* test_bf16.c: bf16 as a dtype: the conversions over all patterns and all ties, on every instruction set; every op's
 * definition in bf16 against its definition in f32. */
#include "kernel_kit.h"
#include "op_case.h"

#include "hadal/program.h"

static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static bool is_nan(uint16_t h) {
    return (h & 0x7fff) > 0x7f80;
}

/* ---- conversions ---- */

static void test_all_patterns(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 65536; i++) {
        const uint16_t h = (uint16_t)i;
        const float x = hd_bf16_to_f32(h);
        assert_int_equal(bits_of(x), i << 16);
        const uint16_t quiet = is_nan(h) ? (uint16_t)(h | 0x40) : h; /* there and back */
        assert_int_equal(hd_bf16_from_f32(x), quiet);
        if (!is_nan(h)) assert_int_equal(hd_bf16_from_f64((double)x), quiet);
        assert_true(is_nan(h) == isnan(x));
        if (is_nan(h)) assert_true(is_nan(hd_bf16_from_f64((double)x)));
    }
}

/* Between each number and the next one: below the middle, the middle (to the even one), above it. */
static void test_rounding(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 65536; i++) {
        const uint16_t low = (uint16_t)i, high = (uint16_t)(i + 1), even = i & 1 ? high : low;
        if ((low & 0x7fff) >= 0x7f80) continue; /* no numbers; the largest one's neighbour is infinity */
        const uint32_t middle = i << 16 | 0x8000;
        assert_int_equal(hd_bf16_from_f32(float_of(middle - 1)), low);
        assert_int_equal(hd_bf16_from_f32(float_of(middle)), even);
        assert_int_equal(hd_bf16_from_f32(float_of(middle + 1)), high);
        const double tie = (double)float_of(middle), step = tie * 0x1p-50; /* far less than f32 sees */
        assert_int_equal(hd_bf16_from_f64(tie), even);
        if ((low & 0x7fff) < 0x100) continue; /* where step would be no normal number */
        assert_int_equal(hd_bf16_from_f64(tie - step), low);
        assert_int_equal(hd_bf16_from_f64(tie + step), high);
    }
    for (uint32_t low = 1; low < 0x10000; low++) { /* a NaN whose bits are all in the lower half stays one */
        assert_true(is_nan(hd_bf16_from_f32(float_of(0x7f800000 | low))));
        assert_true(is_nan(hd_bf16_from_f32(float_of(0xff800000 | low))));
    }
    assert_int_equal(hd_bf16_from_f64(0), 0);
    assert_int_equal(hd_bf16_from_f64(-0.0), 0x8000);
    assert_int_equal(hd_bf16_from_f64(1e300), 0x7f80);
    assert_int_equal(hd_bf16_from_f64(-1e300), 0xff80);
    assert_int_equal(hd_bf16_from_f64(1e-300), 0);
}

/* ---- the kernel of cast ---- */

static void run_cast(hd_context *ctx, hd_dtype from, hd_dtype to, const void *x, void *y, int64_t n) {
    hd_graph *g;
    hd_program *p;
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    const hd_val v = hd_cast(hd_input(g, "x", from, HD_DIMS(n)), .dtype = HD_DTYPE(to));
    hd_mark_output(v, "y");
    if (hd_compile(&p, hd_forward(v), HD_DEVICE_AUTO) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    assert_int_equal(hd_program_set(p, "x", x), HD_OK);
    assert_int_equal(hd_program_run(p), HD_OK);
    memcpy(y, hd_program_get(p, "y"), (size_t)n * hd_dtype_size(to));
    hd_program_free(p);
    hd_graph_free(g);
}

static void check_cast(hd_context *ctx, void *arg) {
    enum { N = 65536, FINE = 16 };
    (void)arg;
    uint16_t *h = malloc(N * FINE * sizeof *h);
    float *x = malloc(N * FINE * sizeof *x);
    assert_true(h && x);
    for (uint32_t i = 0; i < N; i++) h[i] = (uint16_t)i;
    run_cast(ctx, HD_BF16, HD_F32, h, x, N);
    for (uint32_t i = 0; i < N; i++) assert_int_equal(bits_of(x[i]), i << 16);
    static const uint32_t lower[FINE] = {0,      1,      2,      0x3fff, 0x4000, 0x7ffe, 0x7fff, 0x8000,
                                         0x8001, 0x8002, 0xbfff, 0xc000, 0xfffd, 0xfffe, 0xffff, 0x1234};
    for (uint32_t i = 0; i < N * FINE; i++) x[i] = float_of(i / FINE << 16 | lower[i % FINE]);
    run_cast(ctx, HD_F32, HD_BF16, x, h, N * FINE);
    for (uint32_t i = 0; i < N * FINE; i++) assert_int_equal(h[i], hd_bf16_from_f32(x[i]));
    free(h);
    free(x);
}

static void test_cast(void **state) {
    (void)state;
    kit_each_isa(2, check_cast, NULL);
}

/* ---- weights from blocks of f32 to pairs of bf16 ---- */

extern const hd_kernel hd_kernel_vec_cast_pairs;

static hd_operand pairs_operand(hd_dtype dtype, hd_dims dims, hd_layout layout) {
    return (hd_operand){.dtype = dtype,
                        .dims = dims,
                        .layout = layout,
                        .count = hd_dims_count(&dims),
                        .bytes = (size_t)hd_layout_count(&layout, &dims) * hd_dtype_size(dtype)};
}

/* 40 and 24 channels: padded to whole blocks. */
static void check_pairs(hd_context *ctx, void *arg) {
    enum { MOST = 48 * 32 * 3 };
    static const hd_layout to[] = {
        {.nblk = 3, .idx = {1, 0, 1}, .blk = {8, 16, 2}},
        {.nblk = 3, .idx = {0, 1, 0}, .blk = {8, 16, 2}},
        {.nblk = 3, .idx = {0, 1, 0}, .blk = {8, 16, 2}, .permuted = 1, .perm = {2, 3, 1, 0}}};
    static const hd_layout blocks = {.nblk = 2, .idx = {1, 0}, .blk = {16, 16}};
    float plain[40 * 24 * 3], *x = aligned_alloc(64, MOST * sizeof *x);
    uint16_t half[40 * 24 * 3], want[MOST], *y = aligned_alloc(64, MOST * sizeof *y);
    const hd_dims dims = HD_DIMS(40, 24, 3, 1);
    assert_true(x && y);
    (void)arg;
    for (int i = 0; i < 40 * 24 * 3; i++)
        plain[i] = (float)(i % 251 - 100) * 1.37e-3f, half[i] = hd_bf16_from_f32(plain[i]);
    hd_layout_pack(&blocks, &dims, sizeof *x, plain, x);
    for (int i = 0; i < 3; i++) {
        const hd_operand operand[2] = {pairs_operand(HD_F32, dims, blocks), pairs_operand(HD_BF16, dims, to[i])};
        hd_arena arena = {.ctx = ctx};
        hd_kctx k = {.ctx = ctx, .arena = &arena, .op = hd_op_find(NULL, "cast"), .n_in = 1, .n_out = 1};
        k.in = operand, k.out = operand + 1, k.isa = ctx->isa;
        hd_prepared p = {0};
        assert_null(hd_kernel_refuses(&hd_kernel_vec_cast_pairs, &k));
        assert_int_equal(hd_kernel_vec_cast_pairs.prepare(&k, &p), HD_OK);
        void *in = x, *out = y;
        hd_exec e = {.state = p.state, .in = &in, .out = &out};
        memset(y, 0x55, MOST * sizeof *y);
        for (int64_t t = 0; t < p.phase[0].tasks; t++) p.phase[0].run(&e, t);
        hd_layout_pack(&to[i], &dims, sizeof *y, half, want);
        assert_memory_equal(y, want, operand[1].bytes);
        hd_arena_free(&arena);
    }
    free(x);
    free(y);
}

static void test_pairs(void **state) {
    (void)state;
    kit_each_isa(1, check_pairs, NULL);
}

/* ---- every definition ---- */

typedef struct run {
    op_case c;
    hd_graph *g;
    hd_program *p;
    hd_val out[HD_OP_MAX_OUT];
} run;

/* The op alone, by its definition. */
static void run_open(run *r, hd_context *ctx) {
    hd_val vals[OP_CASE_MOST];
    char name[16];
    assert_int_equal(hd_graph_new(&r->g, ctx), HD_OK);
    r->out[0] = op_case_build(&r->c, r->g, HD_HERE, vals);
    for (int o = 0; o < r->c.op->n_out; o++) {
        (void)snprintf(name, sizeof name, "o%d", o);
        r->out[o] = hd_output(r->out[0], o);
        hd_mark_output(r->out[o], name);
    }
    const hd_compile_args args = {.backend = "ref", .train = true, .passes_off = "simplify,fuse,chain,flatten"};
    if (hd_compile_with(&r->p, hd_forward(r->out[0]), &args) != HD_OK)
        fail_msg("%s: sample \"%s\": %s", r->c.op->name, r->c.text, hd_last_error(ctx));
    for (int i = 0; i < r->c.n_in; i++) {
        if (r->c.in[i].dims.rank < 0) continue;
        if (op_changes(r->c.op, i))
            assert_int_equal(
                hd_store_set(hd_program_store(r->p), op_input_name(i), r->c.data[i], op_bytes(&r->c.in[i])), HD_OK);
        else
            (void)!hd_program_set(r->p, op_input_name(i), r->c.data[i]); /* may not be read: like of shapes */
    }
    assert_int_equal(hd_program_run(r->p), HD_OK);
}

static void run_close(run *r) {
    hd_program_free(r->p);
    hd_graph_free(r->g);
    op_case_free(&r->c);
}

/* Of f32 numbers that bf16 holds, bf16 gives what f32 gives, rounded once: accumulation is that of f32. */
static void check_sample(hd_context *ctx, const hd_op *op, const hd_sample *s, int *rounded) {
    run narrow = {0}, wide = {0};
    assert_true(op_case_read(&narrow.c, ctx, op, s->text, HD_BF16));
    assert_true(op_case_read(&wide.c, ctx, op, s->text, HD_F32));
    for (int i = 0; i < wide.c.n_in; i++) {
        if (wide.c.in[i].dtype != HD_F32 || wide.c.in[i].dims.rank < 0) continue;
        const int64_t n = hd_dims_count(&wide.c.in[i].dims);
        for (int64_t j = 0; j < n; j++)
            ((float *)wide.c.data[i])[j] = hd_bf16_to_f32(((const uint16_t *)narrow.c.data[i])[j]);
    }
    run_open(&narrow, ctx);
    run_open(&wide, ctx);
    for (int o = 0; o < op->n_out; o++) {
        const hd_dtype t = hd_val_dtype(narrow.out[o]), u = hd_val_dtype(wide.out[o]);
        char name[16];
        (void)snprintf(name, sizeof name, "o%d", o);
        const void *y = hd_program_get(narrow.p, name), *want = hd_program_get(wide.p, name);
        assert_true(y && want);
        const hd_type type = hd_program_type(narrow.p, name);
        for (int64_t j = 0; j < hd_dims_count(&type.dims); j++) {
            double w = op_number(u, want, j), got = op_number(t, y, j);
            if (t == HD_BF16) w = (double)hd_bf16_to_f32(hd_bf16_from_f64(w));
            if (got != w && !(isnan(got) && isnan(w)))
                fail_msg("%s: sample \"%s\": output %d, element %lld is %.9g in %s, rounded from f32 it is %.9g",
                         op->name, s->text, o, (long long)j, got, hd_dtype_name(t), w);
        }
        *rounded += t == HD_BF16;
    }
    run_close(&narrow);
    run_close(&wide);
}

static void test_definitions(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    int samples = 0, rounded = 0;
    for (int i = 0; hd_op_at(i); i++) {
        const hd_op *op = hd_op_at(i);
        if (op->flags & HD_OP_PLACED) continue; /* runs as part of a plan only */
        for (const hd_sample *s = op->samples; s->text; s++, samples++) {
            if (strcmp(op->name, "cast") == 0 && strncmp(s->text, "bf16", 4) == 0) continue; /* has no f32 twin */
            check_sample(ctx, op, s, &rounded);
        }
    }
    assert_true(samples > 200);
    assert_true(rounded > 200);
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_patterns), cmocka_unit_test(test_rounding),    cmocka_unit_test(test_cast),
        cmocka_unit_test(test_pairs),        cmocka_unit_test(test_definitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
