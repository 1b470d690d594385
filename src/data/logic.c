/* logic.c: truth tables: every row of ones and zeros with what a function of logic says of it. The whole table is the
 * training part and the test part: there is nothing else to know. */
#include "data/toy.h"

typedef struct logic_args {
    int64_t function, inputs;
} logic_args;

enum { AND, OR, NOT, NAND, NOR, XOR, XNOR };
static const char *const functions[] = {"and", "or", "not", "nand", "nor", "xor", "xnor", NULL};

static const hd_option options[] = {{.name = "function",
                                     .type = HD_OPT_ENUM,
                                     .offset = offsetof(logic_args, function),
                                     .choices = functions,
                                     .help = "and, or, not, nand, nor, xor (an odd number of ones), xnor"},
                                    {.name = "inputs",
                                     .type = HD_OPT_INT,
                                     .offset = offsetof(logic_args, inputs),
                                     .def = 2,
                                     .min = 1,
                                     .max = 16,
                                     .help = "how many inputs; not has one"},
                                    HD_OPTION_END};

static bool value_of(int64_t function, int64_t ones, int64_t inputs) {
    switch (function) {
    case AND: return ones == inputs;
    case OR: return ones > 0;
    case NAND: return ones < inputs;
    case XOR: return ones % 2 == 1;
    case XNOR: return ones % 2 == 0;
    default: return ones == 0; /* not, nor */
    }
}

static hd_status open_logic(hd_dataset *data, const hd_data_request *request) {
    const logic_args *a = request->args;
    const int64_t inputs = a->function == NOT ? 1 : a->inputs, rows = INT64_C(1) << inputs;
    const hd_toy_args all = {.n = 2 * rows, .seed = 1};
    hd_toy toy;
    HD_TRY(hd_toy_begin(&toy, data, &all, inputs, 2));
    data->info.train = data->info.test = rows;
    for (int64_t i = 0; i < 2 * rows; i++) {
        int64_t ones = 0;
        for (int64_t k = 0; k < inputs; k++) {
            const int64_t bit = (i % rows) >> (inputs - 1 - k) & 1;
            toy.x[i * inputs + k] = (float)bit;
            ones += bit;
        }
        toy.label[i] = value_of(a->function, ones, inputs);
    }
    return HD_OK;
}

const hd_data_source hd_source_logic = {
    .name = "logic",
    .description = "the truth table of and, or, not, nand, nor, xor or xnor: what the first neurons were made for",
    .args_size = sizeof(logic_args),
    .options = options,
    .named = true,
    .open = open_logic,
};
