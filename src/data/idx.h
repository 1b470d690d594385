/* idx.h: IDX files, the form of MNIST: a big-endian header (two zero bytes, type, rank, dimensions) and the elements.
 */
#ifndef HD_DATA_IDX_H
#define HD_DATA_IDX_H
#include "data/source.h"

/* One file of bytes, mapped (plain) or inflated into memory of the data set (.gz). */
typedef struct hd_idx {
    hd_dims dims;
    const unsigned char *data;
} hd_idx;

/* Opens PATH, or PATH.gz where there is no PATH. The size must fit the header exactly. Errors: HD_E_DATA, HD_E_FILE,
 * HD_E_UNSUPPORTED (.gz, built without zlib). */
HD_CHECKED hd_status hd_idx_open(hd_idx *out, hd_dataset *data, const char *path);

/* Is there a train-* or t10k-* pair of files in the folder? */
bool hd_idx_is_folder(const char *folder);

/* Where a named set of such files lies: in the data folder, else in `fallback` (may be NULL); NULL: nowhere. */
const char *hd_idx_find(const hd_data_request *request, const char *fallback);

/* Fills a data set from the pairs train-* and t10k-* of a folder; one of them alone is a data set of one part. */
HD_CHECKED hd_status hd_idx_open_folder(hd_dataset *data, const hd_data_request *request, const char *folder);
#endif
