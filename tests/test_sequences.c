/* test_sequences.c: text becomes windows with the token that follows as label, whatever its characters; windows move,
 * streams go on, padding does not count, and a run on sequences gives the loss that its definition says. */
#include "data_support.h"

#include "base/alloc.h"
#include "hadal/train.h"
#include <math.h>

static hd_dataset *opened(const char *options, const char *path) {
    char source[4600];
    hd_dataset *d = NULL;
    (void)snprintf(source, sizeof source, "{\"path\":\"%s\"%s}", path, options);
    if (hd_data_open(&d, ctx, source, NULL) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    return d;
}

static void refused(const char *options, const char *path, const char *message) {
    char source[4600];
    hd_dataset *d = NULL;
    (void)snprintf(source, sizeof source, "{\"path\":\"%s\"%s}", path, options);
    assert_int_equal(hd_data_open(&d, ctx, source, NULL), HD_E_DATA);
    if (!strstr(hd_last_error(ctx), message)) fail_msg("\"%s\" lacks \"%s\"", hd_last_error(ctx), message);
}

/* ---- text ---- */

static void expect_window(const hd_dataset *d, int64_t index, const char *text) {
    const hd_data_info info = hd_data_get_info(d);
    float x[16];
    int64_t label[16];
    char got[128] = "";
    assert_true(info.positions <= 16);
    hd_data_x(d, index, x);
    hd_data_labels(d, index, label);
    (void)snprintf(got, sizeof got, "%s", info.class_names[(int)x[0]]);
    for (int64_t p = 0; p < info.positions; p++) {
        if (p) assert_int_equal((int64_t)x[p], label[p - 1]);
        (void)strncat(got, info.class_names[label[p]], sizeof got - strlen(got) - 1);
    }
    assert_string_equal(got, text);
}

static void test_characters(void **state) {
    (void)state;
    static const char text[] = "to be, or not to be:\nthat is the question";
    const char *path = save_file("a.txt", text, sizeof text - 1);
    hd_dataset *d = opened(",\"length\":8", path);
    const hd_data_info info = hd_data_get_info(d);
    assert_string_equal(info.kind, "text");
    assert_true(info.stored == HD_U8 && info.as_is && info.ordered && info.positions == 8 && info.overlap == 0);
    assert_int_equal(info.count, 5);
    assert_int_equal(info.bytes, 0); /* it lies in the file */
    assert_string_equal(info.class_names[0], "\n");
    assert_string_equal(info.class_names[1], " ");
    expect_window(d, 0, "to be, or");
    expect_window(d, 1, "r not to ");
    expect_window(d, 4, " question");
    hd_data_free(d);
    d = opened(",\"length\":8,\"stride\":3", path);
    assert_int_equal(hd_data_get_info(d).count, 11);
    assert_int_equal(hd_data_get_info(d).overlap, 2);
    expect_window(d, 1, "be, or no");
    hd_data_free(d);
    refused(",\"length\":41", path, "has 41 tokens");
    refused(",\"unit\":\"word\"", path, "char byte");
}

/* Two bytes a character, a mark at the begin, and a byte that is no text. */
static void test_many_bytes(void **state) {
    (void)state;
    static const char text[] = "\xef\xbb\xbfgr\xc3\xbc\xc3\x9f"
                               "e\xff\xe2\x82\xac.";
    const char *path = save_file("b.txt", text, sizeof text - 1);
    hd_dataset *d = opened(",\"length\":4", path);
    assert_int_equal(hd_data_get_info(d).classes, 8);
    expect_window(d, 0,
                  "gr\xc3\xbc\xc3\x9f"
                  "e");
    hd_data_free(d);
    d = opened(",\"length\":7", path);
    expect_window(d, 0,
                  "gr\xc3\xbc\xc3\x9f"
                  "e\\xff\xe2\x82\xac.");
    hd_data_free(d);
    d = opened(",\"length\":4,\"unit\":\"byte\"", path);
    assert_int_equal(hd_data_get_info(d).classes, 256);
    assert_string_equal(hd_data_get_info(d).class_names[0], "\\x00");
    expect_window(d, 0, "\\xef\\xbb\\xbfgr");
    hd_data_free(d);
}

/* More than 256 characters: four bytes a token. */
static void test_many_characters(void **state) {
    (void)state;
    char text[3 * 400];
    for (int i = 0; i < 400; i++) { /* U+4E00 on */
        const int code = 0x4e00 + i * 7 % 400;
        text[3 * i] = (char)(0xe0 | code >> 12);
        text[3 * i + 1] = (char)(0x80 | (code >> 6 & 0x3f));
        text[3 * i + 2] = (char)(0x80 | (code & 0x3f));
    }
    hd_dataset *d = opened(",\"length\":10", save_file("c.txt", text, sizeof text));
    const hd_data_info info = hd_data_get_info(d);
    assert_true(info.stored == HD_I32 && info.classes == 400 && info.count == 39);
    assert_int_equal(info.bytes, 4 * 400);
    float x[10];
    int64_t label[10];
    hd_data_x(d, 38, x);
    hd_data_labels(d, 38, label);
    for (int i = 0; i < 10; i++) assert_true((int)x[i] == (380 + i) * 7 % 400 && label[i] == (381 + i) * 7 % 400);
    hd_data_free(d);
}

/* A model's characters are those of its text: others are refused, the same ones keep their numbers. */
static void test_known_characters(void **state) {
    (void)state;
    const char *path = save_file("d.txt", "abacus\n", 7);
    hd_dataset *d = opened(",\"length\":3,\"names\":[\"s\",\"u\",\"c\",\"b\",\"a\",\"\\n\",\"\\\\x80\"]", path);
    float x[3];
    hd_data_x(d, 0, x);
    assert_true(hd_data_get_info(d).classes == 7 && x[0] == 4 && x[1] == 3 && x[2] == 4);
    hd_data_free(d);
    refused(",\"length\":3,\"names\":[\"a\",\"b\"]", path, "does not know the character \"c\", at byte 3");
    refused(",\"length\":3,\"names\":[\"a\",\"a\"]", path, "\"a\" is no character");
    refused(",\"length\":3,\"names\":[\"cat\",\"a\"]", path, "\"cat\" is no character");
}

static void test_folder_and_form(void **state) {
    (void)state;
    (void)save_file("2.txt", "second", 6);
    (void)save_file("1.txt", "first and ", 10);
    (void)save_file("notes.md", "no", 2);
    hd_dataset *d = opened(",\"length\":12", folder);
    assert_int_equal(hd_data_get_info(d).count, 1);
    expect_window(d, 0, "first and sec");
    hd_data_free(d);
    d = opened("", save_file("table.txt", "1 2 0\n3 4 1\n5 6 0\n7 8 1\n", 24)); /* numbers are a table still */
    assert_string_equal(hd_data_get_info(d).kind, "table");
    hd_data_free(d);
    d = opened("", save_file("cells.txt", "red,4,yes\nblue,5,no\nred,6,no\nblue,4,yes\n", 40));
    assert_string_equal(hd_data_get_info(d).kind, "table");
    hd_data_free(d);
}

/* Packed or not: what the file holds says so, not its name. */
static void test_packed(void **state) {
    (void)state;
    static const char packed[] = "\037\213\010\000\000\000\000\000\000\003\113\313\054\052\056\121\110\314\113\121\050"
                                 "\116\115\316\317\113\001\000\053\275\215\051\020\000\000\000";
    const char *const names[] = {"a.txt.gz", "b.txt"};
    hd_dataset *d = opened(",\"length\":12,\"format\":\"text\"", save_file("c.txt.gz", "first and second", 16));
    expect_window(d, 0, "first and sec");
    hd_data_free(d);
    if (!test_zlib()) skip();
    for (int k = 0; k < 2; k++) {
        d = opened(",\"length\":12,\"format\":\"text\"", save_file(names[k], packed, sizeof packed - 1));
        expect_window(d, 0, "first and sec");
        hd_data_free(d);
    }
    assert_int_equal(remove(in_folder("b.txt")) + remove(in_folder("c.txt.gz")), 0);
    d = opened(",\"length\":12", folder); /* a folder of packed text is one of text */
    expect_window(d, 0, "first and sec");
    hd_data_free(d);
}

/* The plays as they are passed on, by name and by path. */
static void test_shakespeare(void **state) {
    (void)state;
    char here[4096], target[8300], link[4300];
    const char *path = test_data("data/text-tinyshakespeare");
    if (!path) skip();
    assert_non_null(getcwd(here, sizeof here));
    (void)snprintf(target, sizeof target, "%s%s%s", *path == '/' ? "" : here, *path == '/' ? "" : "/", path);
    (void)snprintf(link, sizeof link, "%s/tinyshakespeare", folder);
    assert_int_equal(symlink(target, link), 0);
    const char *const sources[] = {"tinyshakespeare", path, "{\"source\": \"tinyshakespeare\", \"length\": 64}"};
    for (int k = 0; k < 3; k++) {
        hd_dataset *d;
        if (hd_data_open(&d, ctx, sources[k], folder) != HD_OK) fail_msg("%s", hd_last_error(ctx));
        const hd_data_info info = hd_data_get_info(d);
        assert_true(info.classes == 65 && info.bytes == 0 && info.count == (k < 2 ? 8714 : 17428));
        hd_data_free(d);
    }
}

/* ---- parts, batches ---- */

static char letters[1001];
static hd_dataset *alphabet(const char *options) {
    for (int i = 0; i < 1000; i++) letters[i] = (char)('a' + i * i % 26);
    return opened(options, save_file("letters.txt", letters, 1000));
}

/* The end of the text is held out, and nothing of it is trained on. */
static void test_parts(void **state) {
    (void)state;
    hd_dataset *d = alphabet(",\"length\":10,\"stride\":4");
    hd_split s;
    assert_int_equal(hd_split_make(&s, d, &(hd_split_args){.val = 0.1, .test = 0.2}), HD_OK);
    assert_int_equal(hd_data_get_info(d).count, 248);
    assert_int_equal(s.test[0], 198);
    assert_int_equal(s.val[s.val_count - 1], 195); /* 196 and 197 reach into the test part */
    assert_int_equal(s.val[0], 173);
    assert_int_equal(s.train[s.train_count - 1], 170);
    hd_split_free(&s);
    assert_int_equal(hd_split_make(&s, d, &(hd_split_args){.mode = "stratified"}), HD_E_USAGE);
    hd_data_free(d);
}

/* All windows move by one distance, the same for the same seed and epoch, another one in other epochs. */
static void test_shift(void **state) {
    (void)state;
    hd_dataset *d = alphabet(",\"length\":10");
    int64_t index[50], moved[8];
    for (int i = 0; i < 50; i++) index[i] = i;
    hd_loader *l;
    hd_batch b;
    const hd_loader_args args = {.indices = index, .count = 50, .batch_size = 50, .shift = true, .seed = 3};
    assert_int_equal(hd_loader_new(&l, d, &args), HD_OK);
    const char *const *names = hd_data_get_info(d).class_names;
    for (int64_t epoch = 0; epoch < 16; epoch++) {
        assert_int_equal(hd_loader_seek(l, epoch % 8, 0), HD_OK);
        assert_int_equal(hd_loader_next(l, &b), HD_OK);
        int64_t by = -1;
        for (int64_t k = 0; k < 10 && by < 0; k++) {
            bool all = true;
            for (int64_t i = 0; i < 49 * 10 && all; i++)
                all = names[(int)b.x[i]][0] == letters[i + k] && names[b.label[i]][0] == letters[i + k + 1];
            if (all) by = k;
        }
        assert_true(by >= 0);
        assert_int_equal(names[(int)b.x[490]][0], letters[490]); /* the last one stays in its part */
        if (epoch < 8) moved[epoch] = by;
        assert_int_equal(by, moved[epoch % 8]);
    }
    bool differ = false;
    for (int i = 1; i < 8; i++) differ |= moved[i] != moved[0];
    assert_true(differ);
    hd_loader_free(l);
    index[20] = 60; /* not one run of the text: nothing may move into what lies between */
    assert_int_equal(hd_loader_new(&l, d, &args), HD_OK);
    assert_int_equal(hd_loader_seek(l, 1, 0), HD_OK);
    assert_int_equal(hd_loader_next(l, &b), HD_OK);
    for (int i = 0; i < 10; i++) assert_int_equal(names[(int)b.x[i]][0], letters[i]);
    hd_loader_free(l);
    hd_data_free(d);
}

static void test_streams(void **state) {
    (void)state;
    hd_dataset *d = alphabet(",\"length\":10");
    int64_t index[50];
    for (int i = 0; i < 50; i++) index[i] = i;
    hd_loader *l;
    hd_batch b;
    hd_loader_args args = {.indices = index, .count = 50, .batch_size = 4, .streams = true, .prefetch = true};
    assert_int_equal(hd_loader_new(&l, d, &args), HD_OK);
    assert_int_equal(hd_loader_steps(l), 12);
    for (int64_t s = 0; s < 12; s++) {
        assert_int_equal(hd_loader_next(l, &b), HD_OK);
        assert_int_equal(b.n, 4);
        for (int64_t lane = 0; lane < 4; lane++) assert_int_equal(b.index[lane], lane * 12 + s);
    }
    assert_int_equal(hd_loader_next(l, &b), HD_OK);
    assert_int_equal(b.n, 0);
    hd_loader_free(l);
    args.shuffle = true;
    assert_int_equal(hd_loader_new(&l, d, &args), HD_E_USAGE);
    hd_data_free(d);
}

/* ---- training ---- */

enum { N = 24, T = 5, C = 3, NOTES = 4 };

typedef struct given {
    float x[N * T];
    int64_t label[N * T];
    float value[N * T * NOTES];
} given;

/* Sequences of 3, 4 or 5 tokens, padding behind. The label of a token is the next number. */
static given fill(void) {
    given g;
    for (int i = 0; i < N * T; i++) {
        const bool there = i % T < 3 + i / T % 3;
        const int token = there ? i * i % C : 0;
        g.x[i] = (float)token;
        g.label[i] = there ? (token + 1) % C : -1;
        for (int k = 0; k < NOTES; k++) g.value[i * NOTES + k] = there ? (float)((token + k) % 2) : -1;
    }
    return g;
}

static hd_dataset *arrays(const given *g, bool values) {
    hd_dataset *d;
    const hd_data_arrays a = {.x = g->x,
                              .dtype = HD_F32,
                              .sample = HD_DIMS(T),
                              .n = N,
                              .positions = T,
                              .labels = values ? NULL : g->label,
                              .classes = values ? 0 : C,
                              .values = values ? g->value : NULL,
                              .targets = NOTES};
    if (hd_data_from_arrays(&d, ctx, &a) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    return d;
}

/* The loss of all samples by its definition: what counts, each as often as it is there. */
static double loss_of(hd_model *m, const given *g, int64_t *counted, int64_t *right) {
    float y[N * T * NOTES];
    double sum = 0;
    *counted = *right = 0;
    assert_int_equal(hd_model_predict(m, g->x, N, y), HD_OK);
    for (int i = 0; i < N * T; i++) {
        if (g->label[i] < 0) continue;
        const float *p = y + i * C;
        int best = 0;
        for (int k = 1; k < C; k++)
            if (p[k] > p[best]) best = k;
        sum -= log((double)p[g->label[i]]);
        *right += best == g->label[i];
        ++*counted;
    }
    return sum / (double)*counted;
}

static hd_trainer *trained(hd_dataset *d, const char *text, const char *out, hd_result *r) {
    hd_recipe *recipe;
    hd_trainer *t;
    if (hd_recipe_parse(&recipe, ctx, "recipe", text) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    const hd_trainer_args args = {.recipe = recipe, .data = d, .out = out};
    if (hd_trainer_new(&t, ctx, &args) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    if (hd_trainer_run(t, r) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    hd_recipe_free(recipe);
    return t;
}

#define NET(outputs)                                                                                                   \
    "\"model\":[{\"embedding\":{\"num_embeddings\":3,\"embedding_dim\":8}},{\"linear\":{\"out_features\":" outputs "}" \
    "}"                                                                                                                \
    "]"

static void test_training(void **state) {
    (void)state;
    const given g = fill();
    hd_dataset *d = arrays(&g, false);
    int64_t all[N], counted, right;
    hd_scores s;
    hd_result r;
    int64_t confusion[C * C];
    for (int i = 0; i < N; i++) all[i] = i;
    hd_trainer *t = trained(d,
                            "{" NET("3") ",\"data\":{\"test\":0,\"val\":0.25},\"train\":{\"steps\":60,\"batch_size\":8,"
                                         "\"optimizer\":{\"lr\":0.05}}}",
                            in_folder("run"), &r);
    assert_int_equal(r.steps, 60);
    assert_int_equal(r.stop, HD_STOP_STEPS);
    assert_true(r.train.loss < 0.2 && hd_scores_find(&r.train, "accuracy")->value == 1);
    assert_true(isnan(r.linear) && r.scores == NULL);
    assert_int_equal(hd_model_eval(hd_trainer_model(t), d, all, N, &s, confusion, NULL), HD_OK);
    const double loss = loss_of(hd_trainer_model(t), &g, &counted, &right);
    assert_int_equal(s.n, counted);
    assert_int_equal(counted, N * 4); /* 3, 4 and 5 */
    assert_true(fabs(s.loss - loss) < 1e-5);
    assert_true(hd_scores_find(&s, "accuracy")->value == (double)right / (double)counted);
    assert_true(fabs(hd_scores_find(&s, "perplexity")->value - exp(loss)) < 1e-4);
    assert_true(fabs(hd_scores_find(&s, "bits")->value - loss / log(2)) < 1e-5);
    int64_t cells = 0;
    for (int i = 0; i < C * C; i++) cells += confusion[i];
    assert_int_equal(cells, counted);
    hd_trainer_free(t);
    hd_model *m; /* what is saved says the same */
    hd_scores again;
    if (hd_model_open(&m, ctx, in_folder("run")) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    hd_model_info info;
    assert_int_equal(hd_model_get_info(m, &info), HD_OK);
    assert_int_equal(info.positions, T);
    assert_int_equal(hd_model_eval(m, d, all, N, &again, NULL, NULL), HD_OK);
    assert_memory_equal(&again, &s, sizeof s);
    hd_model_free(m);
    hd_data_free(d);
}

/* A step's loss is the mean over what counts in the batch: with one batch an epoch it is the loss before the step. */
static void test_step_loss(void **state) {
    (void)state;
    const given g = fill();
    hd_dataset *d = arrays(&g, false);
    hd_recipe *recipe;
    hd_model *m;
    int64_t counted, right;
    hd_result r;
    const char *text = "{" NET(
        "3") ",\"data\":{\"test\":0,\"val\":0},\"train\":{\"epochs\":1,\"batch_size\":24,\"optimizer\":{\"lr\":0}}}";
    hd_trainer *t = trained(d, text, "", &r);
    assert_int_equal(hd_recipe_parse(&recipe, ctx, "recipe", text), HD_OK);
    m = hd_trainer_model(t);
    const double loss = loss_of(m, &g, &counted, &right);
    assert_true(fabs(r.train.loss - loss) < 1e-5 && r.train.n == counted);
    hd_trainer_free(t);
    hd_recipe_free(recipe);
    hd_data_free(d);
}

/* Rows of notes: the sum over the notes, the mean over the rows that are no padding. */
static void test_rows(void **state) {
    (void)state;
    const given g = fill();
    hd_dataset *d = arrays(&g, true);
    hd_result r;
    hd_scores s;
    int64_t all[N];
    float y[N * T * NOTES];
    double sum = 0, rows = 0;
    for (int i = 0; i < N; i++) all[i] = i;
    hd_trainer *t = trained(d,
                            "{" NET("4") ",\"data\":{\"test\":0,\"val\":0},\"train\":{\"loss\":\"bce_with_logits\","
                                         "\"epochs\":1,\"batch_size\":24,\"optimizer\":{\"lr\":0}}}",
                            "", &r);
    assert_int_equal(hd_model_predict(hd_trainer_model(t), g.x, N, y), HD_OK);
    for (int i = 0; i < N * T; i++) {
        if (g.value[i * NOTES] < 0) continue;
        rows++;
        for (int k = 0; k < NOTES; k++) {
            const double p = (double)y[i * NOTES + k];
            sum -= g.value[i * NOTES + k] > 0 ? log(p) : log(1 - p);
        }
    }
    assert_true(fabs(r.train.loss - sum / rows) < 1e-4 && r.train.n == (int64_t)rows);
    assert_int_equal(hd_model_eval(hd_trainer_model(t), d, all, N, &s, NULL, NULL), HD_OK);
    assert_true(fabs(s.loss - sum / rows) < 1e-4 && s.n == (int64_t)rows);
    hd_trainer_free(t);
    hd_data_free(d);
}

static void untrainable(hd_dataset *d, const char *text, const char *message) {
    hd_recipe *recipe;
    hd_trainer *t;
    assert_int_equal(hd_recipe_parse(&recipe, ctx, "recipe", text), HD_OK);
    assert_int_equal(hd_trainer_new(&t, ctx, &(hd_trainer_args){.recipe = recipe, .data = d, .out = ""}), HD_E_MODEL);
    if (!strstr(hd_last_error(ctx), message)) fail_msg("\"%s\" lacks \"%s\"", hd_last_error(ctx), message);
    hd_recipe_free(recipe);
}

static void test_refused(void **state) {
    (void)state;
    given g = fill();
    hd_dataset *d = arrays(&g, false);
    untrainable(d, "{" NET("3") ",\"train\":{\"loss\":\"multi_margin\"}}", "multi_margin is none of positions");
    untrainable(d, "{\"model\":[\"flatten\",{\"linear\":{\"out_features\":3}}]}", "expected [B,5,outputs]");
    untrainable(d, "{" NET("4") "}", "the network has 4 outputs, the data have 3 classes");
    hd_data_free(d);
    g.label[7] = 3;
    const hd_data_arrays a = {
        .x = g.x, .dtype = HD_F32, .sample = HD_DIMS(T), .n = N, .positions = T, .labels = g.label, .classes = C};
    assert_int_equal(hd_data_from_arrays(&d, ctx, &a), HD_E_DATA);
    assert_non_null(strstr(hd_last_error(ctx), "sample 1 has label 3 at position 2"));
}

static void test_no_memory(void **state) {
    (void)state;
    char source[4600];
    (void)snprintf(source, sizeof source, "{\"path\":\"%s\",\"length\":3}",
                   save_file("e.txt",
                             "gr\xc3\xbc\xc3\x9f"
                             "e",
                             8));
    assert_true(fail_every_allocation(open_and_close, source) > 8);
    (void)snprintf(source, sizeof source, "{\"path\":\"%s\",\"length\":3}", folder);
    assert_true(fail_every_allocation(open_and_close, source) > 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DATA_TEST(test_shakespeare),
        DATA_TEST(test_characters),
        DATA_TEST(test_many_bytes),
        DATA_TEST(test_many_characters),
        DATA_TEST(test_known_characters),
        DATA_TEST(test_folder_and_form),
        DATA_TEST(test_packed),
        DATA_TEST(test_parts),
        DATA_TEST(test_shift),
        DATA_TEST(test_streams),
        DATA_TEST(test_training),
        DATA_TEST(test_step_loss),
        DATA_TEST(test_rows),
        DATA_TEST(test_refused),
        DATA_TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
