/* hadal/tuning.h: choices of kernels that were measured apart, kept per machine and shape in a file, and used by
 * hd_compile_with instead of the fixed rule. A table decides speed and the last bits of results, never what is
 * computed. */
#ifndef HADAL_TUNING_H
#define HADAL_TUNING_H
#include "hadal/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A table of choices: for an operation of given options, types and shapes, a kernel and which of its ways (order in
 * memory, split into tasks). Choices belong to a machine: processor, instruction set, versions of the library and of
 * oneDNN; the number of threads is no part of it. Those of other machines are kept, and written again, but not used. */
typedef struct hd_tuning hd_tuning;

/** An empty table for the machine that runs. */
HD_API HD_CHECKED hd_status hd_tuning_new(hd_tuning **out, hd_context *ctx);
/** After the programs that were compiled with it. */
HD_API void hd_tuning_free(hd_tuning *tuning);

/** A table of its own with the same choices, none of them used so far. */
HD_API HD_CHECKED hd_status hd_tuning_copy(hd_tuning **out, const hd_tuning *tuning);
/** Adds what a file holds; of two choices for one shape the file's stays. After a failure the table is as before.
 * Errors: HD_E_FILE; HD_E_MODEL when it is no such table ("file:line:column: …"). */
HD_API HD_CHECKED hd_status hd_tuning_load(hd_tuning *tuning, const char *path);
/** Writes the whole table, folders that are missing too: the new file is there, or the old one. Errors: HD_E_FILE,
 * HD_E_MEMORY. */
HD_API HD_CHECKED hd_status hd_tuning_save(const hd_tuning *tuning, const char *path);
/** Forgets what no program has used so far, and other machines'. What is compiled later finds the rest. */
HD_API void hd_tuning_keep_used(hd_tuning *tuning);

/** Counted facts. Texts are the table's. */
typedef struct hd_tuning_facts {
    const char *machine; /**< the one that runs: "AMD EPYC (25-17-1), avx512, oneDNN 2.6.3, hadal 0.1.0" */
    const char *other;   /**< another one whose choices the table holds, or NULL */
    int entries;         /**< choices for the machine that runs */
    int others;          /**< choices of other machines */
    int used;            /**< choices that programs follow */
    int skipped;         /**< choices that no program could follow: the kernel refuses, or there is none of that name */
} hd_tuning_facts;
HD_API hd_tuning_facts hd_tuning_get_facts(const hd_tuning *tuning);

#ifdef __cplusplus
}
#endif
#endif
