/* conv2d_grad_weight.c: the gradient of conv2d by its weight. Knows nothing of backends. */
#include "ops/window_kit.h"

static hd_status grad_weight_infer(hd_infer *c) {
    hd_conv2d_grad_args *a = c->attr;
    const hd_conv2d_window window = {a->stride, a->padding, a->dilation, a->padding_extra, a->groups};
    char got[192], want[192];
    hd_dims dy;
    if (hd_infer_conv2d(c, 0, 2, window, &dy)) return HD_E_MODEL;
    c->out[0] = c->in[2];
    if (!hd_dims_equal(&dy, &c->in[1].dims))
        return hd_infer_fail(c, "dy is %s, the convolution gives %s", hd_dims_text(got, &c->in[1].dims),
                             hd_dims_text(want, &dy));
    return hd_need_dtype(c, 1, c->in[0].dtype);
}

static void grad_weight_ref(const hd_ref *r) {
    const hd_conv2d_grad_args *a = r->attr;
    const hd_conv2d_sizes z = hd_conv2d_sizes_of(&r->in[0].dims, &r->out[0].dims, &r->in[1].dims);
    HD_FLOATS(
        r->out[0].dtype, T *dw = r->out[0].data; for (int64_t kc = 0; kc < z.k * z.cg; kc++) {
            const int64_t k = kc / z.cg, c = k / z.kg * z.cg + kc % z.cg;
            for (int64_t i = 0; i < z.r; i++)
                for (int64_t j = 0; j < z.s; j++) {
                    double sum = 0;
                    for (int64_t n = 0; n < z.n; n++) {
                        const T *x = (const T *)r->in[0].data + (n * z.c + c) * z.h * z.w;    /* [h, w] */
                        const T *dy = (const T *)r->in[1].data + (n * z.k + k) * z.oh * z.ow; /* [oh, ow] */
                        for (int64_t oh = 0; oh < z.oh; oh++)
                            for (int64_t ow = 0; ow < z.ow; ow++) {
                                const int64_t h = oh * a->stride[0] - a->padding[0] + i * a->dilation[0];
                                const int64_t l = ow * a->stride[1] - a->padding[1] + j * a->dilation[1];
                                if (h >= 0 && h < z.h && l >= 0 && l < z.w)
                                    sum += (double)x[h * z.w + l] * (double)dy[oh * z.ow + ow];
                            }
                    }
                    *dw++ = (T)sum;
                }
        })
}

/* Linear in x and in dy. */
static void grad_weight_rule(hd_grad *c) {
    const hd_conv2d_grad_args *a = c->attr;
    const hd_val g = c->dout[0];
    if (c->needs[0]) {
        hd_conv2d_grad_args input = *a;
        input.a = c->in[1], input.b = g, input.like = c->in[0];
        c->din[0] = hd_conv2d_grad_input_at(HD_HERE, &input);
    }
    if (c->needs[1]) {
        hd_conv2d_args forward = {.x = c->in[0], .w = g, .groups = a->groups};
        HD_CONV2D_COPY(forward, *a);
        c->din[1] = hd_conv2d_at(HD_HERE, &forward);
    }
}

static hd_cost grad_weight_cost(const hd_infer *c) {
    return hd_cost_of(c, hd_conv2d_flops(&c->out[0].dims, &c->in[1].dims));
}

const hd_op hd_op_conv2d_grad_weight = {
    .name = "conv2d_grad_weight",
    .n_in = 3,
    .n_out = 1,
    .in_names = HD_NAMES("x", "dy", "like"),
    .out_names = HD_NAMES("dw"),
    .args_size = sizeof(hd_conv2d_grad_args),
    .options = (const hd_option[]){HD_CONV2D_OPTIONS(hd_conv2d_grad_args), HD_OPTION_END},
    .infer = grad_weight_infer,
    .grad = grad_weight_rule,
    .ref = grad_weight_ref,
    .cost = grad_weight_cost,
    .formula = "dw[k,c,r,s] = Σ x[n, c, i·stride − padding + r·dilation, j·… + s·…] dy[n,k,i,j]",
    .source = "derivative of conv2d",
    .doc = "Back-propagation through conv2d to its weight. Of `like` (the weight) only the shape is read.",
    .samples =
        (const hd_sample[]){{"f32[1,1,2,2]={1 2 3 4}, f32[1,1,1,1]={2}, f32[1,1,2,2]", "{2 4 6 8}"},
                            {"f32[1,1,3,3]={1 2 3 4 5 6 7 8 9}, f32[1,1,2,2]={1 0 0 1}, f32[1,1,2,2]", "{6 8 12 14}"},
                            {"f32[2,3,5,6], f32[2,4,5,6], f32[4,3,3,3] | padding=1", NULL},
                            {"f32[2,3,8,7], f32[2,4,3,3], f32[4,3,3,2] | stride=[2,3] padding=[0,1]", NULL},
                            {"f32[1,2,9,9], f32[1,3,7,7], f32[3,2,3,3] | dilation=[2,3] padding=[1,2]", NULL},
                            {"f32[2,4,5,5], f32[2,6,5,5], f32[6,2,3,3] | groups=2 padding=1", NULL},
                            {"f32[2,16,7,7], f32[2,32,7,7], f32[32,16,3,3] | padding=1", NULL},
                            {"f32[2,3,5,6], f32[2,4,5,6], f32[4,3,2,4] | padding=[0,1] padding_extra=1", NULL},
                            {"f32[2,16,9,9], f32[2,32,9,9], f32[32,16,4,4] | padding=1 padding_extra=1", NULL},
                            {0}},
    .bad =
        (const hd_bad_sample[]){{"f32[1,1,4,4], f32[1,1,2,2], f32[1,1,2,2]", "the convolution gives [1,1,3,3]"}, {0}},
};

HD_BUILDER(conv2d_grad_weight, hd_conv2d_grad_args)
