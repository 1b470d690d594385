/* conv2d.c: 2-D convolution (as everywhere in deep learning: cross-correlation). Knows nothing of backends. */
#include "ops/window_kit.h"

static hd_conv2d_window window_of(hd_conv2d_args *a) {
    return (hd_conv2d_window){a->stride, a->padding, a->dilation, a->padding_extra, a->groups};
}

static hd_status conv2d_infer(hd_infer *c) {
    char text[192];
    c->out[0].dtype = c->in[0].dtype;
    if (hd_infer_conv2d(c, 0, 1, window_of(c->attr), &c->out[0].dims)) return HD_E_MODEL;
    if (hd_absent(c, 2)) return HD_OK;
    const hd_dims *bias = &c->in[2].dims;
    if (bias->rank != 1 || bias->dim[0] != c->in[1].dims.dim[0])
        return hd_infer_fail(c, "bias is %s, weight has %lld output channels", hd_dims_text(text, bias),
                             (long long)c->in[1].dims.dim[0]);
    return hd_need_dtype(c, 2, c->in[0].dtype);
}

static void conv2d_ref(const hd_ref *r) {
    const hd_conv2d_args *a = r->attr;
    const hd_conv2d_sizes z = hd_conv2d_sizes_of(&r->in[0].dims, &r->in[1].dims, &r->out[0].dims);
    const void *bias = r->n_in > 2 ? r->in[2].data : NULL;
    HD_FLOATS(
        r->out[0].dtype, const T *b = bias; T *y = r->out[0].data; for (int64_t nk = 0; nk < z.n * z.k; nk++) {
            const int64_t n = nk / z.k, k = nk % z.k;
            const T *x = (const T *)r->in[0].data + (n * z.c + k / z.kg * z.cg) * z.h * z.w; /* [cg, h, w] */
            const T *w = (const T *)r->in[1].data + k * z.cg * z.r * z.s;                    /* [cg, r, s] */
            for (int64_t oh = 0; oh < z.oh; oh++)
                for (int64_t ow = 0; ow < z.ow; ow++) {
                    double sum = b ? (double)b[k] : 0;
                    for (int64_t c = 0; c < z.cg; c++)
                        for (int64_t i = 0; i < z.r; i++)
                            for (int64_t j = 0; j < z.s; j++) {
                                const int64_t h = oh * a->stride[0] - a->padding[0] + i * a->dilation[0];
                                const int64_t l = ow * a->stride[1] - a->padding[1] + j * a->dilation[1];
                                if (h >= 0 && h < z.h && l >= 0 && l < z.w)
                                    sum += (double)x[(c * z.h + h) * z.w + l] * (double)w[(c * z.r + i) * z.s + j];
                            }
                    *y++ = (T)hd_act_apply(a->act, sum);
                }
        })
}

/* Linear in x and in w: each gradient is an op of its own, so that they can be differentiated again. */
static void conv2d_grad(hd_grad *c) {
    const hd_conv2d_args *a = c->attr;
    const hd_val x = c->in[0], w = c->in[1], dz = hd_act_grad(a->act, c->out[0], c->dout[0]);
    hd_conv2d_grad_args args = {.groups = a->groups};
    HD_CONV2D_COPY(args, *a);
    if (c->needs[0]) {
        args.a = dz, args.b = w, args.like = x;
        c->din[0] = hd_conv2d_grad_input_at(HD_HERE, &args);
    }
    if (c->needs[1]) {
        args.a = x, args.b = dz, args.like = w;
        c->din[1] = hd_conv2d_grad_weight_at(HD_HERE, &args);
    }
    if (c->n_in > 2 && c->needs[2]) c->din[2] = hd_channel_sum(dz);
}

static hd_cost conv2d_cost(const hd_infer *c) {
    return hd_cost_of(c, hd_conv2d_flops(&c->in[1].dims, &c->out[0].dims));
}

