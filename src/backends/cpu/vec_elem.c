/* vec_elem.c: elementwise kernels over the vector primitives: operands of one shape, or single numbers. Broadcasting of
 * rows and channels is vec_broadcast.c's, chains are vec_chain.c's. */
#include "backends/cpu/vec_elem.h"

const char *const hd_vec_op_names[] = {
#define NAME(name) #name,
    HD_VEC_UNARIES(NAME) HD_VEC_BINARIES(NAME)
#undef NAME
};

int hd_vec_op_find(const char *name, size_t length) {
    for (int i = 0; i < HD_VEC_OPS; i++)
        if (strlen(hd_vec_op_names[i]) == length && memcmp(hd_vec_op_names[i], name, length) == 0) return i;
    return -1;
}

/* ---- padding of blocked layouts ---- */

typedef struct pad_walk {
    const hd_layout *l;
    const hd_dims *dims;
    int64_t index[HD_MAX_DIMS], factor[HD_MAX_DIMS]; /* factor: product of the blocks of a dimension */
    char *y;
    size_t size; /* of an element */
} pad_walk;

/* The inner blocks of the current outer position: zero where a logical index is past its dimension. */
static void pad_blocks(pad_walk *w, int block, int64_t *index, int64_t *scale) {
    if (block == w->l->nblk || block == 3) {
        bool inside = true;
        for (int d = 0; d < w->dims->rank; d++) inside = inside && index[d] < w->dims->dim[d];
        if (!inside) memset(w->y, 0, w->size);
        w->y += w->size;
        return;
    }
    const int d = w->l->idx[block];
    const int64_t step = scale[d] / w->l->blk[block], base = index[d];
    scale[d] = step;
    for (int i = 0; i < w->l->blk[block]; i++, index[d] += step) pad_blocks(w, block + 1, index, scale);
    index[d] = base;
    scale[d] = step * w->l->blk[block];
}

static void pad_outer(pad_walk *w, int level) {
    if (level == w->dims->rank) {
        int64_t index[HD_MAX_DIMS], scale[HD_MAX_DIMS];
        memcpy(index, w->index, sizeof index);
        memcpy(scale, w->factor, sizeof scale);
        pad_blocks(w, 0, index, scale);
        return;
    }
    const int d = w->l->permuted ? w->l->perm[level] : level;
    for (w->index[d] = 0; w->index[d] < w->dims->dim[d]; w->index[d] += w->factor[d]) pad_outer(w, level + 1);
    w->index[d] = 0;
}

void hd_vec_zero_padding(void *y, size_t size, const hd_layout *l, const hd_dims *dims) {
    pad_walk w = {.l = l, .dims = dims, .y = y, .size = size};
    for (int d = 0; d < HD_MAX_DIMS; d++) w.factor[d] = 1;
    for (int b = 0; b < l->nblk; b++) w.factor[l->idx[b]] *= l->blk[b];
    pad_outer(&w, 0);
}

static void pad_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_elem *s = e->state;
    (void)task;
    hd_vec_zero_padding(e->out[0], sizeof(float), &s->layout, &s->dims);
}

/* ---- kernels ---- */

static void elem_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_elem *s = e->state;
    const int64_t at = task * s->split.chunk, n = hd_vec_min(s->split.chunk, s->split.n - at);
    s->fn((float *)e->out[0] + at, (const float *)e->in[0] + at * s->step[0],
          (const float *)e->in[s->second] + at * s->step[1], n, s->c);
}

static const char *elem_supports(const hd_kctx *k) {
    const char *reason = hd_vec_need_f32(k);
    if (reason) return reason;
    const int op = hd_vec_op_find(k->op->name, strlen(k->op->name));
    if (op < 0) return "no vector primitive";
    if ((reason = hd_vec_op_refuses(op, k->attr))) return reason;
    if (k->n_in > 2 || k->n_out != 1) return "more than two operands";
    if (op >= HD_VEC_add && !hd_vec_present(k, 1)) return "only for two operands";
    for (int i = 0; i < k->n_in; i++)
        if (k->in[i].count != 1 && !hd_dims_equal(&k->in[i].dims, &k->out[0].dims)) return "operands broadcast";
    if (k->n_in == 2 && k->out[0].count != 1 && k->in[0].count == 1 && k->in[1].count == 1) return "operands broadcast";
    return NULL;
}

static hd_status elem_prepare(hd_kctx *k, hd_prepared *out) {
    hd_vec_elem *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    const int op = hd_vec_op_find(k->op->name, strlen(k->op->name));
    const int64_t n = hd_vec_count(&k->out[0]);
    int mode = HD_VEC_VV;
    hd_vec_constants(op, k->attr, s->c);
    s->step[0] = s->step[1] = 1;
    s->second = k->n_in == 2;
    if (s->second && hd_vec_count(&k->in[1]) != n) mode = HD_VEC_VS, s->step[1] = 0;
    if (s->second && hd_vec_count(&k->in[0]) != n) mode = HD_VEC_SV, s->step[0] = 0;
    s->fn = hd_vec_for(k->isa)->elem[op][mode];
    s->split = hd_vec_split_of(n, hd_vec_op_heavy(op) ? HD_VEC_GRAIN_HEAVY : HD_VEC_GRAIN);
    s->layout = k->out[0].layout;
    s->dims = k->out[0].dims;
    out->state = s;
    out->phase[0] = (hd_phase){elem_run, s->split.tasks};
    out->phases = 1;
    const bool mixed = mode != HD_VEC_VV && op != HD_VEC_mul;
    if (n != k->out[0].count && (mixed || !hd_vec_op_keeps_zero(op, s->c)))
        out->phase[out->phases++] = (hd_phase){pad_run, 1};
    return HD_OK;
}

#define ELEM_KERNEL(op_name, more)                                                                                     \
    const hd_kernel hd_kernel_vec_##op_name = {                                                                        \
        .name = "cpu." #op_name,                                                                                       \
        .op = #op_name,                                                                                                \
        .flags = HD_K_ANY_LAYOUT | HD_K_CHAINS | (more),                                                               \
        .supports = elem_supports,                                                                                     \
        .prepare = elem_prepare,                                                                                       \
    };
#define UNARY_KERNEL(op_name)  ELEM_KERNEL(op_name, HD_K_INPLACE)
#define BINARY_KERNEL(op_name) ELEM_KERNEL(op_name, HD_K_INPLACE_ANY)
HD_VEC_UNARIES(UNARY_KERNEL)
HD_VEC_BINARIES(BINARY_KERNEL)
