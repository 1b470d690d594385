/* inflate.h: gzip files, unpacked as a stream. */
#ifndef HD_DATA_INFLATE_H
#define HD_DATA_INFLATE_H
#include "hadal/base.h"

/* Takes a piece of what was inflated. What it returns other than HD_OK ends the reading and is handed on. */
typedef hd_status (*hd_sink_fn)(void *user, const unsigned char *bytes, size_t length);

bool hd_is_gzip(const unsigned char *bytes, size_t length);

/* Inflates a gzip file (all its members; RFC 1952) piece by piece into `sink`, in constant memory; checks CRC and
 * length. `where` is the file's name for messages. Errors: HD_E_DATA with what is wrong, HD_E_MEMORY, HD_E_UNSUPPORTED
 * (built without zlib), or what the sink said. */
HD_CHECKED hd_status hd_gunzip(hd_context *ctx, const char *where, const unsigned char *bytes, size_t length,
                               hd_sink_fn sink, void *user);
/* The same for one deflated stream without a frame (RFC 1951), as it stands in zip archives. */
HD_CHECKED hd_status hd_inflate_raw(hd_context *ctx, const char *where, const unsigned char *bytes, size_t length,
                                    hd_sink_fn sink, void *user);
#endif
