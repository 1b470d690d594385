/* arguments.c: owns what MODEL and DATA on the command line mean. */
#include "cli/arguments.h"
#include "base/text.h"
#include "cli/describe.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

model_kind model_kind_of(const char *text) {
    struct stat info;
    if (hd_zoo_find(text)) return MODEL_TEXT;
    if (hd_text_ends(text, ".safetensors")) return MODEL_WEIGHTS;
    if (hd_text_ends(text, ".yaml") || hd_text_ends(text, ".yml") || hd_text_ends(text, ".json")) return MODEL_RECIPE;
    if (stat(text, &info) == 0 && S_ISDIR(info.st_mode)) return MODEL_RUN;
    return strchr(text, '/') ? MODEL_RUN : MODEL_TEXT; /* a path that is not there: opening it says so */
}

/* A known network with the weights of --from, which another program wrote. */
static hd_status open_foreign(cli *c, const char *text, const char *from, hd_model **out) {
    const char *rename = cli_get(c, "rename");
    hd_recipe *recipe = NULL;
    hd_status status = open_recipe(c, text, &recipe);
    if (status == HD_OK) status = cli_lib(c, hd_recipe_set(recipe, "train.from", from));
    if (status == HD_OK && rename) status = cli_lib(c, hd_recipe_set(recipe, "train.rename", rename));
    if (status == HD_OK) status = cli_lib(c, hd_model_open_foreign(out, recipe));
    hd_recipe_free(recipe);
    return status;
}

hd_status open_trained(cli *c, const char *text, hd_model **out) {
    const char *from = cli_get(c, "from");
    model_kind kind = model_kind_of(text);
    if (kind == MODEL_RUN || kind == MODEL_WEIGHTS) return cli_lib(c, hd_model_open(out, c->ctx, text));
    bool network = kind == MODEL_RECIPE || hd_zoo_find(text) || (isdigit((unsigned char)text[0]) && strchr(text, '-'));
    if (network && from) return open_foreign(c, text, from, out);
    if (!network)
        return cli_fail(c, HD_E_MODEL,
                        "%s|expected a run folder or a .safetensors file, there is none of this name|"
                        "Runs lie in runs/; train one: hadal train DATA --out %s",
                        text, text);
    return cli_fail(c, HD_E_MODEL,
                    "%s|expected a run folder or a .safetensors file, this is a network without weights|"
                    "Train it first: hadal train %s%s, or give weights: --from FILE",
                    text, kind == MODEL_RECIPE ? "" : "DATA --model ", text);
}

/* The recipe of a trained model, as one of our own that options can change. */
static hd_status recipe_of_trained(cli *c, const char *text, hd_recipe **out) {
    hd_model *model = NULL;
    char *json = NULL;
    hd_status status = cli_lib(c, hd_model_open(&model, c->ctx, text));
    if (status == HD_OK) status = cli_lib(c, hd_recipe_json(hd_model_recipe(model), &json));
    if (status == HD_OK) status = cli_lib(c, hd_recipe_parse(out, c->ctx, text, json));
    hd_memory_free(c->ctx, json);
    hd_model_free(model);
    return status;
}

hd_status open_recipe(cli *c, const char *text, hd_recipe **out) {
    model_kind kind = model_kind_of(text);
    hd_status status;
    *out = NULL;
    if (kind == MODEL_RECIPE)
        status = cli_lib(c, hd_recipe_load(out, c->ctx, text));
    else if (kind != MODEL_TEXT)
        status = recipe_of_trained(c, text, out);
    else {
        status = cli_lib(c, hd_recipe_new(out, c->ctx));
        if (status == HD_OK) status = cli_lib(c, hd_recipe_set(*out, "model", text));
    }
    if (status == HD_OK) status = cli_set_recipe(c, *out);
    if (status != HD_OK) {
        hd_recipe_free(*out);
        *out = NULL;
    }
    return status;
}

/* The shape that a trained model stores, for building it anew with other options. */
static hd_status stored_shape(cli *c, const char *text, const hd_recipe *recipe, hd_model **out) {
    hd_model *model = NULL;
    hd_model_info info;
    hd_status status = cli_lib(c, hd_model_open(&model, c->ctx, text));
    if (status == HD_OK) status = cli_lib(c, hd_model_get_info(model, &info));
    if (status == HD_OK) {
        hd_data_info shape = {.name = info.data,
                              .kind = info.kind,
                              .sample = info.sample,
                              .stored = HD_F32,
                              .classes = info.classes,
                              .class_names = info.class_names,
                              .targets = info.classes > 0 ? 1 : info.outputs,
                              .positions = info.positions,
                              .codes = info.codes,
                              .as_is = info.positions > 0 || info.codes > 0};
        status = cli_lib(c, hd_model_new(out, recipe, &shape));
    }
    hd_model_free(model);
    return status;
}

