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
    const char *description;
    const char *authors; /**< of the paper, family names: "LeCun, Bottou, Bengio, Haffner" */
    const char *paper;   /**< title, where, and address: "Gradient-based learning …, Proc. IEEE 86 (11), doi:…" */
    int year;
    const char *data; /**< a data set by name to try it on; NULL: "mnist" */
    hd_dims sample;   /**< published input */
    int64_t outputs;
    const char *loss;      /**< what it is trained with: "cross_entropy", "mse" */
    bool reconstructs;     /**< its target is its input: no labels are read */
    const char *loss_part; /**< name of a value [B] that is added to the loss of each sample; or NULL */
    bool keeps_loss;       /**< with classes too, and with one output for two; else data and outputs choose the loss */
    bool no_gradient; /**< nothing flows back through it: `method` finds its weights, or they stand as they are built */
    const char *method; /**< of train.method, when the recipe says nothing of how; NULL: gradient */
    size_t args_size;
    const hd_option *options;                                                /**< of the network, over an args struct */
    hd_val (*build)(hd_loc at, hd_val x, int64_t outputs, const void *args); /**< x [B, sample…] → [B, outputs] */
} hd_zoo_entry;
HD_API const hd_zoo_entry *hd_zoo_find(const char *name);
HD_API const hd_zoo_entry *hd_zoo_at(int i);
/** Builds by name; options as a JSON object ("{}" for none). Sticky errors. */
HD_API hd_val hd_zoo_build(hd_val x, const char *name, int64_t outputs, const char *options_json);
/** The same from a tree (base/json.h; members that are not options, as "name", left out by the caller; NULL: none). */
struct hd_json;
HD_API hd_val hd_zoo_build_tree(hd_val x, const char *name, int64_t outputs, const struct hd_json *options,
                                const char *where, hd_loc at);

/** The fixed weight of a neocognitron's cell for one that lies dy, dx away in a window of side × side of so many
 * planes: less with the distance; all of the window add up to 1. What competitive learning adds to weights goes by it.
 */
HD_API double hd_neocognitron_nearness(int64_t dy, int64_t dx, int64_t side, int64_t planes);

/** A one-line network, "784-200-relu-10": the first number is the size of the input, every further number a linear
 * layer (fc1, fc2, … as PyTorch would call them), every word an activation where it stands. Inputs of more than one
 * axis are flattened first. */
HD_API hd_val hd_line_build(hd_val x, const char *text);
HD_API hd_val hd_line_build_at(hd_loc at, hd_val x, const char *text);
typedef struct hd_line_info {
    int64_t inputs, outputs;
    bool activated; /**< an activation stands after the last width */
} hd_line_info;
/** True when text is a one-line network (it begins with a digit and parses); out (may be NULL) says its ends. */
HD_API bool hd_line_read(const char *text, hd_line_info *out);

#ifdef __cplusplus
}
#endif
#endif
