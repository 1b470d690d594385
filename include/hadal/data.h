/* hadal/data.h: data sets, splits, normalisation, batches, and single pictures for prediction.
 *
 * A data set is n samples, each an input x of one shape and a target: a class (0 … classes-1) or a vector of numbers.
 * Samples stay as they are stored (a mapped file of bytes stays a mapped file of bytes); they become f32 when a batch
 * is made. */
#ifndef HADAL_DATA_H
#define HADAL_DATA_H
#include "hadal/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hd_dataset hd_dataset;

/** What a data set holds. Pointers are borrowed from the data set. */
typedef struct hd_data_info {
    const char *name;         /**< "mnist", "digits", or the path's last part */
    const char *kind;         /**< "pictures", "table", "points", "text", "music", "sequences", "ratings" */
    hd_dims sample;           /**< of one input, without batch: [1,28,28] channels first, [features], or [positions] */
    hd_dtype stored;          /**< HD_U8, HD_I32 or HD_F32 */
    int64_t count;            /**< samples of all parts */
    int64_t train, val, test; /**< samples in the parts the data set itself brings; all in train when it brings none */
    int64_t classes;          /**< 0: the targets are numbers */
    const char *const *class_names; /**< classes entries */
    int64_t targets;                /**< numbers per sample when classes is 0, else 1 */
    size_t bytes;                   /**< memory it holds (mapped files not counted) */
    /* Pictures only, for hd_picture_args: */
    float low, high;    /**< values of black and white: 0 and 255 for bytes, 0 and 16 for optdigits */
    bool light_on_dark; /**< grey pictures with a dark border, by majority of a sample of them */
    bool centered;      /**< the ink is cut out, scaled and centred, as in MNIST: every sample fills the same share */
    float ink;          /**< share of the side that the ink fills on average: 0.7 MNIST, 1 digits */
    /** Tables and ratings, else NULL: how columns become numbers (words, fills of missing cells, users and items), as a
     * JSON object. It travels with the model, and given back as "like" it makes other data the same numbers. */
    const char *encoding;
    /** [targets] each, or NULL: mean and deviation of the training part's numbers. Set by who trains, never by a data
     * set: the network then learns (target − mean) / deviation, and gives its outputs in the target's own unit. */
    const float *target_mean, *target_std;
    /** Sequences: how many labels (or rows of `targets` numbers) a sample has, one for each position; 0: one label for
     * the whole sample. A label of −1 is padding and does not count, nor does a row of numbers 0 … 1 that begins with
     * −1. */
    int64_t positions;
    int64_t codes;   /**< samples are whole numbers 0 … codes−1, names of things; 0: they are not */
    bool as_is;      /**< the numbers of a sample are names (tokens, users) or on and off: they are never normalised */
    bool ordered;    /**< samples go on from one another, as windows of a text: parts are its begin and its end */
    int64_t overlap; /**< with `ordered`: how many samples before a sample share content with it */
} hd_data_info;

/** Opens a data set. `source` is a built-in name, a path, or a JSON object
 * {"path": …, "format": …, "n": …, "seed": …, "noise": …, "binary": …, "label": …, …}; a built-in name wins over a
 * path. A member "text" is a table itself, "like" the `encoding` of another one, "unlabeled": true takes tables without
 * their target too. data_dir: where named sets lie (NULL: $HADAL_DATA, else ~/.local/share/hadal, then the
 * distribution's folders). Errors: HD_E_DATA (content, unknown name; says how to get the data), HD_E_FILE, HD_E_MEMORY,
 * HD_E_UNSUPPORTED (.gz, built without zlib). */
HD_API HD_CHECKED hd_status hd_data_open(hd_dataset **out, hd_context *ctx, const char *source, const char *data_dir);

