/* vec_kernels.h: the bandwidth-bound kernels by name, and the lengths and layouts that their tests go through. */
#ifndef HD_TESTS_VEC_KERNELS_H
#define HD_TESTS_VEC_KERNELS_H
#include "kernel_kit.h"

#define HD_KERNEL(variable) extern const hd_kernel variable;
#include "backends/cpu/vec.def"
#undef HD_KERNEL

static const hd_kernel *const kernels[] = {
#define HD_KERNEL(variable) &variable,
#include "backends/cpu/vec.def"
#undef HD_KERNEL
};

static inline const hd_kernel *kernel_of(const char *name) {
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++)
        if (strcmp(kernels[i]->name, name) == 0) return kernels[i];
    fail_msg("no kernel %s", name);
    return NULL;
}

/* Lengths around the widths of vectors, and such that a second task begins. */
static const int64_t lengths[] = {0, 1, 3, 15, 16, 17, 63, 1000, 4097, 70001};
enum { LENGTHS = sizeof lengths / sizeof *lengths };
static const hd_layout blocked = {.nblk = 1, .idx = {1}, .blk = {16}}, blocked8 = {.nblk = 1, .idx = {1}, .blk = {8}};
static const hd_layout plain, nhwc = {.permuted = 1, .perm = {0, 2, 3, 1}};
static const hd_layout weights = {.nblk = 2, .idx = {1, 0}, .blk = {16, 16}};

#endif
