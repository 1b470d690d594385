/* plan.c: where every value lies. Lifetimes over the schedule, results in the memory of inputs where that is allowed,
 * then offsets: the largest first, each at the lowest place that is free while it lives (greedy by size; Pisarchyk, Lee
 * 2020). */
#include "compile/lower.h"
#include "compile/store.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HD_ALIGN = 64 };
static size_t hd_round_up(size_t n) {
    return (n + HD_ALIGN - 1) / HD_ALIGN * HD_ALIGN;
}

/* ---- roots: who owns the memory ---- */

static int32_t hd_root_of(const hd_lower *l, int32_t v) {
    while (l->v[v].root != v) v = l->v[v].root;
    return v;
}

static void hd_share(hd_lower *l, int32_t value, int32_t with, size_t shift) {
    l->v[value].root = hd_root_of(l, with);
    l->v[value].shift = l->v[with].shift + shift;
}

static void hd_regions(hd_lower *l) {
    const hd_graph *g = l->g;
    for (size_t i = 0; i < g->value_count; i++) {
        static const hd_region of[] = {[HD_KIND_NODE] = HD_IN_ARENA,
                                       [HD_KIND_INPUT] = HD_IN_INPUT,
                                       [HD_KIND_PARAM] = HD_IN_STORE,
                                       [HD_KIND_STATE] = HD_IN_STORE,
                                       [HD_KIND_CONST] = HD_IN_CONST};
        hd_lvalue *v = &l->v[i];
        v->region = of[g->values[i].kind];
        v->root = (int32_t)i;
        v->shift = 0;
        v->bytes =
            (size_t)hd_layout_count(&v->layout, &g->values[i].type.dims) * hd_dtype_size(g->values[i].type.dtype);
        v->first = INT32_MAX;
        v->last = -1;
    }
    for (size_t i = 0; i < g->value_count; i++) { /* members of flat vectors */
        const hd_value *v = &g->values[i];
        if (v->member_of >= 0 && v->kind == HD_KIND_NODE)
            hd_share(l, (int32_t)i, v->member_of, (size_t)v->member_offset * hd_dtype_size(v->type.dtype));
    }
    for (size_t i = 0; i < g->node_count; i++) {
        const hd_node *n = &g->nodes[i];
        if (n->op->flags & HD_OP_VIEW) hd_share(l, n->out, n->in[0], 0);
        for (int k = 0; k < n->n_out; k++)
            if (hd_node_alias(n, k) >= 0) hd_share(l, n->out + k, hd_node_alias(n, k), 0);
    }
}

/* What nodes of weights alone make lies apart when somebody reads it in every run; the rest of it is theirs alone and
 * may lie in the arena, for they are done before anything else begins. */
static void hd_keep_regions(hd_lower *l) {
    const hd_graph *g = l->g;
    for (size_t i = 0; i < g->node_count; i++) {
        const hd_node *n = &g->nodes[i];
        if (hd_lnode_of(l, (int32_t)i)->kept) continue;
        for (int k = 0; k < n->n_in; k++) {
            if (n->in[k] < 0 || g->values[n->in[k]].node < 0 || !hd_value_stays(l, n->in[k])) continue;
            hd_lvalue *root = &l->v[hd_root_of(l, n->in[k])];
            if (root->region == HD_IN_ARENA) root->region = HD_IN_KEPT;
        }
    }
    for (size_t i = 0; i < g->value_count; i++) {
        hd_lvalue *root = &l->v[hd_root_of(l, (int32_t)i)];
        const bool result = g->values[i].output || l->target == (int32_t)i;
        const bool made = g->values[i].kind == HD_KIND_NODE && g->values[i].node >= 0;
        if (result && made && !l->train && hd_value_stays(l, (int32_t)i) && root->region == HD_IN_ARENA)
            root->region = HD_IN_KEPT;
    }
}

/* One behind the other: all of it is alive for ever. */
static void hd_place_kept(hd_lower *l) {
    l->kept_bytes = 0;
    for (size_t i = 0; i < l->g->value_count; i++) {
        hd_lvalue *v = &l->v[i];
        if (v->region != HD_IN_KEPT || v->root != (int32_t)i) continue;
        v->offset = l->kept_bytes;
        l->kept_bytes += hd_round_up(v->bytes);
    }
    for (size_t i = 0; i < l->g->node_count; i++) {
        hd_lnode *ln = hd_lnode_of(l, (int32_t)i);
        if (!ln->once) continue;
        ln->kept_offset = l->kept_bytes;
        l->kept_bytes += hd_round_up(ln->prepared.kept);
    }
}

