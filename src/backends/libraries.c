/* libraries.c: which version of an optional library runs, and what that gives. Knows the names of the backends that
 * bring one. */
#include "backends/onednn/dnnl_api.h"
#include "base/context.h"
#include "base/cpu.h"
#include "hadal/program.h"
#include <string.h>

bool hd_precision_native(const hd_context *ctx, const char *precision) {
    char text[32];
    if (strcmp(precision, "f32") == 0) return true;
    return strcmp(precision, "bf16") == 0 && hd_cpu_bf16(ctx->isa) && hd_dnnl_version_text(text) != NULL;
}

const char *hd_library_version(const char *library, char text[32]) {
    return strcmp(library, "oneDNN") == 0 ? hd_dnnl_version_text(text) : NULL;
}
