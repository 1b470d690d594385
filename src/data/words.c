/* words.c: numbers for words: targets and features that are written out. */
#include "base/rng.h"
#include "base/text.h"
#include "data/table.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static hd_status rehash(hd_words *w, size_t slots) {
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

/* The slot of a word, or the empty one where it belongs. */
static size_t find_slot(const hd_words *w, const char *word) {
    size_t at = hd_hash_text(word) & (w->slots - 1);
    while (w->slot[at] && strcmp(w->word[w->slot[at] - 1], word) != 0) at = (at + 1) & (w->slots - 1);
    return at;
}

/* A NUL inside a cell is a byte of the word like any other, but no name: words end there. */
static bool copy_word(char *local, const char *text, size_t length) {
    if (length > HD_WORD_MAX) return false;
    if (length) memcpy(local, text, length);
    local[length] = 0;
    return true;
}

int32_t hd_words_find(const hd_words *words, const char *text, size_t length) {
    char local[HD_WORD_MAX + 1];
    if (!words->slots || !copy_word(local, text, length)) return -1;
    return words->slot[find_slot(words, local)] - 1;
}

hd_status hd_words_add(hd_words *words, const char *text, size_t length, int32_t *number) {
    hd_words *w = words;
    char local[HD_WORD_MAX + 1];
    *number = 0;
    if (!copy_word(local, text, length) || w->count == HD_WORDS_MAX)
        return hd_fail(w->arena->ctx, HD_E_DATA, "|expected at most %d words of at most %d bytes", (int)HD_WORDS_MAX,
                       (int)HD_WORD_MAX);
    if (2 * (w->count + 1) > w->slots) HD_TRY(rehash(w, w->slots ? 2 * w->slots : 16));
    const size_t at = find_slot(w, local);
    if (w->slot[at]) {
        *number = w->slot[at] - 1;
        return HD_OK;
    }
    HD_TRY(hd_grow(w->arena->ctx, (void **)&w->word, &w->capacity, w->count + 1, sizeof *w->word));
    w->word[w->count] = hd_arena_strdup(w->arena, local);
    if (!w->word[w->count]) return HD_E_MEMORY;
    *number = (int32_t)w->count++;
    w->slot[at] = *number + 1;
    return HD_OK;
}

/* Numbers by value, before words by their bytes. */
static int compare(const void *a, const void *b) {
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    double v, w;
    const bool first = hd_text_to_f64(x, strlen(x), &v) && isfinite(v),
               second = hd_text_to_f64(y, strlen(y), &w) && isfinite(w);
    if (first != second) return first ? -1 : 1;
    if (first && v != w) return v < w ? -1 : 1;
    return strcmp(x, y);
}

hd_status hd_words_sort(hd_words *words) {
    if (words->count == 0) return HD_OK;
    qsort((void *)words->word, words->count, sizeof *words->word, compare);
    return rehash(words, words->slots);
}

void hd_words_free(hd_words *words) {
    if (!words->arena) return;
    hd_free(words->arena->ctx, (void *)words->word);
    hd_free(words->arena->ctx, words->slot);
    *words = (hd_words){0};
}
