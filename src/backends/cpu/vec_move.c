/* vec_move.c: kernels that only move elements: reorder, assign, transpose, concat, slice and its gradient, pad. */
#include "backends/cpu/copy.h"
#include "backends/cpu/vec.h"

static void move_strides(int64_t stride[HD_MAX_DIMS], const hd_dims *dims) {
    int64_t n = 1;
    for (int i = dims->rank - 1; i >= 0; i--) stride[i] = n, n *= dims->dim[i];
}

static size_t move_size(const hd_kctx *k) {
    return hd_dtype_size(k->out[0].dtype);
}

/* Channels in blocks, as convolutions like them, are one axis more: [n, c/16, h, w, 16]. 0: no such layout. */
static int64_t move_block(const hd_layout *l) {
    return l->nblk == 1 && !l->permuted && l->idx[0] == 1 ? l->blk[0] : 0;
}

static hd_dims move_dims(const hd_operand *o) {
    const int64_t block = move_block(&o->layout);
    hd_dims d = o->dims;
    if (block == 0) return d;
    d.dim[1] /= block;
    d.dim[d.rank++] = block;
    return d;
}

/* Can whole blocks be moved for all of these operands? */
static bool move_whole(const hd_operand *o, int n, int64_t block) {
    for (int i = 0; i < n; i++)
        if (o[i].dims.rank != 4 || o[i].dims.dim[1] % block != 0) return false;
    return true;
}

/* The blocks of the first input that has some, where they fit all operands; or NULL. */
static const hd_layout *move_blocks(const hd_kctx *k) {
    for (int i = 0; i < k->n_in; i++) {
        const int64_t block = move_block(&k->in[i].layout);
        if (block == 0) continue;
        return move_whole(k->in, k->n_in, block) && move_whole(k->out, 1, block) ? &k->in[i].layout : NULL;
    }
    return NULL;
}

/* ---- reorder ---- */

static const char *reorder_supports(const hd_kctx *k) {
    return hd_copy_layouts(NULL, NULL, 4, &k->in[0].dims, &k->in[0].layout, &k->out[0].layout)
               ? NULL
               : "blocks that do not fit into each other";
}

static hd_status reorder_prepare(hd_kctx *k, hd_prepared *out) {
    hd_copy *c = NULL;
    hd_copy_layouts(&c, k->arena, move_size(k), &k->in[0].dims, &k->in[0].layout, &k->out[0].layout);
    if (!c) return HD_E_MEMORY;
    hd_copy_finish(c, hd_layout_count(&k->out[0].layout, &k->out[0].dims), hd_vec_for(k->isa)->turn, out);
    return HD_OK;
}

/* ---- assign: one run of bytes, whatever the layout ---- */

static hd_status assign_prepare(hd_kctx *k, hd_prepared *out) {
    const size_t size = move_size(k);
    const int64_t n = (int64_t)(k->out[0].bytes / size);
    hd_copy *c = hd_copy_new(k->arena, size, 1);
    if (!c) return HD_E_MEMORY;
    hd_copy_add(c, &(hd_copy_box){.input = 1, .axes = 1, .axis = {{n, 1, 1}}});
    hd_copy_finish(c, n, hd_vec_for(k->isa)->turn, out);
    return HD_OK;
}

/* ---- transpose ---- */

static hd_status transpose_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_dims *axes = &((const hd_transpose_args *)k->attr)->axes, *y = &k->out[0].dims;
    int64_t from[HD_MAX_DIMS], to[HD_MAX_DIMS];
    hd_copy *c = hd_copy_new(k->arena, move_size(k), 1);
    if (!c) return HD_E_MEMORY;
    move_strides(from, &k->in[0].dims);
    move_strides(to, y);
    hd_copy_box b = {.axes = y->rank};
    for (int i = 0; i < y->rank; i++) {
        int64_t of = i < y->rank - 2 ? i : 2 * y->rank - 3 - i; /* the last two change places */
        if (axes->rank) of = axes->dim[i] < 0 ? axes->dim[i] + y->rank : axes->dim[i];
        b.axis[i] = (hd_copy_axis){y->dim[i], from[of], to[i]};
    }
    hd_copy_add(c, &b);
    hd_copy_finish(c, k->out[0].count, hd_vec_for(k->isa)->turn, out);
    return HD_OK;
}

/* ---- concat ---- */

static void concat_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out) {
    const hd_layout *blocks = move_blocks(k);
    for (int i = 0; blocks && i < k->n_in; i++) in[i] = *blocks;
    if (blocks) out[0] = *blocks;
}

static hd_status concat_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_concat_args *a = k->attr;
    const hd_dims y = move_dims(&k->out[0]);
    const int axis = hd_axis_resolve(a->axis, k->out[0].dims.rank);
    int64_t from[HD_MAX_DIMS], to[HD_MAX_DIMS], at = 0;
    hd_copy *c = hd_copy_new(k->arena, move_size(k), k->n_in);
    if (!c) return HD_E_MEMORY;
    move_strides(to, &y);
    for (int i = 0; i < k->n_in; i++) {
        const hd_dims x = move_dims(&k->in[i]);
        hd_copy_box b = {.input = i, .axes = y.rank, .to = at * to[axis]};
        move_strides(from, &x);
        for (int d = 0; d < y.rank; d++) b.axis[d] = (hd_copy_axis){x.dim[d], from[d], to[d]};
        hd_copy_add(c, &b);
        at += x.dim[axis];
    }
    hd_copy_finish(c, k->out[0].count, hd_vec_for(k->isa)->turn, out);
    return HD_OK;
}

/* ---- slice and its gradient ---- */

static int64_t slice_start(const hd_operand *big, int axis, int64_t start) {
    const int64_t n = big->dims.dim[axis];
    return start >= 0 ? start : start + n > 0 ? start + n : 0;
}

