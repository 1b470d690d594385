/* tune_say.h: the machine's table of measured kernels, as the command finds, makes and tells it. */
#ifndef HD_CLI_TUNE_SAY_H
#define HD_CLI_TUNE_SAY_H
#include "cli/cli.h"

/* The table of $HADAL_TUNE, else of the user's cache. Empty where there is no file; one that can not be read, or is of
 * another machine, is not used, and said. *out may be NULL: HADAL_TUNE is "", or nobody knows where it would be. */
hd_status tuning_open(cli *c, hd_tuning **out);
/* The failure where there is no place for what --tune finds. */
hd_status tuning_missing(cli *c);
/* Writes it back. */
hd_status tuning_save(cli *c, const hd_tuning *tuning);
/* Arguments for hd_tune that draw a line of progress and listen to Ctrl-C. */
hd_tune_args tuning_args(cli *c);
/* After hd_tune: what was found, for people. */
void tuning_say(cli *c, const hd_tune_result *r);
/* The choices that a program follows, and those that it could not. */
void tuning_say_used(cli *c, const hd_tuning_facts *f);
#endif
