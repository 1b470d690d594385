/* model_build.c: from a recipe and facts about data to a graph: which network, which loss, how many outputs. */
#include "base/status.h"
#include "train/model.h"
#include <stdio.h>
#include <string.h>

/* Where the recipe's model stands; line 0: on the command line, or nowhere. */
static hd_loc model_place(const hd_recipe *r) {
    const hd_json *said = hd_recipe_said(r, "model");
    return said && said->line > 0 ? (hd_loc){r->model_where, said->line, said->column} : (hd_loc){"model", 0, 0};
}

static hd_status refuse(const hd_model *m, const char *what, const char *fix) {
    const hd_loc at = model_place(m->recipe);
    if (at.line > 0) return hd_fail(m->ctx, HD_E_MODEL, "%s:%d:%d|%s|%s", at.file, at.line, at.column, what, fix);
    return hd_fail(m->ctx, HD_E_MODEL, "model|%s|%s", what, fix);
}

static const char *usual_model(const hd_model_data *d) {
    static const char *const of_kind[][2] = {
        {"text", "char-lstm"}, {"music", "jsb-rnn"}, {"sequences", "tagger"}, {"ratings", "matrix-factorization"}};
    for (size_t i = 0; i < sizeof of_kind / sizeof of_kind[0]; i++)
        if (strcmp(d->kind, of_kind[i][0]) == 0) return of_kind[i][1];
    return d->sample.rank == 3 ? "cnn-small" : "mlp";
}

/* A known network that asks how many different numbers samples hold is told it by the data. */
static hd_status settle_codes(hd_model *m) {
    const hd_json *model = hd_recipe_said(m->recipe, "model");
    const hd_zoo_entry *entry = hd_recipe_network(m->recipe);
    char key[64], text[32];
    if (m->data.codes == 0 || !entry) return HD_OK;
    for (const hd_option *o = entry->options; o && o->name; o++) {
        if (strcmp(o->name, "num_embeddings") != 0 && strcmp(o->name, "vocabulary") != 0) continue;
        if (model->type == HD_JSON_OBJECT && hd_json_get(model, o->name)) return HD_OK;
        (void)snprintf(key, sizeof key, "model.%s", o->name);
        (void)snprintf(text, sizeof text, "%lld", (long long)m->data.codes);
        return hd_recipe_set(m->recipe, key, text);
    }
    return HD_OK;
}

/* Name of the network when the recipe gives none, or only options. */
static hd_status settle_model(hd_model *m) {
    const hd_json *said = hd_recipe_said(m->recipe, "model");
    const char *usual = usual_model(&m->data);
    if (!said) HD_TRY(hd_recipe_put_text(m->recipe, "model", usual));
    if (said && said->type == HD_JSON_OBJECT && !hd_json_get(said, "name"))
        HD_TRY(hd_recipe_put_text(m->recipe, "model.name", usual));
    return settle_codes(m);
}

/* The activation that the network as written ends in, or NULL: its outputs are logits, or numbers. */
static const char *last_activation(const hd_json *model) {
    const char *last = NULL;
    hd_line_info line;
    if (model->type == HD_JSON_STRING)
        return hd_line_read(model->string, &line) && line.activated ? strrchr(model->string, '-') + 1 : NULL;
    if (model->type != HD_JSON_ARRAY || !model->last) return NULL;
    if (model->last->type == HD_JSON_STRING) last = model->last->string;
    if (model->last->type == HD_JSON_OBJECT && model->last->child) last = model->last->child->key;
    const hd_layer *layer = last ? hd_layer_find(last) : NULL;
    return layer && layer->activation ? last : NULL;
}

/* Some networks are what they are by their loss. */
static const char *own_loss(const hd_model *m) {
    const hd_zoo_entry *e = hd_recipe_network(m->recipe);
    return e && e->keeps_loss && hd_recipe_text(m->recipe, "train.loss.name") == NULL ? e->loss : NULL;
}

/* Outputs to ask of a network that adapts. */
static int64_t wanted_outputs(const hd_model *m, const char *loss) {
    if (m->data.classes == 0) return m->data.targets;
    const hd_loss_target target = loss ? hd_loss_find(m->ctx, loss).target : HD_TARGET_CLASS;
    const hd_zoo_entry *e = hd_recipe_network(m->recipe);
    const bool one = e && e->keeps_loss && e->outputs == 1 && target != HD_TARGET_CLASS;
    const bool binary = one || target == HD_TARGET_YES_NO || target == HD_TARGET_SIGN;
    return m->data.classes == 2 && binary ? 1 : m->data.classes;
}

