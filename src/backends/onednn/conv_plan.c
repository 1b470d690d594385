/* conv_plan.c: algorithm, layouts and tasks of a convolution. The rules come from measurements, docs/performance.md. */
#include "backends/onednn/conv_plan.h"
#include "base/cpu.h"
#include "hadal/ops.h"
#include "ops/fused.h"
#include <string.h>

enum { OWNER_BATCH = 16, WINOGRAD_CHANNELS = 512, WINOGRAD_TILES = 48 };
/* A Winograd task needs scratch in proportion to its images: above this it gets fewer of them. */
static const size_t WINOGRAD_SCRATCH = (size_t)96 << 20;

static double flops_of(const hd_dnnl_conv *c) {
    return 2.0 * (double)c->n * (double)c->k * (double)c->oh * (double)c->ow * (double)(c->c / c->groups) *
           (double)c->r * (double)c->s;
}

/* Tasks by the work there is: a task below a MFLOP costs more to hand over than it brings. */
static int64_t tasks_for(double flops) {
    if (flops < 2e6) return 1;
    if (flops < 40e6) return 2;
    return flops < 400e6 ? 4 : 8;
}

static bool present(const hd_kctx *k, int in) {
    return in < k->n_in && k->in[in].dims.rank >= 0;
}

/* The two that are multiplied are both f32 or both bf16; then the result may be either, a weight's gradient f32. */
static bool settle_dtypes(hd_dnnl_conv *c, hd_dtype x, hd_dtype w, hd_dtype y, int direction) {
    const hd_dtype result = direction == HD_DNNL_FORWARD ? y : direction == HD_DNNL_GRAD_INPUT ? x : w;
    const hd_dtype a = direction == HD_DNNL_GRAD_INPUT ? y : x, b = direction == HD_DNNL_GRAD_WEIGHT ? y : w;
    c->dtype[HD_DNNL_X] = x;
    c->dtype[HD_DNNL_W] = w;
    c->dtype[HD_DNNL_Y] = y;
    if (a != b || (a != HD_F32 && a != HD_BF16)) return false;
    return result == HD_F32 || (result == HD_BF16 && a == HD_BF16 && direction != HD_DNNL_GRAD_WEIGHT);
}

static const char *read_shapes(hd_dnnl_conv *c, const hd_kctx *k, int direction) {
    const hd_operand *x = &k->in[0], *w = &k->in[1], *y = &k->out[0];
    memset(c, 0, sizeof *c);
    if (direction == HD_DNNL_FORWARD) {
        const hd_conv2d_args a = hd_conv2d_args_of(k->op, k->attr);
        memcpy(c->stride, a.stride, sizeof c->stride);
        memcpy(c->padding, a.padding, sizeof c->padding);
        memcpy(c->dilation, a.dilation, sizeof c->dilation);
        c->uneven = a.padding_extra[0] || a.padding_extra[1];
        c->groups = a.groups;
        c->act = a.act;
        c->bias = present(k, 2);
        c->add = present(k, 3);
    } else {
        const hd_conv2d_grad_args *a = k->attr;
        memcpy(c->stride, a->stride, sizeof c->stride);
        memcpy(c->padding, a->padding, sizeof c->padding);
        memcpy(c->dilation, a->dilation, sizeof c->dilation);
        c->uneven = a->padding_extra[0] || a->padding_extra[1];
        c->groups = a->groups;
        c->bias = k->n_out > 1;
        if (direction == HD_DNNL_GRAD_INPUT) x = &k->out[0], y = &k->in[0];
        if (direction == HD_DNNL_GRAD_WEIGHT) w = &k->out[0], y = &k->in[1];
    }
    if (!settle_dtypes(c, x->dtype, w->dtype, y->dtype, direction)) return "only for f32, or bf16 with sums in f32";
    if ((x->dtype == HD_BF16 || y->dtype == HD_BF16) && !hd_cpu_bf16(k->isa)) return HD_DNNL_NO_BF16;
    if (c->bias) c->dtype[HD_DNNL_B] = direction == HD_DNNL_FORWARD ? k->in[2].dtype : k->out[1].dtype;
    if (direction == HD_DNNL_GRAD_WEIGHT && c->dtype[HD_DNNL_B] != HD_F32) return "only for a bias's gradient of f32";
    const int64_t *dx = x->dims.dim, *dw = w->dims.dim, *dy = y->dims.dim;
    c->direction = direction;
    c->n = dx[0], c->c = dx[1], c->h = dx[2], c->w = dx[3];
    c->k = dw[0], c->r = dw[2], c->s = dw[3];
    c->oh = dy[2], c->ow = dy[3];
    c->isa = k->isa;
    if (x->count <= 0 || y->count <= 0 || w->count <= 0) return "nothing to do";
    return NULL;
}

