/* test_json.c: the strict JSON reader, the writers, and YAML into the same tree. */
#include "support.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/status.h"
#include "base/yaml.h"
#include <math.h>

typedef hd_status parse_fn(hd_json **out, hd_arena *arena, const char *where, const char *text, size_t length);

/* Parses and prints again on one line; on failure gives the error. The text is static. */
static const char *round_trip(parse_fn *parse, const char *text, size_t length) {
    static char result[4096];
    hd_context *ctx = test_context(1);
    hd_arena arena = {.ctx = ctx};
    hd_text out = {.ctx = ctx};
    hd_json *value;
    char *exact = malloc(length ? length : 1); /* so that the sanitizer sees a byte too far */
    assert_non_null(exact);
    memcpy(exact, text, length);
    if (parse(&value, &arena, "f", exact, length) == HD_OK) {
        hd_json_print(&out, value, 0);
        assert_false(out.failed);
    } else {
        assert_null(value);
        assert_int_equal(hd_last_error_parts(ctx).status, HD_E_MODEL);
        hd_text_puts(&out, hd_last_error(ctx));
    }
    free(exact);
    (void)snprintf(result, sizeof result, "%s", hd_text_str(&out));
    hd_text_free(&out);
    hd_arena_free(&arena);
    hd_context_free(ctx);
    return result;
}

static const char *json(const char *text) {
    return round_trip(hd_json_parse, text, strlen(text));
}

static void test_accepts(void **state) {
    (void)state;
    static const char *const same[] = {"null",
                                       "true",
                                       "false",
                                       "0",
                                       "-1",
                                       "9223372036854775807",
                                       "-9223372036854775808",
                                       "1.5",
                                       "1e-05",
                                       "\"\"",
                                       "\"a\\\"b\\\\c\"",
                                       "[]",
                                       "{}",
                                       "[1, [2, []], {}]",
                                       "{\"a\": 1, \"b\": [true, null]}",
                                       "\"\xc3\xa4\xe2\x82\xac\"",
                                       "\"\\n\\t\\u0001\""};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) assert_string_equal(json(same[i]), same[i]);
    assert_string_equal(json(" \t\r\n[ 1 ,2 ] \n"), "[1, 2]");
    assert_string_equal(json("\"\\u00e4\\u20AC\\ud83d\\ude00\\/\""), "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80/\"");
    assert_string_equal(json("1E+2"), "100");
    assert_string_equal(json("9223372036854775808"), "9.223372036854776e+18");
    assert_string_equal(json("1e-400"), "0");
    assert_string_equal(json("-0.0e3"), "-0.0"); /* and reads back as the same */
    assert_string_equal(json("{\"\":1,\"\\u0061\":2}"), "{\"\": 1, \"a\": 2}");
}

