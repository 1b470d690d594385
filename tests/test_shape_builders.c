/* test_shape_builders.c: builders made of other ops: their results on small numbers, their gradients where they are
 * more than a move, their refusals. */
#include "build_case.h"

static void test_axes(void **state) {
    (void)state;
    RESULT("[1,2]", "1 2", hd_unsqueeze(a), HD_DIMS(2));
    RESULT("[2,1]", "1 2", hd_unsqueeze(a, .axis = -1), HD_DIMS(2));
    RESULT("[2]", "1 2", hd_squeeze(a), HD_DIMS(1, 2, 1));
    RESULT("[1,2]", "1 2", hd_squeeze(a, .axes = HD_DIMS(-1, 1)), HD_DIMS(1, 2, 1));
    RESULT("[2]", "3 6", hd_select(a, .axis = -1, .index = -1), HD_DIMS(2, 3));
    RESULT("[3]", "4 5 6", hd_select(a, .index = 1), HD_DIMS(2, 3));
    RESULT("[3,1,2]", "1 4 2 5 3 6", hd_movedim(a, .source = HD_DIMS(0), .destination = HD_DIMS(-1)), HD_DIMS(2, 3, 1));
    RESULT("[2,2]", "2 4 1 3", hd_rot90(a), HD_DIMS(2, 2));
    RESULT("[2,2]", "4 3 2 1", hd_rot90(a, .k = -2), HD_DIMS(2, 2));
    RESULT("[2,2]", "3 1 4 2", hd_rot90(a, .k = 3, .axes = HD_DIMS(0, -1)), HD_DIMS(2, 2));
    REFUSED("does not have the axis", hd_unsqueeze(a, .axis = HD_AXIS(3)), HD_DIMS(2));
    REFUSED("has no element 2", hd_select(a, .index = 2), HD_DIMS(2, 3));
    REFUSED("named twice", hd_movedim(a, .source = HD_DIMS(0, 0), .destination = HD_DIMS(0, 1)), HD_DIMS(2, 3));
    REFUSED("two different axes", hd_rot90(a, .axes = HD_DIMS(1, -1)), HD_DIMS(2, 3));
}

static hd_val nth_part(hd_val x, const int64_t *sizes, int64_t n, int which) {
    hd_val out[8];
    assert_int_equal(hd_split_parts(x, out, n, sizes), n);
    return out[which];
}
static hd_val nth_chunk(hd_val x, int64_t n, int64_t parts, int which) {
    hd_val out[8];
    assert_int_equal(hd_chunk(x, out, n, .axis = -1), parts);
    return out[which];
}
static hd_val nth_unbound(hd_val x, int64_t n, int which) {
    hd_val out[8];
    return hd_unbind(x, out, n, .axis = HD_AXIS(1)) == n ? out[which] : x;
}

static void test_parts(void **state) {
    (void)state;
    RESULT("[2]", "2 3", nth_part(a, (int64_t[]){1, 2, 0}, 3, 1), HD_DIMS(3));
    RESULT("[0]", "", nth_part(a, (int64_t[]){1, 2, 0}, 3, 2), HD_DIMS(3));
    RESULT("[2]", "3 4", nth_part(a, NULL, 2, 1), HD_DIMS(4));
    RESULT("[1,1]", "5", nth_chunk(a, 3, 3, 2), HD_DIMS(1, 5));
    RESULT("[1,2]", "3 4", nth_chunk(a, 3, 2, 1), HD_DIMS(1, 4));
    RESULT("[2]", "2 5", nth_unbound(a, 3, 1), HD_DIMS(2, 3));
    RESULT("[2,2]", "1 2 1 2", hd_stack((hd_val[]){a, b}, 2), HD_DIMS(2), HD_DIMS(2));
    RESULT("[2,2]", "1 1 2 2", hd_stack((hd_val[]){a, b}, 2, .axis = -1), HD_DIMS(2), HD_DIMS(2));
    RESULT("[4]", "1 1 2 2", hd_repeat_interleave(a, 2), HD_DIMS(2));
    RESULT("[2,4]", "1 1 2 2 3 3 4 4", hd_repeat_interleave(a, 2, .axis = -1), HD_DIMS(2, 2));
    RESULT("[1,4]", "1 2 1 2", hd_tile(a, .repeats = HD_DIMS(2)), HD_DIMS(1, 2));
    RESULT("[2,2]", "1 2 1 2", hd_tile(a, .repeats = HD_DIMS(2, 1)), HD_DIMS(2));
    REFUSED("must add up to the 3", hd_split_parts(a, (hd_val[2]){{0}}, 2, (int64_t[]){1, 1}), HD_DIMS(3));
    REFUSED("must add up to the 3", hd_split_parts(a, (hd_val[2]){{0}}, 2), HD_DIMS(3));
    REFUSED("there is room for 2", nth_unbound(a, 2, 0), HD_DIMS(2, 3));
    REFUSED("value 2 is", hd_stack((hd_val[]){a, b}, 2), HD_DIMS(2), HD_DIMS(3));
}

