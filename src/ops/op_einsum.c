/* op_einsum.c: Einstein's sum as transposes, reshapes, products of matrices and sums, two operands at a time. What it
 * makes is differentiated and run as those ops. */
#include "ops/shape_kit.h"
#include <ctype.h>
#include <stdio.h>

/* A value and the index that each of its axes stands for: a letter, or DOTS + k for an axis of an ellipsis, counted so
 * that the last one of all operands is the same. */
enum { DOTS = 128, MOST_INDICES = DOTS + HD_MAX_DIMS };
typedef struct term {
    hd_val x;
    int rank;
    int index[HD_MAX_DIMS];
} term;

typedef struct einsum {
    hd_loc at;
    hd_graph *graph;
    const char *equation;
    int64_t size[MOST_INDICES]; /* 0: not seen (a size of 0 is kept as EMPTY) */
    int uses[MOST_INDICES];     /* of each index in all operands */
    int dots;                   /* axes of the widest ellipsis */
    term out;
    bool failed;
} einsum;
enum { EMPTY = -2 };

static void refuse(einsum *e, hd_val x, const char *what) {
    if (!e->failed) (void)hd_build_refuse(x, e->at, "einsum", "\"%s\" %s", e->equation ? e->equation : "", what);
    e->failed = true;
}

/* ---- the equation ---- */

/* Reads one group of letters up to a comma, "->" or the end: axes of a value of `rank` axes, or (rank −1) of the
 * result, whose ellipsis has e->dots axes. */
static const char *read_group(einsum *e, const char *s, int rank, term *t, hd_val x) {
    int letters = 0, dots = -1;
    for (const char *p = s; *p && *p != ',' && strncmp(p, "->", 2) != 0; p++)
        letters += isalpha((unsigned char)*p) != 0;
    const int wide = rank < 0 ? e->dots : rank - letters;
    for (t->rank = 0; *s && *s != ',' && strncmp(s, "->", 2) != 0; s++) {
        if (*s == ' ') continue;
        if (strncmp(s, "...", 3) == 0 && dots < 0) {
            for (dots = 0; dots < wide && t->rank < HD_MAX_DIMS; dots++)
                t->index[t->rank++] = DOTS + HD_MAX_DIMS - wide + dots;
            s += 2;
        } else if (isalpha((unsigned char)*s) && t->rank < HD_MAX_DIMS) {
            t->index[t->rank++] = (unsigned char)*s;
        } else {
            refuse(e, x,
                   isalpha((unsigned char)*s) ? "has more than 8 indices in a group"
                                              : "may hold letters, commas, ..., and ->");
            return s;
        }
    }
    if (rank >= 0 && t->rank != rank) {
        char what[96];
        (void)snprintf(what, sizeof what, "names %d indices for an operand of %d axes", t->rank, rank);
        refuse(e, x, what);
    }
    if (rank >= 0 && dots > e->dots) e->dots = dots;
    return s;
}

/* Sizes of the indices of an operand; where one has 1 the others decide (as broadcasting does). */
static void note_sizes(einsum *e, const term *t) {
    const hd_dims dims = hd_val_dims(t->x);
    for (int i = 0; i < t->rank && !e->failed; i++) {
        int64_t *size = &e->size[t->index[i]];
        const int64_t n = dims.dim[i] == 0 ? EMPTY : dims.dim[i];
        e->uses[t->index[i]]++;
        if (*size == 0 || *size == 1)
            *size = n;
        else if (n != 1 && n != *size)
            refuse(e, t->x, "gives an index two sizes");
        for (int k = 0; k < i; k++)
            if (t->index[k] == t->index[i] && dims.dim[k] != dims.dim[i])
                refuse(e, t->x, "takes the diagonal of axes of different sizes");
    }
}

/* Without "->": the ellipsis, then the letters that stand once, in alphabetical order. */
static void implicit_result(einsum *e) {
    for (int k = 0; k < e->dots; k++) e->out.index[e->out.rank++] = DOTS + HD_MAX_DIMS - e->dots + k;
    for (int l = 0; l < DOTS; l++) {
        if (e->uses[l] != 1) continue;
        if (e->out.rank == HD_MAX_DIMS) {
            refuse(e, (hd_val){e->graph, -1}, "has a result of more than 8 axes");
            return;
        }
        e->out.index[e->out.rank++] = l;
    }
}

static int find(const term *t, int index) {
    for (int i = 0; i < t->rank; i++)
        if (t->index[i] == index) return i;
    return -1;
}

