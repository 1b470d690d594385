/* op_norms.c: shapes, definition and gradients of the normalisations of single samples. Knows nothing of backends. */
#include "ops/norm_kit.h"

/* ---- shapes ---- */

hd_norm_rows hd_norm_last_rows(const hd_dims *x, const hd_dims *shape) {
    hd_norm_rows z = {.rows = 1, .m = 1, .groups = 1, .run = 1};
    for (int i = 0; i < x->rank; i++) *(i < x->rank - shape->rank ? &z.rows : &z.m) *= x->dim[i];
    return z;
}

hd_norm_rows hd_norm_group_rows(const hd_dims *x, int64_t num_groups) {
    hd_norm_rows z = {.rows = x->dim[0] * num_groups, .m = x->dim[1] / num_groups, .groups = num_groups, .run = 1};
    for (int i = 2; i < x->rank; i++) z.run *= x->dim[i];
    z.m *= z.run;
    if (z.run == 0) z.run = 1; /* without elements */
    return z;
}

hd_status hd_infer_norm_shape(hd_infer *c, int iw, hd_dims *shape, hd_type *statistics) {
    const hd_dims *x = &c->in[0].dims;
    char a[192], b[192];
    if (hd_need_float(c, 0)) return HD_E_MODEL;
    if (x->rank < 1) return hd_infer_fail(c, "x is a single number: it has no axis to normalise over");
    if (shape->rank == 0 && !hd_absent(c, iw)) *shape = c->in[iw].dims;
    if (shape->rank == 0) *shape = HD_DIMS(x->dim[x->rank - 1]);
    const int first = x->rank - shape->rank;
    bool fits = first >= 0;
    for (int i = 0; i < shape->rank && fits; i++) fits = shape->dim[i] == x->dim[first + i] && shape->dim[i] >= 0;
    if (!fits)
        return hd_infer_fail(c, "normalized_shape is %s, x %s does not end in it", hd_dims_text(a, shape),
                             hd_dims_text(b, x));
    *statistics = c->in[0];
    for (int i = first; i < x->rank; i++) statistics->dims.dim[i] = 1;
    return HD_OK;
}

hd_status hd_infer_norm_weight(hd_infer *c, int i, const hd_dims *dims) {
    char a[192], b[192];
    if (hd_absent(c, i)) return HD_OK;
    if (!hd_dims_equal(&c->in[i].dims, dims))
        return hd_infer_fail(c, "%s is %s, it must be %s", c->op->in_names[i], hd_dims_text(a, &c->in[i].dims),
                             hd_dims_text(b, dims));
    return hd_need_dtype(c, i, c->in[0].dtype);
}

hd_status hd_infer_norm_statistics(hd_infer *c, int i, const hd_type *type) {
    char a[192], b[192];
    if (!hd_dims_equal(&c->in[i].dims, &type->dims))
        return hd_infer_fail(c, "%s is %s, it must be %s", c->op->in_names[i], hd_dims_text(a, &c->in[i].dims),
                             hd_dims_text(b, &type->dims));
    return hd_need_dtype(c, i, type->dtype);
}

hd_status hd_infer_norm_last_grad(hd_infer *c, hd_dims *shape, int idy) {
    hd_type statistics = {0};
    if (hd_infer_norm_shape(c, idy + 1, shape, &statistics)) return HD_E_MODEL;
    for (int i = 1; i < idy; i++)
        if (hd_infer_norm_statistics(c, i, &statistics)) return HD_E_MODEL;
    if (hd_need_same(c, 0, idy) || hd_infer_norm_weight(c, idy + 1, shape)) return HD_E_MODEL;
    c->out[0] = c->in[0];
    for (int i = 1; i < c->n_out; i++) c->out[i] = (hd_type){c->in[0].dtype, *shape};
    return HD_OK;
}

