/* op_case.h: reads a sample of an op's descriptor ("x f32[2,3], w f32[4,3]:away | padding=[1,1]") and builds it:
 * tensors with numbers in them, the args struct, a node of a graph. See hd_sample in hadal/op.h for the language. */
#ifndef HD_TESTS_OP_CASE_H
#define HD_TESTS_OP_CASE_H
#include "support.h"

#include "base/bf16.h"
#include "base/rng.h"
#include "base/text.h"
#include "graph/graph.h"
#include "hadal/ops.h"
#include <ctype.h>
#include <math.h>

enum { OP_CASE_MOST = 24 };

typedef struct op_case {
    const hd_op *op;
    const char *text;
    hd_arena arena;
    int n_in;
    hd_type in[OP_CASE_MOST]; /* rank -1: absent */
    void *data[OP_CASE_MOST]; /* row-major; exactly as large as it must be */
    void *attr;               /* args struct, options as given, inputs zero */
    char message[512];        /* what is wrong with an option */
} op_case;

/* ---- numbers of any dtype ---- */

static inline double op_number(hd_dtype dtype, const void *data, int64_t i) {
    switch (dtype) {
    case HD_F32: return (double)((const float *)data)[i];
    case HD_F64: return ((const double *)data)[i];
    case HD_I32: return ((const int32_t *)data)[i];
    case HD_I64: return (double)((const int64_t *)data)[i];
    case HD_BF16: return (double)hd_bf16_to_f32(((const uint16_t *)data)[i]);
    default: return ((const uint8_t *)data)[i];
    }
}

static inline void op_set(hd_dtype dtype, void *data, int64_t i, double x, int64_t whole) {
    switch (dtype) {
    case HD_F32: ((float *)data)[i] = (float)x; break;
    case HD_F64: ((double *)data)[i] = x; break;
    case HD_I32: ((int32_t *)data)[i] = (int32_t)whole; break;
    case HD_I64: ((int64_t *)data)[i] = whole; break;
    case HD_U8: ((uint8_t *)data)[i] = (uint8_t)whole; break;
    case HD_BF16: ((uint16_t *)data)[i] = hd_bf16_from_f64(x); break;
    default: ((uint8_t *)data)[i] = (uint8_t)(whole & 1); break;
    }
}

static inline size_t op_bytes(const hd_type *t) {
    return t->dims.rank < 0 ? 0 : (size_t)hd_dims_count(&t->dims) * hd_dtype_size(t->dtype);
}

static inline bool op_float(hd_dtype t) {
    return t == HD_F32 || t == HD_F64 || t == HD_BF16;
}

/* ---- reading ---- */

static inline void op_wrong(const op_case *c, const char *at, const char *what) {
    fail_msg("%s: sample \"%s\": %s at \"%s\"", c->op->name, c->text, what, at);
}

static inline const char *op_blanks(const char *s) {
    while (*s == ' ') s++;
    return s;
}

/* "f32[2,3]", after an optional name. */
static inline const char *op_read_type(const op_case *c, const char *s, hd_type *type) {
    const char *bracket = strchr(s, '['), *blank = strchr(s, ' ');
    if (blank && bracket && blank < bracket) s = op_blanks(blank);
    int t = 0;
    for (; t < HD_DTYPE_COUNT; t++) {
        const size_t n = strlen(hd_dtype_name((hd_dtype)t));
        if (strncmp(s, hd_dtype_name((hd_dtype)t), n) == 0 && s[n] == '[') break;
    }
    if (t == HD_DTYPE_COUNT) op_wrong(c, s, "expected dtype[sizes]");
    *type = (hd_type){.dtype = (hd_dtype)t};
    s = strchr(s, '[') + 1;
    while (*s != ']') {
        char *end;
        type->dims.dim[type->dims.rank++] = strtoll(s, &end, 10);
        if (end == s || (*end != ',' && *end != ']')) op_wrong(c, s, "expected a size");
        s = *end == ',' ? end + 1 : end;
    }
    return s + 1;
}

