/* utf8.h: what is a character in UTF-8, for the readers, writers and messages that must not pass on anything else. */
#ifndef HD_BASE_UTF8_H
#define HD_BASE_UTF8_H
#include <stddef.h>
#include <stdint.h>

/* Length in bytes (1 … 4) of the character that text begins with; 0 when it is none: overlong, a surrogate, above
 * U+10FFFF, cut off, or length 0. RFC 3629. */
size_t hd_utf8_length(const char *text, size_t length);
/* Writes a code point (0 … 0x10FFFF); returns the number of bytes, 1 … 4. */
size_t hd_utf8_put(char out[4], uint32_t code);
#endif
