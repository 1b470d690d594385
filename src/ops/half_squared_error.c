/* half_squared_error.c: ½(x−t)² summed over a sample, the mean over the batch, and its backward op. Knows nothing of
 * backends. */
#include "ops/loss_kit.h"

HD_SQUARED_LOSS(half_squared_error, 0.5, hd_loss_batch(&x->dims))
HD_LOSS_COST(half_cost, 3)

const hd_op hd_op_half_squared_error = {
    HD_LOSS_HEAD(half_squared_error, hd_loss_args),
    HD_ONLY_REDUCTION(hd_loss_args),
    .grad = half_squared_error_rule,
    .ref = half_squared_error_ref,
    .cost = half_cost,
    .formula = "loss = (1/n) Σᵢ ½ (xᵢ − targetᵢ)²",
    .source = "Rumelhart, Hinton, Williams 1986",
    .doc = "Half the squared error, the loss of lectures: summed over the values of a sample, the mean over the batch "
           "(axis 0), so that the gradient is the plain difference.",
    .samples = (const hd_sample[]){{"f32[1,2]={1 2}, f32[1,2]={0 0}", "{2.5}"},
                                   {"f32[2,2]={1 2 3 4}, f32[2,2]={1 0 3 0}", "{5}"},
                                   {"f32[2,2]={1 2 3 4}, f32[2,2]={1 0 3 0} | reduction=sum", "{10}"},
                                   {"f32[2]={1 2}, f32[2]={3 1} | reduction=none", "{2 0.5}"},
                                   {"f32[4,5], f32[4,5]", NULL},
                                   {"f32[3], f32[3] | reduction=sum", NULL},
                                   {"f32[2,3], f32[2,3] | reduction=none", NULL},
                                   {"f32[], f32[]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,1], f32[6]", "target [6] must have the same shape"}, {0}},
};

const hd_op hd_op_half_squared_error_grad = {
    HD_LOSS_GRAD_HEAD(half_squared_error),
    .infer = hd_infer_loss_grad,
    .grad = half_squared_error_grad_rule,
    .ref = half_squared_error_grad_ref,
    .cost = half_cost,
    .formula = "dx = (x − target) dy/n",
    .samples = (const hd_sample[]){{"f32[2,2]={1 2 3 4}, f32[2,2]={1 0 3 0}, f32[]={1}", "{0 1 0 2}"},
                                   {"f32[4,5], f32[4,5], f32[]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6], f32[6], f32[1]", "dy must be a scalar"}, {0}},
};

HD_BUILDER(half_squared_error, hd_loss_args)
HD_BUILDER(half_squared_error_grad, hd_loss_grad_args)
