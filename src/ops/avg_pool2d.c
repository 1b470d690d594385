/* avg_pool2d.c: mean of each window and its backward op. Knows nothing of backends. */
#include "ops/op_kit.h"

static hd_status avg_pool2d_infer(hd_infer *c) {
    hd_pool2d_args *a = c->attr;
    c->out[0].dtype = c->in[0].dtype;
    return hd_infer_pool2d(c, a->kernel_size, a->stride, a->padding, &c->out[0].dims);
}

static void avg_pool2d_ref(const hd_ref *r) {
    const hd_pool2d_args *a = r->attr;
    const hd_dims *x_dims = &r->in[0].dims, *y_dims = &r->out[0].dims;
    const int64_t height = x_dims->dim[2], width = x_dims->dim[3];
    const double area = (double)a->kernel_size[0] * (double)a->kernel_size[1];
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; T *y = r->out[0].data;
        for (int64_t nc = 0; nc < x_dims->dim[0] * x_dims->dim[1];
             nc++, x += height * width) for (int64_t oh = 0; oh < y_dims->dim[2];
                                             oh++) for (int64_t ow = 0; ow < y_dims->dim[3]; ow++) {
            const int64_t top = oh * a->stride[0] - a->padding[0], left = ow * a->stride[1] - a->padding[1];
            double sum = 0;
            for (int64_t h = top; h < top + a->kernel_size[0]; h++)
                for (int64_t l = left; l < left + a->kernel_size[1]; l++)
                    if (h >= 0 && h < height && l >= 0 && l < width) sum += (double)x[h * width + l];
            *y++ = (T)(sum / area);
        })
}

static void avg_pool2d_rule(hd_grad *c) {
    const hd_pool2d_args *a = c->attr;
    hd_pool2d_grad_args args = {.x = c->in[0], .dy = c->dout[0]};
    memcpy(args.kernel_size, a->kernel_size, sizeof args.kernel_size);
    memcpy(args.stride, a->stride, sizeof args.stride);
    memcpy(args.padding, a->padding, sizeof args.padding);
    c->din[0] = hd_avg_pool2d_grad_at(HD_HERE, &args);
}

static hd_status avg_pool2d_grad_infer(hd_infer *c) {
    hd_pool2d_grad_args *a = c->attr;
    char got[192], want[192];
    hd_dims dy;
    if (hd_infer_pool2d(c, a->kernel_size, a->stride, a->padding, &dy)) return HD_E_MODEL;
    c->out[0] = c->in[0];
    if (!hd_dims_equal(&dy, &c->in[1].dims))
        return hd_infer_fail(c, "dy is %s, the pooling gives %s", hd_dims_text(got, &c->in[1].dims),
                             hd_dims_text(want, &dy));
    return hd_need_dtype(c, 1, c->in[0].dtype);
}

/* Every element gathers from the windows that cover it. */
static void avg_pool2d_grad_ref(const hd_ref *r) {
    const hd_pool2d_grad_args *a = r->attr;
    const hd_dims *x_dims = &r->in[0].dims, *y_dims = &r->in[1].dims;
    const int64_t height = x_dims->dim[2], width = x_dims->dim[3], oh_n = y_dims->dim[2], ow_n = y_dims->dim[3];
    const double area = (double)a->kernel_size[0] * (double)a->kernel_size[1];
    HD_FLOATS(
        r->out[0].dtype, const T *dy = r->in[1].data; T *dx = r->out[0].data;
        for (int64_t nc = 0; nc < x_dims->dim[0] * x_dims->dim[1];
             nc++, dy += oh_n * ow_n) for (int64_t h = 0; h < height; h++) for (int64_t l = 0; l < width; l++) {
            double sum = 0;
            for (int64_t oh = 0; oh < oh_n; oh++)
                for (int64_t ow = 0; ow < ow_n; ow++) {
                    const int64_t i = h + a->padding[0] - oh * a->stride[0], j = l + a->padding[1] - ow * a->stride[1];
                    if (i >= 0 && i < a->kernel_size[0] && j >= 0 && j < a->kernel_size[1])
                        sum += (double)dy[oh * ow_n + ow];
                }
            *dx++ = (T)(sum / area);
        })
}

