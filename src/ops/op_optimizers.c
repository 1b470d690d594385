/* op_optimizers.c: the update operations of all optimisers and the list of their kinds. What is special about each
 * stands in its own file. Knows nothing of backends. */
#include "graph/graph.h"
#include "ops/op_kit.h"
#include "ops/optim_kit.h"
#include <stdio.h>

#define HD_OPTIMIZER(name) extern const hd_op hd_op_##name##_update;
#include "ops/optimizers.def"
#undef HD_OPTIMIZER

/* ---- what all updates share ---- */

static const char *const update_in[] = {"p", "g", "hyper", "scale", "s0", "s1", "s2", "ema", "row", NULL};
static const char *const update_out[] = {"p", "s0", "s1", "s2", "ema", NULL};

/* An output that is not there has no elements. */
static hd_status update_slot(hd_infer *c, int in, int out, bool wanted, const char *what) {
    c->out[out] = (hd_type){c->in[0].dtype, {.rank = 1}};
    if (!wanted) return HD_OK;
    if (hd_absent(c, in)) return hd_infer_fail(c, "%s is missing: it keeps the %s", hd_op_in_name(c->op, in), what);
    c->out[out] = c->in[0];
    return hd_need_same(c, 0, in);
}

/* Factors of a gradient [m, n]: vectors of m and n, or matrices of as many rows. */
static bool update_factors(const hd_dims *p, const hd_dims *g, const hd_dims *row) {
    if (p->rank != 2) return false;
    if (hd_dims_count(g) == p->dim[0] && hd_dims_count(row) == p->dim[1]) return true;
    return g->rank == 2 && row->rank == 2 && g->dim[0] == row->dim[0] && g->dim[1] == p->dim[0] &&
           row->dim[1] == p->dim[1];
}

/* The gradient: like p, or a product. */
static hd_status update_gradient(hd_infer *c) {
    const hd_dims *p = &c->in[HD_UP_P].dims;
    char a[192], b[192], whole[192];
    if (hd_absent(c, HD_UP_ROW)) return hd_need_same(c, HD_UP_P, HD_UP_G);
    const hd_type *g = &c->in[HD_UP_G], *row = &c->in[HD_UP_ROW];
    if (g->dtype == c->in[HD_UP_P].dtype && row->dtype == g->dtype && update_factors(p, &g->dims, &row->dims))
        return HD_OK;
    return hd_infer_fail(c, "g %s and row %s do not make the gradient of p %s", hd_dims_text(a, &g->dims),
                         hd_dims_text(b, &row->dims), hd_dims_text(whole, p));
}

static hd_status update_infer(hd_infer *c) {
    const hd_update_args *a = c->attr;
    const hd_optim *kind = hd_optim_of(c->op);
    const unsigned keeps = hd_optim_keeps(kind, &a->o);
    if (hd_need_float(c, HD_UP_P) || update_gradient(c) || hd_need_hyper(c, HD_UP_HYPER, HD_UP_SCALE))
        return HD_E_MODEL;
    c->out[0] = c->in[0];
    for (int k = 0; k < HD_OPTIM_SLOTS; k++)
        if (update_slot(c, HD_UP_S0 + k, 1 + k, keeps >> k & 1, kind->slot[k] ? kind->slot[k] : "state"))
            return HD_E_MODEL;
    return update_slot(c, HD_UP_EMA, HD_UP_OUTPUTS - 1, a->o.ema > 0, "moving average");
}

static hd_cost update_cost(const hd_infer *c) {
    const double each =
        hd_absent(c, HD_UP_ROW) ? 12 : 12 + 2 * hd_cost_elements(&c->in[HD_UP_ROW]) / (double)c->in[0].dims.dim[1];
    return hd_cost_of(c, each * hd_cost_elements(&c->in[0]));
}

/* ---- rules in double ---- */

#define R                   double
#define RULE                optim_rule
#define r_splat(x)          (double)(x)
#define r_sqrt(x)           sqrt(x)
#define r_abs(x)            fabs(x)
#define r_max(a, b)         optim_max(a, b)
#define r_min(a, b)         optim_min(a, b)
#define r_positive(x, a, b) ((x) > 0 ? (a) : (b))
static inline double optim_max(double a, double b) {
    return a > b ? a : b;
}
static inline double optim_min(double a, double b) {
    return a < b ? a : b;
}
#include "ops/optim_rules.h"