const hd_op hd_op_conv2d = {
    .name = "conv2d",
    .n_in = 2,
    .n_optional = 1,
    .n_out = 1,
    .in_names = HD_NAMES("x", "weight", "bias"),
    .args_size = sizeof(hd_conv2d_args),
    .options = (const hd_option[]){HD_CONV2D_OPTIONS(hd_conv2d_args),
                                   HD_OPTION(ENUM, hd_conv2d_args, act, .choices = hd_act_choices,
                                             .help = "activation applied to the result"),
                                   HD_OPTION_END},
    .infer = conv2d_infer,
    .grad = conv2d_grad,
    .ref = conv2d_ref,
    .cost = conv2d_cost,
    .formula = "y[n,k,i,j] = act(b[k] + Σ x[n, c, i·stride − padding + r·dilation, j·… + s·…] w[k,c,r,s])",
    .source = "LeCun et al. 1989; Dumoulin, Visin: A guide to convolution arithmetic, 2016; as torch.nn.Conv2d",
    .doc = "2-D convolution (cross-correlation): the same small window of weights slides over the picture. x is [n, c, "
           "h, w], "
           "weight [k, c/groups, r, s], bias [k] or none; the result is [n, k, h', w'].",
    .onnx = "Conv",
    .samples =
        (const hd_sample[]){{"f32[1,1,3,3]={1 2 3 4 5 6 7 8 9}, f32[1,1,2,2]={1 0 0 1}, f32[1]={10}", "{16 18 22 24}"},
                            {"f32[1,1,2,2]={1 2 3 4}, f32[1,1,1,1]={2} | padding=1 stride=2", "{0 0 0 8}"},
                            {"f32[2,3,5,6], f32[4,3,3,3], f32[4] | padding=1", NULL},
                            {"f32[2,3,8,7], f32[4,3,3,2], f32[4] | stride=[2,3] padding=[0,1]", NULL},
                            {"f32[1,2,9,9], f32[3,2,3,3] | dilation=[2,3] padding=[1,2]", NULL},
                            {"f32[2,4,5,5], f32[6,2,3,3], f32[6] | groups=2 padding=1", NULL},
                            {"f32[2,4,5,5], f32[4,1,3,3] | groups=4", NULL},
                            {"f32[2,3,4,4], f32[5,3,1,1], f32[5] | act=sigmoid", NULL},
                            {"f32[2,3,4,4], f32[5,3,3,3], f32[5] | padding=1 act=tanh", NULL},
                            {"f32[2,16,7,7], f32[32,16,3,3], f32[32] | padding=1", NULL},
                            {"f32[1,1,1,3]={1 2 3}, f32[1,1,1,2]={1 10} | padding=same", "{21 32 3}"},
                            {"f32[1,1,1,2]={1 2}, f32[1,1,1,2]={1 10} | padding=[0,1] padding_extra=[0,-1]", "{10 21}"},
                            {"f32[2,3,5,6], f32[4,3,2,4], f32[4] | padding=same dilation=[1,2]", NULL},
                            {"f32[2,3,5,6], f32[4,3,3,3] | padding_extra=[2,1] stride=2", NULL},
                            {"f32[2,16,9,9], f32[32,16,4,4], f32[32] | padding=same", NULL},
                            {"f32[2,16,9,9], f32[32,16,3,3] | padding=[1,2] padding_extra=[-1,-2]", NULL},
                            {"f32[0,3,4,4], f32[5,3,3,3]", NULL},
                            {0}},
    .bad =
        (const hd_bad_sample[]){
            {"f32[2,1,28,28], f32[8,3,3,3]", "weight [8,3,3,3] expects 3 input channels, input x [2,1,28,28] has 1"},
            {"f32[2,1,2,2], f32[8,1,3,3]", "kernel of height 3"},
            {"f32[2,4,8,8], f32[5,2,3,3] | groups=2", "must divide into 2 groups"},
            {"f32[2,4,8,8], f32[5,4,3,3], f32[4]", "bias is [4]"},
            {"f32[4,8,8], f32[5,4,3,3]", "x must have 4 dimensions"},
            {"f32[2,4,8,8], f32[5,4,3,3] | stride=-1", "stride is -1"},
            {"f32[2,4,8,8], f32[5,4,3,3] | padding=-2", "padding is -2"},
            {"f32[2,4,8,8], f32[5,4,3,3] | padding=same stride=2", "padding same is for stride 1"},
            {"f32[2,4,2,8], f32[5,4,3,3] | padding_extra=[-9,0]", "kernel of height 3"},
            {0}},
};

HD_BUILDER(conv2d, hd_conv2d_args)
