/* avg_pool2d.c: mean of each window and its backward op. Knows nothing of backends. */
#include "ops/window_kit.h"

static hd_status avg_pool2d_infer(hd_infer *c) {
    c->out[0].dtype = c->in[0].dtype;
    return hd_infer_pool2d(c, &c->out[0].dims);
}

/* The number that the sum of a window is divided by. */
static double divisor_of(const hd_pool2d_window *v, const hd_pool_span *rows, const hd_pool_span *columns) {
    if (v->divisor_override) return (double)v->divisor_override;
    return (double)rows->counted * (double)columns->counted;
}

static void avg_pool2d_ref(const hd_ref *r) {
    const hd_pool2d_args *a = r->attr;
    const hd_dims *x_dims = &r->in[0].dims, *y_dims = &r->out[0].dims;
    const int64_t height = x_dims->dim[2], width = x_dims->dim[3];
    hd_pool2d_window v;
    HD_POOL2D_COPY(v, *a);
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; T *y = r->out[0].data;
        for (int64_t nc = 0; nc < x_dims->dim[0] * x_dims->dim[1];
             nc++, x += height * width) for (int64_t oh = 0; oh < y_dims->dim[2];
                                             oh++) for (int64_t ow = 0; ow < y_dims->dim[3]; ow++) {
            const hd_pool_span rows = hd_pool_span_of(&v, 0, oh, height), columns = hd_pool_span_of(&v, 1, ow, width);
            double sum = 0;
            for (int64_t h = rows.from; h < rows.to; h++)
                for (int64_t l = columns.from; l < columns.to; l++) sum += (double)x[h * width + l];
            *y++ = (T)(sum / divisor_of(&v, &rows, &columns));
        })
}

static void avg_pool2d_rule(hd_grad *c) {
    const hd_pool2d_args *a = c->attr;
    hd_pool2d_grad_args args = {.x = c->in[0], .dy = c->dout[0]};
    HD_POOL2D_COPY(args, *a);
    c->din[0] = hd_avg_pool2d_grad_at(HD_HERE, &args);
}

/* Every window spreads its share over its elements. */
static void avg_pool2d_grad_ref(const hd_ref *r) {
    const hd_pool2d_grad_args *a = r->attr;
    const hd_dims *x_dims = &r->in[0].dims, *y_dims = &r->in[1].dims;
    const int64_t height = x_dims->dim[2], width = x_dims->dim[3];
    hd_pool2d_window v;
    HD_POOL2D_COPY(v, *a);
    HD_FLOATS(
        r->out[0].dtype, const T *dy = r->in[1].data; T *dx = r->out[0].data;
        for (int64_t i = 0; i < r->out[0].count; i++) dx[i] = 0;
        for (int64_t nc = 0; nc < x_dims->dim[0] * x_dims->dim[1];
             nc++, dx += height * width) for (int64_t oh = 0; oh < y_dims->dim[2];
                                              oh++) for (int64_t ow = 0; ow < y_dims->dim[3]; ow++) {
            const hd_pool_span rows = hd_pool_span_of(&v, 0, oh, height), columns = hd_pool_span_of(&v, 1, ow, width);
            const double share = (double)*dy++ / divisor_of(&v, &rows, &columns);
            for (int64_t h = rows.from; h < rows.to; h++)
                for (int64_t l = columns.from; l < columns.to; l++)
                    dx[h * width + l] = (T)((double)dx[h * width + l] + share);
        })
}

/* Linear in dy; of x only the shape is read. */
static void avg_pool2d_grad_rule(hd_grad *c) {
    const hd_pool2d_grad_args *a = c->attr;
    hd_pool2d_args args = {.x = c->dout[0]};
    HD_POOL2D_COPY(args, *a);
    if (c->needs[1]) c->din[1] = hd_avg_pool2d_at(HD_HERE, &args);
}

const hd_op hd_op_avg_pool2d = {
    .name = "avg_pool2d",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_pool2d_args),
    .options = HD_AVG_POOL2D_OPTIONS(hd_pool2d_args),
    .infer = avg_pool2d_infer,
    .grad = avg_pool2d_rule,
    .ref = avg_pool2d_ref,
    .cost = hd_cost_pool2d,
    .formula = "y[n,c,i,j] = mean x[n, c, window(i,j)], padding counted as 0",
    .source = "as torch.nn.AvgPool2d and, with output_size, torch.nn.AdaptiveAvgPool2d",
    .doc =
        "The mean of each window, x [n, c, h, w] → [n, c, h', w']. stride defaults to kernel_size. Zeros that padding "
        "adds are counted, unless exclude_pad. With output_size the windows are those that give a picture of this "
        "size.",
    .onnx = "AveragePool",
    .samples =
        (const hd_sample[]){{"f32[1,1,2,4]={1 2 5 4 3 0 -1 8} | kernel_size=2", "{1.5 4}"},
                            {"f32[1,1,1,1]={4} | kernel_size=2 stride=1 padding=1", "{1 1 1 1}"},
                            {"f32[2,3,6,6] | kernel_size=2", NULL},
                            {"f32[1,2,7,8] | kernel_size=[3,2] stride=[2,3] padding=[1,0]", NULL},
                            {"f32[1,2,5,5] | kernel_size=3 stride=1 padding=1", NULL},
                            {"f32[1,1,1,1]={4} | kernel_size=2 stride=1 padding=1 exclude_pad=true", "{4 4 4 4}"},
                            {"f32[1,1,1,3]={1 2 6} | kernel_size=[1,2] ceil_mode=true", "{1.5 6}"},
                            {"f32[1,1,1,2]={1 2} | kernel_size=[1,2] divisor_override=-3", "{-1}"},
                            {"f32[1,1,1,5]={1 2 3 4 5} | output_size=[1,3]", "{1.5 3 4.5}"},
                            {"f32[1,1,2,1]={1 3} | output_size=[3,0]", "{1 2 3}"},
                            {"f32[2,3,7,8] | kernel_size=3 stride=2 padding=1 ceil_mode=true", NULL},
                            {"f32[1,2,6,7] | kernel_size=[3,4] stride=2 padding=[1,2] exclude_pad=true", NULL},
                            {"f32[1,2,6,7] | kernel_size=3 stride=3 ceil_mode=true divisor_override=2", NULL},
                            {"f32[2,3,7,5] | output_size=[3,4]", NULL},
                            {"f32[0,2,4,4] | kernel_size=2", NULL},
                            {0}},
    .bad = (const hd_bad_sample[]){{"f32[1,1,1,1] | kernel_size=2", "kernel of height 2"},
                                   {"f32[1,1,4,4] | kernel_size=2 output_size=2", "output_size settles the windows"},
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
    .options = HD_AVG_POOL2D_OPTIONS(hd_pool2d_grad_args),
    .infer = hd_infer_pool2d_grad,
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
                                   {"f32[1,2,6,7], f32[1,2,3,4] | kernel_size=3 stride=2 ceil_mode=true padding=[0,1] "
                                    "exclude_pad=true",
                                    NULL},
                                   {"f32[2,3,7,5], f32[2,3,3,4] | output_size=[3,4]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[1,1,4,4], f32[1,1,3,3] | kernel_size=2", "the pooling gives [1,1,2,2]"}, {0}},
};

HD_BUILDER(avg_pool2d, hd_pool2d_args)
HD_BUILDER(avg_pool2d_grad, hd_pool2d_grad_args)
