/* conv2d_grad_input.c: the gradient of conv2d by its input (transposed convolution). Knows nothing of backends. */
#include "ops/window_kit.h"

/* The input that `like` shows or, without it, that the options say. */
static hd_type input_type(const hd_infer *c, const hd_conv2d_grad_args *a) {
    if (!hd_absent(c, 2)) return c->in[2];
    const hd_dims *dy = &c->in[0].dims, *w = &c->in[1].dims;
    const int64_t channels = w->dim[1] > 0 && w->dim[1] <= HD_MAX_WINDOW ? w->dim[1] * a->groups : 0;
    return (hd_type){c->in[0].dtype, HD_DIMS(dy->dim[0], channels, a->output_size[0], a->output_size[1])};
}

static hd_status grad_input_infer(hd_infer *c) {
    hd_conv2d_grad_args *a = c->attr;
    const hd_conv2d_window window = {a->stride, a->padding, a->dilation, a->padding_extra, a->groups};
    char got[192], want[192];
    hd_dims dy;
    if (hd_need_rank(c, 0, 4) || hd_need_rank(c, 1, 4)) return HD_E_MODEL;
    const hd_type in[3] = {c->in[0], c->in[1], input_type(c, a)};
    hd_infer forward = *c;
    forward.in = in;
    forward.n_in = 3;
    if (hd_infer_conv2d(&forward, 2, 1, window, &dy)) return HD_E_MODEL;
    c->out[0] = in[2];
    if (!hd_dims_equal(&dy, &c->in[0].dims))
        return hd_infer_fail(c, "dy is %s, the convolution gives %s", hd_dims_text(got, &c->in[0].dims),
                             hd_dims_text(want, &dy));
    return hd_need_dtype(c, 0, in[2].dtype);
}

/* Position in y whose window has x position `at` under its point i, or -1. */
static int64_t window_at(int64_t at, int64_t i, int64_t stride, int64_t padding, int64_t dilation, int64_t size) {
    const int64_t o = at + padding - i * dilation;
    return o >= 0 && o % stride == 0 && o / stride < size ? o / stride : -1;
}

static void grad_input_ref(const hd_ref *r) {
    const hd_conv2d_grad_args *a = r->attr;
    const hd_conv2d_sizes z = hd_conv2d_sizes_of(&r->out[0].dims, &r->in[1].dims, &r->in[0].dims);
    HD_FLOATS(
        r->out[0].dtype, T *dx = r->out[0].data; for (int64_t nc = 0; nc < z.n * z.c; nc++) {
            const int64_t n = nc / z.c, group = nc % z.c / z.cg, c = nc % z.cg;
            const T *dy = (const T *)r->in[0].data + (n * z.k + group * z.kg) * z.oh * z.ow; /* [kg, oh, ow] */
            const T *w = (const T *)r->in[1].data + group * z.kg * z.cg * z.r * z.s;         /* [kg, cg, r, s] */
            for (int64_t h = 0; h < z.h; h++)
                for (int64_t l = 0; l < z.w; l++) {
                    double sum = 0;
                    for (int64_t i = 0; i < z.r; i++)
                        for (int64_t j = 0; j < z.s; j++) {
                            const int64_t oh = window_at(h, i, a->stride[0], a->padding[0], a->dilation[0], z.oh);
                            const int64_t ow = window_at(l, j, a->stride[1], a->padding[1], a->dilation[1], z.ow);
                            for (int64_t k = 0; oh >= 0 && ow >= 0 && k < z.kg; k++)
                                sum += (double)dy[(k * z.oh + oh) * z.ow + ow] *
                                       (double)w[((k * z.cg + c) * z.r + i) * z.s + j];
                        }
                    *dx++ = (T)sum;
                }
        })
}

