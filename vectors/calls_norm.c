/* calls_norm.c: normalisations. */
#include "calls.h"

static void call_batch_norm(vector_case *c) {
    hd_batch_norm_args a = {.x = vector_tensor(c, 0, "input"),
                            .running_mean = vector_state(c, 1, "running_mean"),
                            .running_var = vector_state(c, 2, "running_var"),
                            .w = vector_tensor_if(c, 3, "weight"),
                            .b = vector_tensor_if(c, 4, "bias")};
    const bool training = vector_bool(c, 5, "training", false);
    a.momentum = vector_number(c, 6, "momentum", 0.1);
    a.eps = vector_number(c, 7, "eps", 1e-5);
    if (hd_val_is_none(a.running_mean) || hd_val_is_none(a.w) || hd_val_is_none(a.b) || a.momentum <= 0)
        vector_unsupported(c, "batch norm without all of its tensors");
    vector_give(c, training ? hd_batch_norm_at(HD_HERE, &a) : hd_batch_norm_infer_at(HD_HERE, &a));
}

const vector_entry vector_calls_norm[] = {
    {"nn.functional.batch_norm", call_batch_norm},
    {0},
};
