/* vocabulary.c: characters as tokens. Knows no files. */
#include "data/vocabulary.h"
#include "base/status.h"
#include "base/text.h"
#include "base/utf8.h"
#include <stdio.h>
#include <string.h>

uint32_t hd_symbol_at(const unsigned char *text, size_t left, size_t *length) {
    const size_t n = hd_utf8_length((const char *)text, left);
    *length = n ? n : 1;
    if (n == 0) return HD_NO_TEXT + (uint32_t)text[0];
    if (n == 1) return text[0];
    uint32_t code = text[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) code = code << 6 | (text[i] & 0x3f);
    return code;
}

void hd_symbol_name(char out[8], uint32_t symbol) {
    if (symbol == 0 || symbol >= HD_NO_TEXT)
        (void)snprintf(out, 8, "\\x%02x", (unsigned)(symbol ? symbol - HD_NO_TEXT : 0) & 0xff);
    else
        out[hd_utf8_put(out, symbol)] = 0;
}

static hd_status make(hd_vocabulary *v, hd_context *ctx) {
    *v = (hd_vocabulary){.ctx = ctx, .bytes = true};
    v->token = hd_alloc_n(ctx, HD_SYMBOLS, sizeof *v->token);
    return v->token ? HD_OK : HD_E_MEMORY;
}

hd_status hd_vocabulary_count(hd_vocabulary *out, hd_context *ctx, const unsigned char *text, size_t length) {
    hd_vocabulary *v = out;
    HD_TRY(make(v, ctx));
    for (size_t i = 0, n; i < length; i += n) v->token[hd_symbol_at(text + i, length - i, &n)] = 1;
    for (int32_t s = 0; s < HD_SYMBOLS; s++) {
        const bool there = v->token[s] != 0;
        v->token[s] = there ? (int32_t)v->count : -1;
        v->count += there;
        if (there && s >= 0x80 && s < HD_NO_TEXT) v->bytes = false;
    }
    return HD_OK;
}

/* "\xNN", as hd_symbol_name writes it. */
static bool read_escape(const char *name, uint32_t *symbol) {
    static const char digits[] = "0123456789abcdef";
    uint32_t byte = 0;
    if (strlen(name) != 4 || name[0] != '\\' || name[1] != 'x') return false;
    for (int i = 2; i < 4; i++) {
        const char *digit = strchr(digits, name[i]);
        if (!digit) return false;
        byte = byte * 16 + (uint32_t)(digit - digits);
    }
    *symbol = byte ? HD_NO_TEXT + byte : 0;
    return true;
}

hd_status hd_vocabulary_read(hd_vocabulary *out, hd_context *ctx, const hd_json *names) {
    hd_vocabulary *v = out;
    HD_TRY(make(v, ctx));
    memset(v->token, 0xff, (size_t)HD_SYMBOLS * sizeof *v->token);
    for (const hd_json *e = names->child; e; e = e->next) {
        const size_t length = strlen(e->string);
        size_t n = 0;
        uint32_t symbol = 0;
        if (!read_escape(e->string, &symbol) && length > 0)
            symbol = hd_symbol_at((const unsigned char *)e->string, length, &n);
        if ((n > 0 && n != length) || length == 0 || v->token[symbol] >= 0)
            return hd_fail(ctx, HD_E_DATA, "text|the model's class \"%.40s\" is no character|Was it trained on text?",
                           e->string);
        v->token[symbol] = (int32_t)v->count++;
        if (symbol >= 0x80 && symbol < HD_NO_TEXT) v->bytes = false;
    }
    return HD_OK;
}

hd_status hd_vocabulary_names(const hd_vocabulary *v, hd_dataset *data) {
    const char **names = hd_arena_alloc_n(&data->arena, (size_t)v->count + 1, sizeof *names);
    if (!names) return HD_E_MEMORY;
    for (uint32_t s = 0; s < HD_SYMBOLS; s++) {
        char name[8];
        if (v->token[s] < 0) continue;
        hd_symbol_name(name, s);
        if (!(names[v->token[s]] = hd_arena_strdup(&data->arena, name))) return HD_E_MEMORY;
    }
    data->info.class_names = names;
    data->info.classes = v->count;
    return HD_OK;
}

void hd_vocabulary_free(hd_vocabulary *v) {
    hd_free(v->ctx, v->token);
    v->token = NULL;
}