static void hd_lifetimes(hd_lower *l) {
    const hd_graph *g = l->g;
    const int32_t end = (int32_t)g->node_count;
    for (size_t i = 0; i < g->value_count; i++) l->v[i].first = INT32_MAX, l->v[i].last = -1;
    for (int32_t i = 0; i < end; i++) {
        const hd_node *n = &g->nodes[i];
        for (int k = 0; k < n->n_out; k++) {
            hd_lvalue *r = &l->v[hd_root_of(l, n->out + k)];
            if (i < r->first) r->first = i;
            if (i > r->last) r->last = i;
        }
        for (int k = 0; k < n->n_in; k++) {
            if (n->in[k] < 0) continue;
            hd_lvalue *r = &l->v[hd_root_of(l, n->in[k])];
            if (i > r->last) r->last = i;
        }
    }
    for (size_t i = 0; i < g->value_count; i++)
        if (g->values[i].output || l->target == (int32_t)i) l->v[hd_root_of(l, (int32_t)i)].last = end;
}

/* Input k may give its memory to result 0: it dies here, is as large, and lies in the arena by itself. */
static bool hd_may_take(const hd_lower *l, int32_t node, int k) {
    const hd_node *n = &l->g->nodes[node];
    if (n->in[k] < 0) return false;
    const int32_t r = hd_root_of(l, n->in[k]), out = n->out;
    const hd_lvalue *root = &l->v[r], *y = &l->v[out];
    return root->region == HD_IN_ARENA && root->last == node && l->v[n->in[k]].shift == 0 && root->bytes == y->bytes &&
           l->v[n->in[k]].bytes == y->bytes && y->root == out && y->region == HD_IN_ARENA;
}

/* Another input lies in the memory of input k: y = conv(x) + x would be written over what other tasks still read. */
static bool hd_reads_again(const hd_lower *l, const hd_node *n, int k) {
    for (int j = 0; j < n->n_in; j++)
        if (j != k && n->in[j] >= 0 && n->in[k] >= 0 && hd_root_of(l, n->in[j]) == hd_root_of(l, n->in[k])) return true;
    return false;
}

static void hd_in_place(hd_lower *l) {
    for (size_t i = 0; i < l->g->node_count; i++) {
        const hd_node *n = &l->g->nodes[i];
        const hd_lnode *ln = n->lower;
        const uint32_t flags = ln->kernel->flags;
        if (!(flags & (HD_K_INPLACE | HD_K_INPLACE_ANY | HD_K_INPLACE_LAST)) || (n->op->flags & HD_OP_VIEW) ||
            n->op->alias[0])
            continue;
        const int tries = flags & (HD_K_INPLACE_ANY | HD_K_INPLACE_LAST) ? n->n_in : 1;
        for (int k = flags & HD_K_INPLACE_LAST ? n->n_in - 1 : 0; k < tries && k < n->n_in; k++) {
            if (!hd_may_take(l, (int32_t)i, k)) continue;
            if ((flags & HD_K_INPLACE_LAST) && hd_reads_again(l, n, k)) continue;
            const int32_t r = hd_root_of(l, n->in[k]);
            const int32_t last = l->v[n->out].last;
            hd_share(l, n->out, n->in[k], 0);
            l->v[r].last = last;
            break;
        }
    }
    /* a view of what has just moved into other memory shows that memory */
    for (size_t i = 0; i < l->g->value_count; i++) l->v[i].root = hd_root_of(l, (int32_t)i);
}

/* ---- offsets ---- */

typedef struct hd_item {
    size_t bytes, *offset;
    int32_t first, last, id;
} hd_item;

static int hd_by_bytes(const void *a, const void *b) {
    const hd_item *x = a, *y = b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return x->id < y->id ? -1 : x->id > y->id;
}