static void test_refuses(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "f:1:1: the text ends"},
        {" ", "f:1:2: the text ends"},
        {"[1,]", "f:1:4: a comma stands before this ]"},
        {"{\"a\":1,}", "f:1:8: a comma stands before this }"},
        {"[1 2]", "f:1:4: a , or ] is expected"},
        {"{\"a\" 1}", "f:1:6: a : is expected"},
        {"{a:1}", "f:1:2: a key in quotes"},
        {"{1:1}", "f:1:2: a key in quotes"},
        {"{\"a\":}", "f:1:6: a value is expected"},
        {"{\n \"a\": 1,\n \"a\": 2}", "f:3:2: the key \"a\" stands here a second time; the first is in line 2"},
        {"{\"a\":1,\"b\":{\"c\":1,\"\\u0063\":2}}", "the key \"c\" stands here a second time"},
        {"[1", "f:1:1: this [ has no ]"},
        {"{\"a\":1", "f:1:1: this { has no }"},
        {"{\"a", "f:1:2: this string has no end"},
        {"[1]]", "f:1:4: there is something behind"},
        {"1 2", "f:1:3: there is something behind"},
        {"\"\n\"", "f:1:2: control character"},
        {"\"\x1f\"", "f:1:2: control character"},
        {"\"\\x\"", "f:1:3: unknown escape"},
        {"\"\\u12g4\"", "four hexadecimal digits"},
        {"\"\\u12", "four hexadecimal digits"},
        {"\"\\ud800\"", "a high surrogate must be followed"},
        {"\"\\ud800\\u0041\"", "a high surrogate must be followed"},
        {"\"\\udc00\"", "a lone low surrogate"},
        {"\"\\u0000\"", "the character NUL"},
        {"{\"\\u0000\":1}", "the character NUL"},
        {"\"\xff\"", "f:1:2: invalid UTF-8"},
        {"\"\xc3\xa4\xc0\x80\"", "f:1:3: invalid UTF-8"},
        {"\"\xed\xa0\x80\"", "invalid UTF-8"},
        {"\"\xf0\x9f\x98\"", "invalid UTF-8"},
        {"\xef\xbb\xbf{}", "byte order mark"},
        {"01", "must not begin with 0"},
        {"-", "a number needs a digit"},
        {"-a", "a number needs a digit"},
        {".5", "a value is expected"},
        {"+1", "a value is expected"},
        {"1.", "a digit behind the point"},
        {"1.e5", "a digit behind the point"},
        {"1e", "a digit in the exponent"},
        {"1e+", "a digit in the exponent"},
        {"1e999", "too large"},
        {"NaN", "a value is expected"},
        {"Infinity", "a value is expected"},
        {"nul", "a value is expected"},
        {"truex", "f:1:5: there is something behind"},
        {"'a'", "a value is expected"},
        {"[1] // no", "something behind"},
        {"\v1", "a value is expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *came = json(cases[i].text);
        if (!strstr(came, cases[i].message)) fail_msg("%s gave: %s\nwanted: %s", cases[i].text, came, cases[i].message);
    }
    assert_non_null(strstr(round_trip(hd_json_parse, "1\0", 2), "f:1:2: there is something behind"));
    assert_non_null(strstr(round_trip(hd_json_parse, "\"a\0\"", 4), "f:1:3: control character"));
}

static void test_depth(void **state) {
    (void)state;
    char text[200000];
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    text[128] = '\0';
    assert_string_equal(json(text), text);
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    text[130] = '\0';
    assert_non_null(strstr(json(text), "f:1:65: nested deeper than 64"));
    memset(text, '[', sizeof text);
    assert_non_null(strstr(round_trip(hd_json_parse, text, sizeof text), "nested deeper than 64"));
}

/* Every prefix and every text with one byte changed: an answer, no crash; the sanitizers watch. */
static void test_mutations(void **state) {
    (void)state;
    static const char good[] = "{\"w\": {\"dtype\": \"F32\", \"shape\": [2, -3.5e1], \"d\": [true, null]}, "
                               "\"\\u00e4\\ud83d\\ude00\": \"\xc3\xa4\"}";
    char text[sizeof good];
    for (size_t n = 0; n < sizeof good - 1; n++) assert_non_null(strstr(round_trip(hd_json_parse, good, n), "f:1:"));
    static const char bytes[] = "\0\x01 \"\\{}[]:,0eE-+.tu\x7f\x80\xc3\xff";
    for (size_t i = 0; i < sizeof good - 1; i++)
        for (size_t b = 0; b < sizeof bytes; b++) {
            memcpy(text, good, sizeof good);
            text[i] = bytes[b];
            (void)round_trip(hd_json_parse, text, sizeof good - 1);
        }
}

typedef struct text_arg {
    parse_fn *parse;
    const char *text;
    size_t length;
    size_t peak;
    hd_status status;
} text_arg;

static hd_status parse_and_copy(hd_context *ctx, void *arg) {
    text_arg *t = arg;
    hd_arena arena = {.ctx = ctx};
    hd_text out = {.ctx = ctx};
    hd_json *value;
    hd_status status = t->parse(&value, &arena, "f", t->text, t->length);
    if (status == HD_OK) {
        value = hd_json_copy(&arena, value);
        if (value) value = hd_json_set(&arena, value, "new", hd_json_new_string(&arena, "x"));
        if (value) hd_json_print(&out, value, 2);
        status = value && !out.failed ? HD_OK : HD_E_MEMORY;
    }
    hd_text_free(&out);
    hd_arena_free(&arena);
    return status;
}

