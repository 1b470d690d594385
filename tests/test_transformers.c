/* test_transformers.c: known transformers: numbers of parameters as published, names, memory, gradients of small forms,
 * and what does not fit. */
#include "ctx_case.h"

#include "hadal/hadal.h"

static hd_graph *graph;

static int with_graph(void **state) {
    (void)set_up(state);
    return hd_graph_new(&graph, ctx) == HD_OK ? 0 : 1;
}

static int without_graph(void **state) {
    hd_graph_free(graph);
    return tear_down(state);
}

static hd_val build(const char *name, hd_dims sample, int64_t outputs, const char *options) {
    hd_dims x = {.rank = sample.rank + 1, .dim = {HD_BATCH}};
    for (int i = 0; i < sample.rank; i++) x.dim[i + 1] = sample.dim[i];
    return hd_zoo_build(hd_input(graph, "x", HD_F32, x), name, outputs, options);
}

static void has(const char *name, hd_dims dims) {
    char a[192], b[192];
    const hd_dims got = hd_val_dims(hd_graph_find(graph, name));
    if (!hd_dims_equal(&got, &dims)) fail_msg("%s is %s, not %s", name, hd_dims_text(a, &got), hd_dims_text(b, &dims));
}

static void counts(hd_val y, hd_dims dims, int64_t params) {
    char a[192];
    OK(hd_graph_status(graph));
    const hd_dims got = hd_val_dims(y);
    if (!hd_dims_equal(&got, &dims)) fail_msg("it ends in %s", hd_dims_text(a, &got));
    assert_int_equal(hd_graph_param_count(graph), params);
}

/* nanoGPT prints 0.80M without the 8,192 of the positions. */
static void test_gpt_nano(void **state) {
    (void)state;
    counts(build("gpt-nano", HD_DIMS(64), 65, "{}"), HD_DIMS(HD_BATCH, 64, 65), 804096);
    has("transformer.h.3.attn.c_attn.weight", HD_DIMS(384, 128));
    assert_true(hd_val_is_none(hd_graph_find(graph, "transformer.h.0.attn.c_attn.bias")));
    assert_true(hd_val_is_none(hd_graph_find(graph, "lm_head.weight"))); /* is the table of the tokens */
}

static void test_gpt2(void **state) {
    (void)state;
    counts(build("gpt2", HD_DIMS(256), 50257, "{}"), HD_DIMS(HD_BATCH, 256, 50257), 124439808);
    has("transformer.wte.weight", HD_DIMS(50257, 768));
    has("transformer.wpe.weight", HD_DIMS(1024, 768));
    has("transformer.h.0.attn.c_attn.weight", HD_DIMS(768, 2304));
    has("transformer.h.0.attn.c_attn.bias", HD_DIMS(2304));
    has("transformer.h.11.mlp.c_proj.weight", HD_DIMS(3072, 768));
    has("transformer.ln_f.bias", HD_DIMS(768));
}

static void test_gpt2_medium(void **state) {
    (void)state;
    counts(build("gpt2", HD_DIMS(8), 50257, "{\"size\": \"355M\"}"), HD_DIMS(HD_BATCH, 8, 50257), 354823168);
}

/* A step of training at one sample of 256 tokens, with AdamW's state: planned, not allocated. */
static void test_gpt2_trains_in_four_gigabytes(void **state) {
    (void)state;
    const hd_val y = hd_zoo_build(hd_input(graph, "x", HD_F32, HD_DIMS(1, 256)), "gpt2", 50257, "{}");
    const hd_val rows = hd_reshape(y, .dims = HD_DIMS(256, 50257));
    const hd_val label = hd_input(graph, "label", HD_I64, HD_DIMS(256));
    hd_program *p;
    OK(hd_compile_with(&p, hd_train_step(hd_cross_entropy(rows, label), hd_adamw()),
                       &(hd_compile_args){.backend = "null"}));
    const size_t total = hd_program_memory(p).total;
    print_message("gpt2 trains in %.2f GB\n", (double)total / 1e9);
    assert_true(total < (size_t)4000000000);
    assert_true(total > (size_t)1990000000); /* weights, gradients and two moments are there */
    hd_program_free(p);
}

static void test_vit_tiny(void **state) {
    (void)state;
    counts(build("vit-tiny", HD_DIMS(3, 224, 224), 1000, "{}"), HD_DIMS(HD_BATCH, 1000), 5717416);
    has("pos_embed", HD_DIMS(1, 197, 192));
    has("blocks.11.attn.qkv.weight", HD_DIMS(576, 192));
    has("patch_embed.proj.weight", HD_DIMS(192, 3, 16, 16));
}

