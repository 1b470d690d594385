/* scan_kit.h: what the running reductions share. Knows nothing of backends. */
#ifndef HD_OPS_SCAN_KIT_H
#define HD_OPS_SCAN_KIT_H
#include "ops/reduce_kit.h"

hd_status hd_infer_scan_number(hd_infer *c); /* of hd_scan_args; y like x; any but bool */
hd_status hd_infer_scan_float(hd_infer *c);  /* f32 or f64 */

/* Along each row, in its direction: `start`, then `step` with the element x[at], then y[at] = result. */
#define HD_SCAN_LOOP(start, step, result)                                                                              \
    const hd_rows z = hd_rows_of(&r->in[0].dims, hd_axis_resolve(a->axis, r->in[0].dims.rank), a->reverse);            \
    const T *x = r->in[0].data;                                                                                        \
    T *y = r->out[0].data;                                                                                             \
    for (int64_t row = 0; row < z.count; row++) {                                                                      \
        start;                                                                                                         \
        for (int64_t i = 0; i < z.n; i++) {                                                                            \
            const int64_t at = hd_row_at(&z, row, i);                                                                  \
            step;                                                                                                      \
            y[at] = (T)(result);                                                                                       \
        }                                                                                                              \
    }

#define HD_SCAN_HEAD(name_)                                                                                            \
    .name = #name_, .n_in = 1, .n_out = 1, .args_size = sizeof(hd_scan_args),                                          \
    .options = (const hd_option[]){HD_SCAN_OPTIONS(hd_scan_args), HD_OPTION_END}, .flags = HD_OP_INPLACE,              \
    .cost = hd_cost_input
#define HD_SCAN_BAD                                                                                                    \
    (const hd_bad_sample[]) {                                                                                          \
        {"f32[2,3] | axis=2", "does not have the axis"}, {"f32[]", "does not have the axis"}, {"bool[2]", "number"}, { \
            0                                                                                                          \
        }                                                                                                              \
    }
#endif
