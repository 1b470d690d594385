/* op_bench.c: times single ops, forward alone and with the gradients of their inputs, on request: the half of
 * ops_against_pytorch.py that is ours.
 *     op-bench CASES [THREADS]
 * CASES is a file of lines "name | inputs | op | …", as ops.txt, where it says what they mean. Standard input asks:
 * "name forward" or "name backward", and one line answers: the microseconds of the fastest of some runs, the kernels
 * that ran, or "error" and why. */
#include "hadal/hadal.h"
#include "hadal/op.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE = 1024, CASES = 400, INPUTS = 8 };

typedef struct bench_input {
    char name[16];
    char type[96]; /* "f32[64,10]" */
    int64_t below; /* whole numbers are drawn below this */
    float low;     /* floats are drawn from low on, 2 wide */
    bool gradient;
} bench_input;

typedef struct bench_case {
    char name[48], inputs[LINE], op[LINE];
    bench_input input[INPUTS];
    int count;
    hd_graph *graph[2];
    hd_program *program[2]; /* forward, backward */
    bool failed[2];
    void *data[INPUTS + 1];
} bench_case;

static int threads = 2;

/* One thread: the time that it had a processor, so that what else runs counts little. */
static double now(void) {
    struct timespec t;
    (void)clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static char *trimmed(char *s) {
    while (isspace((unsigned char)*s)) s++;
    size_t n = strlen(s);
    while (n > 0 && isspace((unsigned char)s[n - 1])) s[--n] = '\0';
    return s;
}

/* "a=f32[2,3]", "i=i64[8]<50", "p=f32[9]>0" (from 0 on), "w=f32[3]!" (no gradient is asked for). */
static bool read_input(bench_input *in, char *word) {
    char *type = strchr(word, '=');
    if (!type || (size_t)(type - word) >= sizeof in->name) return false;
    *type++ = '\0';
    *in = (bench_input){.below = 2, .low = -1, .gradient = strncmp(type, "f32", 3) == 0};
    (void)snprintf(in->name, sizeof in->name, "%s", word);
    char *end = strchr(type, ']');
    if (!end || (size_t)(end - type) + 2 > sizeof in->type) return false;
    if (end[1] == '<') in->below = atoll(end + 2);
    if (end[1] == '>') in->low = (float)atof(end + 2);
    if (strchr(end + 1, '!')) in->gradient = false;
    end[1] = '\0';
    (void)snprintf(in->type, sizeof in->type, "%s", type);
    return true;
}

static int read_cases(const char *path, bench_case *all) {
    FILE *f = fopen(path, "r");
    char line[3 * LINE];
    int n = 0;
    while (f && n < CASES && fgets(line, sizeof line, f)) {
        char *rest = line, *part[3] = {0};
        if (*line == '#' || *trimmed(line) == '\0') continue;
        for (int i = 0; i < 3 && rest; i++) {
            part[i] = rest;
            rest = strchr(rest, '|');
            if (rest) *rest++ = '\0';
        }
        if (!part[2]) continue;
        bench_case *c = &all[n++];
        (void)snprintf(c->name, sizeof c->name, "%s", trimmed(part[0]));
        (void)snprintf(c->inputs, sizeof c->inputs, "%s", trimmed(part[1]));
        (void)snprintf(c->op, sizeof c->op, "%s", trimmed(part[2]));
        char words[LINE];
        (void)snprintf(words, sizeof words, "%s", c->inputs);
        for (char *w = strtok(words, " "); w && c->count < INPUTS; w = strtok(NULL, " "))
            if (read_input(&c->input[c->count], w)) c->count++;
    }
    if (f) (void)fclose(f);
    return n;
}

/* The case as a graph's text: inputs by number, then the op's line with names replaced. */
static void write_graph(const bench_case *c, char *out, size_t size) {
    size_t used = (size_t)snprintf(out, size, "hadal graph 1\n");
    for (int i = 0; i < c->count; i++)
        used += (size_t)snprintf(out + used, size - used, "%%%d \"%s\" = input %s\n", i, c->input[i].name,
                                 c->input[i].type);
    char name[48];
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(c->op, "("), c->op);
    const hd_op *op = hd_op_find(NULL, name);
    used += (size_t)snprintf(out + used, size - used, "%%%d \"y\"", c->count);
    for (int i = 1; op && i < op->n_out; i++) used += (size_t)snprintf(out + used, size - used, ", %%%d", c->count + i);
    used += (size_t)snprintf(out + used, size - used, " = ");
    bool inside = false;
    for (const char *s = c->op; *s && used + 24 < size; s++) {
        if (*s == '(') inside = true;
        if (*s == ')') inside = false;
        int found = -1;
        if (inside && (s[-1] == '(' || s[-1] == ','))
            for (int i = 0; i < c->count; i++)
                if (strncmp(s, c->input[i].name, strlen(c->input[i].name)) == 0 &&
                    strchr(",)", s[strlen(c->input[i].name)]))
                    found = i;
        if (found < 0) {
            out[used++] = *s;
            continue;
        }
        used += (size_t)snprintf(out + used, size - used, "%%%d", found);
        s += strlen(c->input[found].name) - 1;
    }
    (void)snprintf(out + used, size - used, "\n");
}

