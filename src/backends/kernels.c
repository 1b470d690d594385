/* kernels.c: the list of kernels.def as an array. */
#include "compile/kernel.h"

#define HD_KERNEL(variable) extern const hd_kernel variable;
#include "backends/kernels.def"
#undef HD_KERNEL

const hd_kernel *const *hd_kernels_default(void) {
#define HD_KERNEL(variable) &variable,
    static const hd_kernel *const list[] = {
#include "backends/kernels.def"
        NULL};
#undef HD_KERNEL
    return list;
}
