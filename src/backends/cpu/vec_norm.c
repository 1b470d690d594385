/* vec_norm.c: kernels of batch normalisation over images and places, in whatever order the channels lie. */
#include "backends/cpu/vec_norm.h"
#include "backends/cpu/gemm.h"
#include "ops/fused.h"

/* Operands that are pictures, by bits: inputs, and results from bit 16 on; the rest are parameters and statistics. */
enum { PICTURE_0 = 1 << 16, PICTURE_3 = 1 << 19 };
static unsigned norm_pictures(const hd_kctx *k) {
    static const struct {
        const char *op;
        unsigned pictures;
    } ops[] = {{"batch_norm_act", PICTURE_0 | 1 << 0 | 1 << 5},
               {"batch_norm_grad", PICTURE_0 | 1 << 0 | 1 << 4 | 1 << 5},
               {"batch_norm_act_grad", PICTURE_0 | 1 << 0 | 1 << 5},
               {"batch_norm_add_grad", PICTURE_0 | PICTURE_3 | 1 << 0 | 1 << 4 | 1 << 5 | 1 << 6}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (strcmp(ops[i].op, k->op->name) == 0) return ops[i].pictures;
    return PICTURE_0 | 1 << 0;
}

/* Pictures are all f32 or all bf16; parameters and statistics are f32. */
static const char *norm_supports(const hd_kctx *k) {
    const hd_dtype t = k->in[0].dtype;
    const unsigned pictures = norm_pictures(k);
    if (t != HD_F32 && t != HD_BF16) return "only for f32 and bf16";
    for (int i = 0; i < k->n_in + k->n_out; i++) {
        const hd_operand *o = i < k->n_in ? &k->in[i] : &k->out[i - k->n_in];
        const bool picture = pictures >> (i < k->n_in ? i : 16 + i - k->n_in) & 1;
        if (o->dims.rank >= 0 && o->dtype != (picture ? t : HD_F32))
            return "only for pictures of one kind, and f32 beside them";
    }
    return k->in[0].count == 0 ? "nothing to normalise" : NULL;
}

/* Where nothing is clipped, what arrives is the residual's gradient as it is. */
static const char *norm_add_supports(const hd_kctx *k) {
    if (((const hd_batch_norm_act_grad_args *)k->attr)->clip == HD_CLIP_NONE) return "only where y is clipped";
    return norm_supports(k);
}

static void norm_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out) {
    hd_planes_layouts(k, k->n_in > 5 && hd_vec_present(k, 5) ? 1u << 0 | 1u << 5 : 1u << 0, in, out);
}

static void norm_grad_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out) {
    hd_planes_layouts(k, 1u << 0 | 1u << 4 | 1u << 5, in, out);
}

static void norm_act_grad_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out) {
    hd_planes_layouts(k, 1u << 0 | 1u << 5, in, out);
}

static void norm_add_grad_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out) {
    hd_planes_layouts(k, 1u << 0 | 1u << 4 | 1u << 5 | 1u << 6, in, out);
    out[3] = out[0];
}

/* State and scratch; false without memory. */
static hd_vec_norm *norm_state(hd_kctx *k, hd_prepared *out) {
    hd_vec_norm *s = hd_vec_state(k, sizeof *s);
    if (!s) return NULL;
    hd_planes_of(&s->planes, &k->in[0].dims, &k->in[0].layout, hd_gemm_of(k->isa)->lanes);
    s->split = hd_planes_split_of(&s->planes, HD_VEC_GRAIN, HD_VEC_NORM_IMAGES);
    s->room = (s->planes.held + 15) / 16 * 16;
    out->state = s;
    return s;
}

static void norm_phase(const hd_vec_norm *s, hd_prepared *out, hd_vec_run run) {
    out->phase[out->phases++] = (hd_phase){run, hd_planes_tasks(&s->split)};
}

static void norm_clip(hd_vec_norm *s, int64_t clip) {
    double low, high;
    hd_clip_edges(clip, &low, &high);
    s->low = (float)low;
    s->high = (float)high;
}

/* Two phases with sums between. */
static hd_status norm_phases(hd_vec_norm *s, hd_prepared *out, hd_vec_run sum, hd_vec_run apply) {
    out->scratch = (size_t)s->room * (2 * (size_t)s->split.image_tasks * sizeof(double) + sizeof(float));
    norm_phase(s, out, sum);
    norm_phase(s, out, apply);
    return HD_OK;
}

