/* planes.h: where the channels of a value x [n, c, …] lie in the layouts that kernels over channels work on: plain,
 * blocked by 8 or 16 channels (nChw16c), channels last (nhwc), and plain rows [n, c]. Knows no op. */
#ifndef HD_BACKENDS_CPU_PLANES_H
#define HD_BACKENDS_CPU_PLANES_H
#include "backends/cpu/vec.h"

/* With `lanes`, channels lie side by side: a group is HD_VL channels, taken together in one vector. Without, a group is
 * one channel and the places of its plane lie side by side. Element: image·n + group's start + place·step + lane. */
typedef struct hd_planes {
    bool lanes;
    int64_t n, c, places;    /* images, channels, h·w */
    int64_t image, step;     /* elements from image to image, from place to place */
    int64_t block, in_block; /* groups a block, and elements from block to block */
    int64_t width;           /* channels of a group */
    int64_t groups, held;    /* groups, and channels with padding: only these may be written */
} hd_planes;

/* False for a layout that is none of these. width: HD_VL of the instruction set. Rows that were pictures are taken as
 * such: their features are no channels then, and who asks for layouts by the function below never gets them. */
bool hd_planes_of(hd_planes *p, const hd_dims *dims, const hd_layout *l, int width);

/* Plain order with a channel a group, also where a plane has one place and channels could be lanes. */
void hd_planes_single(hd_planes *p);

static inline int64_t hd_planes_start(const hd_planes *p, int64_t group) {
    return group / p->block * p->in_block + group % p->block * p->width;
}

/* Layouts hook: all operands listed (inputs by bit, and output 0) go in the first such layout among the listed inputs.
 */
void hd_planes_layouts(const hd_kctx *k, unsigned inputs, hd_layout *in, hd_layout *out);

/* Tasks over groups × images: a function of shape alone. */
typedef struct hd_planes_split {
    int64_t group_chunk, image_chunk; /* of a task */
    int64_t group_tasks, image_tasks;
} hd_planes_split;
hd_planes_split hd_planes_split_of(const hd_planes *p, int64_t grain, int64_t most_images);
static inline int64_t hd_planes_tasks(const hd_planes_split *s) {
    return s->group_tasks * s->image_tasks;
}
typedef struct hd_planes_task {
    int64_t group, group_end, image, image_end;
    int64_t slice; /* number of the image group */
} hd_planes_task;
static inline hd_planes_task hd_planes_task_of(const hd_planes *p, const hd_planes_split *s, int64_t task) {
    const int64_t slice = task % s->image_tasks, group = task / s->image_tasks * s->group_chunk;
    const int64_t image = slice * s->image_chunk;
    return (hd_planes_task){group, hd_vec_min(group + s->group_chunk, p->groups), image,
                            hd_vec_min(image + s->image_chunk, p->n), slice};
}
#endif
