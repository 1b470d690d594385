/* mixed.c: precision bf16. Products and convolutions take operands of bf16 and add up in f32; parameters, their
 * gradients, the optimiser, losses and statistics stay f32. Casts stand where f32 and bf16 meet, one for each value and
 * direction, so weights are rounded once a step; between two products a value stays bf16, also through ops that round
 * once at most. Where no kernel of this machine takes bf16 the operands are rounded and multiplied in f32,
 * which gives the same products: emulated, and counted as such. Knows which operands are multiplied, and no kernel. */
#include "compile/lower.h"
#include "hadal/ops.h"
#include <string.h>

/* Inputs by bits. `narrow`: multiplied. `either`: of them only the sign or the shape counts. `follows`: the result may
 * be bf16; of weights' gradients it is f32. `also`: further results by bits that are then bf16. */
typedef struct hd_mixed_rule {
    const char *op;
    unsigned narrow, either;
    bool follows;
    unsigned also;
} hd_mixed_rule;

static const hd_mixed_rule hd_products[] = {
    {"linear", 3, 0, true, 0},
    {"matmul", 3, 0, true, 0},
    {"linear_grad_input", 3, 4, true, 0},
    {"linear_grad_weight", 3, 0, false, 0},
    {"conv2d", 3, 0, true, 0},
    {"conv2d_grad_input", 3, 4, true, 0},
    {"conv2d_grad_weight", 3, 4, false, 0},
    {"conv2d_grad_params", 3, 4, false, 0},
    {"lstm", 2, 0, true, 0}, /* the weight of the state, which its kernel rounds as it goes */
    {"lstm_grad", 4, 0, true, 0},
    {"gru", 2, 0, true, 0},
    {"gru_grad", 4, 0, true, 1},
    {"rnn", 2, 0, true, 0},
    {"rnn_grad", 2, 0, true, 0},
};

/* Ops that round nothing, or once: they work on bf16 where it comes in, with f32 inside. Of batch normalisation the
 * picture alone: parameters and statistics stay f32. */
static const hd_mixed_rule hd_carriers[] = {
    {"reshape", 1, 0, true, 0},
    {"flatten", 1, 0, true, 0},
    {"reshape_like", 1, 2, true, 0},
    {"relu", 1, 0, true, 0},
    {"relu_grad", 3, 0, true, 0},
    {"max_pool2d", 1, 0, true, 0},
    {"dropout", 1, 0, true, 0},
    {"max_pool2d_grad", 3, 0, true, 0},
    {"batch_norm_act", 1 | 1 << 5, 0, true, 0},
    {"batch_norm_act_grad", 1 | 1 << 5, 0, true, 0},
    {"batch_norm_add_grad", 1 | 7 << 4, 0, true, 1 << 3},
    {"batch_norm", 1, 0, true, 0},
    {"batch_norm_grad", 1 | 1 << 4 | 1 << 5, 0, true, 0},
    {"add", 3, 0, true, 0},
    {"batch_norm_infer", 1, 0, true, 0},
    {"mul", 3, 0, true, 0},
    {"concat", ~0u, 0, true, 0},
    {"slice", 1, 0, true, 0},
    {"slice_grad", 1, 2, true, 0},
    {"transpose", 1, 0, true, 0},
    {"pad", 1, 0, true, 0},
    {"avg_pool2d", 1, 0, true, 0},
    {"avg_pool2d_grad", 3, 0, true, 0},
    {"relu6", 1, 0, true, 0},
    {"global_avg_pool", 1, 0, true, 0},
    {"band_grad", 3, 0, true, 0},
    {"hardswish", 1, 0, true, 0},
    {"gelu", 1, 0, true, 0},
    {"hardswish_grad", 3, 0, true, 0},
    {"gelu_grad", 3, 0, true, 0},
    {"silu", 1, 0, true, 0},
    {"silu_grad", 3, 0, true, 0},
    {"time_shift", 3, 0, true, 1 << 1},
    {"layer_norm", 1, 0, true, 0},
    {"layer_norm_grad", 1 | 8, 0, true, 0},
    {"rms_norm", 1, 0, true, 0},
    {"rms_norm_grad", 1 | 4, 0, true, 0},
    {"group_norm", 1, 0, true, 0},
    {"group_norm_grad", 1 | 8, 0, true, 0},
    {"scaled_dot_product_attention", 7, 0, true, 0},
    {"scaled_dot_product_attention_grad", 1 | 2 | 4 | 8 | 32, 0, true, 1 << 1 | 1 << 2},
    {"packed_attention", 1, 0, true, 0},
    {"packed_attention_grad", 1 | 2 | 8, 0, true, 0},
};

static const hd_mixed_rule *hd_rule_of(const hd_mixed_rule *rules, size_t n, const char *op) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(rules[i].op, op) == 0) return &rules[i];
    return NULL;
}
#define HD_RULE(rules, node) hd_rule_of(rules, sizeof(rules) / sizeof *(rules), (node)->op->name)

