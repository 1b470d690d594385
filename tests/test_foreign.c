/* test_foreign.c: weights of other programs: real ones give the numbers that were stored beside them; names are changed
 * by maps; what is missing, of another shape or too much is named. */
#include "support.h"

#include "data/bytes.h"
#include "hadal/train.h"
#include "train/foreign.h"
#include <math.h>

static hd_context *ctx;
static char *folder;

static int set_up(void **state) {
    (void)state;
    ctx = test_context(2);
    folder = test_folder();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    test_folder_remove(folder);
    hd_context_free(ctx);
    return 0;
}

static hd_recipe *recipe_of(const char *text) {
    hd_recipe *r;
    if (hd_recipe_parse(&r, ctx, "test", text) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    return r;
}

/* ---- stored numbers ---- */

/* The numbers of an npy file (v1, f32), mapped or unpacked: the caller frees `bytes`. */
static const float *npy(hd_bytes *bytes, const char *path, size_t count) {
    if (hd_bytes_load(bytes, ctx, path) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    const size_t head = 10 + bytes->data[8] + 256 * (size_t)bytes->data[9];
    assert_int_equal(bytes->length, head + count * sizeof(float));
    return (const float *)(const void *)(bytes->data + head);
}

/* A known network for pictures 3×side×side with the weights of a file. */
static hd_model *model_with(const char *network, const char *file, int64_t side, int64_t classes) {
    char text[5000];
    hd_model *m;
    hd_foreign f;
    hd_taken taken;
    hd_program *program;
    int64_t batch;
    bool known = false;
    (void)snprintf(text, sizeof text, "{\"model\": \"%s\"}", network);
    hd_recipe *recipe = recipe_of(text);
    const hd_data_info data = {.name = "",
                               .kind = "pictures",
                               .sample = HD_DIMS(3, side, side),
                               .classes = classes,
                               .targets = 1,
                               .high = 255};
    if (hd_model_new(&m, recipe, &data) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    assert_int_equal(hd_model_infer(m, 1, &program, &batch), HD_OK);
    if (hd_foreign_open(&f, ctx, file, NULL, recipe) != HD_OK || hd_foreign_take(&f, m, false, &taken) != HD_OK ||
        hd_foreign_normalize(&f, m, &known) != HD_OK)
        fail_msg("%s", hd_last_error(ctx));
    assert_true(known);
    assert_int_equal(taken.fresh_count, 0);
    hd_foreign_close(&f);
    hd_recipe_free(recipe);
    return m;
}

/* Outputs before softmax of n pictures as stored. */
static void logits(hd_model *m, float *x, int64_t n, float *y) {
    const int64_t size = hd_dims_count(&m->data.sample);
    hd_compile_args args = hd_model_compile_args(m, n);
    hd_program *p;
    assert_int_equal(hd_compile_with(&p, hd_forward(hd_model_output(m)), &args), HD_OK);
    hd_normalizer_apply(&m->normalizer, x, n, size);
    assert_int_equal(hd_program_set(p, "x", x), HD_OK);
    assert_int_equal(hd_program_run(p), HD_OK);
    memcpy(y, hd_program_get(p, "y"), (size_t)(n * m->task.outputs) * sizeof *y);
    hd_program_free(p);
}

static void close_to(const float *got, const float *want, size_t n, double share) {
    double largest = 0, apart = 0;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)want[i]));
        apart = fmax(apart, fabs((double)got[i] - (double)want[i]));
    }
    if (!(apart <= share * largest)) fail_msg("%g apart, the largest is %g", apart, largest);
}

/* Caffe's SqueezeNet: blue, green, red less a mean; its names by the built-in map, which is found by itself. */
static void test_squeezenet(void **state) {
    (void)state;
    enum { SIDE = 227, PLANE = SIDE * SIDE, CHELSEA = 4 };
    char weights[4096];
    const char *path = test_data("data/models-squeezenet1.1/squeezenet1.1.safetensors");
    if (!path) skip();
    (void)snprintf(weights, sizeof weights, "%s", path);
    hd_bytes in, out;
    static float x[3 * PLANE], y[1000];
    hd_model *m = model_with("squeezenet1_1", weights, SIDE, 1000);
    const float *bgr = npy(&in, test_data("data/models-squeezenet1.1/input-chelsea.npy"), 3 * PLANE);
    const float *want = npy(&out, test_data("data/models-squeezenet1.1/logits-all-photos.npy"), 16 * 1000);
    static const float mean[3] = {104, 117, 123};
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < PLANE; i++) x[(2 - c) * PLANE + i] = bgr[c * PLANE + i] + mean[c];
    logits(m, x, 1, y);
    close_to(y, want + CHELSEA * 1000, 1000, 1e-4);
    hd_bytes_free(&in);
    hd_bytes_free(&out);
    hd_model_free(m);
}

