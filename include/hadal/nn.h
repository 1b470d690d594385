/* hadal/nn.h: layers: builders that make their own parameters, under PyTorch's names (NAME.weight, NAME.bias, …) and
 * with PyTorch's initial values. */
#ifndef HADAL_NN_H
#define HADAL_NN_H
#include "hadal/init.h"
#include "hadal/nn_conv.h"
#include "hadal/nn_norm.h"
#include "hadal/nn_recurrent.h"
#include "hadal/ops.h"

#include "hadal/nn_attention.h"

#ifdef __cplusplus
extern "C" {
#endif

/** y = x wᵀ + b. NAME.weight [out, in], NAME.bias [out]; both start uniform in ±1/√in unless told otherwise. */
typedef struct hd_nn_linear_args {
    hd_val x;
    const char *name;
    int64_t out_features;
    bool no_bias;
    const hd_init *weight_init, *bias_init; /**< how they start; NULL: as above */
    int end_;
} hd_nn_linear_args;
HD_API hd_val hd_nn_linear_at(hd_loc at, const hd_nn_linear_args *args);
#define hd_nn_linear(...) hd_nn_linear_at(HD_HERE, &(hd_nn_linear_args){__VA_ARGS__, .end_ = 0})

/** 2-D convolution. NAME.weight [out, in/groups, kh, kw], NAME.bias [out]; uniform in ±1/√(in/groups·kh·kw). */
typedef struct hd_nn_conv2d_args {
    hd_val x;
    const char *name;
    int64_t out_channels;
    int64_t kernel_size[2], stride[2], padding[2], dilation[2]; /**< padding: numbers, or HD_SAME in both */
    int64_t groups;
    int64_t padding_mode; /**< HD_PAD_…: zeros, or a rim made of the picture */
    bool no_bias;
    const hd_init *weight_init, *bias_init; /**< how they start; NULL: as above */
    int end_;
} hd_nn_conv2d_args;
HD_API hd_val hd_nn_conv2d_at(hd_loc at, const hd_nn_conv2d_args *args);
#define hd_nn_conv2d(...) hd_nn_conv2d_at(HD_HERE, &(hd_nn_conv2d_args){__VA_ARGS__, .end_ = 0})
/** 1-D convolution of x [batch, channels, length]. NAME.weight [out, in/groups, k], NAME.bias [out]. */
typedef struct hd_nn_conv1d_args {
    hd_val x;
    const char *name;
    int64_t out_channels;
    int64_t kernel_size, stride, padding, dilation;
    int64_t groups;
    int64_t padding_mode; /**< HD_PAD_… */
    bool no_bias;
    const hd_init *weight_init, *bias_init; /**< how they start; NULL: as above */
    int end_;
} hd_nn_conv1d_args;
HD_API hd_val hd_nn_conv1d_at(hd_loc at, const hd_nn_conv1d_args *args);
#define hd_nn_conv1d(...) hd_nn_conv1d_at(HD_HERE, &(hd_nn_conv1d_args){__VA_ARGS__, .end_ = 0})

/** Batch normalisation. NAME.weight (ones), NAME.bias (zeros), NAME.running_mean (zeros), NAME.running_var (ones): [c].
 */
typedef struct hd_nn_batch_norm_args {
    hd_val x;
    const char *name;
    double eps, momentum;       /**< defaults 1e-5, 0.1 */
    const hd_init *weight_init; /**< how the weight starts; NULL: as above */
    int end_;
} hd_nn_batch_norm_args;
HD_API hd_val hd_nn_batch_norm_at(hd_loc at, const hd_nn_batch_norm_args *args);
#define hd_nn_batch_norm(...) hd_nn_batch_norm_at(HD_HERE, &(hd_nn_batch_norm_args){__VA_ARGS__, .end_ = 0})

/** Leaky relu with a trained slope. NAME.weight [num_parameters], which starts as init. */
typedef struct hd_nn_prelu_args {
    hd_val x;
    const char *name;
    int64_t num_parameters; /**< 1 (default), or the number of channels (axis 1) */
    double init;            /**< default 0.25; HD_ZERO for 0 */
    int end_;
} hd_nn_prelu_args;
HD_API hd_val hd_nn_prelu_at(hd_loc at, const hd_nn_prelu_args *args);
#define hd_nn_prelu(...) hd_nn_prelu_at(HD_HERE, &(hd_nn_prelu_args){__VA_ARGS__, .end_ = 0})

/** Dropout with probability p (default 0.5), from the store's seed and step; off outside training. */
typedef struct hd_nn_dropout_args {
    hd_val x;
    double p;
    int end_;
} hd_nn_dropout_args;
HD_API hd_val hd_nn_dropout_at(hd_loc at, const hd_nn_dropout_args *args);
#define hd_nn_dropout(...) hd_nn_dropout_at(HD_HERE, &(hd_nn_dropout_args){__VA_ARGS__, .end_ = 0})
/** The same of whole channels of x [n, c, …], and the form that keeps mean and variance of what selu gives. */
HD_API hd_val hd_nn_feature_dropout_at(hd_loc at, const hd_nn_dropout_args *args);
HD_API hd_val hd_nn_alpha_dropout_at(hd_loc at, const hd_nn_dropout_args *args);
#define hd_nn_feature_dropout(...) hd_nn_feature_dropout_at(HD_HERE, &(hd_nn_dropout_args){__VA_ARGS__, .end_ = 0})
#define hd_nn_alpha_dropout(...)   hd_nn_alpha_dropout_at(HD_HERE, &(hd_nn_dropout_args){__VA_ARGS__, .end_ = 0})
/** hd_reparameterize over the random state of the graph: mean and log_var of one shape. */
typedef struct hd_nn_reparameterize_args {
    hd_val mean, log_var;
    int end_;
} hd_nn_reparameterize_args;
HD_API hd_val hd_nn_reparameterize_at(hd_loc at, const hd_nn_reparameterize_args *args);
#define hd_nn_reparameterize(...) hd_nn_reparameterize_at(HD_HERE, &(hd_nn_reparameterize_args){__VA_ARGS__, .end_ = 0})

/** A trained row for each whole number of x [...]: [..., embedding_dim]. NAME.weight [num_embeddings, embedding_dim]
 * starts standard normal. x is i64; floats are cut to whole numbers. */
typedef struct hd_nn_embedding_args {
    hd_val x;
    const char *name;
    int64_t num_embeddings, embedding_dim;
    int64_t padding_idx; /**< HD_AXIS(k) or negative: a row that starts as 0 and stays; 0: none */
    int end_;
} hd_nn_embedding_args;
HD_API hd_val hd_nn_embedding_at(hd_loc at, const hd_nn_embedding_args *args);
#define hd_nn_embedding(...) hd_nn_embedding_at(HD_HERE, &(hd_nn_embedding_args){__VA_ARGS__, .end_ = 0})

/** Random state of a graph's steps: the i64 [2] input "rng" (seed, step), made when first asked for and bound by
 * programs themselves. */
HD_API hd_val hd_rng_input(hd_graph *graph);

/** Place of the position that a run in decode mode is for: the i64 [1] input "position", 0 for the first, made when
 * first asked for. */
HD_API hd_val hd_position_input(hd_graph *graph);
/** A layer's buffer "NAME.PART" (see hd_buffer). */
HD_API hd_val hd_nn_buffer(hd_loc at, hd_graph *graph, const char *name, const char *part, hd_dtype dtype,
                           hd_dims dims);

/** Layers from text: the `model:` list of a recipe as JSON, e.g. [{"conv2d": {"out_channels": 32, "kernel_size": 3}},
 * "relu", "flatten", {"linear": {"out_features": 10}}]. Names of parameters: the layer's `name`, else TYPE and number
 * ("conv2d1"). A wrong layer or option is the graph's sticky error (HD_E_MODEL, with the nearest known word). */
HD_API hd_val hd_nn_layers(hd_val x, const char *json);

/** The same from a tree as the library's own readers make it (base/json.h), whose messages say file:line:column.
 * `where` (the file) must outlive the graph. */
struct hd_json;
HD_API hd_val hd_nn_layers_tree(hd_val x, const struct hd_json *layers, const char *where);

/** A kind of layer that recipes know: for lists and help. */
typedef struct hd_layer {
    const char *name;
    const char *help; /**< one line, with the formula */
    size_t args_size;
    const hd_option *options; /**< over the args struct; NULL: none */
    bool activation;          /**< acts on each number or along an axis: may stand in a one-line network */
    bool halves;              /**< its result is half as wide as what it gets: glu */
    hd_val (*build)(hd_loc at, hd_val x, const char *name, void *args); /**< NULL: takes lists of layers itself */
} hd_layer;
HD_API const hd_layer *hd_layer_at(int i); /**< NULL past the end */
HD_API const hd_layer *hd_layer_find(const char *name);
/** The layer upon x, with its default options; `name` is for its parameters. Not for those that take lists of layers.
 */
HD_API hd_val hd_layer_apply(hd_loc at, const hd_layer *layer, hd_val x, const char *name);

/** Fills an args struct by its schema: defaults first, then the members of `object` (NULL: none; "name" is
 * passed over). Strings point into the tree. owner names the thing in messages ("conv2d"). Errors: HD_E_MODEL,
 * "where:line:column: conv2d has no option …. Did you mean …?". */
HD_API HD_CHECKED hd_status hd_options_read(hd_context *ctx, const hd_option *options, void *args,
                                            const struct hd_json *object, const char *where, const char *owner);

#ifdef __cplusplus
}
#endif
#endif
