/* npy.c: owns the form of .npy files (NumPy enhancement proposal 1). Knows nothing of data sets. */
#include "data/npy.h"
#include "base/alloc.h"
#include "base/status.h"
#include "base/text.h"
#include <math.h>
#include <string.h>

/* ---- the header: a Python dictionary of three members ---- */

typedef struct header {
    hd_context *ctx;
    const char *where;
    const char *at, *end;
    hd_npy *out;
    bool fortran, have[3]; /* descr, fortran_order, shape */
} header;

static hd_status wrong(const header *h, const char *what) {
    return hd_fail(h->ctx, HD_E_DATA, "%s|expected an array file of NumPy, %s|Was it written by numpy.save?", h->where,
                   what);
}

static void skip(header *h) {
    while (h->at < h->end && (*h->at == ' ' || *h->at == '\n' || *h->at == '\t' || *h->at == '\r')) h->at++;
}

static bool take(header *h, char c) {
    skip(h);
    if (h->at >= h->end || *h->at != c) return false;
    h->at++;
    return true;
}

/* 'text' or "text" into a buffer. */
static bool take_text(header *h, char *out, size_t room) {
    skip(h);
    if (h->at >= h->end || (*h->at != '\'' && *h->at != '"')) return false;
    const char quote = *h->at++;
    const char *close = memchr(h->at, quote, (size_t)(h->end - h->at));
    if (!close || (size_t)(close - h->at) >= room) return false;
    memcpy(out, h->at, (size_t)(close - h->at));
    out[close - h->at] = 0;
    h->at = close + 1;
    return true;
}

static hd_status take_descr(header *h) {
    char text[16];
    int64_t size = 0;
    hd_npy *a = h->out;
    if (!take_text(h, text, sizeof text)) {
        if (take(h, '['))
            return hd_fail(h->ctx, HD_E_DATA, "%s|arrays of records are not read|Save its columns one by one",
                           h->where);
        return wrong(h, "its element type is not readable");
    }
    const size_t n = strlen(text);
    const bool known = n >= 3 && strchr("<>|=", text[0]) && hd_text_to_i64(text + 2, n - 2, &size);
    if (!known) return wrong(h, "its element type is not readable");
    a->kind = text[1];
    a->size = size > 0 && size <= 8 ? (int)size : 0;
    a->big = text[0] == '>';
    const bool whole = a->size == 1 || a->size == 2 || a->size == 4 || a->size == 8;
    const bool fits = (a->kind == 'f' && whole && a->size > 1) || ((a->kind == 'i' || a->kind == 'u') && whole) ||
                      (a->kind == 'b' && a->size == 1);
    if (fits) return HD_OK;
    return hd_fail(h->ctx, HD_E_DATA,
                   "%s|elements of type \"%s\" are not read|Save it as float32, uint8 or int64 (array.astype)",
                   h->where, text);
}

static hd_status take_order(header *h) {
    static const char *const words[] = {"False", "True"};
    skip(h);
    for (int i = 0; i < 2; i++) {
        const size_t n = strlen(words[i]);
        if ((size_t)(h->end - h->at) < n || memcmp(h->at, words[i], n) != 0) continue;
        h->at += n;
        h->fortran = i == 1;
        return HD_OK;
    }
    return wrong(h, "its fortran_order is neither True nor False");
}

static hd_status take_shape(header *h) {
    hd_dims *d = &h->out->dims;
    if (!take(h, '(')) return wrong(h, "its shape is not readable");
    *d = (hd_dims){0};
    while (!take(h, ')')) {
        skip(h);
        const char *from = h->at;
        while (h->at < h->end && *h->at >= '0' && *h->at <= '9') h->at++;
        int64_t n;
        if (!hd_text_to_i64(from, (size_t)(h->at - from), &n)) return wrong(h, "its shape is not readable");
        if (h->at < h->end && *h->at == 'L') h->at++; /* as Python 2 wrote long numbers */
        if (d->rank == HD_MAX_DIMS)
            return hd_fail(h->ctx, HD_E_DATA, "%s|arrays of more than %d axes are not read", h->where,
                           (int)HD_MAX_DIMS);
        d->dim[d->rank++] = n;
        if (!take(h, ',') && (h->at >= h->end || *h->at != ')')) return wrong(h, "its shape is not readable");
    }
    return HD_OK;
}

static hd_status take_member(header *h) {
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    char key[16];
    if (!take_text(h, key, sizeof key) || !take(h, ':')) return wrong(h, "its header is not readable");
    for (int i = 0; i < 3; i++) {
        if (strcmp(key, keys[i]) != 0) continue;
        if (h->have[i]) return wrong(h, "its header says a thing twice");
        h->have[i] = true;
        return i == 0 ? take_descr(h) : i == 1 ? take_order(h) : take_shape(h);
    }
    return wrong(h, "its header has an unknown member");
}

static hd_status read_dictionary(header *h) {
    if (!take(h, '{')) return wrong(h, "its header is not readable");
    while (!take(h, '}')) {
        HD_TRY(take_member(h));
        if (take(h, ',')) continue;
        skip(h);
        if (h->at >= h->end || *h->at != '}') return wrong(h, "its header is not readable");
    }
    if (!h->have[0] || !h->have[1] || !h->have[2]) return wrong(h, "its header lacks descr, fortran_order or shape");
    return HD_OK;
}