/* Channels fill whole blocks, but for a last one of which at most a quarter of all is empty: 24 of 32 go through, which
 * costs less than a change of layout before and behind. */
static bool nearly_fills(int64_t channels, int64_t blk) {
    const int64_t held = (channels + blk - 1) / blk * blk;
    return channels > blk && 4 * channels >= 3 * held;
}

/* Blocked layouts suit. The first convolution reads few plain channels. */
static bool fills_blocks(const hd_dnnl_conv *c) {
    const int64_t blk = c->isa >= HD_ISA_AVX512 ? 16 : 8;
    if (c->groups == 1)
        return (c->k % blk == 0 || nearly_fills(c->k, blk)) &&
               (c->c % blk == 0 || nearly_fills(c->c, blk) || (c->c <= 3 && c->direction != HD_DNNL_GRAD_INPUT));
    if (c->groups == c->c && c->k == c->c) return c->c % blk == 0;
    return (c->c / c->groups) % blk == 0 && (c->k / c->groups) % blk == 0;
}

/* Tiles of 4×4 results that Winograd's F(4×4, 3×3) computes. */
static int64_t tiles_of(const hd_dnnl_conv *c) {
    return c->n * ((c->oh + 3) / 4) * ((c->ow + 3) / 4);
}

static const char *winograd_refuses(const hd_dnnl_conv *c, bool exact) {
    if (exact) return "exact kernels were asked for";
    if (c->isa < HD_ISA_AVX512) return "oneDNN has Winograd for AVX-512 only";
    if (c->r != 3 || c->s != 3 || c->groups != 1) return "Winograd is for 3x3 kernels without groups";
    for (int i = 0; i < 2; i++)
        if (c->stride[i] != 1 || c->dilation[i] != 1 || c->padding[i] > 1)
            return "Winograd is for stride 1, dilation 1, padding 0 or 1";
    if (c->uneven) return "Winograd is for the same padding on all sides";
    if (c->c % 16 || c->k % 16) return "Winograd is for channels in multiples of 16";
    if (c->c * c->k < WINOGRAD_CHANNELS) return "Winograd pays from 16 times 32 channels";
    if (c->act != HD_ACT_NONE && c->act != HD_ACT_RELU) return "Winograd applies no activation but relu";
    if (2 * c->n * c->oh * c->ow < 16 * tiles_of(c)) return "Winograd's tiles of 4x4 would be less than half full";
    if (tiles_of(c) < WINOGRAD_TILES) return "too few tiles to transform the weights for";
    return NULL;
}

static const char *ask(hd_dnnl_conv c, int direction, const hd_layout *w_layout, hd_dnnl_answer *answer) {
    c.direction = direction;
    c.w_layout = w_layout;
    if (direction == HD_DNNL_GRAD_INPUT) c.bias = false;
    if (direction != HD_DNNL_FORWARD) c.act = HD_ACT_NONE;
    return hd_dnnl_ask_conv(&c, answer);
}

/* The layout in which the weights live: what forward likes, or what their gradient comes in when forward takes that
 * too. Does not depend on the batch, so that all programs over one store agree. */
static const char *owner_layout(const hd_dnnl_conv *c, hd_layout *out) {
    hd_dnnl_conv one = *c;
    hd_dnnl_answer forward, gradient;
    one.add = false;
    one.n = OWNER_BATCH;
    one.bias = true;
    const char *reason = ask(one, HD_DNNL_FORWARD, NULL, &forward);
    if (reason) return reason;
    *out = forward.layout[HD_DNNL_W];
    if (ask(one, HD_DNNL_GRAD_WEIGHT, NULL, &gradient) ||
        hd_layout_equal(&gradient.layout[HD_DNNL_W], &forward.layout[HD_DNNL_W]))
        return NULL;
    if (!ask(one, HD_DNNL_FORWARD, &gradient.layout[HD_DNNL_W], &forward)) *out = gradient.layout[HD_DNNL_W];
    return NULL;
}

/* Settles the weights' layout of plan->conv and asks for the rest. Weights of bf16 are made anew in every step, from
 * the parameter: each direction gets them as it likes. */
static const char *settle(hd_conv_plan *p, hd_dnnl_answer *answer) {
    hd_layout owner;
    const int direction = p->conv.direction;
    const char *reason = ask(p->conv, direction, NULL, answer);
    p->conv.w_layout = NULL;
    if (reason || direction == HD_DNNL_GRAD_INPUT || p->conv.dtype[HD_DNNL_X] == HD_BF16) return reason;
    reason = owner_layout(&p->conv, &owner);
    if (reason || hd_layout_equal(&owner, &answer->layout[HD_DNNL_W])) return reason;
    hd_dnnl_answer forced;
    if (ask(p->conv, direction, &owner, &forced)) return NULL; /* then in its own layout, and a reorder */
    *answer = forced;
    p->forced = owner;
    p->conv.w_layout = &p->forced;
    return NULL;
}

