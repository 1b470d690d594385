/* test_errors.c: the errors that people meet most, as one table: status, and the parts where, what, fix. Programs and
 * people search for these texts; a change of one should be meant. */
#include "support.h"

#include "hadal/hadal.h"

/* Each provokes one error in a fresh context. */
typedef hd_status (*provoke)(hd_context *ctx);

static hd_status of_graph(hd_context *ctx, hd_val (*build)(hd_graph *g)) {
    hd_graph *g;
    hd_program *p = NULL;
    hd_status status = hd_graph_new(&g, ctx);
    if (status == HD_OK) status = hd_compile(&p, hd_forward(build(g)), HD_DEVICE_AUTO);
    if (status == HD_OK) status = hd_program_run(p);
    hd_program_free(p);
    hd_graph_free(g);
    return status;
}

static hd_val x_of(hd_graph *g) {
    return hd_input(g, "x", HD_F32, HD_DIMS(4, 3));
}
static hd_val wide_weights(hd_graph *g) {
    const hd_val w = hd_param(g, "w", HD_F32, HD_DIMS(2, 5), HD_ZEROS);
    return hd_linear_at((hd_loc){"net.c", 7, 0}, &(hd_linear_args){.x = x_of(g), .w = w});
}
static hd_val twice_named(hd_graph *g) {
    const hd_val a = hd_param_at((hd_loc){"net.c", 3, 0}, g, "w", HD_F32, HD_DIMS(3), HD_ZEROS);
    return hd_add(a, hd_param_at((hd_loc){"net.c", 4, 0}, g, "w", HD_F32, HD_DIMS(3), HD_ZEROS));
}
static hd_val integers(hd_graph *g) {
    return hd_tanh_at((hd_loc){"net.c", 9, 0}, &(hd_unary_args){.x = hd_input(g, "i", HD_I64, HD_DIMS(2))});
}
static hd_status shapes(hd_context *ctx) {
    return of_graph(ctx, wide_weights);
}
static hd_status names(hd_context *ctx) {
    return of_graph(ctx, twice_named);
}
static hd_status dtypes(hd_context *ctx) {
    return of_graph(ctx, integers);
}
static hd_status unbound(hd_context *ctx) {
    return of_graph(ctx, x_of);
}

static hd_status parse(hd_context *ctx, const char *text) {
    hd_graph *g;
    const hd_status status = hd_graph_parse(&g, ctx, "net.txt", text);
    if (status == HD_OK) hd_graph_free(g);
    return status;
}
static hd_status unknown_op(hd_context *ctx) {
    return parse(ctx, "hadal graph 1\n%0 \"x\" = input f32[B,3]\n%1 = sigmoyd(%0) : f32[B,3]\n");
}
static hd_status unknown_option(hd_context *ctx) {
    return parse(ctx, "hadal graph 1\n%0 \"x\" = input f32[B,3]\n%1 = softmax(%0) axs=1 : f32[B,3]\n");
}

static hd_status small_memory(hd_context *ctx) {
    hd_graph *g;
    hd_program *p = NULL;
    hd_status status = hd_graph_new(&g, ctx);
    if (status == HD_OK)
        status = hd_compile_with(&p, hd_forward(hd_relu(x_of(g))), &(hd_compile_args){.memory_limit = 10});
    hd_program_free(p);
    hd_graph_free(g);
    return status;
}
static hd_status unknown_input(hd_context *ctx) {
    hd_graph *g;
    hd_program *p = NULL;
    hd_status status = hd_graph_new(&g, ctx);
    if (status == HD_OK) status = hd_compile(&p, hd_forward(hd_relu(x_of(g))), HD_DEVICE_AUTO);
    if (status == HD_OK) status = hd_program_set(p, "X", "");
    hd_program_free(p);
    hd_graph_free(g);
    return status;
}

/* ---- recipes and models ---- */

