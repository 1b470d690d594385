/* hadal/generate.h: models that go on with a sequence: text token by token, music frame by frame. */
#ifndef HADAL_GENERATE_H
#define HADAL_GENERATE_H
#include "hadal/train.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How the next thing is drawn from the network's probabilities. Zero means the default. */
typedef struct hd_generator_args {
    double temperature; /**< logits are divided by it: default 1; HD_ZERO: always the likeliest */
    int64_t top_k;      /**< only the k likeliest; 0: all */
    double top_p;       /**< only the likeliest that together have this share; 0 or 1: all */
    uint64_t seed;      /**< default 1 */
} hd_generator_args;

/** A model in decode mode: a position is computed once, what later ones need of it is kept. */
typedef struct hd_generator hd_generator;
/** Builds the model's network for one position a run, with the model's own weights. The model must outlive it, and have
 * one generator at a time. Errors: HD_E_MODEL (a model that does not continue sequences, or a layer that looks ahead),
 * HD_E_USAGE (options), HD_E_MEMORY. */
HD_API HD_CHECKED hd_status hd_generator_new(hd_generator **out, hd_model *model, const hd_generator_args *args);
HD_API void hd_generator_free(hd_generator *generator);
/** Forgets what was fed and drawn: a new sequence, from the seed again. */
HD_API void hd_generator_reset(hd_generator *generator);

/** Numbers in one thing of the sequence: 1 for a token; the keys of a frame of music. */
HD_API int64_t hd_generator_width(const hd_generator *generator);
/** Whether it writes music: frames of 0 and 1 for each key, the lowest A of the piano first. */
HD_API bool hd_generator_is_music(const hd_generator *generator);
/** Feeds n things, `width` numbers each (a token by its number). Beyond the positions that the model was made for the
 * later half of what it saw is kept in view. Errors: HD_E_DATA (a token outside the vocabulary). */
HD_API HD_CHECKED hd_status hd_generator_feed(hd_generator *generator, const float *x, int64_t n);
/** Draws what comes next, `width` numbers, which is fed by the next call. Errors: HD_E_USAGE (nothing was fed). */
HD_API HD_CHECKED hd_status hd_generator_next(hd_generator *generator, float *x);

/** Text to tokens; *tokens is freed by hd_memory_free. Errors: HD_E_DATA (a character that the model does not know). */
HD_API HD_CHECKED hd_status hd_generator_encode(hd_generator *generator, const char *text, size_t length,
                                                float **tokens, int64_t *n);
/** The bytes of a token into `out`; returns how many (0: no such token, or more than `size`). A character of several
 * bytes may come in several tokens. */
HD_API size_t hd_generator_decode(const hd_generator *generator, int64_t token, char *out, size_t size);

/** A frame of music (0 or 1 for each key, A0 first) as text with a blank behind it: "C4+E4+G4 ", "- " for silence, or,
 * abc, "[CEG] ", "z " (abc notation 2.1, L:1/8). Returns the bytes, which end in NUL; keys beyond 128 and notes for
 * which there is no room are left out. */
HD_API size_t hd_frame_write(char *out, size_t size, const float *frame, int64_t keys, bool abc);
/** Reads one chord of n bytes, "C4+Eb4+F#4" or "-"; false: it is none, or has a note outside the keys. */
HD_API bool hd_frame_read(const char *text, size_t n, float *frame, int64_t keys);

/** Draws one of n by its logit. `uniform`: a random number in [0, 1). scratch: n numbers. */
HD_API int64_t hd_sample_logits(const float *logits, int64_t n, const hd_generator_args *args, double uniform,
                                double *scratch);

#ifdef __cplusplus
}
#endif
#endif
