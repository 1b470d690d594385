/* reparameterize.c: draws z from N(μ, σ²) such that gradients reach μ and σ. Knows nothing of backends.
 *
 * The noise is a function of (seed, step, stream, element) alone, as dropout's mask is (dropout.c): element i takes
 * number i & 3 of block i >> 2, whose four words w give two pairs by Box and Muller (1958): with u = (w[0] + ½)/2³², v
 * = (w[1] + ½)/2³² the numbers √(−2 ln u)·cos 2πv and √(−2 ln u)·sin 2πv; words 2 and 3 give the other two. */
#include "base/rng.h"
#include "ops/op_kit.h"

static hd_status reparameterize_infer(hd_infer *c) {
    char text[192];
    c->out[0] = c->in[0];
    if (hd_need_float(c, 0) || hd_need_dtype(c, 1, c->in[0].dtype) || hd_need_dtype(c, 2, HD_I64)) return HD_E_MODEL;
    if (!hd_dims_equal(&c->in[0].dims, &c->in[1].dims))
        return hd_infer_fail(c, "log_var must have the shape of mean, it is %s", hd_dims_text(text, &c->in[1].dims));
    if (c->in[2].dims.rank == 1 && c->in[2].dims.dim[0] == 2) return HD_OK;
    return hd_infer_fail(c, "rng must be [2]: seed and step, it is %s", hd_dims_text(text, &c->in[2].dims));
}

/* Four normal numbers of one block. */
static void draw(double out[4], uint64_t block, const uint64_t rng[2], int64_t stream) {
    const uint32_t key[2] = {(uint32_t)rng[0], (uint32_t)(rng[0] >> 32)};
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)rng[1], (uint32_t)stream};
    uint32_t word[4];
    hd_philox(word, counter, key);
    for (int k = 0; k < 4; k += 2) {
        const double u = ((double)word[k] + 0.5) * 0x1p-32, v = ((double)word[k + 1] + 0.5) * 0x1p-32;
        const double radius = sqrt(-2 * log(u)), angle = 6.283185307179586 * v;
        out[k] = radius * cos(angle);
        out[k + 1] = radius * sin(angle);
    }
}

static void reparameterize_ref(const hd_ref *r) {
    const hd_reparameterize_args *a = r->attr;
    double noise[4] = {0};
    HD_FLOATS(
        r->out[0].dtype, const T *mean = r->in[0].data; const T *log_var = r->in[1].data; T *z = r->out[0].data;
        for (int64_t i = 0; i < r->out[0].count; i++) {
            if ((i & 3) == 0) draw(noise, (uint64_t)i >> 2, r->in[2].data, a->stream);
            z[i] = (T)((double)mean[i] + exp(0.5 * (double)log_var[i]) * noise[i & 3]);
        })
}

/* z − μ = σ·ε, so that the noise need not be drawn again: ∂z/∂ln σ² = ½ (z − μ). */
static void reparameterize_grad(hd_grad *c) {
    c->din[0] = c->dout[0];
    if (c->needs[1]) c->din[1] = hd_mul(c->dout[0], hd_affine(hd_sub(c->out[0], c->in[0]), .scale = 0.5));
}

static hd_cost reparameterize_cost(const hd_infer *c) {
    return hd_cost_of(c, hd_cost_elements(&c->out[0]));
}

const hd_op hd_op_reparameterize = {
    .name = "reparameterize",
    .n_in = 3,
    .n_out = 1,
    .in_names = HD_NAMES("mean", "log_var", "rng"),
    .args_size = sizeof(hd_reparameterize_args),
    .options = (const hd_option[]){HD_OPTION(INT, hd_reparameterize_args, stream, .min = 0, .max = 4294967295.0,
                                             .help = "which draw of the network this is"),
                                   HD_OPTION_END},
    .infer = reparameterize_infer,
    .grad = reparameterize_grad,
    .ref = reparameterize_ref,
    .cost = reparameterize_cost,
    .formula = "z = mean + exp(½ log_var) · ε, ε from N(0, 1)",
    .source = "Kingma, Welling: Auto-encoding variational Bayes, ICLR 2014; Box, Muller 1958; Philox: Salmon et al., "
              "SC 2011",
    .doc = "Draws from a normal distribution whose mean and variance are computed, with gradients for both. The noise "
           "follows from seed, step and stream alone. Programs without training take the mean.",
    .samples = (const hd_sample[]){{"f32[3]={1 2 3}, f32[3]={-inf -inf -inf}, i64[2]={7 3}", "{1 2 3}"},
                                   {"f32[5]={1 2 3 4 5}, f32[5]={0 0 2 -2 1}, i64[2]={7 3} | stream=2",
                                    "{1.54347774728 1.3680629385 4.37537959907 4.19702175709 5.53274458363}"},
                                   {"f32[4,33], f32[4,33], i64[2]={7 3}", NULL},
                                   {"f32[2,3,5], f32[2,3,5], i64[2]={-1 123456789012} | stream=3", NULL},
                                   {"f32[0], f32[0], i64[2]={1 1}", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3], f32[3], i64[3]={1 2 3}", "rng must be [2]"},
                                   {"f32[3], f32[1], i64[2]={1 2}", "log_var must have the shape of mean"},
                                   {0}},
};

HD_BUILDER(reparameterize, hd_reparameterize_args)