typedef double (*optim_rule_fn)(const optim_rule *f, double p, double d, double *s);

static double optim_gradient(const hd_ref *r, int64_t i) {
    if (r->n_in <= HD_UP_ROW || !r->in[HD_UP_ROW].data) return hd_get(&r->in[HD_UP_G], i);
    const int64_t m = r->in[HD_UP_P].dims.dim[0], n = r->in[HD_UP_P].dims.dim[1], rows = r->in[HD_UP_ROW].count / n;
    double sum = 0;
    for (int64_t k = 0; k < rows; k++)
        sum += hd_get(&r->in[HD_UP_G], k * m + i / n) * hd_get(&r->in[HD_UP_ROW], k * n + i % n);
    return sum;
}

/* Nothing changes: outputs live in the memory of inputs, but need not. */
static void optim_copy(const hd_ref *r) {
    for (int o = 0; o < r->n_out; o++) {
        const int in = o == 0 ? HD_UP_P : HD_UP_S0 + o - 1;
        const size_t bytes = (size_t)r->out[o].count * hd_dtype_size(r->out[o].dtype);
        if (bytes) memmove(r->out[o].data, r->in[in].data, bytes);
    }
}

static void optim_ref(const hd_ref *r, const hd_optim *kind, optim_rule_fn rule) {
    const hd_update_args *a = r->attr;
    const double scale = r->n_in > HD_UP_SCALE && r->in[HD_UP_SCALE].data ? hd_get(&r->in[HD_UP_SCALE], 0) : 1;
    hd_optim_step step = {.product = 1};
    optim_rule f;
    hd_optim_begin(kind, a, r->in[HD_UP_HYPER].data, scale, &step);
    if (step.idle) {
        optim_copy(r);
        return;
    }
    memcpy(f.c, step.c, sizeof f.c);
    memcpy(f.flag, step.flag, sizeof f.flag);
    f.first = step.first;
    for (int64_t i = 0; i < r->out[0].count; i++) {
        double s[HD_OPTIM_SLOTS] = {0};
        for (int k = 0; k < HD_OPTIM_SLOTS; k++)
            if (r->out[1 + k].count) s[k] = hd_get(&r->in[HD_UP_S0 + k], i);
        const double p = hd_get(&r->in[HD_UP_P], i), d = optim_gradient(r, i) * step.scale + step.decay * p;
        const double now = rule(&f, p * step.keep, d, s);
        hd_set(&r->out[0], i, now);
        for (int k = 0; k < HD_OPTIM_SLOTS; k++)
            if (r->out[1 + k].count) hd_set(&r->out[1 + k], i, s[k]);
        if (!r->out[HD_UP_OUTPUTS - 1].count) continue;
        const double mean = hd_get(&r->in[HD_UP_EMA], i);
        hd_set(&r->out[HD_UP_OUTPUTS - 1], i, step.first ? now : mean * step.ema + now * (1 - step.ema));
    }
}

/* ---- the optimisers ---- */

#define HD_OPTIM_ABOUT
#define HD_OPTIMIZER(name)
#include "ops/optimizers.def"
#undef HD_OPTIMIZER
#undef HD_OPTIM_ABOUT

const hd_optim *hd_optim_at(int i) {
#define HD_OPTIMIZER(name) &hd_optim_##name,
    static const hd_optim *const list[] = {
#include "ops/optimizers.def"
    };
#undef HD_OPTIMIZER
    return i >= 0 && i < (int)(sizeof list / sizeof *list) ? list[i] : NULL;
}

const char *const *hd_optimizer_names(void) {
#define HD_OPTIMIZER(name) #name,
    static const char *const names[] = {
#include "ops/optimizers.def"
        NULL};
#undef HD_OPTIMIZER
    return names;
}

const hd_optim *hd_optim_find(const char *name) {
    const hd_optim *kind;
    for (int i = 0; name && (kind = hd_optim_at(i)); i++)
        if (strcmp(kind->name, name) == 0) return kind;
    return NULL;
}

const hd_optim *hd_optim_of(const hd_op *op) {
    const hd_optim *kind;
    for (int i = 0; (kind = hd_optim_at(i)); i++)
        if (kind->op == op) return kind;
    return NULL;
}

