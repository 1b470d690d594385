/* usps.c: the digits of envelopes of the United States Postal Service, 16×16 grey (LeCun et al. 1989), as the text
 * files zip.train and zip.test of "The Elements of Statistical Learning": the digit, then 256 values from -1 (paper) to
 * 1 (ink). */
#include "data/digit_tables.h"

static const char *const train[] = {"zip.train.gz", "zip.train", NULL};
static const char *const test[] = {"zip.test.gz", "zip.test", NULL};
static const hd_digit_form form = {.side = 16, .low = -1, .high = 1, .top = 255, .first = 1, .label_columns = 1};

static const char *find(const hd_data_request *request) {
    const char *path = NULL;
    if (hd_named_file(request, train, NULL, &path) == HD_OK && path) return path;
    return hd_named_file(request, test, NULL, &path) == HD_OK ? path : NULL;
}

/* One of the two files alone is a data set of one part. */
static hd_status open_usps(hd_dataset *data, const hd_data_request *request) {
    const char *path[2];
    HD_TRY(hd_named_file(request, train, NULL, &path[0]));
    HD_TRY(hd_named_file(request, test, NULL, &path[1]));
    if (!path[0] && !path[1]) return hd_source_missing(request, NULL);
    if (path[0]) HD_TRY(hd_digit_table_add(data, request, path[0], &form, &data->info.train));
    if (path[1])
        HD_TRY(hd_digit_table_add(data, request, path[1], &form, path[0] ? &data->info.test : &data->info.train));
    return HD_OK;
}

static bool looks_like_usps(const char *path) {
    return hd_has_file(path, train) || hd_has_file(path, test);
}

const hd_data_source hd_source_usps = {
    .name = "usps",
    .description =
        "real handwritten digits from envelopes, 16×16 grey, light on dark (zip.train, zip.test; plain or .gz)",
    .named = true,
    .samples = 9298,
    .kind = "pictures",
    .licence = "none stated; published with \"The Elements of Statistical Learning\"",
    .by_hand = "zip.train.gz and zip.test.gz from https://hastie.su.domains/ElemStatLearn/datasets/",
    .find = find,
    .looks_like = looks_like_usps,
    .open = open_usps,
};