static hd_status recipe(hd_context *ctx, const char *text) {
    hd_recipe *r;
    hd_model *m;
    hd_status status = hd_recipe_parse(&r, ctx, "r.json", text);
    if (status != HD_OK) return status;
    status = hd_model_new(&m, r, NULL);
    if (status == HD_OK) hd_model_free(m);
    hd_recipe_free(r);
    return status;
}
static hd_status key(hd_context *ctx) {
    return recipe(ctx, "{\"train\":\n  {\"epoch\": 3}}");
}
static hd_status key_elsewhere(hd_context *ctx) {
    return recipe(ctx, "{\"epochs\": 3}");
}
static hd_status value_type(hd_context *ctx) {
    return recipe(ctx, "{\"train\": {\"epochs\": \"many\"}}");
}
static hd_status value_range(hd_context *ctx) {
    return recipe(ctx, "{\"train\": {\"batch_size\": 0}}");
}
static hd_status value_choice(hd_context *ctx) {
    return recipe(ctx, "{\"train\": {\"optimizer\": \"adm\"}}");
}
static hd_status model_name(hd_context *ctx) {
    return recipe(ctx, "{\"model\": \"cnn-smal\"}");
}
static hd_status layer_name(hd_context *ctx) {
    return recipe(ctx, "{\"model\": [\"flatten\", {\"linaer\": {\"out_features\": 3}}]}");
}
static hd_status json_syntax(hd_context *ctx) {
    return recipe(ctx, "{\"train\": {\"epochs\": 3]}");
}
static hd_status set_key(hd_context *ctx) {
    hd_recipe *r;
    hd_status status = hd_recipe_new(&r, ctx);
    if (status == HD_OK) status = hd_recipe_set(r, "momentun", "0.9");
    hd_recipe_free(r);
    return status;
}
static hd_status no_recipe(hd_context *ctx) {
    hd_recipe *r;
    return hd_recipe_load(&r, ctx, "no/such/recipe.json");
}
static hd_status no_model(hd_context *ctx) {
    hd_model *m;
    return hd_model_open(&m, ctx, "no/such/run");
}

/* ---- data ---- */

static hd_status open_data(hd_context *ctx, const char *source) {
    hd_dataset *d;
    const hd_status status = hd_data_open(&d, ctx, source, "no/such/folder");
    if (status == HD_OK) hd_data_free(d);
    return status;
}
static hd_status no_file(hd_context *ctx) {
    return open_data(ctx, "no/such/table.csv");
}
static hd_status no_name(hd_context *ctx) {
    return open_data(ctx, "minst");
}
static hd_status not_there(hd_context *ctx) {
    return open_data(ctx, "usps");
}
static hd_status arrays(hd_context *ctx, const float *x, const int64_t *labels, int64_t classes) {
    hd_dataset *d;
    const hd_data_arrays a = {.x = x, .sample = HD_DIMS(1), .n = 3, .labels = labels, .classes = classes};
    const hd_status status = hd_data_from_arrays(&d, ctx, &a);
    if (status == HD_OK) hd_data_free(d);
    return status;
}
static hd_status label_range(hd_context *ctx) {
    return arrays(ctx, (const float[]){1, 2, 3}, (const int64_t[]){0, 1, 2}, 2);
}
static hd_status one_class(hd_context *ctx) {
    return arrays(ctx, (const float[]){1, 2, 3}, (const int64_t[]){0, 0, 0}, 0);
}
static hd_status not_finite(hd_context *ctx) {
    const double zero = 0;
    return arrays(ctx, (const float[]){1, (float)(1 / zero), 3}, (const int64_t[]){0, 1, 0}, 2);
}
static hd_status no_targets(hd_context *ctx) {
    return arrays(ctx, (const float[]){1, 2, 3}, NULL, 2);
}
static hd_status no_picture(hd_context *ctx) {
    float x[4];
    const hd_picture_args args = {.sample = HD_DIMS(1, 2, 2), .high = 255};
    return hd_picture_read(ctx, "no/such/picture.png", &args, x, NULL, 0);
}

/* ---- the table: an empty part must be empty; else it must contain the text ---- */

