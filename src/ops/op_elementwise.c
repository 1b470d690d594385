/* op_elementwise.c: what elementwise ops share beside their macros: shape rules, bad samples, comparisons, gradients'
 * constants. Knows no op by name but what gradients are built of. */
#include "ops/elementwise_kit.h"

const hd_bad_sample hd_bad_unary_float[] = {{"i64[3]={1 2 3}", "cast it first"}, {0}};
const hd_bad_sample hd_bad_unary_number[] = {{"bool[2]={0 1}", "must be a number"}, {0}};
const hd_bad_sample hd_bad_binary_float[] = {{"f32[2,3], f32[2]", "do not go together"},
                                             {"f32[2], f64[2]", "a is f32, b is f64"},
                                             {"i64[2]={1 2}, i64[2]={1 2}", "cast it first"},
                                             {0}};
const hd_bad_sample hd_bad_binary_number[] = {{"f32[2,3], f32[2]", "do not go together"},
                                              {"f32[2], i64[2]={1 2}", "a is f32, b is i64"},
                                              {"bool[2], bool[2]", "must be a number"},
                                              {0}};
const hd_bad_sample hd_bad_backward[] = {{"f32[2], f32[3]", "must have the same shape"},
                                         {"f32[2], f64[2]", "dy is f64"},
                                         {"i64[2]={1 2}, i64[2]={1 2}", "cast it first"},
                                         {0}};
const hd_bad_sample hd_bad_compare[] = {
    {"f32[2,3], f32[2]", "do not go together"}, {"f32[2], i64[2]={1 2}", "a is f32, b is i64"}, {0}};

hd_status hd_infer_binary_float(hd_infer *c) {
    if (hd_need_float(c, 0)) return HD_E_MODEL;
    return hd_infer_binary(c);
}

/* The rule of numbers takes bool too when it is told of bytes. */
hd_status hd_infer_compare(hd_infer *c) {
    hd_type in[2] = {c->in[0], c->in[1]};
    if (in[0].dtype == HD_BOOL && in[1].dtype == HD_BOOL) in[0].dtype = in[1].dtype = HD_U8;
    hd_infer numbers = *c;
    numbers.in = in;
    const hd_status status = hd_infer_binary(&numbers);
    c->out[0].dtype = HD_BOOL;
    return status;
}

hd_status hd_infer_test(hd_infer *c) {
    const hd_status status = hd_infer_unary_number(c);
    c->out[0].dtype = HD_BOOL;
    return status;
}

void hd_ref_compare(const hd_ref *r, hd_truth_of_floats *floats, hd_truth_of_integers *integers) {
    hd_walk w;
    bool *y = r->out[0].data;
    const hd_tensor *a = &r->in[0], *b = &r->in[1];
    hd_walk_init(&w, &r->out[0].dims, &a->dims, &b->dims);
    const int64_t n = r->out[0].count;
    HD_INTEGERS(a->dtype, const T *A = a->data; const T *B = b->data;
                for (int64_t i = 0; i < n; i++, hd_walk_next(&w)) y[i] =
                    integers((int64_t)A[w.at[0]], (int64_t)B[w.at[1]]);
                return;)
    for (int64_t i = 0; i < n; i++, hd_walk_next(&w)) y[i] = floats(hd_get(a, w.at[0]), hd_get(b, w.at[1]));
}

hd_val hd_number(hd_val like, double value) {
    double room = 0;
    const hd_tensor t = {.dtype = hd_val_dtype(like), .count = 1, .data = &room};
    if (!like.graph) return like;
    hd_set(&t, 0, value);
    return hd_const(like.graph, t.dtype, t.dims, &room);
}

hd_val hd_masked(hd_val mask, hd_val d) {
    return hd_where(mask, d, hd_number(d, 0));
}

hd_val hd_to_operand(hd_val d, hd_val operand) {
    return hd_val_is_none(d) ? d : hd_unbroadcast(d, operand);
}
