/* op_recurrent_kit.c: checks, steps and the shared gradient of the loops over time. Knows nothing of backends. */
#include "graph/graph.h"
#include "ops/recurrent_kit.h"
#include <stdio.h>

const char *const hd_rnn_words[] = {"tanh", "relu", NULL};

hd_steps hd_steps_of(const hd_dims *x, bool batch_first, bool reverse, const int64_t *lengths) {
    hd_steps s = {.t = x->dim[batch_first], .b = x->dim[!batch_first], .lengths = lengths, .reverse = reverse};
    s.step = batch_first ? 1 : s.b;
    s.lane = batch_first ? s.t : 1;
    return s;
}

hd_steps hd_ref_steps(const hd_ref *r, int x, int lengths, bool batch_first, bool reverse) {
    return hd_steps_of(&r->in[x].dims, batch_first, reverse, hd_ref_data(r, lengths));
}

void hd_ref_zero(const hd_ref *r) {
    for (int i = 0; i < r->n_out; i++)
        if (r->out[i].count) memset(r->out[i].data, 0, (size_t)r->out[i].count * hd_dtype_size(r->out[i].dtype));
}

hd_status hd_need_sequence(hd_infer *c, int i) {
    if (hd_need_float(c, i)) return HD_E_MODEL;
    return hd_need_rank(c, i, 3);
}

static hd_status same_dtype(hd_infer *c, int i, int like) {
    return hd_need_dtype(c, i, c->in[like].dtype);
}

hd_status hd_need_matrix(hd_infer *c, int i, int like, int64_t rows, int64_t columns) {
    const hd_dims *w = &c->in[i].dims;
    char text[192];
    if (hd_need_rank(c, i, 2) || same_dtype(c, i, like)) return HD_E_MODEL;
    if (w->dim[0] < 0 || w->dim[1] < 0 || (rows >= 0 && w->dim[0] != rows) || (columns >= 0 && w->dim[1] != columns)) {
        char m[24] = "any", n[24] = "any";
        if (rows >= 0) (void)snprintf(m, sizeof m, "%lld", (long long)rows);
        if (columns >= 0) (void)snprintf(n, sizeof n, "%lld", (long long)columns);
        return hd_infer_fail(c, "%s is %s, expected [%s,%s]", hd_op_in_name(c->op, i), hd_dims_text(text, w), m, n);
    }
    return HD_OK;
}

hd_status hd_need_like(hd_infer *c, int i, int like, hd_dims dims) {
    char text[192], want[192];
    if (hd_absent(c, i)) return HD_OK;
    if (same_dtype(c, i, like)) return HD_E_MODEL;
    if (!hd_dims_equal(&c->in[i].dims, &dims))
        return hd_infer_fail(c, "%s is %s, expected %s", hd_op_in_name(c->op, i), hd_dims_text(text, &c->in[i].dims),
                             hd_dims_text(want, &dims));
    return HD_OK;
}

hd_status hd_need_lengths(hd_infer *c, int i, int x, bool batch_first) {
    char text[192], want[192];
    if (hd_absent(c, i)) return HD_OK;
    const hd_dims dims = {.rank = 1, .dim = {c->in[x].dims.dim[!batch_first]}};
    if (hd_need_dtype(c, i, HD_I64)) return HD_E_MODEL;
    if (!hd_dims_equal(&c->in[i].dims, &dims))
        return hd_infer_fail(c, "%s is %s, expected %s: a number of steps for each sequence", hd_op_in_name(c->op, i),
                             hd_dims_text(text, &c->in[i].dims), hd_dims_text(want, &dims));
    return HD_OK;
}

hd_dims hd_state_dims(const hd_dims *x, bool batch_first, int64_t n) {
    return (hd_dims){.rank = 2, .dim = {x->dim[!batch_first], n}};
}
hd_dims hd_last_dim(const hd_dims *x, int64_t n) {
    hd_dims dims = *x;
    dims.dim[dims.rank - 1] = n;
    return dims;
}

hd_status hd_need_gates(hd_infer *c, int x, int64_t gates, int64_t *units) {
    const int64_t n = c->in[x].dims.dim[2];
    if (n < 0 || n % gates)
        return hd_infer_fail(c, "the last dimension of %s is %lld, expected %lld gates of equal size",
                             hd_op_in_name(c->op, x), (long long)n, (long long)gates);
    *units = n / gates;
    return HD_OK;
}

hd_cost hd_cost_recurrent(const hd_infer *c, int x, int a, int b) {
    const hd_dims *d = &c->in[x].dims;
    const double rows = (double)d->dim[0] * (double)d->dim[1];
    double weights = hd_cost_elements(&c->in[a]);
    if (b >= 0 && !hd_absent(c, b)) weights += hd_cost_elements(&c->in[b]);
    return hd_cost_of(c, 2 * rows * weights + 10 * hd_cost_elements(&c->in[x]));
}

hd_val hd_recurrent_dw(hd_val dz, hd_val before) {
    const hd_val a = hd_flatten(dz, .start_axis = HD_AXIS(0), .end_axis = -2);
    const hd_val b = hd_flatten(before, .start_axis = HD_AXIS(0), .end_axis = -2);
    return hd_matmul(a, b, .trans_a = true);
}
