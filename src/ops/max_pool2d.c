/* max_pool2d.c: largest of each window, its backward op, and the backward op of that. Knows nothing of backends. */
#include "ops/op_kit.h"

static hd_status max_pool2d_infer(hd_infer *c) {
    hd_pool2d_args *a = c->attr;
    c->out[0].dtype = c->in[0].dtype;
    return hd_infer_pool2d(c, a->kernel_size, a->stride, a->padding, &c->out[0].dims);
}

/* Offset in a plane x [h, w] of the largest element of a window: the first of equal ones; NaN is larger than
 * everything. */
#define FIRST_LARGEST(at, x)                                                                                           \
    int64_t at = -1;                                                                                                   \
    for (int64_t i = 0; i < a->kernel_size[0]; i++)                                                                    \
        for (int64_t j = 0; j < a->kernel_size[1]; j++) {                                                              \
            const int64_t h = oh * a->stride[0] - a->padding[0] + i, l = ow * a->stride[1] - a->padding[1] + j;        \
            if (h < 0 || h >= x_dims->dim[2] || l < 0 || l >= x_dims->dim[3]) continue;                                \
            const int64_t p = h * x_dims->dim[3] + l;                                                                  \
            if (at < 0 || x[p] > x[at] || (isnan(x[p]) && !isnan(x[at]))) at = p;                                      \
        }

static void max_pool2d_ref(const hd_ref *r) {
    const hd_pool2d_args *a = r->attr;
    const hd_dims *x_dims = &r->in[0].dims, *y_dims = &r->out[0].dims;
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; T *y = r->out[0].data;
        for (int64_t nc = 0; nc < x_dims->dim[0] * x_dims->dim[1];
             nc++, x += x_dims->dim[2] * x_dims->dim[3]) for (int64_t oh = 0; oh < y_dims->dim[2];
                                                              oh++) for (int64_t ow = 0; ow < y_dims->dim[3]; ow++) {
            FIRST_LARGEST(at, x)
            *y++ = x[at];
        })
}

static void max_pool2d_rule(hd_grad *c) {
    const hd_pool2d_args *a = c->attr;
    hd_pool2d_grad_args args = {.x = c->in[0], .dy = c->dout[0]};
    memcpy(args.kernel_size, a->kernel_size, sizeof args.kernel_size);
    memcpy(args.stride, a->stride, sizeof args.stride);
    memcpy(args.padding, a->padding, sizeof args.padding);
    c->din[0] = hd_max_pool2d_grad_at(HD_HERE, &args);
}

static hd_status max_pool2d_grad_infer(hd_infer *c) {
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

static void max_pool2d_grad_ref(const hd_ref *r) {
    const hd_pool2d_grad_args *a = r->attr;
    const hd_dims *x_dims = &r->in[0].dims, *y_dims = &r->in[1].dims;
    const int64_t plane = x_dims->dim[2] * x_dims->dim[3];
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; const T *dy = r->in[1].data; T *dx = r->out[0].data;
        for (int64_t i = 0; i < r->out[0].count; i++) dx[i] = 0;
        for (int64_t nc = 0; nc < x_dims->dim[0] * x_dims->dim[1];
             nc++, x += plane, dx += plane) for (int64_t oh = 0; oh < y_dims->dim[2];
                                                 oh++) for (int64_t ow = 0; ow < y_dims->dim[3]; ow++) {
            FIRST_LARGEST(at, x)
            dx[at] += *dy++;
        })
}

/* Linear in dy, and constant in x almost everywhere. */
static void max_pool2d_grad_rule(hd_grad *c) {
    hd_pool2d_grad_args args = *(const hd_pool2d_grad_args *)c->attr;
    args.x = c->in[0], args.dy = c->dout[0];
    if (c->needs[1]) c->din[1] = hd_max_pool2d_pick_at(HD_HERE, &args);
}

static hd_status max_pool2d_pick_infer(hd_infer *c) {
    hd_pool2d_grad_args *a = c->attr;
    c->out[0].dtype = c->in[0].dtype;
    if (hd_infer_pool2d(c, a->kernel_size, a->stride, a->padding, &c->out[0].dims)) return HD_E_MODEL;
    return hd_need_same(c, 0, 1);
}

static void max_pool2d_pick_ref(const hd_ref *r) {
    const hd_pool2d_grad_args *a = r->attr;
    const hd_dims *x_dims = &r->in[0].dims, *y_dims = &r->out[0].dims;
    const int64_t plane = x_dims->dim[2] * x_dims->dim[3];
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; const T *v = r->in[1].data; T *y = r->out[0].data;
        for (int64_t nc = 0; nc < x_dims->dim[0] * x_dims->dim[1];
             nc++, x += plane, v += plane) for (int64_t oh = 0; oh < y_dims->dim[2];
                                                oh++) for (int64_t ow = 0; ow < y_dims->dim[3]; ow++) {
            FIRST_LARGEST(at, x)
            *y++ = v[at];
        })
}

static void max_pool2d_pick_rule(hd_grad *c) {
    hd_pool2d_grad_args args = *(const hd_pool2d_grad_args *)c->attr;
    args.x = c->in[0], args.dy = c->dout[0];
    if (c->needs[1]) c->din[1] = hd_max_pool2d_grad_at(HD_HERE, &args);
}

