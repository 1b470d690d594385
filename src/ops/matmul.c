/* matmul.c: matrix product by NumPy's rules: vectors, matrices, batches of them that broadcast. Knows nothing of
 * backends. */
#include "ops/matmul_kit.h"
#include "ops/op_kit.h"

static hd_status matmul_infer(hd_infer *c) {
    const hd_matmul_args *args = c->attr;
    const hd_dims *a = &c->in[0].dims, *b = &c->in[1].dims;
    char ta[192], tb[192];
    if (hd_need_float(c, 0)) return HD_E_MODEL;
    if (a->rank < 1 || b->rank < 1)
        return hd_infer_fail(c, "a %s and b %s must be vectors or matrices", hd_dims_text(ta, a), hd_dims_text(tb, b));
    if ((a->rank == 1 && args->trans_a) || (b->rank == 1 && args->trans_b))
        return hd_infer_fail(c, "a vector has no transpose: a is %s, b is %s", hd_dims_text(ta, a),
                             hd_dims_text(tb, b));
    int64_t m, ka, kb, n;
    hd_matmul_matrix(a, args->trans_a, false, &m, &ka);
    hd_matmul_matrix(b, args->trans_b, true, &kb, &n);
    if (ka != kb)
        return hd_infer_fail(c, "inner sizes differ: %lld of a %s%s, %lld of b %s%s", (long long)ka,
                             hd_dims_text(ta, a), args->trans_a ? " transposed" : "", (long long)kb,
                             hd_dims_text(tb, b), args->trans_b ? " transposed" : "");
    const hd_dims batch_a = hd_matmul_batch(a), batch_b = hd_matmul_batch(b);
    hd_dims y;
    if (!hd_dims_broadcast(&y, &batch_a, &batch_b))
        return hd_infer_fail(c, "leading dimensions of a %s and b %s must be equal, or 1 in one of them",
                             hd_dims_text(ta, a), hd_dims_text(tb, b));
    if (hd_need_dtype(c, 1, c->in[0].dtype)) return HD_E_MODEL;
    if (a->rank > 1) y.dim[y.rank++] = m;
    if (b->rank > 1) y.dim[y.rank++] = n;
    c->out[0] = (hd_type){c->in[0].dtype, y};
    return HD_OK;
}

static void matmul_ref(const hd_ref *r) {
    const hd_matmul_args *args = r->attr;
    const hd_matmul_sizes s = hd_matmul_sizes_of(args, &r->in[0].dims, &r->in[1].dims);
    const int64_t a_row = args->trans_a ? 1 : s.k, a_col = args->trans_a ? s.m : 1;
    const int64_t b_row = args->trans_b ? 1 : s.n, b_col = args->trans_b ? s.k : 1;
    hd_walk w;
    hd_walk_init(&w, &s.batch_dims, &s.batch_a, &s.batch_b);
    HD_FLOATS(
        r->out[0].dtype, T *y = r->out[0].data; for (int64_t g = 0; g < s.batch; g++, hd_walk_next(&w)) {
            const T *a = (const T *)r->in[0].data + w.at[0] * s.m * s.k;
            const T *b = (const T *)r->in[1].data + w.at[1] * s.k * s.n;
            for (int64_t i = 0; i < s.m; i++)
                for (int64_t j = 0; j < s.n; j++) {
                    double sum = 0;
                    for (int64_t l = 0; l < s.k; l++)
                        sum += (double)a[i * a_row + l * a_col] * (double)b[l * b_row + j * b_col];
                    *y++ = (T)sum;
                }
        })
}

/* A vector as the matrix that it stands for. */
static hd_val as_matrix(hd_val x, bool column) {
    const hd_dims dims = hd_val_dims(x);
    if (dims.rank != 1) return x;
    return column ? hd_reshape(x, .dims = HD_DIMS(dims.dim[0], 1)) : hd_reshape(x, .dims = HD_DIMS(1, dims.dim[0]));
}

