/* conv_own_weight.c: gradients of a convolution's weight and bias, any shape, plain layout. An element of dw is a dot
 * product, along the pixels of all images, of a channel of dy with a row of the unrolled pictures. */
#include "backends/cpu/conv_own.h"

enum {
    MOST_IMAGE_TASKS = 8, /* groups of images with a dw of their own, added up at the end */
    SMALL_DW = 1 << 16,   /* elements up to which such copies are cheap */
    MOST_CHANNEL_TASKS = 16,
    SUM_CHUNK = 1 << 12, /* elements of dw a task adds up */
    MOST_PIXELS = 1024,  /* unrolled at a time: the longer a dot product, the less its end costs */
    MANY_PIXELS = 192    /* images with fewer are put together */
};

typedef struct weight_state {
    hd_conv v;
    bool bias;
    int64_t image_tasks, splits, channels; /* channels: of the input, of a part of a group */
    int64_t together;                      /* images unrolled side by side */
    int64_t block;                         /* rows unrolled at a time */
    int64_t dw_count, partial;             /* elements of dw; of one partial (dw, db) */
} weight_state;

/* Partial results of group g of images: the first is the result itself. */
static float *partial_dw(const weight_state *s, const hd_exec *e, int64_t g) {
    return g ? (float *)(void *)e->scratch + (g - 1) * s->partial : e->out[0];
}
static float *partial_db(const weight_state *s, const hd_exec *e, int64_t g) {
    return g ? partial_dw(s, e, g) + s->dw_count : s->bias ? e->out[1] : NULL;
}

/* A few images (or a part of the pixels j … j+n of one) of a part of a group's input channels. */
typedef struct piece_of_work {
    int64_t image, images, j, n, group, c, channels;
    bool add;
} piece_of_work;

static void weight_piece(const weight_state *s, const hd_exec *e, const piece_of_work *w, float *dw, float *db) {
    const hd_conv *v = &s->v;
    const int64_t plane = v->win.h * v->win.w, width = w->images * w->n, rows = w->channels * v->points;
    float *unrolled = hd_thread_scratch(e), *copy = unrolled + s->block * v->ld + 16;
    hd_gemm_block g = {.m = v->kg,
                       .k = width,
                       .a = (const float *)e->in[1] + w->image * v->y_image + w->group * v->kg * v->pixels + w->j,
                       .ra = v->pixels,
                       .ca = 1,
                       .b = unrolled,
                       .ldb = v->ld,
                       .bt = true,
                       .ldc = v->depth,
                       .add = w->add};
    if (w->images > 1) { /* dy [kg, images · pixels] */
        for (int64_t i = 0; i < w->images; i++)
            for (int64_t k = 0; k < v->kg; k++)
                for (int64_t p = 0; p < w->n; p++)
                    copy[k * v->ld + i * w->n + p] = g.a[i * v->y_image + k * v->pixels + p];
        g.a = copy;
        g.ra = v->ld;
    }
    if (db) v->isa->row_sums(db + w->group * v->kg, g.a, v->kg, width, g.ra, w->add);
    for (int64_t row = 0; row < rows; row += s->block) {
        g.n = hd_conv_least(s->block, rows - row);
        for (int64_t i = 0; i < w->images; i++)
            v->isa->im2col(unrolled + i * w->n, v->ld, &v->win,
                           (const float *)e->in[0] + (w->image + i) * v->x_image + (w->group * v->cg + w->c) * plane,
                           row, g.n, w->j, w->j + w->n);
        g.c = dw + w->group * v->kg * v->depth + w->c * v->points + row;
        v->isa->dots(&g);
    }
}

static void run_weight(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const weight_state *s = e->state;
    const hd_conv *v = &s->v;
    const int64_t parts = v->groups * s->splits, g = task / parts, part = task % parts;
    piece_of_work w = {.group = part / s->splits, .c = part % s->splits * s->channels};
    w.channels = hd_conv_least(s->channels, v->cg - w.c);
    float *dw = partial_dw(s, e, g), *db = w.c == 0 ? partial_db(s, e, g) : NULL;
    if (w.c == 0 && g > 0 && !s->bias) db = NULL;
    const int64_t last = (g + 1) * v->n / s->image_tasks;
    for (w.image = g * v->n / s->image_tasks; w.image < last; w.image += w.images) {
        w.images = hd_conv_least(s->together, last - w.image);
        for (w.j = 0; w.j < v->pixels; w.j += v->chunk) {
            w.n = s->together > 1 ? v->pixels : hd_conv_least(v->chunk, v->pixels - w.j);
            weight_piece(s, e, &w, dw, db);
            w.add = true;
            if (s->together > 1) break;
        }
    }
}

