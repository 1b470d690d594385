/* chain.c: several elementwise ops as one node, so that what lies between never reaches memory. Made by the pass
 * `chain`; defined as the ops it names, one after the other. Knows nothing of backends. */
#include "ops/fused.h"
#include "ops/op_kit.h"
#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>

enum { CHAIN_STEPS = 32 };

typedef struct chain_op {
    const hd_op *op;
    int n, operand[2]; /* ≥ 0 inputs, < 0: −1 − result */
    double constant[HD_CHAIN_CONSTANTS];
} chain_op;

int hd_chain_constants(const hd_op *op) {
    int n = 0;
    if (op->args_size > HD_CHAIN_ARGS) return -1;
    for (const hd_option *o = op->options; o && o->name; o++, n++)
        if (n == HD_CHAIN_CONSTANTS || (o->type != HD_OPT_FLOAT && o->type != HD_OPT_BOOL && o->type != HD_OPT_ENUM))
            return -1;
    return n;
}

double hd_chain_constant(const hd_op *op, const void *attr, int i) {
    const hd_option *o = &op->options[i];
    const void *field = (const char *)attr + o->offset;
    if (o->type == HD_OPT_BOOL) return *(const bool *)field;
    return o->type == HD_OPT_ENUM ? (double)*(const int64_t *)field : *(const double *)field;
}

void hd_chain_args_of(const hd_op *op, const double *constant, void *args) {
    memset(args, 0, HD_CHAIN_ARGS);
    for (const hd_option *o = op->options; o && o->name; o++, constant++) {
        void *field = (char *)args + o->offset;
        if (o->type == HD_OPT_BOOL)
            *(bool *)field = *constant != 0;
        else if (o->type == HD_OPT_ENUM)
            *(int64_t *)field = *constant == 1; /* of two choices */
        else
            *(double *)field = *constant;
    }
}

/* Reads "mul(0,1) affine(%0;2;-1)". Returns the number of steps, or -1. */
static int chain_read(const char *s, int n_in, chain_op *steps) {
    int n = 0;
    while (*s) {
        char name[48];
        size_t l = strcspn(s, "(");
        if (n == CHAIN_STEPS || !s[l] || l >= sizeof name) return -1;
        memcpy(name, s, l);
        name[l] = 0;
        chain_op *c = &steps[n];
        *c = (chain_op){.op = hd_op_find(NULL, name)};
        if (!c->op || !(c->op->flags & HD_OP_ELEMENTWISE) || c->op->n_in > 2 || c->op->n_in < 1) return -1;
        s += l + 1;
        for (; c->n < c->op->n_in; c->n++) {
            const bool result = *s == '%';
            char *end;
            const long k = strtol(s + result, &end, 10);
            if (end == s + result || k < 0 || k >= (result ? n : n_in)) return -1;
            c->operand[c->n] = result ? -1 - (int)k : (int)k;
            s = end;
            if (c->n + 1 < c->op->n_in && *s++ != ',') return -1;
        }
        const int constants = hd_chain_constants(c->op);
        if (constants < 0) return -1;
        for (int k = 0; k < constants; k++) {
            char *end;
            if (*s != ';') return -1;
            c->constant[k] = strtod(s + 1, &end);
            s = end;
        }
        if (*s++ != ')') return -1;
        s += strspn(s, " ");
        n++;
    }
    return n ? n : -1;
}

static hd_status chain_infer(hd_infer *c) {
    const hd_chain_args *a = c->attr;
    chain_op steps[CHAIN_STEPS];
    if (c->n_in < 1 || hd_need_float(c, 0)) return HD_E_MODEL;
    if (!a->program || chain_read(a->program, c->n_in, steps) < 0)
        return hd_infer_fail(c, "its program \"%s\" is not a chain of elementwise ops", a->program ? a->program : "");
    int like = 0;
    for (int i = 1; i < c->n_in; i++) {
        if (c->in[i].dtype != c->in[0].dtype) return hd_infer_fail(c, "its inputs have different dtypes");
        if (hd_dims_count(&c->in[i].dims) != 1) like = i;
    }
    for (int i = 0; i < c->n_in; i++)
        if (hd_dims_count(&c->in[i].dims) != 1 && !hd_dims_equal(&c->in[i].dims, &c->in[like].dims))
            return hd_infer_fail(c, "its inputs have different shapes");
    c->out[0] = c->in[like];
    return HD_OK;
}

/* One step on single numbers, through the op's own definition. */
static double chain_step(const chain_op *c, const double *operand) {
    double y = 0;
    double in[2] = {operand[0], c->n > 1 ? operand[1] : 0};
    hd_tensor tensors[3];
    for (int k = 0; k < 3; k++) tensors[k] = (hd_tensor){.dtype = HD_F64, .count = 1, .data = k == 2 ? &y : &in[k]};
    alignas(max_align_t) char args[HD_CHAIN_ARGS];
    hd_chain_args_of(c->op, c->constant, args);
    c->op->ref(&(hd_ref){.attr = args, .n_in = c->n, .n_out = 1, .in = tensors, .out = &tensors[2]});
    return y;
}

static void chain_ref(const hd_ref *r) {
    const hd_chain_args *a = r->attr;
    chain_op steps[CHAIN_STEPS];
    double result[CHAIN_STEPS];
    const int n = chain_read(a->program, r->n_in, steps);
    for (int64_t i = 0; i < r->out[0].count; i++) {
        for (int s = 0; s < n; s++) {
            double operand[2] = {0};
            for (int k = 0; k < steps[s].n; k++) {
                const int o = steps[s].operand[k];
                operand[k] = o < 0 ? result[-1 - o] : hd_get(&r->in[o], r->in[o].count == 1 ? 0 : i);
            }
            result[s] = chain_step(&steps[s], operand);
        }
        hd_set(&r->out[0], i, result[n - 1]);
    }
}

static hd_cost chain_cost(const hd_infer *c) {
    const hd_chain_args *a = c->attr;
    chain_op steps[CHAIN_STEPS];
    return hd_cost_of(c, chain_read(a->program, c->n_in, steps) * hd_cost_elements(&c->out[0]));
}

const hd_op hd_op_chain = {
    .name = "chain",
    .n_in = 0,
    .n_out = 1,
    .args_size = sizeof(hd_chain_args),
    .options =
        (const hd_option[]){HD_OPTION(STRING, hd_chain_args, program, .help = "the ops, as \"mul(0,1) relu(%0)\""),
                            HD_OPTION_END},
    .flags = HD_OP_INTERNAL | HD_OP_VARIADIC | HD_OP_ELEMENTWISE,
    .infer = chain_infer,
    .no_grad_reason = "made after differentiation, from ops that have gradients",
    .ref = chain_ref,
    .cost = chain_cost,
    .formula = "y = fₖ(… f₁(x₀, x₁) …)",
    .source = "none: the ops it names",
    .doc = "Several elementwise ops in one pass over memory.",
    .samples =
        (const hd_sample[]){{"f32[3]={1 2 3}, f32[3]={4 5 6} | program=\"mul(0,1) affine(%0;2;-1)\"", "{7 19 35}"},
                            {"f32[2,5], f32[1], f32[2,5] | program=\"mul(0,1) add(%0,2) tanh(%1)\"", NULL},
                            {0}},
    .bad = (const hd_bad_sample[]){{"f32[3] | program=\"none(0)\"", "not a chain"}, {0}},
};
