/* test_tables.c: text tables as people have them: words, missing cells, quotes, one-hot targets, ARFF, columns chosen
 * and left out; and another file read as the one that a model was trained on. */
#include "data_support.h"

#include "base/json.h"
#include <math.h>

/* Opens a table with members put behind its path, as ",\"label\":1". */
static hd_status open_with(hd_dataset **d, const char *name, const char *text, const char *options) {
    hd_text source = {.ctx = ctx};
    hd_text_printf(&source, "{\"path\":\"%s\"%s}", save_file(name, text, strlen(text)), options);
    *d = NULL;
    const hd_status status = hd_data_open(d, ctx, hd_text_str(&source), "/nowhere");
    hd_text_free(&source);
    return status;
}

static hd_dataset *opened(const char *text, const char *options) {
    hd_dataset *d;
    if (open_with(&d, "t.csv", text, options) != HD_OK) fail_msg("%s: %s", text, hd_last_error(ctx));
    return d;
}

static void check_row(const hd_dataset *d, int64_t row, int64_t n, const float *x) {
    float got[32];
    assert_int_equal(hd_data_get_info(d).sample.dim[0], n);
    hd_data_x(d, row, got);
    for (int64_t i = 0; i < n; i++)
        if (got[i] != x[i]) fail_msg("row %lld, feature %lld: %g", (long long)row, (long long)i, (double)got[i]);
}
#define ROW(d, row, ...)                                                                                               \
    check_row(d, row, (int64_t)(sizeof((float[]){__VA_ARGS__}) / sizeof(float)), (float[]){__VA_ARGS__})

static void refused(const char *text, const char *options, const char *words) {
    hd_dataset *d;
    const hd_status status = open_with(&d, "t.csv", text, options);
    hd_data_free(d);
    if (status != HD_E_DATA) fail_msg("%s: %s (%s)", text, hd_status_name(status), hd_last_error(ctx));
    if (!strstr(hd_last_error(ctx), words)) fail_msg("no \"%s\" in: %s", words, hd_last_error(ctx));
}

static void words_become_one_column_each(void **state) {
    (void)state;
    hd_dataset *d = opened("sex,age,class\nmale,3,no\nfemale,5,yes\nmale,7,yes\n", "");
    const hd_data_info info = hd_data_get_info(d);
    assert_int_equal(info.classes, 2);
    assert_string_equal(info.class_names[1], "yes");
    ROW(d, 0, 0, 1, 3);
    ROW(d, 1, 1, 0, 5);
    assert_int_equal(hd_data_label(d, 0), 0);
    assert_non_null(strstr(info.encoding, "\"words\": [\"female\", \"male\"]"));
    hd_data_free(d);
}

static void missing_cells_are_refused_or_filled(void **state) {
    (void)state;
    static const char text[] = "a,b,c\n1,red,0\n,blue,1\n3,?,1\n8,blue,1\n";
    refused(text, "", "t.csv:3:1: \"\" is not a finite number (column a). Add missing=drop");
    refused("a,b,c\n1,red,0\n2,?,1\n", "", "t.csv:3:2: \"?\" is a missing word (column b)");
    hd_dataset *d = opened(text, ",\"missing\":\"mean\"");
    ROW(d, 1, 4, 1, 0); /* the mean of 1, 3, 8 */
    ROW(d, 2, 3, 1, 0); /* the usual word is blue */
    hd_data_free(d);
    d = opened(text, ",\"missing\":\"zero\"");
    ROW(d, 1, 0, 1, 0);
    ROW(d, 2, 3, 0, 0);
    hd_data_free(d);
    d = opened(text, ",\"missing\":\"drop\"");
    assert_int_equal(hd_data_get_info(d).count, 2);
    ROW(d, 1, 8, 1, 0);
    hd_data_free(d);
    d = opened("a,c\n1,0\n2,\n3,1\n", ",\"missing\":\"mean\""); /* without its target a line teaches nothing */
    assert_int_equal(hd_data_get_info(d).count, 2);
    hd_data_free(d);
    static const char *const nothing[] = {"NA", "n/a", "NaN", "null", "-inf", "<NA>", "1e99"};
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        char line[80];
        (void)snprintf(line, sizeof line, "1,0\n%s,1\n3,1\n", nothing[i]);
        refused(line, "", "t.csv:2:1");
        d = opened(line, ",\"missing\":\"mean\"");
        ROW(d, 1, 2);
        hd_data_free(d);
    }
    d = opened("1,0\nnone,1\n3,1\n", ",\"missing\":\"mean\",\"na\":\"-,none\"");
    ROW(d, 1, 2);
    hd_data_free(d);
    refused("a,b\n?,0\n?,1\n", ",\"missing\":\"drop\"", "a cell is missing in every one of them");
}