/* Slices of output channels of w and of one image's y lie one behind the other. */
static bool channels_outermost(const hd_conv_plan *p, int64_t slices) {
    const hd_layout *w = &p->layout[HD_DNNL_W], *y = &p->layout[HD_DNNL_Y];
    int64_t blk = 1;
    for (int i = 0; i < w->nblk; i++)
        if (w->idx[i] == 0) blk *= w->blk[i];
    const bool y_fits = y->nblk ? y->nblk == 1 && y->idx[0] == 1 && !y->permuted : hd_layout_is_plain(y);
    if (y->nblk && blk % y->blk[0]) blk *= y->blk[0];
    return y_fits && p->conv.groups == 1 && p->k % (blk * slices) == 0 && (!w->permuted || w->perm[0] == 0);
}

static void by_images(hd_conv_plan *p, int64_t tasks) {
    p->split = HD_CONV_IMAGES;
    p->tasks = tasks < p->n ? tasks : p->n;
    p->conv.n = (p->n + p->tasks - 1) / p->tasks;
    p->larger = p->n - (p->conv.n - 1) * p->tasks;
}

static void by_channels(hd_conv_plan *p, int64_t tasks) {
    p->split = HD_CONV_CHANNELS;
    while (tasks > 1 && !channels_outermost(p, tasks)) tasks /= 2;
    p->tasks = tasks;
    p->conv.n = p->n;
    p->conv.k = p->k / tasks;
}

/* Rows of one picture lie one behind the other: of the dimensions that have more than one block the first is the
 * height.
 */
static bool rows_outermost(const hd_layout *l, int64_t c, int64_t h, int64_t w) {
    int64_t outer[4] = {1, c, h, w};
    for (int i = 0; i < l->nblk; i++) outer[l->idx[i]] = (outer[l->idx[i]] + l->blk[i] - 1) / l->blk[i];
    for (int i = 0; i < 4; i++) {
        const int d = l->permuted ? l->perm[i] : i;
        if (outer[d] > 1) return d == 2;
    }
    return false;
}

static bool rows_fit(const hd_conv_plan *p) {
    const hd_dnnl_conv *c = &p->conv;
    return c->direction == HD_DNNL_FORWARD && p->n == 1 && !c->winograd &&
           rows_outermost(&p->layout[HD_DNNL_X], c->c, c->h, c->w) &&
           rows_outermost(&p->layout[HD_DNNL_Y], c->k, c->oh, c->ow);
}

static void by_rows(hd_conv_plan *p, int64_t tasks) {
    p->split = HD_CONV_ROWS;
    if (tasks > HD_CONV_TASKS) tasks = HD_CONV_TASKS;
    p->tasks = tasks < p->conv.oh ? tasks : p->conv.oh;
    p->larger = p->tasks;
    p->conv.n = 1;
}

hd_dnnl_conv hd_conv_plan_rows(const hd_conv_plan *plan, int64_t t, int64_t *x_row, int64_t *y_row) {
    hd_dnnl_conv part = plan->conv;
    const int64_t from = plan->conv.oh * t / plan->tasks, to = plan->conv.oh * (t + 1) / plan->tasks;
    const int64_t first = from * part.stride[0] - part.padding[0];
    const int64_t end = (to - 1) * part.stride[0] - part.padding[0] + (part.r - 1) * part.dilation[0] + 1;
    *x_row = first < 0 ? 0 : first;
    *y_row = from;
    part.padding[0] = *x_row - first;
    part.h = (end < plan->conv.h ? end : plan->conv.h) - *x_row;
    part.oh = to - from;
    part.uneven = true;
    return part;
}

/* Each task transforms all the weights, which costs about as much as c·k / 2048 tiles: not over a tenth of its work,
 * but two tasks at least. Measured: docs/performance.md. */
static int64_t winograd_tasks(const hd_dnnl_conv *c, int64_t tasks) {
    const int64_t most = 200 * tiles_of(c) / (c->c * c->k);
    const int64_t fit = most >= 8 ? 8 : most >= 4 ? 4 : 2;
    return tasks < fit ? tasks : fit;
}

