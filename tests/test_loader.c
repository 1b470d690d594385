/* test_loader.c: the split covers every sample once, the order is a function of (seed, epoch), batches are the same
 * with and without a thread, nothing is allocated in the loop. */
#include "support.h"

#include "base/alloc.h"
#include "hadal/data.h"
#include <math.h>

static hd_dataset *opened(hd_context *ctx, const char *source) {
    hd_dataset *d = NULL;
    hd_status status = hd_data_open(&d, ctx, source, NULL);
    if (status != HD_OK) fail_msg("%s: %s", source, hd_last_error(ctx));
    return d;
}

static void count_part(const int64_t *list, int64_t n, int *seen, int64_t *per_class, const hd_dataset *d) {
    for (int64_t i = 0; i < n; i++) {
        seen[list[i]]++;
        per_class[hd_data_label(d, list[i])]++;
        if (i) assert_true(list[i - 1] < list[i]);
    }
}

static void test_split_stratified(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    size_t held = hd_context_memory(ctx).bytes;
    hd_dataset *d = opened(ctx, "{\"source\":\"blobs\",\"n\":1003}");
    hd_split s;
    assert_int_equal(hd_split_make(&s, d, NULL), HD_OK);
    assert_int_equal(s.test_count, 201);
    assert_int_equal(s.val_count, 100);
    int seen[1003] = {0};
    int64_t per[3][3] = {{0}};
    count_part(s.train, s.train_count, seen, per[0], d);
    count_part(s.val, s.val_count, seen, per[1], d);
    count_part(s.test, s.test_count, seen, per[2], d);
    for (int i = 0; i < 1003; i++) assert_int_equal(seen[i], 1);
    for (int c = 0; c < 3; c++) { /* every class has its share within one */
        assert_true(per[1][c] >= 33 && per[1][c] <= 34);
        assert_true(per[2][c] >= 66 && per[2][c] <= 67 + 1);
    }
    hd_split other;
    assert_int_equal(hd_split_make(&other, d, &(hd_split_args){.val = -1, .test = -1, .seed = 2}), HD_OK);
    assert_memory_not_equal(s.test, other.test, 201 * sizeof *s.test);
    hd_split_free(&other);
    assert_int_equal(hd_split_make(&other, d, &(hd_split_args){.val = 0.1, .test = 0.2, .seed = 0}), HD_OK);
    assert_memory_equal(s.test, other.test, 201 * sizeof *s.test);
    hd_split_free(&other);
    hd_split_free(&s);
    hd_data_free(d);
    assert_int_equal(hd_context_memory(ctx).bytes, held);
    hd_context_free(ctx);
}

static void test_split_modes(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_dataset *d = opened(ctx, "{\"source\":\"sine\",\"n\":100}");
    hd_split s;
    assert_int_equal(hd_split_make(&s, d, &(hd_split_args){.val = 0.1, .test = 0.2, .mode = "last"}), HD_OK);
    assert_int_equal(s.train[69], 69);
    assert_int_equal(s.val[0], 70);
    assert_int_equal(s.test[0], 80);
    assert_int_equal(s.test[19], 99);
    hd_split_free(&s);
    assert_int_equal(hd_split_make(&s, d, &(hd_split_args){.val = 0, .test = 0}), HD_OK);
    assert_int_equal(s.train_count, 100);
    assert_int_equal(s.val_count + s.test_count, 0);
    hd_split_free(&s);
    assert_int_equal(hd_split_make(&s, d, &(hd_split_args){.mode = "stratified"}), HD_E_USAGE);
    assert_int_equal(hd_split_make(&s, d, &(hd_split_args){.mode = "lost"}), HD_E_USAGE);
    assert_int_equal(hd_split_make(&s, d, &(hd_split_args){.val = 0.5, .test = 0.5}), HD_E_USAGE);
    assert_int_equal(hd_split_make(&s, d, &(hd_split_args){.val = (double)NAN, .test = 0.5}), HD_E_USAGE);
    hd_data_free(d);
    d = opened(ctx, "{\"source\":\"digits\",\"n\":100,\"n_test\":30}"); /* its own test part wins */
    assert_int_equal(hd_split_make(&s, d, NULL), HD_OK);
    assert_int_equal(s.train_count, 90);
    assert_int_equal(s.val_count, 10);
    assert_int_equal(s.test_count, 30);
    assert_int_equal(s.test[0], 100);
    hd_split_free(&s);
    hd_data_free(d);
    hd_context_free(ctx);
}