hd_cost hd_cost_norm(const hd_infer *c) {
    return hd_cost_of(c, 7 * hd_cost_elements(&c->in[0]));
}
hd_cost hd_cost_norm_grad(const hd_infer *c) {
    return hd_cost_of(c, 12 * hd_cost_elements(&c->in[0]));
}

/* ---- definitions ---- */

static const void *norm_data(const hd_ref *r, int i) {
    return i < r->n_in ? r->in[i].data : NULL;
}

/* Two passes for the variance. */
void hd_norm_ref(const hd_ref *r, const hd_norm_rows *z, bool centred, double eps) {
    const int64_t each = z->m / z->run;
    const void *bias = centred ? norm_data(r, 2) : NULL;
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; const T *w = norm_data(r, 1); const T *b = bias;
        T *y = r->out[0].data; for (int64_t i = 0; i < z->rows; i++, x += z->m, y += z->m) {
            double mean = 0, var = 0;
            for (int64_t j = 0; j < z->m && centred; j++) mean += (double)x[j];
            if (centred) mean /= (double)z->m;
            for (int64_t j = 0; j < z->m; j++) var += ((double)x[j] - mean) * ((double)x[j] - mean);
            const double invstd = 1 / sqrt(var / (double)z->m + eps);
            for (int64_t j = 0; j < z->m; j++) {
                const int64_t k = i % z->groups * each + j / z->run;
                y[j] = (T)(((double)x[j] - mean) * invstd * (w ? (double)w[k] : 1) + (b ? (double)b[k] : 0));
            }
            if (centred) ((T *)r->out[1].data)[i] = (T)mean;
            ((T *)r->out[centred ? 2 : 1].data)[i] = (T)invstd;
        })
}

/* With g = dy·w and x̂ = (x − mean)·invstd: dx = invstd (g − mean g − x̂ mean(g x̂)), without the mean for rms. */
void hd_norm_grad_ref(const hd_ref *r, const hd_norm_rows *z, bool centred) {
    const int64_t each = z->m / z->run;
    const int k = centred ? 3 : 2; /* of dy */
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; const T *means = centred ? r->in[1].data : NULL;
        const T *invstds = r->in[k - 1].data; const T *dy = r->in[k].data; const T *w = norm_data(r, k + 1);
        T *dx = r->out[0].data; T *dw = r->out[1].data; T *db = centred ? r->out[2].data : NULL;
        for (int64_t i = 0; i < r->out[1].count; i++) {
            dw[i] = 0;
            if (db) db[i] = 0;
        } for (int64_t i = 0; i < z->rows; i++, x += z->m, dy += z->m, dx += z->m) {
            const double mean = means ? (double)means[i] : 0, s = (double)invstds[i];
            const int64_t first = i % z->groups * each;
            double sum = 0, dot = 0;
            for (int64_t j = 0; j < z->m; j++) {
                const double xh = ((double)x[j] - mean) * s, d = (double)dy[j];
                const double g = d * (w ? (double)w[first + j / z->run] : 1);
                sum += g;
                dot += g * xh;
                dw[first + j / z->run] += (T)(d * xh);
                if (db) db[first + j / z->run] += (T)d;
            }
            sum = centred ? sum / (double)z->m : 0;
            dot /= (double)z->m;
            for (int64_t j = 0; j < z->m; j++) {
                const double g = (double)dy[j] * (w ? (double)w[first + j / z->run] : 1);
                dx[j] = (T)(s * (g - sum - ((double)x[j] - mean) * s * dot));
            }
        })
}

/* ---- gradients ---- */

static hd_val row_mean(const hd_norm_view *v, hd_val x) {
    return hd_mean(x, .axes = v->axes, .keepdim = true);
}
static hd_val row_sum(const hd_norm_view *v, hd_val x) {
    return hd_sum(x, .axes = v->axes, .keepdim = true);
}
static hd_val centre(const hd_norm_view *v) {
    return hd_val_is_none(v->mean) ? v->x : hd_sub(v->x, v->mean);
}

