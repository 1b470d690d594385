/* write_text.c: goes on with a text by a trained model.
 *     write_text RUN BEGINNING [TOKENS]
 * after, for example, hadal train shakespeare.txt --model gpt-nano */
#include "hadal/hadal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hd_status write_text(hd_generator *g, hd_context *ctx, const char *beginning, int n) {
    float *tokens, next;
    int64_t count;
    char bytes[64];
    hd_status status = hd_generator_encode(g, beginning, strlen(beginning), &tokens, &count);
    if (status == HD_OK) status = hd_generator_feed(g, tokens, count);
    hd_memory_free(ctx, tokens);
    (void)fputs(beginning, stdout);
    for (int i = 0; i < n && status == HD_OK; i++) {
        status = hd_generator_next(g, &next);
        if (status == HD_OK) (void)fwrite(bytes, 1, hd_generator_decode(g, (int64_t)next, bytes, sizeof bytes), stdout);
    }
    (void)fputc('\n', stdout);
    return status;
}

int main(int argc, char **argv) {
    hd_context *ctx;
    hd_model *model = NULL;
    hd_generator *g = NULL;
    if (argc < 3) {
        fprintf(stderr, "usage: write_text RUN BEGINNING [TOKENS]\n");
        return 77;
    }
    if (hd_context_new(&ctx, NULL) != HD_OK) return 1;
    hd_status status = hd_model_open(&model, ctx, argv[1]);
    if (status == HD_OK) status = hd_generator_new(&g, model, &(hd_generator_args){.temperature = 0.8, .top_p = 0.95});
    if (status == HD_OK) status = write_text(g, ctx, argv[2], argc > 3 ? atoi(argv[3]) : 200);
    if (status != HD_OK) fprintf(stderr, "%s\n", hd_last_error(ctx));
    hd_generator_free(g);
    hd_model_free(model);
    hd_context_free(ctx);
    return (int)status;
}