static void test_failing_allocations(void **state) {
    (void)state;
    static char text[60000] = "{";
    size_t n = 1;
    for (int i = 0; i < 500; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s\"key %d\": [%d, 2.5, \"text\", {\"a\": null}]",
                              i ? ", " : "", i, i);
    text[n++] = '}';
    text_arg t = {hd_json_parse, text, n, 0, HD_OK};
    assert_true(fail_every_allocation(parse_and_copy, &t) > 10);
    t.parse = hd_yaml_parse;
    assert_true(fail_every_allocation(parse_and_copy, &t) > 10);
}

/* A hostile text must not become a tree many times its size, nor cost time beyond n log n. */
static void check_hostile(parse_fn *parse, const char *text, size_t length, hd_status expected) {
    hd_context *ctx = test_context(1);
    hd_arena arena = {.ctx = ctx};
    hd_json *value;
    assert_int_equal(parse(&value, &arena, "f", text, length), expected);
    assert_true(hd_context_memory(ctx).peak_bytes <= ((size_t)64 << 20) + 4 * length);
    hd_arena_free(&arena);
    hd_context_free(ctx);
}

static void test_hostile_sizes(void **state) {
    (void)state;
    enum { SIZE = 8 << 20 };
    char *text = malloc(SIZE);
    assert_non_null(text);
    memset(text, ',', SIZE);
    for (size_t i = 1; i < SIZE; i += 2) text[i] = '1';
    text[0] = '[';
    check_hostile(hd_json_parse, text, SIZE, HD_E_MODEL); /* [1,1,1,… */
    for (size_t i = 1; i + 4 < SIZE; i += 4) memcpy(text + i, "\"\",\n", 4);
    check_hostile(hd_json_parse, text, SIZE, HD_E_MODEL);
    /* 150,000 keys in one object, the last one twice */
    size_t n = 0;
    text[n++] = '{';
    for (int i = 0; i < 150000; i++) n += (size_t)snprintf(text + n, SIZE - n, "\"k%d\":%d,", i, i);
    n += (size_t)snprintf(text + n, SIZE - n, "\"k%d\":0}", 149999);
    check_hostile(hd_json_parse, text, n, HD_E_MODEL);
    text[n - 6] = 'x';
    check_hostile(hd_json_parse, text, n, HD_OK);
    memset(text, 'a', SIZE);
    text[0] = text[SIZE - 1] = '"';
    check_hostile(hd_json_parse, text, SIZE, HD_OK); /* one long text */
    free(text);
}

static void test_places_and_values(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_arena arena = {.ctx = ctx};
    hd_json *v;
    static const char text[] = "{\n  \"\xc3\xa4\": 1, \"b\": [2.5,\n -7]}";
    assert_int_equal(hd_json_parse(&v, &arena, "f", text, sizeof text - 1), HD_OK);
    const hd_json *a = hd_json_get(v, "\xc3\xa4"), *b = hd_json_get(v, "b");
    assert_true(a->line == 2 && a->column == 8 && a->key_line == 2 && a->key_column == 3);
    assert_true(b->line == 2 && b->column == 16 && b->key_column == 11 && b->count == 2); /* characters, not bytes */
    assert_true(b->child->next->line == 3 && b->child->next->column == 2);
    assert_true(b->child->next->type == HD_JSON_INT && b->child->next->integer == -7 && b->child->next->number == -7.0);
    assert_null(hd_json_get(v, "c"));
    assert_null(hd_json_get(a, "c"));
    assert_null(hd_json_get(NULL, "c"));

    assert_non_null(hd_json_set(&arena, v, "b", hd_json_new_number(&arena, 0.1)));
    assert_non_null(hd_json_set(&arena, v, "c", hd_json_new_bool(&arena, true)));
    hd_json *list = hd_json_set(&arena, v, "list", hd_json_new(&arena, HD_JSON_ARRAY));
    assert_non_null(hd_json_add(list, hd_json_new_int(&arena, 3)));
    assert_non_null(hd_json_add(list, hd_json_copy(&arena, v)));
    assert_null(hd_json_add(list, NULL));
    hd_text out = {.ctx = ctx};
    hd_json_print(&out, v, 0);
    assert_string_equal(
        hd_text_str(&out),
        "{\"\xc3\xa4\": 1, \"b\": 0.1, \"c\": true, \"list\": [3, {\"\xc3\xa4\": 1, \"b\": 0.1, \"c\": true, "
        "\"list\": [3]}]}");
    out.length = 0;
    hd_json_print(&out, v, 2);
    assert_string_equal(
        hd_text_str(&out),
        "{\n  \"\xc3\xa4\": 1,\n  \"b\": 0.1,\n  \"c\": true,\n  \"list\": [\n    3,\n    {\n"
        "      \"\xc3\xa4\": 1,\n      \"b\": 0.1,\n      \"c\": true,\n      \"list\": [3]\n    }\n  ]\n}");
    hd_json ring = {.type = HD_JSON_ARRAY};
    ring.child = &ring;
    out.length = 0;
    hd_json_print(&out, &ring, 0);
    assert_true(out.failed);
    assert_null(hd_json_copy(&arena, &ring));
    hd_text_free(&out);
    hd_arena_free(&arena);
    hd_context_free(ctx);
}

