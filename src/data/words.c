/* words.c: numbers for words, for targets that are written out. */
#include "base/rng.h"
#include "data/table.h"
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 1 << 16 };

static hd_status rehash(hd_words *w) {
    size_t slots = w->slots ? 2 * w->slots : 64;
    int32_t *slot = hd_alloc_n(w->arena->ctx, slots, sizeof *slot);
    if (!slot) return HD_E_MEMORY;
    hd_free(w->arena->ctx, w->slot);
    w->slot = slot;
    w->slots = slots;
    for (size_t i = 0; i < w->count; i++) {
        size_t at = hd_hash_text(w->word[i]) & (slots - 1);
        while (slot[at]) at = (at + 1) & (slots - 1);
        slot[at] = (int32_t)i + 1;
    }
    return HD_OK;
}

hd_status hd_words_add(hd_words *words, const char *text, size_t length, int32_t *number) {
    hd_words *w = words;
    char local[256];
    *number = 0;
    if (length >= sizeof local) return hd_fail(w->arena->ctx, HD_E_DATA, "|expected class names of at most 255 bytes");
    memcpy(local, text, length);
    local[length] = 0;
    if (2 * (w->count + 1) > w->slots) HD_TRY(rehash(w));
    size_t at = hd_hash_text(local) & (w->slots - 1);
    for (; w->slot[at]; at = (at + 1) & (w->slots - 1)) {
        *number = w->slot[at] - 1;
        if (strcmp(w->word[*number], local) == 0) return HD_OK;
    }
    if (w->count == WORDS_MAX)
        return hd_fail(w->arena->ctx, HD_E_DATA,
                       "|expected at most %d different class names|Is the right column the target? Say "
                       "label=NAME",
                       (int)WORDS_MAX);
    HD_TRY(hd_grow(w->arena->ctx, (void **)&w->word, &w->capacity, w->count + 1, sizeof *w->word));
    w->word[w->count] = hd_arena_strdup(w->arena, local);
    if (!w->word[w->count]) return HD_E_MEMORY;
    *number = (int32_t)w->count++;
    w->slot[at] = *number + 1;
    return HD_OK;
}

static int compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

hd_status hd_words_sort(hd_words *words, int32_t **rank) {
    hd_words *w = words;
    const char **before = hd_alloc_n(w->arena->ctx, w->count + 1, sizeof *before);
    *rank = hd_alloc_n(w->arena->ctx, w->count + 1, sizeof **rank);
    if (!before || !*rank) {
        hd_free(w->arena->ctx, (void *)before);
        hd_free(w->arena->ctx, *rank);
        *rank = NULL;
        return HD_E_MEMORY;
    }
    memcpy((void *)before, (const void *)w->word, w->count * sizeof *before);
    qsort((void *)w->word, w->count, sizeof *w->word, compare);
    for (size_t i = 0; i < w->count; i++) {
        const char **found =
            bsearch((const void *)&before[i], (const void *)w->word, w->count, sizeof *w->word, compare);
        (*rank)[i] = (int32_t)(found - w->word);
    }
    hd_free(w->arena->ctx, (void *)before);
    return HD_OK;
}

void hd_words_free(hd_words *words) {
    if (!words->arena) return;
    hd_free(words->arena->ctx, (void *)words->word);
    hd_free(words->arena->ctx, words->slot);
    *words = (hd_words){0};
}
