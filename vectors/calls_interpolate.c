/* calls_interpolate.c: pictures of another size, places of affine maps. */
#include "call_kit.h"
#include <string.h>

static const struct {
    const char *name;
    int64_t mode;
} modes[] = {{"nearest", HD_INTERPOLATE_NEAREST},
             {"linear", HD_INTERPOLATE_LINEAR},
             {"bilinear", HD_INTERPOLATE_BILINEAR},
             {"bicubic", HD_INTERPOLATE_BICUBIC},
             {"trilinear", HD_INTERPOLATE_TRILINEAR},
             {"area", HD_INTERPOLATE_AREA},
             {"nearest-exact", HD_INTERPOLATE_NEAREST_EXACT}};

static void interpolate(vector_case *c, const char *mode, bool corners, bool recompute) {
    const hd_val x = vector_tensor(c, 0, "input");
    const hd_json *factor = vector_arg(c, 2, "scale_factor");
    hd_interpolate_args a = {.x = x, .mode = -1, .align_corners = corners, .recompute_scale_factor = recompute};
    int64_t sizes[2 * HD_MAX_DIMS];
    const int n = hd_val_dims(x).rank - 2, given = vector_ints(c, 1, "size", sizes, 0);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(modes[i].name, mode) == 0) a.mode = modes[i].mode;
    if (a.mode < 0 || n < 1 || n > 3 || (given == 0) == (factor == NULL) || (given > 1 && given != n) ||
        !vector_is_float(x))
        vector_unsupported(c, "resampling \"%s\" of %d axes", mode, n);
    if (c->why[0]) return;
    for (int i = 0; i < given; i++) a.size.dim[a.size.rank++] = sizes[i];
    const bool list = factor && factor->type == HD_JSON_ARRAY;
    const hd_json *f = list ? factor->child : factor;
    for (int i = 0; i < n && f; i++, f = list ? f->next : f)
        if (!vector_is_number(f, &a.scale_factor[i])) vector_unsupported(c, "that factor");
    vector_give(c, hd_interpolate_at(HD_HERE, &a));
}

static void call_interpolate(vector_case *c) {
    const char *mode = vector_string(c, 3, "mode", "nearest");
    const bool corners = vector_bool(c, 4, "align_corners", false);
    const bool recompute = vector_bool(c, 5, "recompute_scale_factor", false);
    vector_only(c, 6, "antialias", false);
    interpolate(c, mode, corners, recompute);
}
static void call_upsample_nearest(vector_case *c) {
    interpolate(c, "nearest", false, false);
}
static void call_upsample_bilinear(vector_case *c) {
    interpolate(c, "bilinear", true, false);
}

static void call_affine_grid(vector_case *c) {
    hd_affine_grid_args a = {.theta = vector_tensor(c, 0, "theta"), .size = vector_dims(c, 1, "size")};
    a.align_corners = vector_bool(c, 2, "align_corners", false);
    vector_give(c, hd_affine_grid_at(HD_HERE, &a));
}

const vector_entry vector_calls_interpolate[] = {
    {"nn.functional.interpolate.nearest", call_interpolate},
    {"nn.functional.interpolate.nearest-exact", call_interpolate},
    {"nn.functional.interpolate.linear", call_interpolate},
    {"nn.functional.interpolate.bilinear", call_interpolate},
    {"nn.functional.interpolate.trilinear", call_interpolate},
    {"nn.functional.interpolate.bicubic", call_interpolate},
    {"nn.functional.interpolate.area", call_interpolate},
    {"nn.functional.upsample_nearest", call_upsample_nearest},
    {"nn.functional.upsample_bilinear", call_upsample_bilinear},
    {"nn.functional.affine_grid", call_affine_grid},
    {0},
};
