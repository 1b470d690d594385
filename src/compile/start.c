/* start.c: the first values of parameters and states, drawn from (seed, name): nothing depends on the order of
 * creation, on layouts or on threads. */
#include "base/bf16.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/rng_many.h"
#include "compile/store.h"
#include <math.h>
#include <string.h>

static void hd_put(hd_dtype dtype, char *out, int64_t i, double v) {
    switch (dtype) {
    case HD_F64: ((double *)(void *)out)[i] = v; break;
    case HD_F32: ((float *)(void *)out)[i] = (float)v; break;
    case HD_BF16: ((uint16_t *)(void *)out)[i] = hd_bf16_from_f64(v); break;
    case HD_I64: ((int64_t *)(void *)out)[i] = (int64_t)v; break;
    case HD_I32: ((int32_t *)(void *)out)[i] = (int32_t)v; break;
    default: ((uint8_t *)out)[i] = (uint8_t)v; break;
    }
}

/* Drawn again until it lies inside; where that hardly ever happens, the nearest end. */
static double hd_truncated(hd_rng *rng, const hd_init *init) {
    double v = init->a;
    for (int i = 0; i < 1000; i++) {
        v = init->a + init->b * hd_rng_normal(rng);
        if (v >= init->low && v <= init->high) return v;
    }
    return fmin(fmax(v, init->low), init->high);
}

static double hd_draw(hd_rng *rng, const hd_init *init) {
    switch (init->kind) {
    case HD_INIT_CONSTANT: return init->a;
    case HD_INIT_UNIFORM: return init->a + (init->b - init->a) * hd_rng_uniform(rng);
    case HD_INIT_NORMAL: return init->a + init->b * hd_rng_normal(rng);
    case HD_INIT_TRUNC_NORMAL: return hd_truncated(rng, init);
    default: return 0;
    }
}

/* c vectors of r ≥ c normal numbers, made orthogonal one after the other (Gram and Schmidt, twice: Giraud et al. 2005):
 * Q of a QR decomposition whose R has a positive diagonal (Saxe et al. 2014). */
static void hd_orthogonalise(double *q, int64_t c, int64_t r) {
    for (int64_t k = 0; k < c; k++) {
        double *v = q + k * r, square = 0;
        for (int64_t j = 0; j < 2 * k; j++) {
            const double *u = q + j % k * r;
            double dot = 0;
            for (int64_t i = 0; i < r; i++) dot += u[i] * v[i];
            for (int64_t i = 0; i < r; i++) v[i] -= dot * u[i];
        }
        for (int64_t i = 0; i < r; i++) square += v[i] * v[i];
        const double scale = square > 0 ? 1 / sqrt(square) : 0;
        for (int64_t i = 0; i < r; i++) v[i] *= scale;
    }
}

static hd_status hd_orthogonal(hd_context *ctx, const hd_type *type, double gain, hd_rng *rng, char *out) {
    const int64_t n = hd_dims_count(&type->dims), rows = type->dims.dim[0], columns = rows ? n / rows : 0;
    const int64_t c = rows < columns ? rows : columns, r = rows < columns ? columns : rows;
    if (n == 0) return HD_OK;
    double *q = hd_alloc_n(ctx, (size_t)n, sizeof *q);
    if (!q) return HD_E_MEMORY;
    for (int64_t i = 0; i < n; i++) q[i] = hd_rng_normal(rng);
    hd_orthogonalise(q, c, r);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            hd_put(type->dtype, out, i * columns + j, gain * (rows < columns ? q[i * r + j] : q[j * r + i]));
    hd_free(ctx, q);
    return HD_OK;
}

/* The first ⌈share·rows⌉ of a shuffled list of rows are 0, in each column anew. */
static hd_status hd_sparse(hd_context *ctx, const hd_type *type, const hd_init *init, hd_rng *rng, char *out) {
    const int64_t rows = type->dims.dim[0], columns = type->dims.dim[1];
    int64_t *order = hd_alloc_n(ctx, (size_t)rows + 1, sizeof *order);
    if (!order) return HD_E_MEMORY;
    for (int64_t i = 0; i < rows * columns; i++) hd_put(type->dtype, out, i, init->b * hd_rng_normal(rng));
    const int64_t zeros = (int64_t)ceil(init->a * (double)rows);
    for (int64_t j = 0; j < columns; j++) {
        for (int64_t i = 0; i < rows; i++) order[i] = i;
        hd_rng_shuffle(rng, order, (size_t)rows);
        for (int64_t i = 0; i < zeros && i < rows; i++) hd_put(type->dtype, out, order[i] * columns + j, 0);
    }
    hd_free(ctx, order);
    return HD_OK;
}

