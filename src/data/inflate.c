/* inflate.c: reads deflate (RFC 1951) and gzip (RFC 1952). Owns bits, code tables and the window; the bytes go to a
 * sink, so that a bomb costs no memory here. Written so that a program without any library still reads .gz files. */
#include "data/inflate.h"
#include "base/alloc.h"
#include "base/status.h"
#include <string.h>

enum { WINDOW = 32768, BUFFER = 3 * WINDOW, FAST = 10, MAX_MATCH = 258 };

/* A canonical code. A code of at most FAST bits is looked up: length in the low 4 bits, symbol above; 0: longer. */
typedef struct code_table {
    uint16_t fast[1 << FAST];
    uint16_t count[16];   /* codes of each length */
    uint16_t symbol[288]; /* in order of their codes */
} code_table;

typedef struct inflater {
    hd_context *ctx;
    const char *where;
    const unsigned char *in, *end;
    uint64_t bits;
    unsigned have; /* bits in `bits` */
    unsigned char buffer[BUFFER];
    size_t at, flushed, member; /* in buffer: next byte, first not yet handed on, start of this gzip member */
    uint64_t written;           /* of this member */
    hd_crc crc;
    code_table literal, distance;
    hd_sink_fn sink;
    void *user;
} inflater;

static hd_status bad(const inflater *f, const char *what) {
    return hd_fail(f->ctx, HD_E_DATA, "%s|expected gzip data, %s|Fetch the file again", f->where, what);
}
static hd_status truncated(const inflater *f) {
    return bad(f, "the file ends too early");
}

static inline void refill(inflater *f) {
    while (f->have <= 56 && f->in < f->end) {
        f->bits |= (uint64_t)*f->in++ << f->have;
        f->have += 8;
    }
}

/* n ≤ 16 bits, or HD_E_DATA. */
static inline hd_status take(inflater *f, unsigned n, unsigned *out) {
    refill(f);
    *out = 0;
    if (f->have < n) return truncated(f);
    *out = (unsigned)(f->bits & ((UINT64_C(1) << n) - 1));
    f->bits >>= n;
    f->have -= n;
    return HD_OK;
}

static unsigned reverse(unsigned code, unsigned length) {
    unsigned out = 0;
    for (; length; length--, code >>= 1) out = out << 1 | (code & 1);
    return out;
}

/* From code lengths (0: absent). A code may not be over-subscribed, and only a single code of one bit may be
 * incomplete. */
static hd_status build(const inflater *f, code_table *t, const unsigned char *length, unsigned n) {
    unsigned offset[16], next[16], code = 0;
    int left = 1;
    memset(t, 0, sizeof *t);
    for (unsigned i = 0; i < n; i++) t->count[length[i]]++;
    unsigned used = n - t->count[0];
    t->count[0] = 0;
    offset[1] = 0;
    for (unsigned l = 1; l < 16; l++) {
        left = left * 2 - t->count[l];
        if (left < 0) return bad(f, "a code has too many symbols");
        if (l < 15) offset[l + 1] = offset[l] + t->count[l];
        next[l] = code;
        code = (code + t->count[l]) << 1;
    }
    if (left > 0 && !(used == 1 && t->count[1] == 1) && used != 0) return bad(f, "a code is incomplete");
    for (unsigned i = 0; i < n; i++) {
        unsigned l = length[i];
        if (!l) continue;
        t->symbol[offset[l]++] = (uint16_t)i;
        unsigned first = reverse(next[l]++, l);
        for (unsigned k = first; l <= FAST && k < 1 << FAST; k += 1u << l) t->fast[k] = (uint16_t)(i << 4 | l);
    }
    return HD_OK;
}

static inline hd_status decode(inflater *f, const code_table *t, unsigned *symbol) {
    refill(f);
    unsigned entry = t->fast[f->bits & ((1 << FAST) - 1)], length = entry & 15;
    if (entry && length <= f->have) {
        *symbol = entry >> 4;
        f->bits >>= length;
        f->have -= length;
        return HD_OK;
    }
    int code = 0, first = 0, index = 0;
    for (unsigned l = 1; l < 16 && l <= f->have; l++) {
        code |= (int)(f->bits >> (l - 1) & 1);
        int count = t->count[l];
        if (code - count < first) {
            *symbol = t->symbol[index + (code - first)];
            f->bits >>= l;
            f->have -= l;
            return HD_OK;
        }
        index += count;
        first = (first + count) << 1;
        code <<= 1;
    }
    *symbol = 0;
    return f->have < 15 ? truncated(f) : bad(f, "a code is not in its table");
}

