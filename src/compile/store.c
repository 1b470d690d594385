/* store.c: what persists from step to step: named tensors in blocks of memory, in the order the kernels want. */
#include "compile/store.h"
#include <string.h>

enum { HD_STORE_ALIGN = 64 };

hd_status hd_store_new(hd_store **out, hd_context *ctx, uint64_t seed) {
    *out = hd_alloc(ctx, sizeof **out);
    if (!*out) return HD_E_MEMORY;
    (*out)->ctx = ctx;
    (*out)->seed = seed;
    (*out)->changes = 1;
    return HD_OK;
}

void hd_store_free(hd_store *store) {
    if (!store) return;
    for (size_t i = 0; i < store->entry_count; i++) hd_free(store->ctx, store->entries[i].name);
    for (size_t i = 0; i < store->block_count; i++) hd_free(store->ctx, store->blocks[i].memory);
    hd_free(store->ctx, store->entries);
    hd_free(store->ctx, store->blocks);
    hd_free(store->ctx, store->order);
    hd_free(store->ctx, store->arena);
    hd_free(store->ctx, store);
}

int hd_store_count(const hd_store *store) {
    return (int)store->entry_count;
}

hd_store_info hd_store_at(const hd_store *store, int i) {
    if (i < 0 || (size_t)i >= store->entry_count) return (hd_store_info){0};
    const hd_entry *e = &store->entries[store->order[i]];
    return (hd_store_info){e->name, e->type.dtype, e->type.dims, e->trained, e->optimizer, e->buffer};
}

void hd_store_clear(hd_store *store) {
    for (size_t i = 0; i < store->entry_count; i++) { /* those that are not ready start as zeros */
        const hd_entry *e = &store->entries[i];
        const int32_t block = e->old_block >= 0 ? e->old_block : e->block;
        if (e->buffer && e->ready)
            memset(store->blocks[block].memory + (e->old_block >= 0 ? e->old_offset : e->offset), 0, e->bytes);
    }
}

int64_t hd_store_step(const hd_store *store) {
    return store->step;
}
void hd_store_set_step(hd_store *store, int64_t step) {
    store->step = store->updates = step;
}
int64_t hd_store_updates(const hd_store *store) {
    return store->updates;
}
void hd_store_set_updates(hd_store *store, int64_t updates) {
    store->updates = updates;
}
uint64_t hd_store_seed(const hd_store *store) {
    return store->seed;
}

/* Place of a name in `order`; *found says whether it is there. */
static size_t hd_store_place(const hd_store *s, const char *name, bool *found) {
    size_t low = 0, high = s->entry_count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const int c = strcmp(s->entries[s->order[mid]].name, name);
        if (c == 0) {
            *found = true;
            return mid;
        }
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *found = false;
    return low;
}

int32_t hd_store_find(const hd_store *store, const char *name) {
    bool found;
    const size_t at = hd_store_place(store, name, &found);
    return found ? store->order[at] : -1;
}

hd_status hd_store_entry(hd_store *s, const char *name, hd_type type, hd_init init, bool trained, int32_t *out) {
    bool found;
    const size_t at = hd_store_place(s, name, &found);
    if (found) {
        const hd_entry *e = &s->entries[s->order[at]];
        char a[192], b[192];
        *out = s->order[at];
        if (e->type.dtype == type.dtype && hd_dims_equal(&e->type.dims, &type.dims)) return HD_OK;
        return hd_fail(s->ctx, HD_E_MODEL, "store|tensor \"%s\" is %s %s in the store and %s %s in the graph", name,
                       hd_dtype_name(e->type.dtype), hd_dims_text(a, &e->type.dims), hd_dtype_name(type.dtype),
                       hd_dims_text(b, &type.dims));
    }
    HD_TRY(hd_grow(s->ctx, (void **)&s->entries, &s->entry_capacity, s->entry_count + 1, sizeof *s->entries));
    int32_t *order = hd_realloc_n(s->ctx, s->order, s->entry_count + 1, sizeof *order);
    if (!order) return HD_E_MEMORY;
    s->order = order;
    char *kept = hd_strdup(s->ctx, name);
    if (!kept) return HD_E_MEMORY;
    memmove(order + at + 1, order + at, (s->entry_count - at) * sizeof *order);
    order[at] = *out = (int32_t)s->entry_count;
    s->laid = s->settled = false;
    s->entries[s->entry_count++] = (hd_entry){.name = kept,
                                              .type = type,
                                              .init = init,
                                              .trained = trained,
                                              .optimizer = strchr(name, '@') != NULL,
                                              .block = -1,
                                              .old_block = -1};
    return HD_OK;
}

hd_status hd_store_block(hd_store *s, size_t bytes, int32_t *out) {
    HD_TRY(hd_grow(s->ctx, (void **)&s->blocks, &s->block_capacity, s->block_count + 1, sizeof *s->blocks));
    *out = (int32_t)s->block_count;
    s->blocks[s->block_count++] = (hd_block){.bytes = bytes ? bytes : HD_STORE_ALIGN};
    return HD_OK;
}

