/* conv_kernels.c: the kernels of conv2d and its gradients: hands the tasks of a hd_conv_plan to oneDNN. Knows no rule
 * of how to split. */
#include "backends/cpu/vec.h"
#include "backends/onednn/conv_plan.h"
#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"
#include "ops/fused.h"
#include <string.h>

typedef struct conv_state {
    hd_context *ctx;
    /* of a larger and of a smaller group of images; by rows: of each task */
    hd_dnnl_prim *prim[HD_CONV_TASKS];
    int64_t x_row[HD_CONV_TASKS], y_row[HD_CONV_TASKS]; /* by rows: elements to the first of each task */
    int64_t slices[HD_CONV_TASKS];                      /* and elements of y */
    int direction, split;
    bool bias, onto;               /* onto: is added to input 3, in whose memory the result may lie */
    bool copies;                   /* dy is laid out slice by slice in scratch */
    int64_t tasks, larger, images; /* images: of a larger group */
    int64_t n, x_step, y_step;     /* elements of one image */
    int64_t w_count, b_count;      /* elements of w and b, padding included; by channels: of a slice */
    int64_t slice;                 /* by channels: elements of a task's part of one image's y */
    size_t size[HD_DNNL_OPERANDS]; /* bytes of an element */
    hd_vec_split sum;              /* of w_count */
    hd_vec_fn add;
} conv_state;

/* ---- running ---- */

/* Where x w b y lie. */
typedef struct conv_memory {
    char *at[HD_DNNL_OPERANDS];
} conv_memory;

static conv_memory memory_of(const conv_state *s, const hd_exec *e) {
    switch (s->direction) {
    case HD_DNNL_FORWARD: return (conv_memory){{e->in[0], e->in[1], s->bias ? e->in[2] : NULL, e->out[0]}};
    case HD_DNNL_GRAD_INPUT: return (conv_memory){{e->out[0], e->in[1], NULL, e->in[0]}};
    default: return (conv_memory){{e->in[0], e->out[0], s->bias ? e->out[1] : NULL, e->in[1]}};
    }
}

/* Moves an operand on by so many elements; one that is absent stays so. */
static void forward(const conv_state *s, conv_memory *m, int operand, int64_t elements) {
    if (m->at[operand]) m->at[operand] += elements * (int64_t)s->size[operand];
}

static void run_task(const conv_state *s, const hd_exec *e, int prim, int64_t set, const conv_memory *m) {
    hd_dnnl_run(s->prim[prim], set, (void *const[]){m->at[0], m->at[1], m->at[2], m->at[3]}, hd_thread_scratch(e));
}

/* The library adds to what y holds: z is brought there, unless it lies there already. */
static void bring(const conv_state *s, const hd_exec *e, const conv_memory *m, int64_t elements) {
    if (!s->onto || e->in[3] == e->out[0]) return;
    const char *y = m->at[HD_DNNL_Y], *z = (const char *)e->in[3] + (y - (const char *)e->out[0]);
    memcpy(m->at[HD_DNNL_Y], z, (size_t)elements * s->size[HD_DNNL_Y]);
}

/* Partial gradients of task t, f32 always: the first is the result itself, the others stand in scratch. */
static float *partial_w(const conv_state *s, const hd_exec *e, char *dw, int64_t t) {
    return t ? (float *)(void *)e->scratch + (t - 1) * (s->w_count + s->b_count) : (float *)(void *)dw;
}
static float *partial_b(const conv_state *s, const hd_exec *e, char *db, int64_t t) {
    return t && db ? partial_w(s, e, NULL, t) + s->w_count : (float *)(void *)db;
}

static void run_images(void *exec, int64_t t) {
    const hd_exec *e = exec;
    const conv_state *s = e->state;
    conv_memory m = memory_of(s, e);
    const bool small = t >= s->larger;
    const int64_t first = t * s->images - (small ? t - s->larger : 0);
    forward(s, &m, HD_DNNL_X, first * s->x_step);
    forward(s, &m, HD_DNNL_Y, first * s->y_step);
    if (s->direction == HD_DNNL_GRAD_WEIGHT) {
        m.at[HD_DNNL_W] = (char *)partial_w(s, e, m.at[HD_DNNL_W], t);
        m.at[HD_DNNL_B] = (char *)partial_b(s, e, m.at[HD_DNNL_B], t);
    }
    bring(s, e, &m, (s->images - small) * s->y_step);
    run_task(s, e, small, small ? t - s->larger : t, &m);
}