static hd_status build_net(hd_model *m) {
    const hd_json *model = hd_recipe_said(m->recipe, "model");
    const hd_loc at = model_place(m->recipe);
    const char *loss = own_loss(m), *said = hd_recipe_text(m->recipe, "train.loss.name");
    const int64_t outputs = wanted_outputs(m, said ? said : loss);
    hd_line_info line;
    if (model->type == HD_JSON_ARRAY) {
        m->y = hd_nn_layers_tree(m->x, model, m->recipe->model_where);
    } else if (model->type == HD_JSON_STRING &&
               (hd_line_read(model->string, &line) || (model->string[0] >= '0' && model->string[0] <= '9'))) {
        m->y = hd_line_build_at(at, m->x, model->string);
    } else {
        const hd_json *options = model->type == HD_JSON_OBJECT ? model : NULL;
        const hd_json *name = options ? hd_json_get(options, "name") : model;
        if (name->type != HD_JSON_STRING)
            return refuse(m, "the name of a model is a text", "Write model: {name: mlp, …}");
        m->y = hd_zoo_build_tree(m->x, name->string, outputs, options, m->recipe->model_where, at);
    }
    m->net_nodes = hd_graph_node_count(m->graph);
    if (hd_graph_status(m->graph) == HD_OK) hd_model_find_table(m);
    return hd_graph_status(m->graph);
}

hd_status hd_model_build_again(const hd_model *m, hd_val x, hd_val *y) {
    hd_model again = *m;
    again.graph = x.graph;
    again.x = x;
    again.y = again.table = (hd_val){0};
    *y = (hd_val){0};
    HD_TRY(hd_graph_status(x.graph));
    HD_TRY(build_net(&again));
    *y = again.y;
    return HD_OK;
}

/* By the data and the network, where the recipe says nothing. */
static const char *usual_loss(const hd_model *m, int64_t outputs, bool activated) {
    const hd_zoo_entry *known = m->task.reconstructs ? hd_recipe_network(m->recipe) : NULL;
    if (known && known->reconstructs) return known->loss;
    if (m->data.positions > 0 && m->data.classes == 0 && strcmp(m->data.kind, "music") == 0) return "bce_with_logits";
    const char *own = own_loss(m);
    if (own) return own;
    if (m->data.classes == 0 || activated) return "mse";
    return outputs == 1 && m->data.classes == 2 ? "bce_with_logits" : "cross_entropy";
}

static hd_status check_outputs(const hd_model *m, const hd_dims *d) {
    const hd_task *t = &m->task;
    char shape[192], text[320];
    if (t->positions > 0 && (d->rank != 3 || d->dim[1] != t->positions)) {
        (void)snprintf(text, sizeof text, "the network ends in %s, expected [B,%lld,outputs]: a row for each position",
                       hd_dims_text(shape, d), (long long)t->positions);
        return refuse(m, text, "End it in a linear layer over the positions, without flatten");
    }
    if (t->positions == 0 && d->rank != 2) {
        (void)snprintf(text, sizeof text, "the network ends in %s, expected [B, outputs]", hd_dims_text(shape, d));
        return refuse(m, text, "End it in flatten and a linear layer");
    }
    const bool rows = t->loss.target != HD_TARGET_CLASS && t->loss.target != HD_TARGET_SHARE;
    const bool one = t->classes == 2 && t->outputs == 1 && rows;
    const int64_t want = t->classes > 0 ? t->classes : t->targets;
    if (one || t->outputs == want) return HD_OK;
    (void)snprintf(text, sizeof text, "the network has %lld output%s, the data have %lld %s", (long long)t->outputs,
                   t->outputs == 1 ? "" : "s", (long long)want, t->classes > 0 ? "classes" : "numbers to predict");
    char fix[96];
    (void)snprintf(fix, sizeof fix, "Give the last layer %lld outputs", (long long)want);
    return refuse(m, text, fix);
}

static hd_status wrong_loss(const hd_model *m, const char *name) {
    const bool classes = m->data.classes > 0;
    char list[320] = "";
    size_t used = 0;
    const hd_loss *loss;
    for (int i = 0; (loss = hd_loss_at(i)) != NULL && used + 32 < sizeof list; i++)
        if (hd_loss_fits(loss, classes))
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", loss->name);
    return hd_fail(m->ctx, HD_E_MODEL, "train.loss|%s needs %s, these data have %s|Losses that fit: %s", name,
                   classes ? "counts" : "classes", classes ? "classes" : "numbers", list);
}

