/* hadal/zoo.h: known networks by name. One family is one file in src/zoo. */
#ifndef HADAL_ZOO_H
#define HADAL_ZOO_H
#include "hadal/nn.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a network needs to know of its data. */
typedef struct hd_zoo_shape {
    hd_dims sample;  /**< without batch; rank 0: the network's published shape */
    int64_t outputs; /**< rank 0 of sample: the published number */
} hd_zoo_shape;

typedef struct hd_zoo_entry {
    const char *name;
    const char *description, *source;
    int year;
    hd_dims sample;  /**< published input */
    int64_t outputs;
    size_t args_size;
    const hd_option *options; /**< of the network, over an args struct */
    hd_val (*build)(hd_val x, int64_t outputs, const void *args); /**< x [B, sample…] → [B, outputs] */
} hd_zoo_entry;
HD_API const hd_zoo_entry *hd_zoo_find(const char *name);
HD_API const hd_zoo_entry *hd_zoo_at(int i);
/** Builds by name; options as a JSON object ("{}" for none). Sticky errors. */
HD_API hd_val hd_zoo_build(hd_val x, const char *name, int64_t outputs, const char *options_json);
/** Builds a one-line network as "784-200-relu-10". */
HD_API hd_val hd_line_build(hd_val x, const char *text);

#ifdef __cplusplus
}
#endif
#endif
