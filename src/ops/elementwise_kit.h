/* elementwise_kit.h: the whole descriptor of an elementwise op from its expression, its gradient and its words, so that
 * an op file says only what is its own. Knows nothing of backends.
 *
 * * HD_UNARY_OP(name, expr, rule, words…): expr is a double expression in `x`; rule an expression in the values x, y,
 * dy that builds dx; words are .formula, .source, .doc, .onnx, .samples. */
#ifndef HD_OPS_ELEMENTWISE_KIT_H
#define HD_OPS_ELEMENTWISE_KIT_H
#include "ops/op_kit.h"

/* ---- samples ---- */

/* Literal samples, then the usual shapes filled with numbers of a kind ("", ":pos", …), then the end. */
#define HD_UNARY_SAMPLES(kind, ...)                                                                                    \
    (const hd_sample[]) {                                                                                              \
        __VA_ARGS__, {"f32[]={0.7}", NULL}, {"f32[0,3]" kind, NULL}, {"f32[2,3,5]" kind, NULL}, {                      \
            0                                                                                                          \
        }                                                                                                              \
    }
/* The same with options behind each shape. */
#define HD_UNARY_SAMPLES_WITH(kind, options, ...)                                                                      \
    (const hd_sample[]) {                                                                                              \
        __VA_ARGS__, {"f32[]={0.7}", NULL}, {"f32[0,3]" kind, NULL}, {"f32[2,3,5]" kind, NULL},                        \
            {"f32[2,3,5]" kind " | " options, NULL}, {                                                                 \
            0                                                                                                          \
        }                                                                                                              \
    }
#define HD_BINARY_SAMPLES(a, b, ...)                                                                                   \
    (const hd_sample[]) {                                                                                              \
        __VA_ARGS__, {"f32[2,3,5]" a ", f32[3,1]" b, NULL}, {"f32[]" a ", f32[2,2]" b, NULL},                          \
            {"f32[4,1,3]" a ", f32[1,5,1]" b, NULL}, {"f32[0,3]" a ", f32[1,3]" b, NULL},                              \
            {"f32[2,3,5]" a ", f32[2,3,5]" b, NULL}, {                                                                 \
            0                                                                                                          \
        }                                                                                                              \
    }
extern const hd_bad_sample hd_bad_unary_float[];  /* no integers */
extern const hd_bad_sample hd_bad_unary_number[]; /* no bool */
extern const hd_bad_sample hd_bad_binary_float[];
extern const hd_bad_sample hd_bad_binary_number[];
extern const hd_bad_sample hd_bad_compare[];
extern const hd_bad_sample hd_bad_backward[];

/* ---- shape rules ---- */

hd_status hd_infer_binary_float(hd_infer *c); /* broadcast; equal floats */
hd_status hd_infer_compare(hd_infer *c);      /* broadcast; equal dtypes → bool */
hd_status hd_infer_test(hd_infer *c);         /* number → bool of the same shape */

/* ---- gradients ---- */

/* A constant number of the dtype of `like`, to be broadcast. */
hd_val hd_number(hd_val like, double value);
/* d where the mask is true, else 0. */
hd_val hd_masked(hd_val mask, hd_val d);

/* d summed down to the shape of its operand; none stays none. */
hd_val hd_to_operand(hd_val d, hd_val operand);

/* ---- descriptors ---- */

/* The descriptor and the builder of an op whose definition is NAME_ref; last come the fields that are its own. */
#define HD_ELEMENTWISE_OP(name_, args_, flags_, infer_, bad_, ...)                                                     \
    const hd_op hd_op_##name_ = {.name = #name_,                                                                       \
                                 .n_out = 1,                                                                           \
                                 .args_size = sizeof(args_),                                                           \
                                 .flags = HD_OP_ELEMENTWISE | (flags_),                                                \
                                 .infer = infer_,                                                                      \
                                 .ref = name_##_ref,                                                                   \
                                 .bad = bad_,                                                                          \
                                 __VA_ARGS__};                                                                         \
    HD_BUILDER(name_, args_)
