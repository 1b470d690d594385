/* safetensors_read.c: opens a safetensors file: maps it, and holds its header against its data. Every rule of the
 * format (https://github.com/huggingface/safetensors) is checked before a byte of a tensor is handed out. */
#include "base/file.h"
#include "base/status.h"
#include "io/safetensors.h"
#include <string.h>

struct hd_tensors {
    hd_context *ctx;
    hd_map map;
    const unsigned char *data; /* behind the header */
    size_t data_length;
    hd_tensor_header h;
    uint32_t *by_data, *by_name; /* numbers of entries in order */
};

typedef int (*order_fn)(const void *items, uint32_t a, uint32_t b);

static int by_data(const void *items, uint32_t a, uint32_t b) {
    const hd_tensor_entry *x = (const hd_tensor_entry *)items + a, *y = (const hd_tensor_entry *)items + b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return a < b ? -1 : 1;
}

static int by_name(const void *items, uint32_t a, uint32_t b) {
    const hd_tensor_entry *e = items;
    return strcmp(e[a].name, e[b].name);
}

static int by_key(const void *items, uint32_t a, uint32_t b) {
    const hd_tensor_pair *p = items;
    return strcmp(p[a].key, p[b].key);
}

static void sift(uint32_t *index, size_t root, size_t n, const void *items, order_fn order) {
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && order(items, index[child], index[child + 1]) < 0) child++;
        if (order(items, index[root], index[child]) >= 0) return;
        const uint32_t t = index[root];
        index[root] = index[child];
        index[child] = t;
    }
}

/* Heap sort: qsort may allocate behind the allocator's back, and may be quadratic. */
static uint32_t *sorted(hd_context *ctx, const void *items, size_t n, order_fn order) {
    uint32_t *index = hd_alloc_n(ctx, n + 1, sizeof *index);
    if (!index) return NULL;
    for (size_t i = 0; i < n; i++) index[i] = (uint32_t)i;
    for (size_t i = n / 2; i-- > 0;) sift(index, i, n, items, order);
    for (size_t last = n; last-- > 1;) {
        const uint32_t t = index[0];
        index[0] = index[last];
        index[last] = t;
        sift(index, 0, last, items, order);
    }
    return index;
}

/* Bytes of a tensor by its shape; false on overflow. */
static bool tensor_bytes(const hd_tensor_entry *e, size_t *out) {
    size_t n = hd_tensor_dtypes[e->dtype].size;
    bool empty = false;
    for (int i = 0; i < e->rank; i++) empty = empty || e->dim[i] == 0;
    for (int i = 0; i < e->rank && !empty; i++)
        if (!hd_mul_ok(n, (size_t)e->dim[i], &n)) return false;
    *out = empty ? 0 : n;
    return true;
}

static hd_status refuse(const hd_tensors *f, const char *path, const hd_tensor_entry *e, const char *what) {
    return hd_fail(f->ctx, HD_E_DATA, "%s|tensor \"%.200s\": %s|The file is damaged, or not a safetensors file", path,
                   e->name, what);
}

/* Sizes fit shapes; offsets cover the data without holes or overlaps. */
static hd_status check_layout(const hd_tensors *f, const char *path) {
    int64_t at = 0;
    for (size_t i = 0; i < f->h.count; i++) {
        const hd_tensor_entry *e = &f->h.entries[f->by_data[i]];
        size_t bytes = 0;
        if (e->end < e->begin || (uint64_t)e->end > f->data_length)
            return refuse(f, path, e, "its data_offsets lie outside the file");
        if (!tensor_bytes(e, &bytes)) return refuse(f, path, e, "its shape overflows");
        if ((uint64_t)(e->end - e->begin) != bytes) return refuse(f, path, e, "its data_offsets do not fit its shape");
        if (e->begin < at) return refuse(f, path, e, "it overlaps another tensor");
        if (e->begin > at) return refuse(f, path, e, "a hole in the data stands before it");
        at = e->end;
    }
    if ((uint64_t)at == f->data_length) return HD_OK;
    return hd_fail(f->ctx, HD_E_DATA, "%s|%llu bytes behind the last tensor belong to none|The file is damaged", path,
                   (unsigned long long)(f->data_length - (uint64_t)at));
}