static void missing_cells_are_filled_by_the_training_part(void **state) {
    (void)state;
    hd_dataset *d = opened("a,b,c\n1,red,0\n,,1\n3,blue,1\n100,red,0\n", ",\"missing\":\"mean\"");
    const int64_t train[] = {0, 1, 2};
    ROW(d, 1, 104.0f / 3, 0, 1);
    assert_int_equal(hd_data_refill(d, train + 1, 2), HD_OK);
    ROW(d, 1, 3, 1, 0);
    assert_int_equal(hd_data_refill(d, train, 3), HD_OK);
    ROW(d, 1, 2, 1, 0);
    ROW(d, 3, 100, 0, 1);
    assert_non_null(strstr(hd_data_get_info(d).encoding, "\"fill\": 2"));
    hd_data_free(d);
}

static void columns_do_not_mix_numbers_and_words(void **state) {
    (void)state;
    refused("1,0\nten,1\n", "", "t.csv:2:1: \"ten\" is not a finite number");
    refused("a,b,c\nx,1,0\n7,1,1\n", "",
            "t.csv:3:1: \"7\" is a number in a column of words (column a): line 2 has \"x\"");
    refused("1,0\n2,x\n", "", "Targets are numbers or words, not both");
    char many[20000] = "";
    size_t used = 0;
    for (int i = 0; i < 1100; i++) used += (size_t)snprintf(many + used, sizeof many - used, "w%d,%d\n", i, i % 2);
    refused(many, "", "expected at most 1024 different words");
    hd_dataset *d = opened("id,a,b\nx1,4,0\ny2,5,1\n", ",\"ignore\":\"id\"");
    ROW(d, 1, 5);
    hd_data_free(d);
}

static void columns_are_chosen_by_name_and_number(void **state) {
    (void)state;
    static const char text[] = "a,b,c,d,e\n1,2,3,4,0\n5,6,7,8,1\n";
    hd_dataset *d = opened(text, ",\"ignore\":\"b,4\"");
    ROW(d, 1, 5, 7);
    hd_data_free(d);
    d = opened(text, ",\"features\":\"d,1-2\"");
    ROW(d, 1, 5, 6, 8);
    hd_data_free(d);
    d = opened(text, ",\"label\":\"a,c\"");
    const hd_data_info info = hd_data_get_info(d);
    float y[2];
    assert_true(info.classes == 0 && info.targets == 2);
    hd_data_values(d, 1, y);
    assert_true(y[0] == 5 && y[1] == 7);
    ROW(d, 1, 6, 8, 1);
    hd_data_free(d);
    d = opened("0,1,2\n1,3,4\n", ",\"label\":1"); /* the label first */
    ROW(d, 1, 3, 4);
    assert_int_equal(hd_data_label(d, 1), 1);
    hd_data_free(d);
}

static void ranges_of_names_are_refused(void **state) {
    (void)state;
    refused("a,b,c\n1,2,0\n3,4,1\n", ",\"ignore\":\"a-b\"", "no column \"a-b\"");
    refused("a,b,c\n1,2,0\n3,4,1\n", ",\"ignore\":\"2-4\"", "no column \"2-4\"");
    refused("a,b,c\n1,2,0\n3,4,1\n", ",\"ignore\":\"a,b\"", "at least one feature column");
}

