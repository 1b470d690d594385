/* vec_shift.c: elements moved along an axis, in whole runs. */
#include "backends/cpu/vec.h"
#include "ops/reduce_kit.h"

typedef struct shift_state {
    hd_vec_split split;  /* of blocks */
    int64_t block, kept; /* elements of a block of the axis; of these, those that stay */
    float value;
    bool back; /* towards the front */
} shift_state;

static void shift_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const shift_state *s = e->state;
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    const int64_t free_places = s->block - s->kept;
    for (int64_t b = from; b < to; b++) {
        const float *x = (const float *)e->in[0] + b * s->block;
        float *y = (float *)e->out[0] + b * s->block, *left = s->back ? y + s->kept : y;
        memcpy(s->back ? y : y + free_places, s->back ? x + free_places : x, (size_t)s->kept * sizeof *y);
        for (int64_t i = 0; i < free_places; i++) left[i] = s->value;
    }
}

static hd_status shift_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_shift_args *a = k->attr;
    const hd_dims *x = &k->in[0].dims;
    const hd_axis_split z = hd_split_at(x, hd_axis_resolve(a->axis, x->rank));
    shift_state *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    s->back = a->by < 0;
    const int64_t by = hd_vec_min(s->back ? -a->by : a->by, z.n);
    s->block = z.n * z.inner;
    s->kept = (z.n - by) * z.inner;
    s->value = (float)a->value;
    s->split = hd_vec_split_rows(z.outer, s->block, HD_VEC_GRAIN);
    return hd_vec_one_phase(out, s, shift_run, s->split.tasks);
}

const hd_kernel hd_kernel_vec_shift = {
    .name = "cpu.shift", .op = "shift", .supports = hd_vec_need_f32, .prepare = shift_prepare};
