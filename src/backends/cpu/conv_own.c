/* conv_own.c: convolution and the gradient of its input, any shape, plain layout: pictures are unrolled into windows
 * (im2col) a piece at a time in the second cache, and multiplied by the weights. What a build without a library runs,
 * and what the library refuses. */
#include "backends/cpu/conv_own.h"
#include "backends/cpu/vec.h"
#include <string.h>

enum { MOST_TASKS = 256, NOMINAL_THREADS = 8 };

void hd_conv_of(hd_conv *v, hd_isa isa, const hd_dims *x, const hd_dims *w, const hd_dims *y, const int64_t *stride,
                const int64_t *padding, const int64_t *dilation, int64_t groups) {
    *v = (hd_conv){.isa = hd_gemm_of(isa),
                   .win = {.h = x->dim[2],
                           .w = x->dim[3],
                           .r = w->dim[2],
                           .s = w->dim[3],
                           .oh = y->dim[2],
                           .ow = y->dim[3],
                           .stride = {stride[0], stride[1]},
                           .padding = {padding[0], padding[1]},
                           .dilation = {dilation[0], dilation[1]}},
                   .n = x->dim[0],
                   .c = x->dim[1],
                   .k = w->dim[0],
                   .groups = groups,
                   .cg = w->dim[1],
                   .kg = w->dim[0] / groups};
    v->points = v->win.r * v->win.s;
    v->depth = v->cg * v->points;
    v->pixels = v->win.oh * v->win.ow;
    v->x_image = v->c * v->win.h * v->win.w;
    v->y_image = v->k * v->pixels;
    v->chunks = hd_conv_ceil(v->pixels, HD_CONV_PIXELS);
    if (v->chunks < 1) v->chunks = 1;
    v->chunk = hd_conv_ceil(hd_conv_ceil(v->pixels, v->chunks), 32) * 32;
    v->chunks = hd_conv_ceil(v->pixels, v->chunk);
    v->ld = v->chunk + 16; /* an odd number of cache lines: rows do not compete for the same places */
}

typedef struct conv_state {
    hd_conv v;
    bool in_place;                      /* windows of one point: nothing to unroll */
    int64_t parts;                      /* matrices of packed weights: groups, or parts of their input channels */
    int64_t rows, depth, mr, tiles, kc; /* of one of them: A [rows, depth] */
    int64_t channels, splits;           /* gradient: input channels of a part; parts of a group */
    int64_t units, tasks, pack_tasks;
    int64_t block_tiles; /* gradient: tiles whose rows are unrolled at a time */
    int64_t packed;      /* floats of a packed part */
    hd_gemm_end end;
    bool bias;
    hd_vec_fn sum; /* of a convolution that is added to z */
} conv_state;

static hd_gemm_block weights_block(const conv_state *s, const float *w, int64_t part) {
    const hd_conv *v = &s->v;
    hd_gemm_block g = {.m = s->rows, .k = s->depth, .mr = s->mr, .kc = s->kc, .tiles = s->tiles};
    if (s->splits == 0) { /* forward: A = w [kg, depth] */
        g.a = w + part * v->kg * v->depth;
        g.ra = v->depth;
        g.ca = 1;
    } else { /* gradient: A = wᵀ [channels · points, kg] */
        const int64_t group = part / s->splits, c = part % s->splits * s->channels;
        g.a = w + group * v->kg * v->depth + c * v->points;
        g.ra = 1;
        g.ca = v->depth;
        g.m = hd_conv_least(s->channels, v->cg - c) * v->points;
    }
    return g;
}

static void pack_weights(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const conv_state *s = e->state;
    const int64_t each = s->pack_tasks / s->parts, part = task / each, t = task % each;
    const hd_gemm_block g = weights_block(s, e->in[1], part);
    const int64_t tiles = hd_conv_ceil(g.m, s->mr);
    s->v.isa->pack_a((float *)(void *)e->kept + part * s->packed, &g, hd_conv_least(tiles, t * s->tiles / each),
                     hd_conv_least(tiles, (t + 1) * s->tiles / each));
}

/* ---- forward ---- */

