/* verb_help.c: owns `hadal help` and every --help: made from the descriptors, so that nothing is told that is not
 * there. */
#include "cli/help.h"
#include "cli/json_out.h"
#include "cli/screen.h"
#include <string.h>

void help_all(cli *c) {
    const char *b = screen_style_code(c, BOLD), *off = screen_style_code(c, PLAIN);
    say(c, "%shadal%s %s: train, explain and ship neural networks\n\n", b, off, HD_VERSION);
    say(c, "  hadal VERB [THING …] [--flag value | key=value …]\n\n");
    for (int i = 0; cli_verbs[i]; i++) {
        char words[96];
        (void)snprintf(words, sizeof words, "%s %s", cli_verbs[i]->name, cli_verbs[i]->things);
        say(c, "  %s%s%s%*s  %s\n", b, words, off, 24 - screen_columns(words), "", cli_verbs[i]->summary);
    }
    say(c, "\nThe first five minutes, needing no file:\n\n"
           "  hadal train digits --name first      learn to read drawn digits\n"
           "  hadal eval runs/first-001 digits     how well it reads digits it has not seen\n"
           "  hadal predict runs/first-001 DIGIT.png\n\n"
           "--x-y V, --x-y=V, x_y=V and the recipe's key of that name are the same;\n"
           "--json prints one object for programs. hadal VERB --help tells more, and\n"
           "hadal help WORD explains a verb, a flag, a recipe key, a layer, or a word of\n"
           "the field:  hadal help overfitting\n");
}

static void say_flags(cli *c, const cli_flag *flags) {
    for (const cli_flag *f = flags; f && f->name; f++) {
        char head[64];
        (void)snprintf(head, sizeof head, "--%s%s%s", f->name, f->value ? " " : "", f->value ? f->value : "");
        say(c, "  %s%-26s%s%s\n", screen_style_code(c, BOLD), head, screen_style_code(c, PLAIN), f->help);
    }
}

static void say_key(cli *c, const hd_recipe_key *k) {
    char head[96];
    (void)snprintf(head, sizeof head, "%s=%s", k->name,
                   *k->def                             ? k->def
                   : strcmp(k->type, "yes or no") == 0 ? "no"
                                                       : "…");
    int pad = 40 - screen_columns(head);
    say(c, "  %s%s%s%*s%s\n", screen_style_code(c, BOLD), head, screen_style_code(c, PLAIN), pad > 1 ? pad : 1, "",
        k->help);
}

static void say_keys(cli *c, const char *prefix) {
    const hd_recipe_key *k;
    for (int i = 0; (k = hd_recipe_key_at(i)) != NULL; i++)
        if (strncmp(k->name, prefix, strlen(prefix)) == 0) say_key(c, k);
}

static hd_status json_verb(cli *c, const cli_verb *v) {
    json_out j;
    hd_status status = cli_context(c);
    if (status != HD_OK) return status;
    json_begin(c, &j);
    json_string(&j, "verb", v->name);
    json_string(&j, "summary", v->summary);
    json_string(&j, "things", v->things);
    json_string(&j, "about", v->about);
    json_string(&j, "example", v->example);
    hd_jw_key(&j.w, "flags");
    hd_jw_begin(&j.w, '[');
    for (int list = 0; list < 2; list++)
        for (const cli_flag *f = list ? cli_common_flags : v->flags; f && f->name; f++) {
            hd_jw_begin(&j.w, '{');
            json_string(&j, "name", f->name);
            json_string(&j, "value", f->value);
            json_string(&j, "help", f->help);
            hd_jw_end(&j.w);
        }
    hd_jw_end(&j.w);
    return json_end(c, &j);
}