static void test_writer(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_text out = {.ctx = ctx};
    hd_jw w = {.out = &out};
    hd_jw_begin(&w, '{');
    hd_jw_key(&w, "n");
    hd_jw_int(&w, INT64_MIN);
    hd_jw_key(&w, "x\"");
    hd_jw_begin(&w, '[');
    hd_jw_number(&w, 0.1);
    hd_jw_number(&w, (double)NAN);
    hd_jw_bool(&w, false);
    hd_jw_null(&w);
    hd_jw_string(&w, NULL);
    hd_jw_string(&w, "a\nb\x7f\xff\xc3");
    hd_jw_begin(&w, '{');
    hd_jw_end(&w);
    hd_json seven = {.type = HD_JSON_INT, .integer = 7};
    hd_jw_value(&w, &seven);
    hd_jw_end(&w);
    hd_jw_end(&w);
    assert_string_equal(hd_text_str(&out), "{\"n\": -9223372036854775808, \"x\\\"\": [0.1, null, false, null, null, "
                                           "\"a\\nb\x7f\xef\xbf\xbd\xef\xbf\xbd\", {}, 7]}");
    assert_false(out.failed);
    hd_jw_end(&w);
    assert_true(out.failed);
    out.failed = false;
    for (int i = 0; i < 65; i++) hd_jw_begin(&w, '[');
    assert_true(out.failed);
    hd_text_free(&out);
    hd_context_free(ctx);
}

static const char *yaml(const char *text) {
    return round_trip(hd_yaml_parse, text, strlen(text));
}

static void test_yaml_values(void **state) {
    (void)state;
#ifndef HD_HAVE_YAML
    skip();
#endif
    assert_string_equal(
        yaml("data:\n  source: mnist   # a comment\n  val: 0.1\nmodel:\n  - conv2d: {k: [3, 3]}\n  - relu\n"),
        "{\"data\": {\"source\": \"mnist\", \"val\": 0.1}, \"model\": [{\"conv2d\": {\"k\": [3, 3]}}, \"relu\"]}");
    assert_string_equal(yaml("[1, -2, +3, 0x1F, 0o17, 1.5, .5, 5., -1e3, 1e-05, 9223372036854775808]"),
                        "[1, -2, 3, 31, 15, 1.5, 0.5, 5, -1000, 1e-05, 9.223372036854776e+18]");
    assert_string_equal(yaml("[true, False, TRUE, null, ~, Null, ]"), "[true, false, true, null, null, null]");
    assert_string_equal(yaml("[yes, on, 'true', \"1\", 1_000, 0b1, 08x, 1.2.3, -, nan, inf, e5, 12:30]"),
                        "[\"yes\", \"on\", \"true\", \"1\", \"1_000\", \"0b1\", \"08x\", \"1.2.3\", \"-\", \"nan\", "
                        "\"inf\", \"e5\", \"12:30\"]");
    assert_string_equal(yaml("a:\nb: |\n  two\n  lines\n"), "{\"a\": null, \"b\": \"two\\nlines\\n\"}");
    assert_string_equal(yaml("---\n1: x\n..."), "{\"1\": \"x\"}");
    assert_string_equal(yaml("{\"a\": \"\\ud83d\\ude00\"}"), "{\"a\": \"\xf0\x9f\x98\x80\"}");
    hd_context *ctx = test_context(1);
    hd_arena arena = {.ctx = ctx};
    hd_json *v;
    assert_int_equal(hd_yaml_parse(&v, &arena, "f", "a: .inf\nb: -.INF\nc: .nan\nd: 007\n", 32), HD_OK);
    assert_true(isinf(hd_json_get(v, "a")->number) && hd_json_get(v, "b")->number < 0 &&
                isnan(hd_json_get(v, "c")->number));
    assert_string_equal(hd_json_get(v, "d")->string, "007"); /* the text stays, for whoever wants a name */
    assert_true(hd_json_get(v, "d")->line == 4 && hd_json_get(v, "d")->column == 4 &&
                hd_json_get(v, "d")->key_column == 1);
    hd_arena_free(&arena);
    hd_context_free(ctx);
}

