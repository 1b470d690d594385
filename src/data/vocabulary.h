/* vocabulary.h: tokens of a text that are its characters: which there are, their numbers, their names. */
#ifndef HD_DATA_VOCABULARY_H
#define HD_DATA_VOCABULARY_H
#include "base/json.h"
#include "data/dataset.h"

/* A code point 0 … 0x10FFFF, or, behind them, a byte that begins no character of UTF-8. */
enum { HD_NO_TEXT = 0x110000, HD_SYMBOLS = HD_NO_TEXT + 256 };

typedef struct hd_vocabulary {
    hd_context *ctx;
    int32_t *token; /* [HD_SYMBOLS]: number of the token, or −1 */
    int64_t count;
    bool bytes; /* every symbol that there is takes one byte of text */
} hd_vocabulary;

/* The symbol that text begins with; *length gets its bytes, at least 1. left: bytes of text, at least 1. */
uint32_t hd_symbol_at(const unsigned char *text, size_t left, size_t *length);

/* The symbols of a text, numbered in their order. */
HD_CHECKED hd_status hd_vocabulary_count(hd_vocabulary *out, hd_context *ctx, const unsigned char *text, size_t length);
/* From the names of a model's classes. Errors: HD_E_DATA: one of them is no symbol. */
HD_CHECKED hd_status hd_vocabulary_read(hd_vocabulary *out, hd_context *ctx, const hd_json *names);
/* Texts of the tokens, in the data set's arena: UTF-8; "\x00" and bytes that are no text as \xNN. */
HD_CHECKED hd_status hd_vocabulary_names(const hd_vocabulary *v, hd_dataset *data);
/* The name of one symbol: at most 5 bytes with its end. */
void hd_symbol_name(char out[8], uint32_t symbol);
void hd_vocabulary_free(hd_vocabulary *v);
#endif