unsigned hd_optim_keeps(const hd_optim *kind, const hd_optimizer *o) {
    unsigned named = 0;
    if (kind->keeps) return kind->keeps(o);
    for (int k = 0; k < HD_OPTIM_SLOTS && kind->slot[k]; k++) named |= 1u << k;
    return named;
}

void hd_optim_begin(const hd_optim *kind, const hd_update_args *a, const double *hyper, double scale,
                    hd_optim_step *s) {
    const double decay = a->decay < 0 ? hyper[HD_HYPER_DECAY] : a->decay;
    s->lr = hyper[HD_HYPER_LR] * a->lr_scale;
    s->t = hyper[HD_HYPER_STEP];
    s->idle = hyper[HD_HYPER_SHARE] == 0 || scale < 0;
    s->first = s->t <= 1;
    s->scale = (kind->scale_free ? 1 : scale) * (a->o.maximize ? -1 : 1);
    s->decay = kind->decoupled ? 0 : decay;
    s->keep = kind->decoupled ? 1 - s->lr * decay : 1;
    s->ema = s->first ? 0 : a->o.ema;
    if (!s->idle) kind->step(&a->o, s);
}

hd_val hd_optimizer_update_at(hd_loc at, const hd_update_args *args) {
    const hd_optim *kind = hd_optim_find(args->o.name);
    hd_update_args a = *args;
    if (!kind) {
        if (args->p.graph)
            hd_graph_fail(args->p.graph, HD_E_UNSUPPORTED, "optimizer_update|there is no optimiser \"%s\"",
                          args->o.name ? args->o.name : "");
        return (hd_val){args->p.graph, -1};
    }
    /* what the operation itself does not read would make equal updates differ */
    a.o.name = NULL;
    a.o.groups = NULL;
    a.o.group_count = 0;
    a.o.lr = a.o.weight_decay = a.o.max_norm = a.o.skip_outliers = 0;
    a.o.accumulate = false;
    return hd_node_add(at, kind->op, &a);
}

/* ---- settings by name ---- */

bool hd_optimizer_at(int i, hd_optimizer_info *out) {
    const hd_optim *kind = hd_optim_at(i);
    if (!kind) return false;
    *out = (hd_optimizer_info){.name = kind->name,
                               .lr = kind->lr,
                               .weight_decay = kind->weight_decay,
                               .options = kind->op->options,
                               .formula = kind->op->formula,
                               .source = kind->op->source,
                               .doc = kind->op->doc};
    return true;
}

bool hd_optimizer_find(const char *name, hd_optimizer_info *out) {
    for (int i = 0; hd_optimizer_at(i, out); i++)
        if (strcmp(out->name, name) == 0) return true;
    return false;
}

bool hd_optimizer_set(hd_optimizer *o, const char *option, double value) {
    const hd_optim *kind = hd_optim_find(o->name ? o->name : "sgd");
    const double number = value == 0 ? HD_ZERO : value;
    hd_update_args a = {.o = *o};
    if (!kind) return false;
    if (strcmp(option, "lr") == 0) {
        o->lr = number;
        return true;
    }
    if (strcmp(option, "weight_decay") == 0) {
        o->weight_decay = number;
        return true;
    }
    for (const hd_option *k = kind->op->options; k->name; k++) {
        char *field = (char *)&a + k->offset;
        if (strcmp(k->name, option) != 0 || k->offset >= offsetof(hd_update_args, lr_scale)) continue;
        if (k->type == HD_OPT_BOOL)
            *(bool *)field = value != 0;
        else
            memcpy(field, &number, sizeof number);
        *o = a.o;
        return true;
    }
    return false;
}

hd_status hd_optimizer_settle(hd_optimizer *o, char *message, size_t size) {
    if (!o->name) o->name = "sgd";
    const hd_optim *kind = hd_optim_find(o->name);
    hd_update_args a = {.o = *o};
    if (!kind) {
        (void)snprintf(message, size, "there is no optimiser \"%s\"", o->name);
        return HD_E_UNSUPPORTED;
    }
    HD_TRY(hd_options_settle(kind->op->options, &a, message, size));
    *o = a.o;
    if (o->lr == 0 && !signbit(o->lr)) o->lr = kind->lr;
    if (o->weight_decay == 0 && !signbit(o->weight_decay)) o->weight_decay = kind->weight_decay;
    return HD_OK;
}
