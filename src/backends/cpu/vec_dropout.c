/* vec_dropout.c: kernel of dropout. The mask belongs to the element's place in plain order; where channels lie side by
 * side and planes are whole counters long, it is found there too without changing the order. */
#include "backends/cpu/vec_dropout.h"
#include "backends/cpu/gemm.h"
#include <math.h>

static const char *dropout_supports(const hd_kctx *k) {
    if (k->in[0].dtype != k->out[0].dtype || (k->in[0].dtype != HD_F32 && k->in[0].dtype != HD_BF16))
        return "only for f32 and bf16";
    return k->in[1].dtype == HD_I64 && k->in[1].count == 2 ? NULL : "rng is not i64 [2]";
}

static void dropout_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out) {
    hd_planes p;
    hd_planes_layouts(k, 1u << 0, in, out);
    if (k->in[0].layout.places) in[0] = out[0] = k->in[0].layout;
    if (hd_layout_is_plain(&in[0])) return;
    hd_planes_of(&p, &k->in[0].dims, &in[0], hd_gemm_of(k->isa)->lanes);
    if (p.places % 4 == 0 && p.n * p.groups * p.width * p.places < INT64_C(1) << 33) return;
    in[0] = out[0] = HD_LAYOUT_PLAIN;
}

static hd_status dropout_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_dropout_args *a = k->attr;
    hd_vec_dropout *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    const uint64_t limit = (uint64_t)ceil(a->p * 0x1p32);
    s->nothing = limit >> 32 != 0;
    s->limit = (uint32_t)limit;
    s->stream = (uint32_t)a->stream;
    s->scale = s->nothing ? 0 : (float)(1 / (1 - a->p));
    s->half = k->in[0].dtype == HD_BF16;
    out->state = s;
    out->phases = 1;
    if (hd_layout_is_plain(&k->in[0].layout)) {
        s->split = hd_vec_split_of(k->in[0].count, HD_VEC_GRAIN_HEAVY);
        out->phase[0] = (hd_phase){hd_vec_for(k->isa)->dropout, s->split.tasks};
        return HD_OK;
    }
    hd_planes_of(&s->planes, &k->in[0].dims, &k->in[0].layout, hd_gemm_of(k->isa)->lanes);
    s->planes_split = hd_planes_split_of(&s->planes, HD_VEC_GRAIN_HEAVY, HD_VEC_MAX_TASKS);
    out->phase[0] = (hd_phase){hd_vec_for(k->isa)->dropout_lanes, hd_planes_tasks(&s->planes_split)};
    return HD_OK;
}

const hd_kernel hd_kernel_vec_dropout = {
    .name = "cpu.dropout",
    .op = "dropout",
    .flags = HD_K_INPLACE | HD_K_BF16,
    .supports = dropout_supports,
    .layouts = dropout_layouts,
    .prepare = dropout_prepare,
};
