/* op_page.c: owns what is told of an operation: formula, shapes as inferred on its own samples, options, gradient,
 * kernels, source. Knows operations by their public descriptors alone. */
#include "cli/op_page.h"
#include "base/text.h"
#include "cli/screen.h"
#include <string.h>

/* ---- words ---- */

/* The type of an option: "whole number", "axis", "one of none, mean, sum". Returns buffer. */
static const char *type_words(char *buffer, size_t size, const hd_option *o) {
    static const char *const words[] = {
        [HD_OPT_BOOL] = "yes or no", [HD_OPT_INT] = "whole number", [HD_OPT_INTS] = "whole numbers",
        [HD_OPT_FLOAT] = "number",   [HD_OPT_AXIS] = "axis",        [HD_OPT_DIMS] = "list of whole numbers",
        [HD_OPT_DTYPE] = "dtype",    [HD_OPT_ENUM] = "one of",      [HD_OPT_STRING] = "text"};
    size_t used = (size_t)snprintf(buffer, size, "%s", words[o->type]);
    for (int i = 0; o->type == HD_OPT_ENUM && o->choices[i] && used < size; i++)
        used += (size_t)snprintf(buffer + used, size - used, "%s %s", i ? "," : "", o->choices[i]);
    if (o->type == HD_OPT_INTS && o->count > 1 && used < size)
        (void)snprintf(buffer, size, "%d whole numbers", o->count);
    return buffer;
}

/* Its default as text, "" where there is none. Returns buffer. */
static const char *default_words(char *buffer, size_t size, const hd_option *o) {
    buffer[0] = '\0';
    if (o->type == HD_OPT_BOOL) (void)snprintf(buffer, size, "%s", o->def != 0 ? "yes" : "no");
    if (o->type == HD_OPT_ENUM) (void)snprintf(buffer, size, "%s", o->choices[(int)o->def]);
    if (o->type == HD_OPT_INT || o->type == HD_OPT_INTS || o->type == HD_OPT_FLOAT)
        (void)snprintf(buffer, size, "%g", o->def + 0.0);
    if (o->type == HD_OPT_AXIS && o->def != 0)
        (void)snprintf(buffer, size, "%d", (int)(o->def > 0 ? o->def - 1 : o->def));
    return buffer;
}

const char *op_gradient_words(const hd_op *op) {
    if (op->no_grad_reason) return op->no_grad_reason;
    return op->grad ? "built of other operations, tested against differences" : "none";
}

static const char *input_name(const hd_op *op, int i, char buffer[32]) {
    static const char *const two[] = {"a", "b"};
    if (op->in_names) return op->in_names[i];
    if (op->flags & HD_OP_VARIADIC) return "x…";
    if (op->n_in + op->n_optional == 1) return "x";
    if (i < 2) return two[i];
    (void)snprintf(buffer, 32, "x%d", i);
    return buffer;
}

static const char *output_name(const hd_op *op, int i, char buffer[32]) {
    if (op->out_names) return op->out_names[i];
    (void)snprintf(buffer, 32, op->n_out == 1 ? "y" : "y%d", i);
    return buffer;
}

/* "y = conv2d(x, w, [b])" */
static void call_words(const hd_op *op, hd_text *out) {
    char name[32];
    for (int i = 0; i < op->n_out; i++) hd_text_printf(out, "%s%s", i ? ", " : "", output_name(op, i, name));
    hd_text_printf(out, " = %s(", op->name);
    for (int i = 0; i < op->n_in + op->n_optional; i++)
        hd_text_printf(out, i < op->n_in ? "%s%s" : "%s[%s]", i ? ", " : "", input_name(op, i, name));
    if (op->flags & HD_OP_VARIADIC && op->n_in == 0) hd_text_puts(out, "x, …");
    hd_text_puts(out, ")");
}

/* ---- shapes: the operation's own samples, built as graphs ---- */

typedef struct shaped {
    const char *text; /* of the sample */
    char in[256], options[160], out[256];
} shaped;

/* A sample's operand "x f32[2,3]:away" as "f32[2,3]"; "-" for one that is absent. */
static size_t operand_type(const char *from, const char *end, char *out, size_t size) {
    while (from < end && *from == ' ') from++;
    const char *bracket = memchr(from, '[', (size_t)(end - from));
    const char *blank = memchr(from, ' ', (size_t)(end - from));
    if (blank && bracket && blank < bracket) from = blank + 1;
    const char *close = bracket ? memchr(bracket, ']', (size_t)(end - bracket)) : NULL;
    const size_t n = close ? (size_t)(close + 1 - from) : 1;
    (void)snprintf(out, size, "%.*s", (int)n, close ? from : "-");
    return n;
}

