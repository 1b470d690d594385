/* embedding_bag.c: rows of a table added up by bags, and which entry belongs to which bag. Knows nothing of backends.
 */
#include "ops/index_kit.h"

enum { MEAN, SUM, MAX };
static const char *const modes[] = {"mean", "sum", "max", NULL};

/* ---- bags ---- */

typedef struct bags {
    bool even; /* each has `width` entries, else offsets say where they start */
    const int64_t *index, *offsets;
    int64_t entries, n, width;
    int64_t padding; /* a row that is left out, or -1 */
} bags;

static bags bags_of(const hd_tensor *weight, const hd_tensor *index, const hd_tensor *offsets, int64_t padding_idx,
                    bool include_last) {
    bags b = {.index = index->data, .offsets = offsets->data, .entries = index->count, .padding = -1};
    b.even = offsets->dims.rank < 0;
    if (padding_idx) b.padding = hd_row_of(padding_idx, weight->dims.dim[0]);
    b.n = b.even ? index->dims.dim[0] : offsets->count - include_last;
    if (b.even) b.width = index->dims.dim[1];
    return b;
}

/* Entries start … stop−1 of a bag; offsets outside are cut off. A last bag without an end goes to the end. */
static void bag_range(const bags *b, int64_t bag, bool include_last, int64_t *start, int64_t *stop) {
    *start = bag * b->width;
    *stop = *start + b->width;
    if (b->even) return;
    *start = b->offsets[bag] < 0 ? 0 : b->offsets[bag];
    *stop = bag + 1 < b->n || include_last ? b->offsets[bag + 1] : b->entries;
    if (*stop > b->entries) *stop = b->entries;
}

static int64_t bag_count(const bags *b, int64_t start, int64_t stop) {
    int64_t count = 0;
    for (int64_t i = start; i < stop; i++) count += b->index[i] != b->padding;
    return count;
}

/* ---- embedding_bag ---- */

static void embedding_bag_ref(const hd_ref *r) {
    const hd_embedding_bag_args *a = r->attr;
    const hd_tensor *w = &r->in[0], *each = &r->in[3];
    const bags b = bags_of(w, &r->in[1], &r->in[2], a->padding_idx, a->include_last_offset);
    const int64_t d = w->dims.dim[1];
    for (int64_t bag = 0; bag < b.n; bag++) {
        int64_t start, stop;
        bag_range(&b, bag, a->include_last_offset, &start, &stop);
        const int64_t count = bag_count(&b, start, stop);
        for (int64_t j = 0; j < d; j++) {
            double y = a->mode == MAX && count ? (double)-INFINITY : 0;
            for (int64_t i = start; i < stop; i++) {
                if (b.index[i] == b.padding) continue;
                const int64_t k = hd_index_at(b.index[i], w->dims.dim[0], false);
                const double v = k < 0 ? (double)NAN : hd_get(w, k * d + j);
                if (a->mode != MAX)
                    y += each->data ? v * hd_get(each, i) : v;
                else if (v > y || isnan(v))
                    y = v;
            }
            hd_set(&r->out[0], bag * d + j, a->mode == MEAN && count ? y / (double)count : y);
        }
    }
}

/* Checks weight, index and offsets (inputs 0 … 2); the numbers of bags and of entries. */
static hd_status infer_bags(hd_infer *c, int64_t padding_idx, bool include_last, int64_t *n, int64_t *entries) {
    const hd_dims *w = &c->in[0].dims, *index = &c->in[1].dims;
    if (hd_need_float(c, 0) || hd_need_rank(c, 0, 2) || hd_need_dtype(c, 1, HD_I64)) return HD_E_MODEL;
    if (hd_infer_padding(c, padding_idx, w->dim[0])) return HD_E_MODEL;
    *n = *entries = index->dim[0];
    if (hd_absent(c, 2)) {
        if (index->rank != 2) return hd_infer_fail(c, "index must have 2 dimensions, or offsets must be given");
        const bool open = index->dim[0] < 0 || index->dim[1] < 0;
        *entries = open ? HD_BATCH : index->dim[0] * index->dim[1];
        return HD_OK;
    }
    if (hd_need_dtype(c, 2, HD_I64) || hd_need_rank(c, 2, 1)) return HD_E_MODEL;
    if (index->rank != 1) return hd_infer_fail(c, "with offsets index must have 1 dimension");
    *n = c->in[2].dims.dim[0] - include_last;
    if (include_last && c->in[2].dims.dim[0] < 1)
        return hd_infer_fail(c, "with include_last_offset the number of offsets must be known, 1 or more");
    return HD_OK;
}

