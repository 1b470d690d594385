/* print.c: a graph as text: a line a leaf, a line a node, in the order in which it would run. hd_graph_parse reads it
 * back.
 *
 *   hadal graph 1
 *   decode 64
 *   %0 "x" = input f32[B,784]
 *   %1 "fc.weight" = param f32[10,784] uniform(-0.035,0.035)
 *   %3 = linear(%0,%1,%2) act=relu : f32[B,10]
 *   output "y" = %3
 *
 * The second line stands in graphs of decode mode alone. */
#include "base/bf16.h"
#include "graph/graph.h"
#include "hadal/data.h"
#include <stdio.h>
#include <string.h>

static void hd_print_type(hd_text *out, const hd_type *type) {
    char dims[192];
    hd_text_printf(out, "%s%s", hd_dtype_name(type->dtype), hd_dims_text(dims, &type->dims));
}

static void hd_print_quoted(hd_text *out, const char *name) {
    hd_text_puts(out, "\"");
    for (const char *c = name; *c; c++) {
        if (*c == '"' || *c == '\\')
            hd_text_printf(out, "\\%c", *c);
        else if ((unsigned char)*c < 32)
            hd_text_printf(out, "\\x%02x", (unsigned char)*c);
        else
            hd_text_add(out, c, 1);
    }
    hd_text_puts(out, "\"");
}

static void hd_print_init(hd_text *out, const hd_init *init) {
    const double numbers[] = {init->a, init->b, init->low, init->high};
    char text[32];
    hd_text_printf(out, " %s", hd_init_kinds[init->kind].name);
    for (int i = 0; i < hd_init_kinds[init->kind].numbers; i++)
        hd_text_printf(out, "%s%s", i ? "," : "(", hd_text_from_f64(text, numbers[i]));
    if (hd_init_kinds[init->kind].numbers) hd_text_puts(out, ")");
    if (init->zero_row) hd_text_printf(out, " zero_row(%lld)", (long long)init->zero_row - 1);
}

static void hd_print_data(hd_text *out, const hd_value *v) {
    char number[32];
    const int64_t n = hd_dims_count(&v->type.dims);
    hd_text_puts(out, " {");
    for (int64_t i = 0; i < n; i++) {
        if (i) hd_text_puts(out, " ");
        switch (v->type.dtype) {
        case HD_F32: hd_text_puts(out, hd_text_from_f64(number, (double)((const float *)v->data)[i])); break;
        case HD_F64: hd_text_puts(out, hd_text_from_f64(number, ((const double *)v->data)[i])); break;
        case HD_BF16:
            hd_text_puts(out, hd_text_from_f64(number, (double)hd_bf16_to_f32(((const uint16_t *)v->data)[i])));
            break;
        case HD_I32: hd_text_printf(out, "%d", ((const int32_t *)v->data)[i]); break;
        case HD_I64: hd_text_printf(out, "%lld", (long long)((const int64_t *)v->data)[i]); break;
        default: hd_text_printf(out, "%d", ((const uint8_t *)v->data)[i]); break;
        }
    }
    hd_text_puts(out, "}");
}

static void hd_print_leaf(hd_text *out, const hd_value *v) {
    static const char *const kinds[] = {"", "input ", "param ", "state ", "const "};
    hd_text_puts(out, v->buffer ? "buffer " : kinds[v->kind]);
    hd_print_type(out, &v->type);
    if (v->kind == HD_KIND_PARAM || (v->kind == HD_KIND_STATE && !v->buffer)) hd_print_init(out, &v->init);
    if (v->kind == HD_KIND_CONST) hd_print_data(out, v);
}

static void hd_print_left(hd_text *out, const hd_value *v, int32_t number) {
    hd_text_printf(out, "%%%d", number);
    if (*v->name) {
        hd_text_puts(out, " ");
        hd_print_quoted(out, v->name);
    }
}

static void hd_print_node(hd_text *out, const hd_graph *g, const hd_node *node, int32_t *number, int32_t *next) {
    for (int i = 0; i < node->n_out; i++) {
        if (i) hd_text_puts(out, ", ");
        number[node->out + i] = *next;
        hd_print_left(out, &g->values[node->out + i], (*next)++);
    }
    hd_text_printf(out, " = %s(", node->op->name);
    for (int i = 0; i < node->n_in; i++) {
        if (i) hd_text_puts(out, ",");
        if (node->in[i] < 0)
            hd_text_puts(out, "-");
        else
            hd_text_printf(out, "%%%d", number[node->in[i]]);
    }
    hd_text_puts(out, ")");
    hd_text text = {.ctx = out->ctx};
    hd_options_print(node->op->options, node->attr, &text);
    if (text.length) hd_text_printf(out, " %s", text.data);
    out->failed |= text.failed;
    hd_text_free(&text);
    hd_text_puts(out, " : ");
    for (int i = 0; i < node->n_out; i++) {
        if (i) hd_text_puts(out, ", ");
        hd_print_type(out, &g->values[node->out + i].type);
    }
    hd_text_puts(out, "\n");
}

hd_status hd_graph_print(const hd_graph *g, char **text) {
    HD_TRY(hd_graph_status(g));
    *text = NULL;
    hd_text out = {.ctx = g->ctx};
    int32_t *number = hd_alloc_n(g->ctx, g->value_count + 1, sizeof *number), next = 0;
    if (!number) return HD_E_MEMORY;
    hd_text_puts(&out, "hadal graph 1\n");
    if (g->decode) hd_text_printf(&out, "decode %lld\n", (long long)g->decode);
    for (size_t i = 0; i < g->value_count; i++) {
        const hd_value *v = &g->values[i];
        if (v->kind == HD_KIND_NODE) continue;
        number[i] = next;
        hd_print_left(&out, v, next++);
        hd_text_puts(&out, " = ");
        hd_print_leaf(&out, v);
        hd_text_puts(&out, "\n");
    }
    for (size_t i = 0; i < g->node_count; i++)
        if (!g->nodes[i].dead) hd_print_node(&out, g, &g->nodes[i], number, &next);
    for (size_t i = 0; i < g->value_count; i++) {
        const hd_value *v = &g->values[i];
        if (!v->output || (v->node >= 0 && g->nodes[v->node].dead)) continue;
        hd_text_puts(&out, "output ");
        hd_print_quoted(&out, v->output);
        hd_text_printf(&out, " = %%%d\n", number[i]);
    }
    hd_free(g->ctx, number);
    if (out.failed) {
        hd_text_free(&out);
        return hd_fail_memory(g->ctx, out.length);
    }
    *text = out.data;
    return HD_OK;
}
