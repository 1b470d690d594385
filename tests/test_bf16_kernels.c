/* test_bf16_kernels.c: every kernel that takes bf16, on every sample of its op, held against the definition in f32 of
 * the same numbers: as the pass for mixed precision asks for them, and with everything in bf16. */
#include "kernel_kit.h"
#include "op_case.h"

extern const hd_kernel hd_kernel_vec_rnn, hd_kernel_vec_rnn_grad;

/* Operands by bits, as in src/compile/mixed.c; ops that are not here are tried with all of them. */
static const struct {
    const char *op;
    unsigned in[3], out[3]; /* ended by in == 0 */
} forms[] = {
    {"linear", {3, 3, 7}, {0, 1, 1}},
    {"matmul", {3, 3}, {0, 1}},
    {"linear_grad_input", {3, 3, 7}, {0, 1, 1}},
    {"linear_grad_weight", {3}, {0}},
    {"conv2d", {3, 3, 7}, {0, 1, 1}},
    {"conv2d_grad_input", {3, 3, 7}, {0, 1, 1}},
    {"conv2d_grad_weight", {3}, {0}},
    {"conv2d_grad_params", {3}, {0}},
    {"batch_norm", {1}, {1}},
    {"batch_norm_act", {33}, {1}},
    {"batch_norm_act_grad", {33}, {1}},
    {"batch_norm_add_grad", {0x71}, {9}},
    {"batch_norm_infer", {1}, {1}},
    {"batch_norm_grad", {49}, {1}},
    {"rnn", {2, 2}, {0, 1}},
    {"rnn_grad", {2, 2}, {0, 1}},
    {"lstm", {2, 2}, {0, 1}},
    {"lstm_grad", {4, 4}, {0, 1}},
    {"gru", {2, 2}, {0, 1}},
    {"gru_grad", {4, 4, 4}, {0, 2, 3}},
    {"layer_norm", {1}, {1}},
    {"layer_norm_grad", {9}, {1}},
    {"rms_norm", {1}, {1}},
    {"rms_norm_grad", {5}, {1}},
    {"group_norm", {1}, {1}},
    {"group_norm_grad", {9}, {1}},
    {"scaled_dot_product_attention", {7}, {1}},
    {"scaled_dot_product_attention_grad", {0x2f}, {7}},
    {"packed_attention", {1}, {1}},
    {"packed_attention_grad", {11}, {1}},
};

/* These round their states, or gradients of gates, in every step: what a definition does not know. */
static const char *const rounding[] = {"rnn", "rnn_grad", "lstm", "lstm_grad", "gru", "gru_grad"};
static bool is_rounding(const char *op) {
    for (size_t i = 0; i < sizeof rounding / sizeof *rounding; i++)
        if (strcmp(rounding[i], op) == 0) return true;
    return false;
}

