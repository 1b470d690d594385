/* vec_clip_body.h: sums of squares of pieces; once for each instruction set. */
#include "backends/cpu/vec_clip.h"

static double clip_squares(const float *x, int64_t n) {
    double total = 0;
    for (int64_t block = 0; block < n; block += 4096) {
        const int64_t end = hd_vec_min(block + 4096, n);
        vf a = vf_splat(0), b = a;
        int64_t i = block;
        for (; i + 2 * HD_VL <= end; i += 2 * HD_VL) {
            const vf u = vf_load(x + i), v = vf_load(x + i + HD_VL);
            a += u * u;
            b += v * v;
        }
        for (; i < end; i += HD_VL) {
            const vf u = vf_load_m(x + i, vm_first(end - i));
            a += u * u;
        }
        total += (double)vf_sum(a + b);
    }
    return total;
}

static void clip_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_clip *s = e->state;
    const int64_t to = hd_vec_min((task + 1) * s->chunk, s->pieces);
    for (int64_t i = task * s->chunk; i < to; i++)
        ((double *)e->scratch)[i] =
            clip_squares((const float *)e->in[s->piece[i].input] + s->piece[i].from, s->piece[i].n);
}
