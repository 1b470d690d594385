/* model_weights.c: all tensors of a model in one block of plain memory: what is saved, kept as the best, hashed, read.
 */
#include "base/bf16.h"
#include "base/sha256.h"
#include "base/status.h"
#include "train/model.h"
#include <string.h>

static size_t rounded(size_t n) {
    return (n + 63) & ~(size_t)63;
}

static bool belongs(const hd_store_info *e, bool with_optimizer) {
    return (with_optimizer || !(e->optimizer || e->buffer)) &&
           !strstr(e->name, "@flat"); /* flat vectors are others' memory */
}

hd_status hd_weights_new(hd_weights *out, hd_model *m, bool with_optimizer) {
    hd_weights w = {.ctx = m->ctx};
    const int n = hd_store_count(m->store);
    *out = (hd_weights){0};
    w.tensor = hd_alloc_n(m->ctx, (size_t)n + 1, sizeof *w.tensor);
    if (!w.tensor) return HD_E_MEMORY;
    for (int i = 0; i < n; i++) {
        const hd_store_info e = hd_store_at(m->store, i);
        if (!belongs(&e, with_optimizer)) continue;
        w.tensor[w.count++] = (hd_tensor_out){e.name, e.dtype, e.dims, NULL};
        w.bytes += rounded((size_t)hd_dims_count(&e.dims) * hd_dtype_size(e.dtype));
    }
    w.memory = hd_alloc(m->ctx, w.bytes + 1);
    if (!w.memory) {
        hd_weights_free(&w);
        return HD_E_MEMORY;
    }
    size_t at = 0;
    for (int32_t i = 0; i < w.count; i++) {
        w.tensor[i].data = w.memory + at;
        at += rounded((size_t)hd_dims_count(&w.tensor[i].dims) * hd_dtype_size(w.tensor[i].dtype));
    }
    *out = w;
    return HD_OK;
}

void hd_weights_free(hd_weights *w) {
    if (!w->ctx) return;
    hd_free(w->ctx, w->tensor);
    hd_free(w->ctx, w->memory);
    *w = (hd_weights){0};
}

static size_t bytes_of(const hd_tensor_out *t) {
    return (size_t)hd_dims_count(&t->dims) * hd_dtype_size(t->dtype);
}

hd_status hd_weights_fetch(hd_weights *w, hd_model *m) {
    for (int32_t i = 0; i < w->count; i++)
        HD_TRY(
            hd_store_get(m->store, w->tensor[i].name, (void *)(uintptr_t)w->tensor[i].data, bytes_of(&w->tensor[i])));
    return HD_OK;
}

hd_status hd_weights_put(const hd_weights *w, hd_model *m) {
    for (int32_t i = 0; i < w->count; i++)
        HD_TRY(hd_store_set(m->store, w->tensor[i].name, w->tensor[i].data, bytes_of(&w->tensor[i])));
    return HD_OK;
}

static const char *file_dtype(hd_dtype t) {
    static const char *const names[HD_DTYPE_COUNT] = {"F32", "F64", "I32", "I64", "U8", "BOOL", "BF16"};
    return names[t];
}

/* Weights that somebody saved in bf16. A file need not align its tensors. */
static void widen(float *to, const void *from, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint16_t h;
        memcpy(&h, (const char *)from + i * sizeof h, sizeof h);
        to[i] = hd_bf16_to_f32(h);
    }
}

hd_status hd_weights_read(hd_weights *w, const hd_tensors *file, const char *path, bool partial, int32_t *taken) {
    int32_t count = 0;
    for (int32_t i = 0; i < w->count; i++) {
        const hd_tensor_out *t = &w->tensor[i];
        hd_tensor_info in;
        char a[192], b[192];
        const bool found = hd_tensors_find(file, t->name, &in);
        const bool same = found && hd_dims_equal(&in.dims, &t->dims);
        if (same && strcmp(in.dtype, file_dtype(t->dtype)) == 0) {
            memcpy((void *)(uintptr_t)t->data, in.data, in.bytes);
            count++;
        } else if (same && t->dtype == HD_F32 && strcmp(in.dtype, "BF16") == 0) {
            widen((void *)(uintptr_t)t->data, in.data, in.bytes / sizeof(uint16_t));
            count++;
        } else if (!found && !partial) {
            return hd_fail(w->ctx, HD_E_MODEL, "%s|it has no tensor \"%s\"|Was it saved from another model?", path,
                           t->name);
        } else if (!partial) {
            return hd_fail(w->ctx, HD_E_MODEL, "%s|tensor \"%s\" is %s %s in the file and %s %s in the model", path,
                           t->name, in.dtype, hd_dims_text(a, &in.dims), file_dtype(t->dtype),
                           hd_dims_text(b, &t->dims));
        }
    }
    if (!partial && count != hd_tensors_count(file))
        return hd_fail(w->ctx, HD_E_MODEL, "%s|it has %d tensors, the model has %d|Was it saved from another model?",
                       path, (int)hd_tensors_count(file), (int)w->count);
    if (taken) *taken = count;
    return HD_OK;
}

void hd_weights_sha256(const hd_weights *w, char out[65]) {
    hd_sha256 s;
    hd_sha256_init(&s);
    for (int32_t i = 0; i < w->count; i++) hd_sha256_add(&s, w->tensor[i].data, bytes_of(&w->tensor[i]));
    hd_sha256_hex(&s, out);
}
