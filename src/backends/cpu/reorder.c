/* reorder.c: the same value in another layout. Both layouts cut the dimensions into factors; what they have in common
 * is a list of axes with a stride on either side, and the rest is transposing. Padded layouts go the slow, general way.
 * Knows nothing of who wants which layout. */
#include "backends/cpu/vec.h"
#include "base/alloc.h"
#include <string.h>

enum { MOST_AXES = HD_MAX_DIMS + 6, TILE = 16, GRAIN = 16384 };

typedef struct axis {
    int64_t n, from, to; /* extent, stride in the source, stride in the result, in elements */
} axis;

/* Elements for which a (stride 1 in the result) and b (stride 1 in the source, when another) run; the other axes are
 * the places where such a plane begins. */
typedef struct reorder_state {
    size_t size; /* of an element */
    axis a, b, outer[MOST_AXES];
    int axes;                 /* outer ones */
    int64_t planes, together; /* together: planes of a task; 1 where planes are cut */
    int64_t a_chunk, a_chunks, b_chunk, b_chunks;
    bool padded;
    hd_dims dims;
    hd_layout from, to;
} reorder_state;

/* ---- two layouts as one list of axes ---- */

static int64_t block_of(const hd_layout *l, int d) {
    int64_t b = 1;
    for (int j = 0; j < l->nblk; j++)
        if (l->idx[j] == d) b *= l->blk[j];
    return b;
}

static bool pads(const hd_layout *l, const hd_dims *dims) {
    for (int d = 0; d < dims->rank; d++)
        if (dims->dim[d] % block_of(l, d)) return true;
    return false;
}

/* The factors of dimension d, innermost first, with their strides. */
static int factors_of(const hd_layout *l, const hd_dims *dims, int d, int64_t *n, int64_t *stride) {
    int count = 0;
    int64_t size = 1;
    for (int j = l->nblk - 1; j >= 0; j--) {
        if (l->idx[j] == d) n[count] = l->blk[j], stride[count++] = size;
        size *= l->blk[j];
    }
    for (int p = dims->rank - 1; p >= 0; p--) {
        const int other = l->permuted ? l->perm[p] : p;
        if (other == d) break;
        size *= dims->dim[other] / block_of(l, other);
    }
    n[count] = dims->dim[d] / block_of(l, d);
    stride[count++] = size;
    return count;
}

/* Cuts dimension d where either layout cuts it; false where the cuts do not nest. */
static bool add_axes(const reorder_state *s, int d, axis *axes, int *count) {
    int64_t n[2][4] = {{1, 1, 1, 1}, {1, 1, 1, 1}}, stride[2][4] = {{0}};
    factors_of(&s->from, &s->dims, d, n[0], stride[0]);
    factors_of(&s->to, &s->dims, d, n[1], stride[1]);
    int64_t left = s->dims.dim[d];
    for (int i = 0, j = 0; left > 1;) {
        if (i == 4 || j == 4) return false;
        if (n[0][i] == 1)
            i++;
        else if (n[1][j] == 1)
            j++;
        else {
            const int64_t part = n[0][i] < n[1][j] ? n[0][i] : n[1][j];
            if (n[0][i] % part || n[1][j] % part || *count == MOST_AXES) return false;
            axes[(*count)++] = (axis){part, stride[0][i], stride[1][j]};
            n[0][i] /= part, stride[0][i] *= part;
            n[1][j] /= part, stride[1][j] *= part;
            left /= part;
        }
    }
    return true;
}

/* Largest stride of the result first; axes that run on in both are one. */
static int sort_and_join(axis *axes, int count) {
    for (int i = 1; i < count; i++)
        for (int j = i; j > 0 && axes[j - 1].to < axes[j].to; j--) {
            const axis other = axes[j];
            axes[j] = axes[j - 1];
            axes[j - 1] = other;
        }
    int kept = 0;
    for (int i = 0; i < count; i++) {
        axis *last = kept ? &axes[kept - 1] : NULL;
        if (last && last->to == axes[i].n * axes[i].to && last->from == axes[i].n * axes[i].from)
            *last = (axis){last->n * axes[i].n, axes[i].from, axes[i].to};
        else
            axes[kept++] = axes[i];
    }
    return kept;
}

static bool find_axes(reorder_state *s) {
    axis axes[MOST_AXES];
    int count = 0;
    for (int d = 0; d < s->dims.rank; d++)
        if (!add_axes(s, d, axes, &count)) return false;
    count = sort_and_join(axes, count);
    s->a = s->b = (axis){1, 1, 1};
    s->planes = 1;
    for (int i = 0; i < count; i++) {
        if (axes[i].to == 1)
            s->a = axes[i];
        else if (axes[i].from == 1)
            s->b = axes[i];
        else {
            s->outer[s->axes++] = axes[i];
            s->planes *= axes[i].n;
        }
    }
    return true;
}

