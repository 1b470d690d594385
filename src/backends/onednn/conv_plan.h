/* conv_plan.h: how one convolution is done with oneDNN: algorithm, layouts, tasks. A function of shapes, instruction
 * set and library alone: part of the numeric plan. Knows no memory and runs nothing. */
#ifndef HD_BACKENDS_CONV_PLAN_H
#define HD_BACKENDS_CONV_PLAN_H
#include "backends/onednn/dnnl_api.h"

enum hd_conv_split {
    HD_CONV_IMAGES,   /* a task is a group of images; gradients of weights are summed in a tree afterwards */
    HD_CONV_CHANNELS, /* a task is a group of output channels */
    HD_CONV_ROWS      /* forward, one picture: a task is some of its rows, where these lie in one piece */
};
enum { HD_CONV_TASKS = 8 }; /* most of them */

typedef struct hd_conv_plan {
    hd_dnnl_conv conv; /* of a task: n or k is a task's share; conv.w_layout points into this struct or is NULL */
    hd_layout layout[HD_DNNL_OPERANDS];
    hd_layout forced; /* what conv.w_layout points to */
    int split;
    int64_t tasks;
    int64_t larger; /* IMAGES: the first `larger` tasks have conv.n images, the others one less */
    int64_t n, k;   /* of the whole */
    size_t scratch; /* bytes a thread */
} hd_conv_plan;

/* Variants of a convolution: 4 · order + split. Order 1: channels last where blocks are the rule, plain where they are
 * not. Split 1: half as many tasks, 2: twice as many, 3: by channels where images are the rule, and the reverse. */
enum { HD_CONV_SPLITS = 4, HD_CONV_VARIANTS = 2 * HD_CONV_SPLITS };
/* ROWS: the convolution of task t, its first row of x and of y. */
hd_dnnl_conv hd_conv_plan_rows(const hd_conv_plan *plan, int64_t t, int64_t *x_row, int64_t *y_row);

/* NULL, or the reason why not. `plan` must not be copied (it points into itself). */
const char *hd_conv_plan_make(hd_conv_plan *plan, const hd_kctx *k, int direction, bool winograd);
#endif
