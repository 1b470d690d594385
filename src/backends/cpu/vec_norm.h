/* vec_norm.h: state of the batch normalisation kernels. */
#ifndef HD_BACKENDS_CPU_VEC_NORM_H
#define HD_BACKENDS_CPU_VEC_NORM_H
#include "backends/cpu/planes.h"

enum { HD_VEC_NORM_IMAGES = 8 }; /* most image groups: partial sums of each lie in scratch */

/* Scratch: doubles [2][image tasks][room] of sums, then floats [room] of what was subtracted before summing. */
typedef struct hd_vec_norm {
    hd_planes planes;
    hd_planes_split split;
    int64_t room; /* channels rounded up to whole groups of 16 */
    double eps, momentum;
    float low, high; /* of the clip: −∞, ∞ without */
    int residual;    /* number of the input that is added to y; 0: none */
    int mean;        /* number of the gradient's input mean; invstd follows */
    int y, dy, dy2;  /* inputs of the gradient; 0: none */
    bool again;      /* what the clip let through is worked out again from x */
    bool keep;       /* what arrives is a result too, number 3 */
} hd_vec_norm;
#endif
