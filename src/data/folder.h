/* folder.h: the names in a folder, sorted. */
#ifndef HD_DATA_FOLDER_H
#define HD_DATA_FOLDER_H
#include "base/alloc.h"

typedef struct hd_listing {
    char **name; /* texts in the arena, the list itself freed by hd_free */
    size_t count, capacity;
} hd_listing;

/* Everything in a folder that does not begin with a dot and is wanted, in the order of its bytes. */
HD_CHECKED hd_status hd_folder_list(hd_listing *out, hd_context *ctx, hd_arena *arena, const char *folder,
                                    bool (*wanted)(const char *path));
/* Is anything of that in it? Without the memory that a context has: looking may not fail. */
bool hd_folder_has(const char *folder, bool (*wanted)(const char *path));
#endif
