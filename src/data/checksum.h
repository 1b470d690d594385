/* checksum.h: the check sums inside a PNG. */
#ifndef HD_DATA_CHECKSUM_H
#define HD_DATA_CHECKSUM_H
#include "hadal/base.h"

/* CRC-32 (ISO 3309) continued over bytes; start with 0. */
uint32_t hd_crc32(uint32_t crc, const unsigned char *bytes, size_t length);

/* Adler-32 (RFC 1950) continued over bytes; start with 1. */
uint32_t hd_adler32(uint32_t adler, const unsigned char *bytes, size_t length);
#endif
