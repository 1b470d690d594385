/* recipe_check.c: holds a tree against the table of keys: unknown keys, wrong types, values out of range, each with its
 * place and the nearest right word. */
#include "base/status.h"
#include "train/method.h"
#include "train/schedule.h"
#include "train/task.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PATH = 128, PLACE = HD_PLACE, MANY_KEYS = 128 };

static const char *place_of(const hd_recipe *r, char *buffer, int line, int column) {
    if (line > 0)
        (void)snprintf(buffer, PLACE, "%s:%d:%d", r->where, line, column);
    else
        (void)snprintf(buffer, PLACE, "%s", r->where);
    return buffer;
}

const char *hd_recipe_place(const hd_recipe *r, const hd_json *member, const char *otherwise, char buffer[HD_PLACE]) {
    return member->key_line > 0 ? place_of(r, buffer, member->key_line, member->key_column) : otherwise;
}

static const char *describe(const hd_json *v, char *buffer, size_t size) {
    char number[32];
    switch (v->type) {
    case HD_JSON_NULL: return "nothing";
    case HD_JSON_BOOL: return v->boolean ? "yes (true)" : "no (false)";
    case HD_JSON_INT:
    case HD_JSON_FLOAT: (void)snprintf(buffer, size, "%s", hd_text_from_f64(number, v->number)); return buffer;
    case HD_JSON_STRING: (void)snprintf(buffer, size, "\"%.60s\"", v->string); return buffer;
    case HD_JSON_ARRAY: return "a list";
    case HD_JSON_OBJECT: return "an object";
    }
    return "something else";
}

static bool is_number(const hd_json *v) {
    return v->type == HD_JSON_INT || (v->type == HD_JSON_FLOAT && isfinite(v->number));
}

static bool type_fits(unsigned types, const hd_json *v) {
    switch (v->type) {
    case HD_JSON_NULL: return true;
    case HD_JSON_BOOL: return types & HD_KEY_BOOL;
    case HD_JSON_INT: return types & (HD_KEY_INT | HD_KEY_NUMBER);
    case HD_JSON_FLOAT: return (types & HD_KEY_NUMBER) && isfinite(v->number);
    case HD_JSON_STRING: return types & (HD_KEY_TEXT | HD_KEY_MODEL);
    case HD_JSON_OBJECT: return types & (HD_KEY_OBJECT | HD_KEY_MODEL);
    case HD_JSON_ARRAY:
        if (types & HD_KEY_MODEL) return true;
        for (const hd_json *item = v->child; item; item = item->next)
            if (!(item->type == HD_JSON_STRING   ? types & HD_KEY_LIST
                  : item->type == HD_JSON_OBJECT ? types & HD_KEY_GROUPS
                                                 : is_number(item) && types & HD_KEY_NUMBERS))
                return false;
        return types & (HD_KEY_LIST | HD_KEY_NUMBERS | HD_KEY_GROUPS);
    }
    return false;
}

