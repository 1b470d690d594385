/* max_pool2d.c: largest of each window, its backward op, and the backward op of that. Knows nothing of backends. */
#include "ops/window_kit.h"

static hd_status max_pool2d_infer(hd_infer *c) {
    c->out[0].dtype = c->in[0].dtype;
    return hd_infer_pool2d(c, &c->out[0].dims);
}

static hd_status max_pool2d_index_infer(hd_infer *c) {
    c->out[0].dtype = HD_I64;
    return hd_infer_pool2d(c, &c->out[0].dims);
}

/* Offset in a plane of x of the largest element of a window: the first of equal ones; NaN is larger than everything. */
static int64_t largest_at(const hd_tensor *x, int64_t plane, hd_pool_span rows, hd_pool_span columns) {
    const int64_t width = x->dims.dim[3];
    int64_t at = -1;
    double largest = 0;
    for (int64_t h = rows.from; h < rows.to; h += rows.step)
        for (int64_t l = columns.from; l < columns.to; l += columns.step) {
            const double value = hd_get(x, plane + h * width + l);
            if (at >= 0 && !(value > largest) && (!isnan(value) || isnan(largest))) continue;
            at = h * width + l;
            largest = value;
        }
    return at;
}

/* Hands over the window of y[i] by where in x its largest element stands: plane + at. */
typedef void (*on_window)(const hd_ref *r, int64_t i, int64_t plane, int64_t at);
static void each_window(const hd_ref *r, const hd_pool2d_window *v, const hd_dims *y, on_window body) {
    const hd_tensor *x = &r->in[0];
    const int64_t height = x->dims.dim[2], width = x->dims.dim[3], planes = x->dims.dim[0] * x->dims.dim[1];
    int64_t i = 0;
    for (int64_t p = 0; p < planes; p++)
        for (int64_t oh = 0; oh < y->dim[2]; oh++)
            for (int64_t ow = 0; ow < y->dim[3]; ow++, i++) {
                const int64_t plane = p * height * width;
                body(r, i, plane,
                     largest_at(x, plane, hd_pool_span_of(v, 0, oh, height), hd_pool_span_of(v, 1, ow, width)));
            }
}

static void take_largest(const hd_ref *r, int64_t i, int64_t plane, int64_t at) {
    hd_set(&r->out[0], i, hd_get(&r->in[0], plane + at));
}
static void take_place(const hd_ref *r, int64_t i, int64_t plane, int64_t at) {
    (void)plane;
    ((int64_t *)r->out[0].data)[i] = at;
}
static void give_back(const hd_ref *r, int64_t i, int64_t plane, int64_t at) {
    HD_FLOATS(r->out[0].dtype, ((T *)r->out[0].data)[plane + at] += ((const T *)r->in[1].data)[i];)
}
static void take_other(const hd_ref *r, int64_t i, int64_t plane, int64_t at) {
    hd_set(&r->out[0], i, hd_get(&r->in[1], plane + at));
}

static void forward_ref(const hd_ref *r, on_window body) {
    const hd_pool2d_args *a = r->attr;
    hd_pool2d_window v;
    HD_POOL2D_COPY(v, *a);
    each_window(r, &v, &r->out[0].dims, body);
}
static void max_pool2d_ref(const hd_ref *r) {
    forward_ref(r, take_largest);
}
static void max_pool2d_index_ref(const hd_ref *r) {
    forward_ref(r, take_place);
}

static void backward_ref(const hd_ref *r, const hd_dims *y, on_window body) {
    const hd_pool2d_grad_args *a = r->attr;
    hd_pool2d_window v;
    HD_POOL2D_COPY(v, *a);
    each_window(r, &v, y, body);
}
static void max_pool2d_grad_ref(const hd_ref *r) {
    for (int64_t i = 0; i < r->out[0].count; i++) hd_set(&r->out[0], i, 0);
    backward_ref(r, &r->in[1].dims, give_back);
}
static void max_pool2d_pick_ref(const hd_ref *r) {
    backward_ref(r, &r->out[0].dims, take_other);
}

static void max_pool2d_rule(hd_grad *c) {
    const hd_pool2d_args *a = c->attr;
    hd_pool2d_grad_args args = {.x = c->in[0], .dy = c->dout[0]};
    HD_POOL2D_COPY(args, *a);
    c->din[0] = hd_max_pool2d_grad_at(HD_HERE, &args);
}

/* Linear in dy, and constant in x almost everywhere. */
static void max_pool2d_grad_rule(hd_grad *c) {
    hd_pool2d_grad_args args = *(const hd_pool2d_grad_args *)c->attr;
    args.x = c->in[0], args.dy = c->dout[0];
    if (c->needs[1]) c->din[1] = hd_max_pool2d_pick_at(HD_HERE, &args);
}

static void max_pool2d_pick_rule(hd_grad *c) {
    hd_pool2d_grad_args args = *(const hd_pool2d_grad_args *)c->attr;
    args.x = c->in[0], args.dy = c->dout[0];
    if (c->needs[1]) c->din[1] = hd_max_pool2d_grad_at(HD_HERE, &args);
}

