/* fold2d.c: the windows of pictures as columns, and columns added up to pictures: each is the other's gradient. Knows
 * nothing of backends. */
#include "ops/window_kit.h"

/* A picture [c, h, w], windows [kh, kw] at [oh, ow] places. */
typedef struct columns {
    int64_t n, c, h, w, kh, kw, oh, ow;
} columns;

typedef struct windows {
    const int64_t *kernel, *dilation, *padding, *stride;
} windows;
#define WINDOWS(a) ((windows){(a)->kernel_size, (a)->dilation, (a)->padding, (a)->stride})

/* Places of the windows on a picture of this size, or a message. */
static hd_status count_windows(hd_infer *c, windows v, const int64_t size[2], int64_t out[2]) {
    for (int i = 0; i < 2; i++) {
        if (v.kernel[i] < 1) return hd_infer_fail(c, "kernel_size must be given");
        if (size[i] < 1 || size[i] > HD_MAX_WINDOW)
            return hd_infer_fail(c, "height and width of the picture must be numbers above 0");
        const int64_t reach = v.dilation[i] * (v.kernel[i] - 1) + 1, padded = size[i] + 2 * v.padding[i];
        if (reach > padded)
            return hd_infer_fail(c, "a window of %lld (with dilation) on a picture of %lld (with padding)",
                                 (long long)reach, (long long)padded);
        out[i] = (padded - reach) / v.stride[i] + 1;
    }
    return HD_OK;
}

static hd_status unfold2d_infer(hd_infer *c) {
    const hd_unfold2d_args *a = c->attr;
    const hd_dims *x = &c->in[0].dims;
    int64_t out[2] = {0};
    if (hd_need_float(c, 0) || hd_need_rank(c, 0, 4) || count_windows(c, WINDOWS(a), x->dim + 2, out))
        return HD_E_MODEL;
    if (x->dim[1] < 0 || x->dim[1] > HD_MAX_WINDOW || a->kernel_size[0] > HD_MAX_WINDOW / a->kernel_size[1])
        return hd_infer_fail(c, "the windows are too large");
    c->out[0] = (hd_type){c->in[0].dtype,
                          HD_DIMS(x->dim[0], x->dim[1] * a->kernel_size[0] * a->kernel_size[1], out[0] * out[1])};
    return HD_OK;
}

static hd_status fold2d_infer(hd_infer *c) {
    const hd_fold2d_args *a = c->attr;
    const hd_dims *x = &c->in[0].dims;
    char text[192];
    int64_t out[2] = {0};
    if (hd_need_float(c, 0) || hd_need_rank(c, 0, 3)) return HD_E_MODEL;
    if (a->output_size[0] < 1 || a->output_size[1] < 1) return hd_infer_fail(c, "output_size must be given");
    if (count_windows(c, WINDOWS(a), a->output_size, out)) return HD_E_MODEL;
    const int64_t points =
        a->kernel_size[0] > HD_MAX_WINDOW / a->kernel_size[1] ? 0 : a->kernel_size[0] * a->kernel_size[1];
    if (points < 1 || x->dim[1] < 0 || x->dim[1] % points || x->dim[2] != out[0] * out[1])
        return hd_infer_fail(c, "x is %s, it must be [n, c·%lld, %lld]: columns of windows", hd_dims_text(text, x),
                             (long long)points, (long long)(out[0] * out[1]));
    c->out[0] = (hd_type){c->in[0].dtype, HD_DIMS(x->dim[0], x->dim[1] / points, a->output_size[0], a->output_size[1])};
    return HD_OK;
}

static columns columns_of(const hd_dims *picture, windows v) {
    columns z = {.n = picture->dim[0], .c = picture->dim[1], .h = picture->dim[2], .w = picture->dim[3]};
    z.kh = v.kernel[0], z.kw = v.kernel[1];
    z.oh = (z.h + 2 * v.padding[0] - v.dilation[0] * (z.kh - 1) - 1) / v.stride[0] + 1;
    z.ow = (z.w + 2 * v.padding[1] - v.dilation[1] * (z.kw - 1) - 1) / v.stride[1] + 1;
    return z;
}

/* Runs STEP for every element of the columns in order: the place in the picture is `from + l`, inside where `in`. */
#define EACH_COLUMN(z, v, STEP)                                                                                        \
    for (int64_t row = 0; row < (z).n * (z).c * (z).kh * (z).kw; row++) {                                              \
        const int64_t plane = row / ((z).kh * (z).kw), ki = row / (z).kw % (z).kh, kj = row % (z).kw;                  \
        for (int64_t oh = 0; oh < (z).oh; oh++) {                                                                      \
            const int64_t h = oh * (v).stride[0] - (v).padding[0] + ki * (v).dilation[0];                              \
            const int64_t line = (plane * (z).h + h) * (z).w;                                                          \
            for (int64_t ow = 0; ow < (z).ow; ow++, at++) {                                                            \
                const int64_t l = ow * (v).stride[1] - (v).padding[1] + kj * (v).dilation[1];                          \
                const bool in = h >= 0 && h < (z).h && l >= 0 && l < (z).w;                                            \
                STEP;                                                                                                  \
            }                                                                                                          \
        }                                                                                                              \
    }

static void unfold2d_ref(const hd_ref *r) {
    const hd_unfold2d_args *a = r->attr;
    const windows v = WINDOWS(a);
    const columns z = columns_of(&r->in[0].dims, v);
    int64_t at = 0;
    HD_FLOATS(r->out[0].dtype, const T *x = r->in[0].data; T *y = r->out[0].data;
              EACH_COLUMN(z, v, y[at] = in ? x[line + l] : 0))
}

