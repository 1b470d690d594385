/* program.h: the inside of hd_program: flat steps over pointers, and where each pointer comes from. */
#ifndef HD_RUNTIME_PROGRAM_H
#define HD_RUNTIME_PROGRAM_H
#include "compile/lower.h"
#include "compile/store.h"
#include "ops/optim_kit.h"

typedef struct hd_step {
    void (*run)(void *exec, int64_t task);
    hd_exec *exec;
    int64_t tasks, rounds;
    int32_t node; /* of the lowered graph */
} hd_step;

/* One operand pointer of a step and the value it shows. */
typedef struct hd_pointer {
    void **at;
    int32_t value; /* -1: absent; -2: scratch, in the arena; -3: kept scratch, in the program's own memory */
    size_t offset; /* of scratch */
} hd_pointer;

typedef struct hd_slot {
    const char *name;
    int32_t value;
    const void *data;
    void **uses; /* pointers that show it: uses[i] is a void ** */
    int32_t use_count;
    bool own; /* bound by the program itself: rng, hyper */
} hd_slot;

typedef struct hd_result_of {
    const char *name;
    int32_t value;
} hd_result_of;

struct hd_program {
    hd_context *ctx;
    hd_lower lower;
    hd_store *store;
    bool owns_store, train, counts_only, ready;
    hd_step *steps;
    int32_t step_count, once_count; /* the first once_count steps run when the store's contents have changed */
    char *kept;                     /* what they have made: lower.kept_bytes */
    uint64_t changes;               /* contents of the store that `kept` was made of; 0: none yet */
    hd_pointer *pointers;
    int32_t pointer_count;
    hd_slot *inputs;
    int32_t input_count;
    hd_result_of *outputs;
    int32_t output_count;
    uint64_t store_version; /* addresses were taken at this version of the store */
    double hyper[HD_HYPER_COUNT];
    int64_t rng[2];
    double *step_seconds; /* of hd_program_profile, else NULL */
    char text[32];
};

/* Counts a run: step, updates, and what the program binds itself. */
void hd_program_count(hd_program *p);
/* Runs the steps that weights alone decide, where these have changed. */
void hd_program_once(hd_program *p);
void hd_program_step(const hd_program *p, const hd_step *s); /* runs all tasks of a step, in all its rounds */
/* Address of a value now; NULL for an input that is not bound. */
void *hd_program_address(const hd_program *p, int32_t value);
/* Allocates what is missing and takes all addresses. */
HD_CHECKED hd_status hd_program_ready(hd_program *p);
#endif