/* "{1 2 3}" into data: as many as the tensor has. */
static inline const char *op_read_values(const op_case *c, const char *s, hd_dtype dtype, void *data, int64_t n) {
    if (*s++ != '{') op_wrong(c, s - 1, "expected {");
    for (int64_t i = 0; i < n; i++) {
        char *end, *whole_end;
        const double x = strtod(s, &end);
        const int64_t whole = strtoll(s, &whole_end, 10);
        if (end == s) op_wrong(c, s, "too few values");
        op_set(dtype, data, i, x, whole);
        s = end;
    }
    s = op_blanks(s);
    if (*s != '}') op_wrong(c, s, "too many values");
    return s + 1;
}

/* Numbers of a kind: "" (normal), "pos", "unit", "away", "distinct", "below(n)", "bool". */
static inline void op_fill(const op_case *c, hd_rng *rng, const char *kind, const hd_type *t, void *data) {
    const int64_t n = hd_dims_count(&t->dims);
    const bool pos = strncmp(kind, "pos", 3) == 0, unit = strncmp(kind, "unit", 4) == 0;
    const bool away = strncmp(kind, "away", 4) == 0, distinct = strncmp(kind, "distinct", 8) == 0;
    int64_t below = strncmp(kind, "below(", 6) == 0 ? strtoll(kind + 6, NULL, 10) : strncmp(kind, "bool", 4) ? 0 : 2;
    if (*kind && !pos && !unit && !away && !distinct && !below) op_wrong(c, kind, "unknown kind of numbers");
    int64_t *order = calloc((size_t)n + 1, sizeof *order);
    for (int64_t i = 0; i < n; i++) order[i] = i;
    hd_rng_shuffle(rng, order, (size_t)n);
    for (int64_t i = 0; i < n; i++) {
        double x = hd_rng_normal(rng);
        if (away) x += x < 0 ? -0.1 : 0.1;
        if (pos) x = 0.5 + hd_rng_uniform(rng);
        if (unit) x = 2 * hd_rng_uniform(rng) - 1;
        if (distinct) x = 0.07 * ((double)(order[i] - n / 2) + 0.2 * hd_rng_uniform(rng));
        const int64_t whole = below ? (int64_t)hd_rng_below(rng, (uint64_t)below)
                                    : (int64_t)hd_rng_below(rng, 41) - (t->dtype == HD_U8 ? 0 : 20);
        op_set(t->dtype, data, i, below ? (double)whole : x, whole);
    }
    free(order);
}

static inline const char *op_read_input(op_case *c, const char *s, hd_dtype floats) {
    const int i = c->n_in++;
    assert_true(i < OP_CASE_MOST);
    s = op_blanks(s);
    if (*s == '-' && (s[1] == ',' || s[1] == ' ' || !s[1])) {
        c->in[i].dims.rank = -1;
        return s + 1;
    }
    s = op_read_type(c, s, &c->in[i]);
    if (c->in[i].dtype == HD_F32) c->in[i].dtype = floats;
    char seed[24];
    (void)snprintf(seed, sizeof seed, "input %d", i);
    hd_rng rng = hd_rng_new(7, seed);
    c->data[i] = malloc(op_bytes(&c->in[i]) ? op_bytes(&c->in[i]) : 1);
    assert_non_null(c->data[i]);
    if (*s == '=') return op_read_values(c, s + 1, c->in[i].dtype, c->data[i], hd_dims_count(&c->in[i].dims));
    const char *kind = *s == ':' ? s + 1 : "";
    op_fill(c, &rng, *s == ':' ? kind : "", &c->in[i], c->data[i]);
    if (*s == ':')
        for (s++; isalpha((unsigned char)*s) || isdigit((unsigned char)*s) || *s == '(' || *s == ')';) s++;
    return s;
}