/* Probabilities, and logarithms of them, the loss makes of plain outputs itself; of others it can not. */
static hd_status settle_outputs(hd_model *m, const char *activation) {
    const hd_loss_form form = m->task.loss.form;
    const char *want = form == HD_FORM_PROBABILITIES ? "sigmoid" : "log_softmax";
    if (form == HD_FORM_NUMBERS || (form == HD_FORM_LOGITS && !activation)) return HD_OK;
    if (form == HD_FORM_LOGITS)
        return hd_fail(m->ctx, HD_E_MODEL,
                       "train.loss|%s takes logits, and the network ends in an activation|Take the last activation "
                       "out, or use loss=mse",
                       m->task.loss.name);
    if (activation && strcmp(activation, want) != 0 &&
        !(form == HD_FORM_PROBABILITIES && strcmp(activation, "softmax") == 0))
        return hd_fail(m->ctx, HD_E_MODEL,
                       "train.loss|%s takes %s, and the network ends in %s|End it in %s, or without", m->task.loss.name,
                       form == HD_FORM_PROBABILITIES ? "probabilities" : "logarithms of probabilities", activation,
                       want);
    if (activation) return HD_OK;
    m->y = form == HD_FORM_PROBABILITIES ? hd_sigmoid(m->y) : hd_log_softmax(m->y);
    m->net_nodes = hd_graph_node_count(m->graph);
    return hd_graph_status(m->graph);
}

static hd_status settle_task(hd_model *m) {
    const hd_dims d = hd_val_dims(m->y);
    const char *activation = last_activation(hd_recipe_said(m->recipe, "model"));
    const char *said = hd_recipe_text(m->recipe, "train.loss.name");
    const int64_t outputs = d.rank > 0 ? d.dim[d.rank - 1] : 1;
    if (m->data.published && d.rank == 3) {
        m->data.positions = d.dim[1];
        if (m->data.classes == 0) m->data.kind = "music";
    }
    const char *name = said ? said : usual_loss(m, outputs, activation != NULL);
    m->task = (hd_task){.loss = hd_loss_find(m->ctx, name),
                        .classes = m->data.classes,
                        .outputs = outputs,
                        .targets = m->data.classes > 0 ? 1 : m->data.targets,
                        .positions = m->data.positions,
                        .reconstructs = m->task.reconstructs,
                        .part = m->task.part};
    if (m->task.positions > 0 && m->task.loss.name && !hd_loss_knows_positions(&m->task.loss))
        return hd_fail(m->ctx, HD_E_MODEL,
                       "train.loss|%s is none of positions, these data have %lld labels a sample|"
                       "Use %s",
                       name, (long long)m->task.positions,
                       m->data.classes > 0 ? "cross_entropy or nll"
                                           : "bce_with_logits, bce, mse, l1, smooth_l1 or huber");
    if (!hd_loss_fits(&m->task.loss, m->data.classes > 0)) return wrong_loss(m, name);
    HD_TRY(settle_outputs(m, activation));
    HD_TRY(check_outputs(m, &d));
    if (!said) HD_TRY(hd_recipe_put_text(m->recipe, "train.loss.name", name));
    HD_TRY(hd_recipe_check_whole(m->recipe));
    return hd_loss_settle(&m->task, m->recipe, &m->arena);
}

/* x · scale + shift, target by target. */
static hd_val by_target(const hd_model *m, hd_val x, const float *scale, const float *shift) {
    const hd_dims n = HD_DIMS(m->data.targets);
    return hd_add(hd_mul(x, hd_const(m->graph, HD_F32, n, scale)), hd_const(m->graph, HD_F32, n, shift));
}

/* Numbers are learnt with mean 0 and deviation 1, whatever their unit; outputs and the loss that is told are in the
 * target's own unit. */
static hd_status build_scaled_loss(hd_model *m) {
    const hd_model_data *d = &m->data;
    const size_t n = (size_t)d->targets;
    float *scale = hd_arena_alloc_n(&m->arena, n, 2 * sizeof *scale), *shift = scale + n;
    if (!scale) return HD_E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        scale[i] = 1 / d->target_std[i];
        shift[i] = -d->target_mean[i] / d->target_std[i];
    }
    const hd_val inside = m->y;
    m->y = by_target(m, inside, d->target_std, d->target_mean);
    hd_mark_output(m->y, "y");
    hd_mark_output(hd_loss_build(HD_HERE, &m->task, m->y, m->target), "loss");
    m->loss = hd_loss_build(HD_HERE, &m->task, inside, by_target(m, m->target, scale, shift));
    return hd_graph_status(m->graph);
}

/* Further classifiers inside a network, its values "aux1", "aux2", …, help to train it: each counts 0.3 (Szegedy et al.
 * 2015). The loss that is told is that of the output alone. */
