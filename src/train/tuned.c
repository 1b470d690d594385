/* tuned.c: owns which tuning table a run follows: its own copy of the caller's, of which it keeps in its folder what
 * its programs use; a run that is gone on with follows its folder's, so that the bits stay. */
#include "base/file.h"
#include "base/status.h"
#include "train/trainer.h"

static const char *path_of(hd_trainer *t) {
    return hd_arena_printf(&t->arena, "%s/tune.json", t->folder);
}

/* The folder's table, which may have come from another machine with it. */
static hd_status read_own(hd_trainer *t) {
    const char *path = path_of(t);
    if (!path) return HD_E_MEMORY;
    if (!hd_path_exists(path)) return HD_OK;
    HD_TRY(hd_tuning_new(&t->tuning, t->ctx));
    HD_TRY(hd_tuning_load(t->tuning, path));
    const hd_tuning_facts f = hd_tuning_get_facts(t->tuning);
    if (f.others > 0)
        hd_log_line(t->ctx, HD_LOG_WARNING,
                    "%s was measured on %s, this is %s: a fixed rule chooses the kernels, and the bits differ", path,
                    f.other, f.machine);
    return HD_OK;
}

hd_status hd_trainer_take_tuning(hd_trainer *t, const hd_target *step, int64_t batch) {
    if (t->resumed) {
        HD_TRY(read_own(t));
    } else if (t->table) {
        if (t->tune && step) {
            hd_compile_args args = hd_model_compile_args(t->model, batch);
            args.tuning = t->table;
            HD_TRY(hd_tune(*step, &args, t->tune, &t->tuned));
        }
        HD_TRY(hd_tuning_copy(&t->tuning, t->table));
    }
    t->model->tuning = t->tuning;
    return HD_OK;
}

/* What is compiled later, for evaluation, must find the same in a run that is gone on with: nothing more is kept in
 * memory than in the file. */
hd_status hd_trainer_keep_tuning(hd_trainer *t) {
    if (!t->tuning) return HD_OK;
    hd_tuning_keep_used(t->tuning);
    if (t->resumed || !t->folder[0] || hd_tuning_get_facts(t->tuning).entries == 0) return HD_OK;
    const char *path = path_of(t);
    return path ? hd_tuning_save(t->tuning, path) : HD_E_MEMORY;
}

hd_tune_result hd_trainer_tuned(const hd_trainer *t) {
    return t->tuned;
}

hd_tuning_facts hd_trainer_tuning(const hd_trainer *t) {
    return t->tuning ? hd_tuning_get_facts(t->tuning) : (hd_tuning_facts){0};
}
