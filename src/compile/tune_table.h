/* tune_table.h: the inside of hd_tuning. */
#ifndef HD_COMPILE_TUNE_TABLE_H
#define HD_COMPILE_TUNE_TABLE_H
#include "base/alloc.h"
#include "base/text.h"
#include "compile/kernel.h"
#include "hadal/tuning.h"

enum { HD_TUNED_TEXT = 640, HD_TUNED_MOST = 1 << 15, HD_TUNED_MACHINES = 64 };

/* A processor and what ran on it. Texts are the table's arena's. */
typedef struct hd_machine {
    const char *cpu, *isa, *library, *hadal;
} hd_machine;

/* One choice. */
typedef struct hd_tuned {
    int32_t machine;
    const char *key, *kernel; /* the table's arena's */
    int variant;
    double us; /* what it took when it was chosen; tells people, decides nothing */
    bool used, skipped;
    bool fresh; /* while two tables are joined: of the one that is added */
} hd_tuned;

struct hd_tuning {
    hd_context *ctx;
    hd_arena arena;
    hd_machine *machines; /* 0 is the one that runs */
    size_t machine_count, machine_capacity;
    hd_tuned *entries; /* sorted by machine and key */
    size_t count, capacity;
    char here[256]; /* machine 0 as text */
    char other[256];
};

/* Whether the operation is one whose kernels are chosen by tables: convolutions, products and their gradients. */
bool hd_tuning_concerns(const char *op);
/* "conv2d stride=[2,2] : f32[16,3,224,224] f32[64,3,7,7] - > f32[16,64,112,112]", " exact" behind it where direct
 * kernels were asked for; "" for what no table holds. Errors: HD_E_MEMORY. */
HD_CHECKED hd_status hd_tuning_key(const hd_kctx *k, char key[HD_TUNED_TEXT]);
/* The choice for that key on the machine that runs, or NULL. */
hd_tuned *hd_tuning_find(const hd_tuning *t, const char *key);
/* Adds or replaces one of the machine that runs. Errors: HD_E_MEMORY; HD_E_USAGE when the table is full. */
HD_CHECKED hd_status hd_tuning_put(hd_tuning *t, const char *key, const char *kernel, int variant, double us);
/* Adds without sorting, and sorts. */
HD_CHECKED hd_status hd_tuning_append(hd_tuning *t, const hd_tuned *entry);
void hd_tuning_sort(hd_tuning *t);
HD_CHECKED hd_status hd_tuning_machine(hd_tuning *t, const hd_machine *machine, int32_t *out);
/* The file's text; freed by the caller. */
HD_CHECKED hd_status hd_tuning_print(const hd_tuning *t, hd_text *out);
HD_CHECKED hd_status hd_tuning_parse(hd_tuning *t, const char *where, const char *text, size_t length);
#endif
