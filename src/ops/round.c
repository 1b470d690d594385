/* round.c: y = the nearest whole number, ties to even, or the nearest number of so many decimals. Knows nothing of
 * backends. */
#include "ops/elementwise_kit.h"

static double nearest(double x, int64_t decimals) {
    if (decimals == 0) return nearbyint(x);
    const double power = pow(10, (double)(decimals < 0 ? -decimals : decimals));
    return decimals > 0 ? nearbyint(x * power) / power : nearbyint(x / power) * power;
}

/* Integers stay: decimals < 0 is refused for them. */
static void round_ref(const hd_ref *r) {
    const hd_round_args *o = r->attr;
    const hd_tensor *x = &r->in[0], *y = &r->out[0];
    HD_FLOATS(y->dtype, const T *X = x->data; T *Y = y->data;
              for (int64_t i = 0; i < y->count; i++) Y[i] = (T)nearest((double)X[i], o->decimals); return;)
    memmove(y->data, x->data, (size_t)y->count * hd_dtype_size(y->dtype));
}

static hd_status round_infer(hd_infer *c) {
    const hd_round_args *o = c->attr;
    if (o->decimals < 0 && !hd_is_float(c->in[0].dtype))
        return hd_infer_fail(c, "decimals is negative, x is no float; cast it first");
    return hd_infer_unary_number(c);
}

const hd_op hd_op_round = {
    .name = "round",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_round_args),
    .options = (const hd_option[]){HD_OPTION(INT, hd_round_args, decimals, .min = -300, .max = 300,
                                             .help = "decimals that stay"),
                                   HD_OPTION_END},
    .flags = HD_OP_ELEMENTWISE | HD_OP_INPLACE | HD_OP_KINK,
    .infer = round_infer,
    .grad = hd_grad_zero,
    .no_grad_reason = HD_STEPS_REASON,
    .ref = round_ref,
    .formula = "y = the whole number nearest to x·10^decimals, / 10^decimals",
    .source = "as torch.round",
    .doc =
        "The nearest whole number, of two the even one (0.5 → 0, 1.5 → 2), or the nearest number with some decimals.",
    .onnx = "Round",
    .samples =
        HD_UNARY_SAMPLES_WITH(":away", "decimals=-1", {"f32[5]={0.5 1.5 -2.5 2.4 -2.6}", "{0 2 -2 2 -3}"},
                              {"f32[2]={1.2345 -7.5} | decimals=2", "{1.23 -7.5}"},
                              {"f32[2]={1250 -160} | decimals=-2", "{1200 -200}"}, {"i64[3]={-3 0 9}", "{-3 0 9}"}),
    .bad = (const hd_bad_sample[]){{"bool[2]={0 1}", "must be a number"},
                                   {"i64[2]={1 2} | decimals=-1", "is no float"},
                                   {0}},
};

HD_BUILDER(round, hd_round_args)