#define HD_STEPS_REASON "the derivative is 0 everywhere but at the steps"
#define HD_TRUTH_REASON "the result is true or false"
#define HD_IN_STEPS     .grad = hd_grad_zero, .no_grad_reason = HD_STEPS_REASON

/* ---- unary ops ---- */

#define HD_UNARY_RULE(fn, args_, ...)                                                                                  \
    static void fn(hd_grad *c) {                                                                                       \
        const args_ *o = c->attr;                                                                                      \
        const hd_val x = c->in[0], y = c->out[0], dy = c->dout[0];                                                     \
        (void)o, (void)x, (void)y;                                                                                     \
        c->din[0] = (__VA_ARGS__);                                                                                     \
    }

/* float → float. */
#define HD_UNARY_OP_(name_, args_, flags_, expr_, rule_, ...)                                                          \
    static void name_##_ref(const hd_ref *r) {                                                                         \
        const args_ *o = r->attr;                                                                                      \
        const int64_t n = r->out[0].count;                                                                             \
        (void)o;                                                                                                       \
        HD_FLOATS(                                                                                                     \
            r->out[0].dtype, const T *X = r->in[0].data; T *Y = r->out[0].data; for (int64_t i = 0; i < n; i++) {      \
                const double x = (double)X[i];                                                                         \
                Y[i] = (T)(expr_);                                                                                     \
            })                                                                                                         \
    }                                                                                                                  \
    HD_UNARY_RULE(name_##_rule, args_, rule_)                                                                          \
    HD_ELEMENTWISE_OP(name_, args_, HD_OP_INPLACE | (flags_), hd_infer_unary_float, hd_bad_unary_float, .n_in = 1,     \
                      .grad = name_##_rule, __VA_ARGS__)
#define HD_UNARY_OP(name_, ...)        HD_UNARY_OP_(name_, hd_unary_args, 0, __VA_ARGS__)
#define HD_KINKED_UNARY_OP(name_, ...) HD_UNARY_OP_(name_, hd_unary_args, HD_OP_KINK, __VA_ARGS__)
/* With options: the args struct is hd_NAME_args, and .options is among the words. */
#define HD_OPTION_OP(name_, flags_, ...) HD_UNARY_OP_(name_, hd_##name_##_args, flags_, __VA_ARGS__)

/* Numbers to numbers, integers by integer_expr (see HD_UNARY_NUMBER_REF). */
#define HD_NUMBER_OP_(name_, flags_, expr_, integer_expr_, ...)                                                        \
    HD_UNARY_NUMBER_REF(name_##_ref, expr_, integer_expr_)                                                             \
    HD_ELEMENTWISE_OP(name_, hd_unary_args, HD_OP_INPLACE | (flags_), hd_infer_unary_number, hd_bad_unary_number,      \
                      .n_in = 1, __VA_ARGS__)
#define HD_UNARY_NUMBER_OP(name_, flags_, expr_, integer_expr_, rule_, ...)                                            \
    HD_UNARY_RULE(name_##_rule, hd_unary_args, rule_)                                                                  \
    HD_NUMBER_OP_(name_, flags_, expr_, integer_expr_, .grad = name_##_rule, __VA_ARGS__)
/* The same in steps: the gradient is 0. */
#define HD_STEPS_OP(name_, expr_, integer_expr_, ...)                                                                  \
    HD_NUMBER_OP_(name_, HD_OP_KINK, expr_, integer_expr_, HD_IN_STEPS, __VA_ARGS__)

/* To bool: expr of the double x. */
#define HD_TEST_OP(name_, infer_, bad_, expr_, ...)                                                                    \
    static void name_##_ref(const hd_ref *r) {                                                                         \
        bool *y = r->out[0].data;                                                                                      \
        for (int64_t i = 0; i < r->out[0].count; i++) {                                                                \
            const double x = hd_get(&r->in[0], i);                                                                     \
            y[i] = (expr_);                                                                                            \
        }                                                                                                              \
    }                                                                                                                  \
    HD_ELEMENTWISE_OP(name_, hd_unary_args, 0, infer_, bad_, .n_in = 1, .no_grad_reason = HD_TRUTH_REASON, __VA_ARGS__)

/* ---- backward ops: dx from dy and the input x (or the output y), linear in dy ---- */

/* expr in the doubles x and dy; second: ∂dx/∂x · d, again: ∂dx/∂dy · d, both in the values x, dy, d. Where of_ is y,
 * all of this is in y. */
#define HD_BACKWARD_OP_(name_, of_, args_, flags_, expr_, second_, again_, ...)                                        \
    static void name_##_ref(const hd_ref *r) {                                                                         \
        const args_ *o = r->attr;                                                                                      \
        const int64_t n = r->out[0].count;                                                                             \
        (void)o;                                                                                                       \
        HD_FLOATS(                                                                                                     \
            r->out[0].dtype, const T *X = r->in[0].data; const T *DY = r->in[1].data; T *DX = r->out[0].data;          \
            for (int64_t i = 0; i < n; i++) {                                                                          \
                const double of_ = (double)X[i], dy = (double)DY[i];                                                   \
                DX[i] = (T)(expr_);                                                                                    \
            })                                                                                                         \
    }                                                                                                                  \
    static void name_##_rule(hd_grad *c) {                                                                             \
        const args_ *o = c->attr;                                                                                      \
        const hd_val of_ = c->in[0], dy = c->in[1], d = c->dout[0];                                                    \
        (void)o, (void)dy;                                                                                             \
        if (c->needs[0]) c->din[0] = (second_);                                                                        \
        if (c->needs[1]) c->din[1] = (again_);                                                                         \
    }                                                                                                                  \
    HD_ELEMENTWISE_OP(name_, args_, HD_OP_INPLACE | (flags_), hd_infer_act_grad, hd_bad_backward, .n_in = 2,           \
                      .in_names = HD_NAMES(#of_, "dy"), .out_names = HD_NAMES("dx"), .grad = name_##_rule,             \
                      __VA_ARGS__)
#define HD_BACKWARD_OP(name_, ...)     HD_BACKWARD_OP_(name_, x, __VA_ARGS__)
#define HD_ACT_BACKWARD_OP(name_, ...) HD_BACKWARD_OP_(name_, y, hd_act_grad_args, __VA_ARGS__)
#define HD_BACKWARD_SAMPLES(kind, options, ...)                                                                        \
    (const hd_sample[]) {                                                                                              \
        __VA_ARGS__, {"f32[3,5]" kind ", f32[3,5]" options, NULL}, {                                                   \
            0                                                                                                          \
        }                                                                                                              \
    }

/* ---- binary ops ---- */

#define HD_BINARY_FIELDS .n_in = 2, .in_names = HD_NAMES("a", "b")
#define HD_BINARY_RULE(fn, da_, db_)                                                                                   \
    static void fn(hd_grad *c) {                                                                                       \
        const hd_val a = c->in[0], b = c->in[1], y = c->out[0], dy = c->dout[0];                                       \
        (void)y;                                                                                                       \
        if (c->needs[0]) c->din[0] = hd_to_operand((da_), a);                                                          \
        if (c->needs[1]) c->din[1] = hd_to_operand((db_), b);                                                          \
    }
/* A loop of a binary op's definition: an expression in a and b of type U. */
#define HD_BINARY_EACH(dtypes_, U, expr_)                                                                              \
    {                                                                                                                  \
        hd_walk w;                                                                                                     \
        hd_walk_init(&w, &r->out[0].dims, &r->in[0].dims, &r->in[1].dims);                                             \
        const int64_t n = r->out[0].count;                                                                             \
        dtypes_(r->out[0].dtype, HD_BINARY_LOOP(U, expr_))                                                             \
    }

/* float × float → float: expr in the doubles a and b; da and db in the values a, b, y, dy. */
#define HD_BINARY_OP_(name_, flags_, expr_, da_, db_, ...)                                                             \
    static void name_##_ref(const hd_ref *r){HD_BINARY_EACH(HD_FLOATS, double, expr_)} HD_BINARY_RULE(name_##_rule,    \
                                                                                                      da_, db_)        \
        HD_ELEMENTWISE_OP(name_, hd_binary_args, HD_OP_BROADCAST | HD_OP_INPLACE | (flags_), hd_infer_binary_float,    \
                          hd_bad_binary_float, HD_BINARY_FIELDS, .grad = name_##_rule, __VA_ARGS__)
#define HD_BINARY_OP(name_, ...)        HD_BINARY_OP_(name_, 0, __VA_ARGS__)
#define HD_KINKED_BINARY_OP(name_, ...) HD_BINARY_OP_(name_, HD_OP_KINK, __VA_ARGS__)

/* number × number → number: integer_expr in a and b of type U, uint64_t (wrapping) or int64_t. */
#define HD_BINARY_NUMBER_OP_(name_, flags_, expr_, U, integer_expr_, ...)                                              \
    static void name_##_ref(const hd_ref *r){HD_BINARY_EACH(HD_FLOATS, double, expr_) HD_BINARY_EACH(                  \
        HD_INTEGERS, U, integer_expr_)} HD_ELEMENTWISE_OP(name_, hd_binary_args,                                       \
                                                          HD_OP_BROADCAST | HD_OP_INPLACE | (flags_), hd_infer_binary, \
                                                          hd_bad_binary_number, HD_BINARY_FIELDS, __VA_ARGS__)
#define HD_BINARY_NUMBER_OP(name_, expr_, integer_expr_, da_, db_, ...)                                                \
    HD_BINARY_RULE(name_##_rule, da_, db_)                                                                             \
    HD_BINARY_NUMBER_OP_(name_, HD_OP_KINK, expr_, int64_t, integer_expr_, .grad = name_##_rule, __VA_ARGS__)
/* The same in steps: the gradient is 0. */
#define HD_BINARY_STEPS_OP(name_, expr_, integer_expr_, ...)                                                           \
    HD_BINARY_NUMBER_OP_(name_, HD_OP_KINK, expr_, int64_t, integer_expr_, HD_IN_STEPS, __VA_ARGS__)
/* One expression for floats and for wrapping integers. */
#define HD_ARITHMETIC_OP(name_, expr_, da_, db_, ...)                                                                  \
    HD_BINARY_RULE(name_##_rule, da_, db_)                                                                             \
    HD_BINARY_NUMBER_OP_(name_, 0, expr_, uint64_t, expr_, .grad = name_##_rule, __VA_ARGS__)

/* Any two of one dtype → bool: expr in doubles, and in int64_t; bool counts as 0 and 1. */
typedef bool hd_truth_of_floats(double a, double b);
typedef bool hd_truth_of_integers(int64_t a, int64_t b);
void hd_ref_compare(const hd_ref *r, hd_truth_of_floats *floats, hd_truth_of_integers *integers);
#define HD_COMPARE_OP(name_, expr_, ...)                                                                               \
    static bool name_##_floats(double a, double b) {                                                                   \
        return expr_;                                                                                                  \
    }                                                                                                                  \
    static bool name_##_integers(int64_t a, int64_t b) {                                                               \
        return expr_;                                                                                                  \
    }                                                                                                                  \
    static void name_##_ref(const hd_ref *r) {                                                                         \
        hd_ref_compare(r, name_##_floats, name_##_integers);                                                           \
    }                                                                                                                  \
    HD_ELEMENTWISE_OP(name_, hd_binary_args, HD_OP_BROADCAST, hd_infer_compare, hd_bad_compare, HD_BINARY_FIELDS,      \
                      .no_grad_reason = HD_TRUTH_REASON, __VA_ARGS__)

#endif
