/* compare.c: a = b, a ≠ b, a < b, a ≤ b, a > b, a ≥ b, with broadcasting. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_COMPARE_OP(eq, a == b, .formula = "y = (a = b)", .source = "as torch.eq; NumPy's broadcasting", .onnx = "Equal",
              .doc = "True where a is equal to b; a comparison with NaN is false.",
              .samples = HD_BINARY_SAMPLES("", "", {"f32[3]={1 2 nan}, f32[3]={2 2 1}", "{0 1 0}"},
                                           {"i64[2,1]={-1 5}, i64[2]={0 5}", "{0 0 0 1}"},
                                           {"bool[2]={0 1}, bool[1]={1}", "{0 1}"}))
HD_COMPARE_OP(ne, a != b, .formula = "y = a ≠ b", .source = "as torch.ne; NumPy's broadcasting", .onnx = NULL,
              .doc = "True where a differs from b; a comparison with NaN is true.",
              .samples = HD_BINARY_SAMPLES("", "", {"f32[3]={1 2 nan}, f32[3]={2 2 1}", "{1 0 1}"},
                                           {"i64[2,1]={-1 5}, i64[2]={0 5}", "{1 1 1 0}"},
                                           {"bool[2]={0 1}, bool[1]={1}", "{1 0}"}))
HD_COMPARE_OP(lt, a < b, .formula = "y = a < b", .source = "as torch.lt; NumPy's broadcasting", .onnx = "Less",
              .doc = "True where a is less than b; a comparison with NaN is false.",
              .samples = HD_BINARY_SAMPLES("", "", {"f32[3]={1 2 nan}, f32[3]={2 2 1}", "{1 0 0}"},
                                           {"i64[2,1]={-1 5}, i64[2]={0 5}", "{1 1 0 0}"},
                                           {"bool[2]={0 1}, bool[1]={1}", "{1 0}"}))
HD_COMPARE_OP(le, a <= b, .formula = "y = a ≤ b", .source = "as torch.le; NumPy's broadcasting", .onnx = "LessOrEqual",
              .doc = "True where a is at most b; a comparison with NaN is false.",
              .samples = HD_BINARY_SAMPLES("", "", {"f32[3]={1 2 nan}, f32[3]={2 2 1}", "{1 1 0}"},
                                           {"i64[2,1]={-1 5}, i64[2]={0 5}", "{1 1 0 1}"},
                                           {"bool[2]={0 1}, bool[1]={1}", "{1 1}"}))
HD_COMPARE_OP(gt, a > b, .formula = "y = a > b", .source = "as torch.gt; NumPy's broadcasting", .onnx = "Greater",
              .doc = "True where a is greater than b; a comparison with NaN is false.",
              .samples = HD_BINARY_SAMPLES("", "", {"f32[3]={1 2 nan}, f32[3]={2 2 1}", "{0 0 0}"},
                                           {"i64[2,1]={-1 5}, i64[2]={0 5}", "{0 0 1 0}"},
                                           {"bool[2]={0 1}, bool[1]={1}", "{0 0}"}))
HD_COMPARE_OP(ge, a >= b, .formula = "y = a ≥ b", .source = "as torch.ge; NumPy's broadcasting",
              .onnx = "GreaterOrEqual", .doc = "True where a is at least b; a comparison with NaN is false.",
              .samples = HD_BINARY_SAMPLES("", "", {"f32[3]={1 2 nan}, f32[3]={2 2 1}", "{0 1 0}"},
                                           {"i64[2,1]={-1 5}, i64[2]={0 5}", "{0 0 1 1}"},
                                           {"bool[2]={0 1}, bool[1]={1}", "{0 1}"}))
