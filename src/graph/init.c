/* init.c: ways to start parameters by name (torch.nn.init), as an hd_init for given dimensions; what each kind of
 * hd_init asks of dimensions. Draws nothing: see compile/start.c. */
#include "hadal/init.h"
#include "graph/graph.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

const hd_init_about hd_init_kinds[] = {
    [HD_INIT_ZEROS] = {"zeros", 0},
    [HD_INIT_CONSTANT] = {"constant", 1},
    [HD_INIT_UNIFORM] = {"uniform", 2},
    [HD_INIT_NORMAL] = {"normal", 2},
    [HD_INIT_TRUNC_NORMAL] = {"trunc_normal", 4},
    [HD_INIT_ORTHOGONAL] = {"orthogonal", 1},
    [HD_INIT_SPARSE] = {"sparse", 2},
    [HD_INIT_EYE] = {"eye", 0},
    [HD_INIT_DIRAC] = {"dirac", 1},
};

const char *const *hd_init_names(void) {
    static const char *const names[] = {"uniform",
                                        "normal",
                                        "constant",
                                        "ones",
                                        "zeros",
                                        "eye",
                                        "dirac",
                                        "xavier_uniform",
                                        "xavier_normal",
                                        "kaiming_uniform",
                                        "kaiming_normal",
                                        "trunc_normal",
                                        "orthogonal",
                                        "sparse",
                                        NULL};
    return names;
}

hd_status hd_init_check(const hd_init *init, const hd_dims *dims, char *message, size_t size) {
    const bool matrix = init->kind == HD_INIT_SPARSE || init->kind == HD_INIT_EYE;
    const char *name = hd_init_kinds[init->kind].name;
    message[0] = '\0';
    if (matrix && dims->rank != 2)
        (void)snprintf(message, size, "%s starts matrices, it has %d dimensions", name, dims->rank);
    else if (init->kind == HD_INIT_ORTHOGONAL && dims->rank < 2)
        (void)snprintf(message, size, "orthogonal takes two dimensions or more, it has %d", dims->rank);
    else if (init->kind == HD_INIT_DIRAC && (dims->rank < 3 || dims->rank > 5))
        (void)snprintf(message, size, "dirac starts kernels of 3 to 5 dimensions, it has %d", dims->rank);
    else if (init->kind == HD_INIT_DIRAC && !(init->a >= 1 && init->a <= 1e9 && dims->dim[0] % (int64_t)init->a == 0))
        (void)snprintf(message, size, "dirac: %g groups do not share %lld channels evenly", init->a,
                       (long long)dims->dim[0]);
    else if (init->kind == HD_INIT_SPARSE && !(init->a >= 0 && init->a <= 1))
        (void)snprintf(message, size, "sparse: the share %g is not between 0 and 1", init->a);
    else if (init->kind == HD_INIT_TRUNC_NORMAL && !(init->low <= init->high))
        (void)snprintf(message, size, "trunc_normal: from %g to %g there is nothing", init->low, init->high);
    return message[0] ? HD_E_MODEL : HD_OK;
}

double hd_init_gain(const char *nonlinearity, double param) {
    static const struct {
        const char *name;
        double gain;
    } known[] = {{"linear", 1},           {"conv1d", 1},           {"conv2d", 1},  {"conv3d", 1},
                 {"conv_transpose1d", 1}, {"conv_transpose2d", 1}, {"sigmoid", 1}, {"conv_transpose3d", 1},
                 {"tanh", 5.0 / 3},       {"selu", 0.75}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, nonlinearity) == 0) return known[i].gain;
    if (strcmp(nonlinearity, "relu") == 0) return sqrt(2);
    if (strcmp(nonlinearity, "leaky_relu") != 0) return (double)NAN;
    const double slope = param == 0 && !signbit(param) ? 0.01 : param;
    return sqrt(2 / (1 + slope * slope));
}

/* What was said, or the default. */
static double settled(double said, double def) {
    return said == 0 && !signbit(said) ? def : said;
}