void hd_store_put(hd_store *s, int32_t entry, int32_t block, size_t offset) {
    hd_entry *e = &s->entries[entry];
    if (e->ready && e->old_block < 0) { /* its values are fetched from here by hd_store_ready */
        e->old_block = e->block;
        e->old_offset = e->offset;
    }
    e->block = block;
    e->offset = offset;
    s->version++;
    s->laid = s->settled = false;
}

/* ---- values ---- */

static void hd_entry_move(hd_store *s, int32_t i) {
    hd_entry *e = &s->entries[i];
    if (e->old_block < 0) return;
    memcpy(hd_store_address(s, i), s->blocks[e->old_block].memory + e->old_offset, e->bytes);
    e->old_block = -1;
}

/* Draws what nobody has set. It lies in zeros: blocks are, and nobody writes what is not ready. */
static hd_status hd_entry_start(hd_store *s, int32_t i) {
    hd_entry *e = &s->entries[i];
    if (e->ready) return HD_OK;
    s->changes++;
    HD_TRY(hd_start_laid(s->ctx, &e->type, &e->layout, &e->init, e->name, s->seed, hd_store_address(s, i)));
    e->ready = true;
    return HD_OK;
}

/* Memory for all entries, and those that have values in it. */
static hd_status hd_store_lay(hd_store *s) {
    if (s->laid) return HD_OK;
    for (size_t i = 0; i < s->entry_count; i++) {
        hd_entry *e = &s->entries[i];
        e->layout_set = true;
        e->bytes = (size_t)hd_layout_count(&e->layout, &e->type.dims) * hd_dtype_size(e->type.dtype);
        if (e->block >= 0) continue;
        int32_t block;
        HD_TRY(hd_store_block(s, e->bytes, &block));
        hd_store_put(s, (int32_t)i, block, 0);
    }
    bool *used = hd_alloc_n(s->ctx, s->block_count + 1, sizeof *used);
    if (!used) return HD_E_MEMORY;
    for (size_t i = 0; i < s->entry_count; i++) used[s->entries[i].block] = true;
    hd_status status = HD_OK;
    for (size_t i = 0; i < s->block_count && status == HD_OK; i++) {
        if (!used[i] || s->blocks[i].memory) continue;
        s->blocks[i].memory = hd_alloc(s->ctx, s->blocks[i].bytes);
        if (!s->blocks[i].memory) status = HD_E_MEMORY;
        s->version++;
    }
    for (size_t i = 0; i < s->entry_count && status == HD_OK; i++) hd_entry_move(s, (int32_t)i);
    for (size_t i = 0; i < s->block_count && status == HD_OK; i++) {
        if (used[i] || !s->blocks[i].memory) continue;
        hd_free(s->ctx, s->blocks[i].memory);
        s->blocks[i].memory = NULL;
    }
    hd_free(s->ctx, used);
    s->laid = status == HD_OK;
    return status;
}

hd_status hd_store_ready(hd_store *s) {
    if (s->settled) return HD_OK;
    HD_TRY(hd_store_lay(s));
    for (size_t i = 0; i < s->entry_count; i++) HD_TRY(hd_entry_start(s, (int32_t)i));
    s->settled = true;
    return HD_OK;
}

static hd_status hd_store_named(hd_store *s, const char *name, size_t bytes, int32_t *entry) {
    *entry = hd_store_find(s, name);
    if (*entry < 0) return hd_fail(s->ctx, HD_E_MODEL, "store|there is no tensor \"%s\"", name);
    const hd_type *type = &s->entries[*entry].type;
    const size_t want = (size_t)hd_dims_count(&type->dims) * hd_dtype_size(type->dtype);
    char text[192];
    if (bytes != want)
        return hd_fail(s->ctx, HD_E_MODEL, "store|tensor \"%s\" is %s %s, %zu bytes, not %zu", name,
                       hd_dtype_name(type->dtype), hd_dims_text(text, &type->dims), want, bytes);
    return hd_store_lay(s);
}

hd_status hd_store_get(hd_store *store, const char *name, void *data, size_t bytes) {
    int32_t i;
    HD_TRY(hd_store_named(store, name, bytes, &i));
    HD_TRY(hd_entry_start(store, i));
    const hd_entry *e = &store->entries[i];
    hd_layout_unpack(&e->layout, &e->type.dims, hd_dtype_size(e->type.dtype), hd_store_address(store, i), data);
    return HD_OK;
}

hd_status hd_store_set(hd_store *store, const char *name, const void *data, size_t bytes) {
    int32_t i;
    HD_TRY(hd_store_named(store, name, bytes, &i));
    hd_entry *e = &store->entries[i];
    store->changes++;
    e->ready = true; /* whatever it held: nothing need be drawn first */
    hd_layout_pack(&e->layout, &e->type.dims, hd_dtype_size(e->type.dtype), data, hd_store_address(store, i));
    return HD_OK;
}