static void test_normalizer(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    size_t held = hd_context_memory(ctx).bytes;
    unsigned char x[4 * 2 * 3] = {0, 10, 20, 7, 7, 7, 30, 40, 50, 7, 7, 7, 0, 0, 0, 7, 7, 7, 255, 255, 255, 7, 7, 7};
    int64_t label[4] = {0, 1, 0, 1}, all[4] = {0, 1, 2, 3};
    hd_dataset *d;
    assert_int_equal(
        hd_data_from_arrays(
            &d, ctx,
            &(hd_data_arrays){
                .x = x, .dtype = HD_U8, .sample = HD_DIMS(2, 1, 3), .n = 4, .labels = label, .classes = 2}),
        HD_OK);
    hd_normalizer z;
    assert_int_equal(hd_normalizer_fit(&z, d, all, 3, "standard"), HD_OK);
    assert_int_equal(z.channels, 2);
    assert_int_equal(z.each, 3);
    assert_true(fabsf(z.mean[0] - 150.0f / 9) < 1e-4f);
    assert_true(fabsf(z.std[0] - sqrtf(5500.0f / 9 - 150.0f / 9 * 150.0f / 9)) < 1e-3f);
    assert_true(z.mean[1] == 7 && z.std[1] == 1); /* a constant channel is only moved */
    float one[6];
    hd_data_x(d, 3, one);
    assert_true(one[0] == 255 && one[5] == 7);
    hd_normalizer_apply(&z, one, 1, 6);
    assert_true(fabsf(one[0] - (255 - z.mean[0]) / z.std[0]) < 1e-5f);
    assert_true(one[3] == 0);
    hd_normalizer_free(&z);
    assert_int_equal(hd_normalizer_fit(&z, d, all, 4, "unit"), HD_OK);
    assert_true(z.std[0] == 255 && z.mean[0] == 0);
    hd_normalizer_free(&z);
    assert_int_equal(hd_normalizer_fit(&z, d, all, 4, "none"), HD_OK);
    assert_int_equal(z.channels, 0);
    assert_int_equal(hd_normalizer_fit(&z, d, all, 4, "standart"), HD_E_USAGE);
    hd_data_free(d);
    d = opened(ctx, "moons");
    hd_split s;
    assert_int_equal(hd_split_make(&s, d, NULL), HD_OK);
    assert_int_equal(hd_normalizer_fit(&z, d, s.train, s.train_count, "standard"), HD_OK);
    assert_int_equal(z.channels, 2);
    assert_int_equal(z.each, 1);
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < s.train_count; i++) {
        float p[2];
        hd_data_x(d, s.train[i], p);
        hd_normalizer_apply(&z, p, 1, 2);
        sum += (double)p[1];
        squares += (double)p[1] * (double)p[1];
    }
    assert_true(fabs(sum / 700) < 1e-5 && fabs(squares / 700 - 1) < 1e-5);
    hd_normalizer_free(&z);
    hd_split_free(&s);
    hd_data_free(d);
    assert_int_equal(hd_context_memory(ctx).bytes, held);
    hd_context_free(ctx);
}

/* A number from everything that an epoch's batches hold, and the samples it visited. */
static uint64_t digest(hd_loader *l, int64_t size, int *seen, int64_t *batches) {
    uint64_t h = 1469598103934665603u;
    hd_batch b;
    for (*batches = 0;; ++*batches) {
        assert_int_equal(hd_loader_next(l, &b), HD_OK);
        if (b.n == 0) return h;
        for (int64_t i = 0; i < b.n; i++) {
            seen[b.index[i]]++;
            h = (h ^ (uint64_t)b.index[i]) * 1099511628211u;
            if (b.label) h = (h ^ (uint64_t)b.label[i]) * 1099511628211u;
        }
        for (int64_t i = 0; i < b.n * size; i++) {
            uint32_t bits;
            memcpy(&bits, &b.x[i], sizeof bits);
            h = (h ^ bits) * 1099511628211u;
        }
    }
}