/* ---- running ---- */

#define TRANSPOSE(T)                                                                                                   \
    static void transpose_##T(const axis *a, const axis *b, const T *from, T *to) {                                    \
        for (int64_t i0 = 0; i0 < a->n; i0 += TILE) {                                                                  \
            const int64_t i1 = hd_vec_min(i0 + TILE, a->n);                                                            \
            for (int64_t j = 0; j < b->n; j++)                                                                         \
                for (int64_t i = i0; i < i1; i++) to[i * a->to + j * b->to] = from[i * a->from + j * b->from];         \
        }                                                                                                              \
    }
TRANSPOSE(uint8_t)
TRANSPOSE(uint16_t)
TRANSPOSE(uint32_t)
TRANSPOSE(uint64_t)

static void run_plane(const reorder_state *s, const hd_exec *e, int64_t plane, int64_t first_a, int64_t first_b) {
    axis a = s->a, b = s->b;
    a.n = hd_vec_min(s->a_chunk, a.n - first_a);
    b.n = hd_vec_min(s->b_chunk, b.n - first_b);
    int64_t from = first_a * a.from + first_b * b.from, to = first_a * a.to + first_b * b.to;
    for (int i = s->axes - 1; i >= 0; i--) {
        const int64_t at = plane % s->outer[i].n;
        plane /= s->outer[i].n;
        from += at * s->outer[i].from;
        to += at * s->outer[i].to;
    }
    const char *source = (const char *)e->in[0] + (size_t)from * s->size;
    char *result = (char *)e->out[0] + (size_t)to * s->size;
    if (a.from == 1 && b.n == 1)
        memcpy(result, source, (size_t)a.n * s->size);
    else if (s->size == 1)
        transpose_uint8_t(&a, &b, (const void *)source, (void *)result);
    else if (s->size == 2)
        transpose_uint16_t(&a, &b, (const void *)source, (void *)result);
    else if (s->size == 4)
        transpose_uint32_t(&a, &b, (const void *)source, (void *)result);
    else
        transpose_uint64_t(&a, &b, (const void *)source, (void *)result);
}

static void run_axes(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const reorder_state *s = e->state;
    const int64_t cuts = s->a_chunks * s->b_chunks, first = task / cuts * s->together;
    const int64_t end = hd_vec_min(first + s->together, s->planes);
    for (int64_t plane = first; plane < end; plane++)
        run_plane(s, e, plane, task / s->b_chunks % s->a_chunks * s->a_chunk, task % s->b_chunks * s->b_chunk);
}

static void run_padded(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const reorder_state *s = e->state;
    (void)task;
    hd_layout_unpack(&s->from, &s->dims, s->size, e->in[0], e->scratch);
    hd_layout_pack(&s->to, &s->dims, s->size, e->scratch, e->out[0]);
}

/* ---- preparing ---- */

/* About GRAIN elements a task: several small planes, or a part of a large one. */
static void split_planes(reorder_state *s) {
    s->a_chunk = hd_vec_min(s->a.n, GRAIN);
    s->a_chunks = (s->a.n + s->a_chunk - 1) / s->a_chunk;
    s->b_chunk = hd_vec_min(s->b.n, (GRAIN + s->a_chunk - 1) / s->a_chunk);
    s->b_chunks = (s->b.n + s->b_chunk - 1) / s->b_chunk;
    s->together = s->a_chunks * s->b_chunks > 1 ? 1 : (GRAIN + s->a.n * s->b.n - 1) / (s->a.n * s->b.n);
}

static hd_status reorder_prepare(hd_kctx *k, hd_prepared *out) {
    reorder_state *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    s->size = hd_dtype_size(k->in[0].dtype);
    s->dims = k->in[0].dims;
    s->from = k->in[0].layout;
    s->to = k->out[0].layout;
    s->padded = s->from.places || s->to.places || pads(&s->from, &s->dims) || pads(&s->to, &s->dims);
    out->state = s;
    out->phases = 1;
    if (!s->padded && find_axes(s)) {
        if (k->in[0].count == 0) s->planes = 0;
        split_planes(s);
        out->phase[0] = (hd_phase){run_axes, (s->planes + s->together - 1) / s->together * s->a_chunks * s->b_chunks};
    } else {
        out->phase[0] = (hd_phase){run_padded, 1};
        out->scratch = (size_t)k->in[0].count * s->size;
    }
    return HD_OK;
}

const hd_kernel hd_kernel_cpu_reorder = {
    .name = "cpu.reorder", .op = "reorder", .flags = HD_K_BF16, .prepare = reorder_prepare};
