/* own_op.c: an operation of one's own: snake, y = x + sin²(a·x)/a (Ziyin et al., 2020), which learns what repeats. A
 * descriptor says shapes, gradient and plain loops; the library does the rest: training, printing, parsing. The net
 * then learns two waves of a sine. */
#include "hadal/hadal.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { POINTS = 256, STEPS = 1500 };

/* Inputs first, then options. */
typedef struct snake_args {
    hd_val x;
    double a;
} snake_args;
typedef struct snake_grad_args {
    hd_val x, dy;
    double a;
} snake_grad_args;

static const hd_option snake_options[] = {
    {"a", HD_OPT_FLOAT, offsetof(snake_args, a), 1, 1, 0.01, 100, NULL, "how often it winds"}, HD_OPTION_END};
static const hd_option snake_grad_options[] = {
    {"a", HD_OPT_FLOAT, offsetof(snake_grad_args, a), 1, 1, 0.01, 100, NULL, "how often it winds"}, HD_OPTION_END};

static hd_status snake_infer(hd_infer *c) {
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i].dtype != HD_F32 || !hd_dims_equal(&c->in[i].dims, &c->in[0].dims))
            return hd_infer_fail(c, "expected f32 of one shape");
    c->out[0] = c->in[0];
    return HD_OK;
}

static void snake_ref(const hd_ref *r) {
    const double a = ((const snake_args *)r->attr)->a;
    const float *x = r->in[0].data;
    float *y = r->out[0].data;
    for (int64_t i = 0; i < r->out[0].count; i++) {
        const double s = sin(a * (double)x[i]);
        y[i] = (float)((double)x[i] + s * s / a);
    }
}

/* dx = dy (1 + sin 2ax): the backward pass is an op too. */
static void snake_grad_ref(const hd_ref *r) {
    const double a = ((const snake_grad_args *)r->attr)->a;
    const float *x = r->in[0].data, *dy = r->in[1].data;
    float *dx = r->out[0].data;
    for (int64_t i = 0; i < r->out[0].count; i++) dx[i] = (float)((double)dy[i] * (1 + sin(2 * a * (double)x[i])));
}

static const hd_op snake_grad = {
    .name = "snake_grad",
    .n_in = 2,
    .n_out = 1,
    .args_size = sizeof(snake_grad_args),
    .options = snake_grad_options,
    .flags = HD_OP_ELEMENTWISE,
    .infer = snake_infer,
    .no_grad_reason = "gradients of gradients are not needed here",
    .ref = snake_grad_ref,
};

/* Called when a graph is differentiated: builds nodes. */
static void snake_rule(hd_grad *c) {
    const double a = ((const snake_args *)c->attr)->a;
    c->din[0] = hd_node_add(HD_HERE, &snake_grad, &(snake_grad_args){.x = c->in[0], .dy = c->dout[0], .a = a});
}

static const hd_op snake = {
    .name = "snake",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(snake_args),
    .options = snake_options,
    .flags = HD_OP_ELEMENTWISE,
    .infer = snake_infer,
    .grad = snake_rule,
    .ref = snake_ref,
};
#define snake(...) hd_node_add(HD_HERE, &snake, &(snake_args){__VA_ARGS__})

static hd_status learn(hd_context *ctx, hd_graph *g) {
    static float x[POINTS], y[POINTS];
    hd_program *step = NULL;
    char *text = NULL;
    for (int i = 0; i < POINTS; i++) {
        x[i] = (float)(4 * i) / POINTS - 2;
        y[i] = (float)sin(3.14159265 * (double)x[i]);
    }
    hd_val in = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 1));
    hd_val h = snake(hd_nn_linear(in, .name = "fc1", .out_features = 16), .a = 2);
    hd_val out = hd_nn_linear(h, .name = "fc2", .out_features = 1);
    hd_val loss = hd_mse(out, hd_input(g, "y", HD_F32, HD_DIMS(HD_BATCH, 1)));

    hd_status status =
        hd_compile_with(&step, hd_train_step(loss, hd_adam(.lr = 0.01)), &(hd_compile_args){.batch = POINTS});
    if (status == HD_OK) status = hd_program_set(step, "x", x);
    if (status == HD_OK) status = hd_program_set(step, "y", y);
    for (int i = 0; i < STEPS && status == HD_OK; i++) status = hd_program_run(step);
    if (status == HD_OK) status = hd_graph_print(g, &text);
    if (status == HD_OK) {
        const float *last = hd_program_get(step, "loss");
        printf("%s\nloss after %d steps: %.5f\n", text, STEPS, (double)*last);
        if (!(*last < 0.01f)) status = HD_E_CHECK;
    }
    if (status != HD_OK) fprintf(stderr, "%s\n", hd_last_error(ctx));
    hd_memory_free(ctx, text);
    hd_program_free(step);
    return status;
}

int main(void) {
    hd_context *ctx;
    hd_graph *g = NULL;
    if (hd_context_new(&ctx, NULL) != HD_OK) return HD_E_MEMORY;
    hd_status status = hd_context_add_op(ctx, &snake); /* so that printed graphs can be read again */
    if (status == HD_OK) status = hd_context_add_op(ctx, &snake_grad);
    if (status == HD_OK) status = hd_graph_new(&g, ctx);
    if (status == HD_OK) status = learn(ctx, g);
    hd_graph_free(g);
    hd_context_free(ctx);
    return (int)status;
}