static void test_yaml_refuses(void **state) {
    (void)state;
#ifndef HD_HAVE_YAML
    skip();
#endif
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a: 1\nb: 2\na: 3", "f:3:1: the key \"a\" stands here a second time; the first is in line 1"},
        {"a: &x 1\nb: *x", "f:1:4: anchors"},
        {"a: *x", "f:1:4: aliases"},
        {"*x : 1", "f:1:1: aliases"},
        {"a: [&x 1]", "f:1:5: anchors"},
        {"a: &x {b: 1}", "anchors"},
        {"&x a: 1", "anchors"},
        {"a: !!python/object x", "f:1:4: tags"},
        {"a: !t [1]", "f:1:4: tags"},
        {"? [a]\n: 1", "a key must be a plain word"},
        {"a: [1,2", "did not find expected ',' or ']'"},
        {"a: b: c", "f:1:5: mapping values"},
        {"\ta: 1", "f:1:1: found character that cannot start any token"},
        {"---\na: 1\n---\nb: 2", "f:3:1: a second document"},
        {"", "there is nothing in it"},
        {"# only a comment", "there is nothing in it"},
        {"a: 1e999", "f:1:4: this number is too large"},
        {"a: \"x\\0y\"", "the character NUL"},
        {"a: \"\\ud800\"", "f:1:"},
        {"a: \xff", "f: byte 3"},
        {"a: 'x", "found unexpected end of stream"},
        {"{\"a\": 1, \"a\": 2}", "stands here a second time"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *came = yaml(cases[i].text);
        if (!strstr(came, cases[i].message)) fail_msg("%s gave: %s\nwanted: %s", cases[i].text, came, cases[i].message);
    }
}

static void test_yaml_hostile(void **state) {
    (void)state;
#ifndef HD_HAVE_YAML
    skip();
#endif
    enum { SIZE = 4 << 20 };
    char *text = malloc(SIZE);
    assert_non_null(text);
    memset(text, '[', SIZE);
    check_hostile(hd_yaml_parse, text, SIZE, HD_E_MODEL);
    for (size_t i = 0; i + 1 < SIZE; i += 2) memcpy(text + i, "- ", 2);
    check_hostile(hd_yaml_parse, text, SIZE, HD_E_MODEL);
    for (size_t i = 0; i + 4 <= SIZE; i += 4) memcpy(text + i, "- 1\n", 4);
    check_hostile(hd_yaml_parse, text, SIZE, HD_E_MODEL);
    memset(text, 'a', SIZE);
    check_hostile(hd_yaml_parse, text, SIZE, HD_OK);
    free(text);
}

static void test_yaml_without_library(void **state) {
    (void)state;
#ifdef HD_HAVE_YAML
    skip();
#else
    hd_context *ctx = test_context(1);
    hd_arena arena = {.ctx = ctx};
    hd_json *v;
    assert_int_equal(hd_yaml_parse(&v, &arena, "f", " {\"a\": 1}", 9), HD_OK);
    assert_int_equal(hd_json_get(v, "a")->integer, 1);
    assert_int_equal(hd_yaml_parse(&v, &arena, "f", "a: 1", 4), HD_E_UNSUPPORTED);
    assert_non_null(strstr(hd_last_error(ctx), "libyaml-dev"));
    hd_arena_free(&arena);
    hd_context_free(ctx);
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_hostile_sizes),
        cmocka_unit_test(test_places_and_values),
        cmocka_unit_test(test_writer),
        cmocka_unit_test(test_yaml_values),
        cmocka_unit_test(test_yaml_refuses),
        cmocka_unit_test(test_yaml_hostile),
        cmocka_unit_test(test_yaml_without_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
