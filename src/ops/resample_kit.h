/* resample_kit.h: which elements of an axis make one of the resampled axis, and by what weights. Knows nothing of
 * backends. */
#ifndef HD_OPS_RESAMPLE_KIT_H
#define HD_OPS_RESAMPLE_KIT_H
#include "ops/op_kit.h"

typedef struct hd_resampling {
    int64_t in, out;
    double scale; /* elements of x for a step of y */
    int64_t mode;
    bool corners;
} hd_resampling;
hd_resampling hd_resampling_of(const hd_resample_args *a, int64_t in);

/* Element i of y: x at from + t, moved into the axis, times weight[t], t < n; where `even`: each times 1/n. */
typedef struct hd_taps {
    int64_t from, n;
    double weight[4];
    bool even;
} hd_taps;
hd_taps hd_taps_of(const hd_resampling *r, int64_t i);
static inline int64_t hd_tap_place(const hd_resampling *r, const hd_taps *p, int64_t t) {
    const int64_t at = p->from + t;
    return at < 0 ? 0 : at >= r->in ? r->in - 1 : at;
}
static inline double hd_tap_weight(const hd_taps *p, int64_t t) {
    return p->even ? 1 / (double)p->n : p->weight[t];
}
#endif
