/* vec.c: choice of the instruction set's table, split into tasks, checks that the kernels share. Knows no op. */
#include "backends/cpu/vec.h"

const hd_vec *hd_vec_for(hd_isa isa) {
#if defined(__x86_64__)
    if (isa == HD_ISA_AVX512) return &hd_vec_avx512;
    if (isa == HD_ISA_AVX2) return &hd_vec_avx2;
#endif
    (void)isa;
    return &hd_vec_generic;
}

/* As many tasks as two, four or eight threads share evenly: of three, one thread has two. */
static int64_t even_tasks(int64_t n, int64_t grain) {
    const int64_t tasks = hd_vec_min((n + grain - 1) / grain, HD_VEC_MAX_TASKS);
    return tasks > 8 ? (tasks + 7) / 8 * 8 : tasks > 4 ? 8 : tasks > 2 ? 4 : tasks;
}

hd_vec_split hd_vec_split_of(int64_t n, int64_t grain) {
    hd_vec_split s = {n, n, 1};
    if (n < 2 * grain) return s;
    const int64_t tasks = even_tasks(n, grain);
    s.chunk = ((n + tasks - 1) / tasks + 63) / 64 * 64;
    s.tasks = (n + s.chunk - 1) / s.chunk;
    return s;
}

hd_vec_split hd_vec_split_rows(int64_t n, int64_t row, int64_t grain) {
    hd_vec_split s = {n, n, 1};
    if (row < 1 || n < 2 || n * row < 2 * grain) return s;
    const int64_t tasks = hd_vec_min(even_tasks(n * row, grain), n);
    s.chunk = (n + tasks - 1) / tasks;
    s.tasks = (n + s.chunk - 1) / s.chunk;
    return s;
}

bool hd_vec_present(const hd_kctx *k, int in) {
    return in < k->n_in && k->in[in].dims.rank >= 0;
}

const char *hd_vec_need_f32_upto(const hd_kctx *k, int n_in) {
    for (int i = 0; i < k->n_in && i < n_in; i++)
        if (hd_vec_present(k, i) && k->in[i].dtype != HD_F32) return "only for f32";
    for (int i = 0; i < k->n_out; i++)
        if (k->out[i].dtype != HD_F32) return "only for f32";
    return NULL;
}

const char *hd_vec_need_f32(const hd_kctx *k) {
    return hd_vec_need_f32_upto(k, k->n_in);
}

void *hd_vec_state(hd_kctx *k, size_t bytes) {
    return hd_arena_alloc(k->arena, bytes);
}
