/* written.h: what a model that goes on with a sequence has made, as text. */
#ifndef HD_CLI_WRITTEN_H
#define HD_CLI_WRITTEN_H
#include "cli/cli.h"

/* Without a prompt a text begins as after the end of a line, music in silence. */
hd_status feed_nothing(cli *c, hd_generator *g);
/* One thing, a token or a frame, as bytes: returns how many. */
size_t thing_bytes(hd_generator *g, const float *x, bool abc, char *out, size_t size);
/* Bytes that are no text would break what they are put into: they become U+FFFD. out: 3·length + 1 bytes. Returns out.
 */
char *make_whole(char *out, const char *text, size_t length);
#endif
