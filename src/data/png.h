/* png.h: a picture file's pixels: PNG, JPEG, and the portable maps of Netpbm (PBM, PGM, PPM). */
#ifndef HD_DATA_PNG_H
#define HD_DATA_PNG_H
#include "data/bytes.h"

typedef struct hd_pixels {
    unsigned char *data; /* [h, w, channels] from hd_alloc */
    int64_t h, w;
    int channels; /* 2: grey and alpha, 4: red, green, blue, alpha */
    bool alpha;   /* the file has transparency */
} hd_pixels;

/* Reads a picture of any of these forms, plain or .gz, by its first bytes. Errors: HD_E_FILE, HD_E_DATA, HD_E_MEMORY,
 * HD_E_UNSUPPORTED. */
HD_CHECKED hd_status hd_pixels_read(hd_context *ctx, const char *path, hd_pixels *out);

bool hd_is_jpeg(const unsigned char *bytes, size_t length);
/* Decodes a baseline or progressive JPEG, grey, colour or of four inks. Sizes are compared with hd_pixels_fit before
 * anything of the picture is. Errors: HD_E_DATA, HD_E_MEMORY, HD_E_UNSUPPORTED without libjpeg. */
HD_CHECKED hd_status hd_jpeg_decode(hd_context *ctx, const char *path, const hd_bytes *file, hd_pixels *out);
bool hd_is_pnm(const unsigned char *bytes, size_t length);
/* Memory that pixels of a file may take: 56 MB and three times the file. */
bool hd_pixels_fit(size_t bytes, const hd_bytes *file);

/* Decodes a PNG of any colour form, depth and interlacing to 8 bits a channel. Sizes are compared with hd_pixels_fit
 * before anything is allocated. Errors: HD_E_DATA, HD_E_MEMORY, HD_E_UNSUPPORTED without libpng. */
HD_CHECKED hd_status hd_png_decode(hd_context *ctx, const char *path, const hd_bytes *file, hd_pixels *out);
/* The same for P1 … P6, of up to 65,535 shades. Errors: HD_E_DATA, HD_E_MEMORY. */
HD_CHECKED hd_status hd_pnm_decode(hd_context *ctx, const char *path, const hd_bytes *file, hd_pixels *out);
#endif
