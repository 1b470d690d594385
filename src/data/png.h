/* png.h: a PNG's pixels. */
#ifndef HD_DATA_PNG_H
#define HD_DATA_PNG_H
#include "hadal/base.h"

typedef struct hd_pixels {
    unsigned char *data; /* [h, w, channels] from hd_alloc */
    int64_t h, w;
    int channels; /* 2: grey and alpha, 4: red, green, blue, alpha */
    bool alpha;   /* the file has transparency */
} hd_pixels;

/* Decodes a PNG of any colour form, depth and interlacing to 8 bits a channel. Sizes are compared with 56 MB and three
 * times the file before anything is allocated. Errors: HD_E_FILE, HD_E_DATA, HD_E_MEMORY, HD_E_UNSUPPORTED without
 * libpng. */
HD_CHECKED hd_status hd_png_read(hd_context *ctx, const char *path, hd_pixels *out);
#endif