/* ∂mean/∂x = 1/m, ∂invstd/∂x = −invstd³ (x − mean) / m. */
hd_val hd_norm_through_statistics(const hd_norm_view *v, hd_val dmean, hd_val dinvstd) {
    hd_val dx = {0};
    if (!hd_val_is_none(dmean)) dx = hd_broadcast_like(dmean, v->x, .average = true);
    if (hd_val_is_none(dinvstd)) return dx;
    const hd_val d = hd_neg(hd_mul(dinvstd, hd_mul(v->invstd, hd_mul(v->invstd, v->invstd))));
    return hd_plus(dx, hd_mul(hd_broadcast_like(d, v->x, .average = true), centre(v)));
}

/* From dx = s (g − mean g − x̂ mean(g x̂)), which is symmetric in g and u; dw = Σ dy x̂; db = Σ dy. */
hd_norm_view hd_norm_second(const hd_norm_view *v, hd_val u, hd_val vw, hd_val vb) {
    const bool centred = !hd_val_is_none(v->mean);
    const hd_val xc = centre(v), xh = hd_mul(xc, v->invstd);
    hd_norm_view d = {0};
    hd_val dxh = {0}, direct = {0};
    if (!hd_val_is_none(u)) {
        const hd_val g = hd_val_is_none(v->w) ? v->dy : hd_mul(v->dy, v->w);
        const hd_val gm = row_mean(v, hd_mul(g, xh)), um = row_mean(v, hd_mul(u, xh));
        hd_val inner = hd_sub(g, hd_mul(xh, gm)), pu = hd_sub(u, hd_mul(xh, um));
        if (centred) inner = hd_sub(inner, row_mean(v, g)), pu = hd_sub(pu, row_mean(v, u));
        pu = hd_mul(pu, v->invstd);
        d.dy = hd_val_is_none(v->w) ? pu : hd_mul(pu, v->w);
        if (!hd_val_is_none(v->w)) d.w = hd_mul(v->dy, pu);
        direct = row_sum(v, hd_mul(u, inner));
        dxh = hd_neg(hd_mul(hd_add(hd_mul(u, gm), hd_mul(g, um)), v->invstd));
    }
    if (!hd_val_is_none(vw)) {
        d.dy = hd_plus(d.dy, hd_mul(xh, vw));
        dxh = hd_plus(dxh, hd_mul(v->dy, vw));
    }
    if (!hd_val_is_none(vb)) d.dy = hd_plus(d.dy, hd_broadcast_like(vb, v->x));
    if (hd_val_is_none(dxh)) return d;
    d.x = hd_mul(dxh, v->invstd);
    if (centred) d.mean = hd_neg(row_sum(v, d.x));
    d.invstd = hd_plus(direct, row_sum(v, hd_mul(dxh, xc)));
    return d;
}

/* ---- over the last axes ---- */

hd_dims hd_norm_last_axes(hd_val x, const hd_dims *shape) {
    hd_dims axes = {0};
    for (int i = hd_val_dims(x).rank - shape->rank; i < hd_val_dims(x).rank; i++) axes.dim[axes.rank++] = i;
    return axes;
}

void hd_norm_last_grad_rule(hd_grad *c, const hd_dims *shape, bool centred) {
    const int idy = centred ? 3 : 2;
    hd_norm_view v = {
        .x = c->in[0], .invstd = c->in[idy - 1], .dy = c->in[idy], .axes = hd_norm_last_axes(c->in[0], shape)};
    if (centred) v.mean = c->in[1];
    if (c->n_in > idy + 1) v.w = c->in[idy + 1];
    const hd_norm_view d = hd_norm_second(&v, c->dout[0], c->dout[1], centred ? c->dout[2] : (hd_val){0});
    c->din[0] = d.x;
    if (centred) c->din[1] = d.mean;
    c->din[idy - 1] = d.invstd;
    c->din[idy] = d.dy;
    if (!hd_val_is_none(d.w)) c->din[idy + 1] = hd_unbroadcast(d.w, v.w);
}