/* PyTorch's names are the network's own; nothing says how its pictures were normalised: as torchvision does it. */
static void test_resnet20(void **state) {
    (void)state;
    enum { N = 64, SIZE = 3 * 32 * 32 };
    char weights[4096];
    const char *path = test_data("data/models-resnet20-cifar10/resnet20.safetensors");
    if (!path || !test_zlib()) skip();
    (void)snprintf(weights, sizeof weights, "%s", path);
    hd_bytes in, out;
    static float x[N * SIZE], y[N * 10];
    hd_model *m = model_with("resnet20", weights, 32, 10);
    const float *want = npy(&out, test_data("data/models-resnet20-cifar10/logits-first64.npy"), N * 10);
    if (hd_bytes_load(&in, ctx, test_data("data/images-cifar10/cifar10-train-first4000.bin.gz")) != HD_OK)
        fail_msg("%s", hd_last_error(ctx));
    for (int n = 0; n < N; n++)
        for (int i = 0; i < SIZE; i++) x[n * SIZE + i] = in.data[n * (SIZE + 1) + 1 + i];
    logits(m, x, N, y);
    close_to(y, want, N * 10, 1e-4);
    hd_bytes_free(&in);
    hd_bytes_free(&out);
    hd_model_free(m);
}

/* ---- names ---- */

/* What a file gets instead of a tensor. */
typedef struct change {
    const char *name;   /* NULL: none */
    const char *called; /* NULL: left out */
    int64_t first;      /* its first dimension; 0: as it is */
    const char *prefix; /* of all names, or NULL */
    const char *extra;  /* one tensor more, or NULL */
} change;

#define SMALL "{\"name\": \"resnet20\", \"width\": 2}"

/* A small ResNet's weights, as another program would write them. */
static const char *write_weights(const change *c) {
    static char path[4300];
    hd_recipe *recipe = recipe_of("{\"model\": " SMALL "}");
    hd_model *m;
    hd_program *program;
    hd_weights w;
    int64_t batch;
    (void)snprintf(path, sizeof path, "%s/weights.safetensors", folder);
    assert_int_equal(hd_model_new(&m, recipe, NULL), HD_OK);
    assert_int_equal(hd_model_infer(m, 1, &program, &batch), HD_OK);
    assert_int_equal(hd_weights_new(&w, m, false), HD_OK);
    assert_int_equal(hd_weights_fetch(&w, m), HD_OK);
    hd_tensor_out out[200];
    char names[200][80];
    int32_t n = 0;
    for (int32_t i = 0; i < w.count; i++) {
        const bool it = c->name && strcmp(w.tensor[i].name, c->name) == 0;
        if (it && !c->called) continue;
        out[n] = w.tensor[i];
        if (it && c->first) out[n].dims.dim[0] = c->first;
        (void)snprintf(names[n], sizeof names[n], "%s%s", c->prefix ? c->prefix : "",
                       it ? c->called : w.tensor[i].name);
        out[n].name = names[n];
        n++;
    }
    if (c->extra) out[n] = out[0], out[n++].name = c->extra;
    assert_int_equal(hd_tensors_write(ctx, path, out, n, (const char *const[]){NULL}), HD_OK);
    hd_weights_free(&w);
    hd_model_free(m);
    hd_recipe_free(recipe);
    return path;
}

static hd_status open_with(const char *file, const char *map, hd_model **m) {
    char text[10000];
    (void)snprintf(text, sizeof text, "{\"model\": " SMALL ", \"train\": {\"from\": \"%s\"%s%s%s}}", file,
                   map ? ", \"rename\": \"" : "", map ? map : "", map ? "\"" : "");
    hd_recipe *r = recipe_of(text);
    const hd_status status = hd_model_open_foreign(m, r);
    hd_recipe_free(r);
    return status;
}

