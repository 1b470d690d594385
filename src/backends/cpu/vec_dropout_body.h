/* vec_dropout_body.h: dropout with the mask of src/ops/dropout.c, bit for bit: Philox 4x32-10 of a vector of counters
 * at once. Included once for each instruction set. */
#include "backends/cpu/vec_dropout.h"

typedef struct dropout_task {
    vu key[2], step, stream;
    vu limit;
    vi some; /* 0 where p = 1 */
    float scale;
} dropout_task;

static dropout_task dropout_start(const hd_exec *e) {
    const hd_vec_dropout *s = e->state;
    const uint64_t *rng = e->in[1]; /* seed, step */
    const vu zero = {0};
    return (dropout_task){.key = {zero + (uint32_t)rng[0], zero + (uint32_t)(rng[0] >> 32)},
                          .step = zero + (uint32_t)rng[1],
                          .stream = zero + s->stream,
                          .limit = zero + s->limit,
                          .some = vi_splat(s->nothing ? 0 : -1),
                          .scale = s->scale};
}

/* The four words of each counter (block low, block high, step, stream) as masks of what is kept. */
HD_INLINE void dropout_masks(const dropout_task *t, vu low, vu high, vf keep[4]) {
    vu c0 = low, c1 = high, c2 = t->step, c3 = t->stream, k0 = t->key[0], k1 = t->key[1];
    for (int round = 0; round < 10; round++) {
        vu h0, h1;
        const vu l0 = vu_mul(c0, UINT32_C(0xD2511F53), &h0), l1 = vu_mul(c2, UINT32_C(0xCD9E8D57), &h1);
        c0 = h1 ^ c1 ^ k0;
        c2 = h0 ^ c3 ^ k1;
        c1 = l1;
        c3 = l0;
        k0 += UINT32_C(0x9E3779B9);
        k1 += UINT32_C(0xBB67AE85);
    }
    keep[0] = (vf)((vi)(c0 >= t->limit) & t->some);
    keep[1] = (vf)((vi)(c1 >= t->limit) & t->some);
    keep[2] = (vf)((vi)(c2 >= t->limit) & t->some);
    keep[3] = (vf)((vi)(c3 >= t->limit) & t->some);
}

/* Plain order: lanes are neighbouring counters; their words are laid behind each other. */
static void dropout_plain(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_dropout *s = e->state;
    const dropout_task t = dropout_start(e);
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    const float *x = e->in[0];
    float *y = e->out[0];
    for (int64_t i = from; i < to; i += 4 * HD_VL) {
        const uint64_t block = (uint64_t)i >> 2;
        const vu first = (vu){0} + (uint32_t)block, low = first + (vu)vi_lanes();
        const vu high = (uint32_t)(block >> 32) - (vu)(low < first); /* a lane that ran over carries */
        vf k[4];
        dropout_masks(&t, low, high, k);
        const vf even_low = vf_zip_low(k[0], k[2]), even_high = vf_zip_high(k[0], k[2]);
        const vf odd_low = vf_zip_low(k[1], k[3]), odd_high = vf_zip_high(k[1], k[3]);
        const vf mask[4] = {vf_zip_low(even_low, odd_low), vf_zip_high(even_low, odd_low),
                            vf_zip_low(even_high, odd_high), vf_zip_high(even_high, odd_high)};
        for (int j = 0; j < 4; j++) {
            const int64_t at = i + j * HD_VL;
            if (at >= to) break;
            const bool whole = at + HD_VL <= to;
            const vm m = vm_first(to - at);
            vf_store_if(y + at, vf_where((vi)mask[j], vf_load_if(x + at, whole, m) * t.scale), whole, m);
        }
    }
}

/* Channels side by side: lanes are a plane apart, and a counter's words are four neighbouring places of it. */
static void dropout_lanes(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_dropout *s = e->state;
    const hd_planes *p = &s->planes;
    const hd_planes_task r = hd_planes_task_of(p, &s->planes_split, task);
    const dropout_task t = dropout_start(e);
    const int64_t quads = p->places / 4;
    for (int64_t n = r.image; n < r.image_end; n++)
        for (int64_t group = r.group; group < r.group_end; group++) {
            const int64_t start = n * p->image + hd_planes_start(p, group);
            const float *x = (const float *)e->in[0] + start;
            float *y = (float *)e->out[0] + start;
            const bool whole = p->held - group * HD_VL >= HD_VL;
            const vm m = vm_first(p->held - group * HD_VL);
            const vu lanes = (vu)vi_lanes() * (uint32_t)quads;
            for (int64_t q = 0; q < quads; q++) {
                vf k[4];
                dropout_masks(&t, lanes + (uint32_t)((n * p->c + group * HD_VL) * quads + q), (vu){0}, k);
                for (int j = 0; j < 4; j++) {
                    const int64_t at = (q * 4 + j) * p->step;
                    vf_store_if(y + at, vf_where((vi)k[j], vf_load_if(x + at, whole, m) * t.scale), whole, m);
                }
            }
        }
}