static hd_val helped(const hd_model *m, hd_val loss) {
    const hd_dims d = hd_val_dims(m->y);
    for (int k = 1; k < 10; k++) {
        const char name[] = {'a', 'u', 'x', (char)('0' + k), '\0'};
        const hd_val aux = hd_graph_find(m->graph, name);
        const hd_dims a = hd_val_dims(aux);
        if (hd_val_is_none(aux) || hd_val_kind(aux) != HD_KIND_NODE || !hd_dims_equal(&a, &d)) break;
        const float weight = 0.3f;
        const hd_val more = hd_loss_build(HD_HERE, &m->task, aux, m->target);
        loss = hd_add(loss, hd_mul(more, hd_const(m->graph, HD_F32, (hd_dims){0}, &weight)));
    }
    return loss;
}

/* The target is the input; a network may have a part in the loss, of one sample each: both are sums over a sample then,
 * and means over the batch. */
static hd_status build_reconstruction(hd_model *m) {
    const hd_task *t = &m->task;
    m->target = hd_reshape(m->x, .dims = HD_DIMS(-1, t->outputs));
    hd_mark_output(m->y, "y");
    m->loss = hd_loss_build(HD_HERE, t, m->y, m->target);
    if (t->part) {
        const hd_val part = hd_graph_find(m->graph, t->part);
        hd_mark_output(part, t->part);
        m->loss = hd_add(hd_affine(m->loss, .scale = (double)t->outputs), hd_mean(part));
    }
    hd_mark_output(m->loss, "loss");
    return hd_graph_status(m->graph);
}

static hd_status build_loss(hd_model *m) {
    const hd_task *t = &m->task;
    hd_graph *g = m->graph;
    const bool label = t->loss.target == HD_TARGET_CLASS;
    const bool plain = !last_activation(hd_recipe_said(m->recipe, "model"));
    if (!plain || strcmp(t->loss.name, "mse") != 0) m->data.target_mean = m->data.target_std = NULL;
    if (t->reconstructs) return build_reconstruction(m);
    hd_dims target = HD_DIMS(HD_BATCH);
    if (t->positions > 0) target.dim[target.rank++] = t->positions;
    if (!label) target.dim[target.rank++] = t->outputs;
    m->target = hd_input(g, "target", label ? HD_I64 : HD_F32, target);
    if (m->data.target_mean) return build_scaled_loss(m);
    hd_mark_output(m->y, "y");
    m->loss = hd_loss_build(HD_HERE, t, m->y, m->target);
    hd_mark_output(m->loss, "loss");
    m->loss = helped(m, m->loss);
    hd_val y = m->y, right = m->target;
    if (t->positions > 0) {
        y = hd_reshape(y, .dims = HD_DIMS(0, t->outputs));
        if (label) right = hd_reshape(right, .dims = HD_DIMS(0));
    }
    if (label) hd_mark_output(hd_count_correct(y, right), "correct");
    return hd_graph_status(g);
}

/* After the summary was taken, which tells all parameters. */
static hd_status freeze(hd_model *m) {
    const hd_json *list = hd_recipe_said(m->recipe, "train.freeze");
    for (const hd_json *item = list ? list->child : NULL; item; item = item->next)
        if (hd_freeze(m->graph, item->string) == 0)
            return hd_fail(
                m->ctx, HD_E_MODEL,
                "train.freeze|no parameter is called \"%.60s\"|Names are shown by `hadal summary`, as fc1.weight; "
                "fc1.* is both of a layer",
                item->string);
    m->trainable = hd_graph_param_count(m->graph);
    return HD_OK;
}

hd_status hd_model_build(hd_model *m) {
    hd_dims x = {.rank = m->data.sample.rank + 1, .dim = {HD_BATCH}};
    if (m->data.sample.rank < 1 || m->data.sample.rank >= HD_MAX_DIMS)
        return hd_fail(m->ctx, HD_E_DATA, "data|samples have %d axes, expected 1 … 7", m->data.sample.rank);
    for (int i = 0; i < m->data.sample.rank; i++) x.dim[i + 1] = m->data.sample.dim[i];
    HD_TRY(settle_model(m));
    HD_TRY(hd_graph_new(&m->graph, m->ctx));
    m->x = hd_input(m->graph, "x", HD_F32, x);
    HD_TRY(hd_graph_status(m->graph));
    HD_TRY(build_net(m));
    HD_TRY(settle_task(m));
    const hd_zoo_entry *entry = hd_recipe_network(m->recipe);
    m->no_gradient = entry && entry->no_gradient;
    HD_TRY(hd_metric_list_make(&m->metrics, m->recipe, &m->task));
    HD_TRY(build_loss(m));
    HD_TRY(hd_model_describe(m));
    HD_TRY(hd_recipe_init(m->recipe, m->graph));
    return freeze(m);
}