static void opens(const change *c, const char *map) {
    hd_model *m;
    float x[3 * 32 * 32] = {0}, y[10];
    if (open_with(write_weights(c), map, &m) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    assert_int_equal(hd_model_predict(m, x, 1, y), HD_OK);
    hd_model_free(m);
}

static void refuses(const change *c, const char *map, const char *message) {
    hd_model *m;
    assert_int_equal(open_with(write_weights(c), map, &m), HD_E_MODEL);
    assert_null(m);
    if (!strstr(hd_last_error(ctx), message)) fail_msg("\"%s\" lacks \"%s\"", hd_last_error(ctx), message);
}

static const char *write_map(const char *text) {
    static char path[4300];
    (void)snprintf(path, sizeof path, "%s/map.json", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    return path;
}

static void test_names(void **state) {
    (void)state;
    opens(&(change){0}, NULL);
    opens(&(change){.prefix = "module."}, NULL); /* found by itself */
    opens(&(change){.prefix = "module."}, "wrapped");
    opens(&(change){.extra = "bn1.num_batches_tracked"}, NULL);
    opens(&(change){.name = "linear.bias", .called = "out.offset"}, write_map("{\"out.offset\": \"linear.bias\"}"));
    opens(&(change){.extra = "ema.step"}, write_map("{\"ema.*\": null}"));
    opens(&(change){.prefix = "net/"}, write_map("{\"net/*.conv*.weight\": \"*.conv*.weight\", \"net/*\": \"*\"}"));
    refuses(&(change){.prefix = "net/"}, NULL, "expected a tensor \"bn1.bias\" [2], it has none");
    refuses(&(change){.name = "linear.bias"}, NULL, "expected a tensor \"linear.bias\" [10], it has none");
    refuses(&(change){.name = "bn1.weight", .called = "bn1.weight", .first = 1}, NULL,
            "expected tensor \"bn1.weight\" to be [2], it is [1]");
    refuses(&(change){.extra = "ema.step"}, NULL, "expected only tensors of the network, it has \"ema.step\"");
    refuses(&(change){0}, "caffe", "the map \"caffe\" is for");
    refuses(&(change){0}, write_map("{\"bn1.weight\": \"bn1.bias\"}"), "\"bn1.bias\"");
}

static void test_maps(void **state) {
    (void)state;
    static const struct {
        const char *map, *message;
    } bad[] = {
        {"[]", "expected an object of names"},
        {"{\"a\": 3}", "map.json:1:7: expected a name, or null"},
        {"{\"a*\": \"b*c*\"}", "more * behind the colon"},
        {"{\"input\": {\"mean\": [1, \"x\"]}}", "mean and std are numbers"},
        {"{\"input\": {\"order\": \"gbr\"}}", "order is \"rgb\" or \"bgr\""},
        {"{\"input\": {\"mean\": [1, 2], \"order\": \"bgr\"}}", "\"bgr\" has three channels"},
        {"{\"input\": {\"mean\": [1, 2, 3], \"std\": 0}}", "std must be above 0"},
        {"{\"input\": {\"std\": 0}}", "std must be above 0"},
        {"{\"input\": {\"median\": 1}}", "input has order, mean and std"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuses(&(change){0}, write_map(bad[i].map), bad[i].message);
    hd_model *m;
    assert_int_equal(open_with("/nowhere.safetensors", NULL, &m), HD_E_FILE);
    assert_int_equal(open_with(write_weights(&(change){0}), "/nowhere.json", &m), HD_E_FILE);
}

/* What a map says of pictures counts, one number for all channels too; where it says nothing, torchvision's numbers. */
static void test_what_pictures_were_like(void **state) {
    (void)state;
    static const struct {
        const char *map;
        float mean[3], std[3];
    } cases[] = {
        {"{\"input\": {\"mean\": [1, 2, 3], \"std\": 4}}", {1, 2, 3}, {4, 4, 4}},
        {"{\"input\": {\"mean\": 127.5, \"std\": 64}}", {127.5f, 127.5f, 127.5f}, {64, 64, 64}},
        {"{\"input\": {\"std\": 255}}", {0, 0, 0}, {255, 255, 255}},
        {"{\"input\": {\"order\": \"rgb\"}}", {123.675f, 116.28f, 103.53f}, {58.395f, 57.12f, 57.375f}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hd_model *m;
        if (open_with(write_weights(&(change){0}), write_map(cases[i].map), &m) != HD_OK)
            fail_msg("%s", hd_last_error(ctx));
        assert_int_equal(m->normalizer.channels, 3);
        for (int c = 0; c < 3; c++) {
            assert_float_equal(m->normalizer.mean[c], cases[i].mean[c], 1e-4f);
            assert_float_equal(m->normalizer.std[c], cases[i].std[c], 1e-4f);
        }
        hd_model_free(m);
    }
}

/* Each star takes as little as it can, and what it stood for goes where its sister stands. */
static void test_stars(void **state) {
    (void)state;
    static const char text[] = "{\"fire*/expand*.*\": \"f.*.e*.*\", \"x*\": null, \"a*b*c\": \"*-*\", \"input\": "
                               "{\"mean\": [1, 2, 3], \"order\": \"bgr\"}}";
    static const char *const pairs[][2] = {{"fire2/expand1x1.weight", "f.2.e1x1.weight"},
                                           {"fire2/squeeze.weight", "fire2/squeeze.weight"},
                                           {"x", NULL},
                                           {"abbcbc", "-bcb"},
                                           {"abcd", "abcd"}};
    char buffer[HD_RENAME_NAME];
    hd_arena arena = {.ctx = ctx};
    hd_rename map;
    assert_int_equal(hd_rename_parse(&map, &arena, "map", text, sizeof text - 1), HD_OK);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const char *got = hd_rename_apply(&map, pairs[i][0], buffer);
        assert_true((got == NULL) == (pairs[i][1] == NULL));
        if (got) assert_string_equal(got, pairs[i][1]);
    }
    assert_true(map.bgr && map.mean[0] == 3 && map.mean[2] == 1 && map.std[1] == 1);
    hd_arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_squeezenet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_resnet20, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_maps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_pictures_were_like, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stars, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
