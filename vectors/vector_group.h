/* vector_group.h: the groups of reference vectors, their counts, and how they are walked and printed. */
#ifndef HD_VECTORS_GROUP_H
#define HD_VECTORS_GROUP_H
#include "vector_run.h"

typedef enum vector_group_id {
    VECTOR_OPINFO,
    VECTOR_NN,
    VECTOR_MODULES,
    VECTOR_OPTIM,
    VECTOR_SCHEDULERS,
    VECTOR_CLIP,
    VECTOR_GROUPS
} vector_group_id;

/* A case that is worth naming. */
typedef struct vector_named {
    const char *file;
    int index;
    vector_result result;
} vector_named;

enum { VECTOR_WORST = 5 };
typedef struct vector_group {
    int64_t cases, supported, passed;
    vector_named worst[VECTOR_WORST]; /* of the supported, the largest error first */
    int n_worst;
    vector_named *named; /* failed and unsupported cases in order */
    size_t n_named, capacity;
} vector_group;

typedef struct vector_report {
    hd_context *ctx;
    hd_arena arena; /* names of files */
    vector_group group[VECTOR_GROUPS];
} vector_report;

const char *vector_group_name(vector_group_id id);
/* Runs everything in the folder. Errors: HD_E_DATA (no such folder, or nothing in it), HD_E_FILE, HD_E_MEMORY, …. */
HD_CHECKED hd_status vector_run_all(vector_report *report, const vector_options *o);
void vector_report_free(vector_report *report);

/* Runs cases 0 … n−1 of a file in a child process: a crash or a hang is the failure of one case. results: n. */
typedef void (*vector_runner)(const vector_file *f, const char *name, const hd_json *json, const vector_options *o,
                              hd_arena *arena, vector_result *r);
HD_CHECKED hd_status vector_isolated(const vector_file *f, const char *name, const hd_json *cases,
                                     const vector_options *o, vector_runner run, vector_result *results, int n);

/* The report as a table for people, or as one JSON object. */
HD_CHECKED hd_status vector_print(const vector_report *report, const vector_options *o);
#endif