static void test_epochs(void **state) {
    (void)state;
    uint64_t first[2][3];
    const char *isa[2] = {"generic", NULL};
    for (int threaded = 0; threaded < 2; threaded++) {
        hd_context *ctx;
        assert_int_equal(hd_context_new(&ctx, &(hd_context_args){.threads = 1, .isa = isa[threaded]}), HD_OK);
        size_t held = hd_context_memory(ctx).bytes;
        hd_dataset *d = opened(ctx, "{\"source\":\"digits\",\"n\":100,\"n_test\":0}");
        hd_split s;
        hd_normalizer z;
        assert_int_equal(hd_split_make(&s, d, NULL), HD_OK);
        assert_int_equal(s.train_count, 70);
        assert_int_equal(hd_normalizer_fit(&z, d, s.train, s.train_count, "standard"), HD_OK);
        hd_loader_args args = {.indices = s.train,
                               .count = 70,
                               .batch_size = 16,
                               .shuffle = true,
                               .seed = 5,
                               .normalizer = &z,
                               .prefetch = threaded};
        hd_loader *l;
        assert_int_equal(hd_loader_new(&l, d, &args), HD_OK);
        assert_int_equal(hd_loader_steps(l), 5);
        uint64_t calls = hd_context_memory(ctx).calls;
        for (int e = 0; e < 3; e++) {
            int seen[100] = {0};
            int64_t batches;
            assert_int_equal(hd_loader_seek(l, e, 0), HD_OK);
            first[threaded][e] = digest(l, 256, seen, &batches);
            assert_int_equal(batches, 5);
            for (int i = 0; i < 70; i++) assert_int_equal(seen[s.train[i]], 1);
        }
        assert_int_equal(hd_context_memory(ctx).calls, calls);
        /* Going back to the middle of an epoch gives the batch that was there. */
        hd_batch b;
        int64_t at[2][16];
        for (int k = 0; k < 2; k++) {
            assert_int_equal(hd_loader_seek(l, 1, 0), HD_OK);
            for (int i = 0; i < 4 && k == 0; i++) assert_int_equal(hd_loader_next(l, &b), HD_OK);
            if (k == 1) {
                assert_int_equal(hd_loader_seek(l, 1, 3), HD_OK);
                assert_int_equal(hd_loader_next(l, &b), HD_OK);
            }
            memcpy(at[k], b.index, sizeof at[k]);
        }
        assert_memory_equal(at[0], at[1], sizeof at[0]);
        float x[256];
        hd_data_x(d, b.index[2], x);
        hd_normalizer_apply(&z, x, 1, 256);
        assert_memory_equal(x, b.x + 2 * 256, sizeof x); /* predicting sees the bits that training saw */
        assert_int_equal(hd_loader_seek(l, 0, 6), HD_E_USAGE);
        hd_loader_free(l);
        hd_normalizer_free(&z);
        hd_split_free(&s);
        hd_data_free(d);
        assert_int_equal(hd_context_memory(ctx).bytes, held);
        hd_context_free(ctx);
    }
    assert_memory_equal(first[0], first[1], sizeof first[0]);
    assert_true(first[0][0] != first[0][1] && first[0][1] != first[0][2]);
}

static void test_batches_of_numbers(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    float x[5] = {1, 2, 3, 4, 5}, y[10] = {1, 10, 2, 20, 3, 30, 4, 40, 5, 50};
    int64_t order[4] = {4, 0, 2, 3};
    hd_dataset *d;
    assert_int_equal(
        hd_data_from_arrays(
            &d, ctx,
            &(hd_data_arrays){.x = x, .dtype = HD_F32, .sample = HD_DIMS(1), .n = 5, .values = y, .targets = 2}),
        HD_OK);
    hd_loader *l;
    hd_batch b;
    assert_int_equal(hd_loader_new(&l, d, &(hd_loader_args){.indices = order, .count = 4, .batch_size = 3}), HD_OK);
    assert_int_equal(hd_loader_next(l, &b), HD_OK);
    assert_int_equal(b.n, 3);
    assert_null(b.label);
    assert_true(b.x[0] == 5 && b.x[1] == 1 && b.x[2] == 3 && b.value[0] == 5 && b.value[1] == 50 && b.value[4] == 3);
    assert_int_equal(hd_loader_next(l, &b), HD_OK);
    assert_int_equal(b.n, 1);
    assert_int_equal(hd_loader_next(l, &b), HD_OK);
    assert_int_equal(b.n, 0);
    hd_loader_free(l);
    assert_int_equal(
        hd_loader_new(&l, d, &(hd_loader_args){.indices = order, .count = 4, .batch_size = 3, .drop_last = true}),
        HD_OK);
    assert_int_equal(hd_loader_steps(l), 1);
    hd_loader_free(l);
    assert_int_equal(
        hd_loader_new(&l, d, &(hd_loader_args){.indices = order, .count = 4, .batch_size = 5, .drop_last = true}),
        HD_E_USAGE);
    assert_int_equal(hd_loader_new(&l, d, &(hd_loader_args){.indices = order, .count = 4}), HD_E_USAGE);
    order[0] = 5;
    assert_int_equal(hd_loader_new(&l, d, &(hd_loader_args){.indices = order, .count = 4, .batch_size = 4}),
                     HD_E_USAGE);
    hd_data_free(d);
    hd_context_free(ctx);
}

