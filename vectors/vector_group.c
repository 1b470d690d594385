/* vector_group.c: walks a folder of reference vectors group by group and counts. */
#include "vector_group.h"
#include "base/file.h"
#include "base/status.h"
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *vector_group_name(vector_group_id id) {
    static const char *const names[] = {"opinfo", "nn_functional", "modules", "optim", "schedulers", "clip"};
    return names[id];
}

/* ---- counting ---- */

static void keep_worst(vector_group *g, const vector_named *n) {
    int at = g->n_worst;
    while (at > 0 && g->worst[at - 1].result.worst < n->result.worst) at--;
    if (at == VECTOR_WORST) return;
    const int last = g->n_worst < VECTOR_WORST ? g->n_worst++ : VECTOR_WORST - 1;
    for (int i = last; i > at; i--) g->worst[i] = g->worst[i - 1];
    g->worst[at] = *n;
}

static hd_status count_case(vector_report *report, vector_group *g, const vector_named *n) {
    g->cases++;
    g->supported += n->result.outcome != VECTOR_UNSUPPORTED;
    g->passed += n->result.outcome == VECTOR_PASSED;
    if (n->result.outcome != VECTOR_UNSUPPORTED) keep_worst(g, n);
    if (n->result.outcome == VECTOR_PASSED) return HD_OK;
    HD_TRY(hd_grow(report->ctx, (void **)&g->named, &g->capacity, g->n_named + 1, sizeof *g->named));
    g->named[g->n_named++] = *n;
    return HD_OK;
}

static hd_status run_cases(vector_report *report, vector_group_id id, const vector_file *f, const char *name,
                           const hd_json *cases, const vector_options *o, vector_runner run) {
    if (!cases) return hd_fail(report->ctx, HD_E_DATA, "%s|there are no cases in it", name);
    const size_t n = cases->count;
    vector_result *results = hd_alloc_n(report->ctx, n + 1, sizeof *results);
    if (!results) return HD_E_MEMORY;
    hd_status status = vector_isolated(f, name, cases, o, run, results, (int)n);
    for (size_t i = 0; i < n && status == HD_OK; i++)
        status = count_case(report, &report->group[id], &(vector_named){name, (int)i, results[i]});
    hd_free(report->ctx, results);
    return status;
}

/* ---- folders ---- */

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of FOLDER's .json files without the ending, sorted. No such folder: none. */
static hd_status list_files(vector_report *report, const char *folder, const char ***names, size_t *n) {
    size_t capacity = 0;
    hd_status status = HD_OK;
    *names = NULL;
    *n = 0;
    DIR *dir = opendir(folder);
    if (!dir) return HD_OK;
    for (const struct dirent *e = readdir(dir); e && status == HD_OK; e = readdir(dir)) {
        const size_t length = strlen(e->d_name);
        if (length <= 5 || strcmp(e->d_name + length - 5, ".json") != 0) continue;
        status = hd_grow(report->ctx, (void **)names, &capacity, *n + 1, sizeof **names);
        if (status != HD_OK) break;
        (*names)[*n] = hd_arena_strndup(&report->arena, e->d_name, length - 5);
        status = (*names)[*n] ? HD_OK : HD_E_MEMORY;
        ++*n;
    }
    (void)closedir(dir);
    if (*n && status == HD_OK) qsort((void *)*names, *n, sizeof **names, by_name);
    return status;
}

static bool wanted(const vector_options *o, const char *name) {
    return !o->only || strcmp(o->only, name) == 0;
}

static hd_status run_file(vector_report *report, vector_group_id id, const char *folder, const char *name,
                          const vector_options *o, vector_runner run) {
    vector_file f;
    if (!wanted(o, name)) return HD_OK;
    HD_TRY(vector_file_open(&f, report->ctx, folder, name));
    /* schedulers.json is an object of schedules itself */
    const hd_json *cases = id == VECTOR_SCHEDULERS ? f.root : hd_json_get(f.root, "cases");
    const hd_status status = run_cases(report, id, &f, name, cases, o, run);
    vector_file_close(&f);
    return status;
}

static hd_status run_folder(vector_report *report, const vector_options *o, const char *sub, vector_group_id id,
                            vector_runner run) {
    const char **names, *folder = hd_arena_printf(&report->arena, "%s/%s", o->folder, sub);
    size_t n;
    if (!folder) return HD_E_MEMORY;
    hd_status status = list_files(report, folder, &names, &n);
    for (size_t i = 0; i < n && status == HD_OK; i++) {
        const bool nn = id == VECTOR_OPINFO && strncmp(names[i], "nn.functional.", 14) == 0;
        status = run_file(report, nn ? VECTOR_NN : id, folder, names[i], o, run);
    }
    hd_free(report->ctx, (void *)names);
    return status;
}

static hd_status run_single(vector_report *report, const vector_options *o, const char *name, vector_group_id id,
                            vector_runner run) {
    const char *path = hd_arena_printf(&report->arena, "%s/%s.json", o->folder, name);
    if (!path) return HD_E_MEMORY;
    return hd_path_exists(path) ? run_file(report, id, o->folder, name, o, run) : HD_OK;
}

hd_status vector_run_all(vector_report *report, const vector_options *o) {
    if (!hd_path_is_dir(o->folder))
        return hd_fail(report->ctx, HD_E_DATA, "%s|is not a folder|Give the folder of reference vectors", o->folder);
    HD_TRY(run_folder(report, o, "opinfo", VECTOR_OPINFO, vector_run_opinfo));
    HD_TRY(run_folder(report, o, "modules", VECTOR_MODULES, vector_run_module));
    HD_TRY(run_folder(report, o, "optim", VECTOR_OPTIM, vector_run_optim));
    HD_TRY(run_single(report, o, "schedulers", VECTOR_SCHEDULERS, vector_run_schedule));
    HD_TRY(run_single(report, o, "clip", VECTOR_CLIP, vector_run_clip));
    int64_t cases = 0;
    for (int i = 0; i < VECTOR_GROUPS; i++) cases += report->group[i].cases;
    if (cases > 0) return HD_OK;
    if (o->only) return hd_fail(report->ctx, HD_E_DATA, "%s|there is no file %s", o->folder, o->only);
    return hd_fail(report->ctx, HD_E_DATA,
                   "%s|there are no reference vectors in it|It should hold opinfo/, modules/, optim/", o->folder);
}

void vector_report_free(vector_report *report) {
    for (int i = 0; i < VECTOR_GROUPS; i++) hd_free(report->ctx, report->group[i].named);
    hd_arena_free(&report->arena);
}
