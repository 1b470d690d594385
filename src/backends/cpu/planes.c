/* planes.c: see planes.h. */
#include "backends/cpu/planes.h"
#include "backends/cpu/gemm.h"

static bool blocked_by_channels(const hd_layout *l) {
    return l->nblk == 1 && !l->permuted && l->idx[0] == 1 && (l->blk[0] == 8 || l->blk[0] == 16);
}

static bool channels_last(const hd_layout *l, int rank) {
    if (l->nblk || !l->permuted || l->perm[0] != 0 || l->perm[rank - 1] != 1) return false;
    for (int i = 1; i < rank - 1; i++)
        if (l->perm[i] != i + 1) return false;
    return true;
}

void hd_planes_single(hd_planes *p) {
    p->lanes = false;
    p->width = p->block = p->step = 1;
    p->in_block = p->places;
    p->groups = p->c;
}

bool hd_planes_of(hd_planes *p, const hd_dims *joined, const hd_layout *folded, int width) {
    hd_layout unfolded = *folded, *l = &unfolded;
    hd_dims parts = *joined, *dims = &parts;
    hd_layout_unfold(l, dims);
    if (dims->rank < 2) return false;
    *p = (hd_planes){.n = dims->dim[0], .c = dims->dim[1], .places = 1, .width = width, .block = 1};
    for (int d = 2; d < dims->rank; d++) p->places *= dims->dim[d];
    p->held = p->c;
    p->image = p->c * p->places;
    if (hd_layout_is_plain(l) && p->places != 1) {
        hd_planes_single(p);
        return true;
    }
    p->lanes = true;
    if (hd_layout_is_plain(l) || channels_last(l, dims->rank)) {
        p->step = p->c;
        p->in_block = width;
        p->groups = (p->c + width - 1) / width;
        return true;
    }
    if (!blocked_by_channels(l) || l->blk[0] % width != 0) return false;
    p->held = (p->c + l->blk[0] - 1) / l->blk[0] * l->blk[0];
    p->step = l->blk[0];
    p->block = l->blk[0] / width;
    p->in_block = l->blk[0] * p->places;
    p->groups = p->held / width;
    p->image = p->held * p->places;
    return true;
}

void hd_planes_layouts(const hd_kctx *k, unsigned inputs, hd_layout *in, hd_layout *out) {
    const hd_layout *l = NULL;
    hd_planes p;
    for (int i = 0; i < k->n_in && !l; i++)
        if ((inputs >> i & 1) && hd_vec_present(k, i) && !hd_layout_is_plain(&k->in[i].layout) &&
            !k->in[i].layout.places && hd_planes_of(&p, &k->in[i].dims, &k->in[i].layout, hd_gemm_of(k->isa)->lanes))
            l = &k->in[i].layout;
    if (!l) return;
    for (int i = 0; i < k->n_in; i++)
        if (inputs >> i & 1) in[i] = *l;
    out[0] = *l;
}

hd_planes_split hd_planes_split_of(const hd_planes *p, int64_t grain, int64_t most_images) {
    const int64_t n = p->n * p->groups * p->places * p->width;
    hd_planes_split s = {p->groups, p->n, 1, 1};
    if (n < 2 * grain || p->groups < 1 || p->n < 1) return s;
    const int64_t tasks = hd_vec_min((n + grain - 1) / grain, HD_VEC_MAX_TASKS);
    const int64_t by_group = hd_vec_min(tasks, p->groups);
    s.group_chunk = (p->groups + by_group - 1) / by_group;
    s.group_tasks = (p->groups + s.group_chunk - 1) / s.group_chunk;
    const int64_t by_image = hd_vec_min(hd_vec_min((tasks + s.group_tasks - 1) / s.group_tasks, most_images), p->n);
    s.image_chunk = (p->n + by_image - 1) / by_image;
    s.image_tasks = (p->n + s.image_chunk - 1) / s.image_chunk;
    return s;
}
