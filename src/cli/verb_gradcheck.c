/* verb_gradcheck.c: owns `hadal gradcheck`: back-propagation of a whole network against differences of its loss. */
#include "cli/arguments.h"
#include "cli/json_out.h"
#include "cli/screen.h"

static hd_status tell_json(cli *c, const hd_gradcheck *g, const hd_gradcheck_args *a) {
    json_out j;
    json_begin(c, &j);
    json_string(&j, "model", c->things[0]);
    hd_jw_key(&j.w, "ok");
    hd_jw_bool(&j.w, g->ok);
    json_number(&j, "max_relative_error", g->max_relative_error);
    json_number(&j, "loss", g->loss);
    json_number(&j, "eps", a->eps);
    json_number(&j, "atol", a->atol);
    json_number(&j, "rtol", a->rtol);
    hd_jw_key(&j.w, "tensors");
    hd_jw_begin(&j.w, '[');
    for (int32_t i = 0; i < g->count; i++) {
        const hd_gradcheck_tensor *t = &g->tensor[i];
        hd_jw_begin(&j.w, '{');
        json_string(&j, "name", t->name);
        json_dims(&j, "shape", &t->dims);
        hd_jw_key(&j.w, "ok");
        hd_jw_bool(&j.w, t->ok);
        json_number(&j, "relative_error", t->relative_error);
        json_number(&j, "backward", t->backward);
        json_number(&j, "difference", t->difference);
        json_int(&j, "compared", t->compared);
        json_int(&j, "kinks", t->kinks);
        hd_jw_end(&j.w);
    }
    hd_jw_end(&j.w);
    return json_end(c, &j);
}

static void say_tensors(cli *c, const hd_gradcheck *g, const hd_gradcheck_args *a) {
    char dims[64], backward[64], difference[64], error[64], compared[64];
    table t;
    table_open(&t, "llrrrrl");
    table_row(&t, (const char *const[]){"parameter", "shape", "backward", "difference", "error", "compared", ""});
    for (int32_t i = 0; i < g->count; i++) {
        const hd_gradcheck_tensor *p = &g->tensor[i];
        (void)snprintf(backward, sizeof backward, "%.6g", p->backward);
        (void)snprintf(difference, sizeof difference, "%.6g", p->difference);
        (void)snprintf(error, sizeof error, "%.1e", p->relative_error);
        (void)snprintf(compared, sizeof compared, "%lld", (long long)p->compared);
        table_row(&t, (const char *const[]){p->name, text_dims(dims, &p->dims), backward, difference, error, compared,
                                            !p->ok     ? "WRONG"
                                            : p->kinks ? "near a kink at times"
                                                       : ""});
    }
    table_print(c, &t, true, 0);
    say(c, "\n%s%s%s   largest relative error %.1e, allowed %.0e (and %.0e absolute); step %.0e, in f64\n",
        screen_style_code(c, g->ok ? GOOD : WARN), g->ok ? "the gradient is right" : "the gradient is WRONG",
        screen_style_code(c, PLAIN), g->max_relative_error, a->rtol, a->atol, a->eps);
}

static hd_status read_flags(cli *c, hd_gradcheck_args *a) {
    hd_status status = cli_get_float(c, "eps", &a->eps);
    if (status == HD_OK) status = cli_get_float(c, "atol", &a->atol);
    if (status == HD_OK) status = cli_get_float(c, "rtol", &a->rtol);
    if (status == HD_OK) status = cli_get_int(c, "samples", 1, 1024, &a->batch);
    if (status == HD_OK) status = cli_get_int(c, "elements", 1, 1000000, &a->elements);
    if (status == HD_OK && !(a->eps > 0 && a->atol > 0 && a->rtol > 0))
        return cli_fail(c, HD_E_USAGE, "gradcheck|eps, atol and rtol are to be above 0|");
    return status;
}

static hd_status run_gradcheck(cli *c) {
    hd_model *model = NULL;
    hd_recipe *recipe = NULL;
    hd_model_info info;
    hd_gradcheck check = {0};
    hd_gradcheck_args args = {.eps = 1e-6, .atol = 1e-5, .rtol = 1e-3, .batch = 2, .elements = 4};
    hd_status status = cli_context(c);
    if (status == HD_OK) status = read_flags(c, &args);
    if (status != HD_OK) return status;
    CLI_TRY_TO(end, c, open_shape(c, c->things[0], cli_get(c, "data"), &model, &recipe));
    CLI_TRY_TO(end, c, hd_model_get_info(model, &info));
    args.classes = info.classes > 0 ? info.classes : 2;
    CLI_TRY_TO(end, c, hd_gradcheck_run(&check, hd_model_loss(model), &args));
    if (c->json)
        status = tell_json(c, &check, &args);
    else
        say_tensors(c, &check, &args);
    if (status == HD_OK && !check.ok) status = HD_E_CHECK;
end:
    hd_gradcheck_free(&check);
    hd_model_free(model);
    hd_recipe_free(recipe);
    return status;
}

static const cli_flag flags[] = {
    {"data", "DATA", "give the network the shape of these data (default: the recipe's, else its published shape)"},
    {"samples", "N", "random samples in the batch (default 2)"},
    {"elements", "N", "numbers moved one by one in each tensor, beside two random directions (default 4)"},
    {"eps", "X", "step of the differences (default 1e-6)"},
    {"atol", "X", "allowed absolute difference (default 1e-5)"},
    {"rtol", "X", "allowed relative difference (default 1e-3)"},
    {"threads", "N", "threads (default: all processors)"},
    CLI_FLAG_END};

const cli_verb cli_verb_gradcheck = {
    .name = "gradcheck",
    .summary = "the gradient of a network against differences",
    .things = "MODEL",
    .about = "Builds the network in f64, draws samples and weights at random, and compares back-propagation with\n"
             "(loss(w + eps) - loss(w - eps)) / (2 eps) for every parameter: along random directions and for single\n"
             "numbers. Where the loss has a kink within eps nothing is compared. Exit code 8 when they differ.",
    .flags = flags,
    .recipe = "",
    .example = "hadal gradcheck 4-5-sigmoid-3",
    .min_things = 1,
    .max_things = 1,
    .run = run_gradcheck,
};