hd_status help_verb(cli *c, const cli_verb *v) {
    const char *b = screen_style_code(c, BOLD), *off = screen_style_code(c, PLAIN);
    if (c->json) return json_verb(c, v);
    say(c, "%shadal %s%s: %s\n\n", b, v->name, off, v->summary);
    say(c, "%sUSAGE%s\n  hadal %s%s%s [--flag value | key=value …]\n\n", b, off, v->name, *v->things ? " " : "",
        v->things);
    say(c, "%sABOUT%s\n", b, off);
    for (const char *p = v->about; *p;) {
        size_t n = strcspn(p, "\n");
        say(c, "%s%.*s\n", n ? "  " : "", (int)n, p);
        p += n + (p[n] == '\n');
    }
    say(c, "\n%sFLAGS%s\n", b, off);
    say_flags(c, v->flags);
    say_flags(c, cli_common_flags);
    if (v->recipe) {
        say(c, "\n%sRECIPE KEYS%s   (the last part is enough where no other key ends so: lr=0.1, --lr 0.1)\n", b, off);
        if (v->list_keys)
            say_keys(c, v->recipe);
        else
            say(c, "  all of them, as batch_size=64 or model.dropout=0.2; the list: hadal help recipe\n");
    }
    say(c, "\n%sEXAMPLE%s\n  %s\n", b, off, v->example);
    return HD_OK;
}

/* ---- hadal help TERM ---- */

typedef struct found {
    const cli_verb *verb;
    const cli_flag *flag;
    const cli_verb *flag_verb;
    const hd_recipe_key *key;
    const glossary_entry *entry;
    const hd_op *op;
    const hd_zoo_entry *zoo;
} found;

static void find_flag(const char *typed, found *f) {
    char name[128];
    (void)snprintf(name, sizeof name, "%s", typed);
    for (char *p = name; *p; p++)
        if (*p == '_') *p = '-';
    for (int i = 0; cli_verbs[i] && !f->flag; i++)
        for (const cli_flag *g = cli_verbs[i]->flags; g && g->name; g++)
            if (strcmp(g->name, name) == 0) f->flag = g, f->flag_verb = cli_verbs[i];
    for (const cli_flag *g = cli_common_flags; g->name && !f->flag; g++)
        if (strcmp(g->name, name) == 0) f->flag = g;
}

static bool find_term(const char *typed, found *f) {
    char name[128];
    while (*typed == '-') typed++;
    (void)snprintf(name, sizeof name, "%s", typed);
    for (char *p = name; *p; p++)
        if (*p == '-') *p = '_';
    *f = (found){.verb = cli_verb_find(typed),
                 .entry = glossary_find(typed),
                 .op = hd_op_find(NULL, name),
                 .zoo = hd_zoo_find(typed),
                 .key = hd_recipe_key_find(name)};
    if (f->op && (f->op->flags & HD_OP_INTERNAL)) f->op = NULL;
    find_flag(typed, f);
    if (f->flag && f->key) f->flag = NULL; /* the same thing; the recipe's text says more */
    return f->verb || f->flag || f->key || f->entry || f->op || f->zoo;
}

static void say_found(cli *c, const char *typed, const found *f) {
    const char *b = screen_style_code(c, BOLD), *off = screen_style_code(c, PLAIN);
    if (f->entry) {
        say(c, "%s%s%s\n", b, f->entry->term, off);
        say_wrapped(c, f->entry->text, 2);
    }
    if (f->key) {
        say(c, "%s%s%s   recipe key, %s%s%s\n", b, f->key->name, off, f->key->type, *f->key->def ? ", default " : "",
            f->key->def);
        say_wrapped(c, f->key->help, 2);
    }
    if (f->flag) {
        say(c, "%s--%s%s   flag of %s\n", b, f->flag->name, off, f->flag_verb ? f->flag_verb->name : "every verb");
        say_wrapped(c, f->flag->help, 2);
    }
    if (f->op) {
        say(c, "%s%s%s   operation: %s\n", b, f->op->name, off, f->op->formula ? f->op->formula : "");
        if (f->op->doc) say_wrapped(c, f->op->doc, 2);
        if (f->op->source) say_wrapped(c, f->op->source, 2);
    }
    if (f->zoo) {
        say(c, "%s%s%s   network%s%s\n", b, f->zoo->name, off, f->zoo->authors ? ", " : "",
            f->zoo->authors ? f->zoo->authors : "");
        if (f->zoo->description) say_wrapped(c, f->zoo->description, 2);
    }
    (void)typed;
}

