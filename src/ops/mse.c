/* mse.c: mean squared error and its backward op. Knows nothing of backends. */
#include "ops/loss_kit.h"

HD_SQUARED_LOSS(mse, 1.0, (double)x->count)
HD_LOSS_COST(mse_cost, 3)

const hd_op hd_op_mse = {
    HD_LOSS_HEAD(mse, hd_loss_args),
    HD_ONLY_REDUCTION(hd_loss_args),
    HD_LOSS_RULES(mse),
    .formula = "loss = mean((x − target)²)",
    .source = "as torch.nn.MSELoss",
    .doc = "Mean squared error, the loss of regression: the mean over all elements; target has the shape of x.",
    .samples = (const hd_sample[]){{"f32[2,2]={1 2 3 4}, f32[2,2]={1 0 3 0}", "{5}"},
                                   {"f32[2]={1 2}, f32[2]={3 0} | reduction=sum", "{8}"},
                                   {"f32[2]={1 2}, f32[2]={3 1} | reduction=none", "{4 1}"},
                                   {"f32[4,5], f32[4,5]", NULL},
                                   {"f32[7], f32[7] | reduction=none", NULL},
                                   {"f32[2,3], f32[2,3] | reduction=sum", NULL},
                                   {"f32[], f32[]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,1], f32[6]", "target [6] must have the same shape"},
                                   {"f32[6], f32[6] | reduction=max", "one of mean, sum, none"},
                                   {0}},
};

const hd_op hd_op_mse_grad = {
    HD_LOSS_GRAD_HEAD(mse),
    .infer = hd_infer_loss_grad,
    .grad = mse_grad_rule,
    .ref = mse_grad_ref,
    .cost = mse_cost,
    .formula = "dx = 2 (x − target) dy/n",
    .samples = (const hd_sample[]){{"f32[2,2]={1 2 3 4}, f32[2,2]={1 0 3 0}, f32[]={1}", "{0 1 0 2}"},
                                   {"f32[4,5], f32[4,5], f32[]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6], f32[6], f32[1]", "dy must be a scalar"}, {0}},
};

HD_BUILDER(mse, hd_loss_args)
HD_BUILDER(mse_grad, hd_loss_grad_args)
