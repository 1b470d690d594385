/* layout.c: sizes of layouts, and the slow, general way between them and plain order (for load, save and checks). */
#include "compile/layout.h"
#include <stdio.h>
#include <string.h>

bool hd_layout_equal(const hd_layout *a, const hd_layout *b) {
    if (a->nblk != b->nblk || a->permuted != b->permuted || a->places != b->places) return false;
    if (a->permuted && memcmp(a->perm, b->perm, sizeof a->perm) != 0) return false;
    return memcmp(a->idx, b->idx, a->nblk) == 0 && memcmp(a->blk, b->blk, a->nblk) == 0;
}

bool hd_layout_is_plain(const hd_layout *l) {
    return !l->nblk && !l->permuted;
}

/* ---- pictures as rows ---- */

void hd_layout_unfold(hd_layout *l, hd_dims *dims) {
    if (!l->places || dims->rank < 1 || dims->rank >= HD_MAX_DIMS) return;
    const int last = dims->rank++ - 1;
    dims->dim[last + 1] = l->places;
    dims->dim[last] /= l->places;
    l->places = 0;
}

/* The dimensions of a plane run on as one. */
bool hd_layout_as_rows(const hd_layout *picture, const hd_dims *x, hd_layout *rows) {
    int64_t places = 1;
    for (int d = 2; d < x->rank; d++) places *= x->dim[d];
    if (x->rank < 3 || places < 2 || places > UINT16_MAX || picture->places) return false;
    *rows = (hd_layout){.places = (uint16_t)places};
    if (picture->nblk == 1 && !picture->permuted && picture->idx[0] == 1 && x->dim[1] % picture->blk[0] == 0) {
        rows->nblk = 1, rows->idx[0] = 1, rows->blk[0] = picture->blk[0];
        return true;
    }
    if (picture->nblk || !picture->permuted || picture->perm[0] != 0 || picture->perm[x->rank - 1] != 1) return false;
    for (int d = 2; d < x->rank; d++)
        if (picture->perm[d - 1] != d) return false;
    rows->permuted = 1, rows->perm[0] = 0, rows->perm[1] = 2, rows->perm[2] = 1;
    return true;
}

bool hd_layout_as_picture(const hd_layout *rows, const hd_dims *x, hd_layout *picture) {
    hd_layout again;
    *picture = (hd_layout){.nblk = rows->nblk};
    if (rows->nblk) picture->idx[0] = 1, picture->blk[0] = rows->blk[0];
    for (int d = 0; d < x->rank && d < HD_MAX_DIMS && rows->permuted; d++)
        picture->perm[d] = (uint8_t)(d == 0 ? 0 : d < x->rank - 1 ? d + 1 : 1);
    picture->permuted = rows->permuted;
    return rows->places && hd_layout_as_rows(picture, x, &again) && hd_layout_equal(&again, rows);
}

/* Product of the blocks of a dimension. */
static int64_t hd_block_of(const hd_layout *l, int d) {
    int64_t b = 1;
    for (int j = 0; j < l->nblk; j++)
        if (l->idx[j] == d) b *= l->blk[j];
    return b;
}

int64_t hd_layout_count(const hd_layout *l, const hd_dims *dims) {
    if (hd_layout_is_plain(l) || l->places) return hd_dims_count(dims);
    int64_t n = 1;
    for (int d = 0; d < dims->rank; d++) {
        const int64_t b = hd_block_of(l, d);
        n *= (dims->dim[d] + b - 1) / b * b;
    }
    return n;
}

int64_t hd_layout_rows(const hd_layout *l) {
    return l->permuted && l->perm[0] != 0 ? 0 : hd_block_of(l, 0);
}

/* Element offset of a logical index. */
static int64_t hd_layout_at(const hd_layout *l, const hd_dims *dims, const int64_t *index) {
    int64_t rest[HD_MAX_DIMS], inner = 0, inner_size = 1, outer = 0;
    for (int d = 0; d < dims->rank; d++) rest[d] = index[d];
    for (int j = l->nblk - 1; j >= 0; j--) { /* the last block is the innermost */
        const int d = l->idx[j];
        inner += rest[d] % l->blk[j] * inner_size;
        rest[d] /= l->blk[j];
        inner_size *= l->blk[j];
    }
    for (int p = 0; p < dims->rank; p++) {
        const int d = l->permuted ? l->perm[p] : p;
        const int64_t b = hd_block_of(l, d);
        outer = outer * ((dims->dim[d] + b - 1) / b) + rest[d];
    }
    return outer * inner_size + inner;
}