/* Inputs and outputs of a weight: false for what has fewer than two dimensions. */
static bool fans(const hd_dims *d, double *in, double *out) {
    if (d->rank < 2) return false;
    double field = 1;
    for (int i = 2; i < d->rank; i++) field *= (double)d->dim[i];
    *in = (double)d->dim[1] * field;
    *out = (double)d->dim[0] * field;
    return *in > 0 && *out > 0;
}

static hd_init spread(const char *name, double std) {
    const size_t n = strlen(name);
    if (n > 7 && strcmp(name + n - 7, "uniform") == 0) return HD_UNIFORM(-sqrt(3) * std, sqrt(3) * std);
    return HD_NORMAL(0, std);
}

static hd_status by_fan(hd_init *out, const hd_init_args *a, const hd_dims *dims, char *message, size_t size) {
    const char *nonlinearity = a->nonlinearity ? a->nonlinearity : "leaky_relu";
    const bool backward = a->mode && strcmp(a->mode, "fan_out") == 0;
    double in = 0, outs = 0;
    if (!fans(dims, &in, &outs)) {
        (void)snprintf(message, size, "%s takes two dimensions or more, it has %d", a->name, dims->rank);
        return HD_E_MODEL;
    }
    if (strncmp(a->name, "xavier", 6) == 0) {
        *out = spread(a->name, settled(a->gain, 1) * sqrt(2 / (in + outs)));
        return HD_OK;
    }
    const double gain = hd_init_gain(nonlinearity, settled(a->a, -0.0));
    if (isnan(gain) || (a->mode && !backward && strcmp(a->mode, "fan_in") != 0)) {
        (void)snprintf(message, size, "%s: %s is not known", a->name, isnan(gain) ? nonlinearity : a->mode);
        return HD_E_MODEL;
    }
    *out = spread(a->name, gain / sqrt(backward ? outs : in));
    return HD_OK;
}

hd_status hd_init_make(hd_init *out, const hd_init_args *a, const hd_dims *dims, char *message, size_t size) {
    const hd_init ways[] = {HD_UNIFORM(settled(a->a, 0), settled(a->b, 1)),
                            HD_NORMAL(a->mean, settled(a->std, 1)),
                            HD_CONSTANT(a->val),
                            HD_ONES,
                            HD_ZEROS,
                            HD_EYE,
                            HD_DIRAC(settled(a->groups, 1)),
                            HD_ZEROS,
                            HD_ZEROS,
                            HD_ZEROS,
                            HD_ZEROS,
                            HD_TRUNC_NORMAL(a->mean, settled(a->std, 1), settled(a->a, -2), settled(a->b, 2)),
                            HD_ORTHOGONAL(settled(a->gain, 1)),
                            HD_SPARSE(settled(a->sparsity, 0.5), settled(a->std, 0.01))};
    const char *const *names = hd_init_names();
    *out = HD_ZEROS;
    for (int i = 0; a->name && names[i]; i++) {
        if (strcmp(names[i], a->name) != 0) continue;
        if (strncmp(a->name, "xavier", 6) == 0 || strncmp(a->name, "kaiming", 7) == 0)
            return by_fan(out, a, dims, message, size);
        *out = ways[i];
        return hd_init_check(out, dims, message, size);
    }
    (void)snprintf(message, size, "\"%s\" is not a way to start a parameter", a->name ? a->name : "");
    return HD_E_MODEL;
}

int32_t hd_graph_init(hd_graph *graph, const char *pattern, int rank, const hd_init_args *args) {
    int32_t n = 0;
    char message[200];
    if (graph->status != HD_OK) return -1;
    for (size_t i = 0; i < graph->value_count; i++) {
        hd_value *v = &graph->values[i];
        hd_init init;
        if (v->kind != HD_KIND_PARAM || v->type.dims.rank < rank) continue;
        if (pattern && !hd_name_fits(pattern, v->name)) continue;
        if (hd_init_make(&init, args, &v->type.dims, message, sizeof message) != HD_OK) {
            hd_graph_fail(graph, HD_E_MODEL, "init|parameter \"%s\": %s", v->name, message);
            return -1;
        }
        init.zero_row = v->init.zero_row;
        v->init = init;
        n++;
    }
    return n;
}
