/* fashion_mnist.c: the data set `fashion-mnist`, in the data folder or where Debian's package puts it. */
#include "data/idx.h"

static const char *const classes[] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                      "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

static hd_status open_fashion(hd_dataset *data, const hd_data_request *request) {
    const char *folder = hd_path_join(request->arena, request->data_dir, "fashion-mnist");
    if (!folder) return HD_E_MEMORY;
    if (!hd_idx_is_folder(folder)) folder = "/usr/share/datasets/fashion-mnist";
    if (!hd_idx_is_folder(folder)) return hd_source_missing(request, "dataset-fashion-mnist");
    data->info.classes = 10;
    data->info.class_names = classes;
    return hd_idx_open_folder(data, request, folder);
}

const hd_data_source hd_source_fashion_mnist = {
    .name = "fashion-mnist",
    .description = "70,000 pictures of clothes, 28×28 grey, 10 classes (Xiao, Rasul, Vollgraf 2017)",
    .named = true,
    .open = open_fashion,
};