/* Tree: 0 += 1, 2 += 3, then 0 += 2. */
static void run_sum(void *exec, int64_t t) {
    const hd_exec *e = exec;
    const conv_state *s = e->state;
    const conv_memory m = memory_of(s, e);
    char *dw = m.at[HD_DNNL_W], *db = m.at[HD_DNNL_B];
    const int64_t at = t * s->sum.chunk, n = hd_vec_min(s->sum.chunk, s->w_count - at);
    for (int64_t step = 1; step < s->tasks; step *= 2)
        for (int64_t i = 0; i + step < s->tasks; i += 2 * step) {
            float *to = partial_w(s, e, dw, i) + at;
            s->add(to, to, partial_w(s, e, dw, i + step) + at, n, NULL);
            if (t > 0 || !db) continue;
            to = partial_b(s, e, db, i);
            s->add(to, to, partial_b(s, e, db, i + step), s->b_count, NULL);
        }
}

/* oneDNN reads a slice of channels only where it lies in one piece. */
static void run_copy(void *exec, int64_t image) {
    const hd_exec *e = exec;
    const conv_state *s = e->state;
    const size_t size = s->size[HD_DNNL_Y];
    const char *y = memory_of(s, e).at[HD_DNNL_Y];
    for (int64_t t = 0; t < s->tasks; t++)
        memcpy(e->scratch + (size_t)((t * s->n + image) * s->slice) * size,
               y + (size_t)(image * s->y_step + t * s->slice) * size, (size_t)s->slice * size);
}

static void run_channels(void *exec, int64_t t) {
    const hd_exec *e = exec;
    const conv_state *s = e->state;
    conv_memory m = memory_of(s, e);
    if (s->copies) m.at[HD_DNNL_Y] = e->scratch;
    forward(s, &m, HD_DNNL_W, t * s->w_count);
    forward(s, &m, HD_DNNL_B, t * s->b_count);
    forward(s, &m, HD_DNNL_Y, t * s->slice * (s->copies ? s->n : 1));
    bring(s, e, &m, s->slice);
    run_task(s, e, 0, t, &m);
}

static void run_rows(void *exec, int64_t t) {
    const hd_exec *e = exec;
    const conv_state *s = e->state;
    conv_memory m = memory_of(s, e);
    forward(s, &m, HD_DNNL_X, s->x_row[t]);
    forward(s, &m, HD_DNNL_Y, s->y_row[t]);
    bring(s, e, &m, s->slices[t]);
    run_task(s, e, (int)t, 0, &m);
}

/* ---- preparing ---- */

static void conv_destroy(void *state) {
    conv_state *s = state;
    for (int i = 0; i < HD_CONV_TASKS; i++) hd_dnnl_free(s->prim[i], s->ctx);
}

static const hd_operand *operand_of(const hd_kctx *k, int direction, int operand) {
    switch (operand) {
    case HD_DNNL_X: return direction == HD_DNNL_GRAD_INPUT ? &k->out[0] : &k->in[0];
    case HD_DNNL_W: return direction == HD_DNNL_GRAD_WEIGHT ? &k->out[0] : &k->in[1];
    default: return direction == HD_DNNL_FORWARD ? &k->out[0] : direction == HD_DNNL_GRAD_INPUT ? &k->in[0] : &k->in[1];
    }
}

static int64_t physical(const hd_kctx *k, int direction, int operand) {
    const hd_operand *o = operand_of(k, direction, operand);
    return (int64_t)(o->bytes / hd_dtype_size(o->dtype));
}