/* Linear in dy; of x only the shape is read. */
static void avg_pool2d_grad_rule(hd_grad *c) {
    const hd_pool2d_grad_args *a = c->attr;
    hd_pool2d_args args = {.x = c->dout[0]};
    memcpy(args.kernel_size, a->kernel_size, sizeof args.kernel_size);
    memcpy(args.stride, a->stride, sizeof args.stride);
    memcpy(args.padding, a->padding, sizeof args.padding);
    if (c->needs[1]) c->din[1] = hd_avg_pool2d_at(HD_HERE, &args);
}

static hd_cost avg_pool2d_cost(const hd_infer *c) {
    const hd_pool2d_args *a = c->attr;
    return hd_cost_of(c, hd_cost_elements(&c->out[0]) * (double)a->kernel_size[0] * (double)a->kernel_size[1]);
}

const hd_op hd_op_avg_pool2d = {
    .name = "avg_pool2d",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_pool2d_args),
    .options = (const hd_option[]){HD_POOL2D_OPTIONS(hd_pool2d_args), HD_OPTION_END},
    .infer = avg_pool2d_infer,
    .grad = avg_pool2d_rule,
    .ref = avg_pool2d_ref,
    .cost = avg_pool2d_cost,
    .formula = "y[n,c,i,j] = mean x[n, c, window(i,j)], padding counted as 0",
    .source = "as torch.nn.AvgPool2d (count_include_pad)",
    .doc = "The mean of each window, x [n, c, h, w] → [n, c, h', w']. Zeros that padding adds are counted. stride "
           "defaults to "
           "kernel_size.",
    .onnx = "AveragePool",
    .samples = (const hd_sample[]){{"f32[1,1,2,4]={1 2 5 4 3 0 -1 8} | kernel_size=2", "{1.5 4}"},
                                   {"f32[1,1,1,1]={4} | kernel_size=2 stride=1 padding=1", "{1 1 1 1}"},
                                   {"f32[2,3,6,6] | kernel_size=2", NULL},
                                   {"f32[1,2,7,8] | kernel_size=[3,2] stride=[2,3] padding=[1,0]", NULL},
                                   {"f32[1,2,5,5] | kernel_size=3 stride=1 padding=1", NULL},
                                   {"f32[0,2,4,4] | kernel_size=2", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[1,1,1,1] | kernel_size=2", "kernel of height 2"},
                                   {"f32[1,4,4] | kernel_size=2", "x must have 4 dimensions"},
                                   {"f32[1,1,4,4] | kernel_size=3 padding=2", "more than half"},
                                   {0}},
};

const hd_op hd_op_avg_pool2d_grad = {
    .name = "avg_pool2d_grad",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "dy"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_pool2d_grad_args),
    .options = (const hd_option[]){HD_POOL2D_OPTIONS(hd_pool2d_grad_args), HD_OPTION_END},
    .infer = avg_pool2d_grad_infer,
    .grad = avg_pool2d_grad_rule,
    .ref = avg_pool2d_grad_ref,
    .cost = hd_cost_input,
    .formula = "dx[window(i,j)] += dy[n,c,i,j] / (size of the window)",
    .source = "derivative of avg_pool2d",
    .doc =
        "Back-propagation through avg_pool2d: each dy is spread evenly over its window. Of x only the shape is read.",
    .samples = (const hd_sample[]){{"f32[1,1,2,4], f32[1,1,1,2]={4 8} | kernel_size=2", "{1 1 2 2 1 1 2 2}"},
                                   {"f32[2,3,6,6], f32[2,3,3,3] | kernel_size=2", NULL},
                                   {"f32[1,2,7,8], f32[1,2,4,3] | kernel_size=[3,2] stride=[2,3] padding=[1,0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[1,1,4,4], f32[1,1,3,3] | kernel_size=2", "the pooling gives [1,1,2,2]"}, {0}},
};

HD_BUILDER(avg_pool2d, hd_pool2d_args)
HD_BUILDER(avg_pool2d_grad, hd_pool2d_grad_args)