/* Hands on what is new and keeps the last 32 KB, so that at least 64 KB are free. */
static hd_status flush(inflater *f) {
    size_t n = f->at - f->flushed;
    hd_crc_add(&f->crc, f->buffer + f->flushed, n);
    hd_status status = n ? f->sink(f->user, f->buffer + f->flushed, n) : HD_OK;
    f->written += n;
    f->flushed = f->at;
    if (status == HD_OK && f->at > WINDOW) {
        size_t gone = f->at - WINDOW;
        memmove(f->buffer, f->buffer + gone, WINDOW);
        f->at = f->flushed = WINDOW;
        f->member = f->member > gone ? f->member - gone : 0;
    }
    return status;
}

static hd_status copy_match(inflater *f, unsigned length, unsigned distance) {
    if (distance > f->at - f->member) return bad(f, "a match reaches before the beginning");
    unsigned char *to = f->buffer + f->at;
    const unsigned char *from = to - distance;
    for (unsigned i = 0; i < length; i++) to[i] = from[i]; /* may overlap: that is how runs are written */
    f->at += length;
    return HD_OK;
}

/* RFC 1951, section 3.2.5. */
static hd_status read_match(inflater *f, unsigned symbol) {
    static const uint16_t base_length[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                             31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const uint8_t extra_length[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                             2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    static const uint16_t base_distance[30] = {1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
                                               33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
                                               1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
    if (symbol > 285) return bad(f, "a length code is out of range");
    unsigned length, distance, extra;
    HD_TRY(take(f, extra_length[symbol - 257], &extra));
    length = base_length[symbol - 257] + extra;
    HD_TRY(decode(f, &f->distance, &symbol));
    if (symbol > 29) return bad(f, "a distance code is out of range");
    HD_TRY(take(f, symbol < 2 ? 0 : symbol / 2 - 1, &extra));
    distance = base_distance[symbol] + extra;
    return copy_match(f, length, distance);
}

static hd_status read_codes(inflater *f) {
    for (;;) {
        unsigned symbol;
        if (f->at + MAX_MATCH > BUFFER) HD_TRY(flush(f));
        HD_TRY(decode(f, &f->literal, &symbol));
        if (symbol == 256) return HD_OK;
        if (symbol < 256)
            f->buffer[f->at++] = (unsigned char)symbol;
        else
            HD_TRY(read_match(f, symbol));
    }
}

static hd_status read_stored(inflater *f) {
    unsigned n, inverse;
    f->bits >>= f->have & 7;
    f->have &= ~7u;
    HD_TRY(take(f, 16, &n));
    HD_TRY(take(f, 16, &inverse));
    if (n != (~inverse & 0xffff)) return bad(f, "a stored block's length is wrong");
    for (; n; n--) {
        unsigned byte;
        if (f->at == BUFFER) HD_TRY(flush(f));
        HD_TRY(take(f, 8, &byte));
        f->buffer[f->at++] = (unsigned char)byte;
    }
    return HD_OK;
}

static hd_status build_fixed(inflater *f) {
    unsigned char length[288];
    for (int i = 0; i < 288; i++) length[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    HD_TRY(build(f, &f->literal, length, 288));
    memset(length, 5, 32);
    return build(f, &f->distance, length, 32);
}

/* RFC 1951, section 3.2.7: code lengths, themselves coded. */
static hd_status build_dynamic(inflater *f) {
    static const uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    unsigned literals, distances, codes, bits, symbol, at = 0;
    unsigned char length[320] = {0};
    HD_TRY(take(f, 5, &literals));
    HD_TRY(take(f, 5, &distances));
    HD_TRY(take(f, 4, &codes));
    literals += 257;
    distances++;
    if (literals > 286 || distances > 30) return bad(f, "a block has too many codes");
    for (unsigned i = 0; i < codes + 4; i++) {
        HD_TRY(take(f, 3, &bits));
        length[order[i]] = (unsigned char)bits;
    }
    HD_TRY(build(f, &f->literal, length, 19));
    memset(length, 0, sizeof length);
    while (at < literals + distances) {
        HD_TRY(decode(f, &f->literal, &symbol));
        if (symbol < 16) {
            length[at++] = (unsigned char)symbol;
            continue;
        }
        if (symbol == 16 && at == 0) return bad(f, "a repeated length has no predecessor");
        unsigned value = symbol == 16 ? length[at - 1] : 0, base = symbol == 18 ? 11 : 3;
        HD_TRY(take(f, symbol == 16 ? 2 : symbol == 17 ? 3 : 7, &bits));
        if (at + base + bits > literals + distances) return bad(f, "a block has too many lengths");
        memset(length + at, (int)value, base + bits);
        at += base + bits;
    }
    if (length[256] == 0) return bad(f, "a block has no end code");
    HD_TRY(build(f, &f->literal, length, literals));
    return build(f, &f->distance, length + literals, distances);
}

static hd_status read_blocks(inflater *f) {
    unsigned last = 0, type;
    while (!last) {
        HD_TRY(take(f, 1, &last));
        HD_TRY(take(f, 2, &type));
        if (type == 3) return bad(f, "a block has an unknown type");
        if (type == 0) {
            HD_TRY(read_stored(f));
            continue;
        }
        HD_TRY(type == 1 ? build_fixed(f) : build_dynamic(f));
        HD_TRY(read_codes(f));
    }
    return flush(f);
}

bool hd_is_gzip(const unsigned char *bytes, size_t length) {
    return length >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

/* Skips a zero-terminated name. */
static bool skip_name(inflater *f) {
    const unsigned char *zero = memchr(f->in, 0, (size_t)(f->end - f->in));
    if (zero) f->in = zero + 1;
    return zero != NULL;
}

static hd_status read_header(inflater *f) {
    size_t left = (size_t)(f->end - f->in);
    if (left < 10) return truncated(f);
    if (!hd_is_gzip(f->in, left) || f->in[2] != 8) return bad(f, "found another method than deflate");
    unsigned flags = f->in[3], extra;
    if (flags & 0xe0) return bad(f, "found reserved flags");
    f->in += 10;
    if (flags & 4) {
        if (f->end - f->in < 2) return truncated(f);
        extra = f->in[0] | (unsigned)f->in[1] << 8;
        if ((size_t)(f->end - f->in) < extra + 2u) return truncated(f);
        f->in += extra + 2;
    }
    if ((flags & 8 && !skip_name(f)) || (flags & 16 && !skip_name(f))) return truncated(f);
    if (flags & 2) {
        if (f->end - f->in < 2) return truncated(f);
        f->in += 2;
    }
    return HD_OK;
}

static hd_status read_word(inflater *f, uint32_t *out) {
    unsigned low, high;
    HD_TRY(take(f, 16, &low));
    HD_TRY(take(f, 16, &high));
    *out = (uint32_t)high << 16 | low;
    return HD_OK;
}

static hd_status read_member(inflater *f) {
    uint32_t crc, size;
    HD_TRY(read_header(f));
    f->bits = 0;
    f->have = 0;
    f->member = f->at;
    f->written = 0;
    f->crc.value = 0;
    HD_TRY(read_blocks(f));
    f->bits >>= f->have & 7;
    f->have &= ~7u;
    HD_TRY(read_word(f, &crc));
    HD_TRY(read_word(f, &size));
    f->in -= f->have / 8; /* give back what was read ahead */
    if (crc != f->crc.value || size != (uint32_t)f->written) return bad(f, "its check sum or length does not fit");
    return HD_OK;
}

hd_status hd_gunzip(hd_context *ctx, const char *where, const unsigned char *bytes, size_t length, hd_sink_fn sink,
                    void *user) {
    inflater *f = hd_alloc(ctx, sizeof *f);
    if (!f) return HD_E_MEMORY;
    f->ctx = ctx;
    f->where = where;
    f->in = bytes;
    f->end = bytes + length;
    f->sink = sink;
    f->user = user;
    hd_crc_init(&f->crc);
    hd_status status;
    do {
        status = read_member(f);
        while (status == HD_OK && f->in < f->end && *f->in == 0) f->in++; /* padding, as tapes leave it */
    } while (status == HD_OK && f->in < f->end);
    hd_free(ctx, f);
    return status;
}
