/* rolls.h: pieces of music as lists of time steps, each a list of MIDI notes, in JSON:
 * {"train": [[[60, 64], [], …], …], "valid": …, "test": …}, as Boulanger-Lewandowski's data sets are passed on. */
#ifndef HD_DATA_ROLLS_H
#define HD_DATA_ROLLS_H
#include "hadal/base.h"

enum { HD_ROLL_PARTS = 3 }; /* train, valid (or val), test */

/* What is told of a file as it is read: of every step its notes, one by one, then its end; then the end of the piece.
 * Anything but HD_OK ends the reading with that status. */
typedef struct hd_roll_reader {
    void *user;
    hd_status (*note)(void *user, int part, int64_t midi);
    hd_status (*step)(void *user, int part);
    hd_status (*piece)(void *user, int part);
} hd_roll_reader;

/* Reads the text from its begin to its end; takes no memory. Notes are −1, a voice that is silent, to 127.
 * Errors: HD_E_DATA "where:line: …". */
HD_CHECKED hd_status hd_rolls_read(hd_context *ctx, const char *where, const char *text, size_t length,
                                   const hd_roll_reader *reader);
#endif
