/* npz.c: owns the form of zip archives (APPNOTE 6.3) as far as NumPy writes them. Trusts no number in them. */
#include "data/npz.h"
#include "base/status.h"
#include "data/checksum.h"
#include "data/inflate.h"
#include <string.h>

enum { END = 22, CENTRAL = 46, LOCAL = 30, MEMBERS = 4096 };

static size_t u16(const unsigned char *p) {
    return (size_t)p[0] | (size_t)p[1] << 8;
}

static size_t u32(const unsigned char *p) {
    return u16(p) | u16(p + 2) << 16;
}

static hd_status damaged(const hd_zip *z, const char *what) {
    return hd_fail(z->ctx, HD_E_DATA, "%s|the archive is damaged: %s|Fetch or save it again", z->where, what);
}

bool hd_is_zip(const unsigned char *bytes, size_t length) {
    return length >= 4 && memcmp(bytes, "PK", 2) == 0 && (u16(bytes + 2) == 0x0403 || u16(bytes + 2) == 0x0605);
}

/* The record at the end, behind which at most a comment of 64 KB stands. */
static const unsigned char *find_end(const unsigned char *data, size_t length) {
    for (size_t back = END; back <= length && back <= END + 0xffff; back++)
        if (u32(data + length - back) == 0x06054b50 && u16(data + length - back + 20) == back - END)
            return data + length - back;
    return NULL;
}

static hd_status read_member(hd_zip *z, hd_arena *arena, size_t *at) {
    const unsigned char *p = z->data + *at;
    hd_zip_member *m = &z->member[z->count];
    if (z->length - *at < CENTRAL || u32(p) != 0x02014b50) return damaged(z, "its list of members is broken");
    const size_t name = u16(p + 28), all = CENTRAL + name + u16(p + 30) + u16(p + 32);
    if (z->length - *at < all) return damaged(z, "its list of members ends early");
    *m = (hd_zip_member){.method = (int)u16(p + 10),
                         .crc = (uint32_t)u32(p + 16),
                         .packed = u32(p + 20),
                         .length = u32(p + 24),
                         .at = u32(p + 42)};
    m->name = hd_arena_strndup(arena, (const char *)p + CENTRAL, name);
    if (!m->name) return HD_E_MEMORY;
    if (u16(p + 8) & 1) return hd_fail(z->ctx, HD_E_DATA, "%s|encrypted archives are not read", z->where);
    if (m->packed == 0xffffffff || m->length == 0xffffffff || m->at == 0xffffffff)
        return hd_fail(z->ctx, HD_E_DATA, "%s|members of 4 GB and more are not read|Save the arrays as .npy files",
                       z->where);
    *at += all;
    z->count++;
    return HD_OK;
}

hd_status hd_zip_open(hd_zip *z, hd_context *ctx, hd_arena *arena, const char *where, const unsigned char *bytes,
                      size_t length) {
    *z = (hd_zip){.ctx = ctx, .where = where, .data = bytes, .length = length, .budget = HD_GROWN_MAX(length)};
    const unsigned char *end = find_end(bytes, length);
    if (!end) return damaged(z, "it has no end");
    const size_t count = u16(end + 10);
    size_t at = u32(end + 16);
    if (count > MEMBERS || at > length) return damaged(z, "its list of members is broken");
    z->member = hd_arena_alloc_n(arena, count + 1, sizeof *z->member);
    if (!z->member) return HD_E_MEMORY;
    while ((size_t)z->count < count) HD_TRY(read_member(z, arena, &at));
    return HD_OK;
}

const hd_zip_member *hd_zip_find(const hd_zip *z, const char *name) {
    for (int i = 0; i < z->count; i++)
        if (strcmp(z->member[i].name, name) == 0) return &z->member[i];
    return NULL;
}

typedef struct unpacking {
    const hd_zip *zip;
    unsigned char *to;
    size_t length, got;
} unpacking;

static hd_status keep(void *user, const unsigned char *bytes, size_t length) {
    unpacking *u = user;
    if (length > u->length - u->got) return damaged(u->zip, "a member is longer than it says");
    memcpy(u->to + u->got, bytes, length);
    u->got += length;
    return HD_OK;
}

static hd_status unpack(hd_zip *z, const hd_zip_member *m, const unsigned char *from, void **memory) {
    if (m->length > z->budget)
        return hd_fail(z->ctx, HD_E_DATA,
                       "%s|would grow to more than 56 MB and four times the file|Save it with numpy.savez, not "
                       "savez_compressed, if you trust it",
                       z->where);
    z->budget -= m->length;
    *memory = hd_alloc(z->ctx, m->length + 1);
    if (!*memory) return HD_E_MEMORY;
    unpacking u = {.zip = z, .to = *memory, .length = m->length};
    HD_TRY(hd_inflate_raw(z->ctx, z->where, from, m->packed, keep, &u));
    return u.got == m->length ? HD_OK : damaged(z, "a member is shorter than it says");
}

hd_status hd_zip_read(hd_zip *z, const hd_zip_member *m, const unsigned char **bytes, void **memory) {
    const unsigned char *p = z->data + m->at;
    *memory = NULL;
    if (m->at > z->length || z->length - m->at < LOCAL || u32(p) != 0x04034b50)
        return damaged(z, "a member is not where the list says");
    const size_t head = LOCAL + u16(p + 26) + u16(p + 28);
    if (z->length - m->at < head || z->length - m->at - head < m->packed) return damaged(z, "a member ends early");
    *bytes = p + head;
    hd_status status = HD_OK;
    if (m->method == 8) {
        status = unpack(z, m, p + head, memory);
        *bytes = *memory;
    } else if (m->method != 0) {
        status = hd_fail(z->ctx, HD_E_DATA, "%s|packing method %d is not read|Save it with numpy.savez", z->where,
                         m->method);
    } else if (m->packed != m->length) {
        status = damaged(z, "a member has two lengths");
    }
    if (status == HD_OK && hd_crc32(0, *bytes, m->length) != m->crc) status = damaged(z, "a check sum does not fit");
    if (status == HD_OK) return HD_OK;
    hd_free(z->ctx, *memory);
    *memory = NULL;
    return status;
}
