/* vec_power.c: powers with one number as the exponent. */
#include "backends/cpu/vec_elem.h"

static const char *power_supports(const hd_kctx *k) {
    if (hd_vec_present(k, 1)) return "only for one number as the exponent";
    return k->in[0].dtype == HD_F32 ? NULL : "only for f32";
}

static void power_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_elem *s = e->state;
    const int64_t at = task * s->split.chunk;
    const float *x = (const float *)e->in[0] + at;
    s->fn((float *)e->out[0] + at, x, x, hd_vec_min(s->split.chunk, s->split.n - at), s->c);
}

static hd_status power_prepare(hd_kctx *k, hd_prepared *out) {
    hd_vec_elem *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    const double exponent = ((const hd_pow_args *)k->attr)->exponent;
    memcpy(s->c, &exponent, sizeof exponent);
    s->fn = hd_vec_for(k->isa)->power;
    s->split = hd_vec_split_of(k->out[0].count, HD_VEC_GRAIN_HEAVY);
    return hd_vec_one_phase(out, s, power_run, s->split.tasks);
}

const hd_kernel hd_kernel_vec_power = {
    .name = "cpu.pow.number",
    .op = "pow",
    .flags = HD_K_INPLACE,
    .supports = power_supports,
    .prepare = power_prepare,
};
