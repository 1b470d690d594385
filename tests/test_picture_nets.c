/* test_picture_nets.c: networks for pictures: as many parameters as published, to the last one, under the names that
 * other frameworks give them, and shapes through small pictures. Only graphs are built. The recipes of all
 * known networks too. */
#include "support.h"

#include "hadal/train.h"
#include "hadal/zoo.h"

static hd_context *ctx;
static hd_graph *graph;

static int set_up(void **state) {
    (void)state;
    ctx = test_context(1);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    hd_graph_free(graph);
    graph = NULL;
    hd_context_free(ctx);
    return 0;
}

/* The network upon pictures c×h×w, in a new graph. */
static hd_val build(const char *name, hd_dims sample, int64_t outputs, const char *options) {
    hd_graph_free(graph);
    graph = NULL;
    assert_int_equal(hd_graph_new(&graph, ctx), HD_OK);
    hd_dims x = {.rank = sample.rank + 1, .dim = {HD_BATCH}};
    for (int i = 0; i < sample.rank; i++) x.dim[i + 1] = sample.dim[i];
    const hd_val y = hd_zoo_build(hd_input(graph, "x", HD_F32, x), name, outputs, options);
    if (hd_graph_status(graph) != HD_OK) fail_msg("%s: %s", name, hd_last_error(ctx));
    return y;
}

/* Published numbers: torchvision's documentation; for CIFAR the paper's table 6 (0.27M … 1.7M) counted exactly; AlexNet
 * 2012 as Caffe counts it. */
static void test_counts(void **state) {
    (void)state;
    static const struct {
        const char *name, *options;
        int64_t params;
    } published[] = {
        {"alexnet", "{}", 61100840},
        {"alexnet", "{\"form\": 2012}", 60965224},
        {"vgg11", "{}", 132863336},
        {"vgg11_bn", "{}", 132868840},
        {"vgg13", "{}", 133047848},
        {"vgg13_bn", "{}", 133053736},
        {"vgg16", "{}", 138357544},
        {"vgg16_bn", "{}", 138365992},
        {"vgg19", "{}", 143667240},
        {"vgg19_bn", "{}", 143678248},
        {"googlenet", "{}", 6624904},
        {"googlenet", "{\"aux\": true}", 13004888},
        {"resnet18", "{}", 11689512},
        {"resnet34", "{}", 21797672},
        {"resnet50", "{}", 25557032},
        {"resnet50", "{\"groups\": 32, \"width_per_group\": 4}", 25028904}, /* resnext50_32x4d */
        {"resnet50", "{\"width_per_group\": 128}", 68883240},               /* wide_resnet50_2 */
        {"resnet101", "{}", 44549160},
        {"resnet152", "{}", 60192808},
        {"resnet20", "{}", 269722},
        {"resnet32", "{}", 464154},
        {"resnet44", "{}", 658586},
        {"resnet56", "{}", 853018},
        {"resnet110", "{}", 1727962},
        {"squeezenet1_0", "{}", 1248424},
        {"squeezenet1_1", "{}", 1235496},
        {"mobilenet_v2", "{}", 3504872},
        {"densenet121", "{}", 7978856},
    };
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
        const hd_zoo_entry *e = hd_zoo_find(published[i].name);
        assert_non_null(e);
        const hd_dims y = hd_val_dims(build(e->name, e->sample, e->outputs, published[i].options));
        const int64_t params = hd_graph_param_count(graph);
        if (params != published[i].params || y.rank != 2 || y.dim[1] != e->outputs)
            fail_msg("%s %s: %lld parameters, published are %lld", e->name, published[i].options, (long long)params,
                     (long long)published[i].params);
    }
}

static void has(const char *name, hd_dims dims) {
    char a[192], b[192];
    const hd_dims got = hd_val_dims(hd_graph_find(graph, name));
    if (!hd_dims_equal(&got, &dims)) fail_msg("%s is %s, not %s", name, hd_dims_text(a, &got), hd_dims_text(b, &dims));
}

