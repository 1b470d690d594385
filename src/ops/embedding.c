/* embedding.c: a trained row for each index. Knows nothing of backends. */
#include "ops/index_kit.h"

static void embedding_ref(const hd_ref *r) {
    const hd_tensor *y = &r->out[0];
    const int64_t n = r->in[0].dims.dim[0], d = r->in[0].dims.dim[1], *index = r->in[1].data;
    const size_t row = (size_t)d * hd_dtype_size(y->dtype);
    for (int64_t i = 0; i < r->in[1].count && y->count; i++) {
        const int64_t k = hd_index_at(index[i], n, false);
        if (k >= 0) memcpy((char *)y->data + (size_t)i * row, (const char *)r->in[0].data + (size_t)k * row, row);
        for (int64_t j = 0; j < d && k < 0; j++) hd_set(y, i * d + j, (double)NAN);
    }
}

static hd_status embedding_infer(hd_infer *c) {
    const hd_embedding_args *a = c->attr;
    const hd_dims *w = &c->in[0].dims, *index = &c->in[1].dims;
    if (hd_need_float(c, 0) || hd_need_rank(c, 0, 2) || hd_need_dtype(c, 1, HD_I64)) return HD_E_MODEL;
    if (index->rank == HD_MAX_DIMS) return hd_infer_fail(c, "index has %d dimensions already", HD_MAX_DIMS);
    if (hd_infer_padding(c, a->padding_idx, w->dim[0])) return HD_E_MODEL;
    c->out[0] = (hd_type){c->in[0].dtype, *index};
    c->out[0].dims.dim[c->out[0].dims.rank++] = w->dim[1];
    return HD_OK;
}

/* Rows of dy added up at their index; the padding row learns nothing. */
static void embedding_rule(hd_grad *c) {
    const hd_embedding_args *a = c->attr;
    const hd_dims w = hd_val_dims(c->in[0]);
    const hd_val index = hd_reshape(c->in[1], .dims = HD_DIMS(0)),
                 dy = hd_reshape(c->dout[0], .dims = HD_DIMS(0, w.dim[1]));
    hd_val d = hd_index_add(hd_fill_like(c->in[0]), index, dy);
    if (a->padding_idx) {
        const int64_t row = hd_row_of(a->padding_idx, w.dim[0]);
        d = hd_index_fill(d, hd_const(c->graph, HD_I64, HD_DIMS(1), &row));
    }
    c->din[0] = d;
}

const hd_op hd_op_embedding = {
    .name = "embedding",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("weight", "index"),
    .args_size = sizeof(hd_embedding_args),
    .options = (const hd_option[]){HD_PADDING_IDX(hd_embedding_args), HD_OPTION_END},
    .infer = embedding_infer,
    .grad = embedding_rule,
    .ref = embedding_ref,
    .cost = hd_cost_copy,
    .formula = "y[i] = weight[index[i]]",
    .source = "as torch.nn.functional.embedding; Bengio et al. 2003",
    .doc = "The row of weight [n, d] for each element of index [...]: [..., d]. The row padding_idx gets no gradient. "
           "An index outside gives NaN.",
    .onnx = "Gather",
    .samples = (const hd_sample[]){{"f32[3,2]={1 2 3 4 5 6}, i64[2]={2 0}", "{5 6 1 2}"},
                                   {"f32[2,2]={1 2 3 4}, i64[1,2]={-1 1}", "{nan nan 3 4}"},
                                   {"f32[2,1]={1 2}, i64[]={1} | padding_idx=1", "{2}"},
                                   {"f32[5,3], i64[7]:below(5)", NULL},
                                   {"f32[5,3], i64[2,4]:below(5)", NULL},
                                   {"f32[600,128], i64[30,20]:below(600)", NULL},
                                   {"f32[5,3], i64[0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[5], i64[2]", "weight must have 2 dimensions"},
                                   {"f32[5,3], i32[2]", "index must be i64"},
                                   {"f32[5,3], i64[2] | padding_idx=5", "outside the 5 rows"},
                                   {"f32[5,3], i64[2] | padding_idx=-6", "outside the 5 rows"},
                                   {0}},
};

HD_BUILDER(embedding, hd_embedding_args)
