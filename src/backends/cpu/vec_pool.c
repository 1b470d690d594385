/* vec_pool.c: kernels of pooling over windows and of its gradients, in whatever order the channels lie. */
#include "backends/cpu/vec_pool.h"
#include "backends/cpu/gemm.h"
#include "ops/window_kit.h"

static const char *planes_support(const hd_kctx *k) {
    const char *reason = hd_vec_need_f32(k);
    if (reason) return reason;
    for (int i = 2; i < 4; i++)
        if (k->in[0].dims.rank != 4 || k->in[0].dims.dim[i] > INT32_MAX) return "only for pictures [n, c, h, w]";
    return k->in[0].count == 0 || k->out[0].count == 0 ? "nothing to pool" : NULL;
}

/* Windows without gaps; means only where all of their windows are inside the padded picture. A largest element needs no
 * more of its window than what lies in the picture (ceil_mode). */
static const char *pool_supports(const hd_kctx *k) {
    const char *reason = planes_support(k);
    hd_pool2d_window v;
    if (reason) return reason;
    if (k->n_in == 2) {
        HD_POOL2D_COPY(v, *(const hd_pool2d_grad_args *)k->attr)
    } else {
        HD_POOL2D_COPY(v, *(const hd_pool2d_args *)k->attr)
    }
    if (v.output_size[0] || v.divisor_override || v.exclude_pad) return "only for plain windows";
    const hd_dims *x = &k->in[0].dims, *y = k->n_in == 2 ? &k->in[1].dims : &k->out[0].dims;
    for (int i = 0; i < 2; i++) {
        if (v.dilation[i] > 1) return "only without dilation";
        const int64_t inside = (x->dim[2 + i] + 2 * v.padding[i] - v.kernel_size[i]) / v.stride[i] + 1;
        const bool max = strncmp(k->op->name, "max", 3) == 0;
        if (inside != y->dim[2 + i] && !max) return "only for windows inside the picture";
        if ((y->dim[2 + i] - 1) * v.stride[i] - v.padding[i] >= x->dim[2 + i]) return "a window holds nothing";
    }
    return NULL;
}

static void pool_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out) {
    hd_planes_layouts(k, k->n_in == 2 ? 3u : 1u, in, out);
}

static void global_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out) {
    hd_planes_layouts(k, 1u, in, out);
    out[0] = HD_LAYOUT_PLAIN;
}

/* Which of `count` windows cover each of n rows. */
static hd_vec_cover *pool_cover(hd_kctx *k, const hd_vec_pool *s, int axis, int64_t n, int64_t count) {
    hd_vec_cover *cover = hd_arena_alloc_n(k->arena, (size_t)n, sizeof *cover);
    if (!cover) return NULL;
    const int64_t stride = s->stride[axis];
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = i + s->padding[axis], past = at - s->kernel[axis];
        const int64_t from = past < 0 ? 0 : past / stride + 1, to = hd_vec_min(at / stride + 1, count);
        cover[i] = (hd_vec_cover){(int32_t)hd_vec_min(from, to), (int32_t)to};
    }
    return cover;
}

/* What the forward ops and their gradients share; x and y: the picture and the pooled one. */
static hd_vec_pool *pool_state(hd_kctx *k, const hd_operand *x, const hd_operand *y, hd_prepared *out) {
    hd_vec_pool *s = hd_vec_state(k, sizeof *s);
    const int width = hd_gemm_of(k->isa)->lanes;
    if (!s) return NULL;
    hd_planes_of(&s->x, &x->dims, &x->layout, width);
    hd_planes_of(&s->y, &y->dims, &y->layout, width);
    /* a plane of one place counts as a row of channels: then both must */
    if (hd_layout_is_plain(&x->layout) && s->x.lanes != s->y.lanes) {
        hd_planes_single(&s->x);
        hd_planes_single(&s->y);
    }
    s->h = x->dims.dim[2];
    s->w = x->dims.dim[3];
    s->oh = y->dims.dim[2];
    s->ow = y->dims.dim[3];
    s->split = hd_planes_split_of(&s->x, HD_VEC_GRAIN, HD_VEC_MAX_TASKS);
    out->state = s;
    return s;
}

bool hd_vec_pool_half(const hd_kctx *k) {
    const hd_dims *x = &k->in[0].dims;
    return !hd_layout_is_plain(&k->in[0].layout) && x->dim[2] * x->dim[3] <= UINT16_MAX;
}