/* Adds the other groups' dw and db to the first's, always in the same order. */
static void run_sum(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const weight_state *s = e->state;
    float *dw = e->out[0], *db = s->bias ? e->out[1] : NULL;
    const int64_t from = task * SUM_CHUNK, to = hd_conv_least(s->dw_count, from + SUM_CHUNK);
    for (int64_t g = 1; g < s->image_tasks; g++) {
        const float *more = partial_dw(s, e, g), *more_db = partial_db(s, e, g);
        for (int64_t i = from; i < to; i++) dw[i] += more[i];
        for (int64_t i = 0; db && task == 0 && i < s->v.k; i++) db[i] += more_db[i];
    }
}

/* No image, no gradient. */
static void run_zero(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const weight_state *s = e->state;
    float *dw = e->out[0], *db = s->bias ? e->out[1] : NULL;
    (void)task;
    for (int64_t i = 0; i < s->dw_count; i++) dw[i] = 0;
    for (int64_t i = 0; db && i < s->v.k; i++) db[i] = 0;
}

/* How the work is cut: by images where a copy of dw costs little, else by input channels. */
static void cut(weight_state *s) {
    hd_conv *v = &s->v;
    s->image_tasks = s->dw_count <= SMALL_DW ? hd_conv_least(MOST_IMAGE_TASKS, v->n) : 1;
    const int64_t want = MOST_CHANNEL_TASKS / (s->image_tasks * v->groups);
    s->channels = hd_conv_ceil(v->cg, hd_conv_least(v->cg, want < 1 ? 1 : want));
    if (s->image_tasks >= MOST_IMAGE_TASKS / 2) s->channels = v->cg;
    s->splits = hd_conv_ceil(v->cg, s->channels);
    v->chunk = hd_conv_least(v->pixels, MOST_PIXELS);
    v->ld = hd_conv_ceil(v->chunk, 16) * 16 + 16;
    s->together = v->pixels < MANY_PIXELS ? hd_conv_least(v->n, HD_CONV_PIXELS / v->pixels) : 1;
    if (s->together > 1) v->ld = hd_conv_ceil(s->together * v->pixels, 16) * 16 + 16;
    s->block = hd_conv_least(s->channels * v->points, HD_CONV_FLOATS / v->ld);
}

static hd_status prepare(hd_kctx *k, hd_prepared *out) {
    const hd_conv2d_grad_args *a = k->attr;
    weight_state *s = hd_arena_alloc(k->arena, sizeof *s);
    if (!s) return HD_E_MEMORY;
    hd_conv_of(&s->v, k->isa, &k->in[0].dims, &k->out[0].dims, &k->in[1].dims, a->stride, a->padding, a->dilation,
               a->groups);
    s->bias = k->n_out > 1;
    s->dw_count = s->v.k * s->v.depth;
    out->state = s;
    if (s->v.n == 0) {
        out->phase[out->phases++] = (hd_phase){run_zero, 1};
        return HD_OK;
    }
    cut(s);
    s->partial = hd_conv_ceil(s->dw_count + s->v.k, 16) * 16;
    out->phase[out->phases++] = (hd_phase){run_weight, s->image_tasks * s->v.groups * s->splits};
    if (s->image_tasks > 1) out->phase[out->phases++] = (hd_phase){run_sum, hd_conv_ceil(s->dw_count, SUM_CHUNK)};
    out->scratch = (size_t)((s->image_tasks - 1) * s->partial) * sizeof(float);
    out->scratch_per_thread = (size_t)((s->block + (s->together > 1 ? s->v.kg : 0)) * s->v.ld + 32) * sizeof(float);
    return HD_OK;
}

static const char *fits(const hd_kctx *k) {
    return k->out[0].dtype == HD_F32 ? NULL : "computes in f32 only";
}

const hd_kernel hd_kernel_cpu_conv2d_grad_weight = {
    .name = "cpu.conv2d_grad_weight", .op = "conv2d_grad_weight", .supports = fits, .prepare = prepare};
const hd_kernel hd_kernel_cpu_conv2d_grad_params = {
    .name = "cpu.conv2d_grad_params", .op = "conv2d_grad_params", .supports = fits, .prepare = prepare};
