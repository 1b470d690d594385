/* model.c: models: making them, asking them, predicting and scoring with them. */
#include "train/model.h"
#include "base/status.h"
#include <string.h>

hd_compile_args hd_model_compile_args(const hd_model *m, int64_t batch) {
    return (hd_compile_args){.batch = batch,
                             .store = m->store,
                             .backend = hd_recipe_text(m->recipe, "train.backend"),
                             .precision = hd_recipe_text(m->recipe, "train.precision"),
                             .exact = hd_recipe_bool(m->recipe, "train.exact"),
                             .tuning = m->tuning};
}

/* ---- making ---- */

static int64_t power_of_two(int64_t n) {
    int64_t p = 1;
    while (p < n && p < (int64_t)1 << (HD_INFER_SIZES - 1)) p *= 2;
    return p;
}

/* Small samples are scored by the hundred, large ones as training takes them: inference must not need more memory. */
static int64_t choose_eval_batch(const hd_model *m) {
    const int64_t batch = power_of_two(hd_recipe_int(m->recipe, "train.batch_size"));
    const int64_t size = hd_dims_count(&m->data.sample);
    const int64_t cheap = size > 0 && size <= 2048 && m->data.positions == 0 ? 128 : 1;
    return batch > cheap ? batch : cheap;
}

/* Moments of the targets, or none. */
static hd_status copy_moments(hd_model *m, const hd_model_data *d) {
    m->data.target_mean = m->data.target_std = NULL;
    if (!d->target_mean || !d->target_std || d->classes > 0 || d->targets < 1) return HD_OK;
    const size_t n = (size_t)d->targets;
    float *copy = hd_arena_alloc_n(&m->arena, n, 2 * sizeof *copy);
    if (!copy) return HD_E_MEMORY;
    memcpy(copy, d->target_mean, n * sizeof *copy);
    memcpy(copy + n, d->target_std, n * sizeof *copy);
    m->data.target_mean = copy;
    m->data.target_std = copy + n;
    return HD_OK;
}

static hd_status copy_data(hd_model *m, const hd_model_data *d) {
    m->data = *d;
    m->data.name = hd_arena_strdup(&m->arena, d->name ? d->name : "");
    m->data.kind = hd_arena_strdup(&m->arena, d->kind ? d->kind : "");
    m->data.class_names = NULL;
    if (d->encoding) m->data.encoding = hd_arena_strdup(&m->arena, d->encoding);
    if (!m->data.name || !m->data.kind || (d->encoding && !m->data.encoding)) return HD_E_MEMORY;
    HD_TRY(copy_moments(m, d));
    if (d->classes <= 0 || !d->class_names) return HD_OK;
    m->data.class_names = hd_arena_alloc_n(&m->arena, (size_t)d->classes, sizeof *m->data.class_names);
    if (!m->data.class_names) return HD_E_MEMORY;
    for (int64_t i = 0; i < d->classes; i++)
        if (!(m->data.class_names[i] = hd_arena_strdup(&m->arena, d->class_names[i]))) return HD_E_MEMORY;
    return HD_OK;
}

static hd_status make(hd_model *m, const hd_recipe *recipe, const hd_model_data *data) {
    HD_TRY(hd_recipe_copy(&m->recipe, recipe));
    HD_TRY(hd_recipe_check_whole(m->recipe));
    HD_TRY(copy_data(m, data));
    HD_TRY(hd_reconstruct_settle(m));
    HD_TRY(hd_store_new(&m->store, m->ctx, (uint64_t)hd_recipe_int(m->recipe, "train.seed")));
    m->eval_batch = choose_eval_batch(m);
    return hd_model_build(m);
}

hd_status hd_model_make(hd_model **out, const hd_recipe *recipe, const hd_model_data *data) {
    *out = NULL;
    hd_model *m = hd_alloc(recipe->ctx, sizeof *m);
    if (!m) return HD_E_MEMORY;
    m->ctx = m->arena.ctx = m->normalizer.ctx = recipe->ctx;
    const hd_status status = make(m, recipe, data);
    if (status == HD_OK)
        *out = m;
    else
        hd_model_free(m);
    return status;
}

