/* hadal/init.h: ways to start parameters by name, as torch.nn.init has them: for a parameter of given dimensions they
 * become an hd_init. */
#ifndef HADAL_INIT_H
#define HADAL_INIT_H
#include "hadal/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a way to start takes; zero is the default, HD_ZERO (hadal/op.h) an explicit zero. Names and defaults are
 * PyTorch's. */
typedef struct hd_init_args {
    const char *name;         /**< one of hd_init_names */
    double a, b;              /**< uniform: range (0, 1); trunc_normal: bounds (−2, 2); kaiming: a, slope (0) */
    double val;               /**< constant */
    double mean, std;         /**< normal, trunc_normal (0, 1); sparse: std (0.01) */
    double gain;              /**< xavier, orthogonal (1) */
    double sparsity;          /**< sparse: share of zeros in a column (0.5) */
    double groups;            /**< dirac (1) */
    const char *mode;         /**< kaiming: "fan_in" (NULL too) or "fan_out" */
    const char *nonlinearity; /**< kaiming: NULL is "leaky_relu" */
} hd_init_args;
/** uniform, normal, constant, ones, zeros, eye, dirac, xavier_uniform, xavier_normal, kaiming_uniform, kaiming_normal,
 * trunc_normal, orthogonal, sparse; ended by NULL. */
HD_API const char *const *hd_init_names(void);
/** Factor that keeps the size of activations behind a nonlinearity: linear, conv, sigmoid 1; tanh 5/3; relu √2;
 * leaky_relu √(2/(1 + param²)), param 0.01 where it is 0; selu 3/4. NaN: not known. As torch.nn.init.calculate_gain. */
HD_API double hd_init_gain(const char *nonlinearity, double param);
/** The start of a parameter of these dimensions. Errors: HD_E_MODEL with `message` saying what does not fit. */
HD_API HD_CHECKED hd_status hd_init_make(hd_init *out, const hd_init_args *args, const hd_dims *dims, char *message,
                                         size_t size);
/** Gives every parameter whose name fits the pattern (NULL: any) and that has at least `rank` dimensions this start; to
 * be called before programs are compiled. Returns how many, −1 on failure, which is then the graph's. */
HD_API int32_t hd_graph_init(hd_graph *graph, const char *pattern, int rank, const hd_init_args *args);

#ifdef __cplusplus
}
#endif
#endif
