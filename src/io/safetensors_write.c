/* safetensors_write.c: writes a safetensors file: the old file or the new one, never half of one. Tensors stand in
 * order of falling element size, then name, behind a header padded to 8 bytes, so that readers that map the file find
 * them aligned. */
#include "base/file.h"
#include "base/json.h"
#include "base/status.h"
#include "hadal/io.h"
#include <string.h>

static const char *file_dtype(hd_dtype t) {
    switch (t) {
    case HD_F32: return "F32";
    case HD_F64: return "F64";
    case HD_I32: return "I32";
    case HD_I64: return "I64";
    case HD_U8: return "U8";
    case HD_BF16: return "BF16";
    default: return "BOOL";
    }
}

typedef bool (*before_fn)(const hd_tensor_out *a, const hd_tensor_out *b);

static bool before_by_name(const hd_tensor_out *a, const hd_tensor_out *b) {
    return strcmp(a->name, b->name) < 0;
}

static bool before_in_file(const hd_tensor_out *a, const hd_tensor_out *b) {
    const size_t x = hd_dtype_size(a->dtype), y = hd_dtype_size(b->dtype);
    return x != y ? x > y : before_by_name(a, b);
}

/* Merge sort of numbers of tensors; scratch is as long. */
static void sort(const hd_tensor_out *t, before_fn before, int32_t *index, int32_t *scratch, int32_t n) {
    for (int32_t width = 1; width < n; width *= 2) {
        for (int32_t low = 0; low < n; low += 2 * width) {
            const int32_t mid = low + width < n ? low + width : n, high = mid + width < n ? mid + width : n;
            int32_t a = low, b = mid;
            for (int32_t k = low; k < high; k++) {
                const bool left = a < mid && (b >= high || !before(&t[index[b]], &t[index[a]]));
                scratch[k] = left ? index[a++] : index[b++];
            }
        }
        memcpy(index, scratch, (size_t)n * sizeof *index);
    }
}

/* index is in order of names. */
static hd_status check(hd_context *ctx, const char *path, const hd_tensor_out *t, const int32_t *index, int32_t n) {
    for (int32_t i = 0; i < n; i++) {
        const hd_tensor_out *one = &t[index[i]];
        if (hd_dims_count(&one->dims) < 0 || strcmp(one->name, "__metadata__") == 0)
            return hd_fail(ctx, HD_E_USAGE, "%s|tensor \"%s\" can not be written under this name and size", path,
                           one->name);
        if (i > 0 && strcmp(one->name, t[index[i - 1]].name) == 0)
            return hd_fail(ctx, HD_E_USAGE, "%s|two tensors are called \"%s\"", path, one->name);
    }
    return HD_OK;
}

static void write_header(hd_text *text, const hd_tensor_out *t, const int32_t *index, int32_t n,
                         const char *const *metadata) {
    hd_jw w = {.out = text};
    int64_t at = 0;
    hd_jw_begin(&w, '{');
    if (metadata && metadata[0]) {
        hd_jw_key(&w, "__metadata__");
        hd_jw_begin(&w, '{');
        for (; metadata[0]; metadata += 2) {
            hd_jw_key(&w, metadata[0]);
            hd_jw_string(&w, metadata[1]);
        }
        hd_jw_end(&w);
    }
    for (int32_t i = 0; i < n; i++) {
        const hd_tensor_out *one = &t[index[i]];
        hd_jw_key(&w, one->name);
        hd_jw_begin(&w, '{');
        hd_jw_key(&w, "dtype");
        hd_jw_string(&w, file_dtype(one->dtype));
        hd_jw_key(&w, "shape");
        hd_jw_begin(&w, '[');
        for (int k = 0; k < one->dims.rank; k++) hd_jw_int(&w, one->dims.dim[k]);
        hd_jw_end(&w);
        hd_jw_key(&w, "data_offsets");
        hd_jw_begin(&w, '[');
        hd_jw_int(&w, at);
        at += hd_dims_count(&one->dims) * (int64_t)hd_dtype_size(one->dtype);
        hd_jw_int(&w, at);
        hd_jw_end(&w);
        hd_jw_end(&w);
    }
    hd_jw_end(&w);
    while (text->length % 8 != 0 && !text->failed) hd_text_puts(text, " ");
}

hd_status hd_tensors_write(hd_context *ctx, const char *path, const hd_tensor_out *tensors, int32_t n,
                           const char *const *metadata) {
    hd_text header = {.ctx = ctx};
    hd_out out;
    unsigned char length[8];
    int32_t *index = hd_alloc_n(ctx, (size_t)n + 1, 2 * sizeof *index);
    hd_status status = index ? HD_OK : HD_E_MEMORY;
    if (status != HD_OK) return status;
    for (int32_t i = 0; i < n; i++) index[i] = i;
    sort(tensors, before_by_name, index, index + n, n);
    HD_TRY_TO(done, check(ctx, path, tensors, index, n));
    sort(tensors, before_in_file, index, index + n, n);
    write_header(&header, tensors, index, n, metadata);
    if (header.failed) HD_TRY_TO(done, HD_E_MEMORY);
    HD_TRY_TO(done, hd_out_open(&out, ctx, path));
    for (int i = 0; i < 8; i++) length[i] = (unsigned char)((uint64_t)header.length >> (8 * i));
    hd_out_write(&out, length, sizeof length);
    hd_out_write(&out, header.data, header.length);
    for (int32_t i = 0; i < n; i++) {
        const hd_tensor_out *t = &tensors[index[i]];
        const size_t bytes = (size_t)hd_dims_count(&t->dims) * hd_dtype_size(t->dtype);
        if (bytes > 0) hd_out_write(&out, t->data, bytes);
    }
    status = hd_out_commit(&out);
done:
    hd_text_free(&header);
    hd_free(ctx, index);
    return status;
}
