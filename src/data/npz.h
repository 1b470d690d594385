/* npz.h: archives of arrays, as numpy.savez and savez_compressed write them (zip). */
#ifndef HD_DATA_NPZ_H
#define HD_DATA_NPZ_H
#include "data/bytes.h"

/* One member, its bytes still packed. */
typedef struct hd_zip_member {
    const char *name; /* in the arena */
    int method;       /* 0 stored, 8 deflated */
    uint32_t crc;
    size_t packed, length, at; /* bytes in the file, unpacked; of its local header */
} hd_zip_member;

typedef struct hd_zip {
    hd_context *ctx;
    const char *where;
    const unsigned char *data;
    size_t length;
    hd_zip_member *member; /* in the arena */
    int count;
    size_t budget; /* bytes that may still be unpacked */
} hd_zip;

bool hd_is_zip(const unsigned char *bytes, size_t length);
/* Reads the list of members. The bytes must live as long. Errors: HD_E_DATA (zip64, encryption and other methods
 * are not read). */
HD_CHECKED hd_status hd_zip_open(hd_zip *out, hd_context *ctx, hd_arena *arena, const char *where,
                                 const unsigned char *bytes, size_t length);
const hd_zip_member *hd_zip_find(const hd_zip *zip, const char *name);
/* A member's bytes: inside the file where it is stored, else in *memory (from hd_alloc, the caller's). Its check sum is
 * compared. Errors: HD_E_DATA, HD_E_MEMORY, HD_E_UNSUPPORTED (deflated, without zlib). */
HD_CHECKED hd_status hd_zip_read(hd_zip *zip, const hd_zip_member *member, const unsigned char **bytes, void **memory);
#endif
