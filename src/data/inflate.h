/* inflate.h: deflate and gzip, read as a stream, and the check sums that go with them. */
#ifndef HD_DATA_INFLATE_H
#define HD_DATA_INFLATE_H
#include "hadal/base.h"

/* Takes a piece of what was inflated. What it returns other than HD_OK ends the reading and is handed on. */
typedef hd_status (*hd_sink_fn)(void *user, const unsigned char *bytes, size_t length);

bool hd_is_gzip(const unsigned char *bytes, size_t length);

/* Inflates a gzip file (all its members; RFC 1952, RFC 1951) piece by piece into `sink`, in constant memory; checks CRC
 * and length. `where` is the file's name for messages. Errors: HD_E_DATA with what is wrong, or what the sink said. */
HD_CHECKED hd_status hd_gunzip(hd_context *ctx, const char *where, const unsigned char *bytes, size_t length,
                               hd_sink_fn sink, void *user);

/* CRC-32 as gzip and PNG use it (ISO 3309). hd_crc_init sets the value to 0, that of no bytes. */
typedef struct hd_crc {
    uint32_t table[8][256];
    uint32_t value;
} hd_crc;
void hd_crc_init(hd_crc *crc);
void hd_crc_add(hd_crc *crc, const unsigned char *bytes, size_t length);

/* Adler-32 (RFC 1950) continued over bytes; start with 1. */
uint32_t hd_adler32(uint32_t adler, const unsigned char *bytes, size_t length);
#endif