typedef struct hd_mixed {
    hd_lower *l;
    int32_t *narrow, *wide; /* of a value: its cast to bf16; of one that became bf16: its cast to f32; else -1 */
    int32_t *rounded;       /* of a value: in f32 again after it was bf16 */
    bool *changed;          /* became bf16 */
    bool *wanted;           /* a product reads it as bf16 */
    bool *native;           /* by node: a kernel takes it in bf16 */
    int32_t values;         /* that were there before */
} hd_mixed;

/* ---- what kernels take ---- */

static bool hd_some_kernel(const hd_kctx *k) {
    const hd_kernel *const *list = hd_kernels_default();
    for (size_t i = 0; list[i]; i++)
        if (strcmp(list[i]->op, k->op->name) == 0 && !hd_kernel_refuses(list[i], k)) return true;
    return false;
}

/* Whether the node runs with operands of bf16: a product in either form of its result, a carrier in bf16 all over. */
static bool hd_takes_bf16(hd_mixed *m, int32_t node, const hd_mixed_rule *rule, bool product) {
    hd_lower *l = m->l;
    hd_operand operands[16];
    hd_kctx k;
    const hd_node *n = &l->g->nodes[node];
    if (l->args->backend && strcmp(l->args->backend, "default") != 0) return true; /* definitions take all */
    if (n->op->flags & HD_OP_VIEW) return true;
    if (n->n_in + n->n_out > 16) return false;
    hd_kctx_of(l, node, operands, &k);
    for (int i = 0; i < n->n_in; i++)
        if (rule->narrow >> i & 1) {
            operands[i].dtype = HD_BF16;
            operands[i].bytes /= 2;
        }
    const bool wide = product && hd_some_kernel(&k);
    if (product && (!wide || !rule->follows)) return wide;
    for (int o = 0; o < n->n_out; o++) {
        if (o > 0 && !(rule->also >> o & 1)) continue;
        operands[n->n_in + o].dtype = HD_BF16;
        operands[n->n_in + o].bytes /= 2;
    }
    return hd_some_kernel(&k);
}

/* Input k is there and may be bf16. */
static bool hd_is_narrow(const hd_mixed_rule *rule, const hd_node *n, int k) {
    return (rule->narrow >> k & 1) && n->in[k] >= 0;
}

/* The multiplied operands are f32 now. Whoever built a graph in bf16 or f64 meant it. */
static bool hd_is_single(const hd_graph *g, const hd_node *n, const hd_mixed_rule *rule) {
    for (int i = 0; i < n->n_in; i++)
        if (hd_is_narrow(rule, n, i) && g->values[n->in[i]].type.dtype != HD_F32) return false;
    return g->values[n->out].type.dtype == HD_F32;
}

/* Backwards: a carrier wants of its input what is wanted of its result. */
static void hd_find_wanted(hd_mixed *m) {
    const hd_graph *g = m->l->g;
    for (int32_t i = (int32_t)g->node_count; i-- > 0;) {
        const hd_node *n = &g->nodes[i];
        const hd_mixed_rule *product = HD_RULE(hd_products, n), *carrier = HD_RULE(hd_carriers, n);
        const hd_mixed_rule *rule = product ? product : carrier;
        if (!rule || !hd_is_single(g, n, rule)) continue;
        m->native[i] = hd_takes_bf16(m, i, rule, product != NULL);
        if (!m->native[i] || (carrier && !m->wanted[n->out])) continue;
        for (int k = 0; k < n->n_in; k++)
            if (hd_is_narrow(rule, n, k)) m->wanted[n->in[k]] = true;
    }
}

/* ---- casts ---- */

static int32_t hd_cast_to(hd_mixed *m, int32_t value, hd_dtype dtype, int32_t order) {
    hd_graph *g = m->l->g;
    return hd_insert(g, hd_op_find(NULL, "cast"), &value, 1, &(hd_cast_args){.dtype = HD_DTYPE(dtype)}, order,
                     g->values[value].loc);
}

/* A value of before, in bf16, or in f32. */
static int32_t hd_as_bf16(hd_mixed *m, int32_t value, int32_t order) {
    if (m->changed[value]) return value;
    if (m->narrow[value] < 0) m->narrow[value] = hd_cast_to(m, value, HD_BF16, order);
    return m->narrow[value];
}
static int32_t hd_as_f32(hd_mixed *m, int32_t value, int32_t order) {
    if (!m->changed[value]) return value;
    if (m->wide[value] < 0) m->wide[value] = hd_cast_to(m, value, HD_F32, order);
    return m->wide[value];
}
static int32_t hd_as_rounded(hd_mixed *m, int32_t value, int32_t order) {
    if (m->changed[value]) return hd_as_f32(m, value, order);
    if (m->rounded[value] < 0) {
        const int32_t narrow = hd_as_bf16(m, value, order);
        m->rounded[value] = narrow < 0 ? -1 : hd_cast_to(m, narrow, HD_F32, order);
    }
    return m->rounded[value];
}

