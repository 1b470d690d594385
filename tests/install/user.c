/* user.c: what a program outside the tree does with an installed Hadal: trains a small net on the drawn digits by a
 * recipe. Touches threads, JSON, and oneDNN where it is built in. */
#include <hadal/hadal.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    hd_context *ctx;
    hd_recipe *recipe = NULL;
    hd_trainer *trainer = NULL;
    hd_result result;
    if (strcmp(hd_version(), HD_VERSION) != 0) return 1;
    if (hd_context_new(&ctx, &(hd_context_args){.threads = 2}) != HD_OK) return 1;
    hd_status status =
        hd_recipe_parse(&recipe, ctx, "here", "{\"data\": \"digits\", \"model\": \"mlp\", \"train\": {\"epochs\": 1}}");
    if (status == HD_OK) status = hd_trainer_new(&trainer, ctx, &(hd_trainer_args){.recipe = recipe, .out = ""});
    if (status == HD_OK) status = hd_trainer_run(trainer, &result);
    if (status == HD_OK)
        printf("hadal %s trained on %lld digits\n", hd_version(), (long long)result.train.n);
    else
        fprintf(stderr, "%s\n", hd_last_error(ctx));
    hd_trainer_free(trainer);
    hd_recipe_free(recipe);
    hd_context_free(ctx);
    return (int)status;
}