const hd_op hd_op_max_pool2d = {
    .name = "max_pool2d",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_pool2d_args),
    .options = HD_MAX_POOL2D_OPTIONS(hd_pool2d_args),
    .flags = HD_OP_KINK,
    .infer = max_pool2d_infer,
    .grad = max_pool2d_rule,
    .ref = max_pool2d_ref,
    .cost = hd_cost_pool2d,
    .formula = "y[n,c,i,j] = max x[n, c, window(i,j)]",
    .source = "as torch.nn.MaxPool2d and, with output_size, torch.nn.AdaptiveMaxPool2d",
    .doc =
        "The largest element of each window, x [n, c, h, w] → [n, c, h', w']. What padding adds is never the "
        "largest; of equal elements the first gets the gradient. stride defaults to kernel_size. With output_size the "
        "windows are those that give a picture of this size.",
    .onnx = "MaxPool",
    .samples = (const hd_sample[]){{"f32[1,1,2,4]={1 2 5 4 3 0 -1 9} | kernel_size=2", "{3 9}"},
                                   {"f32[1,1,2,2]={-1 -2 -3 -4} | kernel_size=2 stride=1 padding=1",
                                    "{-1 -1 -2 -1 -1 -2 -3 -3 -4}"},
                                   {"f32[2,3,6,6]:distinct | kernel_size=2", NULL},
                                   {"f32[1,2,7,8]:distinct | kernel_size=[3,2] stride=[2,3] padding=[1,0]", NULL},
                                   {"f32[1,2,5,5]:distinct | kernel_size=3 stride=1 padding=1", NULL},
                                   {"f32[1,1,1,5]={9 1 2 3 4} | kernel_size=[1,2] dilation=[1,3] stride=1", "{9 4}"},
                                   {"f32[1,1,1,3]={1 2 6} | kernel_size=[1,2] ceil_mode=true", "{2 6}"},
                                   {"f32[1,1,1,5]={1 5 2 4 3} | output_size=[1,3]", "{5 5 4}"},
                                   {"f32[2,3,7,8]:distinct | kernel_size=3 dilation=2 padding=1 stride=[1,2]", NULL},
                                   {"f32[2,3,7,8]:distinct | kernel_size=3 stride=2 padding=1 ceil_mode=true", NULL},
                                   {"f32[2,3,6,8]:distinct | kernel_size=2 ceil_mode=true", NULL},
                                   {"f32[2,3,7,5]:distinct | output_size=[3,4]", NULL},
                                   {"f32[1,2,9,40]:distinct | output_size=2", NULL},
                                   {"f32[1,1,1,5]={1 3 nan nan 3} | output_size=[1,1]", "{nan}"},
                                   {"f32[0,2,4,4] | kernel_size=2", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[1,1,1,1] | kernel_size=2", "kernel of height 2"},
                                   {"f32[1,1,4,4]", "kernel_size must be given"},
                                   {"f32[1,1,4,4] | output_size=2 stride=2", "output_size settles the windows"},
                                   {"f32[1,1,3,3] | kernel_size=2 dilation=4 padding=1", "could lie outside"},
                                   {"f32[1,1,4,4] | kernel_size=2 padding=2", "more than half"},
                                   {0}},
};

const hd_op hd_op_max_pool2d_index = {
    .name = "max_pool2d_index",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_pool2d_args),
    .options = HD_MAX_POOL2D_OPTIONS(hd_pool2d_args),
    .infer = max_pool2d_index_infer,
    .no_grad_reason = "places are whole numbers, which do not change by small steps",
    .ref = max_pool2d_index_ref,
    .cost = hd_cost_pool2d,
    .formula = "y[n,c,i,j] = argmax x[n, c, window(i,j)], as row · w + column",
    .source = "as torch.nn.MaxPool2d(return_indices=True)",
    .doc = "Where the largest element of each window stands in its plane, as i64; of equal elements the first.",
    .samples = (const hd_sample[]){{"f32[1,1,2,4]={1 2 5 4 3 0 -1 9} | kernel_size=2", "{4 7}"},
                                   {"f32[1,2,1,2]={1 2 4 4} | output_size=1", "{1 0}"},
                                   {"f32[2,3,7,8]:distinct | kernel_size=3 dilation=2 padding=1", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[1,1,4,4]", "kernel_size must be given"}, {0}},
};

const hd_op hd_op_max_pool2d_grad = {
    .name = "max_pool2d_grad",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "dy"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_pool2d_grad_args),
    .options = HD_MAX_POOL2D_OPTIONS(hd_pool2d_grad_args),
    .flags = HD_OP_KINK,
    .infer = hd_infer_pool2d_grad,
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
            {"f32[2,3,7,5]:distinct, f32[2,3,3,4] | output_size=[3,4]", NULL},
            {"f32[1,2,9,40]:distinct, f32[1,2,2,2] | output_size=2", NULL},
            {"f32[1,2,7,8]:distinct, f32[1,2,5,6] | kernel_size=2 dilation=2 stride=1", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[1,1,4,4], f32[1,1,3,3] | kernel_size=2", "the pooling gives [1,1,2,2]"}, {0}},
};

const hd_op hd_op_max_pool2d_pick = {
    .name = "max_pool2d_pick",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "v"),
    .args_size = sizeof(hd_pool2d_grad_args),
    .options = HD_MAX_POOL2D_OPTIONS(hd_pool2d_grad_args),
    .flags = HD_OP_KINK,
    .infer = hd_infer_pool2d_pick,
    .grad = max_pool2d_pick_rule,
    .ref = max_pool2d_pick_ref,
    .cost = hd_cost_pool2d,
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
HD_BUILDER(max_pool2d_index, hd_pool2d_args)
HD_BUILDER(max_pool2d_grad, hd_pool2d_grad_args)
HD_BUILDER(max_pool2d_pick, hd_pool2d_grad_args)
