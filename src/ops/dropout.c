/* dropout.c: drops random elements in training. Knows nothing of backends.
 *
 * The mask is a function of (seed, step, stream, element) alone, so that the backward pass, another layout or another
 * number of threads finds the same one. rng holds seed and step. Element i, counted row by row, is kept when
 *     word[i & 3] ≥ ⌈p·2³²⌉,  word = philox4x32-10(counter = {i>>2 low, i>>2 high, step low, stream}, key = {seed low,
 * seed high}) and then multiplied by 1/(1−p), rounded to the dtype first; else it is 0. Kernels must reproduce this bit
 * for bit. */
#include "base/rng.h"
#include "ops/op_kit.h"

static hd_status dropout_infer(hd_infer *c) {
    char text[192];
    c->out[0] = c->in[0];
    if (hd_need_float(c, 0) || hd_need_dtype(c, 1, HD_I64)) return HD_E_MODEL;
    if (c->in[1].dims.rank == 1 && c->in[1].dims.dim[0] == 2) return HD_OK;
    return hd_infer_fail(c, "rng must be [2]: seed and step, it is %s", hd_dims_text(text, &c->in[1].dims));
}

static void dropout_ref(const hd_ref *r) {
    const hd_dropout_args *a = r->attr;
    const uint64_t seed = ((const uint64_t *)r->in[1].data)[0], step = ((const uint64_t *)r->in[1].data)[1];
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint64_t limit = (uint64_t)ceil(a->p * 0x1p32);
    uint32_t word[4] = {0};
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; T *y = r->out[0].data; const T scale = (T)(1 / (1 - a->p));
        for (int64_t i = 0; i < r->out[0].count; i++) {
            const uint64_t block = (uint64_t)i >> 2;
            const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)step, (uint32_t)a->stream};
            if ((i & 3) == 0) hd_philox(word, counter, key);
            y[i] = word[i & 3] >= limit ? x[i] * scale : 0;
        })
}

/* Linear in x with the mask fixed: the same mask over dy. */
static void dropout_grad(hd_grad *c) {
    const hd_dropout_args *a = c->attr;
    if (c->needs[0]) c->din[0] = hd_dropout(c->dout[0], c->in[1], .p = hd_explicit(a->p), .stream = a->stream);
}

static hd_cost dropout_cost(const hd_infer *c) {
    return hd_cost_of(c, hd_cost_elements(&c->out[0]));
}

const hd_op hd_op_dropout = {
    .name = "dropout",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "rng"),
    .args_size = sizeof(hd_dropout_args),
    .options = (const hd_option[]){HD_OPTION(FLOAT, hd_dropout_args, p, .def = 0.5, .min = 0, .max = 1,
                                             .help = "probability to drop an element"),
                                   HD_OPTION(INT, hd_dropout_args, stream, .min = 0, .max = 4294967295.0,
                                             .help = "which dropout of the network this is"),
                                   HD_OPTION_END},
    .flags = HD_OP_INPLACE,
    .infer = dropout_infer,
    .grad = dropout_grad,
    .ref = dropout_ref,
    .cost = dropout_cost,
    .formula = "y = kept ? x / (1 − p) : 0",
    .source = "Srivastava et al.: Dropout, JMLR 2014; Philox: Salmon et al., SC 2011",
    .doc = "Zeroes each element with probability p and scales the rest by 1/(1−p), so that the mean stays. What is "
           "dropped "
           "follows from seed, step and stream alone. Programs without training leave it out.",
    .onnx = "Dropout",
    .samples = (const hd_sample[]){{"f32[3]={1 2 3}, i64[2]={7 3} | p=0", "{1 2 3}"},
                                   {"f32[3]={1 2 3}, i64[2]={7 3} | p=1", "{0 0 0}"},
                                   {"f32[4,33], i64[2]={7 3}", NULL},
                                   {"f32[2,3,5], i64[2]={-1 123456789012} | p=0.2 stream=3", NULL},
                                   {"f32[1000], i64[2]={1 1} | p=0.9", NULL},
                                   {"f32[0], i64[2]={1 1}", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3], i64[3]={1 2 3}", "rng must be [2]"},
                                   {"f32[3], i64[2]={1 2} | p=1.5", "p is 1.5"},
                                   {0}},
};

HD_BUILDER(dropout, hd_dropout_args)