static void set_strides(hd_npy *a, bool fortran) {
    size_t step = 1;
    for (int i = 0; i < a->dims.rank; i++) {
        const int axis = fortran ? i : a->dims.rank - 1 - i;
        a->stride[axis] = step;
        step *= (size_t)a->dims.dim[axis];
    }
}

hd_status hd_npy_read(hd_npy *out, hd_context *ctx, const char *where, const unsigned char *b, size_t length) {
    header h = {.ctx = ctx, .where = where, .out = out};
    *out = (hd_npy){.count = 1};
    if (length < 12 || memcmp(b, "\x93NUMPY", 6) != 0) return wrong(&h, "found other bytes");
    if (b[6] < 1 || b[6] > 3) return wrong(&h, "its version is none of 1, 2, 3");
    const size_t head = b[6] == 1 ? 10 : 12;
    const size_t n = b[6] == 1 ? (size_t)b[8] | (size_t)b[9] << 8
                               : (size_t)b[8] | (size_t)b[9] << 8 | (size_t)b[10] << 16 | (size_t)b[11] << 24;
    if (n > length - head || n > 1 << 16) return wrong(&h, "the file ends inside its header");
    h.at = (const char *)b + head;
    h.end = h.at + n;
    HD_TRY(read_dictionary(&h));
    size_t bytes;
    for (int i = 0; i < out->dims.rank; i++)
        if (!hd_mul_ok(out->count, (size_t)out->dims.dim[i], &out->count))
            return wrong(&h, "the shape in its header overflows");
    if (!hd_mul_ok(out->count, (size_t)out->size, &bytes) || bytes != length - head - n)
        return hd_fail(ctx, HD_E_DATA, "%s|the header says %zu elements of %d bytes, the file has %zu bytes of them",
                       where, out->count, out->size, length - head - n);
    set_strides(out, h.fortran);
    out->data = b + head + n;
    return HD_OK;
}

/* ---- elements ---- */

static double half(uint64_t bits) { /* IEEE 754 binary16 */
    const int exponent = (int)(bits >> 10 & 31);
    const double fraction = (double)(bits & 1023) / 1024, sign = bits >> 15 ? -1 : 1;
    if (exponent == 31) return fraction > 0 ? (double)NAN : sign * (double)INFINITY;
    return sign * (exponent ? ldexp(1 + fraction, exponent - 15) : ldexp(fraction, -14));
}

double hd_npy_at(const hd_npy *a, size_t offset) {
    const unsigned char *p = a->data + offset * (size_t)a->size;
    uint64_t bits = 0;
    for (int i = 0; i < a->size; i++) bits |= (uint64_t)p[a->big ? a->size - 1 - i : i] << 8 * i;
    if (a->kind == 'b') return bits != 0;
    if (a->kind == 'u') return (double)bits;
    if (a->kind == 'i') {
        const uint64_t sign = UINT64_C(1) << (8 * a->size - 1);
        return (bits & sign) ? -(double)(sign - (bits & (sign - 1))) : (double)bits;
    }
    if (a->size == 2) return half(bits);
    if (a->size == 4) {
        const uint32_t low = (uint32_t)bits;
        float f;
        memcpy(&f, &low, sizeof f);
        return (double)f;
    }
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

void hd_npy_move_axis(hd_npy *a, int from, int to) {
    const int64_t dim = a->dims.dim[from];
    const size_t stride = a->stride[from];
    for (int i = from; i != to; i += from < to ? 1 : -1) {
        const int next = i + (from < to ? 1 : -1);
        a->dims.dim[i] = a->dims.dim[next];
        a->stride[i] = a->stride[next];
    }
    a->dims.dim[to] = dim;
    a->stride[to] = stride;
}

bool hd_npy_is_plain(const hd_npy *a) {
    size_t step = 1;
    for (int i = a->dims.rank - 1; i >= 0; i--) {
        if (a->dims.dim[i] != 1 && a->stride[i] != step) return false;
        step *= (size_t)a->dims.dim[i];
    }
    return true;
}

/* The next place in the order of the axes; offset follows. */
static void advance(const hd_npy *a, int64_t *place, size_t *offset) {
    for (int i = a->dims.rank - 1; i >= 0; i--) {
        *offset += a->stride[i];
        if (++place[i] < a->dims.dim[i]) return;
        *offset -= (size_t)a->dims.dim[i] * a->stride[i];
        place[i] = 0;
    }
}

void hd_npy_copy(const hd_npy *a, float *out) {
    int64_t place[HD_MAX_DIMS] = {0};
    size_t offset = 0;
    for (size_t k = 0; k < a->count; k++) {
        out[k] = (float)hd_npy_at(a, offset);
        advance(a, place, &offset);
    }
}

void hd_npy_copy_bytes(const hd_npy *a, unsigned char *out) {
    int64_t place[HD_MAX_DIMS] = {0};
    size_t offset = 0;
    for (size_t k = 0; k < a->count; k++) {
        out[k] = a->kind == 'b' ? a->data[offset] != 0 : a->data[offset];
        advance(a, place, &offset);
    }
}
