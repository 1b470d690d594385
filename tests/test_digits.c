/* test_digits.c: drawn digits are the same everywhere, fill their box, and are legible enough for the simplest reader.
 */
#include "support.h"

#include "base/sha256.h"
#include "hadal/data.h"

enum { PIXELS = 256 };

static hd_dataset *opened(hd_context *ctx, const char *source) {
    hd_dataset *d = NULL;
    hd_status status = hd_data_open(&d, ctx, source, NULL);
    if (status != HD_OK) fail_msg("%s: %s", source, hd_last_error(ctx));
    return d;
}

static void sum_of(const char *source, char hex[65]) {
    hd_context *ctx = test_context(1);
    hd_dataset *d = opened(ctx, source);
    hd_sha256 sum;
    hd_sha256_init(&sum);
    for (int64_t i = 0; i < hd_data_get_info(d).count; i++) {
        float x[PIXELS];
        unsigned char bytes[PIXELS + 1];
        hd_data_x(d, i, x);
        for (int p = 0; p < PIXELS; p++) bytes[p] = (unsigned char)x[p];
        bytes[PIXELS] = (unsigned char)hd_data_label(d, i);
        hd_sha256_add(&sum, bytes, sizeof bytes);
    }
    hd_sha256_hex(&sum, hex);
    hd_data_free(d);
    hd_context_free(ctx);
}

static void test_same_bytes(void **state) {
    (void)state;
    char one[65], other[65];
    sum_of("{\"source\":\"digits\",\"n\":1000,\"n_test\":500}", one);
    assert_string_equal(one, "6bfec9478fde3aaeef93c7b04ced2a6b722bb2210edf8ff5eccde1c967b108db");
    sum_of("{\"source\":\"digits\",\"n\":1000,\"n_test\":500,\"seed\":2}", other);
    assert_string_not_equal(one, other);
}

static void test_prefix(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_dataset *small = opened(ctx, "{\"source\":\"digits\",\"n\":50,\"n_test\":20}");
    hd_dataset *large = opened(ctx, "{\"source\":\"digits\",\"n\":80,\"n_test\":20}");
    float a[PIXELS], b[PIXELS];
    for (int64_t i = 0; i < 70; i++) {
        hd_data_x(small, i, a);
        hd_data_x(large, i < 50 ? i : i + 30, b);
        assert_memory_equal(a, b, sizeof a);
    }
    hd_data_x(small, 0, a);
    hd_data_x(small, 50, b); /* test pictures are others */
    assert_memory_not_equal(a, b, sizeof a);
    hd_data_free(small);
    hd_data_free(large);
    hd_context_free(ctx);
}

static void test_form(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_dataset *d = opened(ctx, "{\"source\":\"digits\",\"n\":2000}");
    hd_data_info info = hd_data_get_info(d);
    assert_true(info.train == 2000 && info.test == 2000 && info.classes == 10 && info.stored == HD_U8);
    assert_true(info.light_on_dark && info.centered && info.ink > 0.95f && info.high == 255);
    int64_t of_class[10] = {0};
    double ink = 0;
    for (int64_t i = 0; i < info.count; i++) {
        float x[PIXELS];
        int top = 16, bottom = -1, lit = 0;
        hd_data_x(d, i, x);
        for (int p = 0; p < PIXELS; p++) {
            if (x[p] < 100) continue;
            top = p / 16 < top ? p / 16 : top;
            bottom = p / 16;
            lit++;
        }
        ink += lit;
        of_class[hd_data_label(d, i)]++;
        assert_true(lit >= 8 && lit <= 200); /* neither empty nor a blot */
        if (hd_data_label(d, i) == 1) assert_true(bottom - top >= 9);
    }
    for (int c = 0; c < 10; c++) assert_int_equal(of_class[c], 400);
    assert_true(ink / 4000 > 50 && ink / 4000 < 110); /* USPS 70, Semeion 84 of 256 */
    hd_data_free(d);

    d = opened(ctx, "{\"source\":\"digits\",\"n\":100,\"n_test\":0,\"binary\":true}");
    assert_true(hd_data_get_info(d).high == 1);
    for (int64_t i = 0; i < 100; i++) {
        float x[PIXELS];
        hd_data_x(d, i, x);
        for (int p = 0; p < PIXELS; p++) assert_true(x[p] == 0 || x[p] == 1);
    }
    hd_data_free(d);
    hd_context_free(ctx);
}

/* The nearest of 4,000 drawn training digits names a drawn digit; and a real one. No net is trained here: that is the
 * command's to show. */
static double nearest_neighbour(const hd_dataset *known, int64_t n, const hd_dataset *asked, int64_t from,
                                int64_t count) {
    static unsigned char x[4000][PIXELS];
    float f[PIXELS];
    int64_t right = 0;
    for (int64_t i = 0; i < n; i++) {
        hd_data_x(known, i, f);
        for (int p = 0; p < PIXELS; p++) x[i][p] = (unsigned char)f[p];
    }
    for (int64_t k = from; k < from + count; k++) {
        int64_t best = -1, best_distance = INT64_MAX;
        unsigned char q[PIXELS];
        hd_data_x(asked, k, f);
        for (int p = 0; p < PIXELS; p++) q[p] = (unsigned char)f[p];
        for (int64_t i = 0; i < n; i++) {
            int32_t distance = 0;
            for (int p = 0; p < PIXELS; p++) distance += (x[i][p] - q[p]) * (x[i][p] - q[p]);
            if (distance < best_distance) {
                best_distance = distance;
                best = i;
            }
        }
        right += hd_data_label(known, best) == hd_data_label(asked, k);
    }
    return (double)right / (double)count;
}

static void test_legible(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_dataset *d = opened(ctx, "{\"source\":\"digits\",\"n\":4000,\"n_test\":500}");
    double drawn = nearest_neighbour(d, 4000, d, 4000, 500);
    if (drawn < 0.9) fail_msg("a nearest neighbour reads only %g of the drawn digits", drawn);
    static const char *const real[2] = {"data/digits-usps", "data/digits-semeion"};
    for (int i = 0; i < 2; i++) {
        const char *path = test_data(real[i]);
        if (!path || (i == 0 && !test_zlib())) continue;
        hd_dataset *r = opened(ctx, path);
        double share = nearest_neighbour(d, 4000, r, 0, 500);
        print_message("%s: a nearest neighbour among drawn digits reads %.1f %%\n", real[i], 100 * share);
        assert_true(share > 0.7);
        hd_data_free(r);
    }
    hd_data_free(d);
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_legible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
