/* test_graph_text.c: graphs as text: everything a leaf or node can be goes through unchanged; what is wrong is told
 * with its line and column; any prefix and any changed byte ends in a graph or an error. */
#include "ctx_case.h"

#include "hadal/ops.h"
#include "hadal/program.h"

static const char whole[] = "hadal graph 1\n"
                            "# a remark\n"
                            "%0 \"x\" = input f32[B,3,8,8]\n"
                            "%1 \"c.weight\" = param f32[4,3,3,3] uniform(-0.5,0.5)\n"
                            "%2 \"c.bias\" = param f32[4] zeros\n"
                            "%3 \"w\" = param f32[4] constant(2)\n"
                            "%4 \"v\" = state f32[4] normal(0,1)\n"
                            "%5 = const f32[2] {1.5 -2}\n"
                            "%6 = const f64[1] {0.25}\n"
                            "%7 = const i64[2] {-9223372036854775808 7}\n"
                            "%8 = const i32[1] {-5}\n"
                            "%9 = const u8[2] {0 255}\n"
                            "%10 = const bool[1] {1}\n"
                            "%11 = const f32[0] {}\n"
                            "%12 \"a \\\"name\\\" \\x09\" = conv2d(%0,%1,%2) padding=[1,1] act=relu : f32[B,4,8,8]\n"
                            "%13, %14, %15, %16, %17 = batch_norm(%12,%3,%2,%4,%18)\n"
                            "output \"y\" = %12\n";

/* Reads it, prints it, reads that: the same text again. */
static void goes_round(const char *text) {
    hd_graph *g;
    char *first, *second;
    if (hd_graph_parse(&g, ctx, "g", text) != HD_OK) fail_msg("%s in:\n%s", hd_last_error(ctx), text);
    assert_int_equal(hd_graph_print(g, &first), HD_OK);
    hd_graph_free(g);
    if (hd_graph_parse(&g, ctx, "g", first) != HD_OK) fail_msg("%s in:\n%s", hd_last_error(ctx), first);
    assert_int_equal(hd_graph_print(g, &second), HD_OK);
    hd_graph_free(g);
    assert_string_equal(first, second);
    hd_memory_free(ctx, first);
    hd_memory_free(ctx, second);
}

static void everything_goes_round(void **state) {
    (void)state;
    static const char *const lines[] = {"%18 \"s\" = state f32[4] constant(1)\n", "\n", "   \n", "\r\n", "# end"};
    char text[2048];
    char *before = strstr(whole, "%13");
    (void)snprintf(text, sizeof text, "%.*s", (int)(before - whole), whole);
    goes_round(text);
    (void)snprintf(
        text, sizeof text,
        "hadal graph 1\n%%0 \"x\" = input f32[6,4]\n%%1 \"w\" = param f32[4] constant(1)\n%%2 \"b\" = param "
        "f32[4]\n%%3 \"m\" = state f32[4]\n%%4 \"v\" = state f32[4] constant(1)\n%%5 \"n\", %%6, %%7, %%8, %%9 "
        "= batch_norm(%%0,%%1,%%2,%%3,%%4) eps=0.01 : f32[6,4], f32[4], f32[4], f32[4], f32[4]\n%%10 = "
        "concat(%%0,%%5) axis=0\n%%11 = linear(%%0,%%12)\n");
    *strstr(text, "%11") = '\0';
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char more[2100];
        (void)snprintf(more, sizeof more, "%s%s", text, i ? lines[i] : "");
        goes_round(more);
    }
}

typedef struct wrong {
    const char *line, *message; /* line stands third */
} wrong;

