/* call.c: owns the words of the command line: which are things, which are options, and what an unknown one may have
 * meant. Knows flags and recipe keys by their lists alone. */
#include "base/text.h"
#include "cli/cli.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Equal when "-" and "_" count as the same, over the first n bytes of a and all of b. */
static bool same_name(const char *a, size_t n, const char *b) {
    if (strlen(b) != n) return false;
    for (size_t i = 0; i < n; i++)
        if ((a[i] == '_' ? '-' : a[i]) != (b[i] == '_' ? '-' : b[i])) return false;
    return true;
}

static const cli_flag *flag_find(const cli_verb *verb, const char *name, size_t n) {
    for (const cli_flag *f = verb->flags; f && f->name; f++)
        if (same_name(name, n, f->name)) return f;
    for (const cli_flag *f = cli_common_flags; f->name; f++)
        if (same_name(name, n, f->name)) return f;
    return NULL;
}

/* The recipe key that a verb takes under this name, or NULL. */
static const hd_recipe_key *recipe_key(const cli_verb *verb, const char *key) {
    if (!verb->recipe) return NULL;
    const hd_recipe_key *k = hd_recipe_key_find(key);
    return k && strncmp(k->name, verb->recipe, strlen(verb->recipe)) == 0 ? k : NULL;
}

/* The end of a dotted name that has as many dots as `typed`: what may have been meant by it. */
static const char *same_depth(const char *name, const char *typed) {
    int dots = 0;
    for (const char *p = typed; *p; p++) dots += *p == '.';
    const char *part = name + strlen(name);
    for (; part > name; part--)
        if (part[-1] == '.' && dots-- == 0) break;
    return part;
}

/* "Did you mean --batch-size?": the nearest of the verb's flags and recipe keys, in the form that was typed. */
static hd_status unknown_option(cli *c, const char *typed, const char *key, bool dashed) {
    const char *names[512];
    size_t n = 0, room = sizeof names / sizeof *names;
    char word[128];
    (void)snprintf(word, sizeof word, "%s", key);
    for (char *p = word; *p; p++)
        if (*p == '_') *p = '-';
    for (const cli_flag *f = c->verb->flags; f && f->name && n < room; f++) names[n++] = f->name;
    for (const cli_flag *f = cli_common_flags; f->name && n < room; f++) names[n++] = f->name;
    const hd_recipe_key *k;
    for (int i = 0; c->verb->recipe && (k = hd_recipe_key_at(i)) && n + 1 < room; i++) {
        if (strncmp(k->name, c->verb->recipe, strlen(c->verb->recipe)) != 0) continue;
        names[n++] = same_depth(k->name, key);
        names[n++] = k->name;
    }
    const char *near = hd_text_nearest(word, names, n);
    if (!near) near = hd_text_nearest(key, names, n);
    char fix[160], form[128];
    (void)snprintf(form, sizeof form, "%s", near ? near : "");
    for (char *p = form; *p; p++)
        if (*p == (dashed ? '_' : '-')) *p = dashed ? '-' : '_';
    if (near)
        (void)snprintf(fix, sizeof fix, "Did you mean %s%s?", dashed ? "--" : "", form);
    else
        (void)snprintf(fix, sizeof fix, "The flags are listed by: hadal %s --help", c->verb->name);
    return cli_fail(c, HD_E_USAGE, "%s|unknown %s \"%s\"|%s", c->verb->name, dashed ? "flag" : "option", typed, fix);
}

/* Stands for a flag without a value after it: an option word of its own begins with two dashes. */
static bool is_flag_word(const char *word) {
    return strncmp(word, "--", 2) == 0;
}

static bool is_truth(const char *word, bool *value) {
    static const char *const yes[] = {"true", "yes", "1", "on"}, *const no[] = {"false", "no", "0", "off"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(word, yes[i]) == 0) return *value = true, true;
        if (strcmp(word, no[i]) == 0) return *value = false, true;
    }
    return false;
}

