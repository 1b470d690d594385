/* hadal/ops_math.h: the elementwise operations: arithmetic, functions, comparisons, activations. See hadal/ops.h for
 * how they are called. */
#ifndef HADAL_OPS_MATH_H
#define HADAL_OPS_MATH_H
#include "hadal/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/** y = f(x), elementwise, any shape. */
typedef struct hd_unary_args {
    hd_val x;
    int end_;
} hd_unary_args;
/** y = f(a, b), elementwise with NumPy's broadcasting. */
typedef struct hd_binary_args {
    hd_val a, b;
    int end_;
} hd_binary_args;
#define HD_UNARY_(name, ...)  hd_##name##_at(HD_HERE, &(hd_unary_args){__VA_ARGS__, .end_ = 0})
#define HD_BINARY_(name, ...) hd_##name##_at(HD_HERE, &(hd_binary_args){__VA_ARGS__, .end_ = 0})
#define HD_CALL_(name, ...)   hd_##name##_at(HD_HERE, &(hd_##name##_args){__VA_ARGS__, .end_ = 0})

HD_API hd_val hd_add_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_sub_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_mul_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_div_at(hd_loc at, const hd_binary_args *args);
#define hd_add(...) HD_BINARY_(add, __VA_ARGS__)
#define hd_sub(...) HD_BINARY_(sub, __VA_ARGS__)
#define hd_mul(...) HD_BINARY_(mul, __VA_ARGS__)
#define hd_div(...) HD_BINARY_(div, __VA_ARGS__)

HD_API hd_val hd_neg_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_exp_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_log_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_sqrt_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_abs_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_sign_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_sigmoid_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_tanh_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_relu_at(hd_loc at, const hd_unary_args *args);
#define hd_neg(...)     HD_UNARY_(neg, __VA_ARGS__)
#define hd_exp(...)     HD_UNARY_(exp, __VA_ARGS__)
#define hd_log(...)     HD_UNARY_(log, __VA_ARGS__)
#define hd_sqrt(...)    HD_UNARY_(sqrt, __VA_ARGS__)
#define hd_abs(...)     HD_UNARY_(abs, __VA_ARGS__)
#define hd_sign(...)    HD_UNARY_(sign, __VA_ARGS__)
#define hd_sigmoid(...) HD_UNARY_(sigmoid, __VA_ARGS__)
#define hd_tanh(...)    HD_UNARY_(tanh, __VA_ARGS__)
#define hd_relu(...)    HD_UNARY_(relu, __VA_ARGS__)
/** dx of an activation from its output y and dy: the ops that back-propagation uses. */
typedef struct hd_act_grad_args {
    hd_val y, dy;
    int end_;
} hd_act_grad_args;
HD_API hd_val hd_sigmoid_grad_at(hd_loc at, const hd_act_grad_args *args);
HD_API hd_val hd_tanh_grad_at(hd_loc at, const hd_act_grad_args *args);
HD_API hd_val hd_relu_grad_at(hd_loc at, const hd_act_grad_args *args);
#define hd_sigmoid_grad(...) hd_sigmoid_grad_at(HD_HERE, &(hd_act_grad_args){__VA_ARGS__, .end_ = 0})
#define hd_tanh_grad(...)    hd_tanh_grad_at(HD_HERE, &(hd_act_grad_args){__VA_ARGS__, .end_ = 0})
#define hd_relu_grad(...)    hd_relu_grad_at(HD_HERE, &(hd_act_grad_args){__VA_ARGS__, .end_ = 0})

/** y = scale·x + shift. */
typedef struct hd_affine_args {
    hd_val x;
    double scale, shift; /**< defaults 1 and 0 */
    int end_;
} hd_affine_args;
HD_API hd_val hd_affine_at(hd_loc at, const hd_affine_args *args);
#define hd_affine(...) HD_CALL_(affine, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