/* Sizes from which the library takes over. */
static const struct {
    const char *op, *text;
} large[] = {
    {"linear", "f32[66,97], f32[83,97], f32[83] | act=relu"},
    {"batch_norm", "f32[8,32,14,14], f32[32], f32[32], f32[32], f32[32] | act=relu"},
    {"batch_norm_grad", "f32[8,32,14,14], f32[32], f32[32], f32[32], f32[8,32,14,14]"},
    {"batch_norm_grad", "f32[8,32,14,14], f32[32], f32[32], f32[32], f32[8,32,14,14], f32[8,32,14,14] | act=relu"},
    {"batch_norm_act", "f32[8,32,14,14], f32[32], f32[32], f32[32], f32[32]:pos, f32[8,32,14,14] | clip=relu"},
    {"batch_norm_act_grad", "f32[8,32,14,14], f32[32]:pos, f32[32], f32[32], f32[32]:pos, f32[8,32,14,14]"},
    {"batch_norm_add_grad", "f32[8,32,14,14], f32[32], f32[32], f32[32]:pos, f32[8,32,14,14]:away, f32[8,32,14,14], "
                            "f32[8,32,14,14] | clip=relu"},
    {"chain", "f32[3,5000], f32[3,5000], f32[3,5000] | program=\"add(0,1) relu_grad(2,%0) silu(%1)\""},
    {"concat", "f32[4,32,7,7], f32[4,16,7,7] | axis=1"},
    {"linear", "f32[128,784], f32[96,784], f32[96] | act=tanh"},
    {"linear_grad_weight", "f32[66,97], f32[66,83]"},
    {"linear_grad_weight", "f32[64,1300], f32[64,1100]"},
    {"linear_grad_input", "f32[66,83], f32[83,97], f32[66,97] | act=tanh"},
    {"linear_grad_input", "f32[64,70], f32[70,1300], f32[64,1300] | act=relu"},
    {"linear_grad_input", "f32[66,83], f32[83,97]"},
    {"matmul", "f32[66,97], f32[97,83]"},
    {"matmul", "f32[97,66], f32[83,97] | trans_a=true trans_b=true"},
    {"matmul", "f32[3,64,64], f32[3,64,80]"},
    {"conv2d", "f32[8,32,14,14], f32[32,32,3,3], f32[32] | padding=1 act=relu"},
    {"conv2d", "f32[3,3,33,31], f32[32,3,5,5], f32[32] | stride=2 padding=2"},
    {"conv2d", "f32[2,1,28,28], f32[32,1,3,3], f32[32] | padding=1"},
    {"conv2d", "f32[1,64,14,14], f32[64,64,3,3], f32[64] | padding=1"},
    {"conv2d_grad_input", "f32[8,32,14,14], f32[32,32,3,3], f32[8,32,14,14] | padding=1"},
    {"conv2d_grad_weight", "f32[8,32,14,14], f32[8,32,14,14], f32[32,32,3,3] | padding=1"},
    {"conv2d_grad_params", "f32[8,32,14,14], f32[8,32,14,14], f32[32,32,3,3] | padding=1"},
    {"conv2d_grad_params", "f32[5,1,28,28], f32[5,32,28,28], f32[32,1,3,3] | padding=1"},
    {"conv2d_grad_params", "f32[2,128,7,7], f32[2,128,7,7], f32[128,128,3,3] | padding=1"},
    {"linear", "f32[530,302], f32[257,302], f32[257] | act=tanh"},
    {"linear", "f32[264,1602], f32[301,1602]"},
    {"linear_grad_input", "f32[290,258], f32[258,901], f32[290,901] | act=relu"},
    {"linear_grad_weight", "f32[901,257], f32[901,290]"},
    {"linear_grad_weight", "f32[1000,90], f32[1000,2001]"},
    {"matmul", "f32[290,602], f32[602,257]"},
    {"matmul", "f32[901,290], f32[901,257] | trans_a=true"},
    {"matmul", "f32[602,290], f32[257,602] | trans_a=true trans_b=true"},
    {"lstm", "f32[3,30,280]:unit, f32[280,70]:unit, f32[30,70]:unit, f32[30,70], -, i64[30]:below(4)"},
    {"lstm", "f32[2,3,1220]:unit, f32[1220,305]:unit"},
    {"lstm_grad", "f32[2,3,1220]:unit, f32[2,3,305]:unit, f32[1220,305]:unit, -, -, f32[2,3,305]"},
    {"gru", "f32[3,17,99]:unit, f32[99,33]:unit, f32[99], f32[17,33]:unit | reverse=true"},
    {"gru_grad", "f32[3,17,132]:unit, f32[3,17,33]:unit, f32[99,33]:unit, f32[17,33]:unit, f32[3,17,33]"},
};

typedef struct one_kernel {
    const hd_kernel *kernel;
    int ran;
    const char *refusal;
} one_kernel;

/* Where states come back through a large weight of a sample, a rounding grows from step to step. */
static void calm(op_case *c) {
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i].dims.rank == 2 && c->in[i].dims.dim[0] % c->in[i].dims.dim[1] == 0)
            for (int64_t j = 0; j < hd_dims_count(&c->in[i].dims); j++) ((float *)c->data[i])[j] /= 8;
}

static void check_form(hd_context *ctx, one_kernel *one, const op_case *c, unsigned in, unsigned out) {
    kit_case k = {.kernel = one->kernel, .args = c->attr, .may_refuse = true, .bf16_in = in, .bf16_out = out};
    k.tolerance = c->op->flags & HD_OP_ELEMENTWISE ? 2e-6 : 1e-5;
    if (is_rounding(c->op->name)) k.tolerance = 0.01;
    if (strstr(c->op->name, "attention")) k.tolerance = 5e-3; /* weights are rounded before they are multiplied */
    for (int i = 0; i < c->n_in; i++) {
        if (c->in[i].dims.rank < 0)
            kit_absent(&k);
        else
            kit_input_as(&k, c->in[i].dtype, c->in[i].dims, KIT_GIVEN, 0, c->data[i]);
    }
    if (kit_check(ctx, &k))
        one->ran++;
    else
        one->refusal = k.refusal;
}

static void check_sample(hd_context *ctx, one_kernel *one, const hd_op *op, const char *text) {
    op_case c;
    assert_true(op_case_read(&c, ctx, op, text, HD_F32));
    if (is_rounding(op->name)) calm(&c);
    bool found = false;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (strcmp(forms[i].op, op->name) != 0) continue;
        found = true;
        for (int f = 0; f < 3 && forms[i].in[f]; f++) check_form(ctx, one, &c, forms[i].in[f], forms[i].out[f]);
    }
    if (!found) check_form(ctx, one, &c, ~0u, ~0u);
    op_case_free(&c);
}