typedef struct hd_span {
    size_t begin, end;
} hd_span;
static int hd_by_begin(const void *a, const void *b) {
    const hd_span *x = a, *y = b;
    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

static size_t hd_pack(hd_item *items, size_t n, hd_span *busy) {
    size_t total = 0;
    if (n) qsort(items, n, sizeof *items, hd_by_bytes);
    for (size_t i = 0; i < n; i++) {
        size_t spans = 0, at = 0;
        for (size_t j = 0; j < i; j++)
            if (items[j].first <= items[i].last && items[i].first <= items[j].last)
                busy[spans++] = (hd_span){*items[j].offset, *items[j].offset + items[j].bytes};
        if (spans) qsort(busy, spans, sizeof *busy, hd_by_begin);
        for (size_t s = 0; s < spans; s++) {
            if (busy[s].begin >= at + items[i].bytes) break;
            if (busy[s].end > at) at = busy[s].end;
        }
        *items[i].offset = at;
        if (at + items[i].bytes > total) total = at + items[i].bytes;
    }
    return total;
}

static bool hd_owns_arena(const hd_lower *l, size_t i) {
    const hd_lvalue *v = &l->v[i];
    return v->region == HD_IN_ARENA && v->root == (int32_t)i && v->last >= 0 && v->first != INT32_MAX;
}

static bool hd_is_gradient_vector(const hd_graph *g, size_t i) {
    return g->values[i].node >= 0 && (g->nodes[g->values[i].node].op->flags & HD_OP_PLACED);
}

hd_status hd_pass_plan(hd_lower *l) {
    const hd_graph *g = l->g;
    HD_TRY(hd_lower_sync(l));
    hd_regions(l);
    hd_keep_regions(l);
    hd_lifetimes(l);
    hd_in_place(l);
    hd_place_kept(l);
    const size_t most = g->value_count + 3 * g->node_count + 1;
    hd_item *items = hd_alloc_n(l->ctx, most, sizeof *items);
    hd_span *busy = hd_alloc_n(l->ctx, most, sizeof *busy);
    if (!items || !busy) {
        hd_free(l->ctx, items);
        hd_free(l->ctx, busy);
        return HD_E_MEMORY;
    }
    size_t n = 0;
    l->grad_bytes = l->activation_bytes = l->scratch_bytes = 0;
    for (size_t i = 0; i < g->value_count; i++) {
        if (!hd_owns_arena(l, i)) continue;
        const size_t bytes = hd_round_up(l->v[i].bytes);
        *(hd_is_gradient_vector(g, i) ? &l->grad_bytes : &l->activation_bytes) += bytes;
        items[n] = (hd_item){bytes, &l->v[i].offset, l->v[i].first, l->v[i].last, (int32_t)n};
        n++;
    }
    for (size_t i = 0; i < g->node_count; i++) {
        hd_lnode *ln = g->nodes[i].lower;
        const size_t shared = hd_round_up(ln->prepared.scratch);
        ln->prepared.scratch_per_thread = hd_round_up(ln->prepared.scratch_per_thread);
        const size_t each = ln->prepared.scratch_per_thread * (size_t)l->ctx->threads;
        const size_t kept = ln->once ? 0 : hd_round_up(ln->prepared.kept);
        if (shared + each + kept > l->scratch_bytes) l->scratch_bytes = shared + each + kept;
        if (kept) items[n] = (hd_item){kept, &ln->kept_offset, (int32_t)i, (int32_t)i, (int32_t)n}, n++;
        if (shared) items[n] = (hd_item){shared, &ln->scratch_offset, (int32_t)i, (int32_t)i, (int32_t)n}, n++;
        if (each) items[n] = (hd_item){each, &ln->thread_scratch_offset, (int32_t)i, (int32_t)i, (int32_t)n}, n++;
    }
    l->arena_bytes = hd_pack(items, n, busy);
    hd_free(l->ctx, items);
    hd_free(l->ctx, busy);
    return HD_OK;
}

bool hd_plan_is_sound(const hd_lower *l, char *message, size_t size) {
    const hd_graph *g = l->g;
    for (size_t i = 0; i < g->value_count; i++) {
        if (l->v[l->v[i].root].root != l->v[i].root) {
            snprintf(message, size, "value %zu lies in the memory of %d, which owns none", i, (int)l->v[i].root);
            return false;
        }
        if (!hd_owns_arena(l, i)) continue;
        const hd_lvalue *a = &l->v[i];
        if (a->offset + a->bytes > l->arena_bytes) {
            snprintf(message, size, "value %zu ends beyond the arena", i);
            return false;
        }
        for (size_t j = i + 1; j < g->value_count; j++) {
            if (!hd_owns_arena(l, j)) continue;
            const hd_lvalue *b = &l->v[j];
            const bool together = a->first <= b->last && b->first <= a->last;
            if (together && a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes) {
                snprintf(message, size, "values %zu and %zu overlap", i, j);
                return false;
            }
        }
    }
    return true;
}
