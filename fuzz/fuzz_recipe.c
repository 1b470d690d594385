/* fuzz_recipe.c: a recipe in YAML or JSON, and the model it describes. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_meter meter;
    hd_context *ctx = fuzz_context(&meter, size);
    char *text = fuzz_text(data, size);
    hd_recipe *recipe;
    hd_model *model;
    hd_status status = hd_recipe_parse(&recipe, ctx, "recipe.yaml", text);
    if (status == HD_OK) {
        status = hd_model_new(&model, recipe, NULL);
        if (status == HD_OK) hd_model_free(model);
        hd_recipe_free(recipe);
    }
    free(text);
    fuzz_end(ctx, &meter, status);
    return 0;
}