/* One chunk of pixels of one group of one image. */
static void forward_unit(const conv_state *s, const hd_exec *e, int64_t unit) {
    const hd_conv *v = &s->v;
    const int64_t image = unit / (v->groups * v->chunks), group = unit / v->chunks % v->groups;
    const int64_t j = unit % v->chunks * v->chunk, n = hd_conv_least(v->chunk, v->pixels - j);
    const float *x = (const float *)e->in[0] + image * v->x_image + group * v->cg * v->win.h * v->win.w;
    hd_gemm_block g = weights_block(s, e->in[1], group);
    g.n = n;
    g.nc = n;
    g.c = (float *)e->out[0] + image * v->y_image + group * v->kg * v->pixels + j;
    g.ldc = v->pixels;
    g.bias = s->bias ? (const float *)e->in[2] + group * v->kg : NULL;
    g.bias_rows = true;
    const float *packed = (const float *)(void *)e->kept + group * s->packed;
    const float *z = s->sum ? (const float *)e->in[3] + (g.c - (float *)e->out[0]) : NULL;
    for (int64_t i = 0; z && i < v->kg; i++) /* the sum begins with it, and with the bias, which is one number a row */
        s->sum(g.c + i * g.ldc, z + i * g.ldc, g.bias + i, n, NULL);
    float *unrolled = s->in_place ? NULL : hd_thread_scratch(e);
    for (int64_t p = 0; p < v->depth; p += s->kc) {
        g.k = hd_conv_least(s->kc, v->depth - p);
        g.a_packed = packed + p * s->mr * s->tiles;
        if (s->in_place) {
            g.b = x + p * v->pixels + j;
            g.ldb = v->pixels;
        } else {
            v->isa->im2col(unrolled, v->ld, &v->win, x, p, g.k, j, j + n);
            g.b = unrolled;
            g.ldb = v->ld;
        }
        g.add = p > 0 || z;
        g.end = p + g.k == v->depth ? s->end : HD_END_NONE;
        v->isa->tiles(&g);
    }
}

static void run_forward(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const conv_state *s = e->state;
    for (int64_t u = task * s->units / s->tasks; u < (task + 1) * s->units / s->tasks; u++) forward_unit(s, e, u);
}

/* ---- gradient of the input ---- */

/* The input channels of one part of one image: wᵀ dy, each row of which is added to where its windows lie. */
static void grad_input_unit(const conv_state *s, const hd_exec *e, int64_t unit) {
    const hd_conv *v = &s->v;
    const int64_t image = unit / s->parts, part = unit % s->parts, group = part / s->splits;
    const int64_t c = group * v->cg + part % s->splits * s->channels, plane = v->win.h * v->win.w;
    const hd_gemm_block whole = weights_block(s, e->in[1], part);
    hd_gemm_block g = whole;
    float *dx = (float *)e->out[0] + image * v->x_image + c * plane;
    const float *dy = (const float *)e->in[0] + image * v->y_image + group * v->kg * v->pixels;
    g.a_packed = (const float *)(void *)e->kept + part * s->packed;
    g.ldb = v->pixels;
    if (!s->in_place) memset(dx, 0, (size_t)(whole.m / v->points * plane) * sizeof *dx);
    for (int64_t j = 0; j < v->pixels; j += v->chunk)
        for (int64_t t = 0; t * s->mr < whole.m; t += s->block_tiles) {
            const int64_t row = t * s->mr;
            g.tile0 = t;
            g.m = hd_conv_least(s->block_tiles * s->mr, whole.m - row);
            g.n = g.nc = hd_conv_least(v->chunk, v->pixels - j);
            g.b = dy + j;
            g.c = s->in_place ? dx + row * plane + j : hd_thread_scratch(e);
            g.ldc = s->in_place ? plane : v->ld;
            v->isa->tiles(&g);
            if (!s->in_place) v->isa->col2im(dx, &v->win, g.c, v->ld, row, g.m, j, j + g.n);
        }
}

static void run_grad_input(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const conv_state *s = e->state;
    for (int64_t u = task * s->units / s->tasks; u < (task + 1) * s->units / s->tasks; u++) grad_input_unit(s, e, u);
}

/* ---- preparing ---- */

static bool one_point(const hd_windows *w) {
    return w->r == 1 && w->s == 1 && w->stride[0] == 1 && w->stride[1] == 1 && w->padding[0] == 0 && w->padding[1] == 0;
}

