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
    const unsigned char *label8; /* one byte each, at label_stride; or */
    const int64_t *label64;      /* side by side; or */
    const float *value;          /* [count, targets] */
    size_t label_stride;         /* bytes, of label8 */
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
HD_CHECKED hd_status hd_data_add_block(hd_dataset *data, const hd_data_block *block);

/* Checks the labels: each below `classes`, or info.classes, or, when both are 0, below the number of distinct labels.
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
static inline int64_t hd_block_label(const hd_data_block *b, int64_t index) {
    return b->label64 ? b->label64[index - b->first] : b->label8[(size_t)(index - b->first) * b->label_stride];
}
#endif
