/* semeion.c: the 1,593 digits of the Semeion Research Center, 16×16, 0 or 1 (UCI, 1998): 256 pixels, then ten columns
 * of which one is 1. */
#include "data/digit_tables.h"

static const char *const files[] = {"semeion.data", "semeion.data.gz", NULL};
static const hd_digit_form form = {.side = 16, .low = 0, .high = 1, .top = 255, .label_columns = 10};

static const hd_data_file published[] = {
    {"https://archive.ics.uci.edu/ml/machine-learning-databases/semeion/semeion.data",
     "f43228ae3da5ea6a3c95069d53450b86166770e3b719dcc333182128fe08d4b1", 2889702},
    {NULL, NULL, 0}};

static const char *find(const hd_data_request *request) {
    const char *path = NULL;
    return hd_named_file(request, files, NULL, &path) == HD_OK ? path : NULL;
}

static hd_status open_semeion(hd_dataset *data, const hd_data_request *request) {
    const char *path = find(request);
    if (!path) return hd_source_missing(request, NULL);
    return hd_digit_table_add(data, request, path, &form, &data->info.train);
}

static bool looks_like_semeion(const char *path) {
    return hd_has_file(path, files);
}

const hd_data_source hd_source_semeion = {
    .name = "semeion",
    .description = "1,593 real handwritten digits, 16×16 black and white, light on dark (semeion.data)",
    .named = true,
    .samples = 1593,
    .kind = "pictures",
    .licence = "CC BY 4.0 (UCI machine learning repository)",
    .files = published,
    .find = find,
    .looks_like = looks_like_semeion,
    .open = open_semeion,
};
