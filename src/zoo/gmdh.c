/* gmdh.c: Ivakhnenko's networks of polynomials: a unit is a quadratic of two values of the layer before. Which units
 * there are is found by train.method gmdh and stands in the option `structure`. */
#include "base/text.h"
#include "zoo/zoo_kit.h"
#include <stdio.h>
#include <string.h>

typedef struct gmdh_args {
    const char *structure;
    int64_t width, most_layers;
} gmdh_args;

enum { MOST_UNITS = 1000, MOST_LAYERS = 100, TERMS = 6 };

/* One layer, "0-1 2-5 …", from *text up to ";" or the end. Returns its units, 0 when it is wrong. */
static int64_t read_layer(const char **text, int64_t inputs, int64_t *left, int64_t *right) {
    int64_t n = 0;
    while (**text && **text != ';') {
        const size_t length = strcspn(*text, " ;"), dash = strcspn(*text, "-");
        if (length == 0) {
            ++*text;
            continue;
        }
        if (n == MOST_UNITS || dash >= length) return 0;
        if (!hd_text_to_i64(*text, dash, &left[n]) || !hd_text_to_i64(*text + dash + 1, length - dash - 1, &right[n]))
            return 0;
        if (left[n] < 0 || left[n] >= inputs || right[n] < 0 || right[n] >= inputs) return 0;
        n++;
        *text += length;
    }
    if (**text == ';') ++*text;
    return n;
}

static hd_val pick(hd_loc at, hd_val x, const int64_t *index, int64_t n) {
    const hd_val i = hd_const_at(at, x.graph, HD_I64, HD_DIMS(n), index);
    return hd_index_select_at(at, &(hd_index_select_args){.x = x, .index = i, .axis = HD_AXIS(1)});
}

static hd_val times(hd_loc at, hd_val a, hd_val b) {
    return hd_mul_at(at, &(hd_binary_args){.a = a, .b = b});
}

/* w0 + w1 a + w2 b + w3 ab + w4 a² + w5 b², a column of w for each unit. */
static hd_val layer(hd_loc at, hd_val x, int64_t number, const int64_t *left, const int64_t *right, int64_t n) {
    char name[48];
    (void)snprintf(name, sizeof name, "layer%lld.weight", (long long)number);
    const hd_val w = hd_param_at(at, x.graph, name, hd_val_dtype(x), HD_DIMS(TERMS, n), HD_NORMAL(0, 0.3));
    const hd_val a = pick(at, x, left, n), b = pick(at, x, right, n);
    const hd_val term[TERMS] = {{0}, a, b, times(at, a, b), times(at, a, a), times(at, b, b)};
    hd_val y = {0};
    for (int64_t k = 0; k < TERMS; k++) {
        const hd_slice_args s = {.x = w, .axis = HD_AXIS(0), .start = k, .stop = k + 1};
        const hd_val row = hd_slice_at(at, &s), part = k == 0 ? row : times(at, term[k], row);
        y = k == 0 ? part : hd_add_at(at, &(hd_binary_args){.a = part, .b = y});
    }
    return y;
}

static hd_val build(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    const gmdh_args *a = args;
    const int64_t inputs = hd_zoo_size(x);
    const char *text = a->structure ? a->structure : inputs > 1 ? "0-1" : "0-0";
    int64_t left[MOST_UNITS], right[MOST_UNITS], n = inputs, number = 1;
    if (outputs != 1)
        return hd_zoo_refuse(at, x, "gmdh predicts one number", "Give it a table with a number to predict");
    hd_val h = hd_zoo_rows(at, x);
    for (; *text; number++) {
        n = number > MOST_LAYERS ? 0 : read_layer(&text, n, left, right);
        if (n == 0)
            return hd_zoo_refuse(
                at, x, "this is no structure of gmdh",
                "Write layers of pairs as \"0-1 1-3; 0-1\", counted from 0, or leave it to the method");
        h = layer(at, h, number, left, right, n);
    }
    if (n != 1) return hd_zoo_refuse(at, x, "the last layer of gmdh has one unit", "End the structure in one pair");
    return h;
}

static const hd_option options[] = {
    HD_ZOO_OPT(gmdh_args, structure, STRING,
               .help = "pairs of each layer, as \"0-1 1-3; 0-1\", counted from 0; found by training when not given"),
    HD_ZOO_OPT(gmdh_args, width, INT, .def = 12, .min = 1, .max = MOST_UNITS,
               .help = "units that survive selection in each layer"),
    HD_ZOO_OPT(gmdh_args, most_layers, INT, .def = 10, .min = 1, .max = MOST_LAYERS,
               .help = "layers after which growth ends, should it not end by itself"),
    HD_OPTION_END,
};

const hd_zoo_entry hd_zoo_gmdh = {
    .name = "gmdh",
    .description =
        "the first deep learning: polynomials of polynomials, grown layer by layer until held-out data say stop",
    .authors = "Ivakhnenko",
    .paper = "Polynomial theory of complex systems, IEEE Trans. Systems, Man, and Cybernetics SMC-1 (4), 1971, "
             "doi:10.1109/TSMC.1971.4308320",
    .year = 1971,
    .data = "table.csv",
    .sample = {1, {2}},
    .outputs = 1,
    .loss = "mse",
    .method = "gmdh",
    .args_size = sizeof(gmdh_args),
    .options = options,
    .build = build,
};
