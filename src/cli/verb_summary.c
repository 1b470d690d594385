/* verb_summary.c: owns `hadal summary`: a network layer by layer, with its work and its memory. */
#include "cli/arguments.h"
#include "cli/describe.h"
#include "cli/json_out.h"
#include "cli/screen.h"

static hd_status tell_json(cli *c, hd_model *model, const hd_model_info *m, int64_t batch) {
    json_out j;
    json_begin(c, &j);
    json_string(&j, "model", c->things[0]);
    json_dims(&j, "input", &m->sample);
    json_int(&j, "params", m->params);
    json_int(&j, "trainable", m->trainable);
    json_number(&j, "flops", m->flops);
    hd_jw_key(&j.w, "layers");
    hd_jw_begin(&j.w, '[');
    for (int32_t i = 0; i < m->layers; i++) {
        hd_layer_info l = hd_model_layer(model, i);
        hd_jw_begin(&j.w, '{');
        json_string(&j, "name", l.name);
        json_string(&j, "type", l.type);
        json_dims(&j, "output", &l.output);
        json_int(&j, "params", l.params);
        json_number(&j, "flops", l.flops);
        hd_jw_end(&j.w);
    }
    hd_jw_end(&j.w);
    json_int(&j, "batch_size", batch);
    hd_jw_key(&j.w, "plan");
    hd_jw_begin(&j.w, '{');
    json_int(&j, "train_bytes", (int64_t)m->train_plan.total);
    json_int(&j, "infer_bytes", (int64_t)m->infer_plan.total);
    json_int(&j, "recomputed", m->train_plan.recomputed);
    hd_jw_end(&j.w);
    return json_end(c, &j);
}

/* Up to ten half cells. */
static const char *share_bar(char *buffer, size_t size, double share) {
    int halves = (int)(share * 20 + 0.5);
    size_t used = 0;
    buffer[0] = '\0';
    for (; halves >= 2 && used + 4 < size; halves -= 2) used += (size_t)snprintf(buffer + used, size - used, "█");
    if (halves && used + 4 < size) (void)snprintf(buffer + used, size - used, "▌");
    return buffer;
}

static void say_layers(cli *c, hd_model *model, const hd_model_info *m, int64_t batch) {
    char dims[64], params[64], work[64], bar[64], train[64], infer[64];
    table t;
    table_open(&t, "lllrrl");
    table_row(&t, (const char *const[]){"layer", "type", "output", "parameters", "MFLOP", "share of the work"});
    for (int32_t i = 0; i < m->layers; i++) {
        hd_layer_info l = hd_model_layer(model, i);
        double share = m->flops > 0 ? l.flops / m->flops : 0;
        work[0] = '\0';
        if (l.flops >= 5e3) (void)snprintf(work, sizeof work, "%.2f", l.flops / 1e6);
        table_row(&t, (const char *const[]){l.name, l.type, text_dims(dims, &l.output),
                                            l.params ? text_count(params, l.params) : "", work,
                                            share_bar(bar, sizeof bar, share)});
    }
    (void)snprintf(work, sizeof work, m->flops < 5e3 ? "%.4f" : "%.2f", m->flops / 1e6);
    table_row(&t, (const char *const[]){"total", "", "", text_count(params, m->params), work, ""});
    table_print(c, &t, true, 0);
    say(c, "\nplan at batch %lld: train %s · predict %s\n", (long long)batch,
        text_bytes(train, (double)m->train_plan.total), text_bytes(infer, (double)m->infer_plan.total));
    if (m->train_plan.recomputed)
        say(c, "%d kernel calls run twice each step, so that training fits\n", m->train_plan.recomputed);
    if (m->trainable != m->params) say(c, "%s of the parameters are trained\n", text_count(params, m->trainable));
}

static hd_status run_summary(cli *c) {
    hd_model *model = NULL;
    hd_recipe *recipe = NULL;
    hd_json *tree = NULL;
    hd_model_info info;
    hd_status status = cli_context(c);
    if (status != HD_OK) return status;
    hd_arena arena = {.ctx = c->ctx};
    CLI_TRY_TO(end, c, open_shape(c, c->things[0], cli_get(c, "data"), &model, &recipe));
    CLI_TRY_TO(end, c, hd_model_get_info(model, &info));
    CLI_TRY_TO(end, c, recipe_tree(c, recipe, &arena, &tree));
    int64_t batch = (int64_t)tree_number(tree, "train.batch_size", 0);
    if (c->json)
        status = tell_json(c, model, &info, batch);
    else
        say_layers(c, model, &info, batch);
end:
    hd_arena_free(&arena);
    hd_model_free(model);
    hd_recipe_free(recipe);
    return status;
}

static const cli_flag flags[] = {
    {"data", "DATA", "give the network the shape of these data (default: the recipe's, else its published shape)"},
    {"threads", "N", "plan for so many threads (default: all processors)"},
    {"mem", "SIZE", "plan for at most this much memory, as 512MB or 8GB"},
    CLI_FLAG_END};

const cli_verb cli_verb_summary = {
    .name = "summary",
    .summary = "a network by its layers: shapes, work, memory",
    .things = "MODEL",
    .about = "MODEL is a known network, a one-line text, a recipe, a run folder or a .safetensors file. Nothing is "
             "trained;\n"
             "the memory shown is what training and prediction would take at this batch size (batch_size=128).",
    .flags = flags,
    .recipe = "",
    .example = "hadal summary lenet5 --batch-size 64",
    .min_things = 1,
    .max_things = 1,
    .run = run_summary,
};
