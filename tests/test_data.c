/* test_data.c: what is opened by which name, the figures of the toy sets, tables of text, arrays, and every refusal's
 * words. */
#include "support.h"

#include "data/source.h"
#include "hadal/data.h"
#include <math.h>
#include <sys/stat.h>

static char path_buffer[4400];
static const char *in(const char *folder, const char *name) {
    (void)snprintf(path_buffer, sizeof path_buffer, "%s/%s", folder, name);
    return path_buffer;
}

static void save(const char *folder, const char *name, const char *text) {
    (void)remove(in(folder, name));
    FILE *f = fopen(in(folder, name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

static hd_dataset *opened(hd_context *ctx, const char *source) {
    hd_dataset *d = NULL;
    hd_status status = hd_data_open(&d, ctx, source, NULL);
    if (status != HD_OK) fail_msg("%s: %s", source, hd_last_error(ctx));
    return d;
}

static void refused(hd_context *ctx, const char *source, hd_status expected, const char *words) {
    hd_dataset *d = NULL;
    hd_status status = hd_data_open(&d, ctx, source, "/nowhere");
    if (status == HD_OK) hd_data_free(d);
    if (status != expected) fail_msg("%s: status %s (%s)", source, hd_status_name(status), hd_last_error(ctx));
    if (!strstr(hd_last_error(ctx), words)) fail_msg("%s: no \"%s\" in: %s", source, words, hd_last_error(ctx));
}

/* ---- the list ---- */

static void test_sources(void **state) {
    (void)state;
    int n = 0;
    for (; hd_source_at(n); n++) {
        const hd_data_source *s = hd_source_at(n);
        assert_ptr_equal(hd_source_find(s->name), s);
        assert_true(strlen(s->description) > 20);
        assert_true(s->named || s->looks_like);
        for (const hd_option *o = s->options; o && o->name; o++) {
            assert_true(o->offset < s->args_size);
            assert_true(o->help && strlen(o->help) > 8);
            if (o->type == HD_OPT_INT || o->type == HD_OPT_FLOAT)
                assert_true(o->min <= o->def && o->def <= o->max && o->min < o->max);
        }
    }
    assert_true(n >= 15);
    assert_null(hd_source_at(-1));
    assert_null(hd_source_find("nothing"));
}

static void test_refusals(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    size_t held = hd_context_memory(ctx).bytes;
    refused(ctx, "", HD_E_USAGE, "expected a name");
    refused(ctx, "digit", HD_E_DATA, "Did you mean digits?");
    refused(ctx, "qqqqqqqq", HD_E_DATA, "Names: digits, xor, ");
    refused(ctx, "none/there.csv", HD_E_FILE, "no such file");
    refused(ctx, "mnist", HD_E_DATA, "hadal data get mnist");
    if (access("/usr/share/datasets/fashion-mnist", F_OK) != 0) /* Debian's package is found wherever one looks */
        refused(ctx, "fashion-mnist", HD_E_DATA, "dataset-fashion-mnist");
    refused(ctx, "usps", HD_E_DATA, "hadal data get usps");
    refused(ctx, "cifar10", HD_E_DATA, "hadal data get cifar10");
    refused(ctx, "{\"source\":\"digits\",\"m\":3}", HD_E_DATA, "unknown option \"m\"");
    refused(ctx, "{\"source\":\"moons\",\"nois\":3}", HD_E_DATA, "Did you mean noise?");
    refused(ctx, "{\"source\":\"moons\",\"noise\":-1}", HD_E_DATA, "a number from 0 to");
    refused(ctx, "{\"source\":\"moons\",\"n\":1.5}", HD_E_DATA, "a whole number from 2");
    refused(ctx, "{\"source\":\"moons\",\"n\":\"x\"}", HD_E_DATA, "a whole number");
    refused(ctx, "{\"source\":\"digits\",\"binary\":\"x\"}", HD_E_DATA, "true or false");
    refused(ctx, "{\"source\":\"digits\",\"path\":\"digits\"}", HD_E_DATA, "one name or path");
    refused(ctx, "{\"n\":5}", HD_E_DATA, "expected a name or a path");
    refused(ctx, "{\"source\":\"digits\",\"classes\":0}", HD_E_DATA, "option classes");
    refused(ctx, "{\"source\":\"digits\",\"classes\":5}", HD_E_DATA, "expected labels 0 … 4");
    refused(ctx, "{\"source\":", HD_E_MODEL, "data:1:");
    refused(ctx, "{\"path\":\"digits\",\"format\":\"idxx\"}", HD_E_DATA, "unknown format");
    refused(ctx, "/", HD_E_DATA, "Say format=");
    assert_int_equal(hd_context_memory(ctx).bytes, held);
    hd_context_free(ctx);
}

/* ---- toys ---- */

static void test_toys(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    float p[2], y;
    hd_dataset *d = opened(ctx, "{\"source\":\"xor\",\"n\":4,\"noise\":0}");
    for (int64_t i = 0; i < 4; i++) {
        hd_data_x(d, i, p);
        assert_true((p[0] == 0 || p[0] == 1) && (p[1] == 0 || p[1] == 1));
        assert_int_equal(hd_data_label(d, i), p[0] != p[1]);
    }
    hd_data_free(d);
    d = opened(ctx, "{\"source\":\"moons\",\"n\":101,\"noise\":0}");
    for (int64_t i = 0; i < 101; i++) {
        hd_data_x(d, i, p);
        float cx = hd_data_label(d, i) ? 1 : 0, cy = hd_data_label(d, i) ? 0.5f : 0;
        assert_true(fabsf(hypotf(p[0] - cx, p[1] - cy) - 1) < 1e-6f);
        assert_true(hd_data_label(d, i) ? p[1] <= 0.5f + 1e-6f : p[1] >= -1e-6f);
    }
    hd_data_free(d);
    d = opened(ctx, "{\"source\":\"circles\",\"noise\":0,\"factor\":0.3}");
    for (int64_t i = 0; i < 1000; i++) {
        hd_data_x(d, i, p);
        assert_true(fabsf(hypotf(p[0], p[1]) - (hd_data_label(d, i) ? 0.3f : 1)) < 1e-6f);
    }
    hd_data_free(d);
    d = opened(ctx, "{\"source\":\"spirals\",\"arms\":3,\"noise\":0,\"n\":300}");
    assert_int_equal(hd_data_get_info(d).classes, 3);
    for (int64_t i = 0; i < 300; i++) {
        hd_data_x(d, i, p);
        double r = hypot((double)p[0], (double)p[1]), turn = atan2((double)p[1], (double)p[0]) / 6.283185307179586;
        double off = turn - 1.5 * r - (double)hd_data_label(d, i) / 3;
        assert_true(fabs(off - round(off)) < 1e-4 && r < 1);
    }
    hd_data_free(d);
    d = opened(ctx, "{\"source\":\"blobs\",\"centers\":4,\"features\":5,\"noise\":0,\"n\":40}");
    hd_data_info info = hd_data_get_info(d);
    assert_true(info.classes == 4 && info.sample.rank == 1 && info.sample.dim[0] == 5);
    float a[5], b[5];
    hd_data_x(d, 1, a);
    hd_data_x(d, 37, b);
    assert_memory_equal(a, b, sizeof a);
    hd_data_free(d);
    d = opened(ctx, "{\"source\":\"sine\",\"noise\":0}");
    info = hd_data_get_info(d);
    assert_true(info.classes == 0 && info.targets == 1 && info.count == 1000);
    for (int64_t i = 0; i < 1000; i++) {
        hd_data_x(d, i, p);
        hd_data_values(d, i, &y);
        assert_true(fabsf(y - sinf(p[0])) < 1e-6f && fabsf(p[0]) <= 3.1415927f);
    }
    hd_data_free(d);
    d = opened(ctx, "sine"); /* with its noise of 0.1 */
    double squares = 0;
    for (int64_t i = 0; i < 1000; i++) {
        hd_data_x(d, i, p);
        hd_data_values(d, i, &y);
        squares += (double)((y - sinf(p[0])) * (y - sinf(p[0])));
    }
    assert_true(fabs(sqrt(squares / 1000) - 0.1) < 0.01);
    hd_data_free(d);
    hd_context_free(ctx);
}

/* ---- arrays ---- */

static void test_arrays(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    float x[6] = {1, 2, 3, 4, 5, 6};
    int64_t label[3] = {0, 2, 1};
    hd_data_arrays a = {.x = x, .dtype = HD_F32, .sample = HD_DIMS(2), .n = 3, .labels = label};
    hd_dataset *d;
    assert_int_equal(hd_data_from_arrays(&d, ctx, &a), HD_OK);
    hd_data_info info = hd_data_get_info(d);
    assert_true(info.classes == 3 && info.count == 3 && info.train == 3 && info.bytes == 0);
    assert_string_equal(info.class_names[2], "2");
    hd_data_free(d);
    label[1] = 7;
    assert_int_equal(hd_data_from_arrays(&d, ctx, &a), HD_E_DATA);
    assert_non_null(strstr(hd_last_error(ctx), "label 7, but there are only 3 distinct"));
    label[1] = -1;
    assert_int_equal(hd_data_from_arrays(&d, ctx, &a), HD_E_DATA);
    assert_non_null(strstr(hd_last_error(ctx), "label -1"));
    label[1] = INT64_MAX;
    assert_int_equal(hd_data_from_arrays(&d, ctx, &a), HD_E_DATA);
    label[1] = 7;
    a.classes = 8;
    assert_int_equal(hd_data_from_arrays(&d, ctx, &a), HD_OK);
    hd_data_free(d);
    a.classes = INT64_MAX;
    assert_int_equal(hd_data_from_arrays(&d, ctx, &a), HD_E_DATA);
    a.classes = 8;
    x[5] = (float)NAN;
    assert_int_equal(hd_data_from_arrays(&d, ctx, &a), HD_E_DATA);
    assert_non_null(strstr(hd_last_error(ctx), "element 1 of sample 2"));
    x[5] = 6;
    a.values = x;
    a.targets = 1;
    assert_int_equal(hd_data_from_arrays(&d, ctx, &a), HD_E_USAGE);
    a.labels = NULL;
    assert_int_equal(hd_data_from_arrays(&d, ctx, &a), HD_OK);
    hd_data_free(d);
    a.sample = HD_DIMS(INT64_MAX, 4);
    assert_int_equal(hd_data_from_arrays(&d, ctx, &a), HD_E_USAGE);
    a.sample = HD_DIMS(2);
    a.dtype = HD_F64;
    assert_int_equal(hd_data_from_arrays(&d, ctx, &a), HD_E_USAGE);
    hd_context_free(ctx);
}

/* ---- tables ---- */

static void check_table(const char *folder, const char *text, const char *options, int64_t rows, int64_t features,
                        int64_t classes, float first, float target) {
    hd_context *ctx = test_context(1);
    char source[4600];
    save(folder, "t.csv", text);
    (void)snprintf(source, sizeof source, "{\"path\":\"%s/t.csv\"%s}", folder, options);
    hd_dataset *d = opened(ctx, source);
    hd_data_info info = hd_data_get_info(d);
    if (info.count != rows || info.sample.dim[0] != features || info.classes != classes)
        fail_msg("%s: %lld rows, %lld features, %lld classes", text, (long long)info.count,
                 (long long)info.sample.dim[0], (long long)info.classes);
    float x[16], y[4];
    hd_data_x(d, 0, x);
    assert_true(x[0] == first);
    if (classes) assert_int_equal(hd_data_label(d, 0), (int64_t)target);
    hd_data_values(d, 0, y);
    if (!classes) assert_true(y[0] == target);
    hd_data_free(d);
    hd_context_free(ctx);
}

static void test_tables(void **state) {
    (void)state;
    char *folder = test_folder();
    check_table(folder, "1,2,0\n3,4,1\n", "", 2, 2, 2, 1, 0);
    check_table(folder, "1,2,0\r\n\r\n3,4,1", "", 2, 2, 2, 1, 0); /* CR LF, a blank line, no last end */
    check_table(folder,
                "\xef\xbb\xbf"
                "1;2;0\n3;4;1\n",
                "", 2, 2, 2, 1, 0); /* a byte order mark, semicolons */
    check_table(folder, "1\t2\t1\n3\t4\t0\n", "", 2, 2, 2, 1, 1);
    check_table(folder, "  1   2 0 \n3 4   1\n", "", 2, 2, 2, 1, 0);
    check_table(folder, "a,b,\"c, d\"\n1,2,0\n3,4,1\n", "", 2, 2, 2, 1, 0);
    check_table(folder, "a,b,c\n1,2,0.5\n3,4,1\n", "", 2, 2, 0, 1, 0.5f);
    check_table(folder, "a,b,c\n1,2,7\n0,4,9\n", ",\"label\":\"a\"", 2, 2, 2, 2, 1);
    check_table(folder, "a,b,c\n1,2,7\n0,4,9\n", ",\"label\":1", 2, 2, 2, 2, 1);
    check_table(folder, "a,b,c\n1,2,1\n0,4,0\n", ",\"target\":\"number\"", 2, 2, 0, 1, 1);
    check_table(folder, "1,2,zebra\n3,4,\"ant\"\n5,6,zebra\n", "", 3, 2, 2, 1, 1); /* in alphabetical order */
    check_table(folder, "2,2,x,y\n5,6,1\n7,8,0\n", "", 2, 2, 2, 5, 1);             /* scikit-learn's header */
    check_table(folder, "1,-2.5e-1,300\n3,4,1\n", "", 2, 2, 0, 1, 300);
    check_table(folder, "1,2,3,4,0\n5,6,7,8,1\n", ",\"shape\":[1,2,2]", 2, 1, 2, 1, 0);
    test_folder_remove(folder);
}

static void test_table_refusals(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    size_t held = hd_context_memory(ctx).bytes;
    char *folder = test_folder(), source[4600];
    static const struct {
        const char *text, *options, *words;
    } wrong[] = {
        {"", "", "empty file"},
        {"1,2,0\n3,4\n", "", "t.csv:2: expected 3 columns, found 2"},
        {"1,2,0\n3,4,1,5\n", "", "t.csv:2: expected 3 columns, found more than 3"},
        {"a,b,c\n1,2,0\n\n3,n/a,1\n", "", "t.csv:4:2: \"n/a\" is not a finite number (column b)"},
        {"1,2,0\n3,nan,1\n", "", "t.csv:2:2: \"nan\" is not a finite number"},
        {"1,2,0\n3,inf,1\n", "", "is not a finite number"},
        {"1,2,0\n3,1e99,1\n", "", "\"1e99\" is not a finite number"},
        {"1,2,0\n3,,1\n", "", "t.csv:2:2: \"\" is not a finite number"},
        {"1,2,0\n3,4,ant\n", "", "t.csv:2:3: \"ant\" is not a finite number. Targets are numbers or words, not both"},
        {"1,2,0\n3,\x1b[31m,1\n", "", "\"?[31m\""},
        {"a,b,c\n1,2,0\n3,4,1\n", ",\"label\":\"bb\"", "Did you mean b?"},
        {"1,2,0\n3,4,1\n", ",\"label\":4", "no column \"4\""},
        {"1,2,0\n3,4,2\n", "", "label 2, but there are only 2 distinct labels"},
        {"1,2,0\n3,4,0\n", "", "at least two classes"},
        {"1,2,x\n3,4,x\n", "", "at least two classes"},
        {"1,2,x\n3,4,y\n", ",\"target\":\"number\"", "found words"},
        {"1,2,0.5\n3,4,1\n", ",\"target\":\"class\"", "row 1 has 0.5"},
        {"1,2,0\n3,4,1\n", ",\"target\":\"clas\"", "one of auto class number category"},
        {"1,2,3,0\n5,6,7,1\n", ",\"shape\":[1,2,2]", "a shape of 3 elements"},
        {"1,2,3,0\n5,6,7,1\n", ",\"shape\":[0]", "whole numbers from 1"},
        {"1\n2\n", "", "at least one feature column"},
        {"a,b,c\n1,2\n", "", "t.csv:2: expected 3 columns"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        save(folder, "t.csv", wrong[i].text);
        (void)snprintf(source, sizeof source, "{\"path\":\"%s/t.csv\"%s}", folder, wrong[i].options);
        refused(ctx, source, HD_E_DATA, wrong[i].words);
    }
    /* A header of many columns and many short lines asks for no more than four times the text. */
    char *big = malloc(3000000);
    assert_non_null(big);
    for (int i = 0; i < 1000000; i++) memcpy(big + i, i % 2 ? "," : "1", 1);
    for (int i = 1000000; i < 2999999; i++) big[i] = i % 2 ? '1' : '\n';
    big[2999999] = 0;
    save(folder, "t.csv", big);
    free(big);
    (void)snprintf(source, sizeof source, "%s/t.csv", folder);
    refused(ctx, source, HD_E_DATA, "expected at most 262144 columns");
    assert_true(hd_context_memory(ctx).peak_bytes < (64u << 20) + 4 * 3000000u);
    assert_int_equal(hd_context_memory(ctx).bytes, held);
    test_folder_remove(folder);
    hd_context_free(ctx);
}

static void test_real_digits(void **state) {
    (void)state;
    if (!test_data("data/digits-semeion") || !test_zlib()) skip();
    hd_context *ctx = test_context(1);
    static const struct {
        const char *path, *name;
        int64_t n, side, of_three;
        float high;
    } sets[] = {{"data/digits-8x8", "optdigits", 1797, 8, 183, 16},
                {"data/digits-usps", "usps", 7291, 16, 658, 255},
                {"data/digits-semeion", "semeion", 1593, 16, 159, 255}};
    for (int i = 0; i < 3; i++) {
        const char *path = test_data(sets[i].path);
        if (!path) fail();
        hd_dataset *d = opened(ctx, path), *named;
        hd_data_info info = hd_data_get_info(d);
        assert_true(info.count == sets[i].n && info.classes == 10 && info.sample.dim[1] == sets[i].side &&
                    info.stored == HD_U8);
        assert_true(info.high == sets[i].high && info.light_on_dark && info.centered && info.ink > 0.9f);
        int64_t three = 0;
        for (int64_t k = 0; k < info.count; k++) three += hd_data_label(d, k) == 3;
        assert_int_equal(three, sets[i].of_three);
        assert_int_equal(hd_data_open(&named, ctx, sets[i].name, path), HD_OK); /* the same by its name */
        float a[256], b[256];
        hd_data_x(d, 100, a);
        hd_data_x(named, 100, b);
        assert_memory_equal(a, b, (size_t)(sets[i].side * sets[i].side) * sizeof *a);
        hd_data_free(named);
        hd_data_free(d);
    }
    hd_context_free(ctx);
}

static void test_damaged_digits(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    char *folder = test_folder(), row[1000] = "";
    for (int i = 0; i < 64; i++) (void)strcat(row, "3,");
    save(folder, "digits.csv", row);
    refused(ctx, in(folder, "digits.csv"), HD_E_DATA, "not a finite number");
    (void)strcat(row, "7");
    save(folder, "digits.csv", row);
    hd_data_free(opened(ctx, in(folder, "digits.csv")));
    row[0] = '9';
    row[1] = '9';
    save(folder, "digits.csv", row);
    refused(ctx, in(folder, "digits.csv"), HD_E_DATA, "expected 65 columns, found 64");
    row[0] = '-';
    row[1] = ',';
    row[0] = '3';
    row[strlen(row) - 1] = '.';
    (void)strcat(row, "5");
    save(folder, "digits.csv", row);
    refused(ctx, in(folder, "digits.csv"), HD_E_DATA, "expected a digit");
    save(folder, "semeion.data", "1 0 1\n");
    refused(ctx, in(folder, "semeion.data"), HD_E_DATA, "expected 266 columns, found 3");
    test_folder_remove(folder);
    hd_context_free(ctx);
}

static void test_cifar10(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    char *folder = test_folder();
    static unsigned char records[2 * 3073];
    for (size_t i = 0; i < sizeof records; i++) records[i] = (unsigned char)(i * 3);
    records[0] = 9;
    records[3073] = 2;
    for (int extra = 0; extra < 2; extra++) {
        FILE *f = fopen(in(folder, "data_batch_1.bin"), "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(records, 1, sizeof records - (size_t)extra, f), sizeof records - (size_t)extra);
        assert_int_equal(fclose(f), 0);
        if (extra) {
            refused(ctx, folder, HD_E_DATA, "records of 3073 bytes");
            continue;
        }
        hd_dataset *d = opened(ctx, folder);
        hd_data_info info = hd_data_get_info(d);
        assert_true(info.count == 2 && info.classes == 10 && info.sample.dim[0] == 3 && info.bytes == 0 &&
                    !info.light_on_dark);
        assert_string_equal(info.class_names[2], "bird");
        static float x[3072];
        hd_data_x(d, 1, x);
        assert_true(x[5] == (float)records[3073 + 6]);
        assert_int_equal(hd_data_label(d, 1), 2);
        hd_data_free(d);
    }
    assert_int_equal(remove(in(folder, "data_batch_1.bin")), 0); /* a part under a name of its own */
    FILE *f = fopen(in(folder, "cifar10-first.bin"), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(records, 1, 2 * 3073, f), 2 * 3073);
    assert_int_equal(fclose(f), 0);
    for (int as_file = 0; as_file < 2; as_file++) {
        hd_dataset *d = opened(ctx, as_file ? in(folder, "cifar10-first.bin") : folder);
        assert_true(hd_data_get_info(d).count == 2 && hd_data_label(d, 0) == 9);
        hd_data_free(d);
    }
    test_folder_remove(folder);
    hd_context_free(ctx);
}

static hd_status open_source(hd_context *ctx, void *source) {
    hd_dataset *d;
    hd_status status = hd_data_open(&d, ctx, source, NULL);
    if (status == HD_OK) hd_data_free(d);
    return status;
}

static void test_failing_allocations(void **state) {
    (void)state;
    char *folder = test_folder(), source[4600];
    save(folder, "t.csv", "a,b,c\n1,2,x\n3,4,y\n5,6,x\n");
    (void)snprintf(source, sizeof source, "{\"path\":\"%s/t.csv\",\"label\":\"c\"}", folder);
    assert_true(fail_every_allocation(open_source, source) > 10);
    char row[300] = "";
    for (int i = 0; i < 64; i++) (void)strcat(row, "3 ");
    save(folder, "digits.csv", strcat(row, "7\n"));
    (void)snprintf(source, sizeof source, "%s", folder);
    assert_true(fail_every_allocation(open_source, source) > 10);
    char blobs[] = "blobs";
    assert_true(fail_every_allocation(open_source, blobs) > 5);
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources),     cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_toys),        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_tables),      cmocka_unit_test(test_table_refusals),
        cmocka_unit_test(test_real_digits), cmocka_unit_test(test_damaged_digits),
        cmocka_unit_test(test_cifar10),     cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