/* ---- nodes ---- */

static void hd_set_input(hd_mixed *m, int32_t node, int k, int32_t value) {
    if (value >= 0) m->l->g->nodes[node].in[k] = value; /* else the graph keeps the failure */
}

/* Somebody reads the value from outside. */
static bool hd_is_read(const hd_mixed *m, int32_t value) {
    return m->l->g->values[value].output || m->l->target == value;
}

static void hd_narrow_result(hd_mixed *m, int32_t id) {
    if (hd_is_read(m, id)) return;
    m->l->g->values[id].type.dtype = HD_BF16;
    m->changed[id] = true;
}

/* A carrier follows when bf16 comes in on all sides, or on one and somebody wants it on the other side. */
static bool hd_carries(const hd_mixed *m, int32_t node, const hd_mixed_rule *rule) {
    const hd_node *n = &m->l->g->nodes[node];
    bool all = true, some = false;
    for (int k = 0; k < n->n_in; k++) {
        if (!hd_is_narrow(rule, n, k)) continue;
        all &= m->changed[n->in[k]];
        some |= m->changed[n->in[k]];
    }
    bool outside = hd_is_read(m, n->out);
    for (int o = 1; o < n->n_out; o++) outside |= (rule->also >> o & 1) && hd_is_read(m, n->out + o);
    return m->native[node] && !outside && (all || (some && m->wanted[n->out]));
}

static void hd_mix_node(hd_mixed *m, int32_t node) {
    hd_graph *g = m->l->g;
    const int32_t n_in = g->nodes[node].n_in, n_out = g->nodes[node].n_out, order = g->nodes[node].order;
    const hd_mixed_rule *product = HD_RULE(hd_products, &g->nodes[node]), *rule = product;
    if (!rule) rule = HD_RULE(hd_carriers, &g->nodes[node]);
    if (rule && g->values[g->nodes[node].out].type.dtype != HD_F32) rule = NULL;
    for (int k = 0; rule && k < n_in; k++) /* what is not f32 by itself is left alone */
        if (hd_is_narrow(rule, &g->nodes[node], k) && !m->changed[g->nodes[node].in[k]] &&
            g->values[g->nodes[node].in[k]].type.dtype != HD_F32)
            rule = NULL;
    const bool narrow = rule && m->native[node] && (product || hd_carries(m, node, rule));
    if (rule && product) (*(narrow ? &m->l->bf16_native : &m->l->bf16_emulated))++;
    for (int k = 0; k < n_in; k++) {
        const int32_t value = g->nodes[node].in[k];
        if (value < 0 || value >= m->values) continue;
        if (rule && (rule->either >> k & 1)) continue;
        const bool multiplied = rule && (rule->narrow >> k & 1);
        if (multiplied && narrow)
            hd_set_input(m, node, k, hd_as_bf16(m, value, order));
        else if (multiplied && product)
            hd_set_input(m, node, k, hd_as_rounded(m, value, order));
        else
            hd_set_input(m, node, k, hd_as_f32(m, value, order));
    }
    if (!narrow || !rule->follows) return;
    const int32_t out = g->nodes[node].out;
    if (!product || m->wanted[out]) hd_narrow_result(m, out);
    for (int o = 1; o < n_out; o++)
        if (rule->also >> o & 1) hd_narrow_result(m, out + o);
}

static hd_status hd_mix(hd_mixed *m) {
    hd_graph *g = m->l->g;
    const size_t count = g->node_count;
    for (int32_t i = 0; i < m->values; i++) m->narrow[i] = m->wide[i] = m->rounded[i] = -1;
    hd_find_wanted(m);
    for (size_t i = 0; i < count; i++) {
        hd_mix_node(m, (int32_t)i);
        HD_TRY(hd_graph_status(g));
    }
    return hd_sort_nodes(g);
}

hd_status hd_pass_mixed(hd_lower *l) {
    if (!l->args->precision || strcmp(l->args->precision, "bf16") != 0) return HD_OK;
    const size_t values = l->g->value_count + 1, nodes = l->g->node_count + 1;
    hd_arena scratch = {.ctx = l->ctx};
    hd_mixed m = {.l = l, .values = (int32_t)l->g->value_count};
    m.narrow = hd_arena_alloc_n(&scratch, values, sizeof *m.narrow);
    m.wide = hd_arena_alloc_n(&scratch, values, sizeof *m.wide);
    m.rounded = hd_arena_alloc_n(&scratch, values, sizeof *m.rounded);
    m.changed = hd_arena_alloc_n(&scratch, values, sizeof *m.changed);
    m.wanted = hd_arena_alloc_n(&scratch, values, sizeof *m.wanted);
    m.native = hd_arena_alloc_n(&scratch, nodes, sizeof *m.native);
    const bool ok = m.narrow && m.wide && m.rounded && m.changed && m.wanted && m.native;
    const hd_status status = ok ? hd_mix(&m) : HD_E_MEMORY;
    hd_arena_free(&scratch);
    return status;
}
