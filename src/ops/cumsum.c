/* cumsum.c: running sum along an axis. Knows nothing of backends. */
#include "ops/scan_kit.h"

static void cumsum_ref(const hd_ref *r) {
    const hd_scan_args *a = r->attr;
    HD_FLOATS(r->out[0].dtype, HD_SCAN_LOOP(double sum = 0, sum += (double)x[at], sum))
    HD_INTEGERS(r->out[0].dtype, HD_SCAN_LOOP(uint64_t sum = 0, sum += (uint64_t)x[at], sum))
}

/* xⱼ counts in all later sums: they come back from the other end. */
static void cumsum_rule(hd_grad *c) {
    const hd_scan_args *a = c->attr;
    c->din[0] = hd_cumsum(c->dout[0], .axis = a->axis, .reverse = !a->reverse);
}

const hd_op hd_op_cumsum = {
    HD_SCAN_HEAD(cumsum),
    .infer = hd_infer_scan_number,
    .grad = cumsum_rule,
    .ref = cumsum_ref,
    .formula = "yᵢ = Σ xⱼ over j ≤ i along the axis (j ≥ i with reverse)",
    .source = "as torch.cumsum",
    .doc = "Running sum along an axis (the last, if not said). Floats add up in double precision; integers keep their "
           "type and wrap around.",
    .onnx = "CumSum",
    .samples = (const hd_sample[]){{"f32[2,3]={1 2 3 4 5 6}", "{1 3 6 4 9 15}"},
                                   {"f32[2,3]={1 2 3 4 5 6} | axis=0", "{1 2 3 5 7 9}"},
                                   {"i64[3]={1 2 3} | reverse=true", "{6 5 3}"},
                                   {"u8[2]={200 100}", "{200 44}"},
                                   {"f32[2,3,4] | axis=1", NULL},
                                   {"f32[2,3,4] | axis=-3 reverse=true", NULL},
                                   {"f32[3,0]", NULL},
                                   {0}},
    .bad = HD_SCAN_BAD,
};

HD_BUILDER(cumsum, hd_scan_args)