static bool is_kept(const hd_op *op, int i) {
    for (int k = 0; k < op->n_out; k++)
        if (op->alias[k] == i + 1) return true;
    return false;
}

/* Graph text of a sample: a line an operand, then the node. */
static void sample_graph(const hd_op *op, shaped *s, hd_text *graph) {
    char list[512] = "", type[128];
    int n = 0, id = 0;
    size_t in = 0, used = 0;
    const char *bar = strchr(s->text, '|'), *end = bar ? bar : s->text + strlen(s->text);
    hd_text_puts(graph, "hadal graph 1\n");
    for (const char *p = s->text; p < end && in < sizeof s->in && used < sizeof list; n++) {
        const char *stop = p;
        for (int depth = 0; stop < end && (*stop != ',' || depth); stop++)
            depth += (*stop == '[' || *stop == '{' || *stop == '(') - (*stop == ']' || *stop == '}' || *stop == ')');
        (void)operand_type(p, stop, type, sizeof type);
        const bool here = *type != '-';
        if (here) hd_text_printf(graph, "%%%d \"i%d\" = %s %s\n", id, n, is_kept(op, n) ? "param" : "input", type);
        in += (size_t)snprintf(s->in + in, sizeof s->in - in, "%s%s", n ? ", " : "", type);
        if (here)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%%%d", n ? "," : "", id++);
        else
            used += (size_t)snprintf(list + used, sizeof list - used, "%s-", n ? "," : "");
        p = stop + 1;
    }
    if (bar) (void)snprintf(s->options, sizeof s->options, "%s", bar + 1 + (bar[1] == ' '));
    for (int k = 0; k < op->n_out; k++) hd_text_printf(graph, "%s%%%d", k ? ", " : "", id + k);
    hd_text_printf(graph, " = %s(%s) %s\n", op->name, list, s->options);
}

/* What comes out of it, as inference says; false where the sample does not build by text. */
static bool shape_sample(cli *c, const hd_op *op, shaped *s) {
    hd_text text = {.ctx = c->ctx};
    hd_graph *graph = NULL;
    char dims[192];
    size_t used = 0;
    sample_graph(op, s, &text);
    const bool ok = text.data && hd_graph_parse(&graph, c->ctx, op->name, text.data) == HD_OK;
    const int32_t first = ok ? hd_graph_value_count(graph) - op->n_out : 0;
    for (int k = 0; ok && k < op->n_out && used < sizeof s->out; k++) {
        const hd_val v = {graph, first + k};
        const hd_dims d = hd_val_dims(v);
        used += (size_t)snprintf(s->out + used, sizeof s->out - used, "%s%s%s", k ? ", " : "",
                                 hd_dtype_name(hd_val_dtype(v)), hd_dims_text(dims, &d));
    }
    hd_graph_free(graph);
    hd_text_free(&text);
    return ok;
}

/* The next sample (from *at on) whose shapes are worth showing: not one that was shown already. */
static bool next_shape(cli *c, const hd_op *op, int *at, shaped *s) {
    for (const hd_sample *sample = op->samples; sample && sample[*at].text;) {
        *s = (shaped){.text = sample[(*at)++].text};
        if (shape_sample(c, op, s)) return true;
    }
    return false;
}

/* ---- the page ---- */

static void say_head(cli *c, const char *head) {
    say(c, "\n%s%s%s\n", screen_style_code(c, BOLD), head, screen_style_code(c, PLAIN));
}

void say_options(cli *c, const hd_option *options) {
    char type[256], def[64];
    table t;
    if (!options || !options->name) return;
    say_head(c, "OPTIONS");
    table_open(&t, "llll");
    for (const hd_option *o = options; o->name; o++)
        table_row(&t, (const char *const[]){o->name, default_words(def, sizeof def, o),
                                            type_words(type, sizeof type, o), o->help});
    table_print(c, &t, false, 2);
}

void options_json(json_out *j, const hd_option *options) {
    char word[256];
    hd_jw_key(&j->w, "options");
    hd_jw_begin(&j->w, '[');
    for (const hd_option *o = options; o && o->name; o++) {
        hd_jw_begin(&j->w, '{');
        json_string(j, "name", o->name);
        json_string(j, "type", type_words(word, sizeof word, o));
        json_string(j, "default", default_words(word, sizeof word, o));
        json_string(j, "help", o->help);
        hd_jw_end(&j->w);
    }
    hd_jw_end(&j->w);
}