static void fill_state(conv_state *s, const hd_conv_plan *p, const hd_kctx *k) {
    const int direction = p->conv.direction;
    const int64_t shares = p->split == HD_CONV_CHANNELS ? p->tasks : 1;
    for (int i = 0; i < HD_DNNL_OPERANDS; i++) s->size[i] = hd_dtype_size(p->conv.dtype[i]);
    s->ctx = k->ctx;
    s->direction = direction;
    s->split = p->split;
    s->bias = p->conv.bias;
    s->onto = p->conv.add;
    s->tasks = p->tasks;
    s->larger = p->larger;
    s->images = p->conv.n;
    s->n = p->n;
    s->x_step = physical(k, direction, HD_DNNL_X) / p->n;
    s->y_step = physical(k, direction, HD_DNNL_Y) / p->n;
    s->w_count = physical(k, direction, HD_DNNL_W) / shares;
    s->b_count = p->k / shares;
    s->slice = s->y_step / shares;
    s->copies = direction == HD_DNNL_GRAD_WEIGHT && shares > 1 && p->n > 1;
    s->sum = hd_vec_split_of(s->w_count, HD_VEC_GRAIN / 4);
    s->add = hd_vec_for(k->isa)->elem[HD_VEC_add][HD_VEC_VV];
}

static void fill_phases(const conv_state *s, hd_prepared *out) {
    const size_t floats = sizeof(float);
    if (s->split == HD_CONV_CHANNELS) {
        if (s->copies) out->phase[out->phases++] = (hd_phase){run_copy, s->n};
        if (s->copies) out->scratch = (size_t)(s->n * s->y_step) * s->size[HD_DNNL_Y];
        out->phase[out->phases++] = (hd_phase){run_channels, s->tasks};
        return;
    }
    if (s->split == HD_CONV_ROWS) {
        out->phase[out->phases++] = (hd_phase){run_rows, s->tasks};
        return;
    }
    out->phase[out->phases++] = (hd_phase){run_images, s->tasks};
    if (s->direction != HD_DNNL_GRAD_WEIGHT || s->tasks == 1) return;
    out->scratch = (size_t)((s->tasks - 1) * (s->w_count + s->b_count)) * floats;
    out->phase[out->phases++] = (hd_phase){run_sum, s->sum.tasks};
}

static hd_status make_rows(conv_state *s, const hd_conv_plan *p) {
    for (int t = 0; t < p->tasks; t++) {
        const hd_dnnl_conv part = hd_conv_plan_rows(p, t, &s->x_row[t], &s->y_row[t]);
        s->x_row[t] *= s->x_step / p->conv.h;
        s->y_row[t] *= s->y_step / p->conv.oh;
        s->slices[t] = part.oh * (s->y_step / p->conv.oh);
        HD_TRY(hd_dnnl_conv_new(&s->prim[t], s->ctx, &part, 1));
    }
    return HD_OK;
}

static hd_status make_groups(conv_state *s, hd_conv_plan *p) {
    const int64_t first = p->split == HD_CONV_IMAGES ? p->larger : p->tasks;
    HD_TRY(hd_dnnl_conv_new(&s->prim[0], s->ctx, &p->conv, first));
    if (first == p->tasks) return HD_OK;
    p->conv.n--;
    return hd_dnnl_conv_new(&s->prim[1], s->ctx, &p->conv, p->tasks - first);
}

static hd_status conv_prepare(hd_kctx *k, hd_prepared *out, int direction, bool winograd) {
    hd_conv_plan p;
    memset(out, 0, sizeof *out);
    const char *reason = hd_conv_plan_make(&p, k, direction, winograd);
    if (reason) return hd_fail(k->ctx, HD_E_UNSUPPORTED, "%s|%s", k->op->name, reason);
    for (int i = 0; i < HD_DNNL_OPERANDS; i++)
        if (i != HD_DNNL_B && !hd_layout_equal(&operand_of(k, direction, i)->layout, &p.layout[i]))
            return hd_fail(k->ctx, HD_E_UNSUPPORTED, "%s|oneDNN got another layout than it asked for", k->op->name);
    conv_state *s = hd_arena_alloc(k->arena, sizeof *s);
    if (!s) return HD_E_MEMORY;
    fill_state(s, &p, k);
    const hd_status status = p.split == HD_CONV_ROWS ? make_rows(s, &p) : make_groups(s, &p);
    if (status != HD_OK) {
        conv_destroy(s);
        return status;
    }
    out->state = s;
    out->destroy = conv_destroy;
    out->scratch_per_thread = (p.scratch + 63) / 64 * 64;
    fill_phases(s, out);
    return HD_OK;
}

/* ---- what the kernel list sees ---- */

static const char *conv_supports(const hd_kctx *k, int direction, bool winograd) {
    hd_conv_plan p;
    const hd_fp_state fp = hd_fp_enter();
    const char *reason = hd_conv_plan_make(&p, k, direction, winograd);
    hd_fp_leave(fp);
    return reason;
}

