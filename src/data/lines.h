/* lines.h: the lines of a text file, plain or .gz, one after the other. */
#ifndef HD_DATA_LINES_H
#define HD_DATA_LINES_H
#include "hadal/base.h"

/* Gets a line without its end ("\n" or "\r\n"), not NUL-terminated; number from 1. */
typedef hd_status (*hd_line_fn)(void *user, int64_t number, const char *line, size_t length);

/* Hands every line to fn until it returns something else than HD_OK. *file gets the length of the file before the
 * first line, *text that of the text (unpacked, at most 64 MB and sixteen times the file) behind the last. Memory: none
 * for plain files, one line (at most 4 MB) for .gz. Errors: HD_E_FILE, HD_E_DATA, HD_E_UNSUPPORTED (.gz, built without
 * zlib), fn's. */
HD_CHECKED hd_status hd_lines_read(hd_context *ctx, const char *path, hd_line_fn fn, void *user, uint64_t *text,
                                   uint64_t *file);

/* The same for text in memory. */
HD_CHECKED hd_status hd_lines_cut(hd_context *ctx, const char *where, const char *text, size_t length, hd_line_fn fn,
                                  void *user);
#endif
