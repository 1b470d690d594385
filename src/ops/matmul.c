/* matmul.c: matrix product, of single matrices or of a batch of them. Knows nothing of backends. */
#include "ops/op_kit.h"

typedef struct matmul_sizes {
    int64_t batch, m, n, k;
} matmul_sizes;

static void matrix_dims(const hd_dims *x, bool trans, int64_t *rows, int64_t *columns) {
    *rows = x->dim[x->rank - (trans ? 1 : 2)];
    *columns = x->dim[x->rank - (trans ? 2 : 1)];
}

static matmul_sizes sizes_of(const hd_matmul_args *args, const hd_dims *a, const hd_dims *b) {
    matmul_sizes s = {.batch = 1};
    matrix_dims(a, args->trans_a, &s.m, &s.k);
    matrix_dims(b, args->trans_b, &s.k, &s.n);
    for (int i = 0; i < a->rank - 2; i++) s.batch *= a->dim[i];
    return s;
}

static hd_status matmul_infer(hd_infer *c) {
    const hd_matmul_args *args = c->attr;
    const hd_dims *a = &c->in[0].dims, *b = &c->in[1].dims;
    char ta[192], tb[192];
    if (hd_need_float(c, 0)) return HD_E_MODEL;
    if (a->rank < 2 || b->rank < 2)
        return hd_infer_fail(c, "a %s and b %s must be matrices", hd_dims_text(ta, a), hd_dims_text(tb, b));
    if (b->rank != 2 && (b->rank != a->rank || memcmp(a->dim, b->dim, (size_t)(a->rank - 2) * sizeof *a->dim) != 0))
        return hd_infer_fail(c, "leading dimensions of a %s and b %s must be equal, or absent in b",
                             hd_dims_text(ta, a), hd_dims_text(tb, b));
    int64_t m, ka, kb, n;
    matrix_dims(a, args->trans_a, &m, &ka);
    matrix_dims(b, args->trans_b, &kb, &n);
    if (ka != kb)
        return hd_infer_fail(c, "inner sizes differ: %lld of a %s%s, %lld of b %s%s", (long long)ka,
                             hd_dims_text(ta, a), args->trans_a ? " transposed" : "", (long long)kb,
                             hd_dims_text(tb, b), args->trans_b ? " transposed" : "");
    if (hd_need_dtype(c, 1, c->in[0].dtype)) return HD_E_MODEL;
    c->out[0] = c->in[0];
    c->out[0].dims.dim[a->rank - 2] = m;
    c->out[0].dims.dim[a->rank - 1] = n;
    return HD_OK;
}

static void matmul_ref(const hd_ref *r) {
    const hd_matmul_args *args = r->attr;
    const matmul_sizes s = sizes_of(args, &r->in[0].dims, &r->in[1].dims);
    const int64_t a_row = args->trans_a ? 1 : s.k, a_col = args->trans_a ? s.m : 1;
    const int64_t b_row = args->trans_b ? 1 : s.n, b_col = args->trans_b ? s.k : 1;
    const int64_t b_step = r->in[1].dims.rank == 2 ? 0 : s.k * s.n;
    HD_FLOATS(
        r->out[0].dtype, T *y = r->out[0].data; for (int64_t g = 0; g < s.batch; g++) {
            const T *a = (const T *)r->in[0].data + g * s.m * s.k;
            const T *b = (const T *)r->in[1].data + g * b_step;
            for (int64_t i = 0; i < s.m; i++)
                for (int64_t j = 0; j < s.n; j++) {
                    double sum = 0;
                    for (int64_t l = 0; l < s.k; l++)
                        sum += (double)a[i * a_row + l * a_col] * (double)b[l * b_row + j * b_col];
                    *y++ = (T)sum;
                }
        })
}

/* da = dy op(b)ᵀ, db = op(a)ᵀ dy, transposed where the operand was. A matrix b that serves a whole batch collects from
 * all of it: then the rows of the batch lie one under the other. */
