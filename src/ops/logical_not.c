/* logical_not.c: the opposite of a truth value. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

static hd_status logical_not_infer(hd_infer *c) {
    c->out[0] = (hd_type){HD_BOOL, c->in[0].dims};
    return HD_OK;
}
static const hd_bad_sample none[] = {{0}}; /* whatever comes is true or false */

HD_TEST_OP(logical_not, logical_not_infer, none, x == 0, .formula = "y = ¬x", .source = "as torch.logical_not",
           .doc = "True where an element is 0 (false).", .onnx = "Not",
           .samples = HD_UNARY_SAMPLES("", {"f32[3]={1 0 nan}", "{0 1 0}"}, {"bool[2]={0 1}", "{1 0}"}))
