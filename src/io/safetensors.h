/* safetensors.h: what the reader's two files share: the header as it was read, not yet held against the data. */
#ifndef HD_IO_SAFETENSORS_H
#define HD_IO_SAFETENSORS_H
#include "base/alloc.h"
#include "hadal/io.h"

#define HD_TENSORS_MAX_HEADER 100000000u /* as in the format's own reader */

/* A tensor as the header says it. */
typedef struct hd_tensor_entry {
    const char *name; /* in hd_tensor_header.text */
    int8_t dtype;     /* index into hd_tensor_dtypes */
    int8_t rank;
    int64_t dim[HD_MAX_DIMS];
    int64_t begin, end; /* bytes behind the header */
} hd_tensor_entry;

typedef struct hd_tensor_pair {
    const char *key, *value;
} hd_tensor_pair;

typedef struct hd_tensor_dtype {
    const char *name;
    size_t size;
} hd_tensor_dtype;
extern const hd_tensor_dtype hd_tensor_dtypes[]; /* ends with a NULL name */

/* What a header holds. Filled in two readings of the same text: the first counts, the second keeps. */
typedef struct hd_tensor_header {
    hd_tensor_entry *entries;
    size_t count;
    hd_tensor_pair *pairs; /* __metadata__ */
    size_t pair_count;
    char *text; /* names, keys and values, NUL-terminated, one behind the other */
    size_t text_length;
} hd_tensor_header;

/* Reads the header's JSON. Memory: at most about three times the header. where is the file's name. Errors: HD_E_DATA
 * "where: …", HD_E_MEMORY. Frees what it made when it fails. */
HD_CHECKED hd_status hd_tensor_header_read(hd_tensor_header *out, hd_context *ctx, const char *where, const char *json,
                                           size_t length);
void hd_tensor_header_free(hd_tensor_header *header, hd_context *ctx);
#endif
