/* parse.c: reads the text that print.c writes. Hostile text gets no further than an error with line and column. */
#include "base/bf16.h"
#include "base/context.h"
#include "base/text.h"
#include "graph/graph.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct hd_reader {
    hd_context *ctx;
    hd_graph *g;
    const char *where, *line_start, *at;
    int line;
    int32_t *ids; /* number in the text → value id */
    size_t id_count, id_capacity;
} hd_reader;

/* The format takes at most one string. */
static hd_status hd_wrong(hd_reader *r, const char *format, const char *got) {
    char what[800];
    snprintf(what, sizeof what, format, got);
    return hd_fail(r->ctx, HD_E_MODEL, "%s:%d:%d|%s", r->where, r->line, (int)(r->at - r->line_start) + 1, what);
}

enum { NAMES = 1024 };

/* The same, with the nearest right word. */
static hd_status hd_unknown(hd_reader *r, const char *format, const char *got, const char *const *names, size_t n) {
    char what[800];
    const char *near = hd_text_nearest(got, names, n);
    snprintf(what, sizeof what, format, got);
    return hd_fail(r->ctx, HD_E_MODEL, "%s:%d:%d|%s|%s%s%s", r->where, r->line, (int)(r->at - r->line_start) + 1, what,
                   near ? "Did you mean " : "", near ? near : "", near ? "?" : "");
}

static hd_status hd_unknown_op(hd_reader *r, const char *name) {
    const char *names[NAMES];
    size_t n = 0;
    for (int i = 0; hd_op_at(i) && n < NAMES; i++) names[n++] = hd_op_at(i)->name;
    for (int32_t i = 0; i < r->ctx->own[HD_OWN_OP].count && n < NAMES; i++)
        names[n++] = ((const hd_op *)r->ctx->own[HD_OWN_OP].item[i])->name;
    return hd_unknown(r, "there is no op \"%s\"", name, names, n);
}

static hd_status hd_unknown_option(hd_reader *r, const hd_op *op, const char *name) {
    const char *names[NAMES];
    size_t n = 0;
    for (const hd_option *o = op->options; o && o->name && n < NAMES; o++) names[n++] = o->name;
    return hd_unknown(r, "\"%s\" is not an option of this op", name, names, n);
}

static void hd_blanks(hd_reader *r) {
    while (*r->at == ' ' || *r->at == '\t') r->at++;
}
static bool hd_take(hd_reader *r, const char *token) {
    hd_blanks(r);
    const size_t n = strlen(token);
    if (strncmp(r->at, token, n) != 0) return false;
    r->at += n;
    return true;
}

