/* autoencoder.c: networks that squeeze a sample through a narrow code and give it back: deep, variational and
 * convolutional auto-encoders. */
#include "zoo/zoo_kit.h"
#include <stdio.h>

static hd_val dense_relu(hd_loc at, hd_val x, const char *name, int64_t width) {
    return hd_zoo_relu(at, hd_zoo_dense(at, x, name, width));
}

/* ---- deep ---- */

typedef struct deep_args {
    hd_dims hidden;
    int64_t code;
} deep_args;

static hd_val deep_build(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    const deep_args *a = args;
    const hd_dims published = HD_DIMS(1000, 500, 250);
    const hd_dims *hidden = a->hidden.rank > 0 ? &a->hidden : &published;
    char name[32];
    hd_val h = hd_zoo_rows(at, x);
    for (int i = 0; i < hidden->rank; i++) {
        (void)snprintf(name, sizeof name, "encoder%d", i + 1);
        h = dense_relu(at, h, name, hidden->dim[i]);
    }
    h = hd_zoo_dense(at, h, "code", a->code);
    for (int i = hidden->rank; i-- > 0;) {
        (void)snprintf(name, sizeof name, "decoder%d", hidden->rank - i);
        h = dense_relu(at, h, name, hidden->dim[i]);
    }
    return hd_zoo_dense(at, h, "out", outputs);
}

#define CODE(owner, numbers, what) HD_ZOO_OPT(owner, code, INT, .def = (numbers), .min = 1, .max = 1e6, .help = what)

const hd_zoo_entry hd_zoo_autoencoder = {
    .name = "autoencoder",
    .description = "layers that narrow to a code of 30 numbers and widen again; learns without labels",
    .authors = "Hinton, Salakhutdinov",
    .paper = "Reducing the dimensionality of data with neural networks, Science 313, 2006, doi:10.1126/science.1127647",
    .year = 2006,
    .sample = {3, {1, 28, 28}},
    .outputs = 784,
    .loss = "bce_with_logits",
    .reconstructs = true,
    .args_size = sizeof(deep_args),
    .options =
        (const hd_option[]){
            HD_ZOO_OPT(deep_args, hidden, DIMS, .min = 1, .max = 1e9,
                       .help = "widths on the way to the code, one to eight; [1000, 500, 250] when not given"),
            CODE(deep_args, 30, "numbers that a sample is squeezed into"), HD_OPTION_END},
    .build = deep_build,
};

/* ---- variational ---- */

typedef struct vae_args {
    int64_t hidden, code;
} vae_args;

/* KL(N(μ, σ²) ‖ N(0, 1)) of each sample: −½ Σ (1 + ln σ² − μ² − σ²). */
static hd_val divergence(hd_val mean, hd_val log_var) {
    const hd_val each = hd_sub(hd_add(hd_square(mean), hd_exp(log_var)), hd_affine(log_var, .shift = 1));
    return hd_affine(hd_sum(each, .axes = HD_DIMS(1)), .scale = 0.5);
}

/* The layers' names are those of PyTorch's example. */
static hd_val vae_build(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    const vae_args *a = args;
    const hd_val h = dense_relu(at, hd_zoo_rows(at, x), "fc1", a->hidden);
    const hd_val mean = hd_zoo_dense(at, h, "fc21", a->code), log_var = hd_zoo_dense(at, h, "fc22", a->code);
    (void)hd_name(divergence(mean, log_var), "kl");
    const hd_val z = hd_nn_reparameterize_at(at, &(hd_nn_reparameterize_args){.mean = mean, .log_var = log_var});
    return hd_zoo_dense(at, dense_relu(at, z, "fc3", a->hidden), "fc4", outputs);
}

