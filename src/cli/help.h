/* help.h: the program explained by itself. */
#ifndef HD_CLI_HELP_H
#define HD_CLI_HELP_H
#include "cli/cli.h"

void help_all(cli *c);                             /* every verb, on one screen */
hd_status help_verb(cli *c, const cli_verb *verb); /* as a manual page */

/* Manual pages in roff (man_page.c): of the command (NULL) or of a verb. */
void man_page(cli *c, const cli_verb *verb);
/* A completion script for "bash", "zsh" or "fish" (completion.c); false for another word. */
bool completion_script(cli *c, const char *shell);

/* A word of the field, explained to somebody who meets it for the first time. */
typedef struct glossary_entry {
    const char *term;
    const char *also; /* other spellings, split by blanks, or "" */
    const char *text;
} glossary_entry;
extern const glossary_entry glossary[]; /* ends with {NULL} */
const glossary_entry *glossary_find(const char *term);
#endif
