/* logical.c: and, or, xor and not of truth values, where everything but 0 is true. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_COMPARE_OP(logical_and, a != 0 && b != 0, .formula = "y = a ∧ b",
              .source = "as torch.logical_and; NumPy's broadcasting", .onnx = "And",
              .doc = "True where both are true: everything but 0 is.",
              .samples = HD_BINARY_SAMPLES("", "", {"f32[4]={1 2 0 0}, f32[4]={0 2 0 -1}", "{0 1 0 0}"},
                                           {"bool[2,1]={0 1}, bool[2]={0 1}", "{0 0 0 1}"}))
HD_COMPARE_OP(logical_or, a != 0 || b != 0, .formula = "y = a ∨ b",
              .source = "as torch.logical_or; NumPy's broadcasting", .onnx = "Or",
              .doc = "True where one or both are true: everything but 0 is.",
              .samples = HD_BINARY_SAMPLES("", "", {"f32[4]={1 2 0 0}, f32[4]={0 2 0 -1}", "{1 1 0 1}"},
                                           {"bool[2,1]={0 1}, bool[2]={0 1}", "{0 1 1 1}"}))
HD_COMPARE_OP(logical_xor, (a != 0) != (b != 0), .formula = "y = a ⊕ b",
              .source = "as torch.logical_xor; NumPy's broadcasting", .onnx = "Xor",
              .doc = "True where one is true and the other is not: everything but 0 is.",
              .samples = HD_BINARY_SAMPLES("", "", {"f32[4]={1 2 0 0}, f32[4]={0 2 0 -1}", "{1 0 0 1}"},
                                           {"bool[2,1]={0 1}, bool[2]={0 1}", "{0 1 1 0}"}))