/* The box of elements start, start + step, … of `big` and all of `small`, one way or the other. */
static void slice_box(hd_copy_box *b, const hd_operand *big_at, const hd_operand *small_at, int axis, int64_t start,
                      int64_t step, bool back) {
    int64_t of_big[HD_MAX_DIMS], of_small[HD_MAX_DIMS];
    const hd_dims big = move_dims(big_at), small = move_dims(small_at);
    const int64_t block = axis == 1 ? move_block(&big_at->layout) : 0;
    move_strides(of_big, &big);
    move_strides(of_small, &small);
    start = slice_start(big_at, axis, start) / (block ? block : 1);
    *b = (hd_copy_box){.axes = small.rank};
    for (int d = 0; d < small.rank; d++) {
        const int64_t stride = of_big[d] * (d == axis ? step : 1);
        b->axis[d] = (hd_copy_axis){small.dim[d], back ? of_small[d] : stride, back ? stride : of_small[d]};
    }
    *(back ? &b->to : &b->from) = start * of_big[axis];
}

/* Blocks go through where the slice begins at one and takes whole ones. */
static bool slice_blocks(const hd_kctx *k, const hd_operand *big, int axis, int64_t start, int64_t step) {
    const hd_layout *l = move_blocks(k);
    const int64_t block = l ? move_block(l) : 0;
    return block && (axis != 1 || (step == 1 && slice_start(big, axis, start) % block == 0));
}

static void slice_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out) {
    const hd_slice_args *a = k->attr;
    if (slice_blocks(k, &k->in[0], hd_axis_resolve(a->axis, k->in[0].dims.rank), a->start, a->step))
        in[0] = out[0] = k->in[0].layout;
}

static hd_status slice_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_slice_args *a = k->attr;
    hd_copy_box b;
    hd_copy *c = hd_copy_new(k->arena, move_size(k), 1);
    if (!c) return HD_E_MEMORY;
    slice_box(&b, &k->in[0], &k->out[0], hd_axis_resolve(a->axis, k->in[0].dims.rank), a->start, a->step, false);
    hd_copy_add(c, &b);
    hd_copy_finish(c, k->out[0].count, hd_vec_for(k->isa)->turn, out);
    return HD_OK;
}

static hd_status slice_grad_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_slice_grad_args *a = k->attr;
    hd_copy_box b;
    hd_copy *c = hd_copy_new(k->arena, move_size(k), 1);
    if (!c) return HD_E_MEMORY;
    slice_box(&b, &k->out[0], &k->in[0], hd_axis_resolve(a->axis, k->out[0].dims.rank), a->start, a->step, true);
    hd_copy_add(c, &b);
    c->fill = true;
    hd_copy_finish(c, k->out[0].count, hd_vec_for(k->isa)->turn, out);
    return HD_OK;
}

/* ---- pad ---- */

static const char *pad_supports(const hd_kctx *k) {
    if (((const hd_pad_args *)k->attr)->mode != HD_PAD_CONSTANT) return "only for a constant rim";
    return k->out[0].dtype == HD_F32 || ((const hd_pad_args *)k->attr)->value == 0 ? NULL : "only zeros, or f32";
}

static hd_status pad_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_pad_args *a = k->attr;
    const hd_dims *x = &k->in[0].dims, *y = &k->out[0].dims;
    int64_t from[HD_MAX_DIMS] = {0}, to[HD_MAX_DIMS] = {0};
    hd_copy *c = hd_copy_new(k->arena, move_size(k), 1);
    if (!c) return HD_E_MEMORY;
    move_strides(from, x);
    move_strides(to, y);
    hd_copy_box b = {.axes = y->rank};
    int64_t inside = 1;
    for (int d = 0; d < y->rank; d++) { /* negative numbers cut off */
        const int64_t before = a->before.rank ? a->before.dim[d] : 0, after = a->after.rank ? a->after.dim[d] : 0;
        const int64_t size = x->dim[d] + (before < 0 ? before : 0) + (after < 0 ? after : 0);
        b.axis[d] = (hd_copy_axis){size > 0 ? size : 0, from[d], to[d]};
        *(before < 0 ? &b.from : &b.to) += before < 0 ? -before * from[d] : before * to[d];
        inside *= b.axis[d].size;
    }
    const float value = (float)a->value;
    if (k->out[0].dtype == HD_F32) memcpy(c->value, &value, sizeof value);
    c->fill = inside != k->out[0].count;
    hd_copy_add(c, &b);
    hd_copy_finish(c, k->out[0].count, hd_vec_for(k->isa)->turn, out);
    return HD_OK;
}

#define MOVE_KERNEL(op_name, kernel_flags, supports_fn, layouts_fn)                                                    \
    const hd_kernel hd_kernel_vec_##op_name = {                                                                        \
        .name = "cpu." #op_name,                                                                                       \
        .op = #op_name,                                                                                                \
        .flags = kernel_flags,                                                                                         \
        .supports = supports_fn,                                                                                       \
        .layouts = layouts_fn,                                                                                         \
        .prepare = op_name##_prepare,                                                                                  \
    };
MOVE_KERNEL(reorder, HD_K_BF16, reorder_supports, NULL)
MOVE_KERNEL(assign, HD_K_ANY_LAYOUT | HD_K_BF16, NULL, NULL)
MOVE_KERNEL(transpose, HD_K_BF16, NULL, NULL)
MOVE_KERNEL(concat, HD_K_BF16, NULL, concat_layouts)
MOVE_KERNEL(slice, HD_K_BF16, NULL, slice_layouts)
MOVE_KERNEL(slice_grad, HD_K_BF16, NULL, NULL)
MOVE_KERNEL(pad, HD_K_BF16, pad_supports, NULL)