static void check_result(einsum *e) {
    const hd_val none = {e->graph, -1};
    for (int i = 0; i < e->out.rank; i++) {
        if (e->size[e->out.index[i]] == 0) refuse(e, none, "has an index in the result that no operand has");
        if (find(&e->out, e->out.index[i]) != i) refuse(e, none, "has an index twice in the result");
    }
}

/* ---- single operands ---- */

static hd_val transposed(const einsum *e, hd_val x, const hd_dims *order) {
    bool same = true;
    for (int i = 0; i < order->rank; i++) same = same && order->dim[i] == i;
    return same ? x : hd_transpose_at(e->at, &(hd_transpose_args){.x = x, .axes = *order});
}

/* An index that stands twice in one operand: its diagonal. */
static void take_diagonals(const einsum *e, term *t) {
    for (int i = 0; i < t->rank; i++)
        for (int j = i + 1; j < t->rank; j++) {
            if (t->index[i] != t->index[j]) continue;
            const int index = t->index[i];
            t->x = hd_diagonal_at(e->at, &(hd_diagonal_args){.x = t->x, .axis1 = HD_AXIS(i), .axis2 = HD_AXIS(j)});
            for (int k = j; k + 1 < t->rank; k++) t->index[k] = t->index[k + 1];
            for (int k = i; k + 1 < t->rank - 1; k++) t->index[k] = t->index[k + 1];
            t->rank--;
            t->index[t->rank - 1] = index;
            i = -1; /* once more from the start */
            break;
        }
}

/* Sums over indices that neither the result nor `other` has. */
static void sum_away(const einsum *e, term *t, const term *rest, int64_t n) {
    hd_dims axes = {0};
    int kept = 0;
    for (int i = 0; i < t->rank; i++) {
        bool needed = find(&e->out, t->index[i]) >= 0;
        for (int64_t k = 0; k < n; k++) needed = needed || find(&rest[k], t->index[i]) >= 0;
        if (needed)
            t->index[kept++] = t->index[i];
        else
            axes.dim[axes.rank++] = i;
    }
    t->rank = kept;
    if (axes.rank) t->x = hd_sum_at(e->at, &(hd_reduce_args){.x = t->x, .axes = axes});
}

/* ---- two operands ---- */

/* The axes of a pair by what becomes of them: in both and in what comes later (batch), in both and summed, in one. */
enum { BATCH, SUMMED, FREE };

static int role_of(const einsum *e, const term *other, int index, const term *rest, int64_t n) {
    if (find(other, index) < 0) return FREE;
    if (find(&e->out, index) >= 0) return BATCH;
    for (int64_t k = 0; k < n; k++)
        if (find(&rest[k], index) >= 0) return BATCH;
    return SUMMED;
}

/* The operand with its axes in the order of roles a, b, c; the sizes of each joined. batch axes in the order of
 * `first`. */
typedef struct side {
    hd_val x;
    hd_dims dims[3]; /* sizes of the axes of each role */
    int index[3][HD_MAX_DIMS];
} side;

static side arrange(const einsum *e, const term *t, const term *first, const term *other, const int roles[3],
                    const term *rest, int64_t n) {
    side s = {.x = t->x};
    hd_dims order = {0};
    const hd_dims have = hd_val_dims(t->x);
    for (int r = 0; r < 3; r++)
        for (int i = 0; i < (roles[r] == FREE ? t->rank : first->rank); i++) {
            const int index = roles[r] == FREE ? t->index[i] : first->index[i];
            const int axis = find(t, index);
            if (axis < 0 || role_of(e, t == first ? other : first, index, rest, n) != roles[r]) continue;
            hd_dims *d = &s.dims[roles[r]];
            s.index[roles[r]][d->rank] = index;
            d->dim[d->rank++] = have.dim[axis];
            order.dim[order.rank++] = axis;
        }
    s.x = transposed(e, t->x, &order);
    return s;
}

static int64_t joined(const hd_dims *dims) {
    bool batch;
    const int64_t n = hd_count_without_batch(dims, &batch);
    return batch ? HD_BATCH : n;
}

/* Sizes of 1 that the other operand has more of: first repeated, so that both have every shared axis alike. */
static void repeat_ones(const einsum *e, term *t, const term *other) {
    hd_dims dims = hd_val_dims(t->x);
    const hd_dims others = hd_val_dims(other->x);
    bool repeated = false;
    for (int i = 0; i < t->rank; i++) {
        const int j = find(other, t->index[i]);
        if (j < 0 || dims.dim[i] != 1 || others.dim[j] == 1) continue;
        dims.dim[i] = others.dim[j];
        repeated = true;
    }
    if (repeated) t->x = hd_expand_at(e->at, &(hd_expand_args){.x = t->x, .dims = dims});
}