/* spike of the first day: docs/performance.md, "Tasks of a convolution". */
static void choose_split(hd_conv_plan *p, double flops) {
    const hd_dnnl_conv *c = &p->conv;
    int64_t tasks = tasks_for(flops);
    if (c->winograd) tasks = winograd_tasks(c, tasks);
    const bool gradient = c->direction == HD_DNNL_GRAD_WEIGHT;
    if (gradient && !c->winograd && tasks > 4) tasks = 4;
    const int64_t dw = c->k * (c->c / c->groups) * c->r * c->s, dy = p->n * c->k * c->oh * c->ow;
    const bool few_images = p->n == 1 && c->direction != HD_DNNL_GRAD_INPUT;
    const bool large_weights = gradient && !c->winograd && (tasks - 1) * dw > dy;
    if (tasks > 1 && (few_images || large_weights) && channels_outermost(p, 2))
        by_channels(p, tasks);
    else if (tasks > 1 && rows_fit(p))
        by_rows(p, tasks);
    else
        by_images(p, tasks);
}

/* A split of the tuning table's. Gradients of the input are sums over channels: their tasks are images always. */
static const char *vary_split(hd_conv_plan *p, int way) {
    const int64_t tasks = p->tasks;
    int split = p->split;
    if (way == 0) return NULL;
    if (way == 3) split = split == HD_CONV_IMAGES ? HD_CONV_CHANNELS : HD_CONV_IMAGES;
    if (tasks < 2 && way != 2) return "it is one task";
    if (split == HD_CONV_CHANNELS && p->conv.direction == HD_DNNL_GRAD_INPUT) return "its tasks are images";
    const int64_t wanted = way == 1 ? tasks / 2 : way == 2 ? 2 * tasks : tasks;
    p->conv.n = p->n, p->conv.k = p->k;
    if (split == HD_CONV_ROWS)
        by_rows(p, wanted);
    else if (split == HD_CONV_IMAGES)
        by_images(p, wanted);
    else
        by_channels(p, wanted);
    return p->tasks == wanted && (p->tasks > 1 || way == 1) ? NULL : "it can not be cut so";
}

/* With the split settled: the library must like the same layouts for a task's share. */
static const char *confirm(hd_conv_plan *p) {
    hd_dnnl_answer a;
    const bool rows = p->split == HD_CONV_ROWS;
    const int shares = rows ? (int)p->tasks : p->split == HD_CONV_IMAGES && p->larger < p->tasks ? 2 : 1;
    for (int i = 0; i < shares; i++) {
        hd_dnnl_conv share = p->conv;
        int64_t x_row, y_row;
        if (rows)
            share = hd_conv_plan_rows(p, i, &x_row, &y_row);
        else
            share.n -= i;
        if (share.h < 1) return "some rows read nothing but padding";
        const char *reason = hd_dnnl_ask_conv(&share, &a);
        if (reason) return reason;
        for (int o = 0; o < HD_DNNL_OPERANDS; o++)
            if (o != HD_DNNL_B && !hd_layout_equal(&a.layout[o], &p->layout[o]))
                return "oneDNN wants other layouts for a part";
        if (a.scratch > p->scratch) p->scratch = a.scratch;
    }
    return NULL;
}

static const char *try_format(hd_conv_plan *p, const hd_dnnl_conv *whole, int format, int way) {
    hd_dnnl_answer answer;
    p->conv = *whole;
    p->conv.format = format;
    p->n = whole->n, p->k = whole->k;
    p->scratch = 0;
    const char *reason = settle(p, &answer);
    if (reason) return reason;
    memcpy(p->layout, answer.layout, sizeof p->layout);
    choose_split(p, flops_of(whole));
    reason = vary_split(p, way);
    if (!reason) reason = confirm(p);
    while (!reason && whole->winograd && p->scratch > WINOGRAD_SCRATCH && p->split == HD_CONV_IMAGES &&
           p->tasks < p->n && whole->direction != HD_DNNL_GRAD_WEIGHT) {
        p->scratch = 0;
        by_images(p, 2 * p->tasks);
        reason = confirm(p);
    }
    return reason;
}

const char *hd_conv_plan_make(hd_conv_plan *plan, const hd_kctx *k, int direction, bool winograd) {
    hd_dnnl_conv whole;
    memset(plan, 0, sizeof *plan);
    const char *reason = read_shapes(&whole, k, direction);
    if (!reason && winograd) reason = winograd_refuses(&whole, k->exact);
    if (reason) return reason;
    whole.winograd = winograd;
    const bool fills = fills_blocks(&whole), other = k->variant >= HD_CONV_SPLITS;
    const int way = k->variant % HD_CONV_SPLITS;
    if (other && winograd) return "Winograd wants blocks";
    if (fills) return try_format(plan, &whole, other ? HD_DNNL_NHWC : HD_DNNL_BEST, way);
    if (other) return try_format(plan, &whole, HD_DNNL_NCHW, way);
    reason = try_format(plan, &whole, HD_DNNL_NHWC, way);
    return reason ? try_format(plan, &whole, HD_DNNL_NCHW, way) : NULL;
}
