/* mnist.c: the data set `mnist` in the data folder. */
#include "data/idx.h"

#define MIRROR "https://storage.googleapis.com/cvdf-datasets/mnist/"
static const hd_data_file files[] = {
    {MIRROR "train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9912422},
    {MIRROR "train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28881},
    {MIRROR "t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1648877},
    {MIRROR "t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4542},
    {NULL, NULL, 0}};

static const char *find(const hd_data_request *request) {
    return hd_idx_find(request, NULL);
}

static hd_status open_mnist(hd_dataset *data, const hd_data_request *request) {
    const char *folder = find(request);
    return folder ? hd_idx_open_folder(data, request, folder) : hd_source_missing(request, NULL);
}

const hd_data_source hd_source_mnist = {
    .name = "mnist",
    .description = "70,000 handwritten digits, 28×28 grey (LeCun, Cortes, Burges 1998), from the data folder",
    .named = true,
    .samples = 70000,
    .kind = "pictures",
    .licence = "CC BY-SA 3.0, as commonly stated",
    .files = files,
    .find = find,
    .open = open_mnist,
};
