/* count_nonzero.c: how many elements over axes are not zero; whether any, whether all. Knows nothing of backends. */
#include "ops/reduce_kit.h"

/* NaN is not zero. */
static int64_t count_group(const hd_ref *r, hd_groups *g) {
    int64_t count = 0;
    for (int64_t j = 0; j < g->m; j++) count += hd_get(&r->in[0], hd_group_at(g, j)) != 0;
    return count;
}

#define COUNT_REF(fn, type, result)                                                                                    \
    static void fn(const hd_ref *r) {                                                                                  \
        const hd_reduce_args *a = r->attr;                                                                             \
        hd_groups g;                                                                                                   \
        hd_groups_init(&g, &r->in[0].dims, &a->axes);                                                                  \
        for (int64_t i = 0; i < g.n; i++, hd_walk_next(&g.kept)) {                                                     \
            const int64_t count = count_group(r, &g);                                                                  \
            ((type *)r->out[0].data)[i] = result;                                                                      \
        }                                                                                                              \
    }
COUNT_REF(count_nonzero_ref, int64_t, count)
COUNT_REF(any_ref, uint8_t, count > 0)
COUNT_REF(all_ref, uint8_t, count == g.m)

static hd_status count_nonzero_infer(hd_infer *c) {
    const hd_status status = hd_infer_reduce(c);
    c->out[0].dtype = HD_I64;
    return status;
}

static hd_status truth_infer(hd_infer *c) {
    const hd_status status = hd_infer_reduce(c);
    c->out[0].dtype = HD_BOOL;
    return status;
}

#define STAIRCASE "its result is whole: it does not change with small changes of x"
#define BAD_AXIS                                                                                                       \
    (const hd_bad_sample[]) {                                                                                          \
        {"f32[2,3] | axes=[2]", "axis 2 is out of range"}, {                                                           \
            0                                                                                                          \
        }                                                                                                              \
    }

const hd_op hd_op_count_nonzero = {
    HD_REDUCE_HEAD(count_nonzero, hd_reduce_args, HD_OPTION_END),
    .flags = HD_OP_REDUCE,
    .infer = count_nonzero_infer,
    .no_grad_reason = STAIRCASE,
    .ref = count_nonzero_ref,
    .formula = "y = number of x ≠ 0 over the axes",
    .source = "as torch.count_nonzero",
    .doc = "How many elements over some axes, or over all, are not zero, as i64. NaN is not zero.",
    .samples = (const hd_sample[]){{"f32[2,3]={0 7 nan 0 0 6}", "{3}"},
                                   {"i32[2,3]={1 0 3 0 0 6} | axes=[-1] keepdim=true", "{2 1}"},
                                   {"bool[2,2]={1 0 1 1} | axes=[0]", "{2 1}"},
                                   {"f32[0]", "{0}"},
                                   {"f32[]={0}", "{0}"},
                                   {0}},
    .bad = BAD_AXIS,
};

const hd_op hd_op_any = {
    HD_REDUCE_HEAD(any, hd_reduce_args, HD_OPTION_END),
    .flags = HD_OP_REDUCE,
    .infer = truth_infer,
    .no_grad_reason = STAIRCASE,
    .ref = any_ref,
    .formula = "y = some x ≠ 0 over the axes",
    .source = "as torch.any",
    .doc = "Whether at least one element over some axes, or over all, is not zero. Of nothing: no.",
    .samples = (const hd_sample[]){{"bool[2,2]={0 0 1 0} | axes=[1]", "{0 1}"},
                                   {"f32[3]={0 0 nan}", "{1}"},
                                   {"f32[2]={0 -0}", "{0}"},
                                   {"u8[2,0] | axes=[1] keepdim=true", "{0 0}"},
                                   {0}},
    .bad = BAD_AXIS,
};

const hd_op hd_op_all = {
    HD_REDUCE_HEAD(all, hd_reduce_args, HD_OPTION_END),
    .flags = HD_OP_REDUCE,
    .infer = truth_infer,
    .no_grad_reason = STAIRCASE,
    .ref = all_ref,
    .formula = "y = every x ≠ 0 over the axes",
    .source = "as torch.all",
    .doc = "Whether all elements over some axes, or over all, are different from zero. Of nothing: yes.",
    .samples = (const hd_sample[]){{"bool[2,2]={1 1 1 0} | axes=[1]", "{1 0}"},
                                   {"f32[3]={1 nan -2}", "{1}"},
                                   {"i64[2,2]={1 0 1 1} | axes=[0] keepdim=true", "{1 0}"},
                                   {"f32[0]", "{1}"},
                                   {0}},
    .bad = BAD_AXIS,
};

HD_BUILDER(count_nonzero, hd_reduce_args)
HD_BUILDER(any, hd_reduce_args)
HD_BUILDER(all, hd_reduce_args)
