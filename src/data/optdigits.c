/* optdigits.c: the 1,797 real digits of 8×8 pixels, 0 … 16, that scikit-learn carries (test part of UCI's "Optical
 * recognition of handwritten digits", Alpaydin and Kaynak 1998). */
#include "data/digit_tables.h"

static const char *const files[] = {"digits.csv.gz", "digits.csv", NULL};
static const hd_digit_form form = {.side = 8, .low = 0, .high = 16, .top = 16, .label_columns = 1};

static const char *find(const hd_data_request *request) {
    static const char sklearn[] = "/usr/lib/python3/dist-packages/sklearn/datasets/data";
    const char *path = NULL;
    return hd_named_file(request, files, sklearn, &path) == HD_OK ? path : NULL;
}

static hd_status open_optdigits(hd_dataset *data, const hd_data_request *request) {
    const char *path = find(request);
    if (!path) return hd_source_missing(request, "python3-sklearn");
    return hd_digit_table_add(data, request, path, &form, &data->info.train);
}

static bool looks_like_optdigits(const char *path) {
    return hd_has_file(path, files);
}

const hd_data_source hd_source_optdigits = {
    .name = "optdigits",
    .description =
        "1,797 real handwritten digits, 8×8 grey, values 0 … 16 (UCI; Debian's python3-sklearn carries them)",
    .named = true,
    .samples = 1797,
    .kind = "pictures",
    .licence = "CC BY 4.0 (UCI machine learning repository)",
    .package = "python3-sklearn",
    .by_hand = "digits.csv.gz of scikit-learn (sklearn/datasets/data)",
    .find = find,
    .looks_like = looks_like_optdigits,
    .open = open_optdigits,
};