/* Takes option `name` (n bytes) with the value behind "=", or else the next word. *used: was the next word taken? */
static hd_status take_option(cli *c, const char *name, size_t n, const char *value, const char *next, bool dashed,
                             bool *used) {
    char *key = c->keys;
    memcpy(key, name, n);
    key[n] = '\0';
    for (char *p = key; *p; p++)
        if (*p == '-') *p = '_';
    const cli_flag *flag = flag_find(c->verb, name, n);
    const hd_recipe_key *known = flag ? NULL : recipe_key(c->verb, key);
    if (!flag && !known) {
        char typed[128];
        (void)snprintf(typed, sizeof typed, "%s%.*s", dashed ? "--" : "", (int)(n < 100 ? n : 100), name);
        return unknown_option(c, typed, key, dashed);
    }
    bool on = true, is_switch = flag ? !flag->value : strcmp(known->type, "yes or no") == 0;
    *used = false;
    if (is_switch && value && !is_truth(value, &on))
        return cli_fail(c, HD_E_USAGE, "%s|%s takes yes or no, not \"%s\"|", c->verb->name, key, value);
    if (is_switch && !value && !flag && next && is_truth(next, &on)) *used = true;
    if (is_switch) value = on ? "true" : "false";
    if (!value) {
        if (!next || is_flag_word(next))
            return cli_fail(c, HD_E_USAGE, "%s|--%.*s needs a value (%s)|Write --%.*s VALUE; see: hadal help %.*s",
                            c->verb->name, (int)n, name, flag ? flag->value : known->type, (int)n, name, (int)n, name);
        value = next;
        *used = true;
    }
    c->keys += n + 1;
    c->options[c->option_count++] = (cli_option){key, value, flag};
    return HD_OK;
}

/* Length of the NAME of a word NAME=VALUE, or 0: a letter, then letters, digits, "_", "-", ".". */
static size_t option_name(const char *word) {
    size_t n = 0;
    if (!isalpha((unsigned char)word[0])) return 0;
    while (isalnum((unsigned char)word[n]) || (word[n] && strchr("_-.", word[n]))) n++;
    return word[n] == '=' ? n : 0;
}

static hd_status take_dashed(cli *c, const char *word, const char *next, bool *used) {
    const char *name = word + 2, *equals = strchr(name, '=');
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    return take_option(c, name, n, equals ? equals + 1 : NULL, next, true, used);
}

static hd_status take_word(cli *c, const char *word, const char *next, bool *used) {
    *used = false;
    if (is_flag_word(word) && !(c->verb->free_words && !flag_find(c->verb, word + 2, strlen(word + 2))))
        return take_dashed(c, word, next, used);
    if (strcmp(word, "-h") == 0) return take_dashed(c, "--help", next, used);
    if (c->verb->free_words) {
        c->things[c->thing_count++] = word;
        return HD_OK;
    }
    if (word[0] == '-' && (isdigit((unsigned char)word[1]) || word[1] == '.'))
        return cli_fail(c, HD_E_USAGE,
                        "%s|\"%s\" looks like a flag|Numbers that begin with a minus come after --: "
                        "hadal %s … -- %s",
                        c->verb->name, word, c->verb->name, word);
    if (word[0] == '-' && word[1])
        return cli_fail(c, HD_E_USAGE, "%s|unknown flag \"%s\"|Flags begin with two dashes; see: hadal %s --help",
                        c->verb->name, word, c->verb->name);
    size_t n = option_name(word);
    char key[128];
    if (n > 0 && n < sizeof key) {
        memcpy(key, word, n);
        key[n] = '\0';
        bool known = flag_find(c->verb, word, n) || recipe_key(c->verb, key);
        if (known || access(word, F_OK) != 0) return take_option(c, word, n, word + n + 1, NULL, false, used);
    }
    c->things[c->thing_count++] = word;
    return HD_OK;
}