/* Linear in dy (of which it is the transposed convolution) and in w. */
static void grad_input_rule(hd_grad *c) {
    const hd_conv2d_grad_args *a = c->attr;
    const hd_val g = c->dout[0];
    if (c->needs[0]) {
        hd_conv2d_args forward = {.x = g, .w = c->in[1], .groups = a->groups};
        HD_CONV2D_COPY(forward, *a);
        c->din[0] = hd_conv2d_at(HD_HERE, &forward);
    }
    if (c->needs[1]) {
        hd_conv2d_grad_args weight = *a;
        weight.a = g, weight.b = c->in[0], weight.like = c->in[1];
        c->din[1] = hd_conv2d_grad_weight_at(HD_HERE, &weight);
    }
}

static hd_cost grad_input_cost(const hd_infer *c) {
    return hd_cost_of(c, hd_conv2d_flops(&c->in[1].dims, &c->in[0].dims));
}

const hd_op hd_op_conv2d_grad_input = {
    .name = "conv2d_grad_input",
    .n_in = 2,
    .n_optional = 1,
    .n_out = 1,
    .in_names = HD_NAMES("dy", "weight", "like"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_conv2d_grad_args),
    .options = (const hd_option[]){HD_CONV2D_OPTIONS(hd_conv2d_grad_args),
                                   HD_OPTION_INTS(hd_conv2d_grad_args, output_size, 2, .min = 0, .max = HD_MAX_WINDOW,
                                                  .help = "height and width of the result, where like is not given"),
                                   HD_OPTION_END},
    .infer = grad_input_infer,
    .grad = grad_input_rule,
    .ref = grad_input_ref,
    .cost = grad_input_cost,
    .formula = "dx[n,c,h,l] = Σ dy[n,k,i,j] w[k,c,r,s] where h = i·stride − padding + r·dilation, l likewise",
    .source = "derivative of conv2d; Dumoulin, Visin: A guide to convolution arithmetic, 2016, chapter 4",
    .doc = "Back-propagation through conv2d to its input, which is a transposed convolution. Of `like` (the input) "
           "only the shape is read; without it the result has output_size.",
    .onnx = "ConvTranspose",
    .samples =
        (const hd_sample[]){
            {"f32[1,1,1,1]={2}, f32[1,1,2,2]={1 2 3 4}, f32[1,1,2,2]", "{2 4 6 8}"},
            {"f32[1,1,2,2]={1 2 3 4}, f32[1,1,2,2]={1 0 0 1}, f32[1,1,3,3]", "{1 2 0 3 5 2 0 3 4}"},
            {"f32[2,4,5,6], f32[4,3,3,3], f32[2,3,5,6] | padding=1", NULL},
            {"f32[2,4,3,3], f32[4,3,3,2], f32[2,3,8,7] | stride=[2,3] padding=[0,1]", NULL},
            {"f32[1,3,7,7], f32[3,2,3,3], f32[1,2,9,9] | dilation=[2,3] padding=[1,2]", NULL},
            {"f32[2,6,5,5], f32[6,2,3,3], f32[2,4,5,5] | groups=2 padding=1", NULL},
            {"f32[2,32,7,7], f32[32,16,3,3], f32[2,16,7,7] | padding=1", NULL},
            {"f32[2,4,5,6], f32[4,3,2,4], f32[2,3,5,6] | padding=[0,1] padding_extra=1", NULL},
            {"f32[2,32,9,9], f32[32,16,4,4], f32[2,16,9,9] | padding=1 padding_extra=1", NULL},
            {"f32[1,1,1,1]={2}, f32[1,1,2,2]={1 2 3 4} | output_size=3 stride=2", "{2 4 0 6 8 0 0 0 0}"},
            {"f32[2,16,5,5], f32[16,16,3,3] | output_size=[10,9] stride=2 padding=1", NULL},
            {"f32[0,5,2,2], f32[5,3,3,3], f32[0,3,4,4]", NULL},
            {0}},
    .bad =
        (const hd_bad_sample[]){{"f32[1,1,2,2], f32[1,1,2,2], f32[1,1,4,4]", "the convolution gives [1,1,3,3]"}, {0}},
};

HD_BUILDER(conv2d_grad_input, hd_conv2d_grad_args)
