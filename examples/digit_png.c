/* digit_png.c: writes a picture that a training run has not seen as a PNG file, large enough for people to look at:
 *     example-digit_png [DATA [FILE.png [SEED]]]
 * DATA is a data set of grey pictures (default: digits, drawn by the library), SEED that of the training run (default
 * 1): the same seed splits the data in the same way, so the picture comes from the test part. Without a file the
 * picture is printed as letters. */
#include <hadal/data.h>
#include <stdio.h>
#include <stdlib.h>

enum { SCALE = 8, MOST = 64 };

/* 0 … 1: how much ink, whatever the data's own way round. */
static double ink(const hd_data_info *info, float value) {
    double share = ((double)value - (double)info->low) / ((double)info->high - (double)info->low);
    return info->light_on_dark ? share : 1 - share;
}

/* Dark ink on white paper, as people write. */
static hd_status write_png(hd_context *ctx, const char *path, const hd_data_info *info, const float *x) {
    static unsigned char pixels[MOST * SCALE * MOST * SCALE];
    int64_t h = info->sample.dim[1], w = info->sample.dim[2];
    for (int64_t i = 0; i < h * SCALE; i++)
        for (int64_t j = 0; j < w * SCALE; j++)
            pixels[i * w * SCALE + j] = (unsigned char)(255 - 255 * ink(info, x[i / SCALE * w + j / SCALE]));
    return hd_picture_write(ctx, path, pixels, h * SCALE, w * SCALE, 1);
}

static void print_letters(const hd_data_info *info, const float *x) {
    int64_t h = info->sample.dim[1], w = info->sample.dim[2];
    for (int64_t i = 0; i < h; i++) {
        for (int64_t j = 0; j < w; j++) {
            char c = " .:-=+*#%@"[(int)(9 * ink(info, x[i * w + j]) + 0.5)];
            printf("%c%c", c, c);
        }
        printf("\n");
    }
}

static bool small_and_grey(const hd_dims *s) {
    return s->rank == 3 && s->dim[0] == 1 && s->dim[1] <= MOST && s->dim[2] <= MOST;
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "digits", *path = argc > 2 ? argv[2] : NULL;
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    static float x[MOST * MOST];
    hd_context *ctx;
    hd_dataset *data = NULL;
    hd_split split = {0};
    if (hd_context_new(&ctx, NULL) != HD_OK) return HD_E_MEMORY;
    hd_status status = hd_data_open(&data, ctx, name, NULL);
    if (status == HD_OK) status = hd_split_make(&split, data, &(hd_split_args){.val = -1, .test = -1, .seed = seed});
    if (status == HD_OK) {
        hd_data_info info = hd_data_get_info(data);
        if (!small_and_grey(&info.sample) || info.classes == 0 || split.test_count == 0) {
            fprintf(stderr, "%s: no small grey pictures with a test part\n", name);
            status = HD_E_DATA;
        } else {
            int64_t index = split.test[split.test_count / 2];
            hd_data_x(data, index, x);
            printf("picture %lld of %s, a %s\n", (long long)index, name, info.class_names[hd_data_label(data, index)]);
            if (path)
                status = write_png(ctx, path, &info, x);
            else
                print_letters(&info, x);
        }
    }
    if (status != HD_OK && *hd_last_error(ctx)) fprintf(stderr, "%s\n", hd_last_error(ctx));
    hd_split_free(&split);
    hd_data_free(data);
    hd_context_free(ctx);
    return (int)status;
}
