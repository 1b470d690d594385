/* sha256.h: SHA-256, FIPS 180-4. */
#ifndef HD_BASE_SHA256_H
#define HD_BASE_SHA256_H
#include <stddef.h>
#include <stdint.h>

typedef struct hd_sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    unsigned char block[64];
} hd_sha256;
void hd_sha256_init(hd_sha256 *s);
void hd_sha256_add(hd_sha256 *s, const void *bytes, size_t length);
void hd_sha256_hex(hd_sha256 *s, char out[65]); /* ends it */
#endif
