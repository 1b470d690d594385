/* bytes.h: a whole file, plain (mapped) or .gz (unpacked). */
#ifndef HD_DATA_BYTES_H
#define HD_DATA_BYTES_H
#include "base/alloc.h"
#include "base/file.h"

/* What a packed file may grow to: 56 MB and four times its size. The digits of MNIST grow 4.9 times, to 47 MB. */
#define HD_GROWN_MAX(length) (((size_t)56 << 20) + 4 * (size_t)(length))

typedef struct hd_bytes {
    hd_context *ctx;
    const unsigned char *data;
    size_t length, file; /* unpacked, and on disk */
    hd_map map;          /* of a plain file */
    void *memory;        /* from hd_alloc, of a packed one */
} hd_bytes;

/* Errors: HD_E_FILE, HD_E_DATA (damaged, or larger than HD_GROWN_MAX), HD_E_MEMORY, HD_E_UNSUPPORTED (.gz without
 * zlib). */
HD_CHECKED hd_status hd_bytes_load(hd_bytes *out, hd_context *ctx, const char *path);
void hd_bytes_free(hd_bytes *bytes);
#endif