const hd_zoo_entry hd_zoo_vae = {
    .name = "vae",
    .description = "a code that is drawn from a normal distribution: reconstructions, and a space to draw new samples "
                   "from; loss in nats a sample",
    .authors = "Kingma, Welling",
    .paper = "Auto-encoding variational Bayes, ICLR 2014, arXiv:1312.6114; layers as in PyTorch's example",
    .year = 2013,
    .sample = {3, {1, 28, 28}},
    .outputs = 784,
    .loss = "bce_with_logits",
    .reconstructs = true,
    .loss_part = "kl",
    .args_size = sizeof(vae_args),
    .options = (const hd_option[]){HD_ZOO_OPT(vae_args, hidden, INT, .def = 400, .min = 1, .max = 1e9,
                                              .help = "width of the layer before and behind the code"),
                                   CODE(vae_args, 20, "numbers that a sample is squeezed into: means and variances"),
                                   HD_OPTION_END},
    .build = vae_build,
};

/* ---- convolutional ---- */

typedef struct conv_args {
    int64_t channels, code;
} conv_args;

static hd_val conv(hd_loc at, hd_val x, const char *name, int64_t channels, int64_t stride) {
    return hd_nn_conv2d_at(at, &(hd_nn_conv2d_args){.x = x,
                                                    .name = name,
                                                    .out_channels = channels,
                                                    .kernel_size = {3, 3},
                                                    .stride = {stride, stride},
                                                    .padding = {1, 1}});
}

/* Every pixel twice in both directions. A convolution behind it draws no chequers, as transposed ones do. */
static hd_val larger(hd_loc at, hd_val x) {
    hd_repeat_interleave_args a = {.x = x, .repeats = 2, .axis = HD_AXIS(2)};
    a.x = hd_repeat_interleave_at(at, &a);
    a.axis = HD_AXIS(3);
    return hd_repeat_interleave_at(at, &a);
}

static hd_val conv_build(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    const conv_args *a = args;
    const hd_dims d = hd_val_dims(x);
    (void)outputs; /* as many as x has */
    if (d.rank != 4 || d.dim[2] < 4 || d.dim[3] < 4 || d.dim[2] % 4 || d.dim[3] % 4)
        return hd_zoo_refuse_input(at, x, "conv-autoencoder halves pictures twice",
                                   "Use size: 28x28 or another multiple of 4");
    const int64_t wide = 2 * a->channels, h = d.dim[2] / 4, w = d.dim[3] / 4;
    hd_val v = hd_zoo_relu(at, conv(at, x, "encoder1", a->channels, 2));
    v = hd_zoo_relu(at, conv(at, v, "encoder2", wide, 2));
    v = hd_zoo_dense(at, hd_zoo_rows(at, v), "code", a->code);
    v = dense_relu(at, v, "decoder1", wide * h * w);
    v = hd_reshape_at(at, &(hd_reshape_args){.x = v, .dims = HD_DIMS(-1, wide, h, w)});
    v = hd_zoo_relu(at, conv(at, larger(at, v), "decoder2", a->channels, 1));
    return hd_zoo_rows(at, conv(at, larger(at, v), "out", d.dim[1], 1));
}

const hd_zoo_entry hd_zoo_conv_autoencoder = {
    .name = "conv-autoencoder",
    .description = "two convolutions of stride 2 to a code, and back by enlarging and convolving",
    .authors = "Masci, Meier, Cireşan, Schmidhuber",
    .paper = "Stacked convolutional auto-encoders for hierarchical feature extraction, ICANN 2011, "
             "doi:10.1007/978-3-642-21735-7_7; enlarging as in Odena, Dumoulin, Olah: Deconvolution and checkerboard "
             "artifacts, Distill 2016",
    .year = 2011,
    .sample = {3, {1, 28, 28}},
    .outputs = 784,
    .loss = "bce_with_logits",
    .reconstructs = true,
    .args_size = sizeof(conv_args),
    .options =
        (const hd_option[]){HD_ZOO_OPT(conv_args, channels, INT, .def = 16, .min = 1, .max = 1e6,
                                       .help = "filters of the outer convolutions; the inner ones have twice as many"),
                            CODE(conv_args, 32, "numbers that a picture is squeezed into"), HD_OPTION_END},
    .build = conv_build,
};