static hd_status embedding_bag_infer(hd_infer *c) {
    const hd_embedding_bag_args *a = c->attr;
    int64_t n, entries;
    if (infer_bags(c, a->padding_idx, a->include_last_offset, &n, &entries)) return HD_E_MODEL;
    c->out[0] = (hd_type){c->in[0].dtype, HD_DIMS(n, c->in[0].dims.dim[1])};
    if (hd_absent(c, 3)) return HD_OK;
    if (a->mode != SUM) return hd_infer_fail(c, "per_sample_weights go with mode=sum alone");
    if (!hd_dims_equal(&c->in[3].dims, &c->in[1].dims))
        return hd_infer_fail(c, "per_sample_weights must have the shape of index");
    return hd_need_dtype(c, 3, c->in[0].dtype);
}

/* Entry by entry: dy of its bag, times its share; of the largest, where it is it, shared among equal ones. */
static void embedding_bag_rule(hd_grad *c) {
    const hd_embedding_bag_args *a = c->attr;
    const hd_val w = c->in[0], flat = hd_reshape(c->in[1], .dims = HD_DIMS(0)), dy = c->dout[0];
    const hd_val each = c->n_in > 3 ? c->in[3] : (hd_val){0};
    const hd_val bag = hd_bag_entries(w, c->in[1], c->n_in > 2 ? c->in[2] : (hd_val){0}, .padding_idx = a->padding_idx,
                                      .include_last_offset = a->include_last_offset, .average = a->mode == MEAN);
    const hd_val share = hd_reshape(hd_output(bag, 1), .dims = HD_DIMS(0, 1));
    const hd_val rows = hd_embedding(w, flat);
    hd_val d;
    if (a->mode == MAX) {
        const hd_val other = hd_ne(rows, hd_index_select(c->out[0], bag));
        const hd_val hit = hd_mul(hd_masked_fill(hd_fill_like(rows, .value = 1), other), share);
        const hd_val ties = hd_index_add(hd_fill_like(dy), bag, hit);
        d = hd_mul(hit, hd_index_select(hd_div_no_nan(dy, ties), bag));
    } else {
        d = hd_mul(hd_index_select(dy, bag), share);
    }
    if (!hd_val_is_none(each)) {
        if (c->needs[3]) c->din[3] = hd_reshape_like(hd_sum(hd_mul(rows, d), .axes = HD_DIMS(1)), each);
        d = hd_mul(d, hd_reshape(each, .dims = hd_val_dims(share)));
    }
    if (c->needs[0]) c->din[0] = hd_index_add(hd_fill_like(w), flat, d);
}

/* ---- bag_entries ---- */

/* What is in no bag gets bag 0 and share 0. */
static void bag_entries_ref(const hd_ref *r) {
    const hd_bag_entries_args *a = r->attr;
    const bags b = bags_of(&r->in[0], &r->in[1], &r->in[2], a->padding_idx, a->include_last_offset);
    int64_t *bag = r->out[0].data;
    for (int64_t i = 0; i < b.entries; i++) {
        bag[i] = 0;
        hd_set(&r->out[1], i, 0);
    }
    for (int64_t k = 0; k < b.n; k++) {
        int64_t start, stop;
        bag_range(&b, k, a->include_last_offset, &start, &stop);
        const int64_t count = bag_count(&b, start, stop);
        for (int64_t i = start; i < stop; i++) {
            bag[i] = k;
            hd_set(&r->out[1], i, b.index[i] == b.padding ? 0 : a->average ? 1 / (double)count : 1);
        }
    }
}

static hd_status bag_entries_infer(hd_infer *c) {
    const hd_bag_entries_args *a = c->attr;
    int64_t n, entries;
    if (infer_bags(c, a->padding_idx, a->include_last_offset, &n, &entries)) return HD_E_MODEL;
    c->out[0] = (hd_type){HD_I64, HD_DIMS(entries)};
    c->out[1] = (hd_type){c->in[0].dtype, HD_DIMS(entries)};
    return HD_OK;
}

#define BAG_OPTIONS(args_)                                                                                             \
    HD_PADDING_IDX(args_),                                                                                             \
        HD_OPTION(BOOL, args_, include_last_offset, .help = "the last offset is the end of the last bag")

