/* semeion.c: the 1,593 digits of the Semeion Research Center, 16×16, 0 or 1 (UCI, 1998): 256 pixels, then ten columns
 * of which one is 1. */
#include "data/digit_tables.h"

static const char *const files[] = {"semeion.data", "semeion.data.gz", NULL};
static const hd_digit_form form = {.side = 16, .low = 0, .high = 1, .top = 255, .label_columns = 10};

static hd_status open_semeion(hd_dataset *data, const hd_data_request *request) {
    const char *path;
    HD_TRY(hd_named_file(request, files, NULL, &path));
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
    .looks_like = looks_like_semeion,
    .open = open_semeion,
};