static void quotes_hold_separators_quotes_and_line_ends(void **state) {
    (void)state;
    hd_dataset *d = opened("n,w,c\n1,\"a, b\",0\n2,\"say \"\"hi\"\"\",1\n3,\"two\nlines\",1\n4,5\" pipe,0\n", "");
    const hd_data_info info = hd_data_get_info(d);
    assert_int_equal(info.count, 4);
    assert_int_equal(info.sample.dim[0], 5);
    assert_non_null(strstr(info.encoding, "[\"5\\\" pipe\", \"a, b\", \"say \\\"hi\\\"\", \"two\\nlines\"]"));
    ROW(d, 2, 3, 0, 0, 0, 1);
    hd_data_free(d);
    refused("a,b\n1,0\n\"2,1\n3,1\n", "", "t.csv:3: a quoted cell begins here and never ends");
}

static void headers_are_found_by_looking(void **state) {
    (void)state;
    hd_dataset *d = opened("y,n,y\nn,n,y\ny,y,n\n", ""); /* words alone, and some of them again: no header */
    assert_int_equal(hd_data_get_info(d).count, 3);
    hd_data_free(d);
    d = opened("p,q,class\ny,n,y\nn,y,n\n", "");
    assert_int_equal(hd_data_get_info(d).count, 2);
    hd_data_free(d);
    d = opened("2001,2002,2003\n1,2,0\n3,4,1\n", ",\"header\":\"yes\"");
    assert_int_equal(hd_data_get_info(d).count, 2);
    hd_data_free(d);
    d = opened("3,2,,\n\"A\",\"B\",\"Y\"\n1,2,3.5\n4,5,6\n7,8,9\n", ""); /* scikit-learn's, of numbers */
    assert_true(hd_data_get_info(d).count == 3 && hd_data_get_info(d).classes == 0);
    hd_data_free(d);
}

static void one_hot_targets_are_classes(void **state) {
    (void)state;
    char text[600] = "";
    for (int i = 0; i < 12; i++) {
        char line[40];
        (void)snprintf(line, sizeof line, "%d.5 0.25 %d %d %d \n", i, i % 3 == 0, i % 3 == 1, i % 3 == 2);
        (void)strcat(text, line);
    }
    hd_dataset *d = opened(text, "");
    assert_int_equal(hd_data_get_info(d).classes, 3);
    assert_int_equal(hd_data_label(d, 5), 2);
    ROW(d, 5, 5.5f, 0.25f);
    hd_data_free(d);
    d = opened(text, ",\"label\":\"3-5\"");
    assert_int_equal(hd_data_get_info(d).classes, 3);
    hd_data_free(d);
    d = opened(text, ",\"label\":5"); /* as asked */
    assert_true(hd_data_get_info(d).classes == 2 && hd_data_get_info(d).sample.dim[0] == 4);
    hd_data_free(d);
    d = opened("q,cat,dog\n1,1,0\n2,0,1\n", ",\"label\":\"cat,dog\"");
    assert_string_equal(hd_data_get_info(d).class_names[1], "dog");
    hd_data_free(d);
}

static void categories_are_named_by_their_values(void **state) {
    (void)state;
    hd_dataset *d = opened("1,10\n2,2\n3,10\n4,5\n", ",\"target\":\"category\"");
    const hd_data_info info = hd_data_get_info(d);
    assert_int_equal(info.classes, 3);
    assert_string_equal(info.class_names[0], "2"); /* by value, not by letters */
    assert_string_equal(info.class_names[2], "10");
    assert_int_equal(hd_data_label(d, 0), 2);
    hd_data_free(d);
    refused("1,1\n2,2\n", "", "task=category");
}

