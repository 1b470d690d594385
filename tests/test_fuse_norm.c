/* Batch normalisation with what follows it, and attention of one projection: the fused graph against the one that was
 * built, which nodes there are, and what keeps a rule from its work. */
#include "net_run.h"

enum { STEPS = 3, BATCH = 6 };

static hd_val conv_norm(hd_val x, const char *conv, const char *norm, int64_t channels) {
    const hd_val h = hd_nn_conv2d(x, .name = conv, .out_channels = channels, .kernel_size = {3, 3}, .padding = {1, 1},
                                  .no_bias = true);
    return hd_nn_batch_norm(h, .name = norm);
}

static hd_val head(hd_val h) {
    return hd_nn_linear(hd_flatten(hd_global_avg_pool(h)), .name = "fc", .out_features = 4);
}

/* Two blocks of a residual network, the first with a norm on its shortcut. */
static hd_val residual(hd_val x) {
    hd_val h = hd_relu(conv_norm(x, "c0", "n0", 16));
    hd_val b = conv_norm(hd_relu(conv_norm(h, "c1", "n1", 32)), "c2", "n2", 32);
    h = hd_relu(hd_add(b, conv_norm(h, "c3", "n3", 32)));
    b = conv_norm(hd_relu(conv_norm(h, "c4", "n4", 32)), "c5", "n5", 32);
    return head(hd_relu(hd_add(h, b)));
}

/* relu6 twice, and a sum that is not clipped. */
static hd_val narrow(hd_val x) {
    hd_val h = conv_norm(hd_relu6(conv_norm(x, "c0", "n0", 16)), "c1", "n1", 24);
    const hd_val b = conv_norm(hd_relu6(conv_norm(h, "c2", "n2", 48)), "c3", "n3", 24);
    return head(hd_add(h, b));
}

/* Norms whose results others read too: nothing may be drawn in. */
static hd_val shared(hd_val x) {
    const hd_val a = conv_norm(x, "c0", "n0", 16), b = conv_norm(x, "c1", "n1", 16);
    return head(hd_mul(hd_relu6(a), hd_add(hd_relu(b), hd_add(a, hd_tanh(b)))));
}

static hd_val rows(hd_val x) {
    return hd_reshape(x, .dims = HD_DIMS(HD_BATCH, 36, 12));
}

/* Attention twice over one projection each; a causal one, and one by the layer. */
static hd_val attentive(hd_val x) {
    hd_val h = hd_nn_linear(rows(x), .name = "qkv", .out_features = 72);
    h = hd_nn_self_attention(.qkv = h, .name = "first", .num_heads = 3, .is_causal = true);
    h = hd_add(h, hd_nn_multi_head_attention(h, .name = "second", .num_heads = 2));
    return hd_nn_linear(hd_flatten(h), .name = "fc", .out_features = 4);
}

/* Of two sources, and one whose rows are read elsewhere before heads are joined: nothing may be packed. */
static hd_val apart(hd_val x) {
    const hd_val h = rows(x);
    const hd_val y = hd_nn_multi_head_attention(h, hd_tanh(h), .name = "cross", .num_heads = 2);
    const hd_val qkv =
        hd_reshape(hd_nn_linear(y, .name = "qkv", .out_features = 36), .dims = HD_DIMS(HD_BATCH, 36, 36));
    hd_val part[3];
    for (int i = 0; i < 3; i++)
        part[i] = hd_transpose(hd_reshape(hd_slice(qkv, .axis = HD_AXIS(2), .start = 12 * i, .stop = 12 * (i + 1)),
                                          .dims = HD_DIMS(HD_BATCH, 36, 2, 6)),
                               .axes = HD_DIMS(0, 2, 1, 3));
    const hd_val z = hd_scaled_dot_product_attention(part[0], part[1], part[2]);
    const hd_val joined = hd_reshape(hd_transpose(z, .axes = HD_DIMS(0, 2, 1, 3)), .dims = HD_DIMS(HD_BATCH, 36, 12));
    return hd_nn_linear(hd_add(hd_flatten(joined), hd_flatten(hd_tanh(z))), .name = "fc", .out_features = 4);
}

typedef struct outcome {
    float *values;
    size_t count;
    char *text;
} outcome;

