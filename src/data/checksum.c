/* checksum.c: the check sums inside a PNG, for the pictures that are written without any library. */
#include "data/checksum.h"

/* Four bits at a time: what each remainder of four bits adds, for the reversed polynomial 0xEDB88320. */
uint32_t hd_crc32(uint32_t crc, const unsigned char *bytes, size_t length) {
    static const uint32_t step[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
                                      0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                      0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    uint32_t c = ~crc;
    for (; length; length--) {
        c ^= *bytes++;
        c = step[c & 15] ^ c >> 4;
        c = step[c & 15] ^ c >> 4;
    }
    return ~c;
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