static void arff_says_its_columns(void **state) {
    (void)state;
    static const char text[] =
        "% a comment\n@RELATION x\n\n@attribute 'the size' real\n@attribute colour {red, 'dark blue'}\n"
        "@attribute class {5,4}\n@data\n% more\n1.5, red, 4\n2.5,'dark blue', 5\n?, ?, 5\n";
    hd_dataset *d;
    assert_int_equal(open_with(&d, "t.arff", text, ",\"missing\":\"zero\""), HD_OK);
    const hd_data_info info = hd_data_get_info(d);
    assert_true(info.count == 3 && info.classes == 2);
    assert_string_equal(info.class_names[0], "5"); /* in the order of the file */
    ROW(d, 1, 2.5f, 0, 1);
    ROW(d, 2, 0, 0, 0);
    assert_int_equal(hd_data_label(d, 0), 1);
    hd_data_free(d);
    static const char *const wrong[][2] = {
        {"@relation x\n@attribute a real\n@attribute b {x,y}\n@data\n1,z\n", "none of the 2 words"},
        {"@relation x\n@attribute a date\n", "t.arff:2: expected numeric, string or a list"},
        {"@relation x\n@attribute a {x\n", "t.arff:2: expected }"},
        {"@relation x\n@data\n", "expected attributes before @data"},
        {"@relation x\n@attribute a real\n", "expected @data, found the end"},
        {"@relation x\nrubbish\n", "t.arff:2: expected @attribute or @data"},
        {"@relation x\n@attribute a real\n@attribute b real\n@data\n{1 2}\n", "t.arff:5: expected 2 columns"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(open_with(&d, "t.arff", wrong[i][0], ""), HD_E_DATA);
        if (!strstr(hd_last_error(ctx), wrong[i][1])) fail_msg("%s", hd_last_error(ctx));
    }
}

/* ---- as the model's table ---- */

static char *like_of(const char *text, const char *options) {
    hd_dataset *d = opened(text, options);
    char *like = malloc(4096);
    assert_non_null(like);
    (void)snprintf(like, 4096, ",\"like\":%s", hd_data_get_info(d).encoding);
    hd_data_free(d);
    return like;
}

static void another_table_becomes_the_same_numbers(void **state) {
    (void)state;
    char *like = like_of("id,sex,age,class\n7,male,3,no\n8,female,5,yes\n9,other,7,yes\n", ",\"ignore\":\"id\"");
    hd_dataset *d = opened("age,class,sex,more\n9,yes,other,x\n", like); /* other order, other columns, one class */
    ROW(d, 0, 0, 0, 1, 9);
    assert_int_equal(hd_data_label(d, 0), 1);
    assert_int_equal(hd_data_get_info(d).classes, 2);
    hd_data_free(d);
    d = opened("1,other,9,no\n", like); /* without names: by place */
    ROW(d, 0, 0, 0, 1, 9);
    hd_data_free(d);
    refused("1,alien,9,no\n", like, "\"alien\" is none of the 3 words of its column");
    refused("1,mle,9,no\n", like, "the nearest is \"male\"");
    refused("1,male,9,maybe\n", like, "none of the 2 words");
    refused("1,male,old,no\n", like, "\"old\" is not a finite number");
    refused("1,male\n", like, "expected 4 columns as in the table");
    refused("age,class\n1,no\n", like, "expected a column \"sex\"");
    char with[5000];
    (void)snprintf(with, sizeof with, "%s,\"missing\":\"zero\"", like);
    d = opened("1,alien,9,no\n", with);
    ROW(d, 0, 0, 0, 0, 9);
    hd_data_free(d);
    (void)snprintf(with, sizeof with, "%s,\"missing\":\"mean\"", like);
    d = opened("1,male,?,no\n", with);
    ROW(d, 0, 0, 1, 0, 5); /* the mean of the first table */
    hd_data_free(d);
    (void)snprintf(with, sizeof with, "%s,\"unlabeled\":true", like);
    d = opened("1,male,4\n", with);
    ROW(d, 0, 0, 1, 0, 4);
    assert_int_equal(hd_data_get_info(d).classes, 0);
    hd_data_free(d);
    d = opened("male,4\n", with); /* the target and what is ignored left out */
    ROW(d, 0, 0, 1, 0, 4);
    hd_data_free(d);
    d = opened("age,sex\n4,male\n", with);
    ROW(d, 0, 0, 1, 0, 4);
    hd_data_free(d);
    (void)snprintf(with, sizeof with, "%s,\"unlabeled\":true,\"text\":\"1,female,2\"", like);
    d = opened("", with);
    ROW(d, 0, 1, 0, 0, 2);
    hd_data_free(d);
    free(like);
}

static void a_damaged_encoding_is_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "{}",
        "{\"columns\":[]}",
        "{\"columns\":[3]}",
        "{\"columns\":[{\"role\":\"x\"}]}",
        "{\"columns\":[{\"role\":\"target\"}]}",
        "{\"columns\":[{\"fill\":\"x\"}]}",
        "{\"columns\":[{\"fill\":7,\"words\":[\"a\",\"b\"]}]}",
        "{\"columns\":[{\"words\":[1]}]}",
        "{\"columns\":[{}],\"missing\":\"x\"}",
    };
    char with[300];
    hd_dataset *d;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        (void)snprintf(with, sizeof with, ",\"like\":%s", wrong[i]);
        assert_int_equal(open_with(&d, "t.csv", "1,0\n2,1\n", with), HD_E_MODEL);
    }
    assert_int_equal(open_with(&d, "t.csv", "1,0\n2,1\n", ",\"like\":3"), HD_E_DATA);
}

