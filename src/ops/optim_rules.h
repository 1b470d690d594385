/* optim_rules.h: what the rules of optimisers are written in, for one R: double or a vector of floats. Whoever includes
 * it has defined R, RULE, r_splat, r_sqrt, r_abs, r_max, r_min (the second operand where one is no number) and
 * r_positive(x, a, b): a where x > 0, else b. Then it has every NAME_rule. */
#ifndef HD_INLINE
#define HD_INLINE static inline __attribute__((always_inline, unused))
#endif

typedef struct RULE {
    R c[HD_OPTIM_CONSTANTS];
    bool flag[HD_OPTIM_FLAGS];
    bool first;
} RULE;

/* −1, 0 or 1; what is no number stays so. */
HD_INLINE R r_sign(R x) {
    return r_positive(x, r_splat(1), r_positive(-x, r_splat(-1), x));
}

#define HD_OPTIM_RULES
#define HD_OPTIMIZER(name)
#include "ops/optimizers.def"
#undef HD_OPTIMIZER
#undef HD_OPTIM_RULES