/** A named data set. */
typedef struct hd_data_entry {
    const char *name, *description;
    const char *kind;    /**< as hd_data_info's */
    int64_t samples;     /**< 0: as many as one asks for */
    bool drawn;          /**< by the program: needs no file */
    bool fetched;        /**< hd_data_get knows its address and check sums */
    int64_t bytes;       /**< to fetch */
    const char *licence; /**< as its publisher says, or NULL */
    const char *package; /**< Debian's, or NULL */
    const char *by_hand; /**< where people find it, when it can not be fetched; or NULL */
} hd_data_entry;
/** Entry number i of the list, in its order; false past the end. */
HD_API bool hd_data_entry_at(hd_data_entry *out, int i);
/** Where a named set lies: a folder or file into `out`, "" when nowhere. Errors: HD_E_DATA for an unknown name. */
HD_API HD_CHECKED hd_status hd_data_find(hd_context *ctx, const char *name, const char *data_dir, char *out,
                                         size_t size);

/** Called now and then while a file is fetched: bytes so far of `total` (0: not known). Returning true ends the call
 * with HD_E_INTERRUPTED; what is there stays for the next one. */
typedef bool (*hd_fetch_watch)(void *user, const char *path, int64_t bytes, int64_t total);
typedef struct hd_data_get_args {
    const char *name;
    const char *dir;  /**< data folder; NULL: $HADAL_DATA, else ~/.local/share/hadal */
    const char *from; /**< folder address of a mirror, instead of the published one; or NULL */
    hd_fetch_watch watch;
    void *user;
} hd_data_get_args;
/** Fetches the files of a named set into DIR/NAME: each through a .part file, gone on with after an interruption, and
 * there only when its SHA-256 is right. Files that are there already are kept. folder (may be NULL) gets DIR/NAME.
 * Errors: HD_E_FILE (network, disk), HD_E_DATA (another file than published, unknown name), HD_E_UNSUPPORTED (built
 * without libcurl, or no check sum is known; says what to do), HD_E_INTERRUPTED. */
HD_API HD_CHECKED hd_status hd_data_get(hd_context *ctx, const hd_data_get_args *args, char *folder, size_t size);

/** A data set over arrays of the caller's, which must outlive it. x: [n, sample…] f32, u8 or i32; labels: [n] classes
 * (NULL with values), values: [n, targets] f32 (NULL with labels). With positions: labels [n, positions] of −1 …
 * classes − 1, values [n, positions, targets], and x is taken as it is. */
typedef struct hd_data_arrays {
    const void *x;
    hd_dtype dtype;
    hd_dims sample;
    int64_t n;
    const int64_t *labels;
    int64_t classes;
    const float *values;
    int64_t targets;
    int64_t positions; /**< 0: one label (or row of values) for the whole sample */
} hd_data_arrays;
HD_API HD_CHECKED hd_status hd_data_from_arrays(hd_dataset **out, hd_context *ctx, const hd_data_arrays *arrays);

/** A data source of the program's own: what there is, and a function that reads one sample. */
typedef struct hd_data_reader {
    const char *name;         /**< what recipes and hd_data_open call it */
    hd_dims sample;           /**< of one input, without batch */
    hd_dtype stored;          /**< HD_F32 or HD_U8 */
    int64_t train, val, test; /**< samples of each part, one part after the other; no val or test: cut off by recipes */
    int64_t classes;          /**< 0: the targets are numbers */
    const char *const *class_names; /**< classes entries; NULL: numbers */
    int64_t targets;                /**< numbers per sample when classes is 0 */
    /** Reads sample `index` (0 … train+val+test − 1): x gets count(sample) elements, then *label its class or values
     * its `targets` numbers; the other pointer is NULL. Anything but HD_OK ends the opening with that status. */
    hd_status (*read)(void *user, int64_t index, void *x, int64_t *label, float *values);
    void *user;
} hd_data_reader;
/** Reads all samples, once, into memory of the data set. Errors: HD_E_USAGE (the descriptor), HD_E_DATA (labels out of
 * range, numbers that are not finite), HD_E_MEMORY, and what `read` returned. */
