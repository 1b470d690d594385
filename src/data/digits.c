/* digits.c: the data set `digits`: handwritten-like digits drawn by the program, so that a first training needs no
 * file. Picture i of a part is a function of (seed, part, i) alone: a larger n begins with the pictures of a smaller
 * one. */
#include "data/digit_draw.h"
#include "data/source.h"

typedef struct hd_digits_args {
    int64_t n, n_test, seed;
    bool binary;
} hd_digits_args;

static const hd_option options[] = {{.name = "n",
                                     .type = HD_OPT_INT,
                                     .offset = offsetof(hd_digits_args, n),
                                     .def = 10000,
                                     .min = 10,
                                     .max = 1e6,
                                     .help = "training pictures"},
                                    {.name = "n_test",
                                     .type = HD_OPT_INT,
                                     .offset = offsetof(hd_digits_args, n_test),
                                     .def = 2000,
                                     .min = 0,
                                     .max = 1e6,
                                     .help = "test pictures"},
                                    {.name = "seed",
                                     .type = HD_OPT_INT,
                                     .offset = offsetof(hd_digits_args, seed),
                                     .def = 1,
                                     .min = 0,
                                     .max = 9e15,
                                     .help = "seed of the pictures, independent of the run's"},
                                    {.name = "binary",
                                     .type = HD_OPT_BOOL,
                                     .offset = offsetof(hd_digits_args, binary),
                                     .help = "pixels 0 and 1 instead of 0 … 255"},
                                    HD_OPTION_END};

/* The classes take turns, so that every stretch of the data is balanced. */
static hd_status draw_part(hd_dataset *data, const hd_digits_args *args, const char *stream, int64_t n) {
    unsigned char *x = hd_data_alloc(data, (size_t)n, HD_DIGIT_PIXELS), *label = hd_data_alloc(data, (size_t)n, 1);
    if (!x || !label) return HD_E_MEMORY;
    hd_rng start = hd_rng_new((uint64_t)args->seed, stream);
    for (int64_t i = 0; i < n; i++) {
        hd_rng rng = start;
        rng.position = (uint64_t)i << 12; /* a picture draws about 400 words */
        unsigned char *picture = x + i * HD_DIGIT_PIXELS;
        label[i] = (unsigned char)(i % 10);
        hd_digit_draw(&rng, (int)(i % 10), picture);
        for (int p = 0; args->binary && p < HD_DIGIT_PIXELS; p++) picture[p] = picture[p] >= 128;
    }
    hd_data_block block = {
        .count = n, .x = x, .x_stride = HD_DIGIT_PIXELS, .label8 = label, .label_stride = 1, .where = data->info.name};
    return hd_data_add_block(data, &block);
}

static hd_status open_digits(hd_dataset *data, const hd_data_request *request) {
    const hd_digits_args *args = request->args;
    data->info.kind = "pictures";
    data->info.sample = HD_DIMS(1, HD_DIGIT_SIDE, HD_DIGIT_SIDE);
    data->info.stored = HD_U8;
    data->info.train = args->n;
    data->info.test = args->n_test;
    data->info.classes = 10;
    data->info.high = args->binary ? 1.0f : 255.0f;
    HD_TRY(draw_part(data, args, "digits.train", args->n));
    return args->n_test ? draw_part(data, args, "digits.test", args->n_test) : HD_OK;
}

const hd_data_source hd_source_digits = {
    .name = "digits",
    .description = "handwritten-like digits drawn by the program, 16×16 grey, light on dark; needs no file",
    .args_size = sizeof(hd_digits_args),
    .options = options,
    .named = true,
    .kind = "pictures",
    .open = open_digits,
};