/* a, b → their product, with the axes batch, free of a, free of b. */
static term multiply(einsum *e, term a, term b, const term *rest, int64_t n) {
    static const int left[3] = {BATCH, FREE, SUMMED}, right[3] = {BATCH, SUMMED, FREE};
    repeat_ones(e, &a, &b);
    repeat_ones(e, &b, &a);
    const side p = arrange(e, &a, &a, &b, left, rest, n), q = arrange(e, &b, &a, &b, right, rest, n);
    hd_dims pa = p.dims[BATCH], qa = pa, y = pa;
    term t = {0};
    if (pa.rank + 2 > HD_MAX_DIMS || pa.rank + p.dims[FREE].rank + q.dims[FREE].rank > HD_MAX_DIMS) {
        refuse(e, a.x, "needs a product of more than 8 axes");
        return a;
    }
    pa.dim[pa.rank++] = joined(&p.dims[FREE]);
    pa.dim[pa.rank++] = joined(&p.dims[SUMMED]);
    qa.dim[qa.rank++] = joined(&q.dims[SUMMED]);
    qa.dim[qa.rank++] = joined(&q.dims[FREE]);
    t.x =
        hd_matmul_at(e->at, &(hd_matmul_args){.a = hd_reshape_to(e->at, p.x, pa), .b = hd_reshape_to(e->at, q.x, qa)});
    for (int i = 0; i < p.dims[BATCH].rank; i++) t.index[t.rank++] = p.index[BATCH][i];
    for (int i = 0; i < p.dims[FREE].rank; i++) {
        t.index[t.rank++] = p.index[FREE][i];
        y.dim[y.rank++] = p.dims[FREE].dim[i];
    }
    for (int i = 0; i < q.dims[FREE].rank; i++) {
        t.index[t.rank++] = q.index[FREE][i];
        y.dim[y.rank++] = q.dims[FREE].dim[i];
    }
    t.x = hd_reshape_to(e->at, t.x, y);
    return t;
}

/* ---- the whole ---- */

enum { MOST_OPERANDS = 64 };

static bool read_equation(einsum *e, const hd_einsum_args *a, term *t) {
    const char *s = e->equation;
    for (int64_t i = 0; i < a->n && !e->failed; i++) {
        t[i].x = a->x[i];
        s = read_group(e, s, hd_val_dims(a->x[i]).rank, &t[i], a->x[i]);
        note_sizes(e, &t[i]);
        if (!e->failed && i + 1 < a->n && *s++ != ',') refuse(e, a->x[i], "has fewer groups than there are operands");
    }
    if (e->failed) return false;
    if (*s == ',') refuse(e, a->x[0], "has more groups than there are operands");
    if (strncmp(s, "->", 2) == 0) {
        s = read_group(e, s + 2, -1, &e->out, a->x[0]);
        if (*s && !e->failed) refuse(e, a->x[0], "has something behind the result");
    } else if (!e->failed) {
        implicit_result(e);
    }
    if (!e->failed) check_result(e);
    return !e->failed;
}

hd_val hd_einsum_at(hd_loc at, const hd_einsum_args *a) {
    einsum e = {.at = at, .equation = a->equation};
    term t[MOST_OPERANDS];
    for (int64_t i = 0; i < a->n && a->x; i++) {
        e.graph = a->x[i].graph ? a->x[i].graph : e.graph;
        if (!hd_build_ready(a->x[i])) return (hd_val){e.graph, -1};
    }
    const hd_val none = {e.graph, -1};
    if (!a->x || a->n < 1 || a->n > MOST_OPERANDS || !a->equation)
        refuse(&e, none, "needs 1 to 64 operands and an equation");
    if (e.failed || !read_equation(&e, a, t)) return none;
    for (int64_t i = 0; i < a->n; i++) {
        take_diagonals(&e, &t[i]);
    }
    for (int64_t i = 0; i < a->n; i++) { /* what stands in one operand alone is summed there */
        const term own = t[i];
        t[i].rank = 0; /* the others */
        term reduced = own;
        sum_away(&e, &reduced, t, a->n);
        t[i] = reduced;
    }
    term y = t[0];
    for (int64_t i = 1; i < a->n && !e.failed; i++) y = multiply(&e, y, t[i], t + i + 1, a->n - i - 1);
    if (e.failed) return none;
    hd_dims order = {.rank = e.out.rank};
    for (int i = 0; i < e.out.rank; i++) order.dim[i] = find(&y, e.out.index[i]);
    return transposed(&e, y.x, &order);
}
