/* report.h: a run as one page that opens without network: report.html. */
#ifndef HD_CLI_REPORT_H
#define HD_CLI_REPORT_H
#include "cli/cli.h"

/* Writes RUN/report.html after a run: result beside its baselines, curves, network, confusion, worst mistakes, recipe.
 */
hd_status report_write(cli *c, hd_trainer *trainer, const hd_result *result);
#endif