/* 1 where output i of a group meets input i, in the middle of the kernel; out is all 0. */
static void hd_dirac(const hd_type *type, int64_t groups, char *out) {
    const hd_dims *d = &type->dims;
    const int64_t each = d->dim[0] / groups, shared = each < d->dim[1] ? each : d->dim[1];
    for (int64_t g = 0; g < groups; g++)
        for (int64_t i = 0; i < shared; i++) {
            int64_t at = (g * each + i) * d->dim[1] + i;
            for (int k = 2; k < d->rank; k++) at = at * d->dim[k] + d->dim[k] / 2;
            hd_put(type->dtype, out, at, 1);
        }
}

/* Normal and uniform numbers are known by their position, so that tasks can draw each its own. */
typedef struct hd_drawing {
    const hd_init *init;
    hd_rng rng; /* fresh */
    hd_dtype dtype;
    hd_isa isa;
    char *out;
    int64_t n;
} hd_drawing;
enum { HD_DRAW_TASK = 1 << 16, HD_DRAW_PART = 512 };

static void hd_draw_normal(const hd_drawing *d, int64_t from, int64_t end) {
    double v[HD_DRAW_PART];
    for (int64_t at = from; at < end; at += HD_DRAW_PART) {
        const int64_t n = end - at < HD_DRAW_PART ? end - at : HD_DRAW_PART;
        hd_rng_normals(v, d->isa, d->rng.key, (uint64_t)at, (size_t)n);
        for (int64_t i = 0; i < n; i++) v[i] = d->init->a + d->init->b * v[i];
        float *out = (float *)(void *)d->out + at;
        if (d->dtype == HD_F32)
            for (int64_t i = 0; i < n; i++) out[i] = (float)v[i];
        else
            for (int64_t i = 0; i < n; i++) hd_put(d->dtype, d->out, at + i, v[i]);
    }
}

static void hd_draw_part(void *arg, int64_t task) {
    const hd_drawing *d = arg;
    const int64_t from = task * HD_DRAW_TASK, end = d->n - from < HD_DRAW_TASK ? d->n : from + HD_DRAW_TASK;
    if (d->init->kind == HD_INIT_NORMAL) {
        hd_draw_normal(d, from, end);
        return;
    }
    hd_rng rng = d->rng;
    rng.position = 2 * (uint64_t)from; /* words of a uniform number */
    for (int64_t i = from; i < end; i++) hd_put(d->dtype, d->out, i, hd_draw(&rng, d->init));
}

/* Flushing of denormals is that of the pool's threads, whoever draws. */
static void hd_draw_all(hd_context *ctx, hd_drawing *d) {
    const hd_fp_state fp = hd_fp_enter();
    hd_pool_run(ctx->pool, hd_draw_part, d, (d->n + HD_DRAW_TASK - 1) / HD_DRAW_TASK);
    hd_fp_leave(fp);
}

hd_status hd_start_values(hd_context *ctx, const hd_type *type, const hd_init *init, const char *name, uint64_t seed,
                          char *out) {
    const int64_t n = hd_dims_count(&type->dims);
    const size_t bytes = (size_t)n * hd_dtype_size(type->dtype);
    hd_rng rng = hd_rng_new(seed, name);
    hd_status status = HD_OK;
    if (n == 0) return HD_OK;
    memset(out, 0, bytes);
    switch (init->kind) {
    case HD_INIT_ZEROS: break;
    case HD_INIT_ORTHOGONAL: status = hd_orthogonal(ctx, type, init->a, &rng, out); break;
    case HD_INIT_SPARSE: status = hd_sparse(ctx, type, init, &rng, out); break;
    case HD_INIT_DIRAC: hd_dirac(type, (int64_t)init->a, out); break;
    case HD_INIT_EYE:
        for (int64_t i = 0; i < type->dims.dim[0] && i < type->dims.dim[1]; i++)
            hd_put(type->dtype, out, i * type->dims.dim[1] + i, 1);
        break;
    case HD_INIT_UNIFORM:
    case HD_INIT_NORMAL: hd_draw_all(ctx, &(hd_drawing){init, rng, type->dtype, ctx->isa, out, n}); break;
    default:
        for (int64_t i = 0; i < n; i++) hd_put(type->dtype, out, i, hd_draw(&rng, init));
    }
    const int64_t row = init->zero_row - 1; /* a slice of the first axis that starts as 0 */
    if (row < 0 || type->dims.rank == 0 || row >= type->dims.dim[0]) return status;
    const size_t slice = bytes / (size_t)type->dims.dim[0];
    memset(out + (size_t)row * slice, 0, slice);
    return status;
}
