/* rng.c: owns the random numbers. Every number is a function of (seed, name, position): nothing depends on who asked
 * first. Philox 4x32-10: Salmon et al., SC 2011. */
#include "base/rng.h"
#include "base/rng_many.h"

void hd_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)HD_PHILOX_M0 * c0, p1 = (uint64_t)HD_PHILOX_M1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += HD_PHILOX_W0;
        k1 += HD_PHILOX_W1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

uint64_t hd_hash_text(const char *text) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const unsigned char *s = (const unsigned char *)text; *s; s++) hash = (hash ^ *s) * UINT64_C(0x100000001b3);
    return hash;
}

/* The seed is the key and the name's hash the counter of one Philox block, so that near seeds and names give keys far
 * apart. */
uint64_t hd_rng_key(uint64_t seed, const char *name) {
    uint64_t hash = hd_hash_text(name);
    uint32_t counter[4] = {(uint32_t)hash, (uint32_t)(hash >> 32), 0, 0};
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)}, out[4];
    hd_philox(out, counter, key);
    return out[0] | (uint64_t)out[1] << 32;
}

hd_rng hd_rng_new(uint64_t seed, const char *name) {
    uint64_t key = hd_rng_key(seed, name);
    return (hd_rng){.key = {(uint32_t)key, (uint32_t)(key >> 32)}};
}

uint32_t hd_rng_u32(hd_rng *rng) {
    unsigned lane = (unsigned)(rng->position & 3);
    if (lane == 0 || !rng->have) {
        uint64_t block = rng->position >> 2;
        uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), 0, 0};
        hd_philox(rng->word, counter, rng->key);
        rng->have = 1;
    }
    rng->position++;
    return rng->word[lane];
}

static uint64_t next_u64(hd_rng *rng) {
    uint64_t low = hd_rng_u32(rng);
    return low | (uint64_t)hd_rng_u32(rng) << 32;
}

/* Upper and lower half of a 64 × 64 bit product, in plain C: __int128 is no ISO C. */
static uint64_t mul_high(uint64_t a, uint64_t b, uint64_t *low) {
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t p00 = a0 * b0, p01 = a0 * b1, p10 = a1 * b0, p11 = a1 * b1;
    uint64_t middle = (p00 >> 32) + (uint32_t)p01 + (uint32_t)p10;
    *low = (middle << 32) | (uint32_t)p00;
    return p11 + (p01 >> 32) + (p10 >> 32) + (middle >> 32);
}

uint64_t hd_rng_below(hd_rng *rng, uint64_t n) {
    uint64_t low, high = mul_high(next_u64(rng), n, &low);
    if (low < n)
        for (uint64_t threshold = (0 - n) % n; low < threshold;) high = mul_high(next_u64(rng), n, &low);
    return high;
}

double hd_rng_uniform(hd_rng *rng) {
    return (double)(next_u64(rng) >> 11) * 0x1p-53;
}

double hd_rng_normal(hd_rng *rng) {
    double u = 1 - hd_rng_uniform(rng), v = hd_rng_uniform(rng); /* u in (0, 1] */
    return hd_rng_bell(u, v);
}

void hd_rng_shuffle(hd_rng *rng, int64_t *items, size_t n) {
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)hd_rng_below(rng, i);
        int64_t item = items[i - 1];
        items[i - 1] = items[j];
        items[j] = item;
    }
}