/* A word of letters, digits, _ and . */
static size_t hd_word(hd_reader *r, char *out, size_t size) {
    hd_blanks(r);
    size_t n = strspn(r->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    if (n >= size) n = size - 1;
    memcpy(out, r->at, n);
    out[n] = 0;
    r->at += n;
    return n;
}

static hd_status hd_read_quoted(hd_reader *r, char *out, size_t size) {
    size_t n = 0;
    if (!hd_take(r, "\"")) return hd_wrong(r, "expected a name in quotes%s", "");
    while (*r->at && *r->at != '"' && *r->at != '\n') {
        char c = *r->at++;
        if (c == '\\' && *r->at == 'x') {
            char hex[3] = {r->at[1], r->at[1] ? r->at[2] : 0, 0};
            c = (char)strtol(hex, NULL, 16);
            if (!c || !hex[1]) return hd_wrong(r, "a bad escape in a name%s", "");
            r->at += 3;
        } else if (c == '\\' && *r->at && *r->at != '\n')
            c = *r->at++;
        if (n + 1 >= size) return hd_wrong(r, "a name longer than 255 bytes%s", "");
        out[n++] = c;
    }
    out[n] = 0;
    if (*r->at != '"') return hd_wrong(r, "a name without its closing quote%s", "");
    r->at++;
    return HD_OK;
}

static hd_status hd_read_type(hd_reader *r, hd_type *type) {
    char word[16];
    hd_word(r, word, sizeof word);
    int t = 0;
    while (t < HD_DTYPE_COUNT && strcmp(word, hd_dtype_name((hd_dtype)t)) != 0) t++;
    if (t == HD_DTYPE_COUNT) return hd_wrong(r, "\"%s\" is not a dtype", word);
    type->dtype = (hd_dtype)t;
    type->dims.rank = 0;
    if (!hd_take(r, "[")) return hd_wrong(r, "expected [ and sizes%s", "");
    if (hd_take(r, "]")) return HD_OK;
    do {
        if (type->dims.rank == HD_MAX_DIMS) return hd_wrong(r, "more than 8 dimensions%s", "");
        int64_t *d = &type->dims.dim[type->dims.rank++];
        hd_word(r, word, sizeof word);
        if (strcmp(word, "B") == 0)
            *d = HD_BATCH;
        else if (!hd_text_to_i64(word, strlen(word), d))
            return hd_wrong(r, "\"%s\" is not a size", word);
    } while (hd_take(r, ","));
    if (!hd_take(r, "]")) return hd_wrong(r, "expected ]%s", "");
    return HD_OK;
}

static hd_status hd_read_double(hd_reader *r, double *out) {
    hd_blanks(r);
    const size_t n = strspn(r->at, "+-0123456789.eEinfa");
    if (!hd_text_to_f64(r->at, n, out)) return hd_wrong(r, "expected a number%s", "");
    r->at += n;
    return HD_OK;
}

static hd_status hd_read_init(hd_reader *r, hd_init *init) {
    char word[16];
    *init = HD_ZEROS;
    if (!hd_word(r, word, sizeof word)) return HD_OK;
    int k = 0;
    while (k <= HD_INIT_DIRAC && strcmp(word, hd_init_kinds[k].name) != 0) k++;
    if (k > HD_INIT_DIRAC) return hd_wrong(r, "\"%s\" is not a way to start a parameter", word);
    init->kind = (hd_init_kind)k;
    double *numbers[] = {&init->a, &init->b, &init->low, &init->high};
    for (int i = 0; i < hd_init_kinds[k].numbers; i++) {
        if (!hd_take(r, i ? "," : "(")) return hd_wrong(r, "expected %s", i ? "," : "(");
        HD_TRY(hd_read_double(r, numbers[i]));
    }
    if (hd_init_kinds[k].numbers && !hd_take(r, ")")) return hd_wrong(r, "expected )%s", "");
    if (!hd_take(r, "zero_row(")) return HD_OK;
    const size_t n = strspn(r->at, "0123456789");
    if (!hd_text_to_i64(r->at, n, &init->zero_row) || init->zero_row++ == INT64_MAX)
        return hd_wrong(r, "expected the number of a row%s", "");
    r->at += n;
    return hd_take(r, ")") ? HD_OK : hd_wrong(r, "expected )%s", "");
}

/* Constants: the text itself bounds the memory, two bytes an element at least. */
static hd_status hd_read_const(hd_reader *r, const hd_type *type, hd_loc at, hd_val *out) {
    const int64_t n = hd_dims_count(&type->dims);
    if (!hd_take(r, "{")) return hd_wrong(r, "expected { and the elements%s", "");
    if (n < 0 || (uint64_t)n > strlen(r->at)) return hd_wrong(r, "more elements than the text holds%s", "");
    const size_t size = hd_dtype_size(type->dtype);
    unsigned char *data = hd_alloc_n(r->ctx, (size_t)n + 1, size);
    if (!data) return HD_E_MEMORY;
    hd_status status = HD_OK;
    for (int64_t i = 0; i < n && status == HD_OK; i++) {
        double v = 0;
        int64_t whole = 0;
        if (type->dtype == HD_I64) {
            hd_blanks(r);
            const size_t l = strspn(r->at, "-0123456789");
            if (!hd_text_to_i64(r->at, l, &whole)) status = hd_wrong(r, "expected a whole number%s", "");
            r->at += l;
            memcpy(data + (size_t)i * size, &whole, size);
            continue;
        }
        status = hd_read_double(r, &v);
        if (status != HD_OK) break;
        if (type->dtype == HD_F32)
            ((float *)(void *)data)[i] = (float)v;
        else if (type->dtype == HD_F64)
            ((double *)(void *)data)[i] = v;
        else if (type->dtype == HD_BF16)
            ((uint16_t *)(void *)data)[i] = hd_bf16_from_f64(v);
        else if (!(v >= -2147483648.0 && v <= 2147483647.0)) /* nor what is no number */
            status = hd_wrong(r, "an element out of range%s", "");
        else if (type->dtype == HD_I32)
            ((int32_t *)(void *)data)[i] = (int32_t)v;
        else
            data[i] = (unsigned char)(int)v;
    }
    if (status == HD_OK && !hd_take(r, "}")) status = hd_wrong(r, "expected } after the elements%s", "");
    if (status == HD_OK) *out = hd_const_at(at, r->g, type->dtype, type->dims, data);
    hd_free(r->ctx, data);
    return status;
}

static hd_status hd_read_number(hd_reader *r, int64_t *out) {
    char word[24];
    if (!hd_take(r, "%")) return hd_wrong(r, "expected %% and a number%s", "");
    hd_word(r, word, sizeof word);
    if (!hd_text_to_i64(word, strlen(word), out) || *out < 0)
        return hd_wrong(r, "\"%s\" is not the number of a value", word);
    return HD_OK;
}

static hd_status hd_read_attr(hd_reader *r, const hd_op *op, void *args) {
    char word[64], text[4096], message[512];
    for (;;) {
        hd_blanks(r);
        if (*r->at == ':' || *r->at == '\n' || !*r->at) return HD_OK;
        if (!hd_word(r, word, sizeof word)) return hd_wrong(r, "expected an option or :%s", "");
        const hd_option *o = hd_option_find(op->options, word);
        if (!o) return hd_unknown_option(r, op, word);
        if (!hd_take(r, "=")) return hd_wrong(r, "expected = after the option%s", "");
        size_t n = *r->at == '['   ? strcspn(r->at, "]\n")
                   : *r->at == '"' ? 1 + strcspn(r->at + 1, "\"\n")
                                   : strcspn(r->at, " \n");
        if (*r->at == '[' || *r->at == '"') n += r->at[n] != '\n' && r->at[n] != 0;
        if (n >= sizeof text) return hd_wrong(r, "an option too long%s", "");
        memcpy(text, r->at, n);
        text[n] = 0;
        const hd_status status = hd_option_set(o, args, text, &r->g->arena, message, sizeof message);
        if (status == HD_E_MEMORY) return status;
        if (status != HD_OK) return hd_wrong(r, "%s", message);
        r->at += n;
    }
}

static hd_status hd_bind_id(hd_reader *r, int64_t number, int32_t id) {
    if (number != (int64_t)r->id_count) return hd_wrong(r, "values must be numbered in order%s", "");
    HD_TRY(hd_grow(r->ctx, (void **)&r->ids, &r->id_capacity, r->id_count + 1, sizeof *r->ids));
    r->ids[r->id_count++] = id;
    return HD_OK;
}

static hd_status hd_read_operands(hd_reader *r, int32_t *in, int32_t max, int32_t *n_in) {
    *n_in = 0;
    if (!hd_take(r, "(")) return hd_wrong(r, "expected ( and the inputs%s", "");
    if (hd_take(r, ")")) return HD_OK;
    do {
        if (*n_in == max) return hd_wrong(r, "too many inputs%s", "");
        int64_t number;
        if (hd_take(r, "-")) {
            in[(*n_in)++] = -1;
            continue;
        }
        HD_TRY(hd_read_number(r, &number));
        if (number >= (int64_t)r->id_count) return hd_wrong(r, "a value is used before it is made%s", "");
        in[(*n_in)++] = r->ids[number];
    } while (hd_take(r, ","));
    return hd_take(r, ")") ? HD_OK : hd_wrong(r, "expected )%s", "");
}

static hd_status hd_read_node(hd_reader *r, const char *name, hd_loc at, hd_val *out) {
    enum { MAX = 4096 };
    const hd_op *op = hd_op_find(r->ctx, name);
    if (!op) return hd_unknown_op(r, name);
    int32_t *in = hd_arena_alloc_n(&r->g->arena, MAX, sizeof *in), n_in;
    void *args = hd_arena_alloc(&r->g->arena, op->args_size);
    if (!in || !args) return HD_E_MEMORY;
    HD_TRY(hd_read_operands(r, in, op->flags & HD_OP_VARIADIC ? MAX : op->n_in + op->n_optional, &n_in));
    int required = n_in > 1 ? n_in : 1; /* a variadic op has one at least */
    if (!(op->flags & HD_OP_VARIADIC)) required = op->n_in;
    for (int i = 0; i < required; i++)
        if (i >= n_in || in[i] < 0) return hd_wrong(r, "input %s is missing", hd_op_in_name(op, i));
    HD_TRY(hd_read_attr(r, op, args));
    *out = hd_graph_add_node(r->g, at, op, in, n_in, args);
    if (r->g->status != HD_OK) return hd_graph_status(r->g);
    if (!hd_take(r, ":")) return HD_OK;
    for (int i = 0; i < op->n_out; i++) { /* what is written must be what is inferred */
        hd_type type;
        if (i && !hd_take(r, ",")) return hd_wrong(r, "expected , and the next type%s", "");
        HD_TRY(hd_read_type(r, &type));
        const hd_type *is = &r->g->values[out->id + i].type;
        char text[192];
        if (type.dtype != is->dtype || !hd_dims_equal(&type.dims, &is->dims))
            return hd_wrong(r, "the type written is not what follows from the inputs, %s",
                            hd_dims_text(text, &is->dims));
    }
    return HD_OK;
}

static hd_status hd_read_definition(hd_reader *r) {
    char names[HD_OP_MAX_OUT][256], word[64];
    int64_t numbers[HD_OP_MAX_OUT];
    int n = 0;
    const hd_loc at = {hd_arena_strdup(&r->g->arena, r->where), r->line, 0};
    if (!at.file) return HD_E_MEMORY;
    do {
        if (n == HD_OP_MAX_OUT) return hd_wrong(r, "too many results%s", "");
        HD_TRY(hd_read_number(r, &numbers[n]));
        names[n][0] = 0;
        hd_blanks(r);
        if (*r->at == '"') HD_TRY(hd_read_quoted(r, names[n], sizeof names[n]));
        n++;
    } while (hd_take(r, ","));
    if (!hd_take(r, "=")) return hd_wrong(r, "expected =%s", "");
    if (!hd_word(r, word, sizeof word))
        return hd_wrong(r, "expected input, param, state, buffer, const or an op%s", "");
    hd_val v = {0};
    hd_type type;
    hd_init init;
    if (strcmp(word, "input") == 0) {
        HD_TRY(hd_read_type(r, &type));
        v = hd_input_at(at, r->g, names[0], type.dtype, type.dims);
    } else if (strcmp(word, "buffer") == 0) {
        HD_TRY(hd_read_type(r, &type));
        v = hd_buffer_at(at, r->g, names[0], type.dtype, type.dims);
    } else if (strcmp(word, "param") == 0 || strcmp(word, "state") == 0) {
        HD_TRY(hd_read_type(r, &type));
        HD_TRY(hd_read_init(r, &init));
        v = (*word == 'p' ? hd_param_at : hd_state_at)(at, r->g, names[0], type.dtype, type.dims, init);
    } else if (strcmp(word, "const") == 0) {
        HD_TRY(hd_read_type(r, &type));
        HD_TRY(hd_read_const(r, &type, at, &v));
    } else {
        HD_TRY(hd_read_node(r, word, at, &v));
        if (r->g->nodes[r->g->values[v.id].node].n_out != n)
            return hd_wrong(r, "%s has another number of results", word);
    }
    HD_TRY(hd_graph_status(r->g));
    for (int i = 0; i < n; i++) {
        HD_TRY(hd_bind_id(r, numbers[i], v.id + i));
        if (*names[i]) hd_name((hd_val){r->g, v.id + i}, names[i]);
    }
    return hd_graph_status(r->g);
}

static hd_status hd_read_line(hd_reader *r) {
    char name[256];
    int64_t number;
    if (hd_take(r, "output")) {
        HD_TRY(hd_read_quoted(r, name, sizeof name));
        if (!hd_take(r, "=")) return hd_wrong(r, "expected =%s", "");
        HD_TRY(hd_read_number(r, &number));
        if (number >= (int64_t)r->id_count) return hd_wrong(r, "there is no such value%s", "");
        hd_mark_output((hd_val){r->g, r->ids[number]}, name);
        return hd_graph_status(r->g);
    }
    if (hd_take(r, "decode")) {
        hd_word(r, name, sizeof name);
        if (!hd_text_to_i64(name, strlen(name), &number)) return hd_wrong(r, "expected a number of positions%s", "");
        hd_graph_set_decode(r->g, number);
        return hd_graph_status(r->g);
    }
    return hd_read_definition(r);
}

hd_status hd_graph_parse(hd_graph **out, hd_context *ctx, const char *where, const char *text) {
    hd_reader r = {.ctx = ctx, .where = where, .at = text, .line_start = text, .line = 1};
    hd_status status = hd_graph_new(&r.g, ctx);
    if (status != HD_OK) return status;
    if (!hd_take(&r, "hadal graph 1")) status = hd_wrong(&r, "expected \"hadal graph 1\"%s", "");
    while (status == HD_OK) {
        hd_blanks(&r);
        if (*r.at == '#') r.at += strcspn(r.at, "\n");
        if (!*r.at) break;
        if (*r.at == '\r') r.at++;
        if (*r.at != '\n') {
            status = hd_wrong(&r, "expected the end of the line%s", "");
            break;
        }
        r.line_start = ++r.at;
        r.line++;
        hd_blanks(&r);
        if (*r.at && !strchr("\r\n#", *r.at)) status = hd_read_line(&r);
    }
    hd_free(ctx, r.ids);
    if (status != HD_OK) {
        hd_graph_free(r.g);
        return status;
    }
    *out = r.g;
    return HD_OK;
}
