/* placed.c: ops about where values lie: `reorder` (the same value in other memory or another layout) and `flat` (values
 * one behind the other, done by the memory plan). Made by passes. Knows nothing of backends. */
#include "ops/fused.h"
#include "ops/op_kit.h"

static const char placed_reason[] = "made after differentiation; it changes no element";

static hd_status reorder_infer(hd_infer *c) {
    c->out[0] = c->in[0];
    return HD_OK;
}

static void reorder_ref(const hd_ref *r) {
    if (r->out[0].count)
        memcpy(r->out[0].data, r->in[0].data, (size_t)r->out[0].count * hd_dtype_size(r->out[0].dtype));
}

const hd_op hd_op_reorder = {
    .name = "reorder",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_reorder_args),
    .flags = HD_OP_INTERNAL,
    .infer = reorder_infer,
    .no_grad_reason = placed_reason,
    .ref = reorder_ref,
    .cost = hd_cost_copy,
    .formula = "y = x",
    .source = "none: a copy",
    .doc = "The same value in other memory, or in another order in memory.",
    .samples = (const hd_sample[]){{"f32[3]={1 2 3}", "{1 2 3}"}, {"i64[2,2]:below(9)", NULL}, {0}},
    .bad = (const hd_bad_sample[]){{0}},
};

static hd_status flat_infer(hd_infer *c) {
    int64_t total = 0;
    for (int i = 0; i < c->n_in; i++) {
        if (c->in[i].dtype != c->in[0].dtype) return hd_infer_fail(c, "its inputs have different dtypes");
        const int64_t n = hd_dims_count(&c->in[i].dims);
        if (n < 0) return hd_infer_fail(c, "the size of input %d is not known", i);
        total += (n + HD_FLAT_ALIGN - 1) / HD_FLAT_ALIGN * HD_FLAT_ALIGN;
    }
    if (c->n_in < 1) return hd_infer_fail(c, "expects at least one input");
    c->out[0] = (hd_type){c->in[0].dtype, {.rank = 1, .dim = {total}}};
    return HD_OK;
}

static void flat_ref(const hd_ref *r) {
    const size_t size = hd_dtype_size(r->out[0].dtype);
    char *to = r->out[0].data;
    memset(to, 0, (size_t)r->out[0].count * size);
    for (int i = 0; i < r->n_in; i++) {
        if (r->in[i].count) memcpy(to, r->in[i].data, (size_t)r->in[i].count * size);
        to += (size_t)((r->in[i].count + HD_FLAT_ALIGN - 1) / HD_FLAT_ALIGN * HD_FLAT_ALIGN) * size;
    }
}

const hd_op hd_op_flat = {
    .name = "flat",
    .n_in = 0,
    .n_out = 1,
    .args_size = sizeof(hd_flat_args),
    .flags = HD_OP_INTERNAL | HD_OP_VARIADIC | HD_OP_PLACED,
    .infer = flat_infer,
    .no_grad_reason = placed_reason,
    .ref = flat_ref,
    .cost = hd_cost_none,
    .formula = "y = [x₁; x₂; …], each at a multiple of 16 elements",
    .source = "none: a place in memory",
    .doc = "Values one behind the other in one vector, so that one optimiser step runs over all gradients.",
    .samples = (const hd_sample[]){{"f32[2]={1 2}", "{1 2 0 0 0 0 0 0 0 0 0 0 0 0 0 0}"}, {0}},
    .bad = (const hd_bad_sample[]){{"f32[2], f64[2]", "different dtypes"}, {0}},
};
