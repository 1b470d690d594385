/* optim_kit.h: the shape that all optimisers share. An optimiser is one file, optim_NAME.h, and one line in
 * optimizers.def. The file has two parts. Under HD_OPTIM_RULES stands its rule: what becomes of one weight, written
 * once in terms of R and compiled for double (the definition) and for the vectors of each instruction set (the kernel).
 * Under HD_OPTIM_ABOUT stand its options, the numbers that a step needs, and its texts. In each part the last line
 * names it: HD_OPTIMIZER(name). Knows nothing of backends. */
#ifndef HD_OPS_OPTIM_KIT_H
#define HD_OPS_OPTIM_KIT_H
#include "hadal/ops_train.h"

enum { HD_OPTIM_SLOTS = 3, HD_OPTIM_CONSTANTS = 7, HD_OPTIM_FLAGS = 2 };
/* Inputs and outputs of every update. */
enum {
    HD_UP_P,
    HD_UP_G,
    HD_UP_HYPER,
    HD_UP_SCALE,
    HD_UP_S0,
    HD_UP_EMA = HD_UP_S0 + HD_OPTIM_SLOTS,
    HD_UP_ROW,
    HD_UP_INPUTS
};
enum { HD_UP_OUTPUTS = 2 + HD_OPTIM_SLOTS };
/* Members of hyper. */
enum { HD_HYPER_LR, HD_HYPER_STEP, HD_HYPER_DECAY, HD_HYPER_WEIGHT, HD_HYPER_SHARE, HD_HYPER_COUNT };

/* The numbers of one step, the same for all weights. d, which the rule gets, is scale·g + decay·p; p comes multiplied
 * by keep. */
typedef struct hd_optim_step {
    double lr, t;                 /* learning rate of these weights, step 1, 2, … */
    double scale, decay, keep;    /* filled in before the optimiser's own */
    double c[HD_OPTIM_CONSTANTS]; /* the optimiser's own */
    double ema;                   /* memory of the moving average; at step 1 it is 0 */
    bool flag[HD_OPTIM_FLAGS];    /* the optimiser's own */
    bool first, idle;             /* step 1: what is kept does not count; nothing is to change */
    double product, product_at;   /* kept from call to call: a product over all steps, how many */
} hd_optim_step;

typedef struct hd_optim {
    const char *name;
    const hd_op *op;
    double lr, weight_decay;                  /* defaults */
    bool decoupled;                           /* weight decay is taken off the weights, not added to the gradient */
    bool scale_free;                          /* the direction comes scaled: clipping has been done */
    const char *slot[HD_OPTIM_SLOTS];         /* names of what is kept for each weight */
    unsigned (*keeps)(const hd_optimizer *o); /* which slots, by bits; NULL: all that are named */
    void (*step)(const hd_optimizer *o, hd_optim_step *s);
    /* May put another direction in the place of the gradient, made of nodes; live: a bool scalar, false where
     * nothing is to change, whatever the gradient is then. NULL: the gradient itself. */
    hd_val (*direction)(hd_val p, const hd_update_args *a, hd_val live);
    /* Parameters of other shapes are left to another optimiser; NULL: takes all. */
    const char *(*leaves)(const hd_dims *dims);
} hd_optim;

const hd_optim *hd_optim_at(int i); /* NULL past the end */
const hd_optim *hd_optim_find(const char *name);
const hd_optim *hd_optim_of(const hd_op *op); /* NULL: op is no update */
/* Number and names of slots that these settings keep. */
unsigned hd_optim_keeps(const hd_optim *kind, const hd_optimizer *o);
/* The numbers of a step. scale: the value of that input, 1 when absent. Keeps `product` from call to call. */
void hd_optim_begin(const hd_optim *kind, const hd_update_args *a, const double *hyper, double scale, hd_optim_step *s);

/* Options of one setting of hd_optimizer; the same in every optimiser that has it but for the default. */
#define HD_SETTING(type_, field_, ...)                                                                                 \
    { .name = #field_, .type = HD_OPT_##type_, .offset = offsetof(hd_update_args, o.field_), .count = 1, __VA_ARGS__ }
#define HD_SETTING_BETAS(def1, def2)                                                                                   \
    HD_SETTING(FLOAT, beta1, .def = (def1), .min = 0, .max = 0.9999999, .help = "memory of the mean"),                 \
        HD_SETTING(FLOAT, beta2, .def = (def2), .min = 0, .max = 0.9999999, .help = "memory of the square")
#define HD_SETTING_EPS(def_)                                                                                           \
    HD_SETTING(FLOAT, eps, .def = (def_), .min = 0, .max = 1e30, .help = "added to the divisor")
#define HD_SETTING_MOMENTUM(def_)                                                                                      \
    HD_SETTING(FLOAT, momentum, .def = (def_), .min = 0, .max = 1, .help = "share of the velocity that is kept")
/* Those that every update has, behind its own. */
#define HD_SETTINGS_END                                                                                                \
    HD_SETTING(BOOL, maximize, .help = "go up instead of down"),                                                       \
        HD_SETTING(FLOAT, ema, .min = 0, .max = 1, .help = "memory of the moving average; 0: none is kept"),           \
        {.name = "lr_scale",                                                                                           \
         .type = HD_OPT_FLOAT,                                                                                         \
         .offset = offsetof(hd_update_args, lr_scale),                                                                 \
         .count = 1,                                                                                                   \
         .def = 1,                                                                                                     \
         .min = 0,                                                                                                     \
         .max = 1e30,                                                                                                  \
         .help = "factor of the learning rate"},                                                                       \
        {.name = "decay",                                                                                              \
         .type = HD_OPT_FLOAT,                                                                                         \
         .offset = offsetof(hd_update_args, decay),                                                                    \
         .count = 1,                                                                                                   \
         .def = -1,                                                                                                    \
         .min = -1,                                                                                                    \
         .max = 1e30,                                                                                                  \
         .help = "weight decay instead of that of hyper; below 0: that of hyper"},                                     \
        HD_OPTION_END
/* The operation NAME_update: what differs is options and texts. */
#define HD_UPDATE(name_, ...)                                                                                          \
    static void name_##_ref(const hd_ref *r) {                                                                         \
        optim_ref(r, &hd_optim_##name_, name_##_rule);                                                                 \
    }                                                                                                                  \
    const hd_op hd_op_##name_##_update = {.name = #name_ "_update",                                                    \
                                          .n_in = 3,                                                                   \
                                          .n_optional = HD_UP_INPUTS - 3,                                              \
                                          .n_out = HD_UP_OUTPUTS,                                                      \
                                          .in_names = update_in,                                                       \
                                          .out_names = update_out,                                                     \
                                          .args_size = sizeof(hd_update_args),                                         \
                                          .flags = HD_OP_EFFECT,                                                       \
                                          .infer = update_infer,                                                       \
                                          .no_grad_reason = "it acts after the step that is differentiated",           \
                                          .ref = name_##_ref,                                                          \
                                          .cost = update_cost,                                                         \
                                          .alias = {1, 5, 6, 7, 8},                                                    \
                                          __VA_ARGS__};
#endif