static void what_is_wrong_is_told_with_its_place(void **state) {
    (void)state;
    static const wrong all[] = {
        {"%2 = relu(%0", "g:4:13: expected )"},
        {"%2 = relu %0)", "expected ( and the inputs"},
        {"%2 = relu()", "input x is missing"},
        {"%2 = relu(%7)", "a value is used before it is made"},
        {"%2 = relu(%0,%0)", "too many inputs"},
        {"%2 = relu(0)", "expected % and a number"},
        {"%2 = relu(%x)", "is not the number of a value"},
        {"%2 = relu(%0) loud=1", "\"loud\" is not an option"},
        {"%2 = affine(%0) scale", "expected = after the option"},
        {"%2 = affine(%0) scale=much", "scale"},
        {"%2 = affine(%0) ?", "expected an option"},
        {"%2 = relu(%0) : f32[2,4]", "the type written is not what follows"},
        {"%2 = relu(%0) : f64[2,3]", "the type written is not what follows"},
        {"%2 = relu(%0) : f33[2,3]", "is not a dtype"},
        {"%2 = relu(%0) : f32 2,3]", "expected [ and sizes"},
        {"%2 = relu(%0) : f32[2,3", "expected ]"},
        {"%2 = relu(%0) : f32[2,x]", "is not a size"},
        {"%2 = relu(%0) : f32[1,1,1,1,1,1,1,1,1]", "more than 8 dimensions"},
        {"%2 = rleu(%0)", "there is no op \"rleu\""},
        {"%2 = ", "expected input, param, state, buffer, const or an op"},
        {"%2 relu(%0)", "expected ="},
        {"%3 = relu(%0)", "values must be numbered in order"},
        {"%2, %3 = relu(%0)", "another number of results"},
        {"%2,%3,%4,%5,%6,%7,%8,%9,%10 = relu(%0)", "too many results"},
        {"%2 \"x\" = input f32[1]", "x"},
        {"%2 \"y = input f32[1]", "a name without its closing quote"},
        {"%2 \"\\xg\" = input f32[1]", "a bad escape"},
        {"%2 \"\\x00\" = input f32[1]", "a bad escape"},
        {"%2 = input f32[1]", "name"},
        {"%2 \"p\" = param f32[1] gauss(1,2)", "is not a way to start"},
        {"%2 \"p\" = param f32[1] normal 1,2)", "expected ("},
        {"%2 \"p\" = param f32[1] normal(1)", "expected ,"},
        {"%2 \"p\" = param f32[1] normal(1,2", "expected )"},
        {"%2 \"p\" = param f32[1] constant(x)", "expected a number"},
        {"%2 \"p\" = param f32[-1]", "is not a size"},
        {"%2 \"p\" = param f32[B]", "p"},
        {"%2 \"p\" = input f32[B,B]", "p"},
        {"%2 \"p\" = param f32[4611686018427387904,4611686018427387904]", "p"},
        {"%2 = const f32[2] 1 2", "expected { and the elements"},
        {"%2 = const f32[2] {1 2", "expected } after the elements"},
        {"%2 = const f32[2] {1 x}", "expected a number"},
        {"%2 = const f32[99999999999] {1}", "more elements than the text holds"},
        {"%2 = const i64[1] {1.5}", "expected }"},
        {"%2 = const i64[1] {x}", "expected a whole number"},
        {"%2 = const i32[1] {4294967296}", "out of range"},
        {"%2 = const u8[1] {nan}", "out of range"},
        {"output y = %0", "expected a name in quotes"},
        {"output \"y\" %0", "expected ="},
        {"output \"y\" = %9", "there is no such value"},
        {"input f32[1]", "expected %"},
        {"%2 = relu(%0) : f32[2,3] and more", "expected the end of the line"},
        {"%2 = linear(%0,%1)", "linear"},
        {"%2 = concat()", "is missing"},
        {"%2 = concat(%0,-)", "is missing"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char text[1024];
        hd_graph *g;
        (void)snprintf(text, sizeof text, "hadal graph 1\n%%0 \"x\" = input f32[2,3]\n%%1 \"w\" = input f32[5,4]\n%s\n",
                       all[i].line);
        if (hd_graph_parse(&g, ctx, "g", text) != HD_E_MODEL) fail_msg("accepted: %s", all[i].line);
        const char *error = hd_last_error(ctx);
        if (!strstr(error, all[i].message)) fail_msg("%s\nsays \"%s\", not \"%s\"", all[i].line, error, all[i].message);
        assert_ptr_equal(strstr(error, "g:4"), error);
    }
    hd_graph *g;
    assert_int_equal(hd_graph_parse(&g, ctx, "g", "graph 1\n"), HD_E_MODEL);
    assert_non_null(strstr(hd_last_error(ctx), "expected \"hadal graph 1\""));
}

static void try_text(const char *text) {
    hd_graph *g;
    const hd_status status = hd_graph_parse(&g, ctx, "g", text);
    if (status == HD_OK)
        hd_graph_free(g);
    else {
        assert_int_equal(status, HD_E_MODEL);
        assert_true(*hd_last_error(ctx));
    }
}

static void any_damage_ends_in_a_graph_or_an_error(void **state) {
    (void)state;
    static const char other[] = "\0\n %[]{}(),:=\"\\#-9Bx\xff";
    char text[sizeof whole];
    for (size_t n = 0; n < sizeof whole; n++) {
        memcpy(text, whole, n);
        text[n] = '\0';
        try_text(text);
        memcpy(text, whole, sizeof whole);
        for (size_t k = 0; k + 1 < sizeof other && n + 1 < sizeof whole; k++) {
            text[n] = other[k];
            try_text(text);
        }
    }
}

static hd_status read_print_clone(hd_context *c, void *arg) {
    hd_graph *g = NULL, *copy = NULL, *wide = NULL;
    char *text = NULL;
    hd_status status = hd_graph_parse(&g, c, "g", arg);
    if (status == HD_OK) status = hd_graph_print(g, &text);
    if (status == HD_OK) status = hd_graph_clone(&copy, g);
    if (status == HD_OK) status = hd_graph_convert(&wide, g, HD_F32, HD_F64);
    hd_graph_free(wide);
    hd_graph_free(copy);
    hd_memory_free(c, text);
    hd_graph_free(g);
    return status;
}

static void failing_allocations(void **state) {
    (void)state;
    char text[sizeof whole];
    (void)snprintf(text, sizeof text, "%.*s", (int)(strstr(whole, "%13") - whole), whole);
    assert_true(fail_every_allocation(read_print_clone, text) > 10);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(everything_goes_round),
        T(what_is_wrong_is_told_with_its_place),
        T(any_damage_ends_in_a_graph_or_an_error),
        T(failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
