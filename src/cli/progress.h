/* progress.h: a training run as people watch it. */
#ifndef HD_CLI_PROGRESS_H
#define HD_CLI_PROGRESS_H
#include "cli/cli.h"

typedef struct progress_epoch {
    int64_t epoch;
    double train, val; /* losses; NaN when there is none */
} progress_epoch;

typedef struct progress {
    cli *c;
    const char *unit; /* "img/s" */
    double drawn;     /* when the last live line was drawn, in seconds of the run */
    double began;     /* when this epoch began */
    int64_t epoch;    /* that is running */
    progress_epoch *history;
    size_t count, room;
} progress;

void progress_open(progress *p, cli *c, const char *kind);
/* For hd_trainer_args: draws at most ten times a second, a permanent line at the end of an epoch; true on SIGINT. */
bool progress_step(void *user, const hd_progress *now);
/* Epoch from which on validation loss rises while training loss falls, or 0. */
int64_t progress_overfit_from(const progress *p);
void progress_close(progress *p);
#endif
