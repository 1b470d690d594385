/* completion.c: owns the scripts that let a shell complete verbs, flags and networks: made from the descriptors. */
#include "cli/help.h"
#include "cli/screen.h"
#include <string.h>

/* Words that a verb's flags and recipe keys give: "--epochs" and so on, each with `put`. */
typedef void (*put_flag)(cli *c, const char *verb, const char *flag, const char *help);

/* The shortest end of a key's name that finds it, "lr" of train.optimizer.lr; an object's `name` goes by the object. */
static void shortest_name(const hd_recipe_key *k, char *out, size_t size) {
    const size_t n = strlen(k->name);
    (void)snprintf(out, size, "%s", k->name);
    if (n > 5 && n < size && strcmp(k->name + n - 5, ".name") == 0) out[n - 5] = '\0';
    for (const char *p = out + strlen(out); p >= out; p--)
        if ((p == out || p[-1] == '.') && hd_recipe_key_find(p) == k) {
            memmove(out, p, strlen(p) + 1);
            break;
        }
    for (char *p = out; *p; p++)
        if (*p == '_') *p = '-';
}

static void each_flag(cli *c, const cli_verb *v, put_flag put) {
    for (int list = 0; list < 2; list++)
        for (const cli_flag *f = list ? cli_common_flags : v->flags; f && f->name; f++)
            put(c, v->name, f->name, f->help);
    const hd_recipe_key *k;
    for (int i = 0; v->recipe && (k = hd_recipe_key_at(i)) != NULL; i++) {
        char flag[96];
        if (strncmp(k->name, v->recipe, strlen(v->recipe)) != 0) continue;
        shortest_name(k, flag, sizeof flag);
        put(c, v->name, flag, k->help);
    }
}

static void word_flag(cli *c, const char *verb, const char *flag, const char *help) {
    (void)verb;
    (void)help;
    say(c, " --%s", flag);
}

static void networks(cli *c) {
    const hd_zoo_entry *e;
    for (int i = 0; (e = hd_zoo_at(i)) != NULL; i++) say(c, " %s", e->name);
}

static void verb_names(cli *c) {
    for (int i = 0; cli_verbs[i]; i++) say(c, "%s%s", i ? " " : "", cli_verbs[i]->name);
}

static void bash(cli *c) {
    say(c, "# Completion of hadal for bash, made by: hadal help --completion bash\n"
           "_hadal() {\n"
           "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} flags\n"
           "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"");
    verb_names(c);
    say(c, "\" -- \"$word\")\n    return\n  fi\n  if [ \"$before\" = --model ]; then\n"
           "    mapfile -t COMPREPLY < <(compgen -f -W \"");
    networks(c);
    say(c, "\" -- \"$word\")\n    return\n  fi\n  case ${COMP_WORDS[1]} in\n");
    for (int i = 0; cli_verbs[i]; i++) {
        say(c, "    %s) flags=\"", cli_verbs[i]->name);
        each_flag(c, cli_verbs[i], word_flag);
        say(c, "\" ;;\n");
    }
    say(c, "    *) flags= ;;\n  esac\n"
           "  if [ \"${word#-}\" != \"$word\" ]; then\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"$flags\" -- \"$word\")\n"
           "  else\n"
           "    mapfile -t COMPREPLY < <(compgen -f -W \"");
    networks(c);
    say(c, "\" -- \"$word\")\n  fi\n}\ncomplete -o filenames -F _hadal hadal\n");
}

/* Text between single quotes, as zsh and fish read it. */
static void quoted(cli *c, const char *text) {
    say(c, "'");
    for (const char *p = text; *p; p++) {
        if (*p == '\'')
            say(c, "’"); /* no way of writing the plain one is the same in both */
        else if (*p == '\n')
            say(c, " ");
        else
            say(c, "%c", *p);
    }
    say(c, "'");
}

static void zsh_flag(cli *c, const char *verb, const char *flag, const char *help) {
    char text[256];
    (void)verb;
    size_t used = (size_t)snprintf(text, sizeof text, "--%s:", flag);
    for (const char *p = help; *p && used + 2 < sizeof text; p++) /* a colon would end the word */
        text[used++] = *p == ':' ? ';' : *p;
    text[used] = '\0';
    say(c, "      ");
    quoted(c, text);
    say(c, "\n");
}

static void zsh(cli *c) {
    char text[256];
    say(c, "#compdef hadal\n# Completion of hadal for zsh, made by: hadal help --completion zsh\n"
           "local -a verbs flags\nverbs=(\n");
    for (int i = 0; cli_verbs[i]; i++) {
        (void)snprintf(text, sizeof text, "%s:%s", cli_verbs[i]->name, cli_verbs[i]->summary);
        say(c, "  ");
        quoted(c, text);
        say(c, "\n");
    }
    say(c, ")\nif (( CURRENT == 2 )); then\n  _describe verb verbs\n  return\nfi\ncase $words[2] in\n");
    for (int i = 0; cli_verbs[i]; i++) {
        say(c, "  %s)\n    flags=(\n", cli_verbs[i]->name);
        each_flag(c, cli_verbs[i], zsh_flag);
        say(c, "    ) ;;\n");
    }
    say(c, "esac\nif [[ $PREFIX == -* ]]; then\n  _describe flag flags\nelse\n  compadd --");
    networks(c);
    say(c, "\n  _files\nfi\n");
}

static void fish_flag(cli *c, const char *verb, const char *flag, const char *help) {
    say(c, "complete -c hadal -n '__fish_seen_subcommand_from %s' -l %s -d ", verb, flag);
    quoted(c, help);
    say(c, "\n");
}

static void fish(cli *c) {
    say(c, "# Completion of hadal for fish, made by: hadal help --completion fish\n");
    for (int i = 0; cli_verbs[i]; i++) {
        say(c, "complete -c hadal -n __fish_use_subcommand -f -a %s -d ", cli_verbs[i]->name);
        quoted(c, cli_verbs[i]->summary);
        say(c, "\n");
        each_flag(c, cli_verbs[i], fish_flag);
    }
}

bool completion_script(cli *c, const char *shell) {
    if (strcmp(shell, "bash") == 0) return bash(c), true;
    if (strcmp(shell, "zsh") == 0) return zsh(c), true;
    if (strcmp(shell, "fish") == 0) return fish(c), true;
    return false;
}
