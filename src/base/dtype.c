/* dtype.c: owns the table of element types. */
#include "hadal/base.h"

static const struct {
    const char *name;
    size_t size;
} dtypes[HD_DTYPE_COUNT] = {
    [HD_F32] = {"f32", 4}, [HD_F64] = {"f64", 8},   [HD_I32] = {"i32", 4},   [HD_I64] = {"i64", 8},
    [HD_U8] = {"u8", 1},   [HD_BOOL] = {"bool", 1}, [HD_BF16] = {"bf16", 2},
};

static bool known(hd_dtype dtype) {
    return (unsigned)dtype < HD_DTYPE_COUNT;
}

const char *hd_dtype_name(hd_dtype dtype) {
    return known(dtype) ? dtypes[dtype].name : "unknown";
}
size_t hd_dtype_size(hd_dtype dtype) {
    return known(dtype) ? dtypes[dtype].size : 0;
}
