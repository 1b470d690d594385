/* recipe_groups.c: parameters that are treated otherwise than the rest: train.groups and train.no_decay, as an
 * optimiser takes them. */
#include "base/status.h"
#include "train/recipe.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char vectors[] = "norms-and-biases";
static const char *const members[] = {"params", "lr", "lr_scale", "weight_decay"};
enum { MEMBERS = sizeof members / sizeof members[0] };

static bool is_text_list(const hd_json *v) {
    for (const hd_json *item = v->child; item; item = item->next)
        if (item->type != HD_JSON_STRING) return false;
    return v->type == HD_JSON_ARRAY && v->count > 0;
}

static hd_status check_member(hd_recipe *r, const char *place, const hd_json *m, hd_status blame) {
    const bool number = m->type == HD_JSON_INT || m->type == HD_JSON_FLOAT;
    for (int i = 0; i < MEMBERS; i++) {
        if (strcmp(members[i], m->key) != 0) continue;
        if (i == 0 && m->type != HD_JSON_STRING && !is_text_list(m))
            return hd_fail(r->ctx, blame, "%s|params of a group takes a name, or a list of names|As features.*", place);
        if (i > 0 && !(number && m->number >= 0 && m->number <= 1e6))
            return hd_fail(r->ctx, blame, "%s|%s of a group is a number between 0 and 1e6", place, m->key);
        return HD_OK;
    }
    const char *near = hd_text_nearest(m->key, members, MEMBERS);
    return hd_fail(r->ctx, blame, "%s|a group has no \"%.60s\"|%s%s%s", place, m->key,
                   near ? "Did you mean " : "It has params, lr, lr_scale, weight_decay", near ? near : "",
                   near ? "?" : "");
}

hd_status hd_groups_check(hd_recipe *r, const hd_key *key, const char *place, const hd_json *list, hd_status blame) {
    if (strcmp(key->pub.name, "train.init") == 0) return hd_inits_check(r, place, list, blame);
    for (const hd_json *item = list->child; item; item = item->next) {
        char inner[HD_PLACE];
        for (const hd_json *m = item->child; m; m = m->next)
            HD_TRY(check_member(r, hd_recipe_place(r, m, place, inner), m, blame));
        if (!hd_json_get(item, "params"))
            return hd_fail(r->ctx, blame, "%s|a group of %s lacks params|As {params: features.*, lr_scale: 0.1}", place,
                           key->pub.name);
        if (hd_json_get(item, "lr") && hd_json_get(item, "lr_scale"))
            return hd_fail(r->ctx, blame, "%s|a group has lr or lr_scale, not both", place);
    }
    return HD_OK;
}

/* ---- as an optimiser takes them ---- */

static double or_zero(const hd_json *v) {
    if (!v) return 0;
    return v->number == 0 ? HD_ZERO : v->number;
}

/* A text, or each of a list: one group each. */
static void add(hd_param_group *groups, int32_t *n, const hd_json *names, hd_param_group like) {
    const bool list = names->type == HD_JSON_ARRAY;
    for (const hd_json *v = list ? names->child : names; v; v = list ? v->next : NULL) {
        like.vectors = strcmp(v->string, vectors) == 0;
        like.pattern = like.vectors ? NULL : v->string;
        groups[(*n)++] = like;
    }
}

static size_t texts_in(const hd_json *v) {
    return v && v->type == HD_JSON_ARRAY ? (size_t)v->count : 1;
}

hd_status hd_recipe_training(hd_optimizer *out, hd_arena *arena, const hd_recipe *r) {
    const hd_json *list = hd_recipe_said(r, "train.groups"), *none = hd_recipe_said(r, "train.no_decay");
    hd_optimizer o = hd_recipe_optimizer(r);
    size_t room = texts_in(none);
    for (const hd_json *item = list ? list->child : NULL; item; item = item->next)
        room += texts_in(hd_json_get(item, "params"));
    hd_param_group *groups = hd_arena_alloc_n(arena, room, sizeof *groups);
    if (!groups) return HD_E_MEMORY;
    for (const hd_json *item = list ? list->child : NULL; item; item = item->next) {
        const hd_json *lr = hd_json_get(item, "lr");
        hd_param_group group = {.lr_scale = or_zero(lr ? lr : hd_json_get(item, "lr_scale")),
                                .weight_decay = or_zero(hd_json_get(item, "weight_decay"))};
        if (lr && lr->number > 0) {
            const double base = hd_recipe_number(r, "train.optimizer.lr");
            if (!(base > 0))
                return hd_fail(r->ctx, HD_E_MODEL,
                               "train.groups|lr of a group counts beside the optimiser's, which is "
                               "0|Give the optimiser a learning rate");
            group.lr_scale = lr->number / base;
        }
        add(groups, &o.group_count, hd_json_get(item, "params"), group);
    }
    if (none) add(groups, &o.group_count, none, (hd_param_group){.weight_decay = HD_ZERO});
    o.groups = groups;
    o.ema = hd_recipe_number(r, "train.ema");
    o.skip_outliers = hd_recipe_number(r, "train.skip_outliers");
    o.accumulate = hd_recipe_int(r, "train.accumulate") > 1;
    *out = o;
    return HD_OK;
}

hd_status hd_groups_check_names(const hd_recipe *r, const hd_optimizer *o, const hd_store *store) {
    for (int32_t i = 0; i < o->group_count; i++) {
        const char *pattern = o->groups[i].pattern;
        bool found = !pattern;
        for (int k = 0; k < hd_store_count(store) && !found; k++) {
            const hd_store_info e = hd_store_at(store, k);
            found = e.trained && hd_name_fits(pattern, e.name);
        }
        if (!found)
            return hd_fail(r->ctx, HD_E_MODEL,
                           "train|no trained parameter is called \"%.60s\"|Names are shown by `hadal summary`, as "
                           "fc1.weight; fc1.* is both of a layer",
                           pattern);
    }
    return HD_OK;
}
