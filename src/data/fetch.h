/* fetch.h: a file from an address, whole and right or not at all. */
#ifndef HD_DATA_FETCH_H
#define HD_DATA_FETCH_H
#include "hadal/data.h"

/* Fetches `url` into `path` through PATH.part, which an interrupted call leaves for the next one to go on with. The
 * file appears by rename when its SHA-256 is right. bytes: its length, 0 when not known. watch may be NULL. Errors:
 * HD_E_FILE (address, network, disk), HD_E_DATA (another file than expected: nothing is kept), HD_E_INTERRUPTED (by
 * watch), HD_E_UNSUPPORTED (built without libcurl; says what to do). */
HD_CHECKED hd_status hd_fetch(hd_context *ctx, const char *url, const char *path, const char *sha256, int64_t bytes,
                              const char *otherwise, hd_fetch_watch watch, void *user);

/* SHA-256 of a file. Errors: HD_E_FILE. */
HD_CHECKED hd_status hd_file_sha256(hd_context *ctx, const char *path, char out[65]);

/* Writes the members of a .tar.gz whose names' last parts are in the list into a folder. Errors: HD_E_DATA, HD_E_FILE,
 * HD_E_UNSUPPORTED (without zlib). */
HD_CHECKED hd_status hd_untar(hd_context *ctx, const char *path, const char *folder, const char *const *names);
#endif