/* One element at a time, where each dimension's share of the address comes out of a table: an address is the sum of
 * what its indices add. */
static void hd_layout_copy_by_table(const hd_dims *dims, size_t size, char *plain, char *packed, bool pack,
                                    const int64_t *table) {
    const int64_t n = hd_dims_count(dims);
    const int64_t *step[HD_MAX_DIMS];
    int64_t index[HD_MAX_DIMS] = {0};
    int inner = dims->rank - 1; /* the last that is longer than 1 */
    while (inner > 0 && dims->dim[inner] == 1) inner--;
    const int64_t last = dims->dim[inner];
    for (int d = 0; d < dims->rank; table += dims->dim[d++]) step[d] = table;
    for (int64_t row = 0; row < n; row += last) {
        int64_t base = 0;
        for (int d = 0; d < inner; d++) base += step[d][index[d]];
        for (int64_t i = 0; i < last; i++) {
            char *a = plain + (size_t)(row + i) * size, *b = packed + (size_t)(base + step[inner][i]) * size;
            if (size == sizeof(float))
                memcpy(pack ? b : a, pack ? a : b, sizeof(float));
            else
                memcpy(pack ? b : a, pack ? a : b, size);
        }
        for (int d = inner - 1; d >= 0; d--) {
            if (++index[d] < dims->dim[d]) break;
            index[d] = 0;
        }
    }
}

static void hd_layout_copy(const hd_layout *l, const hd_dims *dims, size_t size, char *plain, char *packed, bool pack) {
    enum { TABLE = 8192 };
    int64_t table[TABLE], used = 0, index[HD_MAX_DIMS] = {0};
    const int64_t n = hd_dims_count(dims);
    bool fits = dims->rank > 0;
    for (int d = 0; d < dims->rank && fits; d++)
        fits = dims->dim[d] > 0 && dims->dim[d] <= TABLE && (used += dims->dim[d]) <= TABLE;
    if (fits) {
        int64_t *at = table;
        for (int d = 0; d < dims->rank; index[d++] = 0)
            for (index[d] = 0; index[d] < dims->dim[d]; index[d]++) *at++ = hd_layout_at(l, dims, index);
        hd_layout_copy_by_table(dims, size, plain, packed, pack, table);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        const size_t at = (size_t)hd_layout_at(l, dims, index) * size;
        if (pack)
            memcpy(packed + at, plain + (size_t)i * size, size);
        else
            memcpy(plain + (size_t)i * size, packed + at, size);
        for (int d = dims->rank - 1; d >= 0; d--) {
            if (++index[d] < dims->dim[d]) break;
            index[d] = 0;
        }
    }
}

void hd_layout_pack(const hd_layout *l, const hd_dims *dims, size_t size, const void *plain, void *packed) {
    const size_t bytes = (size_t)hd_layout_count(l, dims) * size;
    if (hd_layout_is_plain(l)) {
        if (bytes) memcpy(packed, plain, bytes);
        return;
    }
    if (hd_layout_count(l, dims) != hd_dims_count(dims)) memset(packed, 0, bytes); /* padding */
    hd_layout unfolded = *l;
    hd_dims parts = *dims;
    hd_layout_unfold(&unfolded, &parts);
    hd_layout_copy(&unfolded, &parts, size, (char *)(uintptr_t)plain, packed, true);
}

void hd_layout_unpack(const hd_layout *l, const hd_dims *dims, size_t size, const void *packed, void *plain) {
    if (hd_layout_is_plain(l)) {
        const size_t bytes = (size_t)hd_dims_count(dims) * size;
        if (bytes) memcpy(plain, packed, bytes);
        return;
    }
    hd_layout unfolded = *l;
    hd_dims parts = *dims;
    hd_layout_unfold(&unfolded, &parts);
    hd_layout_copy(&unfolded, &parts, size, plain, (char *)(uintptr_t)packed, false);
}

const char *hd_layout_text(char *buffer, const hd_layout *l, int rank) {
    if (hd_layout_is_plain(l)) return strcpy(buffer, "plain");
    size_t at = 0;
    rank += l->places != 0;
    for (int p = 0; p < rank && at < 40; p++) {
        const int d = l->permuted ? l->perm[p] : p;
        buffer[at++] = (char)((hd_block_of(l, d) > 1 ? 'A' : 'a') + d);
    }
    for (int j = 0; j < l->nblk && at < 50; j++)
        at += (size_t)snprintf(buffer + at, 8, "%d%c", l->blk[j], 'a' + l->idx[j]);
    buffer[at] = 0;
    return buffer;
}