/* More values than fit into one join. */
static void test_long_stack(void **state) {
    (void)state;
    hd_val many[150];
    bench t = open_bench();
    const hd_val a = input(&t, HD_DIMS(1));
    for (int i = 0; i < 150; i++) many[i] = hd_affine(a, .shift = i);
    const hd_val last = hd_slice(hd_stack(many, 150), .axis = HD_AXIS(0), .start = 147);
    expect(&t, last, "[3,1]", "148 149 150");
}

static void test_products(void **state) {
    (void)state;
    RESULT("[2,2]", "1 2 2 4", hd_outer(a, b), HD_DIMS(2), HD_DIMS(2));
    RESULT("[]", "14", hd_dot(a, b), HD_DIMS(3), HD_DIMS(3));
    RESULT("[2,2]", "1 0 0 2", hd_diag(a), HD_DIMS(2));
    RESULT("[1]", "2", hd_diag(a, .offset = 1), HD_DIMS(2, 2));
    RESULT("[1,2,4]", "1 2 5 6 3 4 7 8", hd_pixel_shuffle(hd_transpose(a, .axes = HD_DIMS(2, 0, 1)), .factor = 2),
           HD_DIMS(1, 2, 4));
    RESULT("[4,1,1]", "1 2 3 4", hd_pixel_unshuffle(a, .factor = 2), HD_DIMS(1, 2, 2));
    REFUSED("must be vectors", hd_outer(a, b), HD_DIMS(2), HD_DIMS(2, 1));
    REFUSED("do not divide by a factor of 2", hd_pixel_shuffle(a, .factor = 2), HD_DIMS(3, 2, 2));
    REFUSED("a vector or a matrix", hd_diag(a), HD_DIMS(2, 2, 2));
}

static void has_dims(hd_val v, const char *want) {
    char text[192];
    const hd_dims dims = hd_val_dims(v);
    if (hd_graph_status(v.graph) != HD_OK) fail_msg("%s", hd_last_error(hd_graph_context(v.graph)));
    assert_string_equal(hd_dims_text(text, &dims), want);
}

#define EINSUM(equation, ...)                                                                                          \
    hd_einsum((hd_val[]){__VA_ARGS__}, sizeof((hd_val[]){__VA_ARGS__}) / sizeof(hd_val), equation)