/* "name=value name=\"a b\"". False: an option is refused, message says why. */
static inline bool op_read_options(op_case *c, const char *s) {
    while (*(s = op_blanks(s))) {
        const char *equals = strchr(s, '=');
        if (!equals) op_wrong(c, s, "expected option=value");
        const char *end = equals + 1;
        const bool quoted = *end == '"';
        for (end += quoted; *end && *end != (quoted ? '"' : ' ');) end++;
        if (quoted) end++;
        char *name = hd_arena_strndup(&c->arena, s, (size_t)(equals - s));
        char *value = hd_arena_strndup(&c->arena, equals + 1, (size_t)(end - equals - 1));
        const hd_option *o = hd_option_find(c->op->options, name);
        if (!o) op_wrong(c, s, "unknown option");
        if (hd_option_set(o, c->attr, value, &c->arena, c->message, sizeof c->message) != HD_OK) return false;
        s = end;
    }
    return true;
}

/* Reads a sample; f32 becomes `floats`. False when an option's text is refused (message). Give back with op_case_free.
 */
static inline bool op_case_read(op_case *c, hd_context *ctx, const hd_op *op, const char *text, hd_dtype floats) {
    *c = (op_case){.op = op, .text = text, .arena = {.ctx = ctx}};
    c->attr = hd_arena_alloc(&c->arena, op->args_size);
    assert_non_null(c->attr);
    const char *bar = strchr(text, '|'), *s = text;
    while ((s = op_blanks(op_read_input(c, s, floats)))[0] == ',') s++;
    if (*s && s != bar) op_wrong(c, s, "expected a comma, | or the end");
    return bar ? op_read_options(c, bar + 1) : true;
}

static inline void op_case_free(op_case *c) {
    for (int i = 0; i < c->n_in; i++) free(c->data[i]);
    hd_arena_free(&c->arena);
}

/* ---- building ---- */

/* Name of input i in the graphs of tests. */
static inline const char *op_input_name(int i) {
    static const char *const names[OP_CASE_MOST] = {"i0",  "i1",  "i2",  "i3",  "i4",  "i5",  "i6",  "i7",
                                                    "i8",  "i9",  "i10", "i11", "i12", "i13", "i14", "i15",
                                                    "i16", "i17", "i18", "i19", "i20", "i21", "i22", "i23"};
    return names[i];
}

/* Whether an output lives in the memory of input i: then it must be something that persists. */
static inline bool op_changes(const hd_op *op, int i) {
    for (int o = 0; o < op->n_out; o++)
        if (op->alias[o] == i + 1) return true;
    return false;
}

/* Inputs i0, i1, … (states where the op changes them) and the node. vals: OP_CASE_MOST values. Returns output 0. */
static inline hd_val op_case_build(const op_case *c, hd_graph *g, hd_loc at, hd_val *vals) {
    const hd_op *op = c->op;
    for (int i = 0; i < c->n_in; i++) {
        vals[i] = (hd_val){0};
        if (c->in[i].dims.rank < 0) continue;
        if (op_changes(op, i))
            vals[i] = hd_state(g, op_input_name(i), c->in[i].dtype, c->in[i].dims, HD_ZEROS);
        else
            vals[i] = hd_input(g, op_input_name(i), c->in[i].dtype, c->in[i].dims);
    }
    char *args = calloc(1, op->args_size);
    assert_non_null(args);
    memcpy(args, c->attr, op->args_size);
    if (op->flags & HD_OP_VARIADIC) {
        const hd_val *x = vals;
        const int64_t n = c->n_in;
        memcpy(args, &x, sizeof x);
        memcpy(args + sizeof x, &n, sizeof n);
    } else {
        const int most = op->n_in + op->n_optional;
        if (c->n_in > most) op_wrong(c, c->text, "more inputs than the op has");
        memcpy(args, vals, sizeof *vals * (size_t)c->n_in);
    }
    const hd_val y = hd_node_add(at, op, args);
    free(args);
    return y;
}
#endif
