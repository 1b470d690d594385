/* man_page.c: owns the manual pages, hadal(1) and one a verb, in roff: made from the descriptors that --help is made
 * from. */
#include "base/text.h"
#include "cli/help.h"
#include "cli/screen.h"
#include <string.h>

/* Text with what roff would take as its own made plain: backslashes, dashes, a dot or quote at the start of a line. */
static void put(cli *c, const char *text) {
    bool start = true;
    for (const char *p = text; *p; p++) {
        if (start && (*p == '.' || *p == '\'')) say(c, "\\&");
        if (*p == '\\')
            say(c, "\\e");
        else if (*p == '-')
            say(c, "\\-");
        else
            say(c, "%c", *p);
        start = *p == '\n';
    }
}

static void section(cli *c, const char *name) {
    say(c, ".SH %s\n", name);
}

/* A tagged paragraph: the tag in bold, what follows indented. */
static void tagged(cli *c, const char *tag, const char *more, const char *text) {
    say(c, ".TP\n.B ");
    put(c, tag);
    if (*more) say(c, " \\fI"), put(c, more), say(c, "\\fR");
    say(c, "\n");
    put(c, text);
    say(c, "\n");
}

static void title(cli *c, const char *verb) {
    char name[64];
    size_t n = (size_t)snprintf(name, sizeof name, "HADAL%s%s", verb ? "-" : "", verb ? verb : "");
    for (size_t i = 0; i < n && i < sizeof name; i++)
        if (name[i] >= 'a' && name[i] <= 'z') name[i] = (char)(name[i] - 'a' + 'A');
    say(c, ".TH %s 1 \"\" \"hadal %s\" \"Hadal manual\"\n", name, HD_VERSION);
}

static void exit_status(cli *c) {
    static const struct {
        const char *code, *text;
    } codes[] = {{"0", "done"},
                 {"1", "the call was wrong: an unknown verb or flag, a missing value"},
                 {"2", "a recipe or model is wrong"},
                 {"3", "data are wrong"},
                 {"4", "out of memory, or over --mem with nothing that fits"},
                 {"5", "training diverged; the last good weights are kept"},
                 {"6", "not supported; the message says what"},
                 {"7", "a file could not be read or written"},
                 {"8", "a check said no"},
                 {"130", "interrupted, after saving"}};
    section(c, "EXIT STATUS");
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) tagged(c, codes[i].code, "", codes[i].text);
}

static void flags_of(cli *c, const cli_flag *flags) {
    char tag[64];
    for (const cli_flag *f = flags; f && f->name; f++) {
        (void)snprintf(tag, sizeof tag, "--%s", f->name);
        tagged(c, tag, f->value ? f->value : "", f->help);
    }
}

static void keys_of(cli *c, const cli_verb *v) {
    const hd_recipe_key *k;
    char more[128];
    if (!v->recipe) return;
    section(c, "RECIPE KEYS");
    say(c,
        "Each is a flag too: \\-\\-x\\-y V, x_y=V and the key of that name are the same; a short name finds the one\n"
        "key that ends in it.\n");
    for (int i = 0; (k = hd_recipe_key_at(i)) != NULL; i++) {
        if (strncmp(k->name, v->recipe, strlen(v->recipe)) != 0) continue;
        (void)snprintf(more, sizeof more, "%s%s%s", k->type, *k->def ? ", default " : "", k->def);
        tagged(c, k->name, more, k->help);
    }
}

static void verb_page(cli *c, const cli_verb *v) {
    title(c, v->name);
    section(c, "NAME");
    say(c, "hadal\\-%s \\- ", v->name);
    put(c, v->summary);
    say(c, "\n");
    section(c, "SYNOPSIS");
    say(c, ".B hadal %s\n", v->name);
    if (*v->things) say(c, ".I "), put(c, v->things), say(c, "\n");
    say(c, "[\\-\\-flag value | key=value ...]\n");
    section(c, "DESCRIPTION");
    put(c, v->about ? v->about : v->summary);
    say(c, "\n");
    section(c, "OPTIONS");
    flags_of(c, v->flags);
    flags_of(c, cli_common_flags);
    keys_of(c, v);
    section(c, "EXAMPLE");
    say(c, ".EX\n");
    put(c, v->example);
    say(c, "\n.EE\n");
    exit_status(c);
    section(c, "SEE ALSO");
    say(c, ".BR hadal (1)\n");
}

static void command_page(cli *c) {
    title(c, NULL);
    section(c, "NAME");
    say(c, "hadal \\- train, explain and ship neural networks\n");
    section(c, "SYNOPSIS");
    say(c, ".B hadal\n.I VERB\n[THING ...] [\\-\\-flag value | key=value ...]\n");
    section(c, "DESCRIPTION");
    say(c, "Hadal trains neural networks from one neuron to deep ones, on tables, pictures and what else is numbers,\n"
           "tells what it does, and gives models that a program can use. Every verb has a page of its own.\n");
    section(c, "VERBS");
    for (int i = 0; cli_verbs[i]; i++) tagged(c, cli_verbs[i]->name, cli_verbs[i]->things, cli_verbs[i]->summary);
    section(c, "OPTIONS");
    flags_of(c, cli_common_flags);
    section(c, "ENVIRONMENT");
    tagged(c, "HADAL_DATA", "", "folder of data sets by name; default ~/.local/share/hadal");
    tagged(c, "HADAL_TUNE", "", "table of measured kernels; default ~/.cache/hadal/tune.json; empty: none");
    tagged(c, "NO_COLOR", "", "when set, no colour");
    section(c, "FILES");
    tagged(c, "runs/NAME-001/", "",
           "a run: recipe.yaml, log.jsonl, results.csv, result.json, best.safetensors, last.safetensors, last.state, "
           "report.html; tune.json where it follows measured choices of kernels");
    section(c, "EXAMPLE");
    say(c, ".EX\n");
    put(c, "hadal train digits --name first\nhadal eval runs/first-001 digits\n");
    say(c, ".EE\n");
    exit_status(c);
    section(c, "SEE ALSO");
    for (int i = 0; cli_verbs[i]; i++)
        say(c, ".BR hadal\\-%s (1)%s\n", cli_verbs[i]->name, cli_verbs[i + 1] ? "," : "");
}

void man_page(cli *c, const cli_verb *verb) {
    if (verb)
        verb_page(c, verb);
    else
        command_page(c);
}