hd_status open_shape(cli *c, const char *text, const char *data_text, hd_model **out, hd_recipe **recipe) {
    hd_dataset *data = NULL;
    hd_arena arena = {.ctx = c->ctx};
    hd_json *tree = NULL;
    model_kind kind = model_kind_of(text);
    hd_status status = open_recipe(c, text, recipe);
    if (status != HD_OK) return status;
    if (data_text)
        status = open_data(c, data_text, &data);
    else if (kind == MODEL_RUN || kind == MODEL_WEIGHTS) {
        return stored_shape(c, text, *recipe, out);
    } else if (kind == MODEL_RECIPE) {
        status = recipe_tree(c, *recipe, &arena, &tree);
        const hd_json *source = tree_at(tree, "data.source");
        if (status == HD_OK && source && source->type != HD_JSON_NULL)
            status = cli_lib(c, hd_recipe_open_data(&data, *recipe, NULL));
        hd_arena_free(&arena);
    }
    if (status != HD_OK) return status;
    hd_data_info info = data ? hd_data_get_info(data) : (hd_data_info){0};
    status = cli_lib(c, hd_model_new(out, *recipe, data ? &info : NULL));
    hd_data_free(data);
    return status;
}

hd_status open_data(cli *c, const char *text, hd_dataset **out) {
    return open_data_for(c, text, NULL, false, out);
}

hd_status open_data_for(cli *c, const char *text, const hd_model *model, bool unlabeled, hd_dataset **out) {
    hd_recipe *recipe = NULL;
    hd_status status = cli_lib(c, hd_recipe_new(&recipe, c->ctx));
    if (status == HD_OK) status = cli_lib(c, hd_recipe_set(recipe, "data.source", text));
    for (int i = 0; i < c->option_count && status == HD_OK; i++) {
        if (c->options[i].flag) continue;
        const hd_recipe_key *key = hd_recipe_key_find(c->options[i].key);
        if (key && strncmp(key->name, "data.", 5) == 0)
            status = cli_lib(c, hd_recipe_set(recipe, c->options[i].key, c->options[i].value));
    }
    if (status == HD_OK && model)
        status = cli_lib(c, hd_model_open_data(out, model, recipe, NULL, unlabeled));
    else if (status == HD_OK)
        status = cli_lib(c, hd_recipe_open_data(out, recipe, NULL));
    hd_recipe_free(recipe);
    return status;
}

/* Seed and fractions as the model was trained with, for cutting data of one part in the same way. */
static hd_status split_like(cli *c, hd_split *out, const hd_dataset *data, const hd_recipe *recipe) {
    hd_arena arena = {.ctx = c->ctx};
    hd_json *tree = NULL;
    hd_status status = recipe ? recipe_tree(c, recipe, &arena, &tree) : HD_OK;
    if (status == HD_OK) {
        hd_split_args args = {.val = tree_number(tree, "data.val", -1),
                              .test = tree_number(tree, "data.test", -1),
                              .mode = tree_text(tree, "data.split", NULL),
                              .seed = (uint64_t)tree_number(tree, "train.seed", 1)};
        status = cli_lib(c, hd_split_make(out, data, &args));
    }
    hd_arena_free(&arena);
    return status;
}

static int64_t *copy_of(const int64_t *indices, int64_t count) {
    int64_t *copy = malloc(((size_t)count + 1) * sizeof *copy);
    for (int64_t i = 0; copy && i < count; i++) copy[i] = indices ? indices[i] : i;
    return copy;
}

hd_status part_open(cli *c, part *out, const hd_dataset *data, const char *name, const hd_recipe *recipe) {
    hd_data_info info = hd_data_get_info(data);
    int parts = (info.train > 0) + (info.val > 0) + (info.test > 0);
    *out = (part){.name = name ? name : parts > 1 && info.test > 0 ? "test" : "all"};
    if (strcmp(out->name, "all") == 0) {
        out->count = info.count;
        out->indices = copy_of(NULL, info.count);
        return out->indices ? HD_OK : cli_no_memory(c);
    }
    hd_split split = {0};
    CLI_TRY(c, split_like(c, &split, data, recipe));
    const int64_t *from = NULL;
    if (strcmp(out->name, "train") == 0)
        from = split.train, out->count = split.train_count;
    else if (strcmp(out->name, "val") == 0)
        from = split.val, out->count = split.val_count;
    else if (strcmp(out->name, "test") == 0)
        from = split.test, out->count = split.test_count;
    else {
        hd_split_free(&split);
        return cli_fail(c, HD_E_USAGE, "part|expected train, val, test or all, got \"%s\"|", name);
    }
    out->indices = copy_of(from, out->count);
    hd_split_free(&split);
    if (!out->indices) return cli_no_memory(c);
    if (out->count == 0)
        return cli_fail(c, HD_E_DATA, "%s|expected a %s part, there is none|Try part=all", info.name, out->name);
    return HD_OK;
}

void part_close(part *p) {
    free(p->indices);
    *p = (part){0};
}
