/* calls_loss.c: losses and distances. */
#include "calls.h"
#include <string.h>

/* The reduction, which must be the mean; the two arguments before it are PyTorch's old ones. */
static void mean_only(vector_case *c, int i) {
    if (strcmp(vector_string(c, i, "reduction", "mean"), "mean") != 0) vector_unsupported(c, "another reduction");
}

static void call_cross_entropy(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input"), t = vector_tensor(c, 1, "target");
    vector_only(c, 7, "label_smoothing", 0);
    mean_only(c, 6);
    if (hd_val_dims(x).rank != 2 || hd_val_dtype(t) != HD_I64) vector_unsupported(c, "soft targets or more axes");
    vector_give(c, hd_cross_entropy(x, t));
}

static void call_bce(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input"), t = vector_tensor(c, 1, "target");
    mean_only(c, 5);
    vector_give(c, hd_bce_with_logits(x, t));
}

static void call_mse(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input"), t = vector_tensor(c, 1, "target");
    mean_only(c, 4);
    vector_give(c, hd_mse(x, t));
}

const vector_entry vector_calls_loss[] = {
    {"nn.functional.cross_entropy", call_cross_entropy},
    {"nn.functional.binary_cross_entropy_with_logits", call_bce},
    {"nn.functional.mse_loss", call_mse},
    {0},
};
