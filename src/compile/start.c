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

/* Normal and uniform numbers are known by their position, so that tasks can draw each its own. Where they lie in
 * another order than they are numbered, a task takes whole slices, draws them into its thread's scratch and lays them
 * out while they are in the cache. */
typedef struct hd_drawing {
    const hd_init *init;
    const hd_type *type;
    const hd_layout *layout;
    hd_rng rng; /* fresh */
    hd_isa isa;
    size_t size; /* of an element */
    char *out, *scratch;
    int64_t n, part, held; /* numbers in all, of a task, and with padding */
} hd_drawing;
enum { HD_DRAW_TASK = 1 << 16, HD_DRAW_PART = 512 };

static void hd_draw_normal(const hd_drawing *d, int64_t from, int64_t end, char *to) {
    double v[HD_DRAW_PART];
    for (int64_t at = from; at < end; at += HD_DRAW_PART) {
        const int64_t n = end - at < HD_DRAW_PART ? end - at : HD_DRAW_PART;
        hd_rng_normals(v, d->isa, d->rng.key, (uint64_t)at, (size_t)n);
        for (int64_t i = 0; i < n; i++) v[i] = d->init->a + d->init->b * v[i];
        float *out = (float *)(void *)to + (at - from);
        if (d->type->dtype == HD_F32)
            for (int64_t i = 0; i < n; i++) out[i] = (float)v[i];
        else
            for (int64_t i = 0; i < n; i++) hd_put(d->type->dtype, to, at - from + i, v[i]);
    }
}

static void hd_draw_part(void *arg, int64_t task) {
    const hd_drawing *d = arg;
    const int64_t from = task * d->part, end = d->n - from < d->part ? d->n : from + d->part;
    char *out = d->out + (size_t)(task * d->held) * d->size;
    char *to = d->scratch ? d->scratch + (size_t)(hd_pool_self() * d->part) * d->size : out;
    if (d->init->kind == HD_INIT_NORMAL) {
        hd_draw_normal(d, from, end, to);
    } else {
        hd_rng rng = d->rng;
        rng.position = 2 * (uint64_t)from; /* words of a uniform number */
        for (int64_t i = from; i < end; i++) hd_put(d->type->dtype, to, i - from, hd_draw(&rng, d->init));
    }
    if (!d->scratch) return;
    hd_dims dims = d->type->dims;
    dims.dim[0] = (end - from) / (d->n / dims.dim[0]);
    hd_layout_pack(d->layout, &dims, d->size, to, out);
}

/* Flushing of denormals is that of the pool's threads, whoever draws. */
static void hd_draw_all(hd_context *ctx, hd_drawing *d) {
    const hd_fp_state fp = hd_fp_enter();
    hd_pool_run(ctx->pool, hd_draw_part, d, (d->n + d->part - 1) / d->part);
    hd_fp_leave(fp);
}

static void hd_start_slice(const hd_type *type, const hd_init *init, char *out) {
    const int64_t row = init->zero_row - 1; /* a slice of the first axis that starts as 0 */
    if (row < 0 || type->dims.rank == 0 || row >= type->dims.dim[0]) return;
    const size_t slice = (size_t)(hd_dims_count(&type->dims) / type->dims.dim[0]) * hd_dtype_size(type->dtype);
    memset(out + (size_t)row * slice, 0, slice);
}

hd_status hd_start_values(hd_context *ctx, const hd_type *type, const hd_init *init, const char *name, uint64_t seed,
                          char *out) {
    const int64_t n = hd_dims_count(&type->dims);
    hd_drawing d = {.init = init,
                    .type = type,
                    .rng = hd_rng_new(seed, name),
                    .isa = ctx->isa,
                    .size = hd_dtype_size(type->dtype),
                    .out = out,
                    .n = n,
                    .part = HD_DRAW_TASK,
                    .held = HD_DRAW_TASK};
    hd_status status = HD_OK;
    if (n == 0) return HD_OK;
    switch (init->kind) {
    case HD_INIT_ZEROS: break;
    case HD_INIT_ORTHOGONAL: status = hd_orthogonal(ctx, type, init->a, &d.rng, out); break;
    case HD_INIT_SPARSE: status = hd_sparse(ctx, type, init, &d.rng, out); break;
    case HD_INIT_DIRAC: hd_dirac(type, (int64_t)init->a, out); break;
    case HD_INIT_EYE:
        for (int64_t i = 0; i < type->dims.dim[0] && i < type->dims.dim[1]; i++)
            hd_put(type->dtype, out, i * type->dims.dim[1] + i, 1);
        break;
    case HD_INIT_UNIFORM:
    case HD_INIT_NORMAL: hd_draw_all(ctx, &d); break;
    default:
        for (int64_t i = 0; i < n; i++) hd_put(type->dtype, out, i, hd_draw(&d.rng, init));
    }
    hd_start_slice(type, init, out);
    return status;
}

/* Slices of about a task's numbers; false where they do not lie one behind the other or nothing is gained. */
static bool hd_slices(hd_drawing *d) {
    const hd_init *init = d->init;
    const int64_t rows = hd_layout_rows(d->layout);
    if (rows == 0 || d->n <= HD_DRAW_TASK || init->zero_row > 0) return false;
    if (init->kind != HD_INIT_NORMAL && init->kind != HD_INIT_UNIFORM) return false;
    const int64_t row = d->n / d->type->dims.dim[0];
    hd_dims slice = d->type->dims;
    slice.dim[0] = (HD_DRAW_TASK + rows * row - 1) / (rows * row) * rows;
    d->part = slice.dim[0] * row;
    d->held = hd_layout_count(d->layout, &slice);
    return true;
}

hd_status hd_start_laid(hd_context *ctx, const hd_type *type, const hd_layout *layout, const hd_init *init,
                        const char *name, uint64_t seed, char *out) {
    if (hd_layout_is_plain(layout) || init->kind == HD_INIT_ZEROS)
        return hd_start_values(ctx, type, init, name, seed, out);
    hd_drawing d = {.init = init,
                    .type = type,
                    .layout = layout,
                    .rng = hd_rng_new(seed, name),
                    .isa = ctx->isa,
                    .size = hd_dtype_size(type->dtype),
                    .out = out,
                    .n = hd_dims_count(&type->dims)};
    const bool slices = hd_slices(&d);
    d.scratch = hd_alloc_n(ctx, (size_t)(slices ? d.part * hd_pool_threads(ctx->pool) : d.n) + 1, d.size);
    if (!d.scratch) return HD_E_MEMORY;
    hd_status status = HD_OK;
    if (slices)
        hd_draw_all(ctx, &d);
    else
        status = hd_start_values(ctx, type, init, name, seed, d.scratch);
    if (!slices) hd_layout_pack(layout, &type->dims, d.size, d.scratch, out);
    hd_free(ctx, d.scratch);
    return status;
}
