/* recipe_init.c: how parameters start, as train.init says: a name for all weights, or a list of names of parameters,
 * each with its way. */
#include "base/status.h"
#include "hadal/init.h"
#include "train/recipe.h"
#include <stdio.h>
#include <string.h>

/* Members of an item: numbers with a place in hd_init_args, or texts. */
static const struct {
    const char *name;
    size_t offset;
    bool text;
} members[] = {{"params", 0, true},
               {"name", offsetof(hd_init_args, name), true},
               {"mode", offsetof(hd_init_args, mode), true},
               {"nonlinearity", offsetof(hd_init_args, nonlinearity), true},
               {"a", offsetof(hd_init_args, a), false},
               {"b", offsetof(hd_init_args, b), false},
               {"val", offsetof(hd_init_args, val), false},
               {"mean", offsetof(hd_init_args, mean), false},
               {"std", offsetof(hd_init_args, std), false},
               {"gain", offsetof(hd_init_args, gain), false},
               {"sparsity", offsetof(hd_init_args, sparsity), false},
               {"groups", offsetof(hd_init_args, groups), false}};
enum { MEMBERS = sizeof members / sizeof members[0] };

static hd_status check_member(hd_recipe *r, const char *place, const hd_json *m, hd_status blame) {
    const bool number = m->type == HD_JSON_INT || m->type == HD_JSON_FLOAT;
    const char *names[MEMBERS], *const *known = hd_init_names();
    for (int i = 0; i < MEMBERS; i++) {
        names[i] = members[i].name;
        if (strcmp(members[i].name, m->key) != 0) continue;
        if (members[i].text ? m->type != HD_JSON_STRING : !number)
            return hd_fail(r->ctx, blame, "%s|%s of an init is a %s", place, m->key,
                           members[i].text ? "text" : "number");
        if (strcmp(m->key, "name") != 0) return HD_OK;
        size_t n = 0;
        for (; known[n]; n++)
            if (strcmp(known[n], m->string) == 0) return HD_OK;
        const char *near = hd_text_nearest(m->string, known, n);
        return hd_fail(r->ctx, blame, "%s|there is no init \"%.60s\"|%s%s%s", place, m->string,
                       near ? "Did you mean " : "As kaiming_normal", near ? near : "", near ? "?" : "");
    }
    const char *near = hd_text_nearest(m->key, names, MEMBERS);
    return hd_fail(r->ctx, blame, "%s|an init has no \"%.60s\"|%s%s%s", place, m->key,
                   near ? "Did you mean " : "As {params: fc*.weight, name: normal, std: 0.02}", near ? near : "",
                   near ? "?" : "");
}

hd_status hd_inits_check(hd_recipe *r, const char *place, const hd_json *list, hd_status blame) {
    for (const hd_json *item = list->child; item; item = item->next) {
        char inner[HD_PLACE];
        for (const hd_json *m = item->child; m; m = m->next)
            HD_TRY(check_member(r, hd_recipe_place(r, m, place, inner), m, blame));
        if (!hd_json_get(item, "name") || !hd_json_get(item, "params"))
            return hd_fail(r->ctx, blame,
                           "%s|an init has params and name|As {params: fc*.weight, name: normal, std: 0.02}", place);
    }
    return HD_OK;
}

static hd_init_args read_args(const hd_json *item) {
    hd_init_args a = {0};
    for (int i = 1; i < MEMBERS; i++) {
        const hd_json *v = hd_json_get(item, members[i].name);
        if (!v) continue;
        char *field = (char *)&a + members[i].offset;
        const double number = v->number == 0 ? HD_ZERO : v->number;
        if (members[i].text)
            memcpy(field, &v->string, sizeof v->string);
        else
            memcpy(field, &number, sizeof number);
    }
    return a;
}

hd_status hd_recipe_init(const hd_recipe *r, hd_graph *graph) {
    const hd_json *said = hd_recipe_said(r, "train.init");
    if (!said) return HD_OK;
    if (said->type == HD_JSON_STRING) { /* weights: what has two dimensions or more */
        (void)hd_graph_init(graph, NULL, 2, &(hd_init_args){.name = said->string});
        return hd_graph_status(graph);
    }
    for (const hd_json *item = said->child; item; item = item->next) {
        const hd_init_args args = read_args(item);
        const char *params = hd_json_get(item, "params")->string;
        if (hd_graph_init(graph, params, 0, &args) == 0)
            return hd_fail(r->ctx, HD_E_MODEL,
                           "train.init|no parameter is called \"%.60s\"|Names are shown by `hadal summary`, as "
                           "fc1.weight; fc*.weight is that of several layers",
                           params);
        HD_TRY(hd_graph_status(graph));
    }
    return HD_OK;
}
