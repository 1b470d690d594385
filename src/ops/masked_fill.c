/* masked_fill.c: a number where a mask is true. Knows nothing of backends. */
#include "ops/op_kit.h"

static void masked_fill_ref(const hd_ref *r) {
    const hd_masked_fill_args *a = r->attr;
    const hd_tensor *y = &r->out[0];
    const uint8_t *mask = r->in[1].data;
    const size_t size = hd_dtype_size(y->dtype);
    hd_walk w;
    hd_walk_init(&w, &y->dims, &r->in[0].dims, &r->in[1].dims);
    for (int64_t i = 0; i < y->count; i++, hd_walk_next(&w)) {
        char *to = (char *)y->data + (size_t)i * size;
        if (!mask[w.at[1]])
            memmove(to, (const char *)r->in[0].data + (size_t)w.at[0] * size, size);
        else if (r->in[2].data)
            memcpy(to, r->in[2].data, size);
        else
            hd_set(y, i, a->value);
    }
}

static hd_status masked_fill_infer(hd_infer *c) {
    char a[192], b[192];
    c->out[0].dtype = c->in[0].dtype;
    if (hd_need_dtype(c, 1, HD_BOOL) || (!hd_absent(c, 2) && hd_need_scalar(c, 2, c->in[0].dtype))) return HD_E_MODEL;
    if (hd_dims_broadcast(&c->out[0].dims, &c->in[0].dims, &c->in[1].dims)) return HD_OK;
    return hd_infer_fail(c, "x %s and mask %s do not go together: from the last dimension on they must be equal or 1",
                         hd_dims_text(a, &c->in[0].dims), hd_dims_text(b, &c->in[1].dims));
}

static void masked_fill_rule(hd_grad *c) {
    const hd_val kept = hd_masked_fill(c->dout[0], c->in[1]);
    if (c->needs[0]) c->din[0] = hd_unbroadcast(kept, c->in[0]);
    if (c->n_in > 2 && c->needs[2]) c->din[2] = hd_sum(hd_sub(c->dout[0], kept));
}

const hd_op hd_op_masked_fill = {
    .name = "masked_fill",
    .n_in = 2,
    .n_optional = 1,
    .n_out = 1,
    .in_names = HD_NAMES("x", "mask", "fill"),
    .args_size = sizeof(hd_masked_fill_args),
    .options = (const hd_option[]){HD_OPTION(FLOAT, hd_masked_fill_args, value, .help = "put where the mask is true"),
                                   HD_OPTION_END},
    .infer = masked_fill_infer,
    .grad = masked_fill_rule,
    .ref = masked_fill_ref,
    .formula = "y = value where mask, else x",
    .source = "as torch.masked_fill",
    .doc = "x, and where the mask is true a number instead: the scalar `fill`, or else the option `value`. x and mask "
           "broadcast against each other.",
    .onnx = "Where",
    .samples = (const hd_sample[]){{"f32[3]={1 2 3}, bool[3]={0 1 0} | value=-inf", "{1 -inf 3}"},
                                   {"f32[2,1]={1 2}, bool[2]={0 1}, f32[]={7}", "{1 7 2 7}"},
                                   {"i32[2,2]={1 2 3 4}, bool[2]={1 0} | value=9", "{9 2 9 4}"},
                                   {"f32[2,3], bool[2,3]", NULL},
                                   {"f32[2,3], bool[2,1], f32[]", NULL},
                                   {"f32[3], bool[2,3] | value=1", NULL},
                                   {"f32[], bool[]={0}", NULL},
                                   {"f32[0,3], bool[3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2], bool[3]", "do not go together"},
                                   {"f32[2], u8[2]", "mask must be bool"},
                                   {"f32[2], bool[2], f32[1]", "fill must be a scalar"},
                                   {0}},
};

HD_BUILDER(masked_fill, hd_masked_fill_args)
