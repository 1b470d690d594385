/* vector_file.h: a pair of files of the reference vectors, NAME.json and NAME.safetensors. */
#ifndef HD_VECTORS_FILE_H
#define HD_VECTORS_FILE_H
#include "base/json.h"
#include "hadal/io.h"

typedef struct vector_file {
    hd_context *ctx;
    hd_arena arena; /* of the JSON tree */
    hd_json *root;
    hd_tensors *tensors; /* NULL: there is no such file */
} vector_file;

/* Opens FOLDER/NAME.json and, where there is one, FOLDER/NAME.safetensors. Errors: HD_E_FILE, HD_E_DATA, HD_E_MODEL. */
HD_CHECKED hd_status vector_file_open(vector_file *f, hd_context *ctx, const char *folder, const char *name);
void vector_file_close(vector_file *f);

/* The dtype we have for a name in a safetensors file ("F32") or of PyTorch ("float32"); false: none. */
bool vector_dtype_named(const char *name, hd_dtype *out);

bool vector_dtype_is_float(hd_dtype dtype);

/* A tensor's elements as doubles, in the arena; NULL: no such tensor, a dtype that we do not have, or no memory. */
double *vector_read(const vector_file *f, const char *name, hd_arena *arena, hd_dims *dims, hd_dtype *dtype);
/* Doubles as elements of a dtype, in the arena. NULL: no memory. */
void *vector_pack(hd_arena *arena, hd_dtype dtype, const double *x, int64_t n);
/* Element i of a row-major tensor as a double. */
double vector_element(hd_dtype dtype, const void *data, int64_t i);
#endif
