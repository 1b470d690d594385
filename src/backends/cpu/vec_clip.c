/* vec_clip.c: kernel of clip_scale: sums of squares of fixed pieces, added up in their order. */
#include "backends/cpu/vec_clip.h"
#include <math.h>

enum { CLIP_PIECE = 65536 };

static void clip_total(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_clip *s = e->state;
    (void)task;
    const double norm = sqrt(hd_vec_total(e, s->pieces)), scale = s->max_norm / (norm + 1e-6);
    *(float *)e->out[0] = (float)(scale > 1 ? 1 : scale);
    *(double *)e->out[1] = norm;
}

static hd_status clip_prepare(hd_kctx *k, hd_prepared *out) {
    hd_vec_clip *s = hd_vec_state(k, sizeof *s);
    int64_t total = 0;
    if (!s) return HD_E_MEMORY;
    for (int i = 0; i < k->n_in; i++) s->pieces += (hd_vec_count(&k->in[i]) + CLIP_PIECE - 1) / CLIP_PIECE;
    s->piece = hd_arena_alloc_n(k->arena, (size_t)s->pieces + 1, sizeof *s->piece);
    if (!s->piece) return HD_E_MEMORY;
    hd_vec_piece *p = s->piece;
    for (int i = 0; i < k->n_in; i++) {
        const int64_t n = hd_vec_count(&k->in[i]); /* padding is zero */
        for (int64_t from = 0; from < n; from += CLIP_PIECE)
            *p++ = (hd_vec_piece){i, from, hd_vec_min(CLIP_PIECE, n - from)};
        total += n;
    }
    s->max_norm = ((const hd_clip_scale_args *)k->attr)->max_norm;
    s->tasks = hd_vec_min(total < CLIP_PIECE ? 1 : total / (CLIP_PIECE / 2), hd_vec_min(s->pieces, HD_VEC_MAX_TASKS));
    if (s->tasks < 1) s->tasks = 1;
    s->chunk = (s->pieces + s->tasks - 1) / s->tasks;
    out->state = s;
    out->scratch = ((size_t)s->pieces + 1) * sizeof(double);
    out->phase[out->phases++] = (hd_phase){hd_vec_for(k->isa)->squares, s->tasks};
    out->phase[out->phases++] = (hd_phase){clip_total, 1};
    return HD_OK;
}

static const char *clip_supports(const hd_kctx *k) {
    for (int i = 0; i < k->n_in; i++)
        if (k->in[i].dtype != HD_F32) return "only for f32";
    return NULL;
}

const hd_kernel hd_kernel_vec_clip_scale = {
    .name = "cpu.clip_scale",
    .op = "clip_scale",
    .supports = clip_supports,
    .prepare = clip_prepare,
};
