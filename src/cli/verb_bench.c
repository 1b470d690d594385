/* verb_bench.c: owns `hadal bench`: the time of one step of a network, beside what the machine can do at all. */
#include "cli/arguments.h"
#include "cli/describe.h"
#include "cli/fma_ceiling.h"
#include "cli/json_out.h"
#include "cli/kernel_table.h"
#include "cli/screen.h"
#include "cli/tune_say.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST_STEPS = 11, MOST_STEPS = 20000 };
static const double MEASURE_SECONDS = 1.5, WARM_UP_SECONDS = 0.3;

typedef struct bench {
    hd_model *model;
    hd_recipe *recipe;
    hd_program *program;
    hd_program_facts facts;
    hd_tuning *tuning; /* the machine's, or NULL */
    hd_tune_result tuned;
    int64_t batch, steps;
    bool infer;
    const char *optimizer;
    double median, fastest; /* seconds */
    double ceiling;         /* GFLOP/s */
    const char *dtype;
    void *x, *target;
} bench;

/* Reproducible numbers between −1 and 1; what they are does not matter to the time (no zeros, no denormals). */
static double next_number(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
    return (double)(*state >> 11) * 0x1p-52 - 1;
}

static hd_status fill(cli *c, bench *b, const char *name, int64_t classes, void **out) {
    hd_type type = hd_program_type(b->program, name);
    int64_t n = hd_dims_count(&type.dims);
    uint64_t state = 1;
    const bool index = strcmp(name, "x") == 0 && classes > 1;
    if (n < 0) return cli_fail(c, HD_E_MODEL, "bench|the network has no input \"%s\"|", name);
    *out = calloc((size_t)n + 1, 8);
    if (!*out) return cli_no_memory(c);
    for (int64_t i = 0; i < n; i++) {
        double v = next_number(&state);
        switch (type.dtype) {
        case HD_F32:
            ((float *)*out)[i] = index ? (float)((int64_t)(fabs(v) * (double)classes) % classes) : (float)v;
            break;
        case HD_F64: ((double *)*out)[i] = v; break;
        case HD_I64: ((int64_t *)*out)[i] = (int64_t)(fabs(v) * (double)classes) % classes; break;
        case HD_I32: ((int32_t *)*out)[i] = (int32_t)(fabs(v) * (double)classes) % (int32_t)classes; break;
        default: ((unsigned char *)*out)[i] = (unsigned char)(v > 0); break;
        }
    }
    return cli_lib(c, hd_program_set(b->program, name, *out));
}

/* SGD with momentum 0.9 unless the call says otherwise; then the recipe's. */
static hd_optimizer chosen_optimizer(const cli *c, const hd_json *tree) {
    bool said = false;
    for (int i = 0; i < c->option_count; i++) {
        const hd_recipe_key *k = c->options[i].flag ? NULL : hd_recipe_key_find(c->options[i].key);
        said |= k && strncmp(k->name, "train.optimizer", 15) == 0;
    }
    if (!said) return hd_sgd(.lr = 0.01, .momentum = 0.9);
    hd_optimizer o = {.name = tree_text(tree, "train.optimizer.name", "adamw")};
    for (const char *const *name = hd_optimizer_names(); *name; name++)
        if (strcmp(*name, o.name) == 0) o.name = *name; /* lives longer than the tree */
    const hd_json *section = hd_json_get(hd_json_get(tree, "train"), "optimizer");
    for (const hd_json *v = section ? section->child : NULL; v; v = v->next)
        if (v->type != HD_JSON_STRING && v->type != HD_JSON_NULL)
            (void)hd_optimizer_set(&o, v->key, v->type == HD_JSON_BOOL ? v->boolean : v->number);
    return o;
}

/* Measures, and keeps what was chosen for this and later calls. */
static hd_status tune(cli *c, bench *b, hd_target target, const hd_compile_args *args) {
    const hd_tune_args how = tuning_args(c);
    if (!args->tuning) return tuning_missing(c);
    const hd_status status = cli_lib(c, hd_tune(target, args, &how, &b->tuned));
    screen_clear_line(c);
    if (status != HD_OK) return status;
    tuning_say(c, &b->tuned);
    return tuning_save(c, b->tuning);
}

