/* cumprod.c: running product along an axis. Knows nothing of backends. */
#include "ops/scan_kit.h"

static void cumprod_ref(const hd_ref *r) {
    const hd_scan_args *a = r->attr;
    HD_FLOATS(r->out[0].dtype, HD_SCAN_LOOP(double p = 1, p *= (double)x[at], p))
    HD_INTEGERS(r->out[0].dtype, HD_SCAN_LOOP(uint64_t p = 1, p *= (uint64_t)x[at], p))
}

/* dxₖ = (Π of those before k) · Sₖ with Sₖ = dyₖ + xₖ₊₁ Sₖ₊₁: no division, so zeros are no harm. */
static void cumprod_rule(hd_grad *c) {
    const hd_scan_args *a = c->attr;
    const int64_t on = a->reverse ? -1 : 1;
    const hd_val x = c->in[0], before = hd_shift(x, .axis = a->axis, .by = on, .value = 1);
    const hd_val next = hd_shift(x, .axis = a->axis, .by = -on);
    const hd_val sums = hd_linear_recurrence(next, c->dout[0], .axis = a->axis, .reverse = !a->reverse);
    c->din[0] = hd_mul(hd_cumprod(before, .axis = a->axis, .reverse = a->reverse), sums);
}

const hd_op hd_op_cumprod = {
    HD_SCAN_HEAD(cumprod),
    .infer = hd_infer_scan_number,
    .grad = cumprod_rule,
    .ref = cumprod_ref,
    .formula = "yᵢ = Π xⱼ over j ≤ i along the axis (j ≥ i with reverse)",
    .source = "as torch.cumprod",
    .doc = "Running product along an axis (the last, if not said). The gradient is right where elements are 0.",
    .samples = (const hd_sample[]){{"f32[2,3]={1 2 3 4 5 6}", "{1 2 6 4 20 120}"},
                                   {"f32[2,2]={1 2 3 4} | axis=0 reverse=true", "{3 8 3 4}"},
                                   {"i32[3]={2 -3 4}", "{2 -6 -24}"},
                                   {"f32[2,3,4] | axis=1", NULL},
                                   {"f32[4]={2 0 3 0} | axis=-1", NULL},
                                   {"f32[4]={2 0 3 0} | reverse=true", NULL},
                                   {"f32[70,50,6]:pos | axis=1", NULL},
                                   {"f32[0,3]", NULL},
                                   {0}},
    .bad = HD_SCAN_BAD,
};

HD_BUILDER(cumprod, hd_scan_args)
