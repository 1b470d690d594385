/* conv_few.c: convolution with few channels, and the gradient of its input: see conv_few.h. The gradient is the same
 * sum with the roles of the pictures changed: a pixel of the input at a given place within the stride is seen by a
 * fixed set of window points, so each place is a convolution of dy of its own. */
#include "backends/cpu/conv_few.h"
#include <string.h>

enum {
    FEW_MOST_TASKS = 16,
    FEW_TASK_MACS = 1 << 19,  /* multiply-adds that pay a task */
    FEW_IMAGE_MACS = 1 << 22, /* of an image: it is not cut */
    FEW_BLOCKED_BATCH = 8,    /* images from which 16 to 16 channels are faster in blocks, as their neighbours are */
    FEW_CHANNELS = 16,        /* out, and in a group; more fill the vectors of blocked kernels */
    FEW_PLACES = 16           /* of the stride */
};

/* ---- laying out ---- */

hd_status hd_few_layout_of(hd_few_layout *f, hd_kctx *k, const hd_conv *v) {
    const hd_windows *w = &v->win;
    *f = (hd_few_layout){.isa = hd_gemm_of(k->isa)->few, .v = *v};
    f->hq = w->oh + (w->r - 1) * w->dilation[0] / w->stride[0];
    f->wq = w->ow + (w->s - 1) * w->dilation[1] / w->stride[1];
    f->channel = w->stride[0] * w->stride[1] * f->hq * f->wq;
    f->n = (w->oh - 1) * f->wq + w->ow;
    f->at = hd_arena_alloc_n(k->arena, (size_t)v->depth + 1, sizeof *f->at);
    if (!f->at) return HD_E_MEMORY;
    for (int64_t p = 0; p < v->depth; p++) {
        const int64_t i = p % v->points / w->s * w->dilation[0], l = p % w->s * w->dilation[1];
        const int64_t place = i % w->stride[0] * w->stride[1] + l % w->stride[1];
        f->at[p] =
            (int32_t)(p / v->points * f->channel + (place * f->hq + i / w->stride[0]) * f->wq + l / w->stride[1]);
    }
    return HD_OK;
}