/* As torchvision's state_dict has them; the last name is one that it has not. */
static void test_names(void **state) {
    (void)state;
    const hd_dims big = HD_DIMS(3, 224, 224);
    build("alexnet", big, 1000, NULL);
    has("features.0.weight", HD_DIMS(64, 3, 11, 11));
    has("features.10.bias", HD_DIMS(256));
    has("classifier.1.weight", HD_DIMS(4096, 9216));
    has("classifier.6.weight", HD_DIMS(1000, 4096));
    build("alexnet", HD_DIMS(3, 227, 227), 1000, "{\"form\": \"2012\"}");
    has("conv2.weight", HD_DIMS(256, 48, 5, 5));
    has("fc6.weight", HD_DIMS(4096, 9216));
    build("vgg16", big, 1000, NULL);
    has("features.28.weight", HD_DIMS(512, 512, 3, 3));
    has("classifier.0.weight", HD_DIMS(4096, 25088));
    build("vgg19_bn", big, 1000, NULL);
    has("features.49.weight", HD_DIMS(512, 512, 3, 3));
    has("features.50.running_var", HD_DIMS(512));
    build("googlenet", big, 1000, "{\"aux\": true}");
    has("conv3.conv.weight", HD_DIMS(192, 64, 3, 3));
    has("inception4d.branch2.0.conv.weight", HD_DIMS(144, 512, 1, 1));
    has("inception5b.branch3.1.bn.running_mean", HD_DIMS(128));
    has("aux1.fc1.weight", HD_DIMS(1024, 2048));
    has("aux2.conv.conv.weight", HD_DIMS(128, 528, 1, 1));
    build("resnet50", big, 1000, NULL);
    has("layer1.0.downsample.0.weight", HD_DIMS(256, 64, 1, 1));
    has("layer4.2.conv3.weight", HD_DIMS(2048, 512, 1, 1));
    has("layer4.2.bn3.running_mean", HD_DIMS(2048));
    build("squeezenet1_0", big, 1000, NULL);
    has("features.12.expand3x3.weight", HD_DIMS(256, 64, 3, 3));
    build("squeezenet1_1", big, 1000, NULL);
    has("features.6.squeeze.weight", HD_DIMS(32, 128, 1, 1));
    has("classifier.1.bias", HD_DIMS(1000));
    build("mobilenet_v2", big, 1000, NULL);
    has("features.1.conv.0.0.weight", HD_DIMS(32, 1, 3, 3));
    has("features.1.conv.2.running_mean", HD_DIMS(16));
    has("features.17.conv.2.weight", HD_DIMS(320, 960, 1, 1));
    has("features.18.1.weight", HD_DIMS(1280));
    build("densenet121", big, 1000, NULL);
    has("features.denseblock4.denselayer16.conv2.weight", HD_DIMS(32, 128, 3, 3));
    has("features.transition3.norm.running_var", HD_DIMS(1024));
    has("classifier.weight", HD_DIMS(1000, 1024));
    build("resnet20", HD_DIMS(3, 32, 32), 10, "{\"shortcut\": \"B\"}");
    has("layer2.0.shortcut.0.weight", HD_DIMS(32, 16, 1, 1));
    has("linear.weight", HD_DIMS(10, 64));
}

/* Ronneberger's numbers: 572×572 in, 388×388 out, and as many parameters as 23 convolutions of the published widths
 * have; with padding a class for every pixel, of pictures whose sides halve unevenly too. */
static void test_unet(void **state) {
    (void)state;
    const hd_dims full = hd_val_dims(build("unet", HD_DIMS(1, 572, 572), 2, NULL));
    assert_true(full.rank == 3 && full.dim[1] == 388 * 388 && full.dim[2] == 2);
    int64_t params = (1 + 9 * 1) * 64 + (1 + 9 * 64) * 64;
    for (int64_t c = 128; c <= 1024; c *= 2) params += (1 + 9 * c / 2) * c + (1 + 9 * c) * c;
    for (int64_t c = 512; c >= 64; c /= 2) params += (4 * 2 * c + 1) * c + (1 + 9 * 2 * c) * c + (1 + 9 * c) * c;
    params += 2 * 64 + 2;
    assert_int_equal(hd_graph_param_count(graph), params);
    assert_int_equal(params, 31030658);
    has("up4.up.weight", HD_DIMS(1024, 512, 2, 2));
    has("up1.conv1.weight", HD_DIMS(64, 128, 3, 3));
    const hd_dims same = hd_val_dims(build("unet", HD_DIMS(3, 37, 50), 5, "{\"valid\": false, \"width\": 4}"));
    assert_true(same.rank == 3 && same.dim[1] == 37 * 50 && same.dim[2] == 5);
}

