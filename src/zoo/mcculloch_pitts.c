/* mcculloch_pitts.c: neurons that fire or do not. A unit adds up its inputs, each with weight 1 (or −1 where it
 * inhibits), and fires from a threshold on; nothing is learnt. One unit computes AND, OR, NOT, NAND and NOR; XOR needs
 * units of units. */
#include "zoo/zoo_kit.h"
#include <stdio.h>

typedef struct pitts_args {
    int64_t function, layers;
} pitts_args;

enum { AND, OR, NOT, NAND, NOR, XOR, XNOR };
static const char *const functions[] = {"and", "or", "not", "nand", "nor", "xor", "xnor", NULL};

/* One unit on x [B, n]: fires where weight·Σx ≥ threshold. Sums are whole numbers, so the bias stands half-way. */
static hd_val unit(hd_loc at, hd_val x, const char *name, double weight, double threshold) {
    char text[32];
    const hd_dims d = hd_val_dims(x);
    const int64_t n = d.rank == 2 ? d.dim[1] : 0;
    (void)snprintf(text, sizeof text, "%s.weight", name);
    const hd_val w = hd_param_at(at, x.graph, text, hd_val_dtype(x), HD_DIMS(1, n), HD_CONSTANT(weight));
    (void)snprintf(text, sizeof text, "%s.bias", name);
    const hd_val b = hd_param_at(at, x.graph, text, hd_val_dtype(x), HD_DIMS(1), HD_CONSTANT(0.5 - threshold));
    return hd_step_at(at, &(hd_unary_args){.x = hd_linear_at(at, &(hd_linear_args){.x = x, .w = w, .b = b})});
}

static hd_val simple(hd_loc at, hd_val x, int64_t function, double n, const char *name) {
    switch (function) {
    case AND: return unit(at, x, name, 1, n);
    case OR: return unit(at, x, name, 1, 1);
    case NAND: return unit(at, x, name, -1, 1 - n);
    default: return unit(at, x, name, -1, 0); /* not, nor */
    }
}

/* XOR: OR, but not AND. XNOR: AND, or NOR. */
static hd_val of_two_layers(hd_loc at, hd_val x, bool negated) {
    const hd_val both[] = {simple(at, x, negated ? AND : OR, 2, negated ? "and" : "or"),
                           simple(at, x, negated ? NOR : NAND, 2, negated ? "nor" : "nand")};
    const hd_val pair = hd_concat_at(at, &(hd_concat_args){.x = both, .n = 2});
    return simple(at, pair, negated ? OR : AND, 2, "out");
}

static hd_val build(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    const pitts_args *a = args;
    const int64_t n = hd_zoo_size(x), f = a->function;
    char what[256];
    if (outputs != 1) return hd_zoo_refuse(at, x, "mcculloch-pitts says yes or no", "Give it two classes: data logic");
    if (f == NOT && n != 1) return hd_zoo_refuse(at, x, "not has one input", "Use data.function=not");
    const hd_val h = hd_zoo_rows(at, x);
    if (f != XOR && f != XNOR) return simple(at, h, f, (double)n, "unit");
    if (n != 2) return hd_zoo_refuse(at, x, "xor and xnor are built for two inputs", "Use data.inputs=2");
    if (a->layers >= 2) return of_two_layers(at, h, f == XNOR);
    (void)snprintf(what, sizeof what, "one threshold unit can not compute %s: it is not linearly separable (%s)",
                   functions[f],
                   f == XOR ? "w1 ≥ θ and w2 ≥ θ with 0 < θ make w1 + w2 ≥ θ, and 1,1 would fire too"
                            : "0 ≥ θ and w1 + w2 ≥ θ with w1 < θ and w2 < θ contradict each other");
    return hd_zoo_refuse(at, x, what, "Give it a second layer: model.layers=2");
}

static const hd_option options[] = {HD_ZOO_OPT(pitts_args, function, ENUM, .choices = functions,
                                               .help = "what it computes: and, or, not, nand, nor, xor, xnor"),
                                    HD_ZOO_OPT(pitts_args, layers, INT, .def = 1, .min = 1, .max = 2,
                                               .help = "1: a single unit; 2: units of units, which xor and xnor need"),
                                    HD_OPTION_END};

const hd_zoo_entry hd_zoo_mcculloch_pitts = {
    .name = "mcculloch-pitts",
    .description = "a threshold unit with fixed weights: logic out of nerve cells, before anything could learn",
    .authors = "McCulloch, Pitts",
    .paper = "A logical calculus of the ideas immanent in nervous activity, Bull. Math. Biophysics 5, 1943, "
             "doi:10.1007/BF02478259",
    .year = 1943,
    .data = "logic",
    .sample = {1, {2}},
    .outputs = 1,
    .loss = "mse",
    .keeps_loss = true,
    .no_gradient = true,
    .method = "fixed",
    .args_size = sizeof(pitts_args),
    .options = options,
    .build = build,
};