static void say_shapes(cli *c, const hd_op *op) {
    enum { MOST = 6 };
    shaped s;
    int at = 0, shown = 0;
    table t;
    table_open(&t, "llll");
    while (shown < MOST && next_shape(c, op, &at, &s)) {
        table_row(&t, (const char *const[]){s.in, "→", s.out, s.options});
        shown++;
    }
    if (shown) say_head(c, "SHAPES");
    table_print(c, &t, false, 2);
}

static void say_kernels(cli *c, const char *op) {
    const char *name;
    say_head(c, "KERNELS");
    say(c, "  cpu  ");
    for (int i = 0; (name = hd_op_kernel(op, i)) != NULL; i++) say(c, "%s%s", i ? " · " : "", name);
    say(c, "%sref (the definition)\n", hd_op_kernel(op, 0) ? " · " : "");
}

void op_page_say(cli *c, const hd_op *op) {
    const char *b = screen_style_code(c, BOLD), *off = screen_style_code(c, PLAIN);
    hd_text call = {.ctx = c->ctx};
    call_words(op, &call);
    say(c, "%s%s%s   %s\n\n", b, op->name, off, op->formula ? op->formula : "");
    say_wrapped(c, op->doc ? op->doc : "", 2);
    say_head(c, "CALL");
    say(c, "  %s\n", call.data ? call.data : "");
    say(c, "  in C: hd_%s(…, .option = value)\n", op->name);
    hd_text_free(&call);
    say_options(c, op->options);
    say_shapes(c, op);
    say_head(c, "GRADIENT");
    say_wrapped(c, op_gradient_words(op), 2);
    say_kernels(c, op->name);
    say_head(c, "SOURCE");
    say_wrapped(c, op->source ? op->source : "", 2);
    if (op->onnx) say(c, "  ONNX: %s\n", op->onnx);
}

void op_page_json(cli *c, json_out *j, const hd_op *op) {
    shaped s;
    const char *name;
    json_string(j, "name", op->name);
    json_string(j, "formula", op->formula);
    json_string(j, "doc", op->doc);
    json_string(j, "source", op->source);
    json_string(j, "onnx", op->onnx);
    json_string(j, "gradient", op_gradient_words(op));
    json_int(j, "inputs", op->n_in);
    json_int(j, "optional_inputs", op->n_optional);
    json_int(j, "outputs", op->n_out);
    options_json(j, op->options);
    hd_jw_key(&j->w, "shapes");
    hd_jw_begin(&j->w, '[');
    for (int at = 0; next_shape(c, op, &at, &s);) {
        hd_jw_begin(&j->w, '{');
        json_string(j, "in", s.in);
        json_string(j, "options", s.options);
        json_string(j, "out", s.out);
        hd_jw_end(&j->w);
    }
    hd_jw_end(&j->w);
    hd_jw_key(&j->w, "kernels");
    hd_jw_begin(&j->w, '[');
    for (int i = 0; (name = hd_op_kernel(op->name, i)) != NULL; i++) hd_jw_string(&j->w, name);
    hd_jw_string(&j->w, "ref");
    hd_jw_end(&j->w);
}

hd_status named_thing(cli *c, const char *kind, const char *example, const char **name) {
    const char *verb = c->verb->name;
    const bool show = c->thing_count > 0 && strcmp(c->things[0], "show") == 0;
    *name = NULL;
    if (show && c->thing_count == 1)
        return cli_fail(c, HD_E_USAGE, "%s|expected the name of %s after show|hadal %s show %s", verb, kind, verb,
                        example);
    if (!show && c->thing_count > 1)
        return cli_fail(c, HD_E_USAGE, "%s|\"%.60s\" is one thing too many|hadal %s show %.60s", verb, c->things[1],
                        verb, c->things[0]);
    if (c->thing_count > 0) *name = c->things[c->thing_count - 1];
    return HD_OK;
}

hd_status no_such_name(cli *c, const char *kind, const char *name, const char *const *names, size_t n) {
    const char *verb = c->verb->name, *near = hd_text_nearest(name, names, n);
    if (near) return cli_fail(c, HD_E_USAGE, "%s|there is no %s \"%.60s\"|Did you mean %s?", verb, kind, name, near);
    return cli_fail(c, HD_E_USAGE, "%s|there is no %s \"%.60s\"|They are listed by: hadal %s", verb, kind, name, verb);
}