static outcome run(hd_val (*net)(hd_val x), const char *off, const char *backend, int threads) {
    static float x[BATCH * 3 * 144];
    static int64_t label[BATCH];
    net_data(x, BATCH * 3 * 144, label, BATCH, 4);
    net_run r = {.context = {.threads = threads},
                 .args = {.batch = BATCH, .backend = backend, .passes_off = off},
                 .optimizer = hd_sgd(.lr = 0.05, .momentum = 0.9),
                 .sample = HD_DIMS(3, 12, 12),
                 .net = net};
    net_train(&r, x, label, STEPS);
    outcome o = {0};
    char *text;
    OK(r.ctx, hd_program_explain(r.train, &text));
    o.text = strdup(text);
    hd_memory_free(r.ctx, text);
    for (int i = 0; i < hd_store_count(r.store); i++) {
        const hd_store_info info = hd_store_at(r.store, i);
        const size_t n = (size_t)hd_dims_count(&info.dims);
        if (info.dtype != HD_F32) continue;
        o.values = realloc(o.values, (o.count + n) * sizeof(float));
        OK(r.ctx, hd_store_get(r.store, info.name, o.values + o.count, n * sizeof(float)));
        o.count += n;
    }
    net_close(&r);
    return o;
}

static void drop(outcome *o) {
    free(o->values);
    free(o->text);
}

static double distance(const outcome *a, const outcome *b) {
    double worst = 0;
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) worst = fmax(worst, fabs((double)a->values[i] - (double)b->values[i]));
    return worst;
}

/* Fused against unfused by the definitions, the kernels against both, and bits on two threads. */
static outcome check_net(hd_val (*net)(hd_val x)) {
    outcome plain = run(net, "fuse,chain", "ref", 1), fused = run(net, "chain", "ref", 1);
    outcome fast = run(net, "", "default", 1), more = run(net, "", "default", 2);
    const double a = distance(&plain, &fused), b = distance(&plain, &fast);
    if (!(a < 1e-5) || !(b < 1e-3)) fail_msg("differs by %g (definitions), %g (kernels)", a, b);
    assert_memory_equal(fast.values, more.values, fast.count * sizeof(float));
    drop(&plain), drop(&fast), drop(&more);
    return fused;
}

static int count(const char *text, const char *word) {
    int n = 0;
    for (const char *at = text; (at = strstr(at, word)); at += strlen(word)) n++;
    return n;
}

static void residual_blocks(void **state) {
    (void)state;
    outcome o = check_net(residual);
    assert_int_equal(count(o.text, "batch_norm_act "), 5); /* the shortcut's norm has nothing behind it */
    assert_int_equal(count(o.text, "batch_norm_act_grad "), 3);
    assert_int_equal(count(o.text, "batch_norm_add_grad "), 2);
    assert_int_equal(count(o.text, " relu"), 0);
    assert_int_equal(count(o.text, " add "), 1); /* of the two gradients that reach the first block's input */
    drop(&o);
}

static void narrow_blocks(void **state) {
    (void)state;
    outcome o = check_net(narrow);
    assert_int_equal(count(o.text, "batch_norm_act "), 3);
    assert_int_equal(count(o.text, "batch_norm_act_grad "), 2);
    assert_int_equal(count(o.text, " relu6"), 0);
    assert_int_equal(count(o.text, " band_grad"), 0);
    drop(&o);
}

static void shared_results_stay(void **state) {
    (void)state;
    outcome o = check_net(shared);
    assert_int_equal(count(o.text, "batch_norm_act"), 0);
    drop(&o);
}

static void packed_attention(void **state) {
    (void)state;
    outcome o = check_net(attentive);
    assert_int_equal(count(o.text, "packed_attention "), 2);
    assert_int_equal(count(o.text, "packed_attention_grad "), 2);
    assert_int_equal(count(o.text, " transpose"), 0);
    assert_int_equal(count(o.text, " slice"), 0);
    drop(&o);
}

static void attention_stays(void **state) {
    (void)state;
    outcome o = check_net(apart);
    assert_int_equal(count(o.text, "packed_attention"), 0);
    drop(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(residual_blocks), cmocka_unit_test(narrow_blocks),
                                       cmocka_unit_test(shared_results_stay), cmocka_unit_test(packed_attention),
                                       cmocka_unit_test(attention_stays)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
