/* roll.c: elements moved along axes; what leaves one end comes in at the other. Knows nothing of backends. */
#include "ops/shape_kit.h"

/* Whole-number shift along an axis: 0 … size − 1. */
static int64_t shift_of(const hd_roll_args *a, const hd_dims *x, int axis) {
    for (int i = 0; i < a->axes.rank; i++) {
        const int64_t n = x->dim[axis], named = a->axes.dim[i] < 0 ? a->axes.dim[i] + x->rank : a->axes.dim[i];
        if (named == axis && n > 0) return (a->shifts.dim[i] % n + n) % n;
    }
    return 0;
}

static void roll_ref(const hd_ref *r) {
    const hd_roll_args *a = r->attr;
    const hd_dims *dims = &r->in[0].dims;
    const size_t size = hd_dtype_size(r->out[0].dtype);
    const char *x = r->in[0].data;
    hd_walk w;
    hd_walk_init(&w, dims, dims, NULL);
    hd_strides(w.stride[0], dims);
    int64_t shift[HD_MAX_DIMS];
    for (int i = 0; i < dims->rank; i++) shift[i] = shift_of(a, dims, i);
    for (int64_t k = 0; k < r->in[0].count; k++, hd_walk_next(&w)) {
        int64_t to = 0;
        for (int i = 0; i < dims->rank; i++) to += (w.index[i] + shift[i]) % dims->dim[i] * w.stride[0][i];
        memcpy((char *)r->out[0].data + (size_t)to * size, x + (size_t)k * size, size);
    }
}

static hd_status roll_infer(hd_infer *c) {
    const hd_roll_args *a = c->attr;
    const hd_dims *x = &c->in[0].dims;
    char text[192], axes[192];
    unsigned bits;
    c->out[0] = c->in[0];
    if (a->axes.rank != a->shifts.rank || a->axes.rank == 0)
        return hd_infer_fail(c, "shifts %s and axes %s must have a number for each axis to roll",
                             hd_dims_text(text, &a->shifts), hd_dims_text(axes, &a->axes));
    if (hd_infer_axes(c, &a->axes, x->rank, &bits)) return HD_E_MODEL;
    for (int i = 0; i < x->rank; i++)
        if ((bits >> i & 1) && x->dim[i] < 0)
            return hd_infer_fail(c, "the batch of x %s can not be rolled", hd_dims_text(text, x));
    return HD_OK;
}

static void roll_grad(hd_grad *c) {
    const hd_roll_args *a = c->attr;
    const hd_dims x = hd_val_dims(c->in[0]);
    hd_dims back = a->shifts;
    for (int i = 0; i < back.rank; i++) {
        const int axis = (int)(a->axes.dim[i] < 0 ? a->axes.dim[i] + x.rank : a->axes.dim[i]);
        back.dim[i] = -shift_of(a, &x, axis);
    }
    c->din[0] = hd_roll(c->dout[0], .shifts = back, .axes = a->axes);
}

const hd_op hd_op_roll = {
    .name = "roll",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_roll_args),
    .options =
        (const hd_option[]){HD_OPTION(DIMS, hd_roll_args, shifts, .help = "places to move, one number an axis"),
                            HD_OPTION(DIMS, hd_roll_args, axes, .help = "axes to move along, negative from the end"),
                            HD_OPTION_END},
    .infer = roll_infer,
    .grad = roll_grad,
    .ref = roll_ref,
    .cost = hd_cost_copy,
    .formula = "y[…, (i + shift) mod size, …] = x[…, i, …]",
    .source = "as torch.roll",
    .doc = "Moves elements along axes by whole places; what leaves one end comes in at the other.",
    .samples = (const hd_sample[]){{"f32[4]={1 2 3 4} | shifts=[1] axes=[0]", "{4 1 2 3}"},
                                   {"i64[2,3]={1 2 3 4 5 6} | shifts=[-1] axes=[-1]", "{2 3 1 5 6 4}"},
                                   {"f32[2,2]={1 2 3 4} | shifts=[1,3] axes=[0,1]", "{4 3 2 1}"},
                                   {"f32[3,4,5] | shifts=[1,-2] axes=[0,2]", NULL},
                                   {"f32[3,40,33] | shifts=[100,5] axes=[1,2]", NULL},
                                   {"f32[2,3] | shifts=[3] axes=[1]", NULL},
                                   {"f32[0,3] | shifts=[1] axes=[0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | shifts=[1] axes=[2]", "axis 2 is out of range"},
                                   {"f32[2,3] | shifts=[1,1] axes=[0,0]", "named twice"},
                                   {"f32[2,3] | shifts=[1,1] axes=[0]", "a number for each axis"},
                                   {0}},
};

HD_BUILDER(roll, hd_roll_args)
