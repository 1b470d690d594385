/* vector_compare.c: what came against what PyTorch says. */
#include "vector_run.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void vector_failed(vector_result *r, const char *format, ...) {
    if (r->outcome == VECTOR_FAILED) return;
    r->outcome = VECTOR_FAILED;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(r->text, sizeof r->text, format, args);
    va_end(args);
}

/* 0 bool, 1 whole, 2 float. */
static int dtype_class(hd_dtype t) {
    return t == HD_BOOL ? 0 : vector_dtype_is_float(t) ? 2 : 1;
}

static bool same_type(const char *name, const hd_type *got, hd_dtype dtype, const hd_dims *dims, vector_result *r) {
    char a[192], b[192];
    if (!hd_dims_equal(&got->dims, dims))
        vector_failed(r, "%s has the shape %s, PyTorch's %s", name, hd_dims_text(a, &got->dims), hd_dims_text(b, dims));
    else if (dtype_class(got->dtype) != dtype_class(dtype))
        vector_failed(r, "%s is %s, PyTorch's %s", name, hd_dtype_name(got->dtype), hd_dtype_name(dtype));
    else
        return true;
    return false;
}

double vector_largest(const double *x, int64_t n) {
    double largest = 0;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(x[i])) largest = fmax(largest, fabs(x[i]));
    return largest;
}

void vector_compare(const vector_file *file, hd_arena *arena, const char *name, const hd_type *type, const void *got,
                    vector_bar bar, vector_result *r) {
    hd_dims dims;
    hd_dtype dtype;
    const double *want = vector_read(file, name, arena, &dims, &dtype);
    if (!want || !got) {
        vector_failed(r, "%s: %s", name, want ? "there is no such result" : "expected values can not be read");
        return;
    }
    if (!same_type(name, type, dtype, &dims, r)) return;
    const int64_t n = hd_dims_count(&dims);
    const double top = vector_largest(want, n), largest = fmax(top, 1e-30); /* as PyTorch's own errors were taken */
    const bool noise = top < 1e-13 * bar.around;
    const double allowed = bar.share * (noise ? bar.around : largest);
    for (int64_t i = 0; i < n; i++) {
        const double y = vector_element(type->dtype, got, i), w = want[i];
        if (y == w || (isnan(y) && isnan(w))) continue;
        const double share = dtype_class(dtype) < 2 ? INFINITY : fabs(y - w) / allowed;
        if (share <= 1) {
            r->worst = fmax(r->worst, share);
            continue;
        }
        vector_failed(r, "%s: element %lld is %.12g, PyTorch says %.12g (largest %.3g, allowed %.3g)", name,
                      (long long)i, y, w, largest, allowed);
        r->worst = isnan(share) ? INFINITY : share;
        return;
    }
}