static void matmul_grad(hd_grad *c) {
    const hd_matmul_args *args = c->attr;
    hd_val a = c->in[0], d = c->dout[0];
    const hd_val b = c->in[1];
    bool trans_a = args->trans_a;
    const bool trans_b = args->trans_b;
    if (c->needs[0]) {
        const hd_val da = hd_matmul(d, b, .trans_b = !trans_b);
        c->din[0] = trans_a ? hd_transpose(da) : da;
    }
    if (!c->needs[1]) return;
    if (hd_val_dims(a).rank > 2 && hd_val_dims(b).rank == 2) {
        if (trans_a) a = hd_transpose(a);
        trans_a = false;
        a = hd_flatten(a, .start_axis = HD_AXIS(0), .end_axis = -2);
        d = hd_flatten(d, .start_axis = HD_AXIS(0), .end_axis = -2);
    }
    if (trans_b)
        c->din[1] = hd_matmul(d, a, .trans_a = true, .trans_b = trans_a);
    else
        c->din[1] = hd_matmul(a, d, .trans_a = !trans_a);
}

static hd_cost matmul_cost(const hd_infer *c) {
    const matmul_sizes s = sizes_of(c->attr, &c->in[0].dims, &c->in[1].dims);
    return hd_cost_of(c, 2 * (double)s.k * hd_cost_elements(&c->out[0]));
}

const hd_op hd_op_matmul = {
    .name = "matmul",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("a", "b"),
    .args_size = sizeof(hd_matmul_args),
    .options = (const hd_option[]){HD_OPTION(BOOL, hd_matmul_args, trans_a, .help = "a is [..., k, m]"),
                                   HD_OPTION(BOOL, hd_matmul_args, trans_b, .help = "b is [..., n, k]"), HD_OPTION_END},
    .infer = matmul_infer,
    .grad = matmul_grad,
    .ref = matmul_ref,
    .cost = matmul_cost,
    .formula = "y[i, j] = Σₖ a[i, k] b[k, j]",
    .source = "as torch.matmul, with the transposes of BLAS's GEMM",
    .doc =
        "Matrix product. Leading dimensions are a batch of matrices: equal in both, or absent in b, which then serves "
        "all of them.",
    .onnx = "MatMul",
    .samples = (const hd_sample[]){{"f32[2,2]={1 2 3 4}, f32[2,2]={5 6 7 8}", "{19 22 43 50}"},
                                   {"f32[2,2]={1 2 3 4}, f32[2,2]={5 6 7 8} | trans_a=true", "{26 30 38 44}"},
                                   {"f32[2,2]={1 2 3 4}, f32[2,2]={5 6 7 8} | trans_b=true", "{17 23 39 53}"},
                                   {"f32[3,4], f32[4,5]", NULL},
                                   {"f32[4,3], f32[5,4] | trans_a=true trans_b=true", NULL},
                                   {"f32[2,3,4], f32[2,4,5]", NULL},
                                   {"f32[2,2,4,3], f32[2,2,5,4] | trans_a=true trans_b=true", NULL},
                                   {"f32[2,3,4], f32[4,5]", NULL},
                                   {"f32[2,4,3], f32[5,4] | trans_a=true trans_b=true", NULL},
                                   {"f32[2,4,3], f32[4,5] | trans_a=true", NULL},
                                   {"f32[33,17], f32[17,19]", NULL},
                                   {"f32[2,0], f32[0,3]", "{0 0 0 0 0 0}"},
                                   {"f32[0,2], f32[2,3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[2,3]", "inner sizes differ: 3 of a [2,3], 2 of b [2,3]"},
                                   {"f32[2,3], f32[3]", "must be matrices"},
                                   {"f32[2,2,3], f32[3,3,2]", "leading dimensions"},
                                   {"f32[2,3], f64[3,2]", "b must be f32"},
                                   {0}},
};

HD_BUILDER(matmul, hd_matmul_args)