/* The published shape of the recipe's network, for summaries and benches without data. */
static hd_model_data published(const hd_recipe *r) {
    const char *name = hd_recipe_network_name(r), *text = name ? name : "cnn-small";
    const hd_zoo_entry *entry = hd_zoo_find(text);
    hd_model_data d = {.name = "",
                       .kind = "",
                       .sample = {3, {1, 28, 28}},
                       .classes = 10,
                       .targets = 1,
                       .high = 255,
                       .published = true};
    hd_line_info line;
    if (hd_line_read(text, &line)) {
        d.sample = HD_DIMS(line.inputs);
        d.classes = line.outputs > 1 ? line.outputs : 0;
    } else if (entry) {
        d.sample = entry->sample;
        const bool classes = entry->keeps_loss || strcmp(entry->loss, "cross_entropy") == 0;
        d.classes = !classes ? 0 : entry->outputs > 1 ? entry->outputs : 2;
        d.targets = d.classes ? 1 : entry->outputs;
    }
    return d;
}

hd_status hd_model_new(hd_model **out, const hd_recipe *recipe, const hd_data_info *data) {
    hd_model_data d;
    if (data)
        d = (hd_model_data){.name = data->name,
                            .kind = data->kind,
                            .sample = data->sample,
                            .classes = data->classes,
                            .targets = data->targets,
                            .class_names = (const char **)(uintptr_t)data->class_names,
                            .stored = data->stored,
                            .low = data->low,
                            .high = data->high,
                            .ink = data->ink,
                            .light_on_dark = data->light_on_dark,
                            .centered = data->centered,
                            .encoding = data->encoding,
                            .target_mean = data->target_mean,
                            .target_std = data->target_std,
                            .positions = data->positions,
                            .codes = data->codes,
                            .as_is = data->as_is};
    else
        d = published(recipe);
    return hd_model_make(out, recipe, &d);
}

void hd_model_free(hd_model *m) {
    if (!m) return;
    for (int i = 0; i < HD_INFER_SIZES; i++) hd_program_free(m->infer[i]);
    hd_store_free(m->store);
    hd_graph_free(m->graph);
    hd_recipe_free(m->recipe);
    hd_normalizer_free(&m->normalizer);
    hd_free(m->ctx, m->stage);
    hd_arena_free(&m->arena);
    hd_free(m->ctx, m);
}

hd_status hd_model_set_normalizer(hd_model *m, const hd_normalizer *from) {
    hd_normalizer z = {.channels = from->channels, .each = from->each, .ctx = m->ctx};
    const size_t n = (size_t)from->channels;
    if (n > 0) {
        z.mean = hd_alloc_n(m->ctx, n, sizeof *z.mean);
        z.std = hd_alloc_n(m->ctx, n, sizeof *z.std);
        if (!z.mean || !z.std) {
            hd_normalizer_free(&z);
            return HD_E_MEMORY;
        }
        memcpy(z.mean, from->mean, n * sizeof *z.mean);
        memcpy(z.std, from->std, n * sizeof *z.std);
    }
    hd_normalizer_free(&m->normalizer);
    m->normalizer = z;
    return HD_OK;
}

/* ---- asking ---- */

static hd_status plan(hd_model *m) {
    hd_program *p = NULL;
    hd_compile_args args = hd_model_compile_args(m, hd_recipe_int(m->recipe, "train.batch_size"));
    args.store = NULL; /* only to count: the model's own store keeps the layouts that training chooses */
    hd_optimizer optimizer;
    HD_TRY(hd_recipe_training(&optimizer, &m->arena, m->recipe));
    const hd_target step = m->no_gradient ? hd_forward(m->loss) : hd_train_step(m->loss, optimizer);
    HD_TRY(hd_compile_with(&p, step, &args));
    m->train_plan = hd_program_memory(p);
    hd_program_free(p);
    HD_TRY(hd_compile_with(&p, hd_forward(m->y), &args));
    m->infer_plan = hd_program_memory(p);
    hd_program_free(p);
    m->planned = true;
    return HD_OK;
}

hd_status hd_model_get_info(hd_model *m, hd_model_info *out) {
    if (!m->planned) HD_TRY(plan(m)); /* a trainer knows its programs and has filled them in */
    *out = (hd_model_info){
        .sample = m->data.sample,
        .outputs = m->task.outputs,
        .reconstructs = m->task.reconstructs,
        .classes = m->data.classes,
        .params = m->params,
        .trainable = m->trainable,
        .class_names = (const char *const *)m->data.class_names,
        .loss = m->task.loss.name,
        .data = m->data.name,
        .flops = m->flops,
        .layers = m->layer_count,
        .train_plan = m->train_plan,
        .infer_plan = m->infer_plan,
        .encoding = m->data.encoding,
        .kind = m->data.kind,
        .positions = m->data.positions,
        .codes = hd_val_is_none(m->table) ? 0 : hd_val_dims(m->table).dim[0],
        .picture = {.sample = m->data.sample,
                    .low = m->data.low,
                    .high = m->data.high,
                    .light_on_dark = m->data.light_on_dark,
                    .center = m->data.centered,
                    .ink = m->data.ink},
    };
    return HD_OK;
}

