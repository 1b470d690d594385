/* cache_update.c: writes rows into what persists, at a place that is known at run time. Knows nothing of backends. */
#include "ops/op_kit.h"

static hd_status cache_update_infer(hd_infer *c) {
    const hd_dims *cache = &c->in[0].dims, *x = &c->in[1].dims;
    char a[192], b[192];
    if (cache->rank < 2) return hd_infer_fail(c, "cache %s must be [..., positions, width]", hd_dims_text(a, cache));
    if (hd_need_dtype(c, 1, c->in[0].dtype)) return HD_E_MODEL;
    if (c->in[2].dtype != HD_I64 || c->in[2].dims.rank != 1 || c->in[2].dims.dim[0] != 1)
        return hd_infer_fail(c, "position must be i64 [1]");
    hd_dims want = *cache;
    want.dim[want.rank - 2] = 1;
    if (!hd_dims_equal(x, &want))
        return hd_infer_fail(c, "x must be %s, one position, it is %s", hd_dims_text(a, &want), hd_dims_text(b, x));
    c->out[0] = c->in[0];
    return HD_OK;
}

/* A place outside changes nothing. */
static void cache_update_ref(const hd_ref *r) {
    const hd_tensor *cache = &r->in[0], *x = &r->in[1];
    const int64_t positions = cache->dims.dim[cache->dims.rank - 2], width = cache->dims.dim[cache->dims.rank - 1];
    const int64_t at = *(const int64_t *)r->in[2].data;
    const size_t size = hd_dtype_size(cache->dtype), row = (size_t)width * size;
    char *y = r->out[0].data;
    if (y != cache->data && cache->count) memcpy(y, cache->data, (size_t)cache->count * size);
    if (at < 0 || at >= positions || x->count == 0) return;
    for (int64_t i = 0; i < x->count / width; i++)
        memcpy(y + (size_t)(i * positions + at) * row, (const char *)x->data + (size_t)i * row, row);
}

const hd_op hd_op_cache_update = {
    .name = "cache_update",
    .n_in = 3,
    .n_out = 1,
    .in_names = HD_NAMES("cache", "x", "position"),
    .args_size = sizeof(hd_cache_update_args),
    .flags = HD_OP_EFFECT,
    .infer = cache_update_infer,
    .no_grad_reason = "it acts on what persists, after the step that is differentiated",
    .ref = cache_update_ref,
    .cost = hd_cost_none,
    .alias = {1},
    .formula = "cache[..., position, :] ← x",
    .source = "key-value cache of incremental decoding: Shazeer, arXiv:1911.02150",
    .doc = "Writes x [..., 1, width] into the row of a state [..., positions, width] that `position` (i64 [1]) names; "
           "a position outside changes nothing. What attention keeps of the positions before.",
    .samples = (const hd_sample[]){{"f32[2,2]={1 2 3 4}, f32[1,2]={7 8}, i64[1]={1}", "{1 2 7 8}"},
                                   {"f32[2,2,1]={1 2 3 4}, f32[2,1,1]={7 8}, i64[1]={0}", "{7 2 8 4}"},
                                   {"f32[2,1]={1 2}, f32[1,1]={7}, i64[1]={2}", "{1 2}"},
                                   {"f32[2,3,5,4], f32[2,3,1,4], i64[1]={3}", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3], f32[1], i64[1]={0}", "must be [..., positions, width]"},
                                   {"f32[3,2], f32[2,2], i64[1]={0}", "one position"},
                                   {"f32[3,2], f32[1,2], i64[2]={0 0}", "position must be i64 [1]"},
                                   {"f32[3,2], f64[1,2], i64[1]={0}", "x must be f32"},
                                   {0}},
};

HD_BUILDER(cache_update, hd_cache_update_args)