static hd_status check_names(const hd_tensors *f, const char *path) {
    for (size_t i = 1; i < f->h.count; i++) {
        const hd_tensor_entry *e = &f->h.entries[f->by_name[i]];
        if (strcmp(e->name, f->h.entries[f->by_name[i - 1]].name) == 0) return refuse(f, path, e, "it stands twice");
    }
    uint32_t *keys = sorted(f->ctx, f->h.pairs, f->h.pair_count, by_key);
    if (!keys) return HD_E_MEMORY;
    hd_status status = HD_OK;
    for (size_t i = 1; i < f->h.pair_count && status == HD_OK; i++)
        if (strcmp(f->h.pairs[keys[i]].key, f->h.pairs[keys[i - 1]].key) == 0)
            status = hd_fail(f->ctx, HD_E_DATA, "%s|the metadata have two \"%.200s\"|The file is damaged", path,
                             f->h.pairs[keys[i]].key);
    hd_free(f->ctx, keys);
    return status;
}

static hd_status read_all(hd_tensors *f, const char *path) {
    HD_TRY(hd_file_map(f->ctx, path, &f->map));
    uint64_t header = 0;
    if (f->map.length < 8)
        return hd_fail(f->ctx, HD_E_DATA, "%s|%llu bytes are too few for a safetensors file|Is it complete?", path,
                       (unsigned long long)f->map.length);
    for (int i = 7; i >= 0; i--) header = header << 8 | f->map.data[i];
    if (header > HD_TENSORS_MAX_HEADER || header > f->map.length - 8)
        return hd_fail(f->ctx, HD_E_DATA,
                       "%s|its header would be %llu bytes long, the file has %llu (and the limit is 100 MB)|Is it a "
                       "safetensors file, and complete?",
                       path, (unsigned long long)header, (unsigned long long)f->map.length);
    f->data = f->map.data + 8 + header;
    f->data_length = f->map.length - 8 - (size_t)header;
    HD_TRY(hd_tensor_header_read(&f->h, f->ctx, path, (const char *)f->map.data + 8, (size_t)header));
    f->by_data = sorted(f->ctx, f->h.entries, f->h.count, by_data);
    f->by_name = sorted(f->ctx, f->h.entries, f->h.count, by_name);
    if (!f->by_data || !f->by_name) return HD_E_MEMORY;
    HD_TRY(check_names(f, path));
    return check_layout(f, path);
}

hd_status hd_tensors_open(hd_tensors **out, hd_context *ctx, const char *path) {
    hd_tensors *f = hd_alloc(ctx, sizeof *f);
    *out = NULL;
    if (!f) return HD_E_MEMORY;
    f->ctx = ctx;
    const hd_status status = read_all(f, path);
    if (status == HD_OK)
        *out = f;
    else
        hd_tensors_close(f);
    return status;
}

void hd_tensors_close(hd_tensors *f) {
    if (!f) return;
    hd_tensor_header_free(&f->h, f->ctx);
    hd_free(f->ctx, f->by_data);
    hd_free(f->ctx, f->by_name);
    hd_file_unmap(&f->map);
    hd_free(f->ctx, f);
}

int32_t hd_tensors_count(const hd_tensors *f) {
    return (int32_t)f->h.count;
}

static hd_tensor_info describe(const hd_tensors *f, const hd_tensor_entry *e) {
    hd_tensor_info info = {.name = e->name,
                           .dtype = hd_tensor_dtypes[e->dtype].name,
                           .dims = {.rank = e->rank},
                           .data = f->data + e->begin,
                           .bytes = (size_t)(e->end - e->begin)};
    memcpy(info.dims.dim, e->dim, sizeof info.dims.dim);
    return info;
}

hd_tensor_info hd_tensors_at(const hd_tensors *f, int32_t i) {
    if (i < 0 || (size_t)i >= f->h.count) return (hd_tensor_info){0};
    return describe(f, &f->h.entries[f->by_data[i]]);
}

bool hd_tensors_find(const hd_tensors *f, const char *name, hd_tensor_info *out) {
    size_t low = 0, high = f->h.count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const hd_tensor_entry *e = &f->h.entries[f->by_name[mid]];
        const int c = strcmp(name, e->name);
        if (c == 0) {
            *out = describe(f, e);
            return true;
        }
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return false;
}

const char *hd_tensors_metadata(const hd_tensors *f, const char *key) {
    for (size_t i = 0; i < f->h.pair_count; i++)
        if (strcmp(f->h.pairs[i].key, key) == 0) return f->h.pairs[i].value;
    return NULL;
}
