/* hadal/optimizer.h: optimisers with their settings, by value. What a setting means, its default and its range stand in
 * the optimiser's own list of options, which recipes, help and the update operations read too. */
#ifndef HADAL_OPTIMIZER_H
#define HADAL_OPTIMIZER_H
#include "hadal/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Parameters that are treated otherwise than the rest. Of each setting the first
 * group counts that holds the parameter and says it. */
typedef struct hd_param_group {
    /** Name of the parameters, where a star is any text: all of "features."; NULL: any. */
    const char *pattern;
    bool vectors;        /**< only those with one dimension or none: biases, norms */
    double lr_scale;     /**< factor of the learning rate; 0: 1, HD_ZERO: they stay as they are */
    double weight_decay; /**< 0: the optimiser's; HD_ZERO: none */
} hd_param_group;

/** An optimiser with its settings. Zero means the default of the optimiser, HD_ZERO an explicit zero. */
typedef struct hd_optimizer {
    const char *name;     /**< one of hd_optimizer_names; NULL: sgd */
    double lr;            /**< learning rate; changed at run time by hd_program_lr */
    double weight_decay;  /**< added to the gradient, or taken off the weights where the optimiser says so */
    double max_norm;      /**< clip the gradient to this norm; 0: not */
    double skip_outliers; /**< leave out steps whose gradient norm lies so many deviations above the usual; 0: none */
    double ema;           /**< keep a moving average of the weights with this memory; 0: none */
    bool accumulate;      /**< add gradients up over several runs (hd_program_accumulate) */
    const hd_param_group *groups;
    int32_t group_count;
    /* what single optimisers read: see their options */
    double momentum, dampening, beta1, beta2, eps, alpha, rho, lr_decay, initial_accumulator_value, momentum_decay,
        lambd, t0, eta_minus, eta_plus, step_min, step_max, ns_steps;
    bool nesterov, maximize, amsgrad, centered;
} hd_optimizer;
#define hd_sgd(...)   ((hd_optimizer){.name = "sgd", __VA_ARGS__})
#define hd_adam(...)  ((hd_optimizer){.name = "adam", __VA_ARGS__})
#define hd_adamw(...) ((hd_optimizer){.name = "adamw", __VA_ARGS__})

/** What an optimiser is. */
typedef struct hd_optimizer_info {
    const char *name;
    double lr, weight_decay;  /**< defaults */
    const hd_option *options; /**< its settings; offsets are those in hd_update_args; ends with {0} */
    const char *formula, *source, *doc;
} hd_optimizer_info;
/** Optimiser number i (0, 1, …): false past the end. */
HD_API bool hd_optimizer_at(int i, hd_optimizer_info *out);
/** The optimiser of that name; false: there is none. */
HD_API bool hd_optimizer_find(const char *name, hd_optimizer_info *out);
/** Sets a setting by name: one of the optimiser's options, or lr or weight_decay; yes is 1. An explicit zero stays one.
 * False: this optimiser has none of that name. */
HD_API bool hd_optimizer_set(hd_optimizer *optimizer, const char *option, double value);
/** Fills in every default and checks ranges. Errors: HD_E_UNSUPPORTED (no such optimiser), HD_E_MODEL (out of range),
 * with `message` saying what. */
HD_API HD_CHECKED hd_status hd_optimizer_settle(hd_optimizer *optimizer, char *message, size_t size);
/** The names, ended by NULL. */
HD_API const char *const *hd_optimizer_names(void);

#ifdef __cplusplus
}
#endif
#endif
