/* calls_grid.c: grid_sample: pictures and volumes read at places between their points. */
#include "call_kit.h"
#include <string.h>

/* The number of a word in a list that ends with NULL; −1: it is none of them. */
static int64_t number_of(const char *word, const char *const *words) {
    for (int64_t i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0) return i;
    return -1;
}

static void call_grid_sample(vector_case *c) {
    static const char *const modes[] = {"bilinear", "nearest", "bicubic", NULL};
    static const char *const rims[] = {"zeros", "border", "reflection", NULL};
    hd_grid_sample_args a = {.x = vector_tensor(c, 0, "input"), .grid = vector_tensor(c, 1, "grid")};
    a.mode = number_of(vector_string(c, 2, "mode", "bilinear"), modes);
    a.padding_mode = number_of(vector_string(c, 3, "padding_mode", "zeros"), rims);
    a.align_corners = vector_bool(c, 4, "align_corners", false);
    if (a.mode < 0 || a.padding_mode < 0) vector_unsupported(c, "that mode");
    if (c->why[0]) return;
    vector_give(c, hd_grid_sample_at(HD_HERE, &a));
}

const vector_entry vector_calls_grid[] = {
    {"nn.functional.grid_sample", call_grid_sample},
    {0},
};