HD_API HD_CHECKED hd_status hd_data_from_reader(hd_dataset **out, hd_context *ctx, const hd_data_reader *reader);
/** Makes a source known to hd_data_open and recipes of this context by its name, which wins over a path. The descriptor
 * must outlive the context. Errors: HD_E_USAGE (the descriptor, or the name is taken), HD_E_MEMORY. */
HD_API HD_CHECKED hd_status hd_context_add_source(hd_context *ctx, const hd_data_reader *reader);

HD_API void hd_data_free(hd_dataset *data);
HD_API hd_data_info hd_data_get_info(const hd_dataset *data);

/** One sample as stored: x gets count(sample) floats, unnormalised (bytes 0 … 255 as numbers 0 … 255). */
HD_API void hd_data_x(const hd_dataset *data, int64_t index, float *x);
/** The class of a sample (classes > 0); of its first position where it has several. */
HD_API int64_t hd_data_label(const hd_dataset *data, int64_t index);
/** All labels of a sample (classes > 0): `positions` numbers, or one. */
HD_API void hd_data_labels(const hd_dataset *data, int64_t index, int64_t *labels);
/** The target numbers of a sample (classes == 0): `targets` floats, or [positions, targets]. */
HD_API void hd_data_values(const hd_dataset *data, int64_t index, float *values);

/** Which samples belong to which part. What the data set brings wins; else test and val are cut off as fractions. */
typedef struct hd_split_args {
    double val, test; /**< fractions 0 … 1; negative: the defaults 0.1 and 0.2 */
    /** "stratified" (default for classes), "random" (default for numbers and positions), "last" (default for ordered
     * samples; training samples that share content with a held-out one are left out) */
    const char *mode;
    uint64_t seed;
} hd_split_args;
typedef struct hd_split {
    int64_t *train, *val, *test; /**< indices of samples */
    int64_t train_count, val_count, test_count;
    hd_context *ctx;
} hd_split;
HD_API HD_CHECKED hd_status hd_split_make(hd_split *out, const hd_dataset *data, const hd_split_args *args);
HD_API void hd_split_free(hd_split *split);

/** Tables opened with missing=mean: fills what was missing anew, by the mean (the usual word) of these samples alone,
 * so that validation and test teach nothing. Others: nothing. Changes samples and `encoding`. */
HD_API HD_CHECKED hd_status hd_data_refill(hd_dataset *data, const int64_t *indices, int64_t count);

/** x ↦ (x − mean) / std, per channel of pictures, per feature of tables. std 0 counts as 1. */
typedef struct hd_normalizer {
    int64_t channels; /**< length of mean and std; 0: identity */
    int64_t
        each; /**< consecutive elements of a sample that share one channel (28·28 for grey pictures, 1 for tables) */
    float *mean, *std;
    hd_context *ctx;
} hd_normalizer;
/** mode: "standard" (learnt on `indices`), "unit" (pictures: black to 0, white to 1; other bytes: divide by 255;
 * others: identity), "signed" (the same to −1 … 1), "none". */
HD_API HD_CHECKED hd_status hd_normalizer_fit(hd_normalizer *out, const hd_dataset *data, const int64_t *indices,
                                              int64_t count, const char *mode);
HD_API void hd_normalizer_free(hd_normalizer *normalizer);
/** In place on n samples of `size` elements. */
HD_API void hd_normalizer_apply(const hd_normalizer *normalizer, float *x, int64_t n, int64_t size);

