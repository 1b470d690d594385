/* vec_cast.c: kernel of cast between f32 and the other dtypes. */
#include "backends/cpu/vec.h"

typedef struct cast_state {
    hd_vec_split split;
    hd_vec_cast fn;
    size_t from, to; /* bytes of an element */
} cast_state;

static void cast_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const cast_state *s = e->state;
    const int64_t at = task * s->split.chunk;
    s->fn((char *)e->out[0] + (size_t)at * s->to, (const char *)e->in[0] + (size_t)at * s->from,
          hd_vec_min(s->split.chunk, s->split.n - at));
}

static const char *cast_supports(const hd_kctx *k) {
    if (!hd_layout_equal(&k->in[0].layout, &k->out[0].layout)) return "only in one order";
    const bool from = k->in[0].dtype == HD_F32, to = k->out[0].dtype == HD_F32;
    return from != to ? NULL : "only between f32 and another dtype";
}

static hd_status cast_prepare(hd_kctx *k, hd_prepared *out) {
    cast_state *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    const hd_vec *v = hd_vec_for(k->isa);
    const bool to_f32 = k->out[0].dtype == HD_F32;
    s->fn = to_f32 ? v->cast_to_f32[k->in[0].dtype] : v->cast_from_f32[k->out[0].dtype];
    s->from = hd_dtype_size(k->in[0].dtype);
    s->to = hd_dtype_size(k->out[0].dtype);
    s->split = hd_vec_split_of((int64_t)(k->out[0].bytes / s->to), HD_VEC_GRAIN);
    return hd_vec_one_phase(out, s, cast_run, s->split.tasks);
}

const hd_kernel hd_kernel_vec_cast = {
    .name = "cpu.cast",
    .op = "cast",
    .flags = HD_K_ANY_LAYOUT | HD_K_BF16,
    .supports = cast_supports,
    .prepare = cast_prepare,
};