static int64_t few_max(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* Of `size` rows (or columns) of the picture, those at first, first + step, …: how many there are below `most`. */
static int64_t few_count(int64_t size, int64_t first, int64_t step, int64_t most) {
    return few_max(0, hd_conv_least(most, hd_conv_ceil(size - first, step)));
}

/* The rows of a plane at one place within the stride, to `to`: that place's column places are `apart` floats apart. */
static void lay_rows(const hd_few_layout *f, float *to, int64_t apart, const float *x, int64_t ld, int64_t lines) {
    const hd_windows *w = &f->v.win;
    const int64_t step = w->stride[1];
    const int64_t q0 = w->padding[1] / step, q1 = (w->padding[1] + 1) / step;
    if (step == 1) {
        f->isa->lines(to + q0, f->wq, x, ld, lines, few_count(w->w, 0, 1, f->wq - q0));
    } else if (step == 2) {
        float *even = to + w->padding[1] % 2 * apart + q0, *odd = to + (w->padding[1] + 1) % 2 * apart + q1;
        f->isa->part(even, odd, f->wq, x, ld, lines, few_count(w->w, 0, 2, f->wq - q0),
                     few_count(w->w, 1, 2, f->wq - q1));
    } else {
        for (int64_t j = 0; j < step; j++) {
            const int64_t u = j + w->padding[1], n = few_count(w->w, j, step, f->wq - u / step);
            float *place = to + u % step * apart + u / step;
            for (int64_t i = 0; i < lines; i++)
                for (int64_t q = 0; q < n; q++) place[i * f->wq + q] = x[i * ld + j + q * step];
        }
    }
}

void hd_few_lay(const hd_few_layout *f, float *to, const float *x, int64_t planes) {
    const hd_windows *w = &f->v.win;
    const int64_t step = w->stride[0], apart = f->hq * f->wq;
    for (int64_t c = 0; c < planes; c++, to += f->channel, x += w->h * w->w)
        for (int64_t i = 0; i < step; i++) {
            const int64_t u = i + w->padding[0], q = u / step;
            lay_rows(f, to + u % step * w->stride[1] * apart + q * f->wq, apart, x + i * w->w, step * w->w,
                     few_count(w->h, i, step, f->hq - q));
        }
}

const char *hd_few_refuses(const hd_kctx *k, const hd_dims *x, const hd_dims *w, const hd_dims *y) {
    const int64_t out = w->dim[0], in = w->dim[1];
    if (k->out[0].dtype != HD_F32) return "computes in f32 only";
    if (out > FEW_CHANNELS || in > FEW_CHANNELS) return "channels fill vectors";
#ifdef HD_HAVE_DNNL /* whose blocked kernels do 16 times 16 twice as fast, or by Winograd */
    if (out == FEW_CHANNELS && in == FEW_CHANNELS && k->isa >= HD_ISA_AVX512) return "channels fill vectors";
#endif
    if (out == FEW_CHANNELS && in < 4) return "the next layer wants its channels in blocks";
    if (out == FEW_CHANNELS && in == FEW_CHANNELS && x->dim[0] >= FEW_BLOCKED_BATCH)
        return "channels fill blocks, and a batch pays for them";
    if (hd_dims_count(x) == 0 || hd_dims_count(y) == 0) return "there are no pictures";
    if (y->dim[2] * y->dim[3] * out * in * w->dim[2] * w->dim[3] > FEW_IMAGE_MACS) return "the picture is large";
    return NULL;
}

int64_t hd_few_tasks(const hd_conv *v) {
    const int64_t want = v->n * v->k * v->depth * v->pixels / FEW_TASK_MACS;
    int64_t tasks = 1;
    while (2 * tasks <= FEW_MOST_TASKS && 2 * tasks <= want && 2 * tasks <= v->n) tasks *= 2;
    return tasks;
}

/* ---- forward ---- */

typedef struct few_forward {
    hd_few_layout f;
    int32_t *in_order; /* 0, 1, 2, …: weights lie in the order of the points */
    int64_t picture, ldc, tasks;
    hd_gemm_end end;
    bool bias;
} few_forward;

static void forward_image(const few_forward *s, const hd_exec *e, int64_t image, float *laid) {
    const hd_conv *v = &s->f.v;
    const hd_windows *w = &v->win;
    float *c = laid + s->picture, *y = (float *)e->out[0] + image * v->y_image;
    hd_few_lay(&s->f, laid, (const float *)e->in[0] + image * v->x_image, v->c);
    for (int64_t g = 0; g < v->groups; g++) {
        const hd_few_tiles t = {.rows = v->kg,
                                .n = s->f.n,
                                .depth = v->depth,
                                .a = (const float *)e->in[1] + g * v->kg * v->depth,
                                .ra = v->depth,
                                .a_at = s->in_order,
                                .b = laid + g * v->cg * s->f.channel,
                                .b_at = s->f.at,
                                .c = c,
                                .ldc = s->ldc,
                                .bias = s->bias ? (const float *)e->in[2] + g * v->kg : NULL,
                                .relu = s->end == HD_END_RELU};
        s->f.isa->tiles(&t);
        for (int64_t k = 0; k < v->kg; k++)
            s->f.isa->lines(y + (g * v->kg + k) * v->pixels, w->ow, c + k * s->ldc, s->f.wq, w->oh, w->ow);
    }
    s->f.isa->end(s->end, y, v->y_image);
}

static void run_forward(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const few_forward *s = e->state;
    float *laid = hd_thread_scratch(e);
    memset(laid, 0, (size_t)s->picture * sizeof *laid);
    for (int64_t i = task * s->f.v.n / s->tasks; i < (task + 1) * s->f.v.n / s->tasks; i++)
        forward_image(s, e, i, laid);
}

static const char *forward_fits(const hd_kctx *k) {
    return hd_few_refuses(k, &k->in[0].dims, &k->in[1].dims, &k->out[0].dims);
}

/* Floats, whole cache lines. */
static int64_t few_round(int64_t n) {
    return (n + 15) / 16 * 16;
}

static hd_status forward_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_conv2d_args *a = k->attr;
    static const hd_gemm_end ends[] = {[HD_ACT_NONE] = HD_END_NONE,
                                       [HD_ACT_RELU] = HD_END_RELU,
                                       [HD_ACT_SIGMOID] = HD_END_SIGMOID,
                                       [HD_ACT_TANH] = HD_END_TANH};
    few_forward *s = hd_arena_alloc(k->arena, sizeof *s);
    hd_conv v;
    if (!s) return HD_E_MEMORY;
    hd_conv_of(&v, k->isa, &k->in[0].dims, &k->in[1].dims, &k->out[0].dims, a->stride, a->padding, a->dilation,
               a->groups);
    HD_TRY(hd_few_layout_of(&s->f, k, &v));
    s->in_order = hd_arena_alloc_n(k->arena, (size_t)v.depth + 1, sizeof *s->in_order);
    if (!s->in_order) return HD_E_MEMORY;
    for (int64_t p = 0; p < v.depth; p++) s->in_order[p] = (int32_t)p;
    s->end = ends[a->act];
    s->bias = k->n_in > 2 && k->in[2].dims.rank >= 0;
    s->picture = few_round(v.c * s->f.channel + HD_FEW_ROOM);
    s->ldc = few_round(s->f.n);
    s->tasks = hd_few_tasks(&v);
    out->state = s;
    out->phase[out->phases++] = (hd_phase){run_forward, s->tasks};
    out->scratch_per_thread = (size_t)(s->picture + v.kg * s->ldc) * sizeof(float);
    return HD_OK;
}

