/* own_loop.c: a training loop of one's own over arrays in memory: a small net learns which of two spirals a point is
 * on. Forward, loss, backward and update are one program; the loop binds a batch and runs it. */
#include "hadal/hadal.h"
#include <math.h>
#include <stdio.h>

enum { POINTS = 512, BATCH = 64, EPOCHS = 150 };

/* Two arms that wind around each other. */
static void spirals(float x[POINTS][2], int64_t label[POINTS]) {
    for (int i = 0; i < POINTS; i++) {
        const double t = (double)(i / 2) / (POINTS / 2), angle = 7 * t + 3.14159265 * (i % 2);
        x[i][0] = (float)(t * cos(angle));
        x[i][1] = (float)(t * sin(angle));
        label[i] = i % 2;
    }
}

/* Visits every point once an epoch, in steps that have no common divisor with the number of points. */
static void take_batch(float x[POINTS][2], const int64_t label[POINTS], int epoch, int step, float bx[BATCH][2],
                       int64_t by[BATCH]) {
    for (int i = 0; i < BATCH; i++) {
        const int k = ((step * BATCH + i) * (2 * epoch + 37)) % POINTS;
        bx[i][0] = x[k][0];
        bx[i][1] = x[k][1];
        by[i] = label[k];
    }
}

static hd_status learn(hd_context *ctx, hd_graph *g) {
    static float x[POINTS][2], bx[BATCH][2];
    static int64_t label[POINTS], by[BATCH];
    hd_program *step = NULL;
    spirals(x, label);

    hd_val in = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 2));
    hd_val h = hd_tanh(hd_nn_linear(in, .name = "fc1", .out_features = 32));
    h = hd_tanh(hd_nn_linear(h, .name = "fc2", .out_features = 32));
    hd_val y = hd_nn_linear(h, .name = "fc3", .out_features = 2);
    hd_val target = hd_input(g, "label", HD_I64, HD_DIMS(HD_BATCH));
    hd_val loss = hd_cross_entropy(y, target);
    hd_mark_output(hd_count_correct(y, target), "correct");

    hd_status status =
        hd_compile_with(&step, hd_train_step(loss, hd_adam(.lr = 0.01)), &(hd_compile_args){.batch = BATCH});
    if (status == HD_OK) status = hd_program_set(step, "x", bx);
    if (status == HD_OK) status = hd_program_set(step, "label", by);
    int64_t correct = 0;
    for (int epoch = 0; epoch < EPOCHS && status == HD_OK; epoch++) {
        correct = 0;
        for (int s = 0; s < POINTS / BATCH && status == HD_OK; s++) {
            take_batch(x, label, epoch, s, bx, by);
            status = hd_program_run(step);
            if (status == HD_OK) correct += *(const int64_t *)hd_program_get(step, "correct");
        }
        if (status == HD_OK && epoch % 30 == 29)
            printf("epoch %3d  loss %.4f  right %3lld of %d\n", epoch + 1,
                   (double)*(const float *)hd_program_get(step, "loss"), (long long)correct, POINTS);
    }
    hd_program_free(step);
    if (status != HD_OK) fprintf(stderr, "%s\n", hd_last_error(ctx));
    return status == HD_OK && correct < POINTS * 95 / 100 ? HD_E_CHECK : status;
}

int main(void) {
    hd_context *ctx;
    hd_graph *g;
    if (hd_context_new(&ctx, NULL) != HD_OK || hd_graph_new(&g, ctx) != HD_OK) return HD_E_MEMORY;
    const hd_status status = learn(ctx, g);
    hd_graph_free(g);
    hd_context_free(ctx);
    return (int)status;
}