/* Whole numbers are batches of the same numbers as floats are, normalised as those. */
static void test_batches_of_whole_numbers(void **state) {
    (void)state;
    enum { ROWS = 6, SIZE = 4 };
    hd_context *ctx = test_context(1);
    int32_t whole[ROWS * SIZE];
    float real[ROWS * SIZE], got[2][ROWS * SIZE];
    int64_t order[ROWS], label[ROWS];
    for (int i = 0; i < ROWS * SIZE; i++) real[i] = (float)(whole[i] = i * i % 23 - 7);
    for (int i = 0; i < ROWS; i++) order[i] = i, label[i] = i % 2;
    for (int picture = 0; picture < 2; picture++) {
        for (int k = 0; k < 2; k++) {
            hd_data_arrays a = {.x = whole, .dtype = HD_I32, .n = ROWS, .labels = label, .classes = 2};
            if (k) a.x = real, a.dtype = HD_F32;
            a.sample = picture ? HD_DIMS(1, 2, 2) : HD_DIMS(SIZE);
            hd_dataset *d;
            hd_normalizer z;
            hd_loader *l;
            hd_batch b;
            assert_int_equal(hd_data_from_arrays(&d, ctx, &a), HD_OK);
            assert_int_equal(hd_normalizer_fit(&z, d, order, ROWS, "standard"), HD_OK);
            const hd_loader_args args = {.indices = order, .count = ROWS, .batch_size = ROWS, .normalizer = &z};
            assert_int_equal(hd_loader_new(&l, d, &args), HD_OK);
            assert_int_equal(hd_loader_next(l, &b), HD_OK);
            memcpy(got[k], b.x, sizeof got[k]);
            hd_loader_free(l);
            hd_normalizer_free(&z);
            hd_data_free(d);
        }
        assert_memory_equal(got[0], got[1], sizeof got[0]);
        assert_true(got[0][0] < -1 && got[0][0] > -3);
    }
    hd_context_free(ctx);
}

/* What a picture of 3×4 looks like mirrored or not and moved by (dy, dx), black coming in. */
static bool is_moved(const float *got, const float *from, bool mirror, int dy, int dx, float black) {
    for (int y = 0; y < 3; y++)
        for (int x = 0; x < 4; x++) {
            const int r = y + dy, c = x + dx;
            const bool inside = r >= 0 && r < 3 && c >= 0 && c < 4;
            const float wanted = inside ? from[r * 4 + (mirror ? 3 - c : c)] : black;
            if (got[y * 4 + x] != wanted) return false;
        }
    return true;
}