static hd_status finish(hd_kctx *k, conv_state *s, hd_prepared *out, void (*run)(void *, int64_t)) {
    const hd_conv *v = &s->v;
    s->in_place = one_point(&v->win);
    const int64_t most = hd_conv_ceil(s->rows, v->isa->rows);
    s->mr = hd_conv_ceil(s->rows, most);
    s->tiles = hd_conv_ceil(s->rows, s->mr);
    s->kc = v->isa->kc;
    s->packed = s->tiles * s->mr * s->depth;
    s->tasks = hd_conv_least(s->units, MOST_TASKS);
    s->pack_tasks = s->parts * (s->parts < NOMINAL_THREADS ? hd_conv_least(s->tiles, NOMINAL_THREADS) : 1);
    s->block_tiles = hd_conv_least(s->tiles, HD_CONV_FLOATS / v->ld / s->mr);
    conv_state *state = hd_arena_alloc(k->arena, sizeof *state);
    if (!state) return HD_E_MEMORY;
    *state = *s;
    out->state = state;
    if (s->units > 0) {
        out->phase[out->phases++] = (hd_phase){pack_weights, s->pack_tasks};
        out->phase[out->phases++] = (hd_phase){run, s->tasks};
    }
    const int64_t unrolled = s->splits ? s->block_tiles * s->mr : hd_conv_least(s->kc, s->depth);
    out->kept = (size_t)(s->parts * s->packed) * sizeof(float);
    out->once = out->phases > 0;
    out->once_in = 1u << 1;
    out->scratch_per_thread =
        s->in_place ? 0 : (size_t)((unrolled * v->ld + v->isa->lanes + 15) / 16 * 16) * sizeof(float);
    return HD_OK;
}

static hd_status conv2d_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_conv2d_args a = hd_conv2d_args_of(k->op, k->attr);
    conv_state s = {.bias = k->n_in > 2 && k->in[2].dims.rank >= 0};
    hd_conv_of(&s.v, k->isa, &k->in[0].dims, &k->in[1].dims, &k->out[0].dims, a.stride, a.padding, a.dilation,
               a.groups);
    static const hd_gemm_end ends[] = {[HD_ACT_NONE] = HD_END_NONE,
                                       [HD_ACT_RELU] = HD_END_RELU,
                                       [HD_ACT_SIGMOID] = HD_END_SIGMOID,
                                       [HD_ACT_TANH] = HD_END_TANH};
    s.end = ends[a.act];
    if (k->op == &hd_op_conv2d_add) s.sum = hd_vec_for(k->isa)->elem[HD_VEC_add][HD_VEC_VS];
    s.parts = a.groups;
    s.rows = s.v.kg;
    s.depth = s.v.depth;
    s.units = s.v.n * s.v.groups * s.v.chunks;
    return finish(k, &s, out, run_forward);
}

static hd_status conv2d_grad_input_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_conv2d_grad_args *a = k->attr;
    conv_state s = {0};
    hd_conv_of(&s.v, k->isa, &k->out[0].dims, &k->in[1].dims, &k->in[0].dims, a->stride, a->padding, a->dilation,
               a->groups);
    const int64_t want = hd_conv_ceil(NOMINAL_THREADS, s.v.n * s.v.groups + 1); /* few images: channels apart */
    s.channels = hd_conv_ceil(s.v.cg, hd_conv_least(want, s.v.cg));
    s.splits = hd_conv_ceil(s.v.cg, s.channels);
    s.parts = s.v.groups * s.splits;
    s.rows = s.channels * s.v.points;
    s.depth = s.v.kg;
    s.units = s.v.n * s.parts;
    return finish(k, &s, out, run_grad_input);
}

static const char *fits(const hd_kctx *k) {
    return k->out[0].dtype == HD_F32 ? NULL : "computes in f32 only";
}

const hd_kernel hd_kernel_cpu_conv2d = {
    .name = "cpu.conv2d", .op = "conv2d", .supports = fits, .prepare = conv2d_prepare};
const hd_kernel hd_kernel_cpu_conv2d_add = {.name = "cpu.conv2d_add",
                                            .op = "conv2d_add",
                                            .flags = HD_K_INPLACE_LAST,
                                            .supports = fits,
                                            .prepare = conv2d_prepare};
const hd_kernel hd_kernel_cpu_conv2d_grad_input = {
    .name = "cpu.conv2d_grad_input", .op = "conv2d_grad_input", .supports = fits, .prepare = conv2d_grad_input_prepare};