static void targets_come_from_a_file_of_their_own(void **state) {
    (void)state;
    char y[4300];
    (void)snprintf(y, sizeof y, ",\"y\":\"%s\"", save_file("y.txt", "0.5\n1.5\n", 8));
    hd_dataset *d = opened("1 2\n3 4\n", y);
    float v;
    hd_data_values(d, 1, &v);
    assert_true(v == 1.5f && hd_data_get_info(d).classes == 0);
    ROW(d, 1, 3, 4);
    hd_data_free(d);
    refused("1 2\n3 4\n5 6\n", y, "2 lines of targets for 3 of inputs");
    (void)snprintf(y, sizeof y, ",\"y\":\"%s\"", save_file("y.txt", "cat\ndog\n", 8));
    d = opened("1 2\n3 4\n", y);
    assert_string_equal(hd_data_get_info(d).class_names[1], "dog");
    hd_data_free(d);
}

static hd_status open_words(hd_context *c, void *source) {
    hd_dataset *d;
    hd_status status = hd_data_open(&d, c, source, "/nowhere");
    if (status == HD_OK) hd_data_free(d);
    return status;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    static const char text[] = "w,v,c\nx,1,a\n\"y\"\"z\",?,b\n\"p\nq\",3,a\n";
    char *like = like_of(text, ",\"missing\":\"mean\""), source[6000];
    (void)snprintf(source, sizeof source, "{\"path\":\"%s/t.csv\",\"missing\":\"mean\"}", folder);
    assert_true(fail_every_allocation(open_words, source) > 20);
    (void)snprintf(source, sizeof source, "{\"path\":\"%s/t.csv\"%s}", folder, like);
    assert_true(fail_every_allocation(open_words, source) > 20);
    free(like);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_one_column_each),
        cmocka_unit_test(missing_cells_are_refused_or_filled),
        cmocka_unit_test(missing_cells_are_filled_by_the_training_part),
        cmocka_unit_test(columns_do_not_mix_numbers_and_words),
        cmocka_unit_test(columns_are_chosen_by_name_and_number),
        cmocka_unit_test(ranges_of_names_are_refused),
        cmocka_unit_test(quotes_hold_separators_quotes_and_line_ends),
        cmocka_unit_test(headers_are_found_by_looking),
        cmocka_unit_test(one_hot_targets_are_classes),
        cmocka_unit_test(categories_are_named_by_their_values),
        cmocka_unit_test(arff_says_its_columns),
        cmocka_unit_test(another_table_becomes_the_same_numbers),
        cmocka_unit_test(a_damaged_encoding_is_refused),
        cmocka_unit_test(targets_come_from_a_file_of_their_own),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, data_set_up, data_tear_down);
}