static hd_cost max_pool2d_cost(const hd_infer *c) {
    const hd_pool2d_args *a = c->attr;
    return hd_cost_of(c, hd_cost_elements(&c->out[0]) * (double)a->kernel_size[0] * (double)a->kernel_size[1]);
}

const hd_op hd_op_max_pool2d = {
    .name = "max_pool2d",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_pool2d_args),
    .options = (const hd_option[]){HD_POOL2D_OPTIONS(hd_pool2d_args), HD_OPTION_END},
    .flags = HD_OP_KINK,
    .infer = max_pool2d_infer,
    .grad = max_pool2d_rule,
    .ref = max_pool2d_ref,
    .cost = max_pool2d_cost,
    .formula = "y[n,c,i,j] = max x[n, c, window(i,j)]",
    .source = "as torch.nn.MaxPool2d",
    .doc = "The largest element of each window, x [n, c, h, w] → [n, c, h', w']. What padding adds is never the "
           "largest; of "
           "equal elements the first gets the gradient. stride defaults to kernel_size.",
    .onnx = "MaxPool",
    .samples = (const hd_sample[]){{"f32[1,1,2,4]={1 2 5 4 3 0 -1 9} | kernel_size=2", "{3 9}"},
                                   {"f32[1,1,2,2]={-1 -2 -3 -4} | kernel_size=2 stride=1 padding=1",
                                    "{-1 -1 -2 -1 -1 -2 -3 -3 -4}"},
                                   {"f32[2,3,6,6]:distinct | kernel_size=2", NULL},
                                   {"f32[1,2,7,8]:distinct | kernel_size=[3,2] stride=[2,3] padding=[1,0]", NULL},
                                   {"f32[1,2,5,5]:distinct | kernel_size=3 stride=1 padding=1", NULL},
                                   {"f32[0,2,4,4] | kernel_size=2", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[1,1,1,1] | kernel_size=2", "kernel of height 2"},
                                   {"f32[1,1,4,4]", "kernel_size must be given"},
                                   {"f32[1,1,4,4] | kernel_size=2 padding=2", "more than half"},
                                   {0}},
};

const hd_op hd_op_max_pool2d_grad = {
    .name = "max_pool2d_grad",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "dy"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_pool2d_grad_args),
    .options = (const hd_option[]){HD_POOL2D_OPTIONS(hd_pool2d_grad_args), HD_OPTION_END},
    .flags = HD_OP_KINK,
    .infer = max_pool2d_grad_infer,
    .grad = max_pool2d_grad_rule,
    .ref = max_pool2d_grad_ref,
    .cost = hd_cost_input,
    .formula = "dx[first largest of window(i,j)] += dy[n,c,i,j]",
    .source = "subgradient of max_pool2d; as PyTorch chooses it",
    .doc = "Back-propagation through max_pool2d: each dy goes to the first largest element of its window.",
    .samples =
        (const hd_sample[]){
            {"f32[1,1,2,4]={1 3 5 4 3 0 -1 9}, f32[1,1,1,2]={7 8} | kernel_size=2", "{0 7 0 0 0 0 0 8}"},
            {"f32[1,1,3,1]={1 2 0}, f32[1,1,2,1]={7 8} | kernel_size=[2,1] stride=1", "{0 15 0}"},
            {"f32[2,3,6,6]:distinct, f32[2,3,3,3] | kernel_size=2", NULL},
            {"f32[1,2,7,8]:distinct, f32[1,2,4,3] | kernel_size=[3,2] stride=[2,3] padding=[1,0]", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[1,1,4,4], f32[1,1,3,3] | kernel_size=2", "the pooling gives [1,1,2,2]"}, {0}},
};

const hd_op hd_op_max_pool2d_pick = {
    .name = "max_pool2d_pick",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "v"),
    .args_size = sizeof(hd_pool2d_grad_args),
    .options = (const hd_option[]){HD_POOL2D_OPTIONS(hd_pool2d_grad_args), HD_OPTION_END},
    .flags = HD_OP_KINK,
    .infer = max_pool2d_pick_infer,
    .grad = max_pool2d_pick_rule,
    .ref = max_pool2d_pick_ref,
    .cost = max_pool2d_cost,
    .formula = "y[n,c,i,j] = v[first largest x of window(i,j)]",
    .source = "the transpose of max_pool2d_grad",
    .doc = "Takes v where x is the largest of each window: what max_pool2d_grad's own gradient asks for.",
    .samples = (const hd_sample[]){{"f32[1,1,2,4]={1 3 5 4 3 0 -1 9}, f32[1,1,2,4]={1 2 3 4 5 6 7 8} | kernel_size=2",
                                    "{2 8}"},
                                   {"f32[2,3,6,6]:distinct, f32[2,3,6,6] | kernel_size=3 stride=2 padding=1", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[1,1,4,4], f32[1,1,3,3] | kernel_size=2", "same shape"}, {0}},
};

HD_BUILDER(max_pool2d, hd_pool2d_args)
HD_BUILDER(max_pool2d_grad, hd_pool2d_grad_args)
HD_BUILDER(max_pool2d_pick, hd_pool2d_grad_args)
