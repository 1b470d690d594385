/* rng.h: counter-based random numbers. Philox 4x32-10, Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011. Nothing depends on the order of calls: a number is a function of (key, counter). */
#ifndef HD_BASE_RNG_H
#define HD_BASE_RNG_H
#include <stddef.h>
#include <stdint.h>

/* Multipliers and key increments of the paper (the increments are the golden ratio and √3 − 1, as 32-bit fractions). */
#define HD_PHILOX_M0 UINT32_C(0xD2511F53)
#define HD_PHILOX_M1 UINT32_C(0xCD9E8D57)
#define HD_PHILOX_W0 UINT32_C(0x9E3779B9)
#define HD_PHILOX_W1 UINT32_C(0xBB67AE85)

/* Four random words from a 128-bit counter and a 64-bit key. */
void hd_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

/* A stream of numbers: a key made of (seed, name) and a counter. Copy it to fork it. */
typedef struct hd_rng {
    uint32_t key[2];
    uint64_t position; /* in words */
    uint32_t word[4];  /* the block of position / 4, when have */
    int have;
} hd_rng;
hd_rng hd_rng_new(uint64_t seed, const char *name);
uint64_t hd_rng_key(uint64_t seed, const char *name); /* the key alone, low word first */
uint32_t hd_rng_u32(hd_rng *rng);
uint64_t hd_rng_below(hd_rng *rng, uint64_t n);             /* 0 … n-1, unbiased (Lemire 2019); n ≥ 1 */
double hd_rng_uniform(hd_rng *rng);                         /* [0, 1), 53 bits */
double hd_rng_normal(hd_rng *rng);                          /* mean 0, deviation 1 (Box, Muller 1958) */
void hd_rng_shuffle(hd_rng *rng, int64_t *items, size_t n); /* Fisher and Yates */
/* 64-bit FNV-1a of a string: stable over builds, for naming streams. */
uint64_t hd_hash_text(const char *text);
#endif
