/* store.h: the inside of hd_store: named tensors that persist, in blocks of memory, and the arena that programs share.
 */
#ifndef HD_COMPILE_STORE_H
#define HD_COMPILE_STORE_H
#include "base/context.h"
#include "compile/layout.h"
#include "hadal/program.h"

/* The first values of a tensor, row-major: a function of (seed, name) and of what it is (start.c). `out` holds zeros.
 */
HD_CHECKED hd_status hd_start_values(hd_context *ctx, const hd_type *type, const hd_init *init, const char *name,
                                     uint64_t seed, char *out);
/* The same in the order of a layout. */
HD_CHECKED hd_status hd_start_laid(hd_context *ctx, const hd_type *type, const hd_layout *layout, const hd_init *init,
                                   const char *name, uint64_t seed, char *out);

typedef struct hd_entry {
    char *name;
    hd_type type;
    hd_layout layout;
    bool layout_set, trained, optimizer, buffer, ready; /* ready: holds its values */
    hd_init init;
    size_t bytes;              /* physical */
    int32_t block, old_block;  /* -1: none yet. old_block: where its values still are after a move */
    size_t offset, old_offset; /* bytes */
} hd_entry;

typedef struct hd_block {
    size_t bytes;
    char *memory; /* NULL until hd_store_ready */
} hd_block;

struct hd_store {
    hd_context *ctx;
    uint64_t seed;
    int64_t step, updates;
    hd_entry *entries; /* in order of creation */
    size_t entry_count, entry_capacity;
    hd_block *blocks;
    size_t block_count, block_capacity;
    int32_t *order; /* entries by name */
    char *arena;
    size_t arena_bytes, arena_wanted;
    uint64_t version; /* counts changes of any address */
    uint64_t changes; /* counts changes of what parameters and states hold, buffers apart; starts at 1 */
    bool laid;        /* all entries have memory */
    bool settled;     /* and values: hd_store_ready has nothing to do */
};

/* The entry of that name, made when absent. Errors: HD_E_MODEL when it exists with another type. */
HD_CHECKED hd_status hd_store_entry(hd_store *store, const char *name, hd_type type, hd_init init, bool trained,
                                    int32_t *out);
int32_t hd_store_find(const hd_store *store, const char *name); /* -1 */
/* A new block; entries are put into it with hd_store_put. */
HD_CHECKED hd_status hd_store_block(hd_store *store, size_t bytes, int32_t *out);
void hd_store_put(hd_store *store, int32_t entry, int32_t block, size_t offset);
/* Allocates what is not there yet, moves what was put elsewhere, starts what has no values. */
HD_CHECKED hd_status hd_store_ready(hd_store *store);
static inline char *hd_store_address(const hd_store *s, int32_t entry) {
    return s->blocks[s->entries[entry].block].memory + s->entries[entry].offset;
}
#endif
