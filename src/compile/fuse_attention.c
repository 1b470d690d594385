/* fuse_attention.c: attention of one projection. q, k and v are cut out of its rows, their heads are put before the
 * positions, the result's heads behind them again, and all that once more backwards: instead one op reads and writes
 * the rows where they are. Knows no kernel. */
#include "compile/fuse.h"
#include "ops/fused.h"
#include <string.h>

/* Of the projection [b, t, 3e] with h heads. */
typedef struct packed_sizes {
    int64_t b, t, h, e;
} packed_sizes;

static bool has_dims(const hd_graph *g, int32_t value, hd_dims dims) {
    return hd_dims_equal(&g->values[value].type.dims, &dims);
}

/* Heads before positions, or the reverse. */
static bool swaps_heads(const hd_node *n) {
    static const int64_t order[4] = {0, 2, 1, 3};
    if (!hd_is_op(n, "transpose")) return false;
    const hd_transpose_args *a = n->attr;
    return a->axes.rank == 4 && memcmp(a->axes.dim, order, sizeof order) == 0;
}

static bool reshapes(const hd_node *n) {
    return hd_is_op(n, "reshape") || hd_is_op(n, "reshape_like");
}

/* The only node that reads the value; what reads its shape alone does not count, nor does `but`. NULL: none, or more.
 */
static hd_node *only_reader(hd_graph *g, int32_t value, const hd_node *but) {
    hd_node *reader = NULL;
    if (g->values[value].output) return NULL;
    for (size_t i = 0; i < g->node_count; i++) {
        hd_node *n = &g->nodes[i];
        for (int k = 0; k < n->n_in && !n->dead && n != but; k++) {
            if (n->in[k] != value || (k == 1 && hd_is_op(n, "reshape_like"))) continue;
            if (reader) return NULL;
            reader = n;
        }
    }
    return reader;
}

/* x [b, h, t, e / h] is made of rows [b, t, e]: these, or −1. */
static int32_t rows_of(hd_graph *g, int32_t x, const packed_sizes *z) {
    const hd_node *n = hd_producer(g, x);
    if (!swaps_heads(n)) return -1;
    n = hd_producer(g, n->in[0]);
    if (!reshapes(n) || !has_dims(g, n->out, HD_DIMS(z->b, z->t, z->h, z->e / z->h))) return -1;
    return has_dims(g, n->in[0], HD_DIMS(z->b, z->t, z->e)) ? n->in[0] : -1;
}

/* The rows [b, t, e] that x [b, h, t, e / h] becomes, where nobody else but `grad` reads it; or −1. */
static int32_t rows_from(hd_graph *g, int32_t x, const hd_node *grad, const packed_sizes *z) {
    const hd_node *turn = only_reader(g, x, grad), *flat = swaps_heads(turn) ? only_reader(g, turn->out, NULL) : NULL;
    if (!flat || !reshapes(flat) || flat->in[0] != turn->out) return -1;
    return has_dims(g, flat->out, HD_DIMS(z->b, z->t, z->e)) ? flat->out : -1;
}

/* The projection of which rows [b, t, e] are part number i; or −1. */
static int32_t whole_of(hd_graph *g, int32_t rows, int i, const packed_sizes *z) {
    const hd_node *n = hd_producer(g, rows);
    if (!hd_is_op(n, "slice") || !has_dims(g, n->in[0], HD_DIMS(z->b, z->t, 3 * z->e))) return -1;
    const hd_slice_args *a = n->attr;
    return a->start == i * z->e && a->step == 1 ? n->in[0] : -1;
}

