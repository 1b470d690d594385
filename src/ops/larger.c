/* larger.c: which of two numbers is the larger, as a share: the gradient of maximum and minimum. Knows nothing of
 * backends. */
#include "ops/elementwise_kit.h"

static void larger_ref(const hd_ref *r){HD_BINARY_EACH(HD_FLOATS, double,
                                                       a < b    ? 0
                                                       : a == b ? 0.5
                                                                : 1)}

HD_ELEMENTWISE_OP(
    larger, hd_binary_args, HD_OP_BROADCAST | HD_OP_INPLACE | HD_OP_KINK, hd_infer_binary_float, hd_bad_binary_float,
    HD_BINARY_FIELDS, HD_IN_STEPS, .formula = "y = 1, ½ or 0 as a > b, a = b or a < b",
    .source = "derivative of torch.maximum by a",
    .doc =
        "The share of a in what flows back through the larger of a and b: shared evenly at ties; 1 where one is NaN.",
    .samples = HD_BINARY_SAMPLES(":away", ":away", {"f32[4]={1 2 3 nan}, f32[4]={2 2 2 2}", "{0 0.5 1 1}"}))