/* An operand that only gives a shape is named in the layout of what has that shape. */
static void conv_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out, int direction, bool winograd) {
    hd_conv_plan p;
    const hd_fp_state fp = hd_fp_enter();
    const char *reason = hd_conv_plan_make(&p, k, direction, winograd);
    hd_fp_leave(fp);
    if (reason) return;
    const hd_layout *l = p.layout;
    switch (direction) {
    case HD_DNNL_FORWARD:
        in[0] = l[HD_DNNL_X], in[1] = l[HD_DNNL_W], out[0] = l[HD_DNNL_Y];
        if (k->n_in > 3) in[3] = l[HD_DNNL_Y];
        break;
    case HD_DNNL_GRAD_INPUT:
        in[0] = l[HD_DNNL_Y], in[1] = l[HD_DNNL_W], out[0] = l[HD_DNNL_X];
        if (k->n_in > 2) in[2] = l[HD_DNNL_X];
        break;
    default: in[0] = l[HD_DNNL_X], in[1] = l[HD_DNNL_Y], in[2] = out[0] = l[HD_DNNL_W];
    }
}

#define CONV_KERNEL(variable, kernel_name, op_name, direction, winograd, more)                                         \
    static const char *variable##_supports(const hd_kctx *k) {                                                         \
        return conv_supports(k, direction, winograd);                                                                  \
    }                                                                                                                  \
    static void variable##_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out) {                                  \
        conv_layouts(k, in, out, direction, winograd);                                                                 \
    }                                                                                                                  \
    static hd_status variable##_prepare(hd_kctx *k, hd_prepared *out) {                                                \
        const hd_fp_state fp = hd_fp_enter();                                                                          \
        const hd_status status = conv_prepare(k, out, direction, winograd);                                            \
        hd_fp_leave(fp);                                                                                               \
        return status;                                                                                                 \
    }                                                                                                                  \
    const hd_kernel hd_kernel_dnnl_##variable = {.name = kernel_name,                                                  \
                                                 .op = op_name,                                                        \
                                                 .flags = ((winograd) ? 0 : HD_K_BF16) | (more),                       \
                                                 .supports = variable##_supports,                                      \
                                                 .layouts = variable##_layouts,                                        \
                                                 .prepare = variable##_prepare,                                        \
                                                 .variants = HD_CONV_VARIANTS};

CONV_KERNEL(conv2d_winograd, "onednn.conv2d.winograd", "conv2d", HD_DNNL_FORWARD, true, 0)
CONV_KERNEL(conv2d, "onednn.conv2d.direct", "conv2d", HD_DNNL_FORWARD, false, 0)
CONV_KERNEL(conv2d_add_winograd, "onednn.conv2d_add.winograd", "conv2d_add", HD_DNNL_FORWARD, true, HD_K_INPLACE_LAST)
CONV_KERNEL(conv2d_add, "onednn.conv2d_add.direct", "conv2d_add", HD_DNNL_FORWARD, false, HD_K_INPLACE_LAST)
CONV_KERNEL(conv2d_grad_input_winograd, "onednn.conv2d_grad_input.winograd", "conv2d_grad_input", HD_DNNL_GRAD_INPUT,
            true, 0)
CONV_KERNEL(conv2d_grad_input, "onednn.conv2d_grad_input.direct", "conv2d_grad_input", HD_DNNL_GRAD_INPUT, false, 0)
CONV_KERNEL(conv2d_grad_weight_winograd, "onednn.conv2d_grad_weight.winograd", "conv2d_grad_weight",
            HD_DNNL_GRAD_WEIGHT, true, 0)
CONV_KERNEL(conv2d_grad_weight, "onednn.conv2d_grad_weight.direct", "conv2d_grad_weight", HD_DNNL_GRAD_WEIGHT, false, 0)
CONV_KERNEL(conv2d_grad_params_winograd, "onednn.conv2d_grad_params.winograd", "conv2d_grad_params",
            HD_DNNL_GRAD_WEIGHT, true, 0)
CONV_KERNEL(conv2d_grad_params, "onednn.conv2d_grad_params.direct", "conv2d_grad_params", HD_DNNL_GRAD_WEIGHT, false, 0)
