/* fashion_mnist.c: the data set `fashion-mnist`, in the data folder or where Debian's package puts it. */
#include "data/idx.h"

static const char *const classes[] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                      "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

#define HOME "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
static const hd_data_file files[] = {
    {HOME "train-images-idx3-ubyte.gz", "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", 26421880},
    {HOME "train-labels-idx1-ubyte.gz", "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", 29515},
    {HOME "t10k-images-idx3-ubyte.gz", "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", 4422102},
    {HOME "t10k-labels-idx1-ubyte.gz", "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", 5148},
    {NULL, NULL, 0}};

static const char *find(const hd_data_request *request) {
    return hd_idx_find(request, "/usr/share/datasets/fashion-mnist");
}

static hd_status open_fashion(hd_dataset *data, const hd_data_request *request) {
    const char *folder = find(request);
    if (!folder) return hd_source_missing(request, "dataset-fashion-mnist");
    data->info.classes = 10;
    data->info.class_names = classes;
    return hd_idx_open_folder(data, request, folder);
}

const hd_data_source hd_source_fashion_mnist = {
    .name = "fashion-mnist",
    .description = "70,000 pictures of clothes, 28×28 grey, 10 classes (Xiao, Rasul, Vollgraf 2017)",
    .named = true,
    .samples = 70000,
    .kind = "pictures",
    .licence = "MIT",
    .package = "dataset-fashion-mnist",
    .files = files,
    .find = find,
    .open = open_fashion,
};