static hd_status check_things(cli *c) {
    const cli_verb *v = c->verb;
    if (v->max_things >= 0 && c->thing_count > v->max_things)
        return cli_fail(c, HD_E_USAGE, "%s|\"%s\" is one thing too many|Usage: hadal %s %s   (see: hadal %s --help)",
                        v->name, c->things[v->max_things], v->name, v->things, v->name);
    if (c->thing_count < v->min_things)
        return cli_fail(c, HD_E_USAGE, "%s|expected %s, got %s%s|For example: %s", v->name, v->things,
                        c->thing_count ? "only " : "", c->thing_count ? c->things[c->thing_count - 1] : "nothing",
                        v->example);
    return HD_OK;
}

hd_status cli_parse(cli *c, int argc, char **argv) {
    /* Asked for first: a wrong flag must be told in the form that was wanted, wherever it stands. */
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "json=true") == 0) c->json = true;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) c->help = true;
    }
    c->people = c->json ? stderr : stdout;
    if (c->help) return HD_OK;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            while (++i < argc) c->things[c->thing_count++] = argv[i];
            break;
        }
        bool used;
        hd_status status = take_word(c, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used);
        if (status != HD_OK) return status;
        if (used) i++;
    }
    c->json = cli_has(c, "json");
    c->people = c->json ? stderr : stdout;
    return check_things(c);
}

const char *cli_get(const cli *c, const char *name) {
    for (int i = c->option_count - 1; i >= 0; i--)
        if (c->options[i].flag && strcmp(c->options[i].flag->name, name) == 0) return c->options[i].value;
    return NULL;
}

bool cli_has(const cli *c, const char *name) {
    const char *value = cli_get(c, name);
    return value && strcmp(value, "true") == 0;
}

hd_status cli_get_int(cli *c, const char *name, int64_t min, int64_t max, int64_t *out) {
    const char *text = cli_get(c, name);
    int64_t value;
    if (!text) return HD_OK;
    if (!hd_text_to_i64(text, strlen(text), &value) || value < min || value > max)
        return cli_fail(c, HD_E_USAGE, "--%s|expected a whole number from %lld to %lld, got \"%s\"|", name,
                        (long long)min, (long long)max, text);
    *out = value;
    return HD_OK;
}

hd_status cli_get_float(cli *c, const char *name, double *out) {
    const char *text = cli_get(c, name);
    double value;
    if (!text) return HD_OK;
    if (!hd_text_to_f64(text, strlen(text), &value))
        return cli_fail(c, HD_E_USAGE, "--%s|expected a number, got \"%s\"|", name, text);
    *out = value;
    return HD_OK;
}

hd_status cli_set_recipe(cli *c, hd_recipe *recipe) {
    for (int i = 0; i < c->option_count; i++)
        if (!c->options[i].flag) CLI_TRY(c, hd_recipe_set(recipe, c->options[i].key, c->options[i].value));
    return HD_OK;
}

bool cli_bytes(const char *text, double *out) {
    static const struct {
        const char *unit;
        double bytes;
    } units[] = {{"", 1},     {"B", 1},   {"KB", 1e3},   {"K", 1e3},       {"MB", 1e6},         {"M", 1e6},
                 {"GB", 1e9}, {"G", 1e9}, {"KIB", 1024}, {"MIB", 1048576}, {"GIB", 1073741824}, {"TB", 1e12}};
    size_t digits = strspn(text, "0123456789.");
    const char *unit = text + digits;
    while (*unit == ' ') unit++;
    char upper[8] = "";
    for (size_t i = 0; unit[i] && i < sizeof upper - 1; i++) upper[i] = (char)toupper((unsigned char)unit[i]);
    double number;
    if (strlen(unit) >= sizeof upper || !hd_text_to_f64(text, digits, &number)) return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(upper, units[i].unit) == 0) {
            *out = number * units[i].bytes;
            return *out >= 1 && *out < 1e18;
        }
    return false;
}
