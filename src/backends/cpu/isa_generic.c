/* isa_generic.c: the vector bodies compiled for what every processor of the kind has: 4 floats a vector. */
#include "backends/cpu/bodies.h"

#define HD_VL        4
#define HD_ISA(name) name##_generic
#include "backends/cpu/gemm_body.h"
#if __has_include("backends/cpu/vec_body.h")
#include "backends/cpu/vec_body.h"
#include "backends/cpu/winograd_back_body.h"
#endif