/* The sum of three gradients [b, t, 3e], each of a part; or −1. */
static int32_t sum_of(hd_graph *g, const hd_node *grad, const packed_sizes *z) {
    const hd_node *sum[3] = {NULL};
    int32_t part[3];
    for (int i = 0; i < 3; i++) {
        const int32_t rows = rows_from(g, grad->out + i, NULL, z);
        const hd_node *n = rows < 0 ? NULL : hd_single_user(g, rows);
        if (!n || !hd_is_op(n, "slice_grad") || n->in[0] != rows) return -1;
        const hd_slice_grad_args *a = n->attr;
        if (a->start != i * z->e || a->step != 1 || !has_dims(g, n->out, HD_DIMS(z->b, z->t, 3 * z->e))) return -1;
        part[i] = n->out;
        sum[i] = hd_single_user(g, n->out);
        if (!hd_is_op(sum[i], "add")) return -1;
    }
    for (int last = 0; last < 3; last++) { /* the one that is added to the sum of the others */
        const hd_node *inner = sum[(last + 1) % 3], *outer = sum[last];
        if (inner != sum[(last + 2) % 3] || inner == outer || hd_single_user(g, inner->out) != outer) continue;
        const bool found = (outer->in[0] == inner->out && outer->in[1] == part[last]) ||
                           (outer->in[1] == inner->out && outer->in[0] == part[last]);
        return found ? outer->out : -1;
    }
    return -1;
}

/* Nodes that nobody reads any more, from the producer of a value upwards. */
static void drop_unused(hd_graph *g, int32_t value) {
    hd_node *n = hd_producer(g, value);
    if (!n || n->dead || (n->op->flags & HD_OP_EFFECT)) return;
    for (int k = 0; k < n->n_out; k++)
        if (hd_use_count(g, n->out + k)) return;
    n->dead = true;
    for (int k = 0; k < n->n_in; k++)
        if (n->in[k] >= 0) drop_unused(g, n->in[k]);
}

static bool is_absent(const hd_node *n, int input) {
    return input >= n->n_in || n->in[input] < 0;
}

/* The only gradient of an attention, or NULL; false: somebody else reads the logarithms, or there are two. */
static bool find_grad(hd_graph *g, const hd_node *n, hd_node **grad) {
    *grad = NULL;
    if (g->values[n->out + 1].output) return false;
    for (size_t i = 0; i < g->node_count; i++)
        for (int k = 0; k < g->nodes[i].n_in && !g->nodes[i].dead; k++) {
            if (g->nodes[i].in[k] != n->out + 1) continue;
            if (*grad || !hd_is_op(&g->nodes[i], "scaled_dot_product_attention_grad") || k != 4) return false;
            *grad = &g->nodes[i];
        }
    if (!*grad) return true;
    return memcmp((*grad)->in, n->in, 3 * sizeof *n->in) == 0 && (*grad)->in[3] == n->out && is_absent(*grad, 6) &&
           is_absent(*grad, 7);
}

bool hd_fuse_attention(hd_lower *l, hd_node *n) {
    hd_graph *g = l->g;
    hd_node *grad;
    if (!hd_is_op(n, "scaled_dot_product_attention") || !is_absent(n, 3)) return false;
    const hd_dims q = g->values[n->in[0]].type.dims;
    if (q.rank != 4 || !find_grad(g, n, &grad)) return false;
    const packed_sizes z = {q.dim[0], q.dim[2], q.dim[1], q.dim[1] * q.dim[3]};
    int32_t x[3];
    for (int i = 0; i < 3; i++) {
        const int32_t rows = rows_of(g, n->in[i], &z);
        x[i] = rows < 0 ? -1 : whole_of(g, rows, i, &z);
        if (x[i] < 0 || x[i] != x[0]) return false;
    }
    const int32_t y = rows_from(g, n->out, grad, &z), dy = grad ? rows_of(g, grad->in[5], &z) : -1;
    const int32_t dx = grad ? sum_of(g, grad, &z) : -1;
    if (y < 0 || (grad && (dy < 0 || dx < 0))) return false;
    const hd_scaled_dot_product_attention_args *a = n->attr;
    const hd_packed_attention_args args = {.heads = z.h, .scale = a->scale, .is_causal = a->is_causal};
    const int32_t order = n->order, back = grad ? grad->order : 0;
    const hd_loc at = n->loc;
    const int32_t v = hd_insert(g, &hd_op_packed_attention, x, 1, &args, order, at); /* moves the nodes */
    if (v < 0) return false;
    hd_replace(l, y, v);
    if (dx >= 0) {
        const int32_t w =
            hd_insert(g, &hd_op_packed_attention_grad, (int32_t[]){x[0], v, v + 1, dy}, 4, &args, back, at);
        if (w < 0) return false;
        hd_replace(l, dx, w);
        drop_unused(g, dx);
    }
    drop_unused(g, y);
    return true;
}
