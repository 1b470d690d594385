/* loss_options.c: a loss as a recipe asks for it: the args of its op, its weights, its node in the graph, its value for
 * one sample. The options of an op are read by the op's own schema. */
#include "base/status.h"
#include "hadal/nn.h"
#include "train/model.h"
#include <stdio.h>
#include <string.h>

enum { UNCOUNTED = -100 }; /* ignore_index of the ops when nothing is said */

/* ---- options ---- */

static void set_choice(hd_loss_use *u, hd_loss_args_bytes *args, const char *name, int64_t value) {
    for (const hd_option *o = u->op->options; o && o->name; o++)
        if (strcmp(o->name, name) == 0) memcpy(args->bytes + o->offset, &value, sizeof value);
}

/* Options that the recipe says, by the names that the op gives them. */
static hd_status read_options(hd_loss_use *u, const hd_recipe *r, hd_arena *arena) {
    hd_json *object = hd_json_new(arena, HD_JSON_OBJECT);
    char key[64];
    for (const hd_option *o = u->op->options; r && o && o->name; o++) {
        (void)snprintf(key, sizeof key, "train.loss.%s", o->name);
        const hd_json *said = o->type == HD_OPT_AXIS ? NULL : hd_recipe_said(r, key);
        if (said && !hd_json_set(arena, object, o->name, hd_json_copy(arena, said))) return HD_E_MEMORY;
    }
    if (!object) return HD_E_MEMORY;
    return hd_options_read(arena->ctx, u->op->options, u->args.bytes, object, r ? r->where : "recipe", u->op->name);
}

static hd_status settle_op(hd_loss_use *u, const hd_loss *loss, const hd_recipe *r, hd_arena *arena) {
    *u = (hd_loss_use){.op = hd_op_find(NULL, loss->name), .ignored = -1};
    if (!u->op || u->op->args_size > sizeof u->args)
        return hd_fail(arena->ctx, HD_E_MODEL, "train.loss|there is no op %s", loss->name);
    HD_TRY(read_options(u, r, arena));
    const hd_json *ignored = r ? hd_recipe_said(r, "train.loss.ignore_index") : NULL;
    if (ignored) {
        u->ignored = ignored->integer;
        set_choice(u, &u->args, "ignore_index", HD_AXIS(u->ignored));
    }
    if (loss->target == HD_TARGET_SHARE) set_choice(u, &u->args, "reduction", HD_REDUCE_BATCHMEAN);
    u->each = u->args;
    if (loss->target == HD_TARGET_CLASS) set_choice(u, &u->each, "reduction", HD_REDUCE_SUM);
    return HD_OK;
}

/* ---- weights ---- */

static hd_status wrong_weight(hd_context *ctx, const char *key, int64_t n, const char *what, int64_t count) {
    return hd_fail(ctx, HD_E_MODEL, "%s|it has %lld number%s, the network has %lld %s|Give one for each", key,
                   (long long)n, n == 1 ? "" : "s", (long long)count, what);
}

/* A list of `count` numbers, or one number where `one` allows it; "balanced" without data to count is all ones. */
static hd_status read_weight(const hd_task *t, const hd_recipe *r, const char *key, bool one, hd_arena *arena,
                             float **out, int64_t *n) {
    const hd_json *said = r ? hd_recipe_said(r, key) : NULL;
    *out = NULL;
    *n = 0;
    if (!said) return HD_OK;
    if (said->type == HD_JSON_STRING && t->classes == 0)
        return hd_fail(arena->ctx, HD_E_MODEL, "%s|balanced needs classes, these data have numbers|Give numbers", key);
    if (said->type == HD_JSON_STRING && !one && t->loss.target != HD_TARGET_CLASS)
        return hd_fail(
            arena->ctx, HD_E_MODEL,
            "%s|%s weighs outputs, which have no count to balance by|Use pos_weight=balanced, or cross_entropy", key,
            t->loss.name);
    const bool list = said->type == HD_JSON_ARRAY;
    const int64_t count = list ? (int64_t)said->count : one ? 1 : t->outputs;
    if (list && count != t->outputs)
        return wrong_weight(arena->ctx, key, count, t->outputs == 1 ? "output" : "outputs", t->outputs);
    float *w = hd_arena_alloc_n(arena, (size_t)count, sizeof *w);
    if (!w) return HD_E_MEMORY;
    const hd_json *item = list ? said->child : said;
    for (int64_t i = 0; i < count; i++) {
        w[i] = item && item->type != HD_JSON_STRING ? (float)item->number : 1;
        if (!(w[i] >= 0)) return hd_fail(arena->ctx, HD_E_MODEL, "%s|a weight can not be negative", key);
        if (list && item) item = item->next;
    }
    *out = w;
    *n = count;
    return HD_OK;
}

hd_status hd_loss_settle(hd_task *t, const hd_recipe *r, hd_arena *arena) {
    t->use = (hd_loss_use){.ignored = -1};
    if (t->loss.own) return HD_OK;
    HD_TRY(settle_op(&t->use, &t->loss, r, arena));
    HD_TRY(read_weight(t, r, "train.loss.weight", false, arena, &t->use.weight, &t->use.weights));
    return read_weight(t, r, "train.loss.pos_weight", true, arena, &t->use.pos_weight, &t->use.pos_weights);
}