static void fold2d_ref(const hd_ref *r) {
    const hd_fold2d_args *a = r->attr;
    const windows v = WINDOWS(a);
    const columns z = columns_of(&r->out[0].dims, v);
    int64_t at = 0;
    HD_FLOATS(r->out[0].dtype, const T *x = r->in[0].data; T *y = r->out[0].data;
              for (int64_t i = 0; i < r->out[0].count; i++) y[i] = 0; EACH_COLUMN(z, v, if (in) y[line + l] += x[at]))
}

/* The windows' settings, from one args struct to another. */
#define COPY_WINDOWS(to, from)                                                                                         \
    for (int i = 0; i < 2; i++) {                                                                                      \
        (to).kernel_size[i] = (from)->kernel_size[i];                                                                  \
        (to).dilation[i] = (from)->dilation[i];                                                                        \
        (to).padding[i] = (from)->padding[i];                                                                          \
        (to).stride[i] = (from)->stride[i];                                                                            \
    }

static void unfold2d_rule(hd_grad *c) {
    const hd_unfold2d_args *a = c->attr;
    const hd_dims x = hd_val_dims(c->in[0]);
    hd_fold2d_args back = {.x = c->dout[0], .output_size = {x.dim[2], x.dim[3]}};
    COPY_WINDOWS(back, a)
    c->din[0] = hd_fold2d_at(HD_HERE, &back);
}
static void fold2d_rule(hd_grad *c) {
    const hd_fold2d_args *a = c->attr;
    hd_unfold2d_args back = {.x = c->dout[0]};
    COPY_WINDOWS(back, a)
    c->din[0] = hd_unfold2d_at(HD_HERE, &back);
}

#define WINDOW_OPTIONS(args_)                                                                                          \
    HD_OPTION_INTS(args_, kernel_size, 2, .min = 0, .max = HD_MAX_WINDOW, .help = "height and width of the window"),   \
        HD_OPTION_INTS(args_, dilation, 2, .def = 1, .min = 1, .max = HD_MAX_WINDOW,                                   \
                       .help = "distance of the window's points"),                                                     \
        HD_OPTION_INTS(args_, padding, 2, .min = 0, .max = HD_MAX_WINDOW, .help = "zeros on each side"),               \
        HD_OPTION_INTS(args_, stride, 2, .def = 1, .min = 1, .max = HD_MAX_WINDOW, .help = "step of the window")

const hd_op hd_op_unfold2d = {
    .name = "unfold2d",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_unfold2d_args),
    .options = (const hd_option[]){WINDOW_OPTIONS(hd_unfold2d_args), HD_OPTION_END},
    .infer = unfold2d_infer,
    .grad = unfold2d_rule,
    .ref = unfold2d_ref,
    .cost = hd_cost_copy,
    .formula = "y[n, (c·kh + i)·kw + j, o] = x[n, c, …]: point (i, j) of window o",
    .source = "as torch.nn.functional.unfold (im2col)",
    .doc = "The windows of a picture side by side as columns: convolution is then a product of matrices.",
    .samples = (const hd_sample[]){{"f32[1,1,2,3]={1 2 3 4 5 6} | kernel_size=2", "{1 2 2 3 4 5 5 6}"},
                                   {"f32[1,1,1,2]={1 2} | kernel_size=[1,3] padding=[0,1]", "{0 1 1 2 2 0}"},
                                   {"f32[2,3,7,6] | kernel_size=[3,2] dilation=[2,1] padding=[1,1] stride=[2,3]", NULL},
                                   {"f32[0,3,4,4] | kernel_size=2", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[1,1,2,2]", "kernel_size must be given"},
                                   {"f32[1,1,2,2] | kernel_size=3", "a window of 3 (with dilation) on a picture of 2"},
                                   {0}},
};

const hd_op hd_op_fold2d = {
    .name = "fold2d",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_fold2d_args),
    .options = (const hd_option[]){HD_OPTION_INTS(hd_fold2d_args, output_size, 2, .min = 0, .max = HD_MAX_WINDOW,
                                                  .help = "height and width of the picture"),
                                   WINDOW_OPTIONS(hd_fold2d_args), HD_OPTION_END},
    .infer = fold2d_infer,
    .grad = fold2d_rule,
    .ref = fold2d_ref,
    .cost = hd_cost_copy,
    .formula = "y[n, c, h, w] = Σ x[n, (c·kh + i)·kw + j, o] where point (i, j) of window o is (h, w)",
    .source = "as torch.nn.functional.fold (col2im)",
    .doc = "Columns of windows added up to the picture that they lie on: the transpose of unfold2d.",
    .samples =
        (const hd_sample[]){
            {"f32[1,4,2]={1 2 2 3 4 5 5 6} | output_size=[2,3] kernel_size=2", "{1 4 3 4 10 6}"},
            {"f32[2,18,6] | output_size=[7,6] kernel_size=[3,2] dilation=[2,1] padding=[1,1] stride=[3,3]", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[1,4,2] | kernel_size=2", "output_size must be given"},
                                   {"f32[1,4,2] | kernel_size=2 output_size=3", "x is [1,4,2], it must be [n, c·4, 4]"},
                                   {0}},
};

HD_BUILDER(unfold2d, hd_unfold2d_args)
HD_BUILDER(fold2d, hd_fold2d_args)