static void test_einsum(void **state) {
    (void)state;
    RESULT("[2,2]", "7 10 15 22", EINSUM("ij,jk->ik", a, b), HD_DIMS(2, 2), HD_DIMS(2, 2));
    RESULT("[2,2]", "7 15 10 22", EINSUM("ij, jk -> ki", a, b), HD_DIMS(2, 2), HD_DIMS(2, 2));
    RESULT("[2,2]", "1 3 2 4", EINSUM("ba", a), HD_DIMS(2, 2));
    RESULT("[]", "5", EINSUM("ii", a), HD_DIMS(2, 2));
    RESULT("[2]", "1 4", EINSUM("ii->i", a), HD_DIMS(2, 2));
    RESULT("[]", "10", EINSUM("ij->", a), HD_DIMS(2, 2));
    RESULT("[2]", "17 37", EINSUM("ij,jk->i", a, b), HD_DIMS(2, 2), HD_DIMS(2, 2));
    RESULT("[2]", "5 11", EINSUM("ij,j->i", a, b), HD_DIMS(2, 2), HD_DIMS(2));
    RESULT("[2,3,4]", "1 2 3 4 2 4 6 8 3 6 9 12 2 4 6 8 4 8 12 16 6 12 18 24", EINSUM("i,j,k->ijk", a, b, c),
           HD_DIMS(2), HD_DIMS(3), HD_DIMS(4));
    RESULT("[2,1,2]", "7 10 15 22", EINSUM("...ij,jk->i...k", a, b), HD_DIMS(1, 2, 2), HD_DIMS(2, 2));
    RESULT("[2]", "5 25", EINSUM("bij,bjk->b", a, b), HD_DIMS(2, 1, 2), HD_DIMS(2, 2, 1));
    RESULT("[]", "36", EINSUM("i,i,i->", a, b, c), HD_DIMS(3), HD_DIMS(3), HD_DIMS(3));
    RESULT("[2,2]", "1 4 3 8", EINSUM("ij,ij->ij", a, b), HD_DIMS(2, 2), HD_DIMS(1, 2));
    RESULT("[2,2]", "1 4 3 8", EINSUM("...,...->...", a, b), HD_DIMS(2, 2), HD_DIMS(2));
    RESULT("[2,3,2]", "1 4 3 8 5 12 7 16 9 20 11 24", EINSUM("...,...", a, b), HD_DIMS(2, 3, 2), HD_DIMS(2));
    REFUSED("gives an index two sizes", EINSUM("ij,jk", a, b), HD_DIMS(2, 3), HD_DIMS(2, 3));
    REFUSED("names 1 indices for an operand of 2 axes", EINSUM("i,jk", a, b), HD_DIMS(2, 3), HD_DIMS(2, 3));
    REFUSED("fewer groups", EINSUM("ij", a, b), HD_DIMS(2, 3), HD_DIMS(2, 3));
    REFUSED("more groups", EINSUM("ij,j,k->i", a, b), HD_DIMS(2, 3), HD_DIMS(3));
    REFUSED("that no operand has", EINSUM("ij->k", a), HD_DIMS(2, 3));
    REFUSED("may hold letters", EINSUM("i1->i", a), HD_DIMS(2, 3));
    REFUSED("twice in the result", EINSUM("ij->ii", a), HD_DIMS(2, 3));
}

/* A graph with an error takes every further call and stays as it is: its first error is the one that is told. */
static void test_after_an_error(void **state) {
    (void)state;
    bench t = open_bench();
    const hd_val v = input(&t, HD_DIMS(4)), m = input(&t, HD_DIMS(2, 3));
    const hd_val bad = hd_matmul(m, m);
    hd_val part[4];
    const hd_val none[] = {hd_unsqueeze(bad),
                           hd_squeeze(bad),
                           hd_select(bad),
                           hd_stack((hd_val[]){v, bad}, 2),
                           hd_repeat_interleave(bad, 2),
                           hd_tile(bad, .repeats = HD_DIMS(2)),
                           hd_movedim(bad),
                           hd_rot90(bad),
                           hd_outer(v, bad),
                           hd_dot(bad, v),
                           hd_diag(bad),
                           hd_pixel_shuffle(bad, .factor = 2),
                           hd_pixel_unshuffle(bad, .factor = 2),
                           hd_einsum((hd_val[]){v, bad}, 2, "i,i")};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_int_equal(none[i].id, -1);
    assert_int_equal(hd_split_parts(bad, part, 2), 0);
    assert_int_equal(hd_chunk(bad, part, 2), 0);
    assert_int_equal(hd_unbind(bad, part, 2), 0);
    expect_refusal(&t, "matmul");
}