/* dy with the 1s that vectors stand for. */
static hd_val as_result(hd_val d, bool row, bool column) {
    hd_dims dims = hd_val_dims(d);
    if (!row && !column) return d;
    const int batch = dims.rank - !row - !column;
    const int64_t m = row ? 1 : dims.dim[batch], n = column ? 1 : dims.dim[dims.rank - 1];
    dims.rank = batch + 2;
    dims.dim[batch] = m;
    dims.dim[batch + 1] = n;
    return hd_reshape(d, .dims = dims);
}

/* Back to the operand's shape: summed over what it was repeated along, as a vector where it was one. */
static hd_val as_operand(hd_val d, hd_val matrix, hd_val operand) {
    d = hd_unbroadcast(d, matrix);
    return hd_val_dims(operand).rank == 1 ? hd_reshape_like(d, operand) : d;
}

/* da = dy op(b)ᵀ, db = op(a)ᵀ dy, transposed where the operand was. A matrix b that serves a whole batch collects from
 * all of it: then the rows of the batch lie one under the other. */
static void matmul_grad(hd_grad *c) {
    const hd_matmul_args *args = c->attr;
    hd_val a = as_matrix(c->in[0], false);
    const hd_val b = as_matrix(c->in[1], true);
    hd_val d = as_result(c->dout[0], hd_val_dims(c->in[0]).rank == 1, hd_val_dims(c->in[1]).rank == 1);
    bool trans_a = args->trans_a;
    const bool trans_b = args->trans_b;
    if (c->needs[0]) {
        const hd_val da = hd_matmul(d, b, .trans_b = !trans_b);
        c->din[0] = as_operand(trans_a ? hd_transpose(da) : da, a, c->in[0]);
    }
    if (!c->needs[1]) return;
    if (hd_val_dims(a).rank > 2 && hd_val_dims(b).rank == 2) {
        if (trans_a) a = hd_transpose(a);
        trans_a = false;
        a = hd_flatten(a, .start_axis = HD_AXIS(0), .end_axis = -2);
        d = hd_flatten(d, .start_axis = HD_AXIS(0), .end_axis = -2);
    }
    hd_val db;
    if (trans_b)
        db = hd_matmul(d, a, .trans_a = true, .trans_b = trans_a);
    else
        db = hd_matmul(a, d, .trans_a = !trans_a);
    c->din[1] = as_operand(db, b, c->in[1]);
}

static hd_cost matmul_cost(const hd_infer *c) {
    const hd_matmul_sizes s = hd_matmul_sizes_of(c->attr, &c->in[0].dims, &c->in[1].dims);
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
    .source = "as numpy.matmul and torch.matmul, with the transposes of BLAS's GEMM",
    .doc =
        "Matrix product. Leading dimensions are a batch of matrices and broadcast. A vector a is a row, a vector b a "
        "column, and that 1 is not in the result.",
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
                                   {"f32[3]={1 2 3}, f32[3]={4 5 6}", "{32}"},
                                   {"f32[2]={1 2}, f32[2,2]={3 4 5 6}", "{13 16}"},
                                   {"f32[2,2]={3 4 5 6}, f32[2]={1 2}", "{11 17}"},
                                   {"f32[4], f32[4]", NULL},
                                   {"f32[4], f32[2,3,4,5]", NULL},
                                   {"f32[2,4,3], f32[4] | trans_a=true", NULL},
                                   {"f32[3,4], f32[2,5,4] | trans_b=true", NULL},
                                   {"f32[2,1,3,4], f32[5,4,2]", NULL},
                                   {"f32[1,3,4], f32[2,3,5,4] | trans_b=true", NULL},
                                   {"f32[2,0], f32[0,3]", "{0 0 0 0 0 0}"},
                                   {"f32[0,2], f32[2,3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[2,3]", "inner sizes differ: 3 of a [2,3], 2 of b [2,3]"},
                                   {"f32[2,3], f32[]", "must be vectors or matrices"},
                                   {"f32[2,3], f32[3] | trans_b=true", "a vector has no transpose"},
                                   {"f32[2,2,3], f32[3,3,2]", "leading dimensions"},
                                   {"f32[2,3], f64[3,2]", "b must be f32"},
                                   {0}},
};

HD_BUILDER(matmul, hd_matmul_args)