hd_store *hd_model_store(hd_model *m) {
    return m->store;
}
hd_graph *hd_model_graph(hd_model *m) {
    return m->graph;
}
hd_val hd_model_output(const hd_model *m) {
    return m->y;
}
hd_val hd_model_loss(const hd_model *m) {
    return m->loss;
}
const hd_recipe *hd_model_recipe(const hd_model *m) {
    return m->recipe;
}

/* ---- predicting ---- */

hd_status hd_model_infer(hd_model *m, int64_t n, hd_program **program, int64_t *batch) {
    int k = 0;
    while ((int64_t)1 << k < n && (int64_t)1 << k < m->eval_batch) k++;
    *batch = (int64_t)1 << k;
    if (!m->infer[k]) {
        const hd_compile_args args = hd_model_compile_args(m, *batch);
        HD_TRY(hd_compile_with(&m->infer[k], hd_forward(m->y), &args));
    }
    *program = m->infer[k];
    if (m->stage_rows >= *batch) return HD_OK;
    hd_free(m->ctx, m->stage);
    m->stage_rows = 0;
    m->stage = hd_alloc_n(m->ctx, (size_t)*batch, (size_t)hd_dims_count(&m->data.sample) * sizeof *m->stage);
    if (!m->stage) return HD_E_MEMORY;
    m->stage_rows = *batch;
    return HD_OK;
}

/* Rows into the stage, zeros behind them: a program reads whole batches. */
static void fill_stage(hd_model *m, const float *x, int64_t n, int64_t batch) {
    const size_t size = (size_t)hd_dims_count(&m->data.sample);
    memcpy(m->stage, x, (size_t)n * size * sizeof *x);
    memset(m->stage + (size_t)n * size, 0, (size_t)(batch - n) * size * sizeof *x);
}

static void give_scores(const hd_model *m, const float *y, int64_t n, float *out) {
    for (int64_t i = 0; i < n * hd_task_rows(&m->task); i++)
        hd_task_scores(&m->task, y + i * m->task.outputs, out + i * hd_task_columns(&m->task));
    if (m->task.reconstructs) hd_reconstruct_undo(m, out, n);
}

hd_status hd_model_predict(hd_model *m, const float *x, int64_t n, float *y) {
    const int64_t size = hd_dims_count(&m->data.sample), columns = hd_task_columns(&m->task) * hd_task_rows(&m->task);
    hd_program *program = NULL;
    int64_t batch = 0;
    for (int64_t at = 0; at < n; at += batch) {
        HD_TRY(hd_model_infer(m, n - at, &program, &batch));
        const int64_t rows = n - at < batch ? n - at : batch;
        fill_stage(m, x + at * size, rows, batch);
        hd_normalizer_apply(&m->normalizer, m->stage, rows, size);
        HD_TRY(hd_model_check_index(m, m->stage, rows, NULL, at));
        HD_TRY(hd_program_set(program, "x", m->stage));
        HD_TRY(hd_program_run(program));
        give_scores(m, hd_program_get(program, "y"), rows, y + at * columns);
    }
    return HD_OK;
}

hd_status hd_model_score(hd_model *m, hd_program *program, int64_t batch, hd_loader *loader, hd_tally *tally,
                         float *scores_out) {
    const int input = hd_program_input(program, "x");
    hd_batch b;
    HD_TRY(hd_loader_seek(loader, 0, 0));
    for (;;) {
        HD_TRY(hd_loader_next(loader, &b));
        if (b.n == 0) return HD_OK;
        HD_TRY(hd_model_check_index(m, b.x, b.n, b.index, 0));
        if (b.n < batch) fill_stage(m, b.x, b.n, batch);
        hd_program_bind(program, input, b.n < batch ? m->stage : b.x);
        HD_TRY(hd_program_run(program));
        const float *y = hd_program_get(program, "y");
        hd_tally_add(tally, y, b.label, m->task.reconstructs ? b.x : b.value, b.n, true);
        if (m->task.part) hd_tally_add_part(tally, hd_program_get(program, m->task.part), b.n, true);
        if (!scores_out) continue;
        give_scores(m, y, b.n, scores_out);
        scores_out += b.n * hd_task_rows(&m->task) * hd_task_columns(&m->task);
    }
}

