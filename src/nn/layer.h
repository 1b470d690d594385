/* layer.h: what layer files share: names of parameters, refusals. Knows no layer. */
#ifndef HD_NN_LAYER_H
#define HD_NN_LAYER_H
#include "hadal/nn.h"

enum { HD_LAYER_NAME = 256 };
#define HD_LAYER_MAX 1000000000 /* widths, channels, kernel sizes beyond this are mistakes */

/* "WHERE|TYPE "NAME": WHAT|FIX" as the graph's sticky error; where is `at`. fix may be "". Returns none. */
hd_val hd_layer_refuse(hd_graph *graph, hd_loc at, const char *type, const char *name, const char *fix,
                       const char *what, ...) HD_PRINTF(6, 7);

/* True when layers can be added to x's graph; remembers nothing. */
bool hd_layer_ready(hd_val x);

/* The given name, or, where it is NULL or "", the first of TYPE1, TYPE2, … that the graph does not use yet. Refuses
 * (false) names that are too long or hold control characters. buffer: HD_LAYER_NAME bytes. */
bool hd_layer_name(hd_graph *graph, hd_loc at, const char *type, const char *given, char *buffer);
/* "NAME.PART" into buffer (HD_LAYER_NAME bytes); returns it. */
const char *hd_layer_param(char *buffer, const char *name, const char *part);

/* The constant i64 [n] of 0, 1, … */
hd_val hd_layer_range(hd_graph *graph, int64_t n);

/* In descriptors: an option over field `f` of struct `s`. */
#define HD_LAYER_OPT(s, f, ty, n, ...)                                                                                 \
    { .name = #f, .type = ty, .offset = offsetof(s, f), .count = n, __VA_ARGS__ }
/* build_NAME of a layer without parameters, whose args struct begins with x: the builder alone. */
#define HD_LAYER_BUILD(name_, args_type, builder_)                                                                     \
    static hd_val build_##name_(hd_loc at, hd_val x, const char *name, void *args) {                                   \
        args_type *a = args;                                                                                           \
        (void)name;                                                                                                    \
        a->x = x;                                                                                                      \
        return builder_(at, a);                                                                                        \
    }
/* build_NAME of one with parameters, whose args struct begins with x and name. */
#define HD_LAYER_BUILD_NAMED(name_, args_type, builder_)                                                               \
    static hd_val build_##name_(hd_loc at, hd_val x, const char *name, void *args) {                                   \
        args_type *a = args;                                                                                           \
        a->x = x;                                                                                                      \
        a->name = name;                                                                                                \
        return builder_(at, a);                                                                                        \
    }
/* A layer without parameters: the builder with its own options, an array. */
#define HD_LAYER_PLAIN(name_, args_type, builder_, options_, help_)                                                    \
    HD_LAYER_BUILD(name_, args_type, builder_)                                                                         \
    const hd_layer hd_layer_##name_ = {                                                                                \
        .name = #name_, .help = help_, .args_size = sizeof(args_type), .options = options_, .build = build_##name_};
#endif
