/* vec_dropout_body.h: dropout with the mask of src/ops/dropout.c, bit for bit: Philox 4x32-10 of a vector of counters
 * at once. Included once for each instruction set. */
#include "backends/cpu/vec_dropout.h"

typedef struct dropout_task {
    uint32_t key[2];
    vl step, stream;
    vu limit;
    vk none; /* all lanes where p = 1 */
    float scale;
} dropout_task;

static dropout_task dropout_start(const hd_exec *e) {
    const hd_vec_dropout *s = e->state;
    const uint64_t *rng = e->in[1]; /* seed, step */
    const vl zero = {0};
    return (dropout_task){.key = {(uint32_t)rng[0], (uint32_t)(rng[0] >> 32)},
                          .step = zero + (uint32_t)rng[1],
                          .stream = zero + s->stream,
                          .limit = (vu){0} + s->limit,
                          .none = s->nothing ? vk_equal(vf_splat(0), vf_splat(0)) : vk_none(),
                          .scale = s->scale};
}

/* Which words of each counter (block low, block high, step, stream) keep their element. Counters of even and odd lanes
 * go apart: their products then need no sorting. */
HD_INLINE void dropout_masks(const dropout_task *t, vu low, vu high, vk keep[4]) {
    vl c0[2] = {(vl)low, (vl)low >> 32}, c1[2] = {(vl)high, (vl)high >> 32};
    vl c2[2] = {t->step, t->step}, c3[2] = {t->stream, t->stream};
    uint32_t k0 = t->key[0], k1 = t->key[1];
    for (int round = 0; round < 10; round++) {
        const vl key0 = (vl){0} + k0, key1 = (vl){0} + k1;
        for (int i = 0; i < 2; i++) {
            const vl p0 = vl_mul(c0[i], UINT32_C(0xD2511F53)), p1 = vl_mul(c2[i], UINT32_C(0xCD9E8D57));
            c0[i] = p1 >> 32 ^ c1[i] ^ key0;
            c2[i] = p0 >> 32 ^ c3[i] ^ key1;
            c1[i] = p1;
            c3[i] = p0;
        }
        k0 += UINT32_C(0x9E3779B9);
        k1 += UINT32_C(0xBB67AE85);
    }
    const vu word[4] = {vu_join(c0[0], c0[1]), vu_join(c1[0], c1[1]), vu_join(c2[0], c2[1]), vu_join(c3[0], c3[1])};
    for (int i = 0; i < 4; i++) keep[i] = vk_and_not(vk_at_least(word[i], t->limit), t->none);
}

/* x times the scale, or 0 where that is 0, also for x that is no number. */
HD_INLINE vf dropout_scaled(vf scale, vf x) {
    return vf_keep(vk_more(scale, vf_splat(0)), x * scale);
}

/* n lanes at `at` of f32, or of bf16, times the scales. */
HD_INLINE void dropout_lane(const hd_exec *e, bool half, int64_t at, int64_t n, vf scale) {
    const bool whole = n >= HD_VL;
    const vm m = vm_first(n);
    if (half) {
        const vf x = vf_load_half((const uint16_t *)e->in[0] + at, whole, n);
        vf_store_half((uint16_t *)e->out[0] + at, dropout_scaled(scale, x), whole, n);
    } else {
        const vf x = vf_load_if((const float *)e->in[0] + at, whole, m);
        vf_store_if((float *)e->out[0] + at, dropout_scaled(scale, x), whole, m);
    }
}

/* Plain order: lanes are neighbouring counters; their words are laid behind each other. */
HD_INLINE void dropout_plain_of(const hd_exec *e, int64_t task, bool half) {
    const hd_vec_dropout *s = e->state;
    const dropout_task t = dropout_start(e);
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    for (int64_t i = from; i < to; i += 4 * HD_VL) {
        const uint64_t block = (uint64_t)i >> 2;
        const vu first = (vu){0} + (uint32_t)block, low = first + (vu)vi_lanes();
        const vu high = (uint32_t)(block >> 32) - (vu)(low < first); /* a lane that ran over carries */
        vk keep[4];
        vf k[4];
        dropout_masks(&t, low, high, keep);
        for (int j = 0; j < 4; j++) k[j] = vf_keep(keep[j], vf_splat(t.scale));
        const vf even_low = vf_zip_low(k[0], k[2]), even_high = vf_zip_high(k[0], k[2]);
        const vf odd_low = vf_zip_low(k[1], k[3]), odd_high = vf_zip_high(k[1], k[3]);
        const vf scale[4] = {vf_zip_low(even_low, odd_low), vf_zip_high(even_low, odd_low),
                             vf_zip_low(even_high, odd_high), vf_zip_high(even_high, odd_high)};
        for (int j = 0; j < 4; j++) {
            const int64_t at = i + j * HD_VL;
            if (at < to) dropout_lane(e, half, at, to - at, scale[j]);
        }
    }
}

static void dropout_plain(void *exec, int64_t task) {
    const hd_exec *e = exec;
    if (((const hd_vec_dropout *)e->state)->half)
        dropout_plain_of(e, task, true);
    else
        dropout_plain_of(e, task, false);
}

/* Channels side by side: lanes are a plane apart, and a counter's words are four neighbouring places of it. */
HD_INLINE void dropout_lanes_of(const hd_exec *e, int64_t task, bool half) {
    const hd_vec_dropout *s = e->state;
    const hd_planes *p = &s->planes;
    const hd_planes_task r = hd_planes_task_of(p, &s->planes_split, task);
    const dropout_task t = dropout_start(e);
    const int64_t quads = p->places / 4;
    for (int64_t n = r.image; n < r.image_end; n++)
        for (int64_t group = r.group; group < r.group_end; group++) {
            const int64_t start = n * p->image + hd_planes_start(p, group);
            const int64_t held = p->held - group * HD_VL;
            const vu lanes = (vu)vi_lanes() * (uint32_t)quads;
            for (int64_t q = 0; q < quads; q++) {
                vk k[4];
                dropout_masks(&t, lanes + (uint32_t)((n * p->c + group * HD_VL) * quads + q), (vu){0}, k);
                for (int j = 0; j < 4; j++)
                    dropout_lane(e, half, start + (q * 4 + j) * p->step, held, vf_keep(k[j], vf_splat(t.scale)));
            }
        }
}

static void dropout_lanes(void *exec, int64_t task) {
    const hd_exec *e = exec;
    if (((const hd_vec_dropout *)e->state)->half)
        dropout_lanes_of(e, task, true);
    else
        dropout_lanes_of(e, task, false);
}