/* A model must be given what it was made for. */
static hd_status check_data(const hd_model *m, const hd_data_info *info) {
    char a[192], b[192];
    if (!hd_dims_equal(&info->sample, &m->data.sample))
        return hd_fail(m->ctx, HD_E_DATA, "%s|samples are %s, the model was made for %s", info->name,
                       hd_dims_text(a, &info->sample), hd_dims_text(b, &m->data.sample));
    if (m->task.reconstructs) return HD_OK;
    if (info->positions != m->data.positions)
        return hd_fail(m->ctx, HD_E_DATA, "%s|its samples have %lld labels each, the model gives %lld answers",
                       info->name, (long long)(info->positions > 0 ? info->positions : 1),
                       (long long)hd_task_rows(&m->task));
    if ((info->classes > 0) != (m->data.classes > 0) || info->classes > m->data.classes ||
        (info->classes == 0 && info->targets != m->data.targets))
        return hd_fail(m->ctx, HD_E_DATA, "%s|it has %lld classes and %lld targets, the model knows %lld and %lld",
                       info->name, (long long)info->classes, (long long)info->targets, (long long)m->data.classes,
                       (long long)m->data.targets);
    return HD_OK;
}

/* Pictures whose black and white are other numbers than those trained on (0 … 16 against 0 … 255) are brought to the
 * model's: out normalises x·a + b as the model's normaliser does x. Tables have no such range. */
static hd_status adapt_range(const hd_model *m, const hd_data_info *info, hd_normalizer *out) {
    const hd_normalizer *z = &m->normalizer;
    const float a = (m->data.high - m->data.low) / (info->high - info->low), b = m->data.low - info->low * a;
    const size_t n = z->channels > 0 ? (size_t)z->channels : 1;
    *out = (hd_normalizer){.ctx = m->ctx, .channels = (int64_t)n, .each = hd_dims_count(&m->data.sample) / (int64_t)n};
    out->mean = hd_alloc_n(m->ctx, n, sizeof *out->mean);
    out->std = hd_alloc_n(m->ctx, n, sizeof *out->std);
    if (!out->mean || !out->std) {
        hd_normalizer_free(out);
        return HD_E_MEMORY;
    }
    for (size_t c = 0; c < n; c++) {
        out->mean[c] = ((z->channels > 0 ? z->mean[c] : 0) - b) / a;
        out->std[c] = (z->channels > 0 ? z->std[c] : 1) / a;
    }
    hd_log_line(m->ctx, HD_LOG_WARNING, "%s: its pictures lie in %g … %g, the model was trained on %g … %g: scaled",
                info->name, (double)info->low, (double)info->high, (double)m->data.low, (double)m->data.high);
    return HD_OK;
}

static bool same_range(const hd_model *m, const hd_data_info *info) {
    const bool known = m->data.sample.rank == 3 && info->high > info->low && m->data.high > m->data.low;
    return !known || (info->low == m->data.low && info->high == m->data.high);
}

hd_status hd_model_eval(hd_model *m, hd_dataset *data, const int64_t *indices, int64_t count, hd_scores *out,
                        int64_t *confusion, float *scores_out) {
    const hd_data_info info = hd_data_get_info(data);
    hd_loader *loader = NULL;
    hd_program *program = NULL;
    hd_tally tally = {0};
    hd_normalizer adapted = {.ctx = m->ctx};
    const bool same = same_range(m, &info);
    int64_t batch = 0;
    *out = (hd_scores){0};
    HD_TRY(check_data(m, &info));
    if (count < 1) return hd_fail(m->ctx, HD_E_DATA, "%s|there are no samples to score", info.name);
    HD_TRY(hd_model_infer(m, count, &program, &batch));
    hd_status status =
        hd_tally_init(&tally, m->ctx, &m->task, confusion || hd_metric_list_needs_confusion(&m->metrics));
    if (status == HD_OK && !same) status = adapt_range(m, &info, &adapted);
    if (status == HD_OK)
        status = hd_loader_new(&loader, data,
                               &(hd_loader_args){.indices = indices,
                                                 .count = count,
                                                 .batch_size = batch,
                                                 .normalizer = same ? &m->normalizer : &adapted});
    if (status == HD_OK) status = hd_model_score(m, program, batch, loader, &tally, scores_out);
    if (status == HD_OK) hd_scores_make(out, &tally, &m->metrics);
    if (status == HD_OK && confusion && tally.confusion)
        memcpy(confusion, tally.confusion, (size_t)(m->data.classes * m->data.classes) * sizeof *confusion);
    hd_loader_free(loader);
    hd_normalizer_free(&adapted);
    hd_tally_free(&tally, m->ctx);
    return status;
}