static hd_status norm_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_batch_norm_args *a = k->attr;
    hd_vec_norm *s = norm_state(k, out);
    if (!s) return HD_E_MEMORY;
    const hd_vec *v = hd_vec_for(k->isa);
    const bool half = k->in[0].dtype == HD_BF16;
    s->eps = a->eps;
    s->momentum = a->momentum;
    norm_clip(s, a->act == HD_ACT_RELU ? HD_CLIP_RELU : HD_CLIP_NONE);
    if (k->n_out > 1) return norm_phases(s, out, v->norm_sum[half], v->norm_normalise[half]);
    norm_phase(s, out, v->norm_infer[half]);
    return HD_OK;
}

static hd_status norm_act_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_batch_norm_act_args *a = k->attr;
    hd_vec_norm *s = norm_state(k, out);
    if (!s) return HD_E_MEMORY;
    s->eps = a->eps;
    s->momentum = a->momentum;
    s->residual = hd_vec_present(k, 5) ? 5 : 0;
    norm_clip(s, a->clip);
    const hd_vec *v = hd_vec_for(k->isa);
    const bool half = k->in[0].dtype == HD_BF16;
    return norm_phases(s, out, v->norm_sum[half], v->norm_normalise[half]);
}

/* Where a gradient finds its operands; 0: it has none. */
typedef struct norm_places {
    int mean, dy, dy2, y;
    bool again, keep;
} norm_places;

static hd_status norm_back(hd_kctx *k, hd_prepared *out, norm_places at, int64_t clip) {
    hd_vec_norm *s = norm_state(k, out);
    if (!s) return HD_E_MEMORY;
    s->mean = at.mean;
    s->dy = at.dy;
    s->dy2 = at.dy2;
    s->y = at.y;
    s->again = at.again;
    s->keep = at.keep;
    norm_clip(s, clip);
    const hd_vec *v = hd_vec_for(k->isa);
    const bool half = k->in[0].dtype == HD_BF16;
    return norm_phases(s, out, v->norm_grad_sum[half], v->norm_grad[half]);
}

static hd_status norm_grad_prepare(hd_kctx *k, hd_prepared *out) {
    const bool relu = ((const hd_batch_norm_grad_args *)k->attr)->act == HD_ACT_RELU;
    const norm_places at = {.mean = 2, .dy = 4, .y = relu ? 5 : 0};
    return norm_back(k, out, at, relu ? HD_CLIP_RELU : HD_CLIP_NONE);
}

static hd_status norm_act_grad_prepare(hd_kctx *k, hd_prepared *out) {
    const int64_t clip = ((const hd_batch_norm_act_grad_args *)k->attr)->clip;
    return norm_back(k, out, (norm_places){.mean = 3, .dy = 5, .again = clip != HD_CLIP_NONE}, clip);
}

static hd_status norm_add_grad_prepare(hd_kctx *k, hd_prepared *out) {
    const norm_places at = {.mean = 2, .dy = 5, .dy2 = hd_vec_present(k, 6) ? 6 : 0, .y = 4, .keep = true};
    return norm_back(k, out, at, ((const hd_batch_norm_act_grad_args *)k->attr)->clip);
}

#define NORM_KERNEL(op_name, inplace, supports_fn, layouts_fn, prepare_fn)                                             \
    const hd_kernel hd_kernel_vec_##op_name = {                                                                        \
        .name = "cpu." #op_name,                                                                                       \
        .op = #op_name,                                                                                                \
        .flags = (inplace) | HD_K_BF16,                                                                                \
        .supports = supports_fn,                                                                                       \
        .layouts = layouts_fn,                                                                                         \
        .prepare = prepare_fn,                                                                                         \
    };
NORM_KERNEL(batch_norm, HD_K_INPLACE, norm_supports, norm_layouts, norm_prepare)
NORM_KERNEL(batch_norm_infer, HD_K_INPLACE, norm_supports, norm_layouts, norm_prepare)
NORM_KERNEL(batch_norm_act, HD_K_INPLACE, norm_supports, norm_layouts, norm_act_prepare)
NORM_KERNEL(batch_norm_grad, HD_K_INPLACE_ANY, norm_supports, norm_grad_layouts, norm_grad_prepare)
NORM_KERNEL(batch_norm_act_grad, HD_K_INPLACE_ANY, norm_supports, norm_act_grad_layouts, norm_act_grad_prepare)
NORM_KERNEL(batch_norm_add_grad, HD_K_INPLACE_ANY, norm_add_supports, norm_add_grad_layouts, norm_add_grad_prepare)
