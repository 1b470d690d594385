/* test_op_kernels.c: every kernel of the default backend on every sample of its op, held against the definition: on one
 * thread and on the pool, with poisoned outputs, in place where it says it can, for each instruction set. */
#include "kernel_kit.h"
#include "op_case.h"

#include "backends/onednn/dnnl_api.h"

typedef struct tally {
    int ran;
    double error;        /* the largest, of the largest value */
    const char *refusal; /* the last */
} tally;

/* Of the largest result: a few roundings where elements stand alone; sums in another order, and Winograd, lose more. */
static double tolerance_of(const hd_op *op) {
    return op->flags & HD_OP_ELEMENTWISE ? 2e-6 : 1e-5;
}

static void check_sample(hd_context *ctx, const hd_kernel *kernel, const hd_op *op, const hd_sample *s, tally *count) {
    op_case c;
    assert_true(op_case_read(&c, ctx, op, s->text, HD_F32));
    const int modes = strncmp(op->name, "conv2d", 6) == 0 ? 2 : 1; /* exact matters to convolutions alone */
    for (int exact = 0; exact < modes; exact++) {
        kit_case k = {.kernel = kernel, .args = c.attr, .may_refuse = true, .exact = exact};
        k.tolerance = tolerance_of(op);
        for (int i = 0; i < c.n_in; i++) {
            if (c.in[i].dims.rank < 0)
                kit_absent(&k);
            else
                kit_input_as(&k, c.in[i].dtype, c.in[i].dims, KIT_GIVEN, 0, c.data[i]);
        }
        if (kit_check(ctx, &k))
            count->ran++;
        else
            count->refusal = k.refusal;
        count->error = fmax(count->error, k.largest_error);
    }
    op_case_free(&c);
}

/* Sizes from which kernels for large work take over or share it among tasks: too large for the slow checks that samples
 * go through. */
static const struct {
    const char *op;
    hd_sample sample;
} large[] = {
    {"linear", {"f32[66,97], f32[83,97], f32[83] | act=relu", NULL}},
    {"linear_grad_weight", {"f32[66,97], f32[66,83]", NULL}},
    {"linear_grad_input", {"f32[66,83], f32[83,97], f32[66,97] | act=tanh", NULL}},
    {"linear", {"f32[290,301], f32[257,301], f32[257] | act=relu", NULL}},
    {"linear_grad_weight", {"f32[251,257], f32[251,290]", NULL}},
    {"linear_grad_input", {"f32[290,257], f32[257,301], f32[290,301] | act=tanh", NULL}},
    {"matmul", {"f32[290,301], f32[301,257]", NULL}},
    {"matmul", {"f32[66,97], f32[97,83]", NULL}},
    {"matmul", {"f32[97,66], f32[83,97] | trans_a=true trans_b=true", NULL}},
    {"matmul", {"f32[3,64,64], f32[3,64,80]", NULL}},
    {"conv2d", {"f32[8,32,14,14], f32[32,32,3,3], f32[32] | padding=1 act=relu", NULL}},
    {"conv2d", {"f32[3,3,33,31], f32[32,3,5,5], f32[32] | stride=2 padding=2", NULL}},
    {"conv2d_grad_input", {"f32[8,32,14,14], f32[32,32,3,3], f32[8,32,14,14] | padding=1", NULL}},
    {"conv2d_grad_weight", {"f32[8,32,14,14], f32[8,32,14,14], f32[32,32,3,3] | padding=1", NULL}},
    {"conv2d_grad_params", {"f32[8,32,14,14], f32[8,32,14,14], f32[32,32,3,3] | padding=1", NULL}},
    {"softmax", {"f32[130,1000]", NULL}},
    {"cross_entropy", {"f32[300,33], i64[300]:below(33)", NULL}},
    {"sum", {"f32[40,50,60] | axes=[1]", NULL}},
    {"add", {"f32[300,1,70], f32[40,70]", NULL}},
    {"batch_norm", {"f32[16,32,9,9], f32[32]:pos, f32[32], f32[32], f32[32]:pos | act=relu", NULL}},
    {"max_pool2d", {"f32[4,33,28,28]:distinct | kernel_size=2", NULL}},
    {"min", {"f32[40,50,60] | axes=[1]", NULL}},
    {"prod", {"f32[200,3,150]:away | axes=[1]", NULL}},
    {"norm", {"f32[600,133] | axes=[1]", NULL}},
    {"var", {"f32[40,60,40] | axes=[0,2]", NULL}},
    {"std", {"f32[600,133] | axes=[1]", NULL}},
    {"logsumexp", {"f32[600,133] | axes=[1]", NULL}},
    {"argmax", {"f32[600,133]:distinct | axis=-1", NULL}},
    {"argmin", {"f32[600,133]:distinct | axis=-1", NULL}},
    {"nll", {"f32[300,33,9], i64[300,9]:below(33), f32[33]:pos | ignore_index=3", NULL}},
    {"nll_grad", {"f32[300,33,9], i64[300,9]:below(33), f32[], f32[33]:pos | label_smoothing=0.1", NULL}},
    {"cross_entropy", {"f32[10,33,250], i64[10,250]:below(33), f32[33]:pos | label_smoothing=0.1", NULL}},
    {"cross_entropy", {"f32[2000,33], i64[2000]:below(33), f32[33]:pos | reduction=sum", NULL}},
    {"huber", {"f32[70001], f32[70001]", NULL}},
    {"cosine_similarity", {"f32[600,133], f32[600,133] | axis=-1", NULL}},
    {"pairwise_distance", {"f32[600,133], f32[600,133]", NULL}},
    {"triplet_margin", {"f32[600,133], f32[600,133], f32[600,133] | swap=true", NULL}},
    {"margin_ranking", {"f32[70001], f32[70001], f32[70001] | margin=0.5", NULL}},
    {"eq", {"i64[70,1001], i64[1001]", NULL}},
    {"logical_and", {"bool[70,1001]:bool, bool[70,1]:bool", NULL}},
    {"where", {"bool[70,1]:bool, f32[70,1001], f32[1001]", NULL}},
    {"lerp", {"f32[70,1001], f32[70,1001], f32[70,1]", NULL}},
    {"prelu", {"f32[16,20,15,15]:away, f32[20]", NULL}},
    {"sub", {"f32[70,1,33], f32[31,1]", NULL}},
    {"pow", {"f32[70001]:pos | exponent=1.7", NULL}},
    {"tril", {"f32[5,130,131] | diagonal=2", NULL}},
    {"triu", {"f32[5,130,131] | diagonal=-3", NULL}},
    {"glu", {"f32[300,260] | axis=1", NULL}},
    {"pad_grad", {"f32[45,44,43], f32[45,40,40] | before=[0,2,1] after=[0,2,2] mode=reflect", NULL}},
    {"resample", {"f32[40,30,40] | axis=1 size=45 mode=cubic", NULL}},
    {"resample_grad", {"f32[40,45,40] | axis=1 size=30 mode=linear", NULL}},
    {"one_hot", {"i64[3000]:below(33) | num_classes=33 dtype=f32", NULL}},
    {"unfold2d", {"f32[9,3,20,20] | kernel_size=3 padding=1", NULL}},
    {"fold2d", {"f32[9,27,400] | output_size=20 kernel_size=3 padding=1", NULL}},
    {"local_response_norm", {"f32[4,24,30,30] | size=5 alpha=0.5", NULL}},
    {"local_response_norm_grad", {"f32[4,24,30,30], f32[4,24,30,30] | size=5 alpha=0.5", NULL}},
    {"layer_norm", {"f32[300,257], f32[257]:pos, f32[257]", NULL}},
    {"layer_norm_grad", {"f32[300,257], f32[300,1], f32[300,1]:pos, f32[300,257], f32[257]", NULL}},
    {"rms_norm_grad", {"f32[300,257], f32[300,1]:pos, f32[300,257], f32[257]", NULL}},
    {"group_norm", {"f32[20,12,19,17], f32[12]:pos, f32[12] | num_groups=3", NULL}},
    {"group_norm_grad",
     {"f32[20,12,19,17], f32[20,3], f32[20,3]:pos, f32[20,12,19,17], f32[12]:pos | num_groups=3", NULL}},
    {"dropout", {"f32[70000], i64[2]={7 3} | p=0.25 stream=2", NULL}},
    {"adam_update",
     {"f32[70001], f32[70001], f64[5]={0.01 7 0.01 1 1}, f32[]={0.7}, f32[70001], f32[70001]:pos", NULL}},
};

