/* conv_few_weight.c: gradients of the weight and bias of a convolution with few channels: an element of dw is a dot
 * product of a channel of dy, laid out like the positions of conv_few.h with zeros between its rows, with what a point
 * of the windows sees. */
#include "backends/cpu/conv_few.h"
#include <string.h>

enum { FEW_CHUNK_FLOATS = 1 << 13 }; /* of laid out pictures and their dy at a time: the first cache */

typedef struct few_weight {
    hd_few_layout f;
    bool bias;
    int64_t picture, lda, slopes, chunk; /* floats of a picture, of a row and all of its dy; images at a time */
    int64_t tasks, count, partial;       /* elements of dw; floats of a task's (dw, db) */
} few_weight;

static float *weight_of(const few_weight *s, const hd_exec *e, int64_t task) {
    return task ? (float *)(void *)e->scratch + (task - 1) * s->partial : e->out[0];
}
static float *bias_of(const few_weight *s, const hd_exec *e, int64_t task) {
    if (!s->bias) return NULL;
    return task ? weight_of(s, e, task) + s->count : e->out[1];
}

static void weight_chunk(const few_weight *s, const float *laid, const float *dy, int64_t images, float *dw, float *db,
                         bool add) {
    const hd_conv *v = &s->f.v;
    for (int64_t g = 0; g < v->groups; g++) {
        const hd_few_dots d = {.rows = v->kg,
                               .depth = v->depth,
                               .n = s->f.n,
                               .images = images,
                               .a = dy + g * v->kg * s->lda,
                               .lda = s->lda,
                               .a_image = s->slopes,
                               .b = laid + g * v->cg * s->f.channel,
                               .b_at = s->f.at,
                               .b_image = s->picture,
                               .c = dw + g * v->kg * v->depth,
                               .ldc = v->depth,
                               .add = add};
        s->f.isa->dots(&d);
    }
    for (int64_t i = 0; db && i < images; i++)
        s->f.isa->row_sums(db, dy + i * s->slopes, v->k, s->f.n, s->lda, add || i > 0);
}

static void run_weight(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const few_weight *s = e->state;
    const hd_conv *v = &s->f.v;
    const hd_windows *w = &v->win;
    float *laid = hd_thread_scratch(e), *slopes = laid + s->chunk * s->picture;
    const int64_t first = task * v->n / s->tasks, last = (task + 1) * v->n / s->tasks;
    memset(laid, 0, (size_t)(s->chunk * (s->picture + s->slopes)) * sizeof *laid);
    for (int64_t image = first; image < last; image += s->chunk) {
        const int64_t images = hd_conv_least(s->chunk, last - image);
        for (int64_t i = 0; i < images; i++) {
            const float *dy = (const float *)e->in[1] + (image + i) * v->y_image;
            hd_few_lay(&s->f, laid + i * s->picture, (const float *)e->in[0] + (image + i) * v->x_image, v->c);
            for (int64_t k = 0; k < v->k; k++)
                s->f.isa->lines(slopes + i * s->slopes + k * s->lda, s->f.wq, dy + k * v->pixels, w->ow, w->oh, w->ow);
        }
        weight_chunk(s, laid, slopes, images, weight_of(s, e, task), bias_of(s, e, task), image > first);
    }
}

/* Adds what the other tasks found, always in the same order. */
static void run_join(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const few_weight *s = e->state;
    float *dw = weight_of(s, e, 0), *db = bias_of(s, e, 0);
    (void)task;
    for (int64_t t = 1; t < s->tasks; t++) {
        const float *more = weight_of(s, e, t), *more_db = bias_of(s, e, t);
        for (int64_t i = 0; i < s->count; i++) dw[i] += more[i];
        for (int64_t k = 0; db && k < s->f.v.k; k++) db[k] += more_db[k];
    }
}

static const char *weight_fits(const hd_kctx *k) {
    return hd_few_refuses(k, &k->in[0].dims, &k->out[0].dims, &k->in[1].dims);
}

static hd_status weight_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_conv2d_grad_args *a = k->attr;
    few_weight *s = hd_arena_alloc(k->arena, sizeof *s);
    hd_conv v;
    if (!s) return HD_E_MEMORY;
    hd_conv_of(&v, k->isa, &k->in[0].dims, &k->out[0].dims, &k->in[1].dims, a->stride, a->padding, a->dilation,
               a->groups);
    HD_TRY(hd_few_layout_of(&s->f, k, &v));
    s->bias = k->n_out > 1;
    s->picture = hd_conv_ceil(v.c * s->f.channel + HD_FEW_ROOM, 16) * 16;
    s->lda = hd_conv_ceil(s->f.n, 16) * 16;
    s->slopes = v.k * s->lda;
    s->tasks = hd_few_tasks(&v);
    s->chunk = hd_conv_least(hd_conv_ceil(v.n, s->tasks), 1 + (FEW_CHUNK_FLOATS - 1) / (s->picture + s->slopes));
    s->count = v.k * v.depth;
    s->partial = hd_conv_ceil(s->count + v.k, 16) * 16;
    out->state = s;
    out->phase[out->phases++] = (hd_phase){run_weight, s->tasks};
    if (s->tasks > 1) out->phase[out->phases++] = (hd_phase){run_join, 1};
    out->scratch = (size_t)((s->tasks - 1) * s->partial) * sizeof(float);
    out->scratch_per_thread = (size_t)(s->chunk * (s->picture + s->slopes)) * sizeof(float);
    return HD_OK;
}

const hd_kernel hd_kernel_cpu_conv2d_grad_weight_few = {.name = "cpu.conv2d_grad_weight.few",
                                                        .op = "conv2d_grad_weight",
                                                        .supports = weight_fits,
                                                        .prepare = weight_prepare};
const hd_kernel hd_kernel_cpu_conv2d_grad_params_few = {.name = "cpu.conv2d_grad_params.few",
                                                        .op = "conv2d_grad_params",
                                                        .supports = weight_fits,
                                                        .prepare = weight_prepare};
