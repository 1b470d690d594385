/* checksum.c: the check sums of gzip, zlib and PNG. */
#include "data/inflate.h"

void hd_crc_init(hd_crc *crc) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++) c = c & 1 ? UINT32_C(0xEDB88320) ^ (c >> 1) : c >> 1;
        crc->table[0][i] = c;
    }
    for (int k = 1; k < 8; k++)
        for (int i = 0; i < 256; i++) {
            uint32_t c = crc->table[k - 1][i];
            crc->table[k][i] = crc->table[0][c & 255] ^ (c >> 8);
        }
    crc->value = 0;
}

/* Eight bytes at a time: Kounavis and Berry, "A systematic approach to building high performance software-based CRC
 * generators", ISCC 2005. */
void hd_crc_add(hd_crc *crc, const unsigned char *bytes, size_t length) {
    uint32_t c = ~crc->value;
    const uint32_t(*t)[256] = (const uint32_t(*)[256])crc->table;
    for (; length >= 8; length -= 8, bytes += 8) {
        c ^= (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
        c = t[7][c & 255] ^ t[6][c >> 8 & 255] ^ t[5][c >> 16 & 255] ^ t[4][c >> 24] ^ t[3][bytes[4]] ^ t[2][bytes[5]] ^
            t[1][bytes[6]] ^ t[0][bytes[7]];
    }
    for (; length; length--) c = t[0][(c ^ *bytes++) & 255] ^ (c >> 8);
    crc->value = ~c;
}

uint32_t hd_adler32(uint32_t adler, const unsigned char *bytes, size_t length) {
    uint32_t a = adler & 0xffff, b = adler >> 16;
    while (length) {
        size_t n = length < 5552 ? length : 5552; /* as many as fit 32 bits before the remainder is taken */
        length -= n;
        for (; n; n--) {
            a += *bytes++;
            b += a;
        }
        a %= 65521;
        b %= 65521;
    }
    return b << 16 | a;
}
