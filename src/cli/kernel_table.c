/* kernel_table.c: owns the table of `hadal bench --kernels`. */
#include "cli/kernel_table.h"
#include "cli/describe.h"
#include "cli/screen.h"
#include <math.h>
#include <string.h>

enum { TEXT = 512 };

/* Operands one behind the other: "f32[16,3,32,32] f32[16,3,3,3] aBcd16b". */
static void operands_text(char *out, size_t size, const hd_json *list) {
    size_t used = 0;
    *out = '\0';
    for (const hd_json *v = list ? list->child : NULL; v && used + 8 < size; v = v->next) {
        const int n =
            snprintf(out + used, size - used, "%s%s", used ? ", " : "", v->type == HD_JSON_STRING ? v->string : "–");
        used += n > 0 ? (size_t)n : 0;
    }
}

static void tasks_text(char *out, size_t size, const hd_json *list) {
    size_t used = 0;
    *out = '\0';
    for (const hd_json *v = list ? list->child : NULL; v && used + 24 < size; v = v->next)
        used += (size_t)snprintf(out + used, size - used, "%s%lld", used ? "+" : "", (long long)v->integer);
}

static void row_of(table *t, const hd_json *v, const char *part) {
    char kernel[TEXT], tasks[64], us[64], rate[64], bytes[64], in[TEXT], result[TEXT];
    const double ms = tree_number(v, "ms", NAN), flops = tree_number(v, "flops", 0);
    const double variant = tree_number(v, "variant", 0);
    const hd_json *tuned = hd_json_get(v, "tuned");
    (void)snprintf(kernel, sizeof kernel, "%s%s", tree_text(v, "kernel", "?"), tuned && tuned->boolean ? " *" : "");
    if (variant > 0) (void)snprintf(kernel, sizeof kernel, "%s * way %.0f", tree_text(v, "kernel", "?"), variant);
    tasks_text(tasks, sizeof tasks, hd_json_get(v, "tasks"));
    (void)snprintf(us, sizeof us, "%.1f", 1e3 * ms);
    (void)snprintf(rate, sizeof rate, "%.1f", flops / ms / 1e6);
    operands_text(in, sizeof in, hd_json_get(v, "in"));
    operands_text(result, sizeof result, hd_json_get(v, "out"));
    (void)strncat(in, " → ", sizeof in - strlen(in) - 1);
    (void)strncat(in, result, sizeof in - strlen(in) - 1);
    table_row(t, (const char *const[]){part, tree_text(v, "op", "?"), kernel, tasks, isnan(ms) ? "" : us,
                                       isnan(ms) ? "" : rate, text_bytes(bytes, tree_number(v, "bytes", 0)), in});
}

static bool same_refusal(const hd_json *a, const hd_json *b) {
    return strcmp(tree_text(a, "op", ""), tree_text(b, "op", "")) == 0 &&
           strcmp(tree_text(a, "refused", ""), tree_text(b, "refused", "")) == 0;
}

static bool told_before(const hd_json *kernels, const hd_json *v) {
    for (const hd_json *u = kernels->child; u != v; u = u->next)
        if (same_refusal(u, v)) return true;
    return false;
}

/* Nodes that were refused for the same reasons share a paragraph. */
static void say_refusals(cli *c, const hd_json *kernels) {
    bool any = false;
    for (const hd_json *v = kernels->child; v; v = v->next) {
        if (!*tree_text(v, "refused", "") || told_before(kernels, v)) continue;
        int times = 0;
        for (const hd_json *u = v; u; u = u->next) times += same_refusal(u, v);
        say(c, "%s  %s, %d node%s:\n", any ? "" : "\nrefused, before the kernel that runs:\n", tree_text(v, "op", "?"),
            times, times == 1 ? "" : "s");
        for (const char *at = tree_text(v, "refused", ""); *at;) {
            const char *end = strstr(at, "; ");
            say(c, "      %.*s\n", end ? (int)(end - at) : (int)strlen(at), at);
            at = end ? end + 2 : at + strlen(at);
        }
        any = true;
    }
}

static void say_reorders(cli *c, const hd_json *kernels) {
    double bytes = 0;
    char text[64];
    int n = 0;
    for (const hd_json *v = kernels->child; v; v = v->next)
        if (strcmp(tree_text(v, "op", ""), "reorder") == 0) {
            bytes += tree_number(v, "bytes", 0);
            n++;
        }
    say(c, "\n%d change%s of layout a step, %s read and written\n", n, n == 1 ? "" : "s", text_bytes(text, bytes));
}

void say_kernels(cli *c, const hd_json *kernels) {
    table t;
    const char *last = "";
    table_open(&t, "lllrrrrl");
    table_row(&t, (const char *const[]){"part", "op", "kernel", "tasks", "µs", "GFLOP/s", "memory",
                                        "operands, and their order in memory where it is not plain"});
    for (const hd_json *v = kernels->child; v; v = v->next) {
        const char *part = tree_text(v, "part", "");
        row_of(&t, v, strcmp(part, last) == 0 ? "" : part);
        last = part;
    }
    say(c, "\n");
    table_print(c, &t, true, 0);
    say_reorders(c, kernels);
    say_refusals(c, kernels);
}