/* 4,385,920 as the encoder with its pooler, and a classifier of 2 · 129. */
static void test_bert_tiny(void **state) {
    (void)state;
    counts(build("bert-tiny", HD_DIMS(128), 2, "{}"), HD_DIMS(HD_BATCH, 2), 4385920 + 258);
    has("bert.embeddings.word_embeddings.weight", HD_DIMS(30522, 128));
    has("bert.encoder.layer.1.attention.self.query.weight", HD_DIMS(128, 128));
    has("bert.encoder.layer.0.attention.output.LayerNorm.bias", HD_DIMS(128));
    has("bert.pooler.dense.bias", HD_DIMS(128));
}

static void is_refused(hd_val y, const char *message) {
    assert_true(hd_val_is_none(y));
    assert_int_equal(hd_graph_status(graph), HD_E_MODEL);
    if (!strstr(hd_last_error(ctx), message)) fail_msg("message \"%s\" lacks \"%s\"", hd_last_error(ctx), message);
}

static void test_too_long(void **state) {
    (void)state;
    is_refused(build("gpt-nano", HD_DIMS(128), 65, "{}"),
               "\"transformer.wpe\": expects at most 64 positions, its input has 128");
}

static void test_no_tokens(void **state) {
    (void)state;
    is_refused(build("gpt2", HD_DIMS(3, 32, 32), 10, "{}"), "expects sequences of tokens");
}

/* More blocks than any network has would be built for minutes before memory refuses them. */
static void test_too_deep(void **state) {
    (void)state;
    is_refused(build("gpt-nano", HD_DIMS(64), 65, "{\"n_layer\": 1000000}"), "n_layer must be 0 … 256");
}

static void test_too_deep_for_pictures(void **state) {
    (void)state;
    is_refused(build("vit-tiny", HD_DIMS(3, 32, 32), 10, "{\"depth\": 1000000}"), "depth must be 1 … 256");
}

static void gradients_are_right(hd_val loss) {
    hd_gradcheck check;
    OK(hd_graph_status(graph));
    OK(hd_gradcheck_run(&check, loss, &(hd_gradcheck_args){.classes = 5}));
    for (int32_t i = 0; i < check.count && !check.ok; i++)
        if (!check.tensor[i].ok)
            fail_msg("%s: backward %g, difference %g", check.tensor[i].name, check.tensor[i].backward,
                     check.tensor[i].difference);
    assert_true(check.ok);
    hd_gradcheck_free(&check);
}

static void test_gradients_of_gpt(void **state) {
    (void)state;
    const hd_val x = hd_input(graph, "x", HD_I64, HD_DIMS(2, 6)), label = hd_input(graph, "label", HD_I64, HD_DIMS(12));
    const hd_val y = hd_zoo_build(x, "gpt2", 5, "{\"n_layer\": 2, \"n_head\": 2, \"n_embd\": 8, \"dropout\": 0}");
    gradients_are_right(hd_cross_entropy(hd_reshape(y, .dims = HD_DIMS(12, 5)), label));
}

static void test_gradients_of_bert(void **state) {
    (void)state;
    const hd_val x = hd_input(graph, "x", HD_I64, HD_DIMS(HD_BATCH, 6)),
                 label = hd_input(graph, "label", HD_I64, HD_DIMS(HD_BATCH));
    const hd_val y = hd_zoo_build(x, "bert-tiny", 5, "{\"vocab\": 5, \"hidden_size\": 8, \"dropout\": 0}");
    gradients_are_right(hd_cross_entropy(y, label));
}

static void test_gradients_of_vit(void **state) {
    (void)state;
    const hd_val x = hd_input(graph, "x", HD_F32, HD_DIMS(HD_BATCH, 1, 8, 8)),
                 label = hd_input(graph, "label", HD_I64, HD_DIMS(HD_BATCH));
    const hd_val y = hd_zoo_build(x, "vit-tiny", 5, "{\"patch\": 4, \"embed_dim\": 6, \"depth\": 2, \"num_heads\": 2}");
    gradients_are_right(hd_cross_entropy(y, label));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_gpt_nano, with_graph, without_graph),
        cmocka_unit_test_setup_teardown(test_gpt2, with_graph, without_graph),
        cmocka_unit_test_setup_teardown(test_gpt2_medium, with_graph, without_graph),
        cmocka_unit_test_setup_teardown(test_gpt2_trains_in_four_gigabytes, with_graph, without_graph),
        cmocka_unit_test_setup_teardown(test_vit_tiny, with_graph, without_graph),
        cmocka_unit_test_setup_teardown(test_bert_tiny, with_graph, without_graph),
        cmocka_unit_test_setup_teardown(test_too_long, with_graph, without_graph),
        cmocka_unit_test_setup_teardown(test_no_tokens, with_graph, without_graph),
        cmocka_unit_test_setup_teardown(test_too_deep, with_graph, without_graph),
        cmocka_unit_test_setup_teardown(test_too_deep_for_pictures, with_graph, without_graph),
        cmocka_unit_test_setup_teardown(test_gradients_of_gpt, with_graph, without_graph),
        cmocka_unit_test_setup_teardown(test_gradients_of_bert, with_graph, without_graph),
        cmocka_unit_test_setup_teardown(test_gradients_of_vit, with_graph, without_graph),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
