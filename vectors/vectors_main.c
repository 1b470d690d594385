/* vectors_main.c: build/hadal-vectors DIR [--json] [--backend ref|default] [--dtype f32|f64] [--only FILE] [--list]:
 * ops, their gradients, modules, optimisers and schedules against PyTorch's numbers. Exit code 0 when every supported
 * case passed, 8 when one did not, 1 usage, 3 not a folder of reference vectors, 7 a file can not be read. */
#include "vector_group.h"
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: hadal-vectors DIR [--json] [--backend ref|default] [--dtype f32|f64] [--only FILE] [--list]\n"
    "  DIR        reference vectors: opinfo/, modules/, optim/, schedulers.json, clip.json\n"
    "  --backend  default: the fastest kernels that are exact; ref: the definitions\n"
    "  --dtype    f32 (default) within PyTorch's own error in f32, or f64 within 1e-10\n"
    "  --only     one file, by name without ending: --only nn.functional.conv2d\n"
    "  --list     every case that is not supported, and why\n";

static bool one_of(const char *text, const char *a, const char *b) {
    return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

/* Takes a flag with a value; false: the value is missing or not known. */
static bool take_value(vector_options *o, const char *flag, const char *value) {
    if (!value) return false;
    if (strcmp(flag, "--only") == 0)
        o->only = value;
    else if (strcmp(flag, "--backend") == 0 && one_of(value, "ref", "default"))
        o->backend = value;
    else if (strcmp(flag, "--dtype") == 0 && one_of(value, "f32", "f64"))
        o->dtype = strcmp(value, "f64") == 0 ? HD_F64 : HD_F32;
    else
        return false;
    return true;
}

static bool read_arguments(vector_options *o, int argc, char **argv) {
    *o = (vector_options){.backend = "default", .dtype = HD_F32};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            o->json = true;
        else if (strcmp(argv[i], "--list") == 0)
            o->list = true;
        else if (argv[i][0] != '-' && !o->folder)
            o->folder = argv[i];
        else if (!take_value(o, argv[i], i + 1 < argc ? argv[i + 1] : NULL))
            return false;
        else
            i++;
    }
    return o->folder != NULL;
}

static int failed(const vector_report *report) {
    for (int i = 0; i < VECTOR_GROUPS; i++)
        if (report->group[i].passed != report->group[i].supported) return HD_E_CHECK;
    return HD_OK;
}

int main(int argc, char **argv) {
    vector_options o;
    hd_context *ctx;
    if (argc == 2 && one_of(argv[1], "--help", "-h")) return fputs(usage, stdout) < 0 ? HD_E_FILE : HD_OK;
    if (!read_arguments(&o, argc, argv)) {
        (void)fputs(usage, stderr);
        return HD_E_USAGE;
    }
    hd_status status = hd_context_new(&ctx, &(hd_context_args){.threads = 1});
    if (status != HD_OK) return (int)status;
    vector_report report = {.ctx = ctx, .arena = {.ctx = ctx}};
    status = vector_run_all(&report, &o);
    if (status == HD_OK) status = vector_print(&report, &o);
    if (status != HD_OK) (void)fprintf(stderr, "hadal-vectors: %s\n", hd_last_error(ctx));
    if (status == HD_E_MODEL) status = HD_E_FILE; /* JSON that can not be read */
    const int code = status == HD_OK ? failed(&report) : (int)status;
    vector_report_free(&report);
    hd_context_free(ctx);
    return code;
}
