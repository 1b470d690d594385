/* hadal/io.h: tensors in files. */
#ifndef HADAL_IO_H
#define HADAL_IO_H
#include "hadal/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A safetensors file, mapped and checked: every rule of the format (header length ≤ 100 MB and within the file, strict
 * JSON, no duplicate keys, known dtypes, sizes that match shapes, offsets that cover the data without holes or
 * overlaps). */
typedef struct hd_tensors hd_tensors;
typedef struct hd_tensor_info {
    const char *name;
    const char *dtype; /**< as in the file: "F32", "BF16", … */
    hd_dims dims;
    const void *data; /**< row-major, little-endian, possibly unaligned */
    size_t bytes;
} hd_tensor_info;
HD_API HD_CHECKED hd_status hd_tensors_open(hd_tensors **out, hd_context *ctx, const char *path);
HD_API void hd_tensors_close(hd_tensors *file);
HD_API int32_t hd_tensors_count(const hd_tensors *file);
HD_API hd_tensor_info hd_tensors_at(const hd_tensors *file, int32_t i); /**< in order of the data */
HD_API bool hd_tensors_find(const hd_tensors *file, const char *name, hd_tensor_info *out);
HD_API const char *hd_tensors_metadata(const hd_tensors *file, const char *key); /**< NULL when absent */

/** Writing: the old file or the new one, never half of one. */
typedef struct hd_tensor_out {
    const char *name;
    hd_dtype dtype;
    hd_dims dims;
    const void *data; /**< row-major */
} hd_tensor_out;
HD_API HD_CHECKED hd_status hd_tensors_write(hd_context *ctx, const char *path, const hd_tensor_out *tensors, int32_t n,
                                             const char *const *metadata /* key, value, key, value, …, NULL */);

#ifdef __cplusplus
}
#endif
#endif