static hd_status compile(cli *c, bench *b) {
    hd_arena arena = {.ctx = c->ctx};
    hd_json *tree = NULL;
    hd_model_info info;
    hd_status status = open_shape(c, c->things[0], cli_get(c, "data"), &b->model, &b->recipe);
    if (status == HD_OK) status = cli_lib(c, hd_model_get_info(b->model, &info));
    if (status == HD_OK) status = recipe_tree(c, b->recipe, &arena, &tree);
    if (status == HD_OK) {
        b->batch = (int64_t)tree_number(tree, "train.batch_size", 128);
        hd_optimizer optimizer = chosen_optimizer(c, tree);
        b->optimizer = optimizer.name;
        hd_target target =
            b->infer ? hd_forward(hd_model_output(b->model)) : hd_train_step(hd_model_loss(b->model), optimizer);
        hd_compile_args args = {.batch = b->batch,
                                .store = hd_model_store(b->model),
                                .backend = cli_get(c, "backend"),
                                .precision =
                                    strcmp(tree_text(tree, "train.precision", "f32"), "bf16") == 0 ? "bf16" : "f32",
                                .tuning = b->tuning,
                                .exact = cli_has(c, "exact")};
        b->dtype = args.precision;
        if (cli_has(c, "tune")) status = tune(c, b, target, &args);
        if (status == HD_OK) status = cli_lib(c, hd_compile_with(&b->program, target, &args));
    }
    hd_arena_free(&arena);
    if (status != HD_OK) return status;
    b->facts = hd_program_get_facts(b->program);
    status = fill(c, b, "x", info.codes > 0 ? info.codes : 1, &b->x);
    if (status == HD_OK && !b->infer) status = fill(c, b, "target", info.outputs > 1 ? info.outputs : 2, &b->target);
    return status;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Steps until both enough of them and enough time have gone by; the median is what one takes. */
static hd_status measure(cli *c, bench *b) {
    double *times = calloc(MOST_STEPS, sizeof *times);
    if (!times) return cli_no_memory(c);
    int64_t wanted = b->steps > 0 ? b->steps : MOST_STEPS, n = 0;
    hd_status status = HD_OK;
    for (double begin = cli_clock(), now = begin; status == HD_OK && (n < 3 || now - begin < WARM_UP_SECONDS); n++) {
        status = cli_lib(c, hd_program_run(b->program));
        now = cli_clock();
        if (n >= 1 && b->steps > 0 && n >= b->steps) break;
    }
    double begin = cli_clock(), before = begin;
    for (n = 0; status == HD_OK && n < wanted; n++) {
        status = cli_lib(c, hd_program_run(b->program));
        double now = cli_clock();
        times[n] = now - before;
        before = now;
        if (b->steps == 0 && n + 1 >= FEWEST_STEPS && now - begin > MEASURE_SECONDS) {
            n++;
            break;
        }
        if (cli_interrupted())
            status = cli_fail(c, HD_E_INTERRUPTED, "bench|interrupted after %lld steps|", (long long)n + 1);
    }
    if (status == HD_OK) {
        qsort(times, (size_t)n, sizeof *times, by_size);
        b->steps = n;
        b->median = times[n / 2];
        b->fastest = times[0];
    }
    free(times);
    return status;
}

static void tell_tuning(json_out *j, const bench *b) {
    const hd_tuning_facts f = b->tuning ? hd_tuning_get_facts(b->tuning) : (hd_tuning_facts){0};
    json_int(j, "tuned", b->facts.tuned);
    json_int(j, "tuning_entries", f.entries);
    json_int(j, "tuning_skipped", f.skipped);
    if (b->tuned.shapes == 0) return;
    hd_jw_key(&j->w, "tune");
    hd_jw_begin(&j->w, '{');
    json_number(j, "seconds", b->tuned.seconds);
    json_int(j, "shapes", b->tuned.shapes);
    json_int(j, "candidates", b->tuned.candidates);
    json_int(j, "changed", b->tuned.changed);
    json_number(j, "before_ms", 1e3 * b->tuned.before);
    json_number(j, "after_ms", 1e3 * b->tuned.after);
    json_number(j, "step_before_ms", 1e3 * b->tuned.step_before);
    json_number(j, "step_after_ms", 1e3 * b->tuned.step_after);
    hd_jw_end(&j->w);
}

static hd_status tell_json(cli *c, const bench *b, double gflops, const hd_json *kernels) {
    json_out j;
    json_begin(c, &j);
    json_string(&j, "model", c->things[0]);
    json_string(&j, "mode", b->infer ? "infer" : "train");
    json_string(&j, "dtype", b->dtype);
    json_int(&j, "batch_size", b->batch);
    if (!b->infer) json_string(&j, "optimizer", b->optimizer);
    json_number(&j, "ms", b->median * 1e3);
    json_number(&j, "ms_fastest", b->fastest * 1e3);
    json_int(&j, "steps", b->steps);
    json_number(&j, "per_second", (double)b->batch / b->median);
    json_number(&j, "gflops", gflops);
    json_number(&j, "ceiling_gflops", b->ceiling);
    json_number(&j, "ceiling_share", gflops / b->ceiling);
    json_int(&j, "peak_bytes", (int64_t)cli_peak_bytes());
    json_int(&j, "plan_bytes", (int64_t)hd_program_memory(b->program).total);
    json_int(&j, "threads", hd_context_threads(c->ctx));
    json_string(&j, "isa", hd_context_isa(c->ctx));
    json_int(&j, "kernel_calls", b->facts.steps);
    if (strcmp(b->dtype, "bf16") == 0) {
        json_int(&j, "bf16_native", b->facts.bf16_native);
        json_int(&j, "bf16_emulated", b->facts.bf16_emulated);
    }
    json_int(&j, "reorders", b->facts.reorders);
    json_int(&j, "weight_reorders", b->facts.weight_reorders);
    json_number(&j, "reorder_bytes", b->facts.reorder_bytes);
    tell_tuning(&j, b);
    if (kernels) hd_jw_key(&j.w, "kernels"), hd_jw_value(&j.w, kernels);
    return json_end(c, &j);
}

/* "3.21 µs", "4.7 ms" */
static const char *text_step(char *buffer, double seconds) {
    double v = seconds < 1e-3 ? seconds * 1e6 : seconds < 1 ? seconds * 1e3 : seconds;
    (void)snprintf(buffer, 64, "%.*f %s",
                   v < 9.95   ? 2
                   : v < 99.5 ? 1
                              : 0,
                   v,
                   seconds < 1e-3 ? "µs"
                   : seconds < 1  ? "ms"
                                  : "s");
    return buffer;
}

static void say_result(cli *c, const bench *b, double gflops) {
    char step[64], fastest[64], rate[64], peak[64], plan[64], steps[64];
    say_fact(c, "step", "%s (median of %s, fastest %s) · %s samples/s", text_step(step, b->median),
             text_count(steps, b->steps), text_step(fastest, b->fastest),
             text_rate(rate, (double)b->batch / b->median));
    say_fact(c, "work", "%.*f GFLOP/s, %.0f %% of the %.0f that %d thread%s of this machine can do (%s, %s)",
             gflops < 10 ? 2 : 0, gflops, 100 * gflops / b->ceiling, b->ceiling, hd_context_threads(c->ctx),
             hd_context_threads(c->ctx) == 1 ? "" : "s", hd_context_isa(c->ctx),
             b->facts.bf16_native > 0 ? "bf16" : "f32");
    if (b->facts.bf16_emulated > 0)
        say_fact(c, "bf16", "%d of %d products emulated: rounded to bf16, multiplied in f32", b->facts.bf16_emulated,
                 b->facts.bf16_emulated + b->facts.bf16_native);
    say_fact(c, "memory", "plan %s · peak of the process %s",
             text_bytes(plan, (double)hd_program_memory(b->program).total), text_bytes(peak, (double)cli_peak_bytes()));
    say_fact(c, "calls", "%d kernel calls a step, %d changes of layout, %d of weights", b->facts.steps,
             b->facts.reorders, b->facts.weight_reorders);
    if (b->tuning) {
        const hd_tuning_facts f = hd_tuning_get_facts(b->tuning);
        tuning_say_used(c, &f);
    }
}

/* The kernels of the program, each timed; the tree lives in the arena. */
static hd_status list_kernels(cli *c, bench *b, hd_arena *arena, hd_json **out) {
    char *text = NULL;
    CLI_TRY(c, hd_program_profile(b->program, 20));
    CLI_TRY(c, hd_program_kernels(b->program, &text));
    const hd_status status = cli_lib(c, hd_json_parse(out, arena, "kernels", text, strlen(text)));
    hd_memory_free(c->ctx, text);
    return status;
}

static hd_status run_bench(cli *c) {
    bench b = {.infer = cli_has(c, "infer")};
    hd_json *kernels = NULL;
    hd_status status = cli_context(c);
    if (status == HD_OK) status = cli_get_int(c, "steps", 1, MOST_STEPS, &b.steps);
    if (status != HD_OK) return status;
    cli_catch_signals();
    hd_arena arena = {.ctx = c->ctx};
    status = tuning_open(c, &b.tuning);
    if (status == HD_OK) status = compile(c, &b);
    if (status == HD_OK && !c->json)
        say_fact(c, "bench", "%s, one %s step, batch %lld, %s%s%s", c->things[0], b.infer ? "prediction" : "training",
                 (long long)b.batch, b.dtype, b.infer ? "" : ", ", b.infer ? "" : b.optimizer);
    if (status == HD_OK) status = measure(c, &b);
    if (status == HD_OK && cli_has(c, "kernels")) status = list_kernels(c, &b, &arena, &kernels);
    if (status == HD_OK) {
        const char *unit = b.facts.bf16_native > 0 ? "bf16" : hd_context_isa(c->ctx);
        b.ceiling = ceiling_gflops(unit, hd_context_threads(c->ctx));
        double gflops = b.facts.flops / b.median / 1e9;
        if (c->json)
            status = tell_json(c, &b, gflops, kernels);
        else
            say_result(c, &b, gflops);
    }
    if (status == HD_OK && kernels && !c->json) say_kernels(c, kernels);
    hd_arena_free(&arena);
    hd_program_free(b.program);
    hd_tuning_free(b.tuning);
    hd_model_free(b.model);
    hd_recipe_free(b.recipe);
    free(b.x);
    free(b.target);
    return status;
}

static const cli_flag flags[] = {
    {"infer", NULL, "a prediction step instead of a training step"},
    {"steps", "N", "measure so many steps (default: about 1.5 s of them)"},
    {"data", "DATA", "give the network the shape of these data (default: its published shape)"},
    {"kernels", NULL, "who runs each node, how long, in which order of memory, and who refused and why"},
    {"exact", NULL, "direct kernels only: no Winograd"},
    {"backend", "NAME", "default, or ref (plain loops)"},
    {"tune", NULL, "first time every way to do its convolutions and products, and keep the best for this machine"},
    {"threads", "N", "1 … 256 (default: all processors)"},
    {"mem", "SIZE", "hold at most this much memory, as 512MB or 8GB"},
    CLI_FLAG_END};

const cli_verb cli_verb_bench = {
    .name = "bench",
    .summary = "the time of one step, beside what the machine can do",
    .things = "MODEL",
    .about =
        "Runs training steps (or predictions) of a network on random inputs and prints the median. The ceiling is\n"
        "measured in the same run: multiply-adds that touch no memory. The optimiser is SGD with momentum 0.9\n"
        "unless said. MODEL as for summary.\n\n"
        "--tune measures the kernels of this network (up to a minute or two) and writes the choices, by shape and\n"
        "for this machine, into $HADAL_TUNE (default: ~/.cache/hadal/tune.json). bench and train follow this table\n"
        "where there is one. It does not depend on the number of threads, and no clock decides during a run.",
    .flags = flags,
    .recipe = "",
    .example = "hadal bench cnn-small --batch-size 128 --optimizer adam",
    .min_things = 1,
    .max_things = 1,
    .run = run_bench,
};