typedef struct one_kernel {
    const hd_kernel *kernel;
    tally count; /* over all instruction sets */
} one_kernel;

static void check_kernel(hd_context *ctx, void *arg) {
    one_kernel *one = arg;
    const hd_op *op = hd_op_find(NULL, one->kernel->op);
    if (!op) fail_msg("%s: there is no op %s", one->kernel->name, one->kernel->op);
    for (const hd_sample *s = op->samples; s && s->text; s++) check_sample(ctx, one->kernel, op, s, &one->count);
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        if (strcmp(large[i].op, op->name) == 0) check_sample(ctx, one->kernel, op, &large[i].sample, &one->count);
}

/* Kernels that this build's oneDNN does not have: all of them, or Winograd's from version 3 on. */
static bool absent(const hd_kernel *kernel) {
    char version[32];
    if (strncmp(kernel->name, "onednn.", 7) != 0) return false;
    return !hd_dnnl_version_text(version) || (version[0] != '2' && strstr(kernel->name, "winograd"));
}

static void test_kernels(void **state) {
    (void)state;
    int n = 0, idle = 0;
    for (const hd_kernel *const *k = hd_kernels_default(); *k; k++, n++) {
        one_kernel one = {.kernel = *k};
        if (strstr((*k)->name, ".bf16")) continue; /* take nothing else: test_bf16_kernels.c has them */
        kit_each_isa(2, check_kernel, &one);
        if (one.count.ran) print_message("%s %.1e\n", one.kernel->name, one.count.error); /* docs/performance.md */
        if (one.count.ran || absent(*k)) continue;
        print_message("%s ran on no sample: %s\n", one.kernel->name, one.count.refusal ? one.count.refusal : "");
        idle++;
    }
    if (idle && hd_cpu_isa() == HD_ISA_AVX512) fail_msg("%d kernels were never tried", idle);
    print_message("%d kernels\n", n);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kernels)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
