/* where.c: y = cond ? a : b, element by element, with broadcasting of all three. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

static void where_ref(const hd_ref *r) {
    hd_walk w, v;
    const bool *cond = r->in[0].data;
    const hd_tensor *y = &r->out[0];
    const size_t size = hd_dtype_size(y->dtype);
    hd_walk_init(&w, &y->dims, &r->in[0].dims, &r->in[1].dims);
    hd_walk_init(&v, &y->dims, &r->in[2].dims, NULL);
    for (int64_t i = 0; i < y->count; i++, hd_walk_next(&w), hd_walk_next(&v)) {
        const char *a = (const char *)r->in[1].data + (size_t)w.at[1] * size;
        const char *b = (const char *)r->in[2].data + (size_t)v.at[0] * size;
        memcpy((char *)y->data + (size_t)i * size, cond[w.at[0]] ? a : b, size);
    }
}

static hd_status where_infer(hd_infer *c) {
    char a[192], b[192], m[192];
    hd_dims both;
    if (hd_need_dtype(c, 0, HD_BOOL)) return HD_E_MODEL;
    c->out[0].dtype = c->in[1].dtype;
    if (c->in[1].dtype != c->in[2].dtype)
        return hd_infer_fail(c, "a is %s, b is %s; cast one of them", hd_dtype_name(c->in[1].dtype),
                             hd_dtype_name(c->in[2].dtype));
    if (hd_dims_broadcast(&both, &c->in[1].dims, &c->in[2].dims) &&
        hd_dims_broadcast(&c->out[0].dims, &c->in[0].dims, &both))
        return HD_OK;
    return hd_infer_fail(
        c, "cond %s, a %s and b %s do not go together: from the last dimension on they must be equal or 1",
        hd_dims_text(m, &c->in[0].dims), hd_dims_text(a, &c->in[1].dims), hd_dims_text(b, &c->in[2].dims));
}

static void where_grad(hd_grad *c) {
    const hd_val cond = c->in[0], dy = c->dout[0], zero = hd_number(dy, 0);
    if (c->needs[1]) c->din[1] = hd_unbroadcast(hd_where(cond, dy, zero), c->in[1]);
    if (c->needs[2]) c->din[2] = hd_unbroadcast(hd_where(cond, zero, dy), c->in[2]);
}

const hd_op hd_op_where = {
    .name = "where",
    .n_in = 3,
    .n_out = 1,
    .in_names = HD_NAMES("cond", "a", "b"),
    .args_size = sizeof(hd_where_args),
    .flags = HD_OP_ELEMENTWISE | HD_OP_BROADCAST,
    .infer = where_infer,
    .grad = where_grad,
    .ref = where_ref,
    .formula = "y = cond ? a : b",
    .source = "as torch.where; NumPy's broadcasting",
    .doc =
        "Elements of a where the condition is true, of b elsewhere. The gradient goes to where the element came from.",
    .onnx = "Where",
    .samples = (const hd_sample[]){{"bool[3]={1 0 1}, f32[3]={1 2 3}, f32[3]={10 20 nan}", "{1 20 3}"},
                                   {"bool[2,1]={1 0}, i64[2]={1 2}, i64[]={7}", "{1 2 7 7}"},
                                   {"bool[2]={1 0}, bool[2]={0 0}, bool[2]={1 1}", "{0 1}"},
                                   {"bool[2,3,5], f32[2,3,5], f32[2,3,5]", NULL},
                                   {"bool[3,1], f32[2,1,5], f32[]", NULL},
                                   {"bool[], f32[], f32[2,2]", NULL},
                                   {"bool[0,3], f32[3], f32[1,1]", NULL},
                                   {"bool[5], f32[3,1], f32[2,1,5]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2], f32[2], f32[2]", "cond must be bool"},
                                   {"bool[2], f32[2], f64[2]", "a is f32, b is f64"},
                                   {"bool[2], f32[3], f32[3]", "do not go together"},
                                   {0}},
};

HD_BUILDER(where, hd_where_args)