static void test_refusals(void **state) {
    (void)state;
    REFUSED("no room for one more axis", hd_unsqueeze(a), HD_DIMS(1, 1, 1, 1, 1, 1, 1, 1));
    REFUSED("does not have the axis", hd_squeeze(a, .axes = HD_DIMS(3)), HD_DIMS(2, 1));
    REFUSED("does not have the axis", hd_select(a, .axis = HD_AXIS(2)), HD_DIMS(2, 1));
    REFUSED("n must be 1 or more", hd_chunk(a, (hd_val[2]){{0}}, 0), HD_DIMS(4));
    REFUSED("does not have the axis", hd_chunk(a, (hd_val[2]){{0}}, 2, .axis = HD_AXIS(4)), HD_DIMS(4));
    REFUSED("must add up to", hd_split_parts(a, (hd_val[2]){{0}}, 2, (int64_t[]){5, -1}), HD_DIMS(4));
    REFUSED("does not have the axis", hd_repeat_interleave(a, 2, .axis = HD_AXIS(1)), HD_DIMS(4));
    REFUSED("can not be repeated -2 times", hd_repeat_interleave(a, -2), HD_DIMS(4));
    REFUSED("equally many axes", hd_movedim(a, .source = HD_DIMS(0)), HD_DIMS(4, 1));
    REFUSED("does not have the axis", hd_movedim(a, .source = HD_DIMS(0), .destination = HD_DIMS(2)), HD_DIMS(4, 1));
    REFUSED("axes must name two axes", hd_rot90(a, .axes = HD_DIMS(0, 1, 2)), HD_DIMS(1, 2, 3));
    REFUSED("does not have the axis", hd_rot90(a, .axes = HD_DIMS(0, 5)), HD_DIMS(1, 2, 3));
    REFUSED("more than 8 indices", EINSUM("abcdefghi", a), HD_DIMS(1, 1, 1, 1, 1, 1, 1, 1));
    REFUSED("behind the result", EINSUM("i->i,", a), HD_DIMS(4));
}

/* What may be done while the batch is open, and what may not. */
static void test_open_batch(void **state) {
    (void)state;
    bench t = open_bench();
    const hd_val x = hd_input(t.g, "x", HD_F32, HD_DIMS(HD_BATCH, 4, 6)), w = input(&t, HD_DIMS(6, 5));
    const hd_val v = hd_cast(w, .dtype = HD_DTYPE(HD_F32));
    hd_val parts[4];
    has_dims(hd_matmul(x, v), "[B,4,5]");
    has_dims(hd_matmul(x, x, .trans_b = true), "[B,4,4]");
    has_dims(hd_matmul(hd_select(x, .axis = HD_AXIS(1)),
                       hd_reshape(hd_slice(v, .axis = HD_AXIS(1), .stop = 1), .dims = HD_DIMS(6))),
             "[B]");
    has_dims(EINSUM("bij,jk->bik", x, v), "[B,4,5]");
    has_dims(EINSUM("bij,bkj->bik", x, x), "[B,4,4]");
    has_dims(hd_expand(hd_unsqueeze(x, .axis = HD_AXIS(1)), .dims = HD_DIMS(HD_BATCH, 3, -1, -1)), "[B,3,4,6]");
    has_dims(hd_repeat(x, .repeats = HD_DIMS(1, 2, 1)), "[B,8,6]");
    has_dims(hd_stack((hd_val[]){x, x}, 2, .axis = -1), "[B,4,6,2]");
    has_dims(hd_flip(x, .axes = HD_DIMS(-1)), "[B,4,6]");
    has_dims(hd_roll(x, .shifts = HD_DIMS(1), .axes = HD_DIMS(1)), "[B,4,6]");
    has_dims(hd_tril(x), "[B,4,6]");
    has_dims(hd_diagonal(x, .axis1 = HD_AXIS(1), .axis2 = -1), "[B,4]");
    has_dims(hd_unfold(x, .size = 3), "[B,4,4,3]");
    has_dims(hd_pad(x, .after = HD_DIMS(0, 0, 2), .mode = HD_PAD_REFLECT), "[B,4,8]");
    has_dims(hd_repeat_interleave(x, 2, .axis = -1), "[B,4,12]");
    assert_int_equal(hd_chunk(x, parts, 4, .axis = -1), 3);
    has_dims(parts[2], "[B,4,2]");
    (void)hd_roll(x, .shifts = HD_DIMS(1), .axes = HD_DIMS(0));
    expect_refusal(&t, "the batch of x [B,4,6] can not be rolled");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_axes),           cmocka_unit_test(test_parts),
                                       cmocka_unit_test(test_long_stack),     cmocka_unit_test(test_products),
                                       cmocka_unit_test(test_after_an_error), cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_einsum),         cmocka_unit_test(test_open_batch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