/* n/(classes · count): as scikit-learn's class_weight="balanced". Of a yes: how many no there are for each. */
static double balanced(const int64_t *seen, int64_t k, int64_t classes, int64_t n, bool positive) {
    if (seen[k] == 0) return 1;
    if (positive) return (double)(n - seen[k]) / (double)seen[k];
    return (double)n / ((double)classes * (double)seen[k]);
}

hd_status hd_loss_balance(hd_recipe *r, int64_t classes, const int64_t *seen) {
    static const char *const keys[] = {"train.loss.weight", "train.loss.pos_weight"};
    const char *name = hd_recipe_text(r, "train.loss.name");
    const hd_loss loss = name ? hd_loss_find(r->ctx, name) : (hd_loss){0};
    int64_t n = 0;
    for (int64_t k = 0; k < classes; k++) n += seen[k];
    for (int i = 0; i < 2; i++) {
        const hd_json *said = hd_recipe_said(r, keys[i]);
        if (!said || said->type != HD_JSON_STRING || classes == 0) continue;
        if (i == 0 && loss.name && loss.target != HD_TARGET_CLASS) continue; /* the model says why not */
        hd_json *list = hd_json_new(&r->arena, HD_JSON_ARRAY);
        for (int64_t k = 0; list && k < classes; k++)
            if (!hd_json_add(list, hd_json_new_number(&r->arena, balanced(seen, k, classes, n, i == 1)))) list = NULL;
        if (list && i == 1 && classes == 2) list = hd_json_new_number(&r->arena, balanced(seen, 1, 2, n, true));
        HD_TRY(hd_recipe_put(r, keys[i], list));
    }
    return HD_OK;
}

/* ---- the graph ---- */

bool hd_loss_knows_positions(const hd_loss *loss) {
    static const char *const names[] = {"cross_entropy", "nll", "bce_with_logits", "bce",
                                        "mse",           "l1",  "smooth_l1",       "huber"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(loss->name, names[i]) == 0) return true;
    return loss->own != NULL;
}

/* Rows 0 … 1 that begin with a negative number are padding: Σ over the rows that count of Σ over their outputs, divided
 * by the number of those rows. */
static hd_val build_rows(hd_loc at, const hd_loss_use *u, hd_loss_args_bytes args, hd_val *in) {
    static const float nothing = 0;
    hd_loss_use each = *u;
    const hd_val zero = hd_const_at(at, in[0].graph, HD_F32, (hd_dims){0}, &nothing);
    const hd_val first = hd_slice(in[1], .axis = HD_AXIS(1), .start = 0, .stop = 1);
    const hd_val counts = hd_cast(hd_ge(first, zero), .dtype = HD_DTYPE(HD_F32));
    in[1] = hd_maximum(in[1], zero);
    set_choice(&each, &args, "reduction", HD_REDUCE_NONE);
    memcpy(args.bytes, in, (size_t)(u->op->n_in + u->op->n_optional) * sizeof *in);
    const hd_val rows = hd_mul(hd_node_add(at, u->op, args.bytes), counts);
    return hd_div(hd_sum(rows), hd_sum(counts));
}

hd_val hd_loss_build(hd_loc at, const hd_task *t, hd_val y, hd_val target) {
    const hd_loss_use *u = &t->use;
    if (t->positions > 0) {
        y = hd_reshape(y, .dims = HD_DIMS(0, t->outputs));
        target = hd_reshape(target, .dims = t->loss.target == HD_TARGET_CLASS ? HD_DIMS(0) : HD_DIMS(0, t->outputs));
    }
    if (t->loss.own) return t->loss.own->build(at, y, target);
    hd_loss_args_bytes args = u->args;
    hd_val in[4] = {y, target, {0}, {0}};
    if (u->weight) in[2] = hd_const_at(at, y.graph, HD_F32, HD_DIMS(u->weights), u->weight);
    if (u->pos_weight) in[3] = hd_const_at(at, y.graph, HD_F32, HD_DIMS(u->pos_weights), u->pos_weight);
    if (t->positions > 0 && t->loss.target == HD_TARGET_YES_NO) return build_rows(at, u, args, in);
    memcpy(args.bytes, in, (size_t)(u->op->n_in + u->op->n_optional) * sizeof *in);
    return hd_node_add(at, u->op, args.bytes);
}

/* ---- one sample ---- */

double hd_loss_weight(const hd_loss_use *u, int64_t label) {
    if (label == u->ignored) return 0;
    return u->weight ? (double)u->weight[label] : 1;
}

int64_t hd_loss_ignored(const hd_loss_use *u) {
    return u->ignored >= 0 ? u->ignored : UNCOUNTED;
}

double hd_loss_value(const hd_loss_use *u, const double *y, const double *target, int64_t label, int64_t outputs) {
    double loss = 0;
    const hd_dims row = HD_DIMS(1, outputs);
    hd_tensor in[4] = {{HD_F64, row, outputs, (void *)(uintptr_t)y},
                       {HD_F64, row, outputs, (void *)(uintptr_t)target},
                       {HD_F32, HD_DIMS(u->weights), u->weights, (void *)(uintptr_t)u->weight},
                       {HD_F32, HD_DIMS(u->pos_weights), u->pos_weights, (void *)(uintptr_t)u->pos_weight}};
    if (!target) in[1] = (hd_tensor){HD_I64, HD_DIMS(1), 1, &label};
    const hd_tensor out = {.dtype = HD_F64, .count = 1, .data = &loss};
    u->op->ref(&(hd_ref){u->each.bytes, u->op->n_in + u->op->n_optional, 1, in, &out});
    return loss;
}
