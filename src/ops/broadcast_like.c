/* broadcast_like.c: x repeated to the shape of another value. Knows nothing of backends. */
#include "ops/op_kit.h"

static void broadcast_like_ref(const hd_ref *r) {
    const hd_like_args *a = r->attr;
    const int64_t n = r->out[0].count;
    const double copies = n && a->average ? (double)(n / r->in[0].count) : 1;
    hd_walk w;
    hd_walk_init(&w, &r->out[0].dims, &r->in[0].dims, NULL);
    HD_FLOATS(r->out[0].dtype, const T *x = r->in[0].data; T *y = r->out[0].data;
              for (int64_t i = 0; i < n; i++, hd_walk_next(&w)) y[i] = (T)((double)x[w.at[0]] / copies);)
}

static hd_status broadcast_like_infer(hd_infer *c) {
    char a[192], b[192];
    hd_dims y;
    if (hd_need_float(c, 0)) return HD_E_MODEL;
    if (!hd_dims_broadcast(&y, &c->in[0].dims, &c->in[1].dims) || !hd_dims_equal(&y, &c->in[1].dims))
        return hd_infer_fail(c, "x %s can not be repeated to the shape %s", hd_dims_text(a, &c->in[0].dims),
                             hd_dims_text(b, &c->in[1].dims));
    c->out[0] = (hd_type){c->in[0].dtype, y};
    return HD_OK;
}

static void broadcast_like_grad(hd_grad *c) {
    const hd_like_args *a = c->attr;
    if (c->needs[0]) c->din[0] = hd_sum_like(c->dout[0], c->in[0], .average = a->average);
}

const hd_op hd_op_broadcast_like = {
    .name = "broadcast_like",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "like"),
    .args_size = sizeof(hd_like_args),
    .options = (const hd_option[]){HD_OPTION(BOOL, hd_like_args, average, .help = "divide by the number of copies"),
                                   HD_OPTION_END},
    .infer = broadcast_like_infer,
    .grad = broadcast_like_grad,
    .ref = broadcast_like_ref,
    .formula = "y = x, repeated; with average: y = x / (number of copies)",
    .source = "NumPy's broadcasting rule",
    .doc = "Repeats x to the shape of another value, of which only the shape is read. The gradient of sum, and with "
           "average that of mean.",
    .samples = (const hd_sample[]){{"f32[2,1]={1 2}, f32[2,3]", "{1 1 1 2 2 2}"},
                                   {"f32[]={6}, f32[2,3] | average=true", "{1 1 1 1 1 1}"},
                                   {"f32[3]={1 2 3}, i64[2,3]={0 0 0 0 0 0}", "{1 2 3 1 2 3}"},
                                   {"f32[3,1,1], f32[2,3,4,5]", NULL},
                                   {"f32[1,3,1], f32[2,3,4] | average=true", NULL},
                                   {"f32[2,3], f32[2,3]", NULL},
                                   {"f32[1], f32[0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[2,1]", "can not be repeated"}, {"f32[2], f32[3]", "[3]"}, {0}},
};

HD_BUILDER(broadcast_like, hd_like_args)
