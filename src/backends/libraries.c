/* libraries.c: which version of an optional library runs. Knows the names of the backends that bring one. */
#include "backends/onednn/dnnl_api.h"
#include "hadal/program.h"
#include <string.h>

const char *hd_library_version(const char *library, char text[32]) {
    return strcmp(library, "oneDNN") == 0 ? hd_dnnl_version_text(text) : NULL;
}