/* Of the largest, channels side by side: see vec_pool_rows_body.h. */
static size_t pool_rings(hd_vec_pool *s, bool grad, int lanes) {
    if (!grad) return (size_t)(s->kernel[0] * s->ow * lanes) * sizeof(float);
    if (!s->half || s->apart) return 0;
    s->deep = (s->kernel[0] - 1) / s->stride[0] + 1;
    return (size_t)((s->kernel[0] + 2 * s->deep) * s->ow * lanes + 2 * s->w * lanes) * sizeof(float);
}

static hd_status pool_prepare(hd_kctx *k, hd_prepared *out) {
    const bool grad = k->n_in == 2, max = strncmp(k->op->name, "max", 3) == 0;
    const hd_vec *v = hd_vec_for(k->isa);
    hd_vec_pool *s = pool_state(k, grad ? &k->out[0] : &k->in[0], grad ? &k->in[1] : &k->out[0], out);
    if (!s) return HD_E_MEMORY;
    const hd_pool2d_args *forward = k->attr;
    const hd_pool2d_grad_args *backward = k->attr;
    for (int i = 0; i < 2; i++) {
        s->kernel[i] = grad ? backward->kernel_size[i] : forward->kernel_size[i];
        s->stride[i] = grad ? backward->stride[i] : forward->stride[i];
        s->padding[i] = grad ? backward->padding[i] : forward->padding[i];
    }
    s->factor = (float)(1 / ((double)s->kernel[0] * (double)s->kernel[1]));
    s->apart = s->kernel[0] == s->stride[0] && s->kernel[1] == s->stride[1] && !s->padding[0] && !s->padding[1];
    if (!s->x.lanes) s->apart = s->apart && s->oh * s->kernel[0] <= s->h && s->ow * s->kernel[1] <= s->w;
    const int64_t from = hd_vec_min((s->padding[1] + s->stride[1] - 1) / s->stride[1], s->ow);
    const int64_t room = s->w + s->padding[1] - s->kernel[1];
    const int64_t past = room < 0 ? 0 : hd_vec_min(room / s->stride[1] + 1, s->ow);
    s->inner = (hd_vec_cover){(int32_t)from, (int32_t)(past > from ? past : from)};
    /* columns are read in whole vectors: room behind the row */
    s->buffer = s->w + 2 * s->padding[1] + s->kernel[1] + (s->stride[1] + 2) * 16 + s->ow;
    s->half = k->in[0].dtype == HD_BF16;
    if (grad && (!max || s->half)) {
        s->rows = pool_cover(k, s, 0, s->h, s->oh);
        s->columns = pool_cover(k, s, 1, s->w, s->ow);
        if (!s->rows || !s->columns) return HD_E_MEMORY;
    }
    if (!s->x.lanes) out->scratch_per_thread = (size_t)s->buffer * sizeof(float);
    if (s->x.lanes && max) out->scratch_per_thread = pool_rings(s, grad, hd_gemm_of(k->isa)->lanes);
    out->phase[0] = (hd_phase){v->pool[grad][max][s->x.lanes], hd_planes_tasks(&s->split)};
    out->phases = 1;
    return HD_OK;
}

static hd_status global_prepare(hd_kctx *k, hd_prepared *out) {
    hd_vec_pool *s = pool_state(k, &k->in[0], &k->in[0], out);
    if (!s) return HD_E_MEMORY;
    s->factor = (float)(1 / (double)s->x.places);
    out->phase[0] = (hd_phase){hd_vec_for(k->isa)->pool_global[s->x.lanes], hd_planes_tasks(&s->split)};
    out->phases = 1;
    return HD_OK;
}

#define POOL_KERNEL(op_name, supports_fn, layouts_fn, prepare_fn)                                                      \
    const hd_kernel hd_kernel_vec_##op_name = {                                                                        \
        .name = "cpu." #op_name,                                                                                       \
        .op = #op_name,                                                                                                \
        .supports = supports_fn,                                                                                       \
        .layouts = layouts_fn,                                                                                         \
        .prepare = prepare_fn,                                                                                         \
    };
POOL_KERNEL(max_pool2d, pool_supports, pool_layouts, pool_prepare)
POOL_KERNEL(max_pool2d_grad, pool_supports, pool_layouts, pool_prepare)
POOL_KERNEL(avg_pool2d, pool_supports, pool_layouts, pool_prepare)
POOL_KERNEL(avg_pool2d_grad, pool_supports, pool_layouts, pool_prepare)
POOL_KERNEL(global_avg_pool, planes_support, global_layouts, global_prepare)
