/* step.c: y = 1 above 0, else 0: the activation of the perceptron. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_STEPS_OP(step, x > 0 || isnan(x) ? (isnan(x) ? x : 1) : 0, !negative && x != 0, .formula = "y = x > 0 ? 1 : 0",
            .source = "Rosenblatt: The perceptron, Psychological Review 1958",
            .doc = "The output of a perceptron: 1 where x is positive, else 0. Nothing flows back through it.",
            .samples = HD_UNARY_SAMPLES(":away", {"f32[3]={-1 0 2}", "{0 0 1}"}, {"i64[3]={-3 0 9}", "{0 0 1}"}))
