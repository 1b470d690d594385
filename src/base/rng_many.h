/* rng_many.h: numbers first, first + 1, … of a fresh stream at once, the same as one by one. */
#ifndef HD_BASE_RNG_MANY_H
#define HD_BASE_RNG_MANY_H
#include "base/context.h"
#include "base/rng.h"

/* n normal numbers of the stream of this key: what hd_rng_normal gives after `first` others. */
void hd_rng_normals(double *out, hd_isa isa, const uint32_t key[2], uint64_t first, size_t n);
/* The normal number made of two uniform ones, 0 < u <= 1 and 0 <= v < 1. */
double hd_rng_bell(double u, double v);
#endif