static const struct {
    const char *name;
    provoke provoke;
    hd_status status;
    const char *where, *what, *fix;
} table[] = {
    {"shapes", shapes, HD_E_MODEL, "net.c:7", "weight [2,5] expects 5 input features, input x is [4,3]", ""},
    {"names", names, HD_E_MODEL, "net.c:4", "parameter \"w\": the name is taken", "a name of its own"},
    {"dtypes", dtypes, HD_E_MODEL, "net.c:9", "x must be f32 or f64 (or bf16), it is i64; cast it first", ""},
    {"unbound", unbound, HD_E_USAGE, "program", "input \"x\" is not bound", "Call hd_program_set first"},
    {"unknown_op", unknown_op, HD_E_MODEL, "net.txt:3:13", "there is no op \"sigmoyd\"", "Did you mean sigmoid?"},
    {"unknown_option", unknown_option, HD_E_MODEL, "net.txt:3:21", "\"axs\" is not an option of this op",
     "Did you mean axis?"},
    {"small_memory", small_memory, HD_E_MEMORY, "compile", "bytes, the limit is 10", "Use a smaller batch"},
    {"unknown_input", unknown_input, HD_E_USAGE, "program", "it has no input \"X\"", "Its first input is \"x\""},
    {"key", key, HD_E_MODEL, "r.json:2:4", "unknown key \"epoch\"", "Did you mean epochs?"},
    {"key_elsewhere", key_elsewhere, HD_E_MODEL, "r.json:1:2", "unknown key \"epochs\"",
     "It belongs elsewhere: train.epochs"},
    {"value_type", value_type, HD_E_MODEL, "r.json:1:22", "train.epochs takes a whole number, not \"many\"",
     "times through the training part"},
    {"value_range", value_range, HD_E_MODEL, "r.json:1:26", "train.batch_size is 1 or more, not 0", ""},
    {"value_choice", value_choice, HD_E_MODEL, "r.json:1:25", "train.optimizer.name can not be \"adm\"",
     "Did you mean adam?"},
    {"model_name", model_name, HD_E_MODEL, "r.json:1:11", "unknown model \"cnn-smal\"", "Did you mean cnn-small?"},
    {"layer_name", layer_name, HD_E_MODEL, "r.json:1:24", "unknown layer \"linaer\"", "Did you mean linear?"},
    {"json_syntax", json_syntax, HD_E_MODEL, "r.json:1:", "expected", ""},
    {"set_key", set_key, HD_E_USAGE, "momentun", "no recipe has this key", "Did you mean momentum?"},
    {"no_recipe", no_recipe, HD_E_FILE, "no/such/recipe.json", "can not be opened: No such file", "Check the path"},
    {"no_model", no_model, HD_E_FILE, "no/such/run", "can not be opened: No such file", "Check the path"},
    {"no_file", no_file, HD_E_FILE, "no/such/table.csv", "no such file or folder", ""},
    {"no_name", no_name, HD_E_DATA, "minst", "neither a data set's name nor a file or folder", "Did you mean mnist?"},
    {"not_there", not_there, HD_E_DATA, "usps", "the data set is not in no/such/folder/usps", "hadal data get usps"},
    {"label_range", label_range, HD_E_DATA, "arrays", "expected labels 0 … 1, sample 2 has label 2",
     "Say classes=3 or mend it"},
    {"one_class", one_class, HD_E_DATA, "arrays", "expected at least two classes, all 3 samples have label 0",
     "Say classes=N"},
    {"not_finite", not_finite, HD_E_DATA, "arrays", "expected finite numbers, element 0 of sample 1 is inf",
     "Drop or fill it"},
    {"no_targets", no_targets, HD_E_USAGE, "arrays", "expected either labels or values", ""},
    {"no_picture", no_picture, HD_E_FILE, "no/such/picture.png", "can not be opened: No such file", "Check the path"},
};

static bool fits(const char *want, const char *got) {
    return want[0] ? strstr(got, want) != NULL : got[0] == 0;
}

static void errors_say_where_what_and_fix(void **state) {
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        hd_context *ctx = test_context(1);
        const hd_status status = table[i].provoke(ctx);
        const hd_error e = hd_last_error_parts(ctx);
        if (status != table[i].status || e.status != status || !fits(table[i].where, e.where) ||
            !fits(table[i].what, e.what) || !fits(table[i].fix, e.fix)) {
            print_message("%s: %s (expected %s)\n  \"%s\"\n  \"%s\"\n  \"%s\"\n", table[i].name, hd_status_name(status),
                          hd_status_name(table[i].status), e.where, e.what, e.fix);
            wrong++;
        }
        /* the line is its parts */
        const char *line = hd_last_error(ctx);
        if (!strstr(line, e.where) || !strstr(line, e.what) || !strstr(line, e.fix)) wrong++;
        hd_context_free(ctx);
    }
    if (wrong) fail_msg("%d errors differ", wrong);
}

/* Wrong arguments of hd_context_new have no context to tell: the status alone. */
static void contexts_refuse_by_status(void **state) {
    (void)state;
    hd_context *ctx;
    assert_int_equal(hd_context_new(&ctx, &(hd_context_args){.threads = 257}), HD_E_USAGE);
    assert_int_equal(hd_context_new(&ctx, &(hd_context_args){.threads = -1}), HD_E_USAGE);
    assert_int_equal(hd_context_new(&ctx, &(hd_context_args){.isa = "mmx"}), HD_E_USAGE);
    assert_int_equal(hd_context_new(&ctx, &(hd_context_args){.memory_limit = 100}), HD_E_MEMORY);
    assert_null(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_say_where_what_and_fix),
        cmocka_unit_test(contexts_refuse_by_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
