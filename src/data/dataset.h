/* dataset.h: the inside of hd_dataset: samples in blocks of memory that is owned, mapped or borrowed. */
#ifndef HD_DATA_DATASET_H
#define HD_DATA_DATASET_H
#include "base/alloc.h"
#include "base/file.h"
#include "hadal/data.h"

/* Consecutive samples that lie at one stride. */
typedef struct hd_data_block {
    int64_t first, count;        /* numbers of its samples in the data set; `first` is set by hd_data_finish */
    const unsigned char *x;      /* sample i at x + i * x_stride, stored elements side by side */
    size_t x_stride;             /* bytes */
    const unsigned char *label8; /* a byte each, those of a sample side by side, samples label_stride apart; or */
    const int32_t *label32;      /* the same, four bytes each; or */
    const int64_t *label64;      /* all side by side; or */
    const float *value;          /* [count, positions, targets]; or */
    const signed char *value8;   /* the same as small whole numbers */
    size_t label_stride;         /* bytes, of label8 and label32 */
    const char *where;           /* file, for messages */
} hd_data_block;

enum { HD_DATA_BLOCKS = 8, HD_DATA_OWNED = 24 };

struct hd_dataset {
    hd_context *ctx;
    hd_data_info info;
    int64_t size; /* elements of one sample */
    hd_data_block block[HD_DATA_BLOCKS];
    int blocks;
    hd_arena arena; /* names */
    void *owned[HD_DATA_OWNED];
    int owned_count;
    hd_map map[HD_DATA_OWNED];
    int map_count;
    const unsigned char *code;  /* [256]: what stored bytes, of samples and labels, mean; NULL: themselves */
    int64_t shift_max;          /* of windows: elements that they can be moved on by, less one; 0: none */
    bool labels_checked;        /* whoever opened it made the labels: each is below info.classes */
    struct hd_schema *schema;   /* of the table it was made of, or NULL */
    const unsigned char *holes; /* a bit for every (row, column of the table) that was filled, or NULL */
};

/* An empty data set. The opener sets info.name (from the arena), kind, sample, stored, train, val, test, targets, and
 * classes with class_names if they have names, adds blocks in the order train, val, test, and calls hd_data_finish. */
HD_CHECKED hd_status hd_data_make(hd_dataset **out, hd_context *ctx);

/* Memory from hd_alloc that dies with the data set; counted in info.bytes. NULL without memory. */
void *hd_data_alloc(hd_dataset *data, size_t n, size_t size);
/* Takes over memory from hd_alloc. On failure it is freed. */
HD_CHECKED hd_status hd_data_own(hd_dataset *data, void *memory, size_t bytes);
/* Maps a file for the data set's life. */
HD_CHECKED hd_status hd_data_map(hd_dataset *data, const char *path, hd_map *out);
/* The same, unpacked into memory of the data set where the file is packed (gzip), whatever its name says. */
HD_CHECKED hd_status hd_data_load(hd_dataset *data, const char *path, hd_map *out);
HD_CHECKED hd_status hd_data_add_block(hd_dataset *data, const hd_data_block *block);

/* Checks the labels: each below `classes`, or info.classes, or, when both are 0, below the number of distinct labels;
 * of positions from −1 on, and the number of classes must be said.
 * Names classes by their numbers if they have no names, measures pictures. Errors: HD_E_DATA naming file and sample. */
HD_CHECKED hd_status hd_data_finish(hd_dataset *data, int64_t classes);

/* The block that holds a sample. Every index is below info.count. */
static inline const hd_data_block *hd_data_find_block(const hd_dataset *data, int64_t index) {
    const hd_data_block *b = data->block;
    while (index >= b->first + b->count) b++;
    return b;
}
static inline const unsigned char *hd_data_at(const hd_data_block *b, int64_t index) {
    return b->x + (size_t)(index - b->first) * b->x_stride;
}
static inline bool hd_block_has_values(const hd_data_block *b) {
    return b->value || b->value8;
}
/* Labels (or rows of numbers) of a sample. */
static inline int64_t hd_data_positions(const hd_dataset *data) {
    return data->info.positions > 0 ? data->info.positions : 1;
}
/* Label number `at`, from 0, of a sample; at beyond its positions: of a window moved on by that much. */
static inline int64_t hd_block_label(const hd_dataset *d, const hd_data_block *b, int64_t index, int64_t at) {
    const int64_t i = index - b->first;
    if (b->label64) return b->label64[i * hd_data_positions(d) + at];
    if (b->label32)
        return ((const int32_t *)(const void *)((const char *)b->label32 + (size_t)i * b->label_stride))[at];
    const unsigned char byte = b->label8[(size_t)i * b->label_stride + (size_t)at];
    return d->code ? d->code[byte] : byte;
}
/* The elements of a sample, stored at `from`, as numbers: bytes through `code`. */
void hd_data_convert(const hd_dataset *data, const unsigned char *from, float *x);
#endif
