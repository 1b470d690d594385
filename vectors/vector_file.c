/* vector_file.c: opens a pair of files of the reference vectors and reads tensors of any dtype that we have as doubles
 * (whole numbers in them stay below 2^53). Knows nothing of cases. */
#include "vector_file.h"
#include "base/bf16.h"
#include "base/file.h"
#include "base/status.h"
#include <string.h>

hd_status vector_file_open(vector_file *f, hd_context *ctx, const char *folder, const char *name) {
    *f = (vector_file){.ctx = ctx, .arena = {.ctx = ctx}};
    char *text = NULL;
    size_t length;
    const char *json = hd_arena_printf(&f->arena, "%s/%s.json", folder, name);
    const char *data = hd_arena_printf(&f->arena, "%s/%s.safetensors", folder, name);
    hd_status status = json && data ? hd_file_read(ctx, json, 0, &text, &length) : HD_E_MEMORY;
    if (status == HD_OK) status = hd_json_parse(&f->root, &f->arena, json, text, length);
    hd_free(ctx, text);
    if (status == HD_OK && hd_path_exists(data)) status = hd_tensors_open(&f->tensors, ctx, data);
    if (status != HD_OK) vector_file_close(f);
    return status;
}

void vector_file_close(vector_file *f) {
    if (f->tensors) hd_tensors_close(f->tensors);
    hd_arena_free(&f->arena);
    f->tensors = NULL;
}

bool vector_dtype_named(const char *name, hd_dtype *out) {
    static const struct {
        const char *file, *torch;
        hd_dtype dtype;
    } known[] = {{"F32", "float32", HD_F32},   {"F64", "float64", HD_F64}, {"I32", "int32", HD_I32},
                 {"I64", "int64", HD_I64},     {"U8", "uint8", HD_U8},     {"BOOL", "bool", HD_BOOL},
                 {"BF16", "bfloat16", HD_BF16}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, known[i].file) != 0 && strcmp(name, known[i].torch) != 0) continue;
        *out = known[i].dtype;
        return true;
    }
    return false;
}

bool vector_dtype_is_float(hd_dtype dtype) {
    return dtype == HD_F32 || dtype == HD_F64 || dtype == HD_BF16;
}

double vector_element(hd_dtype dtype, const void *data, int64_t i) {
    const char *at = (const char *)data + (size_t)i * hd_dtype_size(dtype);
    union {
        float f32;
        double f64;
        int32_t i32;
        int64_t i64;
        uint8_t u8;
        uint16_t bf16;
    } v;
    memcpy(&v, at, hd_dtype_size(dtype)); /* files do not align */
    switch (dtype) {
    case HD_F32: return (double)v.f32;
    case HD_F64: return v.f64;
    case HD_I32: return (double)v.i32;
    case HD_I64: return (double)v.i64;
    case HD_BF16: return (double)hd_bf16_to_f32(v.bf16);
    default: return (double)v.u8;
    }
}

double *vector_read(const vector_file *f, const char *name, hd_arena *arena, hd_dims *dims, hd_dtype *dtype) {
    hd_tensor_info t;
    if (!f->tensors || !hd_tensors_find(f->tensors, name, &t) || !vector_dtype_named(t.dtype, dtype)) return NULL;
    const int64_t n = hd_dims_count(&t.dims);
    double *x = hd_arena_alloc_n(arena, (size_t)n + 1, sizeof *x);
    for (int64_t i = 0; i < n && x; i++) x[i] = vector_element(*dtype, t.data, i);
    *dims = t.dims;
    return x;
}

void *vector_pack(hd_arena *arena, hd_dtype dtype, const double *x, int64_t n) {
    void *data = hd_arena_alloc_n(arena, (size_t)n + 1, sizeof(double));
    for (int64_t i = 0; i < n && data; i++) switch (dtype) {
        case HD_F32: ((float *)data)[i] = (float)x[i]; break;
        case HD_F64: ((double *)data)[i] = x[i]; break;
        case HD_I32: ((int32_t *)data)[i] = (int32_t)x[i]; break;
        case HD_I64: ((int64_t *)data)[i] = (int64_t)x[i]; break;
        case HD_U8: ((uint8_t *)data)[i] = (uint8_t)x[i]; break;
        case HD_BF16: ((uint16_t *)data)[i] = hd_bf16_from_f64(x[i]); break;
        default: ((uint8_t *)data)[i] = x[i] != 0; break;
        }
    return data;
}