static hd_status json_found(cli *c, const char *typed, const found *f) {
    json_out j;
    json_begin(c, &j);
    json_string(&j, "term", typed);
    if (f->verb) json_string(&j, "verb", f->verb->summary);
    if (f->flag) json_string(&j, "flag", f->flag->help);
    if (f->key) json_string(&j, "key", f->key->help);
    if (f->op) json_string(&j, "operation", f->op->doc);
    if (f->zoo) json_string(&j, "network", f->zoo->description);
    if (f->entry) json_string(&j, "text", f->entry->text);
    return json_end(c, &j);
}

static hd_status json_all(cli *c) {
    json_out j;
    json_begin(c, &j);
    hd_jw_key(&j.w, "verbs");
    hd_jw_begin(&j.w, '[');
    for (int i = 0; cli_verbs[i]; i++) {
        hd_jw_begin(&j.w, '{');
        json_string(&j, "name", cli_verbs[i]->name);
        json_string(&j, "summary", cli_verbs[i]->summary);
        hd_jw_end(&j.w);
    }
    hd_jw_end(&j.w);
    hd_jw_key(&j.w, "terms");
    hd_jw_begin(&j.w, '[');
    for (const glossary_entry *e = glossary; e->term; e++) hd_jw_string(&j.w, e->term);
    hd_jw_end(&j.w);
    return json_end(c, &j);
}

static hd_status unknown_term(cli *c, const char *typed) {
    const char *names[512];
    size_t n = 0;
    const hd_recipe_key *k;
    for (int i = 0; cli_verbs[i]; i++) names[n++] = cli_verbs[i]->name;
    for (const glossary_entry *e = glossary; e->term && n < 200; e++) names[n++] = e->term;
    for (int i = 0; (k = hd_recipe_key_at(i)) && n < 500; i++) {
        const char *dot = strrchr(k->name, '.');
        names[n++] = dot ? dot + 1 : k->name;
    }
    const char *near = hd_text_nearest(typed, names, n);
    return cli_fail(c, HD_E_USAGE, "help|nothing is known about \"%.80s\"|%s%s%s", typed,
                    near ? "Did you mean " : "See: hadal help words", near ? near : "", near ? "?" : "");
}