/* ---- gradient of the input ---- */

/* What the input's pixels at one place within the stride are made of. */
typedef struct few_place {
    int64_t depth;
    int32_t *a_at, *b_at;
} few_place;

typedef struct few_back {
    const hd_few_isa *isa;
    hd_conv v;
    int64_t up, left;      /* rows and columns of zeros around dy */
    int64_t wz;            /* columns of dy with those between its rows */
    int64_t channel;       /* floats of a channel of dy */
    int64_t first, n;      /* positions that the input needs */
    int64_t rows, columns; /* of the input that any window sees */
    int64_t picture, ldc, tasks;
    few_place place[FEW_PLACES];
} few_back;

/* Rows first, first + step, … of a plane from the results of their column places. */
static void merge_rows(const few_back *s, float *dx, const float *c, int64_t apart, int64_t i) {
    const hd_windows *w = &s->v.win;
    const int64_t step = w->stride[1], pad = w->padding[1], down = w->stride[0];
    const int64_t lines = few_count(s->rows, i, down, s->rows), ld = down * w->w;
    const float *from = c + ((i + w->padding[0]) / down) * s->wz - s->first;
    dx += i * w->w;
    if (step == 1) {
        s->isa->lines(dx, ld, from + pad, s->wz, lines, s->columns);
    } else if (step == 2) {
        s->isa->merge(dx, ld, from + pad % 2 * apart + pad / 2, from + (pad + 1) % 2 * apart + (pad + 1) / 2, s->wz,
                      lines, s->columns);
    } else {
        for (int64_t j = 0; j < step; j++) {
            const float *place = from + (j + pad) % step * apart + (j + pad) / step;
            for (int64_t line = 0; line < lines; line++)
                for (int64_t q = 0; j + q * step < s->columns; q++)
                    dx[line * ld + j + q * step] = place[line * s->wz + q];
        }
    }
}

static void back_group(const few_back *s, const hd_exec *e, float *dx, const float *laid, float *c, int64_t g) {
    const hd_conv *v = &s->v;
    const hd_windows *w = &v->win;
    const int64_t columns = w->stride[1], apart = v->cg * s->ldc;
    for (int64_t i = 0; i < w->stride[0]; i++) {
        const int64_t row_place = (i + w->padding[0]) % w->stride[0];
        for (int64_t j = 0; j < columns; j++) {
            const few_place *p = &s->place[row_place * columns + j];
            const hd_few_tiles t = {.rows = v->cg,
                                    .n = s->n,
                                    .depth = p->depth,
                                    .a = (const float *)e->in[1] + g * v->kg * v->depth,
                                    .ra = v->points,
                                    .a_at = p->a_at,
                                    .b = laid + g * v->kg * s->channel + s->first,
                                    .b_at = p->b_at,
                                    .c = c + j * apart,
                                    .ldc = s->ldc};
            s->isa->tiles(&t);
        }
        for (int64_t channel = 0; channel < v->cg; channel++)
            merge_rows(s, dx + (g * v->cg + channel) * w->h * w->w, c + channel * s->ldc, apart, i);
    }
}

