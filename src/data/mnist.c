/* mnist.c: the data set `mnist` in the data folder. */
#include "data/idx.h"

static hd_status open_mnist(hd_dataset *data, const hd_data_request *request) {
    char *folder = hd_path_join(request->arena, request->data_dir, "mnist");
    if (!folder) return HD_E_MEMORY;
    if (!hd_idx_is_folder(folder)) return hd_source_missing(request, NULL);
    return hd_idx_open_folder(data, request, folder);
}

const hd_data_source hd_source_mnist = {
    .name = "mnist",
    .description = "70,000 handwritten digits, 28×28 grey (LeCun, Cortes, Burges 1998), from the data folder",
    .named = true,
    .open = open_mnist,
};
