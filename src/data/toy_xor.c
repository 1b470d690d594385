/* toy_xor.c: the four corners of the unit square; the class is the exclusive or of the coordinates. One layer cannot
 * learn it (Minsky and Papert, Perceptrons, 1969). noise=0 n=4 is the truth table itself. */
#include "data/toy.h"

typedef struct hd_xor_args {
    hd_toy_args toy;
} hd_xor_args;

static const hd_option options[] = {HD_TOY_OPTIONS(hd_xor_args, 0.1), HD_OPTION_END};

static hd_status open_xor(hd_dataset *data, const hd_data_request *request) {
    const hd_xor_args *args = request->args;
    hd_toy toy;
    HD_TRY(hd_toy_begin(&toy, data, &args->toy, 2, 2));
    for (int64_t i = 0; i < toy.n; i++) {
        int64_t a = (i >> 1) & 1, b = i & 1;
        toy.x[2 * i] = hd_toy_noisy(&toy, (double)a);
        toy.x[2 * i + 1] = hd_toy_noisy(&toy, (double)b);
        toy.label[i] = a ^ b;
    }
    return HD_OK;
}

const hd_data_source hd_source_xor = {
    .name = "xor",
    .description = "four corners of a square, two classes: the smallest problem that needs a hidden layer",
    .args_size = sizeof(hd_xor_args),
    .options = options,
    .named = true,
    .open = open_xor,
};