/** Batches of a list of samples, shuffled per epoch without copying; the order is a function of (seed, epoch). */
typedef struct hd_loader hd_loader;
typedef struct hd_loader_args {
    const int64_t *indices; /**< borrowed */
    int64_t count, batch_size;
    bool shuffle, drop_last;
    uint64_t seed;
    const hd_normalizer *normalizer; /**< borrowed; NULL: none */
    bool prefetch; /**< make the next batch on a thread of its own while this one is used; a small one of plain bytes or
                        numbers is made by all of the context's threads instead */
    /** Windows of a text begin elsewhere in each epoch: all are moved on by one distance below their stride, drawn from
     * (seed, epoch); the last one, and windows that are not one run of the text, stay. Others: no effect. */
    bool shift;
    /** Lane b of batch s holds sample b · batches + s, so that a batch goes on where the one before ended, for networks
     * that carry their state on. Not with shuffle. Samples that fill no batch are left out. */
    bool streams;
    /** Pictures only: each is mirrored left to right half of the time; and moved by up to `crop` pixels each way, black
     * coming in from the sides. What is done to a picture is a function of (seed, epoch, number of the sample). */
    bool flip;
    int64_t crop; /**< below both sides; 0: none */
} hd_loader_args;
typedef struct hd_batch {
    int64_t n;            /**< samples in this batch: batch_size, or fewer at the end of the epoch */
    const float *x;       /**< [n, sample…], normalised */
    const int64_t *label; /**< [n], or [n, positions], or NULL */
    const float *value;   /**< [n, targets], or [n, positions, targets], or NULL */
    const int64_t *index; /**< [n], which samples these are */
} hd_batch;
HD_API HD_CHECKED hd_status hd_loader_new(hd_loader **out, hd_dataset *data, const hd_loader_args *args);
HD_API void hd_loader_free(hd_loader *loader);
HD_API int64_t hd_loader_steps(const hd_loader *loader); /**< batches an epoch */
/** Next batch is number `step` (0-based) of `epoch`: start of an epoch, or where a run was interrupted. */
HD_API HD_CHECKED hd_status hd_loader_seek(hd_loader *loader, int64_t epoch, int64_t step);
/** Next batch; out->n is 0 at the end of the epoch. Buffers are the loader's until the next call. No allocation. */
HD_API HD_CHECKED hd_status hd_loader_next(hd_loader *loader, hd_batch *out);
HD_API size_t hd_loader_bytes(const hd_loader *loader); /**< memory of its buffers */

/** A PNG (or PBM, PGM, PPM; plain or .gz) of any size and colour form as an input of shape sample [c,h,w]: turned grey,
 * scaled, centred, and inverted when that fits how the net was trained. A picture that has the sample's size already is
 * neither cut nor centred. */
typedef struct hd_picture_args {
    hd_dims sample;
    float low, high;    /**< values of black and white (0 and 255 for bytes, 0 and 16 for optdigits) */
    bool light_on_dark; /**< the training pictures are light strokes on a dark ground */
    bool center;        /**< cut to the ink and centre as the training pictures are (hd_data_info.centered) */
    float ink;   /**< with center: share of the side that the ink shall fill; 0: 1, all of it (hd_data_info.ink) */
    bool strict; /**< refuse instead of adapting */
} hd_picture_args;
/** x: count(sample) floats, unnormalised. note (may be NULL, note_size bytes) gets what was adapted, "" if nothing.
 * Errors: HD_E_FILE, HD_E_DATA (no such picture, hostile sizes), HD_E_UNSUPPORTED (built without libpng). */
HD_API HD_CHECKED hd_status hd_picture_read(hd_context *ctx, const char *path, const hd_picture_args *args, float *x,
                                            char *note, size_t note_size);
/** Writes 8-bit grey (channels 1) or RGB (3) pixels, rows of w·channels bytes, as PNG. Needs no library. */
HD_API HD_CHECKED hd_status hd_picture_write(hd_context *ctx, const char *path, const unsigned char *pixels, int64_t h,
                                             int64_t w, int channels);
/** The same into memory: *out freed by hd_memory_free(ctx, …). */
HD_API HD_CHECKED hd_status hd_picture_encode(hd_context *ctx, const unsigned char *pixels, int64_t h, int64_t w,
                                              int channels, unsigned char **out, size_t *length);

#ifdef __cplusplus
}
#endif
#endif
