/* verb_zoo.c: owns `hadal zoo`: the known networks with their published sizes, and the page of one. */
#include "cli/op_page.h"
#include "cli/screen.h"
#include <string.h>

/* A network built in its published shape. */
typedef struct sized {
    int64_t params;
    double flops; /* forward, one sample */
} sized;

/* Counted on the graph: nothing is compiled, planned or allocated for a run. */
static hd_status size_of(cli *c, const hd_zoo_entry *e, sized *out) {
    hd_recipe *recipe = NULL;
    hd_model *model = NULL;
    hd_layer_info layer;
    *out = (sized){0};
    hd_status status = cli_lib(c, hd_recipe_new(&recipe, c->ctx));
    if (status == HD_OK) status = cli_lib(c, hd_recipe_set(recipe, "model", e->name));
    if (status == HD_OK) status = cli_lib(c, hd_model_new(&model, recipe, NULL));
    if (status == HD_OK) out->params = hd_graph_param_count(hd_model_graph(model));
    for (int32_t i = 0; status == HD_OK && *(layer = hd_model_layer(model, i)).type; i++) out->flops += layer.flops;
    hd_model_free(model);
    hd_recipe_free(recipe);
    return status;
}

static void entry_json(json_out *j, const hd_zoo_entry *e, const sized *s) {
    json_string(j, "name", e->name);
    json_int(j, "year", e->year);
    json_string(j, "description", e->description);
    json_string(j, "authors", e->authors);
    json_string(j, "paper", e->paper);
    json_int(j, "params", s->params);
    json_number(j, "flops", s->flops);
    json_dims(j, "input", &e->sample);
    json_int(j, "outputs", e->outputs);
    json_string(j, "loss", e->loss);
}

/* The first of three or more stands for all: "LeCun et al." */
static const char *short_authors(char *out, size_t size, const char *authors) {
    const char *second = strstr(authors, ", ");
    if (!second || !strstr(second + 2, ", ")) return authors;
    (void)snprintf(out, size, "%.*s et al.", (int)(second - authors), authors);
    return out;
}

static hd_status list(cli *c) {
    const hd_zoo_entry *e;
    json_out j;
    table t;
    char year[16], params[64], flops[64], authors[128];
    if (c->json) {
        json_begin(c, &j);
        hd_jw_key(&j.w, "networks");
        hd_jw_begin(&j.w, '[');
    }
    table_open(&t, "lrrrll");
    table_row(&t, (const char *const[]){"network", "year", "parameters", "work", "authors", "paper"});
    hd_status status = HD_OK;
    for (int i = 0; (e = hd_zoo_at(i)) != NULL && status == HD_OK; i++) {
        sized s;
        status = size_of(c, e, &s);
        (void)snprintf(year, sizeof year, "%d", e->year);
        table_row(&t, (const char *const[]){e->name, year, text_count(params, s.params), text_flops(flops, s.flops),
                                            short_authors(authors, sizeof authors, e->authors), e->paper});
        if (!c->json) continue;
        hd_jw_begin(&j.w, '{');
        entry_json(&j, e, &s);
        hd_jw_end(&j.w);
    }
    table_print(c, &t, true, 0);
    say(c, "\nin their published shape; a page of each: hadal zoo show lenet5\n"
           "or a line of widths and activations is a network too: 784-200-relu-10\n");
    if (!c->json) return status;
    hd_jw_end(&j.w);
    const hd_status printed = json_end(c, &j);
    return status != HD_OK ? status : printed;
}

static hd_status unknown_network(cli *c, const char *name) {
    const char *names[256];
    size_t n = 0;
    const hd_zoo_entry *e;
    for (int i = 0; (e = hd_zoo_at(i)) != NULL && n < 256; i++) names[n++] = e->name;
    return no_such_name(c, "network", name, names, n);
}

static hd_status page(cli *c, const hd_zoo_entry *e) {
    char params[64], flops[64], dims[64];
    sized s;
    hd_status status = size_of(c, e, &s);
    if (status != HD_OK) return status;
    if (c->json) {
        json_out j;
        json_begin(c, &j);
        entry_json(&j, e, &s);
        options_json(&j, e->options);
        return json_end(c, &j);
    }
    const char *b = screen_style_code(c, BOLD), *off = screen_style_code(c, PLAIN);
    say(c, "%s%s%s   %d\n\n", b, e->name, off, e->year);
    say_wrapped(c, e->description, 2);
    say(c, "\n  input %s → %lld outputs · %s parameters · %s a sample · loss %s\n", text_dims(dims, &e->sample),
        (long long)e->outputs, text_count(params, s.params), text_flops(flops, s.flops), e->loss);
    say_options(c, e->options);
    say(c, "\n%sPAPER%s\n", b, off);
    say_wrapped(c, e->authors, 2);
    say_wrapped(c, e->paper, 2);
    say(c, "\n%sTRY%s\n  hadal summary %s\n  hadal train %s --model %s\n", b, off, e->name, e->data ? e->data : "mnist",
        e->name);
    return HD_OK;
}

static hd_status run_zoo(cli *c) {
    hd_status status = cli_context(c);
    const char *name = NULL;
    if (status == HD_OK) status = named_thing(c, "a network", "lenet5", &name);
    if (status != HD_OK) return status;
    if (!name) return list(c);
    const hd_zoo_entry *e = hd_zoo_find(name);
    return e ? page(c, e) : unknown_network(c, name);
}

const cli_verb cli_verb_zoo = {
    .name = "zoo",
    .summary = "the known networks, and a page of each",
    .things = "[show NAME]",
    .about = "Without a name: every network in the order of years, with parameters and work in the published shape.\n"
             "With one: its options and where it was published. Options are dotted: --model.depth 3.",
    .example = "hadal zoo show lenet5",
    .min_things = 0,
    .max_things = 2,
    .run = run_zoo,
};
