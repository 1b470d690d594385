/* one_neuron.c: the smallest network: a weighted sum, a bias, an activation. σ([0,1]·[2,3] + 4) = 0.9991. */
#include "hadal/hadal.h"
#include <stdio.h>

int main(void) {
    hd_context *ctx;
    hd_graph *g;
    hd_program *p;
    if (hd_context_new(&ctx, NULL) != HD_OK || hd_graph_new(&g, ctx) != HD_OK) return HD_E_MEMORY;

    hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(1, 2));
    hd_val w = hd_const(g, HD_F32, HD_DIMS(1, 2), ((float[]){0, 1}));
    hd_val b = hd_const(g, HD_F32, HD_DIMS(1), ((float[]){4}));
    hd_val y = hd_sigmoid(hd_linear(x, w, b));
    hd_mark_output(y, "y");

    hd_status status = hd_compile(&p, hd_forward(y), HD_DEVICE_AUTO);
    if (status == HD_OK) status = hd_program_set(p, "x", (float[]){2, 3});
    if (status == HD_OK) status = hd_program_run(p);
    if (status == HD_OK)
        printf("%.4f\n", (double)*(const float *)hd_program_get(p, "y"));
    else
        fprintf(stderr, "%s\n", hd_last_error(ctx));

    if (status == HD_OK) hd_program_free(p);
    hd_graph_free(g);
    hd_context_free(ctx);
    return (int)status;
}
