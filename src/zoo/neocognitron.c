/* neocognitron.c: Fukushima's layers of S-cells, which answer to a pattern, and C-cells, which answer wherever it
 * stands. Excitation is shunted by inhibition, cells never fire below zero. The patterns are learnt without a teacher
 * by train.method competitive, or along the gradient. */
#include "zoo/zoo_kit.h"
#include <math.h>
#include <stdio.h>

typedef struct neo_args {
    hd_dims planes;
    double selectivity, saturation;
} neo_args;

enum { SIDE = 5, MOST_PLANES = 512, STAGES = 3 };
static const double first_selectivity = 1; /* the paper has 4, for few and clear patterns */

double hd_neocognitron_nearness(int64_t dy, int64_t dx, int64_t side, int64_t planes) {
    double sum = 0;
    for (int64_t y = -side / 2; y <= side / 2; y++)
        for (int64_t x = -side / 2; x <= side / 2; x++) sum += pow(0.9, sqrt((double)(y * y + x * x)));
    return pow(0.9, sqrt((double)(dy * dy + dx * dx))) / (sum * (double)planes);
}

/* The fixed weights of a window, [rows, planes, 5, 5]; together they are 1 over `shared` planes. */
static hd_val window(hd_loc at, hd_graph *g, int64_t side, int64_t rows, int64_t planes, int64_t shared) {
    float w[MOST_PLANES * SIDE * SIDE];
    for (int64_t i = 0; i < rows * planes * side * side; i++)
        w[i] = (float)hd_neocognitron_nearness(i / side % side - side / 2, i % side - side / 2, side, shared);
    return hd_const_at(at, g, HD_F32, HD_DIMS(rows, planes, side, side), w);
}

/* (1 + excitation) / (1 + inhibition) − 1, where it is above 0. */
static hd_val shunted(hd_loc at, hd_val excitation, hd_val inhibition) {
    const hd_val up = hd_affine_at(at, &(hd_affine_args){.x = excitation, .scale = 1, .shift = 1});
    const hd_val down = hd_affine_at(at, &(hd_affine_args){.x = inhibition, .scale = 1, .shift = 1});
    const hd_val ratio = hd_div_at(at, &(hd_binary_args){.a = up, .b = down});
    return hd_zoo_relu(at, hd_affine_at(at, &(hd_affine_args){.x = ratio, .scale = 1, .shift = -1}));
}

/* S-cells on u [B, planes, h, w]: a window's likeness to what the plane has learnt, above r/(1 + r). */
static hd_val s_cells(hd_loc at, hd_val u, int stage, int64_t planes, double r) {
    const int64_t side = stage == 1 ? 5 : 3;
    char name[16];
    hd_graph *g = u.graph;
    const int64_t before = hd_val_dims(u).dim[1];
    (void)snprintf(name, sizeof name, "s%d.a", stage);
    const hd_val a = hd_param_at(at, g, name, HD_F32, HD_DIMS(planes, before, side, side),
                                 HD_UNIFORM(0, 4 / (double)(before * side * side)));
    (void)snprintf(name, sizeof name, "s%d.b", stage);
    const hd_val b = hd_param_at(at, g, name, HD_F32, HD_DIMS(planes, 1, 1), HD_CONSTANT(0.5));
    const hd_val e =
        hd_conv2d_at(at, &(hd_conv2d_args){.x = u, .w = hd_zoo_relu(at, a), .padding = {side / 2, side / 2}});
    const hd_val squares = hd_square_at(at, &(hd_unary_args){.x = u});
    const hd_val power = hd_conv2d_at(
        at,
        &(hd_conv2d_args){.x = squares, .w = window(at, g, side, 1, before, before), .padding = {side / 2, side / 2}});
    /* the little that is added keeps the root's slope finite where all is dark */
    const hd_val v = hd_sqrt_at(
        at, &(hd_unary_args){.x = hd_affine_at(at, &(hd_affine_args){.x = power, .scale = 1, .shift = 1e-8})});
    const hd_val weight = hd_affine_at(at, &(hd_affine_args){.x = hd_zoo_relu(at, b), .scale = 2 * r / (1 + r)});
    const hd_val i = hd_mul_at(at, &(hd_binary_args){.a = v, .b = weight});
    (void)snprintf(name, sizeof name, "s%d", stage);
    return hd_name(hd_affine_at(at, &(hd_affine_args){.x = shunted(at, e, i), .scale = r}), name);
}