static void *random_data(const hd_type *t, const bench_input *in) {
    const int64_t n = hd_dims_count(&t->dims);
    char *data = malloc((size_t)(n > 0 ? n : 1) * hd_dtype_size(t->dtype));
    uint32_t state = 1;
    for (int64_t i = 0; data && i < n; i++) {
        state = state * 1664525u + 1013904223u;
        const uint32_t word = state >> 8;
        if (t->dtype == HD_F32)
            ((float *)(void *)data)[i] = (in ? in->low : -1) + 2 * (float)word / 16777216.0f;
        else if (t->dtype == HD_I64)
            ((int64_t *)(void *)data)[i] = (int64_t)word % (in ? in->below : 2);
        else
            memset(data + (size_t)i * hd_dtype_size(t->dtype), (int)(word & 1), hd_dtype_size(t->dtype));
    }
    return data;
}

static hd_status add_gradients(const bench_case *c, hd_graph *g, hd_val *target) {
    hd_val of[INPUTS], grads[INPUTS];
    int32_t n = 0;
    const hd_val y = hd_graph_find(g, "y");
    const hd_val dy = hd_input(g, "dy", hd_val_dtype(y), hd_val_dims(y));
    for (int i = 0; i < c->count; i++)
        if (c->input[i].gradient) of[n++] = hd_graph_find(g, c->input[i].name);
    hd_mark_output(y, "y");
    const hd_status status = hd_gradients(y, dy, of, n, grads);
    for (int32_t i = 0; status == HD_OK && i < n; i++) {
        char name[32];
        if (hd_val_is_none(grads[i])) continue;
        (void)snprintf(name, sizeof name, "d%d", i);
        hd_mark_output(grads[i], name);
        *target = grads[i];
    }
    return status;
}

static hd_status make(hd_context *ctx, bench_case *c, int back) {
    char text[4 * LINE];
    write_graph(c, text, sizeof text);
    hd_status status = hd_graph_parse(&c->graph[back], ctx, c->name, text);
    if (status != HD_OK) return status;
    hd_graph *g = c->graph[back];
    hd_val target = hd_graph_find(g, "y");
    if (back) status = add_gradients(c, g, &target);
    if (status == HD_OK)
        status = hd_compile_with(&c->program[back], hd_forward(target), &(hd_compile_args){.train = true});
    for (int i = 0; status == HD_OK && i <= c->count; i++) {
        const char *name = i < c->count ? c->input[i].name : "dy";
        if (hd_program_input(c->program[back], name) < 0) continue;
        const hd_type t = hd_program_type(c->program[back], name);
        if (!c->data[i]) c->data[i] = random_data(&t, i < c->count ? &c->input[i] : NULL);
        status = hd_program_set(c->program[back], name, c->data[i]);
    }
    for (int i = 0; status == HD_OK && i < 2; i++) status = hd_program_run(c->program[back]);
    return status;
}

/* Fastest of the runs that fit into about 20 ms. */
static double fastest(hd_program *p) {
    double best = INFINITY;
    const double begin = now();
    for (int i = 0; i < 3 || (now() - begin < 0.02 && i < 500); i++) {
        const double t = now();
        if (hd_program_run(p) != HD_OK) return NAN;
        best = fmin(best, now() - t);
    }
    return best;
}

/* The kernels of a program, as far as its explanation names them. */
static void print_kernels(hd_context *ctx, const hd_program *p) {
    char *text = NULL;
    if (hd_program_explain(p, &text) != HD_OK) return;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char op[64], kernel[64];
        int step;
        if (sscanf(line, "%d %63s %63s", &step, op, kernel) == 3) printf(" %s:%s", op, kernel);
    }
    hd_memory_free(ctx, text);
}

int main(int argc, char **argv) {
    static bench_case all[CASES];
    char line[256], name[64], what[16];
    hd_context *ctx;
    if (argc > 2) threads = atoi(argv[2]);
    const int n = argc > 1 ? read_cases(argv[1], all) : 0;
    if (n == 0) {
        fprintf(stderr, "op-bench: there are no cases; call it with bench/ops.txt\n");
        return 1;
    }
    if (hd_context_new(&ctx, &(hd_context_args){.threads = threads}) != HD_OK) return 1;
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "%63s %15s", name, what) != 2) break;
        const int back = strcmp(what, "backward") == 0;
        bench_case *c = NULL;
        for (int i = 0; i < n; i++)
            if (strcmp(all[i].name, name) == 0) c = &all[i];
        if (!c) {
            printf("error there is no case %s\n", name);
        } else {
            if (!c->program[back] && !c->failed[back]) c->failed[back] = make(ctx, c, back) != HD_OK;
            if (c->failed[back]) {
                printf("error %s\n", hd_last_error(ctx));
            } else {
                printf("%.3f", 1e6 * fastest(c->program[back]));
                print_kernels(ctx, c->program[back]);
                printf("\n");
            }
        }
        fflush(stdout);
    }
    return 0;
}
