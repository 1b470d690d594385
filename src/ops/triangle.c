/* triangle.c: the lower and the upper triangle of matrices. Knows nothing of backends. */
#include "ops/shape_kit.h"

/* Keeps columns − rows ≤ diagonal (lower) or ≥ diagonal (upper); the rest is 0. */
static void keep_triangle(const hd_ref *r, bool lower) {
    const hd_triangle_args *a = r->attr;
    const hd_dims *x = &r->in[0].dims;
    const int64_t rows = x->dim[x->rank - 2], columns = x->dim[x->rank - 1];
    const size_t size = hd_dtype_size(r->out[0].dtype);
    for (int64_t i = 0; i < r->out[0].count; i++) {
        const int64_t away = i % columns - i / columns % rows;
        char *y = (char *)r->out[0].data + (size_t)i * size;
        if (lower ? away <= a->diagonal : away >= a->diagonal)
            memmove(y, (const char *)r->in[0].data + (size_t)i * size, size);
        else
            memset(y, 0, size);
    }
}

static hd_status triangle_infer(hd_infer *c) {
    const hd_dims *x = &c->in[0].dims;
    char text[192];
    c->out[0] = c->in[0];
    if (x->rank < 2) return hd_infer_fail(c, "x %s must be a matrix", hd_dims_text(text, x));
    return HD_OK;
}

/* Linear in x, and its own transpose. */
#define TRIANGLE_RULES(name_, lower_)                                                                                  \
    static void name_##_ref(const hd_ref *r) {                                                                         \
        keep_triangle(r, lower_);                                                                                      \
    }                                                                                                                  \
    static void name_##_grad(hd_grad *c) {                                                                             \
        c->din[0] = hd_##name_(c->dout[0], .diagonal = ((const hd_triangle_args *)c->attr)->diagonal);                 \
    }
#define TRIANGLE_OP(name_, formula_, doc_, ...)                                                                        \
    {                                                                                                                  \
        .name = #name_, .n_in = 1, .n_out = 1, .args_size = sizeof(hd_triangle_args),                                  \
        .options =                                                                                                     \
            (const hd_option[]){HD_OPTION(INT, hd_triangle_args, diagonal,                                             \
                                          .help = "which diagonal bounds it: 0 the main one, 1 the next above"),       \
                                HD_OPTION_END},                                                                        \
        .flags = HD_OP_INPLACE, .infer = triangle_infer, .grad = name_##_grad, .ref = name_##_ref,                     \
        .cost = hd_cost_copy, .formula = formula_, .source = "as torch." #name_, .doc = doc_, .onnx = "Trilu",         \
        .samples = (const hd_sample[]){__VA_ARGS__,                                                                    \
                                       {"f32[2,3,4] | diagonal=-1", NULL},                                             \
                                       {"f32[4,3] | diagonal=1", NULL},                                                \
                                       {"f32[2,40,37]", NULL},                                                         \
                                       {"f32[0,3]", NULL},                                                             \
                                       {0}},                                                                           \
        .bad = (const hd_bad_sample[]){{"f32[3]", "must be a matrix"}, {0}},                                           \
    }

TRIANGLE_RULES(tril, true)
TRIANGLE_RULES(triu, false)

const hd_op hd_op_tril = TRIANGLE_OP(
    tril, "y[i,j] = x[i,j] where j − i ≤ diagonal, else 0", "The lower triangle of each matrix, the other elements 0.",
    {"f32[2,2]={1 2 3 4}", "{1 0 3 4}"}, {"i64[2,3]={1 2 3 4 5 6} | diagonal=1", "{1 2 0 4 5 6}"});
const hd_op hd_op_triu = TRIANGLE_OP(
    triu, "y[i,j] = x[i,j] where j − i ≥ diagonal, else 0", "The upper triangle of each matrix, the other elements 0.",
    {"f32[2,2]={1 2 3 4}", "{1 2 0 4}"}, {"u8[2,3]={1 2 3 4 5 6} | diagonal=1", "{0 2 3 0 0 6}"});

HD_BUILDER(tril, hd_triangle_args)
HD_BUILDER(triu, hd_triangle_args)