/* C-cells: what S-cells of the plane see anywhere near, shunted by the mean of all planes, saturating. The last see the
 * whole picture and are not shunted: what is read out of them weighs them against each other itself. */
static hd_val c_cells(hd_loc at, hd_val s, int stage, bool whole, double alpha) {
    char name[16];
    const int64_t planes = hd_val_dims(s).dim[1];
    const hd_conv2d_args near = {.x = s,
                                 .w = window(at, s.graph, SIDE, planes, 1, 1),
                                 .stride = {2, 2},
                                 .padding = {SIDE / 2, SIDE / 2},
                                 .groups = planes};
    const hd_val sum = whole ? hd_sum_at(at, &(hd_reduce_args){.x = s, .axes = HD_DIMS(2, 3), .keepdim = true})
                             : hd_conv2d_at(at, &near);
    const hd_reduce_args planes_mean = {.x = sum, .axes = HD_DIMS(1), .keepdim = true};
    const hd_val x = whole ? sum : shunted(at, sum, hd_mean_at(at, &planes_mean));
    const hd_val over = hd_affine_at(at, &(hd_affine_args){.x = x, .scale = 1, .shift = alpha});
    (void)snprintf(name, sizeof name, "c%d", stage);
    return hd_name(hd_div_at(at, &(hd_binary_args){.a = x, .b = over}), name);
}

static hd_val build(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    const neo_args *a = args;
    const hd_dims usual = HD_DIMS(24, 48, 96), d = hd_val_dims(x);
    const hd_dims *planes = a->planes.rank > 0 ? &a->planes : &usual;
    const double r = a->selectivity > 0 ? a->selectivity : 0.7, alpha = a->saturation > 0 ? a->saturation : 0.5;
    if (d.rank != 4 || d.dim[1] != 1 || d.dim[2] < 8 || d.dim[3] < 8)
        return hd_zoo_refuse(at, x, "neocognitron reads grey pictures of 8×8 and more",
                             "Train it on digits, or on mnist");
    if (planes->rank != STAGES)
        return hd_zoo_refuse(at, x, "neocognitron has three stages", "Write planes: [24, 48, 96]");
    hd_val u = hd_name(hd_zoo_relu(at, x), "c0");
    for (int stage = 1; stage <= STAGES; stage++) {
        const hd_val s = s_cells(at, u, stage, planes->dim[stage - 1], stage == 1 ? first_selectivity : r);
        u = c_cells(at, s, stage, stage == STAGES, alpha);
        if (hd_graph_status(x.graph) != HD_OK) return (hd_val){0};
    }
    return hd_zoo_dense(at, hd_zoo_rows(at, u), "fc", outputs);
}

static const hd_option options[] = {
    HD_ZOO_OPT(neo_args, planes, DIMS, .min = 1, .max = MOST_PLANES,
               .help = "cell planes of the three stages, one pattern each; [24, 48, 96] when not given"),
    HD_ZOO_OPT(
        neo_args, selectivity, FLOAT, .def = 0.7, .min = 0.1, .max = 100,
        .help = "r of the second and third stage: a cell answers from a likeness of r/(1 + r) on; the paper has 1.5"),
    HD_ZOO_OPT(neo_args, saturation, FLOAT, .def = 0.5, .min = 0.001, .max = 1000,
               .help = "alpha of C-cells: their answer is x/(alpha + x)"),
    HD_OPTION_END,
};

const hd_zoo_entry hd_zoo_neocognitron = {
    .name = "neocognitron",
    .description =
        "the first network of windows and pooling, taught by itself: every plane becomes a detector of its own",
    .authors = "Fukushima",
    .paper =
        "Neocognitron: A self-organizing neural network model for a mechanism of pattern recognition unaffected by "
        "shift in position, Biological Cybernetics 36, 1980, doi:10.1007/BF00344251",
    .year = 1980,
    .data = "digits",
    .sample = {3, {1, 16, 16}},
    .outputs = 10,
    .loss = "cross_entropy",
    .method = "competitive",
    .args_size = sizeof(neo_args),
    .options = options,
    .build = build,
};