const hd_op hd_op_embedding_bag = {
    .name = "embedding_bag",
    .n_in = 2,
    .n_optional = 2,
    .n_out = 1,
    .in_names = HD_NAMES("weight", "index", "offsets", "per_sample_weights"),
    .args_size = sizeof(hd_embedding_bag_args),
    .options = (const hd_option[]){HD_OPTION(ENUM, hd_embedding_bag_args, mode, .choices = modes,
                                             .help = "what becomes of the rows of a bag"),
                                   BAG_OPTIONS(hd_embedding_bag_args), HD_OPTION_END},
    .flags = HD_OP_KINK,
    .infer = embedding_bag_infer,
    .grad = embedding_bag_rule,
    .ref = embedding_bag_ref,
    .cost = hd_cost_copy,
    .formula = "y[i] = mean (sum, max) of weight[k] over the k of bag i",
    .source = "as torch.nn.functional.embedding_bag",
    .doc =
        "Rows of weight [n, d] put together by bags: the bags are the rows of index [b, k], or the stretches of index "
        "[m] that start at offsets [b]. Without rows a bag is 0; the row padding_idx is left out. An index outside "
        "gives NaN.",
    .samples =
        (const hd_sample[]){
            {"f32[3,2]={1 2 3 4 5 6}, i64[2,2]={0 2 1 1}", "{3 4 3 4}"},
            {"f32[3,1]={1 2 5}, i64[4]={0 2 1 1}, i64[3]={0 1 1} | mode=sum", "{1 0 9}"},
            {"f32[3,1]={1 2 5}, i64[4]={0 2 1 1}, i64[3]={0 1 3} | mode=max include_last_offset=true", "{1 5}"},
            {"f32[3,1]={1 2 5}, i64[1,3]={0 2 1}, -, f32[1,3]={1 2 3} | mode=sum padding_idx=1", "{11}"},
            {"f32[2,1]={1 2}, i64[2,1]={0 2} | mode=sum", "{1 nan}"},
            {"f32[2,1]={1 2}, i64[2]={0 1}, i64[3]={-3 9 1} | mode=sum", "{3 0 2}"},
            {"f32[6,3], i64[4,5]:below(6)", NULL},
            {"f32[6,3], i64[4,5]:below(6) | padding_idx=-2", NULL},
            {"f32[6,3], i64[7]:below(6), i64[4]={0 2 2 5}, f32[7] | mode=sum padding_idx=1", NULL},
            {"f32[6,3]:distinct, i64[7]:below(6), i64[4]={0 2 2 5} | mode=max padding_idx=3", NULL},
            {"f32[6,3], i64[0,5]", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,3], i64[7]:below(6)", "or offsets must be given"},
                                   {"f32[6,3], i64[2,2]:below(6), i64[2]={0 1}", "index must have 1 dimension"},
                                   {"f32[6,3], i64[2,2]:below(6), -, f32[2,2]", "mode=sum alone"},
                                   {"f32[6,3], i64[2,2]:below(6) | padding_idx=6", "outside the 6 rows"},
                                   {"f32[6,3], i64[2,2]:below(6), -, f32[2] | mode=sum", "the shape of index"},
                                   {0}},
};

const hd_op hd_op_bag_entries = {
    .name = "bag_entries",
    .n_in = 2,
    .n_optional = 1,
    .n_out = 2,
    .in_names = HD_NAMES("weight", "index", "offsets"),
    .out_names = HD_NAMES("bag", "share"),
    .args_size = sizeof(hd_bag_entries_args),
    .options = (const hd_option[]){HD_OPTION(BOOL, hd_bag_entries_args, average, .help = "share a bag evenly"),
                                   BAG_OPTIONS(hd_bag_entries_args), HD_OPTION_END},
    .infer = bag_entries_infer,
    .grad = hd_grad_zero,
    .no_grad_reason = "bags depend on whole numbers alone",
    .ref = bag_entries_ref,
    .cost = hd_cost_copy,
    .formula = "bag[j] = the bag of entry j, share[j] = its part in it: 1, or 1 / entries of the bag; 0 in no bag",
    .source = "what the gradient of embedding_bag reads",
    .doc = "For each entry of index its bag (i64) and its share in it; padding has none. Of weight [n, d] only the "
           "shape and the dtype are read.",
    .samples =
        (const hd_sample[]){
            {"f32[3,1], i64[2,2]={0 2 1 1} | average=true padding_idx=2", "{0 0 1 1} {1 0 0.5 0.5}"},
            {"f32[3,1], i64[4]={0 2 1 1}, i64[3]={1 3 3} | include_last_offset=true", "{0 0 0 0} {0 1 1 0}"},
            {"f32[3,1], i64[4]={0 2 1 1}, i64[2]={0 1}", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[3], i64[2,2]", "weight must have 2 dimensions"}, {0}},
};

HD_BUILDER(embedding_bag, hd_embedding_bag_args)
HD_BUILDER(bag_entries, hd_bag_entries_args)