/* Options reach what they are for, and are refused where they mean nothing. */
static void test_options(void **state) {
    (void)state;
    build("mobilenet_v2", HD_DIMS(3, 96, 96), 5, "{\"width_mult\": 0.35}");
    has("features.0.0.weight", HD_DIMS(16, 3, 3, 3));      /* 11.2 would lose more than a tenth as 8 */
    has("features.18.0.weight", HD_DIMS(1280, 112, 1, 1)); /* never narrower */
    build("resnet20", HD_DIMS(1, 28, 28), 10, "{\"width\": 4}");
    has("layer3.2.conv2.weight", HD_DIMS(16, 16, 3, 3));
    build("squeezenet1_1", HD_DIMS(3, 32, 32), 10, "{\"dropout\": 0}");
    hd_graph_free(graph);
    assert_int_equal(hd_graph_new(&graph, ctx), HD_OK);
    const hd_val x = hd_input(graph, "x", HD_F32, HD_DIMS(HD_BATCH, 3, 64, 64));
    assert_true(hd_val_is_none(hd_zoo_build(x, "resnet18", 10, "{\"groups\": 2}")));
    assert_non_null(strstr(hd_last_error(ctx), "resnet50"));
}

/* The recipes say nothing that the program does not know, and name networks by their options rightly; where a
 * body is frozen the new last layer alone is trained. */
static void test_recipes(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int64_t params;
    } all[] = {{"alexnet", 61100840},          {"vgg16", 138357544},       {"googlenet", 13004888},
               {"resnet50", 25557032},         {"squeezenet1_1", 1235496}, {"mobilenet_v2", 3504872},
               {"densenet121", 7978856},       {"unet", 31030658},         {"resnet20-cifar10", 269722},
               {"squeezenet-transfer", 513000}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        char path[120];
        hd_recipe *r;
        hd_model *m = NULL;
        (void)snprintf(path, sizeof path, "recipes/%s.yaml", all[i].name);
        const hd_status status = hd_recipe_load(&r, ctx, path);
        if (status == HD_E_UNSUPPORTED) skip(); /* a build without libyaml */
        if (status != HD_OK || hd_model_new(&m, r, NULL) != HD_OK) fail_msg("%s: %s", path, hd_last_error(ctx));
        const int64_t params = hd_graph_param_count(hd_model_graph(m));
        if (params != all[i].params) fail_msg("%s: %lld parameters are trained", path, (long long)params);
        hd_model_free(m);
        hd_recipe_free(r);
    }
}

/* All recipes of known networks: keys and options are those that there are, and the network is built. */
static void test_every_recipe(void **state) {
    (void)state;
    int known = 0;
    for (int i = 0; hd_zoo_at(i); i++) {
        char path[120];
        hd_recipe *r;
        hd_model *m = NULL;
        (void)snprintf(path, sizeof path, "recipes/%s.yaml", hd_zoo_at(i)->name);
        const hd_status status = hd_recipe_load(&r, ctx, path);
        if (status == HD_E_UNSUPPORTED) skip(); /* a build without libyaml */
        if (status == HD_E_FILE) continue;      /* a sister of a network that has one */
        if (status != HD_OK || hd_model_new(&m, r, NULL) != HD_OK) fail_msg("%s: %s", path, hd_last_error(ctx));
        known++;
        hd_model_free(m);
        hd_recipe_free(r);
    }
    assert_true(known >= 30);
}

/* Pictures that are too small for a network are an error of the layer that has nothing left. */
static void test_too_small(void **state) {
    (void)state;
    assert_int_equal(hd_graph_new(&graph, ctx), HD_OK);
    const hd_val x = hd_input(graph, "x", HD_F32, HD_DIMS(HD_BATCH, 3, 16, 16));
    assert_true(hd_val_is_none(hd_zoo_build(x, "vgg11", 10, NULL)) || hd_graph_status(graph) != HD_OK);
    assert_int_equal(hd_graph_status(graph), HD_E_MODEL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_options, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_recipes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_every_recipe, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_small, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
