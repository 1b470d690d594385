/* file.h: files read whole or mapped, and written so that a reader sees the old one or the new one. */
#ifndef HD_BASE_FILE_H
#define HD_BASE_FILE_H
#include "base/alloc.h"

/* Whole file into memory of the context (freed by hd_free), NUL-terminated beyond `length`. Errors: HD_E_FILE with
 * errno's text; HD_E_DATA when it is larger than limit (0: none). Not for devices, pipes or folders: HD_E_FILE. */
HD_CHECKED hd_status hd_file_read(hd_context *ctx, const char *path, size_t limit, char **out, size_t *length);

/* Read-only mapping of a regular file. Empty files map to data "" length 0. */
typedef struct hd_map {
    const unsigned char *data;
    size_t length;
} hd_map;
HD_CHECKED hd_status hd_file_map(hd_context *ctx, const char *path, hd_map *out);
void hd_file_unmap(hd_map *map);

/* Writing: hd_out_open makes PATH.tmp-PID-N beside PATH; hd_out_commit flushes, fsyncs, renames, fsyncs the folder;
 * hd_out_abort removes the temporary. The first error sticks: check hd_out_commit alone. */
typedef struct hd_out {
    hd_context *ctx;
    char *path, *temporary;
    int fd;
    int error; /* errno of the first failure */
    unsigned char *buffer;
    size_t used;
    uint64_t written;
} hd_out;
HD_CHECKED hd_status hd_out_open(hd_out *out, hd_context *ctx, const char *path);
void hd_out_write(hd_out *out, const void *bytes, size_t length);
HD_CHECKED hd_status hd_out_commit(hd_out *out);
void hd_out_abort(hd_out *out);
/* The whole dance. */
HD_CHECKED hd_status hd_file_write(hd_context *ctx, const char *path, const void *bytes, size_t length);

bool hd_path_exists(const char *path);
bool hd_path_is_dir(const char *path);
HD_CHECKED hd_status hd_dir_make(hd_context *ctx, const char *path); /* with parents; existing is fine */
#endif