static void check_kernel(hd_context *ctx, void *arg) {
    one_kernel *one = arg;
    const hd_op *op = hd_op_find(NULL, one->kernel->op);
    assert_non_null(op);
    for (const hd_sample *s = op->samples; s && s->text; s++) check_sample(ctx, one, op, s->text);
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        if (strcmp(large[i].op, op->name) == 0) check_sample(ctx, one, op, large[i].text);
}

static void test_kernels(void **state) {
    (void)state;
    int n = 0;
    for (const hd_kernel *const *k = hd_kernels_default(); *k; k++) {
        one_kernel one = {.kernel = *k};
        if (!((*k)->flags & HD_K_BF16) || strcmp((*k)->op, "cast") == 0) continue; /* test_bf16.c has the casts */
        n++;
        const hd_op *op = hd_op_find(NULL, (*k)->op);
        kit_each_isa(2, check_kernel, &one);
        if (one.ran) continue;
        /* these leave bf16 to its emulation where the machine or the library does not multiply it */
        const bool library =
            strncmp((*k)->name, "onednn.", 7) == 0 || strstr((*k)->name, ".winograd") || strstr(op->name, "attention");
        const bool product = is_rounding(op->name) || strstr(op->name, "linear") || strcmp(op->name, "matmul") == 0;
        bool may_miss = (library || product) && !hd_cpu_bf16(hd_cpu_isa());
#ifndef HD_HAVE_DNNL
        may_miss |= library || product; /* then bf16 counts as emulated */
#endif
        if (!may_miss) fail_msg("%s ran on no sample: %s\n", (*k)->name, one.refusal ? one.refusal : "");
    }
    assert_true(n > 8);
}

/* States of small whole numbers are not rounded: every product must be exact, whatever number of units is left over. */
enum { UNITS = 131, LANES = 30, WALK = 3 };

static void check_whole(hd_context *ctx, void *arg) {
    static float x[WALK * LANES * UNITS], w[UNITS * UNITS];
    const int64_t units = ((const int64_t *)arg)[0], lanes = ((const int64_t *)arg)[1];
    for (int64_t i = 0; i < WALK * lanes * units; i++) x[i] = (float)(i * 7 % 5 - 2);
    memset(w, 0, sizeof w);
    for (int64_t j = 0; j < units; j++)
        for (int64_t l = 0; l < 3; l++) w[j * units + (j * 5 + l * l * 7 + 1) % units] = l == 1 ? -1.0f : 1.0f;
    const hd_dims rows = HD_DIMS(WALK, lanes, units);
    for (int back = 0; back < 2; back++) {
        const hd_rnn_args forward = {.nonlinearity = 1};
        const hd_rnn_grad_args backward = {.nonlinearity = 1};
        kit_case k = {.kernel = back ? &hd_kernel_vec_rnn_grad : &hd_kernel_vec_rnn, .may_refuse = true, .bf16_in = 2};
        k.args = back ? (void *)&backward : (void *)&forward;
        k.tolerance = 1e-7;
        kit_input_as(&k, HD_F32, rows, KIT_GIVEN, 0, x);
        kit_input_as(&k, HD_F32, HD_DIMS(units, units), KIT_GIVEN, 0, w);
        if (back) kit_input_as(&k, HD_F32, rows, KIT_GIVEN, 0, x);
        if (!kit_check(ctx, &k)) assert_string_equal(k.refusal, "bf16 is emulated here");
    }
}

static void test_whole_numbers(void **state) {
    (void)state;
    static int64_t size[][2] = {{1, 1}, {7, 2}, {16, 5}, {31, 14}, {32, 15}, {33, 16}, {65, 30}, {128, 3}, {UNITS, 9}};
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) kit_each_isa(2, check_whole, size[i]);
}

/* A kernel that knows only f32 is never asked. */
static void test_not_asked(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    for (const hd_kernel *const *k = hd_kernels_default(); *k; k++) {
        const hd_op *op = hd_op_find(NULL, (*k)->op);
        if (((*k)->flags & HD_K_BF16) || op->n_in < 1 || (op->flags & HD_OP_VARIADIC)) continue;
        const hd_operand operand[2] = {{.dtype = HD_BF16, .dims = HD_DIMS(4), .count = 4, .bytes = 8},
                                       {.dtype = HD_F32, .dims = HD_DIMS(4), .count = 4, .bytes = 16}};
        const hd_kctx c = {.ctx = ctx, .op = op, .n_in = 1, .n_out = 1, .in = operand, .out = operand + 1};
        assert_string_equal(hd_kernel_refuses(*k, &c), "not for bf16");
    }
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kernels), cmocka_unit_test(test_whole_numbers),
                                       cmocka_unit_test(test_not_asked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