/* Every picture is one of its mirrored and moved forms, every form comes, and the same ones for the same epoch. */
static void test_augmentation(void **state) {
    (void)state;
    enum { PICTURES = 40, SIZE = 12, EPOCHS = 6 };
    hd_context *ctx = test_context(1);
    float x[PICTURES * SIZE], kept[PICTURES * SIZE], mean[1] = {2}, deviation[1] = {0.5f};
    int64_t label[PICTURES], order[PICTURES];
    bool seen[2][3][3] = {{{false}}};
    hd_dataset *d;
    hd_loader *l;
    hd_batch b;
    for (int i = 0; i < PICTURES * SIZE; i++) x[i] = (float)(i + 1) / 1000;
    for (int i = 0; i < PICTURES; i++) label[i] = i % 2, order[i] = i;
    const hd_data_arrays arrays = {
        .x = x, .dtype = HD_F32, .sample = HD_DIMS(1, 3, 4), .n = PICTURES, .labels = label, .classes = 2};
    const hd_normalizer z = {.channels = 1, .each = SIZE, .mean = mean, .std = deviation, .ctx = ctx};
    assert_int_equal(hd_data_from_arrays(&d, ctx, &arrays), HD_OK);
    hd_loader_args args = {.indices = order,
                           .count = PICTURES,
                           .batch_size = PICTURES,
                           .seed = 4,
                           .normalizer = &z,
                           .flip = true,
                           .crop = 1};
    for (int threaded = 0; threaded < 2; threaded++) {
        args.prefetch = threaded;
        assert_int_equal(hd_loader_new(&l, d, &args), HD_OK);
        for (int64_t epoch = 0; epoch < EPOCHS; epoch++) {
            assert_int_equal(hd_loader_seek(l, epoch, 0), HD_OK);
            assert_int_equal(hd_loader_next(l, &b), HD_OK);
            for (int i = 0; i < PICTURES; i++) {
                float from[SIZE];
                int forms = 0;
                for (int k = 0; k < SIZE; k++) from[k] = (x[i * SIZE + k] - 2) * 2;
                for (int k = 0; k < 18; k++) {
                    const bool is = is_moved(b.x + i * SIZE, from, k / 9, k / 3 % 3 - 1, k % 3 - 1, -4);
                    forms += is;
                    seen[k / 9][k / 3 % 3][k % 3] |= is;
                }
                assert_int_equal(forms, 1);
            }
            if (epoch == 1 && !threaded) memcpy(kept, b.x, sizeof kept);
            if (epoch == 1 && threaded) assert_memory_equal(kept, b.x, sizeof kept);
            if (epoch == 2) assert_memory_not_equal(kept, b.x, sizeof kept);
        }
        hd_loader_free(l);
    }
    for (int k = 0; k < 18; k++) assert_true(seen[k / 9][k / 3 % 3][k % 3]);
    args.crop = 3;
    assert_int_equal(hd_loader_new(&l, d, &args), HD_E_USAGE);
    hd_data_free(d);
    assert_int_equal(hd_data_open(&d, ctx, "moons", NULL), HD_OK);
    args = (hd_loader_args){.indices = order, .count = 4, .batch_size = 4, .flip = true};
    assert_int_equal(hd_loader_new(&l, d, &args), HD_E_USAGE);
    assert_non_null(strstr(hd_last_error(ctx), "moons holds no pictures"));
    hd_data_free(d);
    hd_context_free(ctx);
}

static hd_status whole_room(hd_context *ctx, void *source) {
    hd_dataset *d = NULL;
    hd_split s = {.ctx = ctx};
    hd_normalizer z = {.ctx = ctx};
    hd_loader *l = NULL;
    hd_batch b;
    hd_status status = hd_data_open(&d, ctx, source, NULL);
    if (status == HD_OK) status = hd_split_make(&s, d, NULL);
    if (status == HD_OK) status = hd_normalizer_fit(&z, d, s.train, s.train_count, "standard");
    if (status == HD_OK)
        status = hd_loader_new(&l, d,
                               &(hd_loader_args){.indices = s.train,
                                                 .count = s.train_count,
                                                 .batch_size = 8,
                                                 .shuffle = true,
                                                 .normalizer = &z,
                                                 .prefetch = true});
    if (status == HD_OK) status = hd_loader_next(l, &b);
    hd_loader_free(l);
    hd_normalizer_free(&z);
    hd_split_free(&s);
    hd_data_free(d);
    return status;
}

static void test_failing_allocations(void **state) {
    (void)state;
    char digits[] = "{\"source\":\"digits\",\"n\":20,\"n_test\":10}", sine[] = "{\"source\":\"sine\",\"n\":20}";
    assert_true(fail_every_allocation(whole_room, digits) > 10);
    assert_true(fail_every_allocation(whole_room, sine) > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split_stratified),
        cmocka_unit_test(test_split_modes),
        cmocka_unit_test(test_augmentation),
        cmocka_unit_test(test_normalizer),
        cmocka_unit_test(test_epochs),
        cmocka_unit_test(test_batches_of_numbers),
        cmocka_unit_test(test_batches_of_whole_numbers),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