static void say_words(cli *c) {
    char list[4096] = "";
    size_t used = 0;
    for (const glossary_entry *e = glossary; e->term && used < sizeof list; e++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", e->term);
    say(c, "%sWords that hadal help explains%s\n", screen_style_code(c, BOLD), screen_style_code(c, PLAIN));
    say_wrapped(c, list, 2);
}

static void say_networks(cli *c) {
    const hd_zoo_entry *e;
    table t;
    table_open(&t, "lrl");
    table_row(&t, (const char *const[]){"network", "year", "what it is"});
    for (int i = 0; (e = hd_zoo_at(i)) != NULL; i++) {
        char year[64] = "";
        if (e->year > 0) (void)snprintf(year, sizeof year, "%d", e->year);
        table_row(&t, (const char *const[]){e->name, year, e->description});
    }
    table_print(c, &t, true, 0);
    say(c, "\nor a line of widths and activations, as 784-200-relu-10\n");
}

static void say_layers(cli *c) {
    const hd_layer *l;
    table t;
    table_open(&t, "ll");
    for (int i = 0; (l = hd_layer_at(i)) != NULL; i++) table_row(&t, (const char *const[]){l->name, l->help});
    table_print(c, &t, false, 0);
    say(c, "\nin the list `model:` of a recipe; those without weights also stand in a line: 784-200-gelu-10\n");
}

static void say_optimizers(cli *c) {
    hd_optimizer_info o;
    for (int i = 0; hd_optimizer_at(i, &o); i++) {
        char lr[32], number[32];
        say(c, "%s%s%s   lr %s", screen_style_code(c, BOLD), o.name, screen_style_code(c, PLAIN),
            hd_text_from_f64(lr, o.lr));
        for (const hd_option *k = o.options; k->name && strcmp(k->name, "maximize") != 0; k++)
            say(c, ", %s %s", k->name, k->type == HD_OPT_BOOL ? "no" : hd_text_from_f64(number, k->def));
        say(c, "\n  %s\n", o.formula);
    }
    say(c, "\nin a recipe: optimizer: {name: rmsprop, lr: 0.01, alpha: 0.95}; weight_decay and maximize for all\n");
}

static void say_schedules(cli *c) {
    hd_schedule_info s;
    table t;
    table_open(&t, "ll");
    for (int i = 0; hd_schedule_at(i, &s); i++) table_row(&t, (const char *const[]){s.name, s.formula});
    table_print(c, &t, false, 0);
    say(c, "\nin a recipe: schedule: {name: cosine, warmup: 1}; lengths are epochs\n");
}

/* Lists by name: hadal help recipe, words, networks, layers, optimizers, schedules. */
static bool say_list(cli *c, const char *name) {
    const char *b = screen_style_code(c, BOLD), *off = screen_style_code(c, PLAIN);
    if (strcmp(name, "words") == 0) return say_words(c), true;
    if (strcmp(name, "networks") == 0) return say_networks(c), true;
    if (strcmp(name, "layers") == 0) return say_layers(c), true;
    if (strcmp(name, "optimizers") == 0) return say_optimizers(c), true;
    if (strcmp(name, "schedules") == 0) return say_schedules(c), true;
    if (strcmp(name, "recipe") != 0) return false;
    say(c, "%sRECIPE KEYS%s   (the value shown is the default)\n", b, off);
    say_keys(c, "");
    return true;
}

static hd_status manual(cli *c) {
    const cli_verb *verb = c->thing_count > 0 ? cli_verb_find(c->things[0]) : NULL;
    if (c->thing_count > 0 && !verb)
        return cli_fail(c, HD_E_USAGE, "help|there is no verb \"%.60s\"|The verbs are listed by: hadal --help",
                        c->things[0]);
    man_page(c, verb);
    return HD_OK;
}

static hd_status completion(cli *c, const char *shell) {
    if (completion_script(c, shell)) return HD_OK;
    return cli_fail(c, HD_E_USAGE, "help|no completion for \"%.60s\"|There are bash, zsh and fish", shell);
}

static hd_status run_help(cli *c) {
    char term[128] = "";
    if (cli_has(c, "man")) return manual(c);
    if (cli_get(c, "completion")) return completion(c, cli_get(c, "completion"));
    for (int i = 0; i < c->thing_count; i++) { /* several words are one term: hadal help learning rate */
        size_t used = strlen(term);
        (void)snprintf(term + used, sizeof term - used, "%s%s", i ? "-" : "", c->things[i]);
    }
    if (c->json) {
        hd_status status = cli_context(c);
        if (status != HD_OK) return status;
    }
    if (!*term && !c->json) return help_all(c), HD_OK;
    if (!*term) return json_all(c);
    if (!c->json && say_list(c, term)) return HD_OK;
    found f;
    if (!find_term(term, &f)) return unknown_term(c, term);
    if (c->json) return f.verb ? json_verb(c, f.verb) : json_found(c, term, &f);
    if (f.verb) return help_verb(c, f.verb);
    say_found(c, term, &f);
    return HD_OK;
}

static const cli_flag flags[] = {
    {"man", NULL,
     "print the manual page of hadal, or of the verb that is named, in roff: hadal help --man train | man -l -"},
    {"completion", "SHELL", "print the completion script for bash, zsh or fish"},
    CLI_FLAG_END};

const cli_verb cli_verb_help = {
    .name = "help",
    .summary = "explain a verb, a flag, a key, a word of the field",
    .things = "[WORD]",
    .free_words = true,
    .about = "Without a word: every verb. `hadal help recipe` lists the keys of recipes, `hadal help layers` the\n"
             "layers, `hadal help networks` the known networks, `hadal help optimizers` and `hadal help schedules`\n"
             "those, `hadal help words` the words of the field.",
    .flags = flags,
    .example = "hadal help learning rate",
    .min_things = 0,
    .max_things = 8,
    .run = run_help,
};
