/* tune.h: what the parts of hd_tune share: distinct operations of a program and the ways to do them. */
#ifndef HD_RUNTIME_TUNE_H
#define HD_RUNTIME_TUNE_H
#include "runtime/program.h"

enum { HD_TUNE_WAYS = 48, HD_TUNE_OPERANDS = 8 };

/* A kernel and which of its variants, for one shape. */
typedef struct hd_way {
    hd_lnode node;                         /* what nodes of the shape get when it is chosen */
    hd_layout wants[HD_TUNE_OPERANDS];     /* inputs, then outputs */
    hd_operand operands[HD_TUNE_OPERANDS]; /* the same, in these layouts */
    hd_prepared prepared;                  /* while it is timed */
    double seconds;                        /* least of its runs; 0: not measured */
    bool dropped;                          /* it was far behind, or could not be prepared */
} hd_way;

/* An operation of given options, types and shapes. */
typedef struct hd_shape {
    char key[HD_TUNED_TEXT];
    hd_kctx k; /* of one of its nodes */
    hd_operand operands[HD_TUNE_OPERANDS];
    int nodes; /* of the program that are so */
    hd_way *way;
    int ways, chosen;
    int rule; /* the way that the fixed rule takes */
} hd_shape;

typedef struct hd_tuner {
    hd_context *ctx;
    hd_lower *lower; /* the program up to `place`, placed by the fixed rule */
    hd_arena arena;
    const hd_tune_args *args;
    hd_shape *shape;
    int shapes, candidates;
    int32_t *of_node; /* by node: its shape, or −1 */
    double began, bandwidth;
} hd_tuner;

double hd_tune_clock(const hd_tuner *t);
/* Times the ways of shape number i (tune_time.c). */
HD_CHECKED hd_status hd_tune_time(hd_tuner *t, int i);
/* Bytes a second that changes of layout read and write. */
HD_CHECKED hd_status hd_tune_bandwidth(hd_tuner *t);
/* Least seconds of a run of the whole program by the rule and by the choices (tune_check.c). */
HD_CHECKED hd_status hd_tune_check(const hd_tuner *t, hd_target target, hd_tuning *choices, double *rule,
                                   double *chosen);
/* Settles `chosen` of every shape (tune_choose.c): seconds of a run by the rule and by the choice. */
HD_CHECKED hd_status hd_tune_choose(hd_tuner *t, double *before, double *after);
#endif