static hd_status wrong_choice(hd_recipe *r, const hd_key *key, const char *place, const hd_json *v, hd_status blame) {
    const char *const *choices = hd_key_choices(key);
    char list[320] = "";
    size_t n = 0, used = 0;
    for (; choices[n] && used + 24 < sizeof list; n++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", n ? ", " : "", choices[n]);
    const char *near = hd_text_nearest(v->string, choices, n);
    if (near)
        return hd_fail(r->ctx, blame, "%s|%s can not be \"%.60s\"|Did you mean %s?", place, key->pub.name, v->string,
                       near);
    return hd_fail(r->ctx, blame, "%s|%s can not be \"%.60s\"|It can be %s", place, key->pub.name, v->string, list);
}

hd_status hd_recipe_check_value(hd_recipe *r, const hd_key *key, const char *place, const hd_json *v, hd_status blame) {
    char got[80];
    if (!type_fits(key->types, v))
        return hd_fail(r->ctx, blame, "%s|%s takes a %s, not %s|%s: %s", place, key->pub.name, key->pub.type,
                       key->types & HD_KEY_LIST && v->type == HD_JSON_ARRAY ? "of other things than texts"
                                                                            : describe(v, got, sizeof got),
                       key->pub.name, key->pub.help);
    const bool number = v->type == HD_JSON_INT || v->type == HD_JSON_FLOAT;
    if (number && key->min < key->max && !(v->number >= key->min && v->number <= key->max)) {
        char low[32], high[32];
        if (key->max >= 1e9)
            return hd_fail(r->ctx, blame, "%s|%s is %s or more, not %s", place, key->pub.name,
                           hd_text_from_f64(low, key->min), describe(v, got, sizeof got));
        return hd_fail(r->ctx, blame, "%s|%s lies between %s and %s, not %s", place, key->pub.name,
                       hd_text_from_f64(low, key->min), hd_text_from_f64(high, key->max), describe(v, got, sizeof got));
    }
    if (v->type == HD_JSON_ARRAY && key->types & HD_KEY_GROUPS) return hd_groups_check(r, key, place, v, blame);
    const char *const *choices = hd_key_choices(key);
    if (v->type != HD_JSON_STRING || !choices) return HD_OK;
    for (int i = 0; choices[i]; i++)
        if (strcmp(choices[i], v->string) == 0) return HD_OK;
    if (strcmp(key->pub.name, "train.loss.name") == 0 && hd_loss_find(r->ctx, v->string).name) return HD_OK;
    /* a precision that this program does not have is no mistake of the recipe */
    const bool precision = strcmp(key->pub.name, "train.precision") == 0;
    return wrong_choice(r, key, place, v, precision ? HD_E_UNSUPPORTED : blame);
}

/* The members that a section knows, keys and sections alike; returns how many. */
static size_t members_of(const char *section, const char **names, char store[][48], size_t room) {
    size_t n = 0;
    const size_t skip = section[0] ? strlen(section) + 1 : 0;
    const hd_key *key;
    for (int i = 0; (key = hd_key_at(i)) && n < room; i++) {
        const char *name = key->pub.name;
        if (skip && (strncmp(name, section, skip - 1) != 0 || name[skip - 1] != '.')) continue;
        const size_t length = strcspn(name + skip, ".");
        if (n > 0 && strlen(store[n - 1]) == length && strncmp(store[n - 1], name + skip, length) == 0) continue;
        (void)snprintf(store[n], 48, "%.*s", (int)length, name + skip);
        names[n] = store[n];
        n++;
    }
    return n;
}

static hd_status unknown_key(hd_recipe *r, const char *section, const hd_json *m) {
    char store[MANY_KEYS][48], place[PLACE];
    const char *names[MANY_KEYS] = {NULL};
    const size_t n = members_of(section, names, store, MANY_KEYS);
    const char *near = hd_text_nearest(m->key, names, n);
    const hd_key *elsewhere = hd_key_find(m->key);
    place_of(r, place, m->key_line, m->key_column);
    if (near) return hd_fail(r->ctx, HD_E_MODEL, "%s|unknown key \"%.60s\"|Did you mean %s?", place, m->key, near);
    if (elsewhere)
        return hd_fail(r->ctx, HD_E_MODEL, "%s|unknown key \"%.60s\"|It belongs elsewhere: %s", place, m->key,
                       elsewhere->pub.name);
    return hd_fail(r->ctx, HD_E_MODEL,
                   "%s|unknown key \"%.60s\"|%s has %s, %s, …; all are listed by `hadal help recipe`", place, m->key,
                   section[0] ? section : "A recipe", names[0], names[1]);
}

/* "optimizer: sgd" becomes "optimizer: {name: sgd}", in place. */
static hd_status expand(hd_recipe *r, hd_json *m, const char *shorthand) {
    hd_json *inner = hd_json_copy(&r->arena, m);
    if (!inner) return HD_E_MEMORY;
    m->type = HD_JSON_OBJECT;
    m->child = m->last = NULL;
    m->count = 0;
    return hd_json_set(&r->arena, m, shorthand, inner) ? HD_OK : HD_E_MEMORY;
}

static hd_status check_section(hd_recipe *r, const char *section, hd_json *object) {
    char path[PATH], place[PLACE], got[80];
    for (hd_json *m = object->child; m; m = m->next) {
        const char *shorthand = NULL;
        if (snprintf(path, sizeof path, "%s%s%s", section, section[0] ? "." : "", m->key) >= (int)sizeof path)
            return unknown_key(r, section, m);
        const hd_key *key = hd_key_find(path);
        place_of(r, place, m->line, m->column);
        if (hd_key_is_section(path, &shorthand)) {
            if (m->type == HD_JSON_NULL) continue;
            if (m->type != HD_JSON_OBJECT && !shorthand)
                return hd_fail(r->ctx, HD_E_MODEL, "%s|%s holds keys, not %s|Write %s: {…}", place, path,
                               describe(m, got, sizeof got), m->key);
            if (m->type != HD_JSON_OBJECT) HD_TRY(expand(r, m, shorthand));
            HD_TRY(check_section(r, path, m));
        } else if (!key || strcmp(key->pub.name, path) != 0) {
            return unknown_key(r, section, m);
        } else {
            HD_TRY(hd_recipe_check_value(r, key, place, m, HD_E_MODEL));
        }
    }
    return HD_OK;
}

/* Keys that only some choices of another key read: elsewhere they are mistakes, not decoration. */
static const struct {
    const char *key, *chooser, *readers;
} owners[] = {
    {"train.loss.weight", "train.loss.name",
     "cross_entropy, nll, multi_margin, bce, bce_with_logits, multilabel_soft_margin"},
    {"train.loss.label_smoothing", "train.loss.name", "cross_entropy"},
    {"train.loss.ignore_index", "train.loss.name", "cross_entropy, nll"},
    {"train.loss.pos_weight", "train.loss.name", "bce_with_logits"},
    {"train.loss.beta", "train.loss.name", "smooth_l1"},
    {"train.loss.delta", "train.loss.name", "huber"},
    {"train.loss.alpha", "train.loss.name", "focal"},
    {"train.loss.gamma", "train.loss.name", "focal"},
    {"train.loss.smooth", "train.loss.name", "dice"},
    {"train.loss.margin", "train.loss.name", "multi_margin"},
    {"train.loss.p", "train.loss.name", "multi_margin"},
    {"train.loss.squared", "train.loss.name", "hinge"},
    {"train.loss.full", "train.loss.name", "poisson_nll"},
    {"train.l2", "train.method", "exact, competitive"},
};

static bool reads(const char *readers, const char *choice) {
    const size_t n = strlen(choice);
    for (const char *at = readers; (at = strstr(at, choice)) != NULL; at += n)
        if ((at == readers || at[-1] == ' ') && (at[n] == '\0' || at[n] == ',')) return true;
    return false;
}

/* Who does not go along the gradient reads little of how to: true, and the method, for keys that it passes over. */
static bool passed_over(const hd_recipe *r, const char *key, const char **method) {
    static const char *const of_gradient[] = {
        "train.optimizer.", "train.schedule.",  "train.epochs",        "train.steps",      "train.patience",
        "train.max_norm",   "train.drop_last",  "train.shuffle",       "train.save_every", "train.batch_size",
        "train.prefetch",   "train.accumulate", "train.skip_outliers", "train.ema",        "train.no_decay",
        "train.groups",     "train.streams"};
    *method = hd_recipe_text(r, "train.method");
    const hd_method *m = *method ? hd_method_find(*method) : NULL;
    if (!m || reads(m->reads, key + strlen("train."))) return false;
    for (size_t i = 0; i < sizeof of_gradient / sizeof of_gradient[0]; i++)
        if (strncmp(key, of_gradient[i], strlen(of_gradient[i])) == 0) return true;
    return false;
}

static bool optimizer_reads(const char *name, const char *setting) {
    hd_optimizer o = {.name = name};
    return hd_optimizer_set(&o, setting, 1);
}

static bool schedule_reads(const char *name, const char *setting) {
    return hd_schedule_reads(name, setting, NULL);
}

/* Sections whose members depend on the kind that `name` chooses: the kinds know what they read. */
static const struct {
    const char *section, *chooser;
    bool (*reads)(const char *kind, const char *setting);
} kinds[] = {{"train.optimizer.", "train.optimizer.name", optimizer_reads},
             {"train.schedule.", "train.schedule.name", schedule_reads}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* The setting that a key of section k means; NULL for other keys, and for the chooser. */
static const char *setting_of(int k, const char *key) {
    const size_t n = strlen(kinds[k].section);
    return strncmp(key, kinds[k].section, n) == 0 && strcmp(key, kinds[k].chooser) != 0 ? key + n : NULL;
}

bool hd_key_applies(const hd_recipe *r, const hd_key *key) {
    const char *method;
    if (strncmp(key->pub.name, "train.", 6) == 0 && passed_over(r, key->pub.name, &method)) return false;
    for (int k = 0; k < KINDS; k++) {
        const char *setting = setting_of(k, key->pub.name);
        if (setting) return kinds[k].reads(hd_recipe_text(r, kinds[k].chooser), setting);
    }
    for (size_t i = 0; i < sizeof owners / sizeof owners[0]; i++)
        if (strcmp(owners[i].key, key->pub.name) == 0) {
            const char *choice = hd_recipe_text(r, owners[i].chooser);
            return choice && reads(owners[i].readers, choice); /* none: the loss is settled by the data */
        }
    return true;
}

static hd_status check_method(hd_recipe *r) {
    const hd_key *key;
    const char *method;
    char place[PLACE];
    for (int i = 0; (key = hd_key_at(i)) != NULL; i++) {
        const hd_json *said = strncmp(key->pub.name, "train.", 6) == 0 ? hd_recipe_said(r, key->pub.name) : NULL;
        if (!said || !passed_over(r, key->pub.name, &method)) continue;
        return hd_fail(r->ctx, HD_E_MODEL, "%s|the method %s takes no %s|Leave it out, or use method=gradient",
                       hd_recipe_place(r, said, key->pub.name, place), method, key->pub.name + strlen("train."));
    }
    return HD_OK;
}

static hd_status misplaced(hd_recipe *r, const hd_json *said, const char *key, const char *choice,
                           const char *readers) {
    char place[PLACE];
    return hd_fail(r->ctx, HD_E_MODEL, "%s|%s takes no %s|It belongs to %s", hd_recipe_place(r, said, key, place),
                   choice, strrchr(key, '.') + 1, readers);
}

/* Settings that the chosen optimiser or schedule does not have. */
static hd_status check_kind(hd_recipe *r, int k, const hd_key *key) {
    const char *setting = setting_of(k, key->pub.name);
    const hd_json *said = setting ? hd_recipe_said(r, key->pub.name) : NULL;
    char readers[256] = "";
    size_t used = 0;
    if (!said) return HD_OK;
    const char *choice = hd_recipe_text(r, kinds[k].chooser);
    if (kinds[k].reads(choice, setting)) return HD_OK;
    const char *const *name = hd_key_choices(hd_key_find(kinds[k].chooser));
    for (; *name && used + 24 < sizeof readers; name++)
        if (kinds[k].reads(*name, setting))
            used += (size_t)snprintf(readers + used, sizeof readers - used, "%s%s", used ? ", " : "", *name);
    return misplaced(r, said, key->pub.name, choice, readers);
}

hd_status hd_recipe_check_whole(hd_recipe *r) {
    const hd_key *key;
    const hd_json *milestones = hd_recipe_said(r, "train.schedule.milestones");
    if (milestones && milestones->count > HD_MAX_MILESTONES)
        return hd_fail(r->ctx, HD_E_MODEL, "train.schedule.milestones|more than %d milestones|Take some out",
                       HD_MAX_MILESTONES);
    HD_TRY(check_method(r));
    for (int i = 0; (key = hd_key_at(i)); i++)
        for (int k = 0; k < KINDS; k++) HD_TRY(check_kind(r, k, key));
    for (size_t i = 0; i < sizeof owners / sizeof owners[0]; i++) {
        const hd_json *said = hd_recipe_said(r, owners[i].key);
        const char *choice = hd_recipe_text(r, owners[i].chooser);
        if (!said || !choice || reads(owners[i].readers, choice)) continue;
        return misplaced(r, said, owners[i].key, choice, owners[i].readers);
    }
    return HD_OK;
}

hd_status hd_recipe_check(hd_recipe *r, hd_json *root) {
    char place[PLACE];
    if (root->type == HD_JSON_NULL) { /* an empty file: all defaults */
        *root = (hd_json){.type = HD_JSON_OBJECT, .line = root->line, .column = root->column};
        return HD_OK;
    }
    if (root->type != HD_JSON_OBJECT)
        return hd_fail(r->ctx, HD_E_MODEL, "%s|a recipe holds keys|Begin with data:, model:, train:",
                       place_of(r, place, root->line, root->column));
    return check_section(r, "", root);
}
