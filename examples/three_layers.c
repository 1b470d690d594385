/* three_layers.c: the feed-forward net of the lectures: 2-2-2-2 with sigmoid, every layer's output printed.
 * [1,−1] → [0.98, 0.12] → [0.86, 0.11] → [0.62, 0.83] */
#include "hadal/hadal.h"
#include <stdio.h>

static const float W[3][4] = {{1, -2, -1, 1}, {2, -1, -2, -1}, {3, -1, -1, 4}}; /* [out, in], row by row */
static const float B[3][2] = {{1, 0}, {0, 0}, {-2, 2}};
static const char *const names[3] = {"layer 1", "layer 2", "layer 3"};

int main(void) {
    hd_context *ctx;
    hd_graph *g;
    hd_program *p = NULL;
    if (hd_context_new(&ctx, NULL) != HD_OK || hd_graph_new(&g, ctx) != HD_OK) return HD_E_MEMORY;

    hd_val h = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 2));
    for (int i = 0; i < 3; i++) {
        h = hd_sigmoid(hd_linear(h, hd_const(g, HD_F32, HD_DIMS(2, 2), W[i]), hd_const(g, HD_F32, HD_DIMS(2), B[i])));
        hd_mark_output(h, names[i]);
    }

    hd_status status = hd_compile(&p, hd_forward(h), HD_DEVICE_AUTO);
    if (status == HD_OK) status = hd_program_set(p, "x", (float[]){1, -1});
    if (status == HD_OK) status = hd_program_run(p);
    for (int i = 0; i < 3 && status == HD_OK; i++) {
        const float *y = hd_program_get(p, names[i]);
        printf("%s: [%.2f, %.2f]\n", names[i], (double)y[0], (double)y[1]);
    }
    if (status != HD_OK) fprintf(stderr, "%s\n", hd_last_error(ctx));

    hd_program_free(p);
    hd_graph_free(g);
    hd_context_free(ctx);
    return (int)status;
}