static void run_back(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const few_back *s = e->state;
    const hd_conv *v = &s->v;
    const hd_windows *w = &v->win;
    float *laid = hd_thread_scratch(e), *c = laid + s->picture;
    memset(laid, 0, (size_t)s->picture * sizeof *laid);
    for (int64_t image = task * v->n / s->tasks; image < (task + 1) * v->n / s->tasks; image++) {
        const float *dy = (const float *)e->in[0] + image * v->y_image;
        float *dx = (float *)e->out[0] + image * v->x_image;
        for (int64_t k = 0; k < v->k; k++)
            s->isa->lines(laid + k * s->channel + s->left + s->up * s->wz, s->wz, dy + k * v->pixels, w->ow, w->oh,
                          w->ow);
        if (s->rows < w->h || s->columns < w->w) memset(dx, 0, (size_t)v->x_image * sizeof *dx);
        for (int64_t g = 0; g < v->groups; g++) back_group(s, e, dx, laid, c, g);
    }
}

static hd_status fill_place(hd_kctx *k, few_back *s, int64_t place) {
    const hd_conv *v = &s->v;
    const hd_windows *w = &v->win;
    few_place *p = &s->place[place];
    p->a_at = hd_arena_alloc_n(k->arena, (size_t)(v->kg * v->points) + 1, sizeof *p->a_at);
    p->b_at = hd_arena_alloc_n(k->arena, (size_t)(v->kg * v->points) + 1, sizeof *p->b_at);
    if (!p->a_at || !p->b_at) return HD_E_MEMORY;
    for (int64_t q = 0; q < v->kg * v->points; q++) {
        const int64_t out = q / v->points, point = q % v->points;
        const int64_t i = point / w->s * w->dilation[0], l = point % w->s * w->dilation[1];
        if (i % w->stride[0] * w->stride[1] + l % w->stride[1] != place) continue;
        p->a_at[p->depth] = (int32_t)(out * v->depth + point);
        p->b_at[p->depth++] =
            (int32_t)(out * s->channel + s->left + (s->up - i / w->stride[0]) * s->wz - l / w->stride[1]);
    }
    return HD_OK;
}

static const char *back_fits(const hd_kctx *k) {
    const hd_conv2d_grad_args *a = k->attr;
    if (a->stride[0] * a->stride[1] > FEW_PLACES) return "strides are long";
    return hd_few_refuses(k, &k->out[0].dims, &k->in[1].dims, &k->in[0].dims);
}

static hd_status back_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_conv2d_grad_args *a = k->attr;
    few_back *s = hd_arena_alloc(k->arena, sizeof *s);
    if (!s) return HD_E_MEMORY;
    hd_conv *v = &s->v;
    const hd_windows *w = &v->win;
    hd_conv_of(v, k->isa, &k->out[0].dims, &k->in[1].dims, &k->in[0].dims, a->stride, a->padding, a->dilation,
               a->groups);
    s->isa = hd_gemm_of(k->isa)->few;
    s->up = (w->r - 1) * w->dilation[0] / w->stride[0];
    s->left = (w->s - 1) * w->dilation[1] / w->stride[1];
    s->wz = w->ow + s->left;
    s->channel = s->left + (w->oh + 2 * s->up) * s->wz;
    s->rows = few_max(0, hd_conv_least(w->h, (w->oh + s->up) * w->stride[0] - w->padding[0]));
    s->columns = few_max(0, hd_conv_least(w->w, (w->ow + s->left) * w->stride[1] - w->padding[1]));
    s->first = w->padding[0] / w->stride[0] * s->wz;
    s->n = s->rows ? ((w->padding[0] + s->rows - 1) / w->stride[0] + 1) * s->wz - s->first : 0;
    for (int64_t place = 0; place < w->stride[0] * w->stride[1]; place++) HD_TRY(fill_place(k, s, place));
    s->picture = few_round(v->k * s->channel + HD_FEW_ROOM);
    s->ldc = few_round(s->n);
    s->tasks = hd_few_tasks(v);
    out->state = s;
    out->phase[out->phases++] = (hd_phase){run_back, s->tasks};
    out->scratch_per_thread = (size_t)(s->picture + w->stride[1] * v->cg * s->ldc) * sizeof(float);
    return HD_OK;
}

const hd_kernel hd_kernel_cpu_conv2d_few = {
    .name = "cpu.conv2d.few", .op = "conv2d", .supports = forward_fits, .prepare = forward_prepare};
const hd_kernel hd_kernel_cpu_conv2d_grad_input_few = {
    .name = "cpu.conv2d_grad_input.few", .op = "conv2d_grad_input", .supports = back_fits, .prepare = back_prepare};
